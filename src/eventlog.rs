//! The append-only event log, and its SQL views for users.
//!
//! Invariant: events are never updated or deleted, which SQL triggers enforce. The two exceptions are `forget`, which
//! erases the data of events, and `gc`, which drops events that git can provide again and no view has needed for long.

mod erase;
mod reading;
mod salvage;
mod stored_event;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, named_params};

use crate::error::{Exit, UserError};
use crate::event::{Fact, Idem, Seq};
use crate::fail;
use crate::sqlite::{self, Durability};
pub use salvage::{Salvaged, salvage};
pub use stored_event::StoredEvent;

/// The migrations of the schema, oldest first.
///
/// `reachable` and `tree` hold what is live, for joins in plain SQL. Both change in one transaction, so the SQL views
/// show nothing that no longer exists. `live` holds single values; the random `log_id` detects that the file was
/// replaced by another log. The second migration decodes a commit's fields once instead of once for each of its files;
/// the third adds the index by which the events of a session are found.
const MIGRATIONS: &[&str] = &[
    "
CREATE TABLE event(
  seq INTEGER PRIMARY KEY,
  event_type TEXT NOT NULL,
  at INTEGER,
  origin TEXT NOT NULL,
  source_file TEXT,
  idem BLOB NOT NULL UNIQUE,
  data TEXT NOT NULL CHECK(json_valid(data)),
  sum BLOB NOT NULL,
  content TEXT GENERATED ALWAYS AS (coalesce(data ->> '$.content', data ->> '$.message', data ->> '$.text')) VIRTUAL,
  name TEXT GENERATED ALWAYS AS (data ->> '$.name') VIRTUAL,
  file_path TEXT GENERATED ALWAYS AS (data ->> '$.file_path') VIRTUAL,
  caller_name TEXT GENERATED ALWAYS AS (data ->> '$.caller_name') VIRTUAL,
  callee_name TEXT GENERATED ALWAYS AS (data ->> '$.callee_name') VIRTUAL
) STRICT;
CREATE INDEX event_by_type ON event(event_type);

CREATE TRIGGER event_is_never_updated BEFORE UPDATE ON event
WHEN NEW.data <> '{\"erased\":true}' OR NEW.seq <> OLD.seq OR NEW.idem <> OLD.idem OR NEW.event_type <> OLD.event_type
BEGIN SELECT RAISE(ABORT, 'the eventlog is append-only'); END;
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'the eventlog is append-only'); END;

CREATE TABLE reachable(seq INTEGER PRIMARY KEY) STRICT;
CREATE TABLE tree(seq INTEGER PRIMARY KEY, file_path TEXT NOT NULL) STRICT;
CREATE INDEX tree_by_path ON tree(file_path);
CREATE TABLE unseen(seq INTEGER PRIMARY KEY, since INTEGER NOT NULL) STRICT;
CREATE TABLE live(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO live(key, value) VALUES ('log_id', hex(randomblob(16)));

CREATE VIEW eventlog AS
  SELECT * FROM event
  WHERE seq IN (SELECT seq FROM reachable) OR seq IN (SELECT seq FROM tree) OR origin NOT IN ('git', 'code');
CREATE VIEW commit_files AS
  WITH file AS MATERIALIZED (
    SELECT event.data ->> '$.sha' AS commit_hash, file.value ->> '$.path' AS file_path,
           file.value ->> '$.status' AS status, event.at AS at, event.data ->> '$.author' AS author
    FROM reachable JOIN event USING (seq), json_each(event.data, '$.files_changed') AS file
  ) SELECT * FROM file;
CREATE VIEW co_changes AS
  SELECT a.file_path AS file_a, b.file_path AS file_b, count(*) AS cochange_count
  FROM commit_files a JOIN commit_files b ON a.commit_hash = b.commit_hash AND a.file_path < b.file_path
  GROUP BY a.file_path, b.file_path;
",
    "
DROP VIEW co_changes;
DROP VIEW commit_files;
CREATE VIEW commit_files AS
  WITH told AS MATERIALIZED (
    SELECT data ->> '$.sha' AS commit_hash, data -> '$.files_changed' AS files, at, data ->> '$.author' AS author
    FROM reachable JOIN event USING (seq)
  ), file AS MATERIALIZED (
    SELECT commit_hash, file.value ->> '$.path' AS file_path, file.value ->> '$.status' AS status, at, author
    FROM told, json_each(told.files) AS file
  ) SELECT * FROM file;
CREATE VIEW co_changes AS
  SELECT a.file_path AS file_a, b.file_path AS file_b, count(*) AS cochange_count
  FROM commit_files a JOIN commit_files b ON a.commit_hash = b.commit_hash AND a.file_path < b.file_path
  GROUP BY a.file_path, b.file_path;
",
    "
CREATE INDEX event_by_session ON event(source_file) WHERE origin = 'session';
",
];

