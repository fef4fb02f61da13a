//! Finds the commit that wrote each line of a file. Like `git blame -w`, with two differences: a commit that only moved
//! or restored a line passes it on to the commit that wrote it, and so does a formatting commit that only reformatted
//! it.
//!
//! Reading is bounded. Lines that are still unattributed at the bound are attributed to the commit reached, and the
//! answer says that it was cut. gix's own blame is not used, because it follows neither moves nor reverts and has no
//! such bound.

mod moves;
mod reformats;
mod renames;
mod reverts;
mod spans;

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use anyhow::Result;
use gix::ObjectId;
use gix_imara_diff::Token;

use super::lines::{LineChange, LineInterner};
use super::{Blob, Repository};
pub use spans::LineHistory;
use spans::{LineSpan, has_removal_inside, split_at_changes};

/// The largest file whose lines are followed, in bytes.
const MAX_FILE: u64 = 8 << 20;
/// The most bytes read for one answer, which takes a few seconds. Older history is not searched.
const MAX_READ: u64 = 256 << 20;
/// The cost of a line not seen before, in bytes, because it is kept in memory.
const NEW_LINE_COST: u64 = 128;

/// What the caller knows about a commit, before anything is read.
#[derive(Debug, Clone)]
pub struct BlameCommit {
    /// The committer time, in Unix seconds; newer commits are processed first.
    pub time: i64,
    /// The parents, in order.
    pub parents: Vec<ObjectId>,
    /// Whether it touched the requested path. Ignored for merges.
    pub touches: bool,
    /// Whether it passes on lines that it only reformatted, because it is a formatting commit or a very large one.
    pub is_uninformative: bool,
    /// The commit that it reverts, according to its message.
    pub reverts: Option<RevertedCommit>,
}

/// A commit that was reverted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevertedCommit {
    /// The reverted commit.
    pub commit: ObjectId,
    /// The commit before it, whose files the revert goes back to.
    pub before: ObjectId,
}

/// The commit that wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineOrigin {
    /// The id of the commit.
    pub commit: ObjectId,
    /// Later commits that moved, restored or reformatted the line.
    pub since: LineHistory,
}

/// The origins of the requested lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blame {
    /// One entry for each line.
    pub lines: Vec<LineOrigin>,
    /// Commits that removed lines between the requested ones, newest first.
    pub removed: Vec<ObjectId>,
    /// Whether a bound was reached, or a file was missing or too large, so that some lines may be older than reported.
    pub is_cut: bool,
}

/// Looks up what the caller knows about a commit and a path.
type CommitLookup<'l> = dyn FnMut(&ObjectId, &[u8]) -> Result<Option<BlameCommit>> + 'l;

/// A file at a commit: commit id and path.
type CommitFile = (ObjectId, Rc<[u8]>);

/// The text of a file before a commit, and the changes that the commit made to it.
struct PreviousText {
    commit: ObjectId,
    path: Rc<[u8]>,
    /// `None` if the file did not exist.
    blob: Option<ObjectId>,
    text: Rc<[Token]>,
    changes: Vec<LineChange>,
}

impl PreviousText {
    /// Returns an empty text, compared with which every line is new.
    fn none(commit: ObjectId, path: &Rc<[u8]>, len: usize) -> Self {
        let changes = vec![LineChange { before: 0..0, after: 0..len as u32 }];
        PreviousText { commit, path: path.clone(), blob: None, text: Rc::default(), changes }
    }
}

impl Repository {
    /// Finds the commits that wrote lines of a file, as of a commit; `None` if there is no such file.
    ///
    /// Lines are counted from 0. `link` returns what is known about a commit and a path; a commit that it does not know
    /// counts as a root.
    pub fn blame(
        &self,
        commit: ObjectId,
        path: &[u8],
        lines: Range<u32>,
        mut link: impl FnMut(&ObjectId, &[u8]) -> Result<Option<BlameCommit>>,
    ) -> Result<Option<Blame>> {
        let Some(blob) = self.file_at(commit, path)? else { return Ok(None) };
        // Packs store versions of a file as deltas of each other.
        let repository = self.shared().open().with_pack_cache();
        let mut walk = BlameWalk::new(&repository);
        let Some(text) = walk.text(blob)? else { return Ok(None) };
        let lines = lines.start.min(text.len() as u32)..lines.end.min(text.len() as u32);
        walk.blame.lines = vec![LineOrigin { commit, since: LineHistory::default() }; lines.len()];
        let span = LineSpan { at: 0, here: lines.start, len: lines.len() as u32, since: LineHistory::default() };
        walk.enqueue((commit, path.into()), 0, blob, vec![span]);
        while let Some((_, place)) = walk.queue.pop() {
            let Some((blob, spans)) = walk.waiting.remove(&place) else { continue };
            match link(&place.0, &place.1)?.filter(|link| !link.parents.is_empty()) {
                Some(own) => walk.process(place, blob, spans, &own, &mut link)?,
                None => walk.attribute(place.0, &spans),
            }
        }
        Ok(Some(walk.blame))
    }

    /// Returns the blob of a file at a commit.
    fn file_at(&self, commit: ObjectId, path: &[u8]) -> Result<Option<ObjectId>> {
        self.tree_of(commit).map_or(Ok(None), |tree| self.blob_at(tree, path))
    }
}

