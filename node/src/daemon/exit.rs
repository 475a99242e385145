//! How the program ends: one table of exit codes, and the [`Failure`] that carries one with its message.

use std::{fmt, io, path::Path, process::ExitCode};

/// Every exit code of the program. The numbers are a promise to scripts; `starfish help` prints the same table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The command did what it says.
    Done = 0,
    /// It worked, and there was nothing to show.
    NothingFound = 1,
    /// The command line was not understood.
    Usage = 2,
    /// The configuration, the data directory or a file does not hold what it must.
    Configuration = 3,
    /// The command needs the running node, and there is none.
    NotRunning = 4,
    /// The command needs the node stopped, and it runs.
    Running = 5,
    /// It was understood, and the answer is no: by the node, or because something would be overwritten.
    Refused = 6,
    /// The store is damaged.
    Damaged = 7,
    /// The work ended before all of it was done; also by Ctrl-C or SIGTERM where a command waits for others.
    Incomplete = 8,
    /// The machine said no: a file, a socket, a process.
    Failed = 9,
}

impl Exit {
    /// All of them, in order.
    pub const ALL: [Self; 10] = [
        Self::Done,
        Self::NothingFound,
        Self::Usage,
        Self::Configuration,
        Self::NotRunning,
        Self::Running,
        Self::Refused,
        Self::Damaged,
        Self::Incomplete,
        Self::Failed,
    ];

    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What the number says, for the help.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NothingFound => "nothing found",
            Self::Usage => "command line not understood",
            Self::Configuration => "mistake in the configuration, the data directory or a file",
            Self::NotRunning => "the node is not running",
            Self::Running => "the node is running already",
            Self::Refused => "refused (by the node, or so that nothing is overwritten)",
            Self::Damaged => "the store is damaged",
            Self::Incomplete => "ended before everything was done, also by Ctrl-C (demo, invite, watch)",
            Self::Failed => "the machine said no (file, socket, process)",
        }
    }

    /// The code behind a number, as the control socket sends it.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|exit| exit.code() == code)
    }

    /// The table as the help shows it.
    pub fn table() -> String {
        let rows = Self::ALL.map(|exit| format!("  {}  {}", exit.code(), exit.meaning()));
        format!("Exit codes:\n{}", rows.join("\n"))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Why a command ended without its result, in words for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The code to end with.
    pub exit: Exit,
    /// What happened and what to do next.
    pub message: String,
}

impl Failure {
    /// A failure with these words.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
        }
    }

    /// A file does not hold what it must.
    pub fn content(path: &Path, why: impl fmt::Display) -> Self {
        Self::new(Exit::Configuration, format!("{}: {why}", path.display()))
    }

    /// A file cannot be read, or holds no text.
    pub fn unread(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData => Self::content(path, "this is no text; is it the right file?"),
            _ => Self::machine(format_args!("cannot read {}", path.display()), error),
        }
    }

    /// The machine said no while `doing` something.
    pub fn machine(doing: impl fmt::Display, error: impl fmt::Display) -> Self {
        Self::new(Exit::Failed, format!("{doing}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<io::Error> for Failure {
    /// Only writing results goes through here, and a reader that left is no mistake: `starfish search ... | head`.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(Exit::Done, ""),
            _ => Self::machine("cannot write the result", error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_what_scripts_rely_on() {
        let codes = Exit::ALL.map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        for exit in Exit::ALL {
            assert_eq!(Exit::from_code(exit.code()), Some(exit));
            assert!(Exit::table().contains(exit.meaning()));
        }
        assert_eq!(Exit::from_code(10), None);
    }

    #[test]
    fn a_closed_pipe_ends_quietly() {
        let closed = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((closed.exit, closed.message.as_str()), (Exit::Done, ""));
        let full = Failure::from(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(full.exit, Exit::Failed);
    }

    #[test]
    fn a_missing_file_is_no_mistake_in_a_file() {
        let check = |kind: io::ErrorKind, exit: Exit| {
            let failure = Failure::unread(Path::new("list.txt"), &io::Error::from(kind));
            assert_eq!(failure.exit, exit);
            assert!(failure.message.contains("list.txt"), "{failure}");
        };
        check(io::ErrorKind::NotFound, Exit::Failed);
        check(io::ErrorKind::PermissionDenied, Exit::Failed);
        check(io::ErrorKind::InvalidData, Exit::Configuration);
    }
}
