//! New roots from guardians: after a week, if nobody calls them off.

use super::*;
use crate::{
    engine::port::{Audit, Event, RecoveryStage, Who},
    limits,
    statement::{Guardians, Manifest, Recovery, Settles},
};

const DAY: u64 = 86_400_000;

struct Case {
    world: World,
    guardians: [OrgId; 2],
    author: Identity,
    recovery: Statement,
}

/// A node that knows an organisation and its guardians, and what these sign.
fn case() -> Case {
    let mut guardians = [Identity::numbered(8), Identity::numbered(9)];
    guardians.sort_by_key(|guardian| guardian.org);
    let orgs = guardians.iter().map(|guardian| guardian.org).collect();
    let author = Identity::founded(7, |manifest| manifest.guardians = Some(Guardians { orgs, k: 2 }));
    let root = Identity::numbered(10).roots[0].clone();
    let commitment = Manifest::commitment(&[Identity::numbered(10).roots[1].public()], 1);
    let ends = author.manifest.not_after;
    let manifest = author.manifest.successor(&[root.public()], 1, commitment, ends);
    let manifest = manifest.sign(&[&root]).expect("a plain manifest");
    let org = author.org;
    let recovery = Recovery { org, manifest };
    let recovery = recovery.sign(&[&guardians[0].roots[0], &guardians[1].roots[0]]);
    let mut world = World::new(41, 1);
    world.nodes[0].listed.push(author.org);
    world.start(0);
    tell(
        &mut world,
        0,
        &[&guardians[0], &guardians[1], &author]
            .map(|of| of.statements.clone())
            .concat(),
    );
    let recovery = recovery.expect("guardians sign");
    world.run(1_000);
    Case {
        world,
        guardians: guardians.map(|guardian| guardian.org),
        author,
        recovery,
    }
}

/// The only line of the audit log about this.
fn line(world: &World, what: Deed) -> &Audit {
    let mut lines = world.nodes[0].store.audit.iter();
    lines.find(|line| line.what == what).expect("it was written down")
}

fn pass(world: &mut World, days: u64) {
    // In steps of less than the tolerance nothing would ever end.
    world.run(days * DAY);
}

fn stage(world: &World) -> Option<RecoveryStage> {
    let mut stages = world.nodes[0].events.iter().filter_map(|event| match event {
        Event::Recovery { stage, .. } => Some(*stage),
        _ => None,
    });
    stages.next_back()
}

#[test]
fn new_roots_count_after_a_week_also_across_restarts() {
    for restart in [None, Some(0), Some(3), Some(6)] {
        let Case {
            mut world,
            guardians,
            author,
            recovery,
        } = case();
        let says_who = |world: &World, what: Deed| {
            let line = line(world, what);
            assert_eq!(
                (line.who, line.subject.as_str()),
                (Who::Guardians, author.org.to_string().as_str())
            );
            assert!(
                guardians.iter().all(|org| line.why.contains(&org.to_string())),
                "{line:?}"
            );
        };
        tell(&mut world, 0, std::slice::from_ref(&recovery));
        world.run(1_000);
        says_who(&world, Deed::RecoveryBegun);
        let seen = world.nodes[0].store.recoveries[&recovery.id()];
        assert!(!seen.in_effect);
        assert_eq!(
            stage(&world),
            Some(RecoveryStage::Due(seen.first + limits::RECOVERY_DELAY))
        );
        for day in 0..6 {
            if restart == Some(day) {
                world.start(0);
            }
            pass(&mut world, 1);
        }
        assert_eq!(told_of(&world, 0, Deed::Recovered), 0, "{restart:?}");
        if restart == Some(6) {
            world.start(0);
        }
        assert_eq!(world.nodes[0].store.recoveries[&recovery.id()], seen, "{restart:?}");
        pass(&mut world, 2);
        assert_eq!(told_of(&world, 0, Deed::Recovered), 1, "{restart:?}");
        says_who(&world, Deed::Recovered);
        assert_eq!(stage(&world), Some(RecoveryStage::InEffect));
        let current = |world: &World| world.engine(0).roster.manifest_of(&author.org).cloned();
        let now = current(&world).expect("it is known");
        assert_eq!(now.seq, 1);
        world.start(0);
        world.run(1_000);
        assert_eq!(current(&world), Some(now));
        assert_eq!(told_of(&world, 0, Deed::Recovered), 1);
    }
}

#[test]
fn a_root_calls_it_off() {
    let Case {
        mut world,
        author,
        recovery,
        ..
    } = case();
    tell(&mut world, 0, std::slice::from_ref(&recovery));
    pass(&mut world, 5);
    tell(
        &mut world,
        0,
        &[author.resolution(Settles::Recovery { id: recovery.id() })],
    );
    world.run(1_000);
    assert_eq!(stage(&world), Some(RecoveryStage::CalledOff));
    world.start(0);
    pass(&mut world, 5);
    assert_eq!(told_of(&world, 0, Deed::Recovered), 0);
    assert_eq!(
        told_of(&world, 0, Deed::RecoveryCalledOff),
        1,
        "once, however often it starts"
    );
    assert!(!world.nodes[0].store.recoveries[&recovery.id()].in_effect);
}

#[test]
fn a_clock_that_jumped_hands_no_organisation_over() {
    let Case {
        mut world, recovery, ..
    } = case();
    tell(&mut world, 0, &[recovery]);
    world.run(1_000);
    world.nodes[0].skew = 30 * DAY as i64;
    world.run(600_000);
    assert_eq!(told_of(&world, 0, Deed::Recovered), 0);
}