const INSERT: &str = "INSERT INTO event(seq, event_type, at, origin, source_file, idem, data, sum)
  VALUES (:seq, :event_type, :at, :origin, :source_file, :idem, :data, :sum) ON CONFLICT(idem) DO NOTHING";
const INSERT_PARAMETERS: [&str; 8] =
    [":seq", ":event_type", ":at", ":origin", ":source_file", ":idem", ":data", ":sum"];
const EVERY_ROW: &str = "SELECT seq, event_type, at, origin, source_file, idem, data, sum FROM event ORDER BY seq";
const ROW: &str = "SELECT seq, event_type, at, origin, source_file, idem, data, sum FROM event WHERE seq = :seq";
const SEQ_BY_IDEM: &str = "SELECT seq FROM event WHERE idem = :idem";
/// Positions are never reused, even if the newest events were dropped.
const LAST_SEQ: &str = "SELECT max(coalesce((SELECT max(seq) FROM event), 0),
  coalesce((SELECT CAST(value AS INTEGER) FROM live WHERE key = 'last_seq'), 0))";
const SET_LIVE: &str =
    "INSERT INTO live(key, value) VALUES (:key, :value) ON CONFLICT(key) DO UPDATE SET value = excluded.value";

/// The log, open for writing.
#[derive(Debug)]
pub struct Eventlog {
    connection: Connection,
    path: PathBuf,
}

/// The result of an append.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// The position of each fact, in the order given.
    pub seqs: Vec<Seq>,
    /// The number of facts that the log did not have.
    pub new: usize,
}

/// A change of the live tables, which plain SQL joins: what becomes live, and what is no longer live.
#[derive(Debug, Default)]
pub struct LiveMove {
    /// Whether to clear the live tables first; the additions are then the complete new state.
    pub reset: bool,
    /// Commits that became reachable.
    pub commits_added: Vec<Seq>,
    /// Commits that are no longer reachable.
    pub commits_removed: Vec<Seq>,
    /// Paths of the main worktree whose events are no longer live.
    pub paths_removed: Vec<String>,
    /// Events that became live, with the path that they were read from.
    pub code_added: Vec<(Seq, String)>,
}

impl LiveMove {
    /// Returns whether nothing changes.
    pub fn is_empty(&self) -> bool {
        !self.reset
            && self.commits_added.is_empty()
            && self.commits_removed.is_empty()
            && self.paths_removed.is_empty()
            && self.code_added.is_empty()
    }
}

impl Eventlog {
    /// Opens or creates the log. Committed transactions survive a crash of the machine.
    ///
    /// # Errors
    /// A [`UserError`] if the file is too damaged to be opened.
    pub fn open(path: &Path, wal: bool) -> Result<Self> {
        salvage::finish(path)?;
        if !path.exists() {
            salvage::begin(path)?;
        }
        Self::refuse_damaged(path)?;
        sqlite::lift_seal(path)?;
        let open = || -> Result<Connection> {
            let mut connection = sqlite::open(path, Durability::Full, wal)?;
            fail::point("log opened")?;
            sqlite::migrate(&mut connection, "eventlog.db", MIGRATIONS)?;
            Ok(connection)
        };
        match open() {
            Ok(connection) => Ok(Eventlog { connection, path: path.to_path_buf() }),
            Err(error) if sqlite::is_damage(&error) => Err(damaged(format!("{error:#}"))),
            Err(error) => Err(error),
        }
    }

