//! The parse cache: what a blob at a path holds, read once. Refuses to read a blob itself.

use std::collections::BTreeMap;

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, named_params};

use crate::event::{Seq, cap_at, hex};
use crate::facts::CodeFacts;
use crate::git::ObjectId;
use crate::syntax::{Language, Skip};

/// Longest signature kept for telling overloads and arities apart, in bytes.
const MAX_SIGNATURE: usize = 500;

/// How reading a blob ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Read as code.
    Code(Language),
    /// Read as code, with syntax errors in it.
    Partial(Language),
    /// Read as text.
    Text,
    /// Left out, and why.
    Skipped(Skip),
    /// The parser gave up, and why; not tried again for this blob.
    Failed(String),
    /// The object is not here.
    Missing,
}

/// A blob at a path, as it was read.
#[derive(Debug, Clone)]
pub struct Parse {
    /// Encoded.
    pub path: String,
    /// The blob.
    pub blob: ObjectId,
    /// Bytes; 0 where unknown.
    pub size: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// What it says; empty unless it was read.
    pub facts: CodeFacts,
}

impl Outcome {
    /// The name stored and counted by.
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Code(_) => "code",
            Outcome::Partial(_) => "partial",
            Outcome::Text => "text",
            Outcome::Skipped(skip) => skip.name(),
            Outcome::Failed(_) => "failed",
            Outcome::Missing => "missing",
        }
    }
}

/// The row of a blob at a path, if it has been read.
pub fn find_parse(cache: &Connection, path: &str, blob: &ObjectId) -> Result<Option<i64>> {
    let mut statement = cache.prepare_cached(
        "SELECT id FROM parse WHERE path = (SELECT id FROM path WHERE path = :path) AND blob = :blob",
    )?;
    Ok(statement.query_row(named_params! {":path": path, ":blob": blob.as_bytes()}, |row| row.get(0)).optional()?)
}

/// Keeps a parse and its items; `seqs` are the positions of the items' events, in their order.
pub fn add_parse(cache: &Connection, parse: &Parse, seqs: &[Seq]) -> Result<i64> {
    let path = crate::view::intern(cache, &parse.path)?;
    let (detail, language) = match &parse.outcome {
        Outcome::Failed(why) => (Some(why.as_str()), None),
        Outcome::Code(language) | Outcome::Partial(language) => (None, Some(language.name())),
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
            ":shape": definition.map_or_else(String::new, |definition| shape_name(&definition.shape)),
        })?;
    }
    Ok(id)
}

/// What a shape is called: a hash, for shapes are long; empty where there is none.
fn shape_name(shape: &str) -> String {
    if shape.is_empty() { String::new() } else { hex(&blake3::hash(shape.as_bytes()).as_bytes()[..8]) }
}

/// How many files of a view were read in each way, and left out for each reason.
pub fn skipped(cache: &Connection, view: i64) -> Result<BTreeMap<String, u64>> {
    let mut statement = cache.prepare_cached(
        "SELECT outcome, count(*) FROM view_file JOIN parse ON parse.id = view_file.parse WHERE view_file.view = :view GROUP BY outcome",
    )?;
    let rows =
        statement.query_map(named_params! {":view": view}, |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The blobs that were not here, by path.
pub fn missing(cache: &Connection) -> Result<Vec<(String, ObjectId)>> {
    let mut statement = cache.prepare_cached(
        "SELECT path.path, parse.blob FROM parse JOIN path ON path.id = parse.path WHERE outcome = 'missing' ORDER BY path.path",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(rows.into_iter().filter_map(|(path, blob)| Some((path, ObjectId::try_from(blob.as_slice()).ok()?))).collect())
}

/// Lets go of a blob that was not here, and of its places, so that it is read when they are looked at again.
pub fn forget_missing(cache: &Connection, path: &str, blob: &ObjectId) -> Result<()> {
    let Some(id) = find_parse(cache, path, blob)? else { return Ok(()) };
    for sql in ["DELETE FROM view_file WHERE parse = :id", "DELETE FROM parse WHERE id = :id"] {
        cache.prepare_cached(sql)?.execute(named_params! {":id": id})?;
    }
    Ok(())
}
