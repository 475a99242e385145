//! How much one organisation, or one delivering peer, may cost this node.
//!
//! A [`Quota`] is a token bucket in whole units over monotonic milliseconds: it holds at most its capacity and regains
//! all of it in its period. [`Quotas`] keeps a bounded number of them by name.

use std::collections::BTreeMap;

use crate::time::Millis;

/// One bucket. Tokens are counted in thousandths, so that slow rates do not round to nothing.
#[derive(Clone, Copy, Debug)]
struct Quota {
    millitokens: u128,
    at: Millis,
}

/// Buckets of one kind, by name.
#[derive(Clone, Debug)]
pub struct Quotas<K> {
    capacity: u64,
    period: Millis,
    most: usize,
    buckets: BTreeMap<K, Quota>,
}

impl<K: Ord + Clone> Quotas<K> {
    /// Buckets of `capacity` units that refill within `period`; at most `most` of them are remembered.
    pub fn new(capacity: u64, period: Millis, most: usize) -> Self {
        Self {
            capacity,
            period,
            most,
            buckets: BTreeMap::new(),
        }
    }

    /// Takes `amount` units of `name`, or nothing at all.
    pub fn take(&mut self, name: &K, amount: u64, now: Millis) -> bool {
        let enough = self.holds(name, amount, now);
        if enough && let Some(bucket) = self.buckets.get_mut(name) {
            bucket.millitokens -= u128::from(amount) * 1000;
        }
        enough
    }

    /// Whether `amount` units of `name` could be taken now: for a cost that several buckets share, none of which may pay
    /// when another cannot.
    ///
    /// When too many names are remembered, those that are full again are forgotten; if all are in use, a new name is
    /// refused, so that inventing names gains nothing.
    pub fn holds(&mut self, name: &K, amount: u64, now: Millis) -> bool {
        if !self.buckets.contains_key(name) && self.buckets.len() >= self.most {
            let (capacity, period) = (self.capacity, self.period);
            self.buckets
                .retain(|_, bucket| !bucket.refilled(capacity, period, now).is_full(capacity));
            if self.buckets.len() >= self.most {
                return false;
            }
        }
        let full = Quota {
            millitokens: u128::from(self.capacity) * 1000,
            at: now,
        };
        let bucket = self.buckets.entry(name.clone()).or_insert(full);
        *bucket = bucket.refilled(self.capacity, self.period, now);
        bucket.millitokens >= u128::from(amount) * 1000
    }

    /// How many units of `name` are left, and how many are spent; what nobody took anything of is full.
    pub fn state(&self, name: &K, now: Millis) -> (u64, u64) {
        let bucket = self.buckets.get(name);
        let tokens = bucket.map(|bucket| bucket.refilled(self.capacity, self.period, now).millitokens / 1000);
        let left = tokens.map_or(self.capacity, |tokens| tokens as u64);
        (left, self.capacity - left)
    }
}

impl Quota {
    fn refilled(self, capacity: u64, period: Millis, now: Millis) -> Self {
        let elapsed = u128::from(now.0.saturating_sub(self.at.0));
        let gained = elapsed * u128::from(capacity) * 1000 / u128::from(period.0.max(1));
        Self {
            millitokens: (self.millitokens + gained).min(u128::from(capacity) * 1000),
            at: now.max(self.at),
        }
    }

    fn is_full(self, capacity: u64) -> bool {
        self.millitokens == u128::from(capacity) * 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_refills() {
        let mut quotas = Quotas::new(60, Millis(60_000), 4);
        assert!((0..60).all(|_| quotas.take(&"a", 1, Millis(5))));
        assert!(!quotas.take(&"a", 1, Millis(5)));
        assert!(!quotas.take(&"a", 1, Millis(1_004)));
        assert!(quotas.take(&"a", 1, Millis(1_005)));
        assert!(quotas.take(&"a", 60, Millis(10_000_000)));
        assert!(!quotas.take(&"b", 61, Millis(10_000_000)));
        assert_eq!(quotas.state(&"a", Millis(10_000_000)), (0, 60));
        assert_eq!(quotas.state(&"a", Millis(10_030_500)), (30, 30));
        assert_eq!(quotas.state(&"c", Millis(0)), (60, 0));
    }

    #[test]
    fn names_are_bounded_and_a_clock_that_goes_back_is_harmless() {
        let mut quotas = Quotas::new(1, Millis(1_000), 2);
        assert!(quotas.take(&1, 1, Millis(100)));
        assert!(quotas.take(&2, 1, Millis(100)));
        assert!(!quotas.take(&3, 1, Millis(100)));
        assert!(!quotas.take(&1, 1, Millis(0)));
        assert!(quotas.take(&3, 1, Millis(2_000)));
    }
}
