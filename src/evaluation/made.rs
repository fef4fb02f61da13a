//! Which commits were made in a session, asked of each by what was said in it. All that is known when it is over may
//! answer. Refuses time: a session's commits are the newest, and that would tell them from others.

use super::bm25::Bm25;
use super::board::{Board, Marks};
use super::fitted::{FIXED, FUSED, WITHOUT_ADAPTERS};
use super::sessions::Session;
use super::walk::Texts;
use super::{Part, Split};
use crate::chance::Chance;
use crate::embedding::{Rows, dot};
use crate::fusion::{self, Example, Prior, Table, Weights};
use crate::text_index;

/// Methods that learn nothing.
pub const PLAIN: [&str; 4] = ["random", "popular", "frozen", "bm25"];

/// What the columns say.
const ADAPTER: usize = 0;
const FROZEN: usize = 1;
const WORDS: usize = 2;
const SIGNALS: usize = 3;
/// Words of an entry that are looked for.
const MOST_WORDS: usize = fusion::MOST_WORDS;
/// A BM25 score of this is worth as much as a cosine of 1.
const BM25_SCALE: f32 = 20.0;
/// How sure it is before anything was seen that signals count alike, as a precision.
const SURE: f64 = 0.1;

/// Messages of commits, as far as they were taken in.
struct Messages<'a> {
    texts: &'a Texts<'a>,
    /// Steps, and the texts of their messages.
    taken: Vec<(u32, u32)>,
    documents: Bm25,
    upto: usize,
}

/// Asks sessions for their commits; by part.
pub fn made(split: &Split, texts: &Texts<'_>, sessions: &[Session]) -> [Board; 2] {
    let mut boards = [Board::default(), Board::default()];
    let mut messages = Messages { texts, taken: Vec::new(), documents: Bm25::default(), upto: 0 };
    let mut order: Vec<(usize, usize, &Session)> = Vec::new();
    for (unit, session) in sessions.iter().enumerate() {
        order.extend(session.commits.last().map(|last| (*last, unit, session)));
    }
    order.sort_by_key(|(last, unit, _)| (*last, *unit));
    let (mut examples, mut weights) = (Vec::new(), None);
    for (last, unit, session) in order {
        if !(texts.going_on)() {
            break;
        }
        messages.take(last);
        let fits = split.fit.contains(&session.place);
        if !fits && weights.is_none() {
            weights = Some(fit(&examples));
        }
        let part = if split.test.contains(&session.place) { Part::Test } else { Part::Validation };
        for text in &session.asks {
            let Some((table, right)) = messages.question(session, *text) else { continue };
            if fits {
                examples.push(example(&table, &right, session.asks.len(), unit));
            }
            messages.judge(&mut boards[part as usize], unit, *text, &table, &right, weights.as_ref());
        }
    }
    boards
}

fn example(table: &Table, right: &[usize], asks: usize, unit: usize) -> Example {
    let plain: Vec<f32> = table.columns[FROZEN].iter().zip(&table.columns[WORDS]).map(|(a, b)| a + b).collect();
    table.example(right, &plain, 1.0 / asks as f64, unit as u64)
}

/// With the adapter, and without.
fn fit(examples: &[Example]) -> [Weights; 2] {
    let with = Prior { mean: vec![1.0; SIGNALS], precision: vec![SURE; SIGNALS] };
    let mut without = with.clone();
    (without.mean[ADAPTER], without.precision[ADAPTER]) = (0.0, FIXED);
    [fusion::fit(examples, &with), fusion::fit(examples, &without)]
}

