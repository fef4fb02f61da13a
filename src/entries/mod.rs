//! Session entries joined with views.
//!
//! An entry is live if its file is in the view of the query. Entries of sessions outside the tree (transcripts, notes)
//! are live in every view.
//!
//! Invariant: if a session was read several times, only the newest copy is visible.

mod commit_graph;
mod session_commits;
mod session_records;

use anyhow::Result;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params};
use serde::Serialize;

use crate::event::Seq;
use crate::facts::{EntryFact, ItemKind, SESSION, session_of, source_of};
use crate::git::ObjectId;
use crate::view;
use commit_graph::CommitGraph;
pub use session_commits::{LiveSession, SessionCommits, load_sessions};
#[cfg(test)]
pub use session_records::RecordedEntry;
pub use session_records::{SessionRecord, load_records};

/// The tables of this module.
///
/// `entry` holds each entry; `parse_entry` says which parse contains it and on which line; `mention` and
/// `mention_commit` hold the files and commits that it mentions. A session is its own entry number 0. `told` maps each
/// parse to its session and the time of its last entry. `transcript` holds the stamp of each transcript when it was
/// last read.
pub const SCHEMA: &str = "
CREATE TABLE entry(seq INTEGER PRIMARY KEY, session TEXT NOT NULL, category TEXT NOT NULL, time INTEGER, name TEXT NOT NULL) STRICT;
CREATE INDEX entry_by_session ON entry(session);
CREATE TABLE parse_entry(parse INTEGER NOT NULL, n INTEGER NOT NULL, seq INTEGER NOT NULL, line INTEGER NOT NULL, PRIMARY KEY(parse, n)) STRICT, WITHOUT ROWID;
CREATE INDEX parse_entry_by_seq ON parse_entry(seq, parse);
CREATE TABLE told(parse INTEGER PRIMARY KEY, session TEXT NOT NULL, until INTEGER NOT NULL) STRICT;
CREATE INDEX told_by_session ON told(session);
CREATE TABLE mention(seq INTEGER NOT NULL, file TEXT NOT NULL, PRIMARY KEY(seq, file)) STRICT, WITHOUT ROWID;
CREATE INDEX mention_by_file ON mention(file);
CREATE TABLE transcript(path BLOB PRIMARY KEY, stamp TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE mention_commit(seq INTEGER NOT NULL, sha TEXT NOT NULL, PRIMARY KEY(seq, sha)) STRICT, WITHOUT ROWID;
";

/// A live entry of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionEntry {
    /// The position of its event in the log.
    #[serde(skip)]
    pub seq: Seq,
    /// The id of its session.
    pub session: String,
    /// The number within the session, from 1; 0 for the session itself.
    pub n: u32,
    /// The category of the entry, or the session itself.
    pub kind: ItemKind,
    /// The encoded path of the file that it is in; `None` outside the tree.
    pub path: Option<String>,
    /// The line in that file, from 1.
    pub line: Option<u32>,
    /// Its first line.
    pub name: String,
    /// The time, in Unix seconds.
    pub time: Option<i64>,
}

impl SessionEntry {
    /// Returns the key: `session:<id>` or `session:<id>/<n>`.
    pub fn key(&self) -> String {
        let source = source_of(&self.session);
        if self.n == 0 { source } else { format!("{source}/{}", self.n) }
    }
}

/// The columns that [`from_row`] reads.
const ENTRY_COLUMNS: &str = "entry.seq, entry.session, parse_entry.n, entry.category, path.path, parse_entry.line, entry.name, entry.time, view_file.view";
/// Join from a few entries to the view of the query.
const LIVE_JOIN: &str = "entry CROSS JOIN parse_entry ON parse_entry.seq = entry.seq
  CROSS JOIN view_file ON view_file.parse = parse_entry.parse AND view_file.view IN (:view, 0)
  CROSS JOIN path ON path.id = view_file.path";
