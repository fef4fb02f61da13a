//! History as facts need it: the commits the log does not know, newest first, each with its message and raw
//! differences. Refuses to decide what a commit means.

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard};

use anyhow::{Context, Result, anyhow};
use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::objs::CommitRefIter;

use super::{RawChange, Repository, Shared};

/// A commit as read from the object database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawCommit {
    /// Its id.
    pub id: ObjectId,
    /// Its parents, in order.
    pub parents: Vec<ObjectId>,
    /// `Name <email>` as written, any encoding brought to UTF-8.
    pub author: String,
    /// `Name <email>` as written, any encoding brought to UTF-8.
    pub committer: String,
    /// Unix seconds.
    pub author_time: i64,
    /// Unix seconds.
    pub committer_time: i64,
    /// The whole message, brought to UTF-8.
    pub message: String,
    /// Differences to the only parent or the empty tree; empty for merges.
    pub changes: Vec<RawChange>,
}

/// What the log has of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Nothing.
    No,
    /// The commit, but perhaps not all that came before it.
    Alone,
    /// The commit and all that came before it.
    WithAncestors,
}

/// What a reading found beside the commits it handed over.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Commits handed over.
    pub commits: u64,
    /// Commits that cannot be told yet: a parent's tree is not here (a shallow boundary, a missing object), or too large.
    pub pending: Vec<ObjectId>,
}

/// What a commit's tree is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    /// Nothing: a merge says nothing about files.
    Merge,
    /// The empty tree: a root commit.
    Empty,
    /// The tree of the only parent.
    Parent(ObjectId),
}

/// A commit that waits to be compared.
struct Job {
    id: ObjectId,
    data: Vec<u8>,
    base: Base,
}

/// Commits that one thread takes at a time. They stay in order and near in time, because packs store an older
/// tree as a difference to a newer one, and the newer one is then at hand.
const SPAN: usize = 512;
/// Commits after which the packs are mapped anew: what is mapped counts as this process's memory, though the
/// system could take it back.
const REMAP: u64 = 12_000;

