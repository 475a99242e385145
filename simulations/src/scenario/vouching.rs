//! Who vouches for whom: [`vouches`], drawn from the seed. The nodes sign it and tell it themselves.

use std::collections::BTreeSet;

use rand::{Rng, RngExt as _, seq::SliceRandom as _};

use super::{
    Scenario,
    placing::{Place, chance, of_scheme},
    written::{AdversaryKind, Trust, TrustKind, Written},
};
use crate::world::Vouch;

/// Everything that organisations and operators say from the beginning. Node and organisation have one number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vouches {
    /// The entries of every operator.
    pub entries: Vec<Vouch>,
    /// Who vouches, and for whom.
    pub endorsements: Vec<(usize, Vouch)>,
}

/// Whether a shape is made of endorsements.
pub fn is_web(kind: TrustKind) -> bool {
    !matches!(kind, TrustKind::Everyone | TrustKind::Listed)
}

/// Whether it grows from founders, who may veto.
pub fn is_grown(kind: TrustKind) -> bool {
    matches!(kind, TrustKind::TwoSponsors | TrustKind::ScaleFree)
}

/// Whether nodes of a role are part of the web: those that are certified and that nobody smuggles in, or those of them whom the
/// scenario names.
pub fn has_members(written: &Written, role: &str) -> bool {
    let named = &written.trust.members;
    let is_named = named.is_empty() || named.iter().any(|name| name == role);
    let is_certified = written.nodes.get(role).is_some_and(|nodes| nodes.certified);
    let mut adversaries = written.adversary.values();
    let is_smuggled = adversaries.any(|adversary| adversary.role == role && adversary.endorsements.is_some());
    is_named && is_certified && !is_smuggled
}

/// What is said from the beginning.
pub fn vouches(scenario: &Scenario, places: &[Place], seed: u64) -> Vouches {
    let (trust, chance) = (&scenario.written.trust, &mut chance(seed, "trust"));
    if !is_web(trust.kind) {
        return Vouches::default();
    }
    let members = members(scenario, places, chance);
    let mut found = match trust.kind {
        TrustKind::Chain => chain(trust, &members),
        TrustKind::File => scenario.vouches.clone().unwrap_or_default(),
        _ => grown(trust, &members, chance),
    };
    let confided = |vouch: &Vouch| trust.green.contains(&places[vouch.organisation].role);
    let said = found.endorsements.iter_mut().map(|(_, vouch)| vouch);
    for vouch in found.entries.iter_mut().chain(said) {
        vouch.receive_green = confided(vouch);
    }
    smuggle(scenario, places, &members, &mut found, chance);
    found
}

/// Those who are part of the web, founders first.
fn members(scenario: &Scenario, places: &[Place], chance: &mut impl Rng) -> Vec<usize> {
    let written = &scenario.written;
    let takes_part = |place: &Place| {
        // Nobody vouches for those who prove nothing.
        let is_guest = place.adversary.is_some_and(AdversaryKind::is_guest);
        !is_guest && has_members(written, &place.role)
    };
    let (founding, others): (Vec<usize>, Vec<usize>) = (0..places.len())
        .filter(|node| takes_part(&places[*node]))
        .partition(|node| places[*node].adversary.is_none());
    // Whoever may not be told TLP:GREEN could let nobody else be told, so those who may come first.
    let green = &written.trust.green;
    let is_kept_out = |node: &usize| !green.is_empty() && !green.contains(&places[*node].role);
    // Founders are honest, or everybody's roots would be the adversaries'.
    let mut rest = founding;
    rest.shuffle(chance);
    rest.sort_by_key(is_kept_out);
    let founders: Vec<usize> = rest.drain(..rest.len().min(written.trust.roots as usize)).collect();
    rest.extend(others);
    rest.shuffle(chance);
    rest.sort_by_key(is_kept_out);
    // What speaks in a node's place tells nobody whom its organisation vouches for, so it comes last and sponsors nobody.
    let speaks = |node: &usize| places[*node].adversary.is_some_and(AdversaryKind::speaks);
    let (speaking, rest): (Vec<usize>, Vec<usize>) = rest.into_iter().partition(speaks);
    founders.into_iter().chain(rest).chain(speaking).collect()
}

fn vouch(trust: &Trust, organisation: usize) -> Vouch {
    Vouch {
        amount: trust.amount,
        depth: trust.depth,
        ..Vouch::full(organisation)
    }
}

