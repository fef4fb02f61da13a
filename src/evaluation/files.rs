//! Which files change together, and which one is missing: one walk along history that asks each commit before it takes
//! it in. Refuses to take anything of a commit before the commit is asked.

use std::collections::HashSet;
use std::ops::Range;

use super::alarm::{Alarm, Moment};
use super::bm25::Bm25;
use super::board::{Board, Marks};
use super::split::Split;
use super::walk::{Texts, Walk};
use super::{Fitted, Part, Priors};
use crate::chance::Chance;
use crate::embedding::dot;
use crate::fail;
use crate::fusion::{self, Beside, COLD, Example, Joined, Paths, Query, Question, Table, signal};
use crate::history::{File, LARGEST_COMMIT, PATH_WEIGHT, POPULARITY_WEIGHT, Step, Tally};
use crate::text_index;

/// Methods that learn nothing, each a column or a sum of columns.
const PLAIN: [&str; 6] = ["random", "popular", "path", "counts", "decayed", "mix"];

/// Words of a text that asks which are looked for.
const MOST_WORDS: usize = 64;

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
    let mut walked = Walked::default();
    let mut asking = Asking::new(split, texts, lag);
    let mut examples: [Vec<Example>; 3] = Default::default();
    let mut moments = Vec::new();
    let fit = split.fit.start..if fail::leaks("weights of the gate") { split.gate.end } else { split.fit.end };
    asking.ask(fit, |asked| {
        asked.examples(&mut examples);
        asked.judge(Part::Validation, &mut walked, None);
    });
    for (question, examples) in [Question::Files, Question::ColdFiles, Question::Missing].into_iter().zip(&examples) {
        fitted.fit(question, examples, priors);
    }
    for (part, range) in [(Part::Validation, split.gate.clone()), (Part::Test, split.test.clone())] {
        asking.ask(range, |asked| {
            asked.judge(part, &mut walked, Some(fitted));
            asked.moments(part, fitted, &mut moments);
        });
        if part == Part::Validation && !split.gate.is_empty() {
            let gates = [&mut walked.all[0], &mut walked.cold[0], &mut walked.missing[0]];
            for (question, gate) in [Question::Files, Question::ColdFiles, Question::Missing].into_iter().zip(gates) {
                fitted.gate(question, gate);
            }
        }
    }
    walked.alarm = Alarm::of(&moments);
    walked
}

/// What asks: a walk that is some commits behind, and what is known at the time.
struct Asking<'a> {
    walk: Walk<'a>,
    paths: Paths,
    lag: usize,
    /// What there really is, where the walk is behind: an index that is late is asked the same.
    current: Option<Tally>,
    /// What files say, for the plain way to find by words.
    documents: Bm25,
    /// Which files are among them.
    said: HashSet<File>,
}

/// A commit and the tables of its files.
struct Asked<'t> {
    place: usize,
    step: &'t Step,
    tally: &'t Tally,
    walk: &'t Walk<'t>,
    tables: Vec<Table>,
    /// The files of the tables; none where it is new, or not known yet.
    queries: Vec<Option<File>>,
    /// Whether they were there before the commit.
    exist: Vec<bool>,
    targets: Vec<File>,
    /// What methods that are no signal make of every file, by query.
    beside: Vec<Vec<(&'static str, Vec<f32>)>>,
}

impl<'a> Asking<'a> {
    fn new(split: &Split, texts: &'a Texts<'a>, lag: usize) -> Self {
        let mut walk = Walk::new(texts);
        walk.train(split, lag);
        let current = (lag > 0).then(|| {
            let mut current = Tally::default();
            split.train.clone().for_each(|place| current.take(place, &walk.timeline().steps[place]));
            current
        });
        Asking { walk, paths: Paths::default(), lag, current, documents: Bm25::default(), said: HashSet::new() }
    }

