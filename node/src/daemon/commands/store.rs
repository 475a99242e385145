//! `store verify`, `backup`, `restore` and `rebuild`.
//!
//! All but `backup` work on the files themselves, under the lock that a running node holds.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use hyper::{Method, body::Bytes};
use serde::Serialize;
use tokio::{runtime::Handle, task::spawn_blocking};

use super::Console;
use crate::daemon::{
    arguments::upkeep::Store,
    control::client::Lines,
    exit::{Exit, Failure},
    identity::Identity,
    lock::Lock,
    moment,
    report::{GOOD, Plain, WARN, styled},
    run::store_failure,
    settings::{self, Layers},
    upkeep::{self, Owner, UpkeepError},
};

pub(super) async fn store(console: &Console, arguments: Store) -> Result<Exit, Failure> {
    if let Store::Backup { file } = arguments {
        return backup(console, file).await;
    }
    let stopped = Stopped::of(&console.data)?;
    let worked = spawn_blocking(move || match arguments {
        Store::Verify => stopped.verify(),
        Store::Restore { file } => stopped.restore(&file),
        Store::Rebuild | Store::Backup { .. } => stopped.rebuild(),
    });
    let done = worked
        .await
        .map_err(|error| Failure::machine("the work on the store broke", error))??;
    console.report.show(&done)?;
    Ok(done.exit())
}

/// A data directory whose node does not run, and does not start meanwhile.
struct Stopped {
    data: PathBuf,
    cache_bytes: u64,
    owner: Owner,
    _lock: Lock,
}

impl Stopped {
    fn of(data: &Path) -> Result<Self, Failure> {
        let settings = settings::load(data, &Layers::of_process(Vec::new()));
        let settings = settings.map_err(|mistakes| settings::failure(&mistakes))?;
        let identity = Identity::load(data, settings.community)?;
        let (data, _lock) = (data.to_owned(), Lock::take(data)?);
        Ok(Self {
            data,
            cache_bytes: settings.cache_bytes,
            owner: Owner::from(&identity),
            _lock,
        })
    }

    fn verify(&self) -> Result<Done, Failure> {
        let report = upkeep::verify(&self.data, self.cache_bytes, self.owner.org, &mut |_| {});
        let report = report.map_err(|error| failure(&error))?;
        Ok(Done::Verified {
            records: report.records,
            bodies: report.bodies,
            observables: report.observables,
            findings: report
                .findings
                .iter()
                .map(|(kind, count)| Finding { kind, count: *count })
                .collect(),
            examples: report.examples,
        })
    }

    fn restore(&self, file: &Path) -> Result<Done, Failure> {
        let restored = upkeep::restore(&self.data, file, self.cache_bytes, &self.owner, moment::now());
        let upkeep::Restored { rows, aside } = restored.map_err(|error| failure(&error))?;
        let older = self.older([&aside, &None]);
        Ok(Done::Restored { rows, aside, older })
    }

    /// What was set aside before these.
    fn older(&self, these: [&Option<PathBuf>; 2]) -> Vec<PathBuf> {
        let mut all = upkeep::all_aside(&self.data);
        all.retain(|path| !these.into_iter().flatten().any(|this| this == path));
        all
    }

    fn rebuild(&self) -> Result<Done, Failure> {
        let rebuilt = upkeep::rebuild(&self.data, self.cache_bytes, self.owner.org, moment::now());
        let upkeep::Rebuilt {
            aside,
            records,
            from_journal,
            lost,
            unreadable,
            journal,
        } = rebuilt.map_err(|error| failure(&error))?;
        let journal_aside = journal.as_ref().map(|journal| journal.aside.clone());
        Ok(Done::Rebuilt(Rebuilt {
            older: self.older([&aside, &journal_aside]),
            records,
            from_journal,
            lost,
            aside,
            unreadable: unreadable.map(|error| error.to_string()),
            journal_aside,
            journal_lost_bytes: journal.map_or(0, |journal| journal.lost),
        }))
    }
}

