//! Whether a signature holds: one rule, [`Strict`], the same on every node and for one signature as for many.
//!
//! The rule is RFC 8032 without its leeway: S is reduced, R and the key are canonical encodings of points on the curve,
//! and neither has small order; then the equation without the cofactor. Anything looser would let two nodes differ
//! about one record.
//!
//! Batches are verified one by one. The batch equation of `ed25519-dalek` multiplies each signature by a factor that is
//! derived from the batch itself: a signer may add a point of small order to R and then search for a batch in which
//! that factor cancels it (one in eight does), so that a node that batches would accept what another one refuses.
//! Ruling that out needs a check of each R that costs what the batch saves. What is shared instead is the decoding of a
//! key that signed several messages in a row, which does not change any answer.

use ed25519_dalek::VerifyingKey;

use crate::{PublicKey, Signature, keys::message};

/// One signature to be judged.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// What it was made for.
    pub domain: &'a str,
    /// What was signed.
    pub bytes: &'a [u8],
    /// By whom.
    pub key: PublicKey,
    /// The signature.
    pub signature: Signature,
}

/// Judges signatures. The engine takes it as an argument, so that a simulation can count or replace the work.
pub trait Verifier: Send + Sync {
    /// Whether this key signed these bytes for this purpose.
    fn verify(&self, domain: &str, bytes: &[u8], key: &PublicKey, signature: &Signature) -> bool;

    /// The answers for many, in order, each the same as [`Verifier::verify`] gives alone.
    fn verify_each(&self, claims: &[Claim<'_>]) -> Vec<bool> {
        let alone = |claim: &Claim<'_>| self.verify(claim.domain, claim.bytes, &claim.key, &claim.signature);
        claims.iter().map(alone).collect()
    }
}

/// The real verifier.
#[derive(Clone, Copy, Debug, Default)]
pub struct Strict;

impl Verifier for Strict {
    fn verify(&self, domain: &str, bytes: &[u8], key: &PublicKey, signature: &Signature) -> bool {
        decode(key).is_some_and(|key| holds(&key, domain, bytes, signature))
    }

    fn verify_each(&self, claims: &[Claim<'_>]) -> Vec<bool> {
        let mut decoded: Option<(PublicKey, Option<VerifyingKey>)> = None;
        let mut answers = Vec::with_capacity(claims.len());
        for claim in claims {
            let key = match decoded {
                Some((bytes, key)) if bytes == claim.key => key,
                _ => decode(&claim.key),
            };
            decoded = Some((claim.key, key));
            answers.push(key.is_some_and(|key| holds(&key, claim.domain, claim.bytes, &claim.signature)));
        }
        answers
    }
}

fn decode(key: &PublicKey) -> Option<VerifyingKey> {
    if !is_reduced(key.as_bytes()) {
        return None;
    }
    VerifyingKey::from_bytes(key.as_bytes()).ok()
}

fn holds(key: &VerifyingKey, domain: &str, bytes: &[u8], signature: &Signature) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(signature.as_bytes());
    key.verify_strict(&message(domain, bytes), &signature).is_ok()
}

/// Whether the y coordinate is below the field's prime, 2^255 - 19. The library takes such a point for its reduced
/// twin, and one point would have two names. (The other twin, a sign on x = 0, has small order and is refused as such.)
fn is_reduced(bytes: &[u8; 32]) -> bool {
    let [lowest, middle @ .., highest] = bytes;
    let at_most_the_prime = highest & 0x7f == 0x7f && middle.iter().all(|byte| *byte == 0xff);
    !(at_most_the_prime && *lowest >= 0xed)
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER_PERMISSIVE;
    use proptest::prelude::*;

    use super::*;
    use crate::{SecretKey, WrongLength, domain};

    /// From another implementation: `vectors/make.py`.
    const VECTORS: &str = include_str!("../vectors/signatures.txt");

    struct Row {
        what: &'static str,
        holds: bool,
        domain: &'static str,
        bytes: Vec<u8>,
        key: PublicKey,
        signature: Result<Signature, WrongLength>,
    }

    impl Row {
        fn claim(&self) -> Option<Claim<'_>> {
            let signature = self.signature.ok()?;
            Some(Claim {
                domain: self.domain,
                bytes: &self.bytes,
                key: self.key,
                signature,
            })
        }
    }

    fn rows() -> Vec<Row> {
        let lines = VECTORS.lines().filter(|line| !line.starts_with('#'));
        lines.map(row).collect()
    }

    fn row(line: &'static str) -> Row {
        let columns: Vec<&str> = line.split(" | ").collect();
        let [what, holds, domain, bytes, key, signature] = columns[..] else {
            panic!("six columns: {line}")
        };
        let bytes_of = |text: &str| {
            HEXLOWER_PERMISSIVE
                .decode(text.trim_matches('-').as_bytes())
                .expect("the column is hexadecimal")
        };
        Row {
            what,
            holds: holds == "holds",
            domain,
            bytes: bytes_of(bytes),
            key: PublicKey::from_bytes(bytes_of(key).try_into().expect("keys have 32 bytes")),
            signature: Signature::try_from(bytes_of(signature).as_slice()),
        }
    }

