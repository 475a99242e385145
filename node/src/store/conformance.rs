//! What every store must do, run against a model: a `BTreeMap` a space.

use std::{collections::BTreeMap, ops::ControlFlow};

use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
    test_runner::{Config, TestRunner},
};

use super::{BATCH_KEYS, Batch, Space, Store, StoreError};

type Model = BTreeMap<(Space, Vec<u8>), Vec<u8>>;

/// One step of a random run.
#[derive(Clone, Debug)]
enum Step {
    Write(Vec<(Space, Vec<u8>, Option<Vec<u8>>)>),
    Add(Space, Vec<(Vec<u8>, Vec<u8>)>),
    Get(Space, Vec<u8>),
    Scan(Space, Vec<u8>, usize),
    Flush,
}

/// The whole suite; `open` gives an empty store each time.
pub(crate) fn all<S: Store>(open: impl Fn() -> S) {
    behaves_as_the_model(&open);
    batches_are_bounded(&open());
    large_values_are_kept(&open());
    scans_stop_when_told(&open());
    callbacks_may_read(&open());
    later_writes_win(&open());
    many_rows_are_added(&open());
}

/// Every row of a store.
pub(crate) fn rows<S: Store + ?Sized>(store: &S) -> Model {
    let mut found = Model::new();
    for space in Space::ALL {
        let collect = &mut |key: &[u8], value: &[u8]| {
            found.insert((space, key.to_vec()), value.to_vec());
            ControlFlow::Continue(())
        };
        store.scan(space, &[], collect).expect("the store can be read");
    }
    found
}

fn spaces() -> impl Strategy<Value = Space> {
    prop_oneof![
        Just(Space::Meta),
        Just(Space::Seen),
        Just(Space::Held),
        Just(Space::Bodies)
    ]
}

/// Few and short, so that keys meet and one is the beginning of another.
fn keys() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![Just(0u8), Just(1), Just(0xff), any::<u8>()], 0..4)
}

fn steps() -> impl Strategy<Value = Step> {
    let write = (
        spaces(),
        keys(),
        proptest::option::weighted(0.7, vec(any::<u8>(), 0..40)),
    );
    prop_oneof![
        4 => vec(write, 0..60).prop_map(Step::Write),
        2 => (spaces(), vec((keys(), vec(any::<u8>(), 0..9)), 0..30)).prop_map(|(space, rows)| Step::Add(space, rows)),
        2 => (spaces(), keys()).prop_map(|(space, key)| Step::Get(space, key)),
        2 => (spaces(), keys(), 0usize..100).prop_map(|(space, key, limit)| Step::Scan(space, key, limit)),
        1 => Just(Step::Flush),
    ]
}

fn behaves_as_the_model<S: Store>(open: &impl Fn() -> S) {
    let mut runner = TestRunner::new(Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    });
    let run = runner.run(&vec(steps(), 1..40), |steps| {
        let (store, mut model) = (open(), Model::new());
        for step in steps {
            take(&store, &mut model, step);
        }
        assert_eq!(rows(&store), model);
        Ok(())
    });
    run.expect("the store behaves as the model");
}

fn take<S: Store>(store: &S, model: &mut Model, step: Step) {
    match step {
        Step::Write(writes) => {
            let mut batch = Batch::default();
            for (space, key, value) in writes {
                match value {
                    Some(value) => {
                        batch.put(space, key.clone(), value.clone());
                        model.insert((space, key), value);
                    }
                    None => {
                        batch.delete(space, key.clone());
                        model.remove(&(space, key));
                    }
                }
            }
            store.write(&batch).expect("a batch within the limit");
        }
        Step::Add(space, mut rows) => {
            // A key twice in one call has no order.
            rows.sort();
            rows.dedup_by(|one, two| one.0 == two.0);
            let mut expected = Vec::new();
            for (place, (key, value)) in rows.iter().enumerate() {
                match model.get(&(space, key.clone())) {
                    Some(present) => expected.push((place, present.clone())),
                    None => {
                        model.insert((space, key.clone()), value.clone());
                    }
                }
            }
            assert_eq!(store.add(space, &rows), Ok(expected));
        }
        Step::Get(space, key) => {
            let found = store.get(space, &key).expect("the store can be read");
            assert_eq!(found.as_ref(), model.get(&(space, key)));
        }
        Step::Scan(space, from, limit) => {
            let expected: Vec<_> = model
                .range((space, from.clone())..)
                .take_while(|((of, _), _)| *of == space)
                .take(limit)
                .map(|((_, key), value)| (key.clone(), value.clone()))
                .collect();
            assert_eq!(first(store, space, &from, limit), expected);
        }
        Step::Flush => store.flush().expect("the store can be flushed"),
    }
}