    /// Closes and seals the log until the next run.
    pub fn close(self) -> Result<()> {
        sqlite::close(self.connection, &self.path)
    }

    /// Returns an error if another program wrote to a log and damaged it.
    ///
    /// The rows are only verified if the file does not match its seal.
    pub fn refuse_damaged(path: &Path) -> Result<()> {
        if path.exists()
            && sqlite::refuse_altered(path).is_err()
            && let Some(what) = Self::damage(path)?
        {
            return Err(damaged(what));
        }
        Ok(())
    }

    /// Returns an error if the log was written by a newer patina. For readers, which do not migrate.
    pub fn refuse_newer(connection: &Connection, schema: &str) -> Result<()> {
        let version: u32 = connection.pragma_query_value(Some(schema), "user_version", |row| row.get(0))?;
        sqlite::refuse_newer("eventlog.db", version as usize, MIGRATIONS.len())
    }

    /// Appends facts in one transaction. Facts that the log already has are skipped.
    pub fn append<'a>(&mut self, facts: impl IntoIterator<Item = &'a Fact>) -> Result<Appended> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut appended = Appended::default();
        {
            let mut next: Seq = transaction.query_row(LAST_SEQ, [], |row| row.get(0))?;
            let mut find = transaction.prepare_cached(SEQ_BY_IDEM)?;
            let mut insert = transaction.prepare_cached(INSERT)?;
            let at = INSERT_PARAMETERS
                .map(|name| insert.parameter_index(name).ok().flatten().expect("the statement names it"));
            for fact in facts {
                let (seq, source) = (next + 1, fact.source_file.as_deref());
                let sum = row_sum(seq, &fact.event_type, fact.at, fact.origin.name(), source, &fact.idem, &fact.data);
                // Parameters are bound by index, because looking up their names for every row would cost as much as the
                // insert.
                insert.raw_bind_parameter(at[0], seq)?;
                insert.raw_bind_parameter(at[1], &fact.event_type)?;
                insert.raw_bind_parameter(at[2], fact.at)?;
                insert.raw_bind_parameter(at[3], fact.origin.name())?;
                insert.raw_bind_parameter(at[4], source)?;
                insert.raw_bind_parameter(at[5], fact.idem.0)?;
                insert.raw_bind_parameter(at[6], &fact.data)?;
                insert.raw_bind_parameter(at[7], sum)?;
                let new = insert.raw_execute()?;
                if new == 0 {
                    appended.seqs.push(find.query_row(named_params! {":idem": fact.idem.0}, |row| row.get(0))?);
                } else {
                    next = seq;
                    appended.new += 1;
                    appended.seqs.push(seq);
                }
            }
        }
        fail::point("append written")?;
        transaction.commit().context("appending to the eventlog")?;
        fail::point("append kept")?;
        Ok(appended)
    }

    /// Calls `visit` with the position and data of every event of one type after a position, in order.
    pub fn each_after(
        &self,
        event_type: &str,
        after: Seq,
        mut visit: impl FnMut(Seq, &str) -> Result<()>,
    ) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "SELECT seq, event_type, at, origin, source_file, idem, data, sum FROM event
             WHERE event_type = :event_type AND seq > :after ORDER BY seq",
        )?;
        let mut rows = statement.query(named_params! {":event_type": event_type, ":after": after})?;
        while let Some(row) = rows.next()? {
            let seq = row.get(0)?;
            refuse_bad_row(row, seq)?;
            visit(seq, row.get_ref(6)?.as_str()?)?;
        }
        Ok(())
    }

    /// Returns the random id of this log, which every cache built from it stores.
    pub fn id(&self) -> Result<String> {
        Ok(self.connection.query_row("SELECT value FROM live WHERE key = 'log_id'", [], |row| row.get(0))?)
    }

    /// Reads one event and verifies its checksum.
    pub fn event(&self, seq: Seq) -> Result<StoredEvent> {
        event(&self.connection, seq)
    }

    /// Begins a read transaction for many reads, because locking for each of them would cost as much as the read
    /// itself.
    pub fn snapshot(&self) -> Result<Transaction<'_>> {
        Ok(self.connection.unchecked_transaction()?)
    }

    /// Returns the highest position that was ever assigned.
    pub fn last_seq(&self) -> Result<Seq> {
        Ok(self.connection.query_row(LAST_SEQ, [], |row| row.get(0))?)
    }

    /// Returns whether a commit in the log may lack its ancestors, because reading history was interrupted.
    pub fn is_history_open(&self) -> Result<bool> {
        Ok(self
            .connection
            .query_row("SELECT 1 FROM live WHERE key = 'history_open'", [], |_| Ok(()))
            .optional()?
            .is_some())
    }

    /// Records that reading history has begun (`open`), or that it is complete.
    pub fn set_history_open(&mut self, open: bool) -> Result<()> {
        match (open, self.is_history_open()?) {
            (true, false) => {
                self.connection.execute(SET_LIVE, named_params! {":key": "history_open", ":value": "1"})?
            }
            (false, true) => self.connection.execute("DELETE FROM live WHERE key = 'history_open'", [])?,
            _ => 0,
        };
        Ok(())
    }

    /// Returns the state that the live tables reflect, as the caller last passed it to [`Eventlog::move_live`].
    pub fn live_as_of(&self) -> Result<Option<String>> {
        Ok(self.connection.query_row("SELECT value FROM live WHERE key = 'as_of'", [], |row| row.get(0)).optional()?)
    }

    /// Updates the live tables to the state `as_of`, in one transaction.
    pub fn move_live(&mut self, change: &LiveMove, as_of: &str) -> Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        apply_live(&transaction, change)?;
        transaction.execute(SET_LIVE, named_params! {":key": "as_of", ":value": as_of})?;
        fail::point("live written")?;
        transaction.commit()?;
        fail::point("live kept")?;
        Ok(())
    }

    /// Records which derivable events are not live at `now`, and returns those that have not been live since `before`.
    ///
    /// Derivable events are those of commits and code, which git can provide again. Times are in Unix seconds.
    pub fn note_unseen(&mut self, live: &HashSet<Seq>, now: i64, before: i64) -> Result<Vec<Seq>> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let old = {
            let mut derivable = transaction.prepare("SELECT seq FROM event WHERE origin IN ('git', 'code')")?;
            let mut note = transaction.prepare("INSERT OR IGNORE INTO unseen(seq, since) VALUES (:seq, :now)")?;
            let mut seen = transaction.prepare("DELETE FROM unseen WHERE seq = :seq")?;
            let seqs = derivable.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<Seq>>>()?;
            for seq in seqs {
                if live.contains(&seq) {
                    seen.execute(named_params! {":seq": seq})?;
                } else {
                    note.execute(named_params! {":seq": seq, ":now": now})?;
                }
            }
            let mut old = transaction.prepare("SELECT seq FROM unseen WHERE since <= :before ORDER BY seq")?;
            old.query_map(named_params! {":before": before}, |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<Seq>>>()?
        };
        transaction.commit()?;
        Ok(old)
    }

    /// Returns the disk space of dropped events to the file system.
    pub fn vacuum(&self) -> Result<()> {
        Ok(self.connection.execute_batch("VACUUM")?)
    }

    /// Drops events that can be derived again from git, and returns their number.
    ///
    /// The caller ensures that no view has needed them for a long time.
    pub fn drop_derivable(&mut self, seqs: &[Seq]) -> Result<usize> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let trigger: String = transaction.query_row(
            "SELECT sql FROM sqlite_schema WHERE name = 'event_is_never_deleted'",
            [],
            |row| row.get(0),
        )?;
        let last: Seq = transaction.query_row(LAST_SEQ, [], |row| row.get(0))?;
        transaction.execute(SET_LIVE, named_params! {":key": "last_seq", ":value": last.to_string()})?;
        transaction.execute_batch("DROP TRIGGER event_is_never_deleted")?;
        let mut dropped = 0;
        {
            let mut delete = transaction.prepare("DELETE FROM event WHERE seq = :seq AND origin IN ('git', 'code')")?;
            for seq in seqs {
                dropped += delete.execute(named_params! {":seq": seq})?;
                transaction
                    .prepare_cached("DELETE FROM unseen WHERE seq = :seq")?
                    .execute(named_params! {":seq": seq})?;
            }
        }
        fail::point("events dropped")?;
        transaction.execute_batch(&trigger)?;
        transaction.commit()?;
        fail::point("drop kept")?;
        Ok(dropped)
    }

    /// Returns what is wrong with a log's file, the first bad row if there is one; `None` if it is intact.
    pub fn damage(path: &Path) -> Result<Option<String>> {
        let look = || -> Result<Option<String>> {
            let log = sqlite::open_read_only(path)?;
            Self::refuse_newer(&log, "main")?;
            if !log.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'event'")?.exists([])? {
                let empty = std::fs::metadata(path)?.len() == 0;
                return Ok((!empty).then(|| "the table of events is gone".to_string()));
            }
            if let (Some(bad), _) = Self::verify_sums(&log)? {
                return Ok(Some(bad));
            }
            let verdict: String = log.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
            Ok((verdict != "ok").then_some(verdict))
        };
        match look() {
            Err(error) if sqlite::is_damage(&error) => Ok(Some(format!("{error:#}"))),
            result => result,
        }
    }

    /// Verifies the checksum of every row. Returns a description of the first bad row, if any, and the number of rows
    /// read.
    pub fn verify_sums(connection: &Connection) -> Result<(Option<String>, u64)> {
        let mut statement = connection.prepare(EVERY_ROW)?;
        let mut rows = statement.query([])?;
        let (mut last, mut count) = (0, 0);
        loop {
            let row = match rows.next().map_err(anyhow::Error::from) {
                Ok(Some(row)) => row,
                Ok(None) => return Ok((None, count)),
                Err(error) if sqlite::is_damage(&error) => {
                    return Ok((Some(format!("what comes after event {last} cannot be read: {error:#}")), count));
                }
                Err(error) => return Err(error),
            };
            count += 1;
            last = row.get(0)?;
            if !sum_holds(row).unwrap_or(false) {
                return Ok((Some(no_match(last)), count));
            }
        }
    }
}