    /// Asks each commit of a range that says something, and takes it in after.
    fn ask(&mut self, range: Range<usize>, mut judge: impl FnMut(&Asked<'_>)) {
        for place in range {
            if !(self.walk.texts.going_on)() {
                break;
            }
            let step = &self.walk.timeline().steps[place];
            if fail::leaks("later counts") {
                self.walk.take(place);
            }
            if !step.is_merge && (2..=LARGEST_COMMIT as usize).contains(&step.touched) {
                self.read();
                judge(&self.asked(place));
            }
            if let Some(current) = &mut self.current {
                current.take(place, step);
            }
            if let Some(place) = place.checked_sub(self.lag) {
                self.walk.take(place);
            }
        }
    }

    /// Takes in what files say that were given a text since.
    fn read(&mut self) {
        if !self.walk.texts.compares {
            return;
        }
        for (file, text) in &self.walk.text {
            if self.said.insert(*file) {
                self.documents.add(*file, text_index::words(&self.walk.texts.material.corpus.texts[*text as usize]));
            }
        }
    }

    fn asked(&mut self, place: usize) -> Asked<'_> {
        let walk = &self.walk;
        let timeline = walk.timeline();
        let touched = walk.touched(place);
        let exist = touched.iter().map(|(file, path)| match &self.current {
            Some(current) => current.file(*path).is_some(),
            None => file.is_some(),
        });
        let exist = exist.collect();
        let rows = Beside { names: &timeline.paths, frozen: &walk.frozen, projected: &walk.projected };
        let (mut tables, mut beside) = (Vec::with_capacity(touched.len()), Vec::with_capacity(touched.len()));
        for (file, path) in &touched {
            let text = match file {
                Some(file) => walk.text.get(file).copied(),
                None => walk.texts.material.corpus.born.get(&(place, *path)).copied(),
            };
            let frozen = text.and_then(|text| walk.texts.material.frozen.row(text));
            let projected = text.zip(walk.texts.adapter).and_then(|(text, rows)| rows.row(text));
            let query = Query { file: *file, path: *path, frozen, projected };
            tables.push(fusion::file_table(&walk.tally, &mut self.paths, &rows, &query));
            beside.push(if walk.texts.compares { compared(walk, &self.documents, text) } else { Vec::new() });
        }
        let targets = touched.iter().filter_map(|(file, _)| *file).collect();
        let queries = touched.into_iter().map(|(file, _)| file).collect();
        let step = &timeline.steps[place];
        Asked { place, step, tally: &walk.tally, walk, tables, queries, exist, targets, beside }
    }
}

/// What methods that are no signal make of every file, asked by a text.
fn compared(walk: &Walk<'_>, documents: &Bm25, text: Option<u32>) -> Vec<(&'static str, Vec<f32>)> {
    let mut words =
        text.map_or_else(Vec::new, |text| text_index::words(&walk.texts.material.corpus.texts[text as usize]));
    let mut seen = HashSet::new();
    words.retain(|word| seen.insert(word.clone()));
    words.truncate(MOST_WORDS);
    let found = documents.scores(&words);
    let files = 0..walk.tally.len() as File;
    let mut all = vec![("bm25", files.clone().map(|file| found.get(&file).copied().unwrap_or_default()).collect())];
    for ((name, texts), rows) in walk.texts.shown.iter().zip(&walk.shown) {
        let query = text.and_then(|text| texts.row(text));
        let score = |file: File| query.zip(rows.row(file)).map_or(0.0, |(a, b)| dot(a, b));
        all.push((*name, files.clone().map(score).collect()));
    }
    all
}

