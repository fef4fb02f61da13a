//! Searching: the segments and the delta of a space as one, every candidate scored by one dot product over the bytes
//! that were stored. Refuses a hit whose stored vector cannot be verified.

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension as _, named_params};

use super::delta;
use super::generation::{Generation, Space, current};
use super::segment::{EXACT_BELOW, Opened, Segment, segments};
use crate::adapter::{self, Adapter};
use crate::embedding::{Cached, Embeddings, Projection, dot};
use crate::sqlite;
use crate::workspace::Workspace;

/// Candidates looked at for each one wanted: some belong to other views or kinds.
const OVERFETCH: usize = 2;
/// Fewest candidates looked at.
const FEWEST: usize = 64;

/// A text near a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Near {
    /// The text.
    pub text: i64,
    /// Cosine, from -1 to 1.
    pub score: f32,
}

/// What answers search in: the generation in use, as one cache holds it.
pub struct Vectors<'c> {
    cache: &'c Connection,
    generation: Option<Generation>,
    segments: PathBuf,
    adapters: PathBuf,
    embeddings: PathBuf,
    opened: RefCell<HashMap<i64, Option<Rc<Opened>>>>,
    kept: OnceCell<Option<Embeddings>>,
}

impl<'c> Vectors<'c> {
    /// Looks up the generation in use; there may be none.
    pub fn open(cache: &'c Connection, workspace: &Workspace) -> Result<Self> {
        Ok(Vectors {
            cache,
            generation: current(cache)?,
            segments: super::segment::dir(workspace),
            adapters: workspace.adapters_dir(),
            embeddings: workspace.embeddings_path(),
            opened: RefCell::default(),
            kept: OnceCell::new(),
        })
    }

    /// The generation in use.
    pub fn generation(&self) -> Option<&Generation> {
        self.generation.as_ref()
    }

