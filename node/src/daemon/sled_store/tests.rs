//! sled as a store: what survives a start, damage, and a disk that takes no more.

use std::{
    fs,
    ops::{ControlFlow, Deref},
    process::{Command, Stdio},
};

use super::*;
use crate::store::conformance;

const CACHE: u64 = 8 << 20;

/// A store in a folder that goes away with it.
struct Fresh(SledStore, #[allow(dead_code)] tempfile::TempDir);

impl Deref for Fresh {
    type Target = SledStore;
    fn deref(&self) -> &SledStore {
        &self.0
    }
}

impl Store for Fresh {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.get(space, key)
    }
    fn scan(&self, space: Space, from: &[u8], each: &mut Each<'_>) -> Result<(), StoreError> {
        self.0.scan(space, from, each)
    }
    fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        self.0.write(batch)
    }
    fn add(&self, space: Space, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<Vec<(usize, Vec<u8>)>, StoreError> {
        self.0.add(space, rows)
    }
    fn flush(&self) -> Result<(), StoreError> {
        self.0.flush()
    }
}

fn fresh() -> Fresh {
    let folder = tempfile::tempdir().expect("a temporary folder");
    Fresh(SledStore::open(folder.path(), CACHE).expect("a new store"), folder)
}

fn filled(folder: &Path) -> usize {
    let store = SledStore::open(folder, CACHE).expect("a new store");
    for number in 0u32..20_000 {
        if number % 500 == 0 {
            let mut batch = Batch::default();
            (number..number + 500).for_each(|key| batch.put(Space::Seen, key.to_be_bytes(), vec![7; 40]));
            store.write(&batch).expect("a batch within the limit");
        }
    }
    store.flush().expect("the store can be flushed");
    conformance::rows(&store).len()
}

#[test]
fn conforms() {
    conformance::all(fresh);
}

#[test]
fn what_was_flushed_is_there_after_a_start() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rows = filled(folder.path());
    assert_eq!(rows, 20_000);
    let store = SledStore::open(folder.path(), CACHE).expect("the store opens again");
    assert_eq!(conformance::rows(&store).len(), rows);
}

#[test]
fn a_second_opening_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let _first = SledStore::open(folder.path(), CACHE).expect("a new store");
    let second = SledStore::open(folder.path(), CACHE);
    assert!(matches!(second, Err(StoreError::Io(_))), "{second:?}");
}

/// Damage of any kind may lose or hide rows and may be an error, but never a panic or a false value.
#[test]
fn damage_is_an_error_and_no_panic() {
    let mut errors = 0;
    for round in 0u64..12 {
        let folder = tempfile::tempdir().expect("a temporary folder");
        filled(folder.path());
        let log = folder.path().join("db");
        let mut bytes = fs::read(&log).expect("sled's log");
        for flip in 0..64 {
            let place = (round * 7_919 + flip * 104_729 + 64) % bytes.len() as u64;
            bytes[place as usize] ^= 0xa5;
        }
        fs::write(&log, bytes).expect("the log can be replaced");
        let read = SledStore::open(folder.path(), CACHE).and_then(|store| {
            let each = &mut |key: &[u8], value: &[u8]| {
                assert_eq!((key.len(), value), (4, [7; 40].as_slice()), "a false value");
                ControlFlow::Continue(())
            };
            store.scan(Space::Seen, &[], each)
        });
        match read {
            Ok(()) => {}
            Err(StoreError::Corrupt(_)) => errors += 1,
            Err(other) => panic!("round {round}: {other}"),
        }
    }
    assert!(errors > 0, "the damage was never noticed");
}

/// Where the process that runs `the_disk_takes_no_more` keeps its store.
const FULL: &str = "STARFISH_TEST_FULL_DISK";

/// How a test writes.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Batches of one space.
    Plain,
    /// Batches over two spaces, which are transactions.
    Together,
    /// From two threads at once.
    Added,
}

