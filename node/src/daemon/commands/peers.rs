//! `peers`, `topics`, `subscribe` and `unsubscribe`.

use super::{Console, Limit};
use crate::daemon::{
    arguments::mesh::{Peers, Subscribe, Topics, Unsubscribe},
    control::{
        documents::{self, Peer, Subscription},
        query,
    },
    exit::{Exit, Failure},
};

pub(super) async fn peers(console: &Console, arguments: &Peers) -> Result<Exit, Failure> {
    let limit = Limit(arguments.limit);
    let mut peers: Vec<Peer> = console
        .client()
        .get(&query::address("/peers", &[limit.asked()]))
        .await?;
    let is_cut = limit.cut(&mut peers);
    if console.report.is_json() {
        peers.iter().try_for_each(|peer| console.report.document(peer))?;
    } else {
        console.report.show(&peers)?;
    }
    if is_cut {
        limit.note(console);
    }
    Ok(if peers.is_empty() {
        Exit::NothingFound
    } else {
        Exit::Done
    })
}

pub(super) async fn topics(console: &Console, arguments: &Topics) -> Result<Exit, Failure> {
    let limit = Limit(arguments.limit);
    let address = query::address("/topics", &[limit.asked()]);
    let mut topics: documents::Topics = console.client().get(&address).await?;
    let is_cut = limit.cut(&mut topics.offered);
    console.report.show(&topics)?;
    if is_cut {
        limit.note(console);
    }
    Ok(Exit::Done)
}

pub(super) async fn subscribe(console: &Console, arguments: Subscribe) -> Result<Exit, Failure> {
    let Subscribe { topics, tlds } = arguments;
    change(
        console,
        Subscription {
            topics,
            tlds,
            ..Subscription::default()
        },
    )
    .await
}

pub(super) async fn unsubscribe(console: &Console, arguments: Unsubscribe) -> Result<Exit, Failure> {
    let Unsubscribe { topics, tlds, all } = arguments;
    change(
        console,
        Subscription {
            topics,
            tlds,
            remove: true,
            all,
        },
    )
    .await
}

async fn change(console: &Console, subscription: Subscription) -> Result<Exit, Failure> {
    let topics: documents::Topics = console.client().post("/topics", &subscription).await?;
    console.report.show(&topics)?;
    Ok(Exit::Done)
}
