//! A data directory that is saved, put back, damaged and rebuilt.

use std::{collections::BTreeSet, path::Path};

use starfish_crypto::{Digest, PublicKey};
use starfish_protocol::engine::port::Change;

use super::*;
use crate::{
    ledger::{
        search::Search,
        tests::{
            DAY, NOW,
            author::{Author, Made},
            hits, is_clean, texts,
        },
    },
    store::Store,
};

mod crashes;

const CACHE: u64 = 8 << 20;

fn org() -> OrgId {
    OrgId::from_digest(Digest::of("test", &[1]))
}

fn owner() -> Owner {
    Owner {
        org: org(),
        node: PublicKey::from_bytes([7; 32]),
    }
}

fn opened(data: &Path) -> Ledger<SledStore> {
    open(data, CACHE, org()).expect("the data directory opens")
}

fn shown<S: Store>(ledger: &Ledger<S>) -> BTreeSet<String> {
    texts(&hits(ledger, &Search::all().at(NOW))).into_iter().collect()
}

/// What a node of its own and a second one say.
struct Story {
    own: Author,
    other: Author,
}

impl Story {
    fn new() -> Self {
        let (mut own, other) = (Author::new(1), Author::new(2));
        own.own = true;
        Self { own, other }
    }

    fn tell(&mut self, data: &Path, count: usize) -> Vec<Made> {
        let ledger = opened(data);
        ledger.apply(&[self.other.judged(true)]).expect("room on the disk");
        let mut made = Vec::new();
        for number in 0..count {
            made.push(
                self.own
                    .publish(&[&format!("own-{}-{number}.example", ledger.counts().records)]),
            );
            made.push(self.other.publish_names(number * 100, number * 100 + 120));
        }
        ledger
            .apply(&made.iter().map(Made::whole).collect::<Vec<_>>())
            .expect("room on the disk");
        ledger
            .apply(&[Change::Setting("paired", vec![0])])
            .expect("room on the disk");
        made
    }
}

/// Writes a backup of a data directory.
fn saved(data: &Path, file: &Path) -> u64 {
    let ledger = opened(data);
    let mut bytes = Vec::new();
    backup(&ledger, &owner(), &mut bytes).expect("memory does not fail");
    keep(&mut bytes.as_slice(), file).expect("a new file")
}

#[test]
fn a_backup_comes_back_equal() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, file) = (folder.path(), folder.path().join("copy"));
    let mut story = Story::new();
    story.tell(data, 4);
    let before = shown(&opened(data));
    let rows = saved(data, &file);
    let known = story.tell(data, 2);
    let restored = restore(data, &file, CACHE, &owner(), NOW).expect("a sound backup");
    assert_eq!(restored.rows, rows);
    assert!(restored.aside.is_some_and(|aside| aside.join(MADE).exists()));
    let ledger = opened(data);
    // The journal has what this node said after the backup.
    let own: BTreeSet<String> = known
        .iter()
        .filter(|made| made.own)
        .flat_map(|made| made.body.observables())
        .map(ToString::to_string)
        .collect();
    assert_eq!(shown(&ledger), before.union(&own).cloned().collect());
    assert!(ledger.load().expect("the store can be read").safe_mode);
    is_clean(&ledger);
    // What a peer then shows ends the safe mode with the next record of our own.
    ledger
        .apply(&[story.own.publish(&["next.example"]).whole()])
        .expect("room on the disk");
    assert!(!ledger.load().expect("the store can be read").safe_mode);
    drop(ledger);
    // A second one does not lose the first one's name, nor hide that it is still there.
    let first = all_aside(data);
    let second = restore(data, &file, CACHE, &owner(), NOW).expect("a sound backup");
    let both: BTreeSet<PathBuf> = first.iter().cloned().chain(second.aside).collect();
    assert_eq!((first.len(), both.len()), (1, 2));
    assert_eq!(all_aside(data).into_iter().collect::<BTreeSet<_>>(), both);
    assert!(
        verify(data, CACHE, org(), &mut |_| {})
            .expect("the store can be read")
            .is_clean()
    );
}

