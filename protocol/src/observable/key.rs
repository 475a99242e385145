//! Store keys: bytes whose order puts together what is searched together.
//!
//! | kind | key |
//! |---|---|
//! | domain | 1, labels from the last to the first, each followed by 0 |
//! | URL | 2, the host (labels as above, or 4 or 6 and the address bytes), 1, the whole text |
//! | address, network | 3, 4 or 6, address bytes, prefix length |
//! | e-mail | 4, host labels as above, 1, the whole text |
//! | MD5, SHA-1, SHA-256, SHA-512 | 5 to 8, the digest |
//! | AS number | 9, four bytes, big endian |
//!
//! Labels and texts have no byte below 0x21, so nothing collides. For the same reason **a key followed by a zero byte
//! begins no other observable's key**: a store that appends a number below 2^56 in big-endian order finds one observable
//! exactly in the range from `key, 0` up to `key, 1`.

use std::{
    cmp::Ordering,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    ops::Range,
};

use ipnet::IpNet;

use super::{
    NotObservable, Observable,
    address::{Block, block},
    domain::{self, Domain},
    file_digest::{FileDigest, KINDS},
    quoted,
    url::Place,
};

const DOMAIN: u8 = 1;
const URL: u8 = 2;
const NETWORK: u8 = 3;
const EMAIL: u8 = 4;
const FIRST_DIGEST: u8 = 5;
const ASN: u8 = 9;

/// That of a SHA-256 digest; names and addresses are rarely longer.
const USUAL_LENGTH: usize = 33;

const END_OF_LABEL: u8 = 0;
const END_OF_HOST: u8 = 1;

impl Observable {
    /// The store key; [`Observable::from_key`] restores it exactly.
    pub fn key(&self) -> Vec<u8> {
        let mut key = Vec::with_capacity(USUAL_LENGTH);
        key.push(self.key_kind());
        match self {
            Self::Domain(domain) => push_labels(&mut key, domain.as_str()),
            Self::Url(url) => {
                match url.place() {
                    Place::Domain(host) => push_labels(&mut key, host),
                    Place::Ip(ip) => push_address(&mut key, ip),
                }
                key.push(END_OF_HOST);
                key.extend_from_slice(url.as_str().as_bytes());
            }
            Self::Ip(address) => {
                push_address(&mut key, address.ip());
                key.push(if address.ip().is_ipv4() { 32 } else { 128 });
            }
            Self::Network(network) => {
                push_address(&mut key, network.net().addr());
                key.push(network.net().prefix_len());
            }
            Self::Email(email) => {
                push_labels(&mut key, email.host());
                key.push(END_OF_HOST);
                key.extend_from_slice(email.as_str().as_bytes());
            }
            Self::FileDigest(digest) => key.extend_from_slice(digest.as_bytes()),
            Self::Asn(number) => key.extend_from_slice(&number.to_be_bytes()),
        }
        key
    }

    /// The observable of a key that [`Observable::key`] made; none for any other bytes.
    pub fn from_key(key: &[u8]) -> Option<Self> {
        let (kind, rest) = key.split_first()?;
        let found = match *kind {
            DOMAIN => domain_of(rest)?,
            URL | EMAIL => text_of(rest)?,
            NETWORK => network_of(rest)?,
            ASN => Self::Asn(u32::from_be_bytes(rest.try_into().ok()?)),
            kind => {
                let (_, length) = KINDS.get(usize::from(kind.checked_sub(FIRST_DIGEST)?))?;
                Self::FileDigest(FileDigest::from_bytes(rest).filter(|_| rest.len() == *length)?)
            }
        };
        (found.key() == key).then_some(found)
    }

