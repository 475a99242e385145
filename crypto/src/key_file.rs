//! Private keys as files: PKCS#8 in PEM (RFC 5958, RFC 7468), which `openssl pkey` reads and writes too.
//!
//! Under a passphrase the key is encrypted with AES-256-CBC by a key that scrypt derives (PBES2, RFC 8018 and RFC
//! 7914). Files that openssl encrypted with PBKDF2 are read as well. The public half is left out, because openssl 3.0
//! refuses files of the version that holds it.

use ed25519_dalek::pkcs8::{DecodePrivateKey as _, KeypairBytes};
use pkcs8::{
    EncodePrivateKey as _, EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef, SecretDocument,
    der::pem::PemLabel,
    pkcs5::pbes2::{Kdf, Parameters},
    rand_core::CryptoRng,
};
use zeroize::Zeroizing;

use crate::SecretKey;

/// scrypt's cost: 2^14 blocks of 1 KiB keep within the 32 MiB that openssl allows by default; five passes make up for
/// it (OWASP's second choice, as hard to guess at as 128 MiB in one pass).
const LOG_N: u8 = 14;
const R: u32 = 8;
const P: u32 = 5;
const SALT: usize = 16;
const NONCE: usize = 16;
/// No key file is longer; an encrypted one has about 400 bytes.
const LONGEST: usize = 16_384;
/// What a file may ask of scrypt (in bytes of memory) and of PBKDF2 (in rounds), so that a mangled file does not hang
/// the daemon.
const SCRYPT_MEMORY: u64 = 256 * 1024 * 1024;
const SCRYPT_PASSES: u16 = 64;
const PBKDF2_ROUNDS: u32 = 10_000_000;

/// Why a key file cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// Not PEM with a private key.
    #[error("this is no private key in PEM form (`-----BEGIN PRIVATE KEY-----`)")]
    NotAKey,
    /// A key, but of another algorithm, or spoilt.
    #[error("this is no Ed25519 key, or the file is damaged")]
    NotEd25519,
    /// The file is encrypted.
    #[error("passphrase needed: the key file is encrypted")]
    PassphraseNeeded,
    /// The passphrase given does not open it.
    #[error("the passphrase does not open the key file")]
    WrongPassphrase,
    /// Encrypted in a way that is not supported, or at absurd cost.
    #[error(
        "the key file is encrypted in a way that is not supported; write it anew with `openssl pkcs8 -topk8 -scrypt`"
    )]
    Encryption,
}

/// The key as a PEM text, encrypted when there is a passphrase. Salt and nonce come from the generator.
pub fn to_pem(key: &SecretKey, passphrase: Option<&str>, rng: &mut impl CryptoRng) -> Zeroizing<String> {
    let pair = KeypairBytes {
        secret_key: *key.seed(),
        public_key: None,
    };
    let plain = pair.to_pkcs8_der().expect("a key of 32 bytes fits its encoding");
    let (label, document) = match passphrase {
        None => (PrivateKeyInfoRef::PEM_LABEL, plain),
        Some(passphrase) => (EncryptedPrivateKeyInfoRef::PEM_LABEL, encrypt(&plain, passphrase, rng)),
    };
    document
        .to_pem(label, LineEnding::LF)
        .expect("a short document fits into PEM")
}

fn encrypt(plain: &SecretDocument, passphrase: &str, rng: &mut impl CryptoRng) -> SecretDocument {
    let (mut salt, mut nonce) = ([0; SALT], [0; NONCE]);
    rng.fill_bytes(&mut salt);
    rng.fill_bytes(&mut nonce);
    let cost = pkcs8::pkcs5::scrypt::Params::new(LOG_N, R, P).expect("the cost is within scrypt's bounds");
    let parameters = Parameters::generate_scrypt_aes256cbc(cost, &salt, nonce).expect("the salt is within its bounds");
    let key = PrivateKeyInfoRef::try_from(plain.as_bytes()).expect("what was encoded decodes");
    key.encrypt_with_params(parameters, passphrase)
        .expect("scrypt and AES take any passphrase")
}

