//! Vector spaces: one per model, adapter and set of item kinds. Every dimension without an adapter shares the space of
//! the base embedding.

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

use crate::dimensions::Holds;

/// A vector space: the embeddings of one model, or their projections by one adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Space {
    /// The row id.
    pub id: i64,
    /// The blake3 of the adapter's file; empty for the base embedding.
    pub adapter: String,
    /// The length of its vectors.
    pub width: usize,
    /// The kinds of item it holds.
    pub holds: Holds,
}

impl Space {
    /// Returns whether it is the space of the base embedding, which every dimension without an adapter shares.
    pub fn is_base(&self) -> bool {
        self.adapter.is_empty()
    }
}

/// Returns every space that is kept up to date: those of the configured model, published or not.
pub fn maintained(cache: &Connection) -> Result<Vec<Space>> {
    let mut statement = cache.prepare_cached(
        "SELECT id, adapter, width, holds FROM space WHERE model = (SELECT model FROM target) ORDER BY id",
    )?;
    Ok(statement.query_map([], space_from_row)?.collect::<rusqlite::Result<_>>()?)
}

/// Returns a space by its row id.
pub fn space_of(cache: &Connection, id: i64) -> Result<Option<Space>> {
    let mut statement = cache.prepare_cached("SELECT id, adapter, width, holds FROM space WHERE id = :id")?;
    Ok(statement.query_row(named_params! {":id": id}, space_from_row).optional()?)
}

/// Reads a [`Space`] from the columns `id, adapter, width, holds`.
pub(super) fn space_from_row(row: &Row<'_>) -> rusqlite::Result<Space> {
    let holds: String = row.get(3)?;
    Ok(Space {
        id: row.get(0)?,
        adapter: row.get(1)?,
        width: row.get::<_, i64>(2)? as usize,
        holds: Holds::named(&holds).unwrap_or(Holds::All),
    })
}
