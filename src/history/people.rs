//! Who knows a file: decayed commits of each person, people joined by mailmap and address, bots apart.
//! Refuses blame; authorship is what commits say.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;
use rusqlite::{Connection, named_params};
use serde::Serialize;

use super::{Lineage, decay};
use crate::event::Seq;
use crate::git::Mailmap;

/// Half-life of a commit's weight, in days.
const HALF_LIFE: f64 = 180.0;
/// Half-life of having been seen in the repository at all, in days.
const RECENCY_HALF_LIFE: f64 = 90.0;
/// Weight of having been seen lately.
const RECENCY_WEIGHT: f64 = 0.1;
/// Who has not committed for this many days before the commit the answer is as of has departed.
const DEPARTED_DAYS: i64 = 365;

/// One person and what they did to a target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Person {
    /// The name they go by.
    pub name: String,
    /// The address they go by.
    pub email: String,
    /// `human`, `bot` or `agent`.
    pub kind: &'static str,
    /// Decayed commits plus a tenth of recency in the repository.
    pub score: f64,
    /// Their part of all scores, from 0 to 1.
    pub share: f64,
    /// Their newest commit to the target, Unix seconds.
    pub last_commit: i64,
    /// Commits to the target.
    pub commits: usize,
    /// Nothing of theirs was committed to the repository in the year before.
    pub departed: bool,
    /// Their newest commit to the target, in hexadecimal.
    pub last_commit_id: String,
}

/// People as commits write them, brought to who they are.
pub struct People {
    by_row: HashMap<i64, usize>,
    names: Vec<(String, String)>,
    /// When each was last seen in the repository at all.
    last_seen: HashMap<usize, i64>,
}

/// Joins written people by the mailmap, then by address.
pub fn people_of(cache: &Connection, mailmap: &Mailmap) -> Result<People> {
    // Whoever no reachable commit names is nobody here: a misspelling that was amended away has never been.
    let mut statement = cache.prepare_cached(
        "SELECT id, written FROM person WHERE id IN (SELECT author FROM commit_row JOIN reachable USING (seq)) ORDER BY written",
    )?;
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(i64, String)>>>()?;
    let mut people = People { by_row: HashMap::new(), names: Vec::new(), last_seen: HashMap::new() };
    let mut by_address: HashMap<String, usize> = HashMap::new();
    for (row, written) in rows {
        let (name, email) = split_person(&written);
        let (name, email) = mailmap.resolve(name, email);
        let address = if email.is_empty() { format!("name:{}", name.to_lowercase()) } else { email.to_lowercase() };
        let index = *by_address.entry(address).or_insert(people.names.len());
        if index == people.names.len() {
            people.names.push((name, email));
        }
        people.by_row.insert(row, index);
    }
    people.last_seen = last_seen(cache, &people.by_row)?;
    Ok(people)
}

impl People {
    /// How many people there are.
    pub fn count(&self) -> usize {
        self.names.len()
    }

    /// How many of them are neither bots nor agents.
    pub fn humans(&self) -> usize {
        self.names.iter().filter(|(name, email)| kind_of(name, email) == "human").count()
    }

    /// What a person is called by, from the row they were written in; none for bots and agents.
    pub fn human(&self, row: i64) -> Option<String> {
        let (name, email) = &self.names[*self.by_row.get(&row)?];
        (kind_of(name, email) == "human").then(|| format!("{name} <{email}>"))
    }
}

/// Who knows these paths, best first: humans, then agents and bots.
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
    for ((time, sha, _), author) in &commits {
        let Some(index) = people.by_row.get(author) else { continue };
        let (name, email) = &people.names[*index];
        let seen = people.last_seen.get(index).copied().unwrap_or(*time);
        let person = found.entry(*index).or_insert_with(|| Person {
            name: name.clone(),
            email: email.clone(),
            kind: kind_of(name, email),
            score: RECENCY_WEIGHT * decay(as_of, seen, RECENCY_HALF_LIFE),
            share: 0.0,
            last_commit: *time,
            commits: 0,
            departed: as_of.saturating_sub(seen) > DEPARTED_DAYS * 86_400,
            last_commit_id: String::new(),
        });
        person.score += decay(as_of, *time, HALF_LIFE);
        person.commits += 1;
        person.last_commit = *time;
        person.last_commit_id = crate::event::hex(sha);
    }
    let mut ranked: Vec<Person> = found.into_values().collect();
    let total: f64 = ranked.iter().map(|person| person.score).sum();
    for person in &mut ranked {
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

/// The names of those who touched a file, best first, for evidence beside a hit.
pub fn authors_of(
    cache: &Connection,
    view: i64,
    as_of: i64,
    path: &str,
    people: &People,
    count: usize,
) -> Result<Vec<String>> {
    let ranked = who(cache, view, as_of, &[path.to_string()], people)?;
    Ok(ranked.into_iter().take(count).map(|person| person.name).collect())
}

fn last_seen(cache: &Connection, by_row: &HashMap<i64, usize>) -> Result<HashMap<usize, i64>> {
    let mut statement =
        cache.prepare_cached("SELECT author, max(time) FROM commit_row JOIN reachable USING (seq) GROUP BY author")?;
    let mut rows = statement.query([])?;
    let mut seen: HashMap<usize, i64> = HashMap::new();
    while let Some(row) = rows.next()? {
        if let Some(index) = by_row.get(&row.get(0)?) {
            let time = seen.entry(*index).or_insert(i64::MIN);
            *time = (*time).max(row.get(1)?);
        }
    }
    Ok(seen)
}

fn split_person(written: &str) -> (&str, &str) {
    match written.rsplit_once(" <") {
        Some((name, email)) => (name.trim(), email.trim_end_matches('>').trim()),
        None => (written.trim(), ""),
    }
}

fn kind_of(name: &str, email: &str) -> &'static str {
    const AGENTS: &[&str] = &["claude", "copilot", "codex", "cursor", "devin", "gemini", "aider"];
    const BOTS: &[&str] = &[
        "dependabot",
        "renovate",
        "github-actions",
        "greenkeeper",
        "pre-commit-ci",
        "mergify",
        "bors",
        "semantic-release",
    ];
    let (name, email) = (name.to_lowercase(), email.to_lowercase());
    let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).collect();
    let is_agent_address =
        email.ends_with("@anthropic.com") || email.ends_with("@openai.com") && words.contains(&"codex");
    if is_agent_address
        || AGENTS.iter().any(|agent| words.contains(agent))
            && (name.contains("[bot]") || name.contains("agent") || email.contains("noreply"))
    {
        "agent"
    } else if name.contains("[bot]")
        || email.contains("[bot]")
        || words.contains(&"bot")
        || BOTS.iter().any(|bot| name.contains(bot))
    {
        "bot"
    } else {
        "human"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bots_and_agents_are_told_from_people() {
        let check =
            |name: &str, email: &str, expect: &str| assert_eq!(kind_of(name, email), expect, "{name} <{email}>");
        check("Ada Lovelace", "ada@example.org", "human");
        check("Claude Monet", "claude@example.org", "human");
        check("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.example", "bot");
        check("Release Bot", "ci@example.org", "bot");
        check("Claude", "noreply@anthropic.com", "agent");
        check("copilot-swe-agent[bot]", "x@users.noreply.example", "agent");
    }

    #[test]
    fn a_person_is_a_name_and_an_address() {
        let check = |written: &str, expect: (&str, &str)| assert_eq!(split_person(written), expect);
        check("Ada <ada@example.org>", ("Ada", "ada@example.org"));
        check(" <>", ("", ""));
        check("A <B> C <d@e>", ("A <B> C", "d@e"));
    }
}
