//! Statements: who is who in the mesh, signed by those whom it concerns and carried by anyone.
//!
//! A [`Statement`] is a kind, a body and signatures. Its signed bytes are the body as received, under the kind's own
//! domain. [`Statement::check`] tells what can be told from it alone; the [`Roster`] judges what passed. The id covers
//! kind and body alone, so that whoever strips or adds a signature makes no second statement. Kinds that this version
//! does not know are kept and passed on like the others; it cannot tell which of their signatures count, so that for
//! them the id covers those too.
//!
//! | kind | says | signed by |
//! |---|---|---|
//! | [`Manifest`] | this organisation exists, and these are its root keys | m of its roots |
//! | [`NodeCertificate`] | this node speaks for that organisation, for at most 90 days | m of its roots, and the node |
//! | [`EndpointStatement`] | this node can be reached there | the node |
//! | [`Endorsement`], [`Veto`], [`Subsidiary`] | what one organisation makes of another | its endorsing key, or m of its roots |
//! | [`ChainHead`] | which of those count | the same |
//! | [`Revocation`] | this node speaks for that organisation no more | m of its roots |
//! | [`Resolution`] | how an accident is settled | roots: see [`Settles`] |
//! | [`Recovery`] | the organisation has new roots, soon | k of its guardians |
//! | [`CheckedStatement::of_fork`] | this node wrote two histories | nobody: it signed both headers in it |
//! | [`CheckedStatement::of_manifests`] | this organisation has two manifests of one number | nobody: its roots signed both |
//!
//! What a new organisation signs, once, with a root key that then goes offline:
//!
//! ```
//! use starfish_crypto::{SecretKey, Strict};
//! use starfish_protocol::{community::Community, time::Millis};
//! use starfish_protocol::statement::{Manifest, NodeCertificate, Roster, Statement};
//!
//! const DAY: u64 = 86_400_000;
//! let now = Millis(1_800_000_000_000);
//! // Seeds come from the operating system; the next root is kept apart from this one.
//! let [root, next_root, node] = [[1; 32], [2; 32], [3; 32]].map(SecretKey::from_seed);
//!
//! let next = Manifest::commitment(&[next_root.public()], 1);
//! let manifest = Manifest::genesis("CERT Example", &[root.public()], 1, next, Millis(now.0 + 3_650 * DAY));
//! let community = Community::named("starfish");
//! let mut statements = vec![manifest.sign(&[&root])?];
//! for nth in 0..5 {
//!     let not_before = Millis(now.0 + nth * 75 * DAY);
//!     let not_after = Millis(not_before.0 + 90 * DAY);
//!     let certificate = NodeCertificate::new(manifest.id(), community, node.public(), not_before, not_after);
//!     statements.push(certificate.sign(&[&root], &node)?);
//! }
//!
//! let mut roster = Roster::new(community);
//! for statement in &statements {
//!     let carried = Statement::from_text(&statement.to_text())?;
//!     roster.admit(&carried.check(&Strict)?)?;
//! }
//! let last_day = Millis(now.0 + 389 * DAY);
//! assert_eq!(roster.organisation_of(&node.public(), last_day), Some(manifest.id()));
//! assert_eq!(roster.name_of(&manifest.id()), Some("CERT Example"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod certificate;
mod checked;
mod endorsement;
mod endpoint;
mod lifecycle;
mod manifest;
mod proof;
mod roster;
mod text;

pub use certificate::NodeCertificate;
pub use checked::{CheckError, CheckedStatement, Checker};
pub use endorsement::{ChainHead, DEPTH, Endorsement, FULL, Scope, Subsidiary, Veto};
pub use endpoint::EndpointStatement;
pub use lifecycle::{LogPosition, Recovery, Resolution, Revocation, RevocationReason, Settles};
pub use manifest::{Guardians, Manifest};
pub use roster::{Admitted, Chain, Concern, Extent, Freeze, RecoveryState, Roster, RosterRefusal};
pub use text::TextError;

use std::borrow::Cow;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use starfish_crypto::{Claim, Digest, PublicKey, SecretKey, Signature, Verifier, bytes, domain};

use crate::{codec, limits, organisation::OrgId};

