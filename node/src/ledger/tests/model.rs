//! Any order of changes, with repeats, restarts and slices, against a model that keeps nothing but the changes' meaning.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
    test_runner::{Config, TestRunner},
};
use starfish_protocol::engine::port::Change;

use crate::ledger::search::Search;

use super::{
    Bench, NOW,
    author::{Author, Made, cut, uncut},
};

/// What may happen; numbers are taken modulo what there is.
#[derive(Clone, Debug)]
enum Step {
    Header(usize),
    Body(usize),
    Whole(usize),
    Judge(usize, bool),
    /// The author's log counts up to this number; `None` takes that back.
    Cut(usize, Option<u64>),
    Release(usize),
    Work,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => any::<usize>().prop_map(Step::Header),
        4 => any::<usize>().prop_map(Step::Body),
        4 => any::<usize>().prop_map(Step::Whole),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(org, believed)| Step::Judge(org, believed)),
        1 => (any::<usize>(), proptest::option::of(0..4u64)).prop_map(|(author, last)| Step::Cut(author, last)),
        1 => any::<usize>().prop_map(Step::Release),
        1 => Just(Step::Work),
        1 => Just(Step::Reopen),
    ];
    vec(step, 1..60)
}

/// One record of the world: whose it is, its values, and what it withdraws.
struct Thing {
    made: Made,
    author: usize,
    values: Vec<String>,
    withdraws: Option<(usize, Vec<String>)>,
}

/// Three organisations whose records overlap, some large, some withdrawn in part or twice.
fn world() -> (Vec<Author>, Vec<Thing>) {
    let mut authors: Vec<Author> = (1..=3).map(Author::new).collect();
    let mut things: Vec<Thing> = Vec::new();
    for (author, range) in [
        (0, 0..4),
        (1, 2..6),
        (2, 0..150),
        (0, 100..240),
        (1, 3..4),
        (2, 3..8),
        (0, 0..4),
    ] {
        let values: Vec<String> = range
            .clone()
            .map(|number| format!("name-{number:06}.example"))
            .collect();
        let made = authors[author].publish_names(range.start, range.end);
        things.push(Thing {
            made,
            author,
            values,
            withdraws: None,
        });
    }
    for (author, target, values) in [
        (0, 0, 1..3),
        (0, 0, 2..4),
        (1, 1, 0..0),
        (2, 2, 5..6),
        (1, 2, 0..0),
        (0, 3, 0..0),
        (2, 5, 3..4),
    ] {
        let values: Vec<String> = Clone::clone(&values)
            .map(|number| format!("name-{number:06}.example"))
            .collect();
        let texts: Vec<&str> = values.iter().map(String::as_str).collect();
        let target_made = things[target].made.clone();
        let made = authors[author].withdraw(&target_made, &texts);
        things.push(Thing {
            made,
            author,
            values: Vec::new(),
            withdraws: Some((target, values)),
        });
    }
    (authors, things)
}

#[derive(Default)]
struct Model {
    headers: BTreeSet<usize>,
    bodies: BTreeSet<usize>,
    believed: BTreeMap<usize, bool>,
    cuts: BTreeMap<usize, u64>,
    released: BTreeSet<usize>,
}

impl Model {
    /// A log has no holes: a header is taken with all those before it.
    fn take(&mut self, things: &[Thing], index: usize) -> Vec<Change> {
        let mut changes = Vec::new();
        for (before, thing) in things.iter().enumerate().take(index + 1) {
            if thing.author == things[index].author && self.headers.insert(before) {
                changes.push(thing.made.bare());
            }
        }
        changes
    }

    fn is_void(&self, thing: &Thing) -> bool {
        let last = self.cuts.get(&thing.author);
        last.is_some_and(|last| thing.made.header.seq > *last)
    }

    fn believes(&self, things: &[Thing], index: usize) -> bool {
        let thing = &things[index];
        let counts = self.believed.get(&thing.author).copied().unwrap_or(true) || self.released.contains(&index);
        counts && !self.is_void(thing)
    }

