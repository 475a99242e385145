//! Every mistake of the file at once, each a [`Mistake`] with its line: syntax, unknown keys, wrong shapes, bad values.
//!
//! The text is read twice: here with the places of all things, for the operator; then layered, for the program.

use std::{fmt, ops::Range};

use serde::Serialize;
use toml::de::{DeTable, DeValue};

use super::{
    Layers,
    checking::{self, Wrong},
    environment,
    file::{KEYS, Shape},
};

/// One thing to mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// Counted from 1; none when it is not in the file.
    pub line: Option<usize>,
    /// `section.key`, or where else it is.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl Mistake {
    pub(super) fn of_layers(error: &str) -> Self {
        Self {
            line: None,
            key: "environment".to_owned(),
            problem: error.to_owned(),
            remedy: "look at the variables STARFISH_SECTION__KEY and at the flags".to_owned(),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(out, "line {line}: ")?;
        }
        write!(out, "{}: {}\n    remedy: {}", self.key, self.problem, self.remedy)
    }
}

/// Every mistake of a file and of the layers above it, of any sort. Empty when all is well.
pub fn all(text: &str, layers: &Layers) -> Vec<Mistake> {
    let mut found = of_shapes(text, layers);
    if found.is_empty() {
        return super::checked(text, layers).err().unwrap_or_default();
    }
    // What has the right shape is checked too, so that one visit is enough.
    if let Ok(mut written) = toml::from_str::<toml::Table>(text) {
        drop_misshapen(&mut written);
        let values = super::layered(&written.to_string(), layers)
            .ok()
            .and_then(|written| checking::check(&written).err());
        // A value that could not be read is not called empty as well.
        let told: Vec<String> = found.iter().map(|mistake| mistake.key.clone()).collect();
        let values = values
            .unwrap_or_default()
            .into_iter()
            .filter(|wrong| !told.iter().any(|key| key == wrong.key));
        found.extend(values.map(|wrong| placed(text, layers, wrong)));
    }
    found.sort_by_key(|mistake| mistake.line);
    found.dedup();
    found
}

/// Mistakes that can be seen without knowing what the values are for, in the file and in the environment.
pub(super) fn of_shapes(text: &str, layers: &Layers) -> Vec<Mistake> {
    let mut found = of_text(text);
    found.extend(environment::mistakes(&layers.environment));
    found
}

/// Syntax, keys and shapes.
fn of_text(text: &str) -> Vec<Mistake> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut found: Vec<Mistake> = errors.iter().map(|error| syntax(text, error)).collect();
    if found.is_empty() {
        for (name, value) in document.get_ref() {
            section(text, name.get_ref(), name.span(), value.get_ref(), &mut found);
        }
    }
    found.sort_by_key(|mistake| mistake.line);
    found
}

/// Says where a wrong value stands: in a variable or a flag that overrides the file, else in a line of the file.
pub(super) fn placed(text: &str, layers: &Layers, wrong: Wrong) -> Mistake {
    let variable = wrong
        .key
        .split_once('.')
        .map(|(section, key)| environment::variable(section, key));
    let variable = variable.filter(|name| layers.environment.contains_key(name));
    let flag = layers.flags.iter().any(|(key, _)| key == wrong.key);
    let (line, key) = match variable {
        Some(name) if !flag => (None, name),
        _ if flag => (None, format!("--{}", wrong.key.replace('.', "-"))),
        _ => {
            let line = place(text, wrong.key, wrong.item).map(|at| line_of(text, at));
            (line, wrong.key.to_owned())
        }
    };
    Mistake {
        line,
        key,
        problem: wrong.problem,
        remedy: wrong.remedy.to_owned(),
    }
}

fn syntax(text: &str, error: &toml::de::Error) -> Mistake {
    Mistake {
        line: error.span().map(|span| line_of(text, span.start)),
        key: "syntax".to_owned(),
        problem: error.message().to_owned(),
        remedy: "write `key = value` below a `[section]`, texts in quotes, each key once".to_owned(),
    }
}

