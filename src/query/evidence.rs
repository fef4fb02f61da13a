//! The evidence for a hit: the line with most of the question's words, the newest commits and authors, or its session.

use std::borrow::Cow;
use std::collections::HashSet;

use anyhow::Result;

use super::near;
use super::{Evidence, Hit, Reader};
use crate::entries::{self, SessionEntry};
use crate::event::cap_at;
use crate::eventlog;
use crate::facts::{Body, ItemKind, source_of};
use crate::history::{self, People};
use crate::item;
use crate::text_index::{split_identifiers, words};

/// How many commits are shown as evidence per hit.
const COMMITS: usize = 2;
/// The longest line that is shown as evidence, in bytes.
const LINE: usize = 160;

/// Collects the evidence for a hit. `words` are the words of the question.
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
    let line = match line_of(reader, hit.line, seq, words)? {
        Some(line) => Some(line),
        None => first_line(reader, seq)?,
    };
    let mut evidence: Vec<Evidence> = line.into_iter().collect();
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

/// Collects the evidence for a session entry: the best line after its first, and its session.
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

/// Finds the line of an item version's text, or else of its doc comment, with most of the words. `first` is the line of
/// the file on which the text starts.
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
    // In the text of a container only the names of its members are kept, so line offsets in it would be wrong.
    let exact = is_function && line_is_exact(reader, seq, &text)?;
    Ok(Some(Evidence::Text { line: first.filter(|_| exact).map(|first| first + offset), text: line }))
}

/// Quotes the doc comment of an item version, or else the first line of its text that has words and is not an import.
fn first_line(reader: &Reader<'_>, seq: i64) -> Result<Option<Evidence>> {
    let event = eventlog::event(&reader.cache, seq)?;
    let Some(Body::Item(data)) = event.body()? else { return Ok(None) };
    let telling = |line: &&str| line.chars().any(char::is_alphanumeric) && !is_import(line);
    // The text of a parsed file is a list of its definitions, and the first of them does not describe the file.
    let is_list = data.kind == ItemKind::File && data.language.is_some();
    let text = if is_list { "" } else { &data.text };
    let line = data.doc.lines().chain(text.lines()).map(str::trim).find(telling);
    Ok(line.map(|line| Evidence::Text { line: None, text: cap_at(line, LINE).to_string() }))
}

/// Returns the share of the question's words, from 0 to 1, that occur in a hit's key, doc comment or text.
pub(super) fn coverage(reader: &Reader<'_>, hit: &Hit, words: &[String]) -> Result<f64> {
    let Some(found) = near::by_key(reader, &hit.key)? else { return Ok(0.0) };
    let event = eventlog::event(&reader.cache, found.seq())?;
    let mut held: HashSet<String> = split_words(&hit.key).chain(split_words(&hit.name)).collect();
    match event.body()? {
        Some(Body::Commit(data)) => held.extend(split_words(&data.message)),
        Some(Body::Item(data)) => held.extend(split_words(&data.doc).chain(split_words(&data.text))),
        Some(Body::Entry(data)) => held.extend(split_words(&data.content)),
        _ => {}
    }
    let is_held = |word: &&String| held.contains(*word) || held.iter().any(|held| same_stem(held, word));
    Ok(words.iter().filter(is_held).count() as f64 / words.len().max(1) as f64)
}

fn split_words(text: &str) -> impl Iterator<Item = String> {
    let split = split_identifiers(text).to_lowercase();
    split.split(|c: char| !c.is_alphanumeric()).map(str::to_string).collect::<Vec<_>>().into_iter()
}

/// Returns whether two words differ only in a short ending: `retry` and `retries`, `hook` and `hooks`.
pub(super) fn same_stem(a: &str, b: &str) -> bool {
    let shared = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    shared >= 4 && a.len().max(b.len()) - shared <= 3
}

/// Returns whether a line only imports names, and so says nothing about its file.
fn is_import(line: &str) -> bool {
    const IMPORTS: [&str; 9] =
        ["use ", "pub use ", "import ", "from ", "#include", "require ", "require(", "using ", "package "];
    let line = line.trim_start();
    IMPORTS.iter().any(|import| line.starts_with(import))
        || (line.contains("require(") && line.contains('='))
        || line.starts_with("export ") && line.contains(" from ")
}

/// Returns whether a version's text has as many lines as the definition in its file, so that line offsets agree.
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
    let lines = text.lines().enumerate().filter(|(_, line)| !is_import(line));
    let lines = lines.map(|(offset, line)| (count(line), offset, line));
    let best = lines.filter(|(count, ..)| *count > 0).max_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)))?;
    Some((u32::try_from(best.1).ok()?, cap_at(best.2.trim(), LINE).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_is_never_what_a_file_says() {
        let words = ["parser".to_string()];
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(best_line(text, &words).map(|(_, line)| line).as_deref(), expect, "{text}");
        };
        check("use crate::parser::Parser;\nlet parser = 1;\n", Some("let parser = 1;"));
        check("from a import parser\nimport parser\nconst parser = require('p')\n", None);
        check("#include <parser.h>\nexport { parser } from './parser'\n", None);
        check("useful parser\n", Some("useful parser"));
    }

    #[test]
    fn words_match_but_for_their_ending() {
        let check = |a: &str, b: &str, expect: bool| assert_eq!(same_stem(a, b), expect, "{a} {b}");
        check("retry", "retries", true);
        check("hook", "hooks", true);
        check("test", "testament", false);
        check("in", "int", false);
    }
}
