//! A repository as of the end of the training split: its items with texts and calls, read from git, and the texts that
//! later commits added.
//!
//! Invariant: no item comes from a later tree.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

use super::session_set::{self, EvalSession, SessionPlacement, TrainingEntry};
use super::{Split, mask_path_words};
use crate::config::Config;
use crate::edges::{self, CallSite, LiveDefinition, NameTable};
use crate::embedding::{text_of, text_of_entry, text_of_message};
use crate::entries::SessionRecord;
use crate::error::interrupted;
use crate::event::{Fact, Status, encode_path};
use crate::facts::{Body, EntryFact, ItemKind};
use crate::fail;
use crate::git::{ObjectId, Repository};
use crate::history::{ChangeCounts, LARGEST_COMMIT, Timeline};
use crate::item::{Parse, ReadOutcome, read_all};
use crate::syntax::Language;

/// An item of the tree at the split.
#[derive(Debug, Clone)]
pub struct CorpusItem {
    /// The item key, such as `src/a.rs#Parser::parse`.
    pub key: String,
    /// A file or a kind of definition.
    pub kind: ItemKind,
    /// The encoded path of its file.
    pub path: String,
    /// The hash of its shape; empty if it has none.
    pub shape: String,
    /// The last segment of its name.
    pub name: String,
    /// The index of its text in [`Corpus::texts`]; `None` if it has no text.
    pub text: Option<u32>,
}

/// The items and texts of a repository for training and evaluation.
#[derive(Debug, Default)]
pub struct Corpus {
    /// Files and definitions of the tree at the split.
    pub items: Vec<CorpusItem>,
    /// The index of each item by key.
    pub by_key: HashMap<String, u32>,
    /// The resolved calls: caller, callee and confidence.
    pub edges: Vec<(u32, u32, f32)>,
    /// All texts, each once.
    pub texts: Vec<String>,
    /// How many texts, from the start, training may use: those of the tree and of training messages.
    pub training_texts: usize,
    /// The same including the session entries for training, which follow.
    pub training_texts_with_sessions: usize,
    /// The session entries for training.
    pub training_entries: Vec<TrainingEntry>,
    /// The sessions for queries of the validation and test splits, in order of [`EvalSession::start_index`].
    pub sessions: Vec<EvalSession>,
    /// Whether any session is recorded at all.
    pub has_sessions: bool,
    /// The index of the text of each commit message, by commit index.
    pub messages: Vec<Option<u32>>,
    /// The index of the text of each file that was added after the split, by commit index and path.
    pub added: HashMap<(usize, u32), u32>,
    /// The index of the text, by path, of each file that is live at the split but not in its tree.
    pub side_branch: HashMap<u32, u32>,
    /// For each commit of validation and test: the message without the words of its paths, and the index of that text.
    pub masked: HashMap<usize, (String, Option<u32>)>,
    /// The entries of session logs in the tree, until those for training are selected.
    logs: Vec<Vec<EntryFact>>,
    /// The index of each text, while the corpus is being read.
    index_of_text: HashMap<String, u32>,
}

/// What a corpus is read from.
pub struct CorpusSource<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// The settings: ignored paths and the largest file size.
    pub config: &'a Config,
    /// The path of patina's executable, for parser child processes.
    pub program: &'a Path,
    /// Set when the user interrupts the evaluation.
    pub stop: &'a AtomicBool,
}

impl Corpus {
    /// Reads the tree at the split, all messages, the sessions, and the files that were added later.
    pub fn read(
        input: &CorpusSource<'_>,
        timeline: &Timeline,
        sessions: &[SessionRecord],
        split: &Split,
        head: ObjectId,
    ) -> Result<Self> {
        let mut corpus = Corpus { has_sessions: !sessions.is_empty(), ..Corpus::default() };
        let placement = SessionPlacement::new(timeline);
        let tree = match fail::leaks("a later text") {
            true => input.repository.tree_of(head),
            false => tree_at_split(input.repository, timeline, split),
        };
        if let Some(tree) = tree {
            corpus.add_tree(input, tree)?;
        }
        let files = side_branch_files(timeline, split, |path| corpus.by_key.contains_key(path));
        let files = files.into_iter().map(|(path, blob)| (path, path, blob));
        corpus.side_branch = corpus.read_files(input, timeline, files)?;
        for (index, commit) in timeline.commits.iter().enumerate() {
            if index == split.train.end {
                corpus.training_texts = corpus.texts.len();
                corpus.add_training_entries(&placement, split, sessions);
            }
            let text = corpus.text(text_of_message(&commit.message));
            corpus.messages.push(text);
        }
        if split.train.end == timeline.commits.len() || fail::leaks("later directions") {
            corpus.training_texts = corpus.texts.len();
            corpus.add_training_entries(&placement, split, sessions);
        }
        for (index, commit) in timeline.commits.iter().enumerate().skip(split.train.end) {
            let paths: Vec<&str> =
                commit.changes.iter().map(|change| timeline.paths[change.path as usize].as_str()).collect();
            if !commit.is_merge && (1..=LARGEST_COMMIT as usize).contains(&commit.touched) {
                let message = mask_path_words(&commit.message, &paths);
                let text = corpus.text(text_of_message(&message));
                corpus.masked.insert(index, (message, text));
            }
        }
        corpus.add_later_files(input, timeline, split)?;
        corpus.sessions = session_set::eval_sessions(&placement, split, sessions, |category, content| {
            corpus.entry_text(category, content)
        });
        corpus.index_of_text = HashMap::new();
        // After an interruption the corpus is incomplete.
        if input.stop.load(Ordering::Relaxed) {
            return Err(interrupted().into());
        }
        Ok(corpus)
    }

