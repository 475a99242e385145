//! The environment's layer: [`values`] of `STARFISH_SECTION__KEY` variables, and the [`mistakes`] among all that begin so.
//!
//! A variable that nobody reads is a mistake and not ignored: an operator who wrote STARFISH_PORT believes that it works.

use std::collections::BTreeMap;

use config::ValueKind;

use super::{
    file::{KEYS, Shape},
    mistakes::{Mistake, describe, example},
};

/// What every variable of this program begins with.
pub(super) const PREFIX: &str = "STARFISH_";

/// Variables that are no settings: options of the command line, and what the tests are told.
const OTHERS: [&str; 5] = [
    "STARFISH_DATA",
    crate::daemon::passphrase::VARIABLE,
    "STARFISH_BIN",
    "STARFISH_ROUNDS",
    "STARFISH_JS_PEER",
];

/// The variable of a setting.
pub(super) fn variable(section: &str, key: &str) -> String {
    format!("{PREFIX}{}__{}", section.to_uppercase(), key.to_uppercase())
}

/// The settings in the environment that make sense, each `section.key` with its value.
pub(super) fn values(environment: &BTreeMap<String, String>) -> Vec<(String, ValueKind)> {
    let value = |(name, text): (&String, &String)| {
        let (section, key, shape) = setting(name)?;
        Some((format!("{section}.{key}"), read(shape, text)?))
    };
    environment.iter().filter_map(value).collect()
}

/// Variables that no setting has, and values of the wrong shape.
pub(super) fn mistakes(environment: &BTreeMap<String, String>) -> Vec<Mistake> {
    let ours = environment
        .iter()
        .filter(|(name, _)| name.starts_with(PREFIX) && !OTHERS.contains(&name.as_str()));
    let mistake = |(name, text): (&String, &String)| {
        let (problem, remedy) = match setting(name) {
            None => ("unknown variable".to_owned(), instead_of(name)),
            Some((.., shape)) if read(shape, text).is_none() => (
                format!("this is no {}", describe(shape)),
                format!("write {}", example(shape)),
            ),
            Some(_) => return None,
        };
        Some(Mistake {
            line: None,
            key: name.clone(),
            problem,
            remedy,
        })
    };
    ours.filter_map(mistake).collect()
}

fn setting(name: &str) -> Option<(&'static str, &'static str, Shape)> {
    KEYS.into_iter()
        .find(|(section, key, _)| variable(section, key) == name)
}

fn read(shape: Shape, text: &str) -> Option<ValueKind> {
    match shape {
        Shape::Text => Some(text.into()),
        Shape::Flag => text.parse::<bool>().ok().map(ValueKind::from),
        Shape::Number(low, high) => {
            let number = text.parse::<u64>().ok();
            number
                .filter(|number| (low..=high).contains(number))
                .map(ValueKind::from)
        }
        Shape::Texts => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(items.map(str::to_owned).collect::<Vec<_>>().into())
        }
    }
}

/// The setting that was probably meant: underscores and the section are what people leave out.
fn instead_of(name: &str) -> String {
    let plain = name.trim_start_matches(PREFIX).to_lowercase().replace("__", "_");
    let meant = KEYS
        .iter()
        .find(|(section, key, _)| plain == *key || plain == format!("{section}_{key}"));
    match meant {
        Some((section, key, _)) => format!("write {}, or unset it", variable(section, key)),
        None => format!(
            "unset it; settings are {PREFIX}SECTION__KEY, such as {}",
            variable("node", "port")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, value: &str) -> Option<String> {
        let environment = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        let mut mistakes = mistakes(&environment);
        assert_eq!(
            values(&environment).is_empty(),
            setting(name).is_none() || !mistakes.is_empty()
        );
        mistakes.pop().map(|mistake| mistake.remedy)
    }

    #[test]
    fn variables_that_say_something_pass() {
        let check = |name: &str, value: &str| assert_eq!(found(name, value), None, "{name}={value}");
        check("STARFISH_NODE__PORT", "4852");
        check("STARFISH_NODE__NAME", "007");
        check("STARFISH_MESH__DIAL_OTHERS", "false");
        check("STARFISH_SUBSCRIBE__TOPICS", "");
        check("STARFISH_SUBSCRIBE__TOPICS", "c2, dga");
        check("STARFISH_DATA", "/somewhere");
        check("HOME", "/root");
        check("STARFISHERY_PORT", "1");
        let environment = BTreeMap::from([("STARFISH_NODE__NAME".to_owned(), "007".to_owned())]);
        assert_eq!(values(&environment), [("node.name".to_owned(), "007".into())]);
    }

    #[test]
    fn variables_that_nobody_reads_are_mistakes() {
        let check = |name: &str, value: &str, hint: &str| {
            let remedy = found(name, value).unwrap_or_default();
            assert!(remedy.contains(hint), "{name}={value}: {remedy}");
        };
        check("STARFISH_PORT", "1", "STARFISH_NODE__PORT");
        check("STARFISH_NODE_PORT", "1", "STARFISH_NODE__PORT");
        check("STARFISH_node__port", "1", "STARFISH_NODE__PORT");
        check("STARFISH_DIAL_OTHERS", "1", "STARFISH_MESH__DIAL_OTHERS");
        check("STARFISH_NODE__COLOUR", "red", "unset it");
        check("STARFISH_", "", "unset it");
        check("STARFISH_NODE__PORT", "many", "from 1 to 65535");
        check("STARFISH_NODE__PORT", "0", "from 1 to 65535");
        check("STARFISH_MESH__DIAL_OTHERS", "1", "true or false");
    }
}
