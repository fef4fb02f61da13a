//! A read-only check of the whole index: files against checksums, rows against vectors, live texts against rows.

use std::fmt;
use std::path::Path;

use anyhow::Result;
use rusqlite::{Connection, named_params};

use super::generation::Generation;
use super::reader::VectorReader;
use super::segment::{OpenSegment, is_published, segments};
use super::{delta, texts};

/// The findings of a survey.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexSurvey {
    /// The number of published segments.
    pub segments: usize,
    /// The number of vectors in them.
    pub vectors: usize,
    /// Files that are not what was published.
    pub damaged: Vec<String>,
    /// The number of live texts.
    pub texts: u64,
    /// The number of pending texts.
    pub wanted: u64,
    /// The number of delta rows that do not match their checksum.
    pub bad_rows: usize,
    /// The number of rows that place a text in a segment that does not contain it.
    pub not_there: usize,
    /// The number of live texts that have no vector and are not pending.
    pub lost: u64,
    /// The number of segments whose vector count differs from their rows.
    pub miscounted: usize,
}

/// Returns a hash over every live text and its vector in every space in use; `None` without a generation.
///
/// Equal if the same texts were embedded by the same model on the same class of processor, in whatever order and
/// wherever the vectors are stored.
pub fn digest(vectors: &VectorReader<'_>) -> Result<Option<String>> {
    let Some(generation) = vectors.generation() else { return Ok(None) };
    let cache = vectors.cache();
    let mut hasher = blake3::Hasher::new();
    let mut statement = cache.prepare(
        "SELECT DISTINCT text.id, text.hash, item_text.kind FROM item_text JOIN text ON text.id = item_text.text ORDER BY text.hash, item_text.kind",
    )?;
    for space in generation.spaces() {
        hasher.update(space.adapter.as_bytes()).update(&[0]);
        let mut rows = statement.query([])?;
        let mut last = None;
        while let Some(row) = rows.next()? {
            let text: i64 = row.get(0)?;
            if last == Some(text) || !space.holds.kind_named(row.get_ref(2)?.as_str()?) {
                continue;
            }
            last = Some(text);
            if let Some(vector) = vectors.vector(space, text)? {
                hasher.update(row.get_ref(1)?.as_blob()?).update(&vector.0.to_bytes());
            }
        }
    }
    Ok(Some(hasher.finalize().to_hex().to_string()))
}

/// Checks every segment byte by byte, every row, and every live text.
pub fn survey(cache: &Connection, dir: &Path, generation: &Generation) -> Result<IndexSurvey> {
    let mut found = IndexSurvey {
        texts: texts::live_texts(cache)?,
        wanted: texts::pending_count(cache)?,
        bad_rows: delta::damaged(cache)?.len(),
        ..IndexSurvey::default()
    };
    for space in generation.spaces() {
        for segment in segments(cache, Some(space.id))? {
            found.segments += 1;
            found.vectors += segment.count;
            if !is_published(dir, &segment) {
                found.damaged.push(segment.file.clone());
                continue;
            }
            let opened = OpenSegment::open(dir, &segment, space.width)?;
            let mut rows = cache.prepare_cached("SELECT text FROM placed WHERE segment = :segment")?;
            let placed = rows.query_map(named_params! {":segment": segment.id}, |row| row.get(0))?;
            let placed: Vec<i64> = placed.collect::<rusqlite::Result<_>>()?;
            found.miscounted += usize::from(placed.len() != segment.count);
            for text in placed {
                found.not_there += usize::from(opened.vector(text)?.is_none());
            }
        }
        let mut lost = cache.prepare(
            "SELECT DISTINCT item_text.text, item_text.kind FROM item_text JOIN text ON text.id = item_text.text
             WHERE NOT failed AND NOT EXISTS (SELECT 1 FROM wanted WHERE space = :space AND text = item_text.text)
               AND NOT EXISTS (SELECT 1 FROM delta WHERE space = :space AND text = item_text.text)
               AND NOT EXISTS (SELECT 1 FROM placed WHERE space = :space AND text = item_text.text)",
        )?;
        let mut rows = lost.query(named_params! {":space": space.id})?;
        while let Some(row) = rows.next()? {
            found.lost += u64::from(space.holds.kind_named(row.get_ref(1)?.as_str()?));
        }
    }
    Ok(found)
}

impl IndexSurvey {
    /// Returns the number of faults other than damaged files.
    pub fn faults(&self) -> u64 {
        (self.bad_rows + self.not_there + self.miscounted) as u64 + self.lost
    }
}

impl fmt::Display for IndexSurvey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let IndexSurvey { bad_rows, not_there, lost, miscounted, .. } = self;
        write!(
            f,
            "{bad_rows} rows do not match their checksum, {not_there} are not in the segment that they name, {miscounted} segments \
             hold another number, {lost} live texts are nowhere"
        )
    }
}
