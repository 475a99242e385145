//! Five words that two people compare by voice, drawn from a digest.

mod list;

use list::WORDS;

use crate::Digest;

/// The words of a digest: 50 of its bits, ten a word, from its beginning.
pub fn words(digest: &Digest) -> [&'static str; 5] {
    let mut bits = digest
        .as_bytes()
        .iter()
        .take(7)
        .fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    bits >>= 6;
    let mut chosen = [""; 5];
    for place in chosen.iter_mut().rev() {
        *place = WORDS[(bits & 0x3ff) as usize];
        bits >>= 10;
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain;

    #[test]
    fn words_are_told_apart() {
        let letters = |word: &str| word.bytes().collect::<Vec<u8>>();
        let one_letter = |one: &str, other: &str| {
            let (one, other) = (letters(one), letters(other));
            let same = one.iter().zip(&other).filter(|(one, other)| one == other).count();
            let longer = |short: &[u8], long: &[u8]| {
                (0..long.len()).any(|gap| [&long[..gap], &long[gap + 1..]].concat() == short)
            };
            one.len() == other.len() && same + 1 >= one.len() || longer(&one, &other) || longer(&other, &one)
        };
        for (place, word) in WORDS.iter().enumerate() {
            assert!(
                (3..=9).contains(&word.len()) && word.bytes().all(|letter| letter.is_ascii_lowercase()),
                "{word}"
            );
            let after = &WORDS[place + 1..];
            assert!(after.iter().all(|other| word < other), "{word} stands in its place");
            let alike = after
                .iter()
                .find(|other| one_letter(word, other) || other.starts_with(&word[..word.len().min(4)]));
            assert_eq!(alike, None, "{word}");
        }
    }

    #[test]
    fn words_never_change() {
        assert_eq!(words(&Digest::ZERO), ["abacus"; 5]);
        assert_eq!(words(&Digest::from_bytes([0xff; 32])), ["zoo"; 5]);
        let words_of = |text: &str| words(&Digest::of(domain::PAIRING, text.as_bytes()));
        assert_eq!(words_of("starfish"), ["poem", "vase", "mosquito", "wheel", "flamingo"]);
        let whole = Digest::of(domain::PAIRING, WORDS.concat().as_bytes());
        assert_eq!(
            whole.to_string(),
            "4ca49d28553c6b0c4c2fcb81f264b08d24b6463c7209518e2a72d4fed17fc3ea"
        );
    }

    #[test]
    fn each_of_the_first_fifty_bits_counts() {
        for bit in 0..56 {
            let mut bytes = [0; 32];
            bytes[bit / 8] = 0x80 >> (bit % 8);
            let changed: Vec<usize> = words(&Digest::from_bytes(bytes))
                .iter()
                .enumerate()
                .filter(|(_, word)| **word != "abacus")
                .map(|(place, _)| place)
                .collect();
            assert_eq!(changed, if bit < 50 { vec![bit / 10] } else { vec![] }, "bit {bit}");
        }
    }
}
