//! Nodes that take requests for bodies and never answer.

use std::time::Duration;

use starfish_sim::{network::kinds::BODIES, world::World};

use crate::alone::alone;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn who_is_asked_and_says_nothing_is_waited_for() {
    alone("withholding::who_is_asked_and_says_nothing_is_waited_for", || {
        // Node 1 is pushed the body, and node 2 has to ask it.
        let plan = World::new(90).nodes(3).each(|number, node| {
            node.dials = Some(number.checked_sub(1).into_iter().collect());
        });
        plan.run(|world| {
            world.silence(1);
            world.run_for(10 * SECOND);
            let values: Vec<String> = (0..500).map(|number| format!("host{number}.example")).collect();
            let record = world.publish(0, "malware", &values).expect("it is certified")[0];
            world.run_for(9 * SECOND);
            assert!(world.holds(1, &record) && !world.holds(2, &record));
            let traffic = world.network().traffic();
            assert!(traffic.received(1).contains_key(BODIES) && !traffic.sent(1).contains_key(BODIES));
        });
    });
}
