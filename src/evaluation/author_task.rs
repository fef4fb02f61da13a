//! The task of finding who knows some files: predict the human authors of each commit from the files it touches.

use std::ops::Range;

use super::metrics::{MetricTable, QueryMetrics};
use super::replay::{EvalContext, HistoryReplay};
use super::shared::random_scores;
use super::split::Split;
use super::{FittedWeights, Priors, SplitPart};
use crate::fusion::{self, Question, RankingExample, SignalTable, person_signal as signal};
use crate::history::{FileId, LARGEST_COMMIT};

/// The weight of recent activity in the `mix` baseline, in addition to decayed commits.
const RECENT_WEIGHT: f32 = 0.1;

/// The untrained methods.
pub const BASELINES: [&str; 7] = ["random", "popular", "path", "frozen", "counts", "decayed", "mix"];

/// The metrics of one replay; in each pair, the first is for validation and the second for test.
#[derive(Debug, Default)]
pub struct AuthorMetrics {
    /// Commits that have an author who was seen before.
    pub all: [MetricTable; 2],
    /// Those of them that have no author of the last commit to touch the files.
    pub changes: [MetricTable; 2],
}

/// Replays a history, fits and gates the weights, and evaluates all methods.
pub fn author_task(
    split: &Split,
    context: &EvalContext<'_>,
    priors: &Priors<'_>,
    fitted: &mut FittedWeights,
) -> AuthorMetrics {
    let mut replay = HistoryReplay::new(context);
    replay.add_training_split(split, 0);
    let (mut results, mut examples) = (AuthorMetrics::default(), Vec::new());
    for_each_commit(&mut replay, split.fit.clone(), |question| {
        examples.push(question.example());
        question.record(SplitPart::Validation, &mut results, None);
    });
    fitted.fit(Question::Who, &examples, priors);
    for (part, range) in [(SplitPart::Validation, split.gate.clone()), (SplitPart::Test, split.test.clone())] {
        for_each_commit(&mut replay, range, |question| question.record(part, &mut results, Some(fitted)));
        if part == SplitPart::Validation && !split.gate.is_empty() {
            fitted.gate(Question::Who, &mut results.all[0]);
        }
    }
    results
}

/// A commit as a query for its authors.
struct AuthorQuestion<'w> {
    replay: &'w HistoryReplay<'w>,
    index: usize,
    files: Vec<FileId>,
    table: SignalTable,
    relevant: Vec<usize>,
    is_change: bool,
}

/// Calls `visit` for each commit in a range that touches existing files and has an author who was seen before, and then
/// adds the commit.
fn for_each_commit(replay: &mut HistoryReplay<'_>, range: Range<usize>, mut visit: impl FnMut(&AuthorQuestion<'_>)) {
    for index in range {
        if !(replay.context.should_continue)() {
            break;
        }
        let commit = &replay.timeline().commits[index];
        if !commit.authors.is_empty() && !commit.is_merge && commit.touched as i64 <= LARGEST_COMMIT {
            let files: Vec<FileId> = replay.touched(index).into_iter().filter_map(|(file, _)| file).collect();
            if !files.is_empty() {
                let names = &replay.timeline().paths;
                let table =
                    fusion::people_table(&replay.counts, names, &files, &replay.base_embeddings, &replay.projections);
                let newest = files.iter().filter_map(|file| replay.counts.all_commits_of(*file).next_back());
                let last = newest.max_by_key(|commit| commit.timeline_index).map_or(&[][..], |commit| &commit.authors);
                let is_change = !commit.authors.iter().any(|author| last.contains(author));
                // An author who was never seen before cannot be a candidate.
                let relevant = commit.authors.iter().filter_map(|author| table.candidates.binary_search(author).ok());
                let relevant: Vec<usize> = relevant.collect();
                if !relevant.is_empty() {
                    visit(&AuthorQuestion { replay, index, files, table, relevant, is_change });
                }
            }
        }
        replay.add(index);
    }
}

impl AuthorQuestion<'_> {
    /// Returns the training example of the query.
    fn example(&self) -> RankingExample {
        let rows = (0..self.table.candidates.len()).flat_map(|row| self.table.row(row)).collect();
        RankingExample { rows, relevant: self.relevant.clone(), weight: 1.0 }
    }

    /// Records the metrics of every method.
    fn record(&self, part: SplitPart, results: &mut AuthorMetrics, fitted: Option<&FittedWeights>) {
        let columns = &self.table.columns;
        let reaching = [signal::COUNT, signal::FOLDER, signal::COMPANIONS];
        let reachable = self
            .relevant
            .iter()
            .filter(|relevant| reaching.iter().any(|signal| columns[*signal][**relevant] > 0.0))
            .count();
        let ceiling = reachable as f64 / self.relevant.len() as f64;
        let mut metric_tables = vec![&mut results.all[part as usize]];
        if self.is_change {
            metric_tables.push(&mut results.changes[part as usize]);
        }
        metric_tables.iter_mut().for_each(|metric_table| metric_table.add_query(self.index, ceiling));
        let mut record = |method: &'static str, scores: &[f32]| {
            let metrics = QueryMetrics::from_scores(scores, &self.relevant);
            metric_tables.iter_mut().for_each(|metric_table| metric_table.record(self.index, method, metrics));
        };
        record("random", &random_scores(self.index as u64, &self.table.candidates));
        record("popular", &columns[signal::POPULAR]);
        record("path", &columns[signal::FOLDER]);
        record("counts", &columns[signal::COUNT]);
        record("decayed", &columns[signal::DECAYED]);
        let mixed =
            columns[signal::DECAYED].iter().zip(&columns[signal::RECENT]).map(|(own, all)| own + RECENT_WEIGHT * all);
        record("mix", &mixed.collect::<Vec<f32>>());
        record("frozen", &columns[signal::BASE]);
        record("adapter", &columns[signal::ADAPTER]);
        for ((name, _), rows) in self.replay.context.comparisons.iter().zip(&self.replay.comparisons) {
            let similarity = fusion::author_similarity(&self.replay.counts, &self.files, rows);
            let score = |person: &u32| similarity.get(person).copied().unwrap_or_default() as f32;
            record(name, &self.table.candidates.iter().map(score).collect::<Vec<f32>>());
        }
        let Some(fitted) = fitted else { return };
        for (name, weights) in fitted.methods(Question::Who) {
            record(name, &self.table.scores(weights));
        }
    }
}
