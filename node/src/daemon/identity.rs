//! The part of the data directory that says who the node is: [`Identity`].
//!
//! | file | what it is | mode |
//! |---|---|---|
//! | `node.key` | the node's private key, perhaps under a passphrase | 0600 |
//! | `organisation/manifest.txt` | the organisation's genesis manifest | |
//! | `organisation/certificates.txt` | what the root signed for this node, several terms in advance | |
//! | `organisation/chain.txt` | what the organisation has said of others, once it has | |
//! | `organisation/root` | a folder to be moved offline: `root.key`, and `next.key` that comes after it | 0600 |

use std::{
    fs, io,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use libp2p::PeerId;
use starfish_crypto::{
    Digest, PublicKey, SecretKey, Strict, domain,
    key_file::{self, KeyFileError},
};
use starfish_protocol::{
    community::Community,
    organisation::OrgId,
    statement::{NodeCertificate, Roster, Statement},
    time::Millis,
};
use zeroize::Zeroizing;

use super::{
    control::documents::Id,
    exit::{Exit, Failure},
    moment::{self, rfc3339},
    passphrase,
};

/// Who a node is and what proves it. The private key is not part of it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The organisation.
    pub org: OrgId,
    /// The node's key.
    pub node: PublicKey,
    /// The manifest and the certificates.
    pub statements: Vec<Statement>,
    /// Until when the last certificate holds.
    pub certified_until: Millis,
}

/// The node's private key.
pub fn key_file(data: &Path) -> PathBuf {
    data.join("node.key")
}

/// The folder of what the organisation signed.
pub fn organisation_folder(data: &Path) -> PathBuf {
    data.join("organisation")
}

pub(super) fn manifest_file(data: &Path) -> PathBuf {
    organisation_folder(data).join("manifest.txt")
}

pub(super) fn certificates_file(data: &Path) -> PathBuf {
    organisation_folder(data).join("certificates.txt")
}

pub(super) fn chain_file(data: &Path) -> PathBuf {
    organisation_folder(data).join("chain.txt")
}

impl Identity {
    /// Reads and checks what a data directory says, in this mesh.
    ///
    /// # Errors
    /// When files are missing, do not hold together, or belong to another mesh.
    pub fn load(data: &Path, community: Community) -> Result<Self, Failure> {
        let mut statements = statements(&manifest_file(data))?;
        statements.extend(self::statements(&certificates_file(data))?);
        Self::of(statements, community)
    }

    /// Checks that these statements name one organisation and one node of it.
    ///
    /// # Errors
    /// When they do not.
    pub fn of(statements: Vec<Statement>, community: Community) -> Result<Self, Failure> {
        let wrong = |why: String| {
            Failure::new(
                Exit::Configuration,
                format!("the folder `organisation` does not hold: {why}"),
            )
        };
        let mut roster = Roster::new(community);
        for statement in &statements {
            let checked = statement.clone().check(&Strict);
            let checked = checked.map_err(|error| wrong(error.to_string()))?;
            roster.admit(&checked).map_err(|refusal| wrong(refusal.to_string()))?;
        }
        let certificates = statements
            .iter()
            .filter_map(|statement| NodeCertificate::read(statement).ok());
        let newest = certificates.max_by_key(|certificate| certificate.not_after);
        let newest = newest.ok_or_else(|| wrong("there is no certificate".to_owned()))?;
        Ok(Self {
            org: newest.org,
            node: newest.node_key,
            statements,
            certified_until: newest.not_after,
        })
    }

    /// The private key of the node, after asking for its passphrase if it has one.
    ///
    /// # Errors
    /// When the file cannot be read or opened, is open to others, or holds another key.
    pub fn unlock(&self, data: &Path, passphrase_file: Option<&Path>) -> Result<SecretKey, Failure> {
        let path = key_file(data);
        let wrong = |why: &str| Failure::content(&path, why);
        let mode = fs::metadata(&path)
            .map_err(|error| Failure::content(&path, error))?
            .permissions()
            .mode();
        if mode & 0o077 != 0 {
            return Err(wrong(
                "other users may read the node's key; take that away by `chmod 600`",
            ));
        }
        let key = private_key(&path, passphrase_file)?;
        if key.public() != self.node {
            return Err(wrong("the certificates in `organisation` are for another key"));
        }
        Ok(key)
    }

    /// The node's name in libp2p.
    pub fn peer(&self) -> Option<PeerId> {
        let key = libp2p::identity::ed25519::PublicKey::try_from_bytes(self.node.as_bytes()).ok()?;
        Some(libp2p::identity::PublicKey::from(key).to_peer_id())
    }

