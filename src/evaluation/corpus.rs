//! What a repository was at a commit: its files and definitions, their texts and calls, read from git; and the texts
//! that later commits brought. Refuses to show what a later tree holds.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

use super::sessions::{self, Lesson, Places, Session};
use super::{Split, mask};
use crate::config::Config;
use crate::edges::{self, Candidate, Site, Table};
use crate::embedding::{text_of, text_of_entry, text_of_message};
use crate::entries::Told;
use crate::error::interrupted;
use crate::event::{Fact, Status, encode_path};
use crate::facts::{Body, EntryFact, ItemKind};
use crate::fail;
use crate::git::{ObjectId, Repository};
use crate::history::{LARGEST_COMMIT, Tally, Timeline};
use crate::item::{Outcome, Parse, read_all};
use crate::syntax::Language;

/// One item as it stood.
#[derive(Debug, Clone)]
pub struct Entry {
    /// `src/a.rs#Parser::parse`.
    pub key: String,
    /// A file or a kind of definition.
    pub kind: ItemKind,
    /// Its file, encoded.
    pub path: String,
    /// Hash of its shape; empty where it has none.
    pub shape: String,
    /// Its last segment.
    pub name: String,
    /// Place of its text among the corpus's; none where it says nothing.
    pub text: Option<u32>,
}

/// A repository at a commit.
#[derive(Debug, Default)]
pub struct Corpus {
    /// Files and definitions.
    pub items: Vec<Entry>,
    /// By key.
    pub by_key: HashMap<String, u32>,
    /// Caller, callee, and how sure the call is.
    pub edges: Vec<(u32, u32, f32)>,
    /// Texts, each once.
    pub texts: Vec<String>,
    /// How many of the texts training may see: those of the tree, and messages of what trains.
    pub taught: usize,
    /// The same with what was said in sessions that train, which come next.
    pub told: usize,
    /// What was said in sessions that train.
    pub lessons: Vec<Lesson>,
    /// Sessions that fit, gate and test, in the order in which they are asked.
    pub sessions: Vec<Session>,
    /// Whether any session is recorded, for whatever part.
    pub has_sessions: bool,
    /// Places of the messages among the texts, by step.
    pub messages: Vec<Option<u32>>,
    /// Places of the texts of files that were born after the split, by step and path.
    pub born: HashMap<(usize, u32), u32>,
    /// Places of the texts of files that stand where training ends and not in its tree, by path.
    pub strays: HashMap<u32, u32>,
    /// By step of validation and test: the message without the words of its paths, and its place among the texts.
    pub masked: HashMap<usize, (String, Option<u32>)>,
    /// What session logs of the tree say, until it is parted.
    logs: Vec<Vec<EntryFact>>,
    known: HashMap<String, u32>,
}

/// What a corpus is read with.
pub struct Reading<'a> {
    /// Where from.
    pub repository: &'a Repository,
    /// Settings: what is ignored, and how large a file may be.
    pub config: &'a Config,
    /// patina's own file, for parsers.
    pub program: &'a Path,
    /// Set when the person wants to stop.
    pub stop: &'a AtomicBool,
}

impl Corpus {
    /// Reads the tree at the end of what trains, the messages, what sessions say, and what was added after.
    pub fn read(
        reading: &Reading<'_>,
        timeline: &Timeline,
        sessions: &[Told],
        split: &Split,
        head: ObjectId,
    ) -> Result<Self> {
        let mut corpus = Corpus { has_sessions: !sessions.is_empty(), ..Corpus::default() };
        let places = Places::new(timeline);
        let tree = match fail::leaks("a later text") {
            true => reading.repository.tree_of(head),
            false => tree_at_split(reading.repository, timeline, split),
        };
        if let Some(tree) = tree {
            corpus.take_tree(reading, tree)?;
        }
        let strays = strays(timeline, split, |path| corpus.by_key.contains_key(path));
        let strays = strays.into_iter().map(|(path, blob)| (path, path, blob));
        corpus.strays = corpus.read_files(reading, timeline, strays)?;
        for (place, step) in timeline.steps.iter().enumerate() {
            if place == split.train.end {
                corpus.taught = corpus.texts.len();
                corpus.take_lessons(&places, split, sessions);
            }
            let text = corpus.text(text_of_message(&step.message));
            corpus.messages.push(text);
        }
        if split.train.end == timeline.steps.len() || fail::leaks("later directions") {
            corpus.taught = corpus.texts.len();
            corpus.take_lessons(&places, split, sessions);
        }
        for (place, step) in timeline.steps.iter().enumerate().skip(split.train.end) {
            let paths: Vec<&str> =
                step.changes.iter().map(|change| timeline.paths[change.path as usize].as_str()).collect();
            if !step.is_merge && (1..=LARGEST_COMMIT as usize).contains(&step.touched) {
                let message = mask(&step.message, &paths);
                let text = corpus.text(text_of_message(&message));
                corpus.masked.insert(place, (message, text));
            }
        }
        corpus.take_born(reading, timeline, split)?;
        corpus.sessions = sessions::asked(&places, split, sessions, |category, content| corpus.said(category, content));
        corpus.known = HashMap::new();
        // Whatever was not read yet is missing.
        if reading.stop.load(Ordering::Relaxed) {
            return Err(interrupted().into());
        }
        Ok(corpus)
    }

