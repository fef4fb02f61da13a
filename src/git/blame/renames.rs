//! Renames: the deleted file that a new file came from.

use std::rc::Rc;

use anyhow::Result;
use gix::ObjectId;

use super::{BlameWalk, MAX_READ};
use crate::event::Status;

/// The least share of common content at which a new file counts as renamed from a deleted one; git's default.
const RENAME_SIMILARITY: f64 = 0.5;
/// How many deleted files are examined as possible sources of one added file.
const MAX_RENAME_SOURCES: usize = 100;

impl BlameWalk<'_> {
    /// Finds the deleted file that a new file was renamed from: one with the same content or most of it.
    ///
    /// Of several equally similar files, one with the same base name is preferred.
    pub(super) fn rename_source(
        &mut self,
        parent: ObjectId,
        commit: ObjectId,
        path: &[u8],
        blob: ObjectId,
    ) -> Result<Option<(Rc<[u8]>, ObjectId)>> {
        let trees = (self.repository.tree_of(parent), self.repository.tree_of(commit));
        let (Some(before), Some(after)) = trees else { return Ok(None) };
        let base = |path: &[u8]| path.rsplit(|byte| *byte == b'/').next().map(<[u8]>::to_vec);
        let changes = self.repository.diff_trees(Some(before), Some(after))?;
        let left = changes.into_iter().filter(|change| change.status == Status::D);
        let mut left: Vec<(Vec<u8>, ObjectId)> =
            left.filter_map(|change| Some((change.path.into(), change.old.filter(|side| side.is_file)?.id))).collect();
        left.sort_by_key(|(name, id)| (*id != blob, base(name) != base(path), name.clone()));
        left.truncate(MAX_RENAME_SOURCES);
        if let Some((name, id)) = left.first().filter(|(_, id)| *id == blob) {
            return Ok(Some((name.as_slice().into(), *id)));
        }
        let (Some(text), Some(size)) = (self.text(blob)?, self.repository.blob_size(blob)) else { return Ok(None) };
        let mut best: Option<(f64, Vec<u8>, ObjectId)> = None;
        for (name, id) in left {
            // A missing blob may be the source, unless its size, if known, rules that out.
            let other = self.repository.blob_size(id);
            if other.is_some_and(|other| (other.min(size) as f64) < RENAME_SIMILARITY * other.max(size) as f64) {
                continue;
            }
            if self.read > MAX_READ {
                self.blame.is_cut = true;
                break;
            }
            let Some(other) = self.text(id)? else {
                self.blame.is_cut = true;
                continue;
            };
            let shared = self.lines.similarity(&other, &text);
            if shared >= RENAME_SIMILARITY && best.as_ref().is_none_or(|(most, ..)| shared > *most) {
                best = Some((shared, name, id));
            }
        }
        Ok(best.map(|(_, name, id)| (name.into(), id)))
    }
}
