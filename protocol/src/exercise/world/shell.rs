//! What the world does for an engine: carrying out its outputs, and bringing it what happens.

use starfish_crypto::{Digest, PublicKey, Strict, domain};

use crate::{
    codec,
    engine::port::{Acceptance, AskError, DisconnectReason, Input, Output, Query, Ticket},
    intake::{self, Fault, OpenResponse},
    peer::Peer,
    record::open_body,
    wire::{Channel, FRAME_BYTES, Request, Response},
};

use super::{Delivery, World};

/// How long a store takes.
const STORE: u64 = 3;
/// How long it takes until a connection is made anew.
const REDIAL: u64 = 300;

impl World {
    /// Gives an engine one input and carries out what it says.
    pub fn feed(&mut self, number: usize, input: Input) {
        let time = self.time(number);
        let gossip = matches!(input, Input::Gossip { .. });
        let Some(engine) = self.nodes[number].engine.as_mut() else {
            return;
        };
        let outputs = engine.handle(time, input);
        let verdicts = outputs
            .iter()
            .filter(|output| matches!(output, Output::Validate { .. }))
            .count();
        assert_eq!(verdicts, usize::from(gossip), "gossip is answered at once, and once");
        for output in outputs {
            self.carry_out(number, output);
        }
    }

    fn carry_out(&mut self, number: usize, output: Output) {
        match output {
            Output::Validate {
                peer,
                channel,
                message,
                acceptance,
            } => self.validated(number, &peer, channel, &message, acceptance),
            Output::Gossip { channel, payload } => self.spread(number, channel, &payload, None),
            Output::Push {
                channel,
                header,
                body,
                spared,
                ..
            } => self.push(number, channel, &Request::Push { header, body }, &spared),
            Output::Confide { key, may } => self.confide(number, key, may),
            Output::Ask {
                ticket,
                peer,
                request,
                deadline,
            } => self.ask(number, ticket, peer, request, deadline.0),
            Output::Cancel(ticket) => self.cancel(number, ticket),
            Output::Reply { ticket, response } => self.reply(number, ticket, response),
            Output::Open {
                ticket,
                header,
                compressed,
            } => {
                self.later(
                    number,
                    1,
                    Delivery::Open {
                        ticket,
                        opening: (Box::new(header), compressed),
                    },
                );
            }
            Output::Append { ticket, changes } => {
                // A store has one writer: what was appended first is durable first.
                let delay = STORE + self.random(STORE);
                self.nodes[number].appends.push_back((ticket, changes));
                self.later(number, delay, Delivery::Append);
            }
            Output::Read { ticket, query } => {
                self.nodes[number].looks += usize::from(matches!(query, Query::Missing { .. }));
                self.later(number, 1, Delivery::Read { ticket, query });
            }
            Output::Done { ticket, outcome } => {
                let before = self.nodes[number].done.insert(ticket, outcome);
                assert!(before.is_none(), "a command ends once");
            }
            Output::Disconnect { peer, reason } => self.disconnect(number, peer, reason),
            Output::Dial { key, addresses, wish } => {
                self.nodes[number].dialled.insert(key, (addresses, wish));
            }
            Output::Score { peer, strikes } => {
                self.nodes[number].strikes.insert(peer, strikes);
            }
            Output::Wake(at) => {
                let node = &mut self.nodes[number];
                let at = (node.born + at.0).saturating_sub(1).max(self.now);
                if node.waking.insert(at) {
                    self.later(number, at - self.now, Delivery::Wake);
                }
            }
            Output::Event(event) => self.nodes[number].events.push(event),
        }
    }

    fn push(&mut self, number: usize, channel: Channel, push: &Request, spared: &[Peer]) {
        let frame = codec::encode(push);
        for other in self.neighbours(number) {
            let is_spared = spared.contains(&self.nodes[other].identity.peer());
            if !is_spared && (channel != Channel::Green || self.confides(number, other)) {
                self.send_request(number, other, None, frame.clone());
            }
        }
    }

    fn neighbours(&self, number: usize) -> Vec<usize> {
        (0..self.nodes.len())
            .filter(|other| self.linked(number, *other))
            .collect()
    }

    /// Whether a node was told that it may tell another what is TLP:GREEN.
    pub fn confides(&self, number: usize, other: usize) -> bool {
        let key = self.nodes[other].identity.key.public();
        self.nodes[number].confided.contains(&key)
    }

    /// Whoever loses the right loses the connection, and with it what is on its way; a new one is made soon.
    fn confide(&mut self, number: usize, key: PublicKey, may: bool) {
        let confided = &mut self.nodes[number].confided;
        if may {
            confided.insert(key);
            return;
        }
        confided.remove(&key);
        let other = self.nodes.iter().position(|node| node.identity.key.public() == key);
        if let Some(other) = other.filter(|other| self.linked(number, *other)) {
            self.unlink(number, other);
            self.later(number, REDIAL, Delivery::Link(other));
        }
    }

