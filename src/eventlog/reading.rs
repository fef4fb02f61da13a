//! Reads events from the log: those of a session, of one origin, or all. Every row is checked against its checksum.

use std::path::Path;

use anyhow::Result;
use rusqlite::named_params;

use super::{EVERY_ROW, Eventlog, SEQ_BY_IDEM, refuse_bad_row};
use crate::event::{Fact, Idem, Origin, Seq};
use crate::sqlite;

impl Eventlog {
    /// Returns the sources of session events outside the tree that come after a position, deduplicated.
    pub fn sessions_after(&self, after: Seq) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT DISTINCT source_file FROM event INDEXED BY event_by_session
             WHERE origin = 'session' AND source_file IS NOT NULL AND seq > :after ORDER BY source_file",
        )?;
        Ok(statement.query_map(named_params! {":after": after}, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
    }

    /// Visits every event of a session outside the tree, in order, as (position, type, data).
    pub fn each_of_session(&self, source: &str, mut visit: impl FnMut(Seq, &str, &str) -> Result<()>) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "SELECT seq, event_type, at, origin, source_file, idem, data, sum FROM event INDEXED BY event_by_session
             WHERE origin = 'session' AND source_file = :source ORDER BY seq",
        )?;
        let mut rows = statement.query(named_params! {":source": source})?;
        while let Some(row) = rows.next()? {
            let seq = row.get(0)?;
            refuse_bad_row(row, seq)?;
            visit(seq, row.get_ref(1)?.as_str()?, row.get_ref(6)?.as_str()?)?;
        }
        Ok(())
    }

    /// Returns the sources of session events outside the tree between two times (Unix seconds), deduplicated.
    pub fn sessions_between(&self, first: i64, last: i64) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT DISTINCT source_file FROM event INDEXED BY event_by_session
             WHERE origin = 'session' AND source_file IS NOT NULL AND at BETWEEN :first AND :last ORDER BY source_file",
        )?;
        let rows = statement.query_map(named_params! {":first": first, ":last": last}, |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Returns whether the log has an event with this identity hash, erased or not.
    pub fn holds(&self, idem: &Idem) -> Result<bool> {
        Ok(self.connection.prepare_cached(SEQ_BY_IDEM)?.exists(named_params! {":idem": idem.0})?)
    }

    /// Visits every event of a log that has no writer, in order, as (position, type, origin, source, data).
    pub fn each(path: &Path, mut visit: impl FnMut(Seq, &str, &str, &str, &str) -> Result<()>) -> Result<()> {
        let connection = sqlite::open_read_only(path)?;
        let mut statement = connection.prepare(EVERY_ROW)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let seq = row.get(0)?;
            refuse_bad_row(row, seq)?;
            let source = row.get_ref(4)?.as_str_or_null()?.unwrap_or_default();
            visit(seq, row.get_ref(1)?.as_str()?, row.get_ref(3)?.as_str()?, source, row.get_ref(6)?.as_str()?)?;
        }
        Ok(())
    }

    /// Visits every event of one origin in a log that has no writer, in order, as a [`Fact`].
    pub fn each_fact(path: &Path, origin: Origin, mut visit: impl FnMut(Fact) -> Result<()>) -> Result<()> {
        let connection = sqlite::open_read_only(path)?;
        let mut statement = connection.prepare(
            "SELECT seq, event_type, at, origin, source_file, idem, data, sum FROM event WHERE origin = :origin ORDER BY seq",
        )?;
        let mut rows = statement.query(named_params! {":origin": origin.name()})?;
        while let Some(row) = rows.next()? {
            refuse_bad_row(row, row.get(0)?)?;
            visit(Fact {
                event_type: row.get(1)?,
                at: row.get(2)?,
                origin,
                source_file: row.get(4)?,
                idem: Idem(row.get(5)?),
                data: row.get(6)?,
            })?;
        }
        Ok(())
    }
}
