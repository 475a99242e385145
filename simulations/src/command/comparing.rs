//! `compare` and `list`.

use std::path::Path;

use serde::Serialize;

use super::{
    Exit, Trouble,
    arguments::{Compare, List},
    output::{say, say_json},
    ready,
};
use crate::{
    report::{Report, comparing, folder},
    scenario::reading::Changes,
};

pub(super) fn compare(compare: &Compare) -> Result<Exit, Trouble> {
    let (one, other) = (folder::read(&compare.one)?, folder::read(&compare.other)?);
    let pairs = comparing::side_by_side(&one, &other);
    if compare.json {
        say_json(&pairs)?;
        return Ok(Exit::Good);
    }
    let mut rows = vec![vec![
        "figure".to_owned(),
        "unit".to_owned(),
        heading(&one, &other),
        heading(&other, &one),
        "change".to_owned(),
    ]];
    for pair in &pairs {
        let change = pair
            .change
            .map_or_else(|| "-".to_owned(), |percent| format!("{percent:+.1} %"));
        rows.push(vec![
            pair.figure.to_owned(),
            pair.unit.sign().to_owned(),
            pair.unit.show(pair.one),
            pair.unit.show(pair.other),
            change,
        ]);
    }
    let mut text = comparing::table(&rows);
    let programs = [&one, &other].map(|report| &report.head.program);
    if programs[0] != programs[1] {
        text += &format!("made by two programs: {} and {}\n", programs[0], programs[1]);
    }
    say(&text)?;
    Ok(Exit::Good)
}

/// What ran, with everything that was changed and in which the other one differs.
fn heading(report: &Report, other: &Report) -> String {
    let (head, other) = (&report.head, &other.head);
    let mut words = vec![format!("{}, seed {}", head.scenario, head.seed)];
    if head.ci && !other.ci {
        words.push("--ci".to_owned());
    }
    words.extend(head.set.iter().filter(|set| !other.set.contains(set)).cloned());
    words.join(", ")
}

#[derive(Serialize)]
struct Ready {
    name: &'static str,
    title: String,
    nodes: u32,
    seconds: u64,
}

pub(super) fn list(list: &List) -> Result<Exit, Trouble> {
    let mut found = Vec::new();
    for (name, _) in ready::READY {
        let written = ready::load(Path::new(name), &Changes::default())
            .map_err(Trouble::Mistakes)?
            .written;
        let nodes = written.nodes.values().map(|nodes| nodes.count).sum();
        found.push(Ready {
            name,
            title: written.title,
            nodes,
            seconds: written.seconds,
        });
    }
    if list.json {
        say_json(&found)?;
        return Ok(Exit::Good);
    }
    let width = found.iter().map(|ready| ready.name.len()).max().unwrap_or_default();
    let line = |ready: Ready| {
        let Ready {
            name,
            title,
            nodes,
            seconds,
        } = ready;
        format!("{name:<width$}  {title} ({nodes} nodes, {seconds} virtual seconds)\n")
    };
    say(&found.into_iter().map(line).collect::<String>())?;
    Ok(Exit::Good)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::page;

    #[test]
    fn headings_tell_two_runs_apart() {
        let (mut one, mut other) = (page::tests::report(), page::tests::report());
        one.head.set = vec!["a=1".to_owned(), "b=1".to_owned()];
        other.head.set = vec!["a=1".to_owned(), "b=2".to_owned()];
        assert_eq!(heading(&one, &other), "calm, seed 7, b=1");
        assert_eq!(heading(&other, &one), "calm, seed 7, b=2");
        (one.head.ci, one.head.set) = (true, other.head.set.clone());
        assert_eq!(heading(&one, &other), "calm, seed 7, --ci");
    }
}
