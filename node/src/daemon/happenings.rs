//! What the mesh tells while it runs: [`Happenings`] turns its events into log lines, and wakes who waits for them.
//!
//! Nothing here says `fork` unless one was proven: operators and tests look for the word.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use starfish_protocol::engine::port;
use tokio::sync::{broadcast, watch};

use super::{control::documents::Met, moment::rfc3339};
use crate::mesh::{CloseReason, Event};

/// Visitors that a slow reader may miss.
const VISITORS: usize = 16;
/// One limit is told once in so long: whoever runs into it all the time must not fill the disk with log lines.
const LIMIT_TOLD: Duration = Duration::from_secs(60);

/// Somebody who used a code of this node.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The secret of the code, by which whoever made it knows its own visitor.
    pub secret: [u8; 5],
    /// Who came.
    pub met: Met,
}

/// The daemon's ear at the mesh.
#[derive(Debug)]
pub struct Happenings {
    visitors: broadcast::Sender<Visit>,
    durable: watch::Sender<u64>,
    listening: watch::Sender<u64>,
    forks: watch::Sender<i64>,
    limits: Mutex<Limits>,
}

impl Default for Happenings {
    fn default() -> Self {
        Self {
            visitors: broadcast::Sender::new(VISITORS),
            durable: watch::Sender::new(0),
            listening: watch::Sender::new(0),
            forks: watch::Sender::new(0),
            limits: Mutex::default(),
        }
    }
}

impl Happenings {
    /// Who uses this node's codes from now on.
    pub fn visitors(&self) -> broadcast::Receiver<Visit> {
        self.visitors.subscribe()
    }

    /// Changes whenever something became durable.
    pub fn durable(&self) -> watch::Receiver<u64> {
        self.durable.subscribe()
    }

    /// Changes whenever a local address is listened on, or no longer.
    pub fn listening(&self) -> watch::Receiver<u64> {
        self.listening.subscribe()
    }

    /// How many more authors are frozen for two histories than at the start; fewer when some were settled.
    pub fn forks(&self) -> i64 {
        *self.forks.borrow()
    }

    /// Something became durable beside the mesh's own changes.
    pub fn changed(&self) {
        self.durable.send_modify(|count| *count += 1);
    }

    /// Takes an event of the mesh. Never waits.
    pub fn take(&self, event: Event) {
        let count = |counter: &watch::Sender<u64>| counter.send_modify(|count| *count += 1);
        match &event {
            Event::Engine(port::Event::Stored(_) | port::Event::BodyStored(_)) => count(&self.durable),
            Event::Engine(port::Event::ForkProven(_)) => self.forks.send_modify(|count| *count += 1),
            Event::Engine(port::Event::Reopened(_)) => self.forks.send_modify(|count| *count -= 1),
            Event::Engine(port::Event::PairingAsked {
                secret,
                org,
                name,
                words,
                confirmed,
            }) => {
                let words = starfish_crypto::words(words).map(str::to_owned).to_vec();
                let met = Met {
                    organisation: org.to_string(),
                    name: name.clone(),
                    words,
                    confirmed: *confirmed,
                };
                // Nobody waits for visitors most of the time.
                let _ = self.visitors.send(Visit { secret: *secret, met });
            }
            Event::Listening(_) | Event::ListenerClosed(_) | Event::ListenerLost(_) => count(&self.listening),
            Event::Bounded(what) | Event::Engine(port::Event::Bounded(what)) => {
                let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(untold) = limits.reached(what, Instant::now()) {
                    tracing::warn!(what, untold, "a limit was reached");
                }
            }
            _ => {}
        }
        log(event);
    }
}

