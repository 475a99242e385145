//! A body checked in groups of 16 KiB while it arrives, so that a peer that sends something else is noticed at once.
//!
//! BLAKE3 is a tree: each group is a subtree with a chaining value, and these merge into the digest that the header names.
//! The sender tells the values first (`wire::BodyHead`); [`GroupVerifier`] holds them against the digest, and then each
//! group against its value. A body of one group has no chaining value of its own, because its subtree is the root: its list
//! is empty, or holds the digest itself.

use blake3::{
    Hasher,
    hazmat::{HasherExt as _, Mode, merge_subtrees_non_root, merge_subtrees_root},
};
use starfish_crypto::Digest;
use thiserror::Error;

use crate::limits;

/// Bytes of a group; the last one of a body may be shorter.
pub const GROUP_BYTES: usize = 16 * 1_024;

/// Why what arrives is not the body that was asked for. Whoever sends it is to blame.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum GroupFault {
    /// No body is empty, or longer than `limits::BODY_BYTES`.
    #[error("the body is empty or longer than allowed")]
    Length,
    /// Another number of values than the length has groups.
    #[error("the list of values is not as long as the body needs")]
    Count,
    /// The values do not merge into the digest.
    #[error("the list of values does not fit the digest")]
    Digest,
    /// A group with other bytes, of another length, or one too many.
    #[error("a group of the body does not fit its value")]
    Group,
}

/// The chaining value of each group of a body; of a single group, the digest itself.
pub fn group_values(body: &[u8]) -> Vec<[u8; 32]> {
    if body.len() <= GROUP_BYTES {
        return vec![*blake3::hash(body).as_bytes()];
    }
    body.chunks(GROUP_BYTES)
        .enumerate()
        .map(|(index, group)| chaining_value(index, group))
        .collect()
}

fn chaining_value(index: usize, group: &[u8]) -> [u8; 32] {
    Hasher::new()
        .set_input_offset((index * GROUP_BYTES) as u64)
        .update(group)
        .finalize_non_root()
}

/// The digest that two or more values merge into; of one value, the value.
fn merge_into_root(values: &[[u8; 32]]) -> [u8; 32] {
    match values {
        [] => [0; 32],
        [only] => *only,
        _ => {
            let (left, right) = values.split_at(left_groups(values.len()));
            *merge_subtrees_root(&merge(left), &merge(right), Mode::Hash).as_bytes()
        }
    }
}

/// The value of an inner node above one or more groups. Its depth is the logarithm of their number.
fn merge(values: &[[u8; 32]]) -> [u8; 32] {
    match values {
        [] => [0; 32],
        [only] => *only,
        _ => {
            let (left, right) = values.split_at(left_groups(values.len()));
            merge_subtrees_non_root(&merge(left), &merge(right), Mode::Hash)
        }
    }
}

/// BLAKE3 puts the largest power of two that leaves something for the right into the left subtree.
fn left_groups(count: usize) -> usize {
    count.next_power_of_two() / 2
}

/// Takes the groups of one body, in order.
#[derive(Clone, Debug)]
pub struct GroupVerifier {
    values: Vec<[u8; 32]>,
    len: usize,
    taken: usize,
}

impl GroupVerifier {
    /// Holds the values against the digest, before a single byte of the body is taken.
    pub fn new(digest: Digest, len: u64, values: &[[u8; 32]]) -> Result<Self, GroupFault> {
        let len = usize::try_from(len).map_err(|_| GroupFault::Length)?;
        if len == 0 || len > limits::BODY_BYTES {
            return Err(GroupFault::Length);
        }
        let own = [*digest.as_bytes()];
        let values = if len <= GROUP_BYTES && values.is_empty() {
            &own
        } else {
            values
        };
        if values.len() != len.div_ceil(GROUP_BYTES) {
            return Err(GroupFault::Count);
        }
        if merge_into_root(values) != *digest.as_bytes() {
            return Err(GroupFault::Digest);
        }
        Ok(Self {
            values: values.to_vec(),
            len,
            taken: 0,
        })
    }

    /// How many bytes the next group has; 0 when all are there.
    pub fn next_len(&self) -> usize {
        (self.len - self.taken).min(GROUP_BYTES)
    }

    /// Whether all groups were taken.
    pub fn is_complete(&self) -> bool {
        self.taken == self.len
    }

