//! The files of a view: which parse stands at which path, and what has to move when HEAD does. Refuses to
//! read a blob.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension as _, named_params};

use super::{View, intern};
use crate::event::encode_path;
use crate::git::{Head, ObjectId, Repository};

/// One path of a view that has to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMove {
    /// Encoded.
    pub path: String,
    /// What it holds from now on; none where it is gone.
    pub blob: Option<ObjectId>,
}

/// What has to move for a view to stand at a HEAD: the difference of two trees where the old one can still
/// be read, else the difference between what the view holds and the whole tree. `keep` says which paths
/// belong into a view at all; where that changed (`settings`), everything is compared.
pub fn wanted_moves(
    cache: &Connection,
    repository: &Repository,
    view: &View,
    head: Option<Head>,
    settings: &str,
    keep: impl Fn(&str) -> bool,
) -> Result<Vec<FileMove>> {
    let old = view.head.map(|head| head.tree).filter(|_| view.settings == settings);
    let new = head.map(|head| head.tree);
    if let Some(old) = old.filter(|old| repository.has(*old)) {
        let changes = repository.diff_trees(Some(old), new)?;
        let moves = changes.into_iter().map(|change| {
            let path = encode_path(&change.path);
            let blob = change.new.filter(|side| side.is_file && keep(&path)).map(|side| side.id);
            FileMove { path, blob }
        });
        return Ok(moves.collect());
    }
    let mut held = blobs(cache, view.id)?;
    let files = new.map(|tree| repository.files(tree)).transpose()?.unwrap_or_default();
    let mut moves = Vec::new();
    for file in files {
        let path = encode_path(&file.path);
        if keep(&path) && held.remove(&path).is_none_or(|blob| blob != file.id.as_bytes()) {
            moves.push(FileMove { path, blob: Some(file.id) });
        } else if !keep(&path) {
            continue;
        }
    }
    moves.extend(held.into_keys().map(|path| FileMove { path, blob: None }));
    moves.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(moves)
}

/// Moves files of a view: each path from the parse it held to the one it holds now. Returns the parses that
/// came and those that left, as rows.
pub fn move_files(cache: &Connection, view: i64, moves: &[(String, Option<i64>)]) -> Result<(Vec<i64>, Vec<i64>)> {
    let (mut came, mut left) = (Vec::new(), Vec::new());
    // Not one statement that returns what it deletes: that is made ready anew for every row.
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

/// Every file of a view with its parse, by path.
pub fn files(cache: &Connection, view: i64) -> Result<BTreeMap<String, i64>> {
    let mut statement = cache.prepare_cached(
        "SELECT path.path, parse FROM view_file JOIN path ON path.id = view_file.path WHERE view = :view",
    )?;
    let rows = statement.query_map(named_params! {":view": view}, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn blobs(cache: &Connection, view: i64) -> Result<HashMap<String, Vec<u8>>> {
    let mut statement = cache.prepare_cached(
        "SELECT path.path, parse.blob FROM view_file JOIN path ON path.id = view_file.path JOIN parse ON parse.id = view_file.parse
         WHERE view = :view",
    )?;
    let rows = statement.query_map(named_params! {":view": view}, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
