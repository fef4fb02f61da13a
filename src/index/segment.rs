//! Published segments: USearch files of f16 vectors that are written once and never changed.
//!
//! Each is identified by the blake3 of its bytes. Invariant: USearch sees no byte before the checksum was verified,
//! because it checks nothing itself: one flipped bit can crash the process or silently return wrong hits.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use rusqlite::{Connection, TransactionBehavior, named_params};
use usearch::ffi::{IndexOptions, MetricKind, ScalarKind};
use usearch::{Index, f16};

use super::generation::seal;
use super::space::space_of;
use super::texts::add_all_pending;
use crate::embedding::{Projection, UnitVector};
use crate::fail;
use crate::workspace::{Workspace, file_stamp};

/// Neighbours per node of the HNSW graph (`M`).
const CONNECTIVITY: usize = 16;
/// Candidates visited when a node is added (`efConstruction`).
const EXPANSION_ADD: usize = 128;
/// Candidates visited in a search (`ef`). Recall@10 is above 0.99 on 20,000 items of code (`cargo bench --bench
/// vectors`).
const EXPANSION_SEARCH: usize = 128;
/// The most vectors in all segments of a space for which search is exact.
///
/// Comparing all of them takes milliseconds, and the answer does not depend on how the graphs were built.
pub const EXACT_BELOW: usize = 50_000;

/// A segment as the manifest describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The row id.
    pub id: i64,
    /// The row id of its space.
    pub space: i64,
    /// The name of the file.
    pub file: String,
    /// The size of the file, in bytes.
    pub bytes: u64,
    /// The blake3 of the file, in hexadecimal.
    pub blake3: String,
    /// The number of vectors.
    pub count: usize,
    /// The stamp of the file (size and times) when it was last hashed.
    pub stamp: String,
}

/// A segment opened for search.
pub struct OpenSegment {
    index: Index,
    width: usize,
}

/// A segment being built.
pub struct SegmentBuilder {
    index: Index,
    count: usize,
}

/// Returns the folder of the segment files.
pub fn dir(workspace: &Workspace) -> PathBuf {
    workspace.cache_dir().join("segments")
}