/// The state of one walk back through history.
struct BlameWalk<'r> {
    repository: &'r Repository,
    lines: LineInterner,
    /// The texts read so far, by blob; `None` if missing or too large.
    texts: HashMap<ObjectId, Option<Rc<[Token]>>>,
    /// The bytes read so far, including the cost of new lines and of comparisons.
    read: u64,
    /// The bytes read to find where lines were moved from.
    move_search_read: u64,
    /// The files for which a revert was already followed.
    followed_reverts: HashSet<CommitFile>,
    /// The files to process, newest commit first.
    queue: BinaryHeap<(i64, CommitFile)>,
    /// The blob and unattributed lines of each queued file.
    waiting: HashMap<CommitFile, (ObjectId, Vec<LineSpan>)>,
    blame: Blame,
}

impl<'r> BlameWalk<'r> {
    fn new(repository: &'r Repository) -> Self {
        BlameWalk {
            repository,
            lines: LineInterner::default(),
            texts: HashMap::new(),
            read: 0,
            move_search_read: 0,
            followed_reverts: HashSet::new(),
            queue: BinaryHeap::new(),
            waiting: HashMap::new(),
            blame: Blame::default(),
        }
    }

    /// Reads a blob as interned lines; `None` if it is missing or too large.
    fn text(&mut self, blob: ObjectId) -> Result<Option<Rc<[Token]>>> {
        if let Some(known) = self.texts.get(&blob) {
            return Ok(known.clone());
        }
        let text = match self.repository.blob(blob, MAX_FILE)? {
            Blob::Bytes(bytes) => {
                let known = self.lines.count();
                let text = self.lines.intern(&bytes).into();
                self.read += bytes.len() as u64 + NEW_LINE_COST * (self.lines.count() - known) as u64;
                Some(text)
            }
            Blob::TooLarge(_) | Blob::Missing => None,
        };
        self.texts.insert(blob, text.clone());
        Ok(text)
    }

    /// Queues lines of a file, to be processed in the order of commits.
    fn enqueue(&mut self, place: CommitFile, time: i64, blob: ObjectId, spans: Vec<LineSpan>) {
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

    /// Attributes lines to a commit.
    fn attribute(&mut self, commit: ObjectId, spans: &[LineSpan]) {
        for span in spans {
            let lines = &mut self.blame.lines[span.at as usize..(span.at + span.len) as usize];
            lines.fill(LineOrigin { commit, since: span.since });
        }
    }

    /// Processes one commit: passes lines on to the parents that have them, and attributes the rest to the commit.
    fn process(
        &mut self,
        (commit, path): CommitFile,
        blob: ObjectId,
        mut spans: Vec<LineSpan>,
        own: &BlameCommit,
        link: &mut CommitLookup<'_>,
    ) -> Result<()> {
        let is_merge = own.parents.len() > 1;
        // With skewed clocks a commit may be processed twice; it passes on the same lines each time.
        let mut time = |commit: &ObjectId| -> Result<i64> { Ok(link(commit, &path)?.map_or(0, |link| link.time)) };
        if !is_merge && !own.touches {
            self.enqueue((own.parents[0], path.clone()), time(&own.parents[0])?, blob, spans);
            return Ok(());
        }
        let mut files = Vec::with_capacity(own.parents.len());
        for parent in &own.parents {
            files.push(self.repository.file_at(*parent, &path)?);
        }
        if let Some(same) = files.iter().position(|file| *file == Some(blob)) {
            let parent = own.parents[same];
            self.enqueue((parent, path.clone()), time(&parent)?, blob, spans);
            return Ok(());
        }
        self.blame.is_cut |= self.read > MAX_READ;
        let Some(text) = self.text(blob)?.filter(|_| self.read <= MAX_READ) else {
            self.attribute(commit, &spans);
            return Ok(());
        };
        // The change that a commit with one parent made to the file. Every line is new unless a previous text is found.
        let mut only = Some(PreviousText::none(own.parents[0], &path, text.len()));
        for (parent, file) in own.parents.iter().zip(files) {
            let (name, old) = match file {
                Some(file) => (path.clone(), file),
                None => match self.rename_source(*parent, commit, &path, blob)? {
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
            let is_removal = !is_merge && spans.iter().any(|span| has_removal_inside(span, &changes));
            if is_removal && !self.blame.removed.contains(&commit) {
                self.blame.removed.push(commit);
            }
            let (passed, kept) = split_at_changes(&spans, &changes);
            spans = kept;
            self.enqueue((*parent, name.clone()), time(parent)?, old, passed);
            only = Some(PreviousText { commit: *parent, path: name, blob: Some(old), text: before, changes });
        }
        if let Some(only) = only.filter(|_| !is_merge && !spans.is_empty()) {
            spans = self.follow_revert(&(commit, path.clone()), blob, &text, spans, own, link)?;
            spans = self.follow_moves(&(commit, path), &text, spans, &only, link)?;
            if own.is_uninformative {
                spans = self.follow_reformat(commit, &text, spans, &only, link)?;
            }
        }
        self.attribute(commit, &spans);
        Ok(())
    }
}
