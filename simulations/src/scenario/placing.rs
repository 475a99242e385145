//! Who is where, who dials whom and who plays against the rules: [`places`], drawn from the seed.

use std::{collections::BTreeSet, time::Duration};

use rand::{Rng, RngExt as _, SeedableRng, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;

use super::{
    Latency, Scenario, workload,
    written::{AdversaryKind, Nodes, Tlds, TopologyKind, TrustKind},
};

/// After so many draws of somebody who is linked already a node dials one less: in a world so small all are neighbours.
const DRAWS: usize = 32;

/// One node of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Its role.
    pub role: String,
    /// Its region, by its place in the latency file.
    pub region: usize,
    /// What it can send, in bits a second.
    pub uplink: u64,
    /// What its line adds to each way.
    pub line: Duration,
    /// The topics it pulls; empty means all.
    pub topics: Vec<String>,
    /// The one TLD it pulls; none means all.
    pub tld: Option<String>,
    /// Whether its organisation certified it.
    pub certified: bool,
    /// The nodes it dials.
    pub dials: Vec<u32>,
    /// What it does instead of what it should.
    pub adversary: Option<AdversaryKind>,
    /// Which `[adversary.NAME]` it belongs to.
    pub scheme: Option<String>,
    /// Until when it does what it should, if it is an adversary.
    pub honest_until: Duration,
    /// How far its clock is ahead, in ms.
    pub skew: i64,
    /// The nodes whose organisations it believes; none means all.
    pub believes: Option<Vec<u32>>,
}

/// Chance for one purpose: a draw for one never moves the draws for another.
pub fn chance(seed: u64, purpose: &str) -> ChaCha8Rng {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(purpose.as_bytes());
    ChaCha8Rng::from_seed(*hasher.finalize().as_bytes())
}

/// Every node of a scenario, role by role.
pub fn places(scenario: &Scenario, seed: u64) -> Vec<Place> {
    let mut all = Vec::new();
    for (role, nodes) in &scenario.written.nodes {
        for number in 0..nodes.count {
            all.push(place(scenario, role, nodes, number));
        }
    }
    turn_hostile(scenario, &mut all, &mut chance(seed, "adversaries"));
    skew_clocks(scenario, &mut all, &mut chance(seed, "clocks"));
    believe(scenario, &mut all);
    let links = match &scenario.links {
        Some(links) => links.clone(),
        None => {
            let ends = dead_ends(scenario, &all);
            linked(scenario, all.len() as u32, &ends, &mut chance(seed, "topology"))
        }
    };
    for (from, to) in links {
        all[from as usize].dials.push(to);
    }
    surround(scenario, &mut all);
    all
}

/// Where the node of this number of a role is; none when its region is not in the latency file.
pub fn region(latency: &Latency, nodes: &Nodes, number: u32) -> Option<usize> {
    match nodes.regions.len() {
        0 => Some(number as usize % latency.regions.len()),
        some => latency.region(&nodes.regions[number as usize % some]),
    }
}

fn place(scenario: &Scenario, role: &str, nodes: &Nodes, number: u32) -> Place {
    let region = region(&scenario.latency, nodes, number).expect("checked with the scenario");
    let tlds = workload::tlds();
    Place {
        role: role.to_owned(),
        region,
        uplink: nodes
            .uplink_kbit
            .unwrap_or(scenario.written.network.uplink_kbit)
            .saturating_mul(1_000),
        line: Duration::from_millis(nodes.line_ms),
        topics: nodes.topics.clone(),
        tld: (nodes.tlds == Tlds::Own).then(|| tlds[number as usize % tlds.len()].to_owned()),
        certified: nodes.certified,
        dials: Vec::new(),
        adversary: None,
        scheme: None,
        honest_until: Duration::ZERO,
        skew: 0,
        believes: None,
    }
}

impl Place {
    /// Whether it plays by the rules at this time.
    pub fn is_honest_at(&self, at: Duration) -> bool {
        self.adversary.is_none() || at < self.honest_until
    }
}

/// The nodes of a role, in their order.
pub fn of_role(places: &[Place], role: &str) -> Vec<u32> {
    let numbered = places.iter().enumerate().filter(|(_, place)| place.role == role);
    numbered.map(|(index, _)| index as u32).collect()
}

