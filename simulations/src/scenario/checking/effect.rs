//! Keys that would do nothing where they stand, or make a figure say something else: told, since a study that is quietly another
//! one misleads.

use std::collections::BTreeSet;

use super::Found;
use crate::scenario::{
    Latency,
    placing::region,
    vouching::{Vouches, has_members, is_grown, is_web},
    written::{
        Adversary, Answer, Nodes, Partition, Publish, PublishKind, Sharing, Tlds, Topology, TopologyKind, Trust,
        TrustKind, Written,
    },
};

/// Whether it holds, of which key, what is wrong and what to do.
type Row = (bool, String, &'static str, &'static str);

pub(super) fn effect(written: &Written, latency: Option<&Latency>, filed: Option<&Vouches>, found: &mut Found) {
    let has_founders = is_grown(written.trust.kind) || filed.is_some_and(|filed| !filed.entries.is_empty());
    let mut rows: Vec<Row> = of_all(written).into();
    rows.extend(of_trust(&written.trust));
    for (name, publish) in &written.publish {
        rows.extend(of_list(name, publish, written));
    }
    for (name, adversary) in &written.adversary {
        rows.extend(of_adversary(name, adversary, written, has_founders));
        rows.push(of_endorsements(name, adversary, written));
    }
    for (name, split) in &written.partition {
        rows.extend(latency.map(|latency| of_partition(name, split, written, latency)));
    }
    rows.extend(of_roles(written));
    for (holds, key, problem, remedy) in rows {
        found.unless(holds, &key, problem, remedy);
    }
}

fn of_partition(name: &str, split: &Partition, written: &Written, latency: &Latency) -> Row {
    let regions: Vec<_> = split.regions.iter().map(|name| latency.region(name)).collect();
    let are_part = |(role, nodes): (&String, &Nodes)| -> BTreeSet<bool> {
        // Nodes are in the regions in turn, so that one turn shows them all.
        let turn = nodes.regions.len().max(latency.regions.len()) as u32;
        let is_part = |number| split.roles.contains(role) || regions.contains(&region(latency, nodes, number));
        (0..nodes.count.min(turn)).map(is_part).collect()
    };
    let (key, separates) = match split.share {
        Some(share) => {
            let total = f64::from(written.total());
            let part = (share * total).round();
            ("share", part >= 1.0 && part < total)
        }
        None if split.roles.is_empty() && split.regions.is_empty() => ("share", true),
        None => {
            let parts: BTreeSet<bool> = written.nodes.iter().flat_map(are_part).collect();
            (
                if split.regions.is_empty() { "roles" } else { "regions" },
                parts.len() > 1,
            )
        }
    };
    (
        separates,
        format!("partition.{name}.{key}"),
        "separates nobody",
        "write more than none and less than all nodes",
    )
}

fn of_all(written: &Written) -> [Row; 4] {
    let shape = &written.topology;
    let within = written.converge_seconds;
    let ends = written.partition.values().map(|split| split.until_seconds);
    let calm = ends.filter(|end| *end <= written.seconds).max().unwrap_or_default();
    let goes_wrong = !written.adversary.is_empty() || !written.partition.is_empty();
    [
        (
            written.expect.felt.is_none() || goes_wrong,
            "expect.felt".to_owned(),
            "is about adversaries and partitions, and there are none",
            "take it away, or add one",
        ),
        (
            shape.kind != TopologyKind::File || shape.dials == Topology::default().dials,
            "topology.dials".to_owned(),
            "is for `random` and `scale-free`; a file says it all",
            "take it away",
        ),
        (
            within.is_none_or(|within| (1..written.seconds - calm).contains(&within)),
            "converge_seconds".to_owned(),
            "is not looked at between the last partition and the end of the run",
            "write less than that, and at least 1",
        ),
        (
            written.limits.memory.is_none(),
            "limits.memory".to_owned(),
            "is of the process, which is that of all nodes here",
            "take it away",
        ),
    ]
}

