//! What a record is about: domains, URLs, addresses, networks, e-mail addresses, digests of files, AS numbers.
//!
//! An [`Observable`] is in its normal form from the moment that it exists, however it came: [`Observable::parse`] reads
//! what people and lists write, defanged or not, and decoding refuses whatever is not normal. One thing therefore has one
//! text, one encoding and one store key (`key.rs`), and reading any of them back gives the same value.
//!
//! What is read generously: `host:port` is the host, because a port does not survive in any blocklist, and `host/path`
//! without a scheme is taken as `http`, as filter lists mean it.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use ipnet::IpNet;
use thiserror::Error;

mod address;
mod defang;
mod domain;
mod email;
mod file_digest;
mod form;
mod key;
mod suffix;
#[cfg(test)]
mod tests;
mod url;

use self::address::{Block, block};
pub use self::{
    address::{Address, Network},
    domain::{Domain, DomainFault, Tld},
    email::Email,
    file_digest::FileDigest,
    suffix::Suffix,
    url::Url,
};

/// Nothing longer is looked at: a URL of 2,048 bytes in which every second sign is defanged.
const INPUT_BYTES: usize = 3 * url::URL_BYTES;

/// Something that can be seen in a network or on a disk, in its normal form.
///
/// Ordered as its store keys are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Observable {
    /// A domain name of at least two labels.
    Domain(Domain),
    /// An `http`, `https` or `ftp` URL.
    Url(Url),
    /// An IPv4 or IPv6 address.
    Ip(Address),
    /// A network of more than one address.
    Network(Network),
    /// An e-mail address.
    Email(Email),
    /// An MD5, SHA-1, SHA-256 or SHA-512 digest.
    FileDigest(FileDigest),
    /// The number of an autonomous system.
    Asn(u32),
}

/// Why a text is no observable, in a sentence for whoever wrote it.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum NotObservable {
    /// Nothing but blanks and punctuation.
    #[error("there is nothing to read")]
    Empty,
    /// Longer than its kind allows.
    #[error("`{text}` is longer than {most} bytes")]
    TooLong {
        /// Its beginning.
        text: String,
        /// The bound in bytes.
        most: usize,
    },
    /// Of no known kind.
    #[error("`{text}` is neither a domain, URL, address, network, e-mail address, file digest nor AS number")]
    Unknown {
        /// What was read.
        text: String,
    },
    /// A name without a dot.
    #[error("`{text}` is a single label: a domain has at least two")]
    SingleLabel {
        /// What was read.
        text: String,
    },
    /// Meant as a domain.
    #[error("`{text}` is not a domain name: {why}")]
    Domain {
        /// What was read.
        text: String,
        /// What is wrong with it.
        why: DomainFault,
    },
    /// Not a single label.
    #[error("`{text}` is not a top-level domain such as nl or xn--p1ai")]
    Tld {
        /// What was read.
        text: String,
    },
    /// A URL of another scheme.
    #[error("`{scheme}` URLs are not accepted, only http, https and ftp")]
    Scheme {
        /// What stood before the colon.
        scheme: String,
    },
    /// Meant as a URL.
    #[error("`{text}` is not a well-formed URL")]
    Url {
        /// What was read.
        text: String,
    },
    /// Only the path of a URL.
    #[error("`{text}` is a path without a host: it could be anywhere")]
    Path {
        /// What was read.
        text: String,
    },
    /// Meant as a network.
    #[error("`{text}` is not a network such as 192.0.2.0/24 or 2001:db8::/32")]
    Network {
        /// What was read.
        text: String,
    },
    /// Meant as an e-mail address.
    #[error("`{text}` is not an e-mail address")]
    Email {
        /// What was read.
        text: String,
    },
    /// Meant as a digest.
    #[error("{digits} hexadecimal digits are no digest: MD5 has 32, SHA-1 40, SHA-256 64 and SHA-512 128")]
    Digest {
        /// How many there were.
        digits: usize,
    },
    /// Meant as an AS number.
    #[error("`{text}` is not an AS number: they go from 0 to 4294967295")]
    Asn {
        /// What was read.
        text: String,
    },
    /// A host with something after the colon that is no port.
    #[error("`{text}` has no port number after its colon")]
    Port {
        /// What was read.
        text: String,
    },
    /// Received or stored in another form than the normal one.
    #[error("the observable is not in its normal form")]
    Abnormal,
}

