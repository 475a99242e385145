//! Backups: the whole ledger as of one moment in one file, and back.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `STFBCKUP` |
//! | 4 | the version of this format, big endian |
//! | 32 | the organisation |
//! | 32 | the node's key |
//! | then, for each block: 4 | its length, big endian, more than zero |
//! | .. | a zstd frame of a `codec` document: rows of space, key and value |
//! | last: 4 | zero |
//! | 8 | how many rows, big endian |
//! | 32 | digest over everything before it |
//!
//! The digest is a chain: each part is hashed together with the digest of all parts before it. It is read to its end before
//! anything is touched. No private key is in it.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use starfish_crypto::{Digest, PublicKey};
use starfish_protocol::{codec, organisation::OrgId, time::Millis};

use crate::{
    daemon::{
        identity::Identity,
        journal::{self, FileJournal},
        sled_store::SledStore,
    },
    ledger::{Ledger, copying::Import},
    store::{Space, Store, StoreError},
};

use super::{UpkeepError, new_folder, open_ledger, replace, sync_folder};

const MAGIC: [u8; 8] = *b"STFBCKUP";
const VERSION: u32 = 1;
/// Under which the parts are hashed.
const DOMAIN: &str = "starfish backup 1";
/// A block holds about so many bytes of rows.
const BLOCK_BYTES: usize = 1 << 20;
/// No block is longer, compressed or not.
const LONGEST: usize = codec::DOCUMENT_BYTES;
/// zstd's own default.
const LEVEL: i32 = 3;

#[derive(Serialize, Deserialize)]
struct Row(Space, Vec<u8>, Vec<u8>);

/// Whose log and decisions are in a backup. In another node's place they would be two writers of one log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The organisation.
    pub org: OrgId,
    /// The node's key.
    pub node: PublicKey,
}

impl From<&Identity> for Owner {
    fn from(identity: &Identity) -> Self {
        Self {
            org: identity.org,
            node: identity.node,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} with {}", self.org, self.node)
    }
}

/// Writes parts and hashes them.
struct Chain<W> {
    out: W,
    digest: Digest,
}

impl<W: Write> Chain<W> {
    fn write(&mut self, part: &[u8]) -> Result<(), UpkeepError> {
        self.digest = chained(&self.digest, part);
        self.out.write_all(part).map_err(UpkeepError::Writing)
    }

    fn block(&mut self, rows: &mut Vec<Row>) -> Result<(), UpkeepError> {
        if rows.is_empty() {
            return Ok(());
        }
        let document = codec::encode(&std::mem::take(rows));
        let block = zstd::bulk::compress(&document, LEVEL).map_err(UpkeepError::Writing)?;
        self.write(&(block.len() as u32).to_be_bytes())?;
        self.write(&block)
    }
}

fn chained(before: &Digest, part: &[u8]) -> Digest {
    Digest::of(DOMAIN, &[before.as_bytes(), part].concat())
}

/// Writes a copy of a running ledger as of this moment, while it goes on changing.
///
/// # Errors
/// The store failed, or `out` did.
pub fn backup<S: Store>(ledger: &Ledger<S>, owner: &Owner, out: &mut impl Write) -> Result<(), UpkeepError> {
    let mut chain = Chain {
        out,
        digest: Digest::ZERO,
    };
    chain.write(&MAGIC)?;
    chain.write(&VERSION.to_be_bytes())?;
    chain.write(owner.org.digest().as_bytes())?;
    chain.write(owner.node.as_bytes())?;
    let (mut rows, mut bytes, mut count, mut failed) = (Vec::new(), 0, 0u64, None);
    let exported = ledger.export(&mut |space, key, value| {
        bytes += key.len() + value.len() + 16;
        count += 1;
        rows.push(Row(space, key.to_vec(), value.to_vec()));
        if bytes < BLOCK_BYTES {
            return Ok(());
        }
        bytes = 0;
        chain.block(&mut rows).map_err(|error| {
            let said = error.to_string();
            failed = Some(error);
            StoreError::Io(said)
        })
    });
    if let Some(error) = failed {
        return Err(error);
    }
    exported?;
    chain.block(&mut rows)?;
    chain.write(&0u32.to_be_bytes())?;
    chain.write(&count.to_be_bytes())?;
    let digest = chain.digest;
    chain
        .out
        .write_all(digest.as_bytes())
        .and_then(|()| chain.out.flush())
        .map_err(UpkeepError::Writing)
}

/// Keeps what `backup` wrote in a file that must not exist yet: first under another name, checked, then under its own.
///
/// # Errors
/// The file is there, cannot be written, or what came is not whole.
pub fn keep(from: &mut impl Read, file: &Path) -> Result<u64, UpkeepError> {
    if file.exists() {
        return Err(UpkeepError::Exists(file.display().to_string()));
    }
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = file.with_file_name(name);
    let kept = keep_as(from, &partial).and_then(|rows| {
        // Unlike a rename, a link does not overwrite what came there meanwhile.
        fs::hard_link(&partial, file).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => UpkeepError::Exists(file.display().to_string()),
            _ => UpkeepError::of_file(file)(error),
        })?;
        Ok(rows)
    });
    // Gone or never made: both are fine.
    let _ = fs::remove_file(&partial);
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    sync_folder(folder).map_err(UpkeepError::of_file(folder))?;
    kept
}

