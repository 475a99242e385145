//! What is done to the store of a data directory as a whole: opening, checking, saving, putting back and rebuilding it.
//!
//! | in the data directory | what |
//! |---|---|
//! | `store/` | the store, and in it `made`, which says that it is not new |
//! | `journal` | what the mesh cannot give back |
//! | `store.new/` | a store that is being put together by `restore` or `rebuild`; with `made` in it, it is whole and takes the place of a store that is not there; else it is thrown away |
//! | `store.aside-TIME/` | the store in whose place another came |
//! | `journal.aside-TIME` | the journal that was damaged |
//!
//! None of this takes the data directory's lock: whoever calls holds it.

mod backup;
mod rebuild;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use starfish_protocol::{organisation::OrgId, time::Millis};
use thiserror::Error;

use crate::{
    ledger::{
        Ledger, Options,
        copying::begin_after,
        verify::{Progress, Report},
    },
    store::StoreError,
};

use super::{
    journal::{self, FileJournal},
    moment::rfc3339,
    sled_store::{self, SledStore},
};

pub use self::{
    backup::{Owner, Restored, backup, check, keep, restore},
    rebuild::{Rebuilt, rebuild},
};

/// Says that a store is whole: an empty one that has this file has lost its content.
const MADE: &str = "made";
/// Between the name of what was set aside and the time of that.
const ASIDE: &str = ".aside-";
/// Where a new store is put together.
const NEW: &str = "store.new";

/// Why upkeep did not end well.
#[derive(Debug, Error)]
pub enum UpkeepError {
    /// The store or the journal.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing to look at.
    #[error(
        "there is no store in {0}: the node makes one when it first runs, and `starfish store rebuild` from the journal"
    )]
    Nothing(String),
    /// A backup of another node.
    #[error("this is the backup of {0}, and this data directory belongs to {1}; nothing was changed")]
    Foreign(Box<Owner>, Box<Owner>),
    /// A file, by name.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// A backup goes nowhere where something is already.
    #[error("{0} is there already; a backup never overwrites")]
    Exists(String),
    /// Another kind of file.
    #[error("this is no backup of starfish")]
    NotABackup,
    /// It ends early or its bytes have changed.
    #[error("the backup is damaged ({0}); nothing was changed")]
    Damaged(&'static str),
    /// Written by a later version.
    #[error(
        "the backup has format {found} and this program reads up to {known}; install the newer version; nothing was changed"
    )]
    Newer {
        /// Its format.
        found: u32,
        /// The newest that this program reads.
        known: u32,
    },
    /// The reader of a backup went away.
    #[error("the backup could not be written: {0}")]
    Writing(io::Error),
}

impl UpkeepError {
    fn of_file(path: &Path) -> impl Fn(io::Error) -> Self {
        let path = path.display().to_string();
        move |error| Self::File {
            path: path.clone(),
            error,
        }
    }
}

/// Opens store and journal of a data directory, and finishes what a crash interrupted.
///
/// # Errors
/// Either is damaged, of a later version, or cannot be used.
pub fn open(data: &Path, cache_bytes: u64, org: OrgId) -> Result<Ledger<SledStore>, StoreError> {
    let folder = data.join(sled_store::FOLDER);
    finish_replacement(data, &folder)?;
    let used = folder.join(MADE).exists();
    let store = SledStore::open(&folder, cache_bytes)?;
    let is_new = Ledger::<SledStore>::is_new(&store)?;
    if used && is_new {
        return Err(StoreError::corrupt("it was in use, and nothing is left in it"));
    }
    let journal = FileJournal::open(&data.join(journal::FILE))?;
    if is_new && !journal.is_empty() {
        tracing::warn!("the store is gone; what is this node's own comes from the journal, the rest from the mesh");
        // The mesh may hold more of this node's log than the journal does.
        begin_after(&store, 0)?;
    }
    let ledger = open_ledger(journal, store, org)?;
    File::create(folder.join(MADE))?.sync_all()?;
    sync_folder(&folder)?;
    Ok(ledger)
}

