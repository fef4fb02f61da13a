//! Which commit wrote each line of a file. As `git blame -w` has it, but that a commit that says nothing of a line passes on
//! what it gave another form. Refuses to read more than a bound; what is left then is said to be older.

use std::collections::{BinaryHeap, HashMap};
use std::ops::Range;
use std::rc::Rc;

use anyhow::Result;
use gix::ObjectId;
use gix_imara_diff::Token;

use super::lines::{Change, Lines};
use super::{Blob, Repository};
use crate::event::Status;

/// Largest file that is followed, in bytes.
const MAX_FILE: u64 = 8 << 20;
/// Bytes read for one answer: seconds of work at most. History behind that is told apart no further.
const MAX_READ: u64 = 256 << 20;
/// A file came from another that left in the same commit where this part of the larger is in both, as git has it.
const MOVED: f64 = 0.5;
/// What a line costs that was seen nowhere before, in bytes: it is kept.
const NEW_LINE: u64 = 128;
/// Looking for a line's other forms takes so many times as long as reading it.
const FORM: u64 = 32;
/// Files that left, looked at for one that came.
const MOST_LEFT: usize = 100;

/// What is known of a commit before anything is read.
#[derive(Debug, Clone)]
pub struct Link {
    /// Committer time, Unix seconds; the newer of two commits is looked at first.
    pub time: i64,
    /// Its parents, in order.
    pub parents: Vec<ObjectId>,
    /// Whether it did anything to the path that was asked for. What a merge says is not heeded.
    pub touches: bool,
    /// Whether it says nothing about a line to which it gave another form: it is too large, or a formatter's.
    pub says_little: bool,
}

/// Who wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrote {
    /// The commit.
    pub commit: ObjectId,
    /// The newest such commit that gave it another form since.
    pub reformed: Option<ObjectId>,
}

/// What became of the lines that were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blame {
    /// One for each line.
    pub lines: Vec<Wrote>,
    /// Commits that took lines away between them, the newest first.
    pub removed: Vec<ObjectId>,
    /// Whether the bound was reached, or a file that is not here or too large, so that some lines may be older than said.
    pub is_cut: bool,
}

/// Lines that nobody wrote yet: where they stand in the answer, and in the file that is looked at.
#[derive(Debug, Clone, Copy)]
struct Span {
    at: u32,
    here: u32,
    len: u32,
    reformed: Option<ObjectId>,
}

/// What is known of a commit and a path.
type Linked<'l> = dyn FnMut(&ObjectId, &[u8]) -> Result<Option<Link>> + 'l;

/// A file of a commit.
type Place = (ObjectId, Rc<[u8]>);

impl Repository {
    /// Who wrote lines of a file, counted from 0, as of a commit. `link` says what is known of a commit and a path; a
    /// commit of which nothing is known has no history. None where there is no such file.
    pub fn blame(
        &self,
        commit: ObjectId,
        path: &[u8],
        lines: Range<u32>,
        mut link: impl FnMut(&ObjectId, &[u8]) -> Result<Option<Link>>,
    ) -> Result<Option<Blame>> {
        let Some(blob) = self.file_at(commit, path)? else { return Ok(None) };
        let mut walk = Walk::new(self);
        let Some(text) = walk.text(blob)? else { return Ok(None) };
        let lines = lines.start.min(text.len() as u32)..lines.end.min(text.len() as u32);
        walk.blame.lines = vec![Wrote { commit, reformed: None }; lines.len()];
        let span = Span { at: 0, here: lines.start, len: lines.len() as u32, reformed: None };
        walk.wait((commit, path.into()), 0, blob, vec![span]);
        while let Some((_, place)) = walk.queue.pop() {
            let Some((blob, spans)) = walk.waiting.remove(&place) else { continue };
            match link(&place.0, &place.1)?.filter(|link| !link.parents.is_empty()) {
                Some(own) => walk.step(place, blob, spans, &own, &mut link)?,
                None => walk.wrote(place.0, &spans),
            }
        }
        Ok(Some(walk.blame))
    }

