//! Published segments: USearch files of half floats that are written once and never changed. Each is known by the
//! blake3 of its bytes. Refuses to let USearch see a byte before that is known to be good, because it checks nothing
//! itself: one flipped bit is a crash or a silent lie.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use rusqlite::{Connection, TransactionBehavior, named_params};
use usearch::ffi::{IndexOptions, MetricKind, ScalarKind};
use usearch::{Index, f16};

use super::generation::{seal, space_of};
use super::texts::bring_up_to_date;
use crate::embedding::{Projection, Unit};
use crate::fail;
use crate::workspace::{Workspace, file_stamp};

/// Neighbours a node keeps.
const CONNECTIVITY: usize = 16;
/// Candidates looked at when a node is added.
const EXPANSION_ADD: usize = 128;
/// Candidates looked at in a search; recall@10 above 0.99 on 20,000 items of code (`cargo bench --bench vectors`).
const EXPANSION_SEARCH: usize = 128;
/// Up to this many vectors in all segments of a space every one is compared: it takes milliseconds, and the answer does
/// not depend on how the graphs happened to be built.
pub const EXACT_BELOW: usize = 50_000;

/// A segment as the manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its row.
    pub id: i64,
    /// The space it belongs to.
    pub space: i64,
    /// Its file's name.
    pub file: String,
    /// Its file's length.
    pub bytes: u64,
    /// blake3 of its file, in hexadecimal.
    pub blake3: String,
    /// Vectors in it.
    pub count: usize,
    /// The file's stamp when it was last hashed.
    pub stamp: String,
}

/// An open segment.
pub struct Opened {
    index: Index,
    width: usize,
}

/// A segment being built.
pub struct Building {
    index: Index,
    count: usize,
}

/// Where segments are.
pub fn dir(workspace: &Workspace) -> PathBuf {
    workspace.cache_dir().join("segments")
}

/// The segments of a space, or all there are, in the order they were made.
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

/// Looks at every published segment: by its stamp, or with `full` byte by byte. One that is not what was published is
/// put aside, and what it held is wanted again. Returns the files that were put aside.
pub fn check(cache: &mut Connection, dir: &Path, full: bool) -> Result<Vec<String>> {
    let mut bad = Vec::new();
    for segment in segments(cache, None)? {
        let path = dir.join(&segment.file);
        let good = match whole(cache, dir, &segment, full) {
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
            // Not from the rows that led to it, which may be what is wrong: whatever the space now lacks is wanted.
            if let Some(space) = space_of(&transaction, segment.space)? {
                bring_up_to_date(&transaction, &space)?;
            }
            seal(&transaction)?;
            transaction.commit()?;
            bad.push(segment.file);
        }
    }
    Ok(bad)
}

/// Looks at a segment's file and at its shape; returns the file's stamp.
fn whole(cache: &Connection, dir: &Path, segment: &Segment, full: bool) -> Result<String> {
    let (_, stamp) = verified(&dir.join(&segment.file), segment, full)?;
    let mut width = cache.prepare_cached("SELECT width FROM space WHERE id = :space")?;
    let width: i64 = width.query_row(named_params! {":space": segment.space}, |row| row.get(0))?;
    Opened::open(dir, segment, width as usize)?;
    Ok(stamp)
}

/// Whether a segment's file is byte for byte what was published.
pub fn is_published(dir: &Path, segment: &Segment) -> bool {
    verified(&dir.join(&segment.file), segment, true).is_ok()
}

/// The file of a segment, open, once it is known to be what was published; with its stamp.
fn verified(path: &Path, segment: &Segment, full: bool) -> Result<(File, String)> {
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

impl Opened {
    /// Opens a segment.
    ///
    /// # Errors
    /// Where its file is gone or is not what was published; the caller searches what it held another way.
    pub fn open(dir: &Path, segment: &Segment, width: usize) -> Result<Self> {
        let (file, _) = verified(&dir.join(&segment.file), segment, false)?;
        let index = Index::new(&options(width)).map_err(|error| anyhow!("{error}"))?;
        // By the descriptor that was checked: another file of that name may have come since.
        index.view(&descriptor_path(&file)).map_err(|error| anyhow!("{error}")).context("opening a segment")?;
        let shape = (index.dimensions(), index.size(), index.scalar_kind(), index.metric_kind());
        let expect = (width, segment.count, ScalarKind::F16, MetricKind::IP);
        ensure!(shape == expect, "a segment is of another shape than its manifest says");
        index.change_expansion_search(EXPANSION_SEARCH);
        Ok(Opened { index, width })
    }

    /// The nearest `count` texts, best first: by comparing all, or about so by walking the graph. Most of a segment is
    /// always compared, for a graph is no way to all of it.
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

    /// The vector of a text, bit for bit as it was added.
    pub fn vector(&self, text: i64) -> Result<Option<Projection>> {
        let mut bits = vec![0_i16; self.width];
        let found = self
            .index
            .get(text.cast_unsigned(), f16::from_mut_i16s(&mut bits))
            .map_err(|error| anyhow!("{error}"))
            .context("reading a segment")?;
        Ok(if found == 1 { Unit::from_bits(&bits).map(Projection) } else { None })
    }
}

impl Building {
    /// An empty one.
    pub fn new(width: usize, capacity: usize) -> Result<Self> {
        let index = Index::new(&options(width)).map_err(|error| anyhow!("{error}"))?;
        index.reserve_capacity_and_threads(capacity, 1).map_err(|error| anyhow!("{error}"))?;
        Ok(Building { index, count: 0 })
    }

    /// Adds a text's vector; the same text comes once.
    pub fn add(&mut self, text: i64, vector: &Projection) -> Result<()> {
        let bits = vector.0.to_bits();
        self.index.add(text.cast_unsigned(), f16::from_i16s(&bits)).map_err(|error| anyhow!("{error}"))?;
        self.count += 1;
        Ok(())
    }

    /// Writes it so that a crash leaves no half of it under its name, and says how it is published; its row is not
    /// made here.
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
        Projection(Unit::from_f32(&values).expect("a direction"))
    }

    fn segment(dir: &Path, texts: u64) -> Segment {
        let mut building = Building::new(32, texts as usize).expect("new");
        for text in 0..texts {
            building.add(text as i64 * 3, &vector(text)).expect("added");
        }
        building.write(dir, 1).expect("written")
    }

    #[test]
    fn what_was_added_is_found_and_read_back_bit_for_bit() {
        let folder = tempfile::tempdir().expect("a folder");
        let segment = segment(folder.path(), 500);
        let opened = Opened::open(folder.path(), &segment, 32).expect("opens");
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
            assert!(Opened::open(folder.path(), &segment, 32).is_err(), "byte {at}");
        }
        std::fs::write(&path, &good[..good.len() - 1]).expect("cut");
        assert!(Opened::open(folder.path(), &segment, 32).is_err(), "cut");
        std::fs::write(&path, &good).expect("mended");
        assert!(Opened::open(folder.path(), &segment, 32).is_ok(), "the same bytes with other times");
        assert!(Opened::open(folder.path(), &segment, 16).is_err(), "another width");
    }
}
