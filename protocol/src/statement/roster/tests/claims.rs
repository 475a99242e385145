//! Endorsements, vetoes, parent links and chain heads that hold, and more that do not; which of them count.

use starfish_crypto::{Signature, Strict, domain};

use super::cast::*;
use crate::{
    codec, community::Community, observable::Suffix, organisation::OrgId, record::Topic, statement::*, time::Millis,
};

fn scoped(suffix: &str) -> Scope {
    Scope {
        topics: Some([Topic::parse("phishing").expect("a topic")].into()),
        suffixes: Some([Suffix::parse(suffix).expect("a suffix")].into()),
    }
}

fn subsidiary(seq: u64) -> Subsidiary {
    Subsidiary {
        issuer: guarded().id(),
        subject: council().id(),
        community: None,
        seq,
        prev: previous(seq),
        withdrawn: false,
    }
}

pub(super) fn head(standing: &[Digest], seq: u64) -> ChainHead {
    ChainHead {
        issuer: guarded().id(),
        community: None,
        seq,
        id: Digest::from_bytes([9; 32]),
        standing: ChainHead::standing(standing),
        as_of: Millis(100 * DAY + seq),
        fresh_until: Millis(200 * DAY),
    }
}

pub(super) fn endorsement_rows() -> Rows {
    let mut rows = Rows::default();
    let first = endorsement(0, 120);
    let good = raw(Kind::ENDORSEMENT, &first, &[13]);
    rows.add("by the endorsing key", "new", &good);
    rows.add("by the root", "new", &raw(Kind::ENDORSEMENT, &first, &[5]));
    rows.add("by both", "new", &raw(Kind::ENDORSEMENT, &first, &[5, 13]));
    rows.add(
        "a withdrawal",
        "new",
        &raw(Kind::ENDORSEMENT, &endorsement(7, 0), &[13]),
    );
    let full = Endorsement {
        scope: scoped("gov.nl"),
        community: None,
        may_veto: true,
        depth: 7,
        ..endorsement(u64::MAX, 1)
    };
    rows.add("every field", "new", &raw(Kind::ENDORSEMENT, &full, &[13]));
    let council_says = Endorsement {
        issuer: council().id(),
        subject: single().id(),
        ..first.clone()
    };
    rows.add(
        "by two of three roots",
        "new",
        &raw(Kind::ENDORSEMENT, &council_says, &[1, 3]),
    );

    rows.add(
        "by one of three roots",
        "not yet",
        &raw(Kind::ENDORSEMENT, &council_says, &[1]),
    );
    rows.add("by a node", "not yet", &raw(Kind::ENDORSEMENT, &council_says, &[11]));
    rows.add(
        "by a root and a node",
        "not yet",
        &raw(Kind::ENDORSEMENT, &council_says, &[1, 11]),
    );
    rows.add("by a stranger", "not yet", &raw(Kind::ENDORSEMENT, &first, &[20]));
    rows.add(
        "by a stranger besides",
        "not yet",
        &raw(Kind::ENDORSEMENT, &first, &[13, 20]),
    );
    rows.add(
        "by somebody else's roots",
        "not yet",
        &raw(Kind::ENDORSEMENT, &first, &[1, 2]),
    );
    let nobody = Endorsement {
        issuer: OrgId::from_digest(Digest::ZERO),
        ..first.clone()
    };
    rows.add(
        "by an unknown organisation",
        "not yet",
        &raw(Kind::ENDORSEMENT, &nobody, &[13]),
    );
    rows.add("by nobody", "forged", &raw(Kind::ENDORSEMENT, &first, &[]));
    let one_root = raw(Kind::ENDORSEMENT, &council_says, &[1]);
    rows.add("one root twice", "forged", &resigned(&one_root, |all| all.push(all[0])));
    rows.add(
        "a broken signature",
        "forged",
        &resigned(&good, |all| all[0].1 = Signature::from_bytes([0; 64])),
    );
    let as_manifest = key(13).sign(domain::MANIFEST, &good.body);
    rows.add(
        "signed as a manifest",
        "forged",
        &resigned(&good, |all| all[0].1 = as_manifest),
    );
    let as_veto = raw(Kind::VETO, &first, &[13]).signatures[0];
    rows.add("signed as a veto", "forged", &resigned(&good, |all| all[0] = as_veto));

    let broken = |change: fn(&mut Endorsement)| {
        let mut other = first.clone();
        change(&mut other);
        raw(Kind::ENDORSEMENT, &other, &[13])
    };
    rows.add(
        "of another mesh",
        "other community",
        &broken(|says| says.community = Some(Community::named("other"))),
    );
    rows.add("more than a whole", "malformed", &broken(|says| says.amount = 121));
    rows.add("too deep", "malformed", &broken(|says| says.depth = 8));
    rows.add("of itself", "malformed", &broken(|says| says.subject = says.issuer));
    rows.add(
        "without time",
        "malformed",
        &broken(|says| says.not_after = says.not_before),
    );
    rows.add(
        "a first one behind another",
        "malformed",
        &broken(|says| says.prev = previous(1)),
    );
    rows.add("a second one behind nothing", "malformed", &broken(|says| says.seq = 1));
    rows.add(
        "an empty list of topics",
        "malformed",
        &broken(|says| says.scope.topics = Some(Default::default())),
    );
    rows.add(
        "an empty list of suffixes",
        "malformed",
        &broken(|says| says.scope.suffixes = Some(Default::default())),
    );
    rows.add(
        "33 topics",
        "malformed",
        &broken(|says| {
            let topics = (0..33).map(|number| Topic::parse(&format!("t{number}")).expect("a topic"));
            says.scope.topics = Some(topics.collect());
        }),
    );
    let encoded = codec::encode(&first);
    rows.add("nothing", "malformed", &signed(Kind::ENDORSEMENT, Vec::new(), &[13]));
    rows.add(
        "bytes behind",
        "malformed",
        &signed(Kind::ENDORSEMENT, [encoded, vec![0]].concat(), &[13]),
    );
    rows
}