/// Reads a PEM text. A passphrase that a plain file does not need is not looked at.
pub fn from_pem(text: &str, passphrase: Option<&str>) -> Result<SecretKey, KeyFileError> {
    if text.len() > LONGEST {
        return Err(KeyFileError::NotAKey);
    }
    let (label, document) = SecretDocument::from_pem(text.trim_ascii()).map_err(|_| KeyFileError::NotAKey)?;
    let plain = match label {
        PrivateKeyInfoRef::PEM_LABEL => document,
        EncryptedPrivateKeyInfoRef::PEM_LABEL => decrypt(&document, passphrase.ok_or(KeyFileError::PassphraseNeeded)?)?,
        _ => return Err(KeyFileError::NotAKey),
    };
    let pair = KeypairBytes::from_pkcs8_der(plain.as_bytes()).map_err(|_| KeyFileError::NotEd25519)?;
    let key = SecretKey::from_seed(pair.secret_key);
    match pair.public_key {
        Some(public) if public.0 != *key.public().as_bytes() => Err(KeyFileError::NotEd25519),
        _ => Ok(key),
    }
}

fn decrypt(document: &SecretDocument, passphrase: &str) -> Result<SecretDocument, KeyFileError> {
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|_| KeyFileError::Encryption)?;
    let kdf = encrypted.encryption_algorithm.pbes2().map(|parameters| &parameters.kdf);
    let bearable = match kdf {
        Some(Kdf::Scrypt(cost)) => {
            let memory = cost
                .cost_parameter
                .saturating_mul(u64::from(cost.block_size))
                .saturating_mul(128);
            memory <= SCRYPT_MEMORY && cost.parallelization <= SCRYPT_PASSES
        }
        Some(Kdf::Pbkdf2(cost)) => cost.iteration_count <= PBKDF2_ROUNDS,
        _ => false,
    };
    if !bearable {
        return Err(KeyFileError::Encryption);
    }
    // A wrong passphrase shows as wrong padding, or once in 256 times as a document that is none.
    let plain = encrypted
        .decrypt(passphrase)
        .map_err(|_| KeyFileError::WrongPassphrase)?;
    match PrivateKeyInfoRef::try_from(plain.as_bytes()) {
        Ok(_) => Ok(plain),
        Err(_) => Err(KeyFileError::WrongPassphrase),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use data_encoding::BASE64;
    use pkcs8::rand_core::{TryCryptoRng, TryRng};

    use super::*;

    /// Gives 0, 1, 2 and so on.
    struct Counting(u8);

    impl TryRng for Counting {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            Ok(u32::from(self.0))
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(u64::from(self.0))
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            for byte in bytes {
                (*byte, self.0) = (self.0, self.0.wrapping_add(1));
            }
            Ok(())
        }
    }

    impl TryCryptoRng for Counting {}

    const PASSPHRASE: &str = "correct horse";
    /// Written by openssl 3.0, from the first key of RFC 8032, 7.1.
    const PLAIN: &str = include_str!("../vectors/keys/plain.pem");
    const SCRYPT: &str = include_str!("../vectors/keys/scrypt.pem");
    const PBKDF2: &str = include_str!("../vectors/keys/pbkdf2.pem");
    const OLD: &str = include_str!("../vectors/keys/old.pem");
    const X25519: &str = include_str!("../vectors/keys/x25519.pem");
    const P256: &str = include_str!("../vectors/keys/p256.pem");
    /// Written by this module, and read by openssl 3.0 when it was added.
    const OURS: &str = include_str!("../vectors/keys/ours.pem");
    const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

    fn key() -> SecretKey {
        from_pem(PLAIN, None).expect("the file is good")
    }

    /// The same file with one part of its contents replaced.
    fn altered(pem: &str, from: &[u8], to: &[u8]) -> String {
        let lines: Vec<&str> = pem.lines().collect();
        let (first, middle, last) = (lines[0], &lines[1..lines.len() - 1], lines[lines.len() - 1]);
        let mut bytes = BASE64.decode(middle.concat().as_bytes()).expect("the file is PEM");
        let place = bytes
            .windows(from.len())
            .position(|window| window == from)
            .expect("the part is there");
        bytes.splice(place..place + from.len(), to.iter().copied());
        let letters = BASE64.encode(&bytes);
        let wrapped: Vec<String> = letters
            .as_bytes()
            .chunks(64)
            .map(|line| String::from_utf8_lossy(line).into())
            .collect();
        format!("{first}\n{}\n{last}\n", wrapped.join("\n"))
    }

    #[test]
    fn files_of_openssl_are_read_and_ours_are_the_same() {
        let public: String = key()
            .public()
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(public, PUBLIC);
        assert_eq!(*to_pem(&key(), None, &mut Counting(0)), PLAIN);
        for (pem, passphrase) in [
            (PLAIN, Some("not looked at")),
            (SCRYPT, Some(PASSPHRASE)),
            (PBKDF2, Some(PASSPHRASE)),
            (OURS, Some(PASSPHRASE)),
            (&format!("\n  {PLAIN}\n"), None),
            (&PLAIN.replace('\n', "\r\n"), None),
        ] {
            assert_eq!(
                from_pem(pem, passphrase).map(|key| key.public()),
                Ok(key().public()),
                "{pem}"
            );
        }
    }

    #[test]
    fn a_passphrase_opens_what_it_closed() {
        assert_eq!(*to_pem(&key(), Some(PASSPHRASE), &mut Counting(0)), OURS);
    }

    #[test]
    fn other_files_say_what_is_wrong() {
        use KeyFileError::{Encryption, NotAKey, NotEd25519, PassphraseNeeded, WrongPassphrase};
        let check = |pem: &str, passphrase: Option<&str>, error: KeyFileError| {
            assert_eq!(from_pem(pem, passphrase).map(|key| key.public()), Err(error), "{pem}");
        };
        check("", None, NotAKey);
        check("starfish", None, NotAKey);
        check(&PLAIN[..PLAIN.len() / 2], None, NotAKey);
        check(&PLAIN.replace("PRIVATE", "PUBLIC"), None, NotAKey);
        check(&PLAIN.replace("PRIVATE KEY", "CERTIFICATE"), None, NotAKey);
        check(&PLAIN.replacen('M', "?", 1), None, NotAKey);
        check(&PLAIN.repeat(200), None, NotAKey);
        check(X25519, None, NotEd25519);
        check(P256, None, NotEd25519);
        check(&altered(PLAIN, &[0x04, 0x20], &[0x04, 0x1f]), None, NotEd25519);
        check(
            &altered(PLAIN, &[0x02, 0x01, 0x00], &[0x02, 0x01, 0x05]),
            None,
            NotEd25519,
        );
        check(
            &PLAIN.replace("PRIVATE", "ENCRYPTED PRIVATE"),
            Some(PASSPHRASE),
            Encryption,
        );
        check(&SCRYPT.replace("ENCRYPTED ", ""), None, NotEd25519);
        check(SCRYPT, None, PassphraseNeeded);
        check(PBKDF2, None, PassphraseNeeded);
        check(OLD, None, PassphraseNeeded);
        check(OLD, Some(PASSPHRASE), Encryption);
        check(SCRYPT, Some("correct house"), WrongPassphrase);
        check(SCRYPT, Some(""), WrongPassphrase);
        // A hundred passes over the memory.
        check(
            &altered(SCRYPT, &[0x02, 0x01, 0x01], &[0x02, 0x01, 0x64]),
            Some(PASSPHRASE),
            Encryption,
        );
    }

    #[test]
    fn a_file_with_the_public_half_is_read_if_they_belong_together() {
        let with_public = |key: &SecretKey, public: [u8; 32]| {
            let public_key = Some(ed25519_dalek::pkcs8::PublicKeyBytes(public));
            let pair = KeypairBytes {
                secret_key: *key.seed(),
                public_key,
            };
            let document = pair.to_pkcs8_der().expect("it fits");
            document.to_pem("PRIVATE KEY", LineEnding::LF).expect("it fits")
        };
        let good = with_public(&key(), *key().public().as_bytes());
        assert_eq!(from_pem(&good, None).map(|key| key.public()), Ok(key().public()));
        let bad = with_public(&key(), [9; 32]);
        assert_eq!(
            from_pem(&bad, None).map(|key| key.public()),
            Err(KeyFileError::NotEd25519)
        );
    }
}
