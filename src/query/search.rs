//! Words to hits: by full text, definitions and names above mentions, tests below what they test; and by what means
//! about the same. Refuses what does not stand in the asking view.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::rc::Rc;

use anyhow::Result;

use super::nearest::nearest;
use super::{Asked, Evidence, Filter, Found, Hit, Reader, live, near};
use crate::derive::source_of;
use crate::entries::{self, Said};
use crate::event::cap_at;
use crate::history::{self, People};
use crate::index;
use crate::item::{self, Item};
use crate::syntax::is_noise;
use crate::text_index::{self, words};

/// Matches that are looked at before the best are chosen: names, kinds and tests move a hit up or down among them.
const LOOKED_AT: usize = 200;
/// Evidence commits a hit.
const COMMITS: usize = 2;
/// Longest line shown as evidence, in bytes.
const LINE: usize = 160;

/// How much a kind counts: a commit is a pointer to what is looked for, and seldom the thing.
fn kind_weight(kind: &str) -> f64 {
    match kind {
        "commit" => 0.5,
        "session" => 0.6,
        "constant" => 0.8,
        "file" => 0.9,
        _ => 1.0,
    }
}

/// What a test, fixture or example keeps of its score, unless the question asks for one.
const NOISE_WEIGHT: f64 = 0.5;
/// What a hit gains when every word of the question is in its name.
const NAME_BOOST: f64 = 0.8;
/// What a hit gains when the question says all of its name.
const WHOLE_NAME_BOOST: f64 = 0.7;

/// What matches best in words is worth 1, and what is most alike this much: between half and all of it messages of
/// commits found the files they changed best, on two histories.
const ALIKE_WEIGHT: f64 = 0.7;
/// What matches gains this share where it stands in the file that the question is likeliest about.
const LIKELY_WEIGHT: f64 = 1.0;
/// Vectors looked at before the best are chosen.
const ALIKE_LOOKED_AT: usize = 60;
/// What is less alike than this is found by its words or not at all.
const LEAST_ALONE: f32 = 0.4;

/// Words that ask for a reason, as they are written.
const WHY_WORDS: &[&str] = &["why", "reason", "reasons", "decide", "decided", "decision", "rationale"];
/// What was decided gains so much where a reason is asked for, and what was hard half as much.
const WHY_BOOST: f64 = 1.0;

/// Words that ask for what is otherwise put behind.
const NOISE_WORDS: &[&str] = &["test", "tests", "example", "examples", "bench", "benches", "fixture"];

/// What a candidate is worth.
struct Candidate {
    found: Found,
    /// bm25 and what moves it up or down; 0 where no word matched.
    text: f64,
    /// Cosine with the question; none without a vector.
    alike: Option<f32>,
    /// What its kind and place are worth.
    weight: f64,
}

/// A search under way: words first, while the model may still be loading; then, if there is one, what the question
/// means; then the hits.
pub struct Search<'r, 's> {
    reader: &'r Reader<'s>,
    filter: &'r Filter,
    words: Vec<String>,
    asks_for_noise: bool,
    asks_why: bool,
    candidates: HashMap<i64, Candidate>,
    people: Rc<People>,
    meant: Option<&'static str>,
}

impl<'r, 's> Search<'r, 's> {
    /// Looks for what matches some of the words of a question.
    pub fn by_words(reader: &'r Reader<'s>, question: &str, filter: &'r Filter) -> Result<Self> {
        let words = words(question);
        let asks_for_noise = words.iter().any(|word| NOISE_WORDS.contains(&word.as_str()));
        let mut search = Search {
            reader,
            filter,
            words,
            asks_for_noise,
            asks_why: question.to_lowercase().split(|c: char| !c.is_alphabetic()).any(|word| WHY_WORDS.contains(&word)),
            candidates: HashMap::new(),
            people: reader.people()?,
            meant: None,
        };
        let mut candidates = HashMap::new();
        // Equals of the last one are all looked at, whichever of them came in first.
        let (mut looked_at, mut last) = (0, f64::INFINITY);
        text_index::search(&reader.cache, &search.words, |one| {
            if looked_at >= LOOKED_AT && candidates.len() >= filter.k && one.score < last {
                return Ok(ControlFlow::Break(()));
            }
            (looked_at, last) = (looked_at + 1, one.score);
            let Some(found) = live(reader, one.seq)? else { return Ok(ControlFlow::Continue(())) };
            if found.passes(reader, filter)? {
                let weight = search.weight(&found);
                let boost = if let Found::Item(item) = &found { name_boost(item, &search.words) } else { 1.0 };
                candidates.insert(one.seq, Candidate { found, text: one.score * weight * boost, alike: None, weight });
            }
            Ok(ControlFlow::Continue(()))
        })?;
        search.candidates = candidates;
        Ok(search)
    }

