//! Steps on their way to the store: each is told to others only once it is durable.

use starfish_crypto::Digest;

use crate::{limits, record::RecordId, wire::Head};

use super::{
    Engine,
    exchange::Inquiry,
    port::{Change, Event, Outcome, Output, Ticket},
    publishing::Publication,
};

/// What waits for a step to become durable.
#[derive(Debug, Default)]
pub(super) struct Appending {
    pub(super) changes: Vec<Change>,
    pub(super) heads: Vec<Head>,
    pub(super) bodies: Vec<(RecordId, Digest)>,
    pub(super) publications: Vec<Publication>,
    pub(super) done: Vec<(Ticket, Outcome)>,
    /// What peers asked for that is in it.
    pub(super) inquiries: Vec<Inquiry>,
    /// What else is said then.
    pub(super) told: Vec<Output>,
    /// How many changes, and about how many bytes they hold.
    pub(super) size: (usize, usize),
}

impl Engine {
    pub(super) fn append_step(&mut self) {
        if self.step.changes.is_empty() && self.step.done.is_empty() && self.step.told.is_empty() {
            return;
        }
        let mut step = std::mem::take(&mut self.step);
        let changes = std::mem::take(&mut step.changes);
        step.size = (changes.len(), changes.iter().map(Change::size).sum());
        self.appending = (self.appending.0 + step.size.0, self.appending.1 + step.size.1);
        let ticket = self.ticket();
        self.appends.insert(ticket, step);
        self.out.push(Output::Append { ticket, changes });
    }

    /// A step became durable: only now it is told to anyone.
    pub(super) fn appended(&mut self, ticket: Ticket) {
        let Some(step) = self.appends.remove(&ticket) else {
            return;
        };
        self.appending = (self.appending.0 - step.size.0, self.appending.1 - step.size.1);
        self.durable += 1;
        self.look_up_again(step.inquiries);
        if !step.heads.is_empty() {
            self.headers_stored();
        }
        for head in step.heads {
            let id = RecordId::from_digest(head.id);
            if let Some((seq, id)) = self.handed_on(&head.log, (head.seq, id)) {
                self.frontier.note(head.log, seq, id);
            }
            self.records += 1;
            self.out.push(Output::Event(Event::Stored(id)));
        }
        for (record, digest) in step.bodies {
            let steps = self.bodies.done(digest, record, self.now.mono);
            self.carry_out(steps);
            self.out.push(Output::Event(Event::BodyStored(record)));
        }
        for publication in step.publications {
            self.spread(publication);
        }
        self.out.extend(step.told);
        for (ticket, outcome) in step.done {
            self.out.push(Output::Done { ticket, outcome });
        }
    }

    /// Whether so much is on its way to the store that nothing more is taken in: what comes from others comes again.
    pub(super) fn is_congested(&self) -> bool {
        let (changes, bytes) = self.appending;
        changes + self.step.changes.len() >= limits::APPENDING || bytes >= limits::APPENDING_BYTES
    }

    /// Whether so much is on its way to the store that bodies, which only come when they are asked for, can wait.
    pub(super) fn is_busy(&self) -> bool {
        is_much(self.appending.1, self.bodies.is_held_up()) || self.is_congested()
    }
}

/// Whether so many bytes hold bodies up, where they were held up before or not.
fn is_much(bytes: usize, before: bool) -> bool {
    let most = limits::PULLING_BYTES;
    bytes >= if before { most / 2 } else { most }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_wait_until_half_of_what_held_them_up_is_durable() {
        let most = limits::PULLING_BYTES;
        let check =
            |bytes: usize, before: bool, expected: bool| assert_eq!(is_much(bytes, before), expected, "{bytes}");
        check(most - 1, false, false);
        check(most, false, true);
        check(most / 2, true, true);
        check(most / 2 - 1, true, false);
        check(0, false, false);
    }
}
