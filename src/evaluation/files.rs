//! Which files change together, and which one is missing: one walk along history that asks each commit before it takes
//! it in. Refuses to take anything of a commit before the commit is asked.

use std::ops::Range;

use super::alarm::{Alarm, Moment};
use super::board::{Board, Marks};
use super::split::Split;
use super::walk::{Texts, Walk};
use super::{Fitted, Part, Priors};
use crate::chance::Chance;
use crate::embedding::dot;
use crate::fail;
use crate::fusion::{self, Beside, COLD, Example, Joined, Paths, Query, Question, Table, signal};
use crate::history::{File, LARGEST_COMMIT, PATH_WEIGHT, POPULARITY_WEIGHT, Step, Tally};

/// Methods that learn nothing, each a column or a sum of columns.
const PLAIN: [&str; 6] = ["random", "popular", "path", "counts", "decayed", "mix"];

/// What one walk found, by part.
#[derive(Debug, Default)]
pub struct Walked {
    /// Every question.
    pub all: [Board; 2],
    /// Of cold files.
    pub cold: [Board; 2],
    /// The one file that is missing from a commit.
    pub missing: [Board; 2],
    /// When it would be said that one is missing.
    pub alarm: Alarm,
}

/// Walks along a history, and fits and judges as it goes; with `lag`, counts are those of so many commits ago.
pub fn walk(split: &Split, texts: &Texts<'_>, priors: &Priors<'_>, lag: usize, fitted: &mut Fitted) -> Walked {
    let mut walk = Walk::new(texts);
    let mut walked = Walked::default();
    walk.train(split, lag);
    let mut paths = Paths::default();
    let mut examples: [Vec<Example>; 3] = Default::default();
    let mut moments = Vec::new();
    let fit = split.fit.start..if fail::leaks("weights of the gate") { split.gate.end } else { split.fit.end };
    ask(&mut walk, &mut paths, fit, lag, |asked| {
        asked.examples(&mut examples);
        asked.judge(Part::Validation, &mut walked, None);
    });
    for (question, examples) in [Question::Files, Question::ColdFiles, Question::Missing].into_iter().zip(&examples) {
        fitted.fit(question, examples, priors);
    }
    for (part, range) in [(Part::Validation, split.gate.clone()), (Part::Test, split.test.clone())] {
        ask(&mut walk, &mut paths, range, lag, |asked| {
            asked.judge(part, &mut walked, Some(fitted));
            asked.moments(part, fitted, &mut moments);
        });
        if part == Part::Validation {
            let gates = [&mut walked.all[0], &mut walked.cold[0], &mut walked.missing[0]];
            for (question, gate) in [Question::Files, Question::ColdFiles, Question::Missing].into_iter().zip(gates) {
                fitted.gate(question, gate);
            }
        }
    }
    walked.alarm = Alarm::of(&moments);
    walked
}

/// A commit and the tables of its files.
struct Asked<'t> {
    place: usize,
    step: &'t Step,
    tally: &'t Tally,
    walk: &'t Walk<'t>,
    tables: Vec<Table>,
    texts: Vec<Option<u32>>,
    /// The files of the tables; none where it is new.
    queries: Vec<Option<File>>,
    targets: Vec<File>,
}

/// Asks each commit of a range that says something, and takes it in after.
fn ask(walk: &mut Walk<'_>, paths: &mut Paths, range: Range<usize>, lag: usize, mut judge: impl FnMut(&Asked<'_>)) {
    for place in range {
        let step = &walk.timeline().steps[place];
        if fail::leaks("later counts") {
            walk.take(place);
        }
        if !step.is_merge && (2..=LARGEST_COMMIT as usize).contains(&step.touched) {
            judge(&Asked::new(walk, paths, place));
        }
        if let Some(place) = place.checked_sub(lag) {
            walk.take(place);
        }
    }
}

impl<'t> Asked<'t> {
    fn new(walk: &'t Walk<'t>, paths: &mut Paths, place: usize) -> Self {
        let timeline = walk.timeline();
        let touched = walk.touched(place);
        let beside = Beside { names: &timeline.paths, frozen: &walk.frozen, projected: &walk.projected };
        let (mut tables, mut texts) = (Vec::with_capacity(touched.len()), Vec::new());
        for (file, path) in &touched {
            let text = match file {
                Some(file) => walk.text.get(file).copied(),
                None => walk.texts.material.corpus.born.get(&(place, *path)).copied(),
            };
            let frozen = text.and_then(|text| walk.texts.material.frozen.row(text));
            let projected = text.zip(walk.texts.adapter).and_then(|(text, rows)| rows.row(text));
            let query = Query { file: *file, path: *path, frozen, projected };
            texts.push(text);
            tables.push(fusion::file_table(&walk.tally, paths, &beside, &query));
        }
        let targets = touched.iter().filter_map(|(file, _)| *file).collect();
        let queries = touched.into_iter().map(|(file, _)| file).collect();
        Asked { place, step: &timeline.steps[place], tally: &walk.tally, walk, tables, texts, queries, targets }
    }

    fn is_cold(&self, query: Option<File>) -> bool {
        query.is_none_or(|file| self.tally.count_of(file) < COLD)
    }

    fn examples(&self, into: &mut [Vec<Example>; 3]) {
        let (weight, seed) = (1.0 / self.tables.len() as f64, self.place as u64);
        for (table, query) in self.tables.iter().zip(&self.queries) {
            let right = table.rows_of(&self.targets);
            if !right.is_empty() {
                let example = table.example(&right, &mix(&table.columns), weight, seed);
                into[usize::from(self.is_cold(*query))].push(example);
            }
        }
        for (table, right) in self.missing() {
            into[2].push(table.example(&[right], &mix(&table.columns), weight, seed));
        }
    }

