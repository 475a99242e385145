//! URLs as the WHATWG URL standard writes them (the `url` crate), with a host that is itself an observable.
//!
//! Only `http`, `https` and `ftp`. User information, ports other than the scheme's own, paths, queries and fragments are
//! kept; the host is a domain in its normal form or an address.

use std::{fmt, net::IpAddr};

use url::{Host, Url as Parsed};

use super::{NotObservable, defang, domain::Domain, quoted};

/// What browsers and proxies are sure to carry; longer ones are data, not places.
pub(super) const URL_BYTES: usize = 2048;

/// A URL in its canonical text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url(Box<str>);

/// Where a URL points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    Domain(&'a str),
    Ip(IpAddr),
}

impl Url {
    /// Reads a URL whose scheme and host are no longer defanged.
    pub(super) fn parse(text: &str) -> Result<Self, NotObservable> {
        let wrong = || NotObservable::Url { text: quoted(text) };
        if text.len() > URL_BYTES {
            return Err(NotObservable::TooLong {
                text: quoted(text),
                most: URL_BYTES,
            });
        }
        let scheme = text.split(':').next().unwrap_or_default();
        if !["http", "https", "ftp"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
        {
            return Err(NotObservable::Scheme { scheme: quoted(scheme) });
        }
        // The standard drops tabs and line ends and takes blanks into the path: a URL with a remark behind it must not
        // become one URL, nor `exam\tple` a name that nobody wrote.
        if text.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return Err(wrong());
        }
        let mut parsed = Parsed::parse(text).map_err(|_| wrong())?;
        if let Some(Host::Domain(host)) = parsed.host() {
            let domain = Domain::parse(host).map_err(|why| NotObservable::Domain {
                text: quoted(host),
                why,
            })?;
            parsed.set_host(Some(domain.as_str())).map_err(|_| wrong())?;
        }
        let canonical = String::from(parsed);
        if canonical.len() > URL_BYTES {
            return Err(NotObservable::TooLong {
                text: quoted(text),
                most: URL_BYTES,
            });
        }
        // What is stored must read back as itself, whatever a path holds that looks defanged or like trailing punctuation.
        let stable = defang::refang(&canonical).is_some_and(|again| again == canonical)
            && Parsed::parse(&canonical).is_ok_and(|again| again.as_str() == canonical);
        if stable {
            Ok(Self(canonical.into()))
        } else {
            Err(wrong())
        }
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its host: a domain, or an address without its brackets.
    pub fn host(&self) -> &str {
        let host = self.authority().rsplit('@').next().unwrap_or_default();
        match host.strip_prefix('[') {
            Some(six) => six.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        }
    }

    /// Whether its user information has a password; the standard's writing leaves out an empty one.
    pub fn has_password(&self) -> bool {
        let user = self.authority().rsplit_once('@').map(|(user, _)| user);
        user.is_some_and(|user| user.contains(':'))
    }

    fn authority(&self) -> &str {
        let rest = self.0.split_once("://").map_or(&*self.0, |(_, rest)| rest);
        rest.split(['/', '?', '#']).next().unwrap_or_default()
    }

    pub(super) fn place(&self) -> Place<'_> {
        let host = self.host();
        host.parse()
            .map_or(Place::Domain(host), |ip: IpAddr| Place::Ip(ip.to_canonical()))
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
