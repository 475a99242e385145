//! Search: one value exactly, everything under a domain, everything within a network.
//!
//! A search is a few ranges of the index. It goes through them in the order of their keys, merged with those of what was
//! withdrawn, in pages; a [`Cursor`] is the key where the next page begins. What expired is left out even before it is
//! purged, and what is not durable yet is not there.

use std::{collections::BTreeMap, fmt, ops::Range, str::FromStr};

use starfish_crypto::PublicKey;
use starfish_protocol::{
    observable::{NotObservable, Observable},
    organisation::OrgId,
    record::{Kind, RecordId, Tlp, Topic},
    time::Millis,
};
use thiserror::Error;

use crate::store::{Space, Store, StoreError};

use super::{
    Ledger,
    catalogue::Card,
    keys::{Number, holder_of, number_of, numbered_end},
    writer::{home, stored_rows},
};

/// A page ends after so many rows even if few of them are shown, so that no page takes long.
const ROWS: usize = 10_000;
/// How many rows are read at a time.
const READ: usize = 256;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    ranges: Vec<Range<Vec<u8>>>,
    quarantine: bool,
    now: Millis,
}

impl Search {
    /// Exactly this value.
    pub fn value(value: &Observable) -> Self {
        let key = value.key();
        let end = numbered_end(&key);
        Self::over(vec![key..end])
    }

    /// Everything at or under this domain, which may be a top-level domain.
    ///
    /// # Errors
    /// It is no domain.
    pub fn under(domain: &str) -> Result<Self, NotObservable> {
        let range = |prefix: Vec<u8>| {
            let end = [prefix.as_slice(), &[u8::MAX]].concat();
            prefix..end
        };
        Ok(Self::over(
            Observable::under_prefixes(domain)?.into_iter().map(range).collect(),
        ))
    }

    /// Everything within this network or at this address.
    ///
    /// # Errors
    /// It is neither.
    pub fn within(network: &str) -> Result<Self, NotObservable> {
        let ranges = match Observable::parse(network)? {
            Observable::Network(network) => Observable::within_ranges(network.net()),
            Observable::Ip(address) => Observable::within_ranges(address.ip().into()),
            _ => {
                return Err(NotObservable::Network {
                    text: network.chars().take(80).collect(),
                });
            }
        };
        Ok(Self::over(ranges.into()))
    }

    /// Everything.
    pub fn all() -> Self {
        Self::over(vec![Vec::new()..vec![u8::MAX]])
    }

    fn over(mut ranges: Vec<Range<Vec<u8>>>) -> Self {
        ranges.sort_by(|one, two| one.start.cmp(&two.start));
        Self {
            ranges,
            quarantine: false,
            now: Millis(0),
        }
    }

    /// In the quarantine, in place of what is believed.
    #[must_use]
    pub fn in_quarantine(self, quarantine: bool) -> Self {
        Self { quarantine, ..self }
    }

    /// Leaves out what has expired by now.
    #[must_use]
    pub fn at(self, now: Millis) -> Self {
        Self { now, ..self }
    }
}

/// One value in one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The value.
    pub value: Observable,
    /// Its topic.
    pub topic: Topic,
    /// How far it may be passed on.
    pub tlp: Tlp,
    /// How sure the author is, 0 to 100.
    pub confidence: u8,
    /// What the record's observables have in common.
    pub context: String,
    /// The node key that signed it.
    pub author: PublicKey,
    /// Its organisation.
    pub organisation: Option<OrgId>,
    /// The record.
    pub record: RecordId,
    /// The last ledger entry about the record.
    pub serial: u64,
    /// When it came.
    pub received_at: Millis,
    /// When it ends.
    pub expires_at: Millis,
    /// True when its organisation took it back.
    pub withdrawn: bool,
    /// True when its author was proven to have written two histories.
    pub forked: bool,
}

/// Some hits, and where the next page begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// In the order of the index.
    pub hits: Vec<Hit>,
    /// None at the end. A page may be short, or empty, and not be the last.
    pub next: Option<Cursor>,
}

/// A place in a search. Its text means nothing to anyone else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub(super) Vec<u8>);

/// The longest text of a cursor: a key holds a URL of 2 KiB and its host.
const CURSOR_TEXT: usize = 16_384;

impl fmt::Display for Cursor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

