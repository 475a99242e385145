//! What the operator can want, and what came of it.

use std::collections::BTreeSet;

use starfish_crypto::Digest;

use crate::{
    confidence::{Assessment, Claim, Fading, Weights},
    observable::{Observable, Tld},
    organisation::OrgId,
    peer::Peer,
    record::{LogId, Opinion, Origin as Source, RecordId, SealedBody, SetPart, Tlp, Topic},
    statement::{Admitted, CheckedStatement, Freeze, RosterRefusal, Statement},
    time::Millis,
    trust::{
        Acceptance, Origin, Pin, Root, Verdict,
        web::{Explanation, Question, Vouched},
    },
};

/// What the operator can want.
#[derive(Debug)]
pub enum Command {
    /// Signs and spreads these bodies as new records.
    Publish(Draft),
    /// Withdraws a record, or some of its observables.
    Withdraw {
        /// The record.
        record: RecordId,
        /// Empty means all of it.
        observables: Vec<Observable>,
        /// Why.
        reason: String,
    },
    /// Says what we think of some observables of a record, whoever published it.
    Opine(Opinion),
    /// Believes a record, whatever its organisation is believed for.
    Release(RecordId),
    /// Throws a record of the quarantine away.
    Drop(RecordId),
    /// Opens the door for one holder of this secret until the time given.
    Invite {
        /// The secret part of the code.
        secret: [u8; 5],
        /// When it ends.
        until: Millis,
        /// True when the words need no confirmation here.
        confirmed: bool,
    },
    /// Goes through a door that somebody else opened; the peer must be connected.
    Pair {
        /// Whom.
        peer: Peer,
        /// The secret part of the code.
        secret: [u8; 5],
    },
    /// Makes an organisation a root, as pairing does after the words were compared.
    Trust(OrgId),
    /// Removes such a root, and whatever the operator entered for it.
    Distrust(OrgId),
    /// Writes a root entry, in the place of the one of the same scope.
    SetRoot(Root),
    /// Removes the root entries that the operator wrote for an organisation.
    RemoveRoot(OrgId),
    /// Pins an organisation, or takes its pin off.
    Pin {
        /// Which.
        org: OrgId,
        /// The operator's last word.
        pin: Option<Pin>,
    },
    /// Who is trusted here, and by whose word.
    Trusted,
    /// What these organisations say of each other.
    Vouching(BTreeSet<OrgId>),
    /// Which of these statements about others their issuers still stand by.
    Standing(Vec<Statement>),
    /// Why an organisation is judged as it is.
    Explain {
        /// Which.
        org: OrgId,
        /// For what.
        question: Question,
    },
    /// How sure these claims about one observable make.
    Assess {
        /// For what they are made.
        question: Question,
        /// What is claimed; what was withdrawn is no claim, and the word of an organisation that does not count is left out.
        claims: Vec<Claim>,
        /// How such claims fade.
        fading: Fading,
        /// What each counts for.
        weights: Weights,
    },
    /// Refuses a peer, or takes it back.
    Block {
        /// Whom.
        peer: Peer,
        /// True to refuse.
        blocked: bool,
    },
    /// Replaces what this node pulls; empty lists mean everything.
    Subscribe {
        /// Topics.
        topics: Vec<Topic>,
        /// TLDs.
        tlds: Vec<Tld>,
    },
    /// Takes statements that the operator brought, and tells the mesh.
    Tell(Vec<CheckedStatement>),
    /// Says which addresses other nodes can reach.
    Listening(Vec<String>),
    /// Who is connected and what this node holds.
    Overview,
}

/// What becomes a publication: one record a body.
#[derive(Debug)]
pub struct Draft {
    /// The topic of every record.
    pub topic: Topic,
    /// Who may see them: CLEAR or GREEN.
    pub tlp: Tlp,
    /// When they end.
    pub expires_at: Millis,
    /// The bodies, sealed off the event loop.
    pub bodies: Vec<SealedBody>,
    /// The name of the publication, when it has several parts.
    pub set: Option<Digest>,
    /// The source that the list repeats, when it is not this organisation's own.
    pub derived_from: Option<Source>,
}

