//! Detects what has moved in a repository since it was indexed, from HEADs alone, without reading files.

use std::collections::BTreeMap;

use anyhow::Result;
use rusqlite::Connection;

use super::{boundary, views};
use crate::git::{ObjectId, Repository};

/// The views that are behind their worktrees. Empty if nothing has moved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// By name, the indexed commit of each worktree whose HEAD has moved, or that was added or removed.
    pub worktrees: BTreeMap<String, Option<ObjectId>>,
    /// Whether the boundary of a shallow clone has moved.
    pub boundary: bool,
}

impl Moved {
    /// Returns whether the index is up to date.
    pub fn is_nothing(&self) -> bool {
        self.worktrees.is_empty() && !self.boundary
    }

    /// Returns whether a worktree's view is up to date, and everything that had moved at an earlier check has been
    /// indexed or has moved on.
    ///
    /// A worktree that keeps moving must not keep others waiting.
    pub fn is_past(&self, earlier: &Moved, worktree: &str) -> bool {
        let is_past = |(name, stands): (&String, &Option<ObjectId>)| earlier.worktrees.get(name) != Some(stands);
        !self.worktrees.contains_key(worktree)
            && self.worktrees.iter().all(is_past)
            && !(self.boundary && earlier.boundary)
    }
}

/// Compares every worktree's HEAD, and the shallow boundary, with what was indexed.
pub fn moved(cache: &Connection, repository: &Repository) -> Result<Moved> {
    let mut heads: BTreeMap<String, Option<ObjectId>> = BTreeMap::new();
    for worktree in repository.worktrees()? {
        heads.insert(worktree.name, worktree.head.map(|head| head.commit));
    }
    let mut moved = Moved { boundary: boundary(cache)? != repository.shallow_boundary()?, ..Moved::default() };
    for view in views(cache)? {
        let stands = view.head.map(|head| head.commit);
        if heads.remove(&view.worktree) != Some(stands) {
            moved.worktrees.insert(view.worktree, stands);
        }
    }
    moved.worktrees.extend(heads.into_keys().map(|name| (name, None)));
    Ok(moved)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::sha1;

    #[test]
    fn whoever_waits_does_so_for_its_own_head_and_for_what_had_moved_before() {
        let commit = |byte: u8| ObjectId::try_from([byte; 20].as_slice()).expect("an id");
        let moved = |worktrees: &[(&str, Option<ObjectId>)], boundary| Moved {
            worktrees: worktrees.iter().map(|(name, stands)| (name.to_string(), *stands)).collect(),
            boundary,
        };
        let (one, two) = (Some(commit(1)), Some(commit(2)));
        assert_eq!(commit(1).kind(), sha1());
        let check = |now: &Moved, earlier: &Moved, expect: bool| {
            assert_eq!(now.is_past(earlier, "own"), expect, "{now:?} since {earlier:?}");
        };
        check(&Moved::default(), &Moved::default(), true);
        check(&moved(&[("own", one)], false), &Moved::default(), false);
        check(&moved(&[("own", two)], false), &moved(&[("own", one)], false), false);
        check(&moved(&[("other", one)], false), &moved(&[("other", one)], false), false);
        check(&moved(&[("other", two)], false), &moved(&[("other", one)], false), true);
        check(&moved(&[("other", one)], false), &Moved::default(), true);
        check(&moved(&[], true), &moved(&[], true), false);
        check(&moved(&[], true), &moved(&[], false), true);
    }
}
