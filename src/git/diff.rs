//! Raw differences between two trees, without renames: what `git diff-tree -r --raw` prints. Refuses to
//! guess; renames are paired elsewhere, by object id.

use anyhow::{Result, anyhow};
use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};
use gix::diff::tree::recorder::Change;
use gix::diff::tree::{Recorder, State};
use gix::objs::tree::{EntryKind, EntryMode};
use gix::objs::{FindExt, TreeRefIter};

use super::Repository;
use crate::event::Status;

/// A path's object on one side of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side {
    /// Blob, or a submodule's commit.
    pub id: ObjectId,
    /// True for a regular or executable file: what has content of its own.
    pub is_file: bool,
}

/// One changed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawChange {
    /// Bytes as git has them.
    pub path: BString,
    /// What happened.
    pub status: Status,
    /// Before; none where it was added.
    pub old: Option<Side>,
    /// After; none where it was deleted.
    pub new: Option<Side>,
}

impl Repository {
    /// The differences that lead from one tree to another, by path; no tree is the empty tree.
    pub fn diff_trees(&self, old: Option<ObjectId>, new: Option<ObjectId>) -> Result<Vec<RawChange>> {
        if old == new {
            return Ok(Vec::new());
        }
        let (mut old_bytes, mut new_bytes) = (Vec::new(), Vec::new());
        let old = self.tree_iter(old, &mut old_bytes)?;
        let new = self.tree_iter(new, &mut new_bytes)?;
        let mut recorder = Recorder::default();
        gix::diff::tree(old, new, State::default(), &self.gix.objects, &mut recorder)
            .map_err(|error| anyhow!("comparing trees: {error}"))?;
        let mut changes: Vec<RawChange> = recorder.records.into_iter().filter_map(raw_change).collect();
        changes.sort_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()));
        Ok(changes)
    }

    fn tree_iter<'a>(&self, id: Option<ObjectId>, bytes: &'a mut Vec<u8>) -> Result<TreeRefIter<'a>> {
        match id {
            Some(id) if !id.is_empty_tree() => {
                self.gix.objects.find_tree_iter(&id, bytes).map_err(|error| anyhow!("reading tree {id}: {error}"))
            }
            _ => Ok(TreeRefIter::from_bytes(&[], self.gix.object_hash())),
        }
    }
}

fn raw_change(change: Change) -> Option<RawChange> {
    let side = |mode: EntryMode, id: ObjectId| Side { id, is_file: is_file(mode) };
    let (path, status, old, new) = match change {
        Change::Addition { entry_mode, oid, path, .. } if !entry_mode.is_tree() => {
            (path, Status::A, None, Some(side(entry_mode, oid)))
        }
        Change::Deletion { entry_mode, oid, path, .. } if !entry_mode.is_tree() => {
            (path, Status::D, Some(side(entry_mode, oid)), None)
        }
        Change::Modification { previous_entry_mode, previous_oid, entry_mode, oid, path } if !entry_mode.is_tree() => {
            let (old, new) = (side(previous_entry_mode, previous_oid), side(entry_mode, oid));
            let status = if family(previous_entry_mode) == family(entry_mode) { Status::M } else { Status::T };
            (path, status, Some(old), Some(new))
        }
        _ => return None,
    };
    Some(RawChange { path, status, old, new })
}

pub(super) fn is_file(mode: EntryMode) -> bool {
    matches!(mode.kind(), EntryKind::Blob | EntryKind::BlobExecutable)
}

/// Modes between which git sees a modification, and across which a change of type.
fn family(mode: EntryMode) -> u8 {
    match mode.kind() {
        EntryKind::Blob | EntryKind::BlobExecutable => 0,
        EntryKind::Link => 1,
        EntryKind::Commit => 2,
        EntryKind::Tree => 3,
    }
}
