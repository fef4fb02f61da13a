//! The reachable commits and their parents in memory, for walks back through history, such as blame.
//!
//! Invariant: only the cache is read, never git.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension as _, named_params};

use super::LARGEST_COMMIT;
use crate::event::Seq;
use crate::git::ObjectId;

/// One commit of a [`ReachableCommits`].
#[derive(Debug, Clone)]
pub struct CommitNode {
    /// The position of its event.
    pub seq: Seq,
    /// The committer time, in Unix seconds.
    pub time: i64,
    /// The number of paths it touched; 0 for a merge.
    pub files: i64,
    /// Whether its subject says that it only reformatted code.
    pub is_format: bool,
    /// Whether its subject mentions a revert or a reapply.
    pub mentions_revert: bool,
    /// Its parents, in order.
    pub parents: Vec<ObjectId>,
}

/// Every reachable commit, by object id.
pub struct ReachableCommits<'c> {
    cache: &'c Connection,
    commits: HashMap<ObjectId, CommitNode>,
    /// The commits that touched an encoded path under exactly this name; filled on demand.
    touched: HashMap<String, Rc<HashSet<Seq>>>,
}

/// Selects every reachable commit, whether its subject names a formatter, and whether it mentions a revert.
const COMMITS: &str = "
SELECT seq, sha, time, files,
  ' ' || subject LIKE '% fmt%' OR subject LIKE '%rustfmt%' OR subject LIKE '%gofmt%' OR subject LIKE '%reformat%' OR subject LIKE '%clang-format%'
    OR subject LIKE '%fix formatting%' OR subject LIKE '%run the formatter%' OR subject LIKE 'style:%',
  subject LIKE '%revert%' OR subject LIKE 'reapply%'
FROM reachable CROSS JOIN commit_row USING (seq)";

impl CommitNode {
    /// Returns whether it is weak evidence about the lines it changed, because it is too large or only reformats.
    pub fn is_uninformative(&self) -> bool {
        self.files > LARGEST_COMMIT || self.is_format
    }
}

impl<'c> ReachableCommits<'c> {
    /// Reads all reachable commits from the cache.
    pub fn load(cache: &'c Connection) -> Result<Self> {
        let mut commits = HashMap::new();
        let mut by_seq = HashMap::new();
        let mut statement = cache.prepare_cached(COMMITS)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let Ok(id) = ObjectId::try_from(row.get_ref(1)?.as_blob()?) else { continue };
            let (seq, time, files) = (row.get(0)?, row.get(2)?, row.get(3)?);
            let made = CommitNode {
                seq,
                time,
                files,
                is_format: row.get(4)?,
                mentions_revert: row.get(5)?,
                parents: Vec::new(),
            };
            by_seq.insert(made.seq, id);
            commits.insert(id, made);
        }
        let mut statement = cache.prepare_cached("SELECT child, sha FROM parent ORDER BY child, ordinal")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let child = by_seq.get(&row.get(0)?).and_then(|id| commits.get_mut(id));
            let parent = ObjectId::try_from(row.get_ref(1)?.as_blob()?).ok();
            if let Some((child, parent)) = child.zip(parent) {
                child.parents.push(parent);
            }
        }
        Ok(ReachableCommits { cache, commits, touched: HashMap::new() })
    }

    /// Returns a commit; `None` if no HEAD reaches it.
    pub fn get(&self, id: &ObjectId) -> Option<&CommitNode> {
        self.commits.get(id)
    }

    /// Returns the commits whose ids begin with `id`, in lower-case hexadecimal.
    pub fn with_prefix(&self, id: &str) -> Vec<ObjectId> {
        if let Ok(whole) = ObjectId::from_hex(id.as_bytes()) {
            return self.commits.contains_key(&whole).then_some(whole).into_iter().collect();
        }
        let mut found: Vec<ObjectId> =
            self.commits.keys().filter(|one| one.to_string().starts_with(id)).copied().collect();
        found.sort();
        found
    }

    /// Returns every commit.
    pub fn all(&self) -> impl Iterator<Item = (&ObjectId, &CommitNode)> {
        self.commits.iter()
    }

    /// Returns the commits that touched an encoded path under exactly this name, as event positions.
    pub fn commits_touching(&mut self, path: &str) -> Result<Rc<HashSet<Seq>>> {
        if let Some(known) = self.touched.get(path) {
            return Ok(known.clone());
        }
        let mut row = self.cache.prepare_cached("SELECT id FROM path WHERE path = :path")?;
        let row: Option<i64> = row.query_row(named_params! {":path": path}, |row| row.get(0)).optional()?;
        let mut statement = self.cache.prepare_cached("SELECT commit_seq FROM touched WHERE path = :path")?;
        let seqs = statement.query_map(named_params! {":path": row}, |row| row.get(0))?;
        let seqs: Rc<HashSet<Seq>> = Rc::new(seqs.collect::<rusqlite::Result<_>>()?);
        self.touched.insert(path.to_string(), seqs.clone());
        Ok(seqs)
    }
}