/// Half a megabyte of rows, about a full buffer of sled's.
fn half_a_megabyte(store: &SledStore, way: Way, number: usize, bytes: usize) -> Result<(), StoreError> {
    let rows =
        |count: usize| (0..count).map(move |key| ([number.to_be_bytes(), key.to_be_bytes()].concat(), vec![7; bytes]));
    let spaces = match way {
        Way::Added => {
            return store
                .add(
                    Space::Seen,
                    &rows(SHARED_ROWS.max((1 << 19) / bytes)).collect::<Vec<_>>(),
                )
                .map(|_| ());
        }
        Way::Plain => [Space::Seen, Space::Seen],
        Way::Together => [Space::Seen, Space::Bodies],
    };
    let mut batch = Batch::default();
    rows(((1 << 19) / bytes).min(500)).for_each(|(key, value)| batch.put(spaces[usize::from(key[15] % 2)], key, value));
    store.write(&batch)
}

#[test]
#[ignore = "run by `a_full_disk_ends_in_an_error` on a small disk"]
fn the_disk_takes_no_more() {
    let Some(folder) = std::env::var_os(FULL) else { return };
    let folder = Path::new(&folder).join("full");
    let check = |way: Way, bytes: usize, flushes: bool| {
        let name = format!("{way:?}, {bytes} bytes, flushes: {flushes}");
        let store = SledStore::open(&folder, CACHE).expect("room for an empty store");
        let written = (0..200).try_for_each(|number| {
            half_a_megabyte(&store, way, number, bytes)?;
            if flushes { store.flush() } else { Ok(()) }
        });
        let error = written
            .and_then(|()| store.flush())
            .expect_err("there is no room for so much");
        assert!(matches!(error, StoreError::Io(_) | StoreError::Full), "{name}: {error}");
        // Whoever comes later hears it at once.
        let mut batch = Batch::default();
        batch.put(Space::Seen, [1], [1]);
        assert!(store.write(&batch).is_err() && store.flush().is_err(), "{name}");
        assert!(store.add(Space::Seen, &[(vec![2], vec![2])]).is_err(), "{name}");
        drop(store);
        // The database that was left open still has its file.
        fs::write(folder.join("db"), []).expect("a file can be emptied");
        fs::remove_dir_all(&folder).expect("a folder can be removed");
    };
    // Whether sled forgets to wake somebody is a matter of luck, and likeliest with large rows.
    for bytes in [200, 2_000].into_iter().chain([50_000; 12]) {
        for way in [Way::Plain, Way::Together, Way::Added] {
            check(way, bytes, true);
            check(way, bytes, false);
        }
    }
}

/// Runs the rest of the line on a small disk of its own, or, where that is not allowed, with files that may not grow, and
/// an error in the place of the signal for those that try.
const SMALL_DISK: &str = r#"
    if unshare -rm true; then
        exec unshare -rm sh -c 'mount -t tmpfs -o size=6m none "$STARFISH_TEST_FULL_DISK" && exec "$0" "$@"' "$0" "$@"
    fi
    trap '' XFSZ
    ulimit -f 4096
    exec "$0" "$@"
"#;

#[test]
fn a_full_disk_ends_in_an_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = std::env::current_exe().expect("this test is a program");
    let mut child = Command::new("sh")
        .args(["-c", SMALL_DISK])
        .arg(program)
        .args([
            "--exact",
            "daemon::sled_store::tests::the_disk_takes_no_more",
            "--ignored",
        ])
        .env(FULL, folder.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("there is a shell");
    let (said, ended) = mpsc::channel();
    let number = child.id();
    thread::spawn(move || said.send(child.wait()));
    match ended.recv_timeout(Duration::from_secs(60)) {
        Ok(status) => assert!(status.expect("it can be waited for").success()),
        Err(_) => {
            let _ = Command::new("kill").args(["-9", &number.to_string()]).status();
            panic!("it hangs");
        }
    }
}
