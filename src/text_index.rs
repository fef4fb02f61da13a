//! Full text search (FTS5) over names, paths, docs and bodies of everything live in some view, with identifiers split.
//!
//! Invariant: a text that no view shows is not in the index.

use std::ops::ControlFlow;

use anyhow::Result;
use rusqlite::{Connection, named_params};

use crate::event::Seq;
use crate::sqlite;

/// The tables of this module.
///
/// The index is contentless: the texts are in the log. `text_expected` records versions that became live or ceased to
/// be live, in the transaction that changes the view; the index is updated in a later transaction.
pub const SCHEMA: &str = "
CREATE TABLE text_expected(seq INTEGER PRIMARY KEY, is_live INTEGER NOT NULL) STRICT;
CREATE VIRTUAL TABLE text_index USING fts5(
  name, path, doc, body, content='', contentless_delete=1, tokenize='porter unicode61 remove_diacritics 2'
);
";

/// The searchable fields of a text, as written; identifiers are split here.
#[derive(Debug, Clone, Copy, Default)]
pub struct TextFields<'a> {
    /// Qualified name, `Parser::parse`; a commit's subject.
    pub name: &'a str,
    /// Encoded path; empty for a commit.
    pub path: &'a str,
    /// Doc comment; the rest of a commit's message.
    pub doc: &'a str,
    /// Source code or prose.
    pub body: &'a str,
}

/// A matching item version.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// Position of its event.
    pub seq: Seq,
    /// BM25 score; larger is better.
    pub score: f64,
}

/// BM25 weights of name, path, doc and body: a definition's name is the best evidence of its purpose.
const WEIGHTS: (f64, f64, f64, f64) = (10.0, 4.0, 4.0, 1.0);

/// Stop words.
const STOP_WORDS: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "how", "i", "in", "is", "it",
    "its", "of", "on", "or", "that", "the", "this", "to", "was", "we", "what", "when", "where", "which", "who", "why",
    "with",
];

/// Adds a version unless it is indexed already; the text of a version never changes.
pub fn put(cache: &Connection, seq: Seq, entry: &TextFields<'_>) -> Result<()> {
    if cache.prepare_cached("SELECT 1 FROM text_index WHERE rowid = :seq")?.exists(named_params! {":seq": seq})? {
        return Ok(());
    }
    cache
        .prepare_cached(
            "INSERT INTO text_index(rowid, name, path, doc, body) VALUES (:seq, :name, :path, :doc, :body)",
        )?
        .execute(named_params! {
            ":seq": seq, ":name": split_identifiers(entry.name), ":path": split_identifiers(entry.path),
            ":doc": split_identifiers(entry.doc), ":body": split_identifiers(entry.body),
        })?;
    Ok(())
}

/// An in-memory index, for evaluation.
pub struct InMemory(Connection);

impl InMemory {
    /// Returns an empty index.
    pub fn new() -> Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(SCHEMA)?;
        Ok(InMemory(connection))
    }

    /// Like [`put`].
    pub fn put(&self, row: Seq, entry: &TextFields<'_>) -> Result<()> {
        put(&self.0, row, entry)
    }

    /// Like [`each_containing`].
    pub fn each_containing(&self, word: &str, visit: impl FnMut(Seq)) -> Result<()> {
        each_containing(&self.0, word, visit)
    }

    /// Like [`search`].
    pub fn search(&self, words: &[String], visit: impl FnMut(Match) -> Result<ControlFlow<()>>) -> Result<()> {
        search(&self.0, words, visit)
    }
}

/// Removes versions.
pub fn remove(cache: &Connection, seqs: &[Seq]) -> Result<()> {
    cache
        .prepare_cached("DELETE FROM text_index WHERE rowid IN (SELECT value FROM json_each(:seqs))")?
        .execute(named_params! {":seqs": sqlite::json_array(seqs)})?;
    Ok(())
}

/// Records that versions became live or ceased to be, so that the index is updated later.
pub fn record_change(cache: &Connection, seqs: &[Seq], is_live: bool) -> Result<()> {
    cache
        .prepare_cached(
            "INSERT OR REPLACE INTO text_expected(seq, is_live) SELECT value, :is_live FROM json_each(:seqs)",
        )?
        .execute(named_params! {":seqs": sqlite::json_array(seqs), ":is_live": is_live})?;
    Ok(())
}

