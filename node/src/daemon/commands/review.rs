//! `quarantine` and `audit`: what an operator looks through.

use hyper::Method;

use super::{Console, Limit, organisation};
use crate::daemon::{
    arguments::{
        date::Since,
        review::{Audit, List, Quarantine},
    },
    control::{
        documents::{Decided, Decision, Held, HeldRecord, Line},
        query,
    },
    exit::{Exit, Failure},
    moment,
};

pub(super) async fn quarantine(console: &Console, arguments: Quarantine) -> Result<Exit, Failure> {
    match arguments {
        Quarantine::List(list) => return self::list(console, &list).await,
        Quarantine::Show(show) => {
            let parameters = [("record", show.record), ("limit", show.limit.to_string())];
            let held: HeldRecord = console.client().get(&query::address("/held", &parameters)).await?;
            console.report.show(&held)?;
        }
        Quarantine::Release(release) => decide(console, release.record, true).await?,
        Quarantine::Drop(drop) => decide(console, drop.record, false).await?,
    }
    Ok(Exit::Done)
}

async fn list(console: &Console, arguments: &List) -> Result<Exit, Failure> {
    let limit = Limit(arguments.limit);
    let mut parameters = vec![limit.asked()];
    if let Some(text) = &arguments.org {
        let org = organisation::meant(&console.client(), text).await?;
        parameters.push(("organisation", org.to_string()));
    }
    let lines = console.client().lines(Method::GET, "/quarantine", &parameters).await?;
    console.stream::<Held>(lines, limit, "nothing is in quarantine").await
}

async fn decide(console: &Console, record: String, release: bool) -> Result<(), Failure> {
    let decided: Decided = console
        .client()
        .post("/quarantine", &Decision { record, release })
        .await?;
    console.report.show(&decided)
}

pub(super) async fn audit(console: &Console, arguments: &Audit) -> Result<Exit, Failure> {
    let limit = Limit(arguments.limit);
    let from = match arguments.since {
        Some(Since::Line(line)) => ("line", line.to_string()),
        Some(Since::Date(date)) => ("since", date.ago(moment::now()).0.to_string()),
        None => ("newest", arguments.limit.to_string()),
    };
    let parameters = [from, limit.asked()];
    let lines = console.client().lines(Method::GET, "/audit", &parameters).await?;
    console.stream::<Line>(lines, limit, "nothing was decided").await
}
