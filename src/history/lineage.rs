//! The lineage of a file: its paths over exact renames, followed through reachable commits.
//!
//! Invariant: only a rename with unchanged content counts, never similarity.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};

use anyhow::Result;
use rusqlite::{CachedStatement, Connection, OptionalExtension, named_params};

/// Follows renames within one view. A former path counts only while no live file has it.
pub struct Lineage<'c> {
    cache: &'c Connection,
    view: i64,
    /// Every live path; read when many have been looked up.
    live: OnceCell<HashSet<i64>>,
    lookups: Cell<usize>,
    /// The results of [`Lineage::heirs`] so far.
    forward: RefCell<HashMap<i64, Vec<i64>>>,
}

/// After this many lookups it is cheaper to read all live paths at once.
const MAX_SINGLE_LOOKUPS: usize = 64;

/// Selects the paths that a path was renamed from.
const FORMER: &str =
    "SELECT from_path FROM rename JOIN reachable ON reachable.seq = rename.commit_seq WHERE to_path = :path";
/// Selects the paths that a path was renamed to.
const LATER: &str =
    "SELECT to_path FROM rename JOIN reachable ON reachable.seq = rename.commit_seq WHERE from_path = :path";

impl<'c> Lineage<'c> {
    /// Creates a lineage lookup for the files that are live in a view.
    pub fn new(cache: &'c Connection, view: i64) -> Self {
        Lineage { cache, view, live: OnceCell::new(), lookups: Cell::new(0), forward: RefCell::default() }
    }

    /// Returns whether the path in a row is live.
    pub fn is_live(&self, path: i64) -> Result<bool> {
        if let Some(live) = self.live.get() {
            return Ok(live.contains(&path));
        }
        self.lookups.set(self.lookups.get() + 1);
        if self.lookups.get() <= MAX_SINGLE_LOOKUPS {
            let mut statement =
                self.cache.prepare_cached("SELECT 1 FROM view_file WHERE view = :view AND path = :path")?;
            return Ok(statement.exists(named_params! {":view": self.view, ":path": path})?);
        }
        let mut statement = self.cache.prepare_cached("SELECT path FROM view_file WHERE view = :view")?;
        let all = statement.query_map(named_params! {":view": self.view}, |row| row.get(0))?;
        let live: HashSet<i64> = all.collect::<rusqlite::Result<_>>()?;
        Ok(self.live.get_or_init(|| live).contains(&path))
    }

    /// Returns the row of an encoded path.
    pub fn row(&self, path: &str) -> Result<Option<i64>> {
        let mut statement = self.cache.prepare_cached("SELECT id FROM path WHERE path = :path")?;
        Ok(statement.query_row(named_params! {":path": path}, |row| row.get(0)).optional()?)
    }

    /// Returns the path of a row.
    pub fn name(&self, row: i64) -> Result<Option<String>> {
        let mut statement = self.cache.prepare_cached("SELECT path FROM path WHERE id = :id")?;
        Ok(statement.query_row(named_params! {":id": row}, |row| row.get(0)).optional()?)
    }

    /// Returns the rows of a file's current path and its former paths.
    pub fn of(&self, path: &str) -> Result<BTreeSet<i64>> {
        let mut names = BTreeSet::new();
        let mut queue: Vec<i64> = self.row(path)?.into_iter().collect();
        let mut former = self.cache.prepare_cached(FORMER)?;
        while let Some(name) = queue.pop() {
            if names.insert(name) {
                for from in ids(&mut former, name)? {
                    if !self.is_live(from)? {
                        queue.push(from);
                    }
                }
            }
        }
        Ok(names)
    }

    /// Returns the rows of the live files that had a path: itself if it is live, otherwise those it was renamed to.
    pub fn heirs(&self, path: i64) -> Result<Vec<i64>> {
        if self.is_live(path)? {
            return Ok(vec![path]);
        }
        if let Some(known) = self.forward.borrow().get(&path) {
            return Ok(known.clone());
        }
        let mut later = self.cache.prepare_cached(LATER)?;
        let (mut heirs, mut seen, mut queue) = (BTreeSet::new(), HashSet::new(), vec![path]);
        while let Some(name) = queue.pop() {
            if !seen.insert(name) {
                continue;
            }
            if self.is_live(name)? {
                heirs.insert(name);
            } else {
                queue.extend(ids(&mut later, name)?);
            }
        }
        let heirs: Vec<i64> = heirs.into_iter().collect();
        self.forward.borrow_mut().insert(path, heirs.clone());
        Ok(heirs)
    }
}

/// Runs a query for path rows.
fn ids(statement: &mut CachedStatement<'_>, path: i64) -> Result<Vec<i64>> {
    Ok(statement.query_map(named_params! {":path": path}, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}