/// Returns the recorded versions that the index does not reflect yet: those to add, or those to remove.
pub fn recorded_changes(cache: &Connection, is_live: bool) -> Result<Vec<Seq>> {
    let mut statement = cache.prepare_cached("SELECT seq FROM text_expected WHERE is_live = :is_live ORDER BY seq")?;
    Ok(statement.query_map(named_params! {":is_live": is_live}, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// Marks the index as up to date with everything recorded.
pub fn clear_changes(cache: &Connection) -> Result<()> {
    cache.execute("DELETE FROM text_expected", [])?;
    Ok(())
}

/// Returns whether the index is up to date.
pub fn is_current(cache: &Connection) -> Result<bool> {
    Ok(!cache.prepare_cached("SELECT 1 FROM text_expected")?.exists([])?)
}

/// Merges the index's segments, which pays off after many changes.
pub fn optimize(cache: &Connection) -> Result<()> {
    cache.execute("INSERT INTO text_index(text_index) VALUES ('optimize')", [])?;
    Ok(())
}

/// Visits the versions that match some of the words, best first, until the visitor breaks.
pub fn search(
    cache: &Connection,
    words: &[String],
    mut visit: impl FnMut(Match) -> Result<ControlFlow<()>>,
) -> Result<()> {
    if words.is_empty() {
        return Ok(());
    }
    let expression: Vec<String> = words.iter().map(|word| format!("\"{}\"", word.replace('"', ""))).collect();
    let (name, path, doc, body) = WEIGHTS;
    let mut statement = cache.prepare_cached(
        "SELECT rowid, -bm25(text_index, :name, :path, :doc, :body) AS score FROM text_index
         WHERE text_index MATCH :expression ORDER BY score DESC",
    )?;
    let mut rows = statement.query(named_params! {
        ":expression": expression.join(" OR "), ":name": name, ":path": path, ":doc": doc, ":body": body,
    })?;
    while let Some(row) = rows.next()? {
        if visit(Match { seq: row.get(0)?, score: row.get(1)? })?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Visits the versions whose doc or body contains a word, unordered. Commit messages are in these fields.
pub fn each_containing(cache: &Connection, word: &str, mut visit: impl FnMut(Seq)) -> Result<()> {
    let mut statement = cache.prepare_cached("SELECT rowid FROM text_index WHERE text_index MATCH :expression")?;
    let expression = format!("{{doc body}} : \"{}\"", word.replace('"', ""));
    let mut rows = statement.query(named_params! {":expression": expression})?;
    while let Some(row) = rows.next()? {
        visit(row.get(0)?);
    }
    Ok(())
}

/// Tokenizes a query, splitting identifiers as the index does; drops stop words unless there are only stop words.
pub fn words(question: &str) -> Vec<String> {
    let split = split_identifiers(question).to_lowercase();
    let mut all: Vec<String> = Vec::new();
    for word in split.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if !all.iter().any(|seen| seen == word) {
            all.push(word.to_string());
        }
    }
    let telling: Vec<String> = all.iter().filter(|word| !STOP_WORDS.contains(&word.as_str())).cloned().collect();
    if telling.is_empty() { all } else { telling }
}

/// Appends the parts of compound identifiers to a text: `parseFile2` becomes `parseFile2 parse File 2`.
///
/// The tokenizer itself separates words at underscores and punctuation.
pub fn split_identifiers(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut word_start = 0;
    let end_word = |out: &mut String, word: &str| {
        out.push_str(word);
        if is_compound(word) {
            let parts = parts(word);
            for part in parts.iter().filter(|_| parts.len() > 1) {
                out.push(' ');
                out.push_str(part);
            }
        }
    };
    for (index, c) in text.char_indices() {
        if !c.is_alphanumeric() {
            end_word(&mut out, &text[word_start..index]);
            out.push(c);
            word_start = index + c.len_utf8();
        }
    }
    end_word(&mut out, &text[word_start..]);
    out
}

/// Returns whether a word may have parts: a fast byte check that rejects most words.
fn is_compound(word: &str) -> bool {
    let same = |is: fn(&u8) -> bool| word.as_bytes().iter().all(is);
    !(same(u8::is_ascii_lowercase) || same(u8::is_ascii_digit))
}

/// Splits a word at changes from lower to upper case, before the last capital of a run of capitals, and around digits.
fn parts(word: &str) -> Vec<&str> {
    let chars: Vec<(usize, char)> = word.char_indices().collect();
    let mut parts = Vec::new();
    let mut start = 0;
    for window in 1..chars.len() {
        let (before, here) = (chars[window - 1].1, chars[window].1);
        let next = chars.get(window + 1).map(|(_, c)| *c);
        let boundary = (before.is_lowercase() && here.is_uppercase())
            || (before.is_uppercase() && here.is_uppercase() && next.is_some_and(char::is_lowercase))
            || (before.is_numeric() != here.is_numeric());
        if boundary {
            parts.push(&word[start..chars[window].0]);
            start = chars[window].0;
        }
    }
    parts.push(&word[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(cache: &Connection, question: &str) -> Vec<Match> {
        let mut matches = Vec::new();
        let visit = |one| {
            matches.push(one);
            Ok(ControlFlow::Continue(()))
        };
        search(cache, &words(question), visit).expect("search");
        matches
    }

    #[test]
    fn identifiers_say_their_parts_too() {
        let check = |text: &str, expect: &str| assert_eq!(split_identifiers(text), expect);
        check("parse_file", "parse_file");
        check("parseFile", "parseFile parse File");
        check("HTTPServer2", "HTTPServer2 HTTP Server 2");
        check("x.getName()", "x.getName get Name()");
        check("plain words", "plain words");
        check("run2 of 42", "run2 run 2 of 42");
        check("Größe", "Größe");
    }

    #[test]
    fn a_question_leaves_out_what_says_nothing() {
        let check = |text: &str, expect: &[&str]| assert_eq!(words(text), expect);
        check("where is the parser?", &["parser"]);
        check("what is this", &["what", "is", "this"]);
        check("reindexAll", &["reindexall", "reindex", "all"]);
    }

    #[test]
    fn what_is_put_in_is_found_until_it_is_taken_out() {
        let cache = Connection::open_in_memory().expect("memory");
        cache.execute_batch(SCHEMA).expect("schema");
        put(
            &cache,
            7,
            &TextFields {
                name: "Parser::parseFile",
                path: "src/parser.rs",
                doc: "Reads a file.",
                body: "fn parseFile() {}",
            },
        )
        .expect("put");
        put(&cache, 8, &TextFields { name: "main", path: "src/main.rs", doc: "", body: "parse_file()" }).expect("put");
        let found = |question: &str| -> Vec<Seq> { all(&cache, question).iter().map(|m| m.seq).collect() };
        assert_eq!(found("parse file"), [7, 8]);
        assert_eq!(found("reading files"), [7, 8]);
        assert_eq!(found("nothing"), Vec::<Seq>::new());
        remove(&cache, &[7]).expect("remove");
        assert_eq!(found("parse file"), [8]);
    }

    #[test]
    fn scores_do_not_remember_what_was_taken_out() {
        let score = |steps: &[(Seq, &'static str)], gone: &[Seq]| {
            let cache = Connection::open_in_memory().expect("memory");
            cache.execute_batch(SCHEMA).expect("schema");
            for (seq, body) in steps {
                put(&cache, *seq, &TextFields { name: "x", path: "a.rs", doc: "", body }).expect("put");
            }
            remove(&cache, gone).expect("remove");
            all(&cache, "needle").iter().map(|m| m.score).collect::<Vec<f64>>()
        };
        let kept = [(1, "needle in hay"), (2, "hay"), (3, "more hay")];
        let mut all = kept.to_vec();
        all.extend([(4, "needle needle needle of another length altogether"), (5, "straw")]);
        assert_eq!(score(&kept, &[]), score(&all, &[4, 5]));
    }
}