/// Condition that hides superseded copies of a session.
///
/// A session may be stored outside the tree and also in a file of the view, such as a committed export. The copy whose
/// last entry is later wins; on a tie, the file.
const NOT_SUPERSEDED: &str = "NOT EXISTS (
  SELECT 1 FROM told AS own CROSS JOIN told AS other ON other.session = own.session AND other.parse <> own.parse
  CROSS JOIN view_file AS place ON place.parse = other.parse AND place.view = CASE view_file.view WHEN 0 THEN :view ELSE 0 END
  WHERE own.parse = view_file.parse AND (other.until > own.until OR other.until = own.until AND view_file.view = 0))";

/// Stores the entries of a parse. `seqs` are the positions of their events, in the same order.
pub fn add_parse(cache: &Connection, parse: i64, facts: &[EntryFact], seqs: &[Seq]) -> Result<()> {
    if facts.is_empty() {
        return Ok(());
    }
    cache.prepare_cached("DELETE FROM parse_entry WHERE parse = :parse")?.execute(named_params! {":parse": parse})?;
    if let Some(head) = facts.iter().find(|fact| fact.category.is_none()) {
        // A copy without entries gets the smallest time, so any copy with entries supersedes it.
        let said = facts.iter().filter(|fact| fact.category.is_some());
        let until = said.map(|fact| fact.time.unwrap_or(0)).max().unwrap_or(i64::MIN);
        cache
            .prepare_cached("INSERT OR REPLACE INTO told(parse, session, until) VALUES (:parse, :session, :until)")?
            .execute(named_params! {":parse": parse, ":session": head.session, ":until": until})?;
    }
    let mut place =
        cache.prepare_cached("INSERT INTO parse_entry(parse, n, seq, line) VALUES (:parse, :n, :seq, :line)")?;
    let mut name = cache.prepare_cached(
        "INSERT OR IGNORE INTO entry(seq, session, category, time, name) VALUES (:seq, :session, :category, :time, :name)",
    )?;
    let mut mention = cache.prepare_cached("INSERT OR IGNORE INTO mention(seq, file) VALUES (:seq, :file)")?;
    let mut commit = cache.prepare_cached("INSERT OR IGNORE INTO mention_commit(seq, sha) VALUES (:seq, :sha)")?;
    for (fact, seq) in facts.iter().zip(seqs) {
        place.execute(named_params! {":parse": parse, ":n": fact.n, ":seq": seq, ":line": fact.line})?;
        name.execute(named_params! {
            ":seq": seq, ":session": fact.session, ":category": fact.category.map_or(ItemKind::Session, ItemKind::Entry).name(),
            ":time": fact.time, ":name": fact.name,
        })?;
        for file in &fact.files {
            mention.execute(named_params! {":seq": seq, ":file": file})?;
        }
        for sha in &fact.commits {
            commit.execute(named_params! {":seq": seq, ":sha": sha})?;
        }
    }
    Ok(())
}

/// Stores a session outside the tree as a parse of its own, which supersedes older parses of it. Returns its path and
/// the id of the parse.
pub fn put_session(cache: &Connection, session: &str, facts: &[EntryFact], seqs: &[Seq]) -> Result<(String, i64)> {
    let path = source_of(session);
    let id = view::intern(cache, &path)?;
    let mut hasher = blake3::Hasher::new();
    facts.iter().for_each(|fact| {
        hasher.update(&fact.fact.idem.0);
    });
    let blob = ObjectId::try_from(&hasher.finalize().as_bytes()[..20])?;
    cache
        .prepare_cached("INSERT OR IGNORE INTO parse(path, blob, outcome, size) VALUES (:path, :blob, 'session', 0)")?
        .execute(named_params! {":path": id, ":blob": blob.as_bytes()})?;
    let parse: i64 = cache
        .prepare_cached("SELECT id FROM parse WHERE path = :path AND blob = :blob")?
        .query_row(named_params! {":path": id, ":blob": blob.as_bytes()}, |row| row.get(0))?;
    add_parse(cache, parse, facts, seqs)?;
    Ok((path, parse))
}