    fn delay(&mut self) -> u64 {
        1 + self.random(self.chaos.delay)
    }

    /// Sends gossip to every neighbour but one; what is GREEN between nodes that confide in each other.
    fn spread(&mut self, number: usize, channel: Channel, payload: &[u8], but: Option<&Peer>) {
        let id = message_id(channel, payload);
        self.nodes[number].seen.insert(id, Vec::new());
        let from = self.nodes[number].identity.peer();
        for other in self.neighbours(number) {
            let mutual = self.confides(number, other) && self.confides(other, number);
            if but == Some(&self.nodes[other].identity.peer()) || (channel == Channel::Green && !mutual) {
                continue;
            }
            let copies = 1 + u64::from(self.random(100) < self.chaos.repeated);
            for _ in 0..copies {
                if self.random(100) >= self.chaos.lost {
                    let delay = self.delay();
                    self.later(
                        other,
                        delay,
                        Delivery::Gossip {
                            from: from.clone(),
                            channel,
                            payload: payload.to_vec(),
                        },
                    );
                }
            }
        }
    }

    fn validated(&mut self, number: usize, peer: &Peer, channel: Channel, message: &[u8], acceptance: Acceptance) {
        self.nodes[number].verdicts.push(acceptance);
        let id = Digest::from_bytes(message.try_into().expect("the shell's own name for a message"));
        let payload = self.nodes[number].seen.insert(id, Vec::new()).unwrap_or_default();
        if acceptance == Acceptance::Accept {
            self.spread(number, channel, &payload, Some(peer));
        }
    }

    fn ask(&mut self, number: usize, ticket: Ticket, peer: Peer, request: Request, deadline: u64) {
        let body = if let Request::Body { digest } = &request {
            Some(*digest)
        } else {
            None
        };
        let node = &mut self.nodes[number];
        node.bodies_asked += usize::from(body.is_some());
        node.asks.insert(ticket, (peer.clone(), body));
        self.later(number, deadline, Delivery::Lost(ticket));
        match self.number_of(&peer) {
            Some(other) => self.send_request(number, other, Some(ticket), codec::encode(&request)),
            None => self.nodes[number].asked.push((peer, ticket, request)),
        }
    }

    fn cancel(&mut self, number: usize, ticket: Ticket) {
        let asked = self.nodes[number].asks.remove(&ticket);
        if let Some(other) = asked.and_then(|(peer, _)| self.number_of(&peer)) {
            let (delay, from) = (self.delay(), self.nodes[number].identity.peer());
            self.later(other, delay, Delivery::Withdrawn { from, ticket });
        }
    }

    fn send_request(&mut self, number: usize, other: usize, asked: Option<Ticket>, frame: Vec<u8>) {
        self.exchanged = (self.exchanged.0 + frame.len() as u64, self.exchanged.1 + 1);
        if self.linked(number, other) && self.random(100) >= self.chaos.lost {
            let (delay, from) = (self.delay(), self.nodes[number].identity.peer());
            self.later(other, delay, Delivery::Request { from, asked, frame });
        }
    }

    fn reply(&mut self, number: usize, ticket: Ticket, response: Response) {
        let Some((peer, asked)) = self.nodes[number].requests.remove(&ticket) else {
            panic!("a reply to nothing, or the second one: {response:?}");
        };
        let (Some(asked), Some(other)) = (asked, self.number_of(&peer)) else {
            self.nodes[number].answered.insert(ticket, response);
            return;
        };
        let frame = codec::encode(&response);
        self.exchanged.0 += frame.len() as u64;
        if self.linked(number, other) && self.random(100) >= self.chaos.lost {
            let (delay, from) = (self.delay(), self.nodes[number].identity.peer());
            self.later(
                other,
                delay,
                Delivery::Response {
                    from,
                    ticket: asked,
                    frame,
                },
            );
        }
    }

    fn disconnect(&mut self, number: usize, peer: Peer, reason: DisconnectReason) {
        self.nodes[number].disconnected.push((peer.clone(), reason));
        match self.number_of(&peer) {
            Some(other) => self.unlink(number, other),
            None => self.feed(number, Input::Disconnected(peer)),
        }
    }

