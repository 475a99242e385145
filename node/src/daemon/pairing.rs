//! The short code that one operator gives to another: a [`Code`], as groups of four characters.
//!
//! 24 bytes and more: version and kind of address (1), secret (5), digest of the node key (10), address, port (2),
//! checksum (2). Everything else is fetched when the two nodes meet, and covered by the words that both operators compare.
//! The alphabet is Crockford's base32: no I, L, O or U, and what looks like them is read as what was meant.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use libp2p::{Multiaddr, multiaddr::Protocol};
use starfish_crypto::{Digest, PublicKey, domain};

use super::settings::Host;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const VERSION: u8 = 1;
const CHECKSUM: usize = 2;
/// No code is shorter: one without any address.
const SHORTEST: usize = 20 + CHECKSUM;
/// No code is longer: a DNS name has at most 253 bytes.
const LONGEST: usize = 700;

/// What a code says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Proves to the inviting node that its operator gave the code away.
    pub secret: [u8; 5],
    /// The beginning of the digest of the inviting node's key.
    pub key: [u8; 10],
    /// Where it listens.
    pub host: Host,
    /// On which port, TCP and UDP alike.
    pub port: u16,
}

impl Code {
    /// A code for the node with this key.
    pub fn new(secret: [u8; 5], key: &PublicKey, host: Host, port: u16) -> Self {
        Self {
            secret,
            key: key_digest(key),
            host,
            port,
        }
    }

    /// Whether the node with this key is meant.
    pub fn names(&self, key: &PublicKey) -> bool {
        self.key == key_digest(key)
    }

    /// Where to dial.
    pub fn address(&self) -> Multiaddr {
        self.host.multiaddr().with(Protocol::Tcp(self.port))
    }

    fn payload(&self) -> Vec<u8> {
        let (kind, host) = match &self.host {
            Host::Address(IpAddr::V4(address)) => (0, address.octets().to_vec()),
            Host::Address(IpAddr::V6(address)) => (1, address.octets().to_vec()),
            Host::Name(name) => (2, name.as_bytes().to_vec()),
        };
        let parts: [&[u8]; 5] = [
            &[VERSION << 4 | kind],
            &self.secret,
            &self.key,
            &self.port.to_be_bytes(),
            &host,
        ];
        parts.concat()
    }
}

fn key_digest(key: &PublicKey) -> [u8; 10] {
    first(&Digest::of(
        domain::PAIRING,
        &[b"key", key.as_bytes().as_slice()].concat(),
    ))
}

fn checksum(payload: &[u8]) -> [u8; CHECKSUM] {
    first(&Digest::of(domain::PAIRING, &[b"code", payload].concat()))
}

fn first<const N: usize>(digest: &Digest) -> [u8; N] {
    let mut part = [0; N];
    part.iter_mut()
        .zip(digest.as_bytes())
        .for_each(|(to, from)| *to = *from);
    part
}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.payload();
        bytes.extend(checksum(&bytes));
        for (place, letter) in letters(&bytes).into_iter().enumerate() {
            if place > 0 && place % 4 == 0 {
                out.write_str("-")?;
            }
            write!(out, "{letter}")?;
        }
        Ok(())
    }
}

/// Why a text is no code, in words that say what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// A character that no code has.
    #[error("`{0}` is in no code; codes are letters and digits in groups of four, such as 1A2B-3C4D")]
    Letter(char),
    /// Too few or too many characters.
    #[error("the code is not whole; copy all of it, from the first group to the last")]
    Length,
    /// The checksum differs.
    #[error("there is a slip in the code; compare it with the original")]
    Slip,
    /// Made by a program that this one does not know.
    #[error("the code was made by a newer starfish; update this one")]
    Version,
    /// Whole and unharmed, and still no address.
    #[error("the code holds no address; ask for a new one")]
    Address,
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let bytes = bytes(text)?;
        let at = bytes.len().checked_sub(CHECKSUM).ok_or(CodeError::Length)?;
        let (payload, sum) = bytes.split_at(at);
        if sum != checksum(payload) {
            return Err(if bytes.len() < SHORTEST {
                CodeError::Length
            } else {
                CodeError::Slip
            });
        }
        let (head, rest) = payload.split_first().ok_or(CodeError::Length)?;
        let (secret, rest) = rest.split_first_chunk::<5>().ok_or(CodeError::Length)?;
        let (key, rest) = rest.split_first_chunk::<10>().ok_or(CodeError::Length)?;
        let (port, host) = rest.split_first_chunk::<2>().ok_or(CodeError::Length)?;
        if head >> 4 != VERSION {
            return Err(CodeError::Version);
        }
        let host = match head & 0x0f {
            0 => <[u8; 4]>::try_from(host)
                .ok()
                .map(|octets| Host::Address(Ipv4Addr::from(octets).into())),
            1 => <[u8; 16]>::try_from(host)
                .ok()
                .map(|octets| Host::Address(Ipv6Addr::from(octets).into())),
            2 => str::from_utf8(host)
                .ok()
                .and_then(Host::parse)
                .filter(|host| matches!(host, Host::Name(_))),
            _ => None,
        };
        let port = u16::from_be_bytes(*port);
        let host = host.filter(|_| port != 0).ok_or(CodeError::Address)?;
        Ok(Self {
            secret: *secret,
            key: *key,
            host,
            port,
        })
    }
}