    /// The beginning of the digest of organisation and node, in groups for reading aloud.
    pub fn fingerprint(&self) -> String {
        let both = [self.org.digest().as_bytes().as_slice(), self.node.as_bytes()].concat();
        let digest = Digest::of(domain::PAIRING, &both);
        let groups = digest
            .as_bytes()
            .chunks(2)
            .take(8)
            .map(|pair| pair.iter().map(|byte| format!("{byte:02x}")).collect());
        groups.collect::<Vec<String>>().join(" ")
    }

    /// Everything about the node for its operator.
    pub fn document(&self, name: &str, addresses: Vec<String>, running: bool) -> Id {
        Id {
            organisation: self.org.to_string(),
            name: name.to_owned(),
            node: self.node.to_string(),
            peer: self.peer().map(|peer| peer.to_string()).unwrap_or_default(),
            addresses,
            fingerprint: self.fingerprint(),
            certified_until: rfc3339(self.certified_until),
            revoked: false,
            running,
        }
    }

    /// Whether the node may speak for its organisation now.
    pub fn is_certified(&self) -> bool {
        let now = moment::now();
        let certificates = self
            .statements
            .iter()
            .filter_map(|statement| NodeCertificate::read(statement).ok());
        certificates.into_iter().any(|certificate| certificate.covers(now))
    }
}

/// The private key in a file, under a passphrase or not.
///
/// # Errors
/// When the file cannot be read or opened.
pub fn private_key(path: &Path, passphrase_file: Option<&Path>) -> Result<SecretKey, Failure> {
    let text = fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|error| Failure::unread(path, &error))?;
    let key = match key_file::from_pem(&text, None) {
        Err(KeyFileError::PassphraseNeeded) => {
            let passphrase = passphrase::of_known_key(passphrase_file)?;
            key_file::from_pem(&text, Some(passphrase.as_str()))
        }
        read => read,
    };
    key.map_err(|error| Failure::content(path, error))
}

fn statements(path: &Path) -> Result<Vec<Statement>, Failure> {
    let wrong = |why: &dyn std::fmt::Display, remedy: &str| {
        Failure::new(Exit::Configuration, format!("{}: {why}; {remedy}", path.display()))
    };
    let text = fs::read_to_string(path).map_err(|error| {
        wrong(
            &error,
            "make a node with `starfish init`, or name its directory with --data",
        )
    })?;
    Statement::all_from_text(&text).map_err(|error| wrong(&error, "take it from a copy of the data directory"))
}

/// The Ed25519 key that a peer id spells out, if it does.
pub fn node_key(peer: &PeerId) -> Option<PublicKey> {
    // The multihash code of a key that is not hashed.
    const SPELLED_OUT: u64 = 0;
    let hash = peer.as_ref();
    let key = libp2p::identity::PublicKey::try_decode_protobuf(hash.digest())
        .ok()?
        .try_into_ed25519()
        .ok()?;
    (hash.code() == SPELLED_OUT).then(|| PublicKey::from_bytes(key.to_bytes()))
}

/// Random bytes of the system.
///
/// # Errors
/// When the system gives none.
pub fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Failure::machine("the system gives no randomness", error))?;
    Ok(bytes)
}

/// Replaces a file at once and durably; only this user may read it.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    fs::File::open(folder_of(path))?.sync_all()
}

/// The folder that a file is in. Of a bare name it is this one.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_id_tells_its_key() {
        let pair = libp2p::identity::Keypair::ed25519_from_bytes([7; 32]).expect("32 bytes");
        let key = node_key(&pair.public().to_peer_id());
        assert_eq!(key, Some(SecretKey::from_seed([7; 32]).public()));
    }

    #[test]
    fn every_file_is_in_a_folder() {
        let check = |path: &str, folder: &str| assert_eq!(folder_of(Path::new(path)), Path::new(folder), "{path}");
        check("revocation.txt", ".");
        check("./revocation.txt", ".");
        check("papers/revocation.txt", "papers");
        check("/revocation.txt", "/");
    }

    #[test]
    fn private_files_are_private() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("node.key");
        for text in ["first", "second"] {
            write_private(&path, text.as_bytes()).expect("the folder is writable");
            let mode = fs::metadata(&path).expect("the file is there").permissions().mode();
            assert_eq!(
                (
                    fs::read_to_string(&path).expect("the file is readable").as_str(),
                    mode & 0o777
                ),
                (text, 0o600)
            );
        }
        assert!(write_private(&folder.path().join("none/file"), b"").is_err());
    }
}
