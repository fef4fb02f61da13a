//! Commits as dimensions read them: the live files that each touched, under their current paths, and its authors.

use anyhow::Result;
use rusqlite::{Connection, named_params};

use super::{LARGEST_COMMIT, Lineage, People};
use crate::event::{Seq, hex};

/// A reachable commit, with the live files that it touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitFact {
    /// The position of its event.
    pub seq: Seq,
    /// The item key, `commit:9f2c...`.
    pub key: String,
    /// The committer time, in Unix seconds.
    pub time: i64,
    /// The current encoded paths of the files it touched that are live in the view.
    pub files: Vec<String>,
    /// The number of paths it touched.
    pub touched: usize,
    /// Its author, then its co-authors, one name per person, without bots and agents.
    pub authors: Vec<String>,
}

/// Which commits to read.
#[derive(Debug, Clone, Copy)]
pub enum CommitSelection<'a> {
    /// Every reachable commit.
    All,
    /// Those that touched a file, given by its encoded path, under any of its names.
    Touching(&'a str),
    /// The one with this event position.
    One(Seq),
}

/// Reads the selected commits, oldest first.
pub fn commit_facts(
    cache: &Connection,
    view: i64,
    people: &People,
    which: CommitSelection<'_>,
) -> Result<Vec<CommitFact>> {
    let lineage = Lineage::new(cache, view);
    let mut names = cache.prepare_cached("SELECT path FROM path WHERE id = :id")?;
    let mut paths_of = cache.prepare_cached("SELECT path FROM touched WHERE commit_seq = :commit ORDER BY path")?;
    let mut facts = Vec::new();
    for (seq, sha, time, touched, author) in rows(cache, &lineage, which)? {
        let touched_paths = paths_of.query_map(named_params! {":commit": seq}, |row| row.get(0))?;
        let mut heirs = Vec::new();
        for path in touched_paths.collect::<rusqlite::Result<Vec<i64>>>()? {
            heirs.extend(lineage.heirs(path)?);
        }
        heirs.sort_unstable();
        heirs.dedup();
        let mut files = Vec::with_capacity(heirs.len());
        for heir in heirs {
            files.push(names.query_row(named_params! {":id": heir}, |row| row.get(0))?);
        }
        facts.push(CommitFact {
            seq,
            key: format!("commit:{}", hex(&sha)),
            time,
            files,
            touched,
            authors: people.humans_of(seq, author).map(str::to_string).collect(),
        });
    }
    Ok(facts)
}

/// Event position, object id, committer time, number of paths and author row of a commit.
type CommitColumns = (Seq, Vec<u8>, i64, usize, i64);

/// Reads the columns of the selected commits, oldest first.
fn rows(cache: &Connection, lineage: &Lineage<'_>, which: CommitSelection<'_>) -> Result<Vec<CommitColumns>> {
    const COLUMNS: &str = "SELECT commit_row.seq, sha, time, files, author FROM commit_row JOIN reachable USING (seq)";
    let read = |sql: String, wanted: Option<i64>| -> Result<Vec<CommitColumns>> {
        let mut statement = cache.prepare_cached(&sql)?;
        let rows = statement.query_map(named_params! {":wanted": wanted}, |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, i64>(3)? as usize, row.get(4)?))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    };
    let mut all = match which {
        CommitSelection::All => read(format!("{COLUMNS} WHERE :wanted IS NULL"), None)?,
        CommitSelection::One(seq) => read(format!("{COLUMNS} WHERE commit_row.seq = :wanted"), Some(seq))?,
        CommitSelection::Touching(path) => {
            let mut all = Vec::new();
            for name in lineage.of(path)? {
                let sql =
                    format!("{COLUMNS} WHERE commit_row.seq IN (SELECT commit_seq FROM touched WHERE path = :wanted)");
                all.extend(read(sql, Some(name))?);
            }
            all
        }
    };
    all.sort_by(|a, b| (a.2, &a.1).cmp(&(b.2, &b.1)));
    all.dedup();
    Ok(all)
}

/// Returns the number of reachable commits that are not merges and touch between 1 and [`LARGEST_COMMIT`] paths.
pub fn informative_commit_count(cache: &Connection) -> Result<usize> {
    let sql = "SELECT count(*) FROM reachable JOIN commit_row USING (seq) WHERE NOT is_merge AND files BETWEEN 1 AND :largest";
    let count: i64 = cache.query_row(sql, named_params! {":largest": LARGEST_COMMIT}, |row| row.get(0))?;
    Ok(usize::try_from(count)?)
}
