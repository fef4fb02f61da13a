//! The tasks of related files: which files change with a file, and which file is missing from a change.
//!
//! One replay of the history: each commit is a query before it is added to the counts.

use std::collections::HashSet;
use std::ops::Range;

use super::alarm::{Alarm, AlarmSample};
use super::bm25::Bm25;
use super::metrics::{MetricTable, QueryMetrics};
use super::replay::{EvalContext, HistoryReplay};
use super::split::Split;
use super::{FittedWeights, Priors, SplitPart};
use crate::embedding::dot;
use crate::fail;
use crate::fusion::{
    self, COLD, ChangeSignals, FileQuery, FileTableInput, PathFeatures, Question, RankingExample, SignalTable, signal,
};
use crate::history::{ChangeCounts, FileId, LARGEST_COMMIT, PATH_WEIGHT, POPULARITY_WEIGHT, TimelineCommit};
use crate::rng::SplitMix64;
use crate::text_index;

/// The untrained methods, each a column or a sum of columns.
const BASELINES: [&str; 6] = ["random", "popular", "path", "counts", "decayed", "mix"];

/// The most words of a query text for BM25.
const MAX_QUERY_WORDS: usize = 64;

/// The metrics of one replay; in each pair, the first is for validation and the second for test.
#[derive(Debug, Default)]
pub struct FileMetrics {
    /// All queries of `file_to_files`.
    pub all: [MetricTable; 2],
    /// Those of them for cold files, which have little history.
    pub cold: [MetricTable; 2],
    /// The queries of `missing_file`.
    pub missing: [MetricTable; 2],
    /// The quality of alarms for missing files.
    pub alarm: Alarm,
}

/// Replays a history, fits and gates the weights, and evaluates all methods.
///
/// With `lag` the counts are that many commits behind, as in a stale index.
pub fn file_tasks(
    split: &Split,
    context: &EvalContext<'_>,
    priors: &Priors<'_>,
    lag: usize,
    fitted: &mut FittedWeights,
) -> FileMetrics {
    let mut results = FileMetrics::default();
    let mut replay = FileReplay::new(split, context, lag);
    let mut examples: [Vec<RankingExample>; 3] = Default::default();
    let mut samples = Vec::new();
    let fit = split.fit.start..if fail::leaks("weights of the gate") { split.gate.end } else { split.fit.end };
    replay.for_each_commit(fit, |question| {
        question.add_examples(&mut examples);
        question.record(SplitPart::Validation, &mut results, None);
    });
    for (question, examples) in [Question::Files, Question::ColdFiles, Question::Missing].into_iter().zip(&examples) {
        fitted.fit(question, examples, priors);
    }
    for (part, range) in [(SplitPart::Validation, split.gate.clone()), (SplitPart::Test, split.test.clone())] {
        replay.for_each_commit(range, |question| {
            question.record(part, &mut results, Some(fitted));
            question.add_alarm_samples(part, fitted, &mut samples);
        });
        if part == SplitPart::Validation && !split.gate.is_empty() {
            let gates = [&mut results.all[0], &mut results.cold[0], &mut results.missing[0]];
            for (question, gate) in [Question::Files, Question::ColdFiles, Question::Missing].into_iter().zip(gates) {
                fitted.gate(question, gate);
            }
        }
    }
    results.alarm = Alarm::of(&samples);
    results
}

/// A replay that may be some commits behind, with what its queries need.
struct FileReplay<'a> {
    replay: HistoryReplay<'a>,
    paths: PathFeatures,
    lag: usize,
    /// The counts without lag, so that a stale index gets the same queries; `None` without lag.
    current: Option<ChangeCounts>,
    /// The texts of files, for BM25.
    documents: Bm25,
    /// The files whose texts were added.
    indexed: HashSet<FileId>,
}

/// A commit as a query: a signal table for each of its files.
struct FileQuestion<'t> {
    index: usize,
    commit: &'t TimelineCommit,
    counts: &'t ChangeCounts,
    replay: &'t HistoryReplay<'t>,
    tables: Vec<SignalTable>,
    /// The file of each table; `None` for a file that is new or, with lag, not known yet.
    queries: Vec<Option<FileId>>,
    /// Whether each file existed before the commit.
    existed: Vec<bool>,
    targets: Vec<FileId>,
    /// For each query file, the scores of every file by methods that are not signals.
    other_methods: Vec<Vec<(&'static str, Vec<f32>)>>,
}