impl Repository {
    /// Reads every commit that the heads reach and the log does not know, newest first; compares trees on several
    /// threads, turns each commit into what the caller wants, and hands the results over on a thread of its own,
    /// with the number of commits found so far. Spans can overtake one another.
    pub fn read_history<T: Send>(
        &self,
        heads: &[ObjectId],
        known: impl FnMut(&ObjectId) -> Result<Known>,
        turn: impl Fn(RawCommit) -> T + Sync,
        stop: &AtomicBool,
        mut take: impl FnMut(Vec<T>, u64) -> Result<()> + Send,
    ) -> Result<Reading> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let maps = Maps::new(self);
        let found = AtomicU64::new(0);
        std::thread::scope(|scope| {
            let (send_jobs, jobs) = sync_channel::<Vec<Job>>(2);
            let (send_done, done) = sync_channel::<Result<Span<T>>>(2 * threads);
            let jobs = std::sync::Arc::new(Mutex::new(jobs));
            for _ in 0..threads {
                let (jobs, send_done, maps, turn) = (jobs.clone(), send_done.clone(), &maps, &turn);
                scope.spawn(move || compare(&jobs, &send_done, maps, turn));
            }
            drop((jobs, send_done));
            let found = &found;
            let taker = scope.spawn(move || -> Result<Reading> {
                let mut reading = Reading::default();
                for span in done {
                    let span = span?;
                    reading.commits += span.turned.len() as u64;
                    reading.pending.extend(span.unreadable);
                    take(span.turned, found.load(Ordering::Relaxed))?;
                }
                Ok(reading)
            });
            let walked = Walk::new(&maps, send_jobs, found)?.run(heads, known, stop);
            let mut reading = taker.join().map_err(|_| anyhow!("the thread that takes commits in panicked"))??;
            reading.pending.extend(walked?);
            reading.pending.sort_unstable();
            reading.pending.dedup();
            Ok(reading)
        })
    }

    /// How many commits the heads reach that are not known, a pending one included.
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

    /// Commits that a shallow clone cuts off from their parents, sorted.
    pub fn shallow_boundary(&self) -> Result<Vec<ObjectId>> {
        let commits = self.gix.shallow_commits().map_err(|error| anyhow!("reading the shallow boundary: {error}"))?;
        let mut boundary: Vec<ObjectId> = commits.iter().flat_map(|commits| commits.iter().copied()).collect();
        boundary.sort_unstable();
        boundary.dedup();
        Ok(boundary)
    }

    /// The parents of a commit; none where it is not here.
    pub fn parents_of(&self, id: ObjectId) -> Vec<ObjectId> {
        self.read_node(id, &mut Vec::new()).map(|node| node.parents).unwrap_or_default()
    }

    fn read_node(&self, id: ObjectId, buffer: &mut Vec<u8>) -> Option<Node> {
        use gix::objs::Find as _;
        let data = self.gix.objects.try_find(&id, buffer).ok()??;
        if data.kind != gix::object::Kind::Commit {
            return None;
        }
        let mut iter = CommitRefIter::from_bytes(data.data, id.kind());
        let tree = iter.tree_id().ok()?;
        let parents = iter.parent_ids().collect();
        // A line that does not name a person rightly still stands in history, and so does what comes before it.
        let time = iter.committer().map_or(0, |committer| committer.seconds());
        Some(Node { tree, parents, time })
    }

    fn read_commit(&self, job: &Job) -> Result<RawCommit> {
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

/// Who and when, from a header of a commit: `Name <email>` as written and Unix seconds. A line that git would call
/// malformed gives what there is of it.
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

/// A commit's place in history.
struct Node {
    tree: ObjectId,
    parents: Vec<ObjectId>,
    time: i64,
}

/// What a thread made of its jobs.
struct Span<T> {
    turned: Vec<T>,
    unreadable: Vec<ObjectId>,
}

/// The packs as they are mapped at present; mapped anew from time to time.
struct Maps {
    generation: AtomicU64,
    shared: Mutex<Shared>,
}

impl Maps {
    fn new(repository: &Repository) -> Self {
        Maps { generation: AtomicU64::new(0), shared: Mutex::new(repository.reopened()) }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn renew(&self) {
        let mut shared = self.shared();
        let fresh = shared.open().reopened();
        *shared = fresh;
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// This thread's handle, opened again where the maps are newer than it; with caches for comparing trees.
    fn current<'a>(&self, held: &'a mut Option<(u64, Repository)>, trees: bool) -> &'a Repository {
        let generation = self.generation.load(Ordering::Acquire);
        let stale = held.as_ref().is_none_or(|(opened, _)| *opened != generation);
        if stale {
            // The old one first: two maps at once would be the memory that this is to spare.
            *held = None;
            let opened = self.shared().open();
            *held = Some((generation, if trees { opened.with_pack_cache() } else { opened }));
        }
        &held.as_ref().expect("it was just opened").1
    }
}

/// A thread that compares trees until there are no more jobs.
fn compare<T>(
    jobs: &Mutex<Receiver<Vec<Job>>>,
    done: &SyncSender<Result<Span<T>>>,
    maps: &Maps,
    turn: &impl Fn(RawCommit) -> T,
) {
    let mut held = None;
    loop {
        let next = jobs.lock().map_err(|_| ()).and_then(|jobs| jobs.recv().map_err(|_| ()));
        let Ok(span) = next else { break };
        let repository = maps.current(&mut held, true);
        let mut out = Span { turned: Vec::with_capacity(span.len()), unreadable: Vec::new() };
        for job in &span {
            match repository.read_commit(job) {
                Ok(raw) => out.turned.push(turn(raw)),
                // A tree of it or of its parent is not here: a shallow or partial clone. It is tried again. Or it changes
                // more than can be held, and waits for a patina that can.
                Err(error) => {
                    tracing::debug!(commit = %job.id, %error, "a commit cannot be told yet");
                    out.unreadable.push(job.id);
                }
            }
        }
        if done.send(Ok(out)).is_err() {
            break;
        }
    }
}

/// A walk from the heads to what is known, newest commits first.
struct Walk<'m> {
    maps: &'m Maps,
    jobs: SyncSender<Vec<Job>>,
    found: &'m AtomicU64,
    held: Option<(u64, Repository)>,
    span: Vec<Job>,
    shallow: HashSet<ObjectId>,
    /// The tree of every commit that was reached; none where it is not here.
    trees: HashMap<ObjectId, Option<ObjectId>>,
    /// Commits whose only parent has not been reached yet.
    waiting: HashMap<ObjectId, Vec<(ObjectId, Vec<u8>)>>,
    pending: Vec<ObjectId>,
}

