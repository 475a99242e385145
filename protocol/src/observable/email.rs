//! E-mail addresses: the local part as it was written, the domain part in its normal form.
//!
//! RFC 5321 leaves the case of the local part to its host, so it is kept. Quoted local parts, address literals and
//! slashes are refused: none is seen in the wild, and each would make a list ambiguous.

use std::fmt;

use email_address::{EmailAddress, Options};

use super::domain::Domain;

/// RFC 5321: a path of 256 bytes with its angle brackets.
const EMAIL_BYTES: usize = 254;

/// An e-mail address.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(Box<str>);

impl Email {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.rsplit_once('@')?;
        let domain = Domain::parse(domain).ok()?;
        let plain = local
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'/' | b'@'));
        let whole = format!("{local}@{domain}");
        let options = Options::default().without_domain_literal().without_display_text();
        // The domain part has been checked by stricter and by laxer rules (underscores), so only the local part is judged.
        let good = plain
            && whole.len() <= EMAIL_BYTES
            && EmailAddress::parse_with_options(&format!("{local}@host.example"), options).is_ok();
        good.then(|| Self(whole.into()))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its domain part.
    pub fn host(&self) -> &str {
        self.0.rsplit_once('@').map_or(&self.0, |(_, host)| host)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
