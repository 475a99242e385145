//! Lengths of time as an operator writes them: `30d`, `12h`, `90m`.

use std::{fmt, str::FromStr};

use starfish_protocol::time::Millis;

/// How long something lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lifetime(pub Millis);

const UNITS: [(char, u64); 5] = [
    ('s', 1_000),
    ('m', 60_000),
    ('h', 3_600_000),
    ('d', 86_400_000),
    ('w', 604_800_000),
];

impl FromStr for Lifetime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no length of time; write a number and s, m, h, d or w, such as 30d");
        let unit = text.chars().next_back().ok_or_else(wrong)?;
        let (_, length) = UNITS
            .into_iter()
            .find(|(letter, _)| *letter == unit)
            .ok_or_else(wrong)?;
        let number = text.strip_suffix(unit).unwrap_or_default();
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let total = number
            .checked_mul(length)
            .filter(|total| *total > 0)
            .ok_or_else(wrong)?;
        Ok(Self(Millis(total)))
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.0.0;
        let fits = UNITS
            .into_iter()
            .rev()
            .skip(1)
            .find(|(_, length)| total.is_multiple_of(*length));
        match fits {
            Some((letter, length)) => write!(out, "{}{letter}", total / length),
            None => write!(out, "{}s", total / 1_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read() {
        let check = |text: &str, expected: Option<u64>| {
            assert_eq!(
                text.parse::<Lifetime>().ok().map(|length| length.0.0),
                expected,
                "{text}"
            );
        };
        check("30d", Some(2_592_000_000));
        check("2w", Some(1_209_600_000));
        check("90s", Some(90_000));
        check("5m", Some(300_000));
        for text in [
            "",
            "d",
            "0d",
            "-1d",
            "+1d",
            "1.5d",
            "1 d",
            "1y",
            "99999999999999999999d",
            "18446744073709551615w",
            "é",
        ] {
            check(text, None);
        }
        assert_eq!("720h".parse::<Lifetime>().expect("a length").to_string(), "30d");
    }
}