impl<'a> FileReplay<'a> {
    fn new(split: &Split, context: &'a EvalContext<'a>, lag: usize) -> Self {
        let mut replay = HistoryReplay::new(context);
        replay.add_training_split(split, lag);
        let current = (lag > 0).then(|| {
            let mut current = ChangeCounts::default();
            split.train.clone().for_each(|index| current.add_commit(index, &replay.timeline().commits[index]));
            current
        });
        FileReplay {
            replay,
            paths: PathFeatures::default(),
            lag,
            current,
            documents: Bm25::default(),
            indexed: HashSet::new(),
        }
    }

    /// Calls `visit` for each informative commit of a range, then adds the commit.
    fn for_each_commit(&mut self, range: Range<usize>, mut visit: impl FnMut(&FileQuestion<'_>)) {
        for index in range {
            if !(self.replay.context.should_continue)() {
                break;
            }
            let commit = &self.replay.timeline().commits[index];
            if fail::leaks("later counts") {
                self.replay.add(index);
            }
            if !commit.is_merge && (2..=LARGEST_COMMIT as usize).contains(&commit.touched) {
                self.index_new_texts();
                visit(&self.question(index));
            }
            if let Some(current) = &mut self.current {
                current.add_commit(index, commit);
            }
            if let Some(index) = index.checked_sub(self.lag) {
                self.replay.add(index);
            }
        }
    }

    /// Adds the texts that files got since the last call to the BM25 index.
    fn index_new_texts(&mut self) {
        if !self.replay.context.with_comparisons {
            return;
        }
        for (file, text) in &self.replay.text {
            if self.indexed.insert(*file) {
                self.documents.add(*file, text_index::words(&self.replay.context.data.corpus.texts[*text as usize]));
            }
        }
    }

    /// Builds the signal tables of a commit that is not added yet.
    fn question(&mut self, index: usize) -> FileQuestion<'_> {
        let replay = &self.replay;
        let timeline = replay.timeline();
        let touched = replay.touched(index);
        let existed = touched.iter().map(|(file, path)| match &self.current {
            Some(current) => current.file(*path).is_some(),
            None => file.is_some(),
        });
        let existed = existed.collect();
        let vectors = FileTableInput {
            names: &timeline.paths,
            base_embeddings: &replay.base_embeddings,
            projections: &replay.projections,
        };
        let (mut tables, mut other_methods) = (Vec::with_capacity(touched.len()), Vec::with_capacity(touched.len()));
        for (file, path) in &touched {
            let text = match file {
                Some(file) => replay.text.get(file).copied(),
                None => replay.context.data.corpus.added.get(&(index, *path)).copied(),
            };
            let base_embedding = text.and_then(|text| replay.context.data.base_embeddings.row(text));
            let projection = text.zip(replay.context.projections).and_then(|(text, rows)| rows.row(text));
            let query = FileQuery { file: *file, path: *path, base_embedding, projection };
            tables.push(fusion::file_table(&replay.counts, &mut self.paths, &vectors, &query));
            other_methods.push(if replay.context.with_comparisons {
                other_method_scores(replay, &self.documents, text)
            } else {
                Vec::new()
            });
        }
        let targets = touched.iter().filter_map(|(file, _)| *file).collect();
        let queries = touched.into_iter().map(|(file, _)| file).collect();
        let commit = &timeline.commits[index];
        FileQuestion { index, commit, counts: &replay.counts, replay, tables, queries, existed, targets, other_methods }
    }
}

/// Scores every file for a query text by methods that are not signals.
fn other_method_scores(
    replay: &HistoryReplay<'_>,
    documents: &Bm25,
    text: Option<u32>,
) -> Vec<(&'static str, Vec<f32>)> {
    let mut words =
        text.map_or_else(Vec::new, |text| text_index::words(&replay.context.data.corpus.texts[text as usize]));
    let mut seen = HashSet::new();
    words.retain(|word| seen.insert(word.clone()));
    words.truncate(MAX_QUERY_WORDS);
    let found = documents.scores(&words);
    let files = 0..replay.counts.len() as FileId;
    let mut all = vec![("bm25", files.clone().map(|file| found.get(&file).copied().unwrap_or_default()).collect())];
    for ((name, text_rows), rows) in replay.context.comparisons.iter().zip(&replay.comparisons) {
        let query = text.and_then(|text| text_rows.row(text));
        let score = |file: FileId| query.zip(rows.row(file)).map_or(0.0, |(a, b)| dot(a, b));
        all.push((*name, files.clone().map(score).collect()));
    }
    all
}

