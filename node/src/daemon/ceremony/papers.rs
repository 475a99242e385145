//! The files of a ceremony: keys that sign, statements that are read, and the one file that a step writes.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use starfish_crypto::{Digest, SecretKey, Strict};
use starfish_protocol::{
    community::Community,
    statement::{Freeze, Manifest, Resolution, Roster, Settles, Statement},
};

use crate::daemon::{
    arguments::org::{Papers, Signing},
    exit::{Exit, Failure},
    identity::{manifest_file, private_key, write_private},
};

/// The keys that sign here.
pub(super) fn keys(signing: &Signing) -> Result<Vec<SecretKey>, Failure> {
    keys_in(&signing.keys, signing.passphrase_file.as_deref())
}

/// The keys in these files.
pub(super) fn keys_in(files: &[PathBuf], passphrase: Option<&Path>) -> Result<Vec<SecretKey>, Failure> {
    files.iter().map(|path| private_key(path, passphrase)).collect()
}

/// Every statement of a file, in order.
pub(super) fn statements(path: &Path) -> Result<Vec<Statement>, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::unread(path, &error))?;
    Statement::all_from_text(&text).map_err(|error| Failure::content(path, error))
}

/// An organisation's manifests in a file, once they were found to follow each other.
#[derive(Debug)]
pub(super) struct Lineage {
    /// The manifests in the order of their numbers, then what chooses between two of one number.
    pub(super) statements: Vec<Statement>,
    /// What the first of these say.
    pub(super) manifests: Vec<Manifest>,
    /// The one that counts now; where two of one number follow it and nobody has chosen, the one before them.
    pub(super) newest: Manifest,
    /// The number of which there are two, if nobody has chosen.
    forked: Option<u64>,
}

impl Lineage {
    /// A manifest by the id of its statement.
    pub(super) fn manifest(&self, id: &Digest) -> Option<&Manifest> {
        let mut both = self.statements.iter().zip(&self.manifests);
        both.find_map(|(statement, manifest)| (statement.id() == *id).then_some(manifest))
    }
}

/// Which of two manifests a statement chooses, if that is what it does.
pub(super) fn chosen(statement: &Statement) -> Option<Digest> {
    match Resolution::read(statement).ok()?.settles {
        Settles::Manifest { id } => Some(id),
        _ => None,
    }
}

/// Where an organisation's manifests are.
pub(super) fn place(papers: &Papers, data: &Path) -> PathBuf {
    papers.manifest.clone().unwrap_or_else(|| manifest_file(data))
}

/// Reads an organisation's manifests and checks their chain as every node of the mesh does. One of them counts.
pub(super) fn lineage(path: &Path) -> Result<Lineage, Failure> {
    let lineage = history(path)?;
    match lineage.forked {
        None => Ok(lineage),
        Some(seq) => {
            let message = format!(
                "there are two manifests with the number {seq} in it, and every node waits for a word on which counts: \
                `starfish org settle --manifest-id ID` says it, and `starfish org accept` adds it to the data directory"
            );
            Err(Failure::content(path, message))
        }
    }
}

/// The same, whether or not there are two of one number.
pub(super) fn history(path: &Path) -> Result<Lineage, Failure> {
    let wrong = |why: String| Failure::content(path, why);
    let all = statements(path)?;
    let read = |statement: &Statement| {
        Manifest::read(statement)
            .ok()
            .map(|manifest| (manifest, statement.clone()))
    };
    let mut manifests: Vec<(Manifest, Statement)> = all.iter().filter_map(read).collect();
    manifests.sort_by_key(|(manifest, _)| manifest.seq);
    // Manifests hold in every mesh.
    let mut roster = Roster::new(Community::named("starfish"));
    for (manifest, statement) in &manifests {
        let checked = statement.clone().check(&Strict);
        let checked = checked.map_err(|error| wrong(format!("manifest {}: {error}", manifest.seq)))?;
        let admitted = roster.admit(&checked);
        admitted.map_err(|refusal| wrong(format!("manifest {}: {refusal}", manifest.seq)))?;
    }
    let choices: Vec<Statement> = all.into_iter().filter(|held| chosen(held).is_some()).collect();
    for choice in &choices {
        let checked = choice
            .clone()
            .check(&Strict)
            .map_err(|error| wrong(error.to_string()))?;
        roster.admit(&checked).map_err(|refusal| wrong(refusal.to_string()))?;
    }
    let none = || wrong("there is no manifest in it; `starfish init` wrote it to organisation/manifest.txt".to_owned());
    let org = manifests.first().map(|(manifest, _)| manifest.id()).ok_or_else(none)?;
    if manifests.iter().any(|(manifest, _)| manifest.id() != org) {
        return Err(wrong("it holds manifests of more than one organisation".to_owned()));
    }
    let newest = roster.manifest_of(&org).cloned().ok_or_else(none)?;
    let forked = match roster.is_frozen(&org) {
        Some(Freeze::Forked { seq }) => Some(seq + 1),
        _ => None,
    };
    let (manifests, mut statements): (Vec<Manifest>, Vec<Statement>) = manifests.into_iter().unzip();
    statements.extend(choices);
    Ok(Lineage {
        statements,
        manifests,
        newest,
        forked,
    })
}

/// Refuses to write over something: a key or a signature that is gone may be the only one.
pub(super) fn must_not_exist(path: &Path) -> Result<(), Failure> {
    if path.exists() {
        let message = format!(
            "{} exists already; choose another name, nothing is overwritten",
            path.display()
        );
        return Err(Failure::new(Exit::Refused, message));
    }
    Ok(())
}

/// Writes statements to a new file, which others may read: nothing in it is secret.
pub(super) fn write(path: &Path, statements: &[Statement]) -> Result<(), Failure> {
    must_not_exist(path)?;
    let text: String = statements.iter().map(Statement::to_text).collect();
    fs::write(path, text).map_err(|error| failed(path, &error))
}

/// The same, for what nobody else is to have before its time.
pub(super) fn write_secret(path: &Path, statements: &[Statement]) -> Result<(), Failure> {
    must_not_exist(path)?;
    let text: String = statements.iter().map(Statement::to_text).collect();
    write_private(path, text.as_bytes()).map_err(|error| failed(path, &error))
}

/// Adds statements to a file of the data directory that are not in it yet; how many were new.
pub(super) fn add(path: &Path, statements: &[Statement]) -> Result<usize, Failure> {
    let held = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(path, &error)),
    };
    let mut text = held;
    let mut new = 0;
    for statement in statements.iter().map(Statement::to_text) {
        if !text.contains(&statement) {
            text.push_str(&statement);
            new += 1;
        }
    }
    if new > 0 {
        write_private(path, text.as_bytes()).map_err(|error| failed(path, &error))?;
    }
    Ok(new)
}

pub(super) fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::machine(format_args!("cannot write {}", path.display()), error)
}
