//! Where the passphrase of the node key comes from: a file, the environment, or the operator's keyboard.

use std::{
    io::IsTerminal,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::exit::{Exit, Failure};

/// Names a file whose first line is the passphrase; for service managers.
pub const VARIABLE: &str = "STARFISH_PASSPHRASE_FILE";

/// For a new key: asked twice, or from a file, or none.
///
/// # Errors
/// When the file cannot be read, or the two answers differ.
pub fn of_new_key(ask: bool, file: Option<&Path>) -> Result<Option<Zeroizing<String>>, Failure> {
    if let Some(file) = file {
        return first_line(file).map(Some);
    }
    if !ask {
        return Ok(None);
    }
    let first = prompt("Passphrase for the node key: ")?;
    let second = prompt("The same again: ")?;
    if first.is_empty() || first != second {
        return Err(Failure::new(
            Exit::Usage,
            "the passphrases differ or are empty; nothing was made",
        ));
    }
    Ok(Some(first))
}

/// For a key that turned out to need one: the flag's file, the environment's, then the keyboard.
///
/// # Errors
/// When there is no file to read and nobody to ask.
pub fn of_known_key(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    let named = file
        .map(Path::to_owned)
        .or_else(|| std::env::var_os(VARIABLE).map(PathBuf::from));
    match named {
        Some(file) => first_line(&file),
        None if std::io::stdin().is_terminal() => prompt("Passphrase of the node key: "),
        None => {
            let message = format!("the node key needs its passphrase: name a file by --passphrase-file or {VARIABLE}");
            Err(Failure::new(Exit::Configuration, message))
        }
    }
}

fn prompt(text: &str) -> Result<Zeroizing<String>, Failure> {
    let answer = rpassword::prompt_password(text);
    answer
        .map(Zeroizing::new)
        .map_err(|error| Failure::machine("no passphrase was read", error))
}

fn first_line(file: &Path) -> Result<Zeroizing<String>, Failure> {
    refuse_open(file)?;
    let text = std::fs::read_to_string(file).map(Zeroizing::new);
    let text = text.map_err(|error| Failure::machine(format_args!("cannot read {}", file.display()), error))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        let message = format!("{}: the first line is the passphrase, and it is empty", file.display());
        return Err(Failure::new(Exit::Configuration, message));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

/// A group may read it: service managers hand secrets out so. Pipes have no such mode.
fn refuse_open(file: &Path) -> Result<(), Failure> {
    const OPEN: u32 = 0o027;
    let about = std::fs::metadata(file)
        .map_err(|error| Failure::machine(format_args!("cannot read {}", file.display()), error))?;
    if about.is_file() && about.permissions().mode() & OPEN != 0 {
        let message = format!(
            "{}: other users may read or change this passphrase; take that away by `chmod 600`",
            file.display()
        );
        return Err(Failure::new(Exit::Configuration, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_its_first_line() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("passphrase");
        let close = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("it is ours");
        let check = |text: &str, expected: Option<&str>| {
            std::fs::write(&file, text).expect("the folder is writable");
            close(0o600);
            let read = of_new_key(false, Some(&file)).ok().flatten();
            assert_eq!(read.as_deref().map(String::as_str), expected, "{text:?}");
            assert_eq!(of_known_key(Some(&file)).ok(), read);
        };
        check("secret\nother\n", Some("secret"));
        check("two words", Some("two words"));
        check("\nsecond", None);
        check("", None);
        std::fs::write(&file, "secret").expect("the folder is writable");
        for (mode, fits) in [
            (0o400, true),
            (0o440, true),
            (0o444, false),
            (0o604, false),
            (0o620, false),
        ] {
            close(mode);
            assert_eq!(of_known_key(Some(&file)).is_ok(), fits, "{mode:o}");
        }
        assert_eq!(of_new_key(false, None), Ok(None));
        assert!(of_new_key(false, Some(&folder.path().join("none"))).is_err());
    }
}
