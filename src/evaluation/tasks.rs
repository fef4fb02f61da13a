//! Which files a task will touch: asked of each commit by its message, and by its message without the words of the paths
//! it changed; and of each session by its goals, and by what was said in it. Refuses to let a message be found by itself:
//! it is taken in after it was asked, and what a session touched after the session was.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};

use anyhow::Result;

use super::bm25::Bm25;
use super::board::{Board, Marks};
use super::sessions::{Names, Session};
use super::split::Split;
use super::walk::{Texts, Walk};
use super::{Fitted, Part, Priors};
use crate::chance::Chance;
use crate::embedding::{Rows, dot};
use crate::event::Status;
use crate::facts::ItemKind;
use crate::fusion::{self, Example, Matched, Question, Table, Task, task_signal as signal};
use crate::history::{File, LARGEST_COMMIT};
use crate::text_index::{self, Entry, InMemory};

/// Commits are apart from items in the index by this much.
const COMMITS: i64 = 1 << 40;
/// A BM25 score of this counts as much as the nearest past messages, where candidates to fit on are chosen.
const BM25_SCALE: f32 = 20.0;

/// Methods that learn nothing.
pub const PLAIN: [&str; 7] = ["random", "popular", "counts", "path", "frozen", "messages", "bm25"];

/// What one walk found, by part.
#[derive(Debug, Default)]
pub struct Tasked {
    /// By the whole message.
    pub all: [Board; 2],
    /// By what is left of it without the words of the paths.
    pub masked: [Board; 2],
    /// By the goals of a session, for the files that its commits change.
    pub goals: [Board; 2],
    /// By what was said in a session, for those and what else it names.
    pub said: [Board; 2],
}

/// What is asked of a unit: of a commit by its message, of a session by its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Message,
    Masked,
    Goal,
    Said,
}

struct Library<'a> {
    walk: Walk<'a>,
    index: InMemory,
    documents: Bm25,
    /// Which file a row of the index is of, and whether it is the file itself.
    file_of: HashMap<i64, (File, bool)>,
    definitions: [HashMap<File, Vec<&'a [f32]>>; 2],
    /// Commits that were taken in with their messages, by place among the tally's.
    messages: Vec<(usize, u32)>,
    place_of: HashMap<i64, usize>,
    sessions: &'a [Session],
    names: Names,
}

/// Walks along a history and asks each commit which files it touched, and each of some sessions where it began.
pub fn tasks(
    split: &Split,
    texts: &Texts<'_>,
    sessions: &[Session],
    priors: &Priors<'_>,
    fitted: &mut Fitted,
) -> Result<Tasked> {
    let mut library = Library {
        walk: Walk::new(texts),
        index: InMemory::new()?,
        documents: Bm25::default(),
        file_of: HashMap::new(),
        definitions: [HashMap::new(), HashMap::new()],
        messages: Vec::new(),
        place_of: HashMap::new(),
        sessions,
        names: Names::new(&texts.material.timeline),
    };
    for place in split.train.clone() {
        library.take(place)?;
    }
    library.walk.give_all();
    library.take_items()?;
    let (mut tasked, mut examples) = (Tasked::default(), Vec::new());
    library.ask(split.fit.clone(), |question| {
        if matches!(question.by, By::Message | By::Masked) {
            examples.push(question.example());
        }
        question.judge(Part::Validation, &mut tasked, None);
    })?;
    fitted.fit(Question::Task, &examples, priors);
    for (part, range) in [(Part::Validation, split.gate.clone()), (Part::Test, split.test.clone())] {
        library.ask(range, |question| question.judge(part, &mut tasked, Some(fitted)))?;
        if part == Part::Validation && !split.gate.is_empty() {
            fitted.gate(Question::Task, &mut tasked.all[0]);
        }
    }
    Ok(tasked)
}

