//! A study, played: [`play`] makes a world of real nodes, lets everything happen that the scenario says, and gives figures.

mod carrying;
mod felt;
mod hostile;
mod publishing;
mod pushing;
mod schemes;
mod setting;
mod watching;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use starfish_node::mesh::Event;
use starfish_protocol::{engine::port, record::RecordId};

use self::{
    carrying::Sent,
    felt::{Felt, Looked, turned_away},
    pushing::Pushes,
};
use super::{
    Scenario, Vouches,
    placing::{Place, places},
    timeline::{Deed, timeline, watches_trust},
    vouching::vouches,
    written::StoreFate,
};
use crate::{
    Damage,
    network::{
        Separation,
        kinds::{BODIES, PUSHED_BODIES},
    },
    report::{
        Names, Outcome,
        gathering::{Gathering, Known},
        judging::judge,
    },
    world::{
        Ended, World,
        chronicle::{Happening, What},
    },
};

use self::watching::Watch;

/// A crash that tears the end of the store takes its last flushes.
const TORN: usize = 3;

/// What a run is given beside its scenario.
pub struct Playing<'a> {
    /// Everything random follows from it.
    pub seed: u64,
    /// Where the stream of events goes.
    pub events: Option<Box<dyn Write + Send>>,
    /// Shows the virtual seconds so far, to other threads: on the world's own there is no other time.
    pub clock: &'a AtomicU64,
}

impl std::fmt::Debug for Playing<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Playing")
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// Plays a scenario to its end. One call a process: see [`starfish_sim_kernel::enter`].
///
/// # Errors
/// When an invariant is broken, or the stream of events cannot be written.
pub fn play(scenario: &Scenario, playing: Playing<'_>) -> Result<Outcome, Ended> {
    let places = places(scenario, playing.seed);
    let heard: Heard = Arc::default();
    let ear = Arc::clone(&heard);
    let vouches = vouches(scenario, &places, playing.seed);
    let mut plan = setting::plan(scenario, &places, &vouches, playing.seed);
    plan = plan.listen(Box::new(move |happening: &Happening| {
        if is_news(&happening.what) {
            ear.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(happening.clone());
        }
    }));
    if let Some(writer) = playing.events {
        plan = plan.write_events(writer);
    }
    let (seed, clock) = (playing.seed, playing.clock);
    let mut outcome =
        plan.try_run(|world| Play::new(scenario, (&*world, &places), &vouches, (seed, heard)).all(world, clock))?;
    outcome.broken = judge(&scenario.written.expect, &outcome);
    Ok(outcome)
}

type Heard = Arc<Mutex<Vec<Happening>>>;

/// Everything else would fill the memory of a long run.
fn is_news(what: &What) -> bool {
    match what {
        What::Published(_) | What::Refused(_) | What::Pushed(_) => true,
        What::Mesh(Event::Engine(port::Event::BodyStored(_))) => true,
        What::Mesh(event) => turned_away(event).is_some(),
        _ => false,
    }
}

struct Play<'a> {
    scenario: &'a Scenario,
    places: &'a [Place],
    vouches: &'a Vouches,
    seed: u64,
    heard: Heard,
    gathering: Gathering,
    pushes: Option<Pushes>,
    /// The parts that are split off now.
    split: BTreeMap<String, (Separation, Vec<usize>)>,
    /// Whether trust is watched.
    watches: bool,
    watch: Watch,
    felt: Felt,
    /// The last record of each adversary from the time when it was honest.
    last_good: BTreeMap<usize, RecordId>,
    /// What each adversary has voted against.
    voted: BTreeMap<usize, BTreeSet<RecordId>>,
}

