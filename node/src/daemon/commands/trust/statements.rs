//! What an organisation says of another: made here, signed by its endorsing key or roots, and handed to the running node.

use super::super::{Console, organisation};
use crate::daemon::{
    arguments::trust::{Saying, Trust},
    ceremony::{self, Made, Wish, documents::Accepted},
    control::documents::Chain,
    exit::{Exit, Failure},
};

/// Makes, signs and hands on what is wished.
pub(super) async fn speak(console: &Console, arguments: &Trust) -> Result<Exit, Failure> {
    let (saying, subject) = match arguments {
        Trust::Endorse(endorse) => (&endorse.saying, Some(&endorse.org)),
        Trust::Withdraw(withdraw) => (&withdraw.saying, Some(&withdraw.org)),
        Trust::Veto(veto) => (&veto.saying, Some(&veto.org)),
        Trust::Subsidiary(subsidiary) => (&subsidiary.saying, Some(&subsidiary.org)),
        Trust::Refresh(refresh) => (&refresh.saying, None),
        // Says nothing to anybody.
        _ => return Ok(Exit::Done),
    };
    let subject = match subject {
        Some(text) => Some(organisation::meant(&console.client(), text).await?),
        None => None,
    };
    let wish = match (arguments, subject) {
        (Trust::Endorse(endorse), Some(org)) => Wish::Endorse(endorse, org),
        (Trust::Withdraw(withdraw), Some(org)) => Wish::Withdraw(withdraw, org),
        (Trust::Veto(veto), Some(org)) => Wish::Veto(veto, org),
        (Trust::Subsidiary(subsidiary), Some(org)) => Wish::Subsidiary(subsidiary, org),
        _ => Wish::Refresh,
    };
    let running = running(console).await?;
    let made = ceremony::speak(wish, saying, &console.data, running.as_deref())?;
    let spoken = match &saying.out {
        Some(out) => ceremony::put_down(&made, out)?,
        None => {
            hand_over(console, saying, &made).await?;
            ceremony::note_down(&made, &console.data)?
        }
    };
    console.report.show(&spoken)?;
    Ok(Exit::Done)
}

/// What the running node knows of its organisation's statements; none when it does not run.
async fn running(console: &Console) -> Result<Option<String>, Failure> {
    match console.client().get::<Chain>("/chain").await {
        Ok(chain) => Ok(Some(chain.statements)),
        Err(failure) if failure.exit == Exit::NotRunning => Ok(None),
        Err(failure) => Err(failure),
    }
}

async fn hand_over(console: &Console, saying: &Saying, made: &Made) -> Result<(), Failure> {
    if made.missing > 0 {
        let message = format!(
            "nothing was said: {} signed and {} more must; write it to a file with --out, let the others sign by \
            `starfish org sign`, and give it to the node by `starfish org accept`",
            crate::daemon::report::counted(saying.keys.len(), "key"),
            made.missing
        );
        return Err(Failure::new(Exit::Refused, message));
    }
    let text: String = made
        .statements
        .iter()
        .map(starfish_protocol::statement::Statement::to_text)
        .collect();
    let told = console
        .client()
        .send_text::<Accepted>("/statements", &[], text.into_bytes())
        .await;
    let told = told.map_err(|failure| match failure.exit {
        Exit::NotRunning => Failure::new(
            Exit::NotRunning,
            format!(
                "nothing was said: {}; or write it to a file with --out and give that to a node later by `starfish org \
                accept`",
                failure.message
            ),
        ),
        _ => failure,
    })?;
    if told.told < made.statements.len() {
        let message = "the node knows newer statements of your organisation than were at hand here; name all of them with \
            --chain, or leave --manifest and --chain out";
        return Err(Failure::new(Exit::Refused, message));
    }
    Ok(())
}