/// Each vouches for the one before and the one after it.
fn chain(trust: &Trust, members: &[usize]) -> Vouches {
    let pairs = members.iter().zip(members.iter().skip(1));
    let both = |(one, other): (&usize, &usize)| [(*one, vouch(trust, *other)), (*other, vouch(trust, *one))];
    Vouches {
        entries: Vec::new(),
        endorsements: pairs.flat_map(both).collect(),
    }
}

/// The founders are everybody's roots and may veto; each later member has sponsors among the earlier ones: any of them, or by how
/// many they sponsor already.
fn grown(trust: &Trust, members: &[usize], chance: &mut impl Rng) -> Vouches {
    let founders = members.len().min(trust.roots as usize);
    let entry = |founder: &usize| Vouch {
        may_veto: true,
        ..Vouch::full(*founder)
    };
    let mut found = Vouches {
        entries: members[..founders].iter().map(entry).collect(),
        endorsements: Vec::new(),
    };
    // Whoever is drawn from it is drawn by how often it has sponsored.
    let mut sponsored: Vec<usize> = members[..founders].to_vec();
    for (place, member) in members.iter().enumerate().skip(founders) {
        let mut sponsors = BTreeSet::new();
        while sponsors.len() < place.min(trust.sponsors as usize) {
            sponsors.insert(match trust.kind {
                TrustKind::ScaleFree => sponsored[chance.random_range(0..sponsored.len())],
                _ => members[chance.random_range(0..place)],
            });
        }
        for sponsor in sponsors {
            found.endorsements.push((sponsor, vouch(trust, *member)));
            sponsored.push(sponsor);
        }
        sponsored.push(*member);
    }
    found
}

/// Some members are talked into vouching for one adversary, which vouches for all others of its section, and they for each
/// other in a ring.
fn smuggle(scenario: &Scenario, places: &[Place], members: &[usize], found: &mut Vouches, chance: &mut impl Rng) {
    for (name, adversary) in &scenario.written.adversary {
        let (Some(endorsements), Some(amount)) = (adversary.endorsements, adversary.amount) else {
            continue;
        };
        let hostile: Vec<usize> = of_scheme(places, name).into_iter().map(|node| node as usize).collect();
        let Some((first, others)) = hostile.split_first() else {
            continue;
        };
        let mut confused: Vec<usize> = members
            .iter()
            .filter(|member| places[**member].adversary.is_none())
            .copied()
            .collect();
        // A founder is everybody's root: what it vouches for is vouched for in full.
        confused.drain(..confused.len().min(scenario.written.trust.roots as usize));
        confused.shuffle(chance);
        for member in confused.into_iter().take(endorsements as usize) {
            let vouch = Vouch {
                amount,
                ..Vouch::full(*first)
            };
            found.endorsements.push((member, vouch));
        }
        let ring = others.iter().zip(others.iter().cycle().skip(1));
        let ring = ring.filter(|(one, other)| one != other);
        let said = others.iter().map(|other| (*first, Vouch::full(*other)));
        found.endorsements.extend(said);
        found
            .endorsements
            .extend(ring.map(|(one, other)| (*one, Vouch::full(*other))));
    }
}

/// Whether the nodes of an adversary are smuggled in, or may be.
pub fn may_be_smuggled(kind: AdversaryKind) -> bool {
    matches!(kind, AdversaryKind::Sybil | AdversaryKind::Colluder)
}

