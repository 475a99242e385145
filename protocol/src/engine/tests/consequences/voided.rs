//! Keys that a later manifest takes back, and what they certified with them.

use super::*;
use crate::{
    exercise::identity::BEGIN,
    statement::{Manifest, NodeCertificate},
    time::Millis,
};

#[test]
fn a_thief_of_roots_loses_with_them_what_they_certified() {
    let mut world = World::new(25, 3);
    let org = world.nodes[0].identity.clone();
    world.link(0, 1);
    world.run(2_000);
    // The thief has a node of his own certified, and publishes with it; both are believed like each other.
    let thief = Identity::numbered(9).key;
    let (from, to) = (BEGIN, Millis(BEGIN.0 + 1_000_000));
    let certify = |node: &starfish_crypto::SecretKey, seq: u64| {
        let community = crate::exercise::identity::community();
        let mut certificate = NodeCertificate::new(org.org, community, node.public(), from, to);
        certificate.manifest_seq = seq;
        certificate.sign(&[&org.roots[seq as usize]], node).expect("both sign")
    };
    let stolen = certify(&thief, 0);
    tell(&mut world, 1, &[org.statements.clone(), vec![stolen]].concat());
    let spoof = Identity {
        key: thief,
        ..org.clone()
    };
    world.connect(1, &spoof);
    gossip(&mut world, 1, &spoof, &chain(&spoof, 1)[0], 1);
    world.publish(0, vec![addresses(2, 1)]);
    world.run(2_000);
    assert_eq!(shown(&world, 1), 2);
    // The roots that come next void what the stolen ones signed, and certify the real node again.
    let commitment = Manifest::commitment(&[org.roots[0].public()], 1);
    let mut next = org
        .manifest
        .successor(&[org.roots[1].public()], 1, commitment, org.manifest.not_after);
    next.void_from = Some(0);
    let next = next.sign(&[&org.roots[1]]).expect("a plain manifest");
    let own = certify(&org.key, 1);
    tell(&mut world, 1, &[own.clone(), next.clone()]);
    tell(&mut world, 1, &[next, own]);
    world.run(2_000);
    assert_eq!(shown(&world, 1), 1);
    assert_eq!(world.nodes[1].store.cuts.len(), 1);
    world.link(1, 2);
    world.run(90_000);
    assert_eq!((shown(&world, 1), shown(&world, 2)), (1, 1));
    world.start(1);
    world.run(1_000);
    assert_eq!(shown(&world, 1), 1);
    world.check_honest();
}