/// Reads one event from any connection that has the log open, and verifies its checksum.
pub fn event(connection: &Connection, seq: Seq) -> Result<StoredEvent> {
    let mut statement = connection.prepare_cached(ROW)?;
    let mut rows = statement.query(named_params! {":seq": seq})?;
    let row = rows.next()?.with_context(|| format!("event {seq} is not in the log"))?;
    refuse_bad_row(row, seq)?;
    Ok(StoredEvent { seq, event_type: row.get(1)?, data: row.get(6)? })
}

/// Returns the error shown to users for a damaged log.
pub fn damaged(what: impl std::fmt::Display) -> anyhow::Error {
    UserError::new(Exit::Unverified, format!("the eventlog is damaged: {what}"))
        .hint("`patina doctor --fix` saves every event that verifies, keeps the damaged file, and goes on from there")
        .into()
}

fn no_match(seq: Seq) -> String {
    format!("event {seq} does not match its sum")
}

fn refuse_bad_row(row: &Row<'_>, seq: Seq) -> Result<()> {
    if sum_holds(row).unwrap_or(false) { Ok(()) } else { Err(damaged(no_match(seq))) }
}

/// Returns whether a row of [`EVERY_ROW`] or [`ROW`] matches its checksum; an error if its columns have other types.
fn sum_holds(row: &Row<'_>) -> Result<bool> {
    let source: Option<String> = row.get(4)?;
    let expect = row_sum(
        row.get(0)?,
        row.get_ref(1)?.as_str()?,
        row.get(2)?,
        row.get_ref(3)?.as_str()?,
        source.as_deref(),
        &Idem(row.get(5)?),
        row.get_ref(6)?.as_str()?,
    );
    Ok(row.get_ref(7)?.as_blob()? == expect)
}

