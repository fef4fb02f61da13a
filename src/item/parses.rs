//! The parse cache in SQL: the facts of each (blob, path), so that none is parsed twice. Reading blobs is up to `read`.

use std::collections::BTreeMap;

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, named_params};

use crate::event::{Seq, cap_at, hex};
use crate::facts::CodeFacts;
use crate::git::ObjectId;
use crate::syntax::{Language, Skip};

/// Longest signature kept for distinguishing overloads and arities, in bytes.
const MAX_SIGNATURE: usize = 500;

/// The outcome of reading and parsing a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadOutcome {
    /// Parsed as code.
    Code(Language),
    /// Parsed as code, with syntax errors in it.
    Partial(Language),
    /// Read as text.
    Text,
    /// Skipped, and why.
    Skipped(Skip),
    /// The parser failed, and why; not tried again for this blob.
    Failed(String),
    /// The object is missing.
    Missing,
}

/// A blob at a path, and the facts read from it.
#[derive(Debug, Clone)]
pub struct Parse {
    /// Encoded path.
    pub path: String,
    /// Id of the blob.
    pub blob: ObjectId,
    /// Size in bytes; 0 if unknown.
    pub size: u64,
    /// Outcome of reading it.
    pub outcome: ReadOutcome,
    /// The facts; empty unless the blob was read.
    pub facts: CodeFacts,
}

impl ReadOutcome {
    /// Returns the name that is stored and used in counts.
    pub fn name(&self) -> &'static str {
        match self {
            ReadOutcome::Code(_) => "code",
            ReadOutcome::Partial(_) => "partial",
            ReadOutcome::Text => "text",
            ReadOutcome::Skipped(skip) => skip.name(),
            ReadOutcome::Failed(_) => "failed",
            ReadOutcome::Missing => "missing",
        }
    }
}

/// Returns the parse of a blob at a path, if it has been read.
pub fn find_parse(cache: &Connection, path: &str, blob: &ObjectId) -> Result<Option<i64>> {
    let mut statement = cache.prepare_cached(
        "SELECT id FROM parse WHERE path = (SELECT id FROM path WHERE path = :path) AND blob = :blob",
    )?;
    Ok(statement.query_row(named_params! {":path": path, ":blob": blob.as_bytes()}, |row| row.get(0)).optional()?)
}

/// Stores a parse and its items. `seqs` are the positions of the items' events, in their order.
pub fn add_parse(cache: &Connection, parse: &Parse, seqs: &[Seq]) -> Result<i64> {
    let path = crate::view::intern(cache, &parse.path)?;
    let (detail, language) = match &parse.outcome {
        ReadOutcome::Failed(why) => (Some(why.as_str()), None),
        ReadOutcome::Code(language) | ReadOutcome::Partial(language) => (None, Some(language.name())),
        _ => (None, None),
    };
    cache
        .prepare_cached(
            "INSERT INTO parse(path, blob, outcome, detail, language, size) VALUES (:path, :blob, :outcome, :detail, :language, :size)
             ON CONFLICT(path, blob) DO UPDATE SET outcome = excluded.outcome, detail = excluded.detail, language = excluded.language, size = excluded.size",
        )?
        .execute(named_params! {
            ":path": path, ":blob": parse.blob.as_bytes(), ":outcome": parse.outcome.name(), ":detail": detail, ":language": language,
            ":size": parse.size as i64,
        })?;
    let id = find_parse(cache, &parse.path, &parse.blob)?.expect("the row was just written");
    let mut place = cache.prepare_cached(
        "INSERT OR IGNORE INTO parse_item(parse, seq, line, end_line, fields, bases)
         VALUES (:parse, :seq, :line, :end_line, :fields, :bases)",
    )?;
    let mut define = cache.prepare_cached(
        "INSERT OR IGNORE INTO definition(seq, path, kind, name, qualified, owner, signature, return_type, shape)
         VALUES (:seq, :path, :kind, :name, :qualified, :owner, :signature, :return_type, :shape)",
    )?;
    let base = parse.path.rsplit('/').next().unwrap_or(&parse.path);
    for (item, seq) in parse.facts.items.iter().zip(seqs) {
        let definition = item.definition.as_ref();
        let fields = definition.filter(|definition| !definition.fields.is_empty()).map(|definition| &definition.fields);
        let bases = definition.filter(|definition| !definition.bases.is_empty()).map(|definition| &definition.bases);
        place.execute(named_params! {
            ":parse": id, ":seq": seq, ":line": item.line, ":end_line": item.end_line,
            ":fields": fields.map(serde_json::to_string).transpose()?, ":bases": bases.map(serde_json::to_string).transpose()?,
        })?;
        define.execute(named_params! {
            ":seq": seq, ":path": path, ":kind": item.kind.name(),
            ":name": definition.map_or(base, |definition| definition.name.as_str()),
            ":qualified": definition.map_or(parse.path.as_str(), |definition| definition.qualified.as_str()),
            ":owner": definition.and_then(|definition| definition.owner.as_deref()),
            ":signature": definition.map_or("", |definition| cap_at(&definition.signature, MAX_SIGNATURE)),
            ":return_type": definition.and_then(|definition| definition.return_type.as_deref()),
            ":shape": definition.map_or_else(String::new, |definition| shape_hash(&definition.shape)),
        })?;
    }
    Ok(id)
}

/// Returns a hash of a shape, which is stored because shapes are long; empty if there is no shape.
fn shape_hash(shape: &str) -> String {
    if shape.is_empty() { String::new() } else { hex(&blake3::hash(shape.as_bytes()).as_bytes()[..8]) }
}

/// Counts the files of a view by outcome.
pub fn outcome_counts(cache: &Connection, view: i64) -> Result<BTreeMap<String, u64>> {
    let mut statement = cache.prepare_cached(
        "SELECT outcome, count(*) FROM view_file JOIN parse ON parse.id = view_file.parse WHERE view_file.view = :view GROUP BY outcome",
    )?;
    let rows =
        statement.query_map(named_params! {":view": view}, |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Returns the blobs that were missing, by path.
pub fn missing_blobs(cache: &Connection) -> Result<Vec<(String, ObjectId)>> {
    let mut statement = cache.prepare_cached(
        "SELECT path.path, parse.blob FROM parse JOIN path ON path.id = parse.path WHERE outcome = 'missing' ORDER BY path.path",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(rows.into_iter().filter_map(|(path, blob)| Some((path, ObjectId::try_from(blob.as_slice()).ok()?))).collect())
}

/// Deletes the record that a blob was missing, so that it is read when its path is visited again.
pub fn forget_missing(cache: &Connection, path: &str, blob: &ObjectId) -> Result<()> {
    let Some(id) = find_parse(cache, path, blob)? else { return Ok(()) };
    for sql in ["DELETE FROM view_file WHERE parse = :id", "DELETE FROM parse WHERE id = :id"] {
        cache.prepare_cached(sql)?.execute(named_params! {":id": id})?;
    }
    Ok(())
}