fn of_trust(trust: &Trust) -> [Row; 4] {
    let usual = Trust::default();
    let grows = is_grown(trust.kind);
    let vouches = grows || trust.kind == TrustKind::Chain;
    let grown = "is only for `two-sponsors` and `scale-free`";
    let vouched = "is only for `two-sponsors`, `scale-free` and `chain`";
    let row = |holds, key: &str, problem| {
        (
            holds,
            format!("trust.{key}"),
            problem,
            "take it away, or choose one of these",
        )
    };
    [
        row(grows || trust.roots == usual.roots, "roots", grown),
        row(grows || trust.sponsors == usual.sponsors, "sponsors", grown),
        row(vouches || trust.amount == usual.amount, "amount", vouched),
        row(vouches || trust.depth == usual.depth, "depth", vouched),
    ]
}

fn of_list(name: &str, publish: &Publish, written: &Written) -> [Row; 2] {
    [
        (
            publish.at_seconds >= written.settle_seconds,
            format!("publish.{name}.at_seconds"),
            "is before `settle_seconds`, so that its bytes are not counted",
            "write a later time, or less in settle_seconds",
        ),
        (
            publish.tlp == Sharing::Clear || !written.trust.green.is_empty(),
            format!("publish.{name}.tlp"),
            "is `green`, and nobody may be told",
            "add green = [\"a role\"] to [trust]",
        ),
    ]
}

fn of_adversary(name: &str, adversary: &Adversary, written: &Written, has_founders: bool) -> [Row; 3] {
    let count = written.nodes.get(&adversary.role).map_or(1, |nodes| nodes.count);
    let share = adversary.share.unwrap_or(1.0);
    let key = |key: &str| format!("adversary.{name}.{key}");
    [
        (
            adversary.from_seconds < written.seconds,
            key("from_seconds"),
            "is not before the end of the run",
            "write less, or let the run be longer",
        ),
        (
            // None at all is what a study without adversaries says.
            share == 0.0 || (share * f64::from(count)).round() >= 1.0,
            key("share"),
            "is less than one node of the role",
            "write more, or 0.0 for nobody",
        ),
        (
            adversary.answer != Some(Answer::Veto) || !is_web(written.trust.kind) || has_founders,
            key("answer"),
            "is a veto, and nobody has the right to it",
            "set trust.kind = \"two-sponsors\", or answer otherwise",
        ),
    ]
}

/// Founders vouch for nobody of them, and adversaries do not count.
fn of_endorsements(name: &str, adversary: &Adversary, written: &Written) -> Row {
    let honest = |(role, nodes): (&String, &Nodes)| {
        let turned = written.adversary.values().filter(|other| other.role == *role);
        let turned = turned.map(|other| (other.share.unwrap_or(1.0) * f64::from(nodes.count)).round() as u32);
        nodes.count.saturating_sub(turned.fold(0, u32::saturating_add))
    };
    let members = written.nodes.iter().filter(|(role, _)| has_members(written, role));
    let honest = members.map(honest).fold(0, u32::saturating_add);
    (
        adversary.endorsements.unwrap_or_default() <= honest.saturating_sub(written.trust.roots),
        format!("adversary.{name}.endorsements"),
        "is more than there are honest members that are no founders",
        "write less, or give the members more nodes",
    )
}

/// What speaks in a node's place has neither store nor clock, and only lists of one kind have the TLDs that nodes choose from.
fn of_roles(written: &Written) -> Vec<Row> {
    let speaks = |role: &str| {
        written
            .adversary
            .values()
            .any(|other| other.role == role && other.kind.speaks())
    };
    let churn = written
        .churn
        .iter()
        .map(|(name, churn)| (format!("churn.{name}.role"), &churn.role));
    let crash = written
        .crash
        .iter()
        .map(|(name, crash)| (format!("crash.{name}.role"), &crash.role));
    let skew = written
        .skew
        .iter()
        .map(|(name, skew)| (format!("skew.{name}.role"), &skew.role));
    let machine = |(key, role): (String, &String)| {
        let problem = "has adversaries that are no nodes, which neither crash nor have a clock";
        (!speaks(role), key, problem, "name another role")
    };
    let has_tlds = written
        .publish
        .values()
        .any(|publish| publish.kind == PublishKind::ConfickerDay);
    let tlds = written.nodes.iter().map(|(name, nodes)| {
        let problem = "is a TLD under which nothing is published";
        let remedy = "publish a list of the kind \"conficker-day\", or leave `tlds` out";
        (
            nodes.tlds == Tlds::All || has_tlds,
            format!("nodes.{name}.tlds"),
            problem,
            remedy,
        )
    });
    churn.chain(crash).chain(skew).map(machine).chain(tlds).collect()
}
