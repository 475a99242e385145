//! The event loop: [`Node`]. One turn at a time, local work before anything from the network, so that a flood from
//! outside cannot keep what was accepted from being finished.

mod confiding;
mod gossip;
mod network;
mod orders;
mod outputs;
mod reports;

use std::{
    collections::{BTreeMap, VecDeque},
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::{
    Stream as _,
    channel::{mpsc, oneshot},
    future::BoxFuture,
    stream::{FuturesUnordered, StreamExt},
};
use libp2p::{
    PeerId, Swarm,
    core::transport::ListenerId,
    metrics::Metrics,
    swarm::{ConnectionId, SwarmEvent},
};
use starfish_protocol::{
    engine::{
        Engine,
        port::{Input, Outcome, Ticket},
    },
    statement::Checker,
    time::Millis,
    wire::Channel,
};

use super::{
    KeepError, Keeper, MeshError, MeshSettings,
    behaviour::{Behaviour, BehaviourEvent, gossip::Topics},
    bell::Bell,
    environment::{Env, time},
    event::Event,
    exchange::{Desk, REPORTS, Report, answering::Answering, asking::Asking, pushing::Pushing},
    figures::Figures,
    handle::{DialError, Order},
    intake::{Checked, Intake},
    keeper::Writer,
    peers::{
        connections::Connections,
        dialling::Dialler,
        watchdog::{self, Watchdog},
    },
};

/// The shortest sleep, so that a wake-up that is asked for again and again cannot spin.
const SHORTEST_SLEEP: u64 = 1;
/// Messages of our own that wait for the first peer to give them to.
const UNDELIVERED: usize = 64;

/// libp2p's part of a node.
pub(crate) struct Network {
    pub(crate) swarm: Swarm<Behaviour>,
    pub(crate) metrics: Option<Metrics>,
    pub(crate) figures: Figures,
    pub(crate) topics: Topics,
    pub(crate) listeners: Vec<ListenerId>,
}

/// What happened next.
enum Turn {
    Written(Result<Vec<Ticket>, KeepError>),
    Checked(Checked),
    Computed(Option<Input>),
    Alarm,
    Report(Report),
    Order(Order),
    Swarm(Box<SwarmEvent<BehaviourEvent>>),
}

/// An orderly end.
struct Ending {
    earliest: Millis,
    deadline: Millis,
    tell: Vec<oneshot::Sender<()>>,
    closing: bool,
}

impl Ending {
    /// When to look at it again.
    fn next(&self, now: Millis) -> Millis {
        if self.closing || self.earliest <= now {
            self.deadline
        } else {
            self.earliest
        }
    }
}

/// One node of the mesh.
pub(crate) struct Node {
    env: Arc<dyn Env>,
    settings: MeshSettings,
    network: Network,
    engine: Engine,
    keeper: Arc<dyn Keeper>,
    inputs: VecDeque<Input>,
    // Local work under way.
    local: Bell,
    writer: Writer,
    intake: Intake,
    computing: FuturesUnordered<BoxFuture<'static, Option<Input>>>,
    alarm: Option<(Millis, BoxFuture<'static, ()>)>,
    /// When the rules want to be woken.
    wake: Option<Millis>,
    // Requests.
    desk: Desk,
    reports: mpsc::Receiver<Report>,
    asking: Asking,
    answering: Answering,
    pushing: Pushing,
    undelivered: VecDeque<(Channel, Vec<u8>)>,
    // Peers.
    connections: Connections,
    dialler: Dialler,
    watchdog: Watchdog,
    next_look: Millis,
    expelled: BTreeMap<PeerId, Millis>,
    /// Peers that may be told TLP:GREEN since their connections were made, and when these are made anew.
    gained: BTreeMap<PeerId, Millis>,
    // The operator.
    orders: mpsc::Receiver<Order>,
    commands: BTreeMap<Ticket, oneshot::Sender<Outcome>>,
    dials: BTreeMap<ConnectionId, oneshot::Sender<Result<PeerId, DialError>>>,
    tickets: Ticket,
    ending: Option<Ending>,
}

impl Node {
    pub(crate) fn new(
        env: Arc<dyn Env>,
        settings: MeshSettings,
        network: Network,
        engine: Engine,
        keeper: Arc<dyn Keeper>,
        checker: Arc<dyn Checker>,
        orders: mpsc::Receiver<Order>,
    ) -> Self {
        let (sender, reports) = mpsc::channel(REPORTS);
        let limits = settings.limits.clone();
        let figures = network.figures.clone();
        let patience = Millis(limits.patience);
        let now = env.now();
        let mut dialler = Dialler::default();
        for address in &settings.dial {
            dialler.add_address(address.clone(), now);
        }
        Self {
            local: Bell::default(),
            writer: Writer::new(Arc::clone(&env), Arc::clone(&keeper), limits.waiting_steps),
            intake: Intake::new(Arc::clone(&env), Arc::clone(&checker), &limits),
            desk: Desk {
                env: Arc::clone(&env),
                checker,
                figures,
                reports: sender,
                patience,
            },
            connections: Connections::new(*network.swarm.local_peer_id()),
            pushing: Pushing::new(limits.push_bytes, limits.uploads_per_peer),
            answering: Answering::new(limits),
            env,
            settings,
            network,
            engine,
            keeper,
            inputs: VecDeque::new(),
            computing: FuturesUnordered::new(),
            alarm: None,
            wake: None,
            reports,
            asking: Asking::default(),
            undelivered: VecDeque::new(),
            dialler,
            watchdog: Watchdog::default(),
            next_look: Millis(now.0 + watchdog::LOOK_EVERY.0),
            expelled: BTreeMap::new(),
            gained: BTreeMap::new(),
            orders,
            commands: BTreeMap::new(),
            dials: BTreeMap::new(),
            tickets: 0,
            ending: None,
        }
    }

    /// Runs until told to end, or until the store fails. Behind a pointer, because a future has room for every move of what it
    /// is given.
    pub(crate) async fn run(mut self: Box<Self>) -> Result<(), MeshError> {
        self.feed(Input::Woken);
        loop {
            self.look_after_peers();
            self.set_alarm();
            // Whatever happened last may have begun something.
            self.local.ring();
            let turn = poll_fn(|cx| self.poll_turn(cx)).await;
            self.take(turn)?;
            if self.has_ended() {
                break;
            }
        }
        for told in self.ending.into_iter().flat_map(|ending| ending.tell) {
            // Whoever wanted the end may have stopped waiting for it.
            let _ = told.send(());
        }
        Ok(())
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        if self.local.has_rung(cx.waker()) {
            let waker = self.local.waker().clone();
            if let Poll::Ready(turn) = self.poll_local(&mut Context::from_waker(&waker)) {
                return Poll::Ready(turn);
            }
        }
        if self.writer.is_full() {
            return Poll::Pending;
        }
        match Pin::new(&mut self.network.swarm).poll_next(cx) {
            Poll::Ready(Some(event)) => Poll::Ready(Turn::Swarm(Box::new(event))),
            _ => Poll::Pending,
        }
    }

    /// Everything but the swarm, whose connections wake a node most of the time.
    fn poll_local(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        if let Poll::Ready(written) = self.writer.poll(cx) {
            return Poll::Ready(Turn::Written(written));
        }
        if let Poll::Ready(checked) = self.intake.poll_checked(cx) {
            return Poll::Ready(Turn::Checked(checked));
        }
        if let Poll::Ready(Some(input)) = self.computing.poll_next_unpin(cx) {
            return Poll::Ready(Turn::Computed(input));
        }
        if let Some((_, alarm)) = &mut self.alarm
            && alarm.as_mut().poll(cx).is_ready()
        {
            self.alarm = None;
            return Poll::Ready(Turn::Alarm);
        }
        if let Poll::Ready(Some(report)) = self.reports.poll_next_unpin(cx) {
            return Poll::Ready(Turn::Report(report));
        }
        // Without any handle left, nobody can give orders; the node goes on.
        match self.orders.poll_next_unpin(cx) {
            Poll::Ready(Some(order)) => Poll::Ready(Turn::Order(order)),
            _ => Poll::Pending,
        }
    }

    fn take(&mut self, turn: Turn) -> Result<(), MeshError> {
        match turn {
            Turn::Written(tickets) => {
                for ticket in tickets? {
                    self.feed(Input::Appended(ticket));
                }
            }
            Turn::Checked(checked) => self.gossip_checked(checked),
            Turn::Computed(input) => {
                if let Some(input) = input {
                    self.feed(input);
                }
            }
            Turn::Alarm => {
                if self.wake.is_some_and(|wake| wake <= self.env.now()) {
                    self.wake = None;
                    self.feed(Input::Woken);
                }
            }
            Turn::Report(report) => self.reported(report),
            Turn::Order(order) => self.ordered(order),
            Turn::Swarm(event) => self.happened(*event),
        }
        Ok(())
    }

    /// One step of the rules, and of whatever follows from it at once.
    fn feed(&mut self, input: Input) {
        self.inputs.push_back(input);
        while let Some(input) = self.inputs.pop_front() {
            for output in self.engine.handle(time(self.env.as_ref()), input) {
                self.carry_out(output);
            }
            self.start_streams();
        }
    }

    /// Sets the alarm to the next thing that is due, whatever it is.
    fn set_alarm(&mut self) {
        let connected = |peer: &PeerId| self.connections.holds(peer);
        let dial = if self.ending.is_some() {
            None
        } else {
            self.dialler.next_due(connected)
        };
        let ending = self.ending.as_ref().map(|ending| ending.next(self.env.now()));
        let expelled = self.expelled.values().min().copied();
        let gained = self.gained.values().min().copied();
        let due = [
            self.wake,
            self.connections.next_due(),
            dial,
            Some(self.next_look),
            ending,
            expelled,
            gained,
        ];
        let Some(due) = due.into_iter().flatten().min() else {
            return;
        };
        if self.alarm.as_ref().is_none_or(|(at, _)| *at != due) {
            let length = due.0.saturating_sub(self.env.now().0).max(SHORTEST_SLEEP);
            self.alarm = Some((due, self.env.sleep(Millis(length))));
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        self.tickets
    }

    fn emit(&self, event: Event) {
        self.env.emit(event);
    }
}