#[test]
fn a_backup_never_overwrites_and_changes_nothing_when_damaged() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, file) = (folder.path().join("data"), folder.path().join("copy"));
    std::fs::create_dir(&data).expect("a folder can be made");
    Story::new().tell(&data, 2);
    saved(&data, &file);
    assert!(matches!(keep(&mut [].as_slice(), &file), Err(UpkeepError::Exists(_))));
    let bytes = std::fs::read(&file).expect("the backup");
    let broken = folder.path().join("broken");
    assert!(keep(&mut &bytes[..bytes.len() - 1], &broken).is_err() && !broken.exists());
    let names = |folder: &Path| std::fs::read_dir(folder).expect("a folder").count();
    let check = |bytes: &[u8], what: &str| {
        std::fs::write(&broken, bytes).expect("a file can be written");
        let before = names(&data);
        assert!(restore(&data, &broken, CACHE, &owner(), NOW).is_err(), "{what}");
        assert_eq!(names(&data), before, "{what}");
    };
    for place in (0..bytes.len()).step_by(1 + bytes.len() / 97) {
        let mut flipped = bytes.clone();
        flipped[place] ^= 0x10;
        check(&flipped, &format!("byte {place}"));
        check(&bytes[..place], &format!("{place} bytes"));
    }
    check(&[bytes.as_slice(), &[0]].concat(), "a byte more");
    let mut newer = bytes.clone();
    newer[11] = 2;
    std::fs::write(&broken, newer).expect("a file can be written");
    assert!(matches!(
        restore(&data, &broken, CACHE, &owner(), NOW),
        Err(UpkeepError::Newer { found: 2, known: 1 })
    ));
}

/// Overwrites 64 bytes in every `step` of sled's log.
fn damage(data: &Path, from: usize, step: usize) {
    let log = data.join(sled_store::FOLDER).join("db");
    let mut bytes = std::fs::read(&log).expect("sled's log");
    for place in (from..bytes.len().saturating_sub(64)).step_by(step) {
        bytes[place..place + 64].fill(0xa5);
    }
    std::fs::write(&log, bytes).expect("the log can be replaced");
}

#[test]
fn a_damaged_store_is_noticed_and_rebuilt() {
    for (from, step) in [(64, 512), (0, 512), (4_096, 50_000), (1_024, 9_973), (0, 1 << 19)] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path();
        let mut story = Story::new();
        let made = story.tell(data, 5);
        damage(data, from, step);
        let verified = verify(data, CACHE, org(), &mut |_| {});
        let rebuilt = rebuild(data, CACHE, org(), NOW).unwrap_or_else(|error| panic!("{from} {step}: {error}"));
        assert!(
            rebuilt.from_journal == 5 && rebuilt.records >= 5,
            "{from} {step}: {rebuilt:?}, {verified:?}"
        );
        let ledger = opened(data);
        is_clean(&ledger);
        let found = shown(&ledger);
        let own = made
            .iter()
            .filter(|made| made.own)
            .flat_map(|made| made.body.observables());
        assert!(
            own.into_iter().all(|value| found.contains(&value.to_string())),
            "{from} {step}: {found:?}"
        );
        assert!(ledger.load().expect("the store can be read").safe_mode);
        // The mesh gives the rest again.
        ledger
            .apply(&made.iter().map(Made::whole).collect::<Vec<_>>())
            .expect("room on the disk");
        assert_eq!(ledger.counts().records, 10);
        is_clean(&ledger);
    }
}

#[test]
fn a_store_whose_content_is_gone_is_no_new_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path();
    Story::new().tell(data, 1);
    damage(data, 0, 512);
    let error = verify(data, CACHE, org(), &mut |_| {}).expect_err("nothing is left");
    assert!(matches!(error, UpkeepError::Store(StoreError::Corrupt(_))), "{error}");
}

