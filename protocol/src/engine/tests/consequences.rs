//! What follows from statements that take rights away or give them back: the same everywhere, whatever came first.

mod recoveries;
mod revocations;
mod settlements;
mod voided;

use starfish_crypto::{Strict, Verified};

use crate::{
    codec,
    engine::port::{Acceptance, Command, Deed},
    exercise::{Identity, World, identity::addresses},
    organisation::OrgId,
    record::Header,
    statement::Statement,
    wire::Gossip,
};

/// Gives statements to a node by its operator.
fn tell(world: &mut World, node: usize, statements: &[Statement]) {
    let checked = statements
        .iter()
        .map(|told| told.clone().check(&Strict).expect("it holds"));
    world.command(node, Command::Tell(checked.collect()));
}

/// A header as its author sends it, with its body.
fn gossip(world: &mut World, node: usize, author: &Identity, header: &Verified<Header>, number: u32) -> Acceptance {
    let payload = Gossip::Header {
        header: header.signed().clone(),
        body: Some(addresses(number, 1).compressed),
    };
    world.gossip(node, author.peer(), codec::encode(&payload));
    *world.nodes[node].verdicts().last().expect("gossip is answered")
}

/// The headers with the bodies `addresses(1, 1)`, `addresses(2, 1)` and so on.
fn chain(author: &Identity, length: u32) -> Vec<Verified<Header>> {
    author.chain(&(1..=length).map(|number| addresses(number, 1)).collect::<Vec<_>>())
}

/// How many values a node shows.
fn shown(world: &World, node: usize) -> usize {
    world.nodes[node].store.shown().len()
}

/// How often the audit log of a node says this.
fn told_of(world: &World, node: usize, what: Deed) -> usize {
    let audit = world.nodes[node].store.audit.iter();
    audit.filter(|line| line.what == what).count()
}
