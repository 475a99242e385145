//! What statements say, in one line each.

use std::path::{Path, PathBuf};

use starfish_protocol::{
    statement::{Kind, Manifest, NodeCertificate, Recovery, Resolution, Revocation, RevocationReason, Statement},
    time::Millis,
};

use super::{
    documents::{Said, Statements},
    papers::statements,
};
use crate::daemon::{
    exit::Failure,
    identity::{certificates_file, manifest_file},
    moment::rfc3339,
};

/// What is in these files, or in the data directory when none is named.
///
/// # Errors
/// When a file cannot be read.
pub fn show(files: &[PathBuf], data: &Path) -> Result<Statements, Failure> {
    let own = [manifest_file(data), certificates_file(data)];
    let files = if files.is_empty() { own.as_slice() } else { files };
    let mut said = Vec::new();
    for file in files {
        said.extend(statements(file)?.iter().map(say));
    }
    Ok(Statements { statements: said })
}

fn say(statement: &Statement) -> Said {
    let (kind, organisation, text) = match statement.kind() {
        Kind::MANIFEST => manifest(statement),
        Kind::CERTIFICATE => certificate(statement),
        Kind::REVOCATION => revocation(statement),
        Kind::RECOVERY => recovery(statement),
        Kind::RESOLUTION => resolution(statement),
        kind => ("other", None, Some(format!("a statement of kind {}", kind.0))),
    };
    Said {
        kind: kind.to_owned(),
        id: statement.id().to_string(),
        organisation,
        says: text.unwrap_or_else(|| "nothing that this version understands".to_owned()),
        signed_by: statement.signatures().iter().map(|(key, _)| key.to_string()).collect(),
    }
}

type Line = (&'static str, Option<String>, Option<String>);

fn manifest(statement: &Statement) -> Line {
    let Ok(manifest) = Manifest::read(statement) else {
        return ("manifest", None, None);
    };
    let mut says = format!(
        "{}, manifest {}: {} of {} roots sign, until {}",
        manifest.name,
        manifest.seq,
        manifest.m,
        manifest.roots.len(),
        rfc3339(manifest.not_after)
    );
    if let Some(key) = manifest.endorse_key {
        says += &format!(", {key} endorses");
    }
    if let Some(parent) = manifest.parent {
        says += &format!(", below {parent}");
    }
    if let Some(guardians) = &manifest.guardians {
        says += &format!(", {} of {} guardians recover it", guardians.k, guardians.orgs.len());
    }
    if manifest.retires() {
        says += ", no roots come after these";
    }
    ("manifest", Some(manifest.id().to_string()), Some(says))
}

fn certificate(statement: &Statement) -> Line {
    let Ok(certificate) = NodeCertificate::read(statement) else {
        return ("certificate", None, None);
    };
    let says = format!(
        "{} speaks from {} until {}, under manifest {}",
        certificate.node_key,
        rfc3339(certificate.not_before),
        rfc3339(certificate.not_after),
        certificate.manifest_seq
    );
    ("certificate", Some(certificate.org.to_string()), Some(says))
}

fn revocation(statement: &Statement) -> Line {
    let Ok(revocation) = Revocation::read(statement) else {
        return ("revocation", None, None);
    };
    let what = match revocation.reason {
        RevocationReason::Retired => "is out of service; what it wrote stays".to_owned(),
        RevocationReason::Compromised if revocation.last_good.is_empty() => {
            "may be in other hands; nothing that it wrote counts".to_owned()
        }
        RevocationReason::Compromised => {
            let good = revocation.last_good.iter();
            let at = |epoch: Millis| rfc3339(epoch);
            let places: Vec<String> = good
                .map(|good| {
                    format!(
                        "number {} of its {:?} log begun {}",
                        good.seq,
                        good.audience,
                        at(good.epoch)
                    )
                })
                .collect();
            format!("may be in other hands; it counts up to {}", places.join(" and "))
        }
    };
    let says = format!("{} {what}", revocation.node_key);
    ("revocation", Some(revocation.org.to_string()), Some(says))
}

fn recovery(statement: &Statement) -> Line {
    let read = Recovery::read(statement).ok();
    let new = read.and_then(|recovery| recovery.new_manifest().ok());
    let Some(new) = new else {
        return ("recovery", None, None);
    };
    let says = format!(
        "{} gets new roots by its guardians: manifest {}, {} of {} sign",
        new.name,
        new.seq,
        new.m,
        new.roots.len()
    );
    ("recovery", Some(new.id().to_string()), Some(says))
}

fn resolution(statement: &Statement) -> Line {
    let Ok(resolution) = Resolution::read(statement) else {
        return ("resolution", None, None);
    };
    let says = format!("settles {:?}", resolution.settles);
    ("resolution", Some(resolution.org.to_string()), Some(says))
}
