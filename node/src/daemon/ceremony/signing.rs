//! Makes the statements of a ceremony. Fewer signatures than needed are fine: the result says how many are missing.

use std::{collections::BTreeSet, fs, os::unix::fs::DirBuilderExt, path::Path};

use getrandom::{SysRng, rand_core::UnwrapErr};
use starfish_crypto::{PublicKey, SecretKey, key_file};
use starfish_protocol::{
    community::Community,
    record::{Audience, RecordId},
    statement::{
        Guardians, LogPosition, Manifest, NodeCertificate, Recovery, Revocation, RevocationReason, Statement,
        StatementError,
    },
    time::Millis,
};

use super::{
    documents::{Drawn, Signed},
    papers::{self, failed, keys, lineage, must_not_exist, place, statements, write_secret},
};
use crate::daemon::{
    arguments::org::{CertifyNode, Next, Reason, Recover, RevokeNode, Rotate},
    exit::{Exit, Failure},
    identity::{random, write_private},
    initialise::terms,
    moment, passphrase,
};

/// Draws root keys into a folder of their own.
///
/// # Errors
/// When the folder exists, cannot be written, or the threshold cannot be met.
pub fn next(arguments: &Next) -> Result<Drawn, Failure> {
    let Next {
        folder,
        keys,
        threshold,
        passphrase_file,
    } = arguments;
    if threshold > keys {
        let message = format!("--threshold {threshold} of --keys {keys} can never sign");
        return Err(Failure::new(Exit::Usage, message));
    }
    must_not_exist(folder)?;
    let passphrase = passphrase::of_new_key(false, passphrase_file.as_deref())?;
    let passphrase = passphrase.as_ref().map(|passphrase| passphrase.as_str());
    fs::DirBuilder::new()
        .mode(0o700)
        .create(folder)
        .map_err(|error| failed(folder, &error))?;
    let mut drawn = Vec::new();
    for number in 1..=*keys {
        let key = SecretKey::from_seed(random()?);
        let pem = key_file::to_pem(&key, passphrase, &mut UnwrapErr(SysRng));
        let file = folder.join(format!("root-{number}.key"));
        write_private(&file, pem.as_bytes()).map_err(|error| failed(&file, &error))?;
        drawn.push(key.public());
    }
    let mut sorted = drawn.clone();
    sorted.sort();
    Ok(Drawn {
        folder: folder.display().to_string(),
        keys: drawn.iter().map(ToString::to_string).collect(),
        threshold: *threshold,
        commitment: Manifest::commitment(&sorted, *threshold).to_string(),
    })
}

/// Signs certificates for a node, and a revocation of it in advance.
///
/// # Errors
/// When a file cannot be read or written.
pub fn certify(arguments: &CertifyNode, data: &Path) -> Result<Signed, Failure> {
    let CertifyNode {
        papers,
        node,
        community,
        terms: count,
        begins_in,
        revocation,
        signing,
    } = arguments;
    if *revocation == signing.out {
        return Err(Failure::new(
            Exit::Usage,
            "--revocation and --out are two files: whoever holds the first can end the node",
        ));
    }
    must_not_exist(revocation)?;
    must_not_exist(&signing.out)?;
    let newest = lineage(&place(papers, data))?.newest;
    let keys = roots(&keys(signing)?, &newest)?;
    let begin = Millis(moment::now().0 + begins_in.map_or(0, |begins| begins.0.0));
    let mut certificates = Vec::new();
    for (not_before, not_after) in terms(begin, *count) {
        let (org, community) = (newest.id(), Community::named(community));
        let mut certificate = NodeCertificate::new(org, community, *node, not_before, not_after);
        certificate.manifest_seq = newest.seq;
        certificates.push(signed(certificate.unsigned(), &keys)?);
    }
    let emergency = Revocation::in_advance(newest.id(), newest.seq, *node);
    let emergency = emergency.sign(&keys.iter().collect::<Vec<_>>()).map_err(unfit)?;
    write_secret(revocation, &[emergency])?;
    let signed = written(&signing.out, certificates, keys.len(), newest.m).inspect_err(|_| {
        // Of the two files there are both or none; that this one cannot be taken away either changes nothing.
        let _ = fs::remove_file(revocation);
    })?;
    Ok(Signed {
        revocation: Some(revocation.display().to_string()),
        ..signed
    })
}

