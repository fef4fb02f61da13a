//! Attributes commits to sessions.
//!
//! By the tags or commits that a session names as its start and end; otherwise by the commits it recorded, and those
//! made on its branch while it ran.
//!
//! Invariant: a commit that one session recorded is never attributed to another by time.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use rusqlite::{Connection, named_params};

use super::{CommitGraph, LIVE_JOIN, NOT_SUPERSEDED, SessionEntry, sessions};
use crate::event::hex;
use crate::eventlog;
use crate::facts::{NOTES, SessionData};
use crate::git::Repository;

/// The longest duration of a session without an end, in seconds. It also ends when the next session begins.
const MAX_OPEN_SESSION_SECONDS: i64 = 12 * 3600;

/// A live session and its stored data.
#[derive(Debug, Clone)]
pub struct LiveSession {
    /// The entry of the session itself.
    pub said: SessionEntry,
    /// The data of its event.
    pub data: SessionData,
}

/// Returns every live session of a view with its data, ordered by time.
pub fn load_sessions(cache: &Connection, view: i64) -> Result<Vec<LiveSession>> {
    let mut all = Vec::new();
    for said in sessions(cache, view)? {
        let data = eventlog::event(cache, said.seq)?.session()?;
        all.push(LiveSession { said, data });
    }
    Ok(all)
}

/// The commits and time spans of all sessions, which are needed to attribute a commit to exactly one of them.
pub struct SessionCommits {
    /// The commits that are reachable from a HEAD.
    commits: CommitGraph,
    /// The time spans of the sessions, by start.
    spans: Vec<SessionSpan>,
    /// The sessions that recorded making a commit, by commit id.
    written: HashMap<Vec<u8>, Vec<String>>,
}

/// The time span of a session in Unix seconds, both ends included.
struct SessionSpan {
    session: String,
    from: i64,
    to: i64,
}

impl SessionCommits {
    /// Loads the commits and the time spans of the live sessions of a view.
    pub fn load(cache: &Connection, view: i64, sessions: &[LiveSession]) -> Result<Self> {
        let commits = CommitGraph::load(cache)?;
        let mut written: HashMap<Vec<u8>, Vec<String>> = HashMap::new();
        let mut statement = cache.prepare_cached(&format!(
            "SELECT mention_commit.sha, entry.session FROM {LIVE_JOIN} CROSS JOIN mention_commit ON mention_commit.seq = entry.seq
             WHERE entry.category = 'commit' AND {NOT_SUPERSEDED}",
        ))?;
        let mut rows = statement.query(named_params! {":view": view})?;
        while let Some(row) = rows.next()? {
            if let Some(sha) = commits.by_prefix(row.get_ref(0)?.as_str()?) {
                written.entry(sha.clone()).or_default().push(row.get(1)?);
            }
        }
        let spans = session_spans(sessions.iter().map(|session| &session.data));
        Ok(SessionCommits { commits, spans, written })
    }

    /// Returns the commits made in a session, oldest first, in hexadecimal.
    pub fn commits_of(&self, repository: &Repository, session: &SessionData) -> Vec<String> {
        let (head, commits) = (&session.head, &self.commits);
        if session.session == NOTES {
            return Vec::new();
        }
        let resolve = |tag: &Option<String>, commit: &Option<String>| -> Option<Vec<u8>> {
            let tag = tag.as_ref().and_then(|tag| repository.resolve_commit(&format!("refs/tags/{tag}")));
            let is_id = |text: &&str| text.len() >= 7 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            let written = commit.as_deref().filter(is_id);
            let named = || commits.by_prefix(written?).cloned();
            let gone = || repository.resolve_commit(written?).map(|id| id.as_bytes().to_vec());
            tag.map(|id| id.as_bytes().to_vec()).or_else(named).or_else(gone)
        };
        let start = resolve(&head.start_tag, &head.start_commit);
        if let (Some(start), Some(end)) = (&start, resolve(&head.end_tag, &head.end_commit)) {
            let ends = commits.nearest_reachable(repository, &end);
            let made = commits.between(&commits.nearest_reachable(repository, start), &ends);
            // If its last commit was rewritten, the range may be empty.
            if !made.is_empty() || ends == [end] {
                return made;
            }
        }
        let started = head.started.or_else(|| commits.time_of(start.as_ref()?));
        let mut made: Vec<&Vec<u8>> = started.map(|started| self.commits_during(session, started)).unwrap_or_default();
        made.retain(|sha| start.as_ref() != Some(*sha));
        let branches = || head.branch.iter().chain(&head.branches);
        let since = started.unwrap_or(i64::MAX);
        let own: HashSet<&[u8]> = branches().flat_map(|name| commits.on_branch(repository, name, since)).collect();
        // A session without commits on its named branches has worked on a branch that it did not name.
        if made.iter().any(|sha| own.contains(sha.as_slice())) {
            commits.retain_branch_commits(&mut made, &own, since);
        }
        made.extend(self.written.iter().filter(|(_, by)| by.contains(&session.session)).map(|(sha, _)| sha));
        made.sort_by_key(|sha| (commits.time_of(sha), *sha));
        made.dedup();
        made.into_iter().map(|sha| hex(sha)).collect()
    }

