//! `sight`, `dispute` and `explain`: what is said of a value.

use starfish_protocol::time::Millis;

use super::Console;
use crate::daemon::{
    arguments::opinions::{Dispute, Explain, Sight},
    control::{
        documents::{Opined, Opinion, trust::Sure},
        query,
    },
    exit::{Exit, Failure},
    moment::{self, rfc3339},
};

pub(super) async fn sight(console: &Console, arguments: Sight) -> Result<Exit, Failure> {
    say(console, sighting(arguments, moment::now())?).await
}

pub(super) async fn dispute(console: &Console, arguments: Dispute) -> Result<Exit, Failure> {
    let Dispute {
        value,
        reason,
        record,
        confidence,
    } = arguments;
    let now = moment::now().0;
    let opinion = Opinion {
        value,
        record,
        verdict: "false-positive".to_owned(),
        count: 1,
        first: now,
        last: now,
        confidence,
        reason,
    };
    say(console, opinion).await
}

/// One document for each topic under which something is said of the value.
pub(super) async fn explain(console: &Console, arguments: &Explain) -> Result<Exit, Failure> {
    let address = query::address("/sure", &[("value", arguments.value.clone())]);
    let all: Vec<Sure> = console.client().get(&address).await?;
    for sure in &all {
        console.report.show(sure)?;
    }
    if all.is_empty() && !console.report.is_json() {
        console.report.note("nobody says anything of this value");
    }
    Ok(if all.is_empty() { Exit::NothingFound } else { Exit::Done })
}

async fn say(console: &Console, opinion: Opinion) -> Result<Exit, Failure> {
    let opined: Opined = console.client().post("/opine", &opinion).await?;
    console.report.show(&opined)?;
    Ok(Exit::Done)
}

fn sighting(arguments: Sight, now: Millis) -> Result<Opinion, Failure> {
    let Sight {
        value,
        record,
        count,
        first,
        last,
        confidence,
        reason,
    } = arguments;
    let last = last.map_or(now, |last| last.ago(now));
    let first = first.map_or(last, |first| first.ago(now));
    let times = format!("--first {} and --last {}", rfc3339(first), rfc3339(last));
    if first > last {
        return Err(Failure::new(
            Exit::Usage,
            format!("{times}: it was first seen before it was last seen"),
        ));
    }
    if last > now {
        return Err(Failure::new(Exit::Usage, format!("{times}: that is in the future")));
    }
    Ok(Opinion {
        value,
        record,
        verdict: "sighting".to_owned(),
        count,
        first: first.0,
        last: last.0,
        confidence,
        reason,
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::daemon::arguments::{Arguments, Command};

    #[test]
    fn a_sighting_was_first_seen_before_it_was_last_seen() {
        let now = Millis(1_000_000_000_000);
        let check = |line: &str, expected: Option<(u64, u64)>| {
            let words = ["starfish", "sight", "a.example"]
                .into_iter()
                .chain(line.split_whitespace());
            let Command::Sight(sight) = Arguments::try_parse_from(words).expect("the line is right").command else {
                panic!("{line} is a sighting");
            };
            let times = sighting(sight, now).ok().map(|opinion| (opinion.first, opinion.last));
            assert_eq!(times, expected, "{line}");
        };
        let day = 86_400_000;
        check("", Some((now.0, now.0)));
        check("--first 2d", Some((now.0 - 2 * day, now.0)));
        check("--last 2d", Some((now.0 - 2 * day, now.0 - 2 * day)));
        check("--first 2d --last 1d", Some((now.0 - 2 * day, now.0 - day)));
        check("--first 1970-01-01 --last 1970-01-02", Some((0, day)));
        check("--first 1d --last 2d", None);
        check("--last 2127-01-01", None);
        check("--first 2127-01-01", None);
    }
}
