//! Nearest-neighbour search over the segments and the delta of a space.
//!
//! Every candidate is scored by one dot product over the stored bytes. Invariant: no hit is returned whose stored
//! vector cannot be verified.

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension as _, named_params};

use super::delta;
use super::generation::{Generation, current};
use super::segment::{EXACT_BELOW, OpenSegment, Segment, segments};
use super::space::Space;
use crate::adapter::{self, Adapter};
use crate::embedding::{CachedEmbedding, EmbeddingCache, Projection, dot};
use crate::sqlite;
use crate::workspace::Workspace;

/// How many candidates are fetched per requested hit, since some belong to other views or kinds.
const OVERFETCH: usize = 2;
/// The fewest candidates that are fetched.
const MIN_CANDIDATES: usize = 64;

/// A text with its score for a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TextHit {
    /// The row id of the text.
    pub text: i64,
    /// The cosine similarity, from -1 to 1.
    pub score: f32,
}

/// Reads and searches the vectors of the generation in use.
pub struct VectorReader<'c> {
    cache: &'c Connection,
    generation: Option<Generation>,
    segments: PathBuf,
    adapters: PathBuf,
    embeddings: PathBuf,
    /// The opened segments by row id; `None` for a damaged one.
    opened: RefCell<HashMap<i64, Option<Rc<OpenSegment>>>>,
    embedding_cache: OnceCell<Option<EmbeddingCache>>,
}

impl<'c> VectorReader<'c> {
    /// Opens the generation in use, if there is one.
    pub fn open(cache: &'c Connection, workspace: &Workspace) -> Result<Self> {
        Ok(VectorReader {
            cache,
            generation: current(cache)?,
            segments: super::segment::dir(workspace),
            adapters: workspace.adapters_dir(),
            embeddings: workspace.embeddings_path(),
            opened: RefCell::default(),
            embedding_cache: OnceCell::new(),
        })
    }

    /// Returns the generation in use.
    pub fn generation(&self) -> Option<&Generation> {
        self.generation.as_ref()
    }