    /// Adds what means about the same, and to what matched its words how much it does.
    pub fn by_meaning(&mut self, asked: &Asked<'_>) -> Result<()> {
        let (reader, filter) = (self.reader, self.filter);
        for (found, cosine) in nearest(reader, asked.place(), ALIKE_LOOKED_AT.max(filter.k), filter, |_| true)? {
            if cosine >= LEAST_ALONE {
                let weight = self.weight(&found);
                self.candidates.entry(found.seq()).or_insert(Candidate { found, text: 0.0, alike: None, weight });
            }
        }
        for (seq, candidate) in &mut self.candidates {
            if let Some(text) = index::text_of_item(&reader.cache, *seq)? {
                candidate.alike = asked.vectors.score(asked.space, &asked.projection, text)?;
            }
        }
        self.meant = Some(asked.name());
        Ok(())
    }

    /// The best of what was found, with evidence; ties by key. `likely` is how likely the question is about each file.
    pub fn hits(self, likely: &HashMap<&str, f64>) -> Result<Vec<Hit>> {
        let mut hits = Vec::new();
        for (candidate, score, ranks) in ranked(self.candidates, self.meant, likely, self.filter.k) {
            let (seq, alike) = (candidate.found.seq(), candidate.alike);
            let mut hit = candidate.found.into_hit(score);
            hit.ranks = ranks;
            hit.evidence = evidence(self.reader, &hit, seq, &self.words, &self.people)?;
            if let (Some(dimension), Some(cosine)) = (self.meant, alike) {
                hit.evidence.push(Evidence::Near { dimension, cosine });
            }
            hits.push(hit);
        }
        Ok(hits)
    }

    fn weight(&self, found: &Found) -> f64 {
        match found {
            Found::Item(item) => {
                kind_weight(&item.kind) * if !self.asks_for_noise && is_test(item) { NOISE_WEIGHT } else { 1.0 }
            }
            Found::Said(said) if self.asks_why => match said.kind.as_str() {
                "decision" => kind_weight("decision") * (1.0 + WHY_BOOST),
                "challenge" => kind_weight("challenge") * (1.0 + WHY_BOOST / 2.0),
                kind => kind_weight(kind),
            },
            Found::Commit(..) | Found::Said(..) => kind_weight(found.kind()),
        }
    }
}

