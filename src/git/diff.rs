//! Raw differences between two trees, without renames, as `git diff-tree -r --raw` prints them. Renames are found
//! elsewhere, by object id.
//!
//! Trees are compared as bytes: successive trees of a history differ in a few entries, and skipping equal bytes takes a
//! fraction of the time of decoding every entry of both trees.

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

/// The largest number of differing paths and folders in one comparison.
///
/// A tree of a few kilobytes can contain any number of files, because one folder may occur in it many times.
const MAX_PATHS: usize = 2_000_000;

/// The object at a path on one side of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiffSide {
    /// The id of the blob, or of the submodule's commit.
    pub id: ObjectId,
    /// Whether it is a regular or executable file, which has content of its own.
    pub is_file: bool,
}

/// A changed path between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawChange {
    /// The path from the root, as the bytes that git stores.
    pub path: BString,
    /// The kind of change.
    pub status: Status,
    /// The object before the change; `None` if the path was added.
    pub old: Option<DiffSide>,
    /// The object after the change; `None` if the path was deleted.
    pub new: Option<DiffSide>,
}

impl Repository {
    /// Returns the changes that lead from one tree to another, sorted by path. `None` stands for the empty tree.
    ///
    /// # Errors
    /// A [`UserError`] if more than [`MAX_PATHS`] paths differ.
    pub fn diff_trees(&self, old: Option<ObjectId>, new: Option<ObjectId>) -> Result<Vec<RawChange>> {
        let mut changes = Vec::new();
        let mut folders = vec![(BString::default(), old, new)];
        let mut seen = 0;
        while let Some((folder, old, new)) = folders.pop() {
            if old == new {
                continue;
            }
            let (old, new) = (self.tree_bytes(old)?, self.tree_bytes(new)?);
            let mut pair = TreePair { hash: self.gix.object_hash().len_in_bytes(), old: &old, new: &new };
            while let Some((old, new)) = pair.next_difference()? {
                seen += 1;
                if seen > MAX_PATHS {
                    return Err(too_many_paths().into());
                }
                let name = old.as_ref().or(new.as_ref()).map(|entry| entry.name).unwrap_or_default();
                let mut path = folder.clone();
                if !path.is_empty() {
                    path.push(b'/');
                }
                path.extend_from_slice(name);
                let id = |entry: &Option<TreeEntry<'_>>| entry.as_ref().map(|entry| entry.id);
                if [&old, &new].into_iter().flatten().any(|entry| entry.kind == EntryKind::Tree) {
                    folders.push((path, id(&old), id(&new)));
                    continue;
                }
                let side = |entry: &TreeEntry<'_>| DiffSide { id: entry.id, is_file: entry.kind == EntryKind::File };
                let status = match (&old, &new) {
                    (None, _) => Status::A,
                    (_, None) => Status::D,
                    (Some(old), Some(new)) if old.kind == new.kind => Status::M,
                    _ => Status::T,
                };
                changes.push(RawChange { path, status, old: old.as_ref().map(side), new: new.as_ref().map(side) });
            }
        }
        // A file that was replaced by a folder with its name comes before the folder's content.
        changes.sort_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()));
        Ok(changes)
    }

    /// Reads the encoded entries of a tree, through the cache of recently read trees.
    fn tree_bytes(&self, id: Option<ObjectId>) -> Result<Rc<[u8]>> {
        let Some(id) = id.filter(|id| !id.is_empty_tree()) else { return Ok(Rc::default()) };
        let mut trees = self.trees.borrow_mut();
        if let Some(known) = trees.find(&id) {
            return Ok(known);
        }
        // Decoding needs space for every delta on the way, so the buffer is reused and the tree copied out of it.
        let mut buffer = std::mem::take(&mut trees.buffer);
        let found = self.gix.objects.try_find(&id, &mut buffer);
        let found = found.map_err(|error| anyhow!("reading tree {id}: {error}"))?;
        let kind = found.map(|data| data.kind).with_context(|| format!("tree {id} is missing"))?;
        if kind != gix::object::Kind::Tree {
            bail!("{id} is not a tree");
        }
        let bytes: Rc<[u8]> = buffer.as_slice().into();
        trees.insert(id, bytes.clone());
        trees.buffer = buffer;
        Ok(bytes)
    }
}

/// Returns the error for a comparison that exceeds [`MAX_PATHS`].
fn too_many_paths() -> UserError {
    let message =
        format!("a tree has more than {MAX_PATHS} files and folders, or differs in that many from its predecessor");
    UserError::new(Exit::Failed, message).hint("move generated or vendored files into a repository of their own")
}

