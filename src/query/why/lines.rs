//! The lines that are asked about, and the commits that made them what they are. Lines are those of the commit that the
//! answer is as of, never of the work tree.

use std::collections::HashMap;

use anyhow::Result;
use rusqlite::named_params;
use serde::Serialize;

use super::super::Reader;
use super::reverts::{Reverts, subject};
use crate::error::{Exit, UserError};
use crate::event::{decode_path, encode_path, hex};
use crate::eventlog;
use crate::facts::ItemKind;
use crate::git::{Blame, BlameCommit, ObjectId};
use crate::history::{Lineage, ReachableCommits, is_bot};
use crate::item::Item;

/// The lines that are asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineTarget {
    /// `src/a.rs#Parser::parse`: the smallest definition that holds them all, or the file.
    pub key: String,
    /// Encoded path of the file.
    pub path: String,
    /// The first, from 1.
    pub line: u32,
    /// The last, inclusive.
    pub end_line: u32,
    /// The definition that they are, or lie in; none where it is the file.
    #[serde(skip)]
    pub item: Option<Item>,
    /// Whether all of the file is meant.
    #[serde(skip)]
    pub is_file: bool,
}

/// A commit that made lines what they are.
#[derive(Debug, Clone, Serialize)]
pub struct BlamedCommit {
    /// Object id in hexadecimal.
    pub sha: String,
    /// Committer time, Unix seconds.
    pub time: i64,
    /// `Name <email>` as written.
    pub author: String,
    /// First line of the message.
    pub subject: String,
    /// How many of the lines it wrote.
    pub lines: usize,
    /// How many it brought back by taking back what had taken them away; who wrote them first is named instead.
    pub restored: usize,
    /// How many it moved here as they were, from another file or another place of this one.
    pub moved: usize,
    /// How many it gave another form, as a formatter does or one of many files; who wrote them before is named instead.
    pub reformed: usize,
    /// Whether it took lines away between them.
    pub removed: bool,
    /// Paths it touched.
    pub files: usize,
    /// Whether it says little of the lines it changed: it is large, a formatter's, or a bot's.
    #[serde(skip)]
    pub is_weak: bool,
    /// The whole message.
    #[serde(skip)]
    pub message: String,
}

impl LineTarget {
    /// Takes all lines of a file or a definition.
    pub fn of_item(item: Item) -> Self {
        let is_file = item.kind == ItemKind::File;
        let (key, path) = (item.key.clone(), item.path.clone());
        LineTarget { key, path, line: item.line, end_line: item.end_line, is_file, item: (!is_file).then_some(item) }
    }

    /// Narrows to the `total` lines that there are: the end of a file is known only once it was blamed.
    ///
    /// # Errors
    /// A [`UserError`] where there are none of them.
    pub(super) fn settle(&mut self, total: usize) -> Result<()> {
        if total == 0 && !self.is_file {
            let message = format!("{} has no line {}", self.path, self.line);
            return Err(UserError::new(Exit::Failed, message)
                .hint("lines are those of the commit that is indexed")
                .into());
        }
        self.end_line = self.line + (total as u32).saturating_sub(1);
        Ok(())
    }
}

/// Returns the names a file bears and bore, as encoded paths, its own first.
pub(super) fn names(reader: &Reader<'_>, path: &str) -> Result<Vec<String>> {
    let lineage = Lineage::new(&reader.cache, reader.view.id);
    let mut of = reader.cache.prepare_cached("SELECT path FROM path WHERE id = :id")?;
    let mut all = vec![path.to_string()];
    for name in lineage.of(path)? {
        let name: String = of.query_row(named_params! {":id": name}, |row| row.get(0))?;
        if name != path {
            all.push(name);
        }
    }
    Ok(all)
}

/// Returns whether `end`, the end of a file's path, is the end or the whole of another file's, past or present.
pub(super) fn is_shared(reader: &Reader<'_>, end: &str, names: &[String]) -> Result<bool> {
    let mut statement = reader
        .cache
        .prepare_cached("SELECT path FROM path WHERE path = :end OR substr(path, -length(:end) - 1) = '/' || :end")?;
    let mut rows = statement.query(named_params! {":end": end})?;
    while let Some(row) = rows.next()? {
        let path: String = row.get(0)?;
        if !names.contains(&path) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Blames the lines; `None` where the view has no commit or the file cannot be read.
pub fn blame(reader: &Reader<'_>, past: &mut ReachableCommits<'_>, lines: &LineTarget) -> Result<Option<Blame>> {
    let Some(head) = reader.view.head else { return Ok(None) };
    let range = if lines.is_file { 0..u32::MAX } else { lines.line - 1..lines.end_line };
    let mut reverts = Reverts::new(&reader.cache);
    let link = |id: &ObjectId, path: &[u8]| -> Result<Option<BlameCommit>> {
        let touching = past.commits_touching(&encode_path(path))?;
        let Some(made) = past.get(id) else { return Ok(None) };
        let touches = touching.contains(&made.seq);
        let takes_back = match touches && made.mentions_revert {
            true => reverts.of(past, *id, made, &touching)?,
            false => None,
        };
        let (time, parents, is_uninformative) = (made.time, made.parents.clone(), made.is_uninformative());
        Ok(Some(BlameCommit { time, parents, touches, is_uninformative, reverts: takes_back }))
    };
    reader.repository.blame(head.commit, &decode_path(&lines.path), range, link)
}

/// Returns the commits that made the lines what they are, those that wrote most first.
pub fn makers(reader: &Reader<'_>, past: &ReachableCommits<'_>, blame: &Blame) -> Result<Vec<BlamedCommit>> {
    let mut counts: HashMap<ObjectId, LineCounts> = HashMap::new();
    for line in &blame.lines {
        counts.entry(line.commit).or_default().lines += 1;
        if let Some(commit) = line.since.restored {
            counts.entry(commit).or_default().restored += 1;
        }
        if let Some(commit) = line.since.moved {
            counts.entry(commit).or_default().moved += 1;
        }
        if let Some(commit) = line.since.reformed {
            counts.entry(commit).or_default().reformed += 1;
        }
    }
    for commit in &blame.removed {
        counts.entry(*commit).or_default().removed = true;
    }
    let mut all = Vec::with_capacity(counts.len());
    for (commit, LineCounts { lines, restored, moved, reformed, removed }) in counts {
        let Some(made) = past.get(&commit) else { continue };
        let event = eventlog::event(&reader.cache, made.seq)?;
        let data = event.commit()?;
        let subject = subject(&data.message);
        all.push(BlamedCommit {
            sha: hex(commit.as_bytes()),
            time: made.time,
            is_weak: made.is_uninformative() || is_bot(&data.author),
            author: data.author.into_owned(),
            subject: crate::event::cap_at(subject, MAX_SUBJECT).to_string(),
            lines,
            restored,
            moved,
            reformed,
            removed,
            files: data.files_changed.len(),
            message: data.message.into_owned(),
        });
    }
    let rank = |one: &BlamedCommit| (one.lines, one.restored, one.moved, one.reformed, one.time);
    all.sort_by(|a, b| rank(b).cmp(&rank(a)).then_with(|| a.sha.cmp(&b.sha)));
    Ok(all)
}

/// How many lines a commit did what to.
#[derive(Default)]
struct LineCounts {
    lines: usize,
    restored: usize,
    moved: usize,
    reformed: usize,
    removed: bool,
}

/// Longest first line of a message, in bytes.
const MAX_SUBJECT: usize = 300;