impl Messages<'_> {
    /// Takes in all commits up to one.
    fn take(&mut self, last: usize) {
        let material = self.texts.material;
        for place in self.upto..=last {
            let step = &material.timeline.steps[place];
            if let Some(text) = material.corpus.messages[place].filter(|_| !step.is_merge) {
                self.taken.push((place as u32, text));
                self.documents.add(place as u32, text_index::words(&step.message));
            }
        }
        self.upto = self.upto.max(last + 1);
    }

    /// One row a commit, and which are right; none where none has a message.
    fn question(&self, session: &Session, text: u32) -> Option<(Table, Vec<usize>)> {
        let material = self.texts.material;
        let cosines = |rows: &Rows| self.cosines(rows, text);
        let mut words = text_index::words(&material.corpus.texts[text as usize]);
        words.truncate(MOST_WORDS);
        let scores = self.documents.scores(&words);
        let said = self.taken.iter().map(|(place, _)| scores.get(place).copied().unwrap_or_default() / BM25_SCALE);
        let adapter = self.texts.adapter.map_or_else(|| vec![0.0; self.taken.len()], cosines);
        let columns = vec![adapter, cosines(&material.frozen), said.collect()];
        let files = self.taken.iter().map(|(place, _)| *place).collect();
        let row = |place: &usize| self.taken.binary_search_by_key(&(*place as u32), |(place, _)| *place).ok();
        let right: Vec<usize> = session.commits.iter().filter_map(row).collect();
        (!right.is_empty()).then_some((Table { files, columns }, right))
    }

    fn cosines(&self, rows: &Rows, text: u32) -> Vec<f32> {
        let query = rows.row(text);
        let cosine = |(_, message): &(u32, u32)| query.zip(rows.row(*message)).map_or(0.0, |(a, b)| dot(a, b));
        self.taken.iter().map(cosine).collect()
    }

    fn judge(
        &self,
        board: &mut Board,
        unit: usize,
        text: u32,
        table: &Table,
        right: &[usize],
        weights: Option<&[Weights; 2]>,
    ) {
        let tied = right.iter().filter(|row| table.columns[WORDS][**row] > 0.0).count();
        board.ask(unit, tied as f64 / right.len() as f64);
        let mut note = |method: &'static str, scores: &[f32]| board.note(unit, method, Marks::of(scores, right));
        let chance = |place: &u32| Chance::new(u64::from(text) ^ (u64::from(*place) << 32)).unit() as f32;
        note("random", &table.files.iter().map(chance).collect::<Vec<f32>>());
        // Nothing makes one commit more popular than another.
        note("popular", &vec![0.0; table.files.len()]);
        for (name, column) in [("bm25", WORDS), ("frozen", FROZEN), ("adapter", ADAPTER)] {
            note(name, &table.columns[column]);
        }
        for (name, rows) in self.texts.shown {
            note(name, &self.cosines(rows, text));
        }
        for (name, weights) in [FUSED, WITHOUT_ADAPTERS].into_iter().zip(weights.into_iter().flatten()) {
            note(name, &table.scores(weights));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::Material;
    use crate::evaluation::corpus::Corpus;
    use crate::history::{Step, Timeline};

    /// Commits whose messages are words, and texts that say those words; a vector is a direction a word.
    fn material(words: &[&str]) -> Material {
        let mut corpus = Corpus::default();
        let (mut timeline, mut frozen) = (Timeline::default(), Rows::new(words.len()));
        for (place, word) in words.iter().enumerate() {
            let (sha, message) = (format!("{place}"), (*word).to_string());
            let (authors, changes) = (Vec::new(), Vec::new());
            let (time, touched) = (place as i64, 1);
            timeline.steps.push(Step {
                seq: 0,
                sha,
                time,
                parents: Vec::new(),
                is_merge: false,
                authors,
                message,
                touched,
                changes,
            });
            corpus.messages.push(Some(place as u32));
            corpus.texts.push((*word).to_string());
            let same = words.iter().position(|other| other == word).expect("it is one of them");
            frozen.row_mut(place as u32)[same] = 1.0;
        }
        let split = Split { train: 0..2, fit: 2..4, gate: 4..5, test: 5..words.len(), is_measuring: true };
        Material { timeline, split, corpus, frozen, shas: Default::default() }
    }

    fn session(place: usize, says: u32, commits: &[usize]) -> Session {
        let (key, named) = (format!("session:{place}"), Vec::new());
        Session { key, place, goals: Vec::new(), asks: vec![says], named, commits: commits.to_vec() }
    }

    #[test]
    fn a_session_finds_its_commit_among_those_that_were_made_by_then() {
        let words = ["anchor", "basket", "candle", "desert", "engine", "falcon", "falcon", "guitar"];
        let material = material(&words);
        let texts = Texts { material: &material, adapter: None, shown: &[], compares: true, going_on: &|| true };
        let check = |session: Session, part: Part, method: &str, expect: f64| {
            let boards = made(&material.split, &texts, &[session]);
            assert_eq!(boards[part as usize].mrr(method), Some(expect), "{method}");
            assert_eq!(boards[1 - part as usize].questions(), 0);
        };
        check(session(2, 2, &[2]), Part::Validation, "bm25", 1.0);
        check(session(5, 5, &[5]), Part::Test, "frozen", 1.0);
        check(session(5, 5, &[5]), Part::Test, "fused", 1.0);
        // Both falcons say the same, and share the first two places.
        check(session(5, 6, &[6]), Part::Test, "bm25", 1.0 / 1.5);
        check(session(5, 0, &[6]), Part::Test, "popular", 1.0 / 4.0);
        let boards = made(&material.split, &texts, &[session(5, 5, &[])]);
        assert_eq!(boards.map(|board| board.questions()), [0, 0], "without a commit nothing is asked");
    }
}