/// Makes the next manifest.
///
/// # Errors
/// When its roots are not those that were committed to, or a file cannot be read or written.
pub fn rotate(arguments: &Rotate, data: &Path) -> Result<Signed, Failure> {
    let Rotate {
        papers,
        roots,
        threshold,
        signing,
        ..
    } = arguments;
    must_not_exist(&signing.out)?;
    let lineage = lineage(&place(papers, data))?;
    let keys = keys(signing)?;
    let new: BTreeSet<PublicKey> = roots
        .iter()
        .copied()
        .chain(keys.iter().map(SecretKey::public))
        .collect();
    let new: Vec<PublicKey> = new.into_iter().collect();
    let committed = Manifest::commitment(&new, *threshold) == lineage.newest.next_commit;
    if !committed && !arguments.recovery {
        let message = format!(
            "manifest {} committed to other roots, or to another --threshold: give every one of the next roots, with --key \
            where its file is here and with --root where it is not",
            lineage.newest.seq
        );
        return Err(Failure::new(Exit::Refused, message));
    }
    let manifest = successor(arguments, &lineage.newest, &new)?;
    let statement = manifest.sign(&keys.iter().collect::<Vec<_>>()).map_err(unfit)?;
    // A recovery's manifest does not follow the others by itself; its guardians' word makes it follow.
    let mut all = if arguments.recovery {
        Vec::new()
    } else {
        lineage.statements
    };
    all.push(statement);
    written(&signing.out, all, keys.len(), manifest.m)
}

fn successor(arguments: &Rotate, newest: &Manifest, roots: &[PublicKey]) -> Result<Manifest, Failure> {
    let commitment = if arguments.retire {
        Manifest::retirement()
    } else {
        Manifest::commitment(&arguments.next, arguments.next_threshold)
    };
    if !arguments.retire && usize::from(arguments.next_threshold) > arguments.next.len() {
        return Err(Failure::new(
            Exit::Usage,
            "--next-threshold is higher than the number of --next keys",
        ));
    }
    let not_after = Millis(moment::now().0.saturating_add(arguments.lasts.0.0));
    let mut manifest = newest.successor(roots, arguments.threshold, commitment, not_after);
    manifest.endorse_key = arguments.endorse_key.or(manifest.endorse_key);
    manifest.parent = arguments.parent.or(manifest.parent);
    manifest.void_from = arguments.void_from;
    if let Some(k) = arguments.guardians_needed {
        let mut orgs = arguments.guardians.clone();
        orgs.sort();
        manifest.guardians = Some(Guardians { orgs, k });
    }
    Ok(manifest)
}

/// Ends a node's right to speak.
///
/// # Errors
/// When a position cannot be read, or a file cannot be read or written.
pub fn revoke(arguments: &RevokeNode, data: &Path) -> Result<Signed, Failure> {
    let RevokeNode {
        papers,
        node,
        reason,
        last_good,
        signing,
    } = arguments;
    must_not_exist(&signing.out)?;
    let newest = lineage(&place(papers, data))?.newest;
    let keys = roots(&keys(signing)?, &newest)?;
    let mut last_good: Vec<LogPosition> = last_good.iter().map(|text| position(text)).collect::<Result<_, _>>()?;
    last_good.sort();
    let revocation = Revocation {
        // Later ones of this organisation have higher times.
        seq: moment::now().0,
        reason: match reason {
            Reason::Retired => RevocationReason::Retired,
            Reason::Compromised => RevocationReason::Compromised,
        },
        last_good,
        ..Revocation::in_advance(newest.id(), newest.seq, *node)
    };
    let statement = revocation.sign(&keys.iter().collect::<Vec<_>>()).map_err(unfit)?;
    written(&signing.out, vec![statement], keys.len(), newest.m)
}