    fn file_at(&self, commit: ObjectId, path: &[u8]) -> Result<Option<ObjectId>> {
        self.tree_of(commit).map_or(Ok(None), |tree| self.blob_at(tree, path))
    }
}

struct Walk<'r> {
    repository: &'r Repository,
    lines: Lines,
    texts: HashMap<ObjectId, Option<Rc<[Token]>>>,
    read: u64,
    queue: BinaryHeap<(i64, Place)>,
    waiting: HashMap<Place, (ObjectId, Vec<Span>)>,
    blame: Blame,
}

impl<'r> Walk<'r> {
    fn new(repository: &'r Repository) -> Self {
        let (texts, waiting, blame) = (HashMap::new(), HashMap::new(), Blame::default());
        Walk { repository, lines: Lines::default(), texts, read: 0, queue: BinaryHeap::new(), waiting, blame }
    }

    /// The lines of a blob; none where it is not here, or too large.
    fn text(&mut self, blob: ObjectId) -> Result<Option<Rc<[Token]>>> {
        if let Some(known) = self.texts.get(&blob) {
            return Ok(known.clone());
        }
        let text = match self.repository.blob(blob, MAX_FILE)? {
            Blob::Bytes(bytes) => {
                let known = self.lines.count();
                let text = self.lines.of(&bytes).into();
                self.read += bytes.len() as u64 + NEW_LINE * (self.lines.count() - known) as u64;
                Some(text)
            }
            Blob::TooLarge(_) | Blob::Missing => None,
        };
        self.texts.insert(blob, text.clone());
        Ok(text)
    }

    /// Has a file's lines looked at when their turn comes.
    fn wait(&mut self, place: Place, time: i64, blob: ObjectId, spans: Vec<Span>) {
        if spans.is_empty() {
            return;
        }
        match self.waiting.get_mut(&place) {
            Some((_, waiting)) => waiting.extend(spans),
            None => {
                self.waiting.insert(place.clone(), (blob, spans));
                self.queue.push((time, place));
            }
        }
    }

    fn wrote(&mut self, commit: ObjectId, spans: &[Span]) {
        for span in spans {
            let lines = &mut self.blame.lines[span.at as usize..(span.at + span.len) as usize];
            lines.fill(Wrote { commit, reformed: span.reformed });
        }
    }

    /// Passes lines on to the parents that have them, and keeps for the commit what none has.
    fn step(
        &mut self,
        (commit, path): Place,
        blob: ObjectId,
        mut spans: Vec<Span>,
        own: &Link,
        link: &mut Linked<'_>,
    ) -> Result<()> {
        let is_merge = own.parents.len() > 1;
        // Where clocks disagree a commit has its turn again; what is passed on is the same.
        let mut time = |commit: &ObjectId| -> Result<i64> { Ok(link(commit, &path)?.map_or(0, |link| link.time)) };
        if !is_merge && !own.touches {
            self.wait((own.parents[0], path.clone()), time(&own.parents[0])?, blob, spans);
            return Ok(());
        }
        let mut files = Vec::with_capacity(own.parents.len());
        for parent in &own.parents {
            files.push(self.repository.file_at(*parent, &path)?);
        }
        if let Some(same) = files.iter().position(|file| *file == Some(blob)) {
            let parent = own.parents[same];
            self.wait((parent, path.clone()), time(&parent)?, blob, spans);
            return Ok(());
        }
        self.blame.is_cut |= self.read > MAX_READ;
        let Some(text) = self.text(blob)?.filter(|_| self.read <= MAX_READ) else {
            self.wrote(commit, &spans);
            return Ok(());
        };
        for (parent, file) in own.parents.iter().zip(files) {
            let (name, old) = match file {
                Some(file) => (path.clone(), file),
                None => match self.came_from(*parent, commit, &path, blob)? {
                    Some((path, file)) => (path, file),
                    None => continue,
                },
            };
            let Some(before) = self.text(old)? else {
                self.blame.is_cut = true;
                continue;
            };
            let changes = self.lines.changes(&before, &text);
            let is_removal = !is_merge && spans.iter().any(|span| is_parted(span, &changes));
            if is_removal && !self.blame.removed.contains(&commit) {
                self.blame.removed.push(commit);
            }
            let (passed, kept) = split(&spans, &changes);
            spans = kept;
            self.wait((*parent, name.clone()), time(parent)?, old, passed);
            if own.says_little && !is_merge {
                let (passed, kept) = self.reformed(commit, &spans, &changes, &before, &text);
                spans = kept;
                self.wait((*parent, name), time(parent)?, old, passed);
            }
        }
        self.wrote(commit, &spans);
        Ok(())
    }

