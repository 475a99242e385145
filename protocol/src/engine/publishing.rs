//! This node's own logs, one for each audience: one writer, one chain, and never a number that may have been used before.
//!
//! After a start with history, nothing of our own is written until every peer that is connected by right has shown what
//! it holds of our log (a guest could pretend that there is nothing), or until a short wait has passed; in the second
//! case, and when others hold more than we do, a new epoch begins.

use std::collections::BTreeSet;

use starfish_crypto::{Digest, Signed, Verified};

use crate::{
    codec, limits,
    record::{
        Audience, Body, Extensions, Header, Kind, LogId, Origin, RecordId, Scope, SealedBody, SetPart, Tlp, Topic,
    },
    time::Millis,
    wire::{Channel, Gossip},
};

use super::{
    Engine,
    commands::Answer,
    peers::PeerState,
    port::{Draft, Event, Outcome, Output, Refusal, Ticket},
};

/// What is known about the safety of our own log.
#[derive(Debug)]
pub(super) struct Own {
    comparing: bool,
    deadline: Option<Millis>,
    /// Audiences for which others hold more than we do, or may.
    behind: BTreeSet<Audience>,
    /// Those for which some of that came back.
    adopted: BTreeSet<Audience>,
    held: Vec<(Ticket, Held)>,
}

/// What waits until the comparison is over.
#[derive(Debug)]
pub(super) enum Held {
    Draft(Draft),
    Answer(Answer),
}

impl Held {
    /// How many records it becomes.
    fn records(&self) -> usize {
        match self {
            Self::Draft(draft) => draft.bodies.len().max(1),
            Self::Answer(_) => 1,
        }
    }
}

/// A record of our own, on its way out once it is durable.
#[derive(Debug)]
pub(super) struct Publication {
    header: Verified<Header>,
    compressed: Vec<u8>,
}

impl Own {
    /// After a restore new epochs are opened whatever a peer shows: another one may hold more.
    pub(super) fn new(restored: bool, comparing: bool) -> Self {
        let mut own = Self {
            comparing: comparing || restored,
            deadline: None,
            behind: BTreeSet::new(),
            adopted: BTreeSet::new(),
            held: Vec::new(),
        };
        if restored {
            own.all_behind();
        }
        own
    }

    /// Nobody has shown what he holds.
    pub(super) fn all_behind(&mut self) {
        self.behind.extend([Audience::Clear, Audience::Green]);
    }

    /// Says when waiting for the comparison ends.
    pub(super) fn compare_until(&mut self, deadline: Millis) {
        self.deadline = self.comparing.then_some(deadline);
    }

    /// Others hold more of our log for this audience than we do.
    pub(super) fn behind(&mut self, audience: Audience) {
        self.behind.insert(audience);
    }

    /// A header of ours came back to us.
    pub(super) fn adopted(&mut self, audience: Audience) {
        self.behind.insert(audience);
        self.adopted.insert(audience);
    }

    /// A new epoch was opened. True when that was to adopt what came back.
    fn opened(&mut self, audience: Audience) -> bool {
        self.behind.remove(&audience);
        self.adopted.remove(&audience)
    }

    pub(super) fn is_comparing(&self) -> bool {
        self.comparing
    }

    pub(super) fn wake(&self) -> Option<Millis> {
        self.deadline.filter(|_| self.comparing && !self.held.is_empty())
    }
}

/// What a new header says beside its chain.
struct Contents {
    audience: Audience,
    tlp: Tlp,
    topic: Topic,
    kind: Kind,
    expires_at: Millis,
    set: Option<SetPart>,
    scope: Option<Scope>,
    targets: Vec<RecordId>,
    derived_from: Option<Origin>,
}

impl Engine {
    pub(super) fn publish(&mut self, ticket: Ticket, draft: Draft) {
        if let Err(refusal) = self.check_draft(&draft) {
            return self.done(ticket, Outcome::Refused(refusal));
        }
        if self.own.comparing {
            return self.hold(ticket, Held::Draft(draft));
        }
        self.publish_now(ticket, draft);
    }

    /// Lets a command wait until our own log was compared.
    pub(super) fn hold(&mut self, ticket: Ticket, held: Held) {
        let waiting: usize = self.own.held.iter().map(|(_, held)| held.records()).sum();
        if waiting + held.records() > limits::HELD_BODIES {
            return self.done(ticket, Outcome::Refused(Refusal::Busy));
        }
        self.own.held.push((ticket, held));
    }

