//! The task of finding the files that a described task will touch.
//!
//! A query is the message of a commit, that message without the words of the changed paths, a goal of a session, or
//! another entry of a session. Invariant: a commit is indexed only after it was a query.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};

use anyhow::Result;

use super::bm25::Bm25;
use super::metrics::{MetricTable, QueryMetrics};
use super::replay::{EvalContext, HistoryReplay};
use super::session_set::{EvalSession, FileNames};
use super::shared::{BM25_SCALE, random_scores};
use super::split::Split;
use super::{FittedWeights, Priors, SplitPart};
use crate::embedding::{VectorRows, dot};
use crate::event::Status;
use crate::facts::ItemKind;
use crate::fusion::{self, Question, RankingExample, SignalTable, TaskMatches, TaskQuery, task_signal as signal};
use crate::history::{FileId, LARGEST_COMMIT};
use crate::text_index::{self, InMemory, TextFields};

/// The first row of commits in the full-text index; items have smaller rows.
const FIRST_COMMIT_ROW: i64 = 1 << 40;
/// The untrained methods.
pub const BASELINES: [&str; 7] = ["random", "popular", "counts", "path", "frozen", "messages", "bm25"];

/// The metrics of one replay; in each pair, the first is for validation and the second for test.
#[derive(Debug, Default)]
pub struct TaskMetrics {
    /// Queries by whole commit messages.
    pub all: [MetricTable; 2],
    /// Queries by messages without the words of the changed paths.
    pub masked: [MetricTable; 2],
    /// Queries by goals of sessions; relevant are the files that their commits change.
    pub goals: [MetricTable; 2],
    /// Queries by entries of sessions; relevant are the files that their commits change or their entries name.
    pub entries: [MetricTable; 2],
}

/// The text that a query uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TaskWording {
    Message,
    Masked,
    Goal,
    Entry,
}

/// A replay with everything that is searched: full text, vectors and messages.
struct TaskReplay<'a> {
    replay: HistoryReplay<'a>,
    full_text: InMemory,
    documents: Bm25,
    /// For each item row of the full-text index: its file, and whether the item is the file itself.
    file_of: HashMap<i64, (FileId, bool)>,
    definitions: [HashMap<FileId, Vec<&'a [f32]>>; 2],
    /// The informative commits added so far, by index in the counts, with the texts of their messages.
    messages: Vec<(usize, u32)>,
    index_of_row: HashMap<i64, usize>,
    sessions: &'a [EvalSession],
    names: FileNames,
}

/// Replays a history, fits and gates the weights, and evaluates all methods on commits and sessions.
pub fn task_to_files(
    split: &Split,
    context: &EvalContext<'_>,
    sessions: &[EvalSession],
    priors: &Priors<'_>,
    fitted: &mut FittedWeights,
) -> Result<TaskMetrics> {
    let mut task_replay = TaskReplay {
        replay: HistoryReplay::new(context),
        full_text: InMemory::new()?,
        documents: Bm25::default(),
        file_of: HashMap::new(),
        definitions: [HashMap::new(), HashMap::new()],
        messages: Vec::new(),
        index_of_row: HashMap::new(),
        sessions,
        names: FileNames::new(&context.data.timeline),
    };
    for index in split.train.clone() {
        task_replay.add(index)?;
    }
    task_replay.replay.set_texts_at_split();
    task_replay.add_items()?;
    let (mut results, mut examples) = (TaskMetrics::default(), Vec::new());
    task_replay.for_each_query(split.fit.clone(), |question| {
        if matches!(question.by, TaskWording::Message | TaskWording::Masked) {
            examples.push(question.example());
        }
        question.record(SplitPart::Validation, &mut results, None);
    })?;
    fitted.fit(Question::Task, &examples, priors);
    for (part, range) in [(SplitPart::Validation, split.gate.clone()), (SplitPart::Test, split.test.clone())] {
        task_replay.for_each_query(range, |question| question.record(part, &mut results, Some(fitted)))?;
        if part == SplitPart::Validation && !split.gate.is_empty() {
            fitted.gate(Question::Task, &mut results.all[0]);
        }
    }
    Ok(results)
}