fn apply_live(transaction: &Transaction<'_>, change: &LiveMove) -> Result<()> {
    if change.reset {
        transaction.execute_batch("DELETE FROM reachable; DELETE FROM tree;")?;
    }
    let mut drop_commit = transaction.prepare_cached("DELETE FROM reachable WHERE seq = :seq")?;
    for seq in &change.commits_removed {
        drop_commit.execute(named_params! {":seq": seq})?;
    }
    let mut drop_path = transaction.prepare_cached("DELETE FROM tree WHERE file_path = :path")?;
    for path in &change.paths_removed {
        drop_path.execute(named_params! {":path": path})?;
    }
    let seen: Vec<Seq> =
        change.commits_added.iter().chain(change.code_added.iter().map(|(seq, _)| seq)).copied().collect();
    transaction
        .prepare_cached("DELETE FROM unseen WHERE seq IN (SELECT value FROM json_each(:seqs))")?
        .execute(named_params! {":seqs": sqlite::json_array(&seen)})?;
    let mut add_commit = transaction.prepare_cached("INSERT OR IGNORE INTO reachable(seq) VALUES (:seq)")?;
    for seq in &change.commits_added {
        add_commit.execute(named_params! {":seq": seq})?;
    }
    let mut add_code = transaction.prepare_cached("INSERT OR IGNORE INTO tree(seq, file_path) VALUES (:seq, :path)")?;
    for (seq, path) in &change.code_added {
        add_code.execute(named_params! {":seq": seq, ":path": path})?;
    }
    Ok(())
}

