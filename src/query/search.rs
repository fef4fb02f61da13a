//! Words to hits by full text: what is live, definitions and names above mentions, tests below what they test.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use anyhow::Result;
use rusqlite::{OptionalExtension, named_params};

use super::{Evidence, Filter, Hit, Reader};
use crate::event::cap_at;
use crate::history::{self, CommitRef, People};
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

enum Found {
    Item(Item),
    Commit(i64, CommitRef),
}

/// Ranks what matches some of the words; best first, ties by key.
pub fn search(reader: &Reader<'_>, question: &str, filter: &Filter) -> Result<Vec<Hit>> {
    let words = words(question);
    let asks_for_noise = words
        .iter()
        .any(|word| ["test", "tests", "example", "examples", "bench", "benches", "fixture"].contains(&word.as_str()));
    let mut found: Vec<(f64, Found)> = Vec::new();
    // Equals of the last one are all looked at, whichever of them came in first.
    let (mut looked_at, mut last) = (0, f64::INFINITY);
    text_index::search(&reader.cache, &words, |one| {
        if looked_at >= LOOKED_AT && found.len() >= filter.k && one.score < last {
            return Ok(ControlFlow::Break(()));
        }
        (looked_at, last) = (looked_at + 1, one.score);
        let Some(what) = live(reader, one.seq, filter)? else { return Ok(ControlFlow::Continue(())) };
        let weight = match &what {
            Found::Item(item) => {
                let noise = if !asks_for_noise && is_test(item) { NOISE_WEIGHT } else { 1.0 };
                kind_weight(&item.kind) * noise * name_boost(item, &words)
            }
            Found::Commit(..) => kind_weight("commit"),
        };
        found.push((one.score * weight, what));
        Ok(ControlFlow::Continue(()))
    })?;
    let mut ranked: Vec<(Hit, i64)> = found.into_iter().map(|(score, found)| hit(found, score)).collect();
    ranked.sort_by(|(a, _), (b, _)| b.score.total_cmp(&a.score).then_with(|| a.key.cmp(&b.key)));
    ranked.truncate(filter.k);
    let people = reader.people()?;
    for (rank, (hit, seq)) in ranked.iter_mut().enumerate() {
        hit.ranks = BTreeMap::from([("text", rank + 1)]);
        hit.evidence = evidence(reader, hit, *seq, &words, &people)?;
    }
    Ok(ranked.into_iter().map(|(hit, _)| hit).collect())
}

fn live(reader: &Reader<'_>, seq: i64, filter: &Filter) -> Result<Option<Found>> {
    if let Some(item) = item::by_seq(&reader.cache, reader.view.id, seq)? {
        let keeps = filter.keeps_kind(&item.kind)
            && filter.keeps_path(&item.path)
            && touched_since(reader, &item.path, filter.since)?;
        return Ok(keeps.then_some(Found::Item(item)));
    }
    if !filter.keeps_kind("commit") || filter.path.is_some() {
        return Ok(None);
    }
    let mut reachable = reader.cache.prepare_cached("SELECT 1 FROM reachable WHERE seq = :seq")?;
    if !reachable.exists(named_params! {":seq": seq})? {
        return Ok(None);
    }
    let commit =
        history::commit_ref(&reader.cache, seq)?.filter(|commit| filter.since.is_none_or(|since| commit.time >= since));
    Ok(commit.map(|commit| Found::Commit(seq, commit)))
}

pub(super) fn touched_since(reader: &Reader<'_>, path: &str, since: Option<i64>) -> Result<bool> {
    let Some(since) = since else { return Ok(true) };
    let mut newest = reader.cache.prepare_cached(
        "SELECT max(time) FROM path JOIN touched ON touched.path = path.id JOIN reachable ON reachable.seq = touched.commit_seq
         JOIN commit_row ON commit_row.seq = touched.commit_seq WHERE path.path = :path",
    )?;
    let time: Option<i64> = newest.query_row(named_params! {":path": path}, |row| row.get(0)).optional()?.flatten();
    Ok(time.is_some_and(|time| time >= since))
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

fn hit(found: Found, score: f64) -> (Hit, i64) {
    let empty = |key: String, kind: String, path: Option<String>, line: Option<u32>, name: String| Hit {
        key,
        kind,
        path,
        line,
        name,
        score,
        ranks: BTreeMap::new(),
        evidence: Vec::new(),
    };
    match found {
        Found::Item(item) => {
            let name = if item.kind == "file" { item.name } else { item.qualified };
            (empty(item.key, item.kind, Some(item.path), Some(item.line), name), item.seq)
        }
        Found::Commit(seq, commit) => {
            (empty(format!("commit:{}", commit.commit), "commit".into(), None, None, commit.subject), seq)
        }
    }
}

fn evidence(reader: &Reader<'_>, hit: &Hit, seq: i64, words: &[String], people: &People) -> Result<Vec<Evidence>> {
    let mut evidence = Vec::new();
    let text = match hit.kind.as_str() {
        "commit" => reader.text_of(seq, "message")?.lines().skip(1).collect::<Vec<_>>().join("\n"),
        _ => reader.text_of(seq, "text")?,
    };
    if let Some((offset, line)) = best_line(&text, words) {
        // A member stands as its name only in the text of what holds it, so lines of a container would be wrong.
        let exact = hit.kind == "function" && line_is_exact(reader, seq, &text)?;
        let line_number = hit.line.filter(|_| exact).map(|first| first + offset);
        evidence.push(Evidence::Text { line: line_number, text: line });
    }
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
