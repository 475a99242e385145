//! Pages made from the grammar of the command line: shell completions and manual pages.

use std::path::Path;

use serde::Serialize;

use super::{
    arguments::grammar,
    exit::{Exit, Failure},
    report::{Plain, Report},
};

/// The completions of one shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Completions {
    shell: String,
    script: String,
}

impl Plain for Completions {
    fn plain(&self) -> Vec<String> {
        self.script.lines().map(str::to_owned).collect()
    }
}

/// Shows the completions of one shell.
///
/// # Errors
/// When standard output takes no more; a closed pipe is no mistake.
pub fn completions(shell: clap_complete::Shell, report: &Report) -> Result<Exit, Failure> {
    report.show(&script(shell))?;
    Ok(Exit::Done)
}

fn script(shell: clap_complete::Shell) -> Completions {
    // Into memory first: the generator panics when it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut grammar(), "starfish", &mut script);
    Completions {
        shell: shell.to_string(),
        script: String::from_utf8_lossy(&script).into_owned(),
    }
}

/// Writes `starfish.1` and one page for each command into a directory.
///
/// # Errors
/// When the directory cannot be made or written.
pub fn manuals(directory: &Path) -> Result<Exit, Failure> {
    let failed = |error| Failure::machine(format_args!("cannot write {}", directory.display()), error);
    std::fs::create_dir_all(directory).map_err(failed)?;
    clap_mangen::generate_to(grammar(), directory).map_err(failed)?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_is_served() {
        for shell in [
            clap_complete::Shell::Bash,
            clap_complete::Shell::Zsh,
            clap_complete::Shell::Fish,
        ] {
            let Completions { script, .. } = script(shell);
            assert!(script.contains("publish") && script.contains("check-config"), "{shell}");
        }
    }

    #[test]
    fn every_command_has_a_page() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        manuals(folder.path()).expect("the folder is writable");
        for page in ["starfish.1", "starfish-publish.1", "starfish-store-backup.1"] {
            assert!(folder.path().join(page).is_file(), "{page}");
        }
    }
}
