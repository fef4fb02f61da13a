//! What a way of looking comes upon: an item that stands in the asking view, a commit that a HEAD reaches, or what was said
//! in a session.

use std::collections::BTreeMap;

use anyhow::Result;
use rusqlite::{OptionalExtension as _, named_params};

use super::{Filter, Hit, Reader};
use crate::entries::{self, Said};
use crate::event::Seq;
use crate::history::{self, CommitRef};
use crate::item::{self, Item};

/// One live thing.
#[derive(Debug, Clone)]
pub enum Found {
    /// A file or a definition.
    Item(Item),
    /// A commit, by its event.
    Commit(Seq, CommitRef),
    /// A session or an entry of one.
    Said(Said),
}

/// The live thing that an event is a version of.
pub fn live(reader: &Reader<'_>, seq: Seq) -> Result<Option<Found>> {
    if let Some(item) = item::by_seq(&reader.cache, reader.view.id, seq)? {
        return Ok(Some(Found::Item(item)));
    }
    if let Some(said) = entries::by_seq(&reader.cache, reader.view.id, seq)? {
        return Ok(Some(Found::Said(said)));
    }
    let mut reachable = reader.cache.prepare_cached("SELECT 1 FROM reachable WHERE seq = :seq")?;
    if !reachable.exists(named_params! {":seq": seq})? {
        return Ok(None);
    }
    Ok(history::commit_ref(&reader.cache, seq)?.map(|commit| Found::Commit(seq, commit)))
}

/// Every live thing whose text is this one.
pub fn live_with_text(reader: &Reader<'_>, text: i64) -> Result<Vec<Found>> {
    let mut statement = reader.cache.prepare_cached("SELECT seq FROM item_text WHERE text = :text ORDER BY seq")?;
    let seqs = statement.query_map(named_params! {":text": text}, |row| row.get(0))?;
    let mut found = Vec::new();
    for seq in seqs.collect::<rusqlite::Result<Vec<Seq>>>()? {
        found.extend(live(reader, seq)?);
    }
    Ok(found)
}

impl Found {
    /// Position of its event.
    pub fn seq(&self) -> Seq {
        match self {
            Found::Item(item) => item.seq,
            Found::Commit(seq, _) => *seq,
            Found::Said(said) => said.seq,
        }
    }

    /// `file`, `function`, ..., `commit`.
    pub fn kind(&self) -> &str {
        match self {
            Found::Item(item) => &item.kind,
            Found::Commit(..) => "commit",
            Found::Said(said) => &said.kind,
        }
    }

    /// Its key.
    pub fn key(&self) -> String {
        match self {
            Found::Item(item) => item.key.clone(),
            Found::Commit(_, commit) => format!("commit:{}", commit.commit),
            Found::Said(said) => said.key(),
        }
    }

    /// Whether a filter lets it through.
    pub fn passes(&self, reader: &Reader<'_>, filter: &Filter) -> Result<bool> {
        if !filter.keeps_kind(self.kind()) {
            return Ok(false);
        }
        match self {
            Found::Item(item) => Ok(filter.keeps_path(&item.path) && touched_since(reader, &item.path, filter.since)?),
            Found::Commit(_, commit) => {
                Ok(filter.path.is_none() && filter.since.is_none_or(|since| commit.time >= since))
            }
            Found::Said(said) => Ok(filter.keeps_place(said.path.as_deref())
                && filter.since.is_none_or(|since| said.time.is_some_and(|time| time >= since))),
        }
    }

    /// A hit without evidence yet.
    pub fn into_hit(self, score: f64) -> Hit {
        let key = self.key();
        let (kind, path, line, name) = match self {
            Found::Item(item) => {
                let name = if item.kind == "file" { item.name } else { item.qualified };
                (item.kind, Some(item.path), Some(item.line), name)
            }
            Found::Commit(_, commit) => ("commit".to_string(), None, None, commit.subject),
            Found::Said(said) => (said.kind, said.path, said.line, said.name),
        };
        Hit { key, kind, path, line, name, score, ranks: BTreeMap::new(), evidence: Vec::new() }
    }
}

/// Whether a commit since a moment touched a path.
pub fn touched_since(reader: &Reader<'_>, path: &str, since: Option<i64>) -> Result<bool> {
    let Some(since) = since else { return Ok(true) };
    let mut newest = reader.cache.prepare_cached(
        "SELECT max(time) FROM path JOIN touched ON touched.path = path.id JOIN reachable ON reachable.seq = touched.commit_seq
         JOIN commit_row ON commit_row.seq = touched.commit_seq WHERE path.path = :path",
    )?;
    let time: Option<i64> = newest.query_row(named_params! {":path": path}, |row| row.get(0)).optional()?.flatten();
    Ok(time.is_some_and(|time| time >= since))
}