/// The nodes of a section of adversaries, in their order.
pub fn of_scheme(places: &[Place], name: &str) -> Vec<u32> {
    let numbered = places.iter().enumerate();
    let theirs = numbered.filter(|(_, place)| place.scheme.as_deref() == Some(name));
    theirs.map(|(index, _)| index as u32).collect()
}

/// So many nodes of a role, by chance, in their order.
pub fn some_of(places: &[Place], role: &str, count: usize, chance: &mut impl Rng) -> Vec<u32> {
    drawn(of_role(places, role), count, chance)
}

fn drawn(mut nodes: Vec<u32>, count: usize, chance: &mut impl Rng) -> Vec<u32> {
    nodes.shuffle(chance);
    nodes.truncate(count);
    nodes.sort_unstable();
    nodes
}

fn turn_hostile(scenario: &Scenario, all: &mut [Place], chance: &mut impl Rng) {
    for (name, adversary) in &scenario.written.adversary {
        let mut nodes = of_role(all, &adversary.role);
        let count = (adversary.share.unwrap_or(1.0) * nodes.len() as f64).round() as usize;
        // What an earlier section has taken stays what that made of it.
        nodes.retain(|node| all[*node as usize].scheme.is_none());
        let turns = matches!(adversary.kind, AdversaryKind::Sleeper | AdversaryKind::Thief);
        for node in drawn(nodes, count, chance) {
            let place = &mut all[node as usize];
            (place.adversary, place.scheme) = (Some(adversary.kind), Some(name.clone()));
            place.honest_until = Duration::from_secs(if turns { adversary.from_seconds } else { 0 });
        }
    }
}

fn skew_clocks(scenario: &Scenario, all: &mut [Place], chance: &mut impl Rng) {
    let mut skewed = BTreeSet::new();
    for skew in scenario.written.skew.values() {
        let mut nodes = of_role(all, &skew.role);
        // A clock that an earlier section has set stays so.
        nodes.retain(|node| !skewed.contains(node));
        for node in drawn(nodes, skew.count as usize, chance) {
            all[node as usize].skew = skew.milliseconds;
            skewed.insert(node);
        }
    }
}

fn believe(scenario: &Scenario, all: &mut [Place]) {
    if scenario.written.trust.kind != TrustKind::Listed {
        return;
    }
    for (who, whom) in &scenario.written.trust.roles {
        let believed: Vec<u32> = whom.iter().flat_map(|role| of_role(all, role)).collect();
        for node in of_role(all, who) {
            all[node as usize].believes = Some(believed.clone());
        }
    }
    // A role that is not listed believes nobody, as a node without roots does.
    for place in all.iter_mut().filter(|place| place.believes.is_none()) {
        place.believes = Some(Vec::new());
    }
}

/// Who dials whom, without doubles in either direction and in one piece: each dials one of those before it in an order that
/// is drawn too, since the order of the numbers is that of the roles. Dead ends come last in it: all others are in one
/// piece without them.
fn linked(scenario: &Scenario, total: u32, dead_ends: &BTreeSet<u32>, chance: &mut impl Rng) -> Vec<(u32, u32)> {
    let shape = &scenario.written.topology;
    let mut order: Vec<u32> = (0..total).collect();
    order.shuffle(chance);
    order.sort_by_key(|node| dead_ends.contains(node));
    let mut made = BTreeSet::new();
    // One link end for each link of a node: whoever is drawn from it is drawn by how many links it has.
    let mut ends: Vec<u32> = order.first().copied().into_iter().collect();
    for (place, node) in order.iter().copied().enumerate() {
        for dial in 0..shape.dials {
            let is_new =
                |other: &u32| *other != node && !made.contains(&(node, *other)) && !made.contains(&(*other, node));
            let from = match shape.kind {
                TopologyKind::ScaleFree => &ends[..],
                TopologyKind::Random | TopologyKind::File if dial == 0 => &order[..place],
                TopologyKind::Random | TopologyKind::File => &order[..],
            };
            if from.is_empty() {
                continue;
            }
            let drawn = (0..DRAWS)
                .map(|_| from[chance.random_range(0..from.len())])
                .find(is_new);
            made.extend(drawn.map(|other| (node, other)));
            if shape.kind == TopologyKind::ScaleFree {
                ends.extend(drawn.map(|other| [node, other]).into_iter().flatten());
            }
        }
    }
    made.into_iter().collect()
}

