//! Lines that nobody wrote yet, as spans, and how they part where changes are. Refuses to know of commits' texts.

use gix::ObjectId;

use super::super::lines::Change;

/// Commits that a line went through since it was written; of each kind the newest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Since {
    /// Gave it another form, and says nothing of lines.
    pub reformed: Option<ObjectId>,
    /// Moved it, as it was, from another place.
    pub moved: Option<ObjectId>,
    /// Took back what had taken it away.
    pub restored: Option<ObjectId>,
}

/// Lines that nobody wrote yet: where they stand in the answer, and in the file that is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub at: u32,
    pub here: u32,
    pub len: u32,
    pub since: Since,
}

impl Span {
    /// One of its lines.
    pub fn line(&self, offset: u32) -> Span {
        Span { at: self.at + offset, here: self.here + offset, len: 1, since: self.since }
    }
}

/// Adds a line, to the last span where it goes on there.
pub(super) fn push_line(spans: &mut Vec<Span>, line: Span) {
    match spans.last_mut() {
        Some(last) if (last.at + last.len, last.here + last.len, last.since) == (line.at, line.here, line.since) => {
            last.len += 1;
        }
        _ => spans.push(line),
    }
}

/// Whether lines were taken away between two of a span.
pub(super) fn is_parted(span: &Span, changes: &[Change]) -> bool {
    let first = changes.partition_point(|change| change.after.start <= span.here);
    let end = span.here + span.len;
    changes[first..].iter().take_while(|change| change.after.start < end).any(|change| change.after.is_empty())
}

/// Parts spans into what stood before, at its place there, and what a change brought, at its place here.
pub(super) fn split(spans: &[Span], changes: &[Change]) -> (Vec<Span>, Vec<Span>) {
    let (mut passed, mut kept) = (Vec::new(), Vec::new());
    for span in spans {
        let (mut here, end) = (span.here, span.here + span.len);
        let part =
            |from: u32, to: u32, here: u32| Span { at: span.at + (from - span.here), here, len: to - from, ..*span };
        let first = changes.partition_point(|change| change.after.end <= here);
        // How far what follows the change before this place stands from where it stood.
        let mut shift = first.checked_sub(1).map_or(0, |last| shift_after(&changes[last]));
        for change in &changes[first..] {
            if change.after.start >= end || here >= end {
                break;
            }
            if here < change.after.start {
                passed.push(part(here, change.after.start, moved(here, shift)));
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
            passed.push(part(here, end, moved(here, shift)));
        }
    }
    (passed, kept)
}

fn shift_after(change: &Change) -> i64 {
    i64::from(change.before.end) - i64::from(change.after.end)
}

fn moved(here: u32, shift: i64) -> u32 {
    u32::try_from(i64::from(here) + shift).expect("a line that stood before has a place there")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_part_where_changes_are() {
        let changes = [
            Change { before: 2..3, after: 2..5 },
            Change { before: 6..8, after: 8..8 },
            Change { before: 9..9, after: 9..10 },
        ];
        let check = |here: u32, len: u32, passed: &[(u32, u32, u32)], kept: &[(u32, u32, u32)]| {
            let parts = split(&[Span { at: 0, here, len, since: Since::default() }], &changes);
            let row = |spans: &[Span]| spans.iter().map(|span| (span.at, span.here, span.len)).collect::<Vec<_>>();
            assert_eq!((row(&parts.0), row(&parts.1)), (passed.to_vec(), kept.to_vec()), "{here}+{len}");
        };
        check(0, 12, &[(0, 0, 2), (5, 3, 3), (8, 8, 1), (10, 9, 2)], &[(2, 2, 3), (9, 9, 1)]);
        check(3, 1, &[], &[(0, 3, 1)]);
        check(6, 1, &[(0, 4, 1)], &[]);
        check(8, 1, &[(0, 8, 1)], &[]);
        check(10, 2, &[(0, 9, 2)], &[]);
    }
}
