//! `trust`: whom this organisation vouches for, who is believed, and why.

mod asking;
mod drawing;
mod statements;

use starfish_protocol::trust::what_if::{Answer, Hypothesis, Judged, evaluate};

use super::{Console, read_whole};
use crate::daemon::{
    arguments::trust::{Trust, WhatIf},
    exit::{Exit, Failure},
    report::{Plain, clean, table::Table},
};

/// A graph of ten thousand endorsements written at length takes two; more is a mistake.
const DOCUMENT: usize = 64 << 20;

pub(super) async fn trust(console: &Console, arguments: &Trust) -> Result<Exit, Failure> {
    match arguments {
        Trust::Endorse(_) | Trust::Withdraw(_) | Trust::Veto(_) | Trust::Subsidiary(_) | Trust::Refresh(_) => {
            statements::speak(console, arguments).await
        }
        Trust::Root(root) => asking::root(console, root).await,
        Trust::Pin(pin) => asking::pin(console, pin).await,
        Trust::List(list) => asking::list(console, list).await,
        Trust::Show(show) => asking::show(console, show).await,
        Trust::Explain(explain) => asking::explain(console, explain).await,
        Trust::Graph(graph) => asking::graph(console, graph).await,
        Trust::WhatIf(arguments) => {
            console.report.show(&what_if(arguments)?)?;
            Ok(Exit::Done)
        }
    }
}

fn what_if(arguments: &WhatIf) -> Result<Answer, Failure> {
    let file = &arguments.file;
    let text = read_whole(file, DOCUMENT)?;
    // The parser says line and column.
    let hypothesis = read(&text).map_err(|error| Failure::content(file, error))?;
    evaluate(&hypothesis).map_err(|fault| Failure::content(file, fault))
}

/// JSON has one kind of number, and half is written as one; the rules know no fractions but as text.
fn read(text: &[u8]) -> Result<Hypothesis, serde_json::Error> {
    serde_json::from_slice(text).or_else(|error| {
        let mut document: serde_json::Value = serde_json::from_slice(text)?;
        match document.get_mut("delta") {
            Some(delta) if delta.is_f64() => {
                *delta = delta.to_string().into();
                serde_json::from_value(document)
            }
            _ => Err(error),
        }
    })
}

impl Plain for Answer {
    fn plain(&self) -> Vec<String> {
        let mut table = Table::new(&["ORGANISATION", "B", "F", "DEPTH LEFT", "HANGS ON", "INDEPENDENT", "MAY"]);
        for (name, judged) in &self.orgs {
            table.row(row(name, judged));
        }
        let mut lines = table.lines();
        for (number, weight) in self.sets.iter().enumerate() {
            lines.push(format!("set {}: weight {weight}", number + 1));
        }
        let claims = &self.claims;
        lines.push(format!(
            "claims: for {}, against {}; believed {}, disbelieved {}, open {} (per mille)",
            claims.r, claims.s, claims.b, claims.d, claims.u
        ));
        lines
    }
}

fn row(name: &str, judged: &Judged) -> Vec<String> {
    let gates = [
        ("connect", judged.connect),
        ("accept", judged.accept),
        ("relay", judged.relay),
        ("confide", judged.confide),
        ("act", judged.act),
    ];
    let open: Vec<&str> = gates.iter().filter(|(_, open)| *open).map(|(gate, _)| *gate).collect();
    vec![
        clean(name),
        judged.best.to_string(),
        judged.full.to_string(),
        judged.max_remaining_depth.to_string(),
        judged.dominator.as_deref().map_or_else(|| "-".to_owned(), clean),
        if judged.independent { "yes" } else { "no" }.to_owned(),
        if open.is_empty() {
            "nothing".to_owned()
        } else {
            open.join(" ")
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_in_the_document_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("graph.json");
        let check = |text: &str, expected: Result<u8, &str>| {
            std::fs::write(&file, text).expect("the folder is writable");
            match (what_if(&WhatIf { file: file.clone() }), expected) {
                (Ok(answer), Ok(best)) => assert_eq!(answer.orgs["B"].best, best),
                (Err(failure), Err(part)) => {
                    assert_eq!(failure.exit, Exit::Configuration);
                    assert!(failure.message.contains(part), "{failure}");
                }
                other => panic!("{text}: {other:?}"),
            }
        };
        let graph = |more: &str| {
            format!(
                r#"{{"now": 0, "roots": [{{"org": "A", "amount": 120, "depth": 1}}],
                "endorsements": [{{"from": "A", "to": "B", "amount": 60, "depth": 0{more}}}]}}"#
            )
        };
        check(&graph(""), Ok(60));
        check(&graph(r#", "until": 0"#), Ok(0));
        check(&graph(r#", "untill": 0"#), Err("untill"));
        check(&graph(r#", "topics": ["Not A Topic"]"#), Err("line 2"));
        check(&graph("").replace("60", "121"), Err("0 to 120"));
        check(&graph("").replace("60", "500"), Err("at line 2 column"));
        let delta = |value: &str| graph("").replacen('{', &format!("{{\"delta\": {value}, "), 1);
        check(&delta("0.5"), Ok(60));
        check(&delta("\"1/3\""), Ok(60));
        check(&delta("0.25"), Err("1/3"));
        check(&delta("[]"), Err("line 1"));
        check("{", Err("line 1"));
        check("", Err("line 1"));
    }
}