    /// What no other node would take is not written: a number in the log is used for good.
    fn check_draft(&self, draft: &Draft) -> Result<(), Refusal> {
        let audience = audience_of(draft.tlp).ok_or(Refusal::Tlp)?;
        let whole = |sealed: &SealedBody| sealed.raw_len > 0 && !sealed.compressed.is_empty();
        let indicators = |sealed: &SealedBody| matches!(sealed.body, Body::Indicators(_));
        if draft.bodies.len() > limits::SET_PARTS as usize || !draft.bodies.iter().all(SealedBody::fits) {
            return Err(Refusal::TooLarge);
        }
        if !draft.bodies.iter().all(|sealed| whole(sealed) && indicators(sealed)) {
            return Err(Refusal::Unfit);
        }
        let (from, end) = (self.check_log(audience)?, draft.expires_at);
        if end <= from || end.0 - from.0 > limits::LIFETIME.0 {
            return Err(Refusal::Lifetime);
        }
        Ok(())
    }

    /// Whether this node can write anything now.
    pub(super) fn check_writing(&self) -> Result<(), Refusal> {
        let author = self.key.public();
        if self.logs.is_frozen(&author) {
            return Err(Refusal::Frozen);
        }
        if self.is_congested() {
            return Err(Refusal::Busy);
        }
        // What others would take for forged, or for the future, is not written either.
        if self.roster.organisation_of(&author, self.now.wall) != Some(self.org) {
            return Err(Refusal::Uncertified);
        }
        if self.roster.is_frozen(&self.org).is_some() {
            return Err(Refusal::Standstill);
        }
        if self.is_ahead_of_peers() {
            return Err(Refusal::ClockAhead);
        }
        Ok(())
    }

    /// Whether our log for this audience can take a record now, and which time it would bear.
    pub(super) fn check_log(&self, audience: Audience) -> Result<Millis, Refusal> {
        self.check_writing()?;
        let newest = self.newest_log(audience);
        if newest.is_some_and(|(log, ..)| log.epoch > self.now.wall + limits::CLOCK_TOLERANCE) {
            return Err(Refusal::ClockBehind);
        }
        let opening = match newest {
            Some((log, ..)) if !self.own.behind.contains(&audience) => log,
            newest => self.opening(audience, newest.map(|(log, ..)| log)),
        };
        if self.logs.head(&opening).is_none() && !self.logs.may_open(&opening) {
            return Err(Refusal::TooManyEpochs);
        }
        Ok(self.now.wall.max(opening.epoch))
    }

    /// Whether everyone who is connected by right has shown what it holds of our log.
    fn is_compared(&self) -> bool {
        let by_right = |state: &&PeerState| self.trust.judge(state.org).connect;
        let mut shown = self.peers.values().filter(by_right).map(|state| state.caught_up);
        shown
            .next()
            .is_some_and(|first| first && shown.all(|caught_up| caught_up))
    }

    /// Lets held publications go once the comparison is over; without any peer, into a new epoch.
    pub(super) fn publish_when_compared(&mut self) {
        if self.own.comparing && self.is_compared() {
            self.own.comparing = false;
        }
        let late = self.own.deadline.is_some_and(|deadline| self.now.mono >= deadline);
        if self.own.comparing && late && !self.own.held.is_empty() {
            self.own.comparing = false;
            self.own.all_behind();
        }
        if !self.own.comparing {
            for (ticket, held) in std::mem::take(&mut self.own.held) {
                match held {
                    Held::Draft(draft) => self.publish(ticket, draft),
                    Held::Answer(answer) => self.answer_to(ticket, answer),
                }
            }
        }
    }

    fn publish_now(&mut self, ticket: Ticket, draft: Draft) {
        let mut records = Vec::with_capacity(draft.bodies.len());
        let parts: Vec<_> = (0..draft.bodies.len()).map(|index| draft.part(index)).collect();
        for (sealed, set) in draft.bodies.into_iter().zip(parts) {
            let contents = Contents {
                audience: audience_of(draft.tlp).unwrap_or(Audience::Clear),
                tlp: draft.tlp,
                topic: draft.topic.clone(),
                kind: Kind::INDICATORS,
                expires_at: draft.expires_at,
                set,
                scope: sealed.scope.clone(),
                targets: Vec::new(),
                derived_from: draft.derived_from,
            };
            match self.write(sealed, contents) {
                Ok(record) => records.push(record),
                Err(refusal) => return self.done(ticket, Outcome::Refused(refusal)),
            }
        }
        self.step.done.push((ticket, Outcome::Published(records)));
    }

    /// Writes a withdrawal of a record or an opinion on one, with its target's audience, topic, scope and end.
    pub(super) fn publish_about(
        &mut self,
        ticket: Ticket,
        sealed: SealedBody,
        target: &Verified<Header>,
    ) -> Result<(), Refusal> {
        let contents = Contents {
            audience: target.audience,
            tlp: target.tlp,
            topic: target.topic.clone(),
            kind: match sealed.body {
                Body::Opinion(_) => Kind::OPINION,
                _ => Kind::WITHDRAWAL,
            },
            expires_at: target.expires_at,
            set: None,
            scope: target.extensions.scope.clone(),
            targets: vec![RecordId::of(target)],
            // What was seen or taken back is the author's own word.
            derived_from: None,
        };
        let record = self.write(sealed, contents)?;
        self.step.done.push((ticket, Outcome::Published(vec![record])));
        Ok(())
    }

