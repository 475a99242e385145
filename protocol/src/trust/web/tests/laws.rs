//! Laws that hold whatever is told (design, trust 4.4): order and repetition change nothing, following every change is as good
//! as beginning anew, nothing is judged otherwise that was not said to be, and the bounds on what sybils can do.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*, sample::select};

use super::accepting::covers;
use super::world::{
    Answers, Flags, Step, World, answers, empty, endorsement, explained, good_papers, org, questions, veto,
};
use crate::{
    organisation::OrgId,
    statement::{Endorsement, FULL, Freeze},
    time::Millis,
    trust::{
        Pin, Root,
        flow::{Supply, flow},
        web::{Question, Web, grounds::Papers},
    },
};

/// The organisations of these webs; 0 is our own.
const ORGS: std::ops::Range<u32> = 0..8;

fn flags() -> impl Strategy<Value = Flags> {
    let scope = select(vec![
        "",
        "",
        "",
        "topic:malware",
        "topic:phishing",
        "under:nl",
        "under:a.nl",
        "topic:malware under:nl",
    ]);
    let times = (0u64..12, 1u64..20, 0u8..4);
    let marks = select(vec!["", "veto", "green", "veto green", "veto green"]);
    (scope, marks, times).prop_map(|(scope, marks, (from, lasts, bounded))| {
        let words: Vec<&str> = scope.split(' ').chain(marks.split(' ')).collect();
        let mut flags = Flags::read(&words);
        if bounded == 0 {
            (flags.from, flags.until) = (Millis(from), Millis(from + lasts));
        }
        flags
    })
}

fn said() -> impl Strategy<Value = ((u32, u32), (u8, u8), Flags)> {
    let amount = select(vec![0u8, 30, 60, 60, 90, 120, 120]);
    let pair = (ORGS, ORGS).prop_filter("nobody vouches for itself", |(from, to)| from != to);
    (pair, (amount, 0u8..5), flags())
}

fn any_step() -> impl Strategy<Value = Step> {
    let root = (1u32..8, vec((30u8..=120, 0u8..5, flags()), 0..3));
    let root = root.prop_map(|(number, entries)| {
        let entries = entries.into_iter().map(|(amount, depth, flags)| {
            let says = endorsement((0, number), (amount, depth), &flags);
            root_of(&says)
        });
        Step::Roots(number, entries.collect())
    });
    let pin = select(vec![None, Some(Pin::Good), Some(Pin::Bad)]);
    let frozen = select(vec![None, None, Some(Freeze::Retired), Some(Freeze::Forked { seq: 1 })]);
    let papers = (frozen, 5u64..40, 0u8..4).prop_map(|(frozen, until, known)| {
        let until = Millis(until);
        (known > 0).then_some(Papers { frozen, until })
    });
    prop_oneof![
        12 => said().prop_map(|(pair, amount, flags)| Step::Endorse(endorsement(pair, amount, &flags))),
        4 => root,
        4 => vetoes(),
        2 => (ORGS, pin).prop_map(|(number, pin)| Step::Pin(number, pin)),
        2 => (ORGS, proptest::option::of(ORGS)).prop_map(|(child, parent)| Step::Parent(child, parent)),
        2 => (ORGS, papers).prop_map(|(number, papers)| Step::Papers(number, papers)),
        2 => (0u64..40).prop_map(|now| Step::Now(Millis(now))),
    ]
}

fn vetoes() -> impl Strategy<Value = Step> {
    let pair = (ORGS, ORGS).prop_filter("nobody vetoes itself", |(issuer, subject)| issuer != subject);
    (pair, flags(), any::<bool>()).prop_map(|((issuer, subject), mut flags, withdrawn)| {
        if withdrawn {
            flags.words.insert("withdrawn".to_owned());
        }
        Step::Veto(veto(issuer, subject, &flags))
    })
}

fn root_of(says: &Endorsement) -> Root {
    Root {
        org: says.subject,
        amount: says.amount,
        depth: says.depth,
        scope: says.scope.clone(),
        may_veto: says.may_veto,
        receive_green: says.receive_green,
    }
}

fn all(web: &mut Web) -> Vec<Answers> {
    ORGS.map(|number| answers(web, number)).collect()
}

fn weight(web: &mut Web, question: &Question, set: &[u32]) -> u32 {
    let judged = web.judged(question);
    let nodes = set.iter().filter_map(|number| judged.node_of(&org(*number)));
    let supplies: BTreeMap<u32, Supply> = nodes.map(|node| (node, Supply::from(u32::from(FULL)))).collect();
    flow(judged.view.graph, judged.view.standing, &supplies, u32::MAX).value
}

