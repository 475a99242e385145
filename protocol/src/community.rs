//! Which mesh something belongs to. Every signed header, certificate and endpoint names it, so that nothing can be replayed
//! from one mesh into another.

use serde::{Deserialize, Serialize};
use starfish_crypto::{Digest, domain};

/// A mesh, by the digest of its name. That the name is hard to guess protects nothing: trust does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Community(Digest);

impl Community {
    /// The mesh with this name.
    pub fn named(name: &str) -> Self {
        Self(Digest::of(domain::COMMUNITY, name.as_bytes()))
    }

    /// A mesh as something received names it.
    pub const fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }

    /// The digest of its name.
    pub const fn digest(&self) -> Digest {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_make_meshes() {
        assert_eq!(Community::named("starfish"), Community::named("starfish"));
        assert_ne!(Community::named("starfish"), Community::named("Starfish"));
        assert_eq!(
            Community::from_digest(Community::named("").digest()),
            Community::named("")
        );
    }
}
