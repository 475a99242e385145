//! Takes what was signed offline into a node: into its data directory, and into the mesh when it runs.

mod numbers;

use std::path::{Path, PathBuf};

use starfish_crypto::{Digest, SecretKey};
use starfish_protocol::{
    community::Community,
    statement::{Manifest, NodeCertificate, Revocation, Statement},
};

use super::{
    documents::Accepted,
    papers::{add, chosen, statements},
    speaking::{is_of_chain, keep_chain, kept_chain},
};
use crate::daemon::{
    control::client::Client,
    exit::{Exit, Failure},
    identity::{Identity, certificates_file, manifest_file},
};

/// Statements by where they belong.
#[derive(Default)]
struct Sorted {
    /// Manifests of this node's organisation, and what chooses between two of one number.
    manifests: Vec<Statement>,
    /// Certificates of this node, which it has signed too.
    certificates: Vec<Statement>,
    /// What only the mesh needs.
    others: Vec<Statement>,
}

/// Accepts what is in these files. `unlock` is asked for the node's key when that has to sign.
///
/// # Errors
/// When a statement does not hold, too few roots have signed, or the node is needed and does not run.
pub async fn accept(
    files: &[PathBuf],
    (data, community): (&Path, Community),
    client: &Client,
    unlock: impl Fn(&Identity) -> Result<SecretKey, Failure>,
) -> Result<Accepted, Failure> {
    let identity = Identity::load(data, community)?;
    let mut all = Vec::new();
    for file in files {
        all.extend(statements(file)?);
    }
    let mut sorted = sort(all, &identity, unlock)?;
    sorted.keep_choices(&identity);
    let both = [&identity.statements[..], &sorted.manifests[..]].concat();
    numbers::of_manifests(&both)?;
    check(&identity, &sorted, community)?;
    reach(&identity, &sorted)?;
    numbers::of_chain(&both, &kept_chain(data)?, &sorted.others)?;
    let manifests = add(&manifest_file(data), &sorted.manifests)?;
    let certificates = add(&certificates_file(data), &sorted.certificates)?;
    let (kept, mesh) = (manifests + certificates, sorted.others.len());
    let Sorted {
        manifests,
        certificates,
        others,
    } = sorted;
    let text: String = manifests
        .iter()
        .chain(&certificates)
        .chain(&others)
        .map(Statement::to_text)
        .collect();
    match client
        .send_text::<Accepted>("/statements", &[], text.into_bytes())
        .await
    {
        Ok(told) => {
            let kept = kept + keep_chain(data, identity.org, &others)?;
            Ok(Accepted { kept, ..told })
        }
        Err(failure) if failure.exit == Exit::NotRunning && mesh == 0 => Ok(Accepted {
            kept,
            told: 0,
            known: 0,
        }),
        Err(failure) if failure.exit == Exit::NotRunning => {
            let message = format!(
                "{kept} statements are in the data directory now; {mesh} others concern the mesh alone, and the node that \
                would tell it is not running: start it by `starfish run` and try again"
            );
            Err(Failure::new(Exit::NotRunning, message))
        }
        Err(failure) => Err(failure),
    }
}

impl Sorted {
    /// What chooses between two manifests belongs to them, if the one that is chosen is here: without it the next ceremony
    /// would not know which counts.
    fn keep_choices(&mut self, identity: &Identity) {
        let all = identity.statements.iter().chain(&self.manifests);
        let held: Vec<Digest> = all.map(Statement::id).collect();
        let belongs = |statement: &Statement| {
            let mine = statement.issuer() == Some(identity.org);
            mine && chosen(statement).is_some_and(|id| held.contains(&id))
        };
        let (choices, others) = std::mem::take(&mut self.others).into_iter().partition(belongs);
        self.others = others;
        self.manifests.extend::<Vec<Statement>>(choices);
    }
}

/// Refuses a revocation of this node that ends none of the certificates by which it speaks: whoever hands it in thinks that the
/// node is out.
fn reach(identity: &Identity, sorted: &Sorted) -> Result<(), Failure> {
    let all = identity.statements.iter().chain(&sorted.certificates);
    let certificates = all.filter_map(|statement| NodeCertificate::read(statement).ok());
    let own = certificates.filter(|certificate| certificate.node_key == identity.node);
    let newest = own
        .map(|certificate| certificate.manifest_seq)
        .max()
        .unwrap_or_default();
    let revocations = sorted
        .others
        .iter()
        .filter_map(|statement| Revocation::read(statement).ok());
    let mut own = revocations.filter(|said| (said.org, said.node_key) == (identity.org, identity.node));
    let Some(early) = own.find(|said| said.manifest_seq < newest) else {
        return Ok(());
    };
    let message = format!(
        "nothing was accepted: this revocation was signed under manifest {}, and the node has certificates of manifest {newest}, \
        which it does not end; take the one that `org certify-node` made together with those, or sign one by `starfish org \
        revoke-node`",
        early.manifest_seq
    );
    Err(Failure::new(Exit::Refused, message))
}

fn sort(
    all: Vec<Statement>,
    identity: &Identity,
    unlock: impl Fn(&Identity) -> Result<SecretKey, Failure>,
) -> Result<Sorted, Failure> {
    let mut sorted = Sorted::default();
    let mut key = None;
    for statement in all {
        let own = |manifest: Manifest| manifest.id() == identity.org;
        let mine = |certificate: NodeCertificate| certificate.node_key == identity.node;
        if Manifest::read(&statement).is_ok_and(own) {
            sorted.manifests.push(statement);
        } else if NodeCertificate::read(&statement).is_ok_and(mine) {
            if key.is_none() {
                key = Some(unlock(identity)?);
            }
            let signed = match &key {
                Some(key) => statement.signed_by(key),
                None => Ok(statement),
            };
            let unfit = |error| Failure::new(Exit::Refused, format!("the node cannot sign a certificate: {error}"));
            sorted.certificates.push(signed.map_err(unfit)?);
        } else {
            sorted.others.push(statement);
        }
    }
    Ok(sorted)
}

/// Everything of this node and its organisation must hold together before any of it is kept: a data directory with one
/// statement too few signatures would not start.
fn check(identity: &Identity, sorted: &Sorted, community: Community) -> Result<(), Failure> {
    let held = &identity.statements;
    let is_manifest = |statement: &&Statement| Manifest::read(statement).is_ok();
    let (first, then) = (
        held.iter().filter(is_manifest),
        held.iter().filter(|held| !is_manifest(held)),
    );
    let mine = |statement: &&Statement| is_of_chain(statement.kind()) && statement.issuer() == Some(identity.org);
    let said = sorted.others.iter().filter(mine);
    let all = first
        .chain(&sorted.manifests)
        .chain(then)
        .chain(&sorted.certificates)
        .chain(said);
    Identity::of(all.cloned().collect(), community).map(drop).map_err(|failure| {
        let message = format!(
            "nothing was accepted, because it would not hold: {}; have the missing roots sign it with `starfish org sign`, or \
            accept what it rests on together with it",
            failure.message
        );
        Failure::new(Exit::Refused, message)
    })
}
