//! `search` and `watch`: streams of documents.

use hyper::Method;

use super::Console;
use crate::daemon::{
    arguments::records::{Search, Watch},
    control::documents::Hit,
    exit::{Exit, Failure},
};

pub(super) async fn search(console: &Console, arguments: &Search) -> Result<Exit, Failure> {
    let mut lines = console
        .client()
        .lines(Method::GET, "/search", &parameters(arguments))
        .await?;
    let mut shown = 0;
    if console.report.is_json() {
        while let Some(line) = lines.next().await? {
            shown += 1;
            console.report.lines(&[line])?;
        }
    } else {
        while let Some(hit) = lines.next_document::<Hit>().await? {
            shown += 1;
            console.report.show(&hit)?;
        }
        if shown == 0 {
            console.report.note("nothing found");
        } else if shown == arguments.limit {
            console.report.note(&format!(
                "{shown} results; there may be more: --limit 0 shows all of them"
            ));
        }
    }
    Ok(if shown == 0 { Exit::NothingFound } else { Exit::Done })
}

fn parameters(arguments: &Search) -> Vec<(&'static str, String)> {
    let asked = [
        ("value", &arguments.value),
        ("under", &arguments.under),
        ("within", &arguments.within),
    ];
    let asked = asked
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.clone()?)));
    let others = [
        ("quarantine", arguments.quarantine.to_string()),
        ("limit", arguments.limit.to_string()),
    ];
    asked.chain(others).collect()
}

/// The lines are JSON for people too: what follows a stream is a program.
pub(super) async fn watch(console: &Console, arguments: &Watch) -> Result<Exit, Failure> {
    let from = arguments.from.map(|serial| ("from", serial.to_string()));
    let topic = arguments.topic.clone().map(|topic| ("topic", topic));
    let parameters: Vec<_> = from.into_iter().chain(topic).collect();
    let mut lines = console.client().lines(Method::GET, "/watch", &parameters).await?;
    while let Some(line) = lines.next().await? {
        console.report.lines(&[line])?;
    }
    Err(Failure::new(
        Exit::NotRunning,
        "the node stopped; go on later with --from and the last serial",
    ))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::daemon::arguments::{Arguments, Command};

    #[test]
    fn questions_become_parameters() {
        let check = |line: &str, expected: &str| {
            let words = ["starfish", "search"].into_iter().chain(line.split_whitespace());
            let Ok(Arguments {
                command: Command::Search(search),
                ..
            }) = Arguments::try_parse_from(words)
            else {
                panic!("{line} is a search");
            };
            assert_eq!(
                crate::daemon::control::query::address("", &parameters(&search)),
                expected
            );
        };
        check("evil.example", "?value=evil.example&quarantine=false&limit=100");
        check("--under nl --limit 0", "?under=nl&quarantine=false&limit=0");
        check(
            "--within 192.0.2.0/24 --quarantine",
            "?within=192.0.2.0%2F24&quarantine=true&limit=100",
        );
        check("--quarantine", "?quarantine=true&limit=100");
    }
}