/// Between the two renames of `replace` there is no store, only a whole new one under its first name.
fn finish_replacement(data: &Path, folder: &Path) -> Result<(), StoreError> {
    let new = data.join(NEW);
    if folder.exists() || !new.join(MADE).exists() {
        return Ok(());
    }
    tracing::warn!("a crash interrupted the replacement of the store; it is finished now");
    fs::rename(new, folder)?;
    Ok(sync_folder(data)?)
}

fn open_ledger(journal: FileJournal, store: SledStore, org: OrgId) -> Result<Ledger<SledStore>, StoreError> {
    if journal.torn() > 0 {
        tracing::warn!(bytes = journal.torn(), "an interrupted note was cut off the journal");
    }
    let end = journal.end();
    let options = Options {
        org: Some(org),
        ..Options::default()
    };
    let ledger = Ledger::open(store, journal, options)?;
    if ledger.counts().journal > end {
        let notes = ledger.complete_journal()?;
        tracing::warn!(
            notes,
            "the journal was gone or older than the store; it was written anew from it"
        );
    }
    Ok(ledger)
}

/// Reads everything in the store of a data directory and says what does not fit.
///
/// # Errors
/// There is no store, it is too damaged to be read, or cannot be used.
pub fn verify(
    data: &Path,
    cache_bytes: u64,
    org: OrgId,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, UpkeepError> {
    // Opening makes what is missing, and an empty store would then be found to be in order.
    if !data.join(sled_store::FOLDER).exists() && !data.join(NEW).join(MADE).exists() {
        return Err(UpkeepError::Nothing(data.display().to_string()));
    }
    Ok(open(data, cache_bytes, org)?.verify(progress)?)
}

/// Gives the present store a name that says when it was replaced; none if there is no store.
fn set_aside(data: &Path, now: Millis) -> Result<Option<PathBuf>, UpkeepError> {
    let folder = data.join(sled_store::FOLDER);
    if !folder.exists() {
        return Ok(None);
    }
    let aside = aside(data, sled_store::FOLDER, now);
    fs::rename(&folder, &aside).map_err(UpkeepError::of_file(&folder))?;
    sync_folder(data).map_err(UpkeepError::of_file(data))?;
    Ok(Some(aside))
}

/// Everything that was ever set aside in a data directory and is still there, oldest first.
pub fn all_aside(data: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(data).into_iter().flatten().flatten();
    let is_aside = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        [sled_store::FOLDER, journal::FILE]
            .iter()
            .any(|kind| name.strip_prefix(kind).is_some_and(|rest| rest.starts_with(ASIDE)))
    };
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_aside).collect();
    found.sort();
    found
}

/// A free name for what is set aside now.
fn aside(data: &Path, name: &str, now: Millis) -> PathBuf {
    let time: String = rfc3339(now)
        .chars()
        .filter(|sign| sign.is_ascii_alphanumeric())
        .collect();
    let free = |number: u32| {
        let more = if number == 0 {
            String::new()
        } else {
            format!("-{number}")
        };
        data.join(format!("{name}{ASIDE}{time}{more}"))
    };
    (0..)
        .map(free)
        .find(|path| !path.exists())
        .expect("one of four thousand million names is free")
}

/// An empty place for a new store; what an earlier attempt left there goes.
fn new_folder(data: &Path) -> Result<PathBuf, UpkeepError> {
    let folder = data.join(NEW);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(UpkeepError::of_file(&folder))?;
    }
    Ok(folder)
}

/// Puts a finished new store in the place of the present one, which is set aside.
fn replace(data: &Path, new: &Path, now: Millis) -> Result<Option<PathBuf>, UpkeepError> {
    File::create(new.join(MADE))
        .and_then(|file| file.sync_all())
        .map_err(UpkeepError::of_file(new))?;
    sync_folder(new).map_err(UpkeepError::of_file(new))?;
    let aside = set_aside(data, now)?;
    let folder = data.join(sled_store::FOLDER);
    fs::rename(new, &folder).map_err(UpkeepError::of_file(new))?;
    sync_folder(data).map_err(UpkeepError::of_file(data))?;
    Ok(aside)
}

/// A name that was made or changed survives a power cut only after this.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;
