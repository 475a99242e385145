//! Manifests: which root keys an organisation has, and how many of them must sign (design, trust 6.2).
//!
//! The first one, the genesis, names the organisation for ever: its digest is the [`OrgId`]. It also commits to the
//! roots that come next, so that a thief of the current ones cannot rotate them. Later manifests come with rotation;
//! until then nobody admits them.

use serde::{Deserialize, Serialize};
use starfish_crypto::{Digest, PublicKey, SecretKey, domain};

use super::{Kind, Statement, StatementError, read, statement};
use crate::{codec, limits, organisation::OrgId, time::Millis};

/// An organisation's keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
        }
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

    pub(super) fn read(statement: &Statement) -> Result<Self, StatementError> {
        let manifest: Self = read(statement)?;
        manifest.check()?;
        Ok(manifest)
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
        let guarded = self.guardians.as_ref().is_none_or(Guardians::can_act);
        if first != self.org.is_none() || first != (self.prev == Digest::ZERO) || !guarded {
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