    /// Takes the next group, which is exactly [`next_len`](Self::next_len) bytes long.
    pub fn push(&mut self, group: &[u8]) -> Result<(), GroupFault> {
        if group.is_empty() || group.len() != self.next_len() {
            return Err(GroupFault::Group);
        }
        let index = self.taken / GROUP_BYTES;
        let value = if self.values.len() == 1 {
            *blake3::hash(group).as_bytes()
        } else {
            chaining_value(index, group)
        };
        if self.values.get(index) != Some(&value) {
            return Err(GroupFault::Group);
        }
        self.taken += group.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn body(len: usize) -> Vec<u8> {
        (0..len).map(|place| (place * 31 % 251) as u8).collect()
    }

    fn digest(body: &[u8]) -> Digest {
        Digest::from_bytes(*blake3::hash(body).as_bytes())
    }

    /// Takes all groups, each changed by `change` where its index is given.
    fn take(body: &[u8], values: &[[u8; 32]], spoil: Option<usize>) -> Result<bool, GroupFault> {
        let mut verifier = GroupVerifier::new(digest(body), body.len() as u64, values)?;
        for (index, group) in body.chunks(GROUP_BYTES).enumerate() {
            assert!(!verifier.is_complete());
            assert_eq!(verifier.next_len(), group.len());
            let mut group = group.to_vec();
            if spoil == Some(index) {
                group[0] ^= 1;
            }
            verifier.push(&group)?;
        }
        Ok(verifier.is_complete())
    }

    #[test]
    fn values_merge_into_the_digest() {
        for len in [1, 1_023, 1_024, 1_025, 16_383, 16_384] {
            let body = body(len);
            assert_eq!(group_values(&body), [*digest(&body).as_bytes()], "{len}");
            assert_eq!(take(&body, &group_values(&body), None), Ok(true), "{len}");
            assert_eq!(take(&body, &[], None), Ok(true), "{len}");
            assert_eq!(take(&body, &[], Some(0)), Err(GroupFault::Group), "{len}");
        }
        for len in [
            16_385, 32_768, 32_769, 49_152, 65_536, 65_537, 100_000, 131_072, 200_000, 262_143, 262_144,
        ] {
            let body = body(len);
            let values = group_values(&body);
            assert_eq!(merge_into_root(&values), *digest(&body).as_bytes(), "{len}");
            assert_eq!(take(&body, &values, None), Ok(true), "{len}");
            for spoilt in 0..values.len() {
                assert_eq!(
                    take(&body, &values, Some(spoilt)),
                    Err(GroupFault::Group),
                    "{len} {spoilt}"
                );
            }
        }
    }

    #[test]
    fn wrong_lists_and_groups_are_refused() {
        let whole = body(40_000);
        let values = group_values(&whole);
        let check = |len: u64, values: &[[u8; 32]], fault: GroupFault| {
            assert_eq!(
                GroupVerifier::new(digest(&whole), len, values).map(|_| ()),
                Err(fault),
                "{len} {}",
                values.len()
            );
        };
        check(0, &[], GroupFault::Length);
        check(u64::MAX, &values, GroupFault::Length);
        check(limits::BODY_BYTES as u64 + 1, &values, GroupFault::Length);
        check(40_000, &[], GroupFault::Count);
        check(40_000, &values[..2], GroupFault::Count);
        check(40_000, &[values.clone(), values.clone()].concat(), GroupFault::Count);
        check(10_000, &values, GroupFault::Count);
        check(60_000, &values, GroupFault::Count);
        check(40_000, &[values[1], values[0], values[2]], GroupFault::Digest);
        check(40_000, &[values[0], values[1], [0; 32]], GroupFault::Digest);
        check(10_000, &[values[0]], GroupFault::Digest);

        // The last group's length is not in the values: a wrong one shows when that group comes.
        let mut verifier = GroupVerifier::new(digest(&whole), 40_001, &values).expect("as many groups");
        assert_eq!(verifier.push(&whole[..16_384]), Ok(()));
        assert_eq!(verifier.push(&whole[16_384..32_768]), Ok(()));
        assert_eq!(
            verifier.push(&[&whole[32_768..], &[0]].concat()),
            Err(GroupFault::Group)
        );

        let mut verifier = GroupVerifier::new(digest(&whole), 40_000, &values).expect("the right list");
        assert_eq!(verifier.push(&[]), Err(GroupFault::Group));
        assert_eq!(verifier.push(&whole), Err(GroupFault::Group));
        assert_eq!(verifier.push(&whole[..16_383]), Err(GroupFault::Group));
        assert_eq!(verifier.push(&whole[16_384..32_768]), Err(GroupFault::Group));
        assert_eq!(verifier.push(&whole[..16_384]), Ok(()));
        assert_eq!(verifier.push(&whole[..16_384]), Err(GroupFault::Group));
        assert_eq!(verifier.push(&whole[16_384..32_768]), Ok(()));
        assert_eq!(verifier.push(&whole[32_768..]), Ok(()));
        assert!(verifier.is_complete());
        assert_eq!(verifier.next_len(), 0);
        assert_eq!(verifier.push(&[]), Err(GroupFault::Group));
        assert_eq!(verifier.push(&[0]), Err(GroupFault::Group));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_body_is_its_groups(bytes in proptest::collection::vec(any::<u8>(), 1..120_000)) {
            let values = group_values(&bytes);
            prop_assert_eq!(merge_into_root(&values), *digest(&bytes).as_bytes());
            prop_assert_eq!(take(&bytes, &values, None), Ok(true));
        }

        #[test]
        fn one_changed_bit_is_noticed(len in 1usize..100_000, place: prop::sample::Index, bit in 0u8..8) {
            let whole = body(len);
            let mut changed = whole.clone();
            changed[place.index(len)] ^= 1 << bit;
            let mut verifier = GroupVerifier::new(digest(&whole), len as u64, &group_values(&whole)).expect("its own");
            let taken = changed.chunks(GROUP_BYTES).try_for_each(|group| verifier.push(group));
            prop_assert_eq!(taken, Err(GroupFault::Group));
        }
    }
}