/// A message without the words that stand in the paths of what it changed.
pub fn mask(message: &str, paths: &[&str]) -> String {
    let hidden: Vec<String> = paths.iter().flat_map(|path| text_index::words(path)).collect();
    let stays = |word: &&str| !text_index::words(word).iter().any(|part| hidden.contains(part));
    let lines = message.lines().map(|line| line.split(' ').filter(stays).collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n")
}

struct Asked {
    /// The step of a commit, or the place of a session.
    unit: usize,
    by: By,
    table: Table,
    right: Vec<usize>,
    bm25: Vec<f32>,
    seen: Vec<(&'static str, Vec<f32>)>,
}

impl<'a> Library<'a> {
    /// Takes a commit in, with its message.
    fn take(&mut self, place: usize) -> Result<()> {
        self.walk.take(place);
        let step = &self.walk.timeline().steps[place];
        self.names.take(step, &self.walk.tally);
        if step.is_merge || step.touched as i64 > LARGEST_COMMIT {
            return Ok(());
        }
        let taken = self.walk.tally.commits().len() - 1;
        if let Some(text) = self.walk.texts.material.corpus.messages[place] {
            self.messages.push((taken, text));
        }
        let row = COMMITS + place as i64;
        self.place_of.insert(row, taken);
        let (subject, rest) = step.message.split_once('\n').unwrap_or((&step.message, ""));
        self.index.put(row, &Entry { doc: subject, body: rest, ..Entry::default() })?;
        let words = text_index::words(&step.message);
        for file in &self.walk.tally.commits()[taken].files {
            self.documents.add(*file, words.iter().cloned());
        }
        for change in &step.changes {
            let Some(file) = self.walk.tally.file(change.path).filter(|_| change.status == Status::A) else {
                continue;
            };
            self.documents.add(file, text_index::words(&self.walk.timeline().paths[change.path as usize]));
        }
        Ok(())
    }

    /// Takes in what the tree at the split holds.
    fn take_items(&mut self) -> Result<()> {
        let (timeline, texts, tally) = (self.walk.timeline(), self.walk.texts, &self.walk.tally);
        let corpus = &texts.material.corpus;
        let by_path: HashMap<&str, File> =
            tally.live().map(|file| (timeline.paths[tally.path(file) as usize].as_str(), file)).collect();
        for (row, item) in (1..).zip(&corpus.items) {
            let Some(file) = by_path.get(item.path.as_str()) else { continue };
            let text = item.text.map_or("", |text| corpus.texts[text as usize].as_str());
            self.index.put(row, &Entry { name: &item.name, path: &item.path, doc: "", body: text })?;
            self.file_of.insert(row, (*file, item.kind == ItemKind::File));
            if item.kind == ItemKind::File {
                self.documents.add(*file, text_index::words(&item.path));
            }
            self.documents.add(*file, text_index::words(&item.name));
            if item.kind != ItemKind::File
                && let Some(text) = item.text
            {
                for (rows, definitions) in
                    [Some(&texts.material.frozen), texts.adapter].into_iter().zip(&mut self.definitions)
                {
                    if let Some(vector) = rows.and_then(|rows| rows.row(text)) {
                        definitions.entry(*file).or_default().push(vector);
                    }
                }
            }
        }
        Ok(())
    }

    fn ask(&mut self, range: Range<usize>, mut judge: impl FnMut(&Asked)) -> Result<()> {
        for place in range {
            if !(self.walk.texts.going_on)() {
                break;
            }
            self.ask_sessions(place, &mut judge)?;
            let step = &self.walk.timeline().steps[place];
            let right: Vec<File> = self.walk.touched(place).into_iter().filter_map(|(file, _)| file).collect();
            if !step.is_merge && (1..=LARGEST_COMMIT as usize).contains(&step.touched) && !right.is_empty() {
                let vector = self.walk.texts.material.corpus.messages[place];
                judge(&self.question(place, By::Message, &step.message, vector, &right)?);
                if let Some((text, vector)) = self.walk.texts.material.corpus.masked.get(&place) {
                    judge(&self.question(place, By::Masked, text, *vector, &right)?);
                }
            }
            self.take(place)?;
        }
        Ok(())
    }

    /// Asks the sessions that begin before a step.
    fn ask_sessions(&self, place: usize, judge: &mut impl FnMut(&Asked)) -> Result<()> {
        let texts = &self.walk.texts.material.corpus.texts;
        let begin = self.sessions.iter().enumerate().filter(|(_, session)| session.place == place);
        for (unit, session) in begin {
            let mut right = self.changed_in(session);
            for (by, asks) in [(By::Goal, &session.goals), (By::Said, &session.asks)] {
                if by == By::Said {
                    right.extend(self.names.find(&session.named, &self.walk.tally, &self.walk.timeline().paths));
                    right.sort_unstable();
                    right.dedup();
                }
                for text in asks.iter().filter(|_| !right.is_empty()) {
                    judge(&self.question(unit, by, &texts[*text as usize], Some(*text), &right)?);
                }
            }
        }
        Ok(())
    }

    /// The files that stand here which the commits of a session will change.
    fn changed_in(&self, session: &Session) -> Vec<File> {
        let (mut files, mut moved) = (Vec::new(), HashMap::new());
        for place in &session.commits {
            let step = &self.walk.timeline().steps[*place];
            for change in step.changes.iter().filter(|_| step.touched as i64 <= LARGEST_COMMIT) {
                let path = change.from.unwrap_or(change.path);
                // It may have been moved earlier in the session.
                let path = moved.get(&path).copied().unwrap_or(path);
                if change.from.is_some() {
                    moved.insert(change.path, path);
                }
                files.extend(self.walk.tally.file(path));
            }
        }
        files.sort_unstable();
        files.dedup();
        files
    }

    fn question(&self, unit: usize, by: By, text: &str, vector: Option<u32>, right: &[File]) -> Result<Asked> {
        let mut words = text_index::words(text);
        words.truncate(fusion::MOST_WORDS);
        let mut matched = Matched::default();
        let mut used = 0;
        self.index.search(&words, |found| {
            match (self.file_of.get(&found.seq), self.place_of.get(&found.seq)) {
                (Some((file, true)), _) => matched.files.push((*file, found.score)),
                (Some((file, false)), _) => matched.definitions.push((*file, found.score)),
                (None, Some(place)) => matched.commits.push((*place, found.score)),
                (None, None) => return Ok(ControlFlow::Continue(())),
            }
            used += 1;
            Ok(if used < fusion::MOST_MATCHES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        for word in &words {
            let mut places = Vec::new();
            self.index.says(word, |row| places.extend(self.place_of.get(&row).copied()))?;
            matched.said.push(places);
        }
        let texts = self.walk.texts;
        let seen = [Some(&texts.material.frozen), texts.adapter];
        let vectors = seen.map(|rows| vector.zip(rows).and_then(|(text, rows)| rows.row(text)));
        for ((near, rows), vector) in matched.near.iter_mut().zip(seen).zip(vectors) {
            if let Some((rows, vector)) = rows.zip(vector) {
                *near = self.near(rows, vector);
            }
        }
        let text = text.to_lowercase();
        let task = Task {
            words: &words,
            text: &text,
            vector: vectors,
            files: [&self.walk.frozen, &self.walk.projected],
            definitions: [&self.definitions[0], &self.definitions[1]],
            names: &self.walk.timeline().paths,
        };
        let table = fusion::task_table(&self.walk.tally, &task, &matched);
        let scores = self.documents.scores(&words);
        let bm25 = table.files.iter().map(|file| scores.get(file).copied().unwrap_or_default()).collect();
        let others = texts.shown.iter().zip(&self.walk.shown);
        let seen = others
            .map(|((name, texts), files)| {
                let query = vector.and_then(|text| texts.row(text));
                let score = |file: &File| query.zip(files.row(*file)).map_or(0.0, |(a, b)| dot(a, b));
                (*name, table.files.iter().map(score).collect())
            })
            .collect();
        let right = table.rows_of(right);
        Ok(Asked { unit, by, table, right, bm25, seen })
    }

    /// The commits whose messages are nearest.
    fn near(&self, rows: &Rows, vector: &[f32]) -> Vec<(usize, f64)> {
        let scored = self
            .messages
            .iter()
            .filter_map(|(place, text)| rows.row(*text).map(|row| (*place, f64::from(dot(row, vector)))));
        let mut scored: Vec<(usize, f64)> = scored.collect();
        scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
        scored.truncate(fusion::NEAREST_COMMITS);
        scored
    }
}

impl Asked {
    fn example(&self) -> Example {
        let near = &self.table.columns[signal::NEAR_COMMITS];
        let plain: Vec<f32> = self.bm25.iter().zip(near).map(|(words, near)| words / BM25_SCALE + near).collect();
        // The message and what is left of it are one commit.
        self.table.example(&self.right, &plain, 0.5, self.unit as u64)
    }

    fn judge(&self, part: Part, tasked: &mut Tasked, fitted: Option<&Fitted>) {
        let boards = match self.by {
            By::Message => &mut tasked.all,
            By::Masked => &mut tasked.masked,
            By::Goal => &mut tasked.goals,
            By::Said => &mut tasked.said,
        };
        let board = &mut boards[part as usize];
        let columns = &self.table.columns;
        let tied = |row: &&usize| columns[..6].iter().any(|column| column[**row] > 0.0);
        board.ask(self.unit, self.right.iter().filter(tied).count() as f64 / self.right.len() as f64);
        let mut note = |method: &'static str, scores: &[f32]| {
            board.note(self.unit, method, Marks::of(scores, &self.right));
        };
        let chance = |file: &File| Chance::new(self.unit as u64 ^ (u64::from(*file) << 32)).unit() as f32;
        note("random", &self.table.files.iter().map(chance).collect::<Vec<f32>>());
        note("popular", &columns[signal::POPULAR]);
        note("counts", &columns[signal::COUNT]);
        note("path", &columns[signal::PATH_WORDS]);
        note("bm25", &self.bm25);
        note("messages", &columns[signal::NEAR_COMMITS]);
        note("frozen", &columns[signal::FROZEN]);
        note("adapter", &columns[signal::ADAPTER]);
        for (name, scores) in &self.seen {
            note(name, scores);
        }
        let Some(fitted) = fitted else { return };
        for (name, weights) in fitted.methods(Question::Task) {
            note(name, &self.table.scores(weights));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_message_has_no_word_of_the_paths() {
        let masked = mask("Fix the parser: parseFile drops tokens\n\nin src/parser.rs", &["src/parser.rs"]);
        assert_eq!(masked, "Fix the parseFile drops tokens\n\nin");
        assert_eq!(mask("Fix Lexer", &["src/lexer.rs"]), "Fix");
    }
}
