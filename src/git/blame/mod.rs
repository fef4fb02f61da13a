//! Which commit wrote each line of a file. As `git blame -w` has it, but that a commit passes on what it only moved or
//! brought back, and one that says nothing of a line what it gave another form. Refuses to read more than a bound; what is
//! left then is said to be older.

mod moves;
mod spans;

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use anyhow::Result;
use gix::ObjectId;
use gix_imara_diff::Token;

use super::lines::{Change, Lines};
use super::{Blob, Repository};
use crate::event::Status;
pub use spans::Since;
use spans::{Span, is_parted, push_line, split};

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
    /// What it says that it takes back.
    pub takes_back: Option<TakenBack>,
}

/// A commit that was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenBack {
    /// The commit.
    pub commit: ObjectId,
    /// The one whose files it goes back to.
    pub before: ObjectId,
}

/// Who wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrote {
    /// The commit.
    pub commit: ObjectId,
    /// What happened to it since.
    pub since: Since,
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

/// What is known of a commit and a path.
type Linked<'l> = dyn FnMut(&ObjectId, &[u8]) -> Result<Option<Link>> + 'l;

/// A file of a commit.
type Place = (ObjectId, Rc<[u8]>);

/// A text that a commit made another, and how.
struct Before {
    commit: ObjectId,
    path: Rc<[u8]>,
    /// None where there was no such file.
    blob: Option<ObjectId>,
    text: Rc<[Token]>,
    changes: Vec<Change>,
}

impl Before {
    /// Nothing, so that all is new.
    fn none(commit: ObjectId, path: &Rc<[u8]>, len: usize) -> Self {
        let changes = vec![Change { before: 0..0, after: 0..len as u32 }];
        Before { commit, path: path.clone(), blob: None, text: Rc::default(), changes }
    }
}

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
        // Versions of a file are stored as differences to each other.
        let repository = self.shared().open().with_pack_cache();
        let mut walk = Walk::new(&repository);
        let Some(text) = walk.text(blob)? else { return Ok(None) };
        let lines = lines.start.min(text.len() as u32)..lines.end.min(text.len() as u32);
        walk.blame.lines = vec![Wrote { commit, since: Since::default() }; lines.len()];
        let span = Span { at: 0, here: lines.start, len: lines.len() as u32, since: Since::default() };
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
    /// Bytes read to find where lines were moved from.
    sought: u64,
    /// Files of commits that went back to what they were before another.
    gone_back: HashSet<Place>,
    queue: BinaryHeap<(i64, Place)>,
    waiting: HashMap<Place, (ObjectId, Vec<Span>)>,
    blame: Blame,
}

impl<'r> Walk<'r> {
    fn new(repository: &'r Repository) -> Self {
        Walk {
            repository,
            lines: Lines::default(),
            texts: HashMap::new(),
            read: 0,
            sought: 0,
            gone_back: HashSet::new(),
            queue: BinaryHeap::new(),
            waiting: HashMap::new(),
            blame: Blame::default(),
        }
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
            lines.fill(Wrote { commit, since: span.since });
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
        // What a commit that is no merge did to the file; all of it is new where nothing else turns up.
        let mut only = Some(Before::none(own.parents[0], &path, text.len()));
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
                only = None;
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
            only = Some(Before { commit: *parent, path: name, blob: Some(old), text: before, changes });
        }
        if let Some(only) = only.filter(|_| !is_merge && !spans.is_empty()) {
            spans = self.brought_back(&(commit, path.clone()), blob, &text, spans, own, link)?;
            spans = self.moved(&(commit, path), &text, spans, &only, link)?;
            if own.says_little {
                spans = self.reformed(commit, &text, spans, &only, link)?;
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

    /// Passes on the lines that a commit brought back to where they stood before the one that it takes back, and keeps
    /// what was not there then.
    fn brought_back(
        &mut self,
        place: &Place,
        blob: ObjectId,
        text: &[Token],
        spans: Vec<Span>,
        own: &Link,
        link: &mut Linked<'_>,
    ) -> Result<Vec<Span>> {
        let (commit, path) = place;
        // Once only: what a message names may come after it, and a way back that leads forward has no end.
        let Some(back) = own.takes_back.filter(|_| self.gone_back.insert(place.clone())) else { return Ok(spans) };
        let (name, old) = match self.repository.file_at(back.before, path)? {
            Some(old) => (path.clone(), old),
            None => match self.came_from(back.before, *commit, path, blob)? {
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
        let (mut passed, kept) = split(&spans, &changes);
        for span in &mut passed {
            span.since.restored.get_or_insert(*commit);
        }
        let time = link(&back.before, &name)?.map_or(0, |link| link.time);
        self.wait((back.before, name), time, old, passed);
        Ok(kept)
    }

    /// Passes on the lines that a commit only gave another form, and keeps those that are like nothing before.
    fn reformed(
        &mut self,
        commit: ObjectId,
        text: &[Token],
        spans: Vec<Span>,
        before: &Before,
        link: &mut Linked<'_>,
    ) -> Result<Vec<Span>> {
        let Some(blob) = before.blob else { return Ok(spans) };
        let (mut passed, mut kept) = (Vec::new(), Vec::new());
        // What an earlier reformat parted line by line lies in one change all the same.
        let mut known: HashMap<usize, Vec<Option<u32>>> = HashMap::new();
        for span in spans {
            for line in (0..span.len).map(|offset| span.line(offset)) {
                // What is kept of a span lies in changes.
                let place = before.changes.partition_point(|change| change.after.end <= line.here);
                let Some(change) = before.changes.get(place).filter(|change| change.after.contains(&line.here)) else {
                    push_line(&mut kept, line);
                    continue;
                };
                let forms = known.entry(place).or_insert_with(|| {
                    let range = |range: &Range<u32>| range.start as usize..range.end as usize;
                    let (old, new) = (&before.text[range(&change.before)], &text[range(&change.after)]);
                    self.read += FORM * (self.lines.size(old) + self.lines.size(new)) as u64;
                    self.lines.forms(old, new)
                });
                match forms[(line.here - change.after.start) as usize] {
                    Some(old) => {
                        let mut since = line.since;
                        since.reformed.get_or_insert(commit);
                        passed.push(Span { here: change.before.start + old, since, ..line });
                    }
                    None => push_line(&mut kept, line),
                }
            }
        }
        let time = link(&before.commit, &before.path)?.map_or(0, |link| link.time);
        self.wait((before.commit, before.path.clone()), time, blob, passed);
        Ok(kept)
    }
}
