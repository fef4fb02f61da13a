//! What exists nowhere else, and what a person wants to be forgotten of it. Invariant: an event that is erased keeps its
//! place and its identity, so that it never comes again.

use std::path::Path;

use anyhow::Result;
use rusqlite::{TransactionBehavior, named_params};

use super::{EVERY_ROW, Eventlog, ROW, SEQ_BY_IDEM, refuse_bad_row, row_sum};
use crate::event::{Fact, Idem, Origin, Seq};
use crate::facts::ERASED;
use crate::fail;
use crate::sqlite;

impl Eventlog {
    /// Where the session facts after a position that are in no tree come from, each source once.
    pub fn sessions_after(&self, after: Seq) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT DISTINCT source_file FROM event INDEXED BY event_by_session
             WHERE origin = 'session' AND source_file IS NOT NULL AND seq > :after ORDER BY source_file",
        )?;
        Ok(statement.query_map(named_params! {":after": after}, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
    }

    /// Every fact from a source that is in no tree, in the order of the log.
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

    /// Where session facts between two moments come from that are in no tree, each source once; both in Unix seconds.
    pub fn sessions_between(&self, first: i64, last: i64) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT DISTINCT source_file FROM event INDEXED BY event_by_session
             WHERE origin = 'session' AND source_file IS NOT NULL AND at BETWEEN :first AND :last ORDER BY source_file",
        )?;
        let rows = statement.query_map(named_params! {":first": first, ":last": last}, |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether the log knows a fact by its identity, whatever became of its body.
    pub fn holds(&self, idem: &Idem) -> Result<bool> {
        Ok(self.connection.prepare_cached(SEQ_BY_IDEM)?.exists(named_params! {":idem": idem.0})?)
    }

    /// Every event of a log that nobody writes to, in order: position, type, origin, source, data.
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

    /// Every fact of one origin in a log that nobody writes to, in order.
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

    /// Takes the body of events away; their identity stays, so that they are never taken in again.
    pub fn erase(&mut self, seqs: &[Seq]) -> Result<()> {
        self.connection.pragma_update(None, "secure_delete", "ON")?;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut find = transaction.prepare(ROW)?;
            let mut erase = transaction.prepare("UPDATE event SET data = :data, sum = :sum WHERE seq = :seq")?;
            for seq in seqs {
                let sum = find.query_row(named_params! {":seq": seq}, |row| {
                    let (event_type, at, origin): (String, Option<i64>, String) =
                        (row.get(1)?, row.get(2)?, row.get(3)?);
                    let (source, idem): (Option<String>, [u8; 16]) = (row.get(4)?, row.get(5)?);
                    Ok(row_sum(*seq, &event_type, at, &origin, source.as_deref(), &Idem(idem), ERASED))
                })?;
                erase.execute(named_params! {":data": ERASED, ":sum": sum, ":seq": seq})?;
            }
        }
        fail::point("bodies taken away")?;
        Ok(transaction.commit()?)
    }
}
