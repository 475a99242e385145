//! The files of a ceremony: keys that sign, statements that are read, and the one file that a step writes.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use starfish_crypto::{SecretKey, Strict};
use starfish_protocol::{
    community::Community,
    statement::{Manifest, Roster, Statement},
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

/// An organisation's manifests in a file, and the newest of them, once they were found to follow each other.
#[derive(Debug)]
pub(super) struct Lineage {
    pub(super) statements: Vec<Statement>,
    pub(super) newest: Manifest,
}

/// Where an organisation's manifests are.
pub(super) fn place(papers: &Papers, data: &Path) -> PathBuf {
    papers.manifest.clone().unwrap_or_else(|| manifest_file(data))
}

/// Reads an organisation's manifests and checks their chain as every node of the mesh does.
pub(super) fn lineage(path: &Path) -> Result<Lineage, Failure> {
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
    let none = || wrong("there is no manifest in it; `starfish init` wrote it to organisation/manifest.txt".to_owned());
    let newest = manifests
        .last()
        .map(|(manifest, _)| manifest.clone())
        .ok_or_else(none)?;
    if manifests.iter().any(|(manifest, _)| manifest.id() != newest.id()) {
        return Err(wrong("it holds manifests of more than one organisation".to_owned()));
    }
    let statements = manifests.into_iter().map(|(_, statement)| statement).collect();
    Ok(Lineage { statements, newest })
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
