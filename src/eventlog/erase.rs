//! Erases the data of events that the user asked to forget.
//!
//! Invariant: an erased event keeps its position and identity hash, so the same fact is never appended again.

use anyhow::Result;
use rusqlite::{TransactionBehavior, named_params};

use super::{Eventlog, ROW, row_sum};
use crate::event::{Idem, Seq};
use crate::facts::ERASED;
use crate::fail;

impl Eventlog {
    /// Replaces the data of events by [`ERASED`], in one transaction; their rows and identity hashes stay.
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
