//! What the engine asks of the store, and what it wants to become durable.

use serde::{Deserialize, Serialize};
use starfish_crypto::{Digest, PublicKey, Signed, Verified};

use super::Audit;
use crate::{
    limits,
    observable::Observable,
    organisation::OrgId,
    record::{Body, Header, LogId, RecordId},
    statement::{LogPosition, Statement},
    time::Millis,
    trust::{Acceptance, Rights},
};

/// What the engine asks the store for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// Headers of a log, in order.
    Headers {
        /// The log.
        log: LogId,
        /// The first number.
        from: u64,
        /// At most so many.
        limit: usize,
    },
    /// A compressed body that some believed record stands for which the asking peer may see. What is in quarantine is
    /// nobody else's business, whoever names its digest.
    Body {
        /// The digest that the header names.
        digest: Digest,
        /// Whether the peer may be told what is TLP:GREEN.
        green: bool,
    },
    /// One record.
    Record(RecordId),
    /// Stored headers whose body is not here and not spoiled, after this one.
    Missing {
        /// Where to go on.
        after: Option<RecordId>,
        /// At most so many.
        limit: usize,
    },
}

/// What the store answers.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "most of them are the large one, and each is moved a few times"
)]
pub enum Found {
    /// For `Headers`.
    Headers(Vec<Signed>),
    /// For `Body`.
    Body(Option<Vec<u8>>),
    /// For `Record`: the header, its organisation, and the body when it is held.
    Record(Option<(Verified<Header>, Option<OrgId>, Option<Body>)>),
    /// For `Missing`.
    Missing(Vec<Verified<Header>>),
    /// The store could not answer.
    Failed,
}

/// How far a recovery has come here: what the statement itself does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoverySeen {
    /// When this node first saw it, by its wall clock.
    pub first: Millis,
    /// Whether it took effect.
    pub in_effect: bool,
}

/// What the engine wants the shell to make durable, in order.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "most of them are the large one, and each is moved a few times"
)]
pub enum Change {
    /// A new record of a log.
    Record {
        /// The header.
        header: Verified<Header>,
        /// Whose it is, when certified.
        org: Option<OrgId>,
        /// The body, when it is here already.
        body: Option<(Vec<u8>, Body)>,
        /// When it came.
        received_at: Millis,
        /// True for this node's own: it also goes to the journal, first.
        own: bool,
    },
    /// The body of a stored record.
    Body {
        /// The record.
        record: RecordId,
        /// Compressed bytes.
        compressed: Vec<u8>,
        /// Content.
        body: Body,
        /// When it came.
        received_at: Millis,
    },
    /// The body of this record cannot be opened, whoever sends it: it is not looked for again.
    Spoiled(RecordId),
    /// A statement of the roster.
    Statement(Statement),
    /// A statement that left the roster for another one.
    Displaced(Statement),
    /// Proof that an author wrote two histories.
    Fork(Box<(Verified<Header>, Verified<Header>)>),
    /// These records of this organisation are believed from now on, and no others; what is not believed is in quarantine.
    /// Before the first of them nothing of it is.
    Judge {
        /// The organisation.
        org: OrgId,
        /// Which of its records.
        acceptance: Acceptance,
    },
    /// What an organisation may do from now on, for the next start to compare with.
    Rights {
        /// The organisation.
        org: OrgId,
        /// What it may; those that may nothing need not be kept.
        rights: Rights,
    },
    /// The proof of two histories against this author is settled and goes.
    Reopened(PublicKey),
    /// Of what this node wrote for this organisation, only what one of these places [covers](LogPosition::covers) counts;
    /// the rest is void: never believed, whatever its organisation is believed for, and without effect as a withdrawal. No
    /// place at all voids everything. The newest cut replaces the one before.
    Cut {
        /// The node.
        node: PublicKey,
        /// Whose revocation it is. What the node wrote for others is not touched: anybody can certify a key that they stole.
        org: OrgId,
        /// The last place that counts for each audience; `None` takes an earlier cut back.
        last_good: Option<Vec<LogPosition>>,
    },
    /// How far a recovery has come here; `None` forgets it.
    Recovery {
        /// The id of its statement.
        id: Digest,
        /// Since when, and whether it took effect.
        seen: Option<RecoverySeen>,
    },
    /// The operator decides that this record is believed, whatever its organisation is believed for.
    Release(RecordId),
    /// The operator decides that this record leaves the quarantine and is not asked for again.
    Drop(RecordId),
    /// A line of the audit log.
    Audit(Audit),
    /// Everything that expired before this time leaves.
    Expire(Millis),
    /// A small named value of the node's own.
    Setting(&'static str, Vec<u8>),
}

impl Change {
    /// About how many bytes it holds until it is durable. Compressed, a list can be a fiftieth of what it is here.
    pub(in crate::engine) fn size(&self) -> usize {
        match self {
            Self::Record { body, .. } => {
                let body = body.as_ref();
                limits::HEADER_BYTES + body.map_or(0, |(compressed, body)| compressed.len() + content(body))
            }
            Self::Body { compressed, body, .. } => compressed.len() + content(body),
            Self::Statement(_) | Self::Displaced(_) => limits::STATEMENT_BYTES,
            Self::Fork(_) => 2 * limits::HEADER_BYTES,
            Self::Setting(_, value) => value.len(),
            Self::Audit(audit) => 64 + audit.subject.len() + audit.why.len(),
            Self::Judge { acceptance, .. } => 64 + acceptance.scopes().len() * limits::STATEMENT_BYTES,
            Self::Cut { last_good, .. } => {
                64 + last_good
                    .as_ref()
                    .map_or(0, |places| places.len() * size_of::<LogPosition>())
            }
            Self::Recovery { .. }
            | Self::Rights { .. }
            | Self::Reopened(_)
            | Self::Spoiled(_)
            | Self::Release(_)
            | Self::Drop(_)
            | Self::Expire(_) => 64,
        }
    }
}

fn content(body: &Body) -> usize {
    let text = |value: &Observable| match value {
        Observable::Domain(domain) => domain.as_str().len(),
        Observable::Url(url) => url.as_str().len(),
        Observable::Email(email) => email.as_str().len(),
        // No digest is longer; addresses and numbers hold nothing outside.
        _ => 64,
    };
    let unread = match body {
        Body::Unknown(raw) => raw.len(),
        _ => 0,
    };
    let values = body.observables().iter();
    unread + values.map(|value| size_of::<Observable>() + text(value)).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exercise::identity::names;

    #[test]
    fn a_list_is_counted_as_long_as_it_is() {
        let sealed = names(1, 5_000);
        let change = Change::Body {
            record: RecordId::from_digest(sealed.digest),
            compressed: sealed.compressed,
            body: sealed.body,
            received_at: Millis(0),
        };
        // Each name has an allocation of its own beside its place in the list.
        assert!(
            change.size() > 5_000 * (size_of::<Observable>() + 16),
            "{}",
            change.size()
        );
    }
}