    #[test]
    fn vectors_hold_or_fail_as_they_should() {
        let rows = rows();
        for row in &rows {
            let holds = row
                .claim()
                .is_some_and(|claim| Strict.verify(claim.domain, claim.bytes, &claim.key, &claim.signature));
            assert_eq!(holds, row.holds, "{}", row.what);
        }
        let good = rows.iter().filter(|row| row.holds).count();
        assert!(good >= 4 && rows.len() > 5 * good, "more broken vectors than good ones");
    }

    #[test]
    fn many_are_judged_as_each_alone() {
        let rows = rows();
        let claims: Vec<Claim<'_>> = rows.iter().filter_map(Row::claim).collect();
        // Both orders, and doubled, so that keys repeat and change in every way.
        let backwards: Vec<Claim<'_>> = claims.iter().rev().copied().collect();
        let doubled: Vec<Claim<'_>> = claims.iter().flat_map(|claim| [*claim, *claim]).collect();
        for claims in [claims, backwards, doubled, Vec::new()] {
            let alone = |claim: &Claim<'_>| Strict.verify(claim.domain, claim.bytes, &claim.key, &claim.signature);
            let expected: Vec<bool> = claims.iter().map(alone).collect();
            assert_eq!(Strict.verify_each(&claims), expected);
        }
    }

    /// Why this module has no batch equation: among a few batches there is one in which it takes what [`Strict`]
    /// refuses.
    #[test]
    fn the_library_s_batch_differs_from_the_rule() {
        let rows = rows();
        let twisted = rows
            .iter()
            .find(|row| row.what.starts_with("R with a small part"))
            .expect("the row is there");
        let claim = twisted.claim().expect("the row has a signature");
        assert!(!Strict.verify(claim.domain, claim.bytes, &claim.key, &claim.signature));
        let filler = SecretKey::from_seed([9; 32]);
        let taken = (0..200u32).any(|number| {
            let bytes = number.to_le_bytes();
            let signatures = [claim.signature, filler.sign(domain::HEADER, &bytes)];
            let keys = [claim.key, filler.public()].map(|key| decode(&key).expect("both keys are points"));
            let messages = [message(claim.domain, claim.bytes), message(domain::HEADER, &bytes)];
            let messages = messages.each_ref().map(Vec::as_slice);
            let signatures = signatures.map(|signature| ed25519_dalek::Signature::from_bytes(signature.as_bytes()));
            ed25519_dalek::verify_batch(&messages, &signatures, &keys).is_ok()
        });
        assert!(taken);
    }

    #[test]
    fn only_reduced_keys_are_decoded() {
        let check = |lowest: u8, highest: u8, reduced: bool| {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (lowest, highest);
            assert_eq!(is_reduced(&bytes), reduced, "{lowest:x} {highest:x}");
        };
        check(0xec, 0x7f, true);
        check(0xed, 0x7f, false);
        check(0xff, 0x7f, false);
        check(0xec, 0xff, true);
        check(0xee, 0xff, false);
        check(0xff, 0x7e, true);
    }

    proptest! {
        // Each case verifies five signatures, which takes a while without optimisation.
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_was_signed_holds_and_nothing_else(
            seed: [u8; 32],
            other: [u8; 32],
            bytes in proptest::collection::vec(any::<u8>(), 1..200),
            place: prop::sample::Index,
            bit in 0..8u32,
        ) {
            prop_assume!(seed != other);
            let key = SecretKey::from_seed(seed);
            let signature = key.sign(domain::HEADER, &bytes);
            let holds = |domain: &str, bytes: &[u8], key: &SecretKey, signature: &Signature| {
                Strict.verify(domain, bytes, &key.public(), signature)
            };
            prop_assert!(holds(domain::HEADER, &bytes, &key, &signature));
            prop_assert!(!holds(domain::CERTIFICATE, &bytes, &key, &signature));
            prop_assert!(!holds(domain::HEADER, &bytes, &SecretKey::from_seed(other), &signature));
            let mut changed = bytes.clone();
            changed[place.index(bytes.len())] ^= 1 << bit;
            prop_assert!(!holds(domain::HEADER, &changed, &key, &signature));
            let mut broken = *signature.as_bytes();
            broken[place.index(64)] ^= 1 << bit;
            prop_assert!(!holds(domain::HEADER, &bytes, &key, &Signature::from_bytes(broken)));
        }

        #[test]
        fn any_bytes_are_judged(key: [u8; 32], r: [u8; 32], s: [u8; 32], bytes: Vec<u8>) {
            let claim = Claim { domain: domain::HEADER, bytes: &bytes, key: PublicKey::from_bytes(key), signature: (r, s).into() };
            prop_assert_eq!(Strict.verify_each(&[claim]), vec![false]);
        }
    }
}
