//! Groups of related items as training data, and the sampling of positive pairs from them.
//!
//! Invariant: two items of one group are never used as a negative pair.

use crate::rng::SplitMix64;

/// Weighted groups of items; an item is the row index of its vector.
#[derive(Debug, Default, Clone)]
pub struct Groups {
    /// The members of each group (at least two, each once), and the weight of a pair of them.
    pub all: Vec<(Vec<u32>, f64)>,
    /// The groups of each item, ascending.
    of_item: Vec<Vec<u32>>,
    /// Cumulative weights of the groups, for sampling.
    cumulative: Vec<f64>,
}

impl Groups {
    /// Creates the groups of `items` items; groups of fewer than two members or without weight are left out.
    pub fn new(items: usize, groups: impl IntoIterator<Item = (Vec<u32>, f64)>) -> Self {
        let mut result = Groups { of_item: vec![Vec::new(); items], ..Groups::default() };
        for (mut members, weight) in groups {
            members.sort_unstable();
            members.dedup();
            if members.len() < 2 || weight <= 0.0 {
                continue;
            }
            for member in &members {
                result.of_item[*member as usize].push(result.all.len() as u32);
            }
            // A group is drawn in proportion to its members, not to its pairs, which grow with the square.
            let before = result.cumulative.last().copied().unwrap_or_default();
            result.cumulative.push(before + weight * members.len() as f64);
            result.all.push((members, weight));
        }
        result
    }

    /// Returns the number of items.
    pub fn items(&self) -> usize {
        self.of_item.len()
    }

    /// Returns whether there is no group.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Returns the number of memberships over all groups.
    pub fn memberships(&self) -> usize {
        self.all.iter().map(|(members, _)| members.len()).sum()
    }

    /// Draws two different members of one group: a positive pair.
    ///
    /// # Panics
    /// If there is no group.
    pub fn draw(&self, rng: &mut SplitMix64) -> (u32, u32) {
        let at = rng.uniform() * self.cumulative.last().expect("there is a group");
        let group = self.cumulative.partition_point(|sum| *sum <= at).min(self.all.len() - 1);
        let members = &self.all[group].0;
        let a = rng.below(members.len());
        let b = (a + 1 + rng.below(members.len() - 1)) % members.len();
        (members[a], members[b])
    }

    /// Returns whether two items are the same, or share a group.
    pub fn together(&self, a: u32, b: u32) -> bool {
        if a == b {
            return true;
        }
        let (mut left, mut right) = (self.of_item[a as usize].iter(), self.of_item[b as usize].iter());
        let (mut x, mut y) = (left.next(), right.next());
        while let (Some(p), Some(q)) = (x, y) {
            match p.cmp(q) {
                std::cmp::Ordering::Equal => return true,
                std::cmp::Ordering::Less => x = left.next(),
                std::cmp::Ordering::Greater => y = right.next(),
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_from_groups_by_their_weight() {
        let groups = Groups::new(9, [(vec![0, 1], 1.0), (vec![2, 3, 4], 0.5), (vec![5, 5], 1.0), (vec![6, 7], 0.0)]);
        assert_eq!((groups.all.len(), groups.memberships()), (2, 5));
        assert!(groups.together(0, 1) && groups.together(8, 8) && !groups.together(1, 2) && !groups.together(6, 7));
        let (mut rng, mut first) = (SplitMix64::new(1), 0);
        for _ in 0..1000 {
            let (a, b) = groups.draw(&mut rng);
            assert!(a != b && groups.together(a, b));
            first += usize::from(a < 2);
        }
        // 2 of 3.5 by weight.
        assert!((500..640).contains(&first), "{first}");
    }
}
