//! The task of finding the commits of a session from its entries, among all commits up to the end of the session.
//!
//! Time is not a signal: a session's commits are the newest ones, so it would give them away.

use super::bm25::Bm25;
use super::fitted_weights::{FUSED, WITHOUT_ADAPTERS};
use super::metrics::{MetricTable, QueryMetrics};
use super::replay::EvalContext;
use super::session_set::EvalSession;
use super::shared::{BM25_SCALE, fit_with_and_without_adapter, random_scores};
use super::{Split, SplitPart};
use crate::embedding::{VectorRows, dot};
use crate::fusion::{self, Prior, RankingExample, SignalTable, Weights};
use crate::text_index;

/// The untrained methods.
pub const BASELINES: [&str; 4] = ["random", "popular", "frozen", "bm25"];

/// The indices of the columns.
const ADAPTER: usize = 0;
const BASE: usize = 1;
const WORDS: usize = 2;
const SIGNALS: usize = 3;
/// The most words of an entry for BM25.
const MAX_QUERY_WORDS: usize = fusion::MOST_WORDS;
/// The precision of the Gaussian prior, whose mean is 1 for all signals.
const PRIOR_PRECISION: f64 = 0.1;

/// The messages of the commits added so far, with a BM25 index.
struct MessageIndex<'a> {
    context: &'a EvalContext<'a>,
    /// Commit indices, ascending, with the text of each message.
    commits: Vec<(u32, u32)>,
    documents: Bm25,
    /// The index of the next commit to add.
    next: usize,
}

/// Fits the weights on sessions of the fit part, and evaluates all methods. Returns metrics for validation and test.
pub fn session_commits_task(split: &Split, context: &EvalContext<'_>, sessions: &[EvalSession]) -> [MetricTable; 2] {
    let mut metric_tables = [MetricTable::default(), MetricTable::default()];
    let mut messages = MessageIndex { context, commits: Vec::new(), documents: Bm25::default(), next: 0 };
    let mut order: Vec<(usize, usize, &EvalSession)> = Vec::new();
    for (unit, session) in sessions.iter().enumerate() {
        order.extend(session.commits.last().map(|last| (*last, unit, session)));
    }
    order.sort_by_key(|(last, unit, _)| (*last, *unit));
    let (mut examples, mut weights) = (Vec::new(), None);
    for (last, unit, session) in order {
        if !(context.should_continue)() {
            break;
        }
        messages.add_until(last);
        let fits = split.fit.contains(&session.start_index);
        if !fits && weights.is_none() {
            weights = Some(fit(&examples));
        }
        let part = if split.test.contains(&session.start_index) { SplitPart::Test } else { SplitPart::Validation };
        for text in &session.queries {
            let Some((table, relevant)) = messages.question(session, *text) else { continue };
            if fits {
                examples.push(example(&table, &relevant, session.queries.len(), unit));
            }
            messages.record(&mut metric_tables[part as usize], unit, *text, &table, &relevant, weights.as_ref());
        }
    }
    metric_tables
}

/// Returns the training example of one entry. The entries of a session share a weight of 1.
fn example(table: &SignalTable, relevant: &[usize], queries: usize, unit: usize) -> RankingExample {
    let baseline: Vec<f32> = table.columns[BASE].iter().zip(&table.columns[WORDS]).map(|(a, b)| a + b).collect();
    table.example(relevant, &baseline, 1.0 / queries as f64, unit as u64)
}

/// Returns the weights with and without the adapter signal.
fn fit(examples: &[RankingExample]) -> [Weights; 2] {
    let prior = Prior { mean: vec![1.0; SIGNALS], precision: vec![PRIOR_PRECISION; SIGNALS] };
    fit_with_and_without_adapter(examples, &prior, ADAPTER)
}

