//! Where paired organisations were met: [`Contacts`], a small file in the data directory.
//!
//! An organisation's own signed statement says where it listens; but the address in a code is the one that both
//! operators saw working, behind whatever lies between, so it is dialled again after every start.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use libp2p::Multiaddr;
use serde::{Deserialize, Serialize};
use starfish_protocol::organisation::OrgId;

use super::identity::write_private;

const FILE: &str = "contacts.json";

/// The addresses by organisation.
#[derive(Debug)]
pub struct Contacts {
    path: PathBuf,
    known: BTreeMap<OrgId, Multiaddr>,
}

#[derive(Serialize, Deserialize)]
struct Contact {
    organisation: String,
    address: Multiaddr,
}

impl Contacts {
    /// Reads the file of a data directory; none is no contact.
    ///
    /// # Errors
    /// When the file cannot be read or does not say what it should.
    pub fn open(data: &Path) -> io::Result<Self> {
        let path = data.join(FILE);
        let written: Vec<Contact> = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let read = |contact: Contact| Some((contact.organisation.parse().ok()?, contact.address));
        Ok(Self {
            path,
            known: written.into_iter().filter_map(read).collect(),
        })
    }

    /// Keeps an address.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&mut self, organisation: OrgId, address: Multiaddr) -> io::Result<()> {
        self.known.insert(organisation, address);
        self.save()
    }

    /// Forgets what is known about an organisation.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn forget(&mut self, organisation: &OrgId) -> io::Result<()> {
        if self.known.remove(organisation).is_none() {
            return Ok(());
        }
        self.save()
    }

    /// Where to dial.
    pub fn addresses(&self) -> impl Iterator<Item = &Multiaddr> {
        self.known.values()
    }

    fn save(&self) -> io::Result<()> {
        let contact = |(organisation, address): (&OrgId, &Multiaddr)| Contact {
            organisation: organisation.to_string(),
            address: address.clone(),
        };
        let contacts: Vec<Contact> = self.known.iter().map(contact).collect();
        write_private(&self.path, &serde_json::to_vec_pretty(&contacts)?)
    }
}

#[cfg(test)]
mod tests {
    use starfish_crypto::{Digest, domain};

    use super::*;

    #[test]
    fn contacts_survive_a_restart() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let org = |name: &str| OrgId::from_digest(Digest::of(domain::MANIFEST, name.as_bytes()));
        let address: Multiaddr = "/dns/node.example/tcp/4852".parse().expect("an address");
        let mut contacts = Contacts::open(folder.path()).expect("no file is no contact");
        contacts
            .keep(org("a"), address.clone())
            .expect("the folder is writable");
        contacts
            .keep(org("b"), address.clone())
            .expect("the folder is writable");
        contacts.forget(&org("b")).expect("the folder is writable");
        contacts.forget(&org("c")).expect("nothing to write");
        let read = Contacts::open(folder.path()).expect("the file is right");
        assert_eq!(read.addresses().collect::<Vec<_>>(), [&address]);
        std::fs::write(folder.path().join(FILE), "[{").expect("the folder is writable");
        assert!(Contacts::open(folder.path()).is_err());
    }
}