fn first<S: Store>(store: &S, space: Space, from: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    if limit > 0 {
        let collect = &mut |key: &[u8], value: &[u8]| {
            found.push((key.to_vec(), value.to_vec()));
            if found.len() < limit {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        store.scan(space, from, collect).expect("the store can be read");
    }
    found
}

fn batches_are_bounded<S: Store>(store: &S) {
    let batch_of = |keys: usize| {
        let mut batch = Batch::default();
        (0..keys).for_each(|key| batch.put(Space::Seen, (key as u32).to_be_bytes(), []));
        batch
    };
    assert_eq!(
        store.write(&batch_of(BATCH_KEYS + 1)),
        Err(StoreError::TooLarge(BATCH_KEYS + 1))
    );
    assert!(rows(store).is_empty());
    assert_eq!(store.write(&batch_of(BATCH_KEYS)), Ok(()));
    assert_eq!(rows(store).len(), BATCH_KEYS);
}

fn large_values_are_kept<S: Store>(store: &S) {
    // A body is at most 256 KiB compressed; twenty of them share a page of sled's tree.
    let body = |number: u8| vec![number; 262_144];
    for number in 0..20 {
        let mut batch = Batch::default();
        batch.put(Space::Bodies, [number], body(number));
        store.write(&batch).expect("a large value");
    }
    store.flush().expect("the store can be flushed");
    for number in 0..20 {
        assert_eq!(
            store.get(Space::Bodies, &[number]).expect("the store can be read"),
            Some(body(number))
        );
    }
}

fn many_rows_are_added<S: Store>(store: &S) {
    let rows = |from: u32, to: u32| -> Vec<_> {
        (from..to)
            .map(|key| (key.to_be_bytes().to_vec(), from.to_be_bytes().to_vec()))
            .collect()
    };
    assert_eq!(store.add(Space::Seen, &rows(0, 6_000)), Ok(Vec::new()));
    let present = store.add(Space::Seen, &rows(4_000, 10_000)).expect("rows can be added");
    let expected: Vec<_> = (0..2_000).map(|place| (place, 0u32.to_be_bytes().to_vec())).collect();
    assert_eq!(present, expected);
    let found = first(store, Space::Seen, &[], usize::MAX);
    let all: Vec<_> = rows(0, 6_000)
        .into_iter()
        .chain(rows(4_000, 10_000).split_off(2_000))
        .collect();
    assert_eq!(found, all);
}

fn scans_stop_when_told<S: Store>(store: &S) {
    let mut batch = Batch::default();
    (0u8..200).for_each(|key| batch.put(Space::Seen, [key], [key]));
    store.write(&batch).expect("a batch within the limit");
    let check = |from: u8, limit: usize, expected: usize| {
        let found = first(store, Space::Seen, &[from], limit);
        assert_eq!(found.len(), expected, "from {from}, at most {limit}");
        assert!(found.iter().zip(from..).all(|((key, _), expected)| *key == [expected]));
    };
    check(0, 1, 1);
    check(0, 65, 65);
    check(0, 500, 200);
    check(150, 500, 50);
    check(200, 5, 0);
}

fn callbacks_may_read<S: Store>(store: &S) {
    let mut batch = Batch::default();
    (0u8..200).for_each(|key| batch.put(Space::Seen, [key], [key]));
    store.write(&batch).expect("a batch within the limit");
    let each = &mut |key: &[u8], value: &[u8]| {
        assert_eq!(
            store.get(Space::Seen, key).expect("the store can be read").as_deref(),
            Some(value)
        );
        ControlFlow::Continue(())
    };
    store.scan(Space::Seen, &[], each).expect("the store can be read");
}

fn later_writes_win<S: Store>(store: &S) {
    let mut batch = Batch::default();
    batch.put(Space::Meta, "a", "1");
    batch.delete(Space::Meta, "a");
    batch.put(Space::Held, "a", "1");
    batch.put(Space::Held, "a", "2");
    batch.delete(Space::Seen, "a");
    batch.put(Space::Seen, "a", "3");
    store.write(&batch).expect("a batch within the limit");
    let check = |space: Space, expected: Option<&str>| {
        let found = store.get(space, b"a").expect("the store can be read");
        assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{space:?}");
    };
    check(Space::Meta, None);
    check(Space::Held, Some("2"));
    check(Space::Seen, Some("3"));
}
