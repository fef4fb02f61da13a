//! Trees as lists of files, blobs as bytes, and who is who. Refuses to read what is larger than asked for.

use anyhow::{Result, anyhow};
use gix::ObjectId;
use gix::bstr::{BStr, BString};

use super::Repository;

/// A file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFile {
    /// Bytes as git has them, from the top of the tree.
    pub path: BString,
    /// Its blob.
    pub id: ObjectId,
}

/// What reading a blob gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blob {
    /// All of it.
    Bytes(Vec<u8>),
    /// It is larger than the limit; its size in bytes.
    TooLarge(u64),
    /// The object is not here, as in a partial clone. It is never fetched.
    Missing,
}

impl Repository {
    /// Every regular file of a tree, by path. Symbolic links and submodules are no files.
    ///
    /// # Errors
    /// A [`UserError`](crate::error::UserError) where there are more than can be held.
    pub fn files(&self, tree: ObjectId) -> Result<Vec<TreeFile>> {
        let changes = self.diff_trees(None, Some(tree))?;
        let files = changes.into_iter().filter_map(|change| {
            let side = change.new.filter(|side| side.is_file)?;
            Some(TreeFile { path: change.path, id: side.id })
        });
        Ok(files.collect())
    }

    /// A blob's bytes, if there are no more than the limit.
    pub fn blob(&self, id: ObjectId, limit: u64) -> Result<Blob> {
        let Some(size) = self.blob_size(id) else { return Ok(Blob::Missing) };
        if size > limit {
            return Ok(Blob::TooLarge(size));
        }
        let Ok(Some(object)) = self.gix.try_find_object(id) else { return Ok(Blob::Missing) };
        Ok(Blob::Bytes(object.detach().data))
    }

    /// How many bytes a blob has; none where it is not here.
    pub fn blob_size(&self, id: ObjectId) -> Option<u64> {
        self.gix.try_find_header(id).ok().flatten().map(|header| header.size())
    }

    /// The blob at a path of a tree; none where there is no regular file.
    pub fn blob_at(&self, tree: ObjectId, path: &[u8]) -> Result<Option<ObjectId>> {
        let tree = self.gix.find_tree(tree).map_err(|error| anyhow!("reading tree {tree}: {error}"))?;
        let entry =
            tree.lookup_entry(path.split(|byte| *byte == b'/')).map_err(|error| anyhow!("reading a tree: {error}"))?;
        Ok(entry.filter(|entry| entry.mode().is_blob()).map(|entry| entry.object_id()))
    }

    /// The `.mailmap` of a tree. What only this machine's configuration names is left out, so that answers travel.
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

/// A mailmap is a list of people; one larger than this is something else.
const MAILMAP_LIMIT: u64 = 4 << 20;

/// Who is who.
pub struct Mailmap(gix::mailmap::Snapshot);

impl Mailmap {
    /// A map that knows nobody.
    pub fn empty() -> Self {
        Mailmap(gix::mailmap::Snapshot::default())
    }

    /// The name and address that a person goes by.
    pub fn resolve(&self, name: &str, email: &str) -> (String, String) {
        let signature = gix::actor::SignatureRef { name: BStr::new(name), email: BStr::new(email), time: "0 +0000" };
        let resolved = self.0.resolve_cow(signature);
        (resolved.name.to_string(), resolved.email.to_string())
    }
}