pub(super) fn other_claim_rows() -> Rows {
    let mut rows = Rows::default();
    let good = raw(Kind::VETO, &veto(0), &[13]);
    rows.add("a veto", "new", &good);
    let narrow = Veto {
        scope: scoped("nl"),
        withdrawn: true,
        ..veto(3)
    };
    rows.add("a veto of a scope, taken back", "new", &raw(Kind::VETO, &narrow, &[5]));
    rows.add("a veto by a node", "not yet", &raw(Kind::VETO, &veto(0), &[11]));
    rows.add("a veto by nobody", "forged", &raw(Kind::VETO, &veto(0), &[]));
    rows.add(
        "an endorsement's signature on a veto",
        "forged",
        &resigned(&good, |all| {
            *all = signed(Kind::ENDORSEMENT, good.body.clone(), &[13]).signatures;
        }),
    );
    let own = Veto {
        subject: guarded().id(),
        ..veto(0)
    };
    rows.add("a veto of itself", "malformed", &raw(Kind::VETO, &own, &[13]));
    rows.add(
        "an endorsement as a veto",
        "malformed",
        &raw(Kind::VETO, &endorsement(0, 1), &[13]),
    );

    rows.add("a subsidiary", "new", &raw(Kind::SUBSIDIARY, &subsidiary(0), &[13]));
    rows.add(
        "a subsidiary by the other side",
        "not yet",
        &raw(Kind::SUBSIDIARY, &subsidiary(0), &[1, 2]),
    );
    let own = Subsidiary {
        subject: guarded().id(),
        ..subsidiary(0)
    };
    rows.add(
        "a subsidiary of itself",
        "malformed",
        &raw(Kind::SUBSIDIARY, &own, &[13]),
    );

    rows.add("a head", "new", &raw(Kind::CHAIN_HEAD, &head(&[], 4), &[13]));
    rows.add(
        "a head by a node",
        "not yet",
        &raw(Kind::CHAIN_HEAD, &head(&[], 4), &[11]),
    );
    rows.add("a head by nobody", "forged", &raw(Kind::CHAIN_HEAD, &head(&[], 4), &[]));
    let stale = ChainHead {
        fresh_until: Millis(0),
        ..head(&[], 4)
    };
    rows.add(
        "a head that was never fresh",
        "malformed",
        &raw(Kind::CHAIN_HEAD, &stale, &[13]),
    );
    let eternal = ChainHead {
        fresh_until: Millis(u64::MAX),
        ..head(&[], 4)
    };
    rows.add("a head for ever", "malformed", &raw(Kind::CHAIN_HEAD, &eternal, &[13]));
    rows
}

/// Some that contradict each other, for the test of the order.
pub(super) fn claims() -> Vec<Statement> {
    let scoped = Endorsement {
        scope: scoped("nl"),
        ..endorsement(4, 60)
    };
    vec![
        raw(Kind::ENDORSEMENT, &endorsement(0, 120), &[13]),
        raw(Kind::ENDORSEMENT, &endorsement(2, 0), &[5]),
        raw(Kind::ENDORSEMENT, &endorsement(2, 7), &[13]),
        raw(Kind::ENDORSEMENT, &endorsement(9, 30), &[41, 42]),
        raw(Kind::ENDORSEMENT, &scoped, &[13]),
        raw(Kind::VETO, &veto(3), &[13]),
        raw(Kind::VETO, &veto(5), &[5]),
        raw(Kind::SUBSIDIARY, &subsidiary(6), &[13]),
        raw(Kind::CHAIN_HEAD, &head(&[], 4), &[13]),
        raw(Kind::CHAIN_HEAD, &head(&[], 6), &[13]),
    ]
}

