//! A list in the order of a part of each thing in it: [`Ordered`].
//!
//! Every node keeps something of every organisation, node and statement, many times over. The nodes of a `BTreeMap` are half
//! empty when what comes is in order, and have room for eleven things when there is one. Here things lie in runs without
//! gaps, and one that names its own place does not hold it a second time.

/// Something with a place in an order.
pub(crate) trait Placed {
    /// What it is found by. No two things have the same.
    type Place: Ord;

    fn place(&self) -> Self::Place;
}

/// A thing that does not name its place itself.
impl<K: Ord + Copy, V> Placed for (K, V) {
    type Place = K;

    fn place(&self) -> K {
        self.0
    }
}

/// How many things lie in one run: to put one in moves those behind it, some kB.
const RUN: usize = 64;
/// For how many more there is room when a run must grow.
const SPARE: usize = 4;

/// Things in the order of their places.
#[derive(Clone, Debug)]
pub(crate) struct Ordered<T> {
    /// One behind the other, none of them empty.
    runs: Vec<Vec<T>>,
    count: usize,
}

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self {
            runs: Vec::new(),
            count: 0,
        }
    }
}

impl<T: Placed> Ordered<T> {
    /// The run in which a thing of this place is or belongs, and where in it.
    fn find(&self, place: &T::Place) -> (usize, Result<usize, usize>) {
        let begins = |run: &Vec<T>| run.first().is_some_and(|first| first.place() <= *place);
        let number = self.runs.partition_point(begins).saturating_sub(1);
        let run = self.runs.get(number).map_or(&[][..], Vec::as_slice);
        (number, run.binary_search_by(|thing| thing.place().cmp(place)))
    }

    pub(crate) fn get(&self, place: &T::Place) -> Option<&T> {
        let (number, at) = self.find(place);
        self.runs.get(number)?.get(at.ok()?)
    }

    /// A thing to be changed in all but its place.
    pub(crate) fn get_mut(&mut self, place: &T::Place) -> Option<&mut T> {
        let (number, at) = self.find(place);
        self.runs.get_mut(number)?.get_mut(at.ok()?)
    }

    /// Puts a thing in its place; whatever was there leaves.
    pub(crate) fn insert(&mut self, thing: T) -> Option<T> {
        if self.runs.is_empty() {
            self.runs.push(Vec::new());
        }
        let (mut number, at) = self.find(&thing.place());
        let run = self.runs.get_mut(number)?;
        let mut at = match at {
            Ok(at) => return run.get_mut(at).map(|known| std::mem::replace(known, thing)),
            Err(at) => at,
        };
        if run.len() == RUN {
            // What comes in order fills one run after the other.
            let half = if at == RUN { RUN } else { RUN / 2 };
            let rest = run.split_off(half);
            run.shrink_to(half + SPARE);
            self.runs.insert(number + 1, rest);
            if at >= half {
                (number, at) = (number + 1, at - half);
            }
        }
        let run = self.runs.get_mut(number)?;
        if run.len() == run.capacity() {
            run.reserve_exact(SPARE);
        }
        run.insert(at, thing);
        self.count += 1;
        None
    }

    pub(crate) fn remove(&mut self, place: &T::Place) -> Option<T> {
        let (number, at) = self.find(place);
        let run = self.runs.get_mut(number)?;
        let gone = run.remove(at.ok()?);
        self.count -= 1;
        self.tidy(number);
        Some(gone)
    }

    /// A run that something left, and that fits into the one before it, joins that one.
    fn tidy(&mut self, number: usize) {
        let length = |number: usize| self.runs.get(number).map_or(0, Vec::len);
        let before = number
            .checked_sub(1)
            .filter(|before| length(*before) + length(number) <= RUN / 2);
        if let Some(before) = before {
            let run = self.runs.remove(number);
            if let Some(before) = self.runs.get_mut(before) {
                before.extend(run);
            }
        } else if length(number) == 0 {
            self.runs.remove(number);
        }
    }

    pub(crate) fn retain(&mut self, mut stays: impl FnMut(&T) -> bool) {
        for run in &mut self.runs {
            run.retain(&mut stays);
        }
        self.runs.retain(|run| !run.is_empty());
        self.count = self.runs.iter().map(Vec::len).sum();
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn first(&self) -> Option<&T> {
        self.runs.first()?.first()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.runs.iter().flatten()
    }

    /// Those in this place and behind it.
    pub(crate) fn from(&self, place: &T::Place) -> impl Iterator<Item = &T> + use<'_, T> {
        let (number, Ok(at) | Err(at)) = self.find(place);
        self.runs.get(number..).unwrap_or_default().iter().flatten().skip(at)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// More places than three runs have room for.
    const PLACES: u16 = 3 * RUN as u16;

    /// Puts a thing in a place, or takes out what is there.
    fn any_steps() -> impl Strategy<Value = Vec<(bool, u16, u32)>> {
        prop::collection::vec((prop::bool::weighted(0.7), 0..PLACES, any::<u32>()), 0..800)
    }

    fn filled(places: impl Iterator<Item = u16>) -> Ordered<(u16, u32)> {
        let mut list = Ordered::default();
        for place in places {
            list.insert((place, 0));
        }
        list
    }

    #[test]
    fn runs_have_no_gaps() {
        let check = |list: &Ordered<(u16, u32)>, runs: usize| {
            assert_eq!(list.runs.len(), runs);
            let room: usize = list.runs.iter().map(Vec::capacity).sum();
            assert!(room <= list.len() + runs * SPARE, "{room} for {}", list.len());
        };
        check(&filled(0..PLACES), 3);
        check(&filled((0..PLACES).rev()), 5);
        // Who leaves again leaves no short runs behind.
        let mut list = filled(0..PLACES);
        for place in (0..PLACES).filter(|place| place % 8 > 0) {
            list.remove(&place);
        }
        assert_eq!((list.len(), list.runs.len()), (PLACES as usize / 8, 1));
    }

    proptest! {
        #[test]
        fn it_is_as_good_as_a_map(steps in any_steps(), first in 0..PLACES) {
            let (mut list, mut map) = (Ordered::default(), BTreeMap::new());
            for (puts, place, word) in steps {
                let (gone, known) = if puts {
                    (list.insert((place, word)), map.insert(place, word))
                } else {
                    (list.remove(&place), map.remove(&place))
                };
                prop_assert_eq!(gone, known.map(|word| (place, word)));
                prop_assert_eq!(list.get(&place).map(|known| known.1), map.get(&place).copied());
                prop_assert_eq!(list.len(), map.len());
            }
            if let (Some(one), Some(other)) = (list.get_mut(&first), map.get_mut(&first)) {
                (one.1, *other) = (7, 7);
            }
            let all = |map: &BTreeMap<u16, u32>| map.clone().into_iter().collect::<Vec<_>>();
            prop_assert_eq!(list.iter().copied().collect::<Vec<_>>(), all(&map));
            prop_assert_eq!(list.first().map(|first| first.0), map.keys().next().copied());
            let behind: Vec<(u16, u32)> = list.from(&first).copied().collect();
            prop_assert_eq!(behind, all(&map.split_off(&first)));
            list.retain(|word| word.1 % 2 == 0 && word.0 >= first);
            let even: Vec<(u16, u32)> = list.iter().copied().collect();
            prop_assert!(even.iter().all(|(place, word)| word % 2 == 0 && *place >= first));
            prop_assert_eq!(list.len(), even.len());
        }
    }
}
