//! The way along a history, one commit at a time: what is counted, and what texts files have, as of each. Refuses to
//! take a commit in before the caller has asked it.

use std::collections::{HashMap, HashSet};

use super::Material;
use super::split::Split;
use crate::embedding::Rows;
use crate::history::{File, LARGEST_COMMIT, Tally, Timeline};

/// What texts say, and how an adapter and others see them.
pub struct Texts<'a> {
    /// The history, the tree at the split, and its vectors.
    pub material: &'a Material,
    /// The texts as the adapter sees them: a signal.
    pub adapter: Option<&'a Rows>,
    /// The same as other methods see them, which are shown beside it.
    pub shown: &'a [(&'static str, Rows)],
    /// Whether methods that are in no answer are asked too.
    pub compares: bool,
    /// Asked before each question whether to go on; where not, what was found is a part and of no use.
    pub going_on: &'a (dyn Fn() -> bool + Sync),
}

/// Where a walk stands.
pub struct Walk<'a> {
    /// Texts.
    pub texts: &'a Texts<'a>,
    /// What is counted so far.
    pub tally: Tally,
    /// The text of each file.
    pub text: HashMap<File, u32>,
    /// Its vector, by file.
    pub frozen: Rows,
    /// Its projection, by file.
    pub projected: Rows,
    /// The same as others see it, in the order of [`Texts::shown`].
    pub shown: Vec<Rows>,
    /// Sums of the vectors of past messages, by file.
    pub messages: Rows,
    /// Files of commits before this one are given the text of the tree where they are taken in late.
    late: usize,
}

impl<'a> Walk<'a> {
    /// At the beginning.
    pub fn new(texts: &'a Texts<'a>) -> Self {
        let width = texts.material.frozen.width;
        Walk {
            texts,
            tally: Tally::default(),
            text: HashMap::new(),
            frozen: Rows::new(width),
            projected: Rows::new(texts.adapter.map_or(0, |rows| rows.width)),
            shown: texts.shown.iter().map(|(_, rows)| Rows::new(rows.width)).collect(),
            messages: Rows::new(width),
            late: 0,
        }
    }

    /// The history.
    pub fn timeline(&self) -> &'a Timeline {
        &self.texts.material.timeline
    }

    /// Goes through what trains but for its last `lag` commits, and gives every file the text it has there.
    pub fn train(&mut self, split: &Split, lag: usize) {
        for place in split.train.start..split.train.end.saturating_sub(lag) {
            self.take(place);
        }
        self.give_all();
        self.late = split.train.end;
    }

    /// Gives every file that is there the text it has at the split.
    pub fn give_all(&mut self) {
        for file in self.tally.live().collect::<Vec<File>>() {
            if let Some(text) = self.text_at_split(self.tally.path(file)) {
                self.give(file, text);
            }
        }
    }

    /// The text that a path has in the tree at the split.
    fn text_at_split(&self, path: u32) -> Option<u32> {
        let corpus = &self.texts.material.corpus;
        match corpus.by_key.get(&self.timeline().paths[path as usize]) {
            Some(item) => corpus.items[*item as usize].text,
            None => corpus.strays.get(&path).copied(),
        }
    }

    fn give(&mut self, file: File, text: u32) {
        self.text.insert(file, text);
        if let Some(row) = self.texts.material.frozen.row(text) {
            self.frozen.row_mut(file).copy_from_slice(row);
        }
        if let Some(row) = self.texts.adapter.and_then(|rows| rows.row(text)) {
            self.projected.row_mut(file).copy_from_slice(row);
        }
        for ((_, rows), shown) in self.texts.shown.iter().zip(&mut self.shown) {
            if let Some(row) = rows.row(text) {
                shown.row_mut(file).copy_from_slice(row);
            }
        }
    }

    /// Takes a commit in.
    pub fn take(&mut self, place: usize) {
        let (step, corpus) = (&self.timeline().steps[place], &self.texts.material.corpus);
        self.tally.take(place, step);
        for change in &step.changes {
            let Some(file) = self.tally.file(change.path).filter(|file| !self.text.contains_key(file)) else {
                continue;
            };
            let text = match place < self.late {
                true => self.text_at_split(change.path),
                false => corpus.born.get(&(place, change.path)).copied(),
            };
            if let Some(text) = text {
                self.give(file, text);
            }
        }
        let message = corpus.messages[place].and_then(|text| self.texts.material.frozen.row(text));
        let Some(message) = message.filter(|_| step.touched as i64 <= LARGEST_COMMIT) else { return };
        let files: HashSet<File> = step.changes.iter().filter_map(|change| self.tally.file(change.path)).collect();
        for file in files {
            for (sum, value) in self.messages.row_mut(file).iter_mut().zip(message) {
                *sum += value / step.touched as f32;
            }
        }
    }

    /// The files of a commit that is about to be taken in, each once, by the names they have before it; none for the
    /// file of a path that is new.
    pub fn touched(&self, place: usize) -> Vec<(Option<File>, u32)> {
        let mut touched: Vec<(Option<File>, u32)> = Vec::new();
        for change in &self.timeline().steps[place].changes {
            // A file that moves is asked by the name it had.
            let path = change.from.unwrap_or(change.path);
            let file = self.tally.file(path);
            if !touched.iter().any(|(known, other)| *other == path || known.is_some() && *known == file) {
                touched.push((file, path));
            }
        }
        touched
    }
}