impl Observable {
    /// Recognises what a text is, undoes defanging, and brings it into its normal form.
    pub fn parse(text: &str) -> Result<Self, NotObservable> {
        if text.len() > INPUT_BYTES {
            return Err(NotObservable::TooLong {
                text: quoted(text),
                most: INPUT_BYTES,
            });
        }
        let refanged = defang::refang(text).ok_or_else(|| unknown(text))?;
        let text = refanged.as_ref();
        if text.is_empty() {
            return Err(NotObservable::Empty);
        }
        if has_scheme(text) {
            return Url::parse(text).map(Self::Url);
        }
        if let Some(ip) = address_of(text) {
            return Ok(Self::Ip(Address::new(ip)));
        }
        if text.contains('/') || (text.contains('?') && !text.contains('@')) {
            return with_path(text);
        }
        if text.contains('@') {
            let wrong = || NotObservable::Email { text: quoted(text) };
            return Email::parse(text).map(Self::Email).ok_or_else(wrong);
        }
        if let Some(number) = asn_digits(text) {
            return number
                .parse()
                .map(Self::Asn)
                .map_err(|_| NotObservable::Asn { text: quoted(text) });
        }
        if !text.contains('.') && text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let wrong = NotObservable::Digest { digits: text.len() };
            return FileDigest::parse(text).map(Self::FileDigest).ok_or(wrong);
        }
        domain(without_port(text)?)
    }

    /// Its kind as output columns name it; digests by their algorithm, addresses by their family.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Domain(_) => "domain",
            Self::Url(_) => "url",
            Self::Ip(address) if address.ip().is_ipv4() => "ipv4",
            Self::Ip(_) => "ipv6",
            Self::Network(_) => "network",
            Self::Email(_) => "email",
            Self::FileDigest(digest) => digest.kind(),
            Self::Asn(_) => "asn",
        }
    }

    /// The name or address that it points to: the domain itself, or the host of a URL or an e-mail address.
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Domain(domain) => Some(domain.as_str()),
            Self::Url(url) => Some(url.host()),
            Self::Email(email) => Some(email.host()),
            _ => None,
        }
    }

    /// The address that it is, or that its URL points to.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(address) => Some(address.ip()),
            Self::Url(url) => match url.place() {
                url::Place::Ip(ip) => Some(ip),
                url::Place::Domain(_) => None,
            },
            _ => None,
        }
    }

    /// The last label of its host; none where there is no name.
    pub fn tld(&self) -> Option<Tld> {
        match self.address() {
            Some(_) => None,
            None => self.host().map(Tld::of_host),
        }
    }

    /// Whether `text` is exactly its canonical text.
    fn is_written(&self, text: &str) -> bool {
        match self {
            Self::Domain(domain) => domain.as_str() == text,
            Self::Url(url) => url.as_str() == text,
            Self::Email(email) => email.as_str() == text,
            other => other.to_string() == text,
        }
    }
}

impl fmt::Display for Observable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(domain) => domain.fmt(f),
            Self::Url(url) => url.fmt(f),
            Self::Ip(address) => address.fmt(f),
            Self::Network(network) => network.fmt(f),
            Self::Email(email) => email.fmt(f),
            Self::FileDigest(digest) => digest.fmt(f),
            Self::Asn(number) => write!(f, "AS{number}"),
        }
    }
}

impl FromStr for Observable {
    type Err = NotObservable;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl From<IpAddr> for Observable {
    fn from(ip: IpAddr) -> Self {
        Self::Ip(Address::new(ip))
    }
}

impl From<IpNet> for Observable {
    fn from(net: IpNet) -> Self {
        match block(net) {
            Block::Address(address) => Self::Ip(address),
            Block::Network(network) => Self::Network(network),
        }
    }
}

/// Something of the form `scheme://`, of whatever scheme.
fn has_scheme(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    })
}

/// An address, in brackets or not, with a port or without.
fn address_of(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let alone = bare.parse::<IpAddr>().ok();
    alone.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

/// A network, or a URL that lacks its scheme.
fn with_path(text: &str) -> Result<Observable, NotObservable> {
    if text.starts_with('/') {
        return Err(NotObservable::Path { text: quoted(text) });
    }
    let (host, rest) = text.split_once('/').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let numeric = !rest.is_empty() && !rest.contains('.') && digits(rest);
    if numeric && (digits(host) || host.parse::<Ipv6Addr>().is_ok()) {
        let wrong = |_| NotObservable::Network { text: quoted(text) };
        return text.parse::<IpNet>().map(Observable::from).map_err(wrong);
    }
    Url::parse(&format!("http://{text}"))
        .map(Observable::Url)
        .map_err(|error| match error {
            NotObservable::Url { .. } => NotObservable::Url { text: quoted(text) },
            error => error,
        })
}

fn asn_digits(text: &str) -> Option<&str> {
    let digits = text
        .get(..2)
        .filter(|prefix| prefix.eq_ignore_ascii_case("as"))
        .map(|_| &text[2..])?;
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

fn without_port(text: &str) -> Result<&str, NotObservable> {
    let Some((host, port)) = text.rsplit_once(':') else {
        return Ok(text);
    };
    let good = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    if host.contains(':') {
        Err(unknown(text))
    } else if good {
        Ok(host)
    } else {
        Err(NotObservable::Port { text: quoted(text) })
    }
}

fn domain(text: &str) -> Result<Observable, NotObservable> {
    Domain::parse(text).map(Observable::Domain).map_err(|why| match why {
        _ if text.contains(char::is_whitespace) => unknown(text),
        DomainFault::Number => unknown(text),
        DomainFault::SingleLabel => NotObservable::SingleLabel { text: quoted(text) },
        DomainFault::Character(_) if !text.contains('.') => unknown(text),
        why => NotObservable::Domain {
            text: quoted(text),
            why,
        },
    })
}

fn unknown(text: &str) -> NotObservable {
    NotObservable::Unknown { text: quoted(text) }
}

/// The beginning of a text as it can be shown.
fn quoted(text: &str) -> String {
    const SHOWN: usize = 80;
    let mut shown: String = visible(text).take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('\u{2026}');
    }
    shown
}

/// A text with whatever could play tricks on a terminal escaped.
pub(crate) fn visible(text: &str) -> impl Iterator<Item = char> {
    let plain = |c: char| matches!(c, '"' | '\'' | '\\') || c.is_ascii_graphic();
    text.chars().flat_map(move |c| {
        let escaped = (!plain(c)).then(|| c.escape_debug());
        escaped.into_iter().flatten().chain(plain(c).then_some(c))
    })
}
