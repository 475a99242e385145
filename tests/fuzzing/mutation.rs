//! Seeded mutations of a corpus: what a fuzzer without coverage can do, the same in every run.

/// Bytes where encodings change their shape: signs, varint markers, separators.
const EDGES: [u8; 12] = [0, 1, 2, 0x7f, 0x80, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff, b'.'];

/// The longest input that a mutation makes.
const LONGEST: usize = 8_192;

/// A stream of mutations, drawn from the target's name.
pub(crate) struct Mutator {
    state: u64,
}

impl Mutator {
    pub(crate) fn new(name: &str) -> Self {
        // FNV-1a: any spread of the name will do.
        let mix = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self {
            state: name.bytes().fold(0xcbf2_9ce4_8422_2325, mix) | 1,
        }
    }

    /// xorshift64*: nothing here needs more.
    fn draw(&mut self, below: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let drawn = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        usize::try_from(drawn).unwrap_or_default() % below.max(1)
    }

    fn byte(&mut self) -> u8 {
        if self.draw(2) == 0 {
            EDGES[self.draw(EDGES.len())]
        } else {
            self.draw(256) as u8
        }
    }

    /// One of the seeds, changed in one to eight places.
    pub(crate) fn next(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = seeds[self.draw(seeds.len())].clone();
        for _ in 0..=self.draw(8) {
            self.change(&mut input, seeds);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let place = self.draw(input.len() + 1);
        let end = (place + 1 + self.draw(16)).min(input.len());
        match self.draw(8) {
            0 | 1 if place < input.len() => input[place] = self.byte(),
            2 if place < input.len() => input[place] ^= 1 << self.draw(8),
            3 => {
                let byte = self.byte();
                input.insert(place, byte);
            }
            4 if place < end => drop(input.drain(place..end)),
            5 if place < end => {
                let piece = input[place..end].to_vec();
                input.splice(place..place, piece);
            }
            6 => {
                // The head of this one and the tail of another.
                let other = &seeds[self.draw(seeds.len())];
                let from = self.draw(other.len() + 1);
                input.truncate(place);
                input.extend_from_slice(&other[from..]);
            }
            7 => input.truncate(place),
            _ => {
                let byte = self.byte();
                input.push(byte);
            }
        }
    }
}

#[test]
fn mutations_are_repeatable_and_differ() {
    let seeds = [b"one seed".to_vec(), b"another, longer seed".to_vec()];
    let draw = |name: &str| {
        let mut mutator = Mutator::new(name);
        (0..500).map(|_| mutator.next(&seeds)).collect::<Vec<_>>()
    };
    let first = draw("a");
    assert_eq!(first, draw("a"));
    assert_ne!(first, draw("b"));
    assert!(first.iter().filter(|input| seeds.contains(input)).count() < 50);
}
