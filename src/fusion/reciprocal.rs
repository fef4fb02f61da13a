//! Several rankings to one without scores that compare: reciprocal rank fusion.

/// How slowly a rank loses its worth; the constant of the paper.
const SLOWLY: f64 = 60.0;

/// Merges rankings by the sum of 1 / (60 + rank) of each item, best first, ties by key (Cormack, Clarke and Buettcher,
/// 2009).
///
/// Items of one `key` are one: the first stays, and `absorb` adds to it what the others have.
pub fn reciprocal_rank<T>(
    rankings: Vec<Vec<T>>,
    key: impl Fn(&T) -> &str,
    mut absorb: impl FnMut(&mut T, T),
) -> Vec<(f64, T)> {
    let mut all: Vec<(f64, T)> = Vec::new();
    for (rank, item) in rankings.into_iter().flat_map(|ranking| ranking.into_iter().enumerate()) {
        let worth = 1.0 / (SLOWLY + rank as f64 + 1.0);
        match all.iter_mut().find(|(_, known)| key(known) == key(&item)) {
            Some((score, known)) => {
                *score += worth;
                absorb(known, item);
            }
            None => all.push((worth, item)),
        }
    }
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| key(&a.1).cmp(key(&b.1))));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_rankings_have_comes_before_what_leads_one() {
        let merged = reciprocal_rank(vec![vec!["a", "c"], vec!["b", "c"]], |item| item, |_, _| {});
        let order: Vec<&str> = merged.iter().map(|(_, item)| *item).collect();
        assert_eq!(order, ["c", "a", "b"]);
        assert_eq!((merged[0].0, merged[1].0), (1.0 / 62.0 + 1.0 / 62.0, 1.0 / 61.0));
    }
}
