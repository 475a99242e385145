//! What is in quarantine, and why: for the operator who lets it out or throws it away.

use starfish_crypto::PublicKey;
use starfish_protocol::{
    organisation::OrgId,
    record::{Header, Kind, RecordId, Topic},
    statement::LogPosition,
    time::Millis,
    trust::Acceptance,
};

use crate::store::{Space, Store, StoreError};

use super::{
    super::{
        Ledger,
        catalogue::Card,
        keys::{Number, cut_key, decoded, number_of, organisation_key},
        search::Cursor,
        writer::{is_behind, stored_rows},
    },
    END,
};

/// Why a record is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Its author's node was revoked before it.
    Revoked,
    /// Its author belonged to no organisation.
    Uncertified,
    /// Nothing of its organisation is believed.
    NotTrusted,
    /// Its organisation is believed, but not about this.
    OutOfScope,
    /// It is believed by now, and will be let out with the next slice of work.
    Rising,
}

/// A record in quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The record.
    pub record: RecordId,
    /// The node key that signed it.
    pub author: PublicKey,
    /// Its organisation.
    pub org: Option<OrgId>,
    /// Its topic.
    pub topic: Topic,
    /// What its body holds.
    pub kind: Kind,
    /// How many observables.
    pub items: u32,
    /// Since when it is there.
    pub since: Millis,
    /// When it leaves, if nothing happens before.
    pub until: Millis,
    /// When it ends by itself.
    pub expires_at: Millis,
    /// Its compressed bytes.
    pub bytes: u32,
    /// Why it is there.
    pub why: Why,
}

/// Some of what is in quarantine, and where the next page begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldPage {
    /// By organisation, each in the order in which they came.
    pub held: Vec<Held>,
    /// None at the end.
    pub next: Option<Cursor>,
}

impl<S: Store> Ledger<S> {
    /// A page of the quarantine; with an organisation, only what is its.
    ///
    /// # Errors
    /// The store failed.
    pub fn quarantine(&self, of: Option<OrgId>, after: Option<&Cursor>, limit: usize) -> Result<HeldPage, StoreError> {
        self.noted(self.held_page(of, after, limit))
    }

    /// One record of the quarantine; none when it is not there.
    ///
    /// # Errors
    /// The store failed.
    pub fn held(&self, record: &RecordId) -> Result<Option<Held>, StoreError> {
        let found = self.card_of(record).and_then(|found| match found {
            Some((number, card)) => self.held_record(number, &card),
            None => Ok(None),
        });
        self.noted(found)
    }

    fn held_page(&self, of: Option<OrgId>, after: Option<&Cursor>, limit: usize) -> Result<HeldPage, StoreError> {
        let whose = of.map(|org| organisation_key(Some(org))).unwrap_or_default();
        let end = [whose.as_slice(), END].concat();
        let from = match after {
            Some(Cursor(after)) if *after >= whose => [after.as_slice(), &[0]].concat(),
            _ => whose,
        };
        let rows = stored_rows(&self.store, Space::Quarantine, &from, &end, limit)?;
        let mut page = HeldPage::default();
        for (key, _) in &rows {
            let number = number_of(key)?;
            if let Some(card) = self.card(number)? {
                page.held.extend(self.held_record(number, &card)?);
            }
        }
        page.next = rows
            .last()
            .filter(|_| rows.len() == limit)
            .map(|(key, _)| Cursor(key.clone()));
        Ok(page)
    }

    fn held_record(&self, number: Number, card: &Card) -> Result<Option<Held>, StoreError> {
        let durable = self.counts().serial;
        let Some(since) = card.held_since.filter(|_| card.is_present() && card.stored <= durable) else {
            return Ok(None);
        };
        let leaves = Millis(since.0.saturating_add(self.options.held_for.0));
        Ok(Some(Held {
            record: card.id,
            author: card.author,
            org: card.org,
            topic: card.topic.clone(),
            kind: card.kind,
            items: card.items,
            since,
            until: leaves.min(card.expires_at),
            expires_at: card.expires_at,
            bytes: card.compressed_len,
            why: self.why(number, card)?,
        }))
    }

    /// Whether its author's node was revoked before a record.
    pub(super) fn is_cut_off(&self, number: Number, card: &Card) -> Result<bool, StoreError> {
        let Some(cut) = self.store.get(Space::Cuts, &cut_key(&card.author, card.org))? else {
            return Ok(false);
        };
        let last_good: Vec<LogPosition> = decoded(&cut)?;
        let signed = self.signed(number)?;
        let header = signed.and_then(|signed| Header::decode(signed.bytes()).ok());
        Ok(header.is_none_or(|header| is_behind(&last_good, &header, card.id)))
    }

    fn why(&self, number: Number, card: &Card) -> Result<Why, StoreError> {
        if self.is_cut_off(number, card)? {
            return Ok(Why::Revoked);
        }
        if card.org.is_none() {
            return Ok(Why::Uncertified);
        }
        let noted = self.store.get(Space::Acceptances, &organisation_key(card.org))?;
        let acceptance: Acceptance = noted.map_or(Ok(Acceptance::nothing()), |value| decoded(&value))?;
        if acceptance.is_nothing() {
            return Ok(Why::NotTrusted);
        }
        let body = self.content(number, card)?;
        let covered = body.is_some_and(|body| acceptance.covers(&card.topic, &body));
        Ok(if covered { Why::Rising } else { Why::OutOfScope })
    }
}
