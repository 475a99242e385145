//! From places to the plan of a world: [`plan`].

use std::time::Duration;

use starfish_node::mesh::MeshSettings;
use starfish_protocol::{engine::Subscription, observable::Tld, record::Topic};

use super::hostile;
use crate::{
    network::Links,
    scenario::{Scenario, Vouches, placing::Place, vouching::is_web},
    world::{NodePlan, Plan, World},
};

/// By how many percent the latency of a pair of nodes may be above that of their regions.
const JITTER_PERCENT: u64 = 10;

/// The plan of a scenario's world.
pub(super) fn plan(scenario: &Scenario, places: &[Place], vouches: &Vouches, seed: u64) -> Plan {
    let sites = sites(places);
    let mut plan = World::new(seed)
        .links(links(scenario, &sites))
        .acquainted(scenario.written.acquainted)
        .compare_with_pushing(scenario.written.compare.push);
    if let Some(seconds) = scenario.written.converge_seconds {
        plan = plan.converge_within(Duration::from_secs(seconds));
    }
    for (number, place) in places.iter().enumerate() {
        let region = sites
            .binary_search(&site(place))
            .expect("every place is at one of the sites");
        let entries = vouches.entries.clone();
        let node = node(scenario, number, place, region);
        let pins = hostile::pins(number, places);
        plan = plan.node(NodePlan { entries, pins, ..node });
    }
    for (issuer, vouch) in &vouches.endorsements {
        plan = plan.endorse(*issuer, *vouch);
    }
    plan
}

/// A region, and what a line in it adds in ns: the network knows no lines, so each pair of both is a region to it.
type Site = (usize, u64);

fn site(place: &Place) -> Site {
    (place.region, place.line.as_nanos() as u64)
}

fn sites(places: &[Place]) -> Vec<Site> {
    let mut sites: Vec<Site> = places.iter().map(site).collect();
    sites.sort_unstable();
    sites.dedup();
    sites
}

fn links(scenario: &Scenario, sites: &[Site]) -> Links {
    let way = |from: &Site, to: &Site| scenario.latency.one_way(from.0, to.0).as_nanos() as u64 + from.1 + to.1;
    Links {
        latency: sites
            .iter()
            .map(|from| sites.iter().map(|to| way(from, to)).collect())
            .collect(),
        jitter_percent: JITTER_PERCENT,
    }
}

fn node(scenario: &Scenario, number: usize, place: &Place, region: usize) -> NodePlan {
    let schemes = &scenario.written.adversary;
    let scheme = place.scheme.as_ref().and_then(|name| schemes.get(name));
    // Whom endorsements reach need not be listed.
    let nobody = is_web(scenario.written.trust.kind).then(Vec::new);
    let believes = place.believes.as_ref().or(nobody.as_ref());
    NodePlan {
        region,
        uplink: place.uplink,
        downlink: place.uplink,
        roots: believes.map(|whom| whom.iter().map(|node| *node as usize).collect()),
        dials: Some(place.dials.iter().map(|node| *node as usize).collect()),
        dial_others: scenario.written.topology.dial_others,
        subscription: subscription(place),
        settings: MeshSettings {
            gossip: scenario.written.gossip.clone(),
            limits: scenario.written.limits.clone(),
            ..MeshSettings::default()
        },
        skew: place.skew,
        is_certified: place.certified,
        is_honest: place.adversary.is_none(),
        keeper: hostile::keeper(place),
        speaker: scheme.and_then(hostile::speaker),
        ..NodePlan::new(number)
    }
}

fn subscription(place: &Place) -> Subscription {
    let topic = |topic: &String| Topic::parse(topic).expect("checked with the scenario");
    let tld = |tld: &String| Tld::parse(tld).expect("the list of TLDs holds nothing else");
    Subscription {
        topics: place.topics.iter().map(topic).collect(),
        tlds: place.tld.iter().map(tld).collect(),
    }
}
