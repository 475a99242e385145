//! The command line as a value: [`Arguments`], parsed by clap, with help that teaches.
//!
//! Every command's help says whether it needs the node running or stopped; a test holds that true.

pub mod date;
pub mod duration;
pub mod mesh;
pub mod opinions;
pub mod org;
pub mod records;
pub mod review;
pub mod trust;
pub mod upkeep;

use std::{ffi::OsString, path::PathBuf};

use clap::{
    Args, CommandFactory, FromArgMatches, Parser, Subcommand,
    error::{Error, ErrorKind},
    parser::ValueSource,
};

use super::exit::Exit;

pub use duration::Lifetime;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "starfish",
    version,
    about = "Shares security incidents among CERTs, registries and research groups, without a centre",
    long_about = "Shares security incidents among CERTs, registries and research groups, without a centre.\n\n\
        Try it first: `starfish demo` starts five nodes on this machine and shows a list travel through them.\n\
        For real: `starfish init --name \"CERT Example\"`, then `starfish run`, then `starfish invite` here and\n\
        `starfish pair CODE` at the other operator's.",
    after_long_help = Exit::table(),
    max_term_width = 100,
    disable_help_subcommand = false
)]
pub struct Arguments {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Accepted before or after the command.
#[derive(Args, Clone, Debug, Default)]
pub struct Global {
    /// The node's data directory [default: the platform's, such as ~/.local/share/starfish]
    #[arg(long, global = true, value_name = "DIR", env = "STARFISH_DATA")]
    pub data: Option<PathBuf>,
    /// Prints one compact JSON document a line on standard output, and nothing else there
    #[arg(long, global = true)]
    pub json: bool,
}

/// Everything that the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes a node: keys, organisation and a commented configuration
    Init(upkeep::Init),
    /// Runs the node in the foreground
    Run(upkeep::Run),
    /// Shows who this node is: organisation, peer id, addresses, fingerprint
    Id(upkeep::Id),
    /// Prints a short code with which another operator's node pairs with this one
    Invite(mesh::Invite),
    /// Pairs with the node that a code came from
    Pair(mesh::Pair),
    /// Ends the trust that pairing or the configuration gave to an organisation, at once
    Unpair(mesh::Unpair),
    /// Refuses a peer from now on, at once
    Block(mesh::Block),
    /// Shows who is connected, over what, how long, what they hold, and their score
    Peers(mesh::Peers),
    /// Adds topics, and TLDs, to what this node pulls
    Subscribe(mesh::Subscribe),
    /// Takes topics, or TLDs, away from what this node pulls
    Unsubscribe(mesh::Unsubscribe),
    /// Shows what this node pulls and what its peers offer
    Topics(mesh::Topics),
    /// Publishes a list of observables to the mesh
    Publish(records::Publish),
    /// Withdraws a record, or some of its observables, everywhere
    Withdraw(records::Withdraw),
    /// Says that a value that others published was seen here too
    Sight(opinions::Sight),
    /// Says that a value that others published is no threat
    Dispute(opinions::Dispute),
    /// Shows why this node is as sure of a value as it is
    Explain(opinions::Explain),
    /// Shows what is known about a value, a domain suffix or a network
    Search(records::Search),
    /// Follows what becomes known, one JSON document a line
    Watch(records::Watch),
    /// Shows counts, sizes and the heads of this node's logs
    Status(upkeep::Status),
    /// Shows what is held back, why, and lets it out or throws it away
    #[command(subcommand)]
    Quarantine(review::Quarantine),
    /// Shows who decided what, and why
    Audit(review::Audit),
    /// Says whom this organisation vouches for, and shows whom this node believes
    #[command(subcommand)]
    Trust(trust::Trust),
    /// Key ceremonies: roots, certificates of nodes, revocations, recovery
    #[command(subcommand)]
    Org(org::Org),
    /// Checks, saves, restores and rebuilds the store
    #[command(subcommand)]
    Store(upkeep::Store),
    /// Says every mistake of the configuration at once, with line and remedy
    CheckConfig(upkeep::CheckConfig),
    /// Starts five nodes on this machine and shows a list travel through them
    Demo(upkeep::Demo),
    /// Prints completions for a shell
    Completions(upkeep::Completions),
    /// Writes the manual pages into a directory
    Man(upkeep::Man),
}

