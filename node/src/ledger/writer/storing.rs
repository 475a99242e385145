//! Records and bodies come in. The same one twice changes nothing; a header without its body is a place in its log, and gets
//! its serial when the body is here.

use starfish_crypto::Verified;
use starfish_protocol::{
    limits,
    observable::Observable,
    record::{Body, Header, Kind, RecordId, open_body},
    time::Millis,
    wire::Head,
};

use crate::{
    ledger::{
        catalogue::{Card, Decision, EntryKind, State},
        keys::{
            Number, decoded, digest_key, due_key, encoded, log_key, number_key, number_of, numbered, numbered_end,
            organisation_key, pending, position_key, users_key, withdrawal_key,
        },
    },
    store::{Space, StoreError},
};

use super::{
    SAFE_MODE, Writer,
    placing::{Move, Select, home_of, indexed},
    withdrawing::{Part, among},
};

impl Writer<'_> {
    pub(super) fn store_record(
        &mut self,
        header: &Verified<Header>,
        mut card: Card,
        body: Option<(&[u8], &Body)>,
    ) -> Result<(), StoreError> {
        let id = card.id;
        if let Some(number) = self.draft.number(&id)? {
            return match body {
                Some((compressed, body)) => self.fill(number, compressed, body, card.received_at),
                None => Ok(()),
            };
        }
        if self
            .draft
            .holds(Space::Logs, &position_key(&header.log(), header.seq))?
        {
            // Another record stands there: the first one stays, and the proof of both is a change of its own.
            return Ok(());
        }
        let held = if body.is_none() { self.held_body(header)? } else { None };
        let thrown_away = card.state == State::Waiting && self.decision(&id)? == Some(Decision::Dropped);
        if thrown_away {
            card.state = State::Dropped;
        }
        let body = body.or_else(|| held.as_ref().map(|(compressed, body)| (compressed.as_slice(), body)));
        self.draft
            .begin_record(body.map_or(0, |(_, body)| indexed(body).len()))?;
        let number = self.draft.counts.records;
        self.store_header(number, header, &card)?;
        match body.filter(|_| !thrown_away) {
            Some((compressed, body)) => self.store_content(number, card, header.signed().bytes(), (compressed, body)),
            None => self.await_body(number, card),
        }
    }

    /// A body that another record brought, when it fits this header too.
    fn held_body(&self, header: &Header) -> Result<Option<(Vec<u8>, Body)>, StoreError> {
        let Some(compressed) = self.draft.compressed(&header.body_digest)? else {
            return Ok(None);
        };
        Ok(open_body(header, &compressed).ok().map(|body| (compressed, body)))
    }

    fn store_header(&mut self, number: Number, header: &Verified<Header>, card: &Card) -> Result<(), StoreError> {
        let draft = &mut self.draft;
        let (log, id) = (header.log(), card.id.digest());
        draft.counts.records += 1;
        draft.put(Space::Headers, number_key(number), encoded(header.signed()));
        draft.put(Space::Ids, digest_key(&id), number_key(number));
        draft.put(Space::Logs, position_key(&log, header.seq), number_key(number));
        draft.put(Space::Organisations, numbered(&organisation_key(card.org), number), []);
        draft.put(Space::Expiry, due_key(card.expires_at, number), []);
        draft.put(Space::Uses, numbered(&users_key(&card.body, true), number), []);
        for target in header
            .extensions
            .targets
            .iter()
            .filter(|_| card.kind == Kind::WITHDRAWAL)
        {
            draft.put(
                Space::Withdrawals,
                numbered(&withdrawal_key(target, card.org), number),
                [],
            );
        }
        let head: Option<Head> = draft
            .get(Space::Heads, &log_key(&log))?
            .map(|head| decoded(&head))
            .transpose()?;
        if head.is_none_or(|head| head.seq < header.seq) {
            draft.put(
                Space::Heads,
                log_key(&log),
                encoded(&Head {
                    log,
                    seq: header.seq,
                    id,
                }),
            );
        }
        if card.own && !self.is_replaying {
            draft.delete(Space::Settings, SAFE_MODE);
        }
        Ok(())
    }

    /// What was withdrawn as a whole already is not looked for.
    fn await_body(&mut self, number: Number, card: Card) -> Result<(), StoreError> {
        let part = self.withdrawn_part(&card)?;
        let wanted = card.state == State::Waiting && !matches!(part, Part::All { withheld: false, .. });
        self.draft.set_missing(number, wanted)?;
        self.draft.put_card(number, &card);
        Ok(())
    }

    pub(super) fn store_body(
        &mut self,
        record: &RecordId,
        compressed: &[u8],
        body: &Body,
        received_at: Millis,
    ) -> Result<(), StoreError> {
        let Some(number) = self.draft.number(record)? else {
            return Ok(());
        };
        self.fill(number, compressed, body, received_at)?;
        // Others may wait for the same bytes.
        let key = users_key(&self.draft.card(number)?.body, true);
        let waiting = self
            .draft
            .rows(Space::Uses, &key, &numbered_end(&key), limits::RECORDS_PER_BODY)?;
        for (other, _) in &waiting {
            let other = number_of(other)?;
            let header = Header::decode(self.draft.header(other)?.bytes());
            let body = header.ok().and_then(|header| open_body(&header, compressed).ok());
            if let Some(body) = body {
                self.fill(other, compressed, &body, received_at)?;
            }
        }
        Ok(())
    }

    /// The body of a header that is here already.
    fn fill(&mut self, number: Number, compressed: &[u8], body: &Body, at: Millis) -> Result<(), StoreError> {
        let mut card = self.draft.card(number)?;
        if card.state != State::Waiting {
            return Ok(());
        }
        card.received_at = at;
        let header = self.draft.header(number)?;
        self.draft.begin_record(indexed(body).len())?;
        self.store_content(number, card, header.bytes(), (compressed, body))
    }

    /// The content of a record whose header is in the draft or in the store.
    fn store_content(
        &mut self,
        number: Number,
        mut card: Card,
        header: &[u8],
        (compressed, body): (&[u8], &Body),
    ) -> Result<(), StoreError> {
        let values = indexed(body);
        let part = self.withdrawn_part(&card)?;
        if !self.draft.holds(Space::Bodies, digest_key(&card.body))? {
            self.draft.put(Space::Bodies, digest_key(&card.body), compressed);
            self.draft.counts.bodies += 1;
        }
        self.draft
            .delete(Space::Uses, numbered(&users_key(&card.body, true), number));
        self.draft
            .put(Space::Uses, numbered(&users_key(&card.body, false), number), []);
        self.draft.set_missing(number, false)?;
        card.state = State::Present;
        card.believed = self.verdict(number, &card, body)?;
        if let Body::Indicators(bundle) = body {
            card.confidence = bundle.confidence;
            card.context.clone_from(&bundle.context);
        }
        if let Body::Opinion(opinion) = body {
            card.confidence = opinion.confidence;
            card.context.clone_from(&opinion.reason);
        }
        self.count_in(number, &mut card)?;
        let items = card.items as usize;
        self.draft.enter(&mut card, EntryKind::Stored, items, None);
        card.stored = card.serial;
        let moves = self.first_moves(number, &mut card, values, part);
        self.draft.put_card(number, &card);
        if let Body::Withdrawal(withdrawal) = body {
            self.draft.put(
                Space::Withdrawals,
                numbered(&withdrawal_key(&withdrawal.target, card.org), number),
                [],
            );
            self.draft.put(Space::Pending, pending::withdrawal(number), []);
        }
        self.draft.place(number, header, values, moves)?;
        self.apply_withdrawals()
    }

    /// Where the values of new content go. What was withdrawn before it came has an entry of its own right behind `stored`,
    /// so that whoever follows the entries need not know of withdrawals that came first.
    fn first_moves(&mut self, number: Number, card: &mut Card, values: &[Observable], part: Part) -> Vec<Move> {
        let home = Some(home_of(card));
        match part {
            Part::None => vec![Move::new(Select::All, None, home)],
            Part::All { withheld, cause } => {
                self.mark_withdrawn(number, card, values.len(), values.len());
                card.withheld = withheld;
                if !withheld {
                    self.draft.enter(card, EntryKind::Withdrawn, values.len(), cause);
                }
                vec![Move::new(Select::All, None, Some(Space::Withdrawn))]
            }
            Part::Some { values: some, cause } => {
                let some = among(some, values);
                self.mark_withdrawn(number, card, some.len(), values.len());
                if !some.is_empty() {
                    self.draft.enter(card, EntryKind::Withdrawn, some.len(), cause);
                }
                vec![
                    Move::new(Select::Except(some.clone()), None, home),
                    Move::new(Select::Only(some), None, Some(Space::Withdrawn)),
                ]
            }
        }
    }

    /// Counts a record with content where it belongs; what is not believed goes into quarantine for a limited time.
    pub(super) fn count_in(&mut self, number: Number, card: &mut Card) -> Result<(), StoreError> {
        if card.believed {
            self.draft.counts.believed += 1;
            return self.draft.count_topic(card.topic.as_str(), true);
        }
        let since = self.draft.counts.latest;
        card.held_since = Some(since);
        let key = numbered(&organisation_key(card.org), number);
        self.draft
            .put(Space::Quarantine, key, card.compressed_len.to_be_bytes());
        self.draft.put(
            Space::Expiry,
            due_key(Millis(since.0.saturating_add(self.options.held_for.0)), number),
            [],
        );
        self.draft.counts.held_records += 1;
        self.draft.counts.held_bytes += u64::from(card.compressed_len);
        if self.draft.counts.held_bytes > self.options.held_bytes {
            self.draft.put(Space::Pending, pending::EVICT, []);
        }
        Ok(())
    }

    /// The opposite of `count_in`.
    pub(super) fn count_out(&mut self, number: Number, card: &mut Card) -> Result<(), StoreError> {
        if card.believed {
            self.draft.counts.believed = self.draft.counts.believed.saturating_sub(1);
            return self.draft.count_topic(card.topic.as_str(), false);
        }
        card.held_since = None;
        self.draft
            .delete(Space::Quarantine, numbered(&organisation_key(card.org), number));
        let counts = &mut self.draft.counts;
        counts.held_records = counts.held_records.saturating_sub(1);
        counts.held_bytes = counts.held_bytes.saturating_sub(u64::from(card.compressed_len));
        Ok(())
    }
}
