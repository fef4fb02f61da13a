//! The cache file: the tables of all modules in one database, rebuilt when anything it depends on has changed.
//!
//! Invariant: everything in it can be derived again from git and the log.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rusqlite::{Connection, OptionalExtension, named_params};

use crate::config::Config;
use crate::error::{Exit, UserError, UserErrorKind};
use crate::event::{Seq, hex};
use crate::eventlog::Eventlog;
use crate::facts::{CODE_VERSION, COMMIT_VERSION, session_version};
use crate::fail;
use crate::sqlite::{self, Durability};
use crate::workspace::Workspace;
use crate::{edges, embedding, entries, history, index, item, text_index, view};

/// The table of single values.
const META: &str = "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;";

/// A cache open for writing.
#[derive(Debug)]
pub struct Cache {
    /// The database.
    pub connection: Connection,
    path: PathBuf,
    /// Whether the cache is not published yet; readers use it only after [`Cache::publish`].
    building: bool,
}

impl Cache {
    /// Opens the cache in use.
    ///
    /// If there is none, or it is damaged or outdated, opens the unfinished cache of an interrupted rebuild, or starts
    /// a new one. With `full`, the cache in use is never opened, so that everything is rebuilt.
    pub fn open(workspace: &Workspace, config: &Config, log: &Eventlog, full: bool) -> Result<Self> {
        let wanted = CacheOrigin { fingerprint: fingerprint(config), log: log.id()?, last: log.last_seq()? };
        let current = workspace.cache_path();
        if let Some(path) = current.clone().filter(|_| !full)
            && let Some(connection) = open_if_usable(&path, workspace.wal, &wanted)?
        {
            return Ok(Cache { connection, path, building: false });
        }
        let next = workspace.next_cache_path()?;
        let last = previous_path(&next).filter(|last| last.exists() && Some(last) != current.as_ref());
        if let Some(last) = last
            && let Some(connection) = open_if_usable(&last, workspace.wal, &wanted)?
        {
            return Ok(Cache { connection, path: last, building: true });
        }
        let connection = sqlite::open(&next, Durability::Normal, workspace.wal)?;
        connection.pragma_update(None, "cache_size", -64_000)?;
        let schema = format!("BEGIN;{META}{}COMMIT;", schemas().concat());
        connection.execute_batch(&schema).context("making the cache's tables")?;
        fail::point("cache made")?;
        set_meta(&connection, "fingerprint", &wanted.fingerprint)?;
        set_meta(&connection, "log_id", &wanted.log)?;
        Ok(Cache { connection, path: next, building: true })
    }

    /// Publishes the cache, so that readers use it.
    pub fn publish(&mut self, workspace: &Workspace) -> Result<()> {
        if self.building {
            // Readers that open the file without its write-ahead log must find everything in it.
            sqlite::fold(&self.connection)?;
            fail::point("cache folded")?;
            workspace.publish_cache(&self.path)?;
            self.building = false;
        }
        Ok(())
    }

    /// Closes and seals the cache until the next run.
    pub fn close(self) -> Result<()> {
        sqlite::close(self.connection, &self.path)
    }

    /// Returns whether the cache is not published yet.
    pub fn is_building(&self) -> bool {
        self.building
    }

    /// Returns the watermark: the position of the newest event that was applied.
    pub fn watermark(&self) -> Result<Seq> {
        Ok(meta(&self.connection, "watermark")?.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    /// Sets the watermark.
    pub fn set_watermark(&self, seq: Seq) -> Result<()> {
        set_meta(&self.connection, "watermark", &seq.to_string())
    }
}

/// Returns the error for a repository that was never indexed.
pub fn not_indexed() -> UserError {
    UserError::new(Exit::NotSetUp, "this repository has not been indexed yet")
        .hint("run `patina reindex`, or `patina hook install` once and commit")
}

/// Opens the cache in use for reading, with the log attached as `log`.
///
/// # Errors
/// A [`UserError`] with [`Exit::NotSetUp`] if there is no cache yet or it is outdated.
pub fn open_reader(workspace: &Workspace, config: &Config) -> Result<Connection> {
    // A rebuild may switch caches between reading the current name and opening that file.
    let mut last = None;
    for _ in 0..3 {
        let Some(path) = workspace.cache_path() else { return Err(not_indexed().into()) };
        match open_cache_and_log(&path, &workspace.eventlog_path(), &fingerprint(config)) {
            Ok(connection) => return Ok(connection),
            Err(error) => last = Some(error),
        }
    }
    Err(last.expect("the loop ran"))
}

/// Returns whether an error says that the index was made by another version, with other settings or from another log.
pub fn is_outdated(error: &anyhow::Error) -> bool {
    error.downcast_ref::<UserError>().is_some_and(|error| error.kind == UserErrorKind::OutdatedIndex)
}

/// Opens a cache with its log and checks that they belong together.
fn open_cache_and_log(cache: &Path, log: &Path, fingerprint: &str) -> Result<Connection> {
    let outdated = || {
        UserError::new(
            Exit::NotSetUp,
            "the index was made by another version, with other settings, or from another log",
        )
        .kind(UserErrorKind::OutdatedIndex)
        .hint("run `patina reindex` to rebuild it")
    };
    if !log.exists() {
        return Err(outdated().into());
    }
    sqlite::refuse_altered(cache)?;
    Eventlog::refuse_damaged(log)?;
    let connection = sqlite::open_read_only(cache)?;
    sqlite::attach_read_only(&connection, log, "log")?;
    Eventlog::refuse_newer(&connection, "log")?;
    // One snapshot for the whole answer; the log's is taken after the cache's, so it holds all that the cache names.
    connection.execute_batch("BEGIN")?;
    let is_ours = meta(&connection, "fingerprint")?.is_some_and(|found| found == fingerprint);
    let log_id = "SELECT value FROM log.live WHERE key = 'log_id'";
    let log_id: Option<String> = match connection.query_row(log_id, [], |row| row.get(0)).map_err(anyhow::Error::from) {
        Err(error) if sqlite::is_damage(&error) => return Err(error),
        // A file without this table is not a patina log.
        found => found.ok(),
    };
    if !is_ours || meta(&connection, "log_id")? != log_id {
        return Err(outdated().into());
    }
    Ok(connection)
}

/// Reads a value of the `meta` table.
pub fn meta(connection: &Connection, key: &str) -> Result<Option<String>> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE key = :key")?;
    Ok(statement.query_row(named_params! {":key": key}, |row| row.get(0)).optional()?)
}

/// Stores a value in the `meta` table.
pub fn set_meta(connection: &Connection, key: &str, value: &str) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO meta(key, value) VALUES (:key, :value) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
        )?
        .execute(named_params! {":key": key, ":value": value})?;
    Ok(())
}

