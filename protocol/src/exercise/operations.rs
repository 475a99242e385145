//! Bytes as a sequence of events: what a fuzzer, or a test with random bytes, plays against a small mesh.
//!
//! Three honest nodes list each other and start connected in a row. Two hostile peers of node 0, one of an organisation
//! that it lists and one that nobody knows, sign whatever the bytes say. Whatever happens, no engine panics, everything
//! stays within its bounds, chains hold, honest nodes never blame each other, and none of them ever writes two histories.

mod hostile;
mod script;

use crate::{
    codec,
    engine::port::{AskError, Command, Found, Input, Ticket},
    intake::OpenResponse,
    record::{BodyFault, Header, SealedBody},
    time::Millis,
    wire::{Gossip, Response},
};

use self::script::Script;
use super::{
    Chaos, Identity, World,
    identity::{BEGIN, addresses, names, topic},
};

/// How many events are played at most: a longer sequence only takes longer.
const EVENTS: usize = 400;
const HONEST: usize = 3;

/// Plays a sequence of events.
///
/// # Panics
/// When an invariant breaks.
pub fn run(bytes: &[u8]) {
    let mut stage = Stage::new(Script(bytes));
    for _ in 0..EVENTS {
        if stage.script.0.is_empty() {
            break;
        }
        stage.step();
        let world = &stage.world;
        for node in (0..HONEST).filter(|node| world.is_running(*node)) {
            assert_eq!(world.engine(node).beyond_bounds(), None, "node {node}");
        }
    }
    stage.world.run(30_000);
    stage.check();
}

struct Stage<'a> {
    script: Script<'a>,
    world: World,
    hostile: [Identity; 2],
    /// What the hostile peers have signed, to be built upon.
    signed: Vec<starfish_crypto::Verified<Header>>,
    backup: Option<super::Store>,
}

impl<'a> Stage<'a> {
    fn new(script: Script<'a>) -> Self {
        let mut world = World::new(u64::from(script.0.first().copied().unwrap_or_default()), HONEST);
        let hostile = [Identity::numbered(7), Identity::numbered(8)];
        world.nodes[0].listed.push(hostile[0].org);
        world.start(0);
        world.link(0, 1);
        world.link(1, 2);
        let mut stage = Self {
            script,
            world,
            hostile,
            signed: Vec::new(),
            backup: None,
        };
        stage.meet();
        stage.world.run(200);
        stage
    }

    fn meet(&mut self) {
        for who in &self.hostile {
            self.world.connect(0, who);
            self.world.gossip(
                0,
                who.peer(),
                codec::encode(&Gossip::Statements(who.statements.clone())),
            );
        }
    }

    fn step(&mut self) {
        let node = self.script.below(HONEST);
        match self.script.below(20) {
            0 | 1 => self.publish(node),
            2 => self.world.link(node, (node + 1) % HONEST),
            3 => self.world.unlink(node, (node + 1) % HONEST),
            4 => self.world.start(node),
            5 => self.world.crash(node),
            6 | 7 => {
                let millis = self.script.number().min(60_000) * 40;
                self.world.run(millis.min(60_000));
            }
            8..=10 => self.forge(),
            11 => self.replay(node),
            12 => self.answer(),
            13 => self.request(),
            14 => self.command(node),
            15 => {
                let payload = self.script.bytes();
                self.world.gossip(0, self.hostile[1].peer(), payload);
            }
            16 => self.spurious(node),
            17 => self.backup(node),
            18 => {
                let (delay, lost) = (1 + self.script.number().min(500), self.script.number().min(60));
                self.world.chaos = Chaos {
                    delay,
                    lost,
                    repeated: lost,
                };
            }
            _ => self.disturb(node),
        }
    }

    fn body(&mut self) -> SealedBody {
        let number = u32::from(self.script.byte() % 8);
        if number.is_multiple_of(2) {
            addresses(number, 2)
        } else {
            names(number, 60)
        }
    }

