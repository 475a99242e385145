//! `search` and `watch`: streams of documents.

use hyper::Method;

use super::{Console, Limit};
use crate::daemon::{
    arguments::records::{Search, Watch},
    control::documents::Hit,
    exit::{Exit, Failure},
};

pub(super) async fn search(console: &Console, arguments: &Search) -> Result<Exit, Failure> {
    let lines = console
        .client()
        .lines(Method::GET, "/search", &parameters(arguments))
        .await?;
    console
        .stream::<Hit>(lines, Limit(arguments.limit), "nothing found")
        .await
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
        Limit(arguments.limit).asked(),
    ];
    asked.chain(others).collect()
}

/// The lines are JSON for people too: what follows a stream is a program.
pub(super) async fn watch(console: &Console, arguments: &Watch) -> Result<Exit, Failure> {
    let from = arguments.from.map(|serial| ("from", serial.to_string()));
    let topic = arguments.topic.clone().map(|topic| ("topic", topic));
    let parameters: Vec<_> = from.into_iter().chain(topic).collect();
    let mut lines = console.client().lines(Method::GET, "/watch", &parameters).await?;
    // Nothing may come for days: `starfish watch | head -1` is not to wait for the next write to end.
    let left = console.report.reader_left();
    tokio::pin!(left);
    loop {
        let line = tokio::select! {
            line = lines.next() => line?,
            () = &mut left => return Ok(Exit::Done),
        };
        let Some(line) = line else { break };
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
        check("evil.example", "?value=evil.example&quarantine=false&limit=101");
        check("--under nl --limit 0", "?under=nl&quarantine=false&limit=0");
        check(
            "--within 192.0.2.0/24 --quarantine",
            "?within=192.0.2.0%2F24&quarantine=true&limit=101",
        );
        check("--quarantine", "?quarantine=true&limit=101");
    }
}
