//! The numbers of a document: a wrong one is named where the parser finds it, with what would be right and what it means,
//! because people write these documents by hand.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

use crate::{
    confidence::Delta,
    limits,
    statement::{DEPTH, FULL},
};

pub(super) fn amount<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
    let meant = "an amount, a whole number from 0 to 120 (60 lets records in, 120 makes a full source)";
    small(from, FULL, meant)
}

pub(super) fn depth<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
    let meant = "a depth, a whole number from 0 to 7 (how many further introductions are honoured)";
    small(from, DEPTH, meant)
}

pub(super) fn confidence<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
    small(from, limits::CONFIDENCE, "a confidence, a whole number from 0 to 100")
}

pub(super) fn time<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    Time::deserialize(from).map(|Time(millis)| millis)
}

pub(super) fn time_or_none<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    Ok(Option::<Time>::deserialize(from)?.map(|Time(millis)| millis))
}

pub(super) fn delta<'de, D: Deserializer<'de>>(from: D) -> Result<Delta, D::Error> {
    from.deserialize_any(Speed)
}

fn small<'de, D: Deserializer<'de>>(from: D, most: u8, meant: &'static str) -> Result<u8, D::Error> {
    let most = most.into();
    let number = from.deserialize_u64(Whole { most, meant })?;
    u8::try_from(number).map_err(D::Error::custom)
}

/// A whole number and the most that it may be.
struct Whole {
    most: u64,
    meant: &'static str,
}

impl Visitor<'_> for Whole {
    type Value = u64;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.meant)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<u64, E> {
        if number <= self.most {
            return Ok(number);
        }
        Err(E::custom(format_args!("{number} is not {}", self.meant)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<u64, E> {
        Err(E::custom(format_args!("{number} is not {}", self.meant)))
    }
}

/// Milliseconds.
struct Time(u64);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let meant = "a whole number of milliseconds, for a moment those since 1970";
        from.deserialize_u64(Whole { most: u64::MAX, meant }).map(Self)
    }
}

/// What a delta may be.
const DELTAS: &str = "a delta, which is \"1/3\", \"1/2\", 1, 2 or 3";

/// The speed of fading: a number, or one of the fractions as text.
struct Speed;

impl Visitor<'_> for Speed {
    type Value = Delta;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(DELTAS)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Delta, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Delta, E> {
        match text {
            "1/3" => Ok(Delta::Third),
            "1/2" | "0.5" => Ok(Delta::Half),
            "1" => Ok(Delta::One),
            "2" => Ok(Delta::Two),
            "3" => Ok(Delta::Three),
            _ => Err(E::custom(format_args!("{text} is not {DELTAS}"))),
        }
    }
}