/// The text is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("this is no cursor; use the one that the page before ended with")]
pub struct NotACursor;

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        if text.len() > CURSOR_TEXT
            || !text.len().is_multiple_of(2)
            || !text.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            return Err(NotACursor);
        }
        let byte = |place: usize| u8::from_str_radix(&text[place..place + 2], 16).map_err(|_| NotACursor);
        (0..text.len()).step_by(2).map(byte).collect::<Result<_, _>>().map(Self)
    }
}

/// Rows of the two spaces that a search looks at: key, value, and whether the row is one of the withdrawn.
type Merged = BTreeMap<Vec<u8>, (Vec<u8>, bool)>;

/// Cards that one page has read, and which authors are forked.
#[derive(Default)]
struct Cards {
    cards: BTreeMap<Number, Option<Card>>,
    forked: BTreeMap<PublicKey, bool>,
}

impl<S: Store> Ledger<S> {
    /// A page of at most `limit` hits.
    ///
    /// # Errors
    /// The store failed.
    pub fn search(&self, search: &Search, after: Option<&Cursor>, limit: usize) -> Result<Page, StoreError> {
        self.noted(self.page(search, after, limit))
    }

    fn page(&self, search: &Search, after: Option<&Cursor>, limit: usize) -> Result<Page, StoreError> {
        let (mut page, mut cards, mut rows) = (Page::default(), Cards::default(), 0);
        for range in &search.ranges {
            let mut from = range.start.clone();
            if let Some(Cursor(after)) = after
                && *after >= from
            {
                from = [after.as_slice(), &[0]].concat();
            }
            while from < range.end {
                let read = READ.min(limit.saturating_sub(page.hits.len()).max(1));
                let found = self.merged(search, &from, &range.end, read)?;
                for (key, (value, withdrawn)) in &found {
                    page.hits.extend(self.hit(search, key, value, *withdrawn, &mut cards)?);
                    rows += 1;
                    if page.hits.len() >= limit || rows >= ROWS {
                        page.next = Some(Cursor(key.clone()));
                        return Ok(page);
                    }
                }
                match found.last_key_value() {
                    Some((last, _)) if found.len() == read => from = [last.as_slice(), &[0]].concat(),
                    _ => break,
                }
            }
        }
        Ok(page)
    }

    /// The next rows of the two spaces that a search looks at, with whether each is withdrawn.
    fn merged(&self, search: &Search, from: &[u8], end: &[u8], limit: usize) -> Result<Merged, StoreError> {
        let mut merged = BTreeMap::new();
        for (space, withdrawn) in [(home(!search.quarantine), false), (Space::Withdrawn, true)] {
            let rows = stored_rows(&self.store, space, from, end, limit)?;
            merged.extend(rows.into_iter().map(|(key, value)| (key, (value, withdrawn))));
        }
        while merged.len() > limit {
            merged.pop_last();
        }
        Ok(merged)
    }

    fn hit(
        &self,
        search: &Search,
        key: &[u8],
        value: &[u8],
        withdrawn: bool,
        cards: &mut Cards,
    ) -> Result<Option<Hit>, StoreError> {
        let (key, number) = if value.is_empty() {
            (&key[..key.len().saturating_sub(8)], number_of(key)?)
        } else {
            (key, holder_of(value)?)
        };
        let card = match cards.cards.entry(number) {
            std::collections::btree_map::Entry::Occupied(card) => card.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => place.insert(self.card(number)?),
        };
        let durable = self.counts().serial;
        let shown = |card: &&mut Card| {
            card.is_present()
                && card.kind != Kind::OPINION
                && card.stored <= durable
                && card.believed != search.quarantine
                && card.expires_at > search.now
        };
        let Some(card) = card.as_mut().filter(shown) else {
            return Ok(None);
        };
        let value = Observable::from_key(key).ok_or_else(|| StoreError::corrupt("a key that is no observable"))?;
        let forked = match cards.forked.get(&card.author) {
            Some(forked) => *forked,
            None => {
                let forked = self.store.get(Space::Forks, card.author.as_bytes())?.is_some();
                cards.forked.insert(card.author, forked);
                forked
            }
        };
        Ok(Some(Hit {
            value,
            topic: card.topic.clone(),
            tlp: Tlp::from(card.tlp),
            confidence: card.confidence,
            context: card.context.clone(),
            author: card.author,
            organisation: card.org,
            record: card.id,
            serial: card.serial,
            received_at: card.received_at,
            expires_at: card.expires_at,
            withdrawn,
            forked,
        }))
    }
}
