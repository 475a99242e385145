//! The steps of the policies: what gets onto an output's list, and what takes it off again.

use super::*;

#[test]
fn a_policy_says_what_is_missing() {
    let check = |policy: &Policy, claims: &[Claim], missing: &[Missing]| {
        let found = of_five(claims);
        let evidence = Evidence {
            fresh: &found,
            held: &found,
            expires_at: Millis(NOW.0 + DAY),
            released: false,
        };
        assert_eq!(policy.missing(evidence, NOW), missing, "{claims:?}");
    };
    let named = |number: u32| BTreeSet::from([org(number)]);
    let low = |has: u32, needs: u32| Missing::Score { has, needs };
    check(&Policy::TwoSource, &[report(1), report(2)], &[]);
    check(
        &Policy::TwoSource,
        &[report(1)],
        &[low(750, 800), Missing::SecondSource],
    );
    check(&Policy::TwoSource, &[report(1), sighting(2)], &[]);
    check(
        &Policy::TwoSource,
        &[report(2), report(3), report(4)],
        &[low(750, 800), Missing::SecondSource],
    );
    check(&Policy::Score(700), &[report(1)], &[]);
    check(&Policy::Score(760), &[report(1)], &[low(750, 760)]);
    check(&Policy::Named(named(5)), &[claim(5, Kind::Report, 10, 0)], &[]);
    check(&Policy::Named(named(5)), &[report(1)], &[Missing::Named(named(5))]);
    check(&Policy::Named(named(9)), &[report(9)], &[Missing::Named(named(9))]);
    check(
        &Policy::Named(named(5)),
        &[report(5), dispute(1), dispute(2)],
        &[Missing::Disputed],
    );
    let all = [low(0, 1), Missing::Released, Missing::Expired];
    let nothing = of_five(&[]);
    let evidence = Evidence {
        fresh: &nothing,
        held: &nothing,
        expires_at: NOW,
        released: true,
    };
    assert_eq!(Policy::Score(1).missing(evidence, NOW), all);
}

/// One observable in one output, from step to step.
struct Output {
    policy: Policy,
    place: Place,
    expires_at: Millis,
    released: bool,
}

impl Output {
    fn new(policy: Policy) -> Self {
        Self {
            policy,
            place: Place::Out,
            expires_at: Millis(NOW.0 + 30 * DAY),
            released: false,
        }
    }

    fn step(&mut self, edges: &[Edge], claims: &[Claim], days: u64) -> Option<Change> {
        let now = Millis(NOW.0 + days * DAY);
        let since = match self.place {
            Place::Listed { since, .. } => since,
            Place::Out => now,
        };
        let evidence = Evidence {
            fresh: &judged(edges, claims, now),
            held: &judged(edges, claims, since),
            expires_at: self.expires_at,
            released: self.released,
        };
        let (place, change) = self.policy.step(self.place, evidence, now);
        self.place = place;
        assert_eq!(
            self.policy.step(place, evidence, now).1,
            None,
            "a repeated step changes nothing"
        );
        change
    }
}

#[test]
fn what_is_listed_stays_until_something_is_said() {
    let both = [report(1), report(2)];
    let mut output = Output::new(Policy::TwoSource);
    assert_eq!(output.step(&five(), &both[..1], 0), None);
    assert_eq!(output.step(&five(), &both, 0), Some(Change::Listed));
    assert_eq!(output.step(&five(), &both, 29), None, "age alone unlists nothing");
    assert!(judged(&five(), &both, Millis(NOW.0 + 29 * DAY)).score() < SURE_AT_LISTING);
    assert_eq!(output.step(&five(), &both[..1], 29), None, "one of two is still 750");
    assert_eq!(output.step(&five(), &[], 29), Some(Change::Unlisted(Why::Doubted)));
    assert_eq!(output.step(&five(), &both, 29), None, "too old to be listed again");
}

/// What `two-source` asks for.
const SURE_AT_LISTING: u32 = 800;

#[test]
fn each_reason_ends_a_listing() {
    let both = [report(1), report(2)];
    let check = |change: &dyn Fn(&mut Output) -> Option<Change>, expected: Option<Change>| {
        let mut output = Output::new(Policy::TwoSource);
        assert_eq!(output.step(&five(), &both, 0), Some(Change::Listed));
        assert_eq!(change(&mut output), expected);
    };
    let unlisted = |why: Why| Some(Change::Unlisted(why));
    check(&|output| output.step(&five(), &both, 30), unlisted(Why::Expired));
    check(&|output| output.step(&five()[..1], &both, 1), None);
    check(&|output| output.step(&[], &both, 1), unlisted(Why::Doubted));
    let release = |output: &mut Output| {
        output.released = true;
        output.step(&five(), &both, 1)
    };
    check(&release, unlisted(Why::Released));
}

#[test]
fn one_dispute_asks_and_two_release() {
    // Five roots: two report, three may dispute.
    let edges: Vec<Edge> = (1..6).map(|number| said(0, number, 120, 0)).collect();
    let both = vec![report(1), report(2)];
    let with = |disputes: &[u32]| {
        both.iter()
            .cloned()
            .chain(disputes.iter().copied().map(dispute))
            .collect::<Vec<_>>()
    };
    let mut output = Output::new(Policy::Score(400));
    assert_eq!(output.step(&edges, &both, 0), Some(Change::Listed));
    assert_eq!(output.step(&edges, &with(&[3]), 1), Some(Change::UnderReview));
    assert_eq!(output.step(&edges, &with(&[3]), 2), None);
    assert_eq!(output.step(&edges, &both, 3), Some(Change::Undisputed));
    assert_eq!(
        output.step(&edges, &with(&[3, 4]), 4),
        Some(Change::Unlisted(Why::Disputed))
    );
    assert_eq!(output.step(&edges, &with(&[3, 4]), 5), None);
    let mut named = Output::new(Policy::Named(BTreeSet::from([org(1)])));
    assert_eq!(named.step(&edges, &with(&[3]), 0), Some(Change::Listed));
    assert_eq!(
        named.place,
        Place::Listed {
            since: NOW,
            review: true
        }
    );
    assert_eq!(
        named.step(&edges, &[report(2)], 1),
        Some(Change::Unlisted(Why::Doubted))
    );
}
