//! What sessions say, joined with views: an entry is live where its file stands in the asking view, or, where it was read
//! from no tree, everywhere. Refuses to show one of an older reading.

mod commits;
mod joins;
mod told;

use anyhow::Result;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params};
use serde::Serialize;

use crate::event::Seq;
use crate::facts::{EntryFact, ItemKind, SESSION, session_of, source_of};
use crate::git::ObjectId;
use crate::view;
use commits::Commits;
pub use joins::{Joins, Session, load};
pub use told::{Told, ToldEntry, told};

/// The tables of this room: what each entry is called, which of them a parse holds and where, and which files and
/// commits it names. The session itself stands among its entries, as the first of them. `told` are the sessions of parses
/// and up to when they tell of them. `transcript` remembers how each looked when it was last read.
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

/// A live entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Position of its event.
    #[serde(skip)]
    pub seq: Seq,
    /// Its session's id.
    pub session: String,
    /// Its place in the session, from 1; 0 for the session itself.
    pub n: u32,
    /// A category of entries, or the session itself.
    pub kind: ItemKind,
    /// Encoded path of the file it stands in; none where it was read from no tree.
    pub path: Option<String>,
    /// Line there, from 1.
    pub line: Option<u32>,
    /// Its first line.
    pub name: String,
    /// Unix seconds.
    pub time: Option<i64>,
}

impl Said {
    /// `session:<id>` and `session:<id>/<n>`.
    pub fn key(&self) -> String {
        let source = source_of(&self.session);
        if self.n == 0 { source } else { format!("{source}/{}", self.n) }
    }
}

/// Columns that [`from_row`] reads.
const COLUMNS: &str = "entry.seq, entry.session, parse_entry.n, entry.category, path.path, parse_entry.line, entry.name, entry.time, view_file.view";
/// How entries that are few join the asking view.
const JOINS: &str = "entry CROSS JOIN parse_entry ON parse_entry.seq = entry.seq
  CROSS JOIN view_file ON view_file.parse = parse_entry.parse AND view_file.view IN (:view, 0)
  CROSS JOIN path ON path.id = view_file.path";
/// A session that was read from no tree, and is told by a file of the asking view too, as an export is that was committed:
/// the one that goes on for longer tells it, and of equals the file.
const TELLS: &str = "NOT EXISTS (
  SELECT 1 FROM told AS own CROSS JOIN told AS other ON other.session = own.session AND other.parse <> own.parse
  CROSS JOIN view_file AS place ON place.parse = other.parse AND place.view = CASE view_file.view WHEN 0 THEN :view ELSE 0 END
  WHERE own.parse = view_file.parse AND (other.until > own.until OR other.until = own.until AND view_file.view = 0))";

