//! What a start needs to know: [`Loaded`].

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use starfish_crypto::{Digest, PublicKey, Signed};
use starfish_protocol::{
    codec,
    engine::{BLOCKED, PAIRED, PINS, ROOTS, SUBSCRIPTION, port::RecoverySeen},
    observable::Tld,
    organisation::OrgId,
    peer::Peer,
    record::{Header, LogId, Topic},
    statement::{LogPosition, Statement},
    trust::{Acceptance, Policy, Rights},
    wire::Head,
};

use crate::{
    ledger::{
        Ledger,
        keys::{cut_of, decoded, organisation_of, recovery_of, rights_of},
        writer::{SAFE_MODE, stored_rows},
    },
    store::{Space, Store, StoreError},
};

use super::END;

/// What a start needs to know of the store.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Every statement; manifests before certificates before endpoints.
    pub statements: Vec<Statement>,
    /// The last position of every log.
    pub heads: Vec<Head>,
    /// The logs against whose authors a proof of two histories is held, and where they were forked.
    pub frozen: Vec<(LogId, u64)>,
    /// Which records of which organisations are believed.
    pub judged: Vec<(OrgId, Acceptance)>,
    /// How far the logs of revoked nodes count, for which organisation.
    pub cuts: Vec<(PublicKey, OrgId, Vec<LogPosition>)>,
    /// How far recoveries have come.
    pub recoveries: Vec<(Digest, RecoverySeen)>,
    /// What organisations may do.
    pub rights: Vec<(OrgId, Rights)>,
    /// The node's own decisions, by name, as the engine wrote them.
    pub settings: BTreeMap<String, Vec<u8>>,
    /// How many records are stored.
    pub records: u64,
    /// True after a restore or a rebuild.
    pub safe_mode: bool,
}

impl Loaded {
    fn setting<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        codec::decode(self.settings.get(name)?, codec::DOCUMENT_BYTES).ok()
    }

    /// What the operator has decided about others, with the configured list.
    pub fn policy(&self, listed: Vec<OrgId>) -> Policy {
        let blocked: Vec<Vec<u8>> = self.setting(BLOCKED).unwrap_or_default();
        Policy {
            listed,
            paired: self.setting(PAIRED).unwrap_or_default(),
            roots: self.setting(ROOTS).unwrap_or_default(),
            pins: self.setting(PINS).unwrap_or_default(),
            blocked: blocked.iter().map(|peer| Peer::from_bytes(peer)).collect(),
        }
    }

    /// The topics and TLDs that this node pulls, when it was told.
    pub fn subscription(&self) -> Option<(Vec<Topic>, Vec<Tld>)> {
        let (topics, tlds): (Vec<String>, Vec<String>) = self.setting(SUBSCRIPTION)?;
        let topics = topics.iter().filter_map(|topic| Topic::parse(topic).ok()).collect();
        Some((topics, tlds.iter().filter_map(|tld| Tld::parse(tld).ok()).collect()))
    }
}

/// Where a proof of two histories says that they part.
fn fork_of(proof: &[u8]) -> Result<(LogId, u64), StoreError> {
    let (one, two): (Signed, Signed) = decoded(proof)?;
    let header = |signed: &Signed| {
        let header = Header::decode(signed.bytes());
        header.map_err(|fault| StoreError::Corrupt(fault.to_string()))
    };
    let (one, two) = (header(&one)?, header(&two)?);
    Ok((one.log(), one.seq.max(two.seq)))
}

/// What the settings say of recoveries or organisations: the engine does not know it under a name.
fn take_each<K, T: DeserializeOwned>(
    settings: &mut BTreeMap<String, Vec<u8>>,
    whose: fn(&str) -> Option<K>,
) -> Result<Vec<(K, T)>, StoreError> {
    let found = settings
        .iter()
        .filter_map(|(name, value)| Some((whose(name)?, value)))
        .map(|(whose, value)| Ok((whose, decoded(value)?)))
        .collect::<Result<_, StoreError>>()?;
    settings.retain(|name, _| whose(name).is_none());
    Ok(found)
}

impl<S: Store> Ledger<S> {
    /// What a start needs to know.
    ///
    /// # Errors
    /// The store failed.
    pub fn load(&self) -> Result<Loaded, StoreError> {
        self.noted(self.loaded())
    }

    fn loaded(&self) -> Result<Loaded, StoreError> {
        let rows = |space| stored_rows(&self.store, space, &[], END, usize::MAX);
        let statements = rows(Space::Statements)?
            .iter()
            .map(|(_, value)| decoded(value))
            .collect::<Result<_, _>>()?;
        let heads = rows(Space::Heads)?
            .iter()
            .map(|(_, value)| decoded(value))
            .collect::<Result<_, _>>()?;
        let frozen = rows(Space::Forks)?
            .iter()
            .map(|(_, proof)| fork_of(proof))
            .collect::<Result<_, StoreError>>()?;
        let judged = rows(Space::Acceptances)?
            .iter()
            .map(|(key, value)| Ok((organisation_of(key)?, decoded(value)?)))
            .collect::<Result<Vec<(OrgId, Acceptance)>, StoreError>>()?;
        let cuts = rows(Space::Cuts)?
            .iter()
            .map(|(key, value)| {
                let (node, org) = cut_of(key)?;
                Ok((node, org, decoded(value)?))
            })
            .collect::<Result<_, StoreError>>()?;
        let named = |(key, value): (Vec<u8>, Vec<u8>)| (String::from_utf8_lossy(&key).into_owned(), value);
        let mut settings: BTreeMap<String, Vec<u8>> = rows(Space::Settings)?.into_iter().map(named).collect();
        let safe_mode = settings.remove(SAFE_MODE).is_some();
        let recoveries = take_each(&mut settings, recovery_of)?;
        let rights = take_each(&mut settings, rights_of)?;
        Ok(Loaded {
            statements,
            heads,
            frozen,
            judged: judged
                .into_iter()
                .filter(|(_, acceptance)| !acceptance.is_nothing())
                .collect(),
            cuts,
            recoveries,
            rights,
            settings,
            records: self.counts().records,
            safe_mode,
        })
    }
}