    /// For each file of the commit: what the others say of it and of the files that are none of them.
    fn missing(&self) -> Vec<(Table, usize)> {
        if self.tables.len() < 2 {
            return Vec::new();
        }
        let joined = Joined::new(&self.tables, self.tally.live().collect());
        let mut questions = Vec::new();
        for (place, missing) in self.queries.iter().enumerate().filter_map(|(place, file)| Some((place, (*file)?))) {
            let keeps = |file: File| file == missing || !self.targets.contains(&file);
            let table = joined.without(&self.tables[place], place, keeps);
            questions.extend(table.files.binary_search(&missing).ok().map(|right| (table, right)));
        }
        questions
    }

    /// What would be said of the commit as it is, and of it with each file left out.
    fn moments(&self, part: Part, fitted: &Fitted, into: &mut Vec<Moment>) {
        let Some(weights) = fitted.weights(Question::Missing).filter(|_| self.tables.len() > 1) else { return };
        let whole = Joined::new(&self.tables, self.tally.live().collect()).whole(|file| !self.targets.contains(&file));
        into.extend(Moment::of(part, &whole, weights, None, 1.0));
        let weight = 1.0 / self.tables.len() as f64;
        for (table, right) in self.missing() {
            into.extend(Moment::of(part, &table, weights, Some(right), weight));
        }
    }

    fn judge(&self, part: Part, walked: &mut Walked, fitted: Option<&Fitted>) {
        for ((table, query), text) in self.tables.iter().zip(&self.queries).zip(&self.texts) {
            let right = table.rows_of(&self.targets);
            if right.is_empty() {
                continue;
            }
            let tied = |row: &&usize| table.columns[signal::COUNT][**row] > 0.0;
            let ceiling = right.iter().filter(tied).count() as f64 / right.len() as f64;
            let is_cold = self.is_cold(*query);
            let mut boards = vec![&mut walked.all[part as usize]];
            if is_cold {
                boards.push(&mut walked.cold[part as usize]);
            }
            let question = if is_cold { Question::ColdFiles } else { Question::Files };
            let asking: Vec<File> = query.iter().copied().collect();
            self.note(&mut boards, table, &asking, &right, ceiling, fitted.map(|fitted| (fitted, question)));
            for ((name, texts), files) in self.walk.texts.shown.iter().zip(&self.walk.shown) {
                let query = text.and_then(|text| texts.row(text));
                let score = |file: &File| query.zip(files.row(*file)).map_or(0.0, |(a, b)| dot(a, b));
                let marks = Marks::of(&table.files.iter().map(score).collect::<Vec<f32>>(), &right);
                boards.iter_mut().for_each(|board| board.note(self.place, name, marks));
            }
        }
        for (table, right) in self.missing() {
            let ceiling = f64::from(u8::from(table.columns[signal::COUNT][right] > 0.0));
            let boards = &mut [&mut walked.missing[part as usize]];
            let asking: Vec<File> = self.targets.iter().copied().filter(|file| *file != table.files[right]).collect();
            self.note(boards, &table, &asking, &[right], ceiling, fitted.map(|fitted| (fitted, Question::Missing)));
        }
    }

    /// How alike the messages of past commits are: of the files that ask, and of each other one.
    fn messages(&self, table: &Table, asking: &[File]) -> Vec<f32> {
        let messages = &self.walk.messages;
        let mut own = vec![0.0; messages.width];
        for row in asking.iter().filter_map(|file| messages.row(*file)) {
            own.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        let length = |row: &[f32]| dot(row, row).sqrt();
        let score = |file: &File| messages.row(*file).map_or(0.0, |row| dot(&own, row) / length(row).max(1e-12));
        table.files.iter().map(score).collect()
    }

    fn note(
        &self,
        boards: &mut [&mut Board],
        table: &Table,
        asking: &[File],
        right: &[usize],
        ceiling: f64,
        fitted: Option<(&Fitted, Question)>,
    ) {
        boards.iter_mut().for_each(|board| board.ask(self.place, ceiling));
        let mut note = |method: &'static str, scores: &[f32]| {
            let marks = Marks::of(scores, right);
            boards.iter_mut().for_each(|board| board.note(self.place, method, marks));
        };
        for method in PLAIN {
            note(method, &plain(method, table, self.step));
        }
        note("messages", &self.messages(table, asking));
        note("frozen", &table.columns[signal::FROZEN]);
        note("adapter", &table.columns[signal::ADAPTER]);
        let Some((fitted, question)) = fitted else { return };
        for (name, weights) in fitted.methods(question) {
            note(name, &table.scores(weights));
        }
    }
}

/// What a method without learning makes of a table.
fn plain(method: &str, table: &Table, step: &Step) -> Vec<f32> {
    let columns = &table.columns;
    match method {
        "random" => {
            let seed = step.sha.bytes().fold(0_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
            table.files.iter().map(|file| Chance::new(seed ^ u64::from(*file)).unit() as f32).collect()
        }
        "popular" => columns[signal::POPULAR].clone(),
        "path" => columns[signal::PATH].clone(),
        "counts" => columns[signal::COUNT].clone(),
        "decayed" => columns[signal::DECAYED].clone(),
        _ => mix(columns),
    }
}

/// The mix of `related`: decayed counts, nearness of paths, recent popularity.
fn mix(columns: &[Vec<f32>]) -> Vec<f32> {
    let row = |row: usize| {
        columns[signal::DECAYED][row]
            + PATH_WEIGHT as f32 * columns[signal::PATH][row]
            + POPULARITY_WEIGHT as f32 * columns[signal::POPULAR][row]
    };
    (0..columns[0].len()).map(row).collect()
}