/// Deletes superseded parses of sessions outside the tree, and their entries.
pub fn drop_old_parses(cache: &Connection) -> Result<()> {
    cache.execute_batch(
        "DELETE FROM parse WHERE outcome = 'session' AND id NOT IN (SELECT parse FROM view_file WHERE view = 0);
         DELETE FROM parse_entry WHERE parse NOT IN (SELECT id FROM parse);
         DELETE FROM told WHERE parse NOT IN (SELECT id FROM parse);",
    )?;
    Ok(())
}

/// Returns the live entry that an event describes.
pub fn by_seq(cache: &Connection, view: i64, seq: Seq) -> Result<Option<SessionEntry>> {
    let mut statement = cache.prepare_cached(&format!(
        "SELECT {ENTRY_COLUMNS} FROM {LIVE_JOIN} WHERE entry.seq = :seq AND {NOT_SUPERSEDED}"
    ))?;
    Ok(statement.query_row(named_params! {":view": view, ":seq": seq}, from_row).optional()?)
}

/// Returns the live entries of a session in order, the session itself first.
///
/// If several files have the session's id, the one with the most entries wins: a file that only points to a session has
/// its id but no entries.
pub fn in_session(cache: &Connection, view: i64, session: &str) -> Result<Vec<SessionEntry>> {
    let sql = format!(
        "SELECT {ENTRY_COLUMNS} FROM {LIVE_JOIN} WHERE entry.session = :session AND {NOT_SUPERSEDED} ORDER BY path.path, parse_entry.n"
    );
    let mut statement = cache.prepare_cached(&sql)?;
    let rows = statement.query_map(named_params! {":view": view, ":session": session}, from_row)?;
    let mut all = rows.collect::<rusqlite::Result<Vec<SessionEntry>>>()?;
    let fullest = all.chunk_by(|a, b| a.path == b.path).max_by_key(|file| file.len()).map(|file| file[0].path.clone());
    all.retain(|said| Some(&said.path) == fullest.as_ref());
    Ok(all)
}

/// Returns the live entry with this key, `session:<id>` or `session:<id>/<n>`.
pub fn by_key(cache: &Connection, view: i64, key: &str) -> Result<Option<SessionEntry>> {
    let Some(rest) = key.strip_prefix(SESSION) else { return Ok(None) };
    let (session, n) = match rest.rsplit_once('/').and_then(|(id, n)| Some((id, n.parse::<u32>().ok()?))) {
        Some((id, n)) => (id, n),
        None => (rest, 0),
    };
    Ok(in_session(cache, view, &session_of(session))?.into_iter().find(|said| said.n == n))
}