/// The best of the candidates with their scores, and the place that words and vectors alone would give them.
fn ranked(
    candidates: HashMap<i64, Candidate>,
    meant: Option<&'static str>,
    likely: &HashMap<&str, f64>,
    k: usize,
) -> Vec<(Candidate, f64, BTreeMap<&'static str, usize>)> {
    let mut all: Vec<(String, Candidate)> =
        candidates.into_values().map(|candidate| (candidate.found.key(), candidate)).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    let best = |part: fn(&Candidate) -> f64| all.iter().map(|(_, one)| part(one)).fold(0.0, f64::max);
    let alike = |one: &Candidate| f64::from(one.alike.unwrap_or(0.0).max(0.0)) * one.weight;
    let (most_text, most_alike) = (best(|one| one.text), best(alike));
    let share = |part: f64, most: f64| if most > 0.0 { part / most } else { 0.0 };
    let by_file = |one: &Candidate| match &one.found {
        Found::Item(item) => likely.get(item.path.as_str()).copied().unwrap_or_default(),
        Found::Commit(..) | Found::Said(..) => 0.0,
    };
    let place = |part: &dyn Fn(&Candidate) -> f64| -> Vec<Option<usize>> {
        let mut order: Vec<usize> = (0..all.len()).filter(|at| part(&all[*at].1) > 0.0).collect();
        order.sort_by(|a, b| part(&all[*b].1).total_cmp(&part(&all[*a].1)).then_with(|| a.cmp(b)));
        let mut places = vec![None; all.len()];
        for (rank, at) in order.into_iter().enumerate() {
            places[at] = Some(rank + 1);
        }
        places
    };
    let by_text = place(&|one| one.text);
    let by_meaning = place(&alike);
    let mut scored: Vec<(Candidate, f64, BTreeMap<&'static str, usize>)> = all
        .into_iter()
        .enumerate()
        .map(|(at, (_, one))| {
            let matched = share(one.text, most_text) + ALIKE_WEIGHT * share(alike(&one), most_alike);
            let score = matched * (1.0 + LIKELY_WEIGHT * by_file(&one));
            let mut ranks = BTreeMap::new();
            ranks.extend(by_text[at].map(|rank| ("text", rank)));
            ranks.extend(meant.zip(by_meaning[at]));
            (one, score, ranks)
        })
        .collect();
    scored.sort_by(|a, b| b.1.total_cmp(&a.1));
    scored.truncate(k);
    scored
}

/// Ranks what is alike in one dimension, words apart; best first.
pub fn search_alike(reader: &Reader<'_>, question: &str, filter: &Filter, asked: &Asked<'_>) -> Result<Vec<Hit>> {
    let words = words(question);
    let holds = |found: &Found| asked.holds(found.kind());
    let mut hits = near::alike(reader, asked.place(), filter.k, filter, asked.name(), holds)?;
    let people = reader.people()?;
    for (rank, hit) in hits.iter_mut().enumerate() {
        let own = asked.dimensions.iter().filter(|dimension| dimension.holds.kind(&hit.kind));
        hit.ranks = own.map(|dimension| (dimension.name, rank + 1)).collect();
        if let Some(found) = near::by_key(reader, &hit.key)? {
            let reasons = evidence(reader, hit, found.seq(), &words, &people)?;
            hit.evidence.splice(0..0, reasons);
        }
    }
    Ok(hits)
}

/// A test, fixture or example: by its path, or by how tests are written inside the file they test.
fn is_test(item: &Item) -> bool {
    let inside = item.qualified.split("::").any(|part| part == "tests" || part == "test");
    is_noise(&item.path) || (item.kind != "file" && (inside || item.name.starts_with("test_")))
}

fn name_boost(item: &Item, question: &[String]) -> f64 {
    let name = if item.kind == "file" { item.name.split('.').next().unwrap_or(&item.name) } else { &item.name };
    let name = words(name);
    let covered = question.iter().filter(|word| name.contains(word)).count() as f64 / question.len().max(1) as f64;
    let whole = !name.is_empty() && name.iter().all(|word| question.contains(word));
    1.0 + NAME_BOOST * covered + if whole { WHOLE_NAME_BOOST } else { 0.0 }
}

fn evidence(reader: &Reader<'_>, hit: &Hit, seq: i64, words: &[String], people: &People) -> Result<Vec<Evidence>> {
    if let Some(said) = entries::by_seq(&reader.cache, reader.view.id, seq)? {
        return said_in(reader, &said, words);
    }
    let mut evidence: Vec<Evidence> = line_of(reader, &hit.kind, hit.line, seq, words)?.into_iter().collect();
    match &hit.path {
        Some(path) => {
            let commits = history::newest_commits(&reader.cache, reader.view.id, path, COMMITS)?;
            evidence.extend(commits.into_iter().map(Evidence::Commit));
            evidence.extend(reader.authors(path, people)?);
        }
        None => {
            if let Some(commit) = history::commit_ref(&reader.cache, seq)? {
                evidence.push(Evidence::Commit(commit));
            }
        }
    }
    Ok(evidence)
}

/// What an entry says, as far as it has words of the question beyond its first line, and where it was said.
fn said_in(reader: &Reader<'_>, said: &Said, words: &[String]) -> Result<Vec<Evidence>> {
    let mut evidence = Vec::new();
    if said.n > 0 {
        let content = reader.text_of(said.seq, "content")?;
        let rest = content.split_once('\n').map_or("", |(_, rest)| rest);
        evidence.extend(best_line(rest, words).map(|(_, text)| Evidence::Text { line: None, text }));
    }
    let session = entries::in_session(&reader.cache, reader.view.id, &said.session)?;
    let title = session.into_iter().find(|one| one.n == 0).map_or(String::new(), |one| one.name);
    evidence.push(Evidence::Session { session: source_of(&said.session), title, time: said.time });
    Ok(evidence)
}

/// The line of a version's text, or else of its doc, with most of the words, as evidence; `first` is where the text stands
/// in its file.
pub(super) fn line_of(
    reader: &Reader<'_>,
    kind: &str,
    first: Option<u32>,
    seq: i64,
    words: &[String],
) -> Result<Option<Evidence>> {
    let text = match kind {
        "commit" => reader.text_of(seq, "message")?.lines().skip(1).collect::<Vec<_>>().join("\n"),
        _ => reader.text_of(seq, "text")?,
    };
    let Some((offset, line)) = best_line(&text, words) else {
        let doc = best_line(&reader.text_of(seq, "doc")?, words);
        return Ok(doc.map(|(_, text)| Evidence::Text { line: None, text }));
    };
    // A member stands as its name only in the text of what holds it, so lines of a container would be wrong.
    let exact = kind == "function" && line_is_exact(reader, seq, &text)?;
    Ok(Some(Evidence::Text { line: first.filter(|_| exact).map(|first| first + offset), text: line }))
}

/// Whether a version's text has as many lines as it spans, so that an offset in one is an offset in the other.
fn line_is_exact(reader: &Reader<'_>, seq: i64, text: &str) -> Result<bool> {
    let item = item::by_seq(&reader.cache, reader.view.id, seq)?;
    Ok(item.is_some_and(|item| text.lines().count() as u32 == item.end_line - item.line + 1))
}

/// The line with most of the words, and its offset.
fn best_line(text: &str, question: &[String]) -> Option<(u32, String)> {
    let count = |line: &str| {
        let line = words(line);
        question.iter().filter(|word| line.contains(word)).count()
    };
    let lines = text.lines().enumerate().map(|(offset, line)| (count(line), offset, line));
    let best = lines.filter(|(count, ..)| *count > 0).max_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)))?;
    Some((u32::try_from(best.1).ok()?, cap_at(best.2.trim(), LINE).to_string()))
}
