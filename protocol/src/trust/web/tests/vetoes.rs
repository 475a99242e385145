//! Who is vetoed: by whom, about what, and who cannot be.

use super::world::{explained, org, question, told};
use crate::{
    time::Millis,
    trust::web::{Barred, Overruled, Question},
};

#[test]
fn whoever_may_veto_does_and_nobody_else() {
    // 1 may veto, 2 may not; 3, and 4 behind it, stand on both.
    let base = "R->1 120/2 veto, R->2 120/2, 1->3 120/2, 2->3 120/2, 3->4 120/0";
    let check = |more: &str, reach: (u8, u8)| {
        let web = told(&format!("{base}, {more}")).0;
        assert_eq!((web.reach(&org(3)), web.reach(&org(4))), reach, "{more}");
    };
    check("", (120, 120));
    check("1-|3", (0, 0));
    check("1-|4", (120, 0));
    check("2-|3", (120, 120));
    check("5-|3", (120, 120));
    check("0-|3", (0, 0));
    check("1-|3, 1-|3 withdrawn", (120, 120));
    check("1-|3 until:5, now 4", (0, 0));
    check("1-|3 until:5, now 5", (120, 120));
    check("1-|3 from:5, now 4", (120, 120));
    check("1-|3 from:5, now 5", (0, 0));
    check("1-|3, bad 1", (120, 120));
    check("1-|3, forked 1", (120, 120));
    check("1-|3, known 1 until:5, now 5", (120, 120));
    check("1-|3, R->1 0/0, R->1 120/2", (120, 120));
    check("1-|3, R->1 0/0, R->1 59/2 veto", (120, 120));
    check("1-|3, R->1 0/0, R->1 60/2 veto", (0, 0));
    // Whom the operator vouches for himself, or pinned good, nobody vetoes; not even his own organisation.
    check("1-|3, R->3 60/0", (120, 120));
    check("1-|3, good 3", (120, 120));
    check("0-|3, good 3", (120, 120));
    check("0-|3, R->3 60/0 topic:malware", (120, 120));
    // Our own endorsement is no entry of the operator.
    check("1-|3, 0->3 120/0", (0, 0));
    check("1-|2", (120, 120));
    check("1-|0", (120, 120));
    // Those below are vetoed with whom they belong to, not the other way round.
    check("below 4 3, 1-|3", (0, 0));
    check("below 3 5, 1-|5", (0, 0));
    check("below 5 3, 1-|5", (120, 120));
    check("below 3 5, 1-|5, good 3", (120, 120));
}

#[test]
fn the_right_to_veto_is_handed_on() {
    let base = "R->1 120/2 veto, R->2 120/2, 2->3 120/1";
    let check = |more: &str, reach: u8| {
        let web = told(&format!("{base}, {more}")).0;
        assert_eq!(web.reach(&org(3)), reach, "{more}");
    };
    check("1->5 120/1 veto, 5-|3", 0);
    check("1->5 60/1 veto, 5-|3", 0);
    check("1->5 59/1 veto, 5-|3", 120);
    check("1->5 120/1, 5-|3", 120);
    check("2->5 120/1 veto, 5-|3", 120);
    check("1->5 120/1 veto, 5->6 120/0 veto, 6-|3", 0);
    check("1->5 120/0 veto, 5->6 120/0 veto, 6-|3", 120);
    check("1->5 120/1 veto until:7, now 7, 5-|3", 120);
    check("1->5 120/1 veto, unknown 5, 5-|3", 120);
    check("below 5 1, 5-|3", 0);
}

