//! What each command does: [`carry_out`] finds its way from the parsed line to one function of a file below.
//!
//! Commands that ask the node are clients of its control socket and know nothing of its store or mesh.

mod configuration;
mod opinions;
mod org;
mod organisation;
mod pairing;
mod peers;
mod publish;
mod review;
mod search;
mod status;
mod store;
mod trust;
mod upkeep;

use std::{
    io::{IsTerminal, Read},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    arguments::{Arguments, Command, Global},
    control::client::{Client, Lines, read},
    demo,
    exit::{Exit, Failure},
    pages,
    report::{Plain, Report},
    run,
    signals::until_told_to_end,
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

    /// A command as a person types it for this data directory.
    fn command(&self, name: &str) -> String {
        if platform_data().is_ok_and(|data| data == self.data) {
            return format!("starfish {name}");
        }
        let data = self.data.display().to_string();
        let is_plain = |sign: char| sign.is_alphanumeric() || "/._-".contains(sign);
        let quoted = if data.chars().all(is_plain) {
            data
        } else {
            format!("'{}'", data.replace('\'', r"'\''"))
        };
        format!("starfish --data {quoted} {name}")
    }

    /// Shows a stream of documents as it comes, as far as the limit goes.
    async fn stream<T>(&self, mut lines: Lines, limit: Limit, nothing: &str) -> Result<Exit, Failure>
    where
        T: DeserializeOwned + Serialize + Plain,
    {
        let mut shown = 0;
        while let Some(line) = lines.next().await? {
            if !limit.allows(shown) {
                limit.note(self);
                break;
            }
            shown += 1;
            if self.report.is_json() {
                self.report.lines(&[line])?;
            } else {
                self.report.show(&read::<T>(&line)?)?;
            }
        }
        if shown == 0 && !self.report.is_json() {
            self.report.note(nothing);
        }
        Ok(if shown == 0 { Exit::NothingFound } else { Exit::Done })
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

/// How many results are shown; 0 means all. One more is asked for: whether it comes tells whether there are more.
#[derive(Clone, Copy, Debug)]
struct Limit(usize);

impl Limit {
    fn asked(self) -> (&'static str, String) {
        let number = if self.0 == 0 { 0 } else { self.0.saturating_add(1) };
        ("limit", number.to_string())
    }

    /// Whether one more may be shown after so many.
    fn allows(self, shown: usize) -> bool {
        self.0 == 0 || shown < self.0
    }

    /// Takes away what is too much; true when there was something.
    fn cut<T>(self, results: &mut Vec<T>) -> bool {
        let is_cut = self.0 > 0 && results.len() > self.0;
        if is_cut {
            results.truncate(self.0);
        }
        is_cut
    }

    /// Tells a person that something was left out.
    fn note(self, console: &Console) {
        let Self(shown) = self;
        console.report.note(&format!(
            "the first {shown}; there are more: --limit 0 shows all of them"
        ));
    }
}

/// A file, or standard input for `-`, of at most so many bytes.
fn read_whole(file: &Path, most: usize) -> Result<Vec<u8>, Failure> {
    let failed = |error| Failure::machine(format_args!("cannot read {}", file.display()), error);
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).map_err(failed)?)
    };
    let mut bytes = Vec::new();
    source.take(most as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > most {
        let message = format!("{} is larger than {} MiB; give it in parts", file.display(), most >> 20);
        return Err(Failure::new(Exit::Usage, message));
    }
    Ok(bytes)
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
        Command::Completions(completions) => return pages::completions(completions.shell, &Report::new(global.json)),
        Command::Man(man) => return pages::manuals(&man.directory),
        _ => {}
    }
    let console = Console::of(&global)?;
    match command {
        Command::Init(init) => upkeep::init(&console, init),
        Command::Run(arguments) => run::run(&console.data, arguments, global.json).await,
        Command::Id(_) => status::id(&console).await,
        Command::Status(_) => status::status(&console).await,
        Command::Invite(invite) => {
            let work = async move { pairing::invite(&console, &invite).await };
            until_told_to_end(
                work,
                "the code works on, and the node's log says who came and the words to compare",
            )
            .await
        }
        Command::Pair(pair) => pairing::pair(&console, &pair).await,
        Command::Unpair(unpair) => pairing::unpair(&console, unpair).await,
        Command::Block(block) => pairing::block(&console, block).await,
        Command::Peers(arguments) => peers::peers(&console, &arguments).await,
        Command::Subscribe(subscribe) => peers::subscribe(&console, subscribe).await,
        Command::Unsubscribe(unsubscribe) => peers::unsubscribe(&console, unsubscribe).await,
        Command::Topics(arguments) => peers::topics(&console, &arguments).await,
        Command::Publish(arguments) => publish::publish(&console, &arguments).await,
        Command::Withdraw(withdraw) => publish::withdraw(&console, withdraw).await,
        Command::Sight(sight) => opinions::sight(&console, sight).await,
        Command::Dispute(dispute) => opinions::dispute(&console, dispute).await,
        Command::Explain(explain) => opinions::explain(&console, &explain).await,
        Command::Quarantine(quarantine) => review::quarantine(&console, quarantine).await,
        Command::Audit(audit) => review::audit(&console, &audit).await,
        Command::Search(arguments) => search::search(&console, &arguments).await,
        Command::Watch(watch) => {
            let work = async move { search::watch(&console, &watch).await };
            until_told_to_end(work, "go on later with --from and the last serial").await
        }
        Command::Trust(arguments) => trust::trust(&console, &arguments).await,
        Command::Org(arguments) => org::org(&console, arguments).await,
        Command::Store(arguments) => store::store(&console, arguments).await,
        Command::CheckConfig(_) => configuration::check(&console),
        Command::Demo(_) | Command::Completions(_) | Command::Man(_) => Ok(Exit::Done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_left_out_is_told() {
        let check = |limit: usize, there: usize, shown: usize, more: bool| {
            let (_, asked) = Limit(limit).asked();
            let asked: usize = asked.parse().expect("a number");
            let mut results = vec![(); if asked == 0 { there } else { there.min(asked) }];
            let streamed = (0..results.len())
                .take_while(|before| Limit(limit).allows(*before))
                .count();
            assert_eq!(Limit(limit).cut(&mut results), more, "{limit} of {there}");
            assert_eq!((results.len(), streamed), (shown, shown), "{limit} of {there}");
        };
        check(100, 0, 0, false);
        check(100, 99, 99, false);
        check(100, 100, 100, false);
        check(100, 101, 100, true);
        check(1, 5, 1, true);
        check(0, 1_000, 1_000, false);
        check(usize::MAX, 3, 3, false);
    }

    #[test]
    fn what_is_given_is_read_up_to_a_bound() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("list");
        std::fs::write(&file, "a\n").expect("the folder is writable");
        let check = |name: &str, most: usize, expected: Result<Vec<u8>, Exit>| {
            let read = read_whole(&folder.path().join(name), most);
            assert_eq!(read.map_err(|failure| failure.exit), expected, "{name} {most}");
        };
        check("list", 2, Ok(b"a\n".to_vec()));
        check("list", 1, Err(Exit::Usage));
        check("none", 2, Err(Exit::Failed));
    }
}