/// Those who pass nothing on, and the victims of those who eclipse.
fn dead_ends(scenario: &Scenario, all: &[Place]) -> BTreeSet<u32> {
    let passes_nothing_on =
        |kind: AdversaryKind| kind.speaks() || [AdversaryKind::Censor, AdversaryKind::Eclipse].contains(&kind);
    let adversaries = scenario.written.adversary.values();
    let victims: BTreeSet<&String> = adversaries.filter_map(|adversary| adversary.victims.as_ref()).collect();
    let is_end = |place: &Place| place.adversary.is_some_and(passes_nothing_on) || victims.contains(&place.role);
    (0..)
        .zip(all)
        .filter(|(_, place)| is_end(place))
        .map(|(node, _)| node)
        .collect()
}

/// Those who eclipse dial every victim, and each victim knows them before it knows anybody else. Of the links that it has to
/// others one is left, with somebody who is neither.
fn surround(scenario: &Scenario, all: &mut [Place]) {
    for (name, adversary) in &scenario.written.adversary {
        let Some(victims) = &adversary.victims else { continue };
        let victims = of_role(all, victims);
        let wall = of_scheme(all, name);
        let is_other = |node: &u32| !victims.contains(node) && !wall.contains(node);
        for victim in &victims {
            let (dialled, dials) = (*victim, all[*victim as usize].dials.clone());
            let dialling = (0..all.len() as u32).filter(|node| all[*node as usize].dials.contains(victim));
            let mut anyone = 0..all.len() as u32;
            let left = dials.into_iter().chain(dialling).find(is_other);
            let left = left.or_else(|| anyone.find(is_other));
            for place in all.iter_mut() {
                place.dials.retain(|dial| *dial != dialled);
            }
            all[*victim as usize].dials = wall.iter().copied().chain(left).collect();
        }
        for node in wall {
            all[node as usize].dials.extend(&victims);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::reading::{Changes, read};

    #[test]
    fn sections_of_one_role_share_its_nodes() {
        let check = |count: u32, sections: &[(&str, f64)], expected: &[usize]| {
            let section = |(name, share): &(&str, f64)| {
                format!("[adversary.{name}]\nkind = \"withholder\"\nrole = \"cert\"\nshare = {share:?}\n")
            };
            let text =
                format!("title = \"a test\"\nseconds = 60\n[nodes.cert]\ncount = {count}\n[nodes.other]\ncount = 5\n");
            let text = text + &sections.iter().map(section).collect::<String>();
            let scenario = read(Path::new("test.toml"), &text, &Changes::default());
            let places = places(&scenario.unwrap_or_else(|mistakes| panic!("{mistakes:?}")), 1);
            let of = |name: &str| of_scheme(&places, name).len();
            let found: Vec<usize> = sections.iter().map(|(name, _)| of(name)).collect();
            assert_eq!(found, expected, "{count} {sections:?}");
            let hostile = places.iter().filter(|place| place.adversary.is_some()).count();
            assert_eq!(hostile, expected.iter().sum::<usize>());
        };
        check(20, &[("a", 0.25)], &[5]);
        check(20, &[("a", 0.5), ("b", 0.25), ("c", 0.25)], &[10, 5, 5]);
        // Half of an odd number is rounded, and the last section gets what is left.
        check(11, &[("a", 0.5), ("b", 0.5)], &[6, 5]);
        check(10, &[("a", 0.1), ("b", 0.2), ("c", 0.7)], &[1, 2, 7]);
    }

    #[test]
    fn skewed_sections_of_one_role_share_its_nodes() {
        let section = |name: &str, count: u32, by: i64| {
            format!("[skew.{name}]\nrole = \"cert\"\ncount = {count}\nmilliseconds = {by}\n")
        };
        let text = "title = \"a test\"\nseconds = 60\n[nodes.cert]\ncount = 10\n".to_owned();
        let text = text + &section("a", 4, 7) + &section("b", 5, -7);
        let scenario = read(Path::new("test.toml"), &text, &Changes::default());
        let scenario = scenario.unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        let places = places(&scenario, 1);
        let found = [7, -7, 0].map(|by| places.iter().filter(|place| place.skew == by).count());
        assert_eq!(found, [4, 5, 1]);
    }

    #[test]
    fn one_link_is_left_to_whoever_is_surrounded() {
        let text = "title = \"a test\"\nseconds = 60\n[nodes.cert]\ncount = 10\n[nodes.victim]\ncount = 3\n\
                    [nodes.wall]\ncount = 4\n[adversary.wall]\nkind = \"eclipse\"\nrole = \"wall\"\n\
                    victims = \"victim\"\n";
        let scenario = read(Path::new("test.toml"), text, &Changes::default());
        let scenario = scenario.unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        for seed in 0..50 {
            let all = places(&scenario, seed);
            let links: Vec<(u32, u32)> = (0..)
                .zip(&all)
                .flat_map(|(node, place)| place.dials.iter().map(move |dial| (node, *dial)))
                .collect();
            let wall = of_role(&all, "wall");
            for victim in of_role(&all, "victim") {
                let of_victim = links
                    .iter()
                    .filter_map(|(from, to)| match (*from == victim, *to == victim) {
                        (true, _) => Some(*to),
                        (_, true) => Some(*from),
                        _ => None,
                    });
                let (walls, others): (Vec<u32>, Vec<u32>) = of_victim.partition(|other| wall.contains(other));
                assert_eq!(walls.len(), 2 * wall.len(), "seed {seed}: each dials the other");
                assert_eq!(others.len(), 1, "seed {seed}");
                assert_eq!(all[others[0] as usize].role, "cert");
            }
            let certs: BTreeSet<u32> = of_role(&all, "cert").into_iter().collect();
            let among: Vec<(u32, u32)> = links
                .into_iter()
                .filter(|(from, to)| certs.contains(from) && certs.contains(to))
                .collect();
            let piece = piece(&among, certs.first().copied());
            assert_eq!(piece, certs, "seed {seed}: the others are in one piece");
        }
    }

    /// All that these links connect with a node.
    fn piece(links: &[(u32, u32)], with: Option<u32>) -> BTreeSet<u32> {
        let mut piece: BTreeSet<u32> = with.into_iter().collect();
        let leads_out = |piece: &BTreeSet<u32>| {
            links
                .iter()
                .find(|(from, to)| piece.contains(from) != piece.contains(to))
        };
        while let Some((from, to)) = leads_out(&piece) {
            piece.extend([from, to]);
        }
        piece
    }

    #[test]
    fn links_do_not_depend_on_the_names_of_roles() {
        let check = |kind: &str, counts: [u32; 2], dials: u32, mean: f64| {
            let text = format!(
                "title = \"a test\"\nseconds = 60\n[topology]\nkind = \"{kind}\"\ndials = {dials}\n\
                 [nodes.a]\ncount = {}\n[nodes.z]\ncount = {}\n",
                counts[0], counts[1]
            );
            let scenario = read(Path::new("test.toml"), &text, &Changes::default());
            let scenario = scenario.unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
            let mut links = [0.0; 2];
            for seed in 0..20 {
                let total = counts[0] + counts[1];
                let made = linked(&scenario, total, &BTreeSet::new(), &mut chance(seed, "test"));
                assert_eq!(piece(&made, Some(0)), (0..total).collect(), "it is in one piece");
                assert!(
                    made.iter()
                        .all(|(from, to)| !made.contains(&(*to, *from)) && from != to)
                );
                let of = |node: u32| usize::from(node >= counts[0]);
                made.iter()
                    .flat_map(|(from, to)| [of(*from), of(*to)])
                    .for_each(|role| links[role] += 1.0 / 20.0);
            }
            for (links, count) in links.into_iter().zip(counts) {
                let each = links / f64::from(count);
                assert!(
                    (each / mean - 1.0).abs() < 0.1,
                    "{kind} {counts:?}: {each} instead of {mean}"
                );
            }
        };
        check("random", [180, 20], 6, 12.0);
        check("random", [20, 180], 3, 6.0);
        check("scale-free", [100, 100], 3, 6.0);
        // Everybody is everybody's neighbour.
        check("random", [3, 2], 4, 4.0);
    }
}
