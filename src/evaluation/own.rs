//! A dimension of items on its own task: what a definition calls, what has its shape, where it belongs. Refuses paths
//! where the path is the answer.

use super::Part;
use super::bm25::Bm25;
use super::board::{Board, Marks};
use super::fitted::FIXED;
use super::lessons::{Ask, Lessons, Probes};
use super::walk::Texts;
use crate::chance::Chance;
use crate::dimensions::{Dimension, Reads};
use crate::embedding::Rows;
use crate::fusion::{self, Prior, Table};
use crate::text_index;

/// Methods that learn nothing.
pub const PLAIN: [&str; 5] = ["random", "popular", "path", "frozen", "bm25"];

/// What the columns say.
const SIGNALS: usize = 5;
const ADAPTER: usize = 0;
const FROZEN: usize = 1;
const POPULAR: usize = 2;
const SAME_FILE: usize = 3;
const WORDS: usize = 4;
/// Words of a question that are looked for.
const MOST_WORDS: usize = 64;
/// A BM25 score of this is worth as much as a cosine of 1.
const BM25_SCALE: f32 = 20.0;
/// How sure it is before anything was seen that a signal says nothing, as a precision.
const SURE: f64 = 0.1;

/// The boards of an own task.
#[derive(Debug, Default)]
pub struct Owned {
    /// In validation (of which the answers are gated by what gates) and in test.
    pub boards: [Board; 2],
}

struct Library<'m> {
    texts: &'m Texts<'m>,
    dimension: &'m Dimension,
    documents: Bm25,
    most_texts: f32,
}

/// Asks a dimension's own questions: fits on what fits, and judges on what gates and what tests.
pub fn own(texts: &Texts<'_>, lessons: &Lessons, dimension: &Dimension) -> Owned {
    let mut owned = Owned::default();
    let library = Library::new(texts, &lessons.fit, dimension);
    let mut examples = Vec::new();
    library.ask(&lessons.fit, |ask, table| {
        let plain: Vec<f32> =
            (0..table.files.len()).map(|row| table.columns[FROZEN][row] + table.columns[WORDS][row]).collect();
        examples.push(table.example(&ask.right_rows(), &plain, 1.0, ask.unit as u64));
        library.note(&mut owned.boards[Part::Validation as usize], ask, table, None);
    });
    let with = Prior::flat(SIGNALS, SURE);
    let mut without = with.clone();
    without.precision[ADAPTER] = FIXED;
    let weights = [fusion::fit(&examples, &with), fusion::fit(&examples, &without)];
    for (part, probes) in [(Part::Validation, &lessons.gate), (Part::Test, &lessons.test)] {
        library.ask(probes, |ask, table| library.note(&mut owned.boards[part as usize], ask, table, Some(&weights)));
        if part == Part::Test {
            for (name, rows) in texts.shown {
                probes.judge(rows, name, &mut owned.boards[part as usize]);
            }
        }
    }
    owned
}

impl<'m> Library<'m> {
    fn new(texts: &'m Texts<'m>, probes: &Probes, dimension: &'m Dimension) -> Self {
        let corpus = &texts.material.corpus;
        let mut documents = Bm25::default();
        for (place, own) in (0..).zip(&probes.candidates) {
            match probes.owners.get(place as usize) {
                Some(owner) => documents.add(place, text_index::words(&corpus.items[*owner as usize].name)),
                None => {
                    own.iter().for_each(|text| documents.add(place, text_index::words(&corpus.texts[*text as usize])))
                }
            }
        }
        let most = probes.candidates.iter().map(Vec::len).max().unwrap_or(1);
        Library { texts, dimension, documents, most_texts: most as f32 }
    }

    fn ask(&self, probes: &Probes, mut judge: impl FnMut(&Ask, &Table)) {
        let frozen = &self.texts.material.frozen;
        let frozen = (frozen, probes.directions(frozen));
        let adapter = self.texts.adapter.map(|rows| (rows, probes.directions(rows)));
        for ask in &probes.asks {
            if !(self.texts.going_on)() {
                break;
            }
            let cosines = |(rows, directions): (&Rows, &Rows)| probes.cosines(rows, directions, ask);
            let none = || vec![0.0; probes.candidates.len()];
            let adapter = adapter.as_ref().map_or_else(none, |(rows, directions)| cosines((rows, directions)));
            let own = self.owner_columns(probes, ask);
            let columns = vec![adapter, cosines((frozen.0, &frozen.1)), own.0, own.1, own.2];
            // What must not be named is in no table.
            let kept: Vec<u32> =
                (0..probes.candidates.len() as u32).filter(|place| !ask.skip.contains(place)).collect();
            let pick = |column: Vec<f32>| kept.iter().map(|place| column[*place as usize]).collect();
            let right = ask.right.iter().filter_map(|right| kept.binary_search(right).ok().map(|row| row as u32));
            let ask = Ask { right: right.collect(), ..ask.clone() };
            let table = Table { columns: columns.into_iter().map(pick).collect(), files: kept };
            judge(&ask, &table);
        }
    }

    /// How many texts a candidate has, whether it is in the file of the question, and what their words share.
    fn owner_columns(&self, probes: &Probes, ask: &Ask) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
        let corpus = &self.texts.material.corpus;
        let popular =
            probes.candidates.iter().map(|texts| (texts.len() as f32).ln_1p() / self.most_texts.ln_1p()).collect();
        let mut same_file = vec![0.0; probes.candidates.len()];
        let is_edge = self.dimension.reads.contains(&Reads::Edges);
        let mut words = if is_edge {
            let asking = &corpus.items[ask.unit];
            for (value, owner) in same_file.iter_mut().zip(&probes.owners) {
                *value = f32::from(u8::from(corpus.items[*owner as usize].path == asking.path));
            }
            text_index::words(&asking.name)
        } else {
            text_index::words(&corpus.texts[ask.query as usize])
        };
        words.truncate(MOST_WORDS);
        let mut said = vec![0.0; probes.candidates.len()];
        for (place, score) in self.documents.scores(&words) {
            said[place as usize] = score / BM25_SCALE;
        }
        (popular, same_file, said)
    }

    fn note(&self, board: &mut Board, ask: &Ask, table: &Table, weights: Option<&[fusion::Weights; 2]>) {
        let right = ask.right_rows();
        let tied = |row: &&usize| table.columns[SAME_FILE..].iter().any(|column| column[**row] > 0.0);
        board.ask(ask.unit, right.iter().filter(tied).count() as f64 / right.len().max(1) as f64);
        let mut note = |method: &'static str, scores: &[f32]| board.note(ask.unit, method, Marks::of(scores, &right));
        let chance = |place: &u32| Chance::new(ask.unit as u64 ^ (u64::from(*place) << 32)).unit() as f32;
        note("random", &table.files.iter().map(chance).collect::<Vec<f32>>());
        for (name, column) in
            [("popular", POPULAR), ("path", SAME_FILE), ("bm25", WORDS), ("frozen", FROZEN), ("adapter", ADAPTER)]
        {
            note(name, &table.columns[column]);
        }
        for (name, weights) in ["fused", "fused_without_adapters"].into_iter().zip(weights.into_iter().flatten()) {
            note(name, &table.scores(weights));
        }
    }
}
