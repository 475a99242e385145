//! How much of the machine the node takes: memory, and bytes on disk.

use std::{fs, path::Path};

/// What the data directory keeps for the store, by name.
const KEPT: [&str; 2] = ["store", "journal"];

/// Resident memory of this process in bytes; 0 where the system does not tell it in `/proc`.
pub fn memory() -> u64 {
    fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|text| resident(&text))
        .unwrap_or(0)
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

/// Bytes of the store and the journal of a data directory.
pub fn disk(data: &Path) -> u64 {
    KEPT.iter().map(|name| size(&data.join(name))).sum()
}

/// A file that goes away meanwhile counts nothing.
fn size(path: &Path) -> u64 {
    let Ok(about) = fs::symlink_metadata(path) else {
        return 0;
    };
    if !about.is_dir() {
        return about.len();
    }
    fs::read_dir(path).map_or(0, |entries| entries.flatten().map(|entry| size(&entry.path())).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read() {
        let check = |text: &str, expected: Option<u64>| assert_eq!(resident(text), expected, "{text}");
        check("Name:\tstarfish\nVmRSS:\t   12345 kB\nThreads:\t1\n", Some(12_641_280));
        check("Name:\tstarfish\n", None);
        check("VmRSS:\tmany kB\n", None);
        assert!(!cfg!(target_os = "linux") || memory() > 0);
    }

    #[test]
    fn the_store_is_measured() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(disk(folder.path()), 0);
        fs::create_dir_all(folder.path().join("store/deep")).expect("the folder is writable");
        for (path, bytes) in [("store/a", 10), ("store/deep/b", 20), ("journal", 5), ("other", 100)] {
            fs::write(folder.path().join(path), vec![0; bytes]).expect("the folder is writable");
        }
        assert_eq!(disk(folder.path()), 35);
    }
}