/// What a statement is about. Numbers without a name here belong to later versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Kind(pub u16);

impl Kind {
    /// An organisation and its root keys.
    pub const MANIFEST: Self = Self(1);
    /// A node of an organisation.
    pub const CERTIFICATE: Self = Self(2);
    /// Where a node can be reached.
    pub const ENDPOINT: Self = Self(3);
    /// What one organisation vouches for another.
    pub const ENDORSEMENT: Self = Self(4);
    /// The end of a node.
    pub const REVOCATION: Self = Self(5);
    /// That what others vouch for an organisation is not to count.
    pub const VETO: Self = Self(6);
    /// Two histories of one node.
    pub const PROOF: Self = Self(7);
    /// New roots from guardians.
    pub const RECOVERY: Self = Self(8);
    /// The answer of an organisation's roots to an open question.
    pub const RESOLUTION: Self = Self(9);
    /// A parent's side of a `parent` link.
    pub const SUBSIDIARY: Self = Self(10);
    /// Which statements of a chain count.
    pub const CHAIN_HEAD: Self = Self(11);
    /// Two manifests of one number.
    pub const MANIFEST_PROOF: Self = Self(12);

    /// Whether this version can only keep statements of this kind.
    fn is_of_later_version(self) -> bool {
        self.0 == 0 || self.0 > Self::MANIFEST_PROOF.0
    }

    /// Whether everyone is told at once, whatever the organisation's standing: what takes rights away, and who holds the
    /// keys (design, trust 6.2).
    pub fn is_urgent(self) -> bool {
        matches!(
            self,
            Self::MANIFEST | Self::REVOCATION | Self::PROOF | Self::RECOVERY | Self::RESOLUTION | Self::MANIFEST_PROOF
        )
    }

    /// The longest body: two whole manifests need more room than anything else, and carry no signatures of their own.
    fn longest_body(self) -> usize {
        if self == Self::MANIFEST_PROOF {
            limits::MANIFEST_PROOF_BYTES
        } else {
            limits::STATEMENT_BODY_BYTES
        }
    }
}

/// A signed statement, as made here or as received. Nothing is known about it before [`Statement::check`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Received")]
pub struct Statement {
    kind: Kind,
    #[serde(with = "bytes")]
    body: Vec<u8>,
    /// By key, in ascending order when made here.
    signatures: Vec<(PublicKey, Signature)>,
}

/// As it comes out of the decoder, before its lengths are checked.
#[derive(Deserialize)]
struct Received {
    kind: Kind,
    #[serde(with = "bytes")]
    body: Vec<u8>,
    signatures: Vec<(PublicKey, Signature)>,
}

impl TryFrom<Received> for Statement {
    type Error = StatementError;

    fn try_from(received: Received) -> Result<Self, StatementError> {
        let Received { kind, body, signatures } = received;
        let room = limits::STATEMENT_BYTES.saturating_sub(body.len() + 8) / 96;
        if body.len() > kind.longest_body() || signatures.len() > limits::STATEMENT_SIGNATURES.min(room) {
            return Err(StatementError::TooLong);
        }
        Ok(Self { kind, body, signatures })
    }
}

/// Why a statement cannot be made, or says nothing that makes sense. Nobody is to blame: a later version may know
/// better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// The body is of another kind, or not in its one canonical encoding.
    #[error("the body is not a canonical document of its kind")]
    Encoding,
    /// More bytes or signatures than a statement holds.
    #[error("a statement is longer than statements are")]
    TooLong,
    /// The name is empty, too long, or would garble what shows it.
    #[error("an organisation's name has 1 to 128 bytes, no control characters, and no space at its ends")]
    Name,
    /// Not 1 to 7 different roots.
    #[error("an organisation has one to seven different root keys")]
    Roots,
    /// The number of signatures asked for cannot be reached, or is none.
    #[error("the number of root signatures needed is at least one and at most the number of roots")]
    Threshold,
    /// A genesis that names a predecessor, or guardians that cannot act.
    #[error("the manifest contradicts itself")]
    Contradiction,
    /// A certificate's time is empty or too long.
    #[error("a certificate holds for some time, and for 90 days at most")]
    Window,
    /// Too many addresses, or one that is empty, too long or not printable ASCII.
    #[error("a node names at most 8 addresses of at most 256 printable ASCII characters")]
    Addresses,
    /// A period that ends before it begins, or later than such periods do.
    #[error("the time for which the statement holds is empty or too long")]
    Period,
    /// More than a whole amount, or more introductions than anyone honours.
    #[error("an endorsement's amount is at most {} and its depth at most {}", FULL, DEPTH)]
    Amount,
    /// A list of topics or suffixes that is empty or too long.
    #[error("a scope names at least one topic or suffix of each list, and few")]
    Scope,
    /// Last good positions out of order, twice for one audience, or too many.
    #[error("a revocation names at most one last good record of each log, in order, and of at most 32 logs")]
    Positions,
    /// Two headers that may well stand in one history, or two manifests in one chain.
    #[error("the two do not prove that their author contradicted itself")]
    Proof,
    /// A key signs that this kind does not ask for.
    #[error("this key is not one of those that sign this statement")]
    Signer,
}

