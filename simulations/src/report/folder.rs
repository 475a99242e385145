//! The folder of a run: `summary.json`, a CSV file for each figure, and `report.html`; or `breach.json`, when an invariant
//! broke or something panicked.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Breached, Head, Left, Report, page};

/// The file by which a folder is known as a report.
pub const SUMMARY: &str = "summary.json";
/// What there is instead of a run that ended in a breach.
pub const BREACH: &str = "breach.json";
/// The event stream, if it is wanted.
pub const EVENTS: &str = "events.ndjson";

/// Everything that a run may leave.
const FILES: [&str; 11] = [
    SUMMARY,
    BREACH,
    EVENTS,
    "report.html",
    "time-to-all.csv",
    "latency-by-region.csv",
    "latency-by-role.csv",
    "bytes-by-kind.csv",
    "nodes.csv",
    "trust.csv",
    "mesh.csv",
];

/// Why a report could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct FolderError {
    path: PathBuf,
    reason: String,
}

fn failed(path: &Path) -> impl Fn(io::Error) -> FolderError {
    let path = path.to_owned();
    move |error| FolderError {
        path: path.clone(),
        reason: error.to_string(),
    }
}

/// Makes a folder for a run, without what an earlier one left there: a run that fails, or writes no events, must not be
/// taken for it. Other files stay.
///
/// # Errors
/// When the folder cannot be made, or a file cannot be removed.
pub fn clear(folder: &Path) -> Result<(), FolderError> {
    fs::create_dir_all(folder).map_err(failed(folder))?;
    for path in FILES.map(|name| folder.join(name)) {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&path)(error)),
            _ => {}
        }
    }
    Ok(())
}

/// Writes every file of a report; those of an earlier report in the same folder are replaced.
///
/// # Errors
/// When the folder cannot be made or written to.
pub fn write(folder: &Path, report: &Report, about: &str) -> Result<(), FolderError> {
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let outcome = &report.outcome;
    let arrivals = outcome.spread.iter().flat_map(|spread| {
        let share = move |place: usize| 100.0 * (place + 1) as f64 / spread.wanted as f64;
        spread
            .arrivals
            .iter()
            .enumerate()
            .map(move |(place, time)| (spread.record, spread.at, time, share(place)))
    });
    rows(
        folder,
        "time-to-all.csv",
        &["record", "published_ms", "after_ms", "percent_of_nodes"],
        arrivals,
    )?;
    for (by, groups) in [("region", &outcome.regions), ("role", &outcome.roles)] {
        let groups = groups.iter().map(|row| {
            let times = row.latency;
            (&row.name, times.count, times.p50, times.p90, times.p99, times.most)
        });
        let head = [by, "arrivals", "p50_ms", "p90_ms", "p99_ms", "max_ms"];
        rows(folder, &format!("latency-by-{by}.csv"), &head, groups)?;
    }
    rows(
        folder,
        "bytes-by-kind.csv",
        &["kind", "bytes", "writes"],
        &outcome.traffic,
    )?;
    let head = [
        "node",
        "role",
        "region",
        "adversary",
        "peer",
        "author",
        "organisation",
        "missing",
        "received",
        "received_bodies",
        "stored_bodies",
        "sent",
    ];
    rows(folder, "nodes.csv", &head, &outcome.nodes)?;
    let looks = outcome.trust.iter().flat_map(|trust| &trust.looks);
    let head = [
        "seconds",
        "honest_trusted_percent",
        "hostile_trusted_percent",
        "poison_believed_percent",
        "poison_listed_percent",
        "poison_score",
        "true_listed_percent",
    ];
    rows(folder, "trust.csv", &head, looks)?;
    rows(folder, "mesh.csv", &["node", "other"], &outcome.links)?;
    let page = folder.join("report.html");
    fs::write(&page, page::page(report, about)).map_err(failed(&page))?;
    // Last, so that a folder with a summary is a whole report.
    write_document(&folder.join(SUMMARY), report)
}

/// Writes what is known of a run that ended in a breach.
///
/// # Errors
/// When the folder cannot be written to.
pub fn write_breach(folder: &Path, breached: &Breached) -> Result<(), FolderError> {
    write_document(&folder.join(BREACH), breached)
}