/// Returns a hash over every live fact and its position: equal on any machine with worktrees of the same names and
/// HEADs.
pub fn digest(reader: &Connection) -> Result<String> {
    let mut statement = reader.prepare(
        "SELECT idem, '', '', 0 FROM reachable JOIN log.event USING (seq)
         UNION SELECT idem, view.worktree, path.path, line FROM view_file JOIN view ON view.id = view_file.view JOIN path ON path.id = view_file.path
           JOIN parse_item USING (parse) JOIN log.event ON event.seq = parse_item.seq
         UNION SELECT idem, view.worktree, path.path, line FROM view_file JOIN view ON view.id = view_file.view JOIN path ON path.id = view_file.path
           JOIN parse_call USING (parse) JOIN log.event ON event.seq = parse_call.seq
         UNION SELECT idem, view.worktree, path.path, line FROM view_file JOIN view ON view.id = view_file.view JOIN path ON path.id = view_file.path
           JOIN import USING (parse) JOIN log.event ON event.seq = import.seq
         UNION SELECT idem, view.worktree, path.path, line FROM view_file JOIN view ON view.id = view_file.view JOIN path ON path.id = view_file.path
           JOIN parse_entry USING (parse) JOIN log.event ON event.seq = parse_entry.seq
         ORDER BY 1, 2, 3, 4",
    )?;
    let mut rows = statement.query([])?;
    let mut hasher = blake3::Hasher::new();
    while let Some(row) = rows.next()? {
        hasher.update(row.get_ref(0)?.as_blob()?);
        for index in 1..3 {
            hasher.update(row.get_ref(index)?.as_str()?.as_bytes()).update(&[0]);
        }
        hasher.update(&row.get::<_, i64>(3)?.to_le_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// Returns the tables of all modules.
fn schemas() -> [&'static str; 7] {
    [view::SCHEMA, entries::SCHEMA, item::SCHEMA, history::SCHEMA, edges::SCHEMA, text_index::SCHEMA, index::SCHEMA]
}

/// Returns a fingerprint of what the content of a cache depends on beside the log and git.
fn fingerprint(config: &Config) -> String {
    let versions = format!("{CODE_VERSION} {COMMIT_VERSION} {} {}", session_version(), embedding::RECIPE);
    let parts = format!("{} {versions} {}", schemas().concat(), config.max_file_bytes);
    hex(&blake3::hash(parts.as_bytes()).as_bytes()[..16])
}

/// What a cache must have been made from to be usable.
struct CacheOrigin {
    fingerprint: String,
    log: String,
    last: Seq,
}

/// Opens a cache for writing if it is intact and was made from `wanted`; lifts its seal.
fn open_if_usable(path: &Path, wal: bool, wanted: &CacheOrigin) -> Result<Option<Connection>> {
    let open = || -> Result<Connection> {
        sqlite::refuse_altered(path)?;
        sqlite::lift_seal(path)?;
        let connection = sqlite::open(path, Durability::Normal, wal)?;
        connection.pragma_update(None, "cache_size", -32_000)?;
        Ok(connection)
    };
    let fits = |connection: &Connection| -> Result<bool> {
        let is_ours = meta(connection, "fingerprint")?.as_ref() == Some(&wanted.fingerprint);
        let is_of_this_log = meta(connection, "log_id")?.as_ref() == Some(&wanted.log);
        // A log restored from a backup may end before events that were applied from it.
        let watermark = meta(connection, "watermark")?.and_then(|text| text.parse().ok()).unwrap_or(0);
        Ok(is_ours && is_of_this_log && wanted.last >= watermark)
    };
    match open().and_then(|connection| Ok(fits(&connection)?.then_some(connection))) {
        Err(error) if sqlite::is_transient(&error) => Err(error),
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "a cache cannot be used and is rebuilt");
            Ok(None)
        }
        result => result,
    }
}

/// Returns the path with the preceding number, `cache-6.db` for `cache-7.db`.
fn previous_path(next: &Path) -> Option<PathBuf> {
    let number: u64 = next.file_stem()?.to_str()?.strip_prefix("cache-")?.parse().ok()?;
    number.checked_sub(1).filter(|number| *number > 0).map(|number| next.with_file_name(format!("cache-{number}.db")))
}
