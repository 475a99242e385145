//! The same seed gives the same bytes, in whatever process; another seed gives others.

use std::{fs, fs::File, time::Duration};

use starfish_sim::{Damage, world::World};

use crate::alone::{child, said, told};

const NAME: &str = "repeating::a_seed_is_a_world";

/// A world with a bit of everything, written to a file.
fn live(seed: u64, path: &str) {
    let file = File::create(path).expect("the parent named a file");
    let plan = World::new(seed).nodes(20).write_events(file);
    plan.run(|world| {
        world.run_for(Duration::from_secs(5));
        world.publish(0, "malware", &["a.example"]).expect("it is certified");
        world.cut(&[vec![0, 1, 2, 3]]);
        world.publish(0, "malware", &["b.example"]).expect("it is certified");
        world.crash(7, Damage::StoreLost);
        world.run_for(Duration::from_secs(20));
        world.start(7);
        world.heal();
        world.run_for(Duration::from_secs(40));
    });
}

#[test]
fn a_seed_is_a_world() {
    if let Some(word) = told(NAME) {
        let (seed, path) = word.split_once(' ').expect("a seed and a path");
        return live(seed.parse().expect("a number"), path);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let events = |run: &str, seed: u64| {
        let path = folder.path().join(run);
        let output = child(NAME, &format!("{seed} {}", path.display()));
        assert!(output.status.success(), "{}", said(&output));
        fs::read(&path).expect("the child wrote it")
    };
    let first = events("first", 20);
    assert!(
        first.iter().filter(|byte| **byte == b'\n').count() > 500,
        "something happened"
    );
    assert!(first == events("second", 20), "the same seed in another process");
    assert!(first != events("other", 21), "another seed");
}
