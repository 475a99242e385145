//! What peers ask of the store: ranges of headers, and bodies.
//!
//! A record is known here, and may have been told of, a moment before it is durable, and the store is read beside the
//! event loop. So what is on its way there when the read comes back empty is waited for, and what has arrived there
//! meanwhile is read once more: whoever was told of something must not be told that it is not here.

use starfish_crypto::Digest;

use crate::{limits, peer::Peer, record::LogId, wire::Response};

use super::super::{
    Engine, Reading,
    appending::Appending,
    bodies::Serving,
    port::{Found, Query, Ticket},
};

/// A request of a peer that the store answers.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Inquiry {
    peer: Peer,
    asked: Ticket,
    query: Query,
    /// How many steps had become durable when the store was asked; none when that was for the second time.
    since: Option<u64>,
}

impl Engine {
    pub(super) fn asked_range(&mut self, peer: Peer, ticket: Ticket, log: LogId, from: u64, limit: u16) {
        let wrote = self.peers.get(&peer).is_some_and(|state| state.key == Some(log.author));
        let head = self.logs.head(&log).filter(|_| self.may_see(&peer, &log));
        let last = head.and_then(|head| if wrote { Some(head) } else { self.handed_on(&log, head) });
        if let Some(more) = last.and_then(|(last, _)| last.checked_sub(from)) {
            let most = usize::from(limit).min(limits::RANGE_HEADERS);
            let limit = usize::try_from(more).unwrap_or(usize::MAX).saturating_add(1).min(most);
            self.inquire(peer, ticket, Query::Headers { log, from, limit });
        } else {
            self.reply(ticket, Response::NotHeld);
        }
    }

    pub(super) fn asked_body(&mut self, peer: Peer, ticket: Ticket, digest: Digest) {
        let green = self.confides_in(&peer);
        self.inquire(peer, ticket, Query::Body { digest, green });
    }

    /// Reads for a peer, unless it has too many reads open already.
    fn inquire(&mut self, peer: Peer, asked: Ticket, query: Query) {
        let Some(state) = self.peers.get_mut(&peer) else {
            return self.reply(asked, Response::Busy);
        };
        // Peers that come and go leave their reads behind.
        if state.reads.len() >= limits::READS_PER_PEER || self.reads.len() >= limits::READS {
            return self.reply(asked, Response::Busy);
        }
        state.reads.insert(asked, false);
        let since = Some(self.durable);
        self.look_up(Inquiry {
            peer,
            asked,
            query,
            since,
        });
    }

    /// Reads a body that a peer has waited for, and may have lost the right to meanwhile.
    pub(super) fn serve_body(&mut self, peer: Peer, asked: Ticket, digest: Digest) {
        if let Some(state) = self.peers.get_mut(&peer) {
            state.reads.insert(asked, false);
        }
        let green = self.confides_in(&peer);
        let query = Query::Body { digest, green };
        self.look_up(Inquiry {
            peer,
            asked,
            query,
            since: None,
        });
    }

    fn look_up(&mut self, inquiry: Inquiry) {
        self.read(inquiry.query.clone(), Reading::Inquiry(inquiry));
    }

    /// What they waited for is durable: the store is asked for it again.
    pub(in crate::engine) fn look_up_again(&mut self, inquiries: Vec<Inquiry>) {
        for inquiry in inquiries {
            self.look_up(Inquiry { since: None, ..inquiry });
        }
    }

    pub(in crate::engine) fn inquired(&mut self, inquiry: Inquiry, found: Found) {
        let response = match found {
            // The right was lost while the store was read.
            _ if !self.may_still_see(&inquiry) => Response::NotHeld,
            Found::Body(Some(body)) => Response::Body(body),
            Found::Headers(headers) if !headers.is_empty() => Response::Headers(headers),
            Found::Failed if matches!(inquiry.query, Query::Headers { .. }) => Response::Busy,
            _ => return self.found_nothing(inquiry),
        };
        self.end_inquiry(&inquiry, response);
    }

    fn may_still_see(&self, inquiry: &Inquiry) -> bool {
        match &inquiry.query {
            Query::Body { green, .. } => !green || self.confides_in(&inquiry.peer),
            Query::Headers { log, .. } => self.may_see(&inquiry.peer, log),
            Query::Record(_) | Query::Missing { .. } => true,
        }
    }

    fn found_nothing(&mut self, inquiry: Inquiry) {
        let arrives = |step: &&mut Appending| match &inquiry.query {
            Query::Body { digest, .. } => step.bodies.iter().any(|(_, body)| body == digest),
            Query::Headers { log, from, .. } => step.heads.iter().any(|head| head.log == *log && head.seq >= *from),
            _ => false,
        };
        if let Some(since) = inquiry.since {
            if let Some(step) = self.appends.values_mut().find(arrives) {
                return step.inquiries.push(inquiry);
            }
            if since != self.durable {
                return self.look_up_again(vec![inquiry]);
            }
        }
        match inquiry.query {
            Query::Body { digest, green } if green || !self.bodies.is_green(&digest) => self.let_wait(&inquiry, digest),
            _ => self.end_inquiry(&inquiry, Response::NotHeld),
        }
    }

    /// A body that is not here may be on its way here. Nobody waits for it who gave that up while the store was read, or was
    /// connected anew: it would keep the peer from being asked.
    fn let_wait(&mut self, inquiry: &Inquiry, digest: Digest) {
        let state = self.peers.get(&inquiry.peer);
        if state.and_then(|state| state.reads.get(&inquiry.asked)) != Some(&false) {
            return self.end_inquiry(inquiry, Response::NotHeld);
        }
        let (serving, steps) = self.bodies.asked(&inquiry.peer, inquiry.asked, digest, self.now.mono);
        match serving {
            Serving::Wait => self.end_read(inquiry),
            Serving::NotHeld => self.end_inquiry(inquiry, Response::NotHeld),
            Serving::Busy => self.end_inquiry(inquiry, Response::Busy),
        }
        self.carry_out(steps);
    }

    /// A peer waits no more for a body that is on its way here, or not even for the store.
    pub(in crate::engine) fn given_up(&mut self, peer: &Peer, ticket: Ticket) {
        let state = self.peers.get_mut(peer);
        if let Some(given_up) = state.and_then(|state| state.reads.get_mut(&ticket)) {
            *given_up = true;
        }
        let steps = self.bodies.given_up(peer, ticket, self.now.mono);
        self.carry_out(steps);
    }

    /// A peer is gone: nobody looks anything up for it any more.
    pub(in crate::engine) fn forget_inquiries(&mut self, peer: &Peer) {
        for step in self.appends.values_mut() {
            step.inquiries.retain(|inquiry| inquiry.peer != *peer);
        }
    }

    fn end_inquiry(&mut self, inquiry: &Inquiry, response: Response) {
        self.end_read(inquiry);
        self.reply(inquiry.asked, response);
    }

    fn end_read(&mut self, inquiry: &Inquiry) {
        if let Some(state) = self.peers.get_mut(&inquiry.peer) {
            state.reads.remove(&inquiry.asked);
        }
    }
}
