//! The committed inputs of each target, one file each, in the layout that cargo-fuzz expects.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

/// Every file of a folder, sorted by name, so that each run sees the same order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a folder of the tree is readable").path())
        .collect();
    paths.sort();
    paths
}

/// The corpus of a target.
pub(crate) fn read(target: &str) -> Vec<Vec<u8>> {
    let paths = files(&folder("corpus").join(target));
    paths
        .iter()
        .map(|path| fs::read(path).expect("a corpus file is readable"))
        .collect()
}

/// Replaces the corpus of a target. Files are named by their place, so that a change shows as a difference.
pub(crate) fn write(target: &str, inputs: &[Vec<u8>]) {
    let folder = folder("corpus").join(target);
    for path in files(&folder) {
        fs::remove_file(path).expect("a corpus file can be removed");
    }
    fs::create_dir_all(&folder).expect("the corpus folder can be made");
    for (place, input) in inputs.iter().enumerate() {
        fs::write(folder.join(format!("{place:03}")), input).expect("a corpus file can be written");
    }
}

/// The file names of the cargo-fuzz wrappers, sorted.
pub(crate) fn wrappers() -> Vec<String> {
    let paths = files(&folder("fuzz_targets"));
    let names = paths.iter().filter_map(|path| path.file_name());
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}
