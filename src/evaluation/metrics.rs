//! Ranking metrics of methods: mean reciprocal rank, recall@10, hit@1, hit@3, with bootstrap intervals.
//!
//! Metrics are first averaged within a unit (commit, session or item), so each unit has the same weight, and intervals
//! resample units. Invariant: methods are compared only on the same units.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rng::SplitMix64;

/// The cut-off rank of recall.
const RECALL_AT: f64 = 10.0;
/// The number of bootstrap samples of an interval.
const BOOTSTRAP_SAMPLES: usize = 1000;

/// The metrics of one query, or a sum or mean of several.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct QueryMetrics {
    /// Reciprocal rank of the best relevant candidate.
    pub mrr: f64,
    /// Share of the relevant candidates within the first ten.
    pub recall: f64,
    /// 1 if a relevant candidate is first.
    pub hit_at_1: f64,
    /// 1 if a relevant candidate is among the first three.
    pub hit_at_3: f64,
    /// 1 if any candidate has a score other than 0.
    pub answered: f64,
}

/// The mean metrics of one method on a task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricSummary {
    /// Mean reciprocal rank.
    pub mrr: f64,
    /// Recall within the first ten.
    pub recall_at_10: f64,
    /// Share of queries with a relevant candidate first.
    pub hit_at_1: f64,
    /// Share of queries with a relevant candidate among the first three.
    pub hit_at_3: f64,
    /// Share of queries with any score other than 0.
    pub answered: f64,
    /// Lower end of the 95 % confidence interval of `mrr`.
    pub mrr_low: f64,
    /// Upper end of that interval.
    pub mrr_high: f64,
}

/// The lift of one method over another on the same units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Lift {
    /// Ratio of the mean reciprocal ranks.
    pub ratio: f64,
    /// Difference of the mean reciprocal ranks.
    pub difference: f64,
    /// Lower end of the 95 % confidence interval of the difference.
    pub low: f64,
    /// Upper end of that interval.
    pub high: f64,
}

/// The metrics of all methods on one task, by unit.
#[derive(Debug, Default, Clone)]
pub struct MetricTable {
    /// By method and unit: the summed metrics, and the number of queries.
    methods: BTreeMap<&'static str, BTreeMap<usize, (QueryMetrics, usize)>>,
    /// By unit: the summed ceilings, and the number of queries.
    ceiling: BTreeMap<usize, (f64, usize)>,
    queries: usize,
}

impl QueryMetrics {
    /// Computes the metrics of scores over candidates, given the indices of the relevant ones.
    ///
    /// Equal scores share their mean rank; NaN ranks last.
    pub fn from_scores(scores: &[f32], relevant: &[usize]) -> Self {
        let number = |score: f32| if score.is_nan() { f32::NEG_INFINITY } else { score };
        let mut metrics = QueryMetrics::default();
        if relevant.is_empty() {
            return metrics;
        }
        let mut best = f64::INFINITY;
        for index in relevant {
            let own = number(scores[*index]);
            let (mut before, mut equal) = (0_usize, 0_usize);
            for score in scores.iter().map(|score| number(*score)) {
                before += usize::from(score > own);
                equal += usize::from(score == own);
            }
            let rank = before as f64 + (equal as f64 + 1.0) / 2.0;
            metrics.recall += f64::from(u8::from(rank <= RECALL_AT));
            best = best.min(rank);
        }
        metrics.recall /= relevant.len() as f64;
        metrics.mrr = 1.0 / best;
        metrics.hit_at_1 = f64::from(u8::from(best <= 1.0));
        metrics.hit_at_3 = f64::from(u8::from(best <= 3.0));
        metrics.answered = f64::from(u8::from(scores.iter().any(|score| *score != 0.0)));
        metrics
    }

    /// Adds other metrics, multiplied by `times`.
    fn add(&mut self, other: &QueryMetrics, times: f64) {
        self.mrr += other.mrr * times;
        self.recall += other.recall * times;
        self.hit_at_1 += other.hit_at_1 * times;
        self.hit_at_3 += other.hit_at_3 * times;
        self.answered += other.answered * times;
    }
}

