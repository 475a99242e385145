//! What goes to the journal: of the changes that come, and, where the journal has been lost, of everything that is here.

use std::collections::{BTreeMap, BTreeSet};

use starfish_crypto::Digest;
use starfish_protocol::{
    engine::port::{Audit, Change},
    record::RecordId,
    statement::{self, Statement},
};

use crate::store::{Space, Store, StoreError};

use super::{
    Ledger, Writing,
    catalogue::Decision,
    journal::{Journal, Note},
    keys::{decoded, digest_of, encoded},
    reading::END,
    writer::{SAFE_MODE, Writer, stored_rows, verified},
};

/// So many bytes of bodies go into one append.
const APPEND_BYTES: usize = 4 << 20;

/// What a journal holds.
#[derive(Default)]
struct Noted {
    records: BTreeSet<RecordId>,
    bodies: BTreeSet<RecordId>,
    statements: BTreeSet<Digest>,
    settings: BTreeMap<String, Vec<u8>>,
    decisions: BTreeMap<RecordId, Decision>,
    audit: Vec<Audit>,
}

impl Noted {
    fn in_journal(journal: &mut dyn Journal) -> Result<Self, StoreError> {
        let mut noted = Self::default();
        journal.replay(0, &mut |_, note| {
            match note {
                Note::Record { header, body, .. } => {
                    let header = verified(header)?;
                    // One behind a hole is not taken from the journal, so it does not count.
                    if header.seq > 0 && !noted.records.contains(&RecordId::from_digest(header.prev)) {
                        return Ok(());
                    }
                    let id = RecordId::of(&header);
                    noted.records.insert(id);
                    if body.is_some() {
                        noted.bodies.insert(id);
                    }
                }
                Note::Body { record, .. } => {
                    noted.bodies.insert(record);
                }
                Note::Statement(statement) => {
                    noted.statements.insert(statement.id());
                }
                Note::Setting(name, value) => {
                    noted.settings.insert(name, value);
                }
                Note::Release(record) => {
                    noted.decisions.insert(record, Decision::Released);
                }
                Note::Drop(record) => {
                    noted.decisions.insert(record, Decision::Dropped);
                }
                Note::Audit(audit) => noted.audit.push(audit),
                Note::Judge(..) | Note::Accept(..) => {}
            }
            Ok(())
        })?;
        Ok(noted)
    }
}

impl<S: Store> Ledger<S> {
    /// Appends to the journal what it lacks of this node's own: records, statements and settings; how many notes. A restored
    /// store on a new machine has a journal that knows nothing, and would lose its own log with the store.
    ///
    /// Verdicts are left out: the settings name who is paired, and a start judges by them.
    ///
    /// # Errors
    /// The store or the journal failed.
    pub fn complete_journal(&self) -> Result<u64, StoreError> {
        let mut writing = self.writing.lock();
        self.mend(&mut writing)?;
        let noted = Noted::in_journal(&mut *writing.journal)?;
        let mut notes = Vec::new();
        let mut appended = 0;
        for (_, value) in stored_rows(&self.store, Space::Statements, &[], END, usize::MAX)? {
            let statement: Statement = decoded(&value)?;
            if self.is_ours(&statement) && !noted.statements.contains(&statement.id()) {
                notes.push(Note::Statement(statement));
            }
        }
        for (name, value) in stored_rows(&self.store, Space::Settings, &[], END, usize::MAX)? {
            let name = String::from_utf8_lossy(&name).into_owned();
            if name != SAFE_MODE && noted.settings.get(&name) != Some(&value) {
                notes.push(Note::Setting(name, value));
            }
        }
        notes.extend(self.missing_decisions(&noted)?);
        let known: BTreeSet<Vec<u8>> = noted.audit.iter().map(encoded).collect();
        for (_, line) in stored_rows(&self.store, Space::Audit, &[], END, usize::MAX)? {
            if !known.contains(&line) {
                notes.push(Note::Audit(decoded(&line)?));
            }
        }
        let mut bytes = 0;
        for number in 0..writing.counts.records {
            if let Some(note) = self.missing_note(number, &noted)? {
                bytes += size(&note);
                notes.push(note);
            }
            if bytes >= APPEND_BYTES {
                bytes = 0;
                appended += self.append(&mut writing, std::mem::take(&mut notes))?;
            }
        }
        appended += self.append(&mut writing, notes)?;
        Ok(appended)
    }

