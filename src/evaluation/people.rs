//! Who knows some files: asked of each commit who wrote it. Refuses bots and agents.

use std::ops::Range;

use super::board::{Board, Marks};
use super::split::Split;
use super::walk::{Texts, Walk};
use super::{Fitted, Part, Priors};
use crate::chance::Chance;
use crate::fusion::{self, Example, Question, Table, person_signal as signal};
use crate::history::{File, LARGEST_COMMIT};

/// Weight of having been seen lately, beside decayed commits.
const RECENT: f32 = 0.1;

/// Methods that learn nothing.
pub const PLAIN: [&str; 7] = ["random", "popular", "path", "frozen", "counts", "decayed", "mix"];

/// What one walk found, by part.
#[derive(Debug, Default)]
pub struct Known {
    /// Every commit of a person who was seen before.
    pub all: [Board; 2],
    /// Those that nobody wrote who wrote the last that touched the files.
    pub changes: [Board; 2],
}

/// Walks along a history and asks who wrote each commit, from the files it touched.
pub fn people(split: &Split, texts: &Texts<'_>, priors: &Priors<'_>, fitted: &mut Fitted) -> Known {
    let mut walk = Walk::new(texts);
    walk.train(split, 0);
    let (mut known, mut examples) = (Known::default(), Vec::new());
    ask(&mut walk, split.fit.clone(), |asked| {
        examples.push(asked.example());
        asked.judge(Part::Validation, &mut known, None);
    });
    fitted.fit(Question::Who, &examples, priors);
    for (part, range) in [(Part::Validation, split.gate.clone()), (Part::Test, split.test.clone())] {
        ask(&mut walk, range, |asked| asked.judge(part, &mut known, Some(fitted)));
        if part == Part::Validation && !split.gate.is_empty() {
            fitted.gate(Question::Who, &mut known.all[0]);
        }
    }
    known
}

struct Asked<'w> {
    walk: &'w Walk<'w>,
    place: usize,
    files: Vec<File>,
    table: Table,
    right: Vec<usize>,
    is_change: bool,
}

fn ask(walk: &mut Walk<'_>, range: Range<usize>, mut judge: impl FnMut(&Asked<'_>)) {
    for place in range {
        if !(walk.texts.going_on)() {
            break;
        }
        let step = &walk.timeline().steps[place];
        if !step.authors.is_empty() && !step.is_merge && step.touched as i64 <= LARGEST_COMMIT {
            let files: Vec<File> = walk.touched(place).into_iter().filter_map(|(file, _)| file).collect();
            if !files.is_empty() {
                let names = &walk.timeline().paths;
                let table = fusion::people_table(&walk.tally, names, &files, &walk.frozen, &walk.projected);
                let newest = files.iter().filter_map(|file| walk.tally.all_commits_of(*file).next_back());
                let last = newest.max_by_key(|commit| commit.step).map_or(&[][..], |commit| &commit.authors);
                let is_change = !step.authors.iter().any(|author| last.contains(author));
                // Who was never seen before is nobody's answer.
                let right = step.authors.iter().filter_map(|author| table.files.binary_search(author).ok());
                let right: Vec<usize> = right.collect();
                if !right.is_empty() {
                    judge(&Asked { walk, place, files, table, right, is_change });
                }
            }
        }
        walk.take(place);
    }
}

impl Asked<'_> {
    fn example(&self) -> Example {
        let rows = (0..self.table.files.len()).flat_map(|row| self.table.row(row)).collect();
        Example { rows, right: self.right.clone(), weight: 1.0 }
    }

    fn judge(&self, part: Part, known: &mut Known, fitted: Option<&Fitted>) {
        let columns = &self.table.columns;
        let ties = [signal::COUNT, signal::FOLDER, signal::COMPANIONS];
        let tied = self.right.iter().filter(|right| ties.iter().any(|tie| columns[*tie][**right] > 0.0)).count();
        let ceiling = tied as f64 / self.right.len() as f64;
        let mut boards = vec![&mut known.all[part as usize]];
        if self.is_change {
            boards.push(&mut known.changes[part as usize]);
        }
        boards.iter_mut().for_each(|board| board.ask(self.place, ceiling));
        let mut note = |method: &'static str, scores: &[f32]| {
            let marks = Marks::of(scores, &self.right);
            boards.iter_mut().for_each(|board| board.note(self.place, method, marks));
        };
        let chance = |person: &u32| Chance::new(self.place as u64 ^ (u64::from(*person) << 32)).unit() as f32;
        note("random", &self.table.files.iter().map(chance).collect::<Vec<f32>>());
        note("popular", &columns[signal::POPULAR]);
        note("path", &columns[signal::FOLDER]);
        note("counts", &columns[signal::COUNT]);
        note("decayed", &columns[signal::DECAYED]);
        let mixed = columns[signal::DECAYED].iter().zip(&columns[signal::RECENT]).map(|(own, all)| own + RECENT * all);
        note("mix", &mixed.collect::<Vec<f32>>());
        note("frozen", &columns[signal::FROZEN]);
        note("adapter", &columns[signal::ADAPTER]);
        for ((name, _), rows) in self.walk.texts.shown.iter().zip(&self.walk.shown) {
            let alike = fusion::likeness(&self.walk.tally, &self.files, rows);
            let score = |person: &u32| alike.get(person).copied().unwrap_or_default() as f32;
            note(name, &self.table.files.iter().map(score).collect::<Vec<f32>>());
        }
        let Some(fitted) = fitted else { return };
        for (name, weights) in fitted.methods(Question::Who) {
            note(name, &self.table.scores(weights));
        }
    }
}
