//! Reads the commits that the event log does not have yet, newest first, each with its message and raw tree
//! differences.
//!
//! Commits are interpreted by `facts`, not here.

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard};

use anyhow::{Context, Result, anyhow};
use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::objs::CommitRefIter;

use super::{RawChange, Repository, SharedRepository};

/// A commit as read from the object database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawCommit {
    /// The commit id.
    pub id: ObjectId,
    /// The parents, in order.
    pub parents: Vec<ObjectId>,
    /// `Name <email>` as written, converted to UTF-8.
    pub author: String,
    /// `Name <email>` as written, converted to UTF-8.
    pub committer: String,
    /// The author time, in Unix seconds.
    pub author_time: i64,
    /// The committer time, in Unix seconds.
    pub committer_time: i64,
    /// The whole message, converted to UTF-8.
    pub message: String,
    /// The differences from the only parent, or from the empty tree for a root commit; empty for merges.
    pub changes: Vec<RawChange>,
}

/// What the event log has of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// Nothing.
    No,
    /// The commit, but perhaps not all of its ancestors.
    Alone,
    /// The commit and all of its ancestors.
    WithAncestors,
}

/// Summary of one pass over the history.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ReadSummary {
    /// The number of commits passed to the caller.
    pub commits: u64,
    /// Commits that cannot be compared yet: a parent's tree is missing (shallow boundary, partial clone), or the
    /// difference is too large.
    pub pending: Vec<ObjectId>,
}

/// The tree that a commit's tree is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    /// None: no file changes are recorded for a merge.
    Merge,
    /// The empty tree, for a root commit.
    Empty,
    /// The tree of the only parent.
    Parent(ObjectId),
}

/// A commit whose tree is to be compared by a thread.
struct CommitJob {
    id: ObjectId,
    data: Vec<u8>,
    base: Base,
}

/// How many commits a thread takes at a time.
///
/// Commits of a batch stay in order and close in time, because packs store an older tree as a delta of a newer one,
/// which is then cached.
const BATCH: usize = 512;
/// After this many commits the packs are mapped again.
///
/// Mapped pages count as this process's memory, although the system could reclaim them.
const REMAP_INTERVAL: u64 = 12_000;

