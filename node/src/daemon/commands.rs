//! What each command does: [`carry_out`] finds its way from the parsed line to one function of a file below.
//!
//! Commands that ask the node are clients of its control socket and know nothing of its store or mesh.

mod configuration;
mod pairing;
mod peers;
mod publish;
mod search;
mod status;
mod store;
mod upkeep;

use std::{io::IsTerminal, path::PathBuf};

use super::{
    arguments::{Arguments, Command, Global},
    control::client::Client,
    demo,
    exit::{Exit, Failure},
    pages,
    report::Report,
    run,
};

/// Where a command works and how it reports.
#[derive(Debug)]
pub struct Console {
    /// The node's data directory.
    pub data: PathBuf,
    /// Where results go.
    pub report: Report,
}

impl Console {
    fn of(global: &Global) -> Result<Self, Failure> {
        let data = match &global.data {
            Some(data) => data.clone(),
            None => platform_data()?,
        };
        Ok(Self {
            data,
            report: Report::new(global.json),
        })
    }

    /// The way to the running node.
    pub fn client(&self) -> Client {
        Client::of(&self.data)
    }

    /// Asks a person; `no` where there is none to ask.
    fn asks(&self, question: &str) -> bool {
        if self.report.is_json() || !std::io::stdin().is_terminal() {
            return false;
        }
        self.report.note(question);
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
    }
}

fn platform_data() -> Result<PathBuf, Failure> {
    let places = directories::ProjectDirs::from("", "", "starfish");
    let places = places.ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            "there is no home directory; name the data directory with --data",
        )
    })?;
    Ok(places.data_dir().to_owned())
}

/// Does what the line says.
///
/// # Errors
/// Why it was not done, with the exit code.
pub async fn carry_out(arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { global, command } = arguments;
    match command {
        Command::Demo(demo) => return demo::run(&demo, &Report::new(global.json)).await,
        Command::Completions(completions) => {
            return pages::completions(completions.shell, &mut std::io::stdout().lock());
        }
        Command::Man(man) => return pages::manuals(&man.directory),
        _ => {}
    }
    let console = Console::of(&global)?;
    match command {
        Command::Init(init) => upkeep::init(&console, init),
        Command::Run(arguments) => run::run(&console.data, arguments, global.json).await,
        Command::Id(_) => status::id(&console).await,
        Command::Status(_) => status::status(&console).await,
        Command::Invite(invite) => pairing::invite(&console, &invite).await,
        Command::Pair(pair) => pairing::pair(&console, &pair).await,
        Command::Unpair(unpair) => pairing::unpair(&console, unpair).await,
        Command::Block(block) => pairing::block(&console, block).await,
        Command::Peers(_) => peers::peers(&console).await,
        Command::Subscribe(subscribe) => peers::subscribe(&console, subscribe).await,
        Command::Unsubscribe(unsubscribe) => peers::unsubscribe(&console, unsubscribe).await,
        Command::Topics(_) => peers::topics(&console).await,
        Command::Publish(arguments) => publish::publish(&console, &arguments).await,
        Command::Withdraw(withdraw) => publish::withdraw(&console, withdraw).await,
        Command::Search(arguments) => search::search(&console, &arguments).await,
        Command::Watch(watch) => search::watch(&console, &watch).await,
        Command::Store(arguments) => store::store(&console, arguments).await,
        Command::CheckConfig(_) => configuration::check(&console),
        Command::Demo(_) | Command::Completions(_) | Command::Man(_) => Ok(Exit::Done),
    }
}
