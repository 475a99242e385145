//! What the operator decides about others by himself, and the questions whom this node believes, and why.

use std::{io::Write, path::Path};

use super::{
    super::{Console, Limit, organisation},
    drawing,
};
use crate::daemon::{
    arguments::trust::{About, Explain, Format, Last, List, Pin, Root, Show},
    control::{
        documents::{
            Done,
            trust::{self, Explained, Graph, Known, NewRoot, Party, Trusted},
        },
        query,
    },
    exit::{Exit, Failure},
};

pub(super) async fn root(console: &Console, arguments: &Root) -> Result<Exit, Failure> {
    let client = console.client();
    let asked = match arguments {
        Root::Add(add) => NewRoot {
            organisation: organisation::meant(&client, &add.org).await?.to_string(),
            terms: Some(trust::Terms {
                amount: add.amount,
                depth: add.depth,
                about: about(&add.about),
                may_veto: add.may_veto,
                receive_tlp: add.receive_tlp.clone(),
            }),
        },
        Root::Remove(remove) => NewRoot {
            organisation: organisation::meant(&client, &remove.org).await?.to_string(),
            terms: None,
        },
    };
    let done: Done = client.post("/roots", &asked).await?;
    console.report.show(&done)?;
    Ok(Exit::Done)
}

fn about(about: &About) -> trust::About {
    let texts = |texts: Vec<String>| (!texts.is_empty()).then_some(texts);
    trust::About {
        topics: texts(about.topics.iter().map(ToString::to_string).collect()),
        suffixes: texts(about.suffixes.iter().map(ToString::to_string).collect()),
    }
}

pub(super) async fn pin(console: &Console, arguments: &Pin) -> Result<Exit, Failure> {
    let client = console.client();
    let party = Party {
        organisation: organisation::meant(&client, &arguments.org).await?.to_string(),
        name: None,
    };
    let pin = match arguments.word {
        Last::Good => Some("good".to_owned()),
        Last::Bad => Some("bad".to_owned()),
        Last::None => None,
    };
    let done: Done = client.post("/pins", &trust::Pin { party, pin }).await?;
    console.report.show(&done)?;
    Ok(Exit::Done)
}

pub(super) async fn list(console: &Console, arguments: &List) -> Result<Exit, Failure> {
    let limit = Limit(arguments.limit);
    let mut trusted: Trusted = console.client().get("/trusted").await?;
    let is_cut = limit.cut(&mut trusted.organisations);
    console.report.show(&trusted)?;
    if is_cut {
        limit.note(console);
    }
    Ok(Exit::Done)
}

pub(super) async fn show(console: &Console, arguments: &Show) -> Result<Exit, Failure> {
    let client = console.client();
    let org = organisation::meant(&client, &arguments.org).await?;
    let address = query::address("/known", &[("organisation", org.to_string())]);
    let known: Known = client.get(&address).await?;
    console.report.show(&known)?;
    let is_known = !known.says.is_empty() || !known.said_of_it.is_empty();
    Ok(if is_known { Exit::Done } else { Exit::NothingFound })
}

pub(super) async fn explain(console: &Console, arguments: &Explain) -> Result<Exit, Failure> {
    let client = console.client();
    let org = organisation::meant(&client, &arguments.org).await?;
    let topics: Vec<String> = arguments.topics.iter().map(ToString::to_string).collect();
    let mut parameters = vec![("organisation", org.to_string()), ("topics", topics.join(","))];
    parameters.extend(arguments.name.as_ref().map(|name| ("name", name.to_string())));
    let explained: Explained = client.get(&query::address("/reasons", &parameters)).await?;
    console.report.show(&explained)?;
    Ok(Exit::Done)
}

pub(super) async fn graph(
    console: &Console,
    arguments: &crate::daemon::arguments::trust::Graph,
) -> Result<Exit, Failure> {
    if arguments.out.as_ref().is_some_and(|out| out.exists()) {
        return Err(Failure::new(
            Exit::Refused,
            "--out: the file exists already; nothing is overwritten",
        ));
    }
    let address = query::address("/graph", &[("limit", arguments.limit.to_string())]);
    let graph: Graph = console.client().get(&address).await?;
    let drawn = || match arguments.format {
        Format::Json => json(&graph),
        Format::Dot => Ok(drawing::dot(&graph)),
        Format::Svg => Ok(drawing::svg(&graph)),
    };
    if let Some(out) = &arguments.out {
        write(out, &drawn()?)?;
    }
    if console.report.is_json() {
        console.report.document(&graph)?;
    } else if arguments.out.is_none() {
        console.report.lines(&[drawn()?.trim_end().to_owned()])?;
    }
    if graph.left_out > 0 {
        let count = graph.left_out;
        console.report.note(&format!(
            "{count} organisations were left out; --limit shows more of them"
        ));
    }
    Ok(Exit::Done)
}

fn json(graph: &Graph) -> Result<String, Failure> {
    serde_json::to_string(graph).map_err(|error| Failure::machine("cannot write the result", error))
}

fn write(out: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error| Failure::machine(format_args!("cannot write {}", out.display()), error);
    let mut file = std::fs::File::create_new(out).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}
