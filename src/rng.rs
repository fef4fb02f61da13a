//! Deterministic pseudo-random numbers. Invariant: no clock and no system entropy; the same seed gives the same numbers
//! in every version.

/// A pseudo-random number generator.
///
/// Source: SplitMix64, Steele, Lea and Flood 2014.
#[derive(Debug, Clone)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// Creates a generator from a seed.
    pub fn new(seed: u64) -> Self {
        SplitMix64(seed)
    }

    /// Returns the next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a uniform integer in `0..end`.
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next_u64()) * end as u128) >> 64) as usize
    }

    /// Creates an independent stream of one seed for each label.
    pub fn with_label(seed: u64, label: &str) -> Self {
        let hash = blake3::hash(label.as_bytes());
        let word = u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("eight bytes"));
        SplitMix64(seed ^ word)
    }

    /// Returns an approximately standard normal number: the sum of twelve uniforms minus six.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    /// Returns a uniform number in `0..1`.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let draw = |mut rng: SplitMix64| -> Vec<usize> { (0..1000).map(|_| rng.below(10)).collect() };
        let numbers = draw(SplitMix64::new(7));
        assert_eq!(numbers, draw(SplitMix64::new(7)));
        assert_ne!(numbers, draw(SplitMix64::with_label(7, "other")));
        for digit in 0..10 {
            let count = numbers.iter().filter(|number| **number == digit).count();
            assert!((60..140).contains(&count), "{digit}: {count}");
        }
        let mut rng = SplitMix64::new(1);
        let mean = (0..1000).map(|_| rng.normal()).sum::<f64>() / 1000.0;
        assert!(mean.abs() < 0.15, "{mean}");
    }
}
