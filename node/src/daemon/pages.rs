//! Pages made from the grammar of the command line: shell completions and manual pages.

use std::{io::Write, path::Path};

use super::{
    arguments::grammar,
    exit::{Exit, Failure},
};

/// Writes the completions of one shell.
///
/// # Errors
/// When the reader is gone or the disk is full.
pub fn completions(shell: clap_complete::Shell, out: &mut dyn Write) -> Result<Exit, Failure> {
    // Into memory first: the generator panics when it cannot write, and a closed pipe is no mistake.
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut grammar(), "starfish", &mut text);
    out.write_all(&text)?;
    out.flush()?;
    Ok(Exit::Done)
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
            let mut text = Vec::new();
            completions(shell, &mut text).expect("memory takes everything");
            let text = String::from_utf8(text).expect("a script is text");
            assert!(text.contains("publish") && text.contains("check-config"), "{shell}");
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
