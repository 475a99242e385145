//! How a claim loses weight with age (design, trust 5.1): slowly first and then fast, or the other way round, until nothing
//! is left of it after `tau`. Whole numbers only, so that every node computes the same.

use crate::{observable::Observable, record::Topic, time::Millis};

/// All of it, in parts per million.
pub const WHOLE: u32 = 1_000_000;

const DAY: u64 = 24 * 60 * 60 * 1_000;

/// The speed of fading: the exponent is its inverse. Up to [`Delta::Half`] most is lost at the end, from [`Delta::Two`] on at
/// the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delta {
    /// 1/3
    Third,
    /// 1/2
    Half,
    /// 1
    One,
    /// 2
    #[default]
    Two,
    /// 3
    Three,
}

/// How long claims about something last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fading {
    /// After so long nothing is left.
    pub tau: Millis,
    /// How fast it goes.
    pub delta: Delta,
}

impl Default for Fading {
    /// That of a domain.
    fn default() -> Self {
        Self::days(30, Delta::Two)
    }
}

/// How many days claims last, by what they are about. The speed is fixed: a digest fades evenly, all else first fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lasting {
    /// URLs.
    pub url: u64,
    /// Names and addresses whose topic is phishing.
    pub phishing: u64,
    /// Addresses.
    pub ip: u64,
    /// Domains and e-mail addresses.
    pub domain: u64,
    /// Networks and AS numbers.
    pub network: u64,
    /// File digests.
    pub digest: u64,
}

impl Default for Lasting {
    /// Those of the design. A file keeps its digest, a network its owner; a phishing page is gone in days.
    fn default() -> Self {
        Self {
            url: 3,
            phishing: 3,
            ip: 14,
            domain: 30,
            network: 120,
            digest: 365,
        }
    }
}

impl Lasting {
    /// How claims about an observable fade.
    pub fn of(&self, observable: &Observable, topic: &Topic) -> Fading {
        let phishing = topic.as_str().split('/').any(|name| name == "phishing");
        match observable {
            Observable::FileDigest(_) => Fading::days(self.digest, Delta::One),
            Observable::Network(_) | Observable::Asn(_) => Fading::days(self.network, Delta::Two),
            Observable::Url(_) => Fading::days(self.url, Delta::Two),
            _ if phishing => Fading::days(self.phishing, Delta::Two),
            Observable::Ip(_) => Fading::days(self.ip, Delta::Two),
            Observable::Domain(_) | Observable::Email(_) => Fading::days(self.domain, Delta::Two),
        }
    }
}

impl Fading {
    const fn days(days: u64, delta: Delta) -> Self {
        Self {
            tau: Millis(days.saturating_mul(DAY)),
            delta,
        }
    }

    /// What is left after a time, in parts per million; nothing from `tau` on.
    pub fn left(&self, age: Millis) -> u32 {
        if age >= self.tau {
            return 0;
        }
        // `age` is less than `tau`, so this is less than the whole.
        let part = (u128::from(age.0) * u128::from(WHOLE) / u128::from(self.tau.0)) as u64;
        WHOLE - lost(part, self.delta)
    }
}

/// `part` to the power of 1/delta, as fractions of a million, rounded down.
fn lost(part: u64, delta: Delta) -> u32 {
    let whole = u64::from(WHOLE);
    let lost = match delta {
        Delta::Third => part * part / whole * part / whole,
        Delta::Half => part * part / whole,
        Delta::One => part,
        Delta::Two => (part * whole).isqrt(),
        Delta::Three => cube_root(part * whole * whole),
    };
    lost as u32
}

/// The largest number whose cube is not more; for arguments up to 10^18.
fn cube_root(cube: u64) -> u64 {
    let (mut low, mut high) = (0, u64::from(WHOLE) + 1);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if middle * middle * middle <= cube {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Delta; 5] = [Delta::Third, Delta::Half, Delta::One, Delta::Two, Delta::Three];

    #[test]
    fn the_vectors_hold() {
        let check = |tau: u64, delta: Delta, days: &[(u64, u32)]| {
            for (age, left) in days {
                assert_eq!(
                    Fading::days(tau, delta).left(Millis(age * DAY)),
                    *left,
                    "{tau} {delta:?} {age}"
                );
            }
        };
        check(3, Delta::Two, &[(0, WHOLE), (1, 422_651), (3, 0), (4, 0)]);
        let slow = [
            (1, 908_715),
            (7, 758_478),
            (15, 646_447),
            (30, 500_000),
            (60, 292_894),
            (119, 4_176),
        ];
        check(120, Delta::Two, &slow);
        check(120, Delta::One, &[(7, 941_667), (60, 500_000)]);
        check(30, Delta::Three, &[(1, 678_172), (7, 384_363), (15, 206_300)]);
        check(120, Delta::Half, &[(60, 750_000), (120, 0)]);
        check(120, Delta::Third, &[(60, 875_000), (0, WHOLE)]);
        check(0, Delta::Two, &[(0, 0)]);
    }

    #[test]
    fn what_a_thing_is_says_how_long_it_lasts() {
        let check = |text: &str, topic: &str, days: u64, delta: Delta| {
            let observable = Observable::parse(text).expect("the test is written so");
            let topic = Topic::parse(topic).expect("the test is written so");
            assert_eq!(
                Lasting::default().of(&observable, &topic),
                Fading::days(days, delta),
                "{text}"
            );
        };
        check("http://bad.example/a", "malware", 3, Delta::Two);
        check("bad.example", "phishing/bank", 3, Delta::Two);
        check("bad.example", "malware", 30, Delta::Two);
        check("192.0.2.1", "malware", 14, Delta::Two);
        check("192.0.2.0/24", "phishing", 120, Delta::Two);
        check("AS64500", "malware", 120, Delta::Two);
        check("a@bad.example", "spam", 30, Delta::Two);
        check("d41d8cd98f00b204e9800998ecf8427e", "phishing", 365, Delta::One);
    }

    proptest! {
        #[test]
        fn age_never_adds_anything(tau in any::<u64>(), one in any::<u64>(), two in any::<u64>()) {
            for delta in ALL {
                let fading = Fading { tau: Millis(tau), delta };
                let (younger, older) = (fading.left(Millis(one.min(two))), fading.left(Millis(one.max(two))));
                prop_assert!(older <= younger && younger <= WHOLE);
            }
        }
    }
}
