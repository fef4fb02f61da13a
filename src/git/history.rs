//! History as facts need it: the commits the log does not know, parents before children, each with its
//! message and raw differences. Refuses to decide what a commit means.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use anyhow::{Context, Result, anyhow};
use gix::ObjectId;
use gix::objs::{CommitRef, CommitRefIter};

use super::{RawChange, Repository};

/// A commit's place in history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitNode {
    /// Its id.
    pub id: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
    /// Its parents, in order.
    pub parents: Vec<ObjectId>,
    /// Committer time, Unix seconds.
    pub time: i64,
}

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

/// What a walk found.
#[derive(Debug, Default)]
pub struct Unknown {
    /// Commits to take in, parents before children; the base of each is the tree it is compared with.
    pub commits: Vec<(CommitNode, Base)>,
    /// Commits that cannot be told yet: a parent's tree is not here (a shallow boundary, a missing object).
    pub pending: Vec<ObjectId>,
}

/// What a commit's tree is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// Nothing: a merge says nothing about files.
    Merge,
    /// The empty tree: a root commit.
    Empty,
    /// The tree of the only parent.
    Parent(ObjectId),
}

/// Commits that one thread takes at a time, read newest first because packs store older trees as
/// differences to newer ones.
const SPAN: usize = 512;

impl Repository {
    /// The commits that the heads reach and the log does not know.
    pub fn unknown_commits(
        &self,
        heads: &[ObjectId],
        mut known: impl FnMut(&ObjectId) -> Result<bool>,
    ) -> Result<Unknown> {
        let shallow = self.gix.shallow_commits().map_err(|error| anyhow!("reading the shallow boundary: {error}"))?;
        let shallow: HashSet<ObjectId> = shallow.iter().flat_map(|commits| commits.iter().copied()).collect();
        let mut nodes: HashMap<ObjectId, CommitNode> = HashMap::new();
        let mut queue: Vec<ObjectId> = heads.to_vec();
        let mut unreadable = HashSet::new();
        let mut buffer = Vec::new();
        while let Some(id) = queue.pop() {
            if nodes.contains_key(&id) || unreadable.contains(&id) || known(&id)? {
                continue;
            }
            match self.read_node(id, &mut buffer) {
                Some(node) => {
                    if !shallow.contains(&id) {
                        queue.extend(node.parents.iter().copied());
                    }
                    nodes.insert(id, node);
                }
                None => {
                    unreadable.insert(id);
                }
            }
        }
        let mut found = Unknown {
            pending: heads.iter().copied().filter(|id| unreadable.contains(id)).collect(),
            ..Unknown::default()
        };
        for node in parents_first(nodes.values()) {
            let base = match node.parents.as_slice() {
                [] => Some(Base::Empty),
                _ if shallow.contains(&node.id) => None,
                [parent] => nodes
                    .get(parent)
                    .map(|parent| parent.tree)
                    .or_else(|| self.tree_of(*parent))
                    .filter(|tree| self.has(*tree))
                    .map(Base::Parent),
                _ => Some(Base::Merge),
            };
            match base.filter(|_| self.has(node.tree)) {
                Some(base) => found.commits.push((node.clone(), base)),
                None => found.pending.push(node.id),
            }
        }
        Ok(found)
    }

    fn read_node(&self, id: ObjectId, buffer: &mut Vec<u8>) -> Option<CommitNode> {
        use gix::objs::Find as _;
        let data = self.gix.objects.try_find(&id, buffer).ok()??;
        if data.kind != gix::object::Kind::Commit {
            return None;
        }
        let mut iter = CommitRefIter::from_bytes(data.data, id.kind());
        let tree = iter.tree_id().ok()?;
        let parents = iter.parent_ids().collect();
        let time = iter.committer().ok()?.seconds();
        Some(CommitNode { id, tree, parents, time })
    }

