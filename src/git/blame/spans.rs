//! Spans of lines whose author is not known yet, and how they are split at the changes of a commit.

use gix::ObjectId;

use super::super::lines::LineChange;

/// Commits that a line passed through after it was written; the newest of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineHistory {
    /// Only reformatted it.
    pub reformed: Option<ObjectId>,
    /// Moved it from another place.
    pub moved: Option<ObjectId>,
    /// Restored it by reverting the commit that had removed it.
    pub restored: Option<ObjectId>,
}

/// A span of lines whose author is not known yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineSpan {
    /// First line in the answer.
    pub at: u32,
    /// First line in the file being processed.
    pub here: u32,
    /// Number of lines.
    pub len: u32,
    pub since: LineHistory,
}

impl LineSpan {
    /// Returns one of its lines as a span.
    pub fn line(&self, offset: u32) -> LineSpan {
        LineSpan { at: self.at + offset, here: self.here + offset, len: 1, since: self.since }
    }
}

/// Appends a line, extending the last span if it continues there.
pub(super) fn push_line(spans: &mut Vec<LineSpan>, line: LineSpan) {
    match spans.last_mut() {
        Some(last) if (last.at + last.len, last.here + last.len, last.since) == (line.at, line.here, line.since) => {
            last.len += 1;
        }
        _ => spans.push(line),
    }
}

/// Whether a change removed lines between two lines of a span.
pub(super) fn has_removal_inside(span: &LineSpan, changes: &[LineChange]) -> bool {
    let first = changes.partition_point(|change| change.after.start <= span.here);
    let end = span.here + span.len;
    changes[first..].iter().take_while(|change| change.after.start < end).any(|change| change.after.is_empty())
}

/// Splits spans at the changes of a commit.
///
/// Returns the lines that existed before, with their positions in the previous text, and the lines that the commit
/// added, with their positions in the new text.
pub(super) fn split_at_changes(spans: &[LineSpan], changes: &[LineChange]) -> (Vec<LineSpan>, Vec<LineSpan>) {
    let (mut passed, mut kept) = (Vec::new(), Vec::new());
    for span in spans {
        let (mut here, end) = (span.here, span.here + span.len);
        let part = |from: u32, to: u32, here: u32| LineSpan {
            at: span.at + (from - span.here),
            here,
            len: to - from,
            ..*span
        };
        let first = changes.partition_point(|change| change.after.end <= here);
        // The shift of the lines after the last change before this span.
        let mut shift = first.checked_sub(1).map_or(0, |last| shift_after(&changes[last]));
        for change in &changes[first..] {
            if change.after.start >= end || here >= end {
                break;
            }
            if here < change.after.start {
                passed.push(part(here, change.after.start, shifted(here, shift)));
                here = change.after.start;
            }
            let to = change.after.end.min(end);
            if here < to {
                kept.push(part(here, to, here));
                here = to;
            }
            shift = shift_after(change);
        }
        if here < end {
            passed.push(part(here, end, shifted(here, shift)));
        }
    }
    (passed, kept)
}

/// Returns how far the lines after a change moved, from the new text to the previous one.
fn shift_after(change: &LineChange) -> i64 {
    i64::from(change.before.end) - i64::from(change.after.end)
}

/// Returns the position in the previous text of a line after a change.
fn shifted(here: u32, shift: i64) -> u32 {
    u32::try_from(i64::from(here) + shift).expect("a line that stood before has a place there")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_part_where_changes_are() {
        let changes = [
            LineChange { before: 2..3, after: 2..5 },
            LineChange { before: 6..8, after: 8..8 },
            LineChange { before: 9..9, after: 9..10 },
        ];
        let check = |here: u32, len: u32, passed: &[(u32, u32, u32)], kept: &[(u32, u32, u32)]| {
            let parts = split_at_changes(&[LineSpan { at: 0, here, len, since: LineHistory::default() }], &changes);
            let row = |spans: &[LineSpan]| spans.iter().map(|span| (span.at, span.here, span.len)).collect::<Vec<_>>();
            assert_eq!((row(&parts.0), row(&parts.1)), (passed.to_vec(), kept.to_vec()), "{here}+{len}");
        };
        check(0, 12, &[(0, 0, 2), (5, 3, 3), (8, 8, 1), (10, 9, 2)], &[(2, 2, 3), (9, 9, 1)]);
        check(3, 1, &[], &[(0, 3, 1)]);
        check(6, 1, &[(0, 4, 1)], &[]);
        check(8, 1, &[(0, 8, 1)], &[]);
        check(10, 2, &[(0, 9, 2)], &[]);
    }
}