/// `AUDIENCE,EPOCH,NUMBER,RECORD`.
pub(super) fn position(text: &str) -> Result<LogPosition, Failure> {
    let wrong = || {
        let message = format!(
            "`{text}` is no position of a log; write AUDIENCE,EPOCH,NUMBER,RECORD such as clear,1795500000000,17,rec:..."
        );
        Failure::new(Exit::Usage, message)
    };
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let [audience, epoch, seq, record] = parts[..] else {
        return Err(wrong());
    };
    let audience = match audience.to_lowercase().as_str() {
        "clear" => Audience::Clear,
        "green" => Audience::Green,
        "sealed" => Audience::Sealed,
        _ => return Err(wrong()),
    };
    Ok(LogPosition {
        audience,
        epoch: Millis(epoch.parse().map_err(|_| wrong())?),
        seq: seq.parse().map_err(|_| wrong())?,
        id: record.parse::<RecordId>().map_err(|_| wrong())?,
    })
}

/// Signs a recovery as a guardian.
///
/// # Errors
/// When the proposal holds no new manifest, or a file cannot be read or written.
pub fn recover(arguments: &Recover) -> Result<Signed, Failure> {
    let Recover { proposal, signing } = arguments;
    must_not_exist(&signing.out)?;
    let keys = keys(signing)?;
    let wrong = |why: &dyn std::fmt::Display| {
        let message = format!(
            "{}: {why}; `starfish org rotate --recovery` writes a proposal",
            proposal.display()
        );
        Failure::new(Exit::Configuration, message)
    };
    let mut held = statements(proposal)?;
    let (Some(manifest), true) = (held.pop(), held.is_empty()) else {
        return Err(wrong(&"there is more than one statement in it"));
    };
    let new = Manifest::read(&manifest).map_err(|error| wrong(&error))?;
    let recovery = Recovery {
        org: new.id(),
        manifest,
    };
    let statement = recovery.sign(&keys.iter().collect::<Vec<_>>()).map_err(unfit)?;
    // How many guardians are needed stands in the manifest before, which guardians may not have at hand.
    written(&signing.out, vec![statement], keys.len(), 0)
}

/// The signing keys, all of which must be roots: a signature too many makes a statement false.
pub(super) fn roots(keys: &[SecretKey], newest: &Manifest) -> Result<Vec<SecretKey>, Failure> {
    match keys.iter().find(|key| !newest.roots.contains(&key.public())) {
        None => Ok(keys.iter().map(|key| SecretKey::from_seed(*key.seed())).collect()),
        Some(other) => {
            let message = format!(
                "{} is no root of manifest {} of {}; after a rotation the new roots sign",
                other.public(),
                newest.seq,
                newest.name
            );
            Err(Failure::new(Exit::Refused, message))
        }
    }
}

pub(super) fn signed(unsigned: Result<Statement, StatementError>, keys: &[SecretKey]) -> Result<Statement, Failure> {
    let unsigned = unsigned.map_err(unfit)?;
    keys.iter().try_fold(unsigned, Statement::signed_by).map_err(unfit)
}

pub(super) fn unfit(error: StatementError) -> Failure {
    Failure::new(Exit::Usage, format!("this cannot be signed: {error}"))
}

pub(super) fn written(
    out: &Path,
    statements: Vec<Statement>,
    signatures: usize,
    needed: u8,
) -> Result<Signed, Failure> {
    papers::write(out, &statements)?;
    Ok(Signed {
        file: out.display().to_string(),
        revocation: None,
        statements: statements.len(),
        signatures,
        missing: usize::from(needed).saturating_sub(signatures),
    })
}