impl<'t> FileQuestion<'t> {
    /// Returns whether a query file has little history.
    fn is_cold(&self, query: Option<FileId>) -> bool {
        query.is_none_or(|file| self.counts.count_of(file) < COLD)
    }

    /// Adds training examples for [`Question::Files`], [`Question::ColdFiles`] and [`Question::Missing`].
    fn add_examples(&self, into: &mut [Vec<RankingExample>; 3]) {
        let (weight, seed) = (1.0 / self.tables.len() as f64, self.index as u64);
        for (table, query) in self.tables.iter().zip(&self.queries) {
            let relevant = table.rows_of(&self.targets);
            if !relevant.is_empty() {
                let example = table.example(&relevant, &mix(&table.columns), weight, seed);
                into[usize::from(self.is_cold(*query))].push(example);
            }
        }
        for (_, table, relevant) in self.missing_file_tables() {
            into[2].push(table.example(&[relevant], &mix(&table.columns), weight, seed));
        }
    }

    /// Returns, for each existing file of the commit: its index, the table of the commit without it, and its row in
    /// that table.
    fn missing_file_tables(&self) -> Vec<(usize, SignalTable, usize)> {
        if self.tables.len() < 2 {
            return Vec::new();
        }
        let joined = ChangeSignals::new(&self.tables, self.counts.live().collect());
        let mut tables = Vec::new();
        for (index, missing) in self.queries.iter().enumerate().filter_map(|(index, file)| Some((index, (*file)?))) {
            let keeps = |file: FileId| file == missing || !self.targets.contains(&file);
            let table = joined.without(&self.tables[index], index, keeps);
            tables.extend(table.candidates.binary_search(&missing).ok().map(|relevant| (index, table, relevant)));
        }
        tables
    }

    /// Adds alarm samples: the whole commit, and the commit without each of its files.
    fn add_alarm_samples(&self, part: SplitPart, fitted: &FittedWeights, into: &mut Vec<AlarmSample>) {
        let Some(weights) = fitted.weights(Question::Missing).filter(|_| self.tables.len() > 1) else { return };
        let whole =
            ChangeSignals::new(&self.tables, self.counts.live().collect()).whole(|file| !self.targets.contains(&file));
        into.extend(AlarmSample::of(part, &whole, weights, None, 1.0));
        let weight = 1.0 / self.tables.len() as f64;
        for (_, table, relevant) in self.missing_file_tables() {
            into.extend(AlarmSample::of(part, &table, weights, Some(relevant), weight));
        }
    }

    /// Records the metrics of every method for all queries of the commit.
    fn record(&self, part: SplitPart, results: &mut FileMetrics, fitted: Option<&FittedWeights>) {
        for (at, (table, query)) in self.tables.iter().zip(&self.queries).enumerate() {
            let existing = (0..self.existed.len()).filter(|other| *other != at && self.existed[*other]).count();
            if existing == 0 {
                continue;
            }
            let relevant = table.rows_of(&self.targets);
            let reachable = relevant.iter().filter(|row| is_reachable(table, **row)).count();
            let is_cold = self.is_cold(*query);
            let mut metric_tables = vec![&mut results.all[part as usize]];
            if is_cold {
                metric_tables.push(&mut results.cold[part as usize]);
            }
            let question = if is_cold { Question::ColdFiles } else { Question::Files };
            let query_files: Vec<FileId> = query.iter().copied().collect();
            metric_tables
                .iter_mut()
                .for_each(|metric_table| metric_table.add_query(self.index, reachable as f64 / existing as f64));
            let mut methods = self.methods(table, &query_files, fitted.map(|fitted| (fitted, question)));
            methods.extend(self.other_methods(table, |other| other == at));
            for (method, scores) in methods {
                let metrics = QueryMetrics::from_scores(&scores, &relevant);
                metric_tables.iter_mut().for_each(|metric_table| metric_table.record(self.index, method, metrics));
            }
        }
        for (left_out, table, relevant) in self.missing_file_tables() {
            let metric_table = &mut results.missing[part as usize];
            let query_files: Vec<FileId> =
                self.targets.iter().copied().filter(|file| *file != table.candidates[relevant]).collect();
            metric_table.add_query(self.index, f64::from(u8::from(is_reachable(&table, relevant))));
            let mut methods = self.methods(&table, &query_files, fitted.map(|fitted| (fitted, Question::Missing)));
            methods.extend(self.other_methods(&table, |other| other != left_out));
            for (method, scores) in methods {
                metric_table.record(self.index, method, QueryMetrics::from_scores(&scores, &[relevant]));
            }
        }
    }

