//! What happens in a world, in order: [`Happening`], from which everything else is read: figures, invariants, the digest that
//! tells two runs apart. How a world ended before its time is in `ended`.

pub(super) mod ended;

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use libp2p::PeerId;
use serde::Serialize;
use starfish_crypto::Digest;
use starfish_node::mesh::Event;
use starfish_protocol::{engine::port, peer::Peer, record::RecordId};

use crate::{network::Separation, storage::Damage};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// When, in ns since the world began.
    pub at: u64,
    /// To which node; none when it happened to the world.
    pub node: Option<usize>,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// What a node says.
    Mesh(Event),
    /// The node runs.
    Started,
    /// These records are durable at the node that published them.
    Published(Vec<RecordId>),
    /// An organisation said something about another, or about a node of its own.
    Stated(String),
    /// A command was not carried out.
    Refused(String),
    /// The node's machine lost its power, and its disk took this damage.
    Crashed(Damage),
    /// The node ended: in order, or for this reason.
    Ended(Option<String>),
    /// Groups of nodes were separated.
    Separated(Vec<Vec<usize>>, Separation),
    /// Two nodes were.
    Blocked(usize, usize, Separation),
    /// Every partition ended; some pairs of nodes are still blocked.
    Rejoined,
    /// Everybody can reach everybody again.
    Healed,
    /// What speaks in the node's place was told something that is TLP:GREEN, to this question or unasked.
    Overheard(String),
    /// The body of this digest was pushed to the node's twin, which speaks plain gossipsub.
    Pushed(Digest),
}

impl What {
    /// Its name in the written stream.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Mesh(event) => name_of(event),
            Self::Started => "started",
            Self::Published(_) => "published",
            Self::Stated(_) => "stated",
            Self::Refused(_) => "refused",
            Self::Crashed(_) => "crashed",
            Self::Ended(_) => "ended",
            Self::Separated(..) => "separated",
            Self::Blocked(..) => "blocked",
            Self::Rejoined => "rejoined",
            Self::Healed => "healed",
            Self::Overheard(_) => "overheard",
            Self::Pushed(_) => "pushed",
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Mesh(Event::Engine(event)) => told(event),
            Self::Mesh(event) => format!("{event:?}"),
            Self::Published(records) => records.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Self::Refused(reason) | Self::Stated(reason) | Self::Overheard(reason) => reason.clone(),
            Self::Ended(reason) => reason.clone().unwrap_or_default(),
            Self::Crashed(damage) => format!("{damage:?}"),
            Self::Separated(groups, how) => format!("{how:?} {groups:?}"),
            Self::Blocked(one, other, how) => format!("{how:?} {one} {other}"),
            Self::Pushed(body) => body.to_string(),
            Self::Started | Self::Rejoined | Self::Healed => String::new(),
        }
    }
}

fn name_of(event: &Event) -> &'static str {
    match event {
        Event::Engine(event) => match event {
            port::Event::Stored(_) => "stored",
            port::Event::BodyStored(_) => "body-stored",
            port::Event::Introduced { .. } => "introduced",
            port::Event::Faulted { .. } => "faulted",
            port::Event::Bounded(_) => "bounded",
            _ => "engine",
        },
        Event::Connected { .. } => "connected",
        Event::Disconnected { .. } => "disconnected",
        Event::Closed { .. } => "closed",
        Event::DialFailed { .. } => "dial-failed",
        Event::Bounded(_) => "bounded",
        _ => "mesh",
    }
}

/// With whole names, by which nodes are found in `nodes.csv`.
fn told(event: &port::Event) -> String {
    let name = |peer: &Peer| {
        let id = PeerId::from_bytes(peer.as_bytes());
        id.map_or_else(|_| format!("{peer:?}"), |id| id.to_string())
    };
    match event {
        port::Event::Stored(id) | port::Event::BodyStored(id) => id.to_string(),
        port::Event::Introduced { peer, org } => format!("{} {org}", name(peer)),
        port::Event::Faulted { peer, fault } => format!("{} {fault:?}", name(peer)),
        port::Event::ForkProven(author) => format!("ForkProven {author}"),
        port::Event::Reopened(author) => format!("Reopened {author}"),
        port::Event::Revoked { node, org, ended } => format!("Revoked {node} {org}, ended: {ended}"),
        port::Event::Standstill { org, freeze, .. } => format!("Standstill {org} {freeze:?}"),
        port::Event::Manifest { org, seq } => format!("Manifest {org} {seq}"),
        event => format!("{event:?}"),
    }
}

/// A line of the written stream.
#[derive(Serialize)]
struct Line<'a> {
    t: u64,
    node: Option<usize>,
    event: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
}

