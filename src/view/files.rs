//! The files of a view: the parse at each path, and which of them change when HEAD moves.
//!
//! Invariant: no blob is read here.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension as _, named_params};

use super::{View, intern};
use crate::event::encode_path;
use crate::git::{Head, ObjectId, Repository};

/// A path of a view whose content changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMove {
    /// The encoded path.
    pub path: String,
    /// Its new blob; `None` if the file is gone.
    pub blob: Option<ObjectId>,
}

/// Returns the changes that bring a view up to date with a HEAD.
///
/// They are the difference of two trees if the old tree can still be read, and otherwise the difference between the
/// view's files and the whole new tree. `is_included` returns whether a path belongs into a view; if that has changed
/// (`settings`), everything is compared.
pub fn wanted_moves(
    cache: &Connection,
    repository: &Repository,
    view: &View,
    head: Option<Head>,
    settings: &str,
    is_included: impl Fn(&str) -> bool,
) -> Result<Vec<FileMove>> {
    let old = view.head.map(|head| head.tree).filter(|_| view.settings == settings);
    let new = head.map(|head| head.tree);
    if let Some(old) = old.filter(|old| repository.has_object(*old)) {
        let changes = repository.diff_trees(Some(old), new)?;
        let moves = changes.into_iter().map(|change| {
            let path = encode_path(&change.path);
            let blob = change.new.filter(|side| side.is_file && is_included(&path)).map(|side| side.id);
            FileMove { path, blob }
        });
        return Ok(moves.collect());
    }
    let mut held = blobs(cache, view.id)?;
    let files = new.map(|tree| repository.files(tree)).transpose()?.unwrap_or_default();
    let mut moves = Vec::new();
    for file in files {
        let path = encode_path(&file.path);
        if is_included(&path) && held.remove(&path).is_none_or(|blob| blob != file.id.as_bytes()) {
            moves.push(FileMove { path, blob: Some(file.id) });
        } else if !is_included(&path) {
            continue;
        }
    }
    moves.extend(held.into_keys().map(|path| FileMove { path, blob: None }));
    moves.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(moves)
}

/// Replaces the parses at some paths of a view. Returns the rows of the parses that were added, and of those that were
/// removed.
pub fn move_files(cache: &Connection, view: i64, moves: &[(String, Option<i64>)]) -> Result<(Vec<i64>, Vec<i64>)> {
    let (mut came, mut left) = (Vec::new(), Vec::new());
    // Not one `DELETE ... RETURNING`, which SQLite would prepare again for every row.
    let mut held = cache.prepare_cached("SELECT parse FROM view_file WHERE view = :view AND path = :path")?;
    let mut take = cache.prepare_cached("DELETE FROM view_file WHERE view = :view AND path = :path")?;
    let mut put = cache.prepare_cached("INSERT INTO view_file(view, path, parse) VALUES (:view, :path, :parse)")?;
    for (path, parse) in moves {
        let path = intern(cache, path)?;
        let place = named_params! {":view": view, ":path": path};
        let old: Option<i64> = held.query_row(place, |row| row.get(0)).optional()?;
        if old.is_some() {
            take.execute(place)?;
        }
        if let Some(parse) = parse {
            put.execute(named_params! {":view": view, ":path": path, ":parse": parse})?;
        }
        if old != *parse {
            left.extend(old);
            came.extend(parse);
        }
    }
    Ok((came, left))
}

/// Returns the parse of every file of a view, by path.
pub fn files(cache: &Connection, view: i64) -> Result<BTreeMap<String, i64>> {
    let mut statement = cache.prepare_cached(
        "SELECT path.path, parse FROM view_file JOIN path ON path.id = view_file.path WHERE view = :view",
    )?;
    let rows = statement.query_map(named_params! {":view": view}, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Returns the blob of every file of a view, by path.
fn blobs(cache: &Connection, view: i64) -> Result<HashMap<String, Vec<u8>>> {
    let mut statement = cache.prepare_cached(
        "SELECT path.path, parse.blob FROM view_file JOIN path ON path.id = view_file.path JOIN parse ON parse.id = view_file.parse
         WHERE view = :view",
    )?;
    let rows = statement.query_map(named_params! {":view": view}, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
