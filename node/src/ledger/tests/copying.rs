//! A copy shows one moment, and holds nobody up.

use std::{sync::mpsc, thread, time::Duration};

use crate::{
    ledger::{Ledger, Options, copying::Import, journal::MemoryJournal},
    store::{Space, conformance::rows, memory::MemoryStore},
};

use super::{Bench, author::Author, is_clean};

#[test]
fn changes_go_on_while_a_copy_is_made() {
    let bench = Bench::new();
    let mut author = Author::new(1);
    let first = author.publish_names(0, 6_000);
    bench.apply(&[first.whole()]);
    let before = rows(&*bench.disk);
    let copy = MemoryStore::default();
    let mut import = Import::new(&copy);
    let ledger = &bench.ledger;
    thread::scope(|scope| {
        let (ask, asked) = mpsc::channel();
        let (tell, told) = mpsc::channel();
        // On a thread of its own, as the mesh does it: a change that waits for the copy would wait for ever.
        scope.spawn(move || {
            let mut number = 0;
            while asked.recv().is_ok() {
                let more = author.publish_names(10_000 + number * 1_000, 10_500 + number * 1_000);
                let withdrawn = author.withdraw(&first, &[&format!("name-{number:06}.example")]);
                let changes = [more.whole(), withdrawn.whole(), author.judged(number % 2 == 1)];
                let done = ledger.apply(&changes).and_then(|_| ledger.work(700)).is_ok();
                number += 1;
                if tell.send(done).is_err() {
                    return;
                }
            }
        });
        let mut taken = 0;
        let exported = ledger.export(&mut |space, key, value| {
            taken += 1;
            if taken % 1_500 == 1 {
                ask.send(()).expect("the writer is there");
                assert_eq!(
                    told.recv_timeout(Duration::from_secs(60)),
                    Ok(true),
                    "a change waits for the copy"
                );
            }
            import.take(space, key.to_vec(), value.to_vec())
        });
        exported.expect("memory does not fail");
        assert!(taken > 6_000);
    });
    import.finish().expect("memory does not fail");
    let mut copied = rows(&copy);
    copied.retain(|(space, key), _| before.contains_key(&(*space, key.clone())) || *space != Space::Settings);
    assert_eq!(copied, before);
    while ledger.work(1_000).expect("memory does not fail").more {}
    bench.is_clean();
    let restored = Ledger::open(copy, MemoryJournal::default(), Options::default()).expect("a sound copy");
    is_clean(&restored);
}
