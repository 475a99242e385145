//! `init`.

use super::Console;
use crate::daemon::{
    arguments::upkeep::Init,
    control,
    exit::{Exit, Failure},
    initialise::{self, Founded, Founding},
    passphrase,
    settings::template::Answers,
};

pub(super) fn init(console: &Console, arguments: Init) -> Result<Exit, Failure> {
    let Init {
        name,
        community,
        port,
        public_address,
        listen,
        passphrase,
        passphrase_file,
    } = arguments;
    if !control::fits(&console.data) {
        let message = format!(
            "{}: the path is too long for a Unix socket; choose a shorter one",
            console.data.display()
        );
        return Err(Failure::new(Exit::Configuration, message));
    }
    let defaults = Answers::named(&name);
    let port = if port == 0 {
        initialise::free_ports(1)?.first().copied().unwrap_or_default()
    } else {
        port
    };
    let answers = Answers {
        community,
        port,
        listen: if listen.is_empty() {
            defaults.listen.clone()
        } else {
            listen.iter().map(ToString::to_string).collect()
        },
        public_address: public_address.unwrap_or_default(),
        ..defaults
    };
    let passphrase = passphrase::of_new_key(passphrase, passphrase_file.as_deref())?;
    let passphrase = passphrase.as_ref().map(|passphrase| passphrase.as_str());
    let Founded { identity, settings } = initialise::found(&Founding {
        data: &console.data,
        answers: &answers,
        passphrase,
    })?;
    console
        .report
        .show(&identity.document(&settings.name, settings.addresses(), false))?;
    if !console.report.is_json() {
        advice(console);
    }
    Ok(Exit::Done)
}

fn advice(console: &Console) {
    let root = initialise::root_folder(&console.data);
    let settings = console.data.join(crate::daemon::settings::FILE);
    let lines = [
        String::new(),
        format!(
            "Move {} to an offline medium now, and keep a second copy elsewhere:",
            root.display()
        ),
        "whoever has these two keys is your organisation. The node runs without them for about a year.".to_owned(),
        format!(
            "Then look at {} and start the node with `starfish run`.",
            settings.display()
        ),
    ];
    lines.iter().for_each(|line| console.report.note(line));
}