impl<'t> Asked<'t> {
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
        for (_, table, right) in self.missing() {
            into[2].push(table.example(&[right], &mix(&table.columns), weight, seed));
        }
    }

    /// For each file of the commit, by its place: what the others say of it and of the files that are none of them.
    fn missing(&self) -> Vec<(usize, Table, usize)> {
        if self.tables.len() < 2 {
            return Vec::new();
        }
        let joined = Joined::new(&self.tables, self.tally.live().collect());
        let mut questions = Vec::new();
        for (place, missing) in self.queries.iter().enumerate().filter_map(|(place, file)| Some((place, (*file)?))) {
            let keeps = |file: File| file == missing || !self.targets.contains(&file);
            let table = joined.without(&self.tables[place], place, keeps);
            questions.extend(table.files.binary_search(&missing).ok().map(|right| (place, table, right)));
        }
        questions
    }

    /// What would be said of the commit as it is, and of it with each file left out.
    fn moments(&self, part: Part, fitted: &Fitted, into: &mut Vec<Moment>) {
        let Some(weights) = fitted.weights(Question::Missing).filter(|_| self.tables.len() > 1) else { return };
        let whole = Joined::new(&self.tables, self.tally.live().collect()).whole(|file| !self.targets.contains(&file));
        into.extend(Moment::of(part, &whole, weights, None, 1.0));
        let weight = 1.0 / self.tables.len() as f64;
        for (_, table, right) in self.missing() {
            into.extend(Moment::of(part, &table, weights, Some(right), weight));
        }
    }

    fn judge(&self, part: Part, walked: &mut Walked, fitted: Option<&Fitted>) {
        for (at, (table, query)) in self.tables.iter().zip(&self.queries).enumerate() {
            let there = (0..self.exist.len()).filter(|other| *other != at && self.exist[*other]).count();
            if there == 0 {
                continue;
            }
            let right = table.rows_of(&self.targets);
            let tied = right.iter().filter(|row| is_tied(table, **row)).count();
            let is_cold = self.is_cold(*query);
            let mut boards = vec![&mut walked.all[part as usize]];
            if is_cold {
                boards.push(&mut walked.cold[part as usize]);
            }
            let question = if is_cold { Question::ColdFiles } else { Question::Files };
            let asking: Vec<File> = query.iter().copied().collect();
            boards.iter_mut().for_each(|board| board.ask(self.place, tied as f64 / there as f64));
            let mut methods = self.methods(table, &asking, fitted.map(|fitted| (fitted, question)));
            methods.extend(self.beside(table, |other| other == at));
            for (method, scores) in methods {
                let marks = Marks::of(&scores, &right);
                boards.iter_mut().for_each(|board| board.note(self.place, method, marks));
            }
        }
        for (left_out, table, right) in self.missing() {
            let board = &mut walked.missing[part as usize];
            let asking: Vec<File> = self.targets.iter().copied().filter(|file| *file != table.files[right]).collect();
            board.ask(self.place, f64::from(u8::from(is_tied(&table, right))));
            let mut methods = self.methods(&table, &asking, fitted.map(|fitted| (fitted, Question::Missing)));
            methods.extend(self.beside(&table, |other| other != left_out));
            for (method, scores) in methods {
                board.note(self.place, method, Marks::of(&scores, &[right]));
            }
        }
    }

    /// What methods that are no signal make of some candidates: the sum over the files that ask.
    fn beside(&self, table: &Table, asks: impl Fn(usize) -> bool) -> Vec<(&'static str, Vec<f32>)> {
        let asking: Vec<_> = (0..self.beside.len()).filter(|at| asks(*at)).map(|at| &self.beside[at]).collect();
        let Some(first) = asking.first() else { return Vec::new() };
        let sum = |method: usize, file: &File| asking.iter().map(|all| all[method].1[*file as usize]).sum();
        let of = |method: usize| table.files.iter().map(|file| sum(method, file)).collect();
        first.iter().enumerate().map(|(method, (name, _))| (*name, of(method))).collect()
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

    fn methods(
        &self,
        table: &Table,
        asking: &[File],
        fitted: Option<(&Fitted, Question)>,
    ) -> Vec<(&'static str, Vec<f32>)> {
        let mut all: Vec<(&'static str, Vec<f32>)> =
            PLAIN.iter().map(|method| (*method, plain(method, table, self.step))).collect();
        all.push(("messages", self.messages(table, asking)));
        all.push(("frozen", table.columns[signal::FROZEN].clone()));
        all.push(("adapter", table.columns[signal::ADAPTER].clone()));
        if let Some((fitted, question)) = fitted {
            all.extend(fitted.methods(question).map(|(name, weights)| (name, table.scores(weights))));
        }
        all
    }
}

/// Whether history or place ties a candidate to what is asked.
fn is_tied(table: &Table, row: usize) -> bool {
    [signal::COUNT, signal::PATH].iter().any(|tie| table.columns[*tie][row] > 0.0)
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
