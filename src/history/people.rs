//! Who knows a file: the decayed commits of each person, as author or co-author.
//!
//! Identities are merged by mailmap and address; bots and agents are separate from humans. Authorship comes from
//! commits, not from blame.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;
use rusqlite::{Connection, named_params};
use serde::Serialize;

use super::kind::kind_of;
use super::{Lineage, decay};
use crate::event::Seq;
use crate::git::Mailmap;

/// The half-life of a commit's weight, in days.
const HALF_LIFE: f64 = 180.0;
/// The half-life of a person's last activity anywhere in the repository, in days.
const RECENCY_HALF_LIFE: f64 = 90.0;
/// The weight of recent activity in the score.
const RECENCY_WEIGHT: f64 = 0.1;
/// A person counts as departed after this many days without a commit, before the commit that the answer is as of.
const DEPARTED_DAYS: i64 = 365;

/// A person and their commits to a target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Person {
    /// The name, after the mailmap.
    pub name: String,
    /// The address, after the mailmap.
    pub email: String,
    /// `human`, `bot` or `agent`.
    pub kind: &'static str,
    /// The decayed commits plus a tenth of the recent activity; in a prediction of the next author, the weighted sum of
    /// signals.
    pub score: f64,
    /// Their share of the scores of all humans, from 0 to 1; 0 for bots and agents. In a prediction of the next author,
    /// the probability.
    pub share: f64,
    /// The time of their newest commit to the target, in Unix seconds; `None` if they made none.
    pub last_commit: Option<i64>,
    /// The number of their commits to the target.
    pub commits: usize,
    /// Whether they have made no commit to the repository in the year before.
    pub departed: bool,
    /// The object id of their newest commit to the target, in hexadecimal.
    pub last_commit_id: Option<String>,
}

/// The people of a repository, resolved from the spellings in commits.
pub struct People {
    by_row: HashMap<i64, usize>,
    all: Vec<ResolvedPerson>,
    /// The person rows of the co-authors of each commit, in the order of its message.
    co_authors: HashMap<Seq, Vec<i64>>,
    /// The time of each person's newest commit, in Unix seconds.
    last_seen: HashMap<usize, i64>,
}

/// A person, after the mailmap and addresses were applied.
struct ResolvedPerson {
    name: String,
    email: String,
    kind: &'static str,
    /// `Name <email>`.
    called: String,
}

/// Resolves the spellings in commits to people, by the mailmap and then by address.
pub fn people_of(cache: &Connection, mailmap: &Mailmap) -> Result<People> {
    // Only people of reachable commits, so that a misspelling that was amended does not count.
    let mut statement = cache.prepare_cached(
        "SELECT id, written FROM person WHERE id IN (
           SELECT author FROM commit_row JOIN reachable USING (seq)
           UNION SELECT person FROM co_author JOIN reachable ON reachable.seq = commit_seq) ORDER BY written",
    )?;
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(i64, String)>>>()?;
    let mut people =
        People { by_row: HashMap::new(), all: Vec::new(), co_authors: co_authors(cache)?, last_seen: HashMap::new() };
    let mut by_address: HashMap<String, usize> = HashMap::new();
    for (row, written) in rows {
        let (name, email) = split_person(&written);
        let (name, email) = mailmap.resolve(name, email);
        let address = if email.is_empty() { format!("name:{}", name.to_lowercase()) } else { email.to_lowercase() };
        let index = *by_address.entry(address).or_insert(people.all.len());
        if index == people.all.len() {
            let (kind, called) = (kind_of(&name, &email), format!("{name} <{email}>"));
            people.all.push(ResolvedPerson { name, email, kind, called });
        }
        people.by_row.insert(row, index);
    }
    people.last_seen = last_seen(cache, &people)?;
    Ok(people)
}

impl People {
    /// Returns the number of people who are neither bots nor agents.
    pub fn humans(&self) -> usize {
        self.all.iter().filter(|known| known.kind == "human").count()
    }

    /// Returns `Name <email>` of the human authors of a commit, each once and the author first.
    ///
    /// `commit` is the position of its event, `author` the person row of its author.
    pub fn humans_of(&self, commit: Seq, author: i64) -> impl Iterator<Item = &str> {
        let known = self.authors(commit, author).into_iter().map(|index| &self.all[index]);
        known.filter(|known| known.kind == "human").map(|known| known.called.as_str())
    }

    /// Returns a person by `Name <email>`, with no commits counted.
    pub fn called(&self, called: &str, as_of: i64) -> Option<Person> {
        let index = self.all.iter().position(|known| known.called == called)?;
        Some(self.person(index, as_of))
    }

    /// Returns a person with no commits counted.
    fn person(&self, index: usize, as_of: i64) -> Person {
        let ResolvedPerson { name, email, kind, .. } = &self.all[index];
        // Every person here has made at least one commit.
        let seen = self.last_seen.get(&index).copied().unwrap_or(as_of);
        Person {
            name: name.clone(),
            email: email.clone(),
            kind,
            score: RECENCY_WEIGHT * decay(as_of, seen, RECENCY_HALF_LIFE),
            share: 0.0,
            last_commit: None,
            commits: 0,
            departed: as_of.saturating_sub(seen) > DEPARTED_DAYS * 86_400,
            last_commit_id: None,
        }
    }

