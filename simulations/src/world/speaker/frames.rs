//! The bytes of a gossip stream: protocol negotiation, and gossipsub's messages as far as a speaker needs them (protocol
//! buffers; the numbers are those of the fields).

/// What every stream begins with, and the protocol of gossip that each node speaks.
const NEGOTIATION: &str = "/multistream/1.0.0";
const GOSSIP: &str = "/meshsub/1.1.0";
/// How every version of that begins, and how it begins where TLP:GREEN is told.
const GOSSIPS: [&str; 2] = ["/meshsub/", "/starfish-green/"];
const PING: &str = "/ipfs/ping/1.0.0";
/// More than any frame of a node has.
const FRAME: usize = 1 << 20;
/// Numbers of fields.
const SUBSCRIPTION: u64 = 1;
const MESSAGE: u64 = 2;
const CONTROL: u64 = 3;
const DATA: u64 = 2;
const TOPIC: u64 = 4;
const IHAVE: u64 = 1;
const GRAFT: u64 = 3;
const PRUNE: u64 = 4;

/// What a stream is agreed to be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Gossip,
    /// Whoever answers none is taken for dead.
    Ping,
}

/// The answer to a proposed protocol.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) line: Vec<u8>,
    /// None when it is declined.
    pub(super) agreed: Option<Use>,
}

/// The first line of a stream that the other side opened.
pub(super) fn greeting() -> Vec<u8> {
    line(NEGOTIATION)
}

/// The first lines of a stream of gossip.
pub(super) fn gossip() -> Vec<u8> {
    proposal(GOSSIP)
}

/// The first lines of a stream of this protocol.
pub(super) fn proposal(protocol: &str) -> Vec<u8> {
    [greeting(), line(protocol)].concat()
}

/// What to say to a line of the other side's negotiation; nothing to its greeting.
pub(super) fn answer(proposal: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(proposal);
    let name = text.trim_end();
    let agreed = match name {
        PING => Some(Use::Ping),
        _ if GOSSIPS.iter().any(|gossip| name.starts_with(gossip)) => Some(Use::Gossip),
        _ => None,
    };
    (name != NEGOTIATION).then(|| Answer {
        line: line(agreed.map_or("na", |_| name)),
        agreed,
    })
}

fn line(text: &str) -> Vec<u8> {
    framed(&[text.as_bytes(), b"\n"].concat())
}

/// A frame with its length.
pub(super) fn framed(bytes: &[u8]) -> Vec<u8> {
    [&varint(bytes.len() as u64), bytes].concat()
}

/// The length that a frame begins with, if such a frame may be.
pub(super) fn length(mut bytes: &[u8]) -> Option<usize> {
    let length = number(&mut bytes)?;
    usize::try_from(length).ok().filter(|length| *length <= FRAME)
}

/// Joins these topics, and their meshes.
pub(super) fn join(topics: &[String]) -> Vec<u8> {
    // Before the topic comes whether it is joined or left.
    let join = |topic: &String| field(SUBSCRIPTION, &[vec![1 << 3, 1], field(2, topic.as_bytes())].concat());
    let joined = topics.iter().flat_map(join);
    joined.chain(grafts(topics)).collect()
}

/// Becomes part of these meshes.
pub(super) fn grafts(topics: &[String]) -> Vec<u8> {
    controls(GRAFT, topics)
}

/// Leaves these meshes.
pub(super) fn prunes(topics: &[String]) -> Vec<u8> {
    controls(PRUNE, topics)
}

fn controls(kind: u64, topics: &[String]) -> Vec<u8> {
    let control = |topic: &String| field(kind, &field(1, topic.as_bytes()));
    field(CONTROL, &topics.iter().flat_map(control).collect::<Vec<u8>>())
}

/// Has messages of these ids.
pub(super) fn announcement(topic: &str, ids: impl Iterator<Item = [u8; 32]>) -> Vec<u8> {
    let ids: Vec<u8> = ids.flat_map(|id| field(2, &id)).collect();
    field(CONTROL, &field(IHAVE, &[field(1, topic.as_bytes()), ids].concat()))
}

/// A message.
pub(super) fn message(topic: &str, data: &[u8]) -> Vec<u8> {
    field(MESSAGE, &[field(DATA, data), field(TOPIC, topic.as_bytes())].concat())
}

/// The messages that somebody sent: topic and bytes.
pub(super) fn messages(rpc: &[u8]) -> impl Iterator<Item = (String, Vec<u8>)> {
    fields(rpc, MESSAGE).map(|message| {
        let topic = fields(message, TOPIC).next().unwrap_or_default();
        let data = fields(message, DATA).next().unwrap_or_default();
        (String::from_utf8_lossy(topic).into_owned(), data.to_vec())
    })
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A field that holds bytes.
fn field(name: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(name << 3 | 2), framed(bytes)].concat()
}

/// Every field of this name that holds bytes; nothing behind what cannot be read.
fn fields(mut bytes: &[u8], wanted: u64) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        while !bytes.is_empty() {
            let key = number(&mut bytes)?;
            let length = number(&mut bytes)?;
            if key & 7 != 2 {
                // A plain number: what was read as a length is its value.
                continue;
            }
            let length = usize::try_from(length).ok().filter(|length| *length <= bytes.len())?;
            let (value, rest) = bytes.split_at(length);
            bytes = rest;
            if key >> 3 == wanted {
                return Some(value);
            }
        }
        None
    })
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut found = 0_u64;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        found |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(found);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let said = [("topic", vec![1, 2]), ("other", vec![7; 300])];
        let rpc: Vec<u8> = said.iter().flat_map(|(topic, data)| message(topic, data)).collect();
        let all = [join(&["topic".to_owned()]), rpc.clone()].concat();
        let expected: Vec<(String, Vec<u8>)> = said.map(|(topic, data)| (topic.to_owned(), data)).into();
        assert_eq!(messages(&all).collect::<Vec<_>>(), expected);
        // The number before the topic of a subscription is passed over.
        let subscription = fields(&all, SUBSCRIPTION).next().expect("one");
        assert_eq!(fields(subscription, 2).next(), Some(&b"topic"[..]));
        // What ends early holds fewer of them.
        for end in 0..rpc.len() {
            assert!(messages(&rpc[..end]).count() < 2, "{end}");
        }
    }

    #[test]
    fn gossip_and_pings_are_agreed_to() {
        let check = |proposed: &str, said: &str, agreed: Option<Use>| {
            let line = line(said);
            let found = answer(format!("{proposed}\n").as_bytes());
            assert_eq!(found, Some(Answer { line, agreed }), "{proposed}");
        };
        for gossip in ["/meshsub/1.2.0", "/starfish-green/1.1.0"] {
            check(gossip, gossip, Some(Use::Gossip));
        }
        check(PING, PING, Some(Use::Ping));
        check("/ipfs/id/1.0.0", "na", None);
        assert_eq!(answer(format!("{NEGOTIATION}\n").as_bytes()), None);
    }

    #[test]
    fn lengths_are_bounded() {
        let check = |bytes: &[u8], expected: Option<usize>| assert_eq!(length(bytes), expected, "{bytes:?}");
        check(&varint(FRAME as u64), Some(FRAME));
        check(&varint(FRAME as u64 + 1), None);
        check(&[0xff; 12], None);
        check(&[], None);
    }
}
