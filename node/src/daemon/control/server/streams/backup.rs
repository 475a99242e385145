//! `store backup`: the whole ledger as of one moment, as bytes for the reader to keep.
//!
//! What changes meanwhile is kept in memory as it was, and changes wait when that is too much. So it is copied at the speed
//! of the disk, into a file without a name in the data directory, and handed out from there: however slowly somebody reads,
//! the node goes on.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::State,
    response::Response,
};
use futures::stream;
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    time::timeout,
};

use super::super::{Node, Refused};
use crate::{
    daemon::{
        exit::{Exit, Failure},
        footprint,
        upkeep::{self, Owner},
    },
    ledger::Ledger,
    store::Store,
};

/// Bytes that go into the stream at a time.
const CHUNK: usize = 64 << 10;
/// How many of them wait for the reader.
const WAITING: usize = 16;
/// A reader that takes nothing for so long is cut off: the copy takes room on the disk until then.
const PATIENCE: Duration = Duration::from_secs(60);
/// The copy's name, for the moment in which it has one.
const SPOOL: &str = "backup.spool";

pub(in super::super) async fn backup(State(node): State<Arc<Node>>) -> Result<Response, Refused> {
    let data = node.data.clone();
    let room = tokio::task::spawn_blocking(move || has_room(&data)).await;
    let room = room.map_err(io::Error::other).and_then(|room| room);
    if !room.map_err(|error| Failure::machine("the free room of the disk is not known", error))? {
        // A full disk would end the node.
        let message = "the disk of the data directory has no room for a copy of the store; make room, then try again";
        return Err(Failure::new(Exit::Failed, message).into());
    }
    let owner = Owner::from(&node.identity);
    let receive = start(Arc::clone(&node.ledger), owner, node.data.clone(), PATIENCE);
    let bytes = stream::unfold(receive, |mut receive| async {
        match receive.recv().await {
            Some(bytes) if bytes.is_empty() => None,
            Some(bytes) => Some((Ok(bytes), receive)),
            // Ends the stream in a way that the reader cannot take for its end.
            None => Some((Err(io::Error::other("the backup was cut short")), receive)),
        }
    });
    Ok(Response::new(Body::from_stream(bytes)))
}

/// A backup is compressed, so it takes less than the store does.
fn has_room(data: &Path) -> io::Result<bool> {
    Ok(fs4::available_space(data)? > footprint::disk(data))
}

/// Copies the ledger and hands it out in chunks; an empty one says that it is whole.
fn start<S: Store>(
    ledger: Arc<Ledger<S>>,
    owner: Owner,
    folder: impl AsRef<Path> + Send + 'static,
    patience: Duration,
) -> Receiver<Bytes> {
    let (send, receive) = channel(WAITING);
    tokio::spawn(async move {
        let reader = send.clone();
        let copying = move || copy(&ledger, &owner, folder.as_ref(), reader);
        let handed = match tokio::task::spawn_blocking(copying).await {
            Ok(Ok(copy)) => hand_out(copy, &send, patience).await,
            Ok(Err(error)) => Err(error),
            Err(error) => Err(io::Error::other(error)),
        };
        if let Err(error) = handed {
            tracing::warn!(%error, "a backup was cut short");
        }
    });
    receive
}

/// A file that is gone when it is closed, for as long as somebody reads at the other end.
struct Spool {
    file: File,
    reader: Sender<Bytes>,
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.reader.is_closed() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn copy<S: Store>(ledger: &Ledger<S>, owner: &Owner, folder: &Path, reader: Sender<Bytes>) -> io::Result<File> {
    let path = folder.join(SPOOL);
    let made = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path);
    let file = made?;
    // Without a name it cannot be left behind.
    fs::remove_file(&path)?;
    let mut out = BufWriter::with_capacity(CHUNK, Spool { file, reader });
    upkeep::backup(ledger, owner, &mut out).map_err(io::Error::other)?;
    let mut file = out.into_inner().map_err(io::Error::from)?.file;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

async fn hand_out(copy: File, send: &Sender<Bytes>, patience: Duration) -> io::Result<()> {
    let copy = Arc::new(copy);
    let mut place = 0;
    loop {
        let from = Arc::clone(&copy);
        let read = tokio::task::spawn_blocking(move || chunk(&from, place)).await;
        let bytes = read.map_err(io::Error::other)??;
        let is_last = bytes.is_empty();
        place += bytes.len() as u64;
        let sent = timeout(patience, send.send(bytes)).await;
        sent.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "its reader took nothing any more"))?
            .map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "its reader went away"))?;
        if is_last {
            return Ok(());
        }
    }
}