#[test]
fn the_highest_number_counts_whenever_it_comes() {
    let all = [endorsement(1, 120), endorsement(2, 0), endorsement(3, 60)];
    let check = |order: &[usize], expected: &[Result<Admitted, RosterRefusal>]| {
        let mut roster = roster_of(&guarded_ground());
        roster.take_changes();
        let found: Vec<_> = order
            .iter()
            .map(|which| admit(&mut roster, &raw(Kind::ENDORSEMENT, &all[*which], &[13]), &Strict))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(roster.endorsements().collect::<Vec<_>>(), [&all[2]]);
        assert!(
            roster
                .take_changes()
                .contains(&Concern::Endorsement(all[2].clone().into()))
        );
        assert_eq!(roster.take_changes(), []);
    };
    use Admitted::{Known, New, Newer};
    check(&[0, 1, 2], &[Ok(New), Ok(Newer), Ok(Newer)]);
    check(&[2, 1, 0], &[Ok(New), Ok(Known), Ok(Known)]);
    check(&[1, 2, 1, 2, 0], &[Ok(New), Ok(Newer), Ok(Known), Ok(Known), Ok(Known)]);
}

#[test]
fn stolen_endorsing_keys_are_void_when_a_manifest_says_so() {
    let mut roster = roster_of(&guarded_ground());
    let honest = endorsement(1, 30);
    let theft = endorsement(u64::MAX, 120);
    let mut admit = |statement: &Statement| admit(&mut roster, statement, &Strict);
    assert_eq!(admit(&raw(Kind::ENDORSEMENT, &theft, &[13])), Ok(Admitted::New));
    // Under the next manifest the old key counts as before, unless it is void.
    let next = Manifest {
        void_from: Some(0),
        endorse_key: Some(key(14).public()),
        ..rotated()
    };
    assert_eq!(admit(&raw_manifest(&next, &[41, 42])), Ok(Admitted::New));
    assert_eq!(admit(&raw(Kind::ENDORSEMENT, &honest, &[14])), Ok(Admitted::New));
    assert_eq!(roster.endorsements().collect::<Vec<_>>(), [&honest]);
    let stands = |statement: &Statement| roster.stands_by(statement);
    assert_eq!(stands(&raw(Kind::ENDORSEMENT, &theft, &[13])), Some(false));
    assert_eq!(stands(&raw(Kind::ENDORSEMENT, &honest, &[14])), Some(true));
    assert_eq!(stands(&raw_manifest(&next, &[41, 42])), None, "it is about nobody else");
    let mut plain = roster_of(&guarded_ground());
    for statement in [
        raw_manifest(&rotated(), &[41, 42]),
        raw(Kind::ENDORSEMENT, &honest, &[13]),
    ] {
        assert_eq!(super::cast::admit(&mut plain, &statement, &Strict), Ok(Admitted::New));
    }
    assert_eq!(plain.endorsements().count(), 1);
}

#[test]
fn a_parent_counts_when_both_sides_say_so() {
    let parent = guarded().id();
    let child = Manifest {
        parent: Some(parent),
        ..genesis("Child", &[8], 1)
    };
    let link = |seq: u64, subject: OrgId, withdrawn: bool| {
        let says = Subsidiary {
            subject,
            withdrawn,
            ..subsidiary(seq)
        };
        raw(Kind::SUBSIDIARY, &says, &[13])
    };
    let mut roster = roster_of(&guarded_ground());
    let mut check = |statement: &Statement, expected: Option<OrgId>| {
        assert!(admit(&mut roster, statement, &Strict).is_ok());
        assert_eq!(roster.parent_of(&child.id()), expected);
        assert_eq!(roster.parents().count(), usize::from(expected.is_some()));
    };
    check(&link(1, council().id(), false), None);
    check(&raw_manifest(&child, &[8]), None);
    check(&link(2, child.id(), false), Some(parent));
    check(&link(3, child.id(), true), None);
}

#[test]
fn an_issuer_has_its_own_room() {
    let mut roster = roster_of(&guarded_ground());
    let statement = |number: u64| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        let says = Endorsement {
            subject: OrgId::from_digest(Digest::from_bytes(bytes)),
            ..endorsement(0, 1)
        };
        let bare = raw(Kind::ENDORSEMENT, &says, &[]);
        resigned(&bare, |all| {
            all.push((key(13).public(), Signature::from_bytes([0; 64])))
        })
    };
    let most = crate::limits::ENDORSEMENTS_PER_STRANGER as u64;
    for number in 0..most {
        assert_eq!(admit(&mut roster, &statement(number), &Credulous), Ok(Admitted::New));
    }
    assert_eq!(
        admit(&mut roster, &statement(most), &Credulous),
        Err(RosterRefusal::Full)
    );
    roster.stands(guarded().id(), 1);
    assert_eq!(admit(&mut roster, &statement(most), &Credulous), Ok(Admitted::New));
    assert_eq!(roster.endorsements_of(&guarded().id()).count() as u64, most + 1);
}
