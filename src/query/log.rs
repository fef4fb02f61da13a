//! The commits of targets, newest first.

use anyhow::Result;
use serde::Serialize;

use super::{Note, Reader, ResolvedTarget, Targets};
use crate::eventlog;
use crate::facts::{Body, ItemKind};
use crate::history::{self, CommitScope, LoggedCommit};

/// One commit of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogCommit {
    /// The object id, in hexadecimal.
    pub id: String,
    /// The first line of the message.
    pub subject: String,
    /// The name of the author, as the commit has it.
    pub author: String,
    /// The committer time, in Unix seconds.
    pub time: i64,
}

/// The commits of targets.
pub struct LogAnswer {
    /// The commits, newest first.
    pub commits: Vec<LogCommit>,
    /// Notes for the user.
    pub notes: Vec<Note>,
}

/// Lists at most `k` commits of some targets, or of the whole history if there are none, newest first.
pub fn log(reader: &Reader<'_>, targets: &Targets, since: Option<i64>, k: usize) -> Result<LogAnswer> {
    let (cache, view) = (&reader.cache, reader.view.id);
    let mut notes = Vec::new();
    let scopes: Vec<CommitScope> = match targets.all.is_empty() {
        true => vec![CommitScope::All],
        false => targets.all.iter().map(|target| scope_of(reader, target, &mut notes)).collect::<Result<_>>()?,
    };
    let found = history::commit_log(cache, view, &scopes, since, k)?;
    let mut commits = Vec::with_capacity(found.len());
    for LoggedCommit { seq, sha, time, subject } in found {
        let event = eventlog::event(cache, seq)?;
        let author = match event.body()? {
            Some(Body::Commit(data)) => data.author.split(" <").next().unwrap_or_default().to_string(),
            _ => String::new(),
        };
        commits.push(LogCommit { id: sha, subject, author, time });
    }
    Ok(LogAnswer { commits, notes })
}

fn scope_of(reader: &Reader<'_>, target: &ResolvedTarget, notes: &mut Vec<Note>) -> Result<CommitScope> {
    let own = match target {
        ResolvedTarget::Item(item) if item.kind != ItemKind::File => Some(item),
        ResolvedTarget::Lines { file, .. } => Some(file),
        _ => None,
    };
    if let Some(item) = own {
        notes.push(Note::info(format!("commits are known per file; these are the commits of {}", item.path)));
    }
    Ok(match target {
        ResolvedTarget::Files { name, .. } if name == "." => CommitScope::All,
        target @ ResolvedTarget::Files { name, .. } if !name.contains(['*', '?', '[', '{']) => {
            CommitScope::Folder { path: name.trim_end_matches('/').to_string(), files: target.paths(reader)? }
        }
        target => CommitScope::Paths(target.paths(reader)?),
    })
}
