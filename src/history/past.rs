//! The reachable commits and their parents, all at hand: what a walk back through history asks again and again. Refuses
//! to read git.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension as _, named_params};

use super::LARGEST_COMMIT;
use crate::event::Seq;
use crate::git::ObjectId;

/// One commit.
#[derive(Debug, Clone)]
pub struct Made {
    /// Position of its event.
    pub seq: Seq,
    /// Committer time, Unix seconds.
    pub time: i64,
    /// Paths it touched; none for a merge.
    pub files: i64,
    /// Whether it says that it only gave code another form.
    pub is_format: bool,
    /// Whether its first line says that something was taken back, or put in again.
    pub says_back: bool,
    /// Its parents, in order.
    pub parents: Vec<ObjectId>,
}

/// Every reachable commit.
pub struct Past<'c> {
    cache: &'c Connection,
    commits: HashMap<ObjectId, Made>,
    /// By encoded path: the commits that touched it under this name.
    touched: HashMap<String, Rc<HashSet<Seq>>>,
}

/// Every reachable commit, and whether its first line tells of a formatter, and of what was taken back.
const COMMITS: &str = "
SELECT seq, sha, time, files,
  ' ' || subject LIKE '% fmt%' OR subject LIKE '%rustfmt%' OR subject LIKE '%gofmt%' OR subject LIKE '%reformat%' OR subject LIKE '%clang-format%'
    OR subject LIKE '%fix formatting%' OR subject LIKE '%run the formatter%' OR subject LIKE 'style:%',
  subject LIKE '%revert%' OR subject LIKE 'reapply%'
FROM reachable CROSS JOIN commit_row USING (seq)";

impl Made {
    /// Whether it says nothing of the lines it changed: it is too large, or a formatter's.
    pub fn says_little(&self) -> bool {
        self.files > LARGEST_COMMIT || self.is_format
    }
}

impl<'c> Past<'c> {
    /// Reads them.
    pub fn load(cache: &'c Connection) -> Result<Self> {
        let mut commits = HashMap::new();
        let mut by_seq = HashMap::new();
        let mut statement = cache.prepare_cached(COMMITS)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let Ok(id) = ObjectId::try_from(row.get_ref(1)?.as_blob()?) else { continue };
            let (seq, time, files) = (row.get(0)?, row.get(2)?, row.get(3)?);
            let made = Made { seq, time, files, is_format: row.get(4)?, says_back: row.get(5)?, parents: Vec::new() };
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
        Ok(Past { cache, commits, touched: HashMap::new() })
    }

    /// A commit; none where no HEAD reaches it.
    pub fn get(&self, id: &ObjectId) -> Option<&Made> {
        self.commits.get(id)
    }

    /// The commits whose ids begin so, in small letters.
    pub fn beginning(&self, id: &str) -> Vec<ObjectId> {
        if let Ok(whole) = ObjectId::from_hex(id.as_bytes()) {
            return self.commits.contains_key(&whole).then_some(whole).into_iter().collect();
        }
        let mut found: Vec<ObjectId> =
            self.commits.keys().filter(|one| one.to_string().starts_with(id)).copied().collect();
        found.sort();
        found
    }

    /// Every commit.
    pub fn all(&self) -> impl Iterator<Item = (&ObjectId, &Made)> {
        self.commits.iter()
    }

    /// The commits that touched a file under one name, an encoded path, by position.
    pub fn touching(&mut self, path: &str) -> Result<Rc<HashSet<Seq>>> {
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