impl Draft {
    /// The place of part `index` in its publication.
    pub(crate) fn part(&self, index: usize) -> Option<SetPart> {
        self.set.map(|id| SetPart {
            id,
            index: index as u32,
            count: self.bodies.len() as u32,
        })
    }
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Durable and on its way, in order.
    Published(Vec<RecordId>),
    /// Done, nothing to tell.
    Done,
    /// The other side of a pairing, with the digest that both sides' words come from.
    Met {
        /// The organisation.
        org: OrgId,
        /// Its name, as it says.
        name: String,
        /// For `starfish_crypto::words`.
        words: Digest,
    },
    /// What became of statements, in their order.
    Told(Vec<Result<Admitted, RosterRefusal>>),
    /// The picture asked for.
    Overview(Overview),
    /// Who is trusted.
    Trusted(Box<Trusted>),
    /// What was said.
    Vouching(Vec<Vouched>),
    /// For each statement whether its issuer stands by it; none for those that are not about another organisation.
    Standing(Vec<Option<bool>>),
    /// The reasons asked for.
    Explained(Box<Explanation>),
    /// How sure the claims make.
    Assessed(Box<Assessment>),
    /// Not done, and why.
    Refused(Refusal),
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The record is not held here.
    #[error("no such record here; `search` shows the ids of what is held")]
    UnknownRecord,
    /// Somebody else's record.
    #[error("only the organisation that published a record can withdraw it")]
    NotOurs,
    /// The record is no more.
    #[error("the record has expired already")]
    Expired,
    /// The observables are not in the record.
    #[error("the record does not hold that value")]
    NotInRecord,
    /// Trust that is not there cannot end.
    #[error(
        "there is nothing of that kind to take away, so nothing changed; `starfish trust list` shows who is trusted, and by what"
    )]
    NotTrusted,
    /// What was never shut out cannot be let in again.
    #[error("this peer is not blocked, so nothing changed")]
    NotBlocked,
    /// A root entry or a pin that cannot be.
    #[error(
        "a root entry or a pin is for another organisation than this node's own, of an amount of 1 to 120 and a depth of 0 to 7"
    )]
    Root,
    /// The peer is not there.
    #[error("the other node is not connected")]
    NotConnected,
    /// The peer is there, and silent.
    #[error(
        "the other node has not answered yet: it may be busy, and may have let you in; try again with the same code"
    )]
    NotAnswered,
    /// The other side said no.
    #[error("the other node does not know this code; ask for a new one")]
    CodeRefused,
    /// The other side's statements do not hold.
    #[error("the other node could not prove which organisation it belongs to")]
    Unproven,
    /// Too much at once.
    #[error("too much is waiting already; try again in a moment")]
    Busy,
    /// One publication of too many parts, or a body that no header can carry.
    #[error("this publication is too large; publish it in several")]
    TooLarge,
    /// Nobody would take it, or it would have to be sealed.
    #[error("only TLP:CLEAR and TLP:GREEN can be published so far")]
    Tlp,
    /// Only indicators are published; withdrawals have their own command.
    #[error("this kind of record cannot be published")]
    Unfit,
    /// It would end at once, or after longer than records live.
    #[error("a record expires after now, and within 400 days")]
    Lifetime,
    /// Why a withdrawal is made is told to everyone who holds the record.
    #[error("a withdrawal needs a reason of at most 512 bytes without control characters")]
    Reason,
    /// What is wrong with an opinion can only be its numbers or its words.
    #[error(
        "an opinion is on 1 to 100 values, counts at least one, ends after it begins, and a false positive has a reason of at most 512 bytes without control characters"
    )]
    Opinion,
    /// No certificate says that this node speaks for its organisation.
    #[error(
        "no certificate of this node holds now, so nobody would take its records; check the clock, see whether it was revoked, or sign new ones"
    )]
    Uncertified,
    /// The peers would take our records for the future's.
    #[error("this node's clock is ahead of its peers', so none of them would take its records; set the clock")]
    ClockAhead,
    /// Our newest epoch is in the future.
    #[error("this node's clock is behind its own newest records; set the clock")]
    ClockBehind,
    /// Our log was opened anew too often today, and the other nodes would not take one opening more.
    #[error("this node's log was begun anew too often today; let it reach another node, or try again tomorrow")]
    TooManyEpochs,
    /// What an organisation says that stands still counts nowhere.
    #[error(
        "this node's organisation stands still, so nothing that it publishes counts anywhere; `starfish status` says why"
    )]
    Standstill,
    /// Our own key was seen to write two histories.
    #[error("this node's log is frozen by a proof of two histories; only its organisation's root can reopen it")]
    Frozen,
    /// The store said no.
    #[error("the store failed: {0}")]
    Store(String),
}

/// Who is trusted here, and by whose word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trusted {
    /// The entries of this node's own policy, with how each came to be.
    pub roots: Vec<(Origin, Root)>,
    /// The operator's pins.
    pub pins: Vec<(OrgId, Pin)>,
    /// Every organisation that somebody who is trusted vouches for.
    pub organisations: Vec<TrustedOrganisation>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedOrganisation {
    /// Which.
    pub org: OrgId,
    /// Its name, when it is known.
    pub name: Option<String>,
    /// What it may do.
    pub verdict: Verdict,
    /// Which of its records are believed.
    pub acceptance: Acceptance,
}

/// Connected peers and counts, for `status`, `peers` and `topics`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overview {
    /// Connected peers.
    pub peers: Vec<PeerView>,
    /// The heads of this node's own logs.
    pub own_heads: Vec<(LogId, u64, RecordId)>,
    /// Bodies wanted and not here yet.
    pub missing_bodies: usize,
    /// True while nothing of our own is sent, until a peer has shown what it holds of our log.
    pub comparing: bool,
    /// True when this node's own key was revoked: what it publishes from now on counts nowhere.
    pub revoked: bool,
    /// Why its organisation stands still, if it does.
    pub standstill: Option<Freeze>,
}

/// One connected peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerView {
    /// The peer.
    pub peer: Peer,
    /// Its organisation, when it proved one.
    pub org: Option<OrgId>,
    /// The organisation's name.
    pub name: Option<String>,
    /// True when it is connected by right, not as a guest.
    pub trusted: bool,
    /// Since when, in wall time.
    pub since: Millis,
    /// How many records it said it holds.
    pub records: u64,
    /// Topics it offers to take; empty means all.
    pub topics: Vec<String>,
    /// Provable faults counted against it.
    pub strikes: u32,
}
