//! What the keys of a scenario must mean together: [`check`] finds everything that is wrong at once, each with its key.

mod effect;
mod happenings;
mod trusting;

use std::path::Path;

use starfish_protocol::{limits, record::Topic};

use super::{
    Latency,
    vouching::Vouches,
    written::{Nodes, Publish, TopologyKind, Written},
};
use crate::world::CERTIFIED_S;

/// More nodes than this do not fit into the memory of a usual machine, at some 0.5 MiB each.
const NODES: u32 = 50_000;
/// A minute each way: beyond it every request of a node ends before its answer comes.
const LINE_MS: u64 = 60_000;
/// More observables than a publication ever has; a longer list would be split by its publisher.
const ITEMS: u32 = 200_000;

/// A key whose value cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// `section.name.key`.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

/// What the files of a scenario hold.
#[derive(Clone, Debug)]
pub struct Files {
    /// How far apart the regions are.
    pub latency: Latency,
    /// The links of its topology, when a file says so.
    pub links: Option<Vec<(u32, u32)>>,
    /// Who vouches for whom, when a file says so.
    pub vouches: Option<Vouches>,
}

/// Checks every key and reads the files that the scenario names, which are searched for in `folder`.
///
/// # Errors
/// With all that is wrong.
pub fn check(written: &Written, folder: &Path) -> Result<Files, Vec<Wrong>> {
    let mut found = Found::default();
    let latency = latency(written, folder, &mut found);
    let links = topology(written, folder, &mut found);
    whole(written, &mut found);
    for (name, nodes) in &written.nodes {
        role(name, nodes, latency.as_ref(), &mut found);
    }
    let vouches = trusting::trust(written, folder, &mut found);
    for (name, publish) in &written.publish {
        publication(name, publish, written, &mut found);
    }
    happenings::happenings(written, latency.as_ref(), &mut found);
    happenings::shares(written, &mut found);
    for (name, adversary) in &written.adversary {
        happenings::hostile(name, adversary, written, &mut found);
        trusting::hostile(name, adversary, written, &mut found);
    }
    effect::effect(written, latency.as_ref(), vouches.as_ref(), &mut found);
    match latency {
        Some(latency) if found.0.is_empty() => Ok(Files {
            latency,
            links,
            vouches,
        }),
        _ => Err(found.0),
    }
}

#[derive(Default)]
struct Found(Vec<Wrong>);

impl Found {
    fn add(&mut self, key: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) {
        self.0.push(Wrong {
            key: key.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        });
    }

    fn unless(&mut self, holds: bool, key: &str, problem: &str, remedy: &str) {
        if !holds {
            self.add(key, problem, remedy);
        }
    }

    /// The role must be one of `[nodes.ROLE]`; gives how many nodes it has.
    fn role(&mut self, written: &Written, key: &str, role: &str) -> u32 {
        match written.nodes.get(role) {
            Some(nodes) => nodes.count,
            None => {
                let roles: Vec<&str> = written.nodes.keys().map(String::as_str).collect();
                self.add(
                    key,
                    format!("there are no nodes of the role `{role}`"),
                    format!("write one of: {}", roles.join(", ")),
                );
                u32::MAX
            }
        }
    }

    /// A stretch of time must lie within the run and not be empty.
    fn stretch(&mut self, written: &Written, name: &str, from: (&str, u64), to: (&str, u64)) {
        let end = written.seconds;
        if from.1 >= to.1 {
            self.add(
                format!("{name}.{}", to.0),
                "ends before it begins",
                format!("write more than {}", from.1),
            );
        } else if to.1 > end {
            self.add(
                format!("{name}.{}", to.0),
                format!("is after the end of the run at {end}"),
                "write less, or let the run be longer",
            );
        }
    }

    fn share(&mut self, key: &str, share: Option<f64>) {
        let holds = share.is_none_or(|share| (0.0..=1.0).contains(&share));
        self.unless(holds, key, "is no share", "write a number between 0 and 1");
    }
}

