//! What belongs together, as numbers: groups of items to learn from, and pairs drawn from them. Refuses to call a pair
//! apart that some group holds together.

use crate::chance::Chance;

/// Groups of items; an item is its place among the vectors.
#[derive(Debug, Default, Clone)]
pub struct Groups {
    /// Members of each, at least two, each once, and how much one pair of them says.
    pub all: Vec<(Vec<u32>, f64)>,
    /// By item: its groups, ascending.
    of_item: Vec<Vec<u32>>,
    /// Sums of what the groups weigh, for drawing.
    sums: Vec<f64>,
}

impl Groups {
    /// Of some items; groups of fewer than two say nothing and are left out.
    pub fn new(items: usize, groups: impl IntoIterator<Item = (Vec<u32>, f64)>) -> Self {
        let mut made = Groups { of_item: vec![Vec::new(); items], ..Groups::default() };
        for (mut members, weight) in groups {
            members.sort_unstable();
            members.dedup();
            if members.len() < 2 || weight <= 0.0 {
                continue;
            }
            for member in &members {
                made.of_item[*member as usize].push(made.all.len() as u32);
            }
            // As many draws as it has members, each for what a pair says: a large group has many pairs, and no more
            // say than its members have.
            let before = made.sums.last().copied().unwrap_or_default();
            made.sums.push(before + weight * members.len() as f64);
            made.all.push((members, weight));
        }
        made
    }

    /// How many items they are of.
    pub fn items(&self) -> usize {
        self.of_item.len()
    }

    /// Whether there is nothing to learn from.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// How many memberships there are.
    pub fn memberships(&self) -> usize {
        self.all.iter().map(|(members, _)| members.len()).sum()
    }

    /// Two members of one group.
    ///
    /// # Panics
    /// Where there is none.
    pub fn draw(&self, chance: &mut Chance) -> (u32, u32) {
        let at = chance.unit() * self.sums.last().expect("there is a group");
        let group = self.sums.partition_point(|sum| *sum <= at).min(self.all.len() - 1);
        let members = &self.all[group].0;
        let a = chance.below(members.len());
        let b = (a + 1 + chance.below(members.len() - 1)) % members.len();
        (members[a], members[b])
    }

    /// Whether two items are one, or some group holds both.
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
        let (mut chance, mut first) = (Chance::new(1), 0);
        for _ in 0..1000 {
            let (a, b) = groups.draw(&mut chance);
            assert!(a != b && groups.together(a, b));
            first += usize::from(a < 2);
        }
        // 2 of 3.5 draws.
        assert!((500..640).contains(&first), "{first}");
    }
}
