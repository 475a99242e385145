//! `invite`, `pair`, `unpair` and `block`: whom this node trusts, and whom it refuses.

use hyper::Method;

use super::Console;
use crate::daemon::{
    arguments::mesh::{Block, Invite, Pair, Unpair},
    control::documents::{self, Done, Invitation, Met, Trust},
    exit::{Exit, Failure},
    report::clean,
};

const QUESTION: &str = "Compare the words with the other operator by voice. Are they the same on both sides? [y/N]";

/// Prints the code; a person then waits for the visitor and compares words.
pub(super) async fn invite(console: &Console, arguments: &Invite) -> Result<Exit, Failure> {
    let parameters = [
        ("lasts", arguments.lasts.0.0.to_string()),
        ("confirmed", arguments.yes.to_string()),
    ];
    let mut lines = console.client().lines(Method::POST, "/invite", &parameters).await?;
    let Some(invitation) = lines.next_document::<Invitation>().await? else {
        return Err(Failure::new(
            Exit::Incomplete,
            "the node gave no code; its log says why",
        ));
    };
    console.report.show(&invitation)?;
    if arguments.yes {
        return Ok(Exit::Done);
    }
    console
        .report
        .note("Waiting for the other side. Ctrl-C stops the waiting; the code goes on working.");
    let Some(met) = lines.next_document::<Met>().await? else {
        return Err(Failure::new(
            Exit::Incomplete,
            "nobody used the code; it works no longer",
        ));
    };
    decide(console, met, false).await
}

pub(super) async fn pair(console: &Console, arguments: &Pair) -> Result<Exit, Failure> {
    let Some(code) = arguments.code.clone() else {
        let organisation = arguments.confirm.clone().unwrap_or_default();
        return trust(console, organisation).await;
    };
    let met: Met = console.client().post("/pair", &documents::Pair { code }).await?;
    decide(console, met, arguments.yes).await
}

/// Shows whom we met, and trusts them when the words were compared.
async fn decide(console: &Console, met: Met, yes: bool) -> Result<Exit, Failure> {
    if !console.report.is_json() {
        console
            .report
            .note(&format!("{} ({})", clean(&met.name), met.organisation));
        console.report.note(&format!("words: {}", met.words.join(" ")));
    }
    if !(yes || met.confirmed || console.asks(QUESTION)) {
        if console.report.is_json() {
            console.report.document(&met)?;
        }
        let remedy = format!(
            "after comparing the words, type `starfish pair --confirm {}`",
            met.organisation
        );
        return Err(Failure::new(Exit::Incomplete, format!("not trusted yet: {remedy}")));
    }
    let asked = Trust {
        organisation: met.organisation.clone(),
        trusted: true,
    };
    let _: Done = console.client().post("/trust", &asked).await?;
    console.report.show(&Met { confirmed: true, ..met })?;
    Ok(Exit::Done)
}

async fn trust(console: &Console, organisation: String) -> Result<Exit, Failure> {
    let done: Done = console
        .client()
        .post(
            "/trust",
            &Trust {
                organisation,
                trusted: true,
            },
        )
        .await?;
    console.report.show(&done)?;
    Ok(Exit::Done)
}

pub(super) async fn unpair(console: &Console, arguments: Unpair) -> Result<Exit, Failure> {
    let asked = Trust {
        organisation: arguments.org,
        trusted: false,
    };
    let done: Done = console.client().post("/trust", &asked).await?;
    console.report.show(&done)?;
    Ok(Exit::Done)
}

pub(super) async fn block(console: &Console, arguments: Block) -> Result<Exit, Failure> {
    let asked = documents::Block {
        peer: arguments.peer,
        blocked: !arguments.undo,
    };
    let done: Done = console.client().post("/block", &asked).await?;
    console.report.show(&done)?;
    Ok(Exit::Done)
}
