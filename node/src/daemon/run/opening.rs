//! Opens what a node keeps, and makes of it what the rules start from: [`Opened`].

use std::{path::Path, sync::Arc};

use starfish_crypto::SecretKey;
use starfish_protocol::{
    codec,
    engine::{HIGHEST_WALL, Setup, Subscription},
    organisation::OrgId,
    time::Millis,
};

use crate::{
    daemon::{
        exit::{Exit, Failure},
        identity::{Identity, random},
        settings::Settings,
        sled_store::SledStore,
        upkeep,
    },
    ledger::{Ledger, reading::Loaded},
    store::StoreError,
};

/// One small value of the node's own takes at most so many bytes.
const SETTING: usize = 64;

/// The ledger, and what was in it at the start.
pub(super) struct Opened {
    pub(super) ledger: Arc<Ledger<SledStore>>,
    loaded: Loaded,
}

/// What a failed store means for the operator.
pub fn store_failure(error: &StoreError) -> Failure {
    let exit = match error {
        StoreError::Corrupt(_) => Exit::Damaged,
        StoreError::Newer { .. } => Exit::Configuration,
        _ => Exit::Failed,
    };
    Failure::new(exit, error.to_string())
}

impl Opened {
    /// Opens store and journal, and finishes what a crash interrupted.
    pub(super) async fn open(data: &Path, settings: &Settings, org: OrgId) -> Result<Self, Failure> {
        let (data, cache) = (data.to_owned(), settings.cache_bytes);
        let opening = tokio::task::spawn_blocking(move || {
            let ledger = upkeep::open(&data, cache, org)?;
            let loaded = ledger.load()?;
            Ok(Self {
                ledger: Arc::new(ledger),
                loaded,
            })
        });
        let opened: Result<Self, StoreError> = opening
            .await
            .map_err(|error| Failure::machine("the store was not opened", error))?;
        opened.map_err(|error| store_failure(&error))
    }

    /// What the operator decided last about what is pulled, else what the configuration says.
    pub(super) fn subscription(&self, settings: &Settings) -> Subscription {
        let configured = || (settings.topics.clone(), settings.tlds.clone());
        let (topics, tlds) = self.loaded.subscription().unwrap_or_else(configured);
        Subscription {
            topics: topics.into_iter().collect(),
            tlds: tlds.into_iter().collect(),
        }
    }

    /// Authors that were proven to have written two histories.
    pub(super) fn forks(&self) -> u64 {
        self.loaded.frozen.len() as u64
    }

    /// What the rules start from.
    pub(super) fn setup(
        &self,
        key: SecretKey,
        identity: &Identity,
        settings: &Settings,
        subscription: Subscription,
    ) -> Result<Setup, Failure> {
        let loaded = &self.loaded;
        let highest = loaded
            .settings
            .get(HIGHEST_WALL)
            .and_then(|value| codec::decode(value, SETTING).ok());
        Ok(Setup {
            key,
            org: identity.org,
            community: settings.community,
            statements: identity.statements.clone(),
            stored_statements: loaded.statements.clone(),
            policy: loaded.policy(settings.organisations.clone()),
            subscription,
            heads: loaded.heads.clone(),
            frozen: loaded.frozen.clone(),
            cuts: loaded.cuts.clone(),
            recoveries: loaded.recoveries.clone(),
            judged: loaded.judged.clone(),
            rights: loaded.rights.clone(),
            safe_mode: loaded.safe_mode,
            records: loaded.records,
            highest_wall: highest.unwrap_or(Millis(0)),
            dial_others: settings.dial_others,
            seed: random()?,
        })
    }
}
