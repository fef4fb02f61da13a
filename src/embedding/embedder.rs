//! Embeds many texts: looks up the cached embeddings and runs the model on the rest.
//!
//! It stores nothing itself: new embeddings are handed to the caller while it runs, so that little is lost if it is
//! stopped.

use std::sync::atomic::AtomicBool;

use anyhow::Result;

use super::embedding_cache::{CachedEmbedding, EmbeddingCache};
use super::model::Setup;
use super::queue::embed_all;
use super::text::hash_of;
use super::vector::{Embedding, VectorRows};
use crate::error::interrupted;

/// Embeddings that were not in the cache, by the hash of their text.
pub type NewEmbeddings = Vec<([u8; 16], Embedding)>;

/// Embeds texts with a model and a cache.
pub struct Embedder<'a> {
    /// The model.
    pub setup: &'a Setup,
    /// The cache to look up; `None` embeds everything.
    pub known: Option<&'a EmbeddingCache>,
    /// Most parallel model sessions.
    pub sessions: usize,
    /// Set when the user wants to stop.
    pub stop: &'a AtomicBool,
    /// Called with the number of embedded texts and their total; returns whether to continue.
    pub should_continue: &'a dyn Fn(u64, u64) -> bool,
    /// Called with new embeddings, in batches, to store them.
    pub keep: &'a dyn Fn(NewEmbeddings) -> Result<()>,
}

/// New embeddings per call of [`Embedder::keep`]: some seconds of work.
const BATCH: usize = 512;

impl Embedder<'_> {
    /// Returns the base embedding of each text, a row of zeros if the model produced none.
    ///
    /// # Errors
    /// A [`crate::error::UserError`] if it was stopped.
    pub fn look_up(&self, texts: &[String]) -> Result<VectorRows> {
        let width = self.setup.identity.width;
        let mut rows = VectorRows { width, values: vec![0.0; width * texts.len()] };
        let mut put = |place: usize, embedding: &Embedding| {
            rows.row_mut(place as u32).copy_from_slice(&embedding.0.to_f32());
        };
        let mut unknown = Vec::new();
        for (place, text) in texts.iter().enumerate() {
            match self.known.map(|known| known.load(&hash_of(text))).transpose()? {
                Some(CachedEmbedding::Known(embedding)) => put(place, &embedding),
                _ => unknown.push(place),
            }
        }
        let (total, mut done) = (unknown.len() as u64, 0);
        let (mut new, mut continues) = (NewEmbeddings::new(), true);
        let wanted = unknown.iter().map(|place| Ok((*place, texts[*place].clone())));
        embed_all(self.setup, unknown.len(), self.sessions, self.stop, wanted, |one| {
            done += 1;
            if let Some(embedding) = one.embedding {
                put(one.key, &embedding);
                new.push((hash_of(&texts[one.key]), embedding));
            }
            if new.len() >= BATCH {
                (self.keep)(std::mem::take(&mut new))?;
            }
            continues = (self.should_continue)(done, total);
            Ok(continues)
        })?;
        if !new.is_empty() {
            (self.keep)(new)?;
        }
        if done < total || !continues { Err(interrupted().into()) } else { Ok(rows) }
    }
}