    /// Returns the cache database it reads.
    pub fn cache(&self) -> &'c Connection {
        self.cache
    }

    /// Opens every segment now, instead of at the first search.
    pub fn open_segments(&self) -> Result<()> {
        for space in self.generation.iter().flat_map(Generation::spaces) {
            for segment in segments(self.cache, Some(space.id))? {
                self.segment(space, segment.id)?;
            }
        }
        Ok(())
    }

    /// Returns whether a damaged segment was found. Its texts are then scored from their embeddings.
    pub fn is_damaged(&self) -> bool {
        self.opened.borrow().values().any(Option::is_none)
    }

    /// Returns the `k` accepted texts nearest to a query, best first, and all texts that tie with the last.
    pub fn nearest(
        &self,
        space: &Space,
        query: &Projection,
        k: usize,
        mut accept: impl FnMut(i64) -> Result<bool>,
    ) -> Result<Vec<TextHit>> {
        let wide = query.0.to_f32();
        let mut in_delta: Vec<TextHit> = Vec::new();
        delta::scores(self.cache, space, &wide, |text, score| in_delta.push(TextHit { text, score }))?;
        in_delta.sort_by(by_score);
        let in_rows: HashSet<i64> = in_delta.iter().map(|near| near.text).collect();
        let all = segments(self.cache, Some(space.id))?;
        let exact = all.iter().map(|segment| segment.count).sum::<usize>() <= EXACT_BELOW;
        let largest = all.iter().map(|segment| segment.count).max().unwrap_or(0);
        let mut asked: HashMap<i64, bool> = HashMap::new();
        let mut count = (k * OVERFETCH).max(MIN_CANDIDATES);
        loop {
            // Below the worst candidate of a truncated result, nothing is known about that segment.
            let mut found: Vec<TextHit> = Vec::new();
            let mut known_down_to = f32::NEG_INFINITY;
            for segment in &all {
                let near = self.search_segment(space, segment, query, &wide, count, exact)?;
                if near.len() < segment.count {
                    let worst = near.iter().map(|near| near.score).fold(f32::INFINITY, f32::min);
                    known_down_to = known_down_to.max(worst);
                }
                found.extend(near);
            }
            found.extend(&in_delta);
            found.sort_by(by_score);
            let mut kept: Vec<TextHit> = Vec::new();
            for near in found {
                let is_enough = kept.len() >= k && kept.last().is_none_or(|last| near.score < last.score);
                if is_enough || near.score < known_down_to {
                    break;
                }
                let accepted = match asked.get(&near.text) {
                    Some(accepted) => *accepted,
                    None => accept(near.text)?,
                };
                asked.insert(near.text, accepted);
                // Rows of the delta are scored before their checksum is verified, so that only the best have to be.
                let is_whole = |near: &TextHit| -> Result<bool> {
                    Ok(!in_rows.contains(&near.text) || self.vector(space, near.text)?.is_some())
                };
                if accepted && is_whole(&near)? {
                    kept.push(near);
                }
            }
            if kept.len() >= k || count >= largest {
                return Ok(kept);
            }
            count *= 4;
        }
    }

    /// Returns the vector of a text in a space.
    pub fn vector(&self, space: &Space, text: i64) -> Result<Option<Projection>> {
        if let Some(vector) = delta::vector(self.cache, space, text)? {
            return Ok(Some(vector));
        }
        let mut place =
            self.cache.prepare_cached("SELECT segment FROM placed WHERE space = :space AND text = :text")?;
        let segment: Option<i64> =
            place.query_row(named_params! {":space": space.id, ":text": text}, |row| row.get(0)).optional()?;
        let Some(segment) = segment else { return Ok(None) };
        match self.segment(space, segment)? {
            Some(opened) => opened.vector(text),
            None => self.reproject(space, text),
        }
    }

    /// Returns the vectors of those texts that have one in a space.
    pub fn many(&self, space: &Space, texts: &[i64]) -> Result<HashMap<i64, Projection>> {
        let mut found = delta::many(self.cache, space, texts)?;
        let mut statement = self.cache.prepare_cached(
            "SELECT text, segment FROM placed WHERE space = :space AND text IN (SELECT value FROM json_each(:texts))",
        )?;
        let mut rows = statement.query(named_params! {":space": space.id, ":texts": sqlite::json_array(texts)})?;
        while let Some(row) = rows.next()? {
            let (text, segment): (i64, i64) = (row.get(0)?, row.get(1)?);
            if found.contains_key(&text) {
                continue;
            }
            let vector = match self.segment(space, segment)? {
                Some(opened) => opened.vector(text)?,
                None => self.reproject(space, text)?,
            };
            found.extend(vector.map(|vector| (text, vector)));
        }
        Ok(found)
    }

    /// Returns the cosine similarity of a text to a query; `None` if the text has no vector in the space.
    pub fn score(&self, space: &Space, query: &Projection, text: i64) -> Result<Option<f32>> {
        let vector = self.vector(space, text)?;
        Ok(vector.map(|vector| dot(&query.0.to_f32(), &vector.0.to_f32())))
    }

    /// Returns the adapter of a space; `None` for the base space, or if the adapter file has changed since.
    pub fn adapter(&self, space: &Space) -> Option<Adapter> {
        let generation = self.generation.as_ref()?;
        let (dimension, ..) = generation.dimensions.iter().find(|(_, own, _)| own.id == space.id)?;
        let loaded = adapter::find(&self.adapters, dimension.name, &generation.model);
        loaded.adapter.filter(|(_, hash)| *hash == space.adapter).map(|(adapter, _)| adapter)
    }

    /// Searches one segment. `wide` is the query as f32.
    fn search_segment(
        &self,
        space: &Space,
        segment: &Segment,
        query: &Projection,
        wide: &[f32],
        count: usize,
        exact: bool,
    ) -> Result<Vec<TextHit>> {
        let Some(opened) = self.segment(space, segment.id)? else {
            return self.score_without_segment(space, segment.id, wide);
        };
        let mut near = Vec::new();
        for text in opened.search(query, count, exact)? {
            let vector = opened.vector(text)?;
            near.extend(vector.map(|vector| TextHit { text, score: dot(wide, &vector.0.to_f32()) }));
        }
        Ok(near)
    }

    /// Returns a segment, which is opened once; `None` if its file is not what was published.
    fn segment(&self, space: &Space, id: i64) -> Result<Option<Rc<OpenSegment>>> {
        if let Some(known) = self.opened.borrow().get(&id) {
            return Ok(known.clone());
        }
        let wanted = segments(self.cache, Some(space.id))?.into_iter().find(|segment| segment.id == id);
        let opened = wanted.map(|segment| OpenSegment::open(&self.segments, &segment, space.width));
        let opened = match opened {
            Some(Ok(opened)) => Some(Rc::new(opened)),
            Some(Err(error)) => {
                tracing::warn!(error = format!("{error:#}"), "a segment is searched without its file");
                None
            }
            None => None,
        };
        self.opened.borrow_mut().insert(id, opened.clone());
        Ok(opened)
    }

    /// Scores the texts of a lost segment one by one, from the cached embeddings.
    fn score_without_segment(&self, space: &Space, segment: i64, wide: &[f32]) -> Result<Vec<TextHit>> {
        let mut statement =
            self.cache.prepare_cached("SELECT text FROM placed WHERE segment = :segment ORDER BY text")?;
        let texts = statement.query_map(named_params! {":segment": segment}, |row| row.get(0))?;
        let texts: Vec<i64> = texts.collect::<rusqlite::Result<_>>()?;
        let adapter = self.adapter(space);
        let mut near = Vec::new();
        for text in texts {
            let vector = self.project(space, adapter.as_ref(), text)?;
            near.extend(vector.map(|vector| TextHit { text, score: dot(wide, &vector.0.to_f32()) }));
        }
        Ok(near)
    }

    /// Computes the vector of a text again from its cached embedding.
    fn reproject(&self, space: &Space, text: i64) -> Result<Option<Projection>> {
        self.project(space, self.adapter(space).as_ref(), text)
    }

    /// Projects the cached embedding of a text. `adapter` is that of the space.
    fn project(&self, space: &Space, adapter: Option<&Adapter>, text: i64) -> Result<Option<Projection>> {
        let cache = self.embedding_cache.get_or_init(|| {
            let generation = self.generation.as_ref()?;
            EmbeddingCache::open_read_only(Path::new(&self.embeddings), &generation.model).ok()
        });
        let Some(cache) = cache else { return Ok(None) };
        let mut hash = self.cache.prepare_cached("SELECT hash FROM text WHERE id = :text")?;
        let hash: Option<Vec<u8>> = hash.query_row(named_params! {":text": text}, |row| row.get(0)).optional()?;
        let Some(hash) = hash else { return Ok(None) };
        Ok(match (cache.load(&hash)?, adapter) {
            (CachedEmbedding::Known(embedding), None) if space.is_base() => Some(adapter::identity(&embedding)),
            (CachedEmbedding::Known(embedding), Some(adapter)) => adapter.project(&embedding),
            _ => None,
        })
    }
}

/// Orders hits best first, ties by row id.
fn by_score(a: &TextHit, b: &TextHit) -> std::cmp::Ordering {
    b.score.total_cmp(&a.score).then_with(|| a.text.cmp(&b.text))
}
