//! Makes a node: [`found`] writes a new organisation's keys and statements, the node's key and the configuration.

use std::{
    fs, io,
    net::{Ipv4Addr, Ipv6Addr, TcpListener, UdpSocket},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use getrandom::{SysRng, rand_core::UnwrapErr};
use starfish_crypto::{SecretKey, key_file};
use starfish_protocol::{
    community::Community,
    statement::{Manifest, NodeCertificate, Statement, StatementError},
    time::Millis,
};

use super::{
    exit::{Exit, Failure},
    folder,
    identity::{Identity, certificates_file, key_file, manifest_file, organisation_folder, random, write_private},
    moment,
    settings::{self, Layers, template::Answers},
};

/// Where a new node is put together in its data directory, so that there is a whole one or none.
const STAGE: &str = "init.new";
const DAY: u64 = 86_400_000;
/// How many certificates the root signs in advance, so that it can stay offline for about a year.
const CERTIFICATES: u64 = 5;
/// How long each of them holds: the longest that is allowed.
const CERTIFIED: u64 = 90 * DAY;
/// How long after the one before each of them begins; they overlap so that clocks may differ.
const TERM: u64 = 75 * DAY;
/// How far what is signed begins in the past, for peers whose clocks are behind.
pub(super) const BACKDATED: u64 = DAY;
/// How long the manifest holds; roots renew it long before.
const MANIFEST: u64 = 3_650 * DAY;
/// Free ports are looked for from here on, below what systems give to outgoing connections: one of those on the node's
/// port would keep it from starting again.
const PORTS: std::ops::Range<u16> = 10_240..32_000;

/// What a new node is made from.
#[derive(Debug)]
pub struct Founding<'a> {
    /// Where; must not hold a node yet.
    pub data: &'a Path,
    /// The configuration.
    pub answers: &'a Answers,
    /// For the node key.
    pub passphrase: Option<&'a str>,
}

/// A new node.
#[derive(Debug)]
pub struct Founded {
    /// Who it is.
    pub identity: Identity,
    /// How it is configured.
    pub settings: settings::Settings,
}

/// The folder to move offline.
pub fn root_folder(data: &Path) -> PathBuf {
    organisation_folder(data).join("root")
}

/// Makes the data directory of a new organisation's first node.
///
/// # Errors
/// When there is a node already, the answers make no sense, or the disk says no.
pub fn found(founding: &Founding<'_>) -> Result<Founded, Failure> {
    let Founding {
        data,
        answers,
        passphrase,
    } = founding;
    if answers.name.trim().is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            "--name: an organisation has a name, such as \"CERT Example\"; nothing was made",
        ));
    }
    let text = answers.render();
    let settings = settings::checked(&text, &Layers::default()).map_err(|mistakes| settings::failure(&mistakes))?;
    make_room(data)?;
    let keys = Keys::draw()?;
    let statements = keys
        .statements(&settings.name, settings.community)
        .map_err(|error| Failure::new(Exit::Usage, format!("no organisation can be founded so: {error}")))?;
    let identity = Identity::of(statements, settings.community)?;
    let is_new = !data.exists();
    folder::make(data)?;
    let stage = data.join(STAGE);
    let placed = keys
        .write(&stage, &identity, *passphrase, &text)
        .and_then(|()| place(&stage, data));
    if let Err(error) = placed {
        // What cannot be taken away now is taken away by the next attempt.
        let _ = fs::remove_dir_all(&stage);
        if is_new {
            let _ = fs::remove_dir(data);
        }
        return Err(Failure::machine(
            format_args!("cannot write to {}, so nothing was made", data.display()),
            error,
        ));
    }
    Ok(Founded { identity, settings })
}

/// Moves a finished node to its place: the organisation last, without which nothing starts.
fn place(stage: &Path, data: &Path) -> io::Result<()> {
    let pieces = [key_file, |data: &Path| data.join(settings::FILE), organisation_folder];
    for (nth, piece) in pieces.iter().enumerate() {
        if let Err(error) = fs::rename(piece(stage), piece(data)) {
            // Best effort on a disk that just failed; what stays is named by the next attempt.
            for moved in pieces.iter().take(nth) {
                let _ = fs::remove_file(moved(data));
            }
            return Err(error);
        }
    }
    fs::remove_dir(stage)?;
    fs::File::open(data)?.sync_all()
}

/// The times of certificates that follow each other from this time on.
pub(super) fn terms(begin: Millis, count: u64) -> impl Iterator<Item = (Millis, Millis)> {
    (0..count).map(move |nth| {
        let not_before = Millis((begin.0 + nth * TERM).saturating_sub(BACKDATED));
        (not_before, Millis(not_before.0 + CERTIFIED))
    })
}

fn texts(statements: &[Statement]) -> String {
    statements.iter().map(Statement::to_text).collect()
}

