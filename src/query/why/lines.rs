//! The lines that are asked about, and the commits behind them. Lines are those of the commit that the answer is as of,
//! never of the work tree.

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
    /// The key of the smallest definition that contains all of them, such as `src/a.rs#Parser::parse`, or of the file.
    pub key: String,
    /// The encoded path of the file.
    pub path: String,
    /// The first line, from 1.
    pub line: u32,
    /// The last line, inclusive.
    pub end_line: u32,
    /// The definition that they are in; `None` if the target is the file.
    #[serde(skip)]
    pub item: Option<Item>,
    /// Whether the target is the whole file.
    #[serde(skip)]
    pub is_file: bool,
}

/// A commit that wrote or changed some of the lines.
#[derive(Debug, Clone, Serialize)]
pub struct BlamedCommit {
    /// The object id, in hexadecimal.
    pub sha: String,
    /// The committer time, in Unix seconds.
    pub time: i64,
    /// `Name <email>`, as the commit has it.
    pub author: String,
    /// The first line of the message.
    pub subject: String,
    /// How many of the lines it wrote.
    pub lines: usize,
    /// How many it restored by reverting their removal. Their first author is credited instead.
    pub restored: usize,
    /// How many it moved here unchanged, from another file or another place in this one.
    pub moved: usize,
    /// How many it only reformatted, as a formatter or a change of many files does. The author before it is credited
    /// instead.
    pub reformed: usize,
    /// Whether it removed lines between these.
    pub removed: bool,
    /// The number of paths that it touched.
    pub files: usize,
    /// Whether it is weak evidence for the lines it changed, because it is large, a formatter's, or a bot's.
    #[serde(skip)]
    pub is_weak: bool,
    /// The whole message.
    #[serde(skip)]
    pub message: String,
}

impl LineTarget {
    /// Creates a target of all lines of a file or a definition.
    pub fn of_item(item: Item) -> Self {
        let is_file = item.kind == ItemKind::File;
        let (key, path) = (item.key.clone(), item.path.clone());
        LineTarget { key, path, line: item.line, end_line: item.end_line, is_file, item: (!is_file).then_some(item) }
    }

    /// Limits the range to the `total` lines that exist. The end of a file is known only after blaming it.
    ///
    /// # Errors
    /// A [`UserError`] if none of the lines exist.
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

/// Returns all names of a file, past and present, as encoded paths; the current one first.
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

/// Returns whether `end`, a trailing part of a file's path, also matches the path of another file, past or present.
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

/// Blames the lines; `None` if the view has no commit, or the file cannot be read.
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

/// Returns the commits behind the lines, those that wrote most first.
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

/// What a commit did, as numbers of lines.
#[derive(Default)]
struct LineCounts {
    lines: usize,
    restored: usize,
    moved: usize,
    reformed: usize,
    removed: bool,
}

/// The longest first line of a message, in bytes.
const MAX_SUBJECT: usize = 300;
