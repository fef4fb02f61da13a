//! Raw differences between two trees, without renames: what `git diff-tree -r --raw` prints. Refuses to
//! guess; renames are paired elsewhere, by object id.
//!
//! Two trees are compared as bytes: successive trees of a history are equal but for a few entries, and telling
//! that from their bytes takes a fraction of what reading every entry of both does.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::rc::Rc;

use anyhow::{Context, Result, anyhow, bail};
use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};
use gix::objs::Find;

use super::Repository;
use crate::error::{Exit, UserError};
use crate::event::Status;

/// Paths and folders that a difference goes through at most. A tree of a few kilobytes can name any number of files, where
/// one folder stands in it many times.
const MOST_PATHS: usize = 2_000_000;

/// A path's object on one side of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side {
    /// Blob, or a submodule's commit.
    pub id: ObjectId,
    /// True for a regular or executable file: what has content of its own.
    pub is_file: bool,
}

/// One changed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawChange {
    /// Bytes as git has them.
    pub path: BString,
    /// What happened.
    pub status: Status,
    /// Before; none where it was added.
    pub old: Option<Side>,
    /// After; none where it was deleted.
    pub new: Option<Side>,
}

impl Repository {
    /// The differences that lead from one tree to another, by path; no tree is the empty tree.
    ///
    /// # Errors
    /// A [`UserError`] where there are more than can be held.
    pub fn diff_trees(&self, old: Option<ObjectId>, new: Option<ObjectId>) -> Result<Vec<RawChange>> {
        let mut changes = Vec::new();
        let mut folders = vec![(BString::default(), old, new)];
        let mut seen = 0;
        while let Some((folder, old, new)) = folders.pop() {
            if old == new {
                continue;
            }
            let (old, new) = (self.tree_bytes(old)?, self.tree_bytes(new)?);
            let mut pair = Pair { hash: self.gix.object_hash().len_in_bytes(), old: &old, new: &new };
            while let Some((old, new)) = pair.next_difference()? {
                seen += 1;
                if seen > MOST_PATHS {
                    return Err(too_many().into());
                }
                let name = old.as_ref().or(new.as_ref()).map(|entry| entry.name).unwrap_or_default();
                let mut path = folder.clone();
                if !path.is_empty() {
                    path.push(b'/');
                }
                path.extend_from_slice(name);
                let id = |entry: &Option<Entry<'_>>| entry.as_ref().map(|entry| entry.id);
                if [&old, &new].into_iter().flatten().any(|entry| entry.kind == Kind::Tree) {
                    folders.push((path, id(&old), id(&new)));
                    continue;
                }
                let side = |entry: &Entry<'_>| Side { id: entry.id, is_file: entry.kind == Kind::File };
                let status = match (&old, &new) {
                    (None, _) => Status::A,
                    (_, None) => Status::D,
                    (Some(old), Some(new)) if old.kind == new.kind => Status::M,
                    _ => Status::T,
                };
                changes.push(RawChange { path, status, old: old.as_ref().map(side), new: new.as_ref().map(side) });
            }
        }
        // A file that gave way to a folder of its name comes before what is in the folder.
        changes.sort_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()));
        Ok(changes)
    }

    fn tree_bytes(&self, id: Option<ObjectId>) -> Result<Rc<[u8]>> {
        let Some(id) = id.filter(|id| !id.is_empty_tree()) else { return Ok(Rc::default()) };
        let mut trees = self.trees.borrow_mut();
        if let Some(known) = trees.find(&id) {
            return Ok(known);
        }
        // Decoding needs room for every delta on the way: the buffer is used again, and the tree copied out of it.
        let mut buffer = std::mem::take(&mut trees.buffer);
        let found = self.gix.objects.try_find(&id, &mut buffer);
        let found = found.map_err(|error| anyhow!("reading tree {id}: {error}"))?;
        let kind = found.map(|data| data.kind).with_context(|| format!("tree {id} is not here"))?;
        if kind != gix::object::Kind::Tree {
            bail!("{id} is no tree");
        }
        let bytes: Rc<[u8]> = buffer.as_slice().into();
        trees.keep(id, bytes.clone());
        trees.buffer = buffer;
        Ok(bytes)
    }
}

fn too_many() -> UserError {
    let message =
        format!("a tree has more than {MOST_PATHS} files and folders, or differs in as many from the one before");
    UserError::new(Exit::Failed, message)
        .hint("patina reads no more of one tree: what is generated or not yours can go into a repository of its own")
}

/// Trees read lately: each is read as a child's and as a parent's. Two generations, of which the older is dropped
/// whole when the younger is full.
#[derive(Default)]
pub(super) struct Trees {
    young: HashMap<ObjectId, Rc<[u8]>>,
    old: HashMap<ObjectId, Rc<[u8]>>,
    bytes: usize,
    buffer: Vec<u8>,
}

/// Bytes of a generation.
const GENERATION: usize = 6 << 20;

/// The trees that a handle keeps.
pub(super) type TreeCache = RefCell<Trees>;

