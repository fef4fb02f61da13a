//! Entries of sessions as live facts: the files that each names, under the names they have now. Refuses files that no
//! longer live.

use std::collections::BTreeSet;

use anyhow::Result;
use rusqlite::{Connection, named_params};

use super::Lineage;
use crate::entries::{self, Said};

/// One live entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidFact {
    /// Where it stands.
    pub said: Said,
    /// `session:<id>/<n>`.
    pub key: String,
    /// `session:<id>`.
    pub session: String,
    /// When it was said, or its session began, Unix seconds; 0 where nothing tells.
    pub time: i64,
    /// Files it names that live in the view, by the names they have there.
    pub files: Vec<String>,
}

/// Entries as facts, in their order; a session itself says what its entries say and is left out.
pub fn said_facts(cache: &Connection, view: i64, all: Vec<Said>) -> Result<Vec<SaidFact>> {
    let lineage = Lineage::new(cache, view);
    let mut names = cache.prepare_cached("SELECT path FROM path WHERE id = :id")?;
    let mut began = cache
        .prepare_cached("SELECT coalesce(max(time), 0) FROM entry WHERE session = :session AND category = 'session'")?;
    let mut facts = Vec::new();
    for said in all.into_iter().filter(|said| said.n > 0) {
        let mut heirs = BTreeSet::new();
        for file in entries::files_of(cache, said.seq)? {
            if let Some(path) = lineage.row(&file)? {
                heirs.extend(lineage.heirs(path)?);
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
        let session = Said { n: 0, ..said.clone() }.key();
        facts.push(SaidFact { key: said.key(), session, time, files, said });
    }
    Ok(facts)
}

/// The live entries that name a file under any of its names.
pub fn said_of(cache: &Connection, view: i64, path: &str) -> Result<Vec<Said>> {
    let mut names = cache.prepare_cached("SELECT path FROM path WHERE id = :id")?;
    let mut all: Vec<Said> = Vec::new();
    for name in Lineage::new(cache, view).of(path)? {
        let name: String = names.query_row(named_params! {":id": name}, |row| row.get(0))?;
        for said in entries::of_file(cache, view, &name)? {
            // It may name the file twice, by two of its names.
            if !all.contains(&said) {
                all.push(said);
            }
        }
    }
    Ok(all)
}
