//! `compare` and `list`.

use std::path::Path;

use serde::Serialize;

use super::{
    Exit, Trouble,
    arguments::{Compare, List},
    ready,
};
use crate::{
    report::{comparing, folder},
    scenario::reading::Changes,
};

pub(super) fn compare(compare: &Compare) -> Result<Exit, Trouble> {
    let (one, other) = (folder::read(&compare.one)?, folder::read(&compare.other)?);
    let pairs = comparing::side_by_side(&one, &other);
    if compare.json {
        println!(
            "{}",
            serde_json::to_string_pretty(&pairs).expect("pairs are a document")
        );
        return Ok(Exit::Good);
    }
    let name = |report: &crate::report::Report| format!("{}, seed {}", report.head.scenario, report.head.seed);
    let mut rows = vec![vec![
        "figure".to_owned(),
        "unit".to_owned(),
        name(&one),
        name(&other),
        "change".to_owned(),
    ]];
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
    for pair in &pairs {
        let change = pair
            .change()
            .map_or_else(|| "-".to_owned(), |percent| format!("{percent:+.1} %"));
        rows.push(vec![
            pair.figure.clone(),
            pair.unit.clone(),
            number(pair.one),
            number(pair.other),
            change,
        ]);
    }
    print!("{}", comparing::table(&rows));
    if one.head.program != other.head.program {
        println!("made by two programs: {} and {}", one.head.program, other.head.program);
    }
    Ok(Exit::Good)
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
        println!(
            "{}",
            serde_json::to_string_pretty(&found).expect("a list is a document")
        );
        return Ok(Exit::Good);
    }
    let width = found.iter().map(|ready| ready.name.len()).max().unwrap_or_default();
    for Ready {
        name,
        title,
        nodes,
        seconds,
    } in found
    {
        println!("{name:<width$}  {title} ({nodes} nodes, {seconds} virtual seconds)");
    }
    Ok(Exit::Good)
}