impl Repository {
    /// Reads every commit that the heads reach and the log does not have, newest first.
    ///
    /// Trees are compared on several threads, where `convert` turns each commit into what the caller needs. `consume`
    /// receives the results on a thread of its own, with the number of commits found so far. Batches may arrive out of
    /// order.
    pub fn read_history<T: Send>(
        &self,
        heads: &[ObjectId],
        known: impl FnMut(&ObjectId) -> Result<Recorded>,
        convert: impl Fn(RawCommit) -> T + Sync,
        stop: &AtomicBool,
        mut consume: impl FnMut(Vec<T>, u64) -> Result<()> + Send,
    ) -> Result<ReadSummary> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let maps = PackMaps::new(self);
        let found = AtomicU64::new(0);
        std::thread::scope(|scope| {
            let (send_jobs, jobs) = sync_channel::<Vec<CommitJob>>(2);
            let (send_done, done) = sync_channel::<Result<ThreadOutput<T>>>(2 * threads);
            let jobs = std::sync::Arc::new(Mutex::new(jobs));
            for _ in 0..threads {
                let (jobs, send_done, maps, convert) = (jobs.clone(), send_done.clone(), &maps, &convert);
                scope.spawn(move || compare_trees(&jobs, &send_done, maps, convert));
            }
            drop((jobs, send_done));
            let found = &found;
            let taker = scope.spawn(move || -> Result<ReadSummary> {
                let mut reading = ReadSummary::default();
                for batch in done {
                    let batch = batch?;
                    reading.commits += batch.converted.len() as u64;
                    reading.pending.extend(batch.unreadable);
                    consume(batch.converted, found.load(Ordering::Relaxed))?;
                }
                Ok(reading)
            });
            let walked = HistoryWalk::new(&maps, send_jobs, found)?.run(heads, known, stop);
            let mut reading = taker.join().map_err(|_| anyhow!("the thread that stores commits panicked"))??;
            reading.pending.extend(walked?);
            reading.pending.sort_unstable();
            reading.pending.dedup();
            Ok(reading)
        })
    }

    /// Counts the commits that the heads reach and that are not known, pending ones included.
    pub fn count_unknown(&self, heads: &[ObjectId], mut known: impl FnMut(&ObjectId) -> Result<bool>) -> Result<u64> {
        let (mut seen, mut queue, mut buffer) = (HashSet::new(), heads.to_vec(), Vec::new());
        while let Some(id) = queue.pop() {
            if known(&id)? || !seen.insert(id) {
                continue;
            }
            queue.extend(self.read_node(id, &mut buffer).map(|node| node.parents).unwrap_or_default());
        }
        Ok(seen.len() as u64)
    }

    /// Returns the commits that a shallow clone cuts off from their parents, sorted.
    pub fn shallow_boundary(&self) -> Result<Vec<ObjectId>> {
        let commits = self.gix.shallow_commits().map_err(|error| anyhow!("reading the shallow boundary: {error}"))?;
        let mut boundary: Vec<ObjectId> = commits.iter().flat_map(|commits| commits.iter().copied()).collect();
        boundary.sort_unstable();
        boundary.dedup();
        Ok(boundary)
    }

    /// Returns the parents of a commit; empty if the commit is missing.
    pub fn parents_of(&self, id: ObjectId) -> Vec<ObjectId> {
        self.read_node(id, &mut Vec::new()).map(|node| node.parents).unwrap_or_default()
    }

    /// Reads the header of a commit into `buffer`; `None` if it is missing or not a commit.
    fn read_node(&self, id: ObjectId, buffer: &mut Vec<u8>) -> Option<CommitHeader> {
        use gix::objs::Find as _;
        let data = self.gix.objects.try_find(&id, buffer).ok()??;
        if data.kind != gix::object::Kind::Commit {
            return None;
        }
        let mut iter = CommitRefIter::from_bytes(data.data, id.kind());
        let tree = iter.tree_id().ok()?;
        let parents = iter.parent_ids().collect();
        // A commit with a malformed committer line is still part of history, and so are its ancestors.
        let time = iter.committer().map_or(0, |committer| committer.seconds());
        Some(CommitHeader { tree, parents, time })
    }

    /// Decodes a commit and compares its tree with that of its parent.
    fn read_commit(&self, job: &CommitJob) -> Result<RawCommit> {
        let mut headers = CommitRefIter::from_bytes(&job.data, job.id.kind());
        let tree = headers.tree_id().with_context(|| format!("reading commit {}", job.id))?;
        let changes = match job.base {
            Base::Merge => Vec::new(),
            Base::Empty => self.diff_trees(None, Some(tree))?,
            Base::Parent(parent) => self.diff_trees(Some(parent), Some(tree))?,
        };
        let (author, author_time) = signature(&job.data, b"author ");
        let (committer, committer_time) = signature(&job.data, b"committer ");
        let message = job.data.find(b"\n\n").map_or(&b""[..], |end| &job.data[end + 2..]);
        let message = to_utf8(message);
        Ok(RawCommit {
            id: job.id,
            parents: headers.parent_ids().collect(),
            author,
            committer,
            author_time,
            committer_time,
            message,
            changes,
        })
    }
}

/// Reads name, address and time from an `author` or `committer` header: `Name <email>` as written, and Unix seconds.
///
/// Of a line that git would call malformed, it returns as much as can be read.
fn signature(commit: &[u8], header: &[u8]) -> (String, i64) {
    let headers = commit.find(b"\n\n").map_or(commit, |end| &commit[..end]);
    let Some(line) = headers.lines().find_map(|line| line.strip_prefix(header)) else { return (person(b"", b""), 0) };
    if let Ok(signature) = gix::actor::SignatureRef::from_bytes(line) {
        return (person(signature.name, signature.email), signature.seconds());
    }
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let time = words.iter().rev().find_map(|word| std::str::from_utf8(word).ok()?.parse::<i64>().ok()).unwrap_or(0);
    let name = line.split(|byte| *byte == b'<').next().unwrap_or_default();
    (person(name.trim(), b""), time)
}

