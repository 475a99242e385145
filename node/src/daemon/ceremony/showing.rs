//! What statements say, in one line each.

use std::path::{Path, PathBuf};

use starfish_crypto::{Strict, Verified};
use starfish_protocol::{
    record::{Header, RecordId},
    statement::{
        ChainHead, CheckedStatement, Endorsement, Kind, Manifest, NodeCertificate, Recovery, Resolution, Revocation,
        RevocationReason, Settles, Statement, Subsidiary, Veto,
    },
    time::Millis,
};

use super::{
    documents::{Said, Statements},
    papers::statements,
};
use crate::daemon::{
    exit::Failure,
    identity::{certificates_file, chain_file, manifest_file},
    moment::rfc3339,
};

/// What is in these files, or in the data directory when none is named.
///
/// # Errors
/// When a file cannot be read.
pub fn show(files: &[PathBuf], data: &Path) -> Result<Statements, Failure> {
    let mut own = vec![manifest_file(data), certificates_file(data)];
    // There is none before the first endorsement.
    own.extend(Some(chain_file(data)).filter(|file| file.exists()));
    let files = if files.is_empty() { own.as_slice() } else { files };
    let mut said = Vec::new();
    for file in files {
        said.extend(statements(file)?.iter().map(say));
    }
    Ok(Statements { statements: said })
}

/// One statement in words.
pub fn say(statement: &Statement) -> Said {
    let (kind, organisation, text) = match statement.kind() {
        Kind::MANIFEST => manifest(statement),
        Kind::CERTIFICATE => certificate(statement),
        Kind::REVOCATION => revocation(statement),
        Kind::RECOVERY => recovery(statement),
        Kind::RESOLUTION => resolution(statement),
        Kind::ENDORSEMENT => endorsement(statement),
        Kind::VETO => veto(statement),
        Kind::SUBSIDIARY => subsidiary(statement),
        Kind::CHAIN_HEAD => head(statement),
        Kind::PROOF => two_histories(statement),
        Kind::MANIFEST_PROOF => two_manifests(statement),
        kind => ("other", None, Some(format!("a statement of kind {}", kind.0))),
    };
    Said {
        kind: kind.to_owned(),
        id: statement.id().to_string(),
        organisation,
        says: text.unwrap_or_else(|| "nothing that this version understands".to_owned()),
        signed_by: statement.signatures().iter().map(|(key, _)| key.to_string()).collect(),
        stands: None,
    }
}

type Line = (&'static str, Option<String>, Option<String>);

fn manifest(statement: &Statement) -> Line {
    let Ok(manifest) = Manifest::read(statement) else {
        return ("manifest", None, None);
    };
    let mut says = format!(
        "{}, manifest {}: {} of {} roots sign ({}), until {}",
        manifest.name,
        manifest.seq,
        manifest.m,
        manifest.roots.len(),
        listed(&manifest.roots),
        rfc3339(manifest.not_after)
    );
    if let Some(key) = manifest.endorse_key {
        says += &format!(", {key} endorses");
    }
    if let Some(parent) = manifest.parent {
        says += &format!(", below {parent}");
    }
    if let Some(guardians) = &manifest.guardians {
        let (k, orgs) = (guardians.k, &guardians.orgs);
        says += &format!(", {k} of {} guardians recover it ({})", orgs.len(), listed(orgs));
    }
    if manifest.retires() {
        says += ", no roots come after these";
    } else {
        says += &format!(", committed to {} as the next roots", manifest.next_commit);
    }
    ("manifest", Some(manifest.id().to_string()), Some(says))
}

fn listed(all: &[impl ToString]) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    all.join(", ")
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
        "{} gets new roots by its guardians: manifest {}, {} of {} sign ({})",
        new.name,
        new.seq,
        new.m,
        new.roots.len(),
        listed(&new.roots)
    );
    ("recovery", Some(new.id().to_string()), Some(says))
}

fn resolution(statement: &Statement) -> Line {
    let Ok(resolution) = Resolution::read(statement) else {
        return ("resolution", None, None);
    };
    let says = match resolution.settles {
        Settles::Manifest { id } => format!("of two manifests with one number, {id} counts"),
        Settles::Recovery { id } => format!("calls off the recovery {id}"),
        Settles::Node { node_key, at, .. } => format!(
            "{node_key} goes on behind number {} of its {:?} log begun {}",
            at.seq,
            at.audience,
            rfc3339(at.epoch)
        ),
    };
    ("resolution", Some(resolution.org.to_string()), Some(says))
}

fn endorsement(statement: &Statement) -> Line {
    let Ok(said) = Endorsement::read(statement) else {
        return ("endorsement", None, None);
    };
    let (subject, about) = (said.subject, format!("about {}", said.scope));
    let mut says = if said.withdraws() {
        format!("vouches for {subject} {about} no more")
    } else {
        let (from, until) = (rfc3339(said.not_before), rfc3339(said.not_after));
        format!(
            "{}/{} for {subject} {about}, from {from} until {until}",
            said.amount, said.depth
        )
    };
    if said.may_veto {
        says += ", whose vetoes count";
    }
    if said.receive_green {
        says += ", which may be told TLP:GREEN";
    }
    ("endorsement", Some(said.issuer.to_string()), Some(says))
}

fn veto(statement: &Statement) -> Line {
    let Ok(said) = Veto::read(statement) else {
        return ("veto", None, None);
    };
    let (subject, about) = (said.subject, format!("about {}", said.scope));
    let says = if said.withdrawn {
        format!("vetoes {subject} {about} no more")
    } else {
        format!("vetoes {subject} {about} until {}", rfc3339(said.not_after))
    };
    ("veto", Some(said.issuer.to_string()), Some(says))
}

fn subsidiary(statement: &Statement) -> Line {
    let Ok(said) = Subsidiary::read(statement) else {
        return ("subsidiary", None, None);
    };
    let now = if said.withdrawn {
        "is no part of it any more"
    } else {
        "is a part of it"
    };
    let says = format!("{} {now}", said.subject);
    ("subsidiary", Some(said.issuer.to_string()), Some(says))
}

fn two_histories(statement: &Statement) -> Line {
    let checked = statement.clone().check(&Strict).ok();
    let says = checked.as_ref().and_then(CheckedStatement::fork).map(|(one, two)| {
        let place = |header: &Verified<Header>| format!("{} as number {}", RecordId::of(header), header.seq);
        format!(
            "{} signed two histories in its {:?} log begun {}: {} and {}",
            one.author,
            one.audience,
            rfc3339(one.epoch),
            place(one),
            place(two)
        )
    });
    ("proof of two histories", None, says)
}

fn two_manifests(statement: &Statement) -> Line {
    let says = statement.manifests().map(|both| {
        let one = |manifest: &Statement| {
            let (_, _, says) = self::manifest(manifest);
            let signers: Vec<String> = manifest.signatures().iter().map(|(key, _)| key.to_string()).collect();
            let (id, says) = (manifest.id(), says.unwrap_or_default());
            format!("{id} ({says}; signed by {})", signers.join(" and "))
        };
        let [first, second] = both;
        format!("two manifests follow one: {}, and {}", one(&first), one(&second))
    });
    let org = statement.issuer().map(|org| org.to_string());
    ("proof of two manifests", org, says)
}

fn head(statement: &Statement) -> Line {
    let Ok(head) = ChainHead::read(statement) else {
        return ("chain head", None, None);
    };
    let until = rfc3339(head.fresh_until);
    let says = format!(
        "statement {} is the last one; a newer head comes before {until}",
        head.seq
    );
    ("chain head", Some(head.issuer.to_string()), Some(says))
}