/// Takes away what an interrupted attempt left, and refuses where a node is.
fn make_room(data: &Path) -> Result<(), Failure> {
    let places = [
        key_file(data),
        organisation_folder(data),
        data.join(settings::FILE),
        data.join("journal"),
        data.join("store"),
    ];
    let stage = data.join(STAGE);
    let is_unfinished = organisation_folder(&stage).exists();
    match places.iter().find(|place| place.exists()) {
        Some(place) if is_unfinished => {
            let message = format!(
                "an earlier `starfish init` was interrupted, and nothing was done with its keys yet: remove {} and {}, \
                then try again",
                place.display(),
                stage.display()
            );
            Err(Failure::new(Exit::Refused, message))
        }
        Some(place) => {
            let message = format!(
                "there is a node already: {}; start it by `starfish run`, or choose another directory with --data",
                place.display()
            );
            Err(Failure::new(Exit::Refused, message))
        }
        None if stage.exists() => fs::remove_dir_all(&stage)
            .map_err(|error| Failure::machine(format_args!("cannot remove {}", stage.display()), error)),
        None => Ok(()),
    }
}

/// The keys of a new organisation and its first node.
struct Keys {
    root: SecretKey,
    next: SecretKey,
    node: SecretKey,
}

impl Keys {
    fn draw() -> Result<Self, Failure> {
        let draw = || random().map(SecretKey::from_seed);
        Ok(Self {
            root: draw()?,
            next: draw()?,
            node: draw()?,
        })
    }

    /// Everything of a new node below one folder, durably.
    fn write(&self, stage: &Path, identity: &Identity, passphrase: Option<&str>, settings: &str) -> io::Result<()> {
        let pem = |key: &SecretKey, passphrase| key_file::to_pem(key, passphrase, &mut UnwrapErr(SysRng));
        let (organisation, root) = (organisation_folder(stage), root_folder(stage));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&root)?;
        write_private(&root.join("root.key"), pem(&self.root, None).as_bytes())?;
        write_private(&root.join("next.key"), pem(&self.next, None).as_bytes())?;
        write_private(&key_file(stage), pem(&self.node, passphrase).as_bytes())?;
        let (manifest, certificates) = identity.statements.split_at(1);
        write_private(&manifest_file(stage), texts(manifest).as_bytes())?;
        write_private(&certificates_file(stage), texts(certificates).as_bytes())?;
        write_private(&stage.join(settings::FILE), settings.as_bytes())?;
        fs::File::open(organisation)?.sync_all()
    }

    fn statements(&self, name: &str, community: Community) -> Result<Vec<Statement>, StatementError> {
        let now = moment::now().0;
        let next = Manifest::commitment(&[self.next.public()], 1);
        let manifest = Manifest::genesis(name, &[self.root.public()], 1, next, Millis(now + MANIFEST));
        let mut statements = vec![manifest.sign(&[&self.root])?];
        for (not_before, not_after) in terms(Millis(now), CERTIFICATES) {
            let certificate = NodeCertificate::new(manifest.id(), community, self.node.public(), not_before, not_after);
            statements.push(certificate.sign(&[&self.root], &self.node)?);
        }
        Ok(statements)
    }
}

/// Ports that nobody uses now, for TCP and UDP alike, all different.
///
/// # Errors
/// When there are none.
pub fn free_ports(count: usize) -> Result<Vec<u16>, Failure> {
    let span = u32::from(PORTS.end - PORTS.start);
    // Held until all are found, so that none is found twice.
    let mut held = Vec::new();
    let mut ports = Vec::new();
    for _ in 0..1_000 {
        if ports.len() == count {
            return Ok(ports);
        }
        let offset = u32::from_le_bytes(random()?) % span;
        let port = PORTS.start + u16::try_from(offset).unwrap_or_default();
        if let (false, Ok(sockets)) = (ports.contains(&port), hold(port)) {
            held.push(sockets);
            ports.push(port);
        }
    }
    Err(Failure::new(
        Exit::Failed,
        "no free port was found; choose one with --port",
    ))
}

