//! Who is connected, who should be, and whose connection has gone quiet. Pure tables: the event loop asks them what to
//! do and when to ask again.

pub(crate) mod connections;
pub(crate) mod dialling;
pub(crate) mod watchdog;

use libp2p::{
    PeerId,
    identity::{self, ed25519},
};
use starfish_crypto::PublicKey;
use starfish_protocol::peer::Peer;

/// The multihash code of a key that is spelled out instead of hashed.
const IDENTITY_HASH: u64 = 0;

/// The rules' name for a peer.
pub(crate) fn peer_of(id: &PeerId) -> Peer {
    Peer::from_bytes(&id.to_bytes())
}

/// The transport's name for a peer; none when the bytes were never a peer id.
pub(crate) fn id_of(peer: &Peer) -> Option<PeerId> {
    PeerId::from_bytes(peer.as_bytes()).ok()
}

/// The Ed25519 key that a peer id spells out, if it does.
pub(crate) fn key_of(id: &PeerId) -> Option<PublicKey> {
    let hash = id.as_ref();
    if hash.code() != IDENTITY_HASH {
        return None;
    }
    let key = identity::PublicKey::try_decode_protobuf(hash.digest())
        .ok()?
        .try_into_ed25519()
        .ok()?;
    Some(PublicKey::from_bytes(key.to_bytes()))
}

/// The peer id of a node key; none when it is no point of the curve.
pub(crate) fn id_of_key(key: &PublicKey) -> Option<PeerId> {
    let key = ed25519::PublicKey::try_from_bytes(key.as_bytes()).ok()?;
    Some(identity::PublicKey::from(key).to_peer_id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        let pair = identity::Keypair::ed25519_from_bytes([7; 32]).expect("32 bytes");
        let id = pair.public().to_peer_id();
        let key = key_of(&id).expect("an Ed25519 id spells its key out");
        assert_eq!(id_of_key(&key), Some(id));
        assert_eq!(id_of(&peer_of(&id)), Some(id));
        assert_eq!(key, starfish_crypto::SecretKey::from_seed([7; 32]).public());
        assert_eq!(id_of(&Peer::from_bytes(b"no peer id")), None);
    }
}