/// The limits that were reached: when each was told last, and how often it was reached since.
#[derive(Debug, Default)]
struct Limits(BTreeMap<&'static str, (Instant, u64)>);

impl Limits {
    /// How often it was reached and not told, when it is to be told now.
    fn reached(&mut self, what: &'static str, now: Instant) -> Option<u64> {
        match self.0.get_mut(what) {
            Some((told, untold)) if now.saturating_duration_since(*told) < LIMIT_TOLD => {
                *untold += 1;
                None
            }
            _ => Some(self.0.insert(what, (now, 0)).map_or(0, |(_, untold)| untold)),
        }
    }
}

fn log(event: Event) {
    match event {
        Event::Engine(event) => log_engine(event),
        Event::Listening(address) => tracing::info!(%address, "listening"),
        Event::ListenerClosed(address) => tracing::info!(address, "not listening any more"),
        Event::ListenerLost(reason) => tracing::warn!(%reason, "a listening address is gone"),
        Event::Connected {
            peer,
            address,
            outbound,
        } => tracing::info!(%peer, %address, outbound, "connected"),
        Event::Disconnected { peer, cause } => {
            tracing::info!(%peer, cause = cause.unwrap_or_default(), "disconnected");
        }
        Event::Closed {
            peer,
            reason: CloseReason::Doubled | CloseReason::Stale,
        } => {
            tracing::debug!(%peer, "one of two connections was closed");
        }
        Event::Closed { peer, reason } => tracing::info!(%peer, ?reason, "closed"),
        Event::DialFailed { peer, reason } => {
            tracing::debug!(peer = peer.map(|peer| peer.to_string()).unwrap_or_default(), %reason, "not reached");
        }
        Event::Bounded(_) => {}
    }
}

fn log_engine(event: port::Event) {
    match event {
        port::Event::Stored(record) => tracing::debug!(%record, "stored"),
        port::Event::BodyStored(record) => tracing::debug!(%record, "body stored"),
        port::Event::Spoiled(record) => tracing::warn!(%record, "no body of this record can be opened"),
        port::Event::ForkProven(author) => tracing::error!(%author, "fork: the author wrote two histories"),
        port::Event::Reopened(author) => {
            tracing::warn!(%author, "a fork is settled; the author's records are taken again")
        }
        port::Event::Revoked { node, org, ended: true } => tracing::warn!(%node, %org, "a node was revoked"),
        port::Event::Revoked { node, org, .. } => tracing::warn!(%node, %org, "a revocation counts no more"),
        port::Event::Standstill { org, freeze, proof } => {
            let proof = proof.map(|proof| proof.to_string()).unwrap_or_default();
            tracing::error!(%org, ?freeze, proof, "whether an organisation stands still has changed");
        }
        port::Event::Manifest { org, seq } => tracing::info!(%org, seq, "an organisation has a new manifest"),
        port::Event::Recovery { id, org, stage } => {
            use port::RecoveryStage::{CalledOff, Due, InEffect};
            match stage {
                Due(at) => {
                    let due = rfc3339(at);
                    tracing::error!(%id, %org, due, "guardians give an organisation new roots, unless one of its roots calls that off");
                }
                InEffect => tracing::error!(%id, %org, "guardians gave an organisation new roots"),
                CalledOff => tracing::warn!(%id, %org, "an organisation's roots called off what its guardians decided"),
            }
        }
        port::Event::EpochOpened { epoch, adopted } => {
            tracing::warn!(
                epoch = epoch.0,
                adopted,
                "a new epoch of this node's log was opened: others hold more of the old one, or may"
            );
        }
        port::Event::Introduced { peer, org } => tracing::info!(?peer, %org, "introduced"),
        port::Event::PairingAsked {
            org,
            name,
            words,
            confirmed,
            ..
        } => {
            let words = starfish_crypto::words(&words).join(" ");
            tracing::info!(%org, ?name, words, confirmed, "a code of this node was used; compare the words");
        }
        port::Event::Faulted { peer, fault } => tracing::warn!(?peer, ?fault, "refused"),
        port::Event::Bounded(_) => {}
        port::Event::ClockDisagrees(by) => {
            tracing::warn!(
                by_ms = by,
                "this clock and the others disagree; nothing is deleted meanwhile"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use starfish_crypto::{Digest, domain};
    use starfish_protocol::{organisation::OrgId, record::RecordId};

    use super::*;

    #[test]
    fn events_wake_who_waits() {
        let happenings = Happenings::default();
        let (mut visitors, durable) = (happenings.visitors(), happenings.durable());
        let digest = Digest::of(domain::PAIRING, b"x");
        happenings.take(Event::Engine(port::Event::Stored(RecordId::from_digest(digest))));
        assert!(durable.has_changed().expect("the sender is here"));
        let (org, name) = (OrgId::from_digest(digest), "CERT Example".to_owned());
        happenings.take(Event::Engine(port::Event::PairingAsked {
            secret: [7; 5],
            org,
            name,
            words: digest,
            confirmed: false,
        }));
        let Visit { secret, met } = visitors.try_recv().expect("a visitor");
        assert_eq!((secret, met.words.len(), met.confirmed), ([7; 5], 5, false));
        assert_eq!(happenings.forks(), 0);
    }

    #[test]
    fn a_limit_that_is_reached_all_the_time_is_told_now_and_then() {
        let (mut limits, start) = (Limits::default(), Instant::now());
        let mut check = |what, after: u64, expected| {
            assert_eq!(
                limits.reached(what, start + Duration::from_secs(after)),
                expected,
                "{what} {after}"
            );
        };
        check("one", 0, Some(0));
        check("one", 0, None);
        check("one", 59, None);
        check("other", 59, Some(0));
        check("one", 60, Some(2));
        check("one", 61, None);
        check("one", 200, Some(1));
    }

    #[test]
    fn an_end_alarms_nobody() {
        let check = |event: Event, alarming: bool| {
            let lines = tempfile::NamedTempFile::new().expect("a file");
            let file = lines.reopen().expect("the same file");
            let log = tracing_subscriber::fmt()
                .with_writer(std::sync::Mutex::new(file))
                .finish();
            tracing::subscriber::with_default(log, || Happenings::default().take(event.clone()));
            let lines = std::fs::read_to_string(lines.path()).expect("the log");
            assert_eq!(lines.contains("WARN"), alarming, "{lines}");
            assert_eq!(lines.lines().count(), 1, "{lines}");
        };
        check(Event::ListenerClosed("/ip4/192.0.2.1/tcp/1".to_owned()), false);
        check(Event::ListenerLost("/ip4/192.0.2.1/tcp/1: gone".to_owned()), true);
    }
}
