//! How the ledger's keys and values look in the store.
//!
//! Record numbers count from 0, are never used twice and stay below 2^56: behind an observable's key their first byte is
//! zero, and no longer observable's key has a zero there. So one value's rows are exactly those from its key up to its key
//! followed by 1 (see `protocol`'s `observable::key`).

use serde::{Serialize, de::DeserializeOwned};
use starfish_crypto::{Digest, PublicKey};
use starfish_protocol::{
    codec,
    organisation::OrgId,
    record::{LogId, RecordId},
    time::Millis,
};

use crate::store::StoreError;

/// The number of a record in this store.
pub(crate) type Number = u64;

/// Names of single values in `Space::Meta`.
pub(crate) mod meta {
    /// The version of everything here.
    pub(crate) const FORMAT: &[u8] = b"format";
    /// The counters.
    pub(crate) const COUNTS: &[u8] = b"counts";
    /// The number of the last line of the audit log.
    pub(crate) const AUDIT: &[u8] = b"audit";
    /// The move that is being carried out.
    pub(crate) const INTENT: &[u8] = b"intent";
}

pub(crate) fn number_key(number: Number) -> [u8; 8] {
    number.to_be_bytes()
}

pub(crate) fn number_of(key: &[u8]) -> Result<Number, StoreError> {
    let bytes = key
        .last_chunk()
        .ok_or_else(|| StoreError::corrupt("a key without its record number"))?;
    Ok(Number::from_be_bytes(*bytes))
}

/// A key and the number of a record.
pub(crate) fn numbered(key: &[u8], number: Number) -> Vec<u8> {
    [key, &number_key(number)].concat()
}

/// The end of the rows whose keys begin like this and go on with a record number.
pub(crate) fn numbered_end(key: &[u8]) -> Vec<u8> {
    [key, &[1]].concat()
}

/// The number as a value, in as few bytes as it needs but at least one: an empty value marks a further record's row.
pub(crate) fn holder_value(number: Number) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let zeros = bytes.iter().take(7).take_while(|byte| **byte == 0).count();
    bytes[zeros..].to_vec()
}

pub(crate) fn holder_of(value: &[u8]) -> Result<Number, StoreError> {
    if value.is_empty() || value.len() > 8 {
        return Err(StoreError::corrupt("a value in the index does not name its record"));
    }
    Ok(value.iter().fold(0, |number, byte| number << 8 | Number::from(*byte)))
}

/// Begins all of a log's keys, and no other log's: the encoding ends itself.
pub(crate) fn log_key(log: &LogId) -> Vec<u8> {
    codec::encode(log)
}

/// Begins the keys of all logs of a node.
pub(crate) fn logs_key(node: &PublicKey) -> Vec<u8> {
    codec::encode(node)
}

pub(crate) fn position_key(log: &LogId, seq: u64) -> Vec<u8> {
    numbered(&log_key(log), seq)
}

pub(crate) fn due_key(time: Millis, number: Number) -> Vec<u8> {
    numbered(&time.0.to_be_bytes(), number)
}

pub(crate) fn digest_key(digest: &Digest) -> &[u8] {
    digest.as_bytes()
}

/// The digest that a key is.
pub(crate) fn digest_of(key: &[u8]) -> Result<Digest, StoreError> {
    let bytes = key
        .try_into()
        .map_err(|_| StoreError::corrupt("a key that is no digest"))?;
    Ok(Digest::from_bytes(bytes))
}

/// Begins the rows of the records whose values a body gave to the index, or of those that still wait for it.
pub(crate) fn users_key(body: &Digest, waiting: bool) -> Vec<u8> {
    [body.as_bytes().as_slice(), &[u8::from(waiting)]].concat()
}

/// Records without an organisation share one place.
pub(crate) fn organisation_key(org: Option<OrgId>) -> Vec<u8> {
    match org {
        Some(org) => [&[1], org.digest().as_bytes().as_slice()].concat(),
        None => [0; 33].to_vec(),
    }
}

/// The organisation of such a place.
pub(crate) fn organisation_of(key: &[u8]) -> Result<OrgId, StoreError> {
    let digest = key.strip_prefix(&[1]).and_then(|digest| digest.try_into().ok());
    let digest = digest.ok_or_else(|| StoreError::corrupt("a key that names no organisation"))?;
    Ok(OrgId::from_digest(Digest::from_bytes(digest)))
}

/// How far what a node wrote for an organisation counts.
pub(crate) fn cut_key(node: &PublicKey, org: Option<OrgId>) -> Vec<u8> {
    [node.as_bytes().as_slice(), &organisation_key(org)].concat()
}

/// Whose cut such a key is.
pub(crate) fn cut_of(key: &[u8]) -> Result<(PublicKey, OrgId), StoreError> {
    let (node, org) = key
        .split_first_chunk()
        .ok_or_else(|| StoreError::corrupt("a cut without its node"))?;
    Ok((PublicKey::from_bytes(*node), organisation_of(org)?))
}

