//! Predicts who will change some files next: ranks every author of the repository by weighted signals. Bots and agents
//! are left out, because they change what they are told to.

use std::collections::{HashMap, HashSet};

use anyhow::Result;

use super::Reader;
use super::signals::{Signals, scores};
use crate::dimensions::SOCIAL;
use crate::fusion::{self, Question};
use crate::history::{self, FileId, LARGEST_COMMIT, Person};
use crate::index::VectorReader;

/// Ranks all authors by how likely they are to change some files next, best first.
///
/// `score` is the weighted sum of signals, and `share` the predicted probability.
pub fn likely_next(reader: &Reader<'_>, vectors: &VectorReader<'_>, paths: &[String]) -> Result<Vec<Person>> {
    let people = reader.people()?;
    let only: &[&str] = if let [path] = paths { &[path] } else { &[] };
    let mut signals = Signals::count(reader, only)?;
    signals.see(reader, vectors, &SOCIAL)?;
    let (history, [base, projected]) = (&signals.history, &signals.seen);
    let files = asked_files(&signals, paths);
    let table = fusion::people_table(&history.counts, &history.paths, &files, &base.files, &projected.files);
    let scores = scores(reader, Question::Who, &table, signals.model.as_deref())?;
    let touched = history::who(&reader.cache, reader.view.id, reader.time(), paths, &people)?;
    let mut touched: HashMap<String, Person> =
        touched.into_iter().map(|person| (format!("{} <{}>", person.name, person.email), person)).collect();
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let all: f64 = scores.iter().map(|score| (score - most).exp()).sum();
    let mut likely = Vec::with_capacity(scores.len());
    for (person, score) in table.candidates.iter().zip(&scores) {
        let called = &history.people[*person as usize];
        let known = touched.remove(called).or_else(|| people.called(called, reader.time()));
        likely.extend(known.map(|known| Person { score: *score, share: (score - most).exp() / all, ..known }));
    }
    likely.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.email.cmp(&b.email)));
    Ok(likely)
}

/// Returns the files in question. Of very many, only those that changed most recently: as many as the largest commit
/// that is counted.
fn asked_files(signals: &Signals<'_>, paths: &[String]) -> Vec<FileId> {
    let (history, wanted) = (&signals.history, paths.iter().map(String::as_str).collect::<HashSet<&str>>());
    let mut files: Vec<FileId> = history.counts.live().filter(|file| wanted.contains(history.path(*file))).collect();
    if files.len() > LARGEST_COMMIT as usize {
        let popularity = history.counts.popularity();
        files.sort_by(|a, b| popularity[*b as usize].total_cmp(&popularity[*a as usize]).then(a.cmp(b)));
        files.truncate(LARGEST_COMMIT as usize);
    }
    files
}
