//! Reverts: commits that revert others, recognized by git's own message or by the subject that they quote.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use rusqlite::{Connection, named_params};

use crate::event::Seq;
use crate::eventlog;
use crate::git::{ObjectId, RevertedCommit};
use crate::history::{CommitNode, ReachableCommits};

/// What git writes into the message of a revert, followed by the commit's id; for the revert of a merge, `TO` precedes
/// the id of the parent that is kept.
pub const REVERTS: &str = "This reverts commit ";
const TO: &str = "changes made to ";
/// The shortest abbreviation of a commit id, in digits.
const SHORTEST: usize = 7;

/// What a message says that its commit reverts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevertTarget {
    /// A prefix of an id, in lower case.
    Id(String),
    /// The subject of the commit.
    Subject(String),
}

/// Returns the first line of a message that is not blank.
pub fn subject(message: &str) -> &str {
    message.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim()
}

/// Returns whether a message says that its commit reverts another.
pub fn is_revert(message: &str) -> bool {
    let begin = message.trim_start().to_lowercase();
    begin.starts_with("revert ") || begin.starts_with("reapply \"") || message.contains(REVERTS)
}

/// Returns what a message says that its commit reverts, most reliable first.
pub fn named(message: &str) -> Vec<RevertTarget> {
    let id = message.split_once(REVERTS).and_then(|(_, rest)| id_at(rest));
    let mut all: Vec<RevertTarget> = id.map(RevertTarget::Id).into_iter().collect();
    let subject = subject(message);
    if let Some((word, quoted)) =
        subject.split_once('"').and_then(|(word, rest)| Some((word, rest.rsplit_once('"')?.0)))
    {
        // A reapplied commit had been reverted, so this one reverts that revert.
        let is_again = word.to_lowercase().starts_with("reapply");
        all.push(RevertTarget::Subject(if is_again { format!("Revert \"{quoted}\"") } else { quoted.to_string() }));
    }
    all
}

/// Parses the id that a text begins with.
fn id_at(text: &str) -> Option<String> {
    let id: String = text.chars().take_while(char::is_ascii_hexdigit).collect();
    (id.len() >= SHORTEST).then(|| id.to_lowercase())
}

/// The commits that others revert, each read once.
pub struct Reverts<'c> {
    cache: &'c Connection,
    /// For each commit, those that it may revert, the likeliest first; and, if a merge is reverted, the parent that is
    /// kept.
    known: HashMap<ObjectId, (Vec<ObjectId>, Option<String>)>,
}

impl<'c> Reverts<'c> {
    pub fn new(cache: &'c Connection) -> Self {
        Reverts { cache, known: HashMap::new() }
    }

    /// Finds the commit that another one reverts, and the commit before it. Of several with the same subject, the
    /// newest that is among `touching`.
    pub fn of(
        &mut self,
        past: &ReachableCommits<'_>,
        id: ObjectId,
        made: &CommitNode,
        touching: &HashSet<Seq>,
    ) -> Result<Option<RevertedCommit>> {
        if !self.known.contains_key(&id) {
            let found = self.read(past, id, made)?;
            self.known.insert(id, found);
        }
        let (all, kept) = &self.known[&id];
        let touches = |id: &&ObjectId| past.get(id).is_some_and(|made| touching.contains(&made.seq));
        let Some(commit) = all.iter().find(touches).or(all.first()) else { return Ok(None) };
        let parents = past.get(commit).map_or(&[][..], |made| &made.parents);
        let is_kept = |parent: &&ObjectId| kept.as_ref().is_some_and(|id| parent.to_string().starts_with(id));
        let before = parents.iter().find(is_kept).or(parents.first());
        Ok(before.map(|before| RevertedCommit { commit: *commit, before: *before }))
    }

    fn read(
        &self,
        past: &ReachableCommits<'_>,
        id: ObjectId,
        made: &CommitNode,
    ) -> Result<(Vec<ObjectId>, Option<String>)> {
        let event = eventlog::event(self.cache, made.seq)?;
        let message = event.commit()?.message;
        if !is_revert(&message) {
            return Ok((Vec::new(), None));
        }
        for named in named(&message) {
            let mut found = match named {
                RevertTarget::Id(begin) => past.with_prefix(&begin),
                RevertTarget::Subject(subject) => self.called(&subject, made.time)?,
            };
            found.retain(|other| *other != id);
            if !found.is_empty() {
                let kept = message.split_once(TO).and_then(|(_, rest)| id_at(rest));
                return Ok((found, kept));
            }
        }
        Ok((Vec::new(), None))
    }

    /// Finds the commits with this subject that are no newer than `time`, newest first.
    fn called(&self, subject: &str, time: i64) -> Result<Vec<ObjectId>> {
        let mut statement = self.cache.prepare_cached(
            "SELECT sha FROM reachable CROSS JOIN commit_row USING (seq) WHERE subject = :subject AND time <= :time
             ORDER BY time DESC, sha DESC",
        )?;
        let mut rows = statement.query(named_params! {":subject": subject, ":time": time})?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.extend(ObjectId::try_from(row.get_ref(0)?.as_blob()?).ok());
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_what_it_takes_back() {
        let id = "11".repeat(20);
        let check = |message: &str, expect: &[RevertTarget]| assert_eq!(named(message), expect, "{message}");
        let subject = |text: &str| RevertTarget::Subject(text.to_string());
        check(&format!("Revert \"x\"\n\n{REVERTS}{id}."), &[RevertTarget::Id(id.clone()), subject("x")]);
        check(&format!("back to threads\n\n{REVERTS}ABCDEF12\n"), &[RevertTarget::Id("abcdef12".to_string())]);
        check("Revert \"add a pool (#12)\" (#13)", &[subject("add a pool (#12)")]);
        check("Revert \"Revert \"add a pool\"\"", &[subject("Revert \"add a pool\"")]);
        check("Reapply \"add a pool\"", &[subject("Revert \"add a pool\"")]);
        check("Revert the old way", &[]);
        check(&format!("{REVERTS}abc"), &[]);
        assert!(is_revert("revert the old way") && is_revert("Reapply \"x\""));
        assert!(!is_revert("reverted") && !is_revert("no revert here"));
    }
}
