//! What a dimension is trained on and asked: groups of texts from what trains, and questions from what fits, gates and
//! tests. A dimension of commits is parted by time; one of items by a hash of their keys. Refuses to put a text on two
//! sides.

mod commits;
mod items;

use std::collections::HashMap;

use super::Material;
use super::board::{Board, Marks};
use crate::adapter::Groups;
use crate::dimensions::{Dimension, Reads};
use crate::embedding::{Rows, dot};
use crate::history::LARGEST_COMMIT;

/// Most questions of a part: more say no more.
const MOST: usize = 1500;

/// One question.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What it is drawn with: a commit's step, or an item.
    pub unit: usize,
    /// The text that asks.
    pub query: u32,
    /// The right candidates.
    pub right: Vec<u32>,
    /// Candidates that are the question itself.
    pub skip: Vec<u32>,
}

/// Questions with what may answer them.
#[derive(Debug, Clone, Default)]
pub struct Probes {
    /// Each candidate is some texts; its vector is the direction of their sum.
    pub candidates: Vec<Vec<u32>>,
    /// The item that a candidate is, by its place in the corpus; empty where candidates are no items.
    pub owners: Vec<u32>,
    /// The questions.
    pub asks: Vec<Ask>,
}

/// Everything for one dimension.
#[derive(Debug, Default)]
pub struct Lessons {
    /// Texts that belong together, of what trains.
    pub groups: Groups,
    /// To stop training by.
    pub fit: Probes,
    /// To let it through by.
    pub gate: Probes,
    /// To report.
    pub test: Probes,
}

impl Ask {
    /// The right candidates, as places among the scores.
    pub fn right_rows(&self) -> Vec<usize> {
        self.right.iter().map(|right| *right as usize).collect()
    }

    /// Puts last what the question must not name: itself.
    pub fn hide(&self, scores: &mut [f32]) {
        for skip in &self.skip {
            scores[*skip as usize] = f32::NEG_INFINITY;
        }
    }
}

impl Probes {
    /// What vectors make of the questions; `rows` are the texts as some method sees them.
    pub fn judge(&self, rows: &Rows, method: &'static str, board: &mut Board) {
        let candidates = self.directions(rows);
        for ask in &self.asks {
            board.note(ask.unit, method, Marks::of(&self.cosines(rows, &candidates, ask), &ask.right_rows()));
        }
    }

    /// The vector of each candidate.
    pub fn directions(&self, rows: &Rows) -> Rows {
        let mut candidates = Rows::new(rows.width);
        for (place, texts) in (0..).zip(&self.candidates) {
            let sum = candidates.row_mut(place);
            for row in texts.iter().filter_map(|text| rows.row(*text)) {
                sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
            let length = dot(sum, sum).sqrt();
            if length > 0.0 {
                sum.iter_mut().for_each(|value| *value /= length);
            }
        }
        candidates
    }

    /// The cosine of a question with each candidate; what the question must not name is last.
    pub fn cosines(&self, rows: &Rows, candidates: &Rows, ask: &Ask) -> Vec<f32> {
        let query = rows.row(ask.query);
        let score = |candidate: u32| query.zip(candidates.row(candidate)).map_or(0.0, |(a, b)| dot(a, b));
        let mut scores: Vec<f32> = (0..self.candidates.len() as u32).map(score).collect();
        ask.hide(&mut scores);
        scores
    }

    /// The mean reciprocal rank.
    pub fn mrr(&self, rows: &Rows) -> f64 {
        let mut board = Board::default();
        self.judge(rows, "adapter", &mut board);
        board.mrr("adapter").unwrap_or_default()
    }

    /// The same questions over the texts that they name alone, and those texts' vectors.
    pub fn compact(&self, rows: &Rows) -> (Probes, Rows) {
        let (mut place, mut own) = (HashMap::new(), Rows::new(rows.width));
        let mut renumber = |text: &u32| -> u32 {
            *place.entry(*text).or_insert_with(|| {
                let next = own.count() as u32;
                own.row_mut(next).copy_from_slice(rows.row(*text).unwrap_or(&vec![0.0; rows.width]));
                next
            })
        };
        let candidates = self.candidates.iter().map(|texts| texts.iter().map(&mut renumber).collect()).collect();
        let asks = self.asks.iter().map(|ask| Ask { query: renumber(&ask.query), ..ask.clone() }).collect();
        (Probes { candidates, owners: self.owners.clone(), asks }, own)
    }

    /// No more questions than that, spread evenly.
    pub fn thin(mut self, most: usize) -> Self {
        let stride = self.asks.len().div_ceil(most).max(1);
        self.asks = self.asks.into_iter().step_by(stride).collect();
        self
    }
}

/// What is learned from: what an experiment may narrow.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Commits of more files say nothing.
    pub largest_commit: usize,
    /// Only the newest commits that train; none takes all.
    pub newest: Option<usize>,
    /// Largest group that is learned from.
    pub largest_group: usize,
    /// Paths whose items are left out.
    pub ignore: globset::GlobSet,
    /// Whether a pair of a large group says as much as one of a small group.
    pub weigh_alike: bool,
    /// Whether what was said in sessions is learned from, too. It makes answers to sessions worse where it was measured.
    pub sessions: bool,
}

impl Default for Choice {
    fn default() -> Self {
        Choice {
            largest_commit: LARGEST_COMMIT as usize,
            newest: None,
            largest_group: usize::MAX,
            ignore: globset::GlobSet::empty(),
            weigh_alike: false,
            sessions: false,
        }
    }
}

/// The lessons of a dimension.
pub fn lessons(dimension: &Dimension, material: &Material, choice: &Choice) -> Lessons {
    match dimension.reads.contains(&Reads::Commits) {
        true => commits::lessons(dimension, material, choice),
        false => items::lessons(dimension, material, choice),
    }
}
