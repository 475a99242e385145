//! How trust and its reasons are shown to people: who is trusted for what, and what is said of them.

mod reasons;
mod values;

use super::{HEAD, Plain, WARN, clean, counted, styled, table::Table};
use crate::daemon::{
    ceremony::documents::Said,
    control::documents::trust::{About, Known, Party, Reached, Trusted},
};

impl Plain for Trusted {
    fn plain(&self) -> Vec<String> {
        let mut lines = vec![styled(HEAD, "Root entries")];
        let mut roots = Table::new(&["ORGANISATION", "FROM", "AMOUNT/DEPTH", "ABOUT", "VETO", "TLP"]);
        for root in &self.roots {
            roots.row(vec![
                called(&root.party),
                root.origin.clone(),
                format!("{}/{}", root.terms.amount, root.terms.depth),
                scope(&root.terms.about),
                if root.terms.may_veto { "yes" } else { "no" }.to_owned(),
                root.terms.receive_tlp.clone(),
            ]);
        }
        lines.extend(roots.lines());
        if !self.pins.is_empty() {
            lines.extend([String::new(), styled(HEAD, "Pins")]);
            let pin = |pin: &crate::daemon::control::documents::trust::Pin| {
                format!("{}  {}", pin.pin.as_deref().unwrap_or("none"), called(&pin.party))
            };
            lines.extend(self.pins.iter().map(pin));
        }
        lines.extend([String::new(), styled(HEAD, "Organisations that are vouched for")]);
        let mut organisations = Table::new(&["ORGANISATION", "MAY", "BELIEVED", "WHY"]);
        for one in &self.organisations {
            organisations.row(vec![called(&one.party), may(one), believed(one), one.reason.clone()]);
        }
        lines.extend(organisations.lines());
        lines
    }
}

fn may(one: &Reached) -> String {
    open(&[
        ("connect", one.connect),
        ("relay", one.relay),
        ("accept", one.accept),
        ("confide", one.confide),
    ])
}

fn open(gates: &[(&str, bool)]) -> String {
    let open: Vec<&str> = gates.iter().filter(|(_, open)| *open).map(|(gate, _)| *gate).collect();
    if open.is_empty() {
        "nothing".to_owned()
    } else {
        open.join(" ")
    }
}

fn believed(one: &Reached) -> String {
    let scopes: Vec<String> = one.believed.iter().map(scope).collect();
    if scopes.is_empty() {
        "-".to_owned()
    } else {
        scopes.join("; ")
    }
}

impl Plain for Known {
    fn plain(&self) -> Vec<String> {
        let line = |said: &Said| {
            let whose = said.organisation.as_deref().unwrap_or_default();
            let over = match said.stands {
                Some(false) => styled(WARN, "  OVER"),
                _ => String::new(),
            };
            format!(
                "  {}: {}  {}{over}",
                styled(HEAD, &said.kind),
                clean(&said.says),
                clean(whose)
            )
        };
        let mut lines = vec![called(&self.party)];
        for (head, said) in [("It says", &self.says), ("Others say of it", &self.said_of_it)] {
            lines.push(styled(HEAD, &format!("{head}: {}", counted(said.len(), "statement"))));
            lines.extend(said.iter().map(line));
        }
        lines
    }
}

/// The beginning of an id: enough for every command to know the rest, and to tell namesakes apart.
fn short(org: &str) -> String {
    org.chars().take(16).collect()
}

fn called(party: &Party) -> String {
    match &party.name {
        Some(name) => format!("{} ({})", clean(name), party.organisation),
        None => party.organisation.clone(),
    }
}

fn scope(about: &About) -> String {
    let topics = about
        .topics
        .as_ref()
        .map_or_else(|| "anything".to_owned(), |topics| topics.join(", "));
    match &about.suffixes {
        None => clean(&topics),
        Some(suffixes) => clean(&format!("{topics} under {}", suffixes.join(", "))),
    }
}
