//! `status` and `id`.

use super::Console;
use crate::daemon::{
    control::documents::{Id, Status},
    exit::{Exit, Failure},
    identity::Identity,
    settings::{self, Layers},
};

pub(super) async fn status(console: &Console) -> Result<Exit, Failure> {
    let status: Status = console.client().get("/status").await?;
    console.report.show(&status)?;
    Ok(Exit::Done)
}

/// From the running node, which knows where it listens; else from the data directory.
pub(super) async fn id(console: &Console) -> Result<Exit, Failure> {
    let id = match console.client().get("/id").await {
        Err(failure) if failure.exit == Exit::NotRunning => stopped(console)?,
        answer => answer?,
    };
    console.report.show(&id)?;
    Ok(Exit::Done)
}

fn stopped(console: &Console) -> Result<Id, Failure> {
    let settings = settings::load(&console.data, &Layers::of_process(Vec::new())).map_err(|m| settings::failure(&m))?;
    let identity = Identity::load(&console.data, settings.community)?;
    Ok(identity.document(&settings.name, settings.addresses(), false))
}