fn section(text: &str, name: &str, span: Range<usize>, value: &DeValue<'_>, found: &mut Vec<Mistake>) {
    let mut report = |at: usize, key: String, problem: String, remedy: String| {
        found.push(Mistake {
            line: Some(line_of(text, at)),
            key,
            problem,
            remedy,
        });
    };
    let known: Vec<&str> = KEYS
        .iter()
        .filter(|(section, ..)| *section == name)
        .map(|(_, key, _)| *key)
        .collect();
    if known.is_empty() {
        let mut sections: Vec<&str> = KEYS.iter().map(|(section, ..)| *section).collect();
        sections.dedup();
        return report(
            span.start,
            name.to_owned(),
            "unknown section".to_owned(),
            format!("the sections are {}", sections.join(", ")),
        );
    }
    let Some(table) = value.as_table() else {
        return report(
            span.start,
            name.to_owned(),
            "this is a section".to_owned(),
            format!("write [{name}] on a line of its own"),
        );
    };
    for (key, value) in table {
        let shape = KEYS
            .iter()
            .find(|(section, known, _)| *section == name && *known == key.get_ref().as_ref());
        let full = format!("{name}.{}", key.get_ref());
        match shape {
            None => report(
                key.span().start,
                full,
                "unknown key".to_owned(),
                format!("the keys of [{name}] are {}", known.join(", ")),
            ),
            Some((.., shape)) if !fits(*shape, value.get_ref()) => {
                report(
                    value.span().start,
                    full,
                    format!("this is no {}", describe(*shape)),
                    format!("write {}", example(*shape)),
                );
            }
            Some(_) => {}
        }
    }
}

fn fits(shape: Shape, value: &DeValue<'_>) -> bool {
    match shape {
        Shape::Text => value.is_str(),
        Shape::Flag => value.is_bool(),
        Shape::Texts => value
            .as_array()
            .is_some_and(|items| items.iter().all(|item| item.get_ref().is_str())),
        Shape::Number(low, high) => {
            let number = value
                .as_integer()
                .and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok());
            number.is_some_and(|number| (low..=high).contains(&number))
        }
    }
}

pub(super) fn describe(shape: Shape) -> String {
    match shape {
        Shape::Text => "text".to_owned(),
        Shape::Flag => "true or false".to_owned(),
        Shape::Texts => "list of texts".to_owned(),
        Shape::Number(low, high) => format!("number from {low} to {high}"),
    }
}

pub(super) fn example(shape: Shape) -> String {
    match shape {
        Shape::Text => "\"text\" in quotes".to_owned(),
        Shape::Flag => "true or false".to_owned(),
        Shape::Texts => "[\"one\", \"two\"]".to_owned(),
        Shape::Number(low, high) => format!("a whole number from {low} to {high}"),
    }
}

/// Takes away what has already been reported, so that the rest can be checked.
fn drop_misshapen(written: &mut toml::Table) {
    written.retain(|section, _| KEYS.iter().any(|(known, ..)| *known == section));
    for (section, values) in written.iter_mut() {
        let Some(table) = values.as_table_mut() else {
            *values = toml::Value::Table(toml::Table::new());
            continue;
        };
        table.retain(|key, value| {
            let known = KEYS
                .iter()
                .find(|(in_section, known, _)| *in_section == section.as_str() && *known == key);
            known.is_some_and(|(.., shape)| match shape {
                Shape::Text => value.is_str(),
                Shape::Flag => value.is_bool(),
                Shape::Texts => value
                    .as_array()
                    .is_some_and(|items| items.iter().all(toml::Value::is_str)),
                Shape::Number(low, high) => {
                    let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
                    number.is_some_and(|number| (*low..=*high).contains(&number))
                }
            })
        });
    }
}

