//! Data directories that a crash, a broken disk or a hasty hand left behind.

use std::fs;

use super::*;

/// Five records of one's own among others, and a decision.
fn told(data: &Path) -> Vec<Made> {
    Story::new().tell(data, 5)
}

fn own(made: &[Made]) -> BTreeSet<String> {
    let own = made.iter().filter(|made| made.own);
    own.flat_map(|made| made.body.observables())
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_replacement_that_a_crash_interrupted_is_finished() {
    let check = |is_whole: bool| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path();
        let made = told(data);
        let before = shown(&opened(data));
        let (store, new) = (data.join(sled_store::FOLDER), data.join(NEW));
        // As `replace` leaves it when the power goes between its renames; or, without the mark, as a store that was lost
        // while another was being filled.
        fs::rename(&store, &new).expect("a folder can be renamed");
        if !is_whole {
            fs::remove_file(new.join(MADE)).expect("the mark is there");
        }
        let ledger = opened(data);
        let expected = if is_whole { before } else { own(&made) };
        assert_eq!(shown(&ledger), expected, "whole: {is_whole}");
        is_clean(&ledger);
        let loaded = ledger.load().expect("the store can be read");
        assert!(loaded.settings.contains_key("paired"), "whole: {is_whole}");
        // A whole one carries its own mark of safe mode; one from the journal alone needs it.
        assert_eq!(loaded.safe_mode, !is_whole);
    };
    check(true);
    check(false);
}

#[test]
fn a_store_that_is_gone_comes_back_in_safe_mode() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path();
    // A new node is in no safe mode: it has nothing that could fork.
    assert!(!opened(data).load().expect("the store can be read").safe_mode);
    let made = told(data);
    fs::remove_dir_all(data.join(sled_store::FOLDER)).expect("the store is lost");
    for start in 0..2 {
        let ledger = opened(data);
        assert!(ledger.load().expect("the store can be read").safe_mode, "start {start}");
        assert_eq!(shown(&ledger), own(&made), "start {start}");
    }
}

#[test]
fn a_journal_that_is_gone_is_written_anew() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path();
    let made = told(data);
    fs::remove_file(data.join(journal::FILE)).expect("the journal is lost");
    let all = shown(&opened(data));
    assert!(all.len() > own(&made).len());
    fs::remove_dir_all(data.join(sled_store::FOLDER)).expect("then the store is lost");
    let ledger = opened(data);
    assert_eq!(shown(&ledger), own(&made));
    assert!(
        ledger
            .load()
            .expect("the store can be read")
            .settings
            .contains_key("paired")
    );
}

#[test]
fn a_damaged_journal_is_mended_by_a_rebuild() {
    let check = |name: &str, places: &[usize], loses_store: bool, expected: usize| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path();
        // One append for each record of one's own, so that damage meets some of them.
        let mut story = Story::new();
        let made: Vec<Made> = (0..5).flat_map(|_| story.tell(data, 1)).collect();
        let path = data.join(journal::FILE);
        let mut bytes = fs::read(&path).expect("the journal");
        let ends: Vec<usize> = (0..bytes.len() - 4)
            .filter(|at| bytes[*at..at + 4] == *b"note")
            .collect();
        places.iter().for_each(|place| bytes[ends[*place] + 15] ^= 0x55);
        fs::write(&path, &bytes).expect("a damaged journal");
        if loses_store {
            fs::remove_dir_all(data.join(sled_store::FOLDER)).expect("the store is lost");
        }
        let error = open(data, CACHE, org()).expect_err(name).to_string();
        assert!(
            error.contains("journal") && error.contains("store rebuild"),
            "{name}: {error}"
        );
        let rebuilt = rebuild(data, CACHE, org(), NOW).expect(name);
        let mended = rebuilt.journal.clone().expect(name);
        assert_eq!(fs::read(&mended.aside).expect("the damaged journal"), bytes, "{name}");
        let ledger = opened(data);
        let own = own(&made);
        let found = shown(&ledger);
        assert_eq!(
            found.iter().filter(|value| own.contains(*value)).count(),
            expected,
            "{name}: {rebuilt:?}"
        );
        let loaded = ledger.load().expect("the store can be read");
        assert!(loaded.safe_mode && loaded.settings.contains_key("paired"), "{name}");
        is_clean(&ledger);
        drop(ledger);
        // What came from the old store is in the journal again.
        fs::remove_dir_all(data.join(sled_store::FOLDER)).expect("the store is lost");
        let ledger = opened(data);
        assert_eq!(shown(&ledger).len(), expected, "{name}: from the journal alone");
        is_clean(&ledger);
    };
    // Appends are, in turn, a verdict, a record and a setting.
    check("the old store fills the hole", &[7], false, 5);
    check("two holes", &[1, 10], false, 5);
    check("without the old store the log ends at the hole", &[7], true, 2);
    check("only a setting", &[5], true, 5);
}
