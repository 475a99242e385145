//! `init`.

use super::Console;
use crate::daemon::{
    arguments::upkeep::Init,
    control,
    exit::{Exit, Failure},
    initialise::{self, Founded, Founding},
    passphrase,
    settings::{self, Settings, template::Answers},
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
    control::check_path(&console.data)?;
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
        let lines = advice(console, &settings);
        lines.iter().for_each(|line| console.report.note(line));
    }
    Ok(Exit::Done)
}

/// What an operator does next, in order.
fn advice(console: &Console, settings: &Settings) -> Vec<String> {
    let (root, file) = (
        initialise::root_folder(&console.data),
        console.data.join(settings::FILE),
    );
    let reached = match &settings.public_address {
        Some(host) => format!("Others reach this node as {host}"),
        None => format!(
            "If others reach this machine under another address or name, write it as public_address into {}",
            file.display()
        ),
    };
    vec![
        String::new(),
        "What to do next:".to_owned(),
        format!(
            "1. Move {} to an offline medium, and keep a second copy elsewhere: whoever has these two keys is your \
            organisation. The node runs without them for about a year.",
            root.display()
        ),
        format!(
            "2. {reached}. Open port {} for TCP and UDP in the firewall.",
            settings.port
        ),
        format!("3. Start the node: {}", console.command("run")),
        format!(
            "4. Meet another operator, with a code for them: {}",
            console.command("invite")
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::{report::Report, settings::checked};

    #[test]
    fn the_advice_can_be_typed_as_it_stands() {
        let check = |public: &str, expected: &[&str]| {
            let answers = Answers {
                public_address: public.to_owned(),
                ..Answers::named("CERT Example")
            };
            let settings = checked(&answers.render(), &Default::default()).expect("good settings");
            let console = Console {
                data: "/srv/my node".into(),
                report: Report::new(false),
            };
            let text = advice(&console, &settings).join("\n");
            for part in expected {
                assert!(text.contains(part), "{part}: {text}");
            }
        };
        check("", &["/srv/my node/organisation/root", "public_address", "4852"]);
        check(
            "node.example",
            &["as node.example", "starfish --data '/srv/my node' run"],
        );
    }
}
