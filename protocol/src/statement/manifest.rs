//! Manifests: which root keys an organisation has, and how many of them must sign (design, trust 6.2).
//!
//! The first one, the genesis, names the organisation for ever: its digest is the [`OrgId`]. Each commits to the roots
//! that come next, so that a thief of the current ones cannot rotate them: a successor names the manifest before it,
//! has the roots that this one committed to, and is signed by them alone.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, SeqAccess, Visitor},
};
use starfish_crypto::{Digest, PublicKey, SecretKey, Verifier, domain};

use super::{Kind, Statement, StatementError, content_of, read, statement};
use crate::{codec, limits, organisation::OrgId, time::Millis};

/// An organisation's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// What people call it; anyone can claim any name.
    pub name: String,
    /// 0 for the genesis.
    pub seq: u64,
    /// Whose it is; none in the genesis, which makes the name.
    pub org: Option<OrgId>,
    /// The id of the manifest before; zero in the genesis.
    pub prev: Digest,
    /// One to seven root keys, in ascending order.
    pub roots: Vec<PublicKey>,
    /// How many of them must sign.
    pub m: u8,
    /// What [`Manifest::commitment`] gives for the roots that come next.
    pub next_commit: Digest,
    /// May sign endorsements in the roots' place.
    pub endorse_key: Option<PublicKey>,
    /// The organisation above it.
    pub parent: Option<OrgId>,
    /// Who may recover it.
    pub guardians: Option<Guardians>,
    /// After this time its roots have said too little for too long.
    pub not_after: Millis,
    /// What the keys of the manifests from this number on have signed counts no more, because they were stolen; none in
    /// the genesis, whose encoding has no such field.
    pub void_from: Option<u64>,
}

/// The fields that every manifest has, in the order of their encoding.
type Fields = (
    String,
    u64,
    Option<OrgId>,
    Digest,
    Vec<PublicKey>,
    u8,
    Digest,
    Option<PublicKey>,
    Option<OrgId>,
    Option<Guardians>,
    Millis,
);

impl Serialize for Manifest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = (
            &self.name,
            self.seq,
            &self.org,
            &self.prev,
            &self.roots,
            self.m,
            &self.next_commit,
            &self.endorse_key,
            &self.parent,
            &self.guardians,
            self.not_after,
        );
        if self.seq == 0 {
            fields.serialize(serializer)
        } else {
            (fields, self.void_from).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Manifest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(2, Reading)
    }
}

/// Reads the fields of a genesis, and one more behind those of a later manifest.
struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Manifest;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a manifest")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Manifest, A::Error> {
        let short = || A::Error::custom("the manifest ends early");
        let fields: Fields = parts.next_element()?.ok_or_else(short)?;
        let (name, seq, org, prev, roots, m, next_commit, endorse_key, parent, guardians, not_after) = fields;
        let void_from = if seq == 0 {
            None
        } else {
            parts.next_element()?.ok_or_else(short)?
        };
        Ok(Manifest {
            name,
            seq,
            org,
            prev,
            roots,
            m,
            next_commit,
            endorse_key,
            parent,
            guardians,
            not_after,
            void_from,
        })
    }
}

/// Organisations of which `k` together can give an organisation new roots, if it wanted so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guardians {
    /// In ascending order.
    pub orgs: Vec<OrgId>,
    /// How many of them.
    pub k: u8,
}

impl Manifest {
    /// The first manifest of a new organisation, without endorsing key, parent or guardians.
    pub fn genesis(name: &str, roots: &[PublicKey], m: u8, next_commit: Digest, not_after: Millis) -> Self {
        let mut roots = roots.to_vec();
        roots.sort();
        Self {
            name: name.to_owned(),
            seq: 0,
            org: None,
            prev: Digest::ZERO,
            roots,
            m,
            next_commit,
            endorse_key: None,
            parent: None,
            guardians: None,
            not_after,
            void_from: None,
        }
    }

    /// The next manifest, with the roots that this one committed to; everything else stays as it is.
    pub fn successor(&self, roots: &[PublicKey], m: u8, next_commit: Digest, not_after: Millis) -> Self {
        let mut roots = roots.to_vec();
        roots.sort();
        Self {
            seq: self.seq.saturating_add(1),
            org: Some(self.id()),
            prev: self.statement_id(),
            roots,
            m,
            next_commit,
            not_after,
            void_from: None,
            ..self.clone()
        }
    }

    /// The id of the statement that this manifest makes, by which its successor names it.
    pub fn statement_id(&self) -> Digest {
        content_of(Kind::MANIFEST, &codec::encode(self))
    }

