//! From a file to a [`Scenario`]: parsed, changed by its `[ci]` variant and by `--set`, checked. Every mistake names its line.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeTable, DeValue, Deserializer},
};

use super::{Mistake, Scenario, Written, checking};

/// How a file is changed before it is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Whether the `[ci]` variant applies.
    pub ci: bool,
    /// `key=value`, in order; the value is TOML, or else a text.
    pub set: Vec<String>,
}

/// Reads a scenario file.
///
/// # Errors
/// With everything that can be found wrong with it.
pub fn load(file: &Path, changes: &Changes) -> Result<Scenario, Vec<Mistake>> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        vec![Mistake {
            file: Some(file.to_owned()),
            line: None,
            problem: format!("cannot be read: {error}"),
            remedy: "give the path of a scenario file; those that come along are in simulations/scenarios".to_owned(),
        }]
    })?;
    read(file, &text, changes)
}

/// Reads the text of a scenario; `file` is its name and the place from which other files are found.
///
/// # Errors
/// With everything that can be found wrong with it.
pub fn read(file: &Path, text: &str, changes: &Changes) -> Result<Scenario, Vec<Mistake>> {
    let source = Source { file, text };
    let mut table = DeTable::parse(text)
        .map_err(|error| vec![source.mistake(&error)])?
        .into_inner();
    let variant = table.remove("ci");
    // The file has to be whole without its variant, so that a mistake does not wait for the day when it is run alone.
    source.written(&table)?;
    if changes.ci {
        let Some(DeValue::Table(variant)) = variant.map(Spanned::into_inner) else {
            return Err(vec![source.whole(
                "there is no [ci] variant",
                "add one: at most 40 nodes and 120 seconds",
            )]);
        };
        lay(&mut table, variant);
    }
    let scenario = checked(&source, &table, &changes.set)?;
    if changes.ci {
        small_enough(&source, &scenario)?;
    }
    Ok(scenario)
}

/// What the test command can afford of each scenario.
const CI_NODES: u32 = 40;
const CI_SECONDS: u64 = 120;

fn small_enough(source: &Source<'_>, scenario: &Scenario) -> Result<(), Vec<Mistake>> {
    let nodes: u32 = scenario.written.nodes.values().map(|nodes| nodes.count).sum();
    let seconds = scenario.written.seconds;
    if nodes <= CI_NODES && seconds <= CI_SECONDS {
        return Ok(());
    }
    let problem = format!("the [ci] variant has {nodes} nodes and {seconds} seconds");
    let remedy = format!("at most {CI_NODES} nodes and {CI_SECONDS} seconds; set nodes.ROLE.count and seconds in [ci]");
    Err(vec![source.whole(&problem, &remedy)])
}

/// Applies `--set` and checks the values.
fn checked(source: &Source<'_>, table: &DeTable<'_>, sets: &[String]) -> Result<Scenario, Vec<Mistake>> {
    let texts: Vec<String> = sets.iter().map(|set| as_toml(set)).collect::<Result<_, _>>()?;
    let mut changed = table.clone();
    let mut written = source.written(table)?;
    for (text, set) in texts.iter().zip(sets) {
        if let Some((section, name)) = unnamed(&changed, set) {
            let problem = format!("there is no [{section}.{name}]");
            let remedy = format!("write a name that is there, or --set {section}.{name}={{...}} for a new one");
            return Err(vec![Mistake {
                remedy,
                ..refused(set, &problem)
            }]);
        }
        let change = DeTable::parse(text).map_err(|error| vec![refused(set, error.message())])?;
        lay(&mut changed, change.into_inner());
        written = typed(&changed, source.text).map_err(|error| vec![refused(set, error.message())])?;
    }
    let folder = source.file.parent().unwrap_or(Path::new("."));
    let wrong = |wrong: checking::Wrong| match sets
        .iter()
        .rfind(|set| set.split('=').next().map(str::trim) == Some(wrong.key.as_str()))
    {
        Some(set) => Mistake {
            remedy: wrong.remedy.clone(),
            ..refused(set, &wrong.problem)
        },
        None => source.placed(table, wrong),
    };
    let checking::Files {
        latency,
        links,
        vouches,
    } = match checking::check(&written, folder) {
        Ok(found) => found,
        Err(found) => return Err(found.into_iter().map(wrong).collect()),
    };
    Ok(Scenario {
        name: source
            .file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        digest: digest(&written, &(&latency, &links, &vouches)),
        written,
        latency,
        links,
        vouches,
    })
}

/// Sections whose parts have names of their own.
const NAMED: [&str; 7] = ["nodes", "publish", "churn", "partition", "crash", "skew", "adversary"];