/// Returns the segments of a space, or of all spaces, oldest first.
pub fn segments(cache: &Connection, space: Option<i64>) -> Result<Vec<Segment>> {
    let mut statement = cache.prepare_cached(
        "SELECT id, space, file, bytes, blake3, count, stamp FROM segment WHERE :space IS NULL OR space = :space ORDER BY id",
    )?;
    let rows = statement.query_map(named_params! {":space": space}, |row| {
        Ok(Segment {
            id: row.get(0)?,
            space: row.get(1)?,
            file: row.get(2)?,
            bytes: row.get::<_, i64>(3)?.cast_unsigned(),
            blake3: row.get(4)?,
            count: row.get::<_, i64>(5)? as usize,
            stamp: row.get(6)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Verifies every published segment, by its stamp or, with `full`, byte by byte.
///
/// A damaged one is renamed to `*.damaged`, and its texts become pending again. Returns the files that were renamed.
pub fn check(cache: &mut Connection, dir: &Path, full: bool) -> Result<Vec<String>> {
    let mut bad = Vec::new();
    for segment in segments(cache, None)? {
        let path = dir.join(&segment.file);
        let good = match verify_segment(cache, dir, &segment, full) {
            Ok(stamp) => {
                if stamp != segment.stamp {
                    cache
                        .prepare_cached("UPDATE segment SET stamp = :stamp WHERE id = :id")?
                        .execute(named_params! {":stamp": stamp, ":id": segment.id})?;
                }
                true
            }
            Err(error) => {
                tracing::warn!(
                    file = segment.file,
                    error = format!("{error:#}"),
                    "a segment is put aside and built again"
                );
                false
            }
        };
        if !good {
            let _ = std::fs::rename(&path, path.with_extension("damaged"));
            fail::point("segment put aside")?;
            let transaction = cache.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for sql in ["DELETE FROM placed WHERE segment = :id", "DELETE FROM segment WHERE id = :id"] {
                transaction.execute(sql, named_params! {":id": segment.id})?;
            }
            // The rows of this segment may be wrong too, so everything that the space lacks becomes pending.
            if let Some(space) = space_of(&transaction, segment.space)? {
                add_all_pending(&transaction, &space)?;
            }
            seal(&transaction)?;
            transaction.commit()?;
            bad.push(segment.file);
        }
    }
    Ok(bad)
}

/// Verifies the file and shape of a segment. Returns the file's stamp.
fn verify_segment(cache: &Connection, dir: &Path, segment: &Segment, full: bool) -> Result<String> {
    let (_, stamp) = open_verified(&dir.join(&segment.file), segment, full)?;
    let mut width = cache.prepare_cached("SELECT width FROM space WHERE id = :space")?;
    let width: i64 = width.query_row(named_params! {":space": segment.space}, |row| row.get(0))?;
    OpenSegment::open(dir, segment, width as usize)?;
    Ok(stamp)
}

/// Returns whether the file of a segment is byte for byte what was published.
pub fn is_published(dir: &Path, segment: &Segment) -> bool {
    open_verified(&dir.join(&segment.file), segment, true).is_ok()
}

/// Opens the file of a segment, verifies that it is what was published, and returns it with its stamp.
fn open_verified(path: &Path, segment: &Segment, full: bool) -> Result<(File, String)> {
    let mut file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let metadata = file.metadata()?;
    ensure!(
        metadata.len() == segment.bytes,
        "{} has {} bytes, {} were published",
        path.display(),
        metadata.len(),
        segment.bytes
    );
    let stamp = file_stamp(&metadata);
    if full || stamp != segment.stamp {
        let mut hasher = blake3::Hasher::new();
        let mut chunk = vec![0; 1 << 18];
        loop {
            match file.read(&mut chunk)? {
                0 => break,
                read => hasher.update(&chunk[..read]),
            };
        }
        ensure!(hasher.finalize().to_hex().as_str() == segment.blake3, "{} is not what was published", path.display());
    }
    Ok((file, stamp))
}

impl OpenSegment {
    /// Opens a segment of vectors of this width.
    ///
    /// # Errors
    /// If its file is gone or is not what was published. The caller then scores its texts from their embeddings.
    pub fn open(dir: &Path, segment: &Segment, width: usize) -> Result<Self> {
        let (file, _) = open_verified(&dir.join(&segment.file), segment, false)?;
        let index = Index::new(&options(width)).map_err(|error| anyhow!("{error}"))?;
        // Opened by the descriptor that was verified, because another file may have taken the name since.
        index.view(&descriptor_path(&file)).map_err(|error| anyhow!("{error}")).context("opening a segment")?;
        let shape = (index.dimensions(), index.size(), index.scalar_kind(), index.metric_kind());
        let expect = (width, segment.count, ScalarKind::F16, MetricKind::IP);
        ensure!(shape == expect, "a segment is of another shape than its manifest says");
        index.change_expansion_search(EXPANSION_SEARCH);
        Ok(OpenSegment { index, width })
    }

    /// Returns the `count` nearest texts, best first: exactly, or approximately by the graph.
    ///
    /// A request for more than a quarter of the segment is always exact, because the graph does not reach all of it.
    pub fn search(&self, query: &Projection, count: usize, exact: bool) -> Result<Vec<i64>> {
        let bits = query.0.to_bits();
        let vector = f16::from_i16s(&bits);
        let count = count.min(self.index.size());
        if count == 0 {
            return Ok(Vec::new());
        }
        let exact = exact || count > self.index.size() / 4;
        let found = if exact { self.index.exact_search(vector, count) } else { self.index.search(vector, count) };
        let found = found.map_err(|error| anyhow!("{error}")).context("searching a segment")?;
        Ok(found.keys.into_iter().map(u64::cast_signed).collect())
    }

    /// Returns the vector of a text, bit for bit as it was added.
    pub fn vector(&self, text: i64) -> Result<Option<Projection>> {
        let mut bits = vec![0_i16; self.width];
        let found = self
            .index
            .get(text.cast_unsigned(), f16::from_mut_i16s(&mut bits))
            .map_err(|error| anyhow!("{error}"))
            .context("reading a segment")?;
        Ok(if found == 1 { UnitVector::from_bits(&bits).map(Projection) } else { None })
    }
}

impl SegmentBuilder {
    /// Creates an empty segment for `capacity` vectors of this width.
    pub fn new(width: usize, capacity: usize) -> Result<Self> {
        let index = Index::new(&options(width)).map_err(|error| anyhow!("{error}"))?;
        index.reserve_capacity_and_threads(capacity, 1).map_err(|error| anyhow!("{error}"))?;
        Ok(SegmentBuilder { index, count: 0 })
    }

    /// Adds the vector of a text; each text may be added once.
    pub fn add(&mut self, text: i64, vector: &Projection) -> Result<()> {
        let bits = vector.0.to_bits();
        self.index.add(text.cast_unsigned(), f16::from_i16s(&bits)).map_err(|error| anyhow!("{error}"))?;
        self.count += 1;
        Ok(())
    }

    /// Writes the file atomically, and returns its manifest entry. The caller inserts the row (`id` is 0).
    pub fn write(self, dir: &Path, space: i64) -> Result<Segment> {
        std::fs::create_dir_all(dir)?;
        let mut buffer = vec![0; self.index.serialized_length()];
        self.index.save_to_buffer(&mut buffer).map_err(|error| anyhow!("{error}")).context("saving a segment")?;
        drop(self.index);
        let blake3 = blake3::hash(&buffer).to_hex().to_string();
        let file = format!("{space}-{}.usearch", &blake3[..24]);
        let path = dir.join(&file);
        crate::workspace::write_atomically(&path, &buffer)?;
        let stamp = file_stamp(&std::fs::metadata(&path)?);
        Ok(Segment { id: 0, space, file, bytes: buffer.len() as u64, blake3, count: self.count, stamp })
    }
}

/// Returns the USearch options of all segments with this width.
fn options(width: usize) -> IndexOptions {
    IndexOptions {
        dimensions: width,
        metric: MetricKind::IP,
        quantization: ScalarKind::F16,
        connectivity: CONNECTIVITY,
        expansion_add: EXPANSION_ADD,
        expansion_search: EXPANSION_SEARCH,
        multi: false,
    }
}

/// Returns a path that opens the same file description again.
fn descriptor_path(file: &File) -> String {
    let folder = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };
    format!("{folder}/{}", file.as_raw_fd())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(seed: u64) -> Projection {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let values: Vec<f32> = (0..32)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state as f32 / u64::MAX as f32) - 0.5
            })
            .collect();
        Projection(UnitVector::from_f32(&values).expect("a direction"))
    }

    fn segment(dir: &Path, texts: u64) -> Segment {
        let mut building = SegmentBuilder::new(32, texts as usize).expect("new");
        for text in 0..texts {
            building.add(text as i64 * 3, &vector(text)).expect("added");
        }
        building.write(dir, 1).expect("written")
    }

    #[test]
    fn what_was_added_is_found_and_read_back_bit_for_bit() {
        let folder = tempfile::tempdir().expect("a folder");
        let segment = segment(folder.path(), 500);
        let opened = OpenSegment::open(folder.path(), &segment, 32).expect("opens");
        for text in 0..500 {
            let stored = opened.vector(text * 3).expect("reads").expect("is there");
            assert_eq!(stored, vector(text as u64));
            for exact in [true, false] {
                assert_eq!(opened.search(&stored, 1, exact).expect("searches"), [text * 3], "exact {exact}");
            }
        }
        assert_eq!(opened.vector(1).expect("reads"), None);
        assert_eq!(opened.search(&vector(1), 9999, false).expect("searches").len(), 500);
    }

    #[test]
    fn a_file_that_is_not_what_was_published_is_not_opened() {
        let folder = tempfile::tempdir().expect("a folder");
        let segment = segment(folder.path(), 50);
        let path = folder.path().join(&segment.file);
        let good = std::fs::read(&path).expect("readable");
        for at in [0, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            std::fs::write(&path, &bad).expect("damage");
            assert!(OpenSegment::open(folder.path(), &segment, 32).is_err(), "byte {at}");
        }
        std::fs::write(&path, &good[..good.len() - 1]).expect("cut");
        assert!(OpenSegment::open(folder.path(), &segment, 32).is_err(), "cut");
        std::fs::write(&path, &good).expect("mended");
        assert!(OpenSegment::open(folder.path(), &segment, 32).is_ok(), "the same bytes with other times");
        assert!(OpenSegment::open(folder.path(), &segment, 16).is_err(), "another width");
    }
}
