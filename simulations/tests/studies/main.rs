//! The program as its users run it, each time in a process of its own.

mod scenarios;

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

fn program(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_starfish-sim"));
    command
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program starts")
}

/// Runs a command and gives what it printed; its exit code must be this one.
fn told(arguments: &[&str], folder: &Path, code: i32) -> String {
    let output = program(arguments, folder);
    let (out, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{error}");
    format!("{out}{error}")
}

#[test]
fn the_allocator_has_its_settings() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_starfish-sim"));
    let output = command
        .arg("list")
        .env("_RJEM_MALLOC_CONF", "stats_print:true")
        .output();
    let output = output.expect("the program starts");
    let told = String::from_utf8_lossy(&output.stderr);
    let settings = "malloc_conf: \"thp:always,dirty_decay_ms:100000\"";
    assert!(output.status.success() && told.contains(settings), "{told}");
}

#[test]
fn two_processes_see_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = told(&["check", "calm", "--ci", "--seed", "9"], folder.path(), 0);
    assert!(told.contains("the same"), "{told}");
}

#[test]
fn a_run_is_replayed_and_compared() {
    let folder = tempfile::tempdir().expect("a folder");
    let few = ["--set", "nodes.cert.count=5", "--set", "seconds=50"];
    for seed in ["4", "5"] {
        told(
            &[&["run", "calm", "--ci", "--seed", seed, "--events"], &few[..]].concat(),
            folder.path(),
            0,
        );
    }
    let replayed = told(&["replay", "4"], folder.path(), 0);
    assert!(
        replayed.contains("the same") && replayed.contains("run calm --seed 4 --ci"),
        "{replayed}"
    );
    assert!(told(&["replay", "6"], folder.path(), 2).contains("no report of seed 6"));
    let compared = told(&["compare", "reports/calm-4", "reports/calm-5"], folder.path(), 0);
    assert!(
        compared.contains("latency p50") && compared.contains("calm, seed 5"),
        "{compared}"
    );
    let events = std::fs::read_to_string(folder.path().join("reports/calm-4/events.ndjson")).expect("events");
    let head = events.lines().next().expect("a head");
    assert!(
        head.contains("\"program\":\"starfish-sim") && head.contains("\"seed\":4"),
        "{head}"
    );
    // A run that writes no events leaves none of an earlier one beside its report.
    told(
        &[&["run", "calm", "--ci", "--seed", "4"], &few[..]].concat(),
        folder.path(),
        0,
    );
    assert!(!folder.path().join("reports/calm-4/events.ndjson").exists());
}

#[test]
fn whom_events_name_is_found_among_the_nodes() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = ["run", "calm", "--ci", "--events", "--out", "out", "--set", "seconds=50"];
    told(&run, folder.path(), 0);
    let [events, nodes] = ["events.ndjson", "nodes.csv"]
        .map(|name| std::fs::read_to_string(folder.path().join("out").join(name)).expect("a file"));
    let (head, rows) = nodes.split_once('\n').expect("a head");
    assert!(head.contains("peer,author,organisation"), "{head}");
    let mut introduced = 0;
    for line in events.lines().filter(|line| line.contains("\"introduced\"")) {
        let (_, detail) = line
            .trim_end_matches("\"}")
            .split_once("\"detail\":\"")
            .expect("a detail");
        let (peer, org) = detail.split_once(' ').expect("a peer and its organisation");
        let row = rows.lines().find(|row| row.contains(peer));
        assert!(row.is_some_and(|row| row.contains(org)), "{line}");
        introduced += 1;
    }
    assert!(introduced > 20, "{introduced}");
}