/// A step that says nothing but who vouches for whom.
fn plain() -> impl Strategy<Value = Step> {
    let root = (1u32..8, 30u8..=120, 0u8..5).prop_map(|(number, amount, depth)| {
        let root = Root {
            amount,
            depth,
            ..Root::paired(org(number))
        };
        Step::Roots(number, vec![root])
    });
    let said = said().prop_map(|(pair, amount, flags)| Step::Endorse(endorsement(pair, amount, &flags)));
    prop_oneof![1 => root, 3 => said]
}

fn told(steps: &[Step]) -> (Web, World) {
    let (mut web, mut world) = (empty(), World::default());
    steps.iter().for_each(|step| world.take(&mut web, step));
    (web, world)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn following_is_as_good_as_beginning_anew(steps in vec(any_step(), 1..40)) {
        let (mut web, world) = told(&steps);
        let mut again = world.again();
        for number in ORGS {
            prop_assert_eq!(answers(&mut web, number), answers(&mut again, number));
            prop_assert_eq!(web.witness(&org(number)), again.witness(&org(number)));
            let question = &questions()[steps.len() % 3];
            let (one, two) = (explained(&mut web, number, question), explained(&mut again, number, question));
            prop_assert_eq!(one, two);
        }
        prop_assert_eq!(web.next_change(), again.next_change());
        let reached = |web: &Web| web.reached().collect::<std::collections::BTreeSet<OrgId>>();
        prop_assert_eq!(reached(&web), reached(&again));
        for number in ORGS {
            prop_assert_eq!(reached(&web).contains(&org(number)), web.reach(&org(number)) > 0);
        }
    }

    #[test]
    fn nobody_is_judged_otherwise_who_was_not_touched(steps in vec(any_step(), 1..25)) {
        let (mut web, mut world) = (empty(), World::default());
        let mut before = all(&mut web);
        web.take_touched();
        for step in &steps {
            world.take(&mut web, step);
            let touched = web.take_touched();
            let after = all(&mut web);
            for (number, (was, is)) in ORGS.zip(before.iter().zip(&after)) {
                prop_assert!(was == is || touched.contains(&org(number)), "{} by {:?}", number, step);
            }
            before = after;
        }
    }

    #[test]
    fn what_is_told_twice_touches_nobody(steps in vec(any_step(), 1..25)) {
        let (mut web, mut world) = told(&steps);
        web.take_touched();
        let last = steps.last().expect("there is one");
        world.take(&mut web, last);
        prop_assert_eq!(web.take_touched(), Default::default());
    }

    #[test]
    fn acceptance_is_what_each_question_says(steps in vec(any_step(), 1..40)) {
        let (mut web, _) = told(&steps);
        for number in ORGS {
            let acceptance = web.acceptance(&org(number));
            for topic in ["malware", "phishing", "ddos"] {
                for name in ["", "x.nl", "x.a.nl", "x.de"] {
                    let question = super::world::question(&format!("{topic}/{name}"));
                    let believed = number == 0 || web.full(&org(number), &question) >= 60;
                    let covered = covers(&acceptance, topic, name);
                    // An exception may take away too much where somebody cannot be vetoed, never too little.
                    prop_assert!(believed || !covered, "{} {} {}", number, topic, name);
                    prop_assert!(covered || !believed || !acceptance.exceptions().is_empty());
                }
            }
        }
    }

    #[test]
    fn more_is_never_less(steps in vec(plain(), 1..30), more in said()) {
        let (mut web, mut world) = told(&steps);
        let before = all(&mut web);
        // What is said for the first time replaces nothing, however much it is.
        let (pair, (amount, depth), flags) = more;
        for number in 0..40 {
            let mut flags = flags.clone();
            flags.words.insert(format!("topic:a-new-one-{number}"));
            world.take(&mut web, &Step::Endorse(endorsement(pair, (amount, depth), &flags)));
        }
        for (was, is) in before.iter().zip(all(&mut web)) {
            prop_assert!(was.reach <= is.reach && was.confides <= is.confides);
            let full = was.full.iter().zip(&is.full);
            prop_assert!(full.into_iter().all(|(was, is)| was.1 <= is.1));
            for topic in ["malware", "phishing", "ddos"] {
                for name in ["", "x.nl", "x.a.nl", "x.de"] {
                    let covered = |answers: &Answers| covers(&answers.acceptance, topic, name);
                    prop_assert!(!covered(was) || covered(&is), "{} {}: {:?} {:?}", topic, name, was, is);
                }
            }
        }
    }

    #[test]
    fn what_does_not_count_is_as_if_it_had_not_been_said(steps in vec(any_step(), 1..30), said in said(), way in 0u8..4) {
        let (mut without, mut world) = told(&steps);
        let (mut with, mut other) = told(&steps);
        let (pair, (amount, depth), mut flags) = said;
        // Nothing in these webs is said in this scope, and nothing is asked.
        flags.words = ["topic:unasked".to_owned(), "veto".to_owned()].into();
        let over = Step::Now(Millis(60));
        match way {
            0 => (flags.from, flags.until) = (Millis(0), Millis(60)),
            1 => flags.from = Millis(61),
            2 => {}
            _ => other.take(&mut with, &Step::Endorse(endorsement(pair, (amount, depth), &flags))),
        }
        let amount = if way == 3 { 0 } else { amount };
        other.take(&mut with, &Step::Endorse(endorsement(pair, (amount, depth), &flags)));
        world.take(&mut without, &over);
        other.take(&mut with, &over);
        for (one, two) in all(&mut without).iter().zip(all(&mut with)) {
            prop_assert_eq!(&one.full, &two.full);
            // What is said in a scope that nobody asks about connects all the same, and is believed there.
            prop_assert!(way == 2 || one.acceptance == two.acceptance);
            prop_assert!(way == 2 || (one.reach, one.confides) == (two.reach, two.confides));
        }
    }

    #[test]
    fn sybils_have_what_was_endorsed_to_them(steps in vec(plain(), 1..25), among in vec(said(), 0..20), attacks in vec((1u32..8, 1u8..=120), 0..4)) {
        let (mut web, mut world) = told(&steps);
        let honest: Vec<u32> = (1..8).collect();
        let before = weight(&mut web, &Question::default(), &honest);
        let mut bound = 0;
        let mut said: BTreeMap<(u32, u32), u8> = BTreeMap::new();
        for (from, amount) in attacks {
            said.insert((from, 11), amount);
        }
        for ((from, to), amount) in &said {
            bound += u32::from(*amount);
            let flags = Flags::read(&[]);
            world.take(&mut web, &Step::Endorse(endorsement((*from, *to), (*amount, 7), &flags)));
        }
        // The sybils are 10 to 17; whatever they say of each other and of others adds nothing.
        for ((from, to), (amount, depth), _) in among {
            let to = if to % 3 == 0 { to } else { 10 + to };
            let says = endorsement((10 + from, to), (amount, depth), &Flags::read(&[]));
            world.take(&mut web, &Step::Endorse(says));
        }
        let sybils: Vec<u32> = (10..18).collect();
        for sybil in &sybils {
            prop_assert!(web.full(&org(*sybil), &Question::default()) <= bound);
            prop_assert!(u32::from(web.reach(&org(*sybil))) <= bound);
        }
        prop_assert!(weight(&mut web, &Question::default(), &sybils) <= bound);
        let all: Vec<u32> = honest.into_iter().chain(sybils).collect();
        prop_assert!(weight(&mut web, &Question::default(), &all) <= before + bound);
    }

    #[test]
    fn time_changes_nothing_before_it_says_so(steps in vec(any_step(), 1..30)) {
        let (mut web, mut world) = told(&steps);
        let before = all(&mut web);
        let Some(next) = web.next_change() else { return Ok(()) };
        world.take(&mut web, &Step::Now(Millis(next.0 - 1)));
        prop_assert_eq!(&before, &all(&mut web));
        let question = Question::default();
        let explanations: Vec<_> = ORGS.map(|number| explained(&mut web, number, &question)).collect();
        // What an explanation says of the time to come, comes.
        for (number, before) in ORGS.zip(explanations) {
            let Some(at) = before.changes_at else { continue };
            let mut later = world.clone();
            let mut web = later.again();
            later.take(&mut web, &Step::Now(Millis(at.0 - 1)));
            let still = explained(&mut web, number, &question);
            prop_assert_eq!((still.gates, still.marks, still.best), (before.gates, before.marks, before.best));
            later.take(&mut web, &Step::Now(at));
            let then = explained(&mut web, number, &question);
            prop_assert_ne!((then.marks, then.best), (before.marks, before.best));
        }
    }
}

#[test]
fn what_was_unknown_is_told_in_time() {
    let (mut web, mut world) = (empty(), World::default());
    let stranger = 30;
    for step in super::world::steps("R->1 120/2, 1->30 120/1, 30->2 120/0") {
        world.take(&mut web, &step);
    }
    assert_eq!((web.reach(&org(stranger)), web.reach(&org(2))), (0, 0));
    web.take_touched();
    world.take(&mut web, &Step::Papers(stranger, Some(good_papers())));
    assert_eq!((web.reach(&org(stranger)), web.reach(&org(2))), (120, 120));
    assert_eq!(web.take_touched(), [org(2), org(stranger)].into());
}