impl MetricTable {
    /// Adds a query of a unit. `ceiling` is the share of its relevant candidates that any signal can reach.
    pub fn add_query(&mut self, unit: usize, ceiling: f64) {
        self.queries += 1;
        let entry = self.ceiling.entry(unit).or_default();
        entry.0 += ceiling;
        entry.1 += 1;
    }

    /// Records the metrics of a method for a query of a unit.
    pub fn record(&mut self, unit: usize, method: &'static str, metrics: QueryMetrics) {
        let entry = self.methods.entry(method).or_default().entry(unit).or_default();
        entry.0.add(&metrics, 1.0);
        entry.1 += 1;
    }

    /// Returns the number of queries.
    pub fn query_count(&self) -> usize {
        self.queries
    }

    /// Returns the number of units.
    pub fn unit_count(&self) -> usize {
        self.ceiling.len()
    }

    /// Returns the mean upper bound of recall: the share of relevant candidates that any signal can reach.
    pub fn ceiling(&self) -> f64 {
        let sum: f64 = self.ceiling.values().map(|(sum, n)| sum / *n as f64).sum();
        sum / self.ceiling.len().max(1) as f64
    }

    /// Returns the names of the recorded methods.
    pub fn methods(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.methods.keys().copied()
    }

    /// Copies the metrics of a method under a second name.
    pub fn copy_method(&mut self, name: &'static str, of: &str) {
        if let Some(metrics) = self.methods.get(of).cloned() {
            self.methods.insert(name, metrics);
        }
    }

    /// Adds the queries of another table. A method that one of them lacks is removed.
    pub fn merge(&mut self, other: &MetricTable) {
        if self.queries == 0 {
            self.methods.clone_from(&other.methods);
        } else if other.queries > 0 {
            self.methods.retain(|name, _| other.methods.contains_key(name));
        }
        if self.queries > 0 {
            for (name, metrics) in &mut self.methods {
                for (unit, (more, n)) in other.methods.get(name).into_iter().flatten() {
                    let entry = metrics.entry(*unit).or_default();
                    entry.0.add(more, 1.0);
                    entry.1 += n;
                }
            }
        }
        for (unit, (share, n)) in &other.ceiling {
            let entry = self.ceiling.entry(*unit).or_default();
            entry.0 += share;
            entry.1 += n;
        }
        self.queries += other.queries;
    }

    /// Removes a method.
    pub fn remove_method(&mut self, name: &str) {
        self.methods.remove(name);
    }

    /// Returns the mean reciprocal rank of a method.
    pub fn mrr(&self, method: &str) -> Option<f64> {
        let metrics = self.methods.get(method)?;
        Some(metrics.values().map(|(metrics, n)| metrics.mrr / *n as f64).sum::<f64>() / metrics.len().max(1) as f64)
    }

    /// Returns the mean reciprocal rank of a method for each unit.
    pub fn mrr_by_unit(&self, method: &str) -> impl Iterator<Item = (usize, f64)> + '_ {
        let all = self.methods.get(method).into_iter().flatten();
        all.map(|(commit, (metrics, n))| (*commit, metrics.mrr / *n as f64))
    }

    /// Returns the mean metrics of a method; `None` if it was never recorded.
    pub fn summary(&self, method: &str) -> Option<MetricSummary> {
        let by_commit = self.methods.get(method)?;
        let (mut mean, count) = (QueryMetrics::default(), by_commit.len().max(1) as f64);
        for (metrics, n) in by_commit.values() {
            mean.add(metrics, 1.0 / (*n as f64 * count));
        }
        let each: Vec<f64> = by_commit.values().map(|(metrics, n)| metrics.mrr / *n as f64).collect();
        let (mrr_low, mrr_high) = confidence_interval(&each);
        Some(MetricSummary {
            mrr: mean.mrr,
            recall_at_10: mean.recall,
            hit_at_1: mean.hit_at_1,
            hit_at_3: mean.hit_at_3,
            answered: mean.answered,
            mrr_low,
            mrr_high,
        })
    }

    /// Returns the lift of a method over another on the units of both.
    pub fn lift(&self, method: &str, over: &str) -> Option<Lift> {
        self.lift_against(method, self, over)
    }

    /// Returns the lift of a method over one in another table of the same queries; `None` if they share no unit.
    pub fn lift_against(&self, method: &str, other: &MetricTable, over: &str) -> Option<Lift> {
        let (a, b) = (self.methods.get(method)?, other.methods.get(over)?);
        let pairs: Vec<(f64, f64)> = a
            .iter()
            .filter_map(|(commit, (metrics, n))| {
                let (other, m) = b.get(commit)?;
                Some((metrics.mrr / *n as f64, other.mrr / *m as f64))
            })
            .collect();
        if pairs.is_empty() {
            return None;
        }
        let sum = |pick: fn(&(f64, f64)) -> f64| pairs.iter().map(pick).sum::<f64>();
        let (ours, theirs, count) = (sum(|pair| pair.0), sum(|pair| pair.1), pairs.len().max(1) as f64);
        let each: Vec<f64> = pairs.iter().map(|(a, b)| a - b).collect();
        let (low, high) = confidence_interval(&each);
        let ratio = if theirs > 0.0 { ours / theirs } else { 1.0 };
        Some(Lift { ratio, difference: (ours - theirs) / count, low, high })
    }
}

