//! Which commits were made in which session: between its tags or commits where it names them; else those that it wrote down
//! having made, and by time and branch those that no other session made. Refuses to give a commit by time to one session
//! that another tells of.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use rusqlite::{Connection, named_params};

use super::{Commits, JOINS, Said, TELLS, sessions};
use crate::event::hex;
use crate::eventlog;
use crate::facts::{NOTES, SessionData};
use crate::git::Repository;

/// A session that did not say when it ended is over after so many seconds, or when the next one begins.
const LONGEST: i64 = 12 * 3600;

/// A live session and what it said of itself.
#[derive(Debug, Clone)]
pub struct Session {
    /// Where it stands.
    pub said: Said,
    /// What it said.
    pub data: SessionData,
}

/// Every live session of a view with what it said of itself, by time.
pub fn load(cache: &Connection, view: i64) -> Result<Vec<Session>> {
    let mut all = Vec::new();
    for said in sessions(cache, view)? {
        let data = eventlog::event(cache, said.seq)?.session()?;
        all.push(Session { said, data });
    }
    Ok(all)
}

/// What is known of all sessions together: where one makes a commit, another does not.
pub struct Joins {
    commits: Commits,
    /// By start.
    spans: Vec<Span>,
    /// The sessions that wrote down having made a commit.
    written: HashMap<Vec<u8>, Vec<String>>,
}

/// From when to when a session went on, both in Unix seconds.
struct Span {
    session: String,
    from: i64,
    to: i64,
}

impl Joins {
    /// Reads what is known of the live sessions of a view.
    pub fn load(cache: &Connection, view: i64, sessions: &[Session]) -> Result<Self> {
        let commits = Commits::load(cache)?;
        let mut written: HashMap<Vec<u8>, Vec<String>> = HashMap::new();
        let mut statement = cache.prepare_cached(&format!(
            "SELECT mention_commit.sha, entry.session FROM {JOINS} CROSS JOIN mention_commit ON mention_commit.seq = entry.seq
             WHERE entry.category = 'commit' AND {TELLS}",
        ))?;
        let mut rows = statement.query(named_params! {":view": view})?;
        while let Some(row) = rows.next()? {
            if let Some(sha) = commits.named(row.get_ref(0)?.as_str()?) {
                written.entry(sha.clone()).or_default().push(row.get(1)?);
            }
        }
        let spans = spans_of(sessions.iter().map(|session| &session.data));
        Ok(Joins { commits, spans, written })
    }

    /// The commits that were made in a session, the oldest first, in hexadecimal.
    pub fn of(&self, repository: &Repository, session: &SessionData) -> Vec<String> {
        let (head, commits) = (&session.head, &self.commits);
        if session.session == NOTES {
            return Vec::new();
        }
        let resolve = |tag: &Option<String>, commit: &Option<String>| -> Option<Vec<u8>> {
            let tag = tag.as_ref().and_then(|tag| repository.resolve_commit(&format!("refs/tags/{tag}")));
            let is_id = |text: &&str| text.len() >= 7 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            let written = commit.as_deref().filter(is_id);
            let named = || commits.named(written?).cloned();
            let gone = || repository.resolve_commit(written?).map(|id| id.as_bytes().to_vec());
            tag.map(|id| id.as_bytes().to_vec()).or_else(named).or_else(gone)
        };
        let start = resolve(&head.start_tag, &head.start_commit);
        if let (Some(start), Some(end)) = (&start, resolve(&head.end_tag, &head.end_commit)) {
            let ends = commits.known_below(repository, &end);
            let made = commits.between(&commits.known_below(repository, start), &ends);
            // Where its last commit was made anew, what is left may be nothing.
            if !made.is_empty() || ends == [end] {
                return made;
            }
        }
        let started = head.started.or_else(|| commits.time(start.as_ref()?));
        let mut made: Vec<&Vec<u8>> = started.map(|started| self.by_time(session, started)).unwrap_or_default();
        made.retain(|sha| start.as_ref() != Some(*sha));
        let branches = || head.branch.iter().chain(&head.branches);
        let since = started.unwrap_or(i64::MAX);
        let own: HashSet<&[u8]> = branches().flat_map(|name| commits.on_branch(repository, name, since)).collect();
        // One that made none on the branches that it names went to another, and did not say so.
        if made.iter().any(|sha| own.contains(sha.as_slice())) {
            commits.follow(&mut made, &own, since);
        }
        made.extend(self.written.iter().filter(|(_, by)| by.contains(&session.session)).map(|(sha, _)| sha));
        made.sort_by_key(|sha| (commits.time(sha), *sha));
        made.dedup();
        made.into_iter().map(|sha| hex(sha)).collect()
    }

    /// The commits that were made while a session went on, but for those of sessions that began later, and of those that
    /// wrote them down.
    fn by_time(&self, session: &SessionData, started: i64) -> Vec<&Vec<u8>> {
        let id = &session.session;
        let later = &self.spans[self.spans.partition_point(|span| span.from <= started)..];
        let later = || later.iter().filter(|span| span.session != *id);
        let ended = session.head.ended.unwrap_or_else(|| end_of(started, later().map(|span| span.from).next()));
        let is_others = |sha: &Vec<u8>| {
            let time = self.commits.time(sha).unwrap_or(started);
            let is_written = self.written.get(sha).is_some_and(|by| !by.contains(id));
            is_written || later().take_while(|span| span.from <= time).any(|span| time <= span.to)
        };
        self.commits.during(started, ended).filter(|sha| !is_others(sha)).collect()
    }
}

/// When sessions went on, by start. One that did not say when it ended went on until the next began.
fn spans_of<'s>(sessions: impl Iterator<Item = &'s SessionData>) -> Vec<Span> {
    let mut begun: Vec<(i64, Option<i64>, &str)> = sessions
        .filter(|session| session.session != NOTES)
        .filter_map(|session| Some((session.head.started?, session.head.ended, session.session.as_str())))
        .collect();
    begun.sort_unstable();
    let next = |at: usize, from: i64| begun[at..].iter().map(|(other, ..)| *other).find(|other| *other > from);
    let span = |(at, (from, to, id)): (usize, &(i64, Option<i64>, &str))| Span {
        session: id.to_string(),
        from: *from,
        to: to.unwrap_or_else(|| end_of(*from, next(at, *from))),
    };
    begun.iter().enumerate().map(span).collect()
}

/// The end of a session that did not say it; `next` is when another began.
fn end_of(from: i64, next: Option<i64>) -> i64 {
    (from + LONGEST).min(next.map_or(i64::MAX, |next| next - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::Head;

    #[test]
    fn a_session_that_did_not_say_its_end_goes_on_until_the_next() {
        let session = |id: &str, started: i64, ended: Option<i64>| SessionData {
            session: id.into(),
            head: Head { started: Some(started), ended, ..Head::default() },
            ..SessionData::default()
        };
        let all =
            [session("b", 50, Some(60)), session("a", 10, None), session("c", 50, None), session("d", 90_000, None)];
        let spans: Vec<(String, i64, i64)> =
            spans_of(all.iter()).into_iter().map(|span| (span.session, span.from, span.to)).collect();
        let expect = [("a", 10, 49), ("c", 50, 50 + LONGEST), ("b", 50, 60), ("d", 90_000, 90_000 + LONGEST)];
        assert_eq!(spans, expect.map(|(id, from, to)| (id.to_string(), from, to)));
    }
}
