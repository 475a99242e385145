//! What the handlers share: [`Node`], the running node as its operator reaches it.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use libp2p::{Multiaddr, PeerId, metrics::Registry};
use starfish_protocol::{
    engine::{
        Subscription,
        port::{Command, Outcome, Overview, Refusal},
    },
    organisation::OrgId,
};
use tokio::sync::{Semaphore, SemaphorePermit, broadcast, watch};

use super::{Refused, names::Names, peers};
use crate::{
    daemon::{
        contacts::Contacts,
        exit::{Exit, Failure},
        happenings::{Happenings, Visit},
        identity::Identity,
        settings::Settings,
        sled_store::SledStore,
    },
    ledger::Ledger,
    mesh::Handle,
    store::StoreError,
};

/// How many paired-to organisations are remembered until their words were compared.
const MET: usize = 64;

/// What a node is made of.
#[derive(Debug)]
pub struct Parts {
    /// The data directory.
    pub data: PathBuf,
    /// The configuration.
    pub settings: Settings,
    /// Who the node is.
    pub identity: Identity,
    /// The way to the mesh.
    pub handle: Handle,
    /// What is known.
    pub ledger: Arc<Ledger<SledStore>>,
    /// What the mesh tells.
    pub happenings: Arc<Happenings>,
    /// Where organisations were met.
    pub contacts: Contacts,
    /// What is pulled.
    pub subscription: Subscription,
    /// Authors that were proven to have written two histories before this start.
    pub forks: u64,
    /// Figures.
    pub registry: Registry,
    /// Becomes true when the node stops.
    pub stopping: watch::Receiver<bool>,
}

/// The running node.
#[derive(Debug)]
pub struct Node {
    pub(super) data: PathBuf,
    pub(super) settings: Settings,
    pub(super) identity: Identity,
    pub(super) handle: Handle,
    pub(super) ledger: Arc<Ledger<SledStore>>,
    pub(super) happenings: Arc<Happenings>,
    pub(super) registry: Registry,
    pub(super) started: Instant,
    contacts: Mutex<Contacts>,
    met: Mutex<BTreeMap<OrgId, Multiaddr>>,
    subscription: Mutex<Subscription>,
    names: Names,
    forks_before: u64,
    turn: Semaphore,
    stopping: watch::Receiver<bool>,
}

impl Node {
    /// The node of these parts, started now.
    pub fn new(parts: Parts) -> Self {
        let Parts {
            data,
            settings,
            identity,
            handle,
            ledger,
            happenings,
            contacts,
            subscription,
            ..
        } = parts;
        let Parts {
            forks,
            registry,
            stopping,
            ..
        } = parts;
        let names = Names::new(settings.community, &identity.statements);
        Self {
            data,
            settings,
            identity,
            handle,
            ledger,
            happenings,
            registry,
            started: Instant::now(),
            contacts: Mutex::new(contacts),
            met: Mutex::default(),
            subscription: Mutex::new(subscription),
            names,
            forks_before: forks,
            turn: Semaphore::new(1),
            stopping,
        }
    }

    /// Ends when the node stops.
    pub(super) fn stopping(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stopping = self.stopping.clone();
        async move {
            // A sender that is gone stopped too.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        }
    }

    /// Waits for the turn of what is done one after the other.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, Refused> {
        self.turn
            .acquire()
            .await
            .map_err(|_| Failure::new(Exit::Incomplete, "the node stops").into())
    }

    /// Visitors from now on.
    pub(super) fn visitors(&self) -> broadcast::Receiver<Visit> {
        self.happenings.visitors()
    }

    /// Who is connected and what is held.
    pub(super) async fn overview(&self) -> Result<Overview, Refused> {
        match self.handle.command(Command::Overview).await {
            Outcome::Overview(overview) => Ok(overview),
            other => Err(unexpected(other)),
        }
    }

    /// What an organisation calls itself, as far as its manifest is here. Reads the store, so not for the event loop.
    pub(super) fn name_of(&self, org: &OrgId) -> Option<String> {
        self.names.name_of(org, || {
            self.ledger.load().map(|loaded| loaded.statements).unwrap_or_default()
        })
    }

    /// Organisations that are called so, or whose id begins so. Reads the store, so not for the event loop.
    pub(super) fn organisations(&self, text: &str) -> Result<Vec<(OrgId, String)>, StoreError> {
        Ok(self.names.matching(text, &self.ledger.load()?.statements))
    }

    /// Authors that were proven to have written two histories.
    pub(super) fn forks(&self) -> u64 {
        self.forks_before.saturating_add_signed(self.happenings.forks())
    }

    /// Whether this peer is connected by right.
    pub(super) async fn trusts(&self, peer: &PeerId) -> Result<bool, Refused> {
        Ok(peers::is_trusted(&self.overview().await?.peers, peer))
    }

    /// Remembers where an organisation was met until it is trusted.
    pub(super) fn remember(&self, org: OrgId, address: Multiaddr) {
        let mut met = locked(&self.met);
        if met.len() >= MET {
            met.pop_first();
        }
        met.insert(org, address);
    }

    /// Dials that address again after every start.
    pub(super) fn keep_contact(&self, org: OrgId) -> io::Result<()> {
        match locked(&self.met).remove(&org) {
            Some(address) => locked(&self.contacts).keep(org, address),
            None => Ok(()),
        }
    }

    /// Never again.
    pub(super) fn drop_contact(&self, org: OrgId) -> io::Result<()> {
        locked(&self.contacts).forget(&org)
    }

    /// What is pulled.
    pub(super) fn subscription(&self) -> Subscription {
        locked(&self.subscription).clone()
    }

    /// What is pulled from now on.
    pub(super) fn subscribed(&self, subscription: Subscription) {
        *locked(&self.subscription) = subscription;
    }
}

/// No holder panics between two states.
fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The node's no, or an answer that nobody asked for.
pub(super) fn unexpected(outcome: Outcome) -> Refused {
    let failure = match outcome {
        Outcome::Refused(refusal) => Failure::new(exit_of(&refusal), refusal.to_string()),
        other => Failure::new(
            Exit::Failed,
            format!("the node gave an answer to another question: {other:?}"),
        ),
    };
    failure.into()
}

fn exit_of(refusal: &Refusal) -> Exit {
    match refusal {
        Refusal::UnknownRecord | Refusal::NotTrusted | Refusal::NotBlocked => Exit::NothingFound,
        // The node ended before it answered; its own exit code says whether anything is damaged.
        Refusal::Store(_) => Exit::Incomplete,
        _ => Exit::Refused,
    }
}
