//! The data directory as a folder: [`make`] makes it this user's alone, [`check`] refuses to run in one that is not, or
//! whose path is too long for the control socket.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
};

use super::{
    control,
    exit::{Exit, Failure},
};

/// Everything that users other than the owner could do.
const OTHERS: u32 = 0o077;

/// A folder that only this user may enter. One that is there becomes so while it is empty; one that holds something may
/// belong to others who need it, and stays as it is.
///
/// # Errors
/// When it cannot be made, or others may enter it already.
pub fn make(path: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::machine(format_args!("cannot make {}", path.display()), error);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(failed)?;
    if !is_open(path).map_err(failed)? {
        return Ok(());
    }
    if fs::read_dir(path).map_err(failed)?.next().is_some() {
        let message = format!(
            "{} holds something already, and other users may enter it; choose another directory with --data, or close \
            this one by `chmod 700`",
            path.display()
        );
        return Err(Failure::new(Exit::Refused, message));
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(failed)
}

/// Whether a node may run here: the control socket must have room, and nobody else a way in.
///
/// # Errors
/// When its path is too long, or other users may enter it.
pub fn check(data: &Path) -> Result<(), Failure> {
    control::check_path(data)?;
    match is_open(data) {
        Ok(true) => {
            let message = format!(
                "{}: other users may enter the data directory; close it by `chmod 700` (under systemd: \
                StateDirectoryMode=0700)",
                data.display()
            );
            Err(Failure::new(Exit::Configuration, message))
        }
        Ok(false) => Ok(()),
        Err(error) => Err(Failure::machine(data.display(), error)),
    }
}

fn is_open(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.permissions().mode() & OTHERS != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_empty_folder_is_closed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        let check = |name: &str, before: Option<u32>, full: bool, expected: Result<u32, Exit>| {
            let path = folder.path().join(name);
            if let Some(before) = before {
                fs::create_dir(&path).expect("the folder is writable");
                fs::set_permissions(&path, fs::Permissions::from_mode(before)).expect("it is ours");
            }
            if full {
                fs::write(path.join("file"), "x").expect("the folder is writable");
            }
            let made = make(&path).map(|()| mode(&path)).map_err(|failure| failure.exit);
            assert_eq!(made, expected, "{name}");
            if let (Err(_), Some(before)) = (made, before) {
                assert_eq!(mode(&path), before, "{name}: untouched");
            }
        };
        check("new", None, false, Ok(0o700));
        check("deep/new", None, false, Ok(0o700));
        check("empty", Some(0o755), false, Ok(0o700));
        check("full", Some(0o755), true, Err(Exit::Refused));
        check("private", Some(0o700), true, Ok(0o700));
    }

    #[test]
    fn a_node_runs_only_where_nobody_else_comes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let check = |mode: u32, expected: Result<(), Exit>| {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).expect("it is ours");
            assert_eq!(
                super::check(folder.path()).map_err(|failure| failure.exit),
                expected,
                "{mode:o}"
            );
        };
        check(0o700, Ok(()));
        check(0o750, Err(Exit::Configuration));
        check(0o701, Err(Exit::Configuration));
        let long = folder.path().join("x".repeat(120));
        let failure = super::check(&long).expect_err("it is too long");
        assert!(failure.message.contains("--data"), "{failure}");
    }
}
