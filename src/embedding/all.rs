//! Many texts to their vectors: what is known is looked up, the rest is embedded. Refuses to keep anything itself.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;

use anyhow::Result;

use super::cache::{Cached, Embeddings};
use super::model::Setup;
use super::queue::embed_all;
use super::text::hash_of;
use super::vector::{Embedding, Rows};

/// The vectors of texts, one a text and all 0 where the model makes nothing of it; and those that were not known.
#[derive(Debug)]
pub struct Looked {
    /// By text.
    pub rows: Rows,
    /// Hash of the text and its embedding.
    pub new: Vec<([u8; 16], Embedding)>,
}

/// Looks texts up and embeds what is not known; `progress` is told how many of how many are in.
pub fn look_up(
    setup: &Setup,
    known: Option<&Embeddings>,
    texts: &[String],
    sessions: usize,
    stop: &AtomicBool,
    progress: &dyn Fn(u64, u64),
) -> Result<Looked> {
    let mut rows = Rows { width: setup.identity.width, values: vec![0.0; setup.identity.width * texts.len()] };
    let mut put = |place: usize, embedding: &Embedding| {
        rows.row_mut(place as u32).copy_from_slice(&embedding.0.to_f32());
    };
    let mut unknown = Vec::new();
    for (place, text) in texts.iter().enumerate() {
        match known.map(|known| known.load(&hash_of(text))).transpose()? {
            Some(Cached::Known(embedding)) => put(place, &embedding),
            _ => unknown.push(place),
        }
    }
    let (total, mut done) = (unknown.len() as u64, 0);
    let mut found: HashMap<usize, Embedding> = HashMap::new();
    let wanted = unknown.iter().map(|place| Ok((*place, texts[*place].clone())));
    embed_all(setup, unknown.len(), sessions, stop, wanted, |one| {
        done += 1;
        progress(done, total);
        if let Some(embedding) = one.embedding {
            put(one.key, &embedding);
            found.insert(one.key, embedding);
        }
        Ok(true)
    })?;
    let mut new: Vec<(usize, Embedding)> = found.into_iter().collect();
    new.sort_by_key(|(place, _)| *place);
    let new = new.into_iter().map(|(place, embedding)| (hash_of(&texts[place]), embedding)).collect();
    Ok(Looked { rows, new })
}