impl Statement {
    /// A body without signatures yet. The kinds of this version have their own `sign`.
    pub fn unsigned(kind: Kind, body: Vec<u8>) -> Result<Self, StatementError> {
        Received {
            kind,
            body,
            signatures: Vec::new(),
        }
        .try_into()
    }

    /// Adds this key's signature, or replaces it. Roots that are kept apart sign one after the other.
    pub fn signed_by(mut self, key: &SecretKey) -> Result<Self, StatementError> {
        let (domain, bytes) = self.signed_bytes();
        let signature = key.sign(domain, &bytes);
        let public = key.public();
        self.signatures.retain(|(signer, _)| *signer != public);
        self.signatures.push((public, signature));
        self.signatures.sort();
        let Self { kind, body, signatures } = self;
        Received { kind, body, signatures }.try_into()
    }

    /// Its name: the digest of kind and body; of its author alone for a proof of two histories, and of what the two follow
    /// for one of two manifests; and of the signatures as well for a kind of a later version.
    pub fn id(&self) -> Digest {
        match self.kind {
            Kind::PROOF => proof::id_of(self.body.get(..32).unwrap_or(&self.body)),
            Kind::MANIFEST_PROOF => lifecycle::proof_id_of(&self.body),
            _ if self.is_of_later_version() => {
                let mut bytes = self.kind.0.to_be_bytes().to_vec();
                bytes.extend(self.content().as_bytes());
                for (key, signature) in &self.signatures {
                    bytes.extend(key.as_bytes());
                    bytes.extend(signature.as_bytes());
                }
                Digest::of(domain::STATEMENT, &bytes)
            }
            _ => self.content(),
        }
    }

    /// The digest of kind and body.
    fn content(&self) -> Digest {
        content_of(self.kind, &self.body)
    }

    /// Whether this version can only keep it.
    fn is_of_later_version(&self) -> bool {
        self.kind.is_of_later_version()
    }

    /// The organisation that this statement would found, if it is a first manifest. No signature is checked.
    pub fn founds(&self) -> Option<OrgId> {
        let manifest = Manifest::read(self).ok()?;
        (manifest.seq == 0).then(|| manifest.id())
    }

    /// The organisation whose statement this would be; none of a proof against a node, or of a later version. No signature
    /// is checked.
    pub fn issuer(&self) -> Option<OrgId> {
        match self.kind {
            Kind::MANIFEST => Manifest::read(self).ok().map(|manifest| manifest.id()),
            Kind::CERTIFICATE => NodeCertificate::read(self).ok().map(|certificate| certificate.org),
            Kind::ENDPOINT => EndpointStatement::read(self).ok().map(|endpoint| endpoint.org),
            Kind::ENDORSEMENT => Endorsement::read(self).ok().map(|endorsement| endorsement.issuer),
            Kind::VETO => Veto::read(self).ok().map(|veto| veto.issuer),
            Kind::SUBSIDIARY => Subsidiary::read(self).ok().map(|subsidiary| subsidiary.issuer),
            Kind::CHAIN_HEAD => ChainHead::read(self).ok().map(|head| head.issuer),
            Kind::REVOCATION => Revocation::read(self).ok().map(|revocation| revocation.org),
            Kind::RESOLUTION => Resolution::read(self).ok().map(|resolution| resolution.org),
            Kind::RECOVERY => Recovery::read(self).ok().map(|recovery| recovery.org),
            Kind::MANIFEST_PROOF => {
                let org: [u8; 32] = self.body.get(..32)?.try_into().ok()?;
                Some(OrgId::from_digest(Digest::from_bytes(org)))
            }
            _ => None,
        }
    }

