//! Gossipsub's frames by hand (protobuf, as in the libp2p specification), so that a test can say what no library would say.

/// Unsigned LEB128.
pub(super) fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return out;
        }
        out.push(low | 0x80);
    }
}

/// The bytes behind their length.
pub(super) fn prefixed(bytes: &[u8]) -> Vec<u8> {
    [varint(bytes.len() as u64), bytes.to_vec()].concat()
}

/// A field of bytes.
fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), prefixed(bytes)].concat()
}

/// One frame that subscribes to topics.
pub(super) fn subscriptions<'a>(topics: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let subscribe = |topic: &str| field(1, &[vec![0x08, 0x01], field(2, topic.as_bytes())].concat());
    prefixed(&topics.into_iter().flat_map(subscribe).collect::<Vec<u8>>())
}

/// One frame that publishes an anonymous message.
pub(super) fn publication(topic: &str, payload: &[u8]) -> Vec<u8> {
    let message = [field(2, payload), field(4, topic.as_bytes())].concat();
    prefixed(&field(2, &message))
}

/// One frame that takes a place in the victim's mesh of a topic, so that it forwards to us.
pub(super) fn graft(topic: &str) -> Vec<u8> {
    prefixed(&field(3, &field(3, &field(1, topic.as_bytes()))))
}

/// One frame that announces and asks for messages by invented ids.
pub(super) fn gossip_about_nothing(topic: &str, ids: usize) -> Vec<u8> {
    let ids: Vec<Vec<u8>> = (0..ids)
        .map(|id| format!("no such message {id:08}").into_bytes())
        .collect();
    let announced = [
        field(1, topic.as_bytes()),
        ids.iter().flat_map(|id| field(2, id)).collect(),
    ]
    .concat();
    let wanted: Vec<u8> = ids.iter().flat_map(|id| field(1, id)).collect();
    prefixed(&field(3, &[field(1, &announced), field(2, &wanted)].concat()))
}

/// The payloads that one frame (without its length) publishes.
pub(super) fn payloads(frame: &[u8]) -> Vec<Vec<u8>> {
    let messages = fields(frame).into_iter().filter(|(number, _)| *number == 2);
    let data = messages.flat_map(|(_, message)| fields(message).into_iter().filter(|(number, _)| *number == 2));
    data.map(|(_, payload)| payload.to_vec()).collect()
}

/// The fields of bytes of one protobuf message; others are skipped, and what is malformed ends it.
fn fields(mut rest: &[u8]) -> Vec<(u64, &[u8])> {
    let mut found = Vec::new();
    while let Some((key, behind)) = read_varint(rest) {
        let Some((value, behind)) = read_varint(behind) else {
            break;
        };
        rest = behind;
        if key & 7 == 2 {
            let Some((bytes, behind)) = usize::try_from(value).ok().and_then(|len| rest.split_at_checked(len)) else {
                break;
            };
            found.push((key >> 3, bytes));
            rest = behind;
        }
    }
    found
}

fn read_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let end = bytes.iter().take(10).position(|byte| byte & 0x80 == 0)?;
    let value = bytes[..=end]
        .iter()
        .rev()
        .fold(0u64, |value, byte| value << 7 | u64::from(byte & 0x7f));
    Some((value, &bytes[end + 1..]))
}

#[test]
fn frames_are_what_gossipsub_reads() {
    assert_eq!(varint(300), [0xac, 0x02]);
    assert_eq!(read_varint(&[0xac, 0x02, 7]), Some((300, &[7u8][..])));
    assert_eq!(subscriptions(["t"]), [7, 0x0a, 5, 0x08, 1, 0x12, 1, b't']);
    let frame = publication("t", b"payload");
    assert_eq!(payloads(&frame[1..]), [b"payload".to_vec()]);
    assert_eq!(graft("t"), [7, 0x1a, 5, 0x1a, 3, 0x0a, 1, b't']);
    assert!(payloads(&[0x12, 0xff, 0xff]).is_empty());
    assert!(payloads(&gossip_about_nothing("t", 3)[1..]).is_empty());
}