/// Returns every live session, ordered by time and id.
pub fn sessions(cache: &Connection, view: i64) -> Result<Vec<SessionEntry>> {
    let sql = format!(
        "SELECT {ENTRY_COLUMNS} FROM {LIVE_JOIN} WHERE entry.category = 'session' AND {NOT_SUPERSEDED} ORDER BY entry.time, entry.session, path.path"
    );
    let mut statement = cache.prepare_cached(&sql)?;
    let rows = statement.query_map(named_params! {":view": view}, from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Returns every live session and entry of a view.
pub fn all(cache: &Connection, view: i64) -> Result<Vec<SessionEntry>> {
    let sql = format!(
        "SELECT {ENTRY_COLUMNS} FROM view_file CROSS JOIN parse_entry ON parse_entry.parse = view_file.parse AND view_file.view IN (:view, 0)
         CROSS JOIN entry ON entry.seq = parse_entry.seq CROSS JOIN path ON path.id = view_file.path WHERE {NOT_SUPERSEDED}"
    );
    let mut statement = cache.prepare_cached(&sql)?;
    let rows = statement.query_map(named_params! {":view": view}, from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Returns the live entries that mention or touched a file, given by its encoded path; newest first.
pub fn of_file(cache: &Connection, view: i64, path: &str) -> Result<Vec<SessionEntry>> {
    let sql = format!(
        "SELECT {ENTRY_COLUMNS} FROM mention CROSS JOIN entry ON entry.seq = mention.seq CROSS JOIN parse_entry ON parse_entry.seq = entry.seq
         CROSS JOIN view_file ON view_file.parse = parse_entry.parse AND view_file.view IN (:view, 0)
         CROSS JOIN path ON path.id = view_file.path WHERE mention.file = :file AND {NOT_SUPERSEDED} ORDER BY entry.time DESC, entry.session, parse_entry.n"
    );
    let mut statement = cache.prepare_cached(&sql)?;
    let rows = statement.query_map(named_params! {":view": view, ":file": path}, from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Returns the live entries that mention a commit. `sha` is its full hexadecimal id.
pub fn of_commit(cache: &Connection, view: i64, sha: &str) -> Result<Vec<SessionEntry>> {
    let sql = format!(
        "SELECT {ENTRY_COLUMNS} FROM mention_commit CROSS JOIN entry ON entry.seq = mention_commit.seq CROSS JOIN parse_entry ON parse_entry.seq = entry.seq
         CROSS JOIN view_file ON view_file.parse = parse_entry.parse AND view_file.view IN (:view, 0)
         CROSS JOIN path ON path.id = view_file.path WHERE mention_commit.sha = substr(:sha, 1, length(mention_commit.sha)) AND {NOT_SUPERSEDED}
         ORDER BY entry.time, entry.session, parse_entry.n"
    );
    let mut statement = cache.prepare_cached(&sql)?;
    let rows = statement.query_map(named_params! {":view": view, ":sha": sha}, from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Returns the encoded paths of the files that an entry mentions or touched.
pub fn files_of(cache: &Connection, seq: Seq) -> Result<Vec<String>> {
    let mut statement = cache.prepare_cached("SELECT file FROM mention WHERE seq = :seq ORDER BY file")?;
    Ok(statement.query_map(named_params! {":seq": seq}, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// Counts the entries of each live session, by the position of the session's event.
pub fn entry_counts(cache: &Connection, view: i64) -> Result<std::collections::BTreeMap<Seq, u64>> {
    let mut statement = cache.prepare_cached(
        "SELECT head.seq, count(*) - 1 FROM view_file CROSS JOIN parse_entry AS head ON head.parse = view_file.parse AND head.n = 0
         CROSS JOIN parse_entry AS said ON said.parse = head.parse WHERE view_file.view IN (:view, 0) GROUP BY head.parse",
    )?;
    let rows =
        statement.query_map(named_params! {":view": view}, |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Counts the live entries of a view by category.
pub fn counts_by_category(cache: &Connection, view: i64) -> Result<std::collections::BTreeMap<String, u64>> {
    let sql =
        format!("SELECT entry.category, count(*) FROM {LIVE_JOIN} WHERE {NOT_SUPERSEDED} GROUP BY entry.category");
    let mut statement = cache.prepare_cached(&sql)?;
    let rows =
        statement.query_map(named_params! {":view": view}, |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Builds an entry from a row of [`ENTRY_COLUMNS`].
fn from_row(row: &Row<'_>) -> rusqlite::Result<SessionEntry> {
    let in_tree = row.get::<_, i64>(8)? != 0;
    let kind = ItemKind::of_entry(row.get_ref(3)?.as_str()?);
    Ok(SessionEntry {
        seq: row.get(0)?,
        session: row.get(1)?,
        n: row.get(2)?,
        kind: kind.ok_or_else(|| rusqlite::Error::InvalidColumnType(3, "category".to_string(), Type::Text))?,
        path: if in_tree { row.get(4)? } else { None },
        line: if in_tree { row.get(5)? } else { None },
        name: row.get(6)?,
        time: row.get(7)?,
    })
}