    pub(super) fn deliver(&mut self, number: usize, delivery: Delivery) {
        match delivery {
            Delivery::Gossip { from, channel, payload } => self.gossip_over(number, from, channel, payload),
            Delivery::Link(other) => self.link(number, other),
            Delivery::Request { from, asked, frame } => {
                if asked.is_none() {
                    self.nodes[number].body_bytes += frame.len() as u64;
                }
                self.request(number, from, asked, &frame);
            }
            Delivery::Withdrawn { from, ticket } => self.withdrawn(number, from, ticket),
            Delivery::Response { ticket, frame, .. } => {
                let decoded = codec::decode::<Response>(&frame, FRAME_BYTES).expect("engines say what decodes");
                if let Response::Body(body) = &decoded {
                    self.nodes[number].body_bytes += body.len() as u64;
                }
                self.respond(number, ticket, decoded);
            }
            Delivery::Lost(ticket) => {
                if self.nodes[number].asks.remove(&ticket).is_some() {
                    self.feed(
                        number,
                        Input::Answered {
                            ticket,
                            response: Err(AskError::Timeout),
                        },
                    );
                }
            }
            Delivery::Append if self.nodes[number].stalled => self.later(number, STORE, Delivery::Append),
            Delivery::Append => {
                let Some((ticket, changes)) = self.nodes[number].appends.pop_front() else {
                    return;
                };
                changes
                    .into_iter()
                    .for_each(|change| self.nodes[number].store.apply(change));
                self.later(number, 0, Delivery::Appended(ticket));
            }
            Delivery::Appended(ticket) => self.feed(number, Input::Appended(ticket)),
            Delivery::Read { ticket, query } => {
                let (found, slow) = (self.nodes[number].found(&query), self.nodes[number].reading);
                if slow > 0 {
                    let found = Box::new(found);
                    return self.later(number, slow, Delivery::Found { ticket, found });
                }
                self.feed(number, Input::Found { ticket, found });
            }
            Delivery::Found { ticket, found } => self.feed(number, Input::Found { ticket, found: *found }),
            Delivery::Open {
                ticket,
                opening: (header, compressed),
            } => {
                let body = open_body(&header, &compressed).map(|body| (compressed, body));
                self.feed(number, Input::Opened { ticket, body });
            }
            Delivery::Wake => {
                let now = self.now;
                self.nodes[number].waking.remove(&now);
                self.feed(number, Input::Woken);
            }
        }
    }

    /// A neighbour's request is given up, and its stream is gone: whatever is still said goes nowhere.
    fn withdrawn(&mut self, number: usize, from: Peer, ticket: Ticket) {
        let mut open = self.nodes[number].requests.iter_mut();
        let given_up = (from, Some(ticket));
        if let Some((ticket, request)) = open.find(|(_, request)| **request == given_up) {
            request.1 = None;
            let (peer, ticket) = (given_up.0, *ticket);
            self.feed(number, Input::GivenUp { peer, ticket });
        }
    }

    /// Brings a gossip message to a node, over the mesh that everyone is in; from anybody, connected or not.
    pub fn gossip(&mut self, number: usize, from: Peer, payload: Vec<u8>) {
        self.gossip_over(number, from, Channel::Clear, payload);
    }

    /// The same over any mesh.
    pub fn gossip_over(&mut self, number: usize, from: Peer, channel: Channel, payload: Vec<u8>) {
        let id = message_id(channel, &payload);
        if self.nodes[number].engine.is_none() || self.nodes[number].seen.contains_key(&id) {
            return;
        }
        let opened = intake::open_gossip(channel, &payload, &Strict);
        self.nodes[number].seen.insert(id, payload);
        self.feed(
            number,
            Input::Gossip {
                peer: from,
                channel,
                message: id.as_bytes().to_vec(),
                opened,
            },
        );
    }

    /// Brings a request to a node, and says under which number it will be answered.
    pub fn request(&mut self, number: usize, from: Peer, asked: Option<Ticket>, frame: &[u8]) -> Ticket {
        let node = &mut self.nodes[number];
        node.next_request += 1;
        let ticket = node.next_request;
        if node.engine.is_some() {
            node.requests.insert(ticket, (from.clone(), asked));
            self.feed(
                number,
                Input::Asked {
                    peer: from,
                    ticket,
                    request: intake::open_request(frame, &Strict),
                },
            );
        }
        ticket
    }

    /// Brings an answer to a request of this node, unless it gave that up.
    pub fn respond(&mut self, number: usize, ticket: Ticket, response: Response) {
        let Some((_, body)) = self.nodes[number].asks.remove(&ticket) else {
            return;
        };
        let response = match (response, body) {
            // The stream checks a body against its digest, group by group.
            (Response::Body(bytes), Some(digest)) if digest.as_bytes() != blake3::hash(&bytes).as_bytes() => {
                Err(AskError::Fault(Fault::Body))
            }
            (response, _) => intake::open_response(response, &Strict).map_err(AskError::Fault),
        };
        let part = matches!(response, Ok(OpenResponse::Plain(Response::Body(_))));
        if part {
            self.feed(number, Input::Progress(ticket));
        }
        self.feed(number, Input::Answered { ticket, response });
    }
}

fn message_id(channel: Channel, payload: &[u8]) -> Digest {
    Digest::of(domain::BODY, &[&[channel as u8], payload].concat())
}
