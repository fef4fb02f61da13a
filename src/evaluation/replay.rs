//! Replays a history commit by commit: the change counts and the text of each file as of each commit.
//!
//! Invariant: a commit is added only after the caller has evaluated it.

use std::collections::{HashMap, HashSet};

use super::EvalData;
use super::split::Split;
use crate::embedding::VectorRows;
use crate::history::{ChangeCounts, FileId, LARGEST_COMMIT, Timeline};

/// The data of an evaluation and the vectors it uses.
pub struct EvalContext<'a> {
    /// The history, the corpus at the split, and its base embeddings.
    pub data: &'a EvalData,
    /// The adapter's projection of each text; `None` without an adapter.
    pub projections: Option<&'a VectorRows>,
    /// Vectors of each text by other methods, for comparison only.
    pub comparisons: &'a [(&'static str, VectorRows)],
    /// Whether to evaluate methods that are not part of any answer.
    pub with_comparisons: bool,
    /// Called before each query. If it returns false, the results are incomplete and must be discarded.
    pub should_continue: &'a (dyn Fn() -> bool + Sync),
}

/// The state of a replay.
pub struct HistoryReplay<'a> {
    /// The data.
    pub context: &'a EvalContext<'a>,
    /// The counts so far.
    pub counts: ChangeCounts,
    /// The text of each file, as an index into the corpus.
    pub text: HashMap<FileId, u32>,
    /// The base embedding of each file's text, by [`FileId`].
    pub base_embeddings: VectorRows,
    /// The projection of each file's text, by [`FileId`].
    pub projections: VectorRows,
    /// The vectors of each file's text by [`EvalContext::comparisons`], in that order.
    pub comparisons: Vec<VectorRows>,
    /// Sum of the embeddings of past commit messages, by [`FileId`].
    pub messages: VectorRows,
    /// With lag, commits before this index are added late; their files get the text from the tree at the split.
    late_until: usize,
}

impl<'a> HistoryReplay<'a> {
    /// Creates a replay before the first commit.
    pub fn new(context: &'a EvalContext<'a>) -> Self {
        let width = context.data.base_embeddings.width;
        HistoryReplay {
            context,
            counts: ChangeCounts::default(),
            text: HashMap::new(),
            base_embeddings: VectorRows::new(width),
            projections: VectorRows::new(context.projections.map_or(0, |rows| rows.width)),
            comparisons: context.comparisons.iter().map(|(_, rows)| VectorRows::new(rows.width)).collect(),
            messages: VectorRows::new(width),
            late_until: 0,
        }
    }

    /// Returns the history.
    pub fn timeline(&self) -> &'a Timeline {
        &self.context.data.timeline
    }

    /// Adds the training split without its last `lag` commits, and sets the text of every file.
    pub fn add_training_split(&mut self, split: &Split, lag: usize) {
        for index in split.train.start..split.train.end.saturating_sub(lag) {
            self.add(index);
        }
        self.set_texts_at_split();
        self.late_until = split.train.end;
    }

    /// Sets the text of every live file to that at the split.
    pub fn set_texts_at_split(&mut self) {
        for file in self.counts.live().collect::<Vec<FileId>>() {
            if let Some(text) = self.text_at_split(self.counts.path(file)) {
                self.set_text(file, text);
            }
        }
    }

    /// Returns the text that a path has at the end of the training split.
    fn text_at_split(&self, path: u32) -> Option<u32> {
        let corpus = &self.context.data.corpus;
        match corpus.by_key.get(&self.timeline().paths[path as usize]) {
            Some(item) => corpus.items[*item as usize].text,
            None => corpus.side_branch.get(&path).copied(),
        }
    }

    /// Sets the text of a file and its vectors.
    fn set_text(&mut self, file: FileId, text: u32) {
        self.text.insert(file, text);
        if let Some(row) = self.context.data.base_embeddings.row(text) {
            self.base_embeddings.row_mut(file).copy_from_slice(row);
        }
        if let Some(row) = self.context.projections.and_then(|rows| rows.row(text)) {
            self.projections.row_mut(file).copy_from_slice(row);
        }
        for ((_, rows), comparisons) in self.context.comparisons.iter().zip(&mut self.comparisons) {
            if let Some(row) = rows.row(text) {
                comparisons.row_mut(file).copy_from_slice(row);
            }
        }
    }

    /// Adds a commit.
    pub fn add(&mut self, index: usize) {
        let (commit, corpus) = (&self.timeline().commits[index], &self.context.data.corpus);
        self.counts.add_commit(index, commit);
        for change in &commit.changes {
            let Some(file) = self.counts.file(change.path).filter(|file| !self.text.contains_key(file)) else {
                continue;
            };
            let text = match index < self.late_until {
                true => self.text_at_split(change.path),
                false => corpus.added.get(&(index, change.path)).copied(),
            };
            if let Some(text) = text {
                self.set_text(file, text);
            }
        }
        let message = corpus.messages[index].and_then(|text| self.context.data.base_embeddings.row(text));
        let Some(message) = message.filter(|_| commit.touched as i64 <= LARGEST_COMMIT) else { return };
        let files: HashSet<FileId> = commit.changes.iter().filter_map(|change| self.counts.file(change.path)).collect();
        for file in files {
            for (sum, value) in self.messages.row_mut(file).iter_mut().zip(message) {
                *sum += value / commit.touched as f32;
            }
        }
    }

    /// Returns the files that a commit, not added yet, will touch: each once, with its path before the commit; `None`
    /// for a new file.
    pub fn touched(&self, index: usize) -> Vec<(Option<FileId>, u32)> {
        let mut touched: Vec<(Option<FileId>, u32)> = Vec::new();
        for change in &self.timeline().commits[index].changes {
            // A renamed file is queried by its old path.
            let path = change.from.unwrap_or(change.path);
            let file = self.counts.file(path);
            if !touched.iter().any(|(known, other)| *other == path || known.is_some() && *known == file) {
                touched.push((file, path));
            }
        }
        touched
    }
}
