//! Bytes read as choices.

/// The bytes that are left; zeros when there are none.
#[derive(Debug)]
pub(super) struct Script<'a>(pub(super) &'a [u8]);

impl Script<'_> {
    pub(super) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound
    }

    /// Mostly small, sometimes anything.
    pub(super) fn number(&mut self) -> u64 {
        match self.byte() {
            255 => u64::MAX,
            254 => (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte())),
            small => u64::from(small % 32),
        }
    }

    pub(super) fn bytes(&mut self) -> Vec<u8> {
        let count = self.below(64);
        (0..count).map(|_| self.byte()).collect()
    }
}
