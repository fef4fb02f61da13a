//! The untrained ranking of related files: a weighted sum of decayed co-change, path similarity and recent popularity.
//!
//! It counts all reachable commits by the current names of files; [`super::ChangeCounts`] counts the newest commits by
//! the same rule, with the names of files at each commit.
//!
//! Invariant: weights are summed in order of time, so the same history gives bit-identical results.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::Result;
use rusqlite::{Connection, named_params};

use super::{CoChange, CommitRef, LARGEST_COMMIT, Lineage, POPULARITY_HALF_LIFE, PairWeight, commit_ref, decay};
use crate::event::Seq;

/// The weight of path similarity in the score.
pub const PATH_WEIGHT: f64 = 0.15;
/// The weight of popularity in the score.
pub const POPULARITY_WEIGHT: f64 = 0.10;
/// Commits older than this many half-lives do not count for popularity; their weight would be less than a thousandth.
const POPULARITY_WINDOW: f64 = 10.0;

/// A related file, with the parts of its score.
#[derive(Debug, Clone, PartialEq)]
pub struct Related {
    /// The encoded path.
    pub path: String,
    /// The score: the weighted sum of the parts.
    pub score: f64,
    /// The decayed co-change, in which each commit of n files counts 1/(n-1); not normalized.
    pub together: f64,
    /// The number of shared commits that were counted.
    pub commits: usize,
    /// The [`path_similarity`].
    pub path_similarity: f64,
    /// The decayed number of commits; not normalized.
    pub popularity: f64,
}

/// A commit of at least two files, as evidence of co-change.
struct CoChangeCommit {
    seq: Seq,
    time: i64,
    files: usize,
}

/// Ranks every other live file with a positive score, best first; ties by path.
///
/// `path` is encoded; `as_of` is in Unix seconds.
pub fn related(cache: &Connection, view: i64, as_of: i64, path: &str) -> Result<Vec<Related>> {
    let lineage = Lineage::new(cache, view);
    let own = lineage.row(path)?;
    let mut together: HashMap<i64, CoChange> = HashMap::new();
    let mut paths_of = cache.prepare_cached("SELECT path FROM touched WHERE commit_seq = :commit ORDER BY path")?;
    for commit in commits_touching(cache, &lineage, path)? {
        let Some(weight) = PairWeight::of(commit.files, commit.time, as_of) else { continue };
        let touched = paths_of
            .query_map(named_params! {":commit": commit.seq}, |row| row.get(0))?
            .collect::<rusqlite::Result<Vec<i64>>>()?;
        let mut heirs = Vec::new();
        for other in touched {
            heirs.extend(lineage.heirs(other)?);
        }
        heirs.sort_unstable();
        heirs.dedup();
        for heir in heirs.into_iter().filter(|heir| Some(*heir) != own) {
            together.entry(heir).or_default().add(weight);
        }
    }
    let popularity = popularity(cache, &lineage, as_of)?;
    let most_together = together.values().map(|shared| shared.decayed).fold(0.0, f64::max);
    let most_popular = popularity.values().copied().fold(0.0, f64::max);
    let share = |part: f64, most: f64| if most > 0.0 { part / most } else { 0.0 };

    let mut statement = cache.prepare_cached(
        "SELECT path.id, path.path FROM view_file JOIN path ON path.id = view_file.path WHERE view = :view",
    )?;
    let mut rows = statement.query(named_params! {":view": view})?;
    let mut ranked = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, other): (i64, String) = (row.get(0)?, row.get(1)?);
        if Some(id) == own {
            continue;
        }
        let CoChange { count, decayed, .. } = together.get(&id).copied().unwrap_or_default();
        let popularity = popularity.get(&id).copied().unwrap_or_default();
        let path_similarity = path_similarity(path, &other);
        let score = share(decayed, most_together)
            + PATH_WEIGHT * path_similarity
            + POPULARITY_WEIGHT * share(popularity, most_popular);
        if score > 0.0 {
            let (together, commits) = (decayed, count as usize);
            ranked.push(Related { path: other, score, together, commits, path_similarity, popularity });
        }
    }
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.path.cmp(&b.path)));
    Ok(ranked)
}

