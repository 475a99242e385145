//! How sure claims make: what of them counts for whom.

use starfish_crypto::{Digest, Strict};

use crate::{
    confidence::{Assessment, Claim, Fading, Kind, Weights},
    engine::port::{Command, Outcome},
    exercise::{
        Identity, World,
        identity::{BEGIN, community},
    },
    organisation::OrgId,
    statement::{Statement, Subsidiary},
    time::Millis,
    trust::{Pin, web::Question},
};

const HOUR: u64 = 3_600_000;

/// Node 0 lists a subsidiary, whose parent's manifest is over in an hour, and knows that both say so.
fn family() -> (World, OrgId, OrgId) {
    let parent = Identity::founded(7, |manifest| manifest.not_after = Millis(BEGIN.0 + HOUR));
    let child = Identity::founded(8, |manifest| manifest.parent = Some(parent.org));
    let link = Subsidiary {
        issuer: parent.org,
        subject: child.org,
        community: Some(community()),
        seq: 0,
        prev: Digest::ZERO,
        withdrawn: false,
    };
    let link = link.sign(&[&parent.roots[0]]).expect("a plain link can be signed");
    let mut world = World::new(41, 1);
    world.nodes[0].listed.push(child.org);
    world.start(0);
    let told = parent.statements[..1]
        .iter()
        .chain(&child.statements[..1])
        .chain([&link]);
    let checked = told.map(|told: &Statement| told.clone().check(&Strict).expect("it holds"));
    world.command(0, Command::Tell(checked.collect()));
    world.run(1_000);
    (world, parent.org, child.org)
}

fn claim(world: &World, org: OrgId, kind: Kind) -> Claim {
    Claim {
        org,
        log: Digest::of("a log", org.digest().as_bytes()),
        place: (BEGIN, 0),
        kind,
        confidence: 100,
        observed_at: world.wall(0),
        received_at: world.wall(0),
        derived_from: None,
    }
}

fn assessed(world: &mut World, claims: Vec<Claim>) -> Assessment {
    let (question, fading) = (Question::default(), Fading::default());
    let asked = world.command(
        0,
        Command::Assess {
            question,
            claims,
            fading,
            weights: Weights::default(),
        },
    );
    world.run(10);
    match world.nodes[0].done.remove(&asked) {
        Some(Outcome::Assessed(assessment)) => *assessment,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_family_has_one_voice() {
    let (mut world, parent, child) = family();
    let claims = vec![
        claim(&world, parent, Kind::FalsePositive),
        claim(&world, child, Kind::Report),
    ];
    let found = assessed(&mut world, claims);
    assert_eq!((found.support.value, found.dispute.value), (0, 120));
    assert_eq!(found.disputers(), [parent].into());
}

#[test]
fn who_does_not_count_has_no_say_in_its_family() {
    // Its manifest is over.
    let (mut world, parent, child) = family();
    world.run(HOUR);
    let claims = vec![
        claim(&world, parent, Kind::FalsePositive),
        claim(&world, child, Kind::Report),
    ];
    let found = assessed(&mut world, claims);
    assert_eq!((found.support.value, found.dispute.value), (120, 0));
    assert_eq!((found.claims.len(), found.disputers().len()), (1, 0));
    // Nor has a child that the operator pinned, while the parent has.
    let (mut world, parent, child) = family();
    let pin = Some(Pin::Bad);
    world.command(0, Command::Pin { org: child, pin });
    let own = world.nodes[0].identity.org;
    let claims = vec![
        claim(&world, child, Kind::Report),
        claim(&world, own, Kind::FalsePositive),
        claim(&world, parent, Kind::FalsePositive),
    ];
    let found = assessed(&mut world, claims);
    assert_eq!((found.support.value, found.dispute.value), (0, 120));
    assert_eq!(found.disputers(), [own].into());
    assert!(found.reporters().is_empty());
}
