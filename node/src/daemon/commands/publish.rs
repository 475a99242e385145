//! `publish` and `withdraw`.

use starfish_protocol::record::Topic;

use super::{Console, read_whole};
use crate::daemon::{
    arguments::records::{Publish, Withdraw},
    control::{
        LIST_BYTES,
        documents::{Published, RefusedLine, Withdrawal, Withdrawn},
    },
    exit::{Exit, Failure},
    report::{WARN, clean, styled},
};

/// So many refused lines are shown to a person; a script sees all of them.
const SHOWN: usize = 20;

pub(super) async fn publish(console: &Console, arguments: &Publish) -> Result<Exit, Failure> {
    Topic::parse(&arguments.topic)
        .map_err(|error| Failure::new(Exit::Usage, format!("--topic {}: {error}", arguments.topic)))?;
    let file = arguments.file.clone();
    let list = tokio::task::spawn_blocking(move || read_whole(&file, LIST_BYTES)).await;
    let list = list.map_err(|error| Failure::machine("the list was not read", error))??;
    let mut parameters = vec![
        ("topic", arguments.topic.clone()),
        ("tlp", arguments.tlp.clone()),
        ("expires", arguments.expires.0.0.to_string()),
        ("confidence", arguments.confidence.to_string()),
        ("context", arguments.context.clone()),
        ("force", arguments.force.to_string()),
    ];
    let derived_from = arguments.derived_from.clone().map(|source| ("derived_from", source));
    parameters.extend(derived_from);
    let published: Published = console.client().send_text("/publish", &parameters, list).await?;
    if !console.report.is_json() {
        refused_lines(&published.refused)
            .iter()
            .for_each(|line| console.report.note(line));
    }
    console.report.show(&published)?;
    Ok(if published.records.is_empty() {
        Exit::Refused
    } else {
        Exit::Done
    })
}

fn refused_lines(refused: &[RefusedLine]) -> Vec<String> {
    let line = |refused: &RefusedLine| {
        let RefusedLine { line, reason, text } = refused;
        let head = styled(WARN, &format!("line {line}:"));
        let told = if reason.contains(text.as_str()) {
            String::new()
        } else {
            format!(" ({})", clean(text))
        };
        format!("{head} {}{told}", clean(reason))
    };
    let mut lines: Vec<String> = refused.iter().take(SHOWN).map(line).collect();
    if refused.len() > SHOWN {
        lines.push(format!(
            "... and {} more lines; --json shows all of them",
            refused.len() - SHOWN
        ));
    }
    lines
}

pub(super) async fn withdraw(console: &Console, arguments: Withdraw) -> Result<Exit, Failure> {
    let Withdraw { record, values, reason } = arguments;
    let withdrawn: Withdrawn = console
        .client()
        .post("/withdraw", &Withdrawal { record, values, reason })
        .await?;
    console.report.show(&withdrawn)?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_sees_some_refused_lines() {
        let refused = |count: u64| {
            let line = |line| RefusedLine {
                line,
                reason: "no kind".to_owned(),
                text: "x\u{1b}".to_owned(),
            };
            (1..=count).map(line).collect::<Vec<_>>()
        };
        let check = |count: u64, lines: usize, last: &str| {
            let shown = refused_lines(&refused(count));
            assert_eq!(shown.len(), lines);
            let last_shown = anstream::adapter::strip_str(shown.last().map_or("", String::as_str)).to_string();
            assert_eq!(last_shown, last);
        };
        check(0, 0, "");
        check(1, 1, "line 1: no kind (x\u{fffd})");
        check(20, 20, "line 20: no kind (x\u{fffd})");
        check(23, 21, "... and 3 more lines; --json shows all of them");
    }
}