impl<'a> Play<'a> {
    fn new(
        scenario: &'a Scenario,
        (world, places): (&World, &'a [Place]),
        vouches: &'a Vouches,
        (seed, heard): (u64, Heard),
    ) -> Self {
        let known = |(node, place): (usize, &Place)| Known {
            role: place.role.clone(),
            region: scenario.latency.regions[place.region].clone(),
            adversary: place.adversary,
            names: Names {
                peer: world.peer(node).to_string(),
                author: world.author(node).to_string(),
                organisation: world.org(node).to_string(),
            },
            is_selective: place.tld.is_some(),
        };
        let splits = scenario.written.partition.values();
        let splits = splits.map(|split| {
            (
                Duration::from_secs(split.at_seconds),
                Duration::from_secs(split.until_seconds),
            )
        });
        let (known, splits): (Vec<Known>, Vec<_>) = (places.iter().enumerate().map(known).collect(), splits.collect());
        let compares = scenario.written.compare.push;
        Self {
            scenario,
            places,
            vouches,
            seed,
            heard,
            pushes: compares.then(|| Pushes::new(known.clone(), splits.clone())),
            gathering: Gathering::new(known, splits),
            split: BTreeMap::new(),
            watches: watches_trust(scenario),
            watch: Watch::default(),
            felt: Felt::default(),
            last_good: BTreeMap::new(),
            voted: BTreeMap::new(),
        }
    }

    fn all(mut self, world: &mut World, clock: &AtomicU64) -> Outcome {
        self.watch = Watch::new(world, self.places, &schemes::needed(), &schemes::topic());
        hostile::keep_apart(self.places, world);
        hostile::silence(self.places, world);
        let settled = Duration::from_secs(self.scenario.written.settle_seconds);
        let mut before = None;
        for moment in timeline(self.scenario, self.places, self.seed) {
            if before.is_none() && moment.at >= settled {
                self.go(world, settled, clock);
                before = Some(Sent::of(world));
            }
            self.go(world, moment.at, clock);
            self.act(world, moment.deed);
        }
        if before.is_none() {
            self.go(world, settled, clock);
            before = Some(Sent::of(world));
        }
        self.go(world, Duration::from_secs(self.scenario.written.seconds), clock);
        let before = before.expect("it is taken once the mesh has settled");
        self.finish(world, &before)
    }

    /// Lets time pass until then, and hears of what happens meanwhile.
    fn go(&mut self, world: &mut World, until: Duration, clock: &AtomicU64) {
        while world.now() < until {
            let next = (world.now() + Duration::from_secs(1)).min(until);
            world.run_until(next);
            clock.store(world.now().as_secs(), Ordering::Relaxed);
            self.listen(world);
        }
    }

    fn listen(&mut self, world: &mut World) {
        let news = std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner));
        for happening in news {
            let at = Duration::from_nanos(happening.at);
            let Some(node) = happening.node else { continue };
            if self.places[node].adversary.is_none() {
                self.felt.heard(&happening.what);
            }
            match happening.what {
                What::Published(records) => self.published(world, at, node, &records),
                What::Pushed(body) => {
                    if let Some(pushes) = &mut self.pushes {
                        pushes.arrived(at, node as u32, body);
                    }
                }
                What::Refused(_) if self.places[node].adversary.is_none() => self.gathering.refused(),
                What::Mesh(Event::Engine(port::Event::BodyStored(record))) => {
                    self.gathering.arrived(at, node as u32, record);
                }
                What::Mesh(Event::Engine(port::Event::ForkProven(author))) => self.watch.proven(node, author),
                _ => {}
            }
        }
    }

    fn act(&mut self, world: &mut World, deed: Deed) {
        match deed {
            Deed::Publish { node, stream, number } => self.publish(world, node as usize, stream.as_deref(), number),
            Deed::Poison { node } => self.poison(world, node as usize),
            Deed::Vote { node } => self.vote(world, node as usize),
            Deed::Answer { name } => self.answer(world, &name),
            Deed::Look => self.watch.look(world),
            Deed::Split { name, kind, part } => {
                let part = part.into_iter().map(|node| node as usize).collect();
                self.split.insert(name, (kind, part));
                self.separate(world);
            }
            Deed::Heal { name } => {
                self.split.remove(&name);
                self.separate(world);
            }
            Deed::Crash { node, store } => {
                // What it said until now is heard while its ledger can still be asked.
                self.listen(world);
                world.crash(node as usize, damage(store));
            }
            Deed::Restart { node } => world.start(node as usize),
        }
    }

    fn separate(&mut self, world: &mut World) {
        let partition = |(kind, part): &(Separation, Vec<usize>)| (vec![part.clone()], *kind);
        let partitions: Vec<_> = self.split.values().map(partition).collect();
        world.partition(&partitions);
    }

    fn finish(mut self, world: &mut World, before: &Sent) -> Outcome {
        self.listen(world);
        let after = Sent::of(world);
        let carried = after.by_nodes(before);
        let is_body = |kind: &str| [BODIES, PUSHED_BODIES].contains(&kind);
        let waited = self.gathering.waited();
        let mut outcome = self.gathering.finish(&carried, is_body);
        let looked = Looked {
            scenario: self.scenario,
            places: self.places,
            world,
            sent: &after,
            reports: &self.last_good.values().copied().collect::<Vec<_>>(),
        };
        outcome.troubles = self.felt.troubles(looked, &waited);
        outcome.turned_away = self.felt.turned_away(world);
        let pushed = self.pushes.map(|pushes| pushes.finish(&after.by_twins(before)));
        outcome.push = pushed;
        let links = world.network().connected().into_iter();
        outcome.links = links.map(|(one, other)| (one as u32, other as u32)).collect();
        outcome.lowest_score = world.lowest_score();
        outcome.events = world.events();
        outcome.events_digest = world.digest();
        outcome.trust = self.watches.then(|| self.watch.finish(world));
        outcome
    }
}

fn damage(store: StoreFate) -> Damage {
    match store {
        StoreFate::Kept => Damage::None,
        StoreFate::TornTail => Damage::TornTail(TORN),
        StoreFate::Lost => Damage::StoreLost,
    }
}
