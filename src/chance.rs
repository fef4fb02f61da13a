//! Numbers that look random and are the same every time. Refuses the clock and the system's own chance: what is drawn
//! here can be drawn again.

/// Numbers that look random and are the same every time (SplitMix64, Steele et al. 2014).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// From a beginning.
    pub fn new(seed: u64) -> Self {
        Chance(seed)
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of the numbers below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.draw()) * end as u128) >> 64) as usize
    }

    /// A different beginning for each use of one seed.
    pub fn of(seed: u64, what: &str) -> Self {
        let hash = blake3::hash(what.as_bytes());
        let word = u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("eight bytes"));
        Chance(seed ^ word)
    }

    /// About as many above 0 as below, most of them within 1 (the sum of twelve, less six).
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// Between 0 and 1.
    pub fn unit(&mut self) -> f64 {
        (self.draw() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_beginning_gives_the_same_numbers() {
        let draw = |mut chance: Chance| -> Vec<usize> { (0..1000).map(|_| chance.below(10)).collect() };
        let numbers = draw(Chance::new(7));
        assert_eq!(numbers, draw(Chance::new(7)));
        assert_ne!(numbers, draw(Chance::of(7, "other")));
        for digit in 0..10 {
            let count = numbers.iter().filter(|number| **number == digit).count();
            assert!((60..140).contains(&count), "{digit}: {count}");
        }
        let mut chance = Chance::new(1);
        let mean = (0..1000).map(|_| chance.normal()).sum::<f64>() / 1000.0;
        assert!(mean.abs() < 0.15, "{mean}");
    }
}
