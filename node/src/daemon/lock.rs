//! One process at a time works on a data directory: a [`Lock`] is held by the running node, and by what must not run
//! beside it. The system takes it back from a killed process at once.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use fs4::{FileExt, TryLockError};

use super::exit::{Exit, Failure};

const FILE: &str = "lock";

/// Held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a data directory.
    ///
    /// # Errors
    /// When another process has it, or the directory cannot be written.
    pub fn take(data: &Path) -> Result<Self, Failure> {
        let path = data.join(FILE);
        let failed = |error: std::io::Error| Failure::machine(format_args!("cannot lock {}", path.display()), error);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match FileExt::try_lock(&file) {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => {
                let message = format!("the node of {} is running; stop it first", data.display());
                Err(Failure::new(Exit::Running, message))
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_at_a_time() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let held = Lock::take(folder.path()).expect("nobody has it");
        assert_eq!(Lock::take(folder.path()).expect_err("it is held").exit, Exit::Running);
        drop(held);
        Lock::take(folder.path()).expect("it is free again");
        assert_eq!(
            Lock::take(&folder.path().join("none")).expect_err("no folder").exit,
            Exit::Failed
        );
    }
}