    /// Returns the scores of methods that are not signals, summed over the query files for which `is_query` is true.
    fn other_methods(&self, table: &SignalTable, is_query: impl Fn(usize) -> bool) -> Vec<(&'static str, Vec<f32>)> {
        let query_scores: Vec<_> =
            (0..self.other_methods.len()).filter(|at| is_query(*at)).map(|at| &self.other_methods[at]).collect();
        let Some(first) = query_scores.first() else { return Vec::new() };
        let sum = |method: usize, file: &FileId| query_scores.iter().map(|all| all[method].1[*file as usize]).sum();
        let of = |method: usize| table.candidates.iter().map(|file| sum(method, file)).collect();
        first.iter().enumerate().map(|(method, (name, _))| (*name, of(method))).collect()
    }

    /// Returns the cosine between the past messages of the query files and those of each candidate.
    fn message_similarity(&self, table: &SignalTable, query_files: &[FileId]) -> Vec<f32> {
        let messages = &self.replay.messages;
        let mut own = vec![0.0; messages.width];
        for row in query_files.iter().filter_map(|file| messages.row(*file)) {
            own.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        let length = |row: &[f32]| dot(row, row).sqrt();
        let score = |file: &FileId| messages.row(*file).map_or(0.0, |row| dot(&own, row) / length(row).max(1e-12));
        table.candidates.iter().map(score).collect()
    }

    /// Returns the scores of every method for the candidates of a table.
    fn methods(
        &self,
        table: &SignalTable,
        query_files: &[FileId],
        fitted: Option<(&FittedWeights, Question)>,
    ) -> Vec<(&'static str, Vec<f32>)> {
        let mut all: Vec<(&'static str, Vec<f32>)> =
            BASELINES.iter().map(|method| (*method, baseline(method, table, self.commit))).collect();
        all.push(("messages", self.message_similarity(table, query_files)));
        all.push(("frozen", table.columns[signal::BASE].clone()));
        all.push(("adapter", table.columns[signal::ADAPTER].clone()));
        if let Some((fitted, question)) = fitted {
            all.extend(fitted.methods(question).map(|(name, weights)| (name, table.scores(weights))));
        }
        all
    }
}

/// Returns whether co-change or path similarity can reach a candidate at all.
fn is_reachable(table: &SignalTable, row: usize) -> bool {
    [signal::COUNT, signal::PATH].iter().any(|signal| table.columns[*signal][row] > 0.0)
}

/// Returns the scores of an untrained method.
fn baseline(method: &str, table: &SignalTable, commit: &TimelineCommit) -> Vec<f32> {
    let columns = &table.columns;
    match method {
        "random" => {
            let seed = commit.sha.bytes().fold(0_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
            table.candidates.iter().map(|file| SplitMix64::new(seed ^ u64::from(*file)).uniform() as f32).collect()
        }
        "popular" => columns[signal::POPULAR].clone(),
        "path" => columns[signal::PATH].clone(),
        "counts" => columns[signal::COUNT].clone(),
        "decayed" => columns[signal::DECAYED].clone(),
        _ => mix(columns),
    }
}

/// Returns the score of [`history::related`](crate::history::related): decayed co-change, path similarity, popularity.
fn mix(columns: &[Vec<f32>]) -> Vec<f32> {
    let row = |row: usize| {
        columns[signal::DECAYED][row]
            + PATH_WEIGHT as f32 * columns[signal::PATH][row]
            + POPULARITY_WEIGHT as f32 * columns[signal::POPULAR][row]
    };
    (0..columns[0].len()).map(row).collect()
}
