//! Everything about vectors that can be wrong, looked at without changing any of it: keys against rows against vectors.

use std::fmt;
use std::path::Path;

use anyhow::Result;
use rusqlite::{Connection, named_params};

use super::generation::Generation;
use super::segment::{Opened, is_published, segments};
use super::{delta, texts};

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// Published segments.
    pub segments: usize,
    /// Vectors in them.
    pub vectors: usize,
    /// Files that are not what was published.
    pub damaged: Vec<String>,
    /// Live texts.
    pub texts: u64,
    /// Live texts that wait for a vector.
    pub wanted: u64,
    /// Rows of the delta that do not match their checksum.
    pub bad_rows: usize,
    /// Rows that say a text is in a segment which does not hold it.
    pub not_there: usize,
    /// Live texts that have no vector and do not wait for one.
    pub lost: u64,
    /// Segments that hold another number of texts than rows say.
    pub miscounted: usize,
}

/// Looks at every segment byte by byte, at every row, and at every live text.
pub fn survey(cache: &Connection, dir: &Path, generation: &Generation) -> Result<Survey> {
    let mut found = Survey {
        texts: texts::live_texts(cache)?,
        wanted: texts::wanted_count(cache)?,
        bad_rows: delta::damaged(cache)?.len(),
        ..Survey::default()
    };
    for space in generation.spaces() {
        for segment in segments(cache, Some(space.id))? {
            found.segments += 1;
            found.vectors += segment.count;
            if !is_published(dir, &segment) {
                found.damaged.push(segment.file.clone());
                continue;
            }
            let opened = Opened::open(dir, &segment, space.width)?;
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

impl Survey {
    /// How much is wrong, damaged files apart.
    pub fn faults(&self) -> u64 {
        (self.bad_rows + self.not_there + self.miscounted) as u64 + self.lost
    }
}

impl fmt::Display for Survey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Survey { bad_rows, not_there, lost, miscounted, .. } = self;
        write!(
            f,
            "{bad_rows} rows do not match their checksum, {not_there} are not in the segment that they name, {miscounted} segments \
             hold another number, {lost} live texts are nowhere"
        )
    }
}
