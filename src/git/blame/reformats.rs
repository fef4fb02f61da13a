//! Lines that a formatting commit only reformatted: they belong to the commit that wrote the earlier form.

use std::collections::HashMap;
use std::ops::Range;

use anyhow::Result;
use gix::ObjectId;
use gix_imara_diff::Token;

use super::spans::{LineSpan, push_line};
use super::{BlameWalk, CommitLookup, PreviousText};

/// Comparing a line with possible earlier forms costs this many times as much as reading it.
const REFORMAT_COST: u64 = 32;

impl BlameWalk<'_> {
    /// Passes on the lines that a commit only reformatted, and returns the others.
    pub(super) fn follow_reformat(
        &mut self,
        commit: ObjectId,
        text: &[Token],
        spans: Vec<LineSpan>,
        before: &PreviousText,
        link: &mut CommitLookup<'_>,
    ) -> Result<Vec<LineSpan>> {
        let Some(blob) = before.blob else { return Ok(spans) };
        let (mut passed, mut kept) = (Vec::new(), Vec::new());
        // A change may already be split line by line by an earlier reformat, so its matches are computed once.
        let mut known: HashMap<usize, Vec<Option<u32>>> = HashMap::new();
        for span in spans {
            for line in (0..span.len).map(|offset| span.line(offset)) {
                // Lines that were not passed on are inside a change.
                let place = before.changes.partition_point(|change| change.after.end <= line.here);
                let Some(change) = before.changes.get(place).filter(|change| change.after.contains(&line.here)) else {
                    push_line(&mut kept, line);
                    continue;
                };
                let forms = known.entry(place).or_insert_with(|| {
                    let range = |range: &Range<u32>| range.start as usize..range.end as usize;
                    let (old, new) = (&before.text[range(&change.before)], &text[range(&change.after)]);
                    self.read += REFORMAT_COST * (self.lines.size(old) + self.lines.size(new)) as u64;
                    self.lines.earlier_forms(old, new)
                });
                match forms[(line.here - change.after.start) as usize] {
                    Some(old) => {
                        let mut since = line.since;
                        since.reformed.get_or_insert(commit);
                        passed.push(LineSpan { here: change.before.start + old, since, ..line });
                    }
                    None => push_line(&mut kept, line),
                }
            }
        }
        let time = link(&before.commit, &before.path)?.map_or(0, |link| link.time);
        self.enqueue((before.commit, before.path.clone()), time, blob, passed);
        Ok(kept)
    }
}