    /// The commitment of an organisation that ends: there are no next roots.
    pub fn retirement() -> Digest {
        Self::commitment(&[], 0)
    }

    /// Whether no roots come after these, on purpose.
    pub fn retires(&self) -> bool {
        self.next_commit == Self::retirement()
    }

    /// Whether these roots are those that this manifest committed to.
    pub(super) fn commits_to(&self, next: &Self) -> bool {
        Self::commitment(&next.roots, next.m) == self.next_commit
    }

    /// The digest that commits to the next roots and to how many of them will have to sign.
    ///
    /// No roots at all commit to an end: such an organisation can never change its keys.
    pub fn commitment(roots: &[PublicKey], m: u8) -> Digest {
        let mut roots = roots.to_vec();
        roots.sort();
        let mut bytes: Vec<u8> = roots.iter().flat_map(PublicKey::as_bytes).copied().collect();
        bytes.push(m);
        Digest::of(domain::NEXT_ROOTS, &bytes)
    }

    /// The organisation's name in the mesh.
    pub fn id(&self) -> OrgId {
        self.org
            .unwrap_or_else(|| OrgId::from_digest(Digest::of(domain::MANIFEST, &codec::encode(self))))
    }

    /// Signs with these roots. Fewer than needed are fine: the others add theirs with [`Statement::signed_by`].
    pub fn sign(&self, roots: &[&SecretKey]) -> Result<Statement, StatementError> {
        self.check()?;
        let unsigned = statement(Kind::MANIFEST, self)?;
        roots.iter().try_fold(unsigned, |statement, key| {
            let known = self.roots.contains(&key.public());
            if known {
                statement.signed_by(key)
            } else {
                Err(StatementError::Signer)
            }
        })
    }

    /// Reads a manifest without looking at its signatures, to show it.
    pub fn read(statement: &Statement) -> Result<Self, StatementError> {
        if statement.kind() != Kind::MANIFEST {
            return Err(StatementError::Encoding);
        }
        let manifest: Self = read(statement)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// Whether enough of these roots, and nobody else, signed this statement of the manifest.
    pub(super) fn is_signed(&self, statement: &Statement, verifier: &dyn Verifier) -> bool {
        let signed = statement.signers(|key| self.roots.contains(key), verifier);
        signed.is_some_and(|count| count >= usize::from(self.m))
    }

    /// Whether these keys, all of them and each once, are enough of its roots.
    pub(super) fn is_ruled_by(&self, signers: &[PublicKey]) -> bool {
        signers.len() >= usize::from(self.m) && signers.iter().all(|key| self.roots.contains(key))
    }

    /// Whether these keys may endorse for it: the endorsing key, or enough roots, and nobody else.
    pub(super) fn is_spoken_for(&self, signers: &[PublicKey]) -> bool {
        let endorses = |key: &PublicKey| self.endorse_key.as_ref() == Some(key);
        let known = signers.iter().all(|key| self.roots.contains(key) || endorses(key));
        let roots = signers.iter().filter(|key| self.roots.contains(key)).count();
        known && (signers.iter().any(endorses) || roots >= usize::from(self.m))
    }

    fn check(&self) -> Result<(), StatementError> {
        let count = self.roots.len();
        if !is_showable(&self.name) {
            return Err(StatementError::Name);
        }
        if !(1..=limits::ROOTS).contains(&count) || !self.roots.is_sorted_by(|one, next| one < next) {
            return Err(StatementError::Roots);
        }
        if self.m == 0 || usize::from(self.m) > count {
            return Err(StatementError::Threshold);
        }
        let first = self.seq == 0;
        let voids = self.void_from.is_none_or(|from| from < self.seq);
        let guarded = self.guardians.as_ref().is_none_or(Guardians::can_act);
        if first != self.org.is_none() || first != (self.prev == Digest::ZERO) || !guarded || !voids {
            return Err(StatementError::Contradiction);
        }
        Ok(())
    }
}

impl Guardians {
    fn can_act(&self) -> bool {
        let count = self.orgs.len();
        let distinct = self.orgs.is_sorted_by(|one, next| one < next);
        distinct && (1..=limits::GUARDIANS).contains(&count) && self.k > 0 && usize::from(self.k) <= count
    }
}

/// Names are printed in terminals and logs: nothing in them may move the cursor, hide, or turn the text around.
fn is_showable(name: &str) -> bool {
    let hides_or_turns = |c: char| {
        matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    (1..=limits::ORGANISATION_NAME_BYTES).contains(&name.len())
        && name.trim() == name
        && !name.chars().any(|c| c.is_control() || hides_or_turns(c))
}