/// Returns the newest commits that two files share, under any of their names.
pub fn shared_commits(cache: &Connection, view: i64, a: &str, b: &str, count: usize) -> Result<Vec<CommitRef>> {
    let lineage = Lineage::new(cache, view);
    let names = lineage.of(b)?;
    let mut touches = cache.prepare_cached("SELECT 1 FROM touched WHERE path = :path AND commit_seq = :commit")?;
    let mut shared = Vec::new();
    for commit in commits_touching(cache, &lineage, a)?.into_iter().rev() {
        for name in &names {
            if touches.exists(named_params! {":path": name, ":commit": commit.seq})? {
                shared.extend(commit_ref(cache, commit.seq)?);
                break;
            }
        }
        if shared.len() == count {
            break;
        }
    }
    Ok(shared)
}

/// Returns the similarity of two paths: the number of shared leading folders divided by the depth of the deeper path,
/// plus 0.5 for the same file stem.
pub fn path_similarity(a: &str, b: &str) -> f64 {
    let split = |path: &str| -> (Vec<String>, String) {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folders = folders.split('/').filter(|part| !part.is_empty()).map(str::to_string).collect();
        (folders, name.split('.').next().unwrap_or(name).to_string())
    };
    let ((folders_a, stem_a), (folders_b, stem_b)) = (split(a), split(b));
    let shared = folders_a.iter().zip(&folders_b).take_while(|(a, b)| a == b).count();
    let depth = folders_a.len().max(folders_b.len());
    let folders = if depth == 0 { 0.0 } else { shared as f64 / depth as f64 };
    folders + if !stem_a.is_empty() && stem_a == stem_b { 0.5 } else { 0.0 }
}

/// Returns the reachable commits of 2 to [`LARGEST_COMMIT`] files that touched a file under any of its names, oldest
/// first.
fn commits_touching(cache: &Connection, lineage: &Lineage<'_>, path: &str) -> Result<Vec<CoChangeCommit>> {
    let mut statement = cache.prepare_cached(
        "SELECT commit_row.seq, time, files, sha FROM touched JOIN reachable ON reachable.seq = touched.commit_seq
         JOIN commit_row ON commit_row.seq = touched.commit_seq WHERE touched.path = :path AND files BETWEEN 2 AND :largest",
    )?;
    let mut commits: BTreeMap<(i64, Vec<u8>), CoChangeCommit> = BTreeMap::new();
    for name in lineage.of(path)? {
        let mut rows = statement.query(named_params! {":path": name, ":largest": LARGEST_COMMIT})?;
        while let Some(row) = rows.next()? {
            let commit = CoChangeCommit { seq: row.get(0)?, time: row.get(1)?, files: row.get::<_, i64>(2)? as usize };
            commits.insert((commit.time, row.get(3)?), commit);
        }
    }
    Ok(commits.into_values().collect())
}

/// Returns the decayed number of recent commits of each live file, by the row of its path.
fn popularity(cache: &Connection, lineage: &Lineage<'_>, as_of: i64) -> Result<HashMap<i64, f64>> {
    let since = as_of.saturating_sub((POPULARITY_WINDOW * POPULARITY_HALF_LIFE * 86_400.0) as i64);
    let mut statement = cache.prepare_cached(
        "SELECT touched.path, time, commit_row.seq FROM commit_row JOIN reachable ON reachable.seq = commit_row.seq
         CROSS JOIN touched ON touched.commit_seq = commit_row.seq
         WHERE time > :since AND files BETWEEN 1 AND :largest ORDER BY time, sha, touched.path",
    )?;
    let mut rows = statement.query(named_params! {":since": since, ":largest": LARGEST_COMMIT})?;
    let mut sums: HashMap<i64, f64> = HashMap::new();
    // A commit that renames a file touches it under two names, but counts once.
    let (mut commit, mut counted) = (None, HashSet::new());
    while let Some(row) = rows.next()? {
        let weight = decay(as_of, row.get(1)?, POPULARITY_HALF_LIFE);
        let seq: Seq = row.get(2)?;
        if commit != Some(seq) {
            commit = Some(seq);
            counted.clear();
        }
        for heir in lineage.heirs(row.get(0)?)? {
            if counted.insert(heir) {
                *sums.entry(heir).or_default() += weight;
            }
        }
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_near_by_folder_and_stem() {
        let check = |a: &str, b: &str, expect: f64| assert_eq!(path_similarity(a, b), expect, "{a} {b}");
        check("a.rs", "b.rs", 0.0);
        check("src/a.rs", "src/b.rs", 1.0);
        check("src/a.rs", "src/a.c", 1.5);
        check("src/x/a.rs", "src/y/b.rs", 0.5);
        check("src/x/a.rs", "tests/a.rs", 0.5);
    }
}
