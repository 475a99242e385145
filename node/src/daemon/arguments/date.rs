//! Moments as an operator writes them: a day, a time, or how far it is from now.

use std::str::FromStr;

use starfish_protocol::time::Millis;

use super::Lifetime;
use crate::daemon::moment;

/// A moment: `2027-06-30`, `2027-06-30T12:00:00Z` or `90d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Date {
    /// This wall time; a day stands for its beginning in UTC.
    At(Millis),
    /// So far from now, in the direction that the question has.
    Away(Lifetime),
}

impl Date {
    /// As an end: so far ahead of now.
    pub fn ahead(self, now: Millis) -> Millis {
        match self {
            Self::At(time) => time,
            Self::Away(length) => Millis(now.0.saturating_add(length.0.0)),
        }
    }

    /// As a beginning: so far before now.
    pub fn ago(self, now: Millis) -> Millis {
        match self {
            Self::At(time) => time,
            Self::Away(length) => Millis(now.0.saturating_sub(length.0.0)),
        }
    }
}

impl FromStr for Date {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no moment; write a day such as 2027-06-30, a time such as 2027-06-30T12:00:00Z, or how far it \
                is from now, such as 90d"
            )
        };
        let time = moment::parsed(text).map(Self::At);
        time.or_else(|| text.parse().map(Self::Away).ok()).ok_or_else(wrong)
    }
}

/// Where a reader of a log begins: at a moment, or behind one of its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// With the first line at or after this moment.
    Date(Date),
    /// With the line after this one.
    Line(u64),
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text
                .parse()
                .map(Self::Line)
                .map_err(|_| format!("no log has a line {text}"));
        }
        text.parse().map(Self::Date)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read() {
        let now = Millis(1_000_000_000_000);
        let check = |text: &str, expected: Option<(u64, u64)>| {
            let read = text.parse::<Date>().ok();
            let times = read.map(|date| (date.ahead(now).0, date.ago(now).0));
            assert_eq!(times, expected, "{text}");
        };
        check("1970-01-02", Some((86_400_000, 86_400_000)));
        check("1970-01-02T00:00:01Z", Some((86_401_000, 86_401_000)));
        check("1d", Some((1_000_086_400_000, 999_913_600_000)));
        check("99999w", Some((61_479_395_200_000, 0)));
        for wrong in [
            "",
            "tomorrow",
            "1970-13-01",
            "30",
            "0d",
            "-1d",
            "1970-01-02 00:00:01",
            "2027-02-29",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_log_is_read_from_a_line_or_a_moment() {
        let check = |text: &str, expected: Option<Since>| assert_eq!(text.parse().ok(), expected, "{text}");
        check("0", Some(Since::Line(0)));
        check("17", Some(Since::Line(17)));
        check("1970-01-01", Some(Since::Date(Date::At(Millis(0)))));
        check("2h", Some(Since::Date(Date::Away(Lifetime(Millis(7_200_000))))));
        for wrong in ["", "-1", "17.5", "99999999999999999999", "yesterday"] {
            check(wrong, None);
        }
    }
}