impl<'m> Walk<'m> {
    fn new(maps: &'m Maps, jobs: SyncSender<Vec<Job>>, found: &'m AtomicU64) -> Result<Self> {
        let mut held = None;
        let shallow = maps.current(&mut held, false).shallow_boundary()?.into_iter().collect();
        let (span, trees, waiting, pending) = (Vec::new(), HashMap::new(), HashMap::new(), Vec::new());
        Ok(Walk { maps, jobs, found, held, span, shallow, trees, waiting, pending })
    }

    /// Sends every unknown commit to be compared, and returns those that cannot be.
    fn run(
        mut self,
        heads: &[ObjectId],
        mut known: impl FnMut(&ObjectId) -> Result<Known>,
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
                self.reach(id, node.as_ref().map(|node| node.tree));
                match node {
                    Some(node) => {
                        queue.push((node.time, id));
                        nodes.insert(id, (node.parents, data));
                    }
                    // Only a merge goes on without one of its parents: that side is looked for again later.
                    None => self.pending.push(id),
                }
            }
            let Some((_, id)) = queue.pop() else { break };
            let (parents, data) = nodes.remove(&id).expect("what is queued was read");
            let has = known(&id)?;
            if has == Known::WithAncestors {
                continue;
            }
            if has == Known::No {
                self.place(id, &parents, data);
            }
            if !self.shallow.contains(&id) {
                arrivals.extend(parents);
            }
            read += 1;
            if read % REMAP == 0 {
                self.maps.renew();
            }
        }
        self.flush();
        Ok(self.pending)
    }

    /// Sends a commit off if what it is compared with is known by now, else lets it wait for its parent.
    fn place(&mut self, id: ObjectId, parents: &[ObjectId], data: Vec<u8>) {
        match parents {
            [] => self.send(Job { id, data, base: Base::Empty }),
            _ if self.shallow.contains(&id) => self.pending.push(id),
            [parent] => match self.trees.get(parent) {
                Some(Some(tree)) => self.send(Job { id, data, base: Base::Parent(*tree) }),
                Some(None) => self.pending.push(id),
                None => self.waiting.entry(*parent).or_default().push((id, data)),
            },
            _ => self.send(Job { id, data, base: Base::Merge }),
        }
    }

    /// Notes a commit's tree, and lets go of those that waited for it.
    fn reach(&mut self, commit: ObjectId, tree: Option<ObjectId>) {
        self.trees.insert(commit, tree);
        for (id, data) in self.waiting.remove(&commit).unwrap_or_default() {
            match tree {
                Some(tree) => self.send(Job { id, data, base: Base::Parent(tree) }),
                None => self.pending.push(id),
            }
        }
    }

    fn send(&mut self, job: Job) {
        self.found.fetch_add(1, Ordering::Relaxed);
        self.span.push(job);
        if self.span.len() == SPAN {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let span = std::mem::take(&mut self.span);
        if !span.is_empty() {
            // Nobody listens any more when taking in failed; that error is the one to report.
            let _ = self.jobs.send(span);
        }
    }
}

fn person(name: &[u8], email: &[u8]) -> String {
    format!("{} <{}>", to_utf8(name), to_utf8(email))
}

/// UTF-8 as it is; anything else is read as Latin-1, the commonest of the old encodings, so that no byte is lost.
fn to_utf8(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_string(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}
