//! What the tasks of requests tell the loop.

use libp2p::PeerId;
use starfish_crypto::Digest;
use starfish_protocol::{
    engine::port::{Input, Ticket},
    intake::{Fault, OpenRequest},
    wire::Request,
};

use super::Node;
use crate::mesh::{exchange::Report, peers::peer_of};

impl Node {
    pub(super) fn reported(&mut self, report: Report) {
        match report {
            Report::Progress(ticket) if self.asking.is_running(ticket) => self.feed(Input::Progress(ticket)),
            Report::Answered { ticket, response } if self.asking.end(ticket) => {
                self.feed(Input::Answered { ticket, response });
            }
            // What was given up has no answer.
            Report::Progress(_) | Report::Answered { .. } => {}
            Report::Pushing { ticket, digest } => {
                if let Some(peer) = self.answering.peer(ticket).as_ref().map(peer_of) {
                    self.feed(Input::Pushing { peer, digest });
                }
            }
            Report::Asked { ticket, request } => self.asked(ticket, *request),
            Report::SaidAll(ticket) => {
                if let Some(peer) = self.answering.peer(ticket) {
                    let asked = self.pushing.withdrawn(&peer, ticket, false);
                    self.answer_without_push(asked);
                    self.given_up(&peer, ticket);
                }
            }
            Report::Served(ticket) => {
                if let Some(peer) = self.answering.peer(ticket) {
                    self.given_up(&peer, ticket);
                    self.answering.served(ticket);
                    let asked = self.pushing.withdrawn(&peer, ticket, true);
                    self.answer_without_push(asked);
                }
            }
            Report::PushIsSlow { peer, push, is_open } => {
                self.pushing.slow(peer, push, is_open);
                self.start_streams();
            }
            Report::Pushed { peer, push, took } => {
                let asked = self.pushing.pushed(peer, push, took);
                self.answer_without_push(asked);
            }
        }
    }

    /// Whoever waits for an answer no more may have it from somebody else.
    fn given_up(&mut self, peer: &PeerId, ticket: Ticket) {
        if self.answering.owes(ticket) {
            let peer = peer_of(peer);
            self.feed(Input::GivenUp { peer, ticket });
        }
    }

    fn answer_without_push(&mut self, asked: Vec<(Digest, Ticket)>) {
        for (digest, ticket) in asked {
            self.asked(ticket, Ok(OpenRequest::Plain(Request::Body { digest })));
        }
        self.start_streams();
    }

    /// A peer asks. What is being pushed to it is not answered besides.
    fn asked(&mut self, ticket: Ticket, request: Result<OpenRequest, Fault>) {
        let Some(peer) = self.answering.peer(ticket) else {
            return;
        };
        if let Ok(OpenRequest::Plain(Request::Body { digest })) = &request
            && self.pushing.lets_wait(&peer, *digest, ticket)
        {
            return;
        }
        self.feed(Input::Asked {
            peer: peer_of(&peer),
            ticket,
            request,
        });
    }
}
