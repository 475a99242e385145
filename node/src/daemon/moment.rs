//! Wall times as operators and their tools read them: RFC 3339 in UTC, to the second.

use starfish_protocol::time::Millis;

/// `2026-11-24T17:30:05Z`. Days are counted from 0000-03-01, so that leap days end a year.
pub fn rfc3339(time: Millis) -> String {
    let seconds = time.0 / 1_000;
    let (day, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let era = day / 146_097;
    let of_era = day % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let date = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}Z",
        rest / 3_600,
        rest / 60 % 60,
        rest % 60
    )
}

/// Reads a day or a time in UTC, as [`rfc3339`] writes it; none when it is neither, or before 1970. A day that is in no
/// calendar is none: it would be another day when it is written again.
pub fn parsed(text: &str) -> Option<Millis> {
    let (date, clock) = match text.split_once('T') {
        Some((date, clock)) => (date, clock.strip_suffix('Z')?),
        None => (text, "00:00:00"),
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    // March is the first month, so that leap days end a year.
    let shifted = (month + 9) % 12;
    let year = year.checked_sub(u64::from(month <= 2))?;
    let of_year = (153 * shifted + 2) / 5 + day.checked_sub(1)?;
    let days = (year * 365 + year / 4 - year / 100 + year / 400 + of_year).checked_sub(719_468)?;
    let time = Millis((days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000);
    let written = rfc3339(time);
    (written == text || written.strip_suffix("T00:00:00Z") == Some(text)).then_some(time)
}

/// Three numbers of so many digits each.
fn numbers(text: &str, between: char, digits: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(between);
    let mut read = [0; 3];
    for (number, digits) in read.iter_mut().zip(digits) {
        let part = parts.next()?;
        let is_plain = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        *number = part.parse().ok().filter(|_| is_plain)?;
    }
    parts.next().is_none().then_some(read)
}

/// Now, by this machine's clock; 1970 when the clock is before that.
pub fn now() -> Millis {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right() {
        let check = |seconds: u64, text: &str| {
            assert_eq!(rfc3339(Millis(seconds * 1_000)), text);
            assert_eq!(parsed(text), Some(Millis(seconds * 1_000)), "{text}");
        };
        check(0, "1970-01-01T00:00:00Z");
        check(951_782_399, "2000-02-28T23:59:59Z");
        check(951_782_400, "2000-02-29T00:00:00Z");
        check(951_868_800, "2000-03-01T00:00:00Z");
        check(1_709_210_096, "2024-02-29T12:34:56Z");
        check(4_107_542_399, "2100-02-28T23:59:59Z");
        check(4_107_542_400, "2100-03-01T00:00:00Z");
    }

    #[test]
    fn what_is_in_no_calendar_is_no_moment() {
        assert_eq!(parsed("2000-02-29"), Some(Millis(951_782_400_000)));
        for text in [
            "",
            "2000",
            "2000-02-30",
            "2100-02-29",
            "2000-00-01",
            "2000-13-01",
            "2000-01-00",
            "1969-12-31",
            "0000-01-01",
            "2000-1-1",
            "2000-01-01T24:00:00Z",
            "2000-01-01T00:60:00Z",
            "2000-01-01T00:00:00",
            "2000-01-01T00:00:00+01:00",
            "2000-01-01T",
            "99999-01-01",
            "+200-01-01",
            "2000-01-01-01",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