fn failure(error: &UpkeepError) -> Failure {
    let exit = match error {
        UpkeepError::Store(error) => return store_failure(error),
        UpkeepError::Exists(_) | UpkeepError::Foreign(..) => Exit::Refused,
        UpkeepError::Newer { .. } | UpkeepError::Nothing(_) | UpkeepError::NotABackup => Exit::Configuration,
        UpkeepError::Damaged(_) => Exit::Damaged,
        UpkeepError::Writing(_) => Exit::Incomplete,
        UpkeepError::File { .. } => Exit::Failed,
    };
    Failure::new(exit, error.to_string())
}

/// Both a restored and a rebuilt store may know less of the node's own log than others do.
const COMPARES: &str = "the next publication waits until a peer has shown what it holds of this node's log, for some \
    seconds at most, and goes into a new epoch, so that nothing that was published before is contradicted";

/// What was done.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Done {
    Verified {
        records: u64,
        bodies: u64,
        observables: u64,
        findings: Vec<Finding>,
        examples: Vec<String>,
    },
    Saved {
        file: PathBuf,
        rows: u64,
    },
    Restored {
        rows: u64,
        aside: Option<PathBuf>,
        older: Vec<PathBuf>,
    },
    Rebuilt(Rebuilt),
}

/// What `rebuild` found and made.
#[derive(Debug, Default, Serialize)]
struct Rebuilt {
    records: u64,
    from_journal: u64,
    lost: u64,
    aside: Option<PathBuf>,
    unreadable: Option<String>,
    journal_aside: Option<PathBuf>,
    journal_lost_bytes: u64,
    older: Vec<PathBuf>,
}

/// Something that does not fit, and how often.
#[derive(Debug, Serialize)]
struct Finding {
    kind: &'static str,
    count: u64,
}

impl Done {
    fn exit(&self) -> Exit {
        match self {
            Self::Verified { findings, .. } if !findings.is_empty() => Exit::Damaged,
            _ => Exit::Done,
        }
    }
}

impl Plain for Done {
    fn plain(&self) -> Vec<String> {
        match self {
            Self::Verified {
                records,
                bodies,
                observables,
                findings,
                examples,
            } => {
                let mut lines = vec![format!(
                    "read {records} records, {bodies} bodies, {observables} index rows"
                )];
                lines.extend(
                    findings
                        .iter()
                        .map(|Finding { kind, count }| styled(WARN, &format!("{kind}: {count}"))),
                );
                lines.extend(examples.iter().map(|example| format!("  {example}")));
                lines.push(match findings.is_empty() {
                    true => styled(GOOD, "everything fits"),
                    false => styled(WARN, "the store is damaged; `starfish store rebuild` makes a new one"),
                });
                lines
            }
            Self::Saved { file, rows } => vec![styled(GOOD, &format!("saved {rows} rows in {}", file.display()))],
            Self::Restored { rows, aside, older } => {
                let mut lines: Vec<String> = set_aside("store", aside).into_iter().collect();
                lines.extend(still_aside(older));
                lines.push(styled(GOOD, &format!("restored {rows} rows")));
                lines.push(COMPARES.to_owned());
                lines
            }
            Self::Rebuilt(rebuilt) => rebuilt.plain(),
        }
    }
}

impl Plain for Rebuilt {
    fn plain(&self) -> Vec<String> {
        let warn = |text: String| styled(WARN, &text);
        let mut lines: Vec<String> = set_aside("store", &self.aside).into_iter().collect();
        lines.extend(
            self.unreadable
                .iter()
                .map(|why| warn(format!("it could not be opened: {why}"))),
        );
        if self.journal_aside.is_some() {
            let lost = self.journal_lost_bytes;
            lines.extend(set_aside("journal", &self.journal_aside));
            lines.push(warn(format!(
                "{lost} bytes of the journal were damaged; the rest of it was taken over"
            )));
        }
        lines.extend(still_aside(&self.older));
        let Self {
            records,
            from_journal,
            lost,
            ..
        } = self;
        lines.push(styled(
            GOOD,
            &format!("rebuilt with {records} records, {from_journal} of them from the journal"),
        ));
        if *lost > 0 {
            lines.push(warn(format!(
                "{lost} records could not be read; the mesh gives back what it has"
            )));
        }
        lines.push(COMPARES.to_owned());
        lines
    }
}

