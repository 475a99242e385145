//! `invite`, `pair`, `unpair` and `block`: whom this node trusts, and whom it refuses.

use std::net::IpAddr;

use hyper::Method;
use libp2p::{Multiaddr, multiaddr::Protocol};

use super::{
    Console,
    organisation::{known, meant},
};
use crate::daemon::{
    arguments::mesh::{Block, Invite, Pair, Unpair},
    control::{
        documents::{self, Done, Invitation, Met, Trust, trust::Explained},
        query,
    },
    exit::{Exit, Failure},
    reach::{self, Nearness},
    report::{Plain, WARN, clean, styled},
    settings::{self, Layers},
};

const QUESTION: &str = "Compare these words with the other operator by voice. Are they the same on both sides? [y/N] ";

/// Prints the code; a person then waits for the visitor and compares words. All but the code goes to standard error, so
/// that the code stays the last line of standard output.
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
    if let Some(caution) = caution(&invitation.address) {
        console.report.note(&styled(WARN, &caution));
    }
    if arguments.yes {
        return Ok(Exit::Done);
    }
    console.report.note(
        "Waiting for the other operator. Ctrl-C ends the waiting and not the code: the node's log then says who came \
        and the words to compare.",
    );
    // Whatever ends the stream before its time, the code ended with the node.
    let met = lines.next_document::<Met>().await.map_err(|_| {
        Failure::new(
            Exit::NotRunning,
            "the node stopped, and its open codes with it; start it and make a new code",
        )
    })?;
    let Some(met) = met else {
        let message = "nobody used the code in time and it works no longer; make a new one, with --lasts for longer";
        return Err(Failure::new(Exit::Incomplete, message));
    };
    let met = decide(console, met, false).await?;
    if console.report.is_json() {
        console.report.document(&met)?;
    } else {
        met.plain().iter().for_each(|line| console.report.note(line));
    }
    Ok(Exit::Done)
}

/// What the operator should know about a code that does not lead everywhere.
fn caution(address: &str) -> Option<String> {
    let address: Multiaddr = address.parse().ok()?;
    let host = address.iter().find_map(|part| match part {
        Protocol::Ip4(address) => Some(IpAddr::from(address)),
        Protocol::Ip6(address) => Some(IpAddr::from(address)),
        _ => None,
    })?;
    let near = match reach::nearness(host) {
        Nearness::Anywhere => return None,
        Nearness::Network => "nodes inside your own network",
        Nearness::Machine => "nodes on this machine",
    };
    Some(format!(
        "Only {near} can use this code, because it leads to {host}. For others write the node's public address or name \
        as public_address into starfish.toml, start the node again and make a new code."
    ))
}

pub(super) async fn pair(console: &Console, arguments: &Pair) -> Result<Exit, Failure> {
    let Some(code) = arguments.code.clone() else {
        return trust(console, &arguments.confirm.clone().unwrap_or_default()).await;
    };
    let met: Met = console.client().post("/pair", &documents::Pair { code }).await?;
    let met = decide(console, met, arguments.yes).await?;
    console.report.show(&met)?;
    console
        .report
        .note("The other operator answers for their own side; `starfish peers` shows the connection.");
    Ok(Exit::Done)
}

/// Shows whom we met, and trusts them when the words were compared.
async fn decide(console: &Console, met: Met, yes: bool) -> Result<Met, Failure> {
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
        let message = format!(
            "not trusted yet. If the words are the same on both sides, type: {}\nIf they differ, somebody is in \
            between: make a new code and send it another way.",
            console.command(&format!("pair --confirm {}", met.organisation))
        );
        return Err(Failure::new(Exit::Incomplete, message));
    }
    let asked = Trust {
        organisation: met.organisation.clone(),
        trusted: true,
    };
    let _: Done = console.client().post("/trust", &asked).await?;
    Ok(Met { confirmed: true, ..met })
}

/// Trusts whoever used a code of this node, and so is known to it.
async fn trust(console: &Console, text: &str) -> Result<Exit, Failure> {
    let client = console.client();
    let asked = Trust {
        organisation: known(&client, text).await?.to_string(),
        trusted: true,
    };
    let done: Done = client.post("/trust", &asked).await?;
    console.report.show(&done)?;
    Ok(Exit::Done)
}

pub(super) async fn unpair(console: &Console, arguments: Unpair) -> Result<Exit, Failure> {
    let asked = Trust {
        organisation: meant(&console.client(), &arguments.org).await?.to_string(),
        trusted: false,
    };
    let done: Done = console.client().post("/trust", &asked).await?;
    console.report.show(&done)?;
    // The file may have been changed since the node started, and it is what the next start reads.
    let settings = settings::load(&console.data, &Layers::of_process(Vec::new())).ok();
    let listed = settings.map(|settings| settings.organisations).unwrap_or_default();
    if asked.organisation.parse().is_ok_and(|org| listed.contains(&org)) {
        console.report.note(&styled(
            WARN,
            "The configuration lists this organisation under [trust]: remove it there too, or the next start trusts it \
            again.",
        ));
    }
    let reasons = query::address(
        "/reasons",
        &[("organisation", asked.organisation), ("topics", String::new())],
    );
    let explained: Explained = console.client().get(&reasons).await?;
    if explained.accept {
        console.report.note(&styled(
            WARN,
            "It is still believed, because others vouch for it or a root entry does; `starfish trust explain` says who.",
        ));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_does_not_lead_everywhere_is_told() {
        let check = |address: &str, expected: Option<&str>| {
            let caution = caution(address);
            assert_eq!(caution.is_some(), expected.is_some(), "{address}: {caution:?}");
            assert!(
                caution.unwrap_or_default().contains(expected.unwrap_or_default()),
                "{address}"
            );
        };
        check("/ip4/203.0.113.9/tcp/4852", None);
        check("/dns/node.cert.example/tcp/4852", None);
        check("/ip6/2001:db8::1/tcp/4852", None);
        check("/ip4/127.0.0.1/tcp/4852", Some("this machine"));
        check("/ip6/::1/tcp/4852", Some("this machine"));
        check("/ip4/192.168.0.7/tcp/4852", Some("your own network"));
        check("/ip6/fd00::1/tcp/4852", Some("your own network"));
    }
}