    /// Returns the indices of the authors of a commit, each once and the author first.
    fn authors(&self, commit: Seq, author: i64) -> Vec<usize> {
        let others = self.co_authors.get(&commit).map_or(&[][..], Vec::as_slice);
        let mut all = Vec::with_capacity(1 + others.len());
        for row in std::iter::once(&author).chain(others) {
            all.extend(self.by_row.get(row).filter(|index| !all.contains(*index)));
        }
        all
    }
}

/// Returns whether a person, as a commit spells them, is a bot.
pub fn is_bot(written: &str) -> bool {
    let (name, email) = split_person(written);
    kind_of(name, email) == "bot"
}

/// Ranks the people who touched any of these encoded paths: humans first, then agents and bots, each by score.
pub fn who(cache: &Connection, view: i64, as_of: i64, paths: &[String], people: &People) -> Result<Vec<Person>> {
    let lineage = Lineage::new(cache, view);
    let mut commits: BTreeMap<(i64, Vec<u8>, Seq), i64> = BTreeMap::new();
    let mut statement = cache.prepare_cached(
        "SELECT time, sha, commit_row.seq, author FROM touched JOIN reachable ON reachable.seq = touched.commit_seq
         JOIN commit_row ON commit_row.seq = touched.commit_seq WHERE touched.path = :path",
    )?;
    let mut names = BTreeSet::new();
    for path in paths {
        names.extend(lineage.of(path)?);
    }
    for name in names {
        let mut rows = statement.query(named_params! {":path": name})?;
        while let Some(row) = rows.next()? {
            commits.insert((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?);
        }
    }
    let mut found: BTreeMap<usize, Person> = BTreeMap::new();
    let wrote = |(commit, author): (&(i64, Vec<u8>, Seq), &i64)| people.authors(commit.2, *author);
    let each = commits.iter().flat_map(|commit| wrote(commit).into_iter().map(move |index| (commit.0, index)));
    for ((time, sha, _), index) in each {
        let person = found.entry(index).or_insert_with(|| people.person(index, as_of));
        person.score += decay(as_of, *time, HALF_LIFE);
        person.commits += 1;
        person.last_commit = Some(*time);
        person.last_commit_id = Some(crate::event::hex(sha));
    }
    let mut ranked: Vec<Person> = found.into_values().collect();
    let total: f64 = ranked.iter().filter(|person| person.kind == "human").map(|person| person.score).sum();
    for person in ranked.iter_mut().filter(|person| person.kind == "human") {
        person.share = if total > 0.0 { person.score / total } else { 0.0 };
    }
    ranked.sort_by(|a, b| {
        (a.kind != "human")
            .cmp(&(b.kind != "human"))
            .then_with(|| b.score.total_cmp(&a.score))
            .then_with(|| a.email.cmp(&b.email))
    });
    Ok(ranked)
}

/// Returns the names of the humans who know a file best, as evidence for a hit.
pub fn authors_of(
    cache: &Connection,
    view: i64,
    as_of: i64,
    path: &str,
    people: &People,
    count: usize,
) -> Result<Vec<String>> {
    let ranked = who(cache, view, as_of, &[path.to_string()], people)?;
    let humans = ranked.into_iter().filter(|person| person.kind == "human");
    Ok(humans.take(count).map(|person| person.name).collect())
}

/// Returns the time of each person's newest commit.
fn last_seen(cache: &Connection, people: &People) -> Result<HashMap<usize, i64>> {
    let mut statement = cache.prepare_cached(
        "SELECT author, max(time) FROM commit_row JOIN reachable USING (seq) GROUP BY author
         UNION ALL SELECT person, max(time) FROM co_author JOIN reachable ON reachable.seq = commit_seq
           JOIN commit_row USING (seq) GROUP BY person",
    )?;
    let mut rows = statement.query([])?;
    let mut seen: HashMap<usize, i64> = HashMap::new();
    while let Some(row) = rows.next()? {
        if let Some(index) = people.by_row.get(&row.get(0)?) {
            let time = seen.entry(*index).or_insert(i64::MIN);
            *time = (*time).max(row.get(1)?);
        }
    }
    Ok(seen)
}

/// Returns the co-authors of each commit, as person rows.
fn co_authors(cache: &Connection) -> Result<HashMap<Seq, Vec<i64>>> {
    let mut statement = cache.prepare_cached("SELECT commit_seq, person FROM co_author ORDER BY commit_seq, place")?;
    let mut rows = statement.query([])?;
    let mut all: HashMap<Seq, Vec<i64>> = HashMap::new();
    while let Some(row) = rows.next()? {
        all.entry(row.get(0)?).or_default().push(row.get(1)?);
    }
    Ok(all)
}

/// Splits `Name <email>` into name and address.
fn split_person(written: &str) -> (&str, &str) {
    match written.rsplit_once(" <") {
        Some((name, email)) => (name.trim(), email.trim_end_matches('>').trim()),
        None => (written.trim(), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_a_name_and_an_address() {
        let check = |written: &str, expect: (&str, &str)| assert_eq!(split_person(written), expect);
        check("Ada <ada@example.org>", ("Ada", "ada@example.org"));
        check(" <>", ("", ""));
        check("A <B> C <d@e>", ("A <B> C", "d@e"));
    }
}
