//! `peers`, `topics`, `subscribe` and `unsubscribe`.

use super::Console;
use crate::daemon::{
    arguments::mesh::{Subscribe, Unsubscribe},
    control::documents::{Peer, Subscription, Topics},
    exit::{Exit, Failure},
};

pub(super) async fn peers(console: &Console) -> Result<Exit, Failure> {
    let peers: Vec<Peer> = console.client().get("/peers").await?;
    if console.report.is_json() {
        peers.iter().try_for_each(|peer| console.report.document(peer))?;
    } else {
        console.report.show(&peers)?;
    }
    Ok(if peers.is_empty() {
        Exit::NothingFound
    } else {
        Exit::Done
    })
}

pub(super) async fn topics(console: &Console) -> Result<Exit, Failure> {
    let topics: Topics = console.client().get("/topics").await?;
    console.report.show(&topics)?;
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
    let topics: Topics = console.client().post("/topics", &subscription).await?;
    console.report.show(&topics)?;
    Ok(Exit::Done)
}