/// Cache of recently read trees: each tree is needed twice, for a child and for a parent.
///
/// It has two generations. When the young one is full, the old one is dropped as a whole.
#[derive(Default)]
pub(super) struct RecentTrees {
    young: HashMap<ObjectId, Rc<[u8]>>,
    old: HashMap<ObjectId, Rc<[u8]>>,
    bytes: usize,
    buffer: Vec<u8>,
}

/// The size in bytes at which a generation of the cache is full.
const GENERATION_BYTES: usize = 6 << 20;

/// The tree cache of one repository handle.
pub(super) type TreeCache = RefCell<RecentTrees>;

impl RecentTrees {
    /// Returns a cached tree and moves it to the young generation.
    fn find(&mut self, id: &ObjectId) -> Option<Rc<[u8]>> {
        if let Some(found) = self.young.get(id) {
            return Some(found.clone());
        }
        let found = self.old.remove(id)?;
        self.insert(*id, found.clone());
        Some(found)
    }

    /// Adds a tree to the young generation.
    fn insert(&mut self, id: ObjectId, bytes: Rc<[u8]>) {
        self.bytes += bytes.len();
        self.young.insert(id, bytes);
        if self.bytes > GENERATION_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
    }
}

/// The kind of a tree entry.
///
/// git reports a change between two modes of the same kind as a modification, and between kinds as a change of type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EntryKind {
    File,
    Link,
    Submodule,
    Tree,
}

/// One decoded entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TreeEntry<'a> {
    kind: EntryKind,
    mode: &'a [u8],
    name: &'a [u8],
    id: ObjectId,
}

/// The entries of two trees that have not been compared yet, as encoded bytes.
struct TreePair<'a> {
    hash: usize,
    old: &'a [u8],
    new: &'a [u8],
}

impl<'a> TreePair<'a> {
    /// Returns the next entry that is on one side only or differs between the sides.
    fn next_difference(&mut self) -> Result<Option<(Option<TreeEntry<'a>>, Option<TreeEntry<'a>>)>> {
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

    /// Skips the leading entries whose bytes are equal on both sides.
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

    /// Decodes the first entry, and returns it with its length in bytes.
    fn entry(&self, bytes: &'a [u8]) -> Result<Option<(TreeEntry<'a>, usize)>> {
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
            b"40000" | b"040000" => EntryKind::Tree,
            b"120000" => EntryKind::Link,
            b"160000" => EntryKind::Submodule,
            // Old trees contain modes such as 100664, which git treats as files.
            mode if mode.starts_with(b"100") => EntryKind::File,
            mode => bail!("a tree entry has the mode {}", mode.as_bstr()),
        };
        Ok(Some((TreeEntry { kind, mode, name: &bytes[space + 1..name_end], id }, end)))
    }
}

/// Compares two entry names in tree order, where a folder's name ends in a slash.
fn in_tree_order(a: &TreeEntry<'_>, b: &TreeEntry<'_>) -> Ordering {
    let shared = a.name.len().min(b.name.len());
    let next = |entry: &TreeEntry<'_>| {
        let end = if entry.kind == EntryKind::Tree { b'/' } else { 0 };
        entry.name.get(shared).copied().unwrap_or(end)
    };
    a.name[..shared].cmp(&b.name[..shared]).then_with(|| next(a).cmp(&next(b)))
}

/// Returns the number of equal leading bytes.
pub(super) fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    /// The number of bytes compared at once.
    const STRIDE: usize = 64;
    let (strides_a, strides_b) = (a.as_chunks::<STRIDE>().0, b.as_chunks::<STRIDE>().0);
    let begin = STRIDE * strides_a.iter().zip(strides_b).take_while(|(a, b)| a == b).count();
    begin + a[begin..].iter().zip(&b[begin..]).take_while(|(a, b)| a == b).count()
}

/// Returns the number of equal trailing bytes.
pub(super) fn common_suffix(a: &[u8], b: &[u8]) -> usize {
    /// The number of bytes compared at once.
    const STRIDE: usize = 64;
    let (strides_a, strides_b) = (a.as_rchunks::<STRIDE>().1, b.as_rchunks::<STRIDE>().1);
    let end = STRIDE * strides_a.iter().rev().zip(strides_b.iter().rev()).take_while(|(a, b)| a == b).count();
    let rest = |bytes: &[u8]| bytes.len() - end;
    end + a[..rest(a)].iter().rev().zip(b[..rest(b)].iter().rev()).take_while(|(a, b)| a == b).count()
}