/// The fields of a commit's header that the walk needs.
struct CommitHeader {
    tree: ObjectId,
    parents: Vec<ObjectId>,
    time: i64,
}

/// The commits of one batch, converted by a thread.
struct ThreadOutput<T> {
    converted: Vec<T>,
    unreadable: Vec<ObjectId>,
}

/// The currently mapped packs, shared by the threads and mapped again from time to time.
struct PackMaps {
    generation: AtomicU64,
    shared: Mutex<SharedRepository>,
}

impl PackMaps {
    fn new(repository: &Repository) -> Self {
        PackMaps { generation: AtomicU64::new(0), shared: Mutex::new(repository.reopened()) }
    }

    /// Locks the current handle.
    fn shared(&self) -> MutexGuard<'_, SharedRepository> {
        self.shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Maps the packs again.
    fn renew(&self) {
        let mut shared = self.shared();
        let fresh = shared.open().reopened();
        *shared = fresh;
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Returns this thread's handle, reopened if the packs were mapped again since. `trees` adds the caches for
    /// comparing trees.
    fn current<'a>(&self, held: &'a mut Option<(u64, Repository)>, trees: bool) -> &'a Repository {
        let generation = self.generation.load(Ordering::Acquire);
        let stale = held.as_ref().is_none_or(|(opened, _)| *opened != generation);
        if stale {
            // The old handle is dropped first: holding both mappings would use the memory that this is meant to save.
            *held = None;
            let opened = self.shared().open();
            *held = Some((generation, if trees { opened.with_pack_cache() } else { opened }));
        }
        &held.as_ref().expect("it was just opened").1
    }
}

/// The body of a worker thread: compares trees until there are no more jobs.
fn compare_trees<T>(
    jobs: &Mutex<Receiver<Vec<CommitJob>>>,
    done: &SyncSender<Result<ThreadOutput<T>>>,
    maps: &PackMaps,
    convert: &impl Fn(RawCommit) -> T,
) {
    let mut held = None;
    loop {
        let next = jobs.lock().map_err(|_| ()).and_then(|jobs| jobs.recv().map_err(|_| ()));
        let Ok(batch) = next else { break };
        let repository = maps.current(&mut held, true);
        let mut out = ThreadOutput { converted: Vec::with_capacity(batch.len()), unreadable: Vec::new() };
        for job in &batch {
            match repository.read_commit(job) {
                Ok(raw) => out.converted.push(convert(raw)),
                // Its tree or its parent's is missing (shallow or partial clone) and is tried again later, or it
                // changes more paths than can be held.
                Err(error) => {
                    tracing::debug!(commit = %job.id, %error, "a commit cannot be compared yet");
                    out.unreadable.push(job.id);
                }
            }
        }
        if done.send(Ok(out)).is_err() {
            break;
        }
    }
}

/// A walk from the heads to the known commits, newest first.
struct HistoryWalk<'m> {
    maps: &'m PackMaps,
    jobs: SyncSender<Vec<CommitJob>>,
    found: &'m AtomicU64,
    held: Option<(u64, Repository)>,
    batch: Vec<CommitJob>,
    shallow: HashSet<ObjectId>,
    /// The tree of every commit that was reached; `None` if the commit is missing.
    trees: HashMap<ObjectId, Option<ObjectId>>,
    /// Commits that wait until their only parent is reached, by parent.
    waiting: HashMap<ObjectId, Vec<(ObjectId, Vec<u8>)>>,
    pending: Vec<ObjectId>,
}

impl<'m> HistoryWalk<'m> {
    fn new(maps: &'m PackMaps, jobs: SyncSender<Vec<CommitJob>>, found: &'m AtomicU64) -> Result<Self> {
        let mut held = None;
        let shallow = maps.current(&mut held, false).shallow_boundary()?.into_iter().collect();
        let (batch, trees, waiting, pending) = (Vec::new(), HashMap::new(), HashMap::new(), Vec::new());
        Ok(HistoryWalk { maps, jobs, found, held, batch, shallow, trees, waiting, pending })
    }

