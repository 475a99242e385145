//! Lines that carry little: what goes over them goes once.

use std::time::Duration;

use starfish_sim::{network::Count, world::World};

use crate::alone::alone;

const SECOND: Duration = Duration::from_secs(1);
/// The values of a list whose body is about 96 kB: digests do not compress.
const VALUES: u64 = 3_000;
const LISTS: u64 = 3;

fn digests(list: u64) -> Vec<String> {
    let value = |number: u64| {
        blake3::hash(&(list * VALUES + number).to_le_bytes())
            .to_hex()
            .to_string()
    };
    (0..VALUES).map(value).collect()
}

/// Bytes of bodies that nodes sent and were sent, asked for or not.
fn bodies(world: &World, nodes: std::ops::Range<usize>) -> [u64; 2] {
    let traffic = world.network().traffic();
    let of = |counts: std::collections::BTreeMap<&str, Count>| {
        let kinds = ["bodies", "pushed bodies"].into_iter();
        kinds
            .filter_map(|kind| counts.get(kind))
            .map(|count| count.bytes)
            .sum::<u64>()
    };
    nodes.fold([0; 2], |[sent, received], node| {
        [sent + of(traffic.sent(node)), received + of(traffic.received(node))]
    })
}

/// What went over the lines of bodies that the first of six nodes published.
#[derive(Debug)]
struct Copies {
    /// How often the publisher sent each byte.
    published: f64,
    /// How often each of the others was sent each byte.
    received: f64,
}

/// Lets the first of six nodes publish a list every half minute. The first one shows the nodes how slow their lines are, and
/// is not counted.
fn copies(kbit: impl Fn(usize) -> u64) -> Copies {
    let plan = World::new(1).nodes(6).each(|number, node| {
        node.uplink = kbit(number) * 1_000;
        node.downlink = node.uplink;
    });
    plan.run(|world| {
        world.run_for(10 * SECOND);
        let mut before = [0, 0];
        let mut length = 0;
        for list in 0..=LISTS {
            if list == 1 {
                before = [bodies(world, 0..1)[0], bodies(world, 1..6)[1]];
            }
            let records = world.publish(0, "malware", &digests(list)).expect("it is certified");
            world.run_for(30 * SECOND);
            for record in &records {
                assert_eq!(world.holders(record), 6, "list {list}");
                let card = world.ledger(0).expect("it runs").card_of(record);
                let (_, card) = card.expect("memory does not fail").expect("it has published this");
                length += if list == 0 { 0 } else { u64::from(card.compressed_len) };
            }
        }
        let times = |bytes: u64| bytes as f64 / length as f64;
        Copies {
            published: times(bodies(world, 0..1)[0] - before[0]),
            received: times(bodies(world, 1..6)[1] - before[1]) / 5.0,
        }
    })
}

#[test]
fn a_slow_publisher_need_not_send_a_body_to_everyone() {
    alone("slow::a_slow_publisher_need_not_send_a_body_to_everyone", || {
        let copies = copies(|node| if node == 0 { 256 } else { 100_000 });
        // All five are its mesh peers. Most of them have it from each other before the push to them would begin.
        assert!((1.0..4.5).contains(&copies.published), "{copies:?}");
    });
}

#[test]
fn a_slow_subscriber_is_sent_each_body_once() {
    alone("slow::a_slow_subscriber_is_sent_each_body_once", || {
        let copies = copies(|node| if node == 0 { 100_000 } else { 512 });
        assert!((1.0..1.2).contains(&copies.received), "{copies:?}");
    });
}