/// Where a key, or one item of its list, stands in the text.
fn place(text: &str, key: &str, item: Option<usize>) -> Option<usize> {
    let (section, key) = key.split_once('.')?;
    let (document, _) = DeTable::parse_recoverable(text);
    let table = document
        .get_ref()
        .iter()
        .find(|(name, _)| name.get_ref() == section)?
        .1
        .get_ref()
        .as_table()?;
    let value = table.iter().find(|(name, _)| name.get_ref() == key)?.1;
    let inner = item.and_then(|item| value.get_ref().as_array()?.get(item).map(|item| item.span().start));
    Some(inner.unwrap_or(value.span().start))
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(Option<usize>, &str)]) {
        check_layered(text, &[], expected);
    }

    fn check_layered(text: &str, variables: &[(&str, &str)], expected: &[(Option<usize>, &str)]) {
        let variables = variables.iter();
        let layers = Layers {
            environment: variables
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            flags: Vec::new(),
        };
        let found = all(text, &layers);
        let short: Vec<(Option<usize>, &str)> = found
            .iter()
            .map(|mistake| (mistake.line, mistake.key.as_str()))
            .collect();
        assert_eq!(short, expected, "{text}\n{found:#?}");
        assert!(found.iter().all(|mistake| !mistake.remedy.is_empty()));
    }

    #[test]
    fn good_files_have_none() {
        check("[node]\nname = \"CERT Example\"\n", &[]);
        check("node.name = \"CERT Example\"\n", &[]);
    }

    #[test]
    fn each_mistake_has_its_line() {
        check("", &[(None, "node.name")]);
        check("[node]\nname = \"\"\n", &[(Some(2), "node.name")]);
        check("[node]\nname = \"a\"\n\nport = \"x\"\n", &[(Some(4), "node.port")]);
        check("[node]\nname = \"a\"\nport = 0\n", &[(Some(3), "node.port")]);
        check("[node]\nname = \"a\"\nport = 70000\n", &[(Some(3), "node.port")]);
        check("[node]\nname = \"a\"\nprot = 1\n", &[(Some(3), "node.prot")]);
        check("[node]\nname = \"a\"\nlisten = []\n", &[(Some(3), "node.listen")]);
        check(
            "[node]\nname = \"a\"\nlisten = [\n\"::\",\n\"everywhere\"]\n",
            &[(Some(5), "node.listen")],
        );
        check(
            "[node]\nname = \"a\"\npublic_address = \"http://x\"\n",
            &[(Some(3), "node.public_address")],
        );
        check("[nodes]\n[node]\nname = \"a\"\n", &[(Some(1), "nodes")]);
        check("trust = 5\n[node]\nname = \"a\"\n", &[(Some(1), "trust")]);
        check(
            "[node]\nname = \"a\"\n[trust]\norganisations = [\"org:none\"]\n",
            &[(Some(4), "trust.organisations")],
        );
        check(
            "[node]\nname = \"a\"\n[mesh]\ndial = [\"example.com\"]\n",
            &[(Some(4), "mesh.dial")],
        );
        check(
            "[node]\nname = \"a\"\n[mesh]\ndial_others = \"no\"\n",
            &[(Some(4), "mesh.dial_others")],
        );
        check(
            "[node]\nname = \"a\"\n[log]\nformat = \"xml\"\n",
            &[(Some(4), "log.format")],
        );
        check(
            "[node]\nname = \"a\"\n[log]\nlevel = \"a=b=c\"\n",
            &[(Some(4), "log.level")],
        );
        check(
            "[node]\nname = \"a\"\n[log]\nlevel = \"wran\"\n",
            &[(Some(4), "log.level")],
        );
        check("[node]\nname = \"a\"\n[log]\nlevel = \"warn, libp2p=debug\"\n", &[]);
        check(
            "[node]\nname = \"a\"\n[store]\ncache_mb = -1\n",
            &[(Some(4), "store.cache_mb")],
        );
        check("[node\nname = \"a\"\n", &[(Some(1), "syntax")]);
        check("[node]\nname = \"a\"\nname = \"b\"\n", &[(Some(3), "syntax")]);
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let text = "[node]\nname = 5\nprot = 1\n[subscribe]\ntopics = [\"UPPER CASE\", \"good\", \"\"]\n[colour]\n[log]\nformat = \"xml\"\n";
        check(
            text,
            &[
                (Some(2), "node.name"),
                (Some(3), "node.prot"),
                (Some(5), "subscribe.topics"),
                (Some(5), "subscribe.topics"),
                (Some(6), "colour"),
                (Some(8), "log.format"),
            ],
        );
    }
    #[test]
    fn the_environment_is_told_with_the_file() {
        let good = "[node]\nname = \"a\"\n";
        let wrong = "[node]\nname = \"a\"\nprot = 1\n";
        let (port, topics) = (
            ("STARFISH_NODE__PORT", "many"),
            ("STARFISH_SUBSCRIBE__TOPICS", "c2,UPPER CASE"),
        );
        let (lost, right) = (("STARFISH_PORT", "1"), ("STARFISH_NODE__PORT", "7"));
        check_layered(good, &[right], &[]);
        check_layered(good, &[port], &[(None, port.0)]);
        check_layered(good, &[topics], &[(None, topics.0)]);
        check_layered(good, &[port, topics], &[(None, port.0), (None, topics.0)]);
        check_layered(wrong, &[right], &[(Some(3), "node.prot")]);
        check_layered(
            wrong,
            &[lost, port, topics],
            &[(None, port.0), (None, lost.0), (None, topics.0), (Some(3), "node.prot")],
        );
        // What a variable overrides is not checked.
        check_layered("[node]\nname = \"\"\n", &[("STARFISH_NODE__NAME", "a")], &[]);
    }
}