    fn take_tree(&mut self, reading: &Reading<'_>, tree: ObjectId) -> Result<()> {
        let mut jobs = BTreeSet::new();
        for file in reading.repository.files(tree)? {
            let path = encode_path(&file.path);
            if !reading.config.ignores(&path) {
                jobs.insert((path, file.id));
            }
        }
        let mut parses = Vec::with_capacity(jobs.len());
        read_all(reading.repository, reading.program, reading.config, reading.stop, jobs, |parse| {
            parses.push(parse);
            Ok(())
        })?;
        // They come in any order, and what is trained on them must not depend on it.
        parses.sort_by(|a, b| a.path.cmp(&b.path));
        let mut files = Vec::with_capacity(parses.len());
        for parse in &parses {
            files.push(self.take_parse(parse)?);
            if !parse.facts.entries.is_empty() {
                self.logs.push(parse.facts.entries.clone());
            }
        }
        self.resolve(&parses, files);
        Ok(())
    }

    /// Takes in a file and what it defines; returns what names in it can mean.
    fn take_parse(&mut self, parse: &Parse) -> Result<Option<(Language, edges::File)>> {
        let language = match &parse.outcome {
            Outcome::Code(language) | Outcome::Partial(language) => Some(*language),
            _ => None,
        };
        let mut candidates = Vec::new();
        for item in &parse.facts.items {
            let text = self.text(text_of_fact(&item.fact)?);
            let place = self.items.len() as u32;
            let definition = item.definition.as_ref();
            if let (Some(definition), Some(language)) = (definition, language) {
                let (id, key) = (i64::from(place), item.key.clone());
                candidates.push(Arc::new(Candidate::new(id, key, &parse.path, language, definition)));
            }
            self.by_key.insert(item.key.clone(), place);
            self.items.push(Entry {
                key: item.key.clone(),
                kind: item.kind,
                path: parse.path.clone(),
                shape: definition.map(|definition| definition.shape.clone()).unwrap_or_default(),
                name: definition.map(|definition| definition.name.clone()).unwrap_or_default(),
                text,
            });
        }
        let imports = parse.facts.imports.iter().map(|import| import.import.clone()).collect();
        Ok(language.map(|language| (language, edges::File { path: parse.path.clone(), candidates, imports })))
    }

