//! Session entries with the live files that each mentions, under their current paths.
//!
//! A file may be mentioned by the end of its path. An end that matches several live files means none of them.

use std::collections::BTreeSet;

use anyhow::Result;
use rusqlite::{Connection, named_params};

use super::Lineage;
use crate::entries::{self, SessionEntry};

/// A session entry that is live in a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveEntry {
    /// The entry.
    pub said: SessionEntry,
    /// The entry key, `session:<id>/<n>`.
    pub key: String,
    /// The session key, `session:<id>`.
    pub session: String,
    /// The time of the entry, or else of the start of its session, in Unix seconds; 0 if neither is known.
    pub time: i64,
    /// The encoded paths of the live files it mentions.
    pub files: Vec<String>,
}

/// Resolves the files that each entry mentions, in order. The entry of a session itself (`n` is 0) is left out.
pub fn live_entries(cache: &Connection, view: i64, all: Vec<SessionEntry>) -> Result<Vec<LiveEntry>> {
    let lineage = Lineage::new(cache, view);
    let mut names = cache.prepare_cached("SELECT path FROM path WHERE id = :id")?;
    let mut began = cache
        .prepare_cached("SELECT coalesce(max(time), 0) FROM entry WHERE session = :session AND category = 'session'")?;
    let mut facts = Vec::new();
    for said in all.into_iter().filter(|said| said.n > 0) {
        let mut heirs = BTreeSet::new();
        for file in entries::files_of(cache, said.seq)? {
            let known = lineage.row(&file)?.map_or(Ok(Vec::new()), |path| lineage.heirs(path))?;
            match known.is_empty() {
                true => heirs.extend(only_one_ending(cache, view, &file)?),
                false => heirs.extend(known),
            }
        }
        let mut files = Vec::with_capacity(heirs.len());
        for heir in heirs {
            files.push(names.query_row(named_params! {":id": heir}, |row| row.get(0))?);
        }
        let time = match said.time {
            Some(time) => time,
            None => began.query_row(named_params! {":session": said.session}, |row| row.get(0))?,
        };
        let session = SessionEntry { n: 0, ..said.clone() }.key();
        facts.push(LiveEntry { key: said.key(), session, time, files, said });
    }
    Ok(facts)
}

/// Returns the live entries that mention a file under any of its names.
pub fn live_entries_naming(cache: &Connection, view: i64, path: &str) -> Result<Vec<LiveEntry>> {
    let mut bore = cache.prepare_cached("SELECT path FROM path WHERE id = :id")?;
    let mut names: Vec<String> = Vec::new();
    for name in Lineage::new(cache, view).of(path)? {
        names.push(bore.query_row(named_params! {":id": name}, |row| row.get(0))?);
    }
    names.extend(path.match_indices('/').map(|(at, _)| path[at + 1..].to_string()));
    let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
    for name in names {
        // An entry may mention the file twice, by two of its names.
        all.extend(entries::of_file(cache, view, &name)?.into_iter().filter(|said| seen.insert(said.key())));
    }
    let mut facts = live_entries(cache, view, all)?;
    facts.retain(|fact| fact.files.iter().any(|file| file == path));
    Ok(facts)
}

/// Returns the row of the live file whose path ends with `/text`, if there is exactly one.
fn only_one_ending(cache: &Connection, view: i64, text: &str) -> Result<Option<i64>> {
    let base = text.rsplit('/').next().unwrap_or(text);
    let mut statement = cache.prepare_cached(
        "SELECT DISTINCT path.id, path.path FROM definition CROSS JOIN parse_item ON parse_item.seq = definition.seq
         CROSS JOIN view_file ON view_file.parse = parse_item.parse AND view_file.view = :view
         CROSS JOIN path ON path.id = view_file.path WHERE definition.name = :base AND definition.kind = 'file'",
    )?;
    let mut rows = statement.query(named_params! {":view": view, ":base": base})?;
    let (end, mut found) = (format!("/{text}"), None);
    while let Some(row) = rows.next()? {
        if row.get_ref(1)?.as_str()?.ends_with(&end) && found.replace(row.get(0)?).is_some() {
            return Ok(None);
        }
    }
    Ok(found)
}
