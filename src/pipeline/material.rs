//! What a repository is learned from and measured on: read from the caches, git and the embeddings that are known.
//! Refuses to write: what had to be embedded is given back, to be kept by who holds the lock.

use std::sync::atomic::AtomicBool;

use anyhow::Result;
use rusqlite::Connection;

use crate::embedding::{Embedding, Embeddings, Setup, look_up};
use crate::evaluation::{Material, Reading, Split};
use crate::eventlog;
use crate::git::Head;
use crate::history::{self, Timeline};

/// How texts become vectors.
pub struct Embedder<'a> {
    /// The model.
    pub setup: &'a Setup,
    /// What is known already.
    pub known: Option<&'a Embeddings>,
    /// Most sessions of the model at a time.
    pub sessions: usize,
    /// Set when the person wants to stop.
    pub stop: &'a AtomicBool,
    /// Told how many of how many are in.
    pub progress: &'a dyn Fn(u64, u64),
}

/// Embeddings that were not known, by the hash of their text.
pub type New = Vec<([u8; 16], Embedding)>;

/// Reads all that is learned from; with the hashes and embeddings of texts that were not known. `cache` has the log
/// attached as `log`; `split` parts the history.
pub fn material(
    cache: &Connection,
    reading: &Reading<'_>,
    head: Head,
    split: fn(&Timeline) -> Split,
    embedder: &Embedder<'_>,
) -> Result<(Material, New)> {
    let people = history::people_of(cache, &reading.repository.mailmap(head.tree)?)?;
    let read = |seq| eventlog::data(cache, seq);
    let timeline = history::timeline(cache, &people, read, |path| !reading.config.ignores(path))?;
    let split = split(&timeline);
    let mut new = Vec::new();
    let material = Material::read(reading, timeline, split, head.commit, |texts| {
        let Embedder { setup, known, sessions, stop, progress } = *embedder;
        let looked = look_up(setup, known, texts, sessions, stop, progress)?;
        new = looked.new;
        Ok(looked.rows)
    })?;
    Ok((material, new))
}
