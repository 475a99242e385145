//! Lists for benchmarks: [`day`] makes names shaped like those of Conficker.C, 50,000 a day of 4 to 9 letters over 116 suffixes.
//! They come from a counter, not from the malware's generator.

use std::collections::BTreeSet;

/// Suffixes that Conficker.C used.
const SUFFIXES: &str = "ac ae ag am as at be bo bz ca cd ch cl cn co.cr co.id co.il co.ke co.kr co.nz co.ug co.uk co.vi co.za \
    com.ag com.ai com.ar com.bo com.br com.bs com.co com.do com.fj com.gh com.gl com.gt com.hn com.jm com.ki com.lc com.mt com.mx \
    com.ng com.ni com.pa com.pe com.pr com.pt com.py com.sv com.tr com.tt com.tw com.ua com.uy com.ve cx cz dj dk dm ec es fm fr gd \
    gr gs gy hk hn ht hu ie im in ir is kn kz la lc li lu lv ly md me mn ms mu mw my nf nl no pe pk pl ps ro ru sc sg sh sk su tc tj \
    tl tn to tw us vc vn";

/// So many different names of one day.
pub fn day(day: u64, count: usize) -> BTreeSet<String> {
    let suffixes: Vec<&str> = SUFFIXES.split_whitespace().collect();
    let mut chance = Chance(day.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut names = BTreeSet::new();
    while names.len() < count {
        let length = 4 + chance.below(6);
        let name: String = (0..length).map(|_| char::from(b'a' + chance.below(26) as u8)).collect();
        names.insert(format!("{name}.{}", suffixes[chance.below(suffixes.len())]));
    }
    names
}

/// xorshift64*, for anything that must only look random.
#[derive(Debug)]
pub struct Chance(u64);

impl Chance {
    /// A sequence of its own for each seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number below the bound.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound.max(1)
    }
}

/// The value below which this share of the measurements lies, in percent; they are sorted on the way.
pub fn percentile<T: PartialOrd + Copy>(measured: &mut [T], percent: usize) -> T {
    measured.sort_by(|one, next| one.partial_cmp(next).expect("measurements can be compared"));
    measured[(measured.len() * percent).div_ceil(100).clamp(1, measured.len()) - 1]
}

/// A number from the environment, so that a benchmark can be made smaller or larger.
pub fn asked(variable: &str, default: usize) -> usize {
    let asked = std::env::var(variable).ok();
    asked.map_or(default, |text| {
        text.parse().unwrap_or_else(|_| panic!("{variable} is a number"))
    })
}

#[test]
fn days_are_repeatable_and_percentiles_right() {
    assert_eq!(day(1, 100), day(1, 100));
    assert_ne!(day(1, 100), day(2, 100));
    assert_eq!(SUFFIXES.split_whitespace().count(), 116);
    let mut measured: Vec<u32> = (1..=200).rev().collect();
    assert_eq!(
        (percentile(&mut measured, 50), percentile(&mut measured, 99)),
        (100, 198)
    );
    assert_eq!(percentile(&mut [7], 99), 7);
}
