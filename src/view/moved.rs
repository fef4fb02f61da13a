//! What has moved in a repository since it was indexed. Refuses to look at files: a HEAD elsewhere is all it needs.

use std::collections::BTreeMap;

use anyhow::Result;
use rusqlite::Connection;

use super::{boundary, views};
use crate::git::{ObjectId, Repository};

/// Where the views stand that do not stand where their worktrees do. Empty where nothing has moved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// By the name of each worktree whose HEAD stands elsewhere, or that came or went.
    pub worktrees: BTreeMap<String, Option<ObjectId>>,
    /// Whether a shallow clone is cut off elsewhere.
    pub boundary: bool,
}

impl Moved {
    /// Whether there is nothing to catch up with.
    pub fn is_nothing(&self) -> bool {
        self.worktrees.is_empty() && !self.boundary
    }

    /// Whether a worktree's view stands where its HEAD does, and nothing else is where it was at an earlier look. What
    /// moves on and on elsewhere must not keep anybody waiting.
    pub fn is_past(&self, earlier: &Moved, worktree: &str) -> bool {
        let is_past = |(name, stands): (&String, &Option<ObjectId>)| earlier.worktrees.get(name) != Some(stands);
        !self.worktrees.contains_key(worktree)
            && self.worktrees.iter().all(is_past)
            && !(self.boundary && earlier.boundary)
    }
}

/// Compares every worktree's HEAD with its view, and where history is cut off with where it was.
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
