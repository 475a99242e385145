//! A list in the order of a part of each thing in it: [`Ordered`].
//!
//! A roster finds one statement by its id, its node and its end. Maps would hold each of these parts once more, and their
//! nodes are half empty; here a thing is a pointer to what is held once. To put one in moves those behind it, which for all
//! the statements that a roster has room for takes some microseconds.

/// Something with a place in an order.
pub(super) trait Placed {
    /// What it is found by. No two things have the same.
    type Place: Ord;

    fn place(&self) -> Self::Place;
}

/// Things in the order of their places.
#[derive(Debug)]
pub(super) struct Ordered<T>(Vec<T>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Placed> Ordered<T> {
    fn find(&self, place: &T::Place) -> Result<usize, usize> {
        self.0.binary_search_by(|thing| thing.place().cmp(place))
    }

    pub(super) fn get(&self, place: &T::Place) -> Option<&T> {
        self.0.get(self.find(place).ok()?)
    }

    /// Puts a thing in its place; whatever was there leaves.
    pub(super) fn insert(&mut self, thing: T) {
        let place = thing.place();
        self.remove(&place);
        let (Ok(at) | Err(at)) = self.find(&place);
        self.0.insert(at, thing);
    }

    pub(super) fn remove(&mut self, place: &T::Place) -> Option<T> {
        let at = self.find(place).ok()?;
        Some(self.0.remove(at))
    }

    pub(super) fn retain(&mut self, stays: impl FnMut(&T) -> bool) {
        self.0.retain(stays);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    /// Those in this place and behind it.
    pub(super) fn from(&self, place: &T::Place) -> impl Iterator<Item = &T> + use<'_, T> {
        let (Ok(at) | Err(at)) = self.find(place);
        self.0.iter().skip(at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Word(u8, u16);

    impl Placed for Word {
        type Place = u8;

        fn place(&self) -> u8 {
            self.0
        }
    }

    proptest! {
        #[test]
        fn it_is_as_good_as_a_map(steps in prop::collection::vec((any::<bool>(), 0..16_u8, any::<u16>()), 0..64), first in 0..16_u8) {
            let mut list = Ordered::default();
            let mut map = std::collections::BTreeMap::new();
            for (puts, place, word) in steps {
                if puts {
                    list.insert(Word(place, word));
                    map.insert(place, word);
                } else {
                    prop_assert_eq!(list.remove(&place).map(|word| word.1), map.remove(&place));
                }
                prop_assert_eq!(list.get(&place).map(|word| word.1), map.get(&place).copied());
                prop_assert_eq!(list.len(), map.len());
            }
            let words = |word: &Word| (word.0, word.1);
            prop_assert!(list.iter().map(words).eq(map.clone()));
            let behind = map.range(first..).map(|(place, word)| (*place, *word));
            prop_assert!(list.from(&first).map(words).eq(behind));
            list.retain(|word| word.1 % 2 == 0);
            map.retain(|_, word| *word % 2 == 0);
            prop_assert!(list.iter().map(words).eq(map));
        }
    }
}