    /// Adds the items of a tree.
    fn add_tree(&mut self, input: &CorpusSource<'_>, tree: ObjectId) -> Result<()> {
        let mut jobs = BTreeSet::new();
        for file in input.repository.files(tree)? {
            let path = encode_path(&file.path);
            if !input.config.ignores(&path) {
                jobs.insert((path, file.id));
            }
        }
        let mut parses = Vec::with_capacity(jobs.len());
        read_all(input.repository, input.program, input.config, input.stop, jobs, |parse| {
            parses.push(parse);
            Ok(())
        })?;
        // Files arrive in any order, and training must not depend on it.
        parses.sort_by(|a, b| a.path.cmp(&b.path));
        let mut files = Vec::with_capacity(parses.len());
        for parse in &parses {
            files.push(self.add_parse(parse)?);
            if !parse.facts.entries.is_empty() {
                self.logs.push(parse.facts.entries.clone());
            }
        }
        self.resolve(&parses, files);
        Ok(())
    }

    /// Adds a file and its definitions. Returns what is needed to resolve names in it.
    fn add_parse(&mut self, parse: &Parse) -> Result<Option<(Language, edges::FileDefinitions)>> {
        let language = match &parse.outcome {
            ReadOutcome::Code(language) | ReadOutcome::Partial(language) => Some(*language),
            _ => None,
        };
        let mut candidates = Vec::new();
        for item in &parse.facts.items {
            let text = self.text(text_of_fact(&item.fact)?);
            let index = self.items.len() as u32;
            let definition = item.definition.as_ref();
            if let (Some(definition), Some(language)) = (definition, language) {
                let (id, key) = (i64::from(index), item.key.clone());
                candidates.push(Arc::new(LiveDefinition::new(id, key, &parse.path, language, definition)));
            }
            self.by_key.insert(item.key.clone(), index);
            self.items.push(CorpusItem {
                key: item.key.clone(),
                kind: item.kind,
                path: parse.path.clone(),
                shape: definition.map(|definition| definition.shape.clone()).unwrap_or_default(),
                name: definition.map(|definition| definition.name.clone()).unwrap_or_default(),
                text,
            });
        }
        let imports = parse.facts.imports.iter().map(|import| import.import.clone()).collect();
        Ok(language
            .map(|language| (language, edges::FileDefinitions { path: parse.path.clone(), candidates, imports })))
    }

