//! The demo: five real nodes on this machine, a list that travels three hops by the word of those in between, a stranger's
//! poison that travels nowhere, and what to try next.
//!
//! ```text
//! 0 CERT ── 1 CERT ──┬── 2 registry
//!             :      └── 3 registry ── 4 research group
//!             : a guest
//!         5 stranger
//! ```
//! Each node is a process of its own, made and spoken to in the ways that an operator has. Whatever ends the demo ends
//! the nodes too: they stop when their standard input does.

mod nodes;
mod screen;
mod spread;
mod summary;

use std::{path::Path, time::Duration};

use super::{
    arguments::upkeep::Demo,
    control::documents::Published,
    exit::{Exit, Failure},
    report::{HEAD, Report, WARN, clean, counted, styled},
    signals::told_to_end,
};

use self::{
    nodes::{Nodes, PUBLISHER},
    screen::Screen,
    summary::Summary,
};

/// What is published when the operator brings no list.
const SAMPLE: &str = include_str!("demo/sample.txt");

/// What the stranger publishes: names that nobody can do without.
const POISON: &str = "bank.example\nhospital.example\nparliament.example\n";

/// Runs the demo to its end, or until the operator ends it.
///
/// # Errors
/// When the nodes cannot be started or the list cannot be read.
pub async fn run(arguments: &Demo, report: &Report) -> Result<Exit, Failure> {
    let list = match &arguments.input {
        None => SAMPLE.as_bytes().to_vec(),
        Some(file) => read(file).await?,
    };
    let screen = Screen::new(report.is_json());
    let mut nodes = tokio::select! {
        nodes = Nodes::start(&screen) => nodes?,
        _ = told_to_end() => return Err(Failure::new(Exit::Incomplete, "interrupted")),
    };
    let ended = tokio::select! {
        ended = play(arguments, report, &screen, &mut nodes, list) => ended,
        _ = told_to_end() => Err(Failure::new(Exit::Incomplete, "interrupted")),
    };
    if let Ok(Exit::Done) = ended
        && !arguments.once
    {
        told_to_end().await;
    }
    screen.say("Stopping the nodes.");
    nodes.stop().await;
    ended
}

async fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let read = tokio::fs::read(file).await;
    read.map_err(|error| Failure::machine(format_args!("cannot read {}", file.display()), error))
}

/// Publishes, watches, searches and sums up. Done only if every node holds every observable.
async fn play(
    arguments: &Demo,
    report: &Report,
    screen: &Screen,
    nodes: &mut Nodes,
    list: Vec<u8>,
) -> Result<Exit, Failure> {
    screen.say(&format!(
        "{}, for whom nobody vouches, publishes poison.",
        nodes::STRANGER_NAME
    ));
    let poison = nodes.poison(POISON).await?;
    let received = nodes.received().await?;
    let spread = spread::begin();
    screen.say(&format!(
        "{} publishes a list of {} bytes.",
        nodes::NAMES[PUBLISHER],
        list.len()
    ));
    let published = nodes.publish(list).await?;
    tell_published(screen, &published);
    if published.records.is_empty() {
        return Err(Failure::new(
            Exit::Refused,
            "no line of the list is an observable: nothing can travel",
        ));
    }
    let within = Duration::from_secs(arguments.timeout);
    let spread = spread.watch(nodes, screen, published.observables, within).await?;
    let summary = Summary::of(&published, &spread, &received, &nodes.statuses().await?, poison);
    if report.is_json() {
        report.show(&summary)?;
    } else {
        search_far_away(nodes, report).await?;
        report.show(&summary)?;
        next_steps(arguments, nodes, report)?;
    }
    Ok(if summary.is_complete() {
        Exit::Done
    } else {
        Exit::Incomplete
    })
}

fn tell_published(screen: &Screen, published: &Published) {
    let Published {
        records,
        observables,
        repeated,
        refused,
        ..
    } = published;
    screen.say(&format!(
        "Published: {observables} observables in {}; {repeated} repeated, {} refused.",
        counted(records.len(), "signed record"),
        counted(refused.len(), "line")
    ));
    for line in refused.iter().take(5) {
        // The reason quotes what it is about.
        screen.say(&format!("  line {}: {}", line.line, clean(&line.reason)));
    }
}

/// Asks the node that is farthest away for one of the values.
async fn search_far_away(nodes: &Nodes, report: &Report) -> Result<(), Failure> {
    let Some(hit) = nodes.first_hit().await? else {
        return Ok(());
    };
    let asked = format!(
        "{} is {} hops away. Its search for {}:",
        nodes::NAMES[4],
        nodes::HOPS[4],
        clean(&hit.value)
    );
    report.lines(&[String::new(), asked])?;
    report.show(&hit)?;
    report.lines(&[String::new()])
}

fn next_steps(arguments: &Demo, nodes: &Nodes, report: &Report) -> Result<(), Failure> {
    if arguments.once {
        return Ok(());
    }
    let steps = nodes.next_steps();
    let mut lines = vec![String::new(), styled(HEAD, "Try next, in another terminal:")];
    lines.extend(steps.iter().map(|step| format!("  {step}")));
    lines.push(styled(WARN, "Ctrl-C ends the demo and removes its nodes."));
    report.lines(&lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_sound() {
        let listing = starfish_protocol::listing::read(SAMPLE, Default::default());
        assert!(listing.observables.len() >= 300, "{}", listing.observables.len());
        assert!(listing.refused.is_empty(), "{:?}", listing.refused);
        assert!(
            SAMPLE.contains("CC0") && SAMPLE.contains("MIT"),
            "the licences are noted"
        );
    }
}