    /// The node against which this would be a proof of two histories.
    pub fn accuses(&self) -> Option<PublicKey> {
        let author = self.body.first_chunk().filter(|_| self.kind == Kind::PROOF)?;
        Some(PublicKey::from_bytes(*author))
    }

    /// The two manifests that this would prove to follow one. No signature is checked.
    pub fn manifests(&self) -> Option<[Self; 2]> {
        (self.kind == Kind::MANIFEST_PROOF)
            .then(|| lifecycle::manifests_shown(self))
            .flatten()
    }

    /// What it is about.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What it says.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Who says so, unchecked.
    pub fn signatures(&self) -> &[(PublicKey, Signature)] {
        &self.signatures
    }

    /// The bytes that it takes in memory and on the wire, about.
    fn size(&self) -> usize {
        self.body.len() + self.signatures.len() * 96 + 8
    }

    fn kind_and_body(&self) -> Vec<u8> {
        kind_and_body(self.kind, &self.body)
    }

    /// Kinds without a domain of their own have their number in what is signed.
    fn signed_bytes(&self) -> (&'static str, Cow<'_, [u8]>) {
        match self.kind {
            Kind::MANIFEST => (domain::MANIFEST, Cow::Borrowed(&self.body)),
            Kind::CERTIFICATE => (domain::CERTIFICATE, Cow::Borrowed(&self.body)),
            Kind::ENDPOINT => (domain::ENDPOINT, Cow::Borrowed(&self.body)),
            _ => (domain::STATEMENT, Cow::Owned(self.kind_and_body())),
        }
    }

    /// How many keys signed, once each and in order, if all of them may and all signatures hold.
    ///
    /// One signature too many makes a statement false as well: whoever passed it on could see that.
    fn signers(&self, may_sign: impl Fn(&PublicKey) -> bool, verifier: &dyn Verifier) -> Option<usize> {
        let ascending = self.signatures.is_sorted_by(|(one, _), (next, _)| one < next);
        if !ascending || !self.signatures.iter().all(|(key, _)| may_sign(key)) {
            return None;
        }
        let (domain, bytes) = self.signed_bytes();
        let claim = |(key, signature): &(PublicKey, Signature)| Claim {
            domain,
            bytes: &bytes,
            key: *key,
            signature: *signature,
        };
        let claims: Vec<Claim<'_>> = self.signatures.iter().map(claim).collect();
        verifier
            .verify_each(&claims)
            .into_iter()
            .all(|holds| holds)
            .then_some(claims.len())
    }

    fn is_signed_by(&self, key: &PublicKey) -> bool {
        self.signatures.iter().any(|(signer, _)| signer == key)
    }
}

fn kind_and_body(kind: Kind, body: &[u8]) -> Vec<u8> {
    [&kind.0.to_be_bytes(), body].concat()
}

/// The digest of kind and body.
fn content_of(kind: Kind, body: &[u8]) -> Digest {
    Digest::of(domain::STATEMENT, &kind_and_body(kind, body))
}

/// Makes the unsigned statement of a body.
fn statement(kind: Kind, body: &impl Serialize) -> Result<Statement, StatementError> {
    Statement::unsigned(kind, codec::encode(body))
}

/// Reads a body. It has one encoding only, so that two nodes never name one manifest differently.
fn read<T: Serialize + DeserializeOwned>(statement: &Statement) -> Result<T, StatementError> {
    let body = codec::decode(&statement.body, statement.kind.longest_body()).map_err(|_| StatementError::Encoding)?;
    if codec::encode(&body) == statement.body {
        Ok(body)
    } else {
        Err(StatementError::Encoding)
    }
}

#[cfg(test)]
mod tests;