#[test]
fn the_higher_are_heard_first_and_equals_together() {
    // 5 and 6 may veto with as much as is said here; both and 7 stand on 2.
    let check = |five: u8, six: u8, vetoes: &str, reach: (u8, u8, u8)| {
        let text = format!(
            "R->1 120/3 veto, R->2 120/3, 1->5 {five}/0 veto, 1->6 {six}/0 veto, 2->5 120/0, 2->6 120/0, 2->7 120/0, {vetoes}"
        );
        let web = told(&text).0;
        let found = (web.reach(&org(5)), web.reach(&org(6)), web.reach(&org(7)));
        assert_eq!(found, reach, "{text}");
    };
    check(100, 90, "5-|6, 6-|5", (120, 0, 120));
    check(90, 100, "5-|6, 6-|5", (0, 120, 120));
    check(90, 90, "5-|6, 6-|5", (0, 0, 120));
    check(100, 90, "5-|6, 6-|7", (120, 0, 120));
    check(90, 100, "5-|6, 6-|7", (120, 0, 0));
    check(90, 90, "5-|6, 6-|7", (120, 0, 0));
    check(100, 90, "5-|6, 6-|7, 1-|5", (0, 120, 0));
    check(100, 90, "5-|6, 6-|7, 0-|5", (0, 120, 0));
    check(100, 90, "5-|6, 6-|7, 0-|5, good 5", (120, 0, 120));
    // Who is vetoed by its own standing loses it nowhere else: standing comes from the graph without vetoes.
    check(120, 120, "5-|6, 6-|5, 5-|7", (0, 0, 0));
}

#[test]
fn a_veto_has_a_scope() {
    let check = |more: &str, asked: &str, full: u32| {
        let mut web = told(&format!("R->1 120/2 veto, R->2 120/2, 2->3 120/0, {more}")).0;
        assert_eq!(web.full(&org(3), &question(asked)), full, "{more} {asked}");
        assert_eq!(
            web.reach(&org(3)),
            120,
            "who is vetoed about something is connected all the same"
        );
    };
    check("1-|3 topic:phishing", "phishing", 0);
    check("1-|3 topic:phishing", "malware", 120);
    check("1-|3 topic:phishing", "phishing,malware", 120);
    check("1-|3 topic:phishing", "", 120);
    check("1-|3 under:nl", "/a.nl", 0);
    check("1-|3 under:nl", "phishing/a.nl", 0);
    check("1-|3 under:nl", "/a.de", 120);
    // The right has one too.
    check("1->5 120/0 veto topic:phishing, 5-|3 topic:phishing", "phishing", 0);
    check("1->5 120/0 veto topic:phishing, 5-|3", "phishing", 0);
    check("1->5 120/0 veto topic:phishing, 5-|3", "malware", 120);
    check("1->5 120/0 veto topic:phishing, 5-|3", "", 120);
    // So has what the operator says himself.
    check("1-|3 topic:phishing, R->3 60/0 topic:phishing", "phishing", 120);
    check("1-|3 topic:phishing, R->3 60/0 topic:malware", "phishing", 0);
}

#[test]
fn an_objection_says_why_it_does_not_count() {
    let base = "R->1 120/2 veto, R->2 120/2, 2->3 120/0";
    let check = |more: &str, why: Option<Overruled>| {
        let mut web = told(&format!("{base}, {more}")).0;
        let found = explained(&mut web, 3, &Question::default());
        let whys: Vec<_> = found.objections.iter().map(|one| one.why).collect();
        assert_eq!(whys, [why], "{more}");
        assert_eq!(found.vetoed_by.is_some(), why.is_none(), "{more}");
        assert_eq!(found.best == 0, why.is_none(), "{more}");
    };
    check("1-|3", None);
    check("0-|3", None);
    check("below 3 7, 1-|7", None);
    check("1-|3 withdrawn", Some(Overruled::Withdrawn));
    check("1-|3, bad 1", Some(Overruled::IssuerBarred(Barred::PinnedBad)));
    check("1-|3 from:5", Some(Overruled::NotYet(Millis(5))));
    check("1-|3 until:5, now 5", Some(Overruled::Expired(Millis(5))));
    check("1-|3 topic:phishing", Some(Overruled::OutOfScope));
    check("1-|3, good 3", Some(Overruled::Immune));
    check("2-|3", Some(Overruled::NoRight(0)));
    check("1->5 59/0 veto, 5-|3", Some(Overruled::NoRight(59)));
    check("1->5 100/0 veto, 5-|3, 1-|5", Some(Overruled::IssuerVetoedBy(org(1))));
}