fn latency(written: &Written, folder: &Path, found: &mut Found) -> Option<Latency> {
    let path = &written.network.latency;
    if path == Path::new("shipped") {
        return Some(Latency::shipped());
    }
    let file = folder.join(path);
    let parsed = match std::fs::read_to_string(&file) {
        Ok(text) => Latency::parse(&text).map_err(|fault| fault.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let explain = |problem: String| {
        let problem = format!("{}: {problem}", file.display());
        found.add(
            "network.latency",
            problem,
            "mend the file, or write \"shipped\" for the one that comes along",
        );
    };
    parsed.map_err(explain).ok()
}

fn topology(written: &Written, folder: &Path, found: &mut Found) -> Option<Vec<(u32, u32)>> {
    let total = written.total();
    let shape = &written.topology;
    if shape.kind != TopologyKind::File {
        found.unless(
            shape.path.is_none(),
            "topology.path",
            "is only for `kind = \"file\"`",
            "take it away",
        );
        let holds = shape.dials >= 1 && (shape.dials < total || total <= 1);
        found.unless(
            holds,
            "topology.dials",
            &format!(
                "is {}, which is not between 1 and the number of other nodes",
                shape.dials
            ),
            &format!(
                "write dials = {} in [topology], or less",
                total.saturating_sub(1).clamp(1, 4)
            ),
        );
        return None;
    }
    let Some(path) = &shape.path else {
        found.add(
            "topology.kind",
            "`file` needs a path",
            "add path = \"links.csv\" to [topology]",
        );
        return None;
    };
    let file = folder.join(path);
    match std::fs::read_to_string(&file)
        .map_err(|error| error.to_string())
        .and_then(|text| links(&text, total))
    {
        Ok(links) => Some(links),
        Err(problem) => {
            found.add(
                "topology.path",
                format!("{}: {problem}", file.display()),
                "each line is a node and one that it dials, such as 0,1",
            );
            None
        }
    }
}

/// Pairs of nodes, one a line.
fn links(text: &str, total: u32) -> Result<Vec<(u32, u32)>, String> {
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let pair = |(index, line): (usize, &str)| {
        let pair = line
            .split_once(',')
            .and_then(|(from, to)| Some((from.trim().parse().ok()?, to.trim().parse().ok()?)));
        match pair {
            Some((from, to)) if from < total && to < total && from != to => Ok((from, to)),
            _ => Err(format!(
                "line {}: `{line}` is no pair of two of the {total} nodes",
                index + 1
            )),
        }
    };
    lines.map(pair).collect()
}

fn whole(written: &Written, found: &mut Found) {
    let holds = (1..=CERTIFIED_S).contains(&written.seconds);
    found.unless(
        holds,
        "seconds",
        "is no length of a run",
        &format!("write a number between 1 and {CERTIFIED_S}: then all certificates end"),
    );
    let settled = written.settle_seconds < written.seconds;
    found.unless(
        settled,
        "settle_seconds",
        "leaves nothing to measure",
        "write less than `seconds`",
    );
    let total: u64 = written.nodes.values().map(|nodes| u64::from(nodes.count)).sum();
    let holds = (1..=u64::from(NODES)).contains(&total);
    found.unless(
        holds,
        "nodes",
        &format!("are {total} in all"),
        "between 1 and 50,000 nodes fit into a machine",
    );
    if let Some(rule) = written.gossip.contradiction() {
        found.add("gossip", format!("does not fit together: {rule}"), "change one of them");
    }
    for key in written.expect.not_finite() {
        found.add(format!("expect.{key}"), "is no number", "write a number, or nothing");
    }
    let holds = written.network.uplink_kbit > 0;
    found.unless(holds, "network.uplink_kbit", "lets nothing through", "write at least 1");
}

fn role(name: &str, nodes: &Nodes, latency: Option<&Latency>, found: &mut Found) {
    let key = |key: &str| format!("nodes.{name}.{key}");
    found.unless(
        nodes.uplink_kbit != Some(0),
        &key("uplink_kbit"),
        "lets nothing through",
        "write at least 1",
    );
    found.unless(
        nodes.line_ms <= LINE_MS,
        &key("line_ms"),
        "is longer than any line",
        "write at most 60,000",
    );
    regions(&key("regions"), &nodes.regions, latency, found);
    for topic in &nodes.topics {
        let holds = Topic::parse(topic).is_ok();
        found.unless(
            holds,
            &key("topics"),
            &format!("`{topic}` is no topic"),
            "write lower case letters, digits and hyphens",
        );
    }
}

fn regions(key: &str, regions: &[String], latency: Option<&Latency>, found: &mut Found) {
    let Some(latency) = latency else { return };
    for region in regions.iter().filter(|region| latency.region(region).is_none()) {
        let known = latency.regions.join(", ");
        found.add(
            key,
            format!("there is no region `{region}`"),
            format!("write some of: {known}"),
        );
    }
}

fn publication(name: &str, publish: &Publish, written: &Written, found: &mut Found) {
    let key = |key: &str| format!("publish.{name}.{key}");
    let count = found.role(written, &key("role"), &publish.role);
    let certified = written.nodes.get(&publish.role).is_none_or(|nodes| nodes.certified);
    found.unless(
        certified,
        &key("role"),
        "has no certificates, without which nobody takes what it publishes",
        "name a role whose nodes are certified",
    );
    let holds = (1..=ITEMS).contains(&publish.items);
    found.unless(
        holds,
        &key("items"),
        "is no size of a list",
        "write a number between 1 and 200,000",
    );
    let holds = publish
        .every_seconds
        .is_none_or(|every| every.is_finite() && every >= 0.001);
    found.unless(
        holds,
        &key("every_seconds"),
        "is no time between two publications",
        "write at least 0.001, or nothing for one",
    );
    found.unless(
        (1..=count).contains(&publish.reporters),
        &key("reporters"),
        "is no number of nodes of the role",
        &format!("write a number between 1 and {count}"),
    );
    match publish.until_seconds {
        Some(until) => found.stretch(
            written,
            &format!("publish.{name}"),
            ("at_seconds", publish.at_seconds),
            ("until_seconds", until),
        ),
        None => found.unless(
            publish.at_seconds < written.seconds,
            &key("at_seconds"),
            &format!("is not before the end of the run at {}", written.seconds),
            "write less, or let the run be longer",
        ),
    }
    let holds = Topic::parse(&publish.topic).is_ok();
    found.unless(
        holds,
        &key("topic"),
        "is no topic",
        "write lower case letters, digits and hyphens",
    );
    let hours = limits::LIFETIME.0 / 3_600_000;
    let holds = (1..=hours).contains(&publish.expire_hours);
    found.unless(
        holds,
        &key("expire_hours"),
        "is no life of a record",
        &format!("write between 1 and {hours}"),
    );
}
