//! `org`: the key ceremonies.

use super::Console;
use crate::daemon::{
    arguments::org::{Accept, Org},
    ceremony,
    exit::{Exit, Failure},
    identity::Identity,
    settings::{self, Layers},
};

pub(super) async fn org(console: &Console, arguments: Org) -> Result<Exit, Failure> {
    let data = &console.data;
    let signed = match &arguments {
        Org::Show(show) => {
            console.report.show(&ceremony::show(&show.files, data)?)?;
            return Ok(Exit::Done);
        }
        Org::Next(next) => {
            console.report.show(&ceremony::next(next)?)?;
            return Ok(Exit::Done);
        }
        Org::Accept(arguments) => return accept(console, arguments).await,
        Org::CertifyNode(arguments) => ceremony::certify(arguments, data)?,
        Org::Rotate(arguments) => ceremony::rotate(arguments, data)?,
        Org::RevokeNode(arguments) => ceremony::revoke(arguments, data)?,
        Org::Recover(arguments) => ceremony::recover(arguments)?,
        Org::Settle(arguments) => ceremony::settle(arguments, data)?,
        Org::Sign(arguments) => ceremony::sign(arguments, data)?,
    };
    console.report.show(&signed)?;
    Ok(Exit::Done)
}

async fn accept(console: &Console, arguments: &Accept) -> Result<Exit, Failure> {
    let layers = Layers::of_process(Vec::new());
    let settings = settings::load(&console.data, &layers).map_err(|mistakes| settings::failure(&mistakes))?;
    let passphrase = arguments.passphrase_file.as_deref();
    let place = (console.data.as_path(), settings.community);
    let unlock = |identity: &Identity| identity.unlock(&console.data, passphrase);
    let accepted = ceremony::accept(&arguments.files, place, &console.client(), unlock).await?;
    console.report.show(&accepted)?;
    Ok(Exit::Done)
}