    /// Signs the next header of our log and puts it into this step's batch.
    fn write(&mut self, sealed: SealedBody, contents: Contents) -> Result<RecordId, Refusal> {
        let audience = contents.audience;
        let (epoch, seq, prev) = self.next_position(audience);
        let newest = self.newest_log(audience).map_or(epoch, |(log, ..)| log.epoch);
        let header = Header {
            version: Header::VERSION,
            community: self.community,
            author: self.key.public(),
            audience,
            tlp: contents.tlp,
            kind: contents.kind,
            epoch,
            seq,
            prev,
            created_at: self.now.wall.max(epoch),
            expires_at: contents.expires_at,
            body_digest: sealed.digest,
            compressed_len: sealed.compressed.len() as u32,
            raw_len: sealed.raw_len,
            items: sealed.items,
            topic: contents.topic,
            extensions: Extensions {
                scope: contents.scope,
                set: contents.set,
                targets: contents.targets,
                derived_from: contents.derived_from,
                unknown: Vec::new(),
            },
        };
        let header = Signed::sign::<Header>(header.encode(), &self.key)
            .verify::<Header>(&starfish_crypto::Strict)
            .map_err(|_| Refusal::Unfit)?;
        if epoch != newest {
            let adopted = self.own.opened(audience);
            self.out.push(Output::Event(Event::EpochOpened { epoch, adopted }));
        }
        let id = RecordId::of(&header);
        let publication = Publication {
            header: header.clone(),
            compressed: sealed.compressed.clone(),
        };
        self.store_header(header, Some((sealed.compressed, sealed.body)), None);
        self.step.publications.push(publication);
        Ok(id)
    }

    fn newest_log(&self, audience: Audience) -> Option<(LogId, u64, RecordId)> {
        self.logs
            .of(self.key.public())
            .rfind(|(log, ..)| log.audience == audience)
    }

    /// The log that would be opened now: later than any before it.
    fn opening(&self, audience: Audience, newest: Option<LogId>) -> LogId {
        let after = newest.map_or(Millis(0), |log| log.epoch + Millis(1));
        LogId {
            author: self.key.public(),
            audience,
            epoch: self.now.wall.max(after),
        }
    }

    /// Where the next header goes: on in the newest epoch, or into a new one that names the last head known.
    fn next_position(&self, audience: Audience) -> (Millis, u64, Digest) {
        match self.newest_log(audience) {
            None => (self.now.wall, 0, Digest::ZERO),
            Some((log, seq, head)) if !self.own.behind.contains(&audience) => (log.epoch, seq + 1, head.digest()),
            Some((log, _, head)) => (self.opening(audience, Some(log)).epoch, 0, head.digest()),
        }
    }

    /// Tells the mesh about a durable record of ours: the header to all, a larger body to our own mesh peers. What is GREEN is
    /// pushed whole and to everyone: whoever may be told and does not confide in us is not in that mesh.
    pub(super) fn spread(&mut self, publication: Publication) {
        let Publication { header, compressed } = publication;
        let Some(channel) = Channel::of(header.audience) else {
            return;
        };
        let inline = compressed.len() <= limits::INLINE_BODY_BYTES && header.extensions.scope.is_none();
        let body = inline.then(|| compressed.clone());
        let gossip = Gossip::Header {
            header: header.signed().clone(),
            body,
        };
        self.out.push(Output::Gossip {
            channel,
            payload: codec::encode(&gossip),
        });
        if !inline || channel == Channel::Green {
            let spared = self.not_pulling(&header);
            self.out.push(Output::Push {
                channel,
                header: header.signed().clone(),
                digest: header.body_digest,
                body: compressed,
                spared,
            });
        }
    }

    /// The heads of our own logs, for `status`.
    pub(super) fn own_heads(&self) -> Vec<(LogId, u64, RecordId)> {
        self.logs.of(self.key.public()).collect()
    }
}

/// The audience of what bears this mark, as far as this node writes for it. What is for fewer than the community would have
/// to be sealed.
fn audience_of(tlp: Tlp) -> Option<Audience> {
    match tlp {
        Tlp::Clear => Some(Audience::Clear),
        Tlp::Green => Some(Audience::Green),
        Tlp::Amber | Tlp::AmberStrict | Tlp::Red | Tlp::Other(_) => None,
    }
}