    /// The cache it reads.
    pub fn cache(&self) -> &'c Connection {
        self.cache
    }

    /// Opens every segment in use now, where the first search would.
    pub fn open_segments(&self) -> Result<()> {
        for space in self.generation.iter().flat_map(Generation::spaces) {
            for segment in segments(self.cache, Some(space.id))? {
                self.segment(space, segment.id)?;
            }
        }
        Ok(())
    }

    /// Whether a segment was found damaged, and what it held was searched another way.
    pub fn is_damaged(&self) -> bool {
        self.opened.borrow().values().any(Option::is_none)
    }

    /// The `k` texts nearest to a query that are accepted, best first; as many more as score the same as the last.
    pub fn nearest(
        &self,
        space: &Space,
        query: &Projection,
        k: usize,
        mut accept: impl FnMut(i64) -> Result<bool>,
    ) -> Result<Vec<Near>> {
        let wide = query.0.to_f32();
        let mut in_delta: Vec<Near> = Vec::new();
        delta::scores(self.cache, space, &wide, |text, score| in_delta.push(Near { text, score }))?;
        in_delta.sort_by(by_score);
        let in_rows: HashSet<i64> = in_delta.iter().map(|near| near.text).collect();
        let all = segments(self.cache, Some(space.id))?;
        let exact = all.iter().map(|segment| segment.count).sum::<usize>() <= EXACT_BELOW;
        let largest = all.iter().map(|segment| segment.count).max().unwrap_or(0);
        let mut asked: HashMap<i64, bool> = HashMap::new();
        let mut count = (k * OVERFETCH).max(FEWEST);
        loop {
            // Beyond the worst candidate of a segment that was cut short nothing is known of it.
            let mut found: Vec<Near> = Vec::new();
            let mut known_down_to = f32::NEG_INFINITY;
            for segment in &all {
                let near = self.in_segment(space, segment, query, &wide, count, exact)?;
                if near.len() < segment.count {
                    let worst = near.iter().map(|near| near.score).fold(f32::INFINITY, f32::min);
                    known_down_to = known_down_to.max(worst);
                }
                found.extend(near);
            }
            found.extend(&in_delta);
            found.sort_by(by_score);
            let mut kept: Vec<Near> = Vec::new();
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
                // A row of the delta is scored before its checksum is looked at, and only the best are worth that.
                let is_whole = |near: &Near| -> Result<bool> {
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

    /// The vector of a text in a space.
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
            None => self.made_again(space, text),
        }
    }

    /// The vectors of many texts in a space, as far as it has them.
    pub fn many(&self, space: &Space, texts: &[i64]) -> Result<HashMap<i64, Projection>> {
        let mut found = delta::many(self.cache, space, texts)?;
        let mut statement = self.cache.prepare_cached(
            "SELECT text, segment FROM placed WHERE space = :space AND text IN (SELECT value FROM json_each(:texts))",
        )?;
        let mut rows = statement.query(named_params! {":space": space.id, ":texts": sqlite::list(texts)})?;
        while let Some(row) = rows.next()? {
            let (text, segment): (i64, i64) = (row.get(0)?, row.get(1)?);
            if found.contains_key(&text) {
                continue;
            }
            let vector = match self.segment(space, segment)? {
                Some(opened) => opened.vector(text)?,
                None => self.made_again(space, text)?,
            };
            found.extend(vector.map(|vector| (text, vector)));
        }
        Ok(found)
    }

    /// How near a text is to a query; none where it has no vector here.
    pub fn score(&self, space: &Space, query: &Projection, text: i64) -> Result<Option<f32>> {
        let vector = self.vector(space, text)?;
        Ok(vector.map(|vector| dot(&query.0.to_f32(), &vector.0.to_f32())))
    }

    /// The adapter of a space; none for the base, and where its file is another one by now.
    pub fn adapter(&self, space: &Space) -> Option<Adapter> {
        let generation = self.generation.as_ref()?;
        let (dimension, ..) = generation.dimensions.iter().find(|(_, own, _)| own.id == space.id)?;
        let loaded = adapter::find(&self.adapters, dimension.name, &generation.model);
        loaded.adapter.filter(|(_, hash)| *hash == space.adapter).map(|(adapter, _)| adapter)
    }

    fn in_segment(
        &self,
        space: &Space,
        segment: &Segment,
        query: &Projection,
        wide: &[f32],
        count: usize,
        exact: bool,
    ) -> Result<Vec<Near>> {
        let Some(opened) = self.segment(space, segment.id)? else { return self.afresh(space, segment.id, wide) };
        let mut near = Vec::new();
        for text in opened.search(query, count, exact)? {
            let vector = opened.vector(text)?;
            near.extend(vector.map(|vector| Near { text, score: dot(wide, &vector.0.to_f32()) }));
        }
        Ok(near)
    }

    /// A segment, opened once; none where its file is not what was published.
    fn segment(&self, space: &Space, id: i64) -> Result<Option<Rc<Opened>>> {
        if let Some(known) = self.opened.borrow().get(&id) {
            return Ok(known.clone());
        }
        let wanted = segments(self.cache, Some(space.id))?.into_iter().find(|segment| segment.id == id);
        let opened = wanted.map(|segment| Opened::open(&self.segments, &segment, space.width));
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

    /// What a lost segment held, scored one by one from the embeddings it was made of.
    fn afresh(&self, space: &Space, segment: i64, wide: &[f32]) -> Result<Vec<Near>> {
        let mut statement =
            self.cache.prepare_cached("SELECT text FROM placed WHERE segment = :segment ORDER BY text")?;
        let texts = statement.query_map(named_params! {":segment": segment}, |row| row.get(0))?;
        let texts: Vec<i64> = texts.collect::<rusqlite::Result<_>>()?;
        let adapter = self.adapter(space);
        let mut near = Vec::new();
        for text in texts {
            let vector = self.project(space, adapter.as_ref(), text)?;
            near.extend(vector.map(|vector| Near { text, score: dot(wide, &vector.0.to_f32()) }));
        }
        Ok(near)
    }

    fn made_again(&self, space: &Space, text: i64) -> Result<Option<Projection>> {
        self.project(space, self.adapter(space).as_ref(), text)
    }

    fn project(&self, space: &Space, adapter: Option<&Adapter>, text: i64) -> Result<Option<Projection>> {
        let kept = self.kept.get_or_init(|| {
            let generation = self.generation.as_ref()?;
            Embeddings::open_read_only(Path::new(&self.embeddings), &generation.model).ok()
        });
        let Some(kept) = kept else { return Ok(None) };
        let mut hash = self.cache.prepare_cached("SELECT hash FROM text WHERE id = :text")?;
        let hash: Option<Vec<u8>> = hash.query_row(named_params! {":text": text}, |row| row.get(0)).optional()?;
        let Some(hash) = hash else { return Ok(None) };
        Ok(match (kept.load(&hash)?, adapter) {
            (Cached::Known(embedding), None) if space.is_base() => Some(adapter::identity(&embedding)),
            (Cached::Known(embedding), Some(adapter)) => adapter.project(&embedding),
            _ => None,
        })
    }
}

/// Best first; equals in the order of their rows.
fn by_score(a: &Near, b: &Near) -> std::cmp::Ordering {
    b.score.total_cmp(&a.score).then_with(|| a.text.cmp(&b.text))
}