/// Keeps the entries of a parse; `seqs` are the positions of their events, in their order.
pub fn add_parse(cache: &Connection, parse: i64, facts: &[EntryFact], seqs: &[Seq]) -> Result<()> {
    if facts.is_empty() {
        return Ok(());
    }
    cache.prepare_cached("DELETE FROM parse_entry WHERE parse = :parse")?.execute(named_params! {":parse": parse})?;
    if let Some(head) = facts.iter().find(|fact| fact.category.is_none()) {
        // Before all times where it says nothing, and so is told by whatever else says something.
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

/// Keeps a session that is in no tree as a parse of its own, and lets go of those it had before. Returns its path and row.
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

/// Lets go of parses of sessions in no tree that are no longer the newest, and of sessions that have none.
pub fn drop_old_parses(cache: &Connection) -> Result<()> {
    cache.execute_batch(
        "DELETE FROM parse WHERE outcome = 'session' AND id NOT IN (SELECT parse FROM view_file WHERE view = 0);
         DELETE FROM parse_entry WHERE parse NOT IN (SELECT id FROM parse);
         DELETE FROM told WHERE parse NOT IN (SELECT id FROM parse);",
    )?;
    Ok(())
}

/// The events of the entries of a parse.
pub fn events_of(cache: &Connection, parse: i64) -> Result<Vec<Seq>> {
    let mut statement = cache.prepare_cached("SELECT seq FROM parse_entry WHERE parse = :parse ORDER BY n")?;
    Ok(statement.query_map(named_params! {":parse": parse}, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// The live entry that an event is.
pub fn by_seq(cache: &Connection, view: i64, seq: Seq) -> Result<Option<Said>> {
    let mut statement =
        cache.prepare_cached(&format!("SELECT {COLUMNS} FROM {JOINS} WHERE entry.seq = :seq AND {TELLS}"))?;
    Ok(statement.query_row(named_params! {":view": view, ":seq": seq}, from_row).optional()?)
}

/// The entries of a session, the session first, then in their order. Of several files with its id they are those of the
/// fullest: a file that only points to a session has its id, and says nothing.
pub fn in_session(cache: &Connection, view: i64, session: &str) -> Result<Vec<Said>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {JOINS} WHERE entry.session = :session AND {TELLS} ORDER BY path.path, parse_entry.n"
    );
    let mut statement = cache.prepare_cached(&sql)?;
    let rows = statement.query_map(named_params! {":view": view, ":session": session}, from_row)?;
    let mut all = rows.collect::<rusqlite::Result<Vec<Said>>>()?;
    let fullest = all.chunk_by(|a, b| a.path == b.path).max_by_key(|file| file.len()).map(|file| file[0].path.clone());
    all.retain(|said| Some(&said.path) == fullest.as_ref());
    Ok(all)
}

/// The live thing of a key, `session:<id>` or `session:<id>/<n>`.
pub fn by_key(cache: &Connection, view: i64, key: &str) -> Result<Option<Said>> {
    let Some(rest) = key.strip_prefix(SESSION) else { return Ok(None) };
    let (session, n) = match rest.rsplit_once('/').and_then(|(id, n)| Some((id, n.parse::<u32>().ok()?))) {
        Some((id, n)) => (id, n),
        None => (rest, 0),
    };
    Ok(in_session(cache, view, &session_of(session))?.into_iter().find(|said| said.n == n))
}

/// Every live session, by time, then by id.
pub fn sessions(cache: &Connection, view: i64) -> Result<Vec<Said>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {JOINS} WHERE entry.category = 'session' AND {TELLS} ORDER BY entry.time, entry.session, path.path"
    );
    let mut statement = cache.prepare_cached(&sql)?;
    let rows = statement.query_map(named_params! {":view": view}, from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Every live session and entry of a view.
pub fn each(cache: &Connection, view: i64) -> Result<Vec<Said>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM view_file CROSS JOIN parse_entry ON parse_entry.parse = view_file.parse AND view_file.view IN (:view, 0)
         CROSS JOIN entry ON entry.seq = parse_entry.seq CROSS JOIN path ON path.id = view_file.path WHERE {TELLS}"
    );
    let mut statement = cache.prepare_cached(&sql)?;
    let rows = statement.query_map(named_params! {":view": view}, from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The live entries that name or touched a file, by its encoded path, the newest first.
pub fn of_file(cache: &Connection, view: i64, path: &str) -> Result<Vec<Said>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM mention CROSS JOIN entry ON entry.seq = mention.seq CROSS JOIN parse_entry ON parse_entry.seq = entry.seq
         CROSS JOIN view_file ON view_file.parse = parse_entry.parse AND view_file.view IN (:view, 0)
         CROSS JOIN path ON path.id = view_file.path WHERE mention.file = :file AND {TELLS} ORDER BY entry.time DESC, entry.session, parse_entry.n"
    );
    let mut statement = cache.prepare_cached(&sql)?;
    let rows = statement.query_map(named_params! {":view": view, ":file": path}, from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The live entries that name a commit, in hexadecimal, by its beginning.
pub fn of_commit(cache: &Connection, view: i64, sha: &str) -> Result<Vec<Said>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM mention_commit CROSS JOIN entry ON entry.seq = mention_commit.seq CROSS JOIN parse_entry ON parse_entry.seq = entry.seq
         CROSS JOIN view_file ON view_file.parse = parse_entry.parse AND view_file.view IN (:view, 0)
         CROSS JOIN path ON path.id = view_file.path WHERE mention_commit.sha = substr(:sha, 1, length(mention_commit.sha)) AND {TELLS}
         ORDER BY entry.time, entry.session, parse_entry.n"
    );
    let mut statement = cache.prepare_cached(&sql)?;
    let rows = statement.query_map(named_params! {":view": view, ":sha": sha}, from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The files that an entry names or touched, by encoded path.
pub fn files_of(cache: &Connection, seq: Seq) -> Result<Vec<String>> {
    let mut statement = cache.prepare_cached("SELECT file FROM mention WHERE seq = :seq ORDER BY file")?;
    Ok(statement.query_map(named_params! {":seq": seq}, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// How many entries each live session has, by its own event.
pub fn entry_counts(cache: &Connection, view: i64) -> Result<std::collections::BTreeMap<Seq, u64>> {
    let mut statement = cache.prepare_cached(
        "SELECT head.seq, count(*) - 1 FROM view_file CROSS JOIN parse_entry AS head ON head.parse = view_file.parse AND head.n = 0
         CROSS JOIN parse_entry AS said ON said.parse = head.parse WHERE view_file.view IN (:view, 0) GROUP BY head.parse",
    )?;
    let rows =
        statement.query_map(named_params! {":view": view}, |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How many live entries of each category a view has.
pub fn counts(cache: &Connection, view: i64) -> Result<std::collections::BTreeMap<String, u64>> {
    let sql = format!("SELECT entry.category, count(*) FROM {JOINS} WHERE {TELLS} GROUP BY entry.category");
    let mut statement = cache.prepare_cached(&sql)?;
    let rows =
        statement.query_map(named_params! {":view": view}, |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Said> {
    let in_tree = row.get::<_, i64>(8)? != 0;
    let kind = ItemKind::of_entry(row.get_ref(3)?.as_str()?);
    Ok(Said {
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