/// The section and the name that a setting gives a single key of, if there is no such name: most likely it is mistyped.
fn unnamed<'s>(table: &DeTable<'_>, set: &'s str) -> Option<(&'s str, &'s str)> {
    let mut parts = set.split_once('=')?.0.trim().split('.');
    let (section, name, _) = (parts.next()?, parts.next()?, parts.next()?);
    let names = table.get(section).map(Spanned::get_ref);
    let is_there = matches!(names, Some(DeValue::Table(names)) if names.contains_key(name));
    (NAMED.contains(&section) && !is_there).then_some((section, name))
}

fn typed(table: &DeTable<'_>, text: &str) -> Result<Written, toml::de::Error> {
    Written::deserialize(Deserializer::from(Spanned::new(0..text.len(), table.clone())))
}

/// A digest of everything that decides a run beside the seed and the program.
fn digest(written: &Written, files: &impl std::fmt::Debug) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&serde_json::to_vec(written).expect("a scenario is a document"));
    hasher.update(format!("{files:?}").as_bytes());
    hasher.finalize().to_hex()[..16].to_owned()
}

/// `a.b=1` as the text `a.b = 1`; what is not TOML is a text.
fn as_toml(set: &str) -> Result<String, Vec<Mistake>> {
    let Some((key, value)) = set.split_once('=') else {
        return Err(vec![refused(set, "there is no `=` in it")]);
    };
    let (key, value) = (key.trim(), value.trim());
    let plain = format!("{key} = {value}\n");
    if !value.is_empty() && DeTable::parse(&plain).is_ok() {
        return Ok(plain);
    }
    Ok(format!("{key} = {}\n", toml::Value::String(value.to_owned())))
}

fn refused(set: &str, reason: &str) -> Mistake {
    Mistake {
        file: None,
        line: None,
        problem: format!("--set {set}: {}", reason.trim_end()),
        remedy: "write --set key=value with a key as in the file, such as --set nodes.cert.count=20".to_owned(),
    }
}

/// Lays one table over another: tables are merged, everything else is replaced. Places stay those of the text they come from.
fn lay<'a>(base: &mut DeTable<'a>, over: DeTable<'a>) {
    for (key, value) in over {
        match (
            base.get_mut(key.get_ref().as_ref()).map(Spanned::get_mut),
            value.get_ref(),
        ) {
            (Some(DeValue::Table(below)), DeValue::Table(_)) => {
                if let DeValue::Table(above) = value.into_inner() {
                    lay(below, above);
                }
            }
            _ => {
                // Taken out first: an insertion would keep the old key, and with it the old place.
                base.remove(key.get_ref().as_ref());
                base.insert(key, value);
            }
        }
    }
}

/// A file and its text, to say where a mistake is.
struct Source<'a> {
    file: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    fn written(&self, table: &DeTable<'_>) -> Result<Written, Vec<Mistake>> {
        typed(table, self.text).map_err(|error| vec![self.mistake(&error)])
    }

    fn mistake(&self, error: &toml::de::Error) -> Mistake {
        let problem = error.message().trim_end().to_owned();
        Mistake {
            file: Some(self.file.to_owned()),
            line: error.span().map(|span| self.line(span.start)),
            remedy: remedy(&problem).to_owned(),
            problem,
        }
    }

    fn whole(&self, problem: &str, remedy: &str) -> Mistake {
        Mistake {
            file: Some(PathBuf::from(self.file)),
            line: None,
            problem: problem.to_owned(),
            remedy: remedy.to_owned(),
        }
    }

    fn placed(&self, table: &DeTable<'_>, wrong: checking::Wrong) -> Mistake {
        Mistake {
            file: Some(self.file.to_owned()),
            line: place(table, &wrong.key).map(|start| self.line(start)),
            problem: format!("{}: {}", wrong.key, wrong.problem),
            remedy: wrong.remedy,
        }
    }

    fn line(&self, at: usize) -> usize {
        let before = self.text.as_bytes().iter().take(at);
        before.filter(|byte| **byte == b'\n').count() + 1
    }
}

/// Where a key is, or the nearest section above it that is there.
fn place(table: &DeTable<'_>, path: &str) -> Option<usize> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let (key, value) = table.get_key_value(first)?;
    match value.get_ref() {
        DeValue::Table(below) if !rest.is_empty() => place(below, rest).or(Some(key.span().start)),
        _ => Some(key.span().start),
    }
}

fn remedy(problem: &str) -> &'static str {
    if problem.contains("unknown field") {
        "take the key away, or write one of those that are named here"
    } else if problem.contains("missing field") {
        "add the key; simulations/README.md shows every section"
    } else if problem.contains("unknown variant") {
        "write one of the words that are named here"
    } else {
        "mend the line; simulations/README.md shows every section"
    }
}

#[cfg(test)]
mod tests;
