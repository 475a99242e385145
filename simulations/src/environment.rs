//! What a simulated node takes from the world: [`Machine`], which charges virtual time for work, and [`Remembering`], which
//! checks each signature and each statement once for all nodes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use starfish_crypto::{PublicKey, Signature, Strict, Verifier};
use starfish_node::mesh::{Cost, Env, Event, Work};
use starfish_protocol::{
    statement::{CheckError, CheckedStatement, Checker, Statement},
    time::Millis,
};
use starfish_sim_kernel::{self as kernel, Owner, WallClock};

use crate::world::chronicle::Chronicle;

const MS: u64 = 1_000_000;
/// How many answers of the verifier are remembered; a world's nodes see the same message within seconds of each other.
const REMEMBERED: usize = 65_536;

/// What a piece of work takes of a small server, in ns: at least so much, and so much more for each KiB.
fn price(cost: Cost) -> u64 {
    let (fixed, per_kib) = match cost.work {
        // One Ed25519 signature is 60 us, hashing is 1 us for each KiB.
        Work::Gossip | Work::Exchange => (60_000, 1_000),
        // A flush of an SSD.
        Work::Store => (2 * MS, 5_000),
        Work::Read => (50_000, 1_000),
        // zstd unpacks 500 MB in a second; parsing takes ten times as long.
        Work::Body => (50_000, 20_000),
    };
    fixed + per_kib * (cost.bytes as u64).div_ceil(1_024)
}

/// The environment of one node.
pub(crate) struct Machine {
    node: usize,
    owner: Owner,
    chronicle: Arc<Chronicle>,
    /// When the processor and the disk have done all that they were given.
    free: Mutex<[u64; 2]>,
}

impl Machine {
    pub(crate) fn new(node: usize, chronicle: Arc<Chronicle>) -> Self {
        Self {
            node,
            owner: Owner::node(node),
            chronicle,
            free: Mutex::default(),
        }
    }
}

impl Env for Machine {
    fn now(&self) -> Millis {
        Millis(kernel::now().unwrap_or_default() / MS)
    }

    fn wall(&self) -> Millis {
        let now = kernel::inside(self.owner, WallClock::now);
        Millis(now.unwrap_or_default() / MS)
    }

    fn sleep(&self, length: Millis) -> BoxFuture<'static, ()> {
        Box::pin(kernel::sleep(Duration::from_millis(length.0)))
    }

    fn random(&self, bytes: &mut [u8]) {
        kernel::inside(self.owner, || {
            for part in bytes.chunks_mut(8) {
                part.copy_from_slice(&kernel::chance().to_le_bytes()[..part.len()]);
            }
        });
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        kernel::spawn(self.owner, task);
    }

    /// Work is done when its time has passed, so that a crash before that finds it undone.
    fn offload(&self, cost: Cost, work: Box<dyn FnOnce() + Send>) {
        let lane = match cost.work {
            Work::Store | Work::Read => 1,
            Work::Gossip | Work::Exchange | Work::Body => 0,
        };
        let now = kernel::now().unwrap_or_default();
        let done = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            free[lane] = free[lane].max(now) + price(cost);
            free[lane]
        };
        let wait = kernel::sleep(Duration::from_nanos(done - now));
        kernel::spawn(self.owner, async move {
            wait.await;
            work();
        });
    }

    fn emit(&self, event: Event) {
        self.chronicle.heard(self.node, event);
    }
}

/// The real verifier, which looks at the same signature over the same bytes once. Nodes of one mesh hold the same statements:
/// it gives all of them the same ones.
#[derive(Debug, Default)]
pub(crate) struct Remembering {
    answers: Mutex<BTreeMap<[u8; 32], bool>>,
    statements: Mutex<BTreeMap<Statement, Result<CheckedStatement, CheckError>>>,
}

impl Checker for Remembering {
    fn check(&self, statement: Statement) -> Result<CheckedStatement, CheckError> {
        let mut statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(checked) = statements.get(&statement) {
            return checked.clone();
        }
        let checked = statement.clone().check(self);
        if statements.len() >= REMEMBERED {
            statements.clear();
        }
        statements.insert(statement, checked.clone());
        checked
    }
}

impl Verifier for Remembering {
    fn verify(&self, domain: &str, bytes: &[u8], key: &PublicKey, signature: &Signature) -> bool {
        let mut question = blake3::Hasher::new();
        for part in [domain.as_bytes(), key.as_bytes(), signature.as_bytes(), bytes] {
            question.update(&(part.len() as u64).to_le_bytes());
            question.update(part);
        }
        let question = *question.finalize().as_bytes();
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = answers.get(&question) {
            return *answer;
        }
        let answer = Strict.verify(domain, bytes, key, signature);
        if answers.len() >= REMEMBERED {
            answers.clear();
        }
        answers.insert(question, answer);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use starfish_crypto::SecretKey;
    use starfish_protocol::statement::Manifest;

    #[test]
    fn what_is_remembered_is_what_the_real_verifier_says() {
        let (key, other) = (SecretKey::from_seed([1; 32]), SecretKey::from_seed([2; 32]).public());
        let verifier = Remembering::default();
        let signature = key.sign("starfish test", b"bytes");
        for _ in 0..2 {
            assert!(verifier.verify("starfish test", b"bytes", &key.public(), &signature));
            assert!(!verifier.verify("starfish tests", b"bytes", &key.public(), &signature));
            assert!(!verifier.verify("starfish test", b"byte", &key.public(), &signature));
            assert!(!verifier.verify("starfish test", b"bytes", &other, &signature));
        }
    }

    #[test]
    fn equal_statements_are_checked_once_and_others_for_themselves() {
        let (root, next) = (SecretKey::from_seed([1; 32]), Manifest::commitment(&[], 0));
        let manifest = Manifest::genesis("CERT Example", &[root.public()], 1, next, Millis(1));
        let signed = manifest.sign(&[&root]).expect("its own root");
        let checker = Remembering::default();
        let check = |statement: &Statement| checker.check(statement.clone());
        let first = check(&signed).expect("it is signed");
        let second = check(&signed).expect("it is signed");
        assert!(std::ptr::eq(first.statement(), second.statement()), "held once");
        let forged = signed.signed_by(&SecretKey::from_seed([2; 32])).expect("a signature");
        for _ in 0..2 {
            assert_eq!(check(&forged).err(), Some(CheckError::Forged));
        }
    }

    #[test]
    fn larger_work_takes_longer() {
        for work in [Work::Gossip, Work::Exchange, Work::Store, Work::Read, Work::Body] {
            let at = |bytes| price(Cost { work, bytes });
            assert!(
                at(0) > 0 && at(1) > at(0) && at(1_000_000) > 100 * (at(1) - at(0)),
                "{work:?}"
            );
        }
    }
}
