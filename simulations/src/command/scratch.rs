//! A folder for what is needed while the program runs: [`Scratch`].

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::Trouble;

/// Before the number of the process.
const PREFIX: &str = "starfish-sim-";

/// Removed at the end. One whose process was stopped before that is removed by the next process that makes one.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new() -> Result<Self, Trouble> {
        Self::within(&std::env::temp_dir())
    }

    fn within(folder: &Path) -> Result<Self, Trouble> {
        remove_abandoned(folder);
        let own = folder.join(format!("{PREFIX}{}", std::process::id()));
        // Not if it is there: whoever made it might read or change what is compared.
        fs::create_dir(&own).map_err(|error| Trouble::File(own.display().to_string(), error))?;
        Ok(Self(own))
    }

    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next process.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Removes the folders of processes that are no more. Those of other users stay: they cannot be removed.
fn remove_abandoned(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        if process.is_some_and(|process| process.parse::<u32>().is_ok_and(is_no_more)) {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// Linux has a folder for each process; where that cannot be seen, nobody knows.
fn is_no_more(process: u32) -> bool {
    let processes = Path::new("/proc");
    processes.join("self").exists() && !processes.join(process.to_string()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        // No process of Linux has such a number. The first one runs as long as the system does.
        let abandoned = folder.path().join(format!("{PREFIX}{}", u32::MAX));
        let kept =
            [format!("{PREFIX}1"), format!("{PREFIX}x"), "4294967295".to_owned()].map(|name| folder.path().join(name));
        for path in kept.iter().chain([&abandoned]) {
            fs::create_dir(path).expect("a folder");
            fs::write(path.join("events"), "").expect("a file");
        }
        let scratch = Scratch::within(folder.path()).expect("a folder");
        let own = scratch.join("");
        fs::write(scratch.join("events"), "").expect("a file");
        assert!(own.exists() && !abandoned.exists());
        drop(scratch);
        assert!(!own.exists() && kept.iter().all(|path| path.exists()));
    }
}
