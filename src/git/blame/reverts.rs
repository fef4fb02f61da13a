//! Lines that a revert restored: they belong to the commit that wrote them before the reverted commit.

use anyhow::Result;
use gix::ObjectId;
use gix_imara_diff::Token;

use super::spans::{LineSpan, split_at_changes};
use super::{BlameCommit, BlameWalk, CommitFile, CommitLookup};

impl BlameWalk<'_> {
    /// Passes on the lines that a revert restored, to where they were before the reverted commit, and returns the
    /// others.
    pub(super) fn follow_revert(
        &mut self,
        place: &CommitFile,
        blob: ObjectId,
        text: &[Token],
        spans: Vec<LineSpan>,
        own: &BlameCommit,
        link: &mut CommitLookup<'_>,
    ) -> Result<Vec<LineSpan>> {
        let (commit, path) = place;
        // Once per file: a message may name a later commit, and following that again would never end.
        let Some(back) = own.reverts.filter(|_| self.followed_reverts.insert(place.clone())) else { return Ok(spans) };
        let (name, old) = match self.repository.file_at(back.before, path)? {
            Some(old) => (path.clone(), old),
            None => match self.rename_source(back.before, *commit, path, blob)? {
                Some(found) => found,
                None => return Ok(spans),
            },
        };
        if self.repository.file_at(back.commit, &name)? == Some(old) {
            return Ok(spans);
        }
        let changes = match old == blob {
            true => Vec::new(),
            false => match self.text(old)? {
                Some(before) => self.lines.changes(&before, text),
                None => return Ok(spans),
            },
        };
        let (mut passed, kept) = split_at_changes(&spans, &changes);
        for span in &mut passed {
            span.since.restored.get_or_insert(*commit);
        }
        let time = link(&back.before, &name)?.map_or(0, |link| link.time);
        self.enqueue((back.before, name), time, old, passed);
        Ok(kept)
    }
}