fn write_document(path: &Path, document: &impl Serialize) -> Result<(), FolderError> {
    let text = serde_json::to_string_pretty(document).expect("what a run leaves is a document");
    fs::write(path, text + "\n").map_err(failed(path))
}

fn rows<T: Serialize>(
    folder: &Path,
    name: &str,
    head: &[&str],
    rows: impl IntoIterator<Item = T>,
) -> Result<(), FolderError> {
    let path = folder.join(name);
    let wrong = |error: csv::Error| FolderError {
        path: path.clone(),
        reason: error.to_string(),
    };
    let mut file = csv::WriterBuilder::new()
        .has_headers(false)
        .from_path(&path)
        .map_err(wrong)?;
    file.write_record(head).map_err(wrong)?;
    for row in rows {
        file.serialize(row).map_err(wrong)?;
    }
    file.flush().map_err(failed(&path))
}

/// Reads a report back, from its folder or its summary.
///
/// # Errors
/// When there is none.
pub fn read(path: &Path) -> Result<Report, FolderError> {
    let file = if path.is_dir() {
        path.join(SUMMARY)
    } else {
        path.to_owned()
    };
    if file.exists() {
        return read_document(&file);
    }
    let reason = if path.join(BREACH).exists() {
        format!("there is no report: the run ended in a breach, see {BREACH}")
    } else if let Some(run) = first_within(path) {
        format!(
            "there is no report, but there are some in it: name one, such as {}",
            run.display()
        )
    } else {
        format!("there is no report ({SUMMARY}); run a scenario with --out FOLDER first")
    };
    Err(FolderError {
        path: path.to_owned(),
        reason,
    })
}

/// The first folder of a run in this one.
fn first_within(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    entries.map(|entry| entry.path()).filter(|path| has_left(path)).min()
}

/// Whether a run left anything in this folder.
pub fn has_left(folder: &Path) -> bool {
    [SUMMARY, BREACH].iter().any(|name| folder.join(name).exists())
}

/// Reads what a run left in its folder.
///
/// # Errors
/// When there is nothing.
pub fn left(folder: &Path) -> Result<Left, FolderError> {
    let breach = folder.join(BREACH);
    if breach.exists() {
        return read_document(&breach).map(|breached| Left::Breach(Box::new(breached)));
    }
    read(folder).map(|report| Left::Report(Box::new(report)))
}

fn read_document<T: DeserializeOwned>(file: &Path) -> Result<T, FolderError> {
    let text = fs::read_to_string(file).map_err(failed(file))?;
    serde_json::from_str(&text).map_err(|error| FolderError {
        path: file.to_owned(),
        reason: foreign(&text, file).map_or_else(
            || format!("is no report: {error}"),
            |foreign| format!("{foreign} ({error})"),
        ),
    })
}

/// The head of a report that another version wrote, which has other figures: what it takes to make the report anew.
#[derive(Deserialize)]
struct Foreign {
    head: ForeignHead,
}

#[derive(Deserialize)]
struct ForeignHead {
    file: String,
    ci: bool,
    set: Vec<String>,
    seed: u64,
    program: String,
}