    fn publish(&mut self, node: usize) {
        let bodies = (0..self.script.below(4)).map(|_| self.body()).collect();
        self.world.publish(node, bodies);
    }

    fn command(&mut self, node: usize) {
        let org = self.hostile[self.script.below(2)].org;
        let record = self.world.nodes[node].store.records.keys().next().copied();
        let command = match (self.script.below(6), record) {
            (0, Some(record)) => Command::Withdraw {
                record,
                observables: Vec::new(),
                reason: "why".to_owned(),
            },
            (1, _) => Command::Trust(org),
            (2, _) => Command::Distrust(org),
            (3, _) => Command::Invite {
                secret: [self.script.byte() % 2; 5],
                until: Millis(BEGIN.0 + 60_000),
                confirmed: self.script.below(2) == 0,
            },
            (4, _) => {
                let topics = (0..self.script.below(3)).map(|number| topic(["malware", "phishing", "c2"][number]));
                Command::Subscribe {
                    topics: topics.collect(),
                    tlds: Vec::new(),
                }
            }
            _ => Command::Listening(vec![format!("/ip4/192.0.2.{}/tcp/1", self.script.byte())]),
        };
        self.world.command(node, command);
    }

    /// What belongs to nothing: a shell that is confused must not harm.
    fn spurious(&mut self, node: usize) {
        let ticket: Ticket = self.script.number();
        let input = match self.script.below(8) {
            0 => Input::Progress(ticket),
            6 => Input::GivenUp {
                peer: self.hostile[self.script.below(2)].peer(),
                ticket,
            },
            5 => Input::Pushing {
                peer: self.hostile[self.script.below(2)].peer(),
                digest: self.body().digest,
            },
            1 => Input::Opened {
                ticket: u64::MAX,
                body: Err(BodyFault::Digest),
            },
            2 => Input::Found {
                ticket: u64::MAX,
                found: Found::Failed,
            },
            3 => Input::Answered {
                ticket: u64::MAX,
                response: Err(AskError::Lost),
            },
            4 => Input::Answered {
                ticket: u64::MAX,
                response: Ok(OpenResponse::Plain(Response::Taken)),
            },
            _ => Input::Woken,
        };
        self.world.feed(node, input);
    }

    /// A node's store is copied, or put back in the place of a later one.
    fn backup(&mut self, node: usize) {
        match self.backup.take() {
            None => self.backup = Some(self.world.nodes[0].store.clone()),
            Some(backup) if node > 0 => {
                self.world.crash(0);
                self.world.nodes[0].store = backup;
                self.world.nodes[0].safe_mode = true;
                self.world.start(0);
            }
            kept => self.backup = kept,
        }
        self.meet();
    }

    fn disturb(&mut self, node: usize) {
        let state = &mut self.world.nodes[node];
        match self.script.byte() % 4 {
            0 => state.stalled = !state.stalled,
            1 => state.skew = if state.skew == 0 { 3_600_000 } else { 0 },
            2 => state.skew = if state.skew == 0 { -3_600_000 } else { 0 },
            _ => self.meet(),
        }
    }

    fn check(&self) {
        let honest: Vec<_> = self.world.nodes.iter().map(|node| &node.identity).collect();
        for node in &self.world.nodes {
            node.store.check();
            for other in &honest {
                let strikes = node.strikes.get(&other.peer()).copied().unwrap_or_default();
                assert_eq!(strikes, 0, "an honest node was blamed");
                assert!(
                    !node.store.frozen.contains_key(&other.key.public()),
                    "an honest node wrote two histories"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(crate::exercise::cases(24))]

        #[test]
        fn no_sequence_of_events_breaks_an_invariant(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            run(&bytes);
        }
    }

    #[test]
    fn the_empty_sequence_is_harmless() {
        run(&[]);
        run(&[255; 200]);
        run(&[0; 200]);
    }
}
