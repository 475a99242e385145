//! What the engine's target is fed with: a small cast, and the records that each of them might have written, honest or not.
//! It is made once, because signatures are slow in a build without optimisation.

use std::sync::LazyLock;

use starfish_crypto::{Digest, Strict, Verified};
use starfish_protocol::{
    community::Community,
    record::{Body, Header, LogId, RecordId, SealedBody, open_body},
    statement::CheckedStatement,
    time::Millis,
    wire::Head,
};

use crate::cast::{Organisation, Position, sealed_names};

/// The wall time at the start, in ms since 1970: in 2026.
pub(super) const START: u64 = 1_790_000_000_000;
/// The engine's own organisation.
pub(super) const OWN: usize = 0;
/// A root.
pub(super) const LISTED: usize = 1;
/// The first epoch; by its odd 37 ms no clock of the operations ever says the same.
const FIRST: u64 = START - 7_200_037;
/// Records of each of the three epochs of each author, and of the second history.
const LENGTH: u64 = 5;

/// The one pool of a process.
pub(super) static POOL: LazyLock<Pool> = LazyLock::new(Pool::new);

/// A record.
pub(super) struct Piece {
    pub(super) header: Verified<Header>,
    pub(super) sealed: SealedBody,
}

impl Piece {
    pub(super) fn body(&self) -> (Vec<u8>, Body) {
        let body = open_body(&self.header, &self.sealed.compressed).expect("the pool's bodies are right");
        (self.sealed.compressed.clone(), body)
    }

    pub(super) fn head(&self) -> Head {
        Head {
            log: self.header.log(),
            seq: self.header.seq,
            id: RecordId::of(&self.header).digest(),
        }
    }
}

/// Organisations, their nodes and their records.
pub(super) struct Pool {
    pub(super) community: Community,
    /// Own, listed, and certified but unknown; the fourth has no certificate that anyone gets to see.
    pub(super) cast: Vec<Organisation>,
    pub(super) pieces: Vec<Piece>,
    /// What each of the cast says about itself, checked once.
    statements: Vec<Vec<CheckedStatement>>,
}

impl Pool {
    fn new() -> Self {
        let community = Community::named("starfish");
        let made = Millis(START - 86_400_000);
        let names = ["Own", "Listed", "Unknown", "Uncertified"];
        let cast = names
            .iter()
            .zip(1..)
            .map(|(name, seed)| Organisation::new(name, seed, community, made))
            .collect::<Vec<Organisation>>();
        let checked = |organisation: &Organisation| {
            let statements = organisation.statements.iter().cloned();
            let checked =
                statements.map(|statement| statement.check(&Strict).expect("the pool's statements are right"));
            checked.collect()
        };
        let mut pool = Self {
            community,
            statements: cast.iter().map(checked).collect(),
            cast,
            pieces: Vec::new(),
        };
        for author in 0..names.len() {
            for (epoch, second) in [(0, false), (60_000, false), (3_600_000, false), (0, true)] {
                pool.write_log(author, Millis(FIRST + epoch), second);
            }
        }
        pool
    }

    /// A chain of records; a second history shares the first two with the first one.
    fn write_log(&mut self, author: usize, epoch: Millis, second: bool) {
        let mut prev = Digest::ZERO;
        for seq in 0..LENGTH {
            let history = if second && seq > 1 { "second" } else { "first" };
            let sealed = sealed_names(&format!("{history}-{author}-{seq}"), 1 + seq as usize);
            let position = Position {
                community: self.community,
                epoch,
                seq,
                prev,
                created_at: Millis(epoch.0 + seq),
            };
            let signed = position.header(&self.cast[author].node, &sealed, |_| {});
            let header = signed.verify::<Header>(&Strict).expect("the pool's headers are right");
            prev = RecordId::of(&header).digest();
            self.pieces.push(Piece { header, sealed });
        }
    }

    pub(super) fn piece(&self, which: u8) -> &Piece {
        &self.pieces[usize::from(which) % self.pieces.len()]
    }

    /// The statements of one or two of the cast; the uncertified one's manifest alone.
    pub(super) fn statements(&self, which: u8) -> Vec<CheckedStatement> {
        let chosen = [usize::from(which) % 4, usize::from(which) / 4 % 4];
        let of = |index: usize| {
            let statements = &self.statements[index];
            let shown = if index == 3 { 1 } else { statements.len() };
            statements[..shown].to_vec()
        };
        chosen
            .into_iter()
            .take(1 + usize::from(which > 127))
            .flat_map(of)
            .collect()
    }

    /// Headers of a log, in order, from one of its histories.
    pub(super) fn range(&self, log: LogId, from: u64, which: u8) -> Vec<Verified<Header>> {
        let mut headers: Vec<&Piece> = self
            .pieces
            .iter()
            .filter(|piece| piece.header.log() == log && piece.header.seq >= from)
            .collect();
        if which % 2 == 1 {
            headers.reverse();
        }
        headers.dedup_by_key(|piece| piece.header.seq);
        headers.truncate(1 + usize::from(which % 7));
        headers.into_iter().map(|piece| piece.header.clone()).collect()
    }
}
