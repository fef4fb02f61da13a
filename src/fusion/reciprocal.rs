//! Reciprocal rank fusion: merges rankings whose scores cannot be compared.

/// The constant k of the paper: the larger, the less the first ranks dominate.
const RANK_CONSTANT: f64 = 60.0;

/// Merges rankings by the sum of 1 / (60 + rank) of each item. Returns scores and items, best first; ties by key.
///
/// Items with the same `key` are one: the first is kept, and `absorb` merges the others into it. Source: Cormack,
/// Clarke and Buettcher 2009.
pub fn reciprocal_rank<T>(
    rankings: Vec<Vec<T>>,
    key: impl Fn(&T) -> &str,
    mut absorb: impl FnMut(&mut T, T),
) -> Vec<(f64, T)> {
    let mut all: Vec<(f64, T)> = Vec::new();
    for (rank, item) in rankings.into_iter().flat_map(|ranking| ranking.into_iter().enumerate()) {
        let weight = 1.0 / (RANK_CONSTANT + rank as f64 + 1.0);
        match all.iter_mut().find(|(_, known)| key(known) == key(&item)) {
            Some((score, known)) => {
                *score += weight;
                absorb(known, item);
            }
            None => all.push((weight, item)),
        }
    }
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| key(&a.1).cmp(key(&b.1))));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_of_two_rankings_beats_the_first_of_one() {
        let merged = reciprocal_rank(vec![vec!["a", "c"], vec!["b", "c"]], |item| item, |_, _| {});
        let order: Vec<&str> = merged.iter().map(|(_, item)| *item).collect();
        assert_eq!(order, ["c", "a", "b"]);
        assert_eq!((merged[0].0, merged[1].0), (1.0 / 62.0 + 1.0 / 62.0, 1.0 / 61.0));
    }
}