    /// Key prefixes of everything at or under a name: domains, URLs and e-mail addresses.
    ///
    /// The name may be a top-level domain.
    pub fn under_prefixes(name: &str) -> Result<[Vec<u8>; 3], NotObservable> {
        let bare = name.trim().trim_start_matches('.');
        let name = domain::normal(bare).map_err(|why| NotObservable::Domain {
            text: quoted(name),
            why,
        })?;
        Ok([DOMAIN, URL, EMAIL].map(|kind| {
            let mut prefix = vec![kind];
            push_labels(&mut prefix, &name);
            prefix
        }))
    }

    /// Key ranges of everything within a network: addresses and networks (the network itself among them), and the URLs
    /// whose host is an address. A number that a store appends to its keys changes nothing.
    pub fn within_ranges(net: IpNet) -> [Range<Vec<u8>>; 2] {
        let net = match block(net) {
            Block::Address(address) => IpNet::from(address.ip()),
            Block::Network(network) => network.net(),
        };
        let bound = |kind: u8, ip: IpAddr, last: u8| {
            let mut key = vec![kind];
            push_address(&mut key, ip);
            key.push(last);
            key
        };
        // A wider network that begins at the same address has a smaller prefix length, so it sorts before the range.
        let blocks = bound(NETWORK, net.network(), net.prefix_len())..bound(NETWORK, net.broadcast(), u8::MAX);
        let urls = bound(URL, net.network(), 0)..bound(URL, net.broadcast(), u8::MAX);
        [blocks, urls]
    }

    fn key_kind(&self) -> u8 {
        match self {
            Self::Domain(_) => DOMAIN,
            Self::Url(_) => URL,
            Self::Ip(_) | Self::Network(_) => NETWORK,
            Self::Email(_) => EMAIL,
            Self::FileDigest(digest) => {
                let place = KINDS.iter().position(|(name, _)| *name == digest.kind());
                FIRST_DIGEST + place.expect("kind() is one of them") as u8
            }
            Self::Asn(_) => ASN,
        }
    }
}

impl Ord for Observable {
    /// The order of the store keys.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Domain(one), Self::Domain(two)) => one.cmp(two),
            (Self::FileDigest(one), Self::FileDigest(two)) => one.cmp(two),
            (Self::Asn(one), Self::Asn(two)) => one.cmp(two),
            (Self::Ip(one), Self::Ip(two)) => one.cmp(two),
            _ => self
                .key_kind()
                .cmp(&other.key_kind())
                .then_with(|| self.key().cmp(&other.key())),
        }
    }
}

impl PartialOrd for Observable {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn push_labels(key: &mut Vec<u8>, name: &str) {
    for label in name.rsplit('.') {
        key.extend_from_slice(label.as_bytes());
        key.push(END_OF_LABEL);
    }
}

fn push_address(key: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(four) => {
            key.push(4);
            key.extend_from_slice(&four.octets());
        }
        IpAddr::V6(six) => {
            key.push(6);
            key.extend_from_slice(&six.octets());
        }
    }
}

fn domain_of(rest: &[u8]) -> Option<Observable> {
    let text = std::str::from_utf8(rest).ok()?.strip_suffix('\0')?;
    let labels: Vec<&str> = text.rsplit('\0').collect();
    Domain::from_normal(labels.join(".")).map(Observable::Domain)
}

fn text_of(rest: &[u8]) -> Option<Observable> {
    let host = match rest.first()? {
        4 => 5,
        6 => 17,
        _ => rest.iter().position(|byte| *byte == END_OF_HOST)?,
    };
    let text = std::str::from_utf8(rest.get(host + 1..)?).ok()?;
    Observable::parse(text).ok()
}

fn network_of(rest: &[u8]) -> Option<Observable> {
    let (prefix, address) = rest.split_last()?;
    let (family, address) = address.split_first()?;
    let ip: IpAddr = match family {
        4 => Ipv4Addr::from(<[u8; 4]>::try_from(address).ok()?).into(),
        6 => Ipv6Addr::from(<[u8; 16]>::try_from(address).ok()?).into(),
        _ => return None,
    };
    Some(Observable::from(IpNet::new(ip, *prefix).ok()?))
}