    /// Sends every unknown commit to the worker threads and returns those that cannot be compared.
    fn run(
        mut self,
        heads: &[ObjectId],
        mut known: impl FnMut(&ObjectId) -> Result<Recorded>,
        stop: &AtomicBool,
    ) -> Result<Vec<ObjectId>> {
        let mut queue: BinaryHeap<(i64, ObjectId)> = BinaryHeap::new();
        let mut nodes: HashMap<ObjectId, (Vec<ObjectId>, Vec<u8>)> = HashMap::new();
        let mut arrivals: Vec<ObjectId> = heads.to_vec();
        let mut read = 0;
        while !stop.load(Ordering::Relaxed) {
            for id in arrivals.drain(..) {
                if self.trees.contains_key(&id) {
                    continue;
                }
                let mut data = Vec::new();
                let node = self.maps.current(&mut self.held, false).read_node(id, &mut data);
                self.note_tree(id, node.as_ref().map(|node| node.tree));
                match node {
                    Some(node) => {
                        queue.push((node.time, id));
                        nodes.insert(id, (node.parents, data));
                    }
                    // Only a merge can be stored without one of its parents; that parent is tried again later.
                    None => self.pending.push(id),
                }
            }
            let Some((_, id)) = queue.pop() else { break };
            let (parents, data) = nodes.remove(&id).expect("what is queued was read");
            let has = known(&id)?;
            if has == Recorded::WithAncestors {
                continue;
            }
            if has == Recorded::No {
                self.schedule(id, &parents, data);
            }
            if !self.shallow.contains(&id) {
                arrivals.extend(parents);
            }
            read += 1;
            if read % REMAP_INTERVAL == 0 {
                self.maps.renew();
            }
        }
        self.flush();
        Ok(self.pending)
    }

    /// Sends a commit to the workers if the tree to compare with is known; otherwise it waits for its parent.
    fn schedule(&mut self, id: ObjectId, parents: &[ObjectId], data: Vec<u8>) {
        match parents {
            [] => self.send(CommitJob { id, data, base: Base::Empty }),
            _ if self.shallow.contains(&id) => self.pending.push(id),
            [parent] => match self.trees.get(parent) {
                Some(Some(tree)) => self.send(CommitJob { id, data, base: Base::Parent(*tree) }),
                Some(None) => self.pending.push(id),
                None => self.waiting.entry(*parent).or_default().push((id, data)),
            },
            _ => self.send(CommitJob { id, data, base: Base::Merge }),
        }
    }

    /// Records a commit's tree, and sends the commits that waited for it.
    fn note_tree(&mut self, commit: ObjectId, tree: Option<ObjectId>) {
        self.trees.insert(commit, tree);
        for (id, data) in self.waiting.remove(&commit).unwrap_or_default() {
            match tree {
                Some(tree) => self.send(CommitJob { id, data, base: Base::Parent(tree) }),
                None => self.pending.push(id),
            }
        }
    }

    /// Adds a job to the batch, and sends the batch if it is full.
    fn send(&mut self, job: CommitJob) {
        self.found.fetch_add(1, Ordering::Relaxed);
        self.batch.push(job);
        if self.batch.len() == BATCH {
            self.flush();
        }
    }

    /// Sends the current batch.
    fn flush(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        if !batch.is_empty() {
            // The receiver is gone if storing failed, and that is the error to report.
            let _ = self.jobs.send(batch);
        }
    }
}

/// Formats a name and an address as `Name <email>`.
fn person(name: &[u8], email: &[u8]) -> String {
    format!("{} <{}>", to_utf8(name), to_utf8(email))
}

/// Decodes UTF-8. Anything else is read as Latin-1, the most common of the old encodings, so that no byte is lost.
fn to_utf8(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_string(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}
