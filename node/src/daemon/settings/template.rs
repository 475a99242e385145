//! The commented `starfish.toml` that `init` writes, from [`Answers`]. A test ties it to the defaults.

use super::file::Written;

/// What the operator was asked; everything else is written with its default.
#[derive(Clone, Debug)]
pub struct Answers {
    /// The organisation's name.
    pub name: String,
    /// The mesh's name.
    pub community: String,
    /// For TCP and QUIC.
    pub port: u16,
    /// Local addresses.
    pub listen: Vec<String>,
    /// Address or DNS name for others, or nothing.
    pub public_address: String,
    /// Organisations that are believed from the start.
    pub organisations: Vec<String>,
    /// Multiaddrs that are always dialled.
    pub dial: Vec<String>,
    /// Whether published addresses are dialled.
    pub dial_others: bool,
}

impl Answers {
    /// All defaults but the name.
    pub fn named(name: &str) -> Self {
        let Written { node, trust, mesh, .. } = Written::default();
        Self {
            name: name.to_owned(),
            community: node.community,
            port: node.port,
            listen: node.listen,
            public_address: node.public_address,
            organisations: trust.organisations,
            dial: mesh.dial,
            dial_others: mesh.dial_others,
        }
    }

    /// The file for these answers.
    pub fn render(&self) -> String {
        let list = |texts: &[String]| texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
        include_str!("template.toml")
            .replace("{port}", &self.port.to_string())
            .replace("{listen}", &list(&self.listen))
            .replace("{organisations}", &list(&self.organisations))
            .replace("{dial}", &list(&self.dial))
            .replace("{dial_others}", &self.dial_others.to_string())
            .replace("{public_address}", &quoted(&self.public_address))
            .replace("{community}", &quoted(&self.community))
            // Last, so that braces in a name stay what they are.
            .replace("{name}", &quoted(&self.name))
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::{Layers, checked};
    use super::*;

    #[test]
    fn the_template_says_the_defaults() {
        let text = Answers::named("").render();
        assert_eq!(
            toml::from_str::<Written>(&text).expect("the template is right"),
            Written::default()
        );
    }

    #[test]
    fn answers_are_written() {
        let answers = Answers {
            port: 7,
            listen: vec!["127.0.0.1".to_owned()],
            public_address: "node.example".to_owned(),
            dial_others: false,
            ..Answers::named("x")
        };
        let settings = checked(&answers.render(), &Layers::default()).expect("good settings");
        assert_eq!(
            (settings.port, settings.listen.len(), settings.dial_others),
            (7, 1, false)
        );
        assert_eq!(
            settings.public_address.map(|host| host.to_string()).as_deref(),
            Some("node.example")
        );
    }

    #[test]
    fn names_are_quoted() {
        let check = |name: &str| {
            let text = Answers::named(name).render();
            assert_eq!(checked(&text, &Layers::default()).expect("good settings").name, name);
        };
        check("CERT Example");
        check("CERT \"Quoted\" \\ 'Name'");
        check("CÉRT {port} name");
        check("a\u{202e}b");
    }
}
