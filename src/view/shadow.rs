//! A substitute for the files of a view, for a worktree that has not been indexed yet.

use anyhow::Result;
use rusqlite::{Connection, named_params};

use super::{SESSION_VIEW, View};
use crate::event::encode_path;
use crate::git::{Head, Repository};

/// Restricts a view, for this connection alone, to the files that have the same content in the tree at `head`.
///
/// It creates a temporary table named `view_file`, which SQLite resolves before the table of the cache. From then on,
/// every statement of any module that names `view_file` reads the restricted table; only `main.view_file` is complete.
/// A statement that needs all files must name `main.view_file`, and a restricted connection must not write to views.
/// The table vanishes with the connection, and the cache is not changed.
pub fn restrict_files(cache: &Connection, repository: &Repository, view: &View, head: Option<Head>) -> Result<()> {
    cache.execute_batch(
        "CREATE TEMP TABLE view_file(view INTEGER, path INTEGER, parse INTEGER, PRIMARY KEY(view, path)) WITHOUT ROWID;
         CREATE INDEX temp.view_file_by_parse ON view_file(parse, view);",
    )?;
    let mut insert = cache.prepare(
        "INSERT INTO temp.view_file SELECT view, view_file.path, parse FROM main.view_file JOIN parse ON parse.id = view_file.parse
         JOIN path ON path.id = view_file.path WHERE view = :view AND path.path = :path AND parse.blob = :blob",
    )?;
    cache.execute(
        "INSERT INTO temp.view_file SELECT * FROM main.view_file WHERE view = :shared",
        named_params! {":shared": SESSION_VIEW},
    )?;
    let files = head.map(|head| repository.files(head.tree)).transpose()?.unwrap_or_default();
    for file in files {
        insert
            .execute(named_params! {":view": view.id, ":path": encode_path(&file.path), ":blob": file.id.as_bytes()})?;
    }
    Ok(())
}
