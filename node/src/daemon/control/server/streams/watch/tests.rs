//! What a consumer holds who does what the lines say.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use starfish_protocol::{engine::port::Change, time::Millis};

use super::*;
use crate::{
    ledger::{
        Options,
        journal::MemoryJournal,
        tests::{
            DAY, NOW,
            author::{Author, Made, trusting},
        },
    },
    store::{Batch, Space, memory::MemoryStore},
};

type Bench = Ledger<Arc<MemoryStore>>;

fn bench() -> (Arc<MemoryStore>, Bench) {
    let disk = Arc::new(MemoryStore::default());
    let ledger = Ledger::open(disk.clone(), MemoryJournal::default(), Options::default()).expect("an empty store");
    ledger.apply(&trusting()).expect("memory does not fail");
    (disk, ledger)
}

fn apply(ledger: &Bench, changes: &[Change]) {
    for change in changes {
        let mut more = ledger
            .apply(std::slice::from_ref(change))
            .expect("memory does not fail")
            .more;
        while more {
            more = ledger.work(10).expect("memory does not fail").more;
        }
    }
}

fn lines(ledger: &Bench, after: u64) -> Vec<Shown> {
    let (mut found, mut after) = (Vec::new(), after);
    loop {
        let (text, last) = page(ledger, after, None).expect("memory does not fail");
        found.extend(
            text.lines()
                .map(|line| serde_json::from_str::<Shown>(line).expect("a document")),
        );
        if last == after {
            return found;
        }
        after = last;
    }
}

/// Values by record, as the head of `watch` tells a consumer to keep them.
#[derive(Clone, Default)]
struct Consumer {
    records: BTreeMap<String, BTreeSet<String>>,
    serial: u64,
    /// Every value that was ever handed out as usable.
    ever: BTreeSet<String>,
}

impl Consumer {
    fn follow(&mut self, ledger: &Bench) {
        for line in lines(ledger, self.serial) {
            assert!(line.serial > self.serial, "serials rise");
            self.serial = line.serial;
            let held = self.records.entry(line.record.clone()).or_default();
            match line.kind.as_str() {
                "stored" | "released" => {
                    self.ever.extend(line.values.iter().cloned());
                    held.extend(line.values);
                }
                "withdrawn" if !line.values.is_empty() => held.retain(|value| !line.values.contains(value)),
                _ => held.clear(),
            }
        }
    }

    fn usable(&self) -> Vec<&str> {
        let all: BTreeSet<&str> = self.records.values().flatten().map(String::as_str).collect();
        all.into_iter().collect()
    }
}

/// A record of three values, and three ways to take back.
struct Story {
    author: Author,
    target: Made,
    part: Made,
    more: Made,
    whole: Made,
}

impl Story {
    fn new() -> Self {
        let mut author = Author::new(1);
        let target = author.publish(&["a.example", "b.example", "c.example"]);
        let by = |seed: u8, values: &[&str]| author.colleague(seed).withdraw(&target, values);
        let (part, more, whole) = (
            by(2, &["b.example", "other.example"]),
            by(3, &["c.example"]),
            by(4, &[]),
        );
        Self {
            author,
            target,
            part,
            more,
            whole,
        }
    }

    fn judge(&self, believed: bool) -> Change {
        self.author.judged(believed)
    }
}

#[test]
fn no_order_of_events_hands_out_what_was_withdrawn() {
    let story = Story::new();
    let Story {
        target,
        part,
        more,
        whole,
        ..
    } = &story;
    // Told at once at the end, nothing withdrawn is ever named as usable; told step by step, it is taken off again.
    let check = |name: &str, changes: &[Change], expected: &[&str]| {
        let (_, ledger) = bench();
        let mut live = Consumer::default();
        for change in changes {
            apply(&ledger, std::slice::from_ref(change));
            live.follow(&ledger);
        }
        let mut late = Consumer::default();
        late.follow(&ledger);
        assert_eq!(live.usable(), expected, "{name}: live");
        assert_eq!(late.usable(), expected, "{name}: late");
        assert!(
            late.ever.iter().map(String::as_str).eq(expected.iter().copied()),
            "{name}: {:?}",
            late.ever
        );
    };
    let two = ["a.example", "c.example"];
    check("a part", &[target.whole(), part.whole()], &two);
    check("a part that came first", &[part.whole(), target.whole()], &two);
    check(
        "two parts that came first",
        &[part.whole(), more.whole(), target.whole()],
        &["a.example"],
    );
    check("all that came first", &[whole.whole(), target.whole()], &[]);
    check("all after a part", &[target.whole(), part.whole(), whole.whole()], &[]);
    check(
        "withheld, then a part",
        &[part.bare(), target.whole(), part.content()],
        &two,
    );
    check(
        "withheld, then all",
        &[whole.bare(), target.whole(), whole.content()],
        &[],
    );
    check(
        "withheld twice",
        &[part.bare(), more.bare(), target.whole(), more.content(), part.content()],
        &["a.example"],
    );
    let (no, yes) = (|| story.judge(false), || story.judge(true));
    check("believed again", &[target.whole(), part.whole(), no(), yes()], &two);
    check("not believed any more", &[target.whole(), part.whole(), no()], &[]);
    check(
        "withdrawn while in quarantine",
        &[target.whole(), no(), part.whole(), yes()],
        &two,
    );
    check(
        "withheld while in quarantine",
        &[
            target.bare(),
            part.bare(),
            no(),
            target.content(),
            yes(),
            part.content(),
        ],
        &two,
    );
    let expired = Change::Expire(Millis(NOW.0 + 60 * DAY));
    check("expired", &[target.whole(), part.whole(), expired], &[]);
    let purged = Change::Expire(Millis(NOW.0 + 8 * DAY));
    check("purged", &[target.whole(), whole.whole(), purged], &[]);
}

/// Somebody who was away while a record was withdrawn and purged still takes all of it off.
#[test]
fn who_comes_back_late_takes_everything_off() {
    let story = Story::new();
    let check = |name: &str, changes: &[Change]| {
        let (_, ledger) = bench();
        apply(&ledger, &[story.target.whole()]);
        let mut consumer = Consumer::default();
        consumer.follow(&ledger);
        assert_eq!(consumer.usable().len(), 3, "{name}");
        apply(&ledger, changes);
        consumer.follow(&ledger);
        assert!(consumer.usable().is_empty(), "{name}: {:?}", consumer.usable());
    };
    let Story { whole, part, more, .. } = &story;
    let purge = || Change::Expire(Millis(NOW.0 + 8 * DAY));
    check("purged", &[whole.whole(), purge()]);
    check(
        "purged after parts",
        &[part.whole(), more.whole(), whole.whole(), purge()],
    );
    check("expired", &[part.whole(), Change::Expire(Millis(NOW.0 + 60 * DAY))]);
    check(
        "not believed and dropped",
        &[
            more.whole(),
            story.judge(false),
            Change::Expire(Millis(NOW.0 + 29 * DAY)),
        ],
    );
}

#[test]
fn a_line_that_cannot_be_read_ends_the_stream() {
    let story = Story::new();
    let (disk, ledger) = bench();
    apply(&ledger, &[story.target.whole()]);
    let mut batch = Batch::default();
    let digest = story.target.header.body_digest;
    batch.put(Space::Bodies, *digest.as_bytes(), [1, 2, 3]);
    disk.write(&batch).expect("memory does not fail");
    assert!(matches!(page(&ledger, 0, None), Err(StoreError::Corrupt(_))));
    assert_eq!(ledger.failures().count(), 1);
}
