//! One file under its many names: exact renames, followed over reachable commits. Refuses similarity; two
//! files of equal content are one, and nothing less.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};

use anyhow::Result;
use rusqlite::{CachedStatement, Connection, OptionalExtension, named_params};

/// Follows names within one view. A former name counts only while no live file bears it.
pub struct Lineage<'c> {
    cache: &'c Connection,
    view: i64,
    /// Every live path, read once many are asked for.
    live: OnceCell<HashSet<i64>>,
    asked: Cell<usize>,
    forward: RefCell<HashMap<i64, Vec<i64>>>,
}

/// From here on it is cheaper to read which paths are live than to ask for each.
const ONE_BY_ONE: usize = 64;

const FORMER: &str =
    "SELECT from_path FROM rename JOIN reachable ON reachable.seq = rename.commit_seq WHERE to_path = :path";
const LATER: &str =
    "SELECT to_path FROM rename JOIN reachable ON reachable.seq = rename.commit_seq WHERE from_path = :path";

impl<'c> Lineage<'c> {
    /// Of the files that are live in a view.
    pub fn new(cache: &'c Connection, view: i64) -> Self {
        Lineage { cache, view, live: OnceCell::new(), asked: Cell::new(0), forward: RefCell::default() }
    }

    /// Whether a path is live, by its row.
    pub fn is_live(&self, path: i64) -> Result<bool> {
        if let Some(live) = self.live.get() {
            return Ok(live.contains(&path));
        }
        self.asked.set(self.asked.get() + 1);
        if self.asked.get() <= ONE_BY_ONE {
            let mut statement =
                self.cache.prepare_cached("SELECT 1 FROM view_file WHERE view = :view AND path = :path")?;
            return Ok(statement.exists(named_params! {":view": self.view, ":path": path})?);
        }
        let mut statement = self.cache.prepare_cached("SELECT path FROM view_file WHERE view = :view")?;
        let all = statement.query_map(named_params! {":view": self.view}, |row| row.get(0))?;
        let live: HashSet<i64> = all.collect::<rusqlite::Result<_>>()?;
        Ok(self.live.get_or_init(|| live).contains(&path))
    }

    /// The row of a path.
    pub fn row(&self, path: &str) -> Result<Option<i64>> {
        let mut statement = self.cache.prepare_cached("SELECT id FROM path WHERE path = :path")?;
        Ok(statement.query_row(named_params! {":path": path}, |row| row.get(0)).optional()?)
    }

    /// A file's names, by row: the one it bears, and those it bore.
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

    /// The live files whose lineage holds a path: itself where it is live, else those it was renamed to.
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

fn ids(statement: &mut CachedStatement<'_>, path: i64) -> Result<Vec<i64>> {
    Ok(statement.query_map(named_params! {":path": path}, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}
