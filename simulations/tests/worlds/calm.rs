//! Nothing is broken: records reach everyone, soon and once.

use std::time::Duration;

use starfish_node::ledger::search::Search;
use starfish_sim::world::World;

use crate::alone::alone;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_record_reaches_forty_nodes() {
    alone("calm::a_record_reaches_forty_nodes", || {
        let plan = World::new(1).nodes(40).converge_within(5 * SECOND);
        plan.run(|world| {
            world.run_for(10 * SECOND);
            for author in [0, 17, 39] {
                let began = world.now();
                let name = format!("host{author}.example");
                let record = world.publish(author, "malware", &[&name]).expect("it is certified")[0];
                assert!(
                    world.wait_for(2 * SECOND, |world| world.holders(&record) == 40),
                    "{}",
                    world.holders(&record)
                );
                let took = world.now() - began;
                // Nobody is nearer than 8 ms. The farthest is three hops of 80 ms and a flush each away, and may have to wait
                // for a heartbeat of 700 ms when no mesh leads there yet.
                assert!((Duration::from_millis(8)..=SECOND).contains(&took), "{took:?}");
                for node in 0..40 {
                    let hits = world.search(node, &Search::under("example").expect("a domain"));
                    assert!(hits.iter().any(|hit| hit.record == record), "node {node}");
                }
            }
            world.run_for(10 * SECOND);
        });
    });
}

#[test]
fn traffic_is_counted_by_kind() {
    alone("calm::traffic_is_counted_by_kind", || {
        World::new(2).nodes(20).run(|world| {
            world.run_for(10 * SECOND);
            // It is pushed to the mesh, and the others ask for it.
            world.publish(0, "malware", &["a.example"]).expect("it is certified");
            // Every half a minute nodes compare what they have.
            world.run_for(40 * SECOND);
            let traffic = world.network().traffic();
            let total = traffic.total();
            let kinds: Vec<&str> = total.keys().copied().collect();
            let expected = [
                "bodies",
                "comparisons",
                "gossip",
                "identify",
                "introductions",
                "ping",
                "pushed bodies",
                "statements",
            ];
            assert_eq!(kinds, expected, "{total:?}");
            let all: u64 = total.values().map(|count| count.bytes).sum();
            let sent: u64 = (0..20)
                .flat_map(|host| traffic.sent(host).into_values())
                .map(|count| count.bytes)
                .sum();
            let received: u64 = (0..20)
                .flat_map(|host| traffic.received(host).into_values())
                .map(|count| count.bytes)
                .sum();
            assert_eq!((sent, sent), (received, all));
            assert!(world.network().connected().len() >= 5);
        });
    });
}

#[test]
fn only_roots_are_believed() {
    alone("calm::only_roots_are_believed", || {
        // A chain: each lists its neighbours.
        let plan = World::new(3).nodes(5).each(|number, node| {
            node.roots = Some((number.saturating_sub(1)..=(number + 1).min(4)).collect());
            node.dials = Some(number.checked_sub(1).into_iter().collect());
        });
        plan.run(|world| {
            world.run_for(10 * SECOND);
            let record = world.publish(0, "malware", &["a.example"]).expect("it is certified")[0];
            assert!(world.wait_for(10 * SECOND, |world| world.holds(1, &record)));
            world.run_for(60 * SECOND);
            let all = Search::under("example").expect("a domain");
            let finds = |node| world.search(node, &all).iter().any(|hit| hit.record == record);
            assert_eq!((0..5).map(finds).collect::<Vec<_>>(), [true, true, false, false, false]);
        });
    });
}

#[test]
fn a_slow_link_takes_its_time() {
    alone("calm::a_slow_link_takes_its_time", || {
        let plan = World::new(4).nodes(2).each(|number, node| {
            node.dials = Some(number.checked_sub(1).into_iter().collect());
            // A hundred kilobytes take 3.2 s at 256 kbit/s.
            node.downlink = if number == 1 { 256_000 } else { 100_000_000 };
        });
        plan.run(|world| {
            world.run_for(10 * SECOND);
            let digest = |number: u64| {
                let hash = |part: u64| number.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(13 * part as u32) ^ part;
                (0..4).map(|part| format!("{:016x}", hash(part))).collect::<String>()
            };
            let values: Vec<String> = (1..3_200).map(digest).collect();
            let began = world.now();
            let record = world.publish(0, "malware", &values).expect("it is certified")[0];
            assert!(world.wait_for(60 * SECOND, |world| world.holds(1, &record)));
            let (_, card) = world
                .ledger(1)
                .expect("it runs")
                .card_of(&record)
                .expect("memory does not fail")
                .expect("held");
            let line = SECOND * card.compressed_len * 8 / 256_000;
            // Beside the body there are its header, what the nodes say of it, and two flushes.
            let beside = world.now() - began - line;
            assert!(beside < SECOND / 4, "{line:?} {beside:?}");
        });
    });
}
