//! What a worktree sees: the files at its HEAD and, over all worktrees, the commits that their HEADs reach.
//!
//! Invariant: everything here can be derived again from git and the log.

mod files;
mod moved;
mod reach;
mod settings;
mod shadow;

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

pub use files::{FileMove, files, move_files, wanted_moves};
pub use moved::{Moved, moved};
pub use reach::{
    Gaps, ReachChange, add_commit, boundary, commit_seq, is_recorded, move_reachable, pending, reachable_count,
    set_pending, unrecorded_parents, waiting,
};
pub use settings::config_at;
pub use shadow::restrict_files;

use crate::git::{Head, ObjectId};

/// The tables of this module.
///
/// `view_file` holds the files of the tree at each HEAD, and refers to the table `parse` of `item`. `pending` holds
/// commits that could not be compared yet, `boundary` the commits at which a shallow clone is cut off. View 0 holds
/// facts that are in no tree and are live for every worktree; no worktree has its name.
pub const SCHEMA: &str = "
CREATE TABLE path(id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE view(
  id INTEGER PRIMARY KEY, worktree TEXT NOT NULL UNIQUE, commit_id BLOB, tree BLOB, time INTEGER, settings TEXT NOT NULL
) STRICT;
INSERT INTO view(id, worktree, settings) VALUES (0, 'session:', '');
CREATE TABLE view_file(view INTEGER NOT NULL, path INTEGER NOT NULL, parse INTEGER NOT NULL, PRIMARY KEY(view, path)) STRICT, WITHOUT ROWID;
CREATE INDEX view_file_by_parse ON view_file(parse, view);
CREATE TABLE commit_row(
  seq INTEGER PRIMARY KEY, sha BLOB NOT NULL UNIQUE, time INTEGER NOT NULL, author INTEGER NOT NULL,
  files INTEGER NOT NULL, is_merge INTEGER NOT NULL, subject TEXT NOT NULL
) STRICT;
CREATE INDEX commit_row_by_time ON commit_row(time);
CREATE TABLE parent(child INTEGER NOT NULL, ordinal INTEGER NOT NULL, sha BLOB NOT NULL, PRIMARY KEY(child, ordinal)) STRICT, WITHOUT ROWID;
CREATE TABLE reachable(seq INTEGER PRIMARY KEY) STRICT;
CREATE TABLE pending(sha BLOB PRIMARY KEY, is_reached INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
CREATE TABLE boundary(sha BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
";

/// The view of facts that are in no tree, such as session entries.
pub const SESSION_VIEW: i64 = 0;

/// A worktree, as it was indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The row of the view.
    pub id: i64,
    /// The name of the worktree, as in [`crate::git::Worktree::name`].
    pub worktree: String,
    /// The HEAD that it was indexed at; `None` while HEAD was unborn.
    pub head: Option<Head>,
    /// The fingerprint of the repository's own settings at that time.
    pub settings: String,
}

/// Selects views.
const SELECT: &str = "SELECT id, worktree, commit_id, tree, time, settings FROM view";

/// Returns the view of every worktree, that of the main worktree first.
pub fn views(cache: &Connection) -> Result<Vec<View>> {
    let mut statement = cache.prepare_cached(&format!("{SELECT} WHERE id <> 0 ORDER BY worktree"))?;
    let views = statement.query_map([], from_row)?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(views)
}

/// Returns the view of a worktree, if it has been indexed.
pub fn view_of(cache: &Connection, worktree: &str) -> Result<Option<View>> {
    let mut statement = cache.prepare_cached(&format!("{SELECT} WHERE worktree = :worktree"))?;
    Ok(statement.query_row(named_params! {":worktree": worktree}, from_row).optional()?)
}

/// Returns the view of a worktree, and creates an empty one if there is none.
pub fn ensure_view(cache: &Connection, worktree: &str) -> Result<View> {
    cache.execute(
        "INSERT INTO view(worktree, settings) VALUES (:worktree, '') ON CONFLICT(worktree) DO NOTHING",
        named_params! {":worktree": worktree},
    )?;
    Ok(view_of(cache, worktree)?.expect("the row was just made"))
}

/// Stores the HEAD and settings that a view is up to date with.
pub fn set_head(cache: &Connection, view: i64, head: Option<Head>, settings: &str) -> Result<()> {
    cache.execute(
        "UPDATE view SET commit_id = :commit, tree = :tree, time = :time, settings = :settings WHERE id = :id",
        named_params! {
            ":commit": head.map(|head| head.commit.as_bytes().to_vec()), ":tree": head.map(|head| head.tree.as_bytes().to_vec()),
            ":time": head.map(|head| head.time), ":settings": settings, ":id": view,
        },
    )?;
    Ok(())
}

/// Makes the next update of every view compare all of its files, and not only the difference of two trees.
pub fn force_full_compare(cache: &Connection) -> Result<()> {
    cache.execute("UPDATE view SET settings = ''", [])?;
    Ok(())
}

/// Deletes a view whose worktree is gone; its files must have been removed before.
pub fn drop_view(cache: &Connection, view: i64) -> Result<()> {
    cache.execute("DELETE FROM view WHERE id = :id", named_params! {":id": view})?;
    Ok(())
}

/// Returns the row of a path, and creates it if there is none.
pub fn intern(cache: &Connection, path: &str) -> Result<i64> {
    let mut find = cache.prepare_cached("SELECT id FROM path WHERE path = :path")?;
    if let Some(id) = find.query_row(named_params! {":path": path}, |row| row.get(0)).optional()? {
        return Ok(id);
    }
    cache.prepare_cached("INSERT INTO path(path) VALUES (:path)")?.execute(named_params! {":path": path})?;
    Ok(cache.last_insert_rowid())
}

/// Reads a view from a row of [`SELECT`].
fn from_row(row: &Row<'_>) -> rusqlite::Result<View> {
    let id = |index: usize| -> rusqlite::Result<Option<ObjectId>> {
        let bytes: Option<Vec<u8>> = row.get(index)?;
        Ok(bytes.and_then(|bytes| ObjectId::try_from(bytes.as_slice()).ok()))
    };
    let time = row.get::<_, Option<i64>>(4)?.unwrap_or_default();
    let head = id(2)?.zip(id(3)?).map(|(commit, tree)| Head { commit, tree, time });
    Ok(View { id: row.get(0)?, worktree: row.get(1)?, head, settings: row.get(5)? })
}