/// Returns the checksum of a row: 128 bits of blake3. One for each row, so that damage can be located.
fn row_sum(
    seq: Seq,
    event_type: &str,
    at: Option<i64>,
    origin: &str,
    source: Option<&str>,
    idem: &Idem,
    data: &str,
) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seq.to_le_bytes());
    hasher.update(&[u8::from(at.is_some()), u8::from(source.is_some())]);
    hasher.update(&at.unwrap_or_default().to_le_bytes());
    hasher.update(&idem.0);
    for text in [event_type, origin, source.unwrap_or_default(), data] {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    let mut sum = [0; 16];
    sum.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Origin;

    fn fact(n: u32) -> Fact {
        Fact {
            event_type: "code.file".into(),
            at: None,
            origin: Origin::Code,
            source_file: Some(format!("{n}.rs")),
            idem: Idem::of("code.file", &[&n.to_le_bytes()]),
            data: format!("{{\"file_path\":\"{n}.rs\"}}"),
        }
    }

    fn log() -> (tempfile::TempDir, Eventlog) {
        let dir = tempfile::tempdir().expect("a folder");
        let log = Eventlog::open(&dir.path().join("eventlog.db"), true).expect("opens");
        (dir, log)
    }

    #[test]
    fn appending_twice_equals_once() {
        let (_dir, mut log) = log();
        let facts = [fact(1), fact(2), fact(1)];
        assert_eq!(log.append(&facts).expect("appends"), Appended { seqs: vec![1, 2, 1], new: 2 });
        assert_eq!(log.append(&facts).expect("appends"), Appended { seqs: vec![1, 2, 1], new: 0 });
        assert_eq!(Eventlog::verify_sums(&log.connection).expect("reads"), (None, 2));
    }

    #[test]
    fn an_update_or_delete_is_refused() {
        let (_dir, mut log) = log();
        log.append(&[fact(1)]).expect("appends");
        for sql in ["UPDATE event SET data = '{}'", "DELETE FROM event", "UPDATE event SET seq = 9"] {
            assert!(log.connection.execute(sql, []).is_err(), "{sql}");
        }
        assert_eq!(log.drop_derivable(&[1]).expect("gc may"), 1);
        log.append(&[fact(1)]).expect("appends");
        assert!(log.connection.execute("DELETE FROM event", []).is_err(), "the trigger is back");
    }

    #[test]
    fn a_damaged_row_is_named() {
        let (_dir, mut log) = log();
        log.append(&[fact(1), fact(2), fact(3)]).expect("appends");
        log.connection
            .execute_batch("DROP TRIGGER event_is_never_updated; UPDATE event SET source_file = 'x' WHERE seq = 2")
            .expect("damage");
        let named = Some("event 2 does not match its sum".to_string());
        assert_eq!(Eventlog::verify_sums(&log.connection).expect("reads"), (named, 2));
        assert!(log.event(1).is_ok());
        assert!(log.event(2).expect_err("damaged").to_string().contains("event 2"));
    }
}
