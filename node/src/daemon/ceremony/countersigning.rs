//! Adds signatures to what others have signed in part. A file may hold more than its reader has to sign: a rotation carries
//! the manifests before it, and a signature too many makes a statement false.

use std::{collections::BTreeSet, path::Path};

use starfish_crypto::{PublicKey, SecretKey};
use starfish_protocol::{
    organisation::OrgId,
    statement::{Kind, Manifest, NodeCertificate, Resolution, Revocation, Settles, Statement},
};

use super::{
    documents::Signed,
    papers::{keys, must_not_exist, place, statements},
    signing::{signed, written},
    speaking::is_of_chain,
};
use crate::daemon::{
    arguments::org::Sign,
    exit::{Exit, Failure},
};

/// Signs whatever in a file these keys may sign and still has to be signed.
///
/// # Errors
/// When a key may sign none of it, or a file cannot be read or written.
pub fn sign(arguments: &Sign, data: &Path) -> Result<Signed, Failure> {
    let Sign { file, papers, signing } = arguments;
    must_not_exist(&signing.out)?;
    let keys = keys(signing)?;
    let all = statements(file)?;
    // An offline machine has no data directory, and the file itself may say whose roots are asked for.
    let beside = place(papers, data);
    let known = if papers.manifest.is_some() || beside.exists() {
        [statements(&beside)?, all.clone()].concat()
    } else {
        all.clone()
    };
    let mut manifests: Vec<Manifest> = Vec::new();
    for manifest in known.iter().filter_map(|held| Manifest::read(held).ok()) {
        // One that is in both files is one.
        if !manifests.contains(&manifest) {
            manifests.push(manifest);
        }
    }
    let mut used: BTreeSet<PublicKey> = BTreeSet::new();
    let (mut done, mut fewest, mut missing, mut added) = (Vec::new(), usize::MAX, 0, false);
    for statement in all {
        let asked = Asked::of(&statement, &manifests);
        let mine: Vec<SecretKey> = keys
            .iter()
            .filter(|key| asked.may_sign(&key.public()))
            .map(|key| SecretKey::from_seed(*key.seed()))
            .collect();
        used.extend(mine.iter().map(SecretKey::public));
        let is_complete = asked.missing(&statement) == Some(0);
        let statement = if is_complete {
            statement
        } else {
            let before = statement.signatures().len();
            let statement = signed(Ok(statement), &mine)?;
            added |= statement.signatures().len() > before;
            statement
        };
        if !is_complete {
            fewest = fewest.min(statement.signatures().len());
            missing = missing.max(asked.missing(&statement).unwrap_or_default());
        }
        done.push(statement);
    }
    if let Some(key) = keys.iter().map(SecretKey::public).find(|key| !used.contains(key)) {
        let message = format!(
            "nothing was signed: {key} is no root that any statement of {} asks for; `starfish org show` says who has signed",
            file.display()
        );
        return Err(Failure::new(Exit::Refused, message));
    }
    if fewest == usize::MAX {
        let message = format!("everything in {} has all its signatures already", file.display());
        return Err(Failure::new(Exit::Refused, message));
    }
    if !added {
        let message = format!(
            "these keys have signed everything in {} already; nothing was written",
            file.display()
        );
        return Err(Failure::new(Exit::Refused, message));
    }
    let written = written(&signing.out, done, fewest, 0)?;
    Ok(Signed { missing, ..written })
}

/// By whom a statement is to be signed, as far as the manifests at hand tell.
struct Asked<'a> {
    /// Those whose roots may sign; none when that is not known.
    manifests: Vec<&'a Manifest>,
}

impl<'a> Asked<'a> {
    fn of(statement: &Statement, manifests: &'a [Manifest]) -> Self {
        // A recovery is signed by guardians, whose manifests are nowhere near.
        let org: Option<OrgId> = statement.issuer().filter(|_| statement.kind() != Kind::RECOVERY);
        let theirs = manifests.iter().filter(|manifest| Some(manifest.id()) == org);
        Self {
            manifests: match seq(statement) {
                Some(seq) => theirs.filter(|one| one.seq == seq).collect(),
                None if is_of_chain(statement.kind()) => theirs.max_by_key(|one| one.seq).into_iter().collect(),
                None => theirs.collect(),
            },
        }
    }

    fn may_sign(&self, key: &PublicKey) -> bool {
        self.manifests.is_empty() || self.manifests.iter().any(|manifest| manifest.roots.contains(key))
    }

    /// How many signatures are missing; nothing when it is not known whose roots are to sign.
    fn missing(&self, statement: &Statement) -> Option<usize> {
        let [manifest] = self.manifests[..] else { return None };
        let endorses = |(key, _): &(PublicKey, _)| manifest.endorse_key == Some(*key);
        if is_of_chain(statement.kind()) && statement.signatures().iter().any(endorses) {
            return Some(0);
        }
        let signers = statement.signatures().iter();
        let signers = signers.filter(|(key, _)| manifest.roots.contains(key)).count();
        Some(usize::from(manifest.m).saturating_sub(signers))
    }
}

/// The number of the manifest whose roots sign a statement, where it says so: a root may be one of several manifests.
fn seq(statement: &Statement) -> Option<u64> {
    match statement.kind() {
        Kind::MANIFEST => Manifest::read(statement).ok().map(|manifest| manifest.seq),
        Kind::CERTIFICATE => NodeCertificate::read(statement).ok().map(|said| said.manifest_seq),
        Kind::RESOLUTION => match Resolution::read(statement).ok()?.settles {
            Settles::Node { manifest_seq, .. } => Some(manifest_seq),
            _ => None,
        },
        Kind::REVOCATION => Revocation::read(statement).ok().map(|said| said.manifest_seq),
        _ => None,
    }
}