impl MessageIndex<'_> {
    /// Adds all commits up to an index, inclusive.
    fn add_until(&mut self, last: usize) {
        let data = self.context.data;
        for index in self.next..=last {
            let commit = &data.timeline.commits[index];
            if let Some(text) = data.corpus.messages[index].filter(|_| !commit.is_merge) {
                self.commits.push((index as u32, text));
                self.documents.add(index as u32, text_index::words(&commit.message));
            }
        }
        self.next = self.next.max(last + 1);
    }

    /// Returns the signal table of a query entry, and its relevant rows; `None` if no relevant commit has a message.
    fn question(&self, session: &EvalSession, text: u32) -> Option<(SignalTable, Vec<usize>)> {
        let data = self.context.data;
        let cosines = |rows: &VectorRows| self.cosines(rows, text);
        let mut words = text_index::words(&data.corpus.texts[text as usize]);
        words.truncate(MAX_QUERY_WORDS);
        let scores = self.documents.scores(&words);
        let bm25 = self.commits.iter().map(|(index, _)| scores.get(index).copied().unwrap_or_default() / BM25_SCALE);
        let adapter = self.context.projections.map_or_else(|| vec![0.0; self.commits.len()], cosines);
        let columns = vec![adapter, cosines(&data.base_embeddings), bm25.collect()];
        let files = self.commits.iter().map(|(index, _)| *index).collect();
        let row = |index: &usize| self.commits.binary_search_by_key(&(*index as u32), |(index, _)| *index).ok();
        let relevant: Vec<usize> = session.commits.iter().filter_map(row).collect();
        (!relevant.is_empty()).then_some((SignalTable { candidates: files, columns }, relevant))
    }

    /// Returns the cosine of a text with each message.
    fn cosines(&self, rows: &VectorRows, text: u32) -> Vec<f32> {
        let query = rows.row(text);
        let cosine = |(_, message): &(u32, u32)| query.zip(rows.row(*message)).map_or(0.0, |(a, b)| dot(a, b));
        self.commits.iter().map(cosine).collect()
    }

    /// Records the metrics of every method.
    fn record(
        &self,
        metric_table: &mut MetricTable,
        unit: usize,
        text: u32,
        table: &SignalTable,
        relevant: &[usize],
        weights: Option<&[Weights; 2]>,
    ) {
        let reachable = relevant.iter().filter(|row| table.columns[WORDS][**row] > 0.0).count();
        metric_table.add_query(unit, reachable as f64 / relevant.len() as f64);
        let mut record = |method: &'static str, scores: &[f32]| {
            metric_table.record(unit, method, QueryMetrics::from_scores(scores, relevant))
        };
        record("random", &random_scores(u64::from(text), &table.candidates));
        // All commits are equally popular.
        record("popular", &vec![0.0; table.candidates.len()]);
        for (name, column) in [("bm25", WORDS), ("frozen", BASE), ("adapter", ADAPTER)] {
            record(name, &table.columns[column]);
        }
        for (name, rows) in self.context.comparisons {
            record(name, &self.cosines(rows, text));
        }
        for (name, weights) in [FUSED, WITHOUT_ADAPTERS].into_iter().zip(weights.into_iter().flatten()) {
            record(name, &table.scores(weights));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::EvalData;
    use crate::evaluation::corpus::Corpus;
    use crate::history::{Timeline, TimelineCommit};

    /// Commits with one-word messages, and those words as texts; embeddings are one-hot by word.
    fn data(words: &[&str]) -> EvalData {
        let mut corpus = Corpus::default();
        let (mut timeline, mut base_embeddings) = (Timeline::default(), VectorRows::new(words.len()));
        for (index, word) in words.iter().enumerate() {
            let (sha, message) = (format!("{index}"), (*word).to_string());
            let (authors, changes) = (Vec::new(), Vec::new());
            let (time, touched) = (index as i64, 1);
            timeline.commits.push(TimelineCommit {
                seq: 0,
                sha,
                time,
                parents: Vec::new(),
                is_merge: false,
                authors,
                message,
                touched,
                changes,
            });
            corpus.messages.push(Some(index as u32));
            corpus.texts.push((*word).to_string());
            let same = words.iter().position(|other| other == word).expect("it is one of them");
            base_embeddings.row_mut(index as u32)[same] = 1.0;
        }
        let split = Split { train: 0..2, fit: 2..4, gate: 4..5, test: 5..words.len(), has_test: true };
        EvalData { timeline, split, corpus, base_embeddings, shas: Default::default() }
    }

    fn session(index: usize, says: u32, commits: &[usize]) -> EvalSession {
        let (key, named) = (format!("session:{index}"), Vec::new());
        EvalSession {
            key,
            start_index: index,
            goals: Vec::new(),
            queries: vec![says],
            named,
            commits: commits.to_vec(),
        }
    }

    #[test]
    fn a_session_finds_its_commit_among_those_that_were_made_by_then() {
        let words = ["anchor", "basket", "candle", "desert", "engine", "falcon", "falcon", "guitar"];
        let data = data(&words);
        let context = EvalContext {
            data: &data,
            projections: None,
            comparisons: &[],
            with_comparisons: true,
            should_continue: &|| true,
        };
        let check = |session: EvalSession, part: SplitPart, method: &str, expect: f64| {
            let metric_tables = session_commits_task(&data.split, &context, &[session]);
            assert_eq!(metric_tables[part as usize].mrr(method), Some(expect), "{method}");
            assert_eq!(metric_tables[1 - part as usize].query_count(), 0);
        };
        check(session(2, 2, &[2]), SplitPart::Validation, "bm25", 1.0);
        check(session(5, 5, &[5]), SplitPart::Test, "frozen", 1.0);
        check(session(5, 5, &[5]), SplitPart::Test, "fused", 1.0);
        // Both falcons are equal, and share the first two ranks.
        check(session(5, 6, &[6]), SplitPart::Test, "bm25", 1.0 / 1.5);
        check(session(5, 0, &[6]), SplitPart::Test, "popular", 1.0 / 4.0);
        let metric_tables = session_commits_task(&data.split, &context, &[session(5, 5, &[])]);
        assert_eq!(
            metric_tables.map(|metric_table| metric_table.query_count()),
            [0, 0],
            "a session without a commit is no query"
        );
    }
}
