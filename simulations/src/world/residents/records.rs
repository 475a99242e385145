//! Publishing, and looking at what each node holds.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use starfish_node::{
    ledger::search::{Hit, Search},
    mesh::ConnectionView,
};
use starfish_protocol::{
    engine::port::{Command, Draft, Outcome, Refusal},
    observable::Observable,
    record::{Body, Bundle, RecordId, Tlp, Topic, seal_body},
    time::Millis,
};
use starfish_sim_kernel::Owner;

use crate::world::{World, checks, chronicle::What};

/// How long an order may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long records made here are worth knowing, in ms.
const LIFETIME: u64 = 30 * 86_400_000;
const CONFIDENCE: u8 = 80;
/// Hits of one search.
const HITS: usize = 1_000;

impl World {
    /// A draft of one record with these values.
    ///
    /// # Panics
    /// When a value is no observable, or the topic no topic.
    pub fn draft<S: AsRef<str>>(&self, topic: &str, values: &[S]) -> Draft {
        let parse = |value: &S| Observable::parse(value.as_ref()).expect("the scenario's values are observables");
        let bundle = Bundle::new(CONFIDENCE, "made up".to_owned(), values.iter().map(parse).collect());
        Draft {
            topic: Topic::parse(topic).expect("the scenario's topics are topics"),
            tlp: Tlp::Clear,
            expires_at: Millis(self.wall().0 + LIFETIME),
            bodies: vec![seal_body(Body::Indicators(bundle.expect("a bundle that fits")))],
            set: None,
            derived_from: None,
        }
    }

    /// Carries an order out; time passes until it is.
    ///
    /// # Panics
    /// When there is no answer within a minute.
    pub fn order(&mut self, node: usize, command: Command) -> Outcome {
        let outcome: Arc<Mutex<Option<Outcome>>> = Arc::default();
        let (slot, chronicle) = (Arc::clone(&outcome), Arc::clone(&self.chronicle));
        self.give(node, command, move |done| {
            if let Outcome::Published(records) = &done {
                chronicle.note(Some(node), What::Published(records.clone()));
            }
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        });
        self.await_answer(node, &outcome)
    }

    /// The connections of a running node; time passes until it has named them.
    pub fn connections(&mut self, node: usize) -> Vec<ConnectionView> {
        let Some(handle) = self.handle(node).cloned() else {
            return Vec::new();
        };
        let named: Arc<Mutex<Option<_>>> = Arc::default();
        let slot = Arc::clone(&named);
        starfish_sim_kernel::spawn(Owner::WORLD, async move {
            let connections = handle.connections().await;
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(connections);
        });
        self.await_answer(node, &named)
    }

    fn await_answer<T>(&mut self, node: usize, slot: &Mutex<Option<T>>) -> T {
        let end = starfish_sim_kernel::nanos(self.now() + PATIENCE);
        loop {
            let goes_on = starfish_sim_kernel::turn(end);
            self.take_news();
            if let Some(answer) = slot.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return answer;
            }
            assert!(goes_on, "node {node} did not answer an order within {PATIENCE:?}");
        }
    }

    /// Publishes one record with these values; time passes until it is durable there.
    ///
    /// # Errors
    /// The node said no.
    pub fn publish<S: AsRef<str>>(&mut self, node: usize, topic: &str, values: &[S]) -> Result<Vec<RecordId>, Refusal> {
        match self.order(node, Command::Publish(self.draft(topic, values))) {
            Outcome::Published(records) => Ok(records),
            Outcome::Refused(refusal) => Err(refusal),
            other => unreachable!("publishing ends otherwise: {other:?}"),
        }
    }

    /// What a node, while it runs, would show to those who search it. The first thousand hits.
    pub fn search(&self, node: usize, search: &Search) -> Vec<Hit> {
        let Some(ledger) = self.ledger(node) else {
            return Vec::new();
        };
        let page = ledger.search(search, None, HITS).expect("memory does not fail");
        page.hits
    }

    /// Whether a running node holds a record with its body.
    pub fn holds(&self, node: usize, record: &RecordId) -> bool {
        self.ledger(node).is_some_and(|ledger| checks::is_whole(ledger, record))
    }

    /// How many running nodes hold a record with its body.
    pub fn holders(&self, record: &RecordId) -> usize {
        (0..self.len()).filter(|node| self.holds(*node, record)).count()
    }
}