fn chunk(copy: &File, place: u64) -> io::Result<Bytes> {
    let mut bytes = vec![0; CHUNK];
    let length = std::os::unix::fs::FileExt::read_at(copy, &mut bytes, place)?;
    bytes.truncate(length);
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use starfish_crypto::{Digest, PublicKey};
    use starfish_protocol::organisation::OrgId;

    use super::*;
    use crate::{
        ledger::{Options, journal::MemoryJournal, tests::author::Author},
        store::memory::MemoryStore,
    };

    const LONG: Duration = Duration::from_secs(20);

    fn owner() -> Owner {
        Owner {
            org: OrgId::from_digest(Digest::of("test", &[1])),
            node: PublicKey::from_bytes([1; 32]),
        }
    }

    /// Some megabytes that do not shrink, more than the stream holds by itself.
    fn large() -> Arc<Ledger<MemoryStore>> {
        let ledger = Ledger::open(MemoryStore::default(), MemoryJournal::default(), Options::default());
        let ledger = ledger.expect("an empty store");
        let mut author = Author::new(1);
        ledger.apply(&[author.judged(true)]).expect("memory does not fail");
        for part in 0..20u32 {
            let digest = |number: u32| Digest::of("test", &(part * 100_000 + number).to_be_bytes()).to_string();
            let values: Vec<String> = (0..2_000).map(digest).collect();
            let made = author.publish(&values.iter().map(String::as_str).collect::<Vec<_>>());
            ledger.apply(&[made.whole()]).expect("memory does not fail");
        }
        Arc::new(ledger)
    }

    async fn writes(ledger: &Arc<Ledger<MemoryStore>>) -> bool {
        let ledger = Arc::clone(ledger);
        let made = Author::new(2).publish(&["a.example"]);
        let written = tokio::task::spawn_blocking(move || ledger.apply(&[made.whole()]).is_ok());
        timeout(LONG, written)
            .await
            .is_ok_and(|written| written.is_ok_and(|done| done))
    }

    #[tokio::test]
    async fn a_reader_that_stands_still_holds_nobody_up_and_is_cut_off() {
        let (folder, ledger) = (tempfile::tempdir().expect("a temporary folder"), large());
        let mut receive = start(
            Arc::clone(&ledger),
            owner(),
            folder.path().to_owned(),
            Duration::from_millis(200),
        );
        let first = timeout(LONG, receive.recv()).await.expect("it begins");
        assert!(first.is_some_and(|bytes| bytes.starts_with(b"STFBCKUP")));
        // The first bytes are there, and nobody takes the rest.
        assert!(writes(&ledger).await, "changes wait for the reader");
        let copies = std::fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(copies, 0, "the copy has a name");
        let cut = async {
            while !receive.is_closed() {
                tokio::task::yield_now().await;
            }
        };
        timeout(LONG, cut).await.expect("it is cut off");
        let (mut chunks, mut is_whole) = (0, false);
        while let Some(bytes) = receive.recv().await {
            chunks += 1;
            is_whole = bytes.is_empty();
        }
        assert!(chunks <= WAITING && !is_whole, "{chunks} chunks, whole: {is_whole}");
    }

    #[tokio::test]
    async fn a_reader_that_reads_gets_all_of_it() {
        let (folder, ledger) = (tempfile::tempdir().expect("a temporary folder"), large());
        let mut receive = start(ledger, owner(), folder.path().to_owned(), PATIENCE);
        let mut bytes = Vec::new();
        let read = async {
            while let Some(chunk) = receive.recv().await {
                if chunk.is_empty() {
                    return true;
                }
                bytes.extend(chunk);
            }
            false
        };
        assert!(timeout(LONG, read).await.expect("it ends"), "it was cut short");
        assert!(bytes.len() > 2 * WAITING * CHUNK, "{} bytes", bytes.len());
        let file = folder.path().join("copy");
        upkeep::keep(&mut bytes.as_slice(), &file).expect("a sound backup");
        assert_eq!(upkeep::check(&file).expect("a sound backup").0, owner());
    }

    #[tokio::test]
    async fn a_reader_that_goes_away_ends_the_copy() {
        let (folder, ledger) = (tempfile::tempdir().expect("a temporary folder"), large());
        let (send, receive) = channel(1);
        drop(receive);
        let copied = copy(&ledger, &owner(), folder.path(), send);
        assert!(copied.is_err());
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}