    /// Resolves all calls to edges.
    fn resolve(&mut self, parses: &[Parse], files: Vec<Option<(Language, edges::FileDefinitions)>>) {
        let table = NameTable::new(files.iter().flatten().map(|(_, file)| file.clone()));
        for (parse, file) in parses.iter().zip(&files) {
            let Some((language, file)) = file else { continue };
            for call in &parse.facts.calls {
                // Item 0 is the file itself; the definitions follow.
                let caller = call.caller.checked_sub(1).and_then(|index| file.candidates.get(index));
                let Some(caller) = caller else { continue };
                for site in &call.sites {
                    let site = CallSite { path: &parse.path, language: *language, caller: Some(&**caller), call: site };
                    for target in edges::resolve(&site, &table) {
                        self.edges.push((caller.id as u32, target.id as u32, target.confidence));
                    }
                }
            }
        }
        self.edges.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(b.2.total_cmp(&a.2)));
        self.edges.dedup_by_key(|edge| (edge.0, edge.1));
    }

    /// Adds the session entries for training.
    fn add_training_entries(&mut self, placement: &SessionPlacement<'_>, split: &Split, sessions: &[SessionRecord]) {
        self.training_entries =
            session_set::training_entries(placement, split, sessions, &std::mem::take(&mut self.logs));
        for entry in 0..self.training_entries.len() {
            let TrainingEntry { category, content, .. } = self.training_entries[entry].clone();
            self.training_entries[entry].text = self.entry_text(&category, &content);
        }
        self.training_texts_with_sessions = self.texts.len();
    }

    /// Returns the text index of a session entry.
    fn entry_text(&mut self, category: &str, content: &str) -> Option<u32> {
        self.text(text_of_entry(category, content))
    }

    /// Adds the texts of files that were added after the split, as of the commit that added them.
    fn add_later_files(&mut self, input: &CorpusSource<'_>, timeline: &Timeline, split: &Split) -> Result<()> {
        let mut later_files = Vec::new();
        for (index, commit) in timeline.commits.iter().enumerate().skip(split.train.end) {
            let added = commit.changes.iter().filter(|change| change.status == Status::A && change.from.is_none());
            later_files.extend(added.map(|change| ((index, change.path), change.path, change.blob)));
        }
        self.added = self.read_files(input, timeline, later_files.into_iter())?;
        Ok(())
    }

    /// Reads versions of files, given as (key, path, blob). Returns their text indices by key; files without text are
    /// left out.
    fn read_files<K: Copy + Eq + Hash>(
        &mut self,
        input: &CorpusSource<'_>,
        timeline: &Timeline,
        versions: impl Iterator<Item = (K, u32, ObjectId)>,
    ) -> Result<HashMap<K, u32>> {
        let mut keys_of: HashMap<(String, ObjectId), Vec<K>> = HashMap::new();
        for (key, path, blob) in versions {
            keys_of.entry((timeline.paths[path as usize].clone(), blob)).or_default().push(key);
        }
        let jobs: BTreeSet<(String, ObjectId)> = keys_of.keys().cloned().collect();
        let mut found = Vec::new();
        read_all(input.repository, input.program, input.config, input.stop, jobs, |parse| {
            if let Some(file) = parse.facts.items.first() {
                found.push((parse.path, parse.blob, text_of_fact(&file.fact)?));
            }
            Ok(())
        })?;
        found.sort();
        let mut texts = HashMap::new();
        for (path, blob, text) in found {
            let Some(text) = self.text(text) else { continue };
            texts.extend(keys_of.remove(&(path, blob)).unwrap_or_default().into_iter().map(|key| (key, text)));
        }
        Ok(texts)
    }

    /// Returns the index of a text, and adds it if it is new; `None` if it is empty.
    fn text(&mut self, text: String) -> Option<u32> {
        if text.is_empty() {
            return None;
        }
        Some(*self.index_of_text.entry(text).or_insert_with_key(|text| {
            self.texts.push(text.clone());
            self.texts.len() as u32 - 1
        }))
    }
}

/// Returns the text that an item is embedded by, from its fact.
fn text_of_fact(fact: &Fact) -> Result<String> {
    Ok(Body::decode(&fact.event_type, &fact.data)?.as_ref().map(text_of).unwrap_or_default())
}

/// Returns the tree at the end of training: that of the training commit with the most ancestors.
fn tree_at_split(repository: &Repository, timeline: &Timeline, split: &Split) -> Option<ObjectId> {
    let commit = &timeline.commits[timeline.tip_with_most_ancestors(split.train.end)?];
    repository.tree_of(ObjectId::from_hex(commit.sha.as_bytes()).ok()?)
}

/// Returns the newest training version of each file that is live after the training commits but not in the tree at the
/// split, because it was added on another branch.
fn side_branch_files(timeline: &Timeline, split: &Split, is_shown: impl Fn(&str) -> bool) -> Vec<(u32, ObjectId)> {
    let (mut counts, mut newest) = (ChangeCounts::default(), HashMap::new());
    for index in split.train.clone() {
        counts.add_commit(index, &timeline.commits[index]);
        newest.extend(timeline.commits[index].changes.iter().map(|change| (change.path, change.blob)));
    }
    let live = counts.live().map(|file| counts.path(file));
    let stray = live.filter(|path| !is_shown(&timeline.paths[*path as usize]));
    stray.filter_map(|path| Some((path, *newest.get(&path)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{PathChange, TimelineCommit};

    #[test]
    fn a_file_of_another_branch_has_its_newest_training_version() {
        let blob = |n: u8| ObjectId::from_bytes_or_panic(&[n; 20]);
        let commit = |changes: &[(u32, Status, u8)]| TimelineCommit {
            seq: 0,
            sha: String::new(),
            time: 0,
            parents: Vec::new(),
            is_merge: false,
            authors: Vec::new(),
            message: String::new(),
            touched: changes.len(),
            changes: (changes.iter())
                .map(|(path, status, n)| PathChange { path: *path, from: None, status: *status, blob: blob(*n) })
                .collect(),
        };
        let commits = vec![
            commit(&[(0, Status::A, 1), (1, Status::A, 2), (2, Status::A, 3)]),
            commit(&[(1, Status::M, 4), (2, Status::D, 3)]),
            commit(&[(1, Status::M, 5)]),
        ];
        let paths = ["shown", "stray", "gone"].map(str::to_string).into();
        let timeline = Timeline { commits, paths, ..Timeline::default() };
        let split = Split { train: 0..2, fit: 2..3, gate: 3..3, test: 3..3, has_test: true };
        assert_eq!(side_branch_files(&timeline, &split, |path| path == "shown"), [(1, blob(4))]);
    }
}