    /// Returns the commits made while a session ran, without those made during sessions that began later and those
    /// recorded by others.
    fn commits_during(&self, session: &SessionData, started: i64) -> Vec<&Vec<u8>> {
        let id = &session.session;
        let later = &self.spans[self.spans.partition_point(|span| span.from <= started)..];
        let later = || later.iter().filter(|span| span.session != *id);
        let ended = session.head.ended.unwrap_or_else(|| assumed_end(started, later().map(|span| span.from).next()));
        let is_others = |sha: &Vec<u8>| {
            let time = self.commits.time_of(sha).unwrap_or(started);
            let is_written = self.written.get(sha).is_some_and(|by| !by.contains(id));
            is_written || later().take_while(|span| span.from <= time).any(|span| time <= span.to)
        };
        self.commits.between_times(started, ended).filter(|sha| !is_others(sha)).collect()
    }
}

/// Returns the time spans of sessions, by start. A session without an end lasts until the next one begins.
fn session_spans<'s>(sessions: impl Iterator<Item = &'s SessionData>) -> Vec<SessionSpan> {
    let mut begun: Vec<(i64, Option<i64>, &str)> = sessions
        .filter(|session| session.session != NOTES)
        .filter_map(|session| Some((session.head.started?, session.head.ended, session.session.as_str())))
        .collect();
    begun.sort_unstable();
    let next = |at: usize, from: i64| begun[at..].iter().map(|(other, ..)| *other).find(|other| *other > from);
    let span = |(at, (from, to, id)): (usize, &(i64, Option<i64>, &str))| SessionSpan {
        session: id.to_string(),
        from: *from,
        to: to.unwrap_or_else(|| assumed_end(*from, next(at, *from))),
    };
    begun.iter().enumerate().map(span).collect()
}

/// Returns the assumed end of a session that has none. `next` is the start of the next session.
fn assumed_end(from: i64, next: Option<i64>) -> i64 {
    (from + MAX_OPEN_SESSION_SECONDS).min(next.map_or(i64::MAX, |next| next - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::SessionHead;

    #[test]
    fn a_session_without_an_end_lasts_until_the_next() {
        let session = |id: &str, started: i64, ended: Option<i64>| SessionData {
            session: id.into(),
            head: SessionHead { started: Some(started), ended, ..SessionHead::default() },
            ..SessionData::default()
        };
        let all =
            [session("b", 50, Some(60)), session("a", 10, None), session("c", 50, None), session("d", 90_000, None)];
        let spans: Vec<(String, i64, i64)> =
            session_spans(all.iter()).into_iter().map(|span| (span.session, span.from, span.to)).collect();
        let expect = [
            ("a", 10, 49),
            ("c", 50, 50 + MAX_OPEN_SESSION_SECONDS),
            ("b", 50, 60),
            ("d", 90_000, 90_000 + MAX_OPEN_SESSION_SECONDS),
        ];
        assert_eq!(spans, expect.map(|(id, from, to)| (id.to_string(), from, to)));
    }
}
