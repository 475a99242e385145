//! Many small changes at once: each fits into a batch of the store, all of them together do not.

use starfish_crypto::{Digest, SecretKey};
use starfish_protocol::{
    community::Community,
    engine::port::Change,
    organisation::OrgId,
    statement::{EndpointStatement, Statement},
    time::Millis,
};

use crate::store::{BATCH_KEYS, Space};

use super::{
    Bench, NOW,
    author::{Author, judged},
};

const MANY: u32 = BATCH_KEYS as u32 * 2 + 500;

fn org(number: u32) -> OrgId {
    OrgId::from_digest(Digest::of("test", &number.to_be_bytes()))
}

fn statement(number: u32) -> Statement {
    let mut seed = [7; 32];
    seed[..4].copy_from_slice(&number.to_be_bytes());
    let key = SecretKey::from_seed(seed);
    let statement = EndpointStatement {
        org: org(number),
        node_key: key.public(),
        community: Community::named("starfish"),
        seq: 0,
        addresses: vec!["/ip4/192.0.2.1/tcp/4852".to_owned()],
        issued_at: NOW,
    };
    statement.sign(&key).expect("a short statement")
}

#[test]
fn a_statement_that_left_the_roster_leaves_the_store() {
    let mut bench = Bench::new();
    let endpoint = |seq: u64| {
        let key = SecretKey::from_seed([7; 32]);
        let statement = EndpointStatement {
            org: org(1),
            node_key: key.public(),
            community: Community::named("starfish"),
            seq,
            addresses: Vec::new(),
            issued_at: NOW,
        };
        statement.sign(&key).expect("a short statement")
    };
    let held = |bench: &Bench| bench.ledger.load().expect("memory").statements;
    bench.apply(&[Change::Statement(endpoint(1)), Change::Statement(statement(2))]);
    // A newer one has its place: whichever change comes first, that one stays.
    bench.apply(&[Change::Statement(endpoint(2)), Change::Displaced(endpoint(1))]);
    assert!(held(&bench).contains(&endpoint(2)) && held(&bench).len() == 2);
    bench.apply(&[Change::Displaced(statement(2)), Change::Displaced(statement(3))]);
    bench.reopen();
    assert_eq!(held(&bench), [endpoint(2)]);
    bench.is_clean();
}

#[test]
fn more_small_changes_than_a_batch_takes() {
    let check = |name: &str, change: &dyn Fn(u32) -> Change, space: Space, rows: usize| {
        let mut bench = Bench::new();
        let changes: Vec<Change> = (0..MANY).map(change).collect();
        bench.apply(&changes);
        bench.work();
        let stored = |bench: &Bench| {
            crate::store::conformance::rows(&*bench.disk)
                .keys()
                .filter(|(found, _)| *found == space)
                .count()
        };
        assert_eq!(stored(&bench), rows, "{name}");
        bench.reopen();
        assert_eq!(stored(&bench), rows, "{name}: after a start");
        bench.is_clean();
    };
    let all = MANY as usize;
    check(
        "statements",
        &|number| Change::Statement(statement(number)),
        Space::Statements,
        all,
    );
    let judge = |number| judged(org(number), number % 2 == 0);
    check("judgements", &judge, Space::Pending, 0);
    check(
        "settings",
        &|number| Change::Setting("paired", vec![number as u8]),
        Space::Settings,
        1,
    );
    check(
        "expiry",
        &|number| Change::Expire(Millis(NOW.0 + u64::from(number))),
        Space::Pending,
        0,
    );
}

#[test]
fn a_journal_of_many_small_notes_is_carried_out() {
    let mut bench = Bench::new();
    let mut own = Author::new(3);
    own.own = true;
    let mut changes: Vec<Change> = (0..MANY).map(|number| judged(org(number), true)).collect();
    changes.push(own.publish(&["own.example"]).whole());
    bench.apply(&changes);
    // The disk is lost, the journal is not.
    bench.disk = Default::default();
    bench.reopen();
    bench.work();
    assert_eq!(bench.ledger.counts().records, 1);
    bench.is_clean();
}