/// Takes what happens, from the nodes and from the world.
#[derive(Debug, Default)]
pub(crate) struct Chronicle(Mutex<Vec<Happening>>);

impl Chronicle {
    pub(crate) fn heard(&self, node: usize, event: Event) {
        self.note(Some(node), What::Mesh(event));
    }

    pub(crate) fn note(&self, node: Option<usize>, what: What) {
        let at = starfish_sim_kernel::now().unwrap_or_default();
        let mut new = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        new.push(Happening { at, node, what });
    }

    /// What is new.
    pub(crate) fn take(&self) -> Vec<Happening> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Sees each happening as it comes.
pub type Listener = Box<dyn FnMut(&Happening) + Send>;

/// Where the stream goes: always into the digest, and wherever it is wanted. Clones are the same one: it outlives its world, to
/// say what happened in one that failed.
#[derive(Clone, Default)]
pub(crate) struct Archive(Arc<Mutex<Stream>>);

#[derive(Default)]
struct Stream {
    writer: Option<Box<dyn Write + Send>>,
    /// Why there is no writer any more.
    failed: Option<io::Error>,
    listener: Option<Listener>,
    digest: blake3::Hasher,
    count: u64,
}

impl Stream {
    /// A stream with a hole is of no use: after the first error nothing more is written. Digest and count go on.
    fn write(&mut self, work: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        if let Some(error) = self.writer.as_mut().and_then(|writer| work(writer).err()) {
            (self.failed, self.writer) = (Some(error), None);
        }
    }
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Archive")
            .field("count", &self.count())
            .finish_non_exhaustive()
    }
}

impl Archive {
    fn stream(&self) -> MutexGuard<'_, Stream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write_to(&self, writer: Box<dyn Write + Send>) {
        self.stream().writer = Some(writer);
    }

    pub(crate) fn show_to(&self, listener: Listener) {
        self.stream().listener = Some(listener);
    }

    pub(crate) fn add(&self, happening: &Happening) {
        let line = Line {
            t: happening.at,
            node: happening.node,
            event: happening.what.name(),
            detail: &happening.what.detail(),
        };
        let mut line = serde_json::to_vec(&line).expect("a line of numbers and texts");
        line.push(b'\n');
        let stream = &mut *self.stream();
        stream.digest.update(&line);
        stream.count += 1;
        stream.write(|writer| writer.write_all(&line));
        if let Some(listener) = &mut stream.listener {
            listener(happening);
        }
    }

    pub(crate) fn flush(&self) {
        self.stream().write(|writer| writer.flush());
    }

    /// Whether something could not be written.
    pub(crate) fn has_failed(&self) -> bool {
        self.stream().failed.is_some()
    }

    /// Why something could not be written; told once.
    pub(crate) fn take_failure(&self) -> Option<io::Error> {
        self.stream().failed.take()
    }

    pub(crate) fn digest(&self) -> String {
        self.stream().digest.finalize().to_hex().to_string()
    }

    pub(crate) fn count(&self) -> u64 {
        self.stream().count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_what_is_written() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let archive = Archive::default();
        archive.write_to(Box::new(file.reopen().expect("the same file")));
        let say = |at, what| Happening {
            at,
            node: Some(3),
            what,
        };
        archive.add(&say(1, What::Started));
        archive.add(&say(2, What::Refused("why".to_owned())));
        archive.flush();
        assert!(archive.take_failure().is_none());
        let written = std::fs::read(file.path()).expect("read");
        let expected = "{\"t\":1,\"node\":3,\"event\":\"started\"}\n{\"t\":2,\"node\":3,\"event\":\"refused\",\"detail\":\"why\"}\n";
        assert_eq!(String::from_utf8_lossy(&written), expected);
        assert_eq!(archive.digest(), blake3::hash(&written).to_hex().to_string());
        assert_eq!(archive.count(), 2);
    }

    #[test]
    fn a_full_disk_ends_the_writing_and_nothing_else() {
        let (archive, whole) = (Archive::default(), Archive::default());
        let full = std::fs::File::options().write(true).open("/dev/full");
        archive.write_to(Box::new(full.expect("a full disk")));
        let started = Happening {
            at: 1,
            node: None,
            what: What::Healed,
        };
        for archive in [&archive, &whole] {
            archive.add(&started);
            archive.add(&started);
            archive.flush();
        }
        assert!(archive.has_failed() && !whole.has_failed());
        assert_eq!((archive.count(), archive.digest()), (whole.count(), whole.digest()));
        let error = archive.take_failure().expect("it was full");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