/// Removes the words of a message that occur in the given paths.
pub fn mask_path_words(message: &str, paths: &[&str]) -> String {
    let hidden: Vec<String> = paths.iter().flat_map(|path| text_index::words(path)).collect();
    let stays = |word: &&str| !text_index::words(word).iter().any(|part| hidden.contains(part));
    let lines = message.lines().map(|line| line.split(' ').filter(stays).collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n")
}

/// A query with its signal table.
struct TaskQuestion {
    /// The index of a commit, or of a session.
    unit: usize,
    by: TaskWording,
    table: SignalTable,
    relevant: Vec<usize>,
    bm25: Vec<f32>,
    other_methods: Vec<(&'static str, Vec<f32>)>,
}

impl<'a> TaskReplay<'a> {
    /// Adds a commit with its message.
    fn add(&mut self, index: usize) -> Result<()> {
        self.replay.add(index);
        let commit = &self.replay.timeline().commits[index];
        self.names.add(commit, &self.replay.counts);
        if commit.is_merge || commit.touched as i64 > LARGEST_COMMIT {
            return Ok(());
        }
        let counted = self.replay.counts.commits().len() - 1;
        if let Some(text) = self.replay.context.data.corpus.messages[index] {
            self.messages.push((counted, text));
        }
        let row = FIRST_COMMIT_ROW + index as i64;
        self.index_of_row.insert(row, counted);
        let (subject, rest) = commit.message.split_once('\n').unwrap_or((&commit.message, ""));
        self.full_text.put(row, &TextFields { doc: subject, body: rest, ..TextFields::default() })?;
        let words = text_index::words(&commit.message);
        for file in &self.replay.counts.commits()[counted].files {
            self.documents.add(*file, words.iter().cloned());
        }
        for change in &commit.changes {
            let Some(file) = self.replay.counts.file(change.path).filter(|_| change.status == Status::A) else {
                continue;
            };
            self.documents.add(file, text_index::words(&self.replay.timeline().paths[change.path as usize]));
        }
        Ok(())
    }

    /// Adds the items of the tree at the split.
    fn add_items(&mut self) -> Result<()> {
        let (timeline, context, counts) = (self.replay.timeline(), self.replay.context, &self.replay.counts);
        let corpus = &context.data.corpus;
        let by_path: HashMap<&str, FileId> =
            counts.live().map(|file| (timeline.paths[counts.path(file) as usize].as_str(), file)).collect();
        for (row, item) in (1..).zip(&corpus.items) {
            let Some(file) = by_path.get(item.path.as_str()) else { continue };
            let text = item.text.map_or("", |text| corpus.texts[text as usize].as_str());
            self.full_text.put(row, &TextFields { name: &item.name, path: &item.path, doc: "", body: text })?;
            self.file_of.insert(row, (*file, item.kind == ItemKind::File));
            if item.kind == ItemKind::File {
                self.documents.add(*file, text_index::words(&item.path));
            }
            self.documents.add(*file, text_index::words(&item.name));
            if item.kind != ItemKind::File
                && let Some(text) = item.text
            {
                for (rows, definitions) in
                    [Some(&context.data.base_embeddings), context.projections].into_iter().zip(&mut self.definitions)
                {
                    if let Some(vector) = rows.and_then(|rows| rows.row(text)) {
                        definitions.entry(*file).or_default().push(vector);
                    }
                }
            }
        }
        Ok(())
    }

    /// Calls `visit` for each query of a range of commits, and adds each commit after its queries.
    fn for_each_query(&mut self, range: Range<usize>, mut visit: impl FnMut(&TaskQuestion)) -> Result<()> {
        for index in range {
            if !(self.replay.context.should_continue)() {
                break;
            }
            self.for_each_session_query(index, &mut visit)?;
            let commit = &self.replay.timeline().commits[index];
            let relevant: Vec<FileId> = self.replay.touched(index).into_iter().filter_map(|(file, _)| file).collect();
            if !commit.is_merge && (1..=LARGEST_COMMIT as usize).contains(&commit.touched) && !relevant.is_empty() {
                let vector = self.replay.context.data.corpus.messages[index];
                visit(&self.question(index, TaskWording::Message, &commit.message, vector, &relevant)?);
                if let Some((text, vector)) = self.replay.context.data.corpus.masked.get(&index) {
                    visit(&self.question(index, TaskWording::Masked, text, *vector, &relevant)?);
                }
            }
            self.add(index)?;
        }
        Ok(())
    }

    /// Calls `visit` for each query of the sessions that start before a commit.
    fn for_each_session_query(&self, index: usize, visit: &mut impl FnMut(&TaskQuestion)) -> Result<()> {
        let texts = &self.replay.context.data.corpus.texts;
        let begin = self.sessions.iter().enumerate().filter(|(_, session)| session.start_index == index);
        for (unit, session) in begin {
            let mut relevant = self.changed_in(session);
            for (by, queries) in [(TaskWording::Goal, &session.goals), (TaskWording::Entry, &session.queries)] {
                if by == TaskWording::Entry {
                    relevant.extend(self.names.find(
                        &session.named,
                        &self.replay.counts,
                        &self.replay.timeline().paths,
                    ));
                    relevant.sort_unstable();
                    relevant.dedup();
                }
                for text in queries.iter().filter(|_| !relevant.is_empty()) {
                    visit(&self.question(unit, by, &texts[*text as usize], Some(*text), &relevant)?);
                }
            }
        }
        Ok(())
    }

    /// Returns the existing files that the commits of a session will change.
    fn changed_in(&self, session: &EvalSession) -> Vec<FileId> {
        let (mut files, mut moved) = (Vec::new(), HashMap::new());
        for index in &session.commits {
            let commit = &self.replay.timeline().commits[*index];
            for change in commit.changes.iter().filter(|_| commit.touched as i64 <= LARGEST_COMMIT) {
                let path = change.from.unwrap_or(change.path);
                // The file may have been renamed earlier in the session.
                let path = moved.get(&path).copied().unwrap_or(path);
                if change.from.is_some() {
                    moved.insert(change.path, path);
                }
                files.extend(self.replay.counts.file(path));
            }
        }
        files.sort_unstable();
        files.dedup();
        files
    }

    /// Searches for a query and builds its signal table.
    fn question(
        &self,
        unit: usize,
        by: TaskWording,
        text: &str,
        vector: Option<u32>,
        relevant: &[FileId],
    ) -> Result<TaskQuestion> {
        let mut words = text_index::words(text);
        words.truncate(fusion::MOST_WORDS);
        let mut matched = TaskMatches::default();
        let mut used = 0;
        self.full_text.search(&words, |found| {
            match (self.file_of.get(&found.seq), self.index_of_row.get(&found.seq)) {
                (Some((file, true)), _) => matched.files.push((*file, found.score)),
                (Some((file, false)), _) => matched.definitions.push((*file, found.score)),
                (None, Some(index)) => matched.commits.push((*index, found.score)),
                (None, None) => return Ok(ControlFlow::Continue(())),
            }
            used += 1;
            Ok(if used < fusion::MOST_MATCHES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        for word in &words {
            let mut commits = Vec::new();
            self.full_text.each_containing(word, |row| commits.extend(self.index_of_row.get(&row).copied()))?;
            matched.commits_by_word.push(commits);
        }
        let context = self.replay.context;
        let other_methods = [Some(&context.data.base_embeddings), context.projections];
        let vectors = other_methods.map(|rows| vector.zip(rows).and_then(|(text, rows)| rows.row(text)));
        for ((near, rows), vector) in matched.near.iter_mut().zip(other_methods).zip(vectors) {
            if let Some((rows, vector)) = rows.zip(vector) {
                *near = self.nearest_messages(rows, vector);
            }
        }
        let text = text.to_lowercase();
        let task = TaskQuery {
            words: &words,
            text: &text,
            vector: vectors,
            files: [&self.replay.base_embeddings, &self.replay.projections],
            definitions: [&self.definitions[0], &self.definitions[1]],
            names: &self.replay.timeline().paths,
        };
        let table = fusion::task_table(&self.replay.counts, &task, &matched);
        let scores = self.documents.scores(&words);
        let bm25 = table.candidates.iter().map(|file| scores.get(file).copied().unwrap_or_default()).collect();
        let others = context.comparisons.iter().zip(&self.replay.comparisons);
        let other_methods = others
            .map(|((name, text_rows), files)| {
                let query = vector.and_then(|text| text_rows.row(text));
                let score = |file: &FileId| query.zip(files.row(*file)).map_or(0.0, |(a, b)| dot(a, b));
                (*name, table.candidates.iter().map(score).collect())
            })
            .collect();
        let relevant = table.rows_of(relevant);
        Ok(TaskQuestion { unit, by, table, relevant, bm25, other_methods })
    }

    /// Returns the commits with the most similar messages, with their cosines.
    fn nearest_messages(&self, rows: &VectorRows, vector: &[f32]) -> Vec<(usize, f64)> {
        let scored = self
            .messages
            .iter()
            .filter_map(|(index, text)| rows.row(*text).map(|row| (*index, f64::from(dot(row, vector)))));
        let mut scored: Vec<(usize, f64)> = scored.collect();
        scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
        scored.truncate(fusion::NEAREST_COMMITS);
        scored
    }
}

impl TaskQuestion {
    /// Returns the training example of the query.
    fn example(&self) -> RankingExample {
        let near = &self.table.columns[signal::NEAR_COMMITS];
        let baseline: Vec<f32> = self.bm25.iter().zip(near).map(|(words, near)| words / BM25_SCALE + near).collect();
        // A message and its masked form are one commit, so each has half of its weight.
        self.table.example(&self.relevant, &baseline, 0.5, self.unit as u64)
    }

    /// Records the metrics of every method.
    fn record(&self, part: SplitPart, results: &mut TaskMetrics, fitted: Option<&FittedWeights>) {
        let metric_tables = match self.by {
            TaskWording::Message => &mut results.all,
            TaskWording::Masked => &mut results.masked,
            TaskWording::Goal => &mut results.goals,
            TaskWording::Entry => &mut results.entries,
        };
        let metric_table = &mut metric_tables[part as usize];
        let columns = &self.table.columns;
        let reachable = |row: &&usize| columns[..6].iter().any(|column| column[**row] > 0.0);
        metric_table
            .add_query(self.unit, self.relevant.iter().filter(reachable).count() as f64 / self.relevant.len() as f64);
        let mut record = |method: &'static str, scores: &[f32]| {
            metric_table.record(self.unit, method, QueryMetrics::from_scores(scores, &self.relevant));
        };
        record("random", &random_scores(self.unit as u64, &self.table.candidates));
        record("popular", &columns[signal::POPULAR]);
        record("counts", &columns[signal::COUNT]);
        record("path", &columns[signal::PATH_WORDS]);
        record("bm25", &self.bm25);
        record("messages", &columns[signal::NEAR_COMMITS]);
        record("frozen", &columns[signal::BASE]);
        record("adapter", &columns[signal::ADAPTER]);
        for (name, scores) in &self.other_methods {
            record(name, scores);
        }
        let Some(fitted) = fitted else { return };
        for (name, weights) in fitted.methods(Question::Task) {
            record(name, &self.table.scores(weights));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_message_has_no_word_of_the_paths() {
        let masked = mask_path_words("Fix the parser: parseFile drops tokens\n\nin src/parser.rs", &["src/parser.rs"]);
        assert_eq!(masked, "Fix the parseFile drops tokens\n\nin");
        assert_eq!(mask_path_words("Fix Lexer", &["src/lexer.rs"]), "Fix");
    }
}
