//! A damaged store is set aside and a new one takes its place: first what the journal holds, then what of the old one can
//! still be read and proves itself; the mesh gives the rest. A journal that is damaged too is mended first: what it lost of
//! this node's own log comes from the old store, or from the mesh in safe mode.
//!
//! Nothing is believed because it was in the old store: headers are verified and chained again, bodies are held against
//! them. A log is taken up to the first place that is broken, because the mesh goes on from its head.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use starfish_crypto::{Digest, Signed, Strict, Verified};
use starfish_protocol::{
    engine::port::Change,
    organisation::OrgId,
    record::{Header, LogId, RecordId, open_body},
    time::Millis,
};

use crate::{
    daemon::{
        journal::{self, FileJournal, Mended},
        sled_store::SledStore,
    },
    ledger::{
        Ledger,
        copying::{Salvage, begin_after, safe_mode},
    },
    store::StoreError,
};

use super::{UpkeepError, aside, new_folder, open_ledger, replace};

/// So many records become durable together.
const GROUP: usize = 64;

/// What came of `rebuild`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Where the damaged store is now.
    pub aside: Option<PathBuf>,
    /// Records that the new store has.
    pub records: u64,
    /// How many of them came from the journal.
    pub from_journal: u64,
    /// Records of the old store that could not be read or did not prove themselves.
    pub lost: u64,
    /// Why the old store could not be opened at all.
    pub unreadable: Option<StoreError>,
    /// What became of the journal, when it was damaged.
    pub journal: Option<Mended>,
}

/// Rebuilds the store of a data directory. The next start is in safe mode.
///
/// # Errors
/// The journal is of a later version, or the disk failed. The old store is in its place until the new one is whole.
pub fn rebuild(data: &Path, cache_bytes: u64, org: OrgId, now: Millis) -> Result<Rebuilt, UpkeepError> {
    let journal_path = data.join(journal::FILE);
    let journal = journal::mend(&journal_path, &aside(data, journal::FILE, now))?;
    let old_folder = data.join(crate::daemon::sled_store::FOLDER);
    let (old, unreadable) = match SledStore::open(&old_folder, cache_bytes) {
        Ok(old) => (Some(old), None),
        Err(error) => (None, Some(error)),
    };
    let salvage = old.as_ref().map(|old| Salvage::new(old));
    let new = new_folder(data)?;
    let store = SledStore::open(&new, cache_bytes)?;
    begin_after(&store, salvage.as_ref().map_or(0, Salvage::last_serial))?;
    let ledger = open_ledger(FileJournal::open(&journal_path)?, store, org)?;
    let from_journal = ledger.counts().records;
    let lost = salvage.map_or(Ok(0), |salvage| take_over(&salvage, &ledger))?;
    ledger.apply(&[safe_mode()])?;
    while ledger.work(GROUP)?.more {}
    let records = ledger.counts().records;
    drop(ledger);
    drop(old);
    let aside = replace(data, &new, now)?;
    Ok(Rebuilt {
        aside,
        records,
        from_journal,
        lost,
        unreadable,
        journal,
    })
}

/// Takes over what can be read; how many records could not.
fn take_over(salvage: &Salvage<'_>, ledger: &Ledger<SledStore>) -> Result<u64, StoreError> {
    let (mut changes, mut lost) = (Vec::new(), 0);
    // Before its records, or the quarantine would have no room for them.
    let known: BTreeSet<OrgId> = ledger.load()?.judged.into_iter().map(|(org, _)| org).collect();
    let judged = salvage.judged().into_iter().filter(|(org, _)| !known.contains(org));
    changes.extend(judged.map(|(org, acceptance)| Change::Judge { org, acceptance }));
    changes.extend(salvage.cuts());
    changes.extend(salvage.recoveries());
    changes.extend(salvage.statements().into_iter().map(Change::Statement));
    let mut heads: BTreeMap<LogId, (u64, Digest)> = ledger
        .load()?
        .heads
        .into_iter()
        .map(|head| (head.log, (head.seq, head.id)))
        .collect();
    for number in 0..salvage.records() {
        match record(salvage, number, &mut heads) {
            Some(found) => changes.extend(found),
            None => lost += 1,
        }
        if changes.len() >= GROUP {
            ledger.apply(&std::mem::take(&mut changes))?;
        }
    }
    changes.extend(
        salvage
            .forks()
            .into_iter()
            .filter_map(|(one, two)| Some(Change::Fork(Box::new((verified(one)?, verified(two)?))))),
    );
    ledger.apply(&changes)?;
    Ok(lost)
}

fn verified(signed: Signed) -> Option<Verified<Header>> {
    signed.verify(&Strict).ok()
}

/// A record of the old store, when it is sound and next in its log; nothing to do when the new store has it.
fn record(salvage: &Salvage<'_>, number: u64, heads: &mut BTreeMap<LogId, (u64, Digest)>) -> Option<Option<Change>> {
    let (header, card) = salvage.record(number)?;
    let header = verified(header)?;
    let id = RecordId::of(&header).digest();
    let next = match heads.get(&header.log()) {
        Some((seq, _)) if header.seq <= *seq => return Some(None),
        Some((seq, head)) => header.seq == *seq + 1 && header.prev == *head,
        None => header.seq == 0,
    };
    if !next || card.id.digest() != id {
        return None;
    }
    heads.insert(header.log(), (header.seq, id));
    let compressed = salvage.body(&card.body);
    let body = compressed.and_then(|compressed| open_body(&header, &compressed).ok().map(|body| (compressed, body)));
    Some(Some(Change::Record {
        header,
        org: card.org,
        body,
        received_at: card.received_at,
        own: card.own,
    }))
}
