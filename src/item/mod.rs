//! Items, the units that can be found: files and definitions, as facts joined with views.
//!
//! Invariant: every function here shows only what is live in the view asked for.

mod parses;
mod read;
mod suggest;
mod target;
mod target_text;

use anyhow::Result;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, named_params};
use serde::Serialize;

pub use parses::{Parse, ReadOutcome, add_parse, find_parse, forget_missing, missing_blobs, outcome_counts};
pub use read::read_all;
pub use suggest::suggestions;
pub use target::{LiveTarget, ambiguous, resolve, spellings};
pub use target_text::{LineRange, TargetReading, readings, variants};

use crate::event::{Seq, definition_key};
use crate::facts::ItemKind;

/// The tables of this module: the parse cache, from (blob, path) to item versions with their lines; and the name of
/// each version.
pub const SCHEMA: &str = "
CREATE TABLE parse(
  id INTEGER PRIMARY KEY, path INTEGER NOT NULL, blob BLOB NOT NULL, outcome TEXT NOT NULL, detail TEXT, language TEXT, size INTEGER NOT NULL,
  UNIQUE(path, blob)
) STRICT;
CREATE TABLE parse_item(
  parse INTEGER NOT NULL, seq INTEGER NOT NULL, line INTEGER NOT NULL, end_line INTEGER NOT NULL, fields TEXT, bases TEXT,
  PRIMARY KEY(parse, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX parse_item_by_seq ON parse_item(seq, parse);
CREATE TABLE definition(
  seq INTEGER PRIMARY KEY, path INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, qualified TEXT NOT NULL, owner TEXT,
  signature TEXT NOT NULL, return_type TEXT, shape TEXT NOT NULL
) STRICT;
CREATE INDEX definition_by_name ON definition(name);
CREATE INDEX definition_by_shape ON definition(shape) WHERE shape <> '';
";

/// A live item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Position of its version's event.
    #[serde(skip)]
    pub seq: Seq,
    /// Item key: `src/a.rs`, `src/a.rs#Parser::parse`.
    pub key: String,
    /// Kind: a file, or a kind of definition.
    pub kind: ItemKind,
    /// Encoded path of its file.
    pub path: String,
    /// First line, from 1.
    pub line: u32,
    /// Last line, inclusive.
    #[serde(skip)]
    pub end_line: u32,
    /// Name, `parse`; for a file its base name.
    pub name: String,
    /// Qualified name within the file, `Parser::parse`; for a file its path.
    #[serde(skip)]
    pub qualified: String,
}

/// The columns that [`from_row`] reads, from `definition`, `path` and `parse_item`.
const COLUMNS: &str = "definition.seq, definition.kind, path.path, parse_item.line, parse_item.end_line, definition.name, definition.qualified";
/// Join of these tables with the view, starting from definitions.
///
/// The order is forced by CROSS JOIN: the planner does not know how large a view is and would start with all of its
/// files.
const JOINS: &str = "definition CROSS JOIN parse_item ON parse_item.seq = definition.seq
  CROSS JOIN view_file ON view_file.parse = parse_item.parse AND view_file.view = :view
  CROSS JOIN path ON path.id = view_file.path";
/// The same join, starting from one path.
const JOINS_FROM_PATH: &str = "path CROSS JOIN view_file ON view_file.path = path.id AND view_file.view = :view
  CROSS JOIN parse_item ON parse_item.parse = view_file.parse CROSS JOIN definition ON definition.seq = parse_item.seq";

/// The same join, starting from all files of a view.
const JOINS_FROM_VIEW: &str =
    "view_file CROSS JOIN parse_item ON parse_item.parse = view_file.parse AND view_file.view = :view
  CROSS JOIN definition ON definition.seq = parse_item.seq CROSS JOIN path ON path.id = view_file.path";

/// Returns the live item whose version is described by the event at this position.
pub fn by_seq(cache: &Connection, view: i64, seq: Seq) -> Result<Option<Item>> {
    let mut statement = cache.prepare_cached(&format!("SELECT {COLUMNS} FROM {JOINS} WHERE definition.seq = :seq"))?;
    Ok(statement.query_row(named_params! {":view": view, ":seq": seq}, from_row).optional()?)
}

/// Returns the items of a file: the file first, then by line.
pub fn in_file(cache: &Connection, view: i64, path: &str) -> Result<Vec<Item>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {JOINS_FROM_PATH} WHERE path.path = :path ORDER BY definition.kind <> 'file', parse_item.line, definition.qualified"
    );
    let mut statement = cache.prepare_cached(&sql)?;
    let rows = statement.query_map(named_params! {":view": view, ":path": path}, from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Returns the live item with a key.
pub fn by_key(cache: &Connection, view: i64, key: &str) -> Result<Option<Item>> {
    let path = key.split_once('#').map_or(key, |(path, _)| path);
    Ok(in_file(cache, view, path)?.into_iter().find(|item| item.key == key))
}

/// Visits every live item of a view with its shape hash.
pub fn each(cache: &Connection, view: i64, mut visit: impl FnMut(Item, &str) -> Result<()>) -> Result<()> {
    let sql = format!("SELECT {COLUMNS}, definition.shape FROM {JOINS_FROM_VIEW}");
    let mut statement = cache.prepare_cached(&sql)?;
    let mut rows = statement.query(named_params! {":view": view})?;
    while let Some(row) = rows.next()? {
        visit(from_row(row)?, row.get_ref(7)?.as_str()?)?;
    }
    Ok(())
}

/// Returns the shape hash of an item version; empty if it has no shape.
pub fn shape_of(cache: &Connection, seq: Seq) -> Result<String> {
    let mut statement = cache.prepare_cached("SELECT shape FROM definition WHERE seq = :seq")?;
    Ok(statement.query_row(named_params! {":seq": seq}, |row| row.get(0)).optional()?.unwrap_or_default())
}

/// Counts the live items of a view by kind.
pub fn kind_counts(cache: &Connection, view: i64) -> Result<std::collections::BTreeMap<String, u64>> {
    let mut statement = cache.prepare_cached(
        "SELECT definition.kind, count(*) FROM view_file JOIN parse_item USING (parse) JOIN definition ON definition.seq = parse_item.seq
         WHERE view_file.view = :view GROUP BY definition.kind",
    )?;
    let rows =
        statement.query_map(named_params! {":view": view}, |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Reads an item from a row of [`COLUMNS`].
fn from_row(row: &Row<'_>) -> rusqlite::Result<Item> {
    let kind = ItemKind::named(row.get_ref(1)?.as_str()?)
        .ok_or_else(|| rusqlite::Error::InvalidColumnType(1, "kind".to_string(), Type::Text))?;
    let (path, qualified): (String, String) = (row.get(2)?, row.get(6)?);
    let key = if kind == ItemKind::File { path.clone() } else { definition_key(&path, &qualified) };
    Ok(Item {
        seq: row.get(0)?,
        key,
        kind,
        path,
        line: row.get(3)?,
        end_line: row.get(4)?,
        name: row.get(5)?,
        qualified,
    })
}