impl Arguments {
    /// What the words of a command line say, its name first.
    ///
    /// # Errors
    /// What is wrong with it, or the help that it asks for.
    pub fn read(words: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, Error> {
        let matches = grammar().try_get_matches_from(words)?;
        let arguments = Self::from_arg_matches(&matches)?;
        // One that is exported for other commands means no harm; one that is typed is meant.
        let typed = matches.value_source("data") == Some(ValueSource::CommandLine);
        if typed && matches!(arguments.command, Command::Demo(_)) {
            return Err(grammar().error(
                ErrorKind::ArgumentConflict,
                "the demo makes its nodes in a temporary folder, which goes away with them: leave out --data",
            ));
        }
        Ok(arguments)
    }
}

/// The command line's grammar, for completions and manual pages.
pub fn grammar() -> clap::Command {
    Arguments::command()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_holds() {
        grammar().debug_assert();
    }

    #[test]
    fn every_help_says_whether_the_node_must_run() {
        fn check(command: &mut clap::Command) {
            let name = command.get_name().to_owned();
            if name == "help" {
                return;
            }
            if command.has_subcommands() {
                command.get_subcommands_mut().for_each(check);
            } else {
                let help = command.render_long_help().to_string();
                let says = [
                    "Node: must run.",
                    "Node: must be stopped.",
                    "Node: running or stopped.",
                    "Node: none needed.",
                ];
                assert!(says.iter().any(|phrase| help.contains(phrase)), "{name}: {help}");
            }
        }
        grammar().get_subcommands_mut().for_each(check);
    }

    #[test]
    fn global_options_stand_on_either_side() {
        let check = |line: &[&str]| {
            let arguments = Arguments::read(line).expect("the line is right");
            assert_eq!(arguments.global.data, Some(PathBuf::from("/d")), "{line:?}");
            assert!(arguments.global.json, "{line:?}");
        };
        check(&["starfish", "--data", "/d", "--json", "status"]);
        check(&["starfish", "status", "--data", "/d", "--json"]);
        check(&["starfish", "--json", "store", "verify", "--data", "/d"]);
    }

    #[test]
    fn wrong_lines_are_refused() {
        let check = |line: &str| {
            let words = std::iter::once("starfish").chain(line.split_whitespace());
            assert!(Arguments::read(words).is_err(), "{line}");
        };
        for line in [
            "",
            "nonsense",
            "init",
            "init --name x --port 70000",
            "publish",
            "publish file",
            "publish --topic a",
            "publish --topic a --confidence 101 f",
            "publish --topic a --expires 3fortnights f",
            "withdraw",
            "withdraw rec:x",
            "search",
            "search a --under nl",
            "search --under nl --within 192.0.2.0/24",
            "watch --from -1",
            "pair",
            "store",
            "store backup",
            "completions nosuchshell",
            "demo --data /d",
            "--data /d demo --once",
            "run --log-format yaml",
            "sight",
            "sight a.example --count 0",
            "sight a.example --first yesterday",
            "dispute a.example",
            "dispute a.example --reason x --confidence 101",
            "quarantine",
            "quarantine show",
            "quarantine release",
            "audit --since yesterday",
            "trust endorse org:a",
            "trust endorse --key k",
            "trust endorse org:a --amount 0 --key k",
            "trust endorse org:a --amount 121 --key k",
            "trust endorse org:a --depth 8 --key k",
            "trust endorse org:a --topics Phishing --key k",
            "trust endorse org:a --topics phishing,, --key k",
            "trust endorse org:a --suffixes not_a_suffix --key k",
            "trust endorse org:a --until 2027-02-29 --key k",
            "trust endorse org:a --receive-tlp amber --key k",
            "trust endorse org:a --first --chain c --key k",
            "trust withdraw org:a",
            "trust veto org:a",
            "trust refresh",
            "explain",
            "trust root",
            "trust root add",
            "trust root add org:a --amount 0",
            "trust root add org:a --depth 8",
            "trust root add org:a --suffixes a..b",
            "trust pin org:a",
            "trust pin org:a perhaps",
            "trust show",
            "trust explain",
            "trust explain org:a --topic Phishing",
            "trust explain org:a --name a..b",
            "trust graph --format png",
            "trust graph --limit 0",
            "trust graph --limit 201",
        ] {
            check(line);
        }
    }
}