/// The setting that holds how far a recovery has come.
pub(crate) fn recovery_key(id: &Digest) -> String {
    format!("{RECOVERY}{id}")
}

/// The recovery of such a setting, if it is one.
pub(crate) fn recovery_of(name: &str) -> Option<Digest> {
    name.strip_prefix(RECOVERY)?.parse().ok()
}

const RECOVERY: &str = "recovery ";

/// The setting that holds what an organisation may do.
pub(crate) fn rights_key(org: &OrgId) -> String {
    format!("{RIGHTS}{org}")
}

/// The organisation of such a setting, if it is one.
pub(crate) fn rights_of(name: &str) -> Option<OrgId> {
    name.strip_prefix(RIGHTS)?.parse().ok()
}

const RIGHTS: &str = "rights ";

/// Begins the rows of the withdrawals of a record by one organisation. Others' do not even cost a look.
pub(crate) fn withdrawal_key(target: &RecordId, by: Option<OrgId>) -> Vec<u8> {
    [target.digest().as_bytes().as_slice(), &organisation_key(by)].concat()
}

/// What is still to be done, in the order in which it is resumed.
pub(crate) mod pending {
    use super::{Digest, Number, OrgId, PublicKey, numbered};

    const WITHDRAWAL: u8 = 1;
    const JUDGEMENT: u8 = 2;
    const EXPIRY: u8 = 3;
    const CUT: u8 = 4;
    const OVERFULL: u8 = 5;

    /// This withdrawal is to be applied to its target.
    pub(crate) fn withdrawal(number: Number) -> Vec<u8> {
        numbered(&[WITHDRAWAL], number)
    }

    /// An organisation was judged anew.
    pub(crate) fn judgement(org: OrgId) -> Vec<u8> {
        [&[JUDGEMENT], org.digest().as_bytes().as_slice()].concat()
    }

    /// A node was cut, or its cut was taken back.
    pub(crate) fn cut(node: &PublicKey) -> Vec<u8> {
        [&[CUT], node.as_bytes().as_slice()].concat()
    }

    /// The node of such a row.
    pub(crate) fn cut_of(key: &[u8]) -> Option<PublicKey> {
        let (kind, node) = key.split_first()?;
        (*kind == CUT).then_some(())?;
        Some(PublicKey::from_bytes(node.try_into().ok()?))
    }

    /// The organisation of such a row.
    pub(crate) fn judged_of(key: &[u8]) -> Option<OrgId> {
        let (kind, digest) = key.split_first()?;
        (*kind == JUDGEMENT).then_some(())?;
        Some(OrgId::from_digest(Digest::from_bytes(digest.try_into().ok()?)))
    }

    /// Where the withdrawals begin.
    pub(crate) const WITHDRAWALS: &[u8] = &[WITHDRAWAL];
    /// Where they end.
    pub(crate) const WITHDRAWALS_END: &[u8] = &[JUDGEMENT];
    /// Where the judgements begin.
    pub(crate) const JUDGEMENTS: &[u8] = &[JUDGEMENT];
    /// Where the cuts begin.
    pub(crate) const CUTS: &[u8] = &[CUT];
    /// Where they end.
    pub(crate) const CUTS_END: &[u8] = EVICT;
    /// Everything up to a time is to leave; also the end of the judgements.
    pub(crate) const EXPIRE: &[u8] = &[EXPIRY];
    /// The quarantine holds more than its budget; also the end of the cuts.
    pub(crate) const EVICT: &[u8] = &[OVERFULL];
}

/// Reads a value that the ledger wrote.
pub(crate) fn decoded<T: DeserializeOwned>(value: &[u8]) -> Result<T, StoreError> {
    codec::decode(value, codec::DOCUMENT_BYTES).map_err(|_| StoreError::corrupt("a value does not decode"))
}

/// Writes one.
pub(crate) fn encoded<T: Serialize>(value: &T) -> Vec<u8> {
    codec::encode(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holders_are_short_and_come_back() {
        let check = |number: Number, length: usize| {
            let value = holder_value(number);
            assert_eq!((holder_of(&value), value.len()), (Ok(number), length));
        };
        check(0, 1);
        check(255, 1);
        check(256, 2);
        check(1 << 40, 6);
        check(Number::MAX, 8);
        assert!(holder_of(&[]).is_err());
        assert!(holder_of(&[1; 9]).is_err());
    }

    #[test]
    fn pending_rows_are_told_apart() {
        let digest = Digest::of("test", b"x");
        let org = OrgId::from_digest(digest);
        assert_eq!(pending::judged_of(&pending::judgement(org)), Some(org));
        assert_eq!(pending::judged_of(pending::EXPIRE), None);
        assert_eq!(pending::judged_of(&pending::withdrawal(7)), None);
        assert!(pending::withdrawal(7).as_slice() > pending::WITHDRAWALS);
        assert!(pending::withdrawal(7).as_slice() < pending::WITHDRAWALS_END);
        assert!(pending::judgement(org).as_slice() > pending::JUDGEMENTS);
        assert!(pending::judgement(org).as_slice() < pending::EXPIRE);
    }
}
