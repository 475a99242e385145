//! Heads of chains: what is withheld shows, and a head can be made before everybody has signed what it confirms.

use starfish_crypto::Strict;

use super::{cast::*, claims::head};
use crate::{statement::*, time::Millis};

#[test]
fn what_is_withheld_shows() {
    let statements: Vec<Statement> = [endorsement(1, 120), endorsement(2, 0)]
        .map(|says| raw(Kind::ENDORSEMENT, &says, &[13]))
        .to_vec();
    let issuer = guarded().id();
    let mut roster = roster_of(&guarded_ground());
    let mut check = |statement: &Statement, expected: Chain| {
        let _ = admit(&mut roster, statement, &Strict);
        assert_eq!(roster.chain(&issuer, Millis(150 * DAY)), expected);
        assert_eq!(
            roster.chain(&issuer, Millis(300 * DAY)) == Chain::Stale,
            expected == Chain::Whole
        );
    };
    check(&statements[0], Chain::Unknown);
    check(
        &raw(Kind::CHAIN_HEAD, &head(&[statements[0].id()], 1), &[13]),
        Chain::Whole,
    );
    // The second one is withheld, then comes.
    check(
        &raw(Kind::CHAIN_HEAD, &head(&[statements[1].id()], 2), &[13]),
        Chain::Withheld,
    );
    check(&statements[1], Chain::Whole);
    check(&raw(Kind::VETO, &veto(3), &[13]), Chain::Ahead);
    assert_eq!(roster.next_in_chain(&issuer).0, 4);
    assert_eq!(roster.next_in_chain(&council().id()), (0, Digest::ZERO));
    // An older head does not come back.
    assert_eq!(
        admit(&mut roster, &raw(Kind::CHAIN_HEAD, &head(&[], 0), &[13]), &Strict),
        Ok(Admitted::Known)
    );
}

#[test]
fn a_head_is_made_before_everybody_has_signed() {
    let issuer = guarded().id();
    let mut roster = roster_of(&guarded_ground());
    let mut check = |further: Vec<(Statement, Statement)>| {
        let (unsigned, signed): (Vec<_>, Vec<_>) = further.into_iter().unzip();
        let expected = roster.standing_with(&issuer, &unsigned);
        for statement in &signed {
            assert!(admit(&mut roster, statement, &Strict).is_ok());
        }
        assert_eq!(expected, Ok(roster.standing_of(&issuer)));
    };
    let endorses = |seq, amount| [&[][..], &[13]].map(|keys| raw(Kind::ENDORSEMENT, &endorsement(seq, amount), keys));
    let vetoes = |seq| [&[][..], &[13]].map(|keys| raw(Kind::VETO, &veto(seq), keys));
    check(Vec::new());
    check(vec![endorses(1, 120).into()]);
    check(vec![endorses(2, 60).into(), vetoes(3).into()]);
    check(vec![endorses(4, 0).into(), endorses(5, 7).into()]);
    let other = raw(Kind::CHAIN_HEAD, &head(&[], 6), &[]);
    assert_eq!(roster.standing_with(&issuer, &[other]), Err(StatementError::Encoding));
}