fn set_aside(what: &str, path: &Option<PathBuf>) -> Option<String> {
    path.as_ref().map(|path| {
        format!(
            "the old {what} is {}: it may be deleted when nothing is missed",
            path.display()
        )
    })
}

/// Nothing of this goes by itself: it may be all that is left of a record.
fn still_aside(older: &[PathBuf]) -> Option<String> {
    let names: Vec<String> = older.iter().map(|path| format!("\n  {}", path.display())).collect();
    (!names.is_empty()).then(|| {
        let text = "from earlier times, these take room and may be deleted (rm -r) when nothing is missed:";
        styled(WARN, &format!("{text}{}", names.concat()))
    })
}

async fn backup(console: &Console, file: PathBuf) -> Result<Exit, Failure> {
    if file.exists() {
        return Err(failure(&UpkeepError::Exists(file.display().to_string())));
    }
    let lines = console.client().lines(Method::POST, "/backup", &[]).await?;
    let (runtime, name) = (Handle::current(), file.clone());
    let kept = spawn_blocking(move || {
        upkeep::keep(
            &mut Incoming {
                lines,
                runtime,
                held: Bytes::new(),
            },
            &name,
        )
    })
    .await;
    let rows = kept
        .map_err(|error| Failure::machine("the backup broke off", error))?
        .map_err(|error| failure(&error))?;
    console.report.show(&Done::Saved { file, rows })?;
    Ok(Exit::Done)
}

/// The node's stream as something to read from, on a thread that may block.
struct Incoming {
    lines: Lines,
    runtime: Handle,
    held: Bytes,
}

impl Read for Incoming {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.held.is_empty() {
            let next = self
                .runtime
                .block_on(self.lines.next_bytes())
                .map_err(io::Error::other)?;
            let Some(bytes) = next else { return Ok(0) };
            self.held = bytes;
        }
        let count = into.len().min(self.held.len());
        let taken = self.held.split_to(count);
        into.iter_mut().zip(taken.iter()).for_each(|(to, from)| *to = *from);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_damage() {
        let verified = |findings: Vec<Finding>| {
            let (records, bodies, observables, examples) = (1, 1, 2, vec!["x".to_owned()]);
            Done::Verified {
                records,
                bodies,
                observables,
                findings,
                examples,
            }
        };
        assert_eq!(verified(Vec::new()).exit(), Exit::Done);
        let damaged = verified(vec![Finding {
            kind: "missing row",
            count: 1,
        }]);
        assert_eq!(damaged.exit(), Exit::Damaged);
        assert!(damaged.plain().iter().any(|line| line.contains("store rebuild")));
        let restored = |older: &[&str]| Done::Restored {
            rows: 1,
            aside: Some("store.aside-3".into()),
            older: older.iter().map(PathBuf::from).collect(),
        };
        assert_eq!(restored(&[]).exit(), Exit::Done);
        assert!(!restored(&[]).plain().join("\n").contains("rm -r"));
        let told = restored(&["store.aside-1", "journal.aside-2"]).plain().join("\n");
        assert!(
            told.contains("rm -r") && told.contains("  store.aside-1\n  journal.aside-2"),
            "{told}"
        );
        let rebuilt = Done::Rebuilt(Rebuilt {
            journal_aside: Some("journal.aside-1".into()),
            journal_lost_bytes: 77,
            ..Rebuilt::default()
        });
        let lines = rebuilt.plain().join("\n");
        assert!(
            lines.contains("the old journal is journal.aside-1") && lines.contains("77 bytes"),
            "{lines}"
        );
    }
}
