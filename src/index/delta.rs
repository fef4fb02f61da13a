//! The delta: vectors added since the last segment, stored as rows of f16 and searched exactly.
//!
//! Invariant: a row that does not match its checksum is never returned.

use std::collections::HashMap;

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, named_params};

use super::space::Space;
use crate::embedding::{Projection, UnitVector, dot, widen};
use crate::sqlite;

/// A row of the delta.
#[derive(Debug, Clone, PartialEq)]
pub struct DeltaRow {
    /// The row id of the text.
    pub text: i64,
    /// Its vector.
    pub vector: Projection,
}

/// Stores the vector of a text, which is then no longer pending.
pub fn put(cache: &Connection, space: &Space, text: i64, vector: &Projection) -> Result<()> {
    let bytes = vector.0.to_bytes();
    cache
        .prepare_cached("INSERT OR REPLACE INTO delta(space, text, vector, sum) VALUES (:space, :text, :vector, :sum)")?
        .execute(named_params! {":space": space.id, ":text": text, ":vector": bytes, ":sum": row_sum(text, &bytes)})?;
    cache
        .prepare_cached("DELETE FROM wanted WHERE space = :space AND text = :text")?
        .execute(named_params! {":space": space.id, ":text": text})?;
    Ok(())
}

/// Returns the number of rows of a space.
pub fn count(cache: &Connection, space: i64) -> Result<usize> {
    let mut statement = cache.prepare_cached("SELECT count(*) FROM delta WHERE space = :space")?;
    Ok(statement.query_row(named_params! {":space": space}, |row| row.get::<_, i64>(0))? as usize)
}

/// Returns the vector of a text; `None` if it is not in the delta or its row is damaged.
pub fn vector(cache: &Connection, space: &Space, text: i64) -> Result<Option<Projection>> {
    let mut statement = cache.prepare_cached("SELECT vector, sum FROM delta WHERE space = :space AND text = :text")?;
    let row = statement
        .query_row(named_params! {":space": space.id, ":text": text}, |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?))
        })
        .optional()?;
    Ok(row
        .filter(|(vector, sum)| *sum == row_sum(text, vector))
        .and_then(|(vector, _)| UnitVector::from_bytes(&vector, space.width).map(Projection)))
}

/// Returns the vectors of the given texts that are in the delta and not damaged.
pub fn many(cache: &Connection, space: &Space, texts: &[i64]) -> Result<HashMap<i64, Projection>> {
    let mut statement = cache.prepare_cached(
        "SELECT text, vector, sum FROM delta WHERE space = :space AND text IN (SELECT value FROM json_each(:texts))",
    )?;
    let mut rows = statement.query(named_params! {":space": space.id, ":texts": sqlite::json_array(texts)})?;
    let mut found = HashMap::new();
    while let Some(row) = rows.next()? {
        let (text, bytes) = (row.get(0)?, row.get_ref(1)?.as_blob()?);
        if row.get_ref(2)?.as_blob()? == row_sum(text, bytes)
            && let Some(vector) = UnitVector::from_bytes(bytes, space.width)
        {
            found.insert(text, Projection(vector));
        }
    }
    Ok(found)
}

/// Scores every row against a query of the space's width.
///
/// Checksums are not verified here; [`vector`] does that for the rows that matter.
pub fn scores(cache: &Connection, space: &Space, query: &[f32], mut each: impl FnMut(i64, f32)) -> Result<()> {
    let mut statement = cache.prepare_cached("SELECT text, vector FROM delta WHERE space = :space")?;
    let mut rows = statement.query(named_params! {":space": space.id})?;
    let mut wide = vec![0.0; space.width];
    while let Some(row) = rows.next()? {
        if widen(row.get_ref(1)?.as_blob()?, &mut wide) {
            each(row.get(0)?, dot(query, &wide));
        }
    }
    Ok(())
}

/// Visits every row that matches its checksum, ordered by text, until `visit` returns false.
pub fn each(cache: &Connection, space: &Space, mut visit: impl FnMut(DeltaRow) -> Result<bool>) -> Result<()> {
    let mut statement = cache.prepare("SELECT text, vector, sum FROM delta WHERE space = :space ORDER BY text")?;
    let mut rows = statement.query(named_params! {":space": space.id})?;
    while let Some(row) = rows.next()? {
        let (text, bytes) = (row.get(0)?, row.get_ref(1)?.as_blob()?);
        let is_whole = row.get_ref(2)?.as_blob()? == row_sum(text, bytes);
        let vector = is_whole.then(|| UnitVector::from_bytes(bytes, space.width)).flatten();
        let Some(vector) = vector else { continue };
        if !visit(DeltaRow { text, vector: Projection(vector) })? {
            break;
        }
    }
    Ok(())
}

/// Returns the rows of any space that do not match their checksum, as (space, text).
pub fn damaged(cache: &Connection) -> Result<Vec<(i64, i64)>> {
    let mut bad = Vec::new();
    let mut statement = cache.prepare("SELECT space, text, vector, sum FROM delta")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text = row.get(1)?;
        if row.get_ref(3)?.as_blob()? != row_sum(text, row.get_ref(2)?.as_blob()?) {
            bad.push((row.get(0)?, text));
        }
    }
    Ok(bad)
}

/// Deletes damaged rows and makes their texts pending again.
pub fn mend(cache: &Connection) -> Result<()> {
    for (space, text) in damaged(cache)? {
        for sql in [
            "DELETE FROM delta WHERE space = :space AND text = :text",
            "INSERT OR IGNORE INTO wanted(space, text) VALUES (:space, :text)",
        ] {
            cache.execute(sql, named_params! {":space": space, ":text": text})?;
        }
    }
    Ok(())
}

/// Returns the first 64 bits of the blake3 of a row.
fn row_sum(text: i64, vector: &[u8]) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&text.to_le_bytes()).update(vector);
    let mut sum = [0; 8];
    sum.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    sum
}