    /// Everything that is shown, marked when withdrawn.
    fn shown(&self, things: &[Thing], believed: bool) -> Vec<String> {
        let mut shown = Vec::new();
        for index in &self.bodies {
            let thing = &things[*index];
            if self.believes(things, *index) != believed {
                continue;
            }
            for value in &thing.values {
                let gone = self.bodies.iter().any(|by| {
                    let by = &things[*by];
                    by.author == thing.author
                        && !self.is_void(by)
                        && by.withdraws.as_ref().is_some_and(|(target, values)| {
                            target == index && (values.is_empty() || values.contains(value))
                        })
                });
                shown.push(format!("{value}{}", if gone { " -" } else { "" }));
            }
        }
        shown.sort();
        shown
    }

    /// While a withdrawal's content is missing, more may be hidden than the model says.
    fn is_settled(&self, things: &[Thing]) -> bool {
        self.headers.iter().all(|index| {
            let thing = &things[*index];
            thing.withdraws.is_none() || self.bodies.contains(index) || self.is_void(thing)
        })
    }
}

fn play(authors: &[Author], things: &[Thing], steps: Vec<Step>) {
    let (mut bench, mut model) = (Bench::new(), Model::default());
    for step in steps {
        match step {
            Step::Header(index) => {
                bench.apply(&model.take(things, index % things.len()));
            }
            Step::Body(index) if model.headers.contains(&(index % things.len())) => {
                bench.apply(&[things[index % things.len()].made.content()]);
                model.bodies.insert(index % things.len());
            }
            Step::Body(_) => {}
            Step::Whole(index) => {
                let index = index % things.len();
                let mut changes = model.take(things, index);
                changes.push(things[index].made.content());
                bench.apply(&changes);
                model.bodies.insert(index);
            }
            Step::Judge(author, believed) => {
                let author = author % authors.len();
                bench.apply(&[authors[author].judged(believed)]);
                model.believed.insert(author, believed);
            }
            Step::Cut(author, last) => {
                let author = author % authors.len();
                let mut theirs = things.iter().filter(|thing| thing.author == author);
                let place = last.unwrap_or_default();
                let made = &theirs.find(|thing| thing.made.header.seq >= place);
                let made = made.or_else(|| things.iter().rfind(|thing| thing.author == author));
                let made = &made.expect("a thing").made;
                bench.apply(&[if last.is_some() { cut(made, last) } else { uncut(made) }]);
                match last {
                    Some(last) => model.cuts.insert(author, last),
                    None => model.cuts.remove(&author),
                };
            }
            Step::Release(index) => {
                let index = index % things.len();
                bench.apply(&[Change::Release(things[index].made.id())]);
                model.released.insert(index);
            }
            Step::Work => bench.work(),
            Step::Reopen => bench.reopen(),
        }
    }
    bench.work();
    bench.is_clean();
    if !model.is_settled(things) {
        return;
    }
    for believed in [true, false] {
        let search = Search::all().at(NOW).in_quarantine(!believed);
        let mut found = bench.finds(&search);
        found.sort();
        let mut expected = model.shown(things, believed);
        // Two of the records have the same body: one brings the other's.
        if model.headers.contains(&0)
            && model.headers.contains(&6)
            && model.bodies.contains(&0) != model.bodies.contains(&6)
        {
            model.bodies.extend([0, 6]);
            expected = model.shown(things, believed);
        }
        assert_eq!(found, expected, "believed: {believed}");
        let distinct: BTreeSet<&String> = expected.iter().filter(|text| !text.ends_with('-')).collect();
        let counts = bench.ledger.counts();
        let counted = if believed {
            counts.observables
        } else {
            counts.held_observables
        };
        assert_eq!(counted, distinct.len() as u64, "believed: {believed}");
    }
    let entries = bench.ledger.entries(0, 10_000).expect("memory");
    assert!(
        entries
            .iter()
            .map(|entry| entry.serial)
            .eq(1..=bench.ledger.counts().serial)
    );
}

#[test]
fn any_order_leads_to_what_the_changes_mean() {
    let config = Config {
        cases: 64,
        max_shrink_iters: 300,
        failure_persistence: None,
        ..Config::default()
    };
    let (authors, things) = world();
    let run = TestRunner::new(config).run(&steps(), |steps| {
        play(&authors, &things, steps);
        Ok(())
    });
    run.expect("the ledger behaves as the model");
}