/// Sockets on all addresses of the machine; where there is no IPv6, that of IPv4 is enough.
fn hold(port: u16) -> io::Result<(TcpListener, UdpSocket)> {
    let fourth = (Ipv4Addr::UNSPECIFIED, port);
    let sockets = (TcpListener::bind(fourth)?, UdpSocket::bind(fourth)?);
    let sixth = UdpSocket::bind((Ipv6Addr::LOCALHOST, port)).map(drop);
    match sixth {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(error),
        _ => Ok(sockets),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn answers() -> Answers {
        Answers::named("CERT Example")
    }

    #[test]
    fn a_new_node_can_be_loaded() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("deep/node");
        let founding = Founding {
            data: &data,
            answers: &answers(),
            passphrase: None,
        };
        let founded = found(&founding).expect("the folder is writable");
        let community = Community::named("starfish");
        let loaded = Identity::load(&data, community).expect("what was written holds");
        assert_eq!((loaded.org, loaded.node), (founded.identity.org, founded.identity.node));
        assert_eq!(loaded.unlock(&data, None).expect("no passphrase").public(), loaded.node);
        assert!(loaded.is_certified());
        assert!(loaded.certified_until.0 > moment::now().0 + 380 * DAY);
        assert_eq!(settings::load(&data, &Layers::default()), Ok(founded.settings));
        let again = found(&founding).expect_err("there is a node");
        assert_eq!(again.exit, Exit::Refused);
        for private in [
            key_file(&data),
            root_folder(&data).join("root.key"),
            root_folder(&data).join("next.key"),
        ] {
            let mode = fs::metadata(&private).expect("the file is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", private.display());
        }
    }

    #[test]
    fn what_does_not_hold_together_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let community = Community::named("starfish");
        let made = |name: &str| {
            let data = folder.path().join(name);
            found(&Founding {
                data: &data,
                answers: &answers(),
                passphrase: None,
            })
            .expect("the folder is writable");
            data
        };
        let (one, other) = (made("one"), made("other"));
        let check = |data: &Path, community: Community| {
            let failure = Identity::load(data, community)
                .and_then(|identity| identity.unlock(data, None))
                .map(drop);
            assert_eq!(failure.map_err(|failure| failure.exit), Err(Exit::Configuration));
        };
        check(&one, Community::named("another"));
        check(folder.path(), community);
        fs::copy(key_file(&other), key_file(&one)).expect("the folder is writable");
        check(&one, community);
        fs::set_permissions(key_file(&other), fs::Permissions::from_mode(0o644)).expect("the folder is writable");
        check(&other, community);
        fs::copy(certificates_file(&one), certificates_file(&other)).expect("the folder is writable");
        check(&other, community);
        fs::write(certificates_file(&one), "nothing").expect("the folder is writable");
        check(&one, community);
    }

    #[test]
    fn bad_answers_make_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("node");
        let check = |answers: &Answers| {
            let failure = found(&Founding {
                data: &data,
                answers,
                passphrase: None,
            })
            .expect_err("a bad answer");
            assert!(matches!(failure.exit, Exit::Usage | Exit::Configuration), "{failure}");
            assert!(!data.exists(), "{failure}");
        };
        check(&Answers::named(""));
        check(&Answers::named("a\u{202e}b"));
        check(&Answers {
            public_address: "http://x".to_owned(),
            ..answers()
        });
        check(&Answers {
            community: String::new(),
            ..answers()
        });
    }

    #[test]
    fn there_is_a_whole_node_or_none() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("node");
        let founding = Founding {
            data: &data,
            answers: &answers(),
            passphrase: None,
        };
        let names = || {
            let entries = fs::read_dir(&data).into_iter().flatten();
            let names = entries.map(|entry| entry.expect("it is readable").file_name().into_string());
            names.collect::<Result<Vec<_>, _>>().expect("plain names")
        };
        // A file stands where the folder is to be.
        fs::write(&data, "").expect("the folder is writable");
        found(&founding).expect_err("no folder can be there");
        fs::remove_file(&data).expect("it is ours");
        // Interrupted while it was put together: nothing was moved, so it is begun again.
        folder::make(&root_folder(&data.join(STAGE))).expect("the folder is writable");
        found(&founding).expect("there is no node");
        assert!(!names().contains(&STAGE.to_owned()), "{:?}", names());
        // Interrupted while it was moved.
        folder::make(&data.join(STAGE)).expect("the folder is writable");
        fs::rename(organisation_folder(&data), organisation_folder(&data.join(STAGE))).expect("it is ours");
        let failure = found(&founding).expect_err("half of a node is there");
        assert!(failure.message.contains(STAGE), "{failure}");
        assert!(organisation_folder(&data.join(STAGE)).exists(), "no key is removed");
    }

    #[test]
    fn a_passphrase_protects_the_key() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (data, file) = (folder.path().join("node"), folder.path().join("passphrase"));
        let founding = Founding {
            data: &data,
            answers: &answers(),
            passphrase: Some("correct horse"),
        };
        let identity = found(&founding).expect("the folder is writable").identity;
        assert!(identity.unlock(&data, Some(&folder.path().join("none"))).is_err());
        write_private(&file, b"correct horse\n").expect("the folder is writable");
        assert!(identity.unlock(&data, Some(&file)).is_ok());
        let pem = fs::read_to_string(key_file(&data)).expect("the file is readable");
        assert!(pem.contains("ENCRYPTED"));
    }

    #[test]
    fn free_ports_are_free() {
        let ports = free_ports(5).expect("there are free ports");
        assert_eq!(ports.len(), 5);
        for port in ports {
            hold(port).expect("the port is free");
        }
    }
}