/// Five bits a letter, the last one filled with zeros.
fn letters(bytes: &[u8]) -> Vec<char> {
    let bit = |place: usize| bytes.get(place / 8).map_or(0, |byte| byte >> (7 - place % 8) & 1);
    let value = |letter: usize| (0..5).fold(0, |value, place| value << 1 | bit(letter * 5 + place));
    (0..(bytes.len() * 8).div_ceil(5))
        .map(|letter| char::from(ALPHABET[usize::from(value(letter))]))
        .collect()
}

fn bytes(text: &str) -> Result<Vec<u8>, CodeError> {
    if text.len() > LONGEST {
        return Err(CodeError::Length);
    }
    let mut out = Vec::new();
    let (mut held, mut bits) = (0u32, 0);
    for letter in text.chars().filter(|letter| !letter.is_whitespace() && *letter != '-') {
        let meant = match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let value = ALPHABET
            .iter()
            .position(|known| char::from(*known) == meant)
            .ok_or(CodeError::Letter(letter))?;
        held = held << 5 | value as u32;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    // A whole code never leaves a full letter over, and what is left over is zero.
    match (bits, held) {
        (5.., _) => Err(CodeError::Length),
        (_, 0) => Ok(out),
        _ if out.len() < SHORTEST => Err(CodeError::Length),
        _ => Err(CodeError::Slip),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(host: &str) -> Code {
        let key = PublicKey::from_bytes([7; 32]);
        Code::new([1, 2, 3, 4, 255], &key, Host::parse(host).expect("a host"), 4852)
    }

    /// A code with this payload and a checksum that fits it.
    fn forged(payload: &[u8]) -> String {
        letters(&[payload, &checksum(payload)].concat()).into_iter().collect()
    }

    #[test]
    fn codes_survive_mail_and_voice() {
        for host in ["192.0.2.7", "2001:db8::1", "node.cert.example"] {
            let code = code(host);
            let text = code.to_string();
            for written in [
                text.clone(),
                text.to_lowercase(),
                text.replace('-', " "),
                text.replace('-', ""),
                text.replace('0', "O").replace('1', "l"),
            ] {
                assert_eq!(written.parse::<Code>(), Ok(code.clone()), "{written}");
            }
        }
        assert!(code("192.0.2.7").to_string().len() <= 49);
        assert_eq!(code("node.example").address().to_string(), "/dns/node.example/tcp/4852");
        assert!(code("192.0.2.7").names(&PublicKey::from_bytes([7; 32])));
        assert!(!code("192.0.2.7").names(&PublicKey::from_bytes([8; 32])));
    }

    #[test]
    fn broken_codes_say_what_is_wrong() {
        let whole = code("192.0.2.7").to_string();
        let check = |text: &str, expected: CodeError| assert_eq!(text.parse::<Code>(), Err(expected), "{text}");
        check("", CodeError::Length);
        check("1A2B", CodeError::Length);
        check("1A2B-3C4?", CodeError::Letter('?'));
        check("UUUU", CodeError::Letter('U'));
        check(&"0".repeat(701), CodeError::Length);
        assert!(whole[..whole.len() - 2].parse::<Code>().is_err());
        // The last letter of this one holds two bits that are always zero.
        let (rest, last) = whole.split_at(whole.len() - 1);
        let place = ALPHABET.iter().position(|letter| last.as_bytes() == [*letter]);
        let next = ALPHABET[place.expect("a letter of codes") + 1];
        check(&format!("{rest}{}", char::from(next)), CodeError::Slip);
        let payload = code("192.0.2.7").payload();
        let changed = |place: usize, byte: u8| {
            let mut payload = payload.clone();
            payload[place] = byte;
            forged(&payload)
        };
        check(&changed(0, 0x20), CodeError::Version);
        check(&changed(0, 0x1f), CodeError::Address);
        check(&changed(0, 0x11), CodeError::Address);
        check(&forged(&payload[..15]), CodeError::Length);
        check(&forged(&payload[..21]), CodeError::Address);
        check(
            &forged(&[&payload[..16], &[0, 0], &payload[18..]].concat()),
            CodeError::Address,
        );
    }

    #[test]
    fn one_wrong_letter_is_found() {
        let whole = code("192.0.2.7").to_string();
        for (place, letter) in whole.char_indices().filter(|(_, letter)| *letter != '-') {
            let other = if letter == '7' { "8" } else { "7" };
            let mut text = whole.clone();
            text.replace_range(place..=place, other);
            assert!(text.parse::<Code>().is_err(), "{text}");
        }
    }
}
