//! A store that goes back in time, or breaks: an old backup leads to a new epoch and never to a fork, and a corrupted store is
//! set aside and comes back from journal and mesh.

use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use starfish_tests::nodes::{Nodes, SOON, Signal, eventually};

fn name(of: &str) -> Vec<String> {
    vec![format!("{of}.example")]
}

/// After a restore a node compares its heads with a peer before it writes; until then it may refuse.
fn publish_once_safe(mesh: &Nodes, index: usize, observables: &[String]) {
    eventually("publishing works again", SOON, || {
        mesh[index]
            .said(&["publish", "--topic", "c2", "-"], &observables.join("\n"))
            .code
            == Some(0)
    });
}

fn everybody_holds(mesh: &Nodes, values: &[&str]) {
    for node in mesh.all() {
        values.iter().for_each(|value| node.gets(value));
        node.reports_no_fork();
    }
}

#[test]
fn an_old_backup_opens_a_new_epoch() {
    let mut mesh = Nodes::start(3, &[(0, 1), (1, 2)]);
    mesh[0].publish("c2", &name("first"));
    mesh[1].publish("c2", &name("theirs"));
    everybody_holds(&mesh, &["first.example", "theirs.example"]);
    let backup = mesh[0].data().with_extension("backup");
    let file = backup.to_str().expect("a temporary path is UTF-8");
    mesh[0].said(&["store", "backup", file], "").done("store backup");
    mesh[0].publish("c2", &name("second"));
    everybody_holds(&mesh, &["second.example"]);

    mesh.node(0).stop(Signal::Terminate);
    mesh[0].said(&["store", "restore", file], "").done("store restore");
    mesh[0].said(&["store", "verify"], "").done("store verify");
    mesh.node(0).start();
    publish_once_safe(&mesh, 0, &name("third"));
    everybody_holds(
        &mesh,
        &["first.example", "second.example", "third.example", "theirs.example"],
    );
}

#[test]
fn an_old_copy_of_the_data_directory_never_forks() {
    let mut mesh = Nodes::start(3, &[(0, 1), (1, 2)]);
    mesh[0].publish("c2", &name("first"));
    everybody_holds(&mesh, &["first.example"]);
    let data = mesh[0].data().to_owned();
    let copy = data.with_extension("copy");
    mesh.node(0).stop(Signal::Kill);
    copy_folder(&data, &copy);
    mesh.node(0).start();
    for number in 0..3 {
        publish_once_safe(&mesh, 0, &name(&format!("second-{number}")));
    }
    everybody_holds(&mesh, &["second-0.example", "second-2.example"]);

    // The machine is set back to the copy, journal and all, as a snapshot of a virtual machine would be.
    mesh.node(0).stop(Signal::Kill);
    fs::remove_dir_all(&data).expect("the data directory can be removed");
    fs::rename(&copy, &data).expect("the copy can be moved");
    mesh.node(0).start();
    publish_once_safe(&mesh, 0, &name("third"));
    everybody_holds(
        &mesh,
        &["first.example", "second-0.example", "second-2.example", "third.example"],
    );
}

#[test]
fn a_corrupted_store_is_set_aside_and_rebuilt() {
    let mut mesh = Nodes::start(2, &[(0, 1)]);
    for number in 0..5 {
        mesh[0].publish("c2", &name(&format!("own-{number}")));
        mesh[1].publish("c2", &name(&format!("theirs-{number}")));
    }
    everybody_holds(&mesh, &["own-4.example", "theirs-4.example"]);
    mesh.node(0).stop(Signal::Terminate);
    mesh.node(1).stop(Signal::Terminate);
    mesh[0]
        .said(&["store", "verify"], "")
        .done("store verify of a sound store");
    let damaged = damage(mesh[0].data());
    assert!(damaged > 0, "no store file was found");

    let verified = mesh[0].said(&["store", "verify"], "");
    assert!(
        verified.code != Some(0) && verified.code.is_some(),
        "damage is not noticed: {verified:?}"
    );
    if let Err(said) = mesh.node(0).try_start() {
        assert!(said.contains("store rebuild"), "the remedy is not named: {said}");
        mesh[0].said(&["store", "rebuild"], "").done("store rebuild");
        mesh.node(0).start();
    }
    // Alone: what is its own comes back from the journal. Then the mesh gives back the rest.
    (0..5).for_each(|number| mesh[0].gets(&format!("own-{number}.example")));
    mesh.node(1).start();
    (0..5).for_each(|number| mesh[0].gets(&format!("theirs-{number}.example")));
    publish_once_safe(&mesh, 0, &name("after"));
    everybody_holds(&mesh, &["after.example", "own-0.example", "theirs-0.example"]);
    mesh.node(0).stop(Signal::Terminate);
    mesh[0]
        .said(&["store", "verify"], "")
        .done("store verify after the rebuild");
}

#[test]
fn a_sound_store_can_be_rebuilt_too() {
    let mut mesh = Nodes::start(2, &[(0, 1)]);
    mesh[0].publish("c2", &name("own"));
    mesh[1].publish("c2", &name("theirs"));
    everybody_holds(&mesh, &["own.example", "theirs.example"]);
    let running = mesh[0].said(&["store", "rebuild"], "");
    assert!(
        running.code != Some(0) && !running.errors.is_empty(),
        "a running node's store is not touched: {running:?}"
    );
    mesh.node(0).stop(Signal::Terminate);
    mesh[0].said(&["store", "rebuild"], "").done("store rebuild");
    mesh.node(0).start();
    publish_once_safe(&mesh, 0, &name("after"));
    everybody_holds(&mesh, &["own.example", "theirs.example", "after.example"]);
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    let permissions = fs::metadata(from).expect("it is there").permissions();
    fs::set_permissions(to, permissions).expect("the copy is ours");
    for entry in fs::read_dir(from).expect("the data directory is readable") {
        let entry = entry.expect("the data directory is readable");
        let kind = entry.file_type().expect("a file has a type");
        let target = to.join(entry.file_name());
        if kind.is_dir() {
            copy_folder(&entry.path(), &target);
        } else if kind.is_file() {
            // A stale socket is not copied; the permissions of key files are.
            fs::copy(entry.path(), &target).expect("a file can be copied");
        }
    }
}

/// Overwrites 64 bytes in every 512 of sled's log, its first segment header included; the number of places.
fn damage(data: &Path) -> usize {
    let mut places = 0;
    for path in files_named(data, "db") {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .expect("the store file is writable");
        let length = file.metadata().expect("the store file has a length").len();
        for place in (64..length.saturating_sub(64)).step_by(512) {
            file.seek(SeekFrom::Start(place))
                .expect("the store file can be sought in");
            file.write_all(&[0xa5; 64]).expect("the store file is writable");
            places += 1;
        }
    }
    places
}

fn files_named(folder: &Path, name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the data directory is readable");
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("the data directory is readable").path()) {
        if path.is_dir() {
            found.extend(files_named(&path, name));
        } else if path.file_name().is_some_and(|file| file == name) {
            found.push(path);
        }
    }
    found
}