#[test]
fn a_breach_is_left_and_replayed() {
    let folder = tempfile::tempdir().expect("a folder");
    // Nobody may say anything: honest nodes take each other for floods.
    let mute = [
        "--ci",
        "--set",
        "limits.gossip_burst=1",
        "--set",
        "limits.gossip_per_second=1",
    ];
    let all = |arguments: &[&'static str]| [arguments, &mute[..]].concat();
    let told = |arguments: &[&str]| told(arguments, folder.path(), 4);
    let first = told(&all(&["run", "calm", "--seed", "4", "--events"]));
    let replay = "starfish-sim replay 4 --reports reports/calm-4";
    assert!(first.contains("Flooding") && first.contains(replay), "{first}");
    let left = folder.path().join("reports/calm-4");
    assert!(!left.join("summary.json").exists());
    let breach = std::fs::read_to_string(left.join("breach.json")).expect("a breach");
    let known: serde_json::Value = serde_json::from_str(&breach).expect("a document");
    let known = &known["breach"];
    assert!(
        known["message"]
            .as_str()
            .is_some_and(|text| text.contains("sent honest node")),
        "{breach}"
    );
    // Everything was written that had happened, up to what showed it.
    let events = std::fs::read_to_string(left.join("events.ndjson")).expect("events");
    let (_, events) = events.split_once('\n').expect("a head");
    assert_eq!(known["events"], events.lines().count());
    assert_eq!(
        known["events_digest"],
        blake3::hash(events.as_bytes()).to_hex().as_str()
    );
    assert!(events.ends_with('\n') && events.lines().next_back().is_some_and(|last| last.contains("Flooding")));

    assert!(told(&["replay", "4"]).contains("the same breach again"));
    let edited = breach.replace("sent honest node", "kept honest node");
    std::fs::write(left.join("breach.json"), edited).expect("a file");
    let other = told(&["replay", "4"]);
    assert!(
        other.contains("another breach") && !other.contains("again, after"),
        "{other}"
    );

    let swept = told(&all(&["sweep", "calm", "--seeds", "5"]));
    let replay = "ended in a breach with seeds 5; again with: starfish-sim replay 5 --reports reports/sweep-calm/0-5";
    assert!(swept.contains(replay), "{swept}");
    assert!(told(&["replay", "5"]).contains("the same breach again"));
}

#[test]
fn a_sweep_shows_every_setting() {
    let folder = tempfile::tempdir().expect("a folder");
    let sweep = [
        "sweep",
        "calm",
        "--ci",
        "--seeds",
        "1..2",
        "--set",
        "nodes.cert.count=4,6",
    ];
    let shown = told(&sweep, folder.path(), 0);
    assert!(
        shown.contains("nodes.cert.count=4") && shown.contains("nodes.cert.count=6"),
        "{shown}"
    );
    assert!(shown.contains("±") && shown.contains("over 2 seeds"), "{shown}");
}

#[test]
fn a_sweep_says_what_it_could_not_do() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("afile"), "").expect("a file");
    let told = told(
        &["sweep", "calm", "--seeds", "1..2", "--out", "afile"],
        folder.path(),
        3,
    );
    assert!(told.contains("afile") && !told.contains("missed"), "{told}");
}

#[test]
fn readers_may_leave() {
    let run = |out: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_starfish-sim"));
        let output = command.arg("list").stdout(out).stderr(Stdio::piped()).output();
        let output = output.expect("the program starts");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    assert_eq!(run(writer.into()), (Some(0), String::new()));
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("a full disk");
    let (code, told) = run(full.into());
    assert!(code == Some(3) && told.contains("standard output"), "{code:?} {told}");
}

#[test]
fn a_full_disk_is_no_mistake_of_the_nodes() {
    let folder = tempfile::tempdir().expect("a folder");
    told(&["run", "calm", "--ci"], folder.path(), 0);
    let told = told(&["replay", "1", "--events", "/dev/full"], folder.path(), 3);
    assert!(
        told.starts_with("the report in") && told.contains("/dev/full: No space left"),
        "{told}"
    );
    assert!(!told.contains("panicked") && !told.contains("invariant"), "{told}");
}

#[test]
fn two_runs_that_failed_are_not_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    // The system stops each of them at its first 8 KiB of events, as it would at the end of a quota.
    let limited = format!(
        "ulimit -f 16; exec '{}' check calm --ci",
        env!("CARGO_BIN_EXE_starfish-sim")
    );
    let mut command = Command::new("sh");
    let output = command.args(["-c", &limited]).current_dir(folder.path()).output();
    let output = output.expect("a shell");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(
        told.contains("failed, and nothing was compared") && output.stdout.is_empty(),
        "{told}"
    );
}

#[test]
fn a_breach_is_left_when_nobody_hears_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_starfish-sim"));
    command.args(["run", "calm", "--ci", "--set", "limits.gossip_burst=1"]);
    command.args(["--set", "limits.gossip_per_second=1"]);
    let ended = command.current_dir(folder.path()).stderr(writer).status();
    assert_eq!(ended.expect("the program starts").code(), Some(4));
    assert!(folder.path().join("reports/calm-1/breach.json").exists());
}

#[test]
fn a_folder_is_no_scenario() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("calm")).expect("a folder");
    let told = told(&["run", "calm", "--set", "seconds=soon"], folder.path(), 2);
    assert!(told.contains("--set seconds=soon"), "{told}");
}

#[test]
fn exit_codes_say_whose_fault_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let check = |arguments: &[&str], code: i32, word: &str| {
        let told = told(arguments, folder.path(), code);
        assert!(told.contains(word), "{arguments:?}: {told}");
    };
    check(&["run", "no-such-study"], 2, "no-such-study");
    check(&["run", "calm", "--set", "seconds=soon"], 2, "--set seconds=soon");
    check(&["sweep", "calm", "--set", "secunds=1,2"], 2, "unknown field");
    check(&["sweep", "calm", "--seeds", "5..1"], 2, "smaller to a larger");
    check(&["sweep", "calm", "--seeds", "5,5"], 2, "there twice");
    check(&["compare", "gone", "gone"], 3, "gone");
    check(&["replay", "1"], 3, "reports");
    let impossible = [
        "run",
        "calm",
        "--ci",
        "--set",
        "nodes.cert.count=4",
        "--set",
        "expect.p50_ms=0.001",
    ];
    check(&impossible, 1, "BROKEN: p50_ms");
    check(&["list"], 0, "conficker-day");
    check(&["--help"], 0, "Begin with");
}