/// Returns the 95 % bootstrap confidence interval of the mean (percentile method, fixed seed).
fn confidence_interval(values: &[f64]) -> (f64, f64) {
    if values.is_empty() {
        return (0.0, 0.0);
    }
    let mut rng = SplitMix64::new(0x5eed);
    let mut means: Vec<f64> = (0..BOOTSTRAP_SAMPLES)
        .map(|_| {
            let sum: f64 = (0..values.len()).map(|_| values[rng.below(values.len())]).sum();
            sum / values.len() as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    (means[BOOTSTRAP_SAMPLES * 25 / 1000], means[BOOTSTRAP_SAMPLES * 975 / 1000 - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_scores_share_their_rank() {
        let check = |scores: &[f32], relevant: &[usize], mrr: f64, recall: f64| {
            let metrics = QueryMetrics::from_scores(scores, relevant);
            assert_eq!((metrics.mrr, metrics.recall), (mrr, recall), "{scores:?} {relevant:?}");
        };
        check(&[3.0, 2.0, 1.0], &[0], 1.0, 1.0);
        check(&[3.0, 2.0, 1.0], &[1, 2], 0.5, 1.0);
        check(&[0.0; 3], &[2], 0.5, 1.0);
        check(&[0.0; 99], &[0], 1.0 / 50.0, 0.0);
        check(&[f32::NAN, 0.0, -1.0], &[0], 1.0 / 3.0, 1.0);
        assert_eq!(QueryMetrics::from_scores(&[0.0, 0.0], &[0]).answered, 0.0);
    }

    #[test]
    fn each_unit_has_the_same_weight() {
        let mut metric_table = MetricTable::default();
        let metrics = |mrr| QueryMetrics { mrr, ..QueryMetrics::default() };
        for _ in 0..9 {
            metric_table.add_query(0, 1.0);
            metric_table.record(0, "a", metrics(1.0));
            metric_table.record(0, "b", metrics(0.5));
        }
        metric_table.add_query(1, 0.0);
        metric_table.record(1, "a", metrics(0.0));
        metric_table.record(1, "b", metrics(0.0));
        assert_eq!((metric_table.mrr("a"), metric_table.ceiling(), metric_table.query_count()), (Some(0.5), 0.5, 10));
        let lift = metric_table.lift("a", "b").expect("both were asked");
        assert_eq!((lift.ratio, lift.difference), (2.0, 0.25));
        let mut both = MetricTable::default();
        both.merge(&metric_table);
        let mut more = MetricTable::default();
        more.add_query(1, 1.0);
        more.record(1, "a", metrics(1.0));
        both.merge(&more);
        assert_eq!((both.mrr("a"), both.mrr("b")), (Some(0.75), None), "of its two queries the second was right");
        assert_eq!((both.ceiling(), both.query_count(), both.unit_count()), (0.75, 11, 2));
        let summary = metric_table.summary("a").expect("it was asked");
        assert!(summary.mrr_low == 0.0 && summary.mrr_high == 1.0, "{summary:?}");
    }
}