/// Reads lines such as `0,1,60,7`: the first vouches for the second, so much and with so many introductions; `root` in the
/// first place is every operator's entry, which may veto. Nodes count from 0, role by role.
pub fn parse(text: &str, total: u32) -> Result<Vouches, String> {
    let mut found = Vouches::default();
    let lines = text.lines().enumerate();
    for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#')) {
        let wrong = || {
            format!(
                "line {}: `{line}` is no endorsement between two of the {total} nodes",
                number + 1
            )
        };
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let [issuer, subject, amount, depth] = cells[..] else {
            return Err(wrong());
        };
        let node = |cell: &str| {
            cell.parse()
                .ok()
                .filter(|node: &u32| *node < total)
                .map(|node| node as usize)
        };
        let within = |cell: &str, least: u8, most: u8| {
            let number: Option<u8> = cell.parse().ok();
            number.filter(|number| (least..=most).contains(number))
        };
        let vouch = Vouch {
            organisation: node(subject).ok_or_else(wrong)?,
            amount: within(amount, 1, starfish_protocol::statement::FULL).ok_or_else(wrong)?,
            depth: within(depth, 0, starfish_protocol::statement::DEPTH).ok_or_else(wrong)?,
            may_veto: issuer == "root",
            receive_green: false,
        };
        if issuer == "root" {
            found.entries.push(vouch);
        } else {
            let issuer = node(issuer).filter(|issuer| *issuer != vouch.organisation);
            found.endorsements.push((issuer.ok_or_else(wrong)?, vouch));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::{
        placing::places,
        reading::{Changes, read},
    };

    #[test]
    fn nobody_vouches_for_who_is_not_certified() {
        let text = "title = \"a test\"\nseconds = 60\n[nodes.cert]\ncount = 4\n\
                    [nodes.cafe]\ncount = 8\ncertified = false\n[trust]\nkind = \"two-sponsors\"\nroots = 3\n";
        let scenario = read(Path::new("test.toml"), text, &Changes::default());
        let scenario = scenario.unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        for seed in 0..10 {
            let places = places(&scenario, seed);
            let found = vouches(&scenario, &places, seed);
            let whom = found.endorsements.iter().map(|(_, vouch)| vouch.organisation);
            let mut all: Vec<usize> = found
                .entries
                .iter()
                .map(|vouch| vouch.organisation)
                .chain(whom)
                .collect();
            all.sort_unstable();
            all.dedup();
            let mut certified: Vec<usize> = (0..places.len()).collect();
            certified.retain(|node| places[*node].certified);
            assert_eq!(all, certified);
        }
    }

    fn shape(kind: TrustKind, members: usize) -> Vouches {
        let trust = Trust {
            kind,
            ..Trust::default()
        };
        let members: Vec<usize> = (0..members).collect();
        match kind {
            TrustKind::Chain => chain(&trust, &members),
            _ => grown(&trust, &members, &mut chance(1, "test")),
        }
    }

    #[test]
    fn shapes_are_what_they_are_called() {
        let chain = shape(TrustKind::Chain, 4);
        let said: Vec<(usize, usize)> = chain
            .endorsements
            .iter()
            .map(|(by, vouch)| (*by, vouch.organisation))
            .collect();
        assert_eq!(said, [(0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 2)]);
        for kind in [TrustKind::TwoSponsors, TrustKind::ScaleFree] {
            let grown = shape(kind, 60);
            assert_eq!(grown.entries.len(), 2);
            for member in 2..60 {
                let sponsors = grown
                    .endorsements
                    .iter()
                    .filter(|(_, vouch)| vouch.organisation == member);
                let sponsors: BTreeSet<usize> = sponsors.map(|(by, _)| *by).collect();
                assert_eq!(sponsors.len(), 2, "{kind:?} {member}");
                assert!(sponsors.iter().all(|sponsor| *sponsor < member), "sponsors come first");
            }
        }
        let most = |kind| {
            let grown = shape(kind, 200);
            let sponsored = |by: usize| grown.endorsements.iter().filter(|(sponsor, _)| *sponsor == by).count();
            (0..200).map(sponsored).max().unwrap_or_default()
        };
        assert!(
            most(TrustKind::ScaleFree) > 2 * most(TrustKind::TwoSponsors),
            "few with many"
        );
    }

    #[test]
    fn a_file_says_who_and_how_much() {
        let found = parse("# who,whom,amount,depth\n\nroot,0,120,7\n0, 1, 60, 3\n", 2).expect("two lines");
        assert_eq!((found.entries.len(), found.entries[0].may_veto), (1, true));
        assert_eq!((found.endorsements[0].0, found.endorsements[0].1.amount), (0, 60));
        let check = |line: &str| {
            let told = parse(line, 2).expect_err(line);
            assert!(told.contains("line 1") && told.contains(line), "{told}");
        };
        [
            "0,1,60",
            "0,2,60,7",
            "2,1,60,7",
            "0,0,60,7",
            "0,1,0,7",
            "0,1,121,7",
            "0,1,60,8",
            "x,1,60,7",
            "0,1,60,7,1",
        ]
        .into_iter()
        .for_each(check);
    }
}
