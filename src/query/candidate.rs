//! Candidates for hits: an item of the current view, a reachable commit, a session, or an entry of one.

use std::collections::BTreeMap;

use anyhow::Result;
use rusqlite::{OptionalExtension as _, named_params};

use super::{Filter, Hit, Reader};
use crate::entries::{self, SessionEntry};
use crate::event::Seq;
use crate::facts::ItemKind;
use crate::history::{self, CommitRef};
use crate::item::{self, Item};

/// One live item, commit, session or entry.
#[derive(Debug, Clone)]
pub enum Candidate {
    /// A file or a definition.
    Item(Item),
    /// A commit, with the position of its event.
    Commit(Seq, CommitRef),
    /// A session, or an entry of one.
    Said(SessionEntry),
}

/// Returns the live candidate whose version an event describes; `None` if there is none.
pub fn live(reader: &Reader<'_>, seq: Seq) -> Result<Option<Candidate>> {
    if let Some(item) = item::by_seq(&reader.cache, reader.view.id, seq)? {
        return Ok(Some(Candidate::Item(item)));
    }
    if let Some(said) = entries::by_seq(&reader.cache, reader.view.id, seq)? {
        return Ok(Some(Candidate::Said(said)));
    }
    let mut reachable = reader.cache.prepare_cached("SELECT 1 FROM reachable WHERE seq = :seq")?;
    if !reachable.exists(named_params! {":seq": seq})? {
        return Ok(None);
    }
    Ok(history::commit_ref(&reader.cache, seq)?.map(|commit| Candidate::Commit(seq, commit)))
}

/// Returns all live candidates that have this text.
pub fn live_with_text(reader: &Reader<'_>, text: i64) -> Result<Vec<Candidate>> {
    let mut statement = reader.cache.prepare_cached("SELECT seq FROM item_text WHERE text = :text ORDER BY seq")?;
    let seqs = statement.query_map(named_params! {":text": text}, |row| row.get(0))?;
    let mut found = Vec::new();
    for seq in seqs.collect::<rusqlite::Result<Vec<Seq>>>()? {
        found.extend(live(reader, seq)?);
    }
    Ok(found)
}

impl Candidate {
    /// Returns the position of its event.
    pub fn seq(&self) -> Seq {
        match self {
            Candidate::Item(item) => item.seq,
            Candidate::Commit(seq, _) => *seq,
            Candidate::Said(said) => said.seq,
        }
    }

    /// Returns its kind.
    pub fn kind(&self) -> ItemKind {
        match self {
            Candidate::Item(item) => item.kind,
            Candidate::Commit(..) => ItemKind::Commit,
            Candidate::Said(said) => said.kind,
        }
    }

    /// Returns its key.
    pub fn key(&self) -> String {
        match self {
            Candidate::Item(item) => item.key.clone(),
            Candidate::Commit(_, commit) => format!("commit:{}", commit.commit),
            Candidate::Said(said) => said.key(),
        }
    }

    /// Returns whether a filter keeps it.
    pub fn passes(&self, reader: &Reader<'_>, filter: &Filter) -> Result<bool> {
        if !filter.keeps_kind(self.kind()) {
            return Ok(false);
        }
        match self {
            Candidate::Item(item) => {
                Ok(filter.keeps_path(&item.path) && touched_since(reader, &item.path, filter.since)?)
            }
            Candidate::Commit(_, commit) => {
                Ok(filter.path.is_none() && filter.since.is_none_or(|since| commit.time >= since))
            }
            Candidate::Said(said) => Ok(filter.keeps_place(said.path.as_deref())
                && filter.since.is_none_or(|since| said.time.is_some_and(|time| time >= since))),
        }
    }

    /// Converts it to a hit without ranks and evidence.
    pub fn into_hit(self, score: f64) -> Hit {
        let key = self.key();
        let (kind, path, line, name) = match self {
            Candidate::Item(item) => {
                let name = if item.kind == ItemKind::File { item.name } else { item.qualified };
                (item.kind, Some(item.path), Some(item.line), name)
            }
            Candidate::Commit(_, commit) => (ItemKind::Commit, None, None, commit.subject),
            Candidate::Said(said) => (said.kind, said.path, said.line, said.name),
        };
        Hit {
            key,
            kind,
            path,
            line,
            name,
            score,
            ranks: BTreeMap::new(),
            evidence: Vec::new(),
            changes_with_everything: false,
        }
    }
}

/// Returns whether a commit at or after `since`, in Unix seconds, touched a path.
pub fn touched_since(reader: &Reader<'_>, path: &str, since: Option<i64>) -> Result<bool> {
    let Some(since) = since else { return Ok(true) };
    let mut newest = reader.cache.prepare_cached(
        "SELECT max(time) FROM path JOIN touched ON touched.path = path.id JOIN reachable ON reachable.seq = touched.commit_seq
         JOIN commit_row ON commit_row.seq = touched.commit_seq WHERE path.path = :path",
    )?;
    let time: Option<i64> = newest.query_row(named_params! {":path": path}, |row| row.get(0)).optional()?.flatten();
    Ok(time.is_some_and(|time| time >= since))
}
