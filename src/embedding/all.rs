//! Many texts to their vectors: what is known is looked up, the rest is embedded. Refuses to keep anything itself: it hands
//! on what is new while it goes, so that whoever stops it loses little.

use std::sync::atomic::AtomicBool;

use anyhow::Result;

use super::cache::{Cached, Embeddings};
use super::model::Setup;
use super::queue::embed_all;
use super::text::hash_of;
use super::vector::{Embedding, Rows};
use crate::error::interrupted;

/// Embeddings that were not known, by the hash of their text.
pub type New = Vec<([u8; 16], Embedding)>;

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
    /// Told how many of how many are in; says whether to go on.
    pub going_on: &'a dyn Fn(u64, u64) -> bool,
    /// Given what is new, some at a time.
    pub keep: &'a dyn Fn(New) -> Result<()>,
}

/// New ones handed on at a time: some seconds of work.
const AT_A_TIME: usize = 512;

impl Embedder<'_> {
    /// The vectors of texts, one a text and all 0 where the model makes nothing of it.
    ///
    /// # Errors
    /// A [`crate::error::UserError`] where it was stopped.
    pub fn look_up(&self, texts: &[String]) -> Result<Rows> {
        let width = self.setup.identity.width;
        let mut rows = Rows { width, values: vec![0.0; width * texts.len()] };
        let mut put = |place: usize, embedding: &Embedding| {
            rows.row_mut(place as u32).copy_from_slice(&embedding.0.to_f32());
        };
        let mut unknown = Vec::new();
        for (place, text) in texts.iter().enumerate() {
            match self.known.map(|known| known.load(&hash_of(text))).transpose()? {
                Some(Cached::Known(embedding)) => put(place, &embedding),
                _ => unknown.push(place),
            }
        }
        let (total, mut done) = (unknown.len() as u64, 0);
        let (mut new, mut is_going_on) = (New::new(), true);
        let wanted = unknown.iter().map(|place| Ok((*place, texts[*place].clone())));
        embed_all(self.setup, unknown.len(), self.sessions, self.stop, wanted, |one| {
            done += 1;
            if let Some(embedding) = one.embedding {
                put(one.key, &embedding);
                new.push((hash_of(&texts[one.key]), embedding));
            }
            if new.len() >= AT_A_TIME {
                (self.keep)(std::mem::take(&mut new))?;
            }
            is_going_on = (self.going_on)(done, total);
            Ok(is_going_on)
        })?;
        if !new.is_empty() {
            (self.keep)(new)?;
        }
        if done < total || !is_going_on { Err(interrupted().into()) } else { Ok(rows) }
    }
}