    /// Reads commits on several threads, turns each into what the caller wants, and hands the results over
    /// in the order given, a span at a time, while the next are read.
    pub fn read_commits<T: Send>(
        &self,
        commits: &[(CommitNode, Base)],
        turn: impl Fn(RawCommit) -> T + Sync,
        stop: &AtomicBool,
        mut take: impl FnMut(Vec<T>) -> Result<()>,
    ) -> Result<()> {
        let spans: Vec<&[(CommitNode, Base)]> = commits.chunks(SPAN).collect();
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(spans.len()).max(1);
        let shared = self.shared();
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let (send, receive) = mpsc::sync_channel::<(usize, Result<Vec<T>>)>(2 * threads);
            for _ in 0..threads {
                let (send, shared, next, spans, turn) = (send.clone(), &shared, &next, &spans, &turn);
                scope.spawn(move || {
                    let repository = shared.open();
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(span) = spans.get(index) else { break };
                        if stop.load(Ordering::Relaxed) || send.send((index, repository.read_span(span, turn))).is_err()
                        {
                            break;
                        }
                    }
                });
            }
            drop(send);
            let mut waiting = BTreeMap::new();
            let mut wanted = 0;
            while let Ok((index, span)) = receive.recv() {
                waiting.insert(index, span?);
                while let Some(span) = waiting.remove(&wanted) {
                    take(span)?;
                    wanted += 1;
                }
            }
            Ok(())
        })
    }

    fn read_span<T>(&self, span: &[(CommitNode, Base)], turn: &impl Fn(RawCommit) -> T) -> Result<Vec<T>> {
        let mut out = Vec::with_capacity(span.len());
        for (node, base) in span.iter().rev() {
            let raw = self.read_commit(node, *base).with_context(|| format!("reading commit {}", node.id))?;
            out.push(turn(raw));
        }
        out.reverse();
        Ok(out)
    }

    fn read_commit(&self, node: &CommitNode, base: Base) -> Result<RawCommit> {
        let changes = match base {
            Base::Merge => Vec::new(),
            Base::Empty => self.diff_trees(None, Some(node.tree))?,
            Base::Parent(parent) => self.diff_trees(Some(parent), Some(node.tree))?,
        };
        let mut buffer = Vec::new();
        use gix::objs::FindExt as _;
        let commit: CommitRef<'_> =
            self.gix.objects.find_commit(&node.id, &mut buffer).map_err(|error| anyhow!("{error}"))?;
        let (author, committer) = (commit.author()?, commit.committer()?);
        Ok(RawCommit {
            id: node.id,
            parents: node.parents.clone(),
            author: person(author.name, author.email),
            committer: person(committer.name, committer.email),
            author_time: author.seconds(),
            committer_time: committer.seconds(),
            message: to_utf8(commit.message),
            changes,
        })
    }
}

/// Parents before children, older before newer, ties by id: one order for one set.
fn parents_first<'a>(nodes: impl Iterator<Item = &'a CommitNode> + Clone) -> Vec<&'a CommitNode> {
    let by_id: HashMap<ObjectId, &CommitNode> = nodes.clone().map(|node| (node.id, node)).collect();
    let mut children: HashMap<ObjectId, Vec<&CommitNode>> = HashMap::new();
    let mut missing: HashMap<ObjectId, usize> = HashMap::new();
    let mut ready = BinaryHeap::new();
    for node in nodes {
        let inside: HashSet<&ObjectId> = node.parents.iter().filter(|parent| by_id.contains_key(*parent)).collect();
        if inside.is_empty() {
            ready.push(Reverse((node.time, node.id)));
        }
        missing.insert(node.id, inside.len());
        for parent in inside {
            children.entry(*parent).or_default().push(node);
        }
    }
    let mut order = Vec::with_capacity(missing.len());
    while let Some(Reverse((_, id))) = ready.pop() {
        order.push(by_id[&id]);
        for child in children.remove(&id).unwrap_or_default() {
            let left = missing.get_mut(&child.id).expect("every node was entered above");
            *left -= 1;
            if *left == 0 {
                ready.push(Reverse((child.time, child.id)));
            }
        }
    }
    order
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
