//! The only source of randomness: the same seed makes the same choices, whatever ids the service
//! generates.

/// Splitmix64.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number under `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % end as u64).unwrap()
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of those that are there.
    pub fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        if from.is_empty() { None } else { from.get(self.below(from.len())).cloned() }
    }

    /// Some of those that are there, at most `most`, each once, in any order.
    pub fn some<T: Clone>(&mut self, mut from: Vec<T>, most: usize) -> Vec<T> {
        let number = self.below(most.min(from.len()) + 1);
        (0..number).map(|_| from.swap_remove(self.below(from.len()))).collect()
    }

    /// A text in one of its spellings.
    pub fn spelled(&mut self, text: &str) -> String {
        match self.below(4) {
            0 => text.to_uppercase(),
            1 => text[..1].to_uppercase() + &text[1..],
            _ => text.to_owned(),
        }
    }
}