#[test]
fn a_sound_store_is_taken_over_whole() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path();
    let mut story = Story::new();
    let made = story.tell(data, 3);
    let withdrawn = story.other.withdraw(&made[1], &["name-000007.example"]);
    opened(data).apply(&[withdrawn.whole()]).expect("room on the disk");
    let before = shown(&opened(data));
    let serial = opened(data).counts().serial;
    let rebuilt = rebuild(data, CACHE, org(), Millis(NOW.0 + DAY)).expect("a sound store");
    assert_eq!((rebuilt.lost, rebuilt.records, rebuilt.unreadable), (0, 7, None));
    let ledger = opened(data);
    assert_eq!(shown(&ledger), before);
    // Serials go on, so that nobody's cursor skips what was stored anew.
    let entries = ledger.entries(serial, 100).expect("the store can be read");
    assert_eq!(entries.first().map(|entry| entry.serial), Some(serial + 1));
    is_clean(&ledger);
}

#[test]
fn what_was_applied_is_there_after_a_start() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut story = Story::new();
    let first = story.tell(folder.path(), 2).len() as u64;
    let second = story.tell(folder.path(), 1).len() as u64;
    let ledger = opened(folder.path());
    assert_eq!(ledger.counts().records, first + second);
    is_clean(&ledger);
}

#[test]
fn another_nodes_backup_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, file) = (folder.path().join("data"), folder.path().join("copy"));
    std::fs::create_dir(&data).expect("a folder can be made");
    Story::new().tell(&data, 1);
    saved(&data, &file);
    let before = shown(&opened(&data));
    let check = |other: Owner, is_theirs: bool| {
        let restored = restore(&data, &file, CACHE, &other, NOW);
        let said = restored.as_ref().err().map(ToString::to_string).unwrap_or_default();
        assert_eq!(matches!(restored, Err(UpkeepError::Foreign(..))), is_theirs, "{said}");
        assert_eq!(said.contains(&owner().to_string()), is_theirs, "{said}");
        assert_eq!(shown(&opened(&data)), before);
    };
    let org = OrgId::from_digest(Digest::of("test", &[9]));
    let node = PublicKey::from_bytes([9; 32]);
    check(Owner { org, ..owner() }, true);
    check(Owner { node, ..owner() }, true);
    check(owner(), false);
}

#[test]
fn a_store_restored_on_a_new_machine_survives_its_loss() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (old, new, file) = (
        folder.path().join("old"),
        folder.path().join("new"),
        folder.path().join("copy"),
    );
    for data in [&old, &new] {
        std::fs::create_dir(data).expect("a folder can be made");
    }
    let mut story = Story::new();
    let made = story.tell(&old, 3);
    saved(&old, &file);
    restore(&new, &file, CACHE, &owner(), NOW).expect("a sound backup");
    let ledger = opened(&new);
    assert!(ledger.load().expect("the store can be read").safe_mode);
    is_clean(&ledger);
    drop(ledger);
    // Twice is not more.
    let length = |data: &Path| std::fs::metadata(data.join(journal::FILE)).expect("a journal").len();
    let noted = length(&new);
    assert!(noted > 1_000, "{noted} bytes");
    restore(&new, &file, CACHE, &owner(), NOW).expect("a sound backup");
    assert_eq!(length(&new), noted);
    std::fs::remove_dir_all(new.join(sled_store::FOLDER)).expect("the store is lost");
    let ledger = opened(&new);
    let own: BTreeSet<String> = made
        .iter()
        .filter(|made| made.own)
        .flat_map(|made| made.body.observables())
        .map(ToString::to_string)
        .collect();
    assert_eq!(shown(&ledger), own);
    let loaded = ledger.load().expect("the store can be read");
    assert!(loaded.settings.contains_key("paired") && loaded.safe_mode);
    is_clean(&ledger);
}

#[test]
fn nothing_is_no_sound_store() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path();
    let nothing = verify(data, CACHE, org(), &mut |_| {});
    assert!(matches!(nothing, Err(UpkeepError::Nothing(_))), "{nothing:?}");
    assert_eq!(
        std::fs::read_dir(data).expect("a folder").count(),
        0,
        "nothing was made"
    );
    Story::new().tell(data, 1);
    assert!(
        verify(data, CACHE, org(), &mut |_| {})
            .expect("a sound store")
            .is_clean()
    );
}