    /// What the journal lacks of a record of our own.
    fn missing_note(&self, number: u64, noted: &Noted) -> Result<Option<Note>, StoreError> {
        let Some(card) = self.card(number)?.filter(|card| card.own) else {
            return Ok(None);
        };
        let (record, received_at) = (card.id, card.received_at);
        let body = match card.is_present() && !noted.bodies.contains(&record) {
            true => self.compressed(&card.body)?,
            false => None,
        };
        if noted.records.contains(&record) {
            return Ok(body.map(|body| Note::Body {
                record,
                body,
                received_at,
            }));
        }
        let header = self.signed(number)?;
        let header = header.ok_or_else(|| StoreError::corrupt("a record without its header"))?;
        Ok(Some(Note::Record {
            header,
            org: card.org,
            body,
            received_at,
        }))
    }

    /// Decisions of the operator that the journal lacks.
    fn missing_decisions(&self, noted: &Noted) -> Result<Vec<Note>, StoreError> {
        let mut notes = Vec::new();
        for (key, value) in stored_rows(&self.store, Space::Decisions, &[], END, usize::MAX)? {
            let record = RecordId::from_digest(digest_of(&key)?);
            let decision = decoded(&value)?;
            if noted.decisions.get(&record) != Some(&decision) {
                notes.push(match decision {
                    Decision::Released => Note::Release(record),
                    Decision::Dropped => Note::Drop(record),
                });
            }
        }
        Ok(notes)
    }

    fn append(&self, writing: &mut Writing, notes: Vec<Note>) -> Result<u64, StoreError> {
        if notes.is_empty() {
            return Ok(0);
        }
        let position = writing.journal.append(&notes)?;
        let mut writer = Writer::new(&self.store, &self.options, writing.counts);
        writer.draft.counts.journal = position;
        self.finish(&mut writing.counts, writer)?;
        Ok(notes.len() as u64)
    }

    /// What of these changes goes to the journal.
    pub(super) fn notes(&self, changes: &[Change]) -> Result<Vec<Note>, StoreError> {
        let mut notes = Vec::new();
        let mut own = BTreeSet::new();
        for change in changes {
            if let Change::Record { header, own: true, .. } = change {
                own.insert(RecordId::of(header));
            }
            match change {
                Change::Record {
                    header,
                    org,
                    body,
                    received_at,
                    own: true,
                    ..
                } => notes.push(Note::Record {
                    header: header.signed().clone(),
                    org: *org,
                    body: body.as_ref().map(|(compressed, _)| compressed.clone()),
                    received_at: *received_at,
                }),
                Change::Body {
                    record,
                    compressed,
                    received_at,
                    ..
                } if own.contains(record) || self.is_own(record)? => {
                    notes.push(Note::Body {
                        record: *record,
                        body: compressed.clone(),
                        received_at: *received_at,
                    });
                }
                Change::Statement(statement) if self.is_ours(statement) => {
                    notes.push(Note::Statement(statement.clone()));
                }
                Change::Judge { org, acceptance } => notes.push(Note::Accept(*org, acceptance.clone())),
                Change::Audit(audit) => notes.push(Note::Audit(audit.clone())),
                Change::Release(record) => notes.push(Note::Release(*record)),
                Change::Drop(record) => notes.push(Note::Drop(*record)),
                Change::Setting(name, value) if *name != SAFE_MODE => {
                    notes.push(Note::Setting((*name).to_owned(), value.clone()))
                }
                _ => {}
            }
        }
        Ok(notes)
    }

    fn is_own(&self, record: &RecordId) -> Result<bool, StoreError> {
        Ok(self.card_of(record)?.is_some_and(|(_, card)| card.own))
    }

    /// Where a node can be reached is signed anew at every start; only who it is must survive.
    fn is_ours(&self, statement: &Statement) -> bool {
        let lasts = statement.kind() != statement::Kind::ENDPOINT;
        let about = statement.issuer().filter(|_| lasts);
        about.is_some() && about == self.options.org
    }
}

fn size(note: &Note) -> usize {
    match note {
        Note::Record { body: Some(body), .. } | Note::Body { body, .. } => 1_024 + body.len(),
        _ => 1_024,
    }
}