/// Who wrote a report that cannot be read, and how it is made anew; none when it is no report at all.
fn foreign(text: &str, file: &Path) -> Option<String> {
    let Foreign { head } = serde_json::from_str(text).ok()?;
    let program = head.program;
    let head = Head {
        file: head.file,
        ci: head.ci,
        set: head.set,
        seed: head.seed,
        ..Head::default()
    };
    let folder = file.parent().unwrap_or(Path::new("."));
    let again = head.run_command(folder);
    Some(format!(
        "this program cannot read what {program} wrote; make it anew with: {again}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::left::tests::breached;

    #[test]
    fn a_report_is_read_back_and_its_files_are_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut report = page::tests::report();
        write(folder.path(), &report, "about").expect("a report");
        let lines = |name: &str| {
            fs::read_to_string(folder.path().join(name))
                .expect(name)
                .lines()
                .count()
        };
        assert_eq!(lines("time-to-all.csv"), 1 + 3);
        assert_eq!(lines("latency-by-region.csv"), 1 + 1);
        assert_eq!(lines("bytes-by-kind.csv"), 1 + 1);
        assert_eq!(lines("nodes.csv"), 1 + 4);
        assert_eq!(lines("mesh.csv"), 1 + 3);
        assert_eq!(lines("trust.csv"), 1 + 2);
        assert!(lines("report.html") > 1);
        // These two are in CSV files only.
        (report.outcome.spread, report.outcome.links) = (Vec::new(), Vec::new());
        assert_eq!(read(folder.path()).expect("a report"), report);
        assert_eq!(read(&folder.path().join(SUMMARY)).expect("a report"), report);
    }

    #[test]
    fn the_readme_explains_every_column() {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), &page::tests::report(), "about").expect("a report");
        let readme = include_str!("../../README.md");
        for name in FILES.iter().filter(|name| name.ends_with(".csv")) {
            let row = readme.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
            let row = row.unwrap_or_else(|| panic!("{name} has no row"));
            let text = fs::read_to_string(folder.path().join(name)).expect("a file");
            let head = text.lines().next().expect("a head");
            for column in head.split(',') {
                assert!(row.contains(&format!("`{column}`")), "{name}: {column}");
            }
        }
    }

    #[test]
    fn nothing_of_an_earlier_report_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let within = folder.path().join("report");
        clear(&within).expect("a new folder");
        write(&within, &page::tests::report(), "about").expect("a report");
        fs::write(within.join(EVENTS), "events").expect("a file");
        write_breach(&within, &breached()).expect("a breach");
        fs::write(within.join("notes.txt"), "mine").expect("a file");
        clear(&within).expect("a cleared folder");
        let left = fs::read_dir(&within).expect("a folder");
        let left: Vec<_> = left.map(|entry| entry.expect("an entry").file_name()).collect();
        assert_eq!(left, ["notes.txt"]);
    }

    #[test]
    fn what_a_broken_invariant_left_is_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(!has_left(folder.path()) && left(folder.path()).is_err());
        write_breach(folder.path(), &breached()).expect("a breach");
        assert!(has_left(folder.path()));
        assert_eq!(
            left(folder.path()).expect("a breach"),
            Left::Breach(Box::new(breached()))
        );
        let told = read(folder.path()).expect_err("no report").to_string();
        assert!(told.contains("ended in a breach, see breach.json"), "{told}");
        // The next run begins with a clear folder.
        clear(folder.path()).expect("a cleared folder");
        write(folder.path(), &page::tests::report(), "about").expect("a report");
        assert!(matches!(left(folder.path()), Ok(Left::Report(_))));
    }

    #[test]
    fn a_report_of_another_version_says_how_to_make_it_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut document = serde_json::to_value(page::tests::report()).expect("a document");
        document["outcome"]["abolished"] = 5.into();
        document["head"]["abolished"] = true.into();
        let path = folder.path().join(SUMMARY);
        fs::write(&path, document.to_string()).expect("a file");
        let told = read(folder.path()).expect_err("it has another figure").to_string();
        let (program, again) = (page::tests::report().head.program, page::tests::report().head.command());
        let out = folder.path().display();
        for words in [&program, &format!("{again} --out {out}"), "unknown field `abolished`"] {
            assert!(told.contains(words), "{words}: {told}");
        }
        assert!(told.starts_with(&path.display().to_string()), "{told}");
    }

    #[test]
    fn what_is_no_report_is_said_to_be_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let check = |text: &str, word: &str| {
            fs::write(folder.path().join(SUMMARY), text).expect("a file");
            let told = read(folder.path()).expect_err(text).to_string();
            assert!(told.contains(word) && told.contains(SUMMARY), "{told}");
        };
        check("", "is no report");
        check("{}", "missing field");
        check("[1, 2]", "is no report");
        check("{\"head\": {\"seed\": 1}}", "is no report");
        let (sweep, run) = (folder.path().join("sweep"), folder.path().join("sweep/0-1"));
        clear(&run).expect("a folder");
        write(&run, &page::tests::report(), "about").expect("a report");
        let told = read(&sweep).expect_err("no report itself").to_string();
        assert!(
            told.ends_with(&format!("name one, such as {}", run.display())),
            "{told}"
        );
        for gone in [folder.path().join("gone"), folder.path().join("gone").join(SUMMARY)] {
            let told = read(&gone).expect_err("no report").to_string();
            assert!(told.contains("run a scenario with --out FOLDER first"), "{told}");
        }
    }
}
