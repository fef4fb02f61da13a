//! Files of a tree, contents of blobs, and the mailmap. A blob that is larger than the caller's limit is not read.

use anyhow::{Result, anyhow};
use gix::ObjectId;
use gix::bstr::{BStr, BString};

use super::Repository;

/// A regular file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFile {
    /// The path from the root of the tree, as the bytes that git stores.
    pub path: BString,
    /// The id of its blob.
    pub id: ObjectId,
}

/// The result of reading a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blob {
    /// The whole content.
    Bytes(Vec<u8>),
    /// Larger than the limit; the size in bytes.
    TooLarge(u64),
    /// The object is not in the local object database, as in a partial clone. It is never fetched.
    Missing,
}

impl Repository {
    /// Lists every regular file of a tree, sorted by path.
    ///
    /// Symbolic links and submodules are left out.
    ///
    /// # Errors
    /// A [`UserError`](crate::error::UserError) if the tree has more entries than [`diff_trees`](Self::diff_trees)
    /// reads.
    pub fn files(&self, tree: ObjectId) -> Result<Vec<TreeFile>> {
        let changes = self.diff_trees(None, Some(tree))?;
        let files = changes.into_iter().filter_map(|change| {
            let side = change.new.filter(|side| side.is_file)?;
            Some(TreeFile { path: change.path, id: side.id })
        });
        Ok(files.collect())
    }

    /// Reads a blob of at most `limit` bytes.
    pub fn blob(&self, id: ObjectId, limit: u64) -> Result<Blob> {
        let Some(size) = self.blob_size(id) else { return Ok(Blob::Missing) };
        if size > limit {
            return Ok(Blob::TooLarge(size));
        }
        let Ok(Some(object)) = self.gix.try_find_object(id) else { return Ok(Blob::Missing) };
        Ok(Blob::Bytes(object.detach().data))
    }

    /// Returns the size of a blob in bytes; `None` if the object is missing.
    pub fn blob_size(&self, id: ObjectId) -> Option<u64> {
        self.gix.try_find_header(id).ok().flatten().map(|header| header.size())
    }

    /// Returns the id of the blob at a path of a tree; `None` if there is no regular file at that path.
    pub fn blob_at(&self, tree: ObjectId, path: &[u8]) -> Result<Option<ObjectId>> {
        let tree = self.gix.find_tree(tree).map_err(|error| anyhow!("reading tree {tree}: {error}"))?;
        let entry =
            tree.lookup_entry(path.split(|byte| *byte == b'/')).map_err(|error| anyhow!("reading a tree: {error}"))?;
        Ok(entry.filter(|entry| entry.mode().is_blob()).map(|entry| entry.object_id()))
    }

    /// Reads the `.mailmap` of a tree.
    ///
    /// A mailmap that is only named in this machine's configuration is ignored, so that answers are the same on every
    /// machine.
    pub fn mailmap(&self, tree: ObjectId) -> Result<Mailmap> {
        let bytes = match self.blob_at(tree, b".mailmap")? {
            Some(id) => match self.blob(id, MAILMAP_LIMIT)? {
                Blob::Bytes(bytes) => bytes,
                Blob::TooLarge(_) | Blob::Missing => Vec::new(),
            },
            None => Vec::new(),
        };
        Ok(Mailmap(gix::mailmap::Snapshot::from_bytes(&bytes)))
    }
}

/// The largest `.mailmap` that is read, in bytes.
const MAILMAP_LIMIT: u64 = 4 << 20;

/// The mailmap: which names and addresses belong to the same person.
pub struct Mailmap(gix::mailmap::Snapshot);

impl Mailmap {
    /// Returns a mailmap without entries.
    pub fn empty() -> Self {
        Mailmap(gix::mailmap::Snapshot::default())
    }

    /// Returns the canonical name and address of a person.
    pub fn resolve(&self, name: &str, email: &str) -> (String, String) {
        let signature = gix::actor::SignatureRef { name: BStr::new(name), email: BStr::new(email), time: "0 +0000" };
        let resolved = self.0.resolve_cow(signature);
        (resolved.name.to_string(), resolved.email.to_string())
    }
}