    /// Where a file came from that a parent does not have: one that left, with the same content or most of it. Of
    /// several, the same name goes first.
    fn came_from(
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
        left.truncate(MOST_LEFT);
        if let Some((name, id)) = left.first().filter(|(_, id)| *id == blob) {
            return Ok(Some((name.as_slice().into(), *id)));
        }
        let (Some(text), Some(size)) = (self.text(blob)?, self.repository.blob_size(blob)) else { return Ok(None) };
        let mut best: Option<(f64, Vec<u8>, ObjectId)> = None;
        for (name, id) in left {
            // What is not here may be where it came from; how large it is would say whether it can be.
            let other = self.repository.blob_size(id);
            if other.is_some_and(|other| (other.min(size) as f64) < MOVED * other.max(size) as f64) {
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
            let shared = self.lines.shared(&other, &text);
            if shared >= MOVED && best.as_ref().is_none_or(|(most, ..)| shared > *most) {
                best = Some((shared, name, id));
            }
        }
        Ok(best.map(|(_, name, id)| (name.into(), id)))
    }

    /// Passes on the lines that a commit only gave another form, and keeps those that are like nothing before.
    fn reformed(
        &mut self,
        commit: ObjectId,
        spans: &[Span],
        changes: &[Change],
        before: &[Token],
        after: &[Token],
    ) -> (Vec<Span>, Vec<Span>) {
        let (mut passed, mut kept) = (Vec::new(), Vec::new());
        // What an earlier reformat parted line by line lies in one change all the same.
        let mut known: HashMap<usize, Vec<Option<u32>>> = HashMap::new();
        for span in spans {
            // What is kept of a span lies in one change.
            let place = changes.partition_point(|change| change.after.end <= span.here);
            let Some(change) = changes.get(place).filter(|change| change.after.contains(&span.here)) else {
                kept.push(*span);
                continue;
            };
            let forms = known.entry(place).or_insert_with(|| {
                let range = |range: &Range<u32>| range.start as usize..range.end as usize;
                let (before, after) = (&before[range(&change.before)], &after[range(&change.after)]);
                self.read += FORM * (self.lines.size(before) + self.lines.size(after)) as u64;
                self.lines.forms(before, after)
            });
            for offset in 0..span.len {
                let line = Span { at: span.at + offset, here: span.here + offset, len: 1, reformed: span.reformed };
                match forms[(line.here - change.after.start) as usize] {
                    Some(old) => {
                        let reformed = span.reformed.or(Some(commit));
                        passed.push(Span { here: change.before.start + old, reformed, ..line });
                    }
                    None => kept.push(line),
                }
            }
        }
        (passed, kept)
    }
}

/// Whether lines were taken away between two of a span.
fn is_parted(span: &Span, changes: &[Change]) -> bool {
    let first = changes.partition_point(|change| change.after.start <= span.here);
    let end = span.here + span.len;
    changes[first..].iter().take_while(|change| change.after.start < end).any(|change| change.after.is_empty())
}

/// Parts spans into what stood before, at its place there, and what a change brought, at its place here.
fn split(spans: &[Span], changes: &[Change]) -> (Vec<Span>, Vec<Span>) {
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
            let parts = split(&[Span { at: 0, here, len, reformed: None }], &changes);
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
