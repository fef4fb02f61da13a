//! The evidence for a hit: the line with most of the question's words, its newest commits and authors, or the session it
//! was said in.

use std::borrow::Cow;

use anyhow::Result;

use super::{Evidence, Hit, Reader};
use crate::entries::{self, SessionEntry};
use crate::event::cap_at;
use crate::eventlog;
use crate::facts::{Body, ItemKind, source_of};
use crate::history::{self, People};
use crate::item;
use crate::text_index::words;

/// Evidence commits a hit.
const COMMITS: usize = 2;
/// Longest line shown as evidence, in bytes.
const LINE: usize = 160;

/// Collects the evidence for a hit; `words` are the question's.
pub(super) fn evidence(
    reader: &Reader<'_>,
    hit: &Hit,
    seq: i64,
    words: &[String],
    people: &People,
) -> Result<Vec<Evidence>> {
    if let Some(said) = entries::by_seq(&reader.cache, reader.view.id, seq)? {
        return of_entry(reader, &said, words);
    }
    let mut evidence: Vec<Evidence> = line_of(reader, hit.line, seq, words)?.into_iter().collect();
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

/// Collects what an entry says beyond its first line, as far as it has words of the question, and where it was said.
fn of_entry(reader: &Reader<'_>, said: &SessionEntry, words: &[String]) -> Result<Vec<Evidence>> {
    let mut evidence = Vec::new();
    if said.n > 0 {
        let content = eventlog::event(&reader.cache, said.seq)?.entry()?.content;
        let rest = content.split_once('\n').map_or("", |(_, rest)| rest);
        evidence.extend(best_line(rest, words).map(|(_, text)| Evidence::Text { line: None, text }));
    }
    let session = entries::in_session(&reader.cache, reader.view.id, &said.session)?;
    let title = session.into_iter().find(|one| one.n == 0).map_or(String::new(), |one| one.name);
    evidence.push(Evidence::Session { session: source_of(&said.session), title, time: said.time });
    Ok(evidence)
}

/// Finds the line of a version's text, or else of its doc, with most of the words; `first` is where the text stands in its
/// file.
pub(super) fn line_of(reader: &Reader<'_>, first: Option<u32>, seq: i64, words: &[String]) -> Result<Option<Evidence>> {
    let event = eventlog::event(&reader.cache, seq)?;
    let (text, doc, is_function) = match event.body()? {
        Some(Body::Commit(data)) => {
            let rest = data.message.split_once('\n').map_or("", |(_, rest)| rest);
            (Cow::Owned(rest.to_string()), Cow::Borrowed(""), false)
        }
        Some(Body::Item(data)) => (data.text, data.doc, data.kind == ItemKind::Function),
        _ => return Ok(None),
    };
    let Some((offset, line)) = best_line(&text, words) else {
        let doc = best_line(&doc, words);
        return Ok(doc.map(|(_, text)| Evidence::Text { line: None, text }));
    };
    // A member stands as its name only in the text of what holds it, so lines of a container would be wrong.
    let exact = is_function && line_is_exact(reader, seq, &text)?;
    Ok(Some(Evidence::Text { line: first.filter(|_| exact).map(|first| first + offset), text: line }))
}

/// Returns whether a version's text has as many lines as it spans, so that an offset in one is an offset in the other.
fn line_is_exact(reader: &Reader<'_>, seq: i64, text: &str) -> Result<bool> {
    let item = item::by_seq(&reader.cache, reader.view.id, seq)?;
    Ok(item.is_some_and(|item| text.lines().count() as u32 == item.end_line - item.line + 1))
}

/// Finds the line with most of the words, and its offset.
fn best_line(text: &str, question: &[String]) -> Option<(u32, String)> {
    let count = |line: &str| {
        let line = words(line);
        question.iter().filter(|word| line.contains(word)).count()
    };
    let lines = text.lines().enumerate().map(|(offset, line)| (count(line), offset, line));
    let best = lines.filter(|(count, ..)| *count > 0).max_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)))?;
    Some((u32::try_from(best.1).ok()?, cap_at(best.2.trim(), LINE).to_string()))
}