fn keep_as(from: &mut impl Read, partial: &Path) -> Result<u64, UpkeepError> {
    let failed = UpkeepError::of_file(partial);
    let mut out = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(partial)
        .map_err(&failed)?;
    io::copy(from, &mut out).and_then(|_| out.sync_all()).map_err(&failed)?;
    Ok(check(partial)?.1)
}

/// Reads a backup from its beginning to its end; whose it is, and how many rows it holds.
///
/// # Errors
/// It is none, is damaged, or of a later version.
pub fn check(file: &Path) -> Result<(Owner, u64), UpkeepError> {
    read(file, &mut |_| Ok(()))
}

fn read(file: &Path, each: &mut dyn FnMut(Row) -> Result<(), UpkeepError>) -> Result<(Owner, u64), UpkeepError> {
    let mut input = BufReader::new(File::open(file).map_err(UpkeepError::of_file(file))?);
    let mut digest = Digest::ZERO;
    let magic: [u8; 8] = part(&mut input, &mut digest).map_err(|_| UpkeepError::NotABackup)?;
    if magic != MAGIC {
        return Err(UpkeepError::NotABackup);
    }
    let found = u32::from_be_bytes(part(&mut input, &mut digest)?);
    if found > VERSION {
        return Err(UpkeepError::Newer { found, known: VERSION });
    }
    let owner = Owner {
        org: OrgId::from_digest(Digest::from_bytes(part(&mut input, &mut digest)?)),
        node: PublicKey::from_bytes(part(&mut input, &mut digest)?),
    };
    let mut count = 0;
    loop {
        let length = u32::from_be_bytes(part(&mut input, &mut digest)?) as usize;
        if length == 0 {
            break;
        }
        if length > LONGEST {
            return Err(UpkeepError::Damaged("a block is too long"));
        }
        let mut block = vec![0; length];
        input
            .read_exact(&mut block)
            .map_err(|_| UpkeepError::Damaged("it ends too early"))?;
        digest = chained(&digest, &block);
        let broken = UpkeepError::Damaged("a block does not decode");
        let Ok(document) = zstd::bulk::decompress(&block, LONGEST) else {
            return Err(broken);
        };
        let Ok(rows) = codec::decode::<Vec<Row>>(&document, LONGEST) else {
            return Err(broken);
        };
        count += rows.len() as u64;
        rows.into_iter().try_for_each(&mut *each)?;
    }
    let noted = u64::from_be_bytes(part(&mut input, &mut digest)?);
    let mut expected = [0; 32];
    input
        .read_exact(&mut expected)
        .map_err(|_| UpkeepError::Damaged("it ends too early"))?;
    let over = input.read(&mut [0]).map_err(UpkeepError::of_file(file))? > 0;
    if *digest.as_bytes() != expected || noted != count || over {
        return Err(UpkeepError::Damaged("the checksum does not fit"));
    }
    Ok((owner, count))
}

fn part<const N: usize>(input: &mut impl Read, digest: &mut Digest) -> Result<[u8; N], UpkeepError> {
    let mut bytes = [0; N];
    input
        .read_exact(&mut bytes)
        .map_err(|_| UpkeepError::Damaged("it ends too early"))?;
    *digest = chained(digest, &bytes);
    Ok(bytes)
}

/// What came of `restore`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// How many rows the store has now.
    pub rows: u64,
    /// Where the store is that was there before.
    pub aside: Option<PathBuf>,
}

/// Puts a backup in the place of the store. The next start is in safe mode: nothing of this node's own goes out before a
/// peer has shown what it holds of its log. What the journal has and the backup has not comes back from it, and the other
/// way round, so that on a new machine too the store may be lost and rebuilt.
///
/// # Errors
/// The backup is damaged, of a later version or another node's, or the journal is damaged; then nothing was changed. Or
/// the disk failed.
pub fn restore(
    data: &Path,
    file: &Path,
    cache_bytes: u64,
    owner: &Owner,
    now: Millis,
) -> Result<Restored, UpkeepError> {
    let (whose, rows) = check(file)?;
    if whose != *owner {
        return Err(UpkeepError::Foreign(Box::new(whose), Box::new(*owner)));
    }
    let journal = FileJournal::open(&data.join(journal::FILE))?;
    let new = new_folder(data)?;
    let store = SledStore::open(&new, cache_bytes)?;
    let mut import = Import::new(&store);
    read(file, &mut |Row(space, key, value)| Ok(import.take(space, key, value)?))?;
    import.finish()?;
    let ledger = open_ledger(journal, store, owner.org)?;
    ledger.complete_journal()?;
    drop(ledger);
    let aside = replace(data, &new, now)?;
    Ok(Restored { rows, aside })
}