impl Trees {
    fn find(&mut self, id: &ObjectId) -> Option<Rc<[u8]>> {
        if let Some(found) = self.young.get(id) {
            return Some(found.clone());
        }
        let found = self.old.remove(id)?;
        self.keep(*id, found.clone());
        Some(found)
    }

    fn keep(&mut self, id: ObjectId, bytes: Rc<[u8]>) {
        self.bytes += bytes.len();
        self.young.insert(id, bytes);
        if self.bytes > GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
    }
}

/// What an entry of a tree is. Between two modes of one kind git sees a modification, across kinds a change of type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Link,
    Submodule,
    Tree,
}

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry<'a> {
    kind: Kind,
    mode: &'a [u8],
    name: &'a [u8],
    id: ObjectId,
}

/// What is left of two trees, as bytes from an entry's beginning on.
struct Pair<'a> {
    hash: usize,
    old: &'a [u8],
    new: &'a [u8],
}

impl<'a> Pair<'a> {
    /// The next entry that is only on one side, or differs.
    fn next_difference(&mut self) -> Result<Option<(Option<Entry<'a>>, Option<Entry<'a>>)>> {
        loop {
            self.skip_equal();
            let (old, new) = (self.entry(self.old)?, self.entry(self.new)?);
            let order = match (&old, &new) {
                (None, None) => return Ok(None),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((old, _)), Some((new, _))) => in_tree_order(old, new),
            };
            let old = old.filter(|_| order != Ordering::Greater);
            let new = new.filter(|_| order != Ordering::Less);
            if let Some((_, length)) = &old {
                self.old = &self.old[*length..];
            }
            if let Some((_, length)) = &new {
                self.new = &self.new[*length..];
            }
            let (old, new) = (old.map(|(entry, _)| entry), new.map(|(entry, _)| entry));
            if old != new {
                return Ok(Some((old, new)));
            }
        }
    }

    /// Passes over the entries at the beginning that are the same bytes on both sides.
    fn skip_equal(&mut self) {
        let common = common_prefix(self.old, self.new);
        let mut passed = 0;
        while let Some(name_end) = self.old[passed..common].find_byte(0) {
            let end = passed + name_end + 1 + self.hash;
            if end > common {
                break;
            }
            passed = end;
        }
        (self.old, self.new) = (&self.old[passed..], &self.new[passed..]);
    }

    /// The first entry, and how many bytes it takes.
    fn entry(&self, bytes: &'a [u8]) -> Result<Option<(Entry<'a>, usize)>> {
        if bytes.is_empty() {
            return Ok(None);
        }
        let space = bytes.find_byte(b' ').context("a tree entry has no mode")?;
        let name_end = bytes.find_byte(0).filter(|end| *end > space).context("a tree entry has no name")?;
        let end = name_end + 1 + self.hash;
        let id = bytes.get(name_end + 1..end).context("a tree entry has no id")?;
        let id = ObjectId::try_from(id).map_err(|error| anyhow!("a tree entry has no id: {error}"))?;
        let mode = &bytes[..space];
        let kind = match mode {
            b"40000" | b"040000" => Kind::Tree,
            b"120000" => Kind::Link,
            b"160000" => Kind::Submodule,
            // Old trees hold modes such as 100664; git takes them for files.
            mode if mode.starts_with(b"100") => Kind::File,
            mode => bail!("a tree entry has the mode {}", mode.as_bstr()),
        };
        Ok(Some((Entry { kind, mode, name: &bytes[space + 1..name_end], id }, end)))
    }
}

/// Names in the order of a tree, where a folder's ends in a slash.
fn in_tree_order(a: &Entry<'_>, b: &Entry<'_>) -> Ordering {
    let shared = a.name.len().min(b.name.len());
    let next = |entry: &Entry<'_>| {
        let end = if entry.kind == Kind::Tree { b'/' } else { 0 };
        entry.name.get(shared).copied().unwrap_or(end)
    };
    a.name[..shared].cmp(&b.name[..shared]).then_with(|| next(a).cmp(&next(b)))
}

/// How many leading bytes are equal.
pub(super) fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    /// Compared at once.
    const STRIDE: usize = 64;
    let (strides_a, strides_b) = (a.as_chunks::<STRIDE>().0, b.as_chunks::<STRIDE>().0);
    let begin = STRIDE * strides_a.iter().zip(strides_b).take_while(|(a, b)| a == b).count();
    begin + a[begin..].iter().zip(&b[begin..]).take_while(|(a, b)| a == b).count()
}

/// How many bytes at the end are equal.
pub(super) fn common_suffix(a: &[u8], b: &[u8]) -> usize {
    /// Compared at once.
    const STRIDE: usize = 64;
    let (strides_a, strides_b) = (a.as_rchunks::<STRIDE>().1, b.as_rchunks::<STRIDE>().1);
    let end = STRIDE * strides_a.iter().rev().zip(strides_b.iter().rev()).take_while(|(a, b)| a == b).count();
    let rest = |bytes: &[u8]| bytes.len() - end;
    end + a[..rest(a)].iter().rev().zip(b[..rest(b)].iter().rev()).take_while(|(a, b)| a == b).count()
}