    /// Resolves every call in one pass.
    fn resolve(&mut self, parses: &[Parse], files: Vec<Option<(Language, edges::File)>>) {
        let table = Table::new(files.iter().flatten().map(|(_, file)| file.clone()));
        for (parse, file) in parses.iter().zip(&files) {
            let Some((language, file)) = file else { continue };
            for call in &parse.facts.calls {
                // Item 0 is the file itself; the definitions follow.
                let caller = call.caller.checked_sub(1).and_then(|index| file.candidates.get(index));
                let Some(caller) = caller else { continue };
                for site in &call.sites {
                    let site = Site { path: &parse.path, language: *language, caller: Some(&**caller), call: site };
                    for target in edges::resolve(&site, &table) {
                        self.edges.push((caller.id as u32, target.id as u32, target.confidence));
                    }
                }
            }
        }
        self.edges.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(b.2.total_cmp(&a.2)));
        self.edges.dedup_by_key(|edge| (edge.0, edge.1));
    }

    /// Takes in what was said in sessions that train.
    fn take_lessons(&mut self, places: &Places<'_>, split: &Split, sessions: &[Told]) {
        self.lessons = sessions::lessons(places, split, sessions, &std::mem::take(&mut self.logs));
        for lesson in 0..self.lessons.len() {
            let Lesson { category, content, .. } = self.lessons[lesson].clone();
            self.lessons[lesson].text = self.said(&category, &content);
        }
        self.told = self.texts.len();
    }

    fn said(&mut self, category: &str, content: &str) -> Option<u32> {
        self.text(text_of_entry(category, content))
    }

    /// Files that were added after the split, with the text of the commit that added them.
    fn take_born(&mut self, reading: &Reading<'_>, timeline: &Timeline, split: &Split) -> Result<()> {
        let mut born = Vec::new();
        for (place, step) in timeline.steps.iter().enumerate().skip(split.train.end) {
            let added = step.changes.iter().filter(|change| change.status == Status::A && change.from.is_none());
            born.extend(added.map(|change| ((place, change.path), change.path, change.blob)));
        }
        self.born = self.read_files(reading, timeline, born.into_iter())?;
        Ok(())
    }

    /// The places of the texts of some versions of files, by what each is asked for; those that say nothing are left out.
    fn read_files<K: Copy + Eq + Hash>(
        &mut self,
        reading: &Reading<'_>,
        timeline: &Timeline,
        versions: impl Iterator<Item = (K, u32, ObjectId)>,
    ) -> Result<HashMap<K, u32>> {
        let mut asked: HashMap<(String, ObjectId), Vec<K>> = HashMap::new();
        for (key, path, blob) in versions {
            asked.entry((timeline.paths[path as usize].clone(), blob)).or_default().push(key);
        }
        let jobs: BTreeSet<(String, ObjectId)> = asked.keys().cloned().collect();
        let mut found = Vec::new();
        read_all(reading.repository, reading.program, reading.config, reading.stop, jobs, |parse| {
            if let Some(file) = parse.facts.items.first() {
                found.push((parse.path, parse.blob, text_of_fact(&file.fact)?));
            }
            Ok(())
        })?;
        found.sort();
        let mut texts = HashMap::new();
        for (path, blob, text) in found {
            let Some(text) = self.text(text) else { continue };
            texts.extend(asked.remove(&(path, blob)).unwrap_or_default().into_iter().map(|key| (key, text)));
        }
        Ok(texts)
    }

    fn text(&mut self, text: String) -> Option<u32> {
        if text.is_empty() {
            return None;
        }
        Some(*self.known.entry(text).or_insert_with_key(|text| {
            self.texts.push(text.clone());
            self.texts.len() as u32 - 1
        }))
    }
}

/// The text that stands for what a fact is of.
fn text_of_fact(fact: &Fact) -> Result<String> {
    Ok(Body::decode(&fact.event_type, &fact.data)?.as_ref().map(text_of).unwrap_or_default())
}

/// The tree where training ends: of the commit that reaches the most of those that train.
fn tree_at_split(repository: &Repository, timeline: &Timeline, split: &Split) -> Option<ObjectId> {
    let step = &timeline.steps[timeline.widest(split.train.end)?];
    repository.tree_of(ObjectId::from_hex(step.sha.as_bytes()).ok()?)
}

/// What files hold that are there where training ends and that its tree does not show, for they were added beside it:
/// the newest version that trains, by path.
fn strays(timeline: &Timeline, split: &Split, is_shown: impl Fn(&str) -> bool) -> Vec<(u32, ObjectId)> {
    let (mut tally, mut newest) = (Tally::default(), HashMap::new());
    for place in split.train.clone() {
        tally.take(place, &timeline.steps[place]);
        newest.extend(timeline.steps[place].changes.iter().map(|change| (change.path, change.blob)));
    }
    let live = tally.live().map(|file| tally.path(file));
    let stray = live.filter(|path| !is_shown(&timeline.paths[*path as usize]));
    stray.filter_map(|path| Some((path, *newest.get(&path)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Change, Step};

    #[test]
    fn what_was_added_beside_the_tree_is_its_newest_version_that_trains() {
        let blob = |n: u8| ObjectId::from_bytes_or_panic(&[n; 20]);
        let step = |changes: &[(u32, Status, u8)]| Step {
            seq: 0,
            sha: String::new(),
            time: 0,
            parents: Vec::new(),
            is_merge: false,
            authors: Vec::new(),
            message: String::new(),
            touched: changes.len(),
            changes: (changes.iter())
                .map(|(path, status, n)| Change { path: *path, from: None, status: *status, blob: blob(*n) })
                .collect(),
        };
        let steps = vec![
            step(&[(0, Status::A, 1), (1, Status::A, 2), (2, Status::A, 3)]),
            step(&[(1, Status::M, 4), (2, Status::D, 3)]),
            step(&[(1, Status::M, 5)]),
        ];
        let paths = ["shown", "stray", "gone"].map(str::to_string).into();
        let timeline = Timeline { steps, paths, ..Timeline::default() };
        let split = Split { train: 0..2, fit: 2..3, gate: 3..3, test: 3..3, is_measuring: true };
        assert_eq!(strays(&timeline, &split, |path| path == "shown"), [(1, blob(4))]);
    }
}
