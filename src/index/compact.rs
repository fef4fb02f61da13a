//! Compaction: merges the delta and small segments of a space into one segment, so that a search visits few of them.
//!
//! Invariant: published files are never changed. The new file exists before the rows change, and old files are removed
//! later.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use rusqlite::{Connection, TransactionBehavior, named_params};

use super::delta;
use super::generation::seal;
use super::segment::{OpenSegment, Segment, SegmentBuilder, segments};
use super::space::Space;
use crate::fail;

/// Up to this many rows, a delta is searched as fast as a segment.
const SMALL_DELTA: usize = 2_000;
/// From this many delta rows on, compaction does not wait for an idle moment, because answers become slow.
pub const LARGE_DELTA: usize = 20_000;
/// The most vectors in one merged segment; building it holds them all in memory.
const LARGEST_SEGMENT: usize = 100_000;
/// Seconds after which a dead text is left out when its segment is rewritten.
const KEEP_DEAD: i64 = 14 * 86_400;
/// How long a file without a row is kept, because a query may be reading it.
const KEEP_FILES: Duration = Duration::from_secs(60);
/// How many vectors are added between two checks of `urgent`.
const CHECK_EVERY: usize = 256;

/// Returns whether a space is due for compaction.
///
/// `delta` and `placed` are the numbers of vectors in its delta and its segments. `idle` means that there is no other
/// work.
pub fn is_due(delta: usize, placed: usize, idle: bool) -> bool {
    delta >= LARGE_DELTA || (idle && delta > SMALL_DELTA.max(placed / 10))
}

/// Selects the segments to merge with a delta of `rows`.
///
/// Each is no larger than everything merged before it, so a vector is rewritten only about as often as its segment
/// doubles.
fn segments_to_merge(segments: &[Segment], rows: usize) -> Vec<&Segment> {
    let mut by_size: Vec<&Segment> = segments.iter().collect();
    by_size.sort_by_key(|segment| (segment.count, segment.id));
    let mut total = rows;
    let mut chosen = Vec::new();
    for segment in by_size {
        if segment.count > total || total + segment.count > LARGEST_SEGMENT {
            break;
        }
        total += segment.count;
        chosen.push(segment);
    }
    chosen
}

/// Compacts a space if that is due.
///
/// `now` is in Unix seconds. If `urgent` returns true meanwhile, nothing is changed, unless the delta makes answers
/// slow.
pub fn compact(
    cache: &mut Connection,
    dir: &Path,
    space: &Space,
    idle: bool,
    now: i64,
    urgent: &dyn Fn() -> bool,
) -> Result<()> {
    let all = segments(cache, Some(space.id))?;
    let placed: usize = all.iter().map(|segment| segment.count).sum();
    let rows = delta::count(cache, space.id)?;
    if !is_due(rows, placed, idle) {
        return Ok(());
    }
    // A damaged row must not go into the segment; its text becomes pending again.
    delta::mend(cache)?;
    // During other work only the delta is compacted; merging segments waits for an idle moment.
    let merged = if idle { segments_to_merge(&all, rows) } else { Vec::new() };
    let dead = dead(cache, now - KEEP_DEAD)?;
    let must = rows >= LARGE_DELTA;
    let mut building =
        SegmentBuilder::new(space.width, rows + merged.iter().map(|segment| segment.count).sum::<usize>())?;
    let mut texts = Vec::new();
    let mut stopped = false;
    let mut add = |text: i64, vector: &crate::embedding::Projection| -> Result<bool> {
        if texts.len() % CHECK_EVERY == 0 && !must && urgent() {
            stopped = true;
            return Ok(false);
        }
        if !dead.contains(&text) {
            building.add(text, vector)?;
            texts.push(text);
        }
        Ok(true)
    };
    delta::each(cache, space, |row| add(row.text, &row.vector))?;
    for segment in &merged {
        let opened = OpenSegment::open(dir, segment, space.width)?;
        let mut statement = cache.prepare_cached("SELECT text FROM placed WHERE segment = :segment ORDER BY text")?;
        let old = statement.query_map(named_params! {":segment": segment.id}, |row| row.get(0))?;
        for text in old.collect::<rusqlite::Result<Vec<i64>>>()? {
            let Some(vector) = opened.vector(text)? else { continue };
            if !add(text, &vector)? {
                break;
            }
        }
    }
    if stopped {
        return Ok(());
    }
    let count = texts.len();
    fail::point("segment built")?;
    let segment = building.write(dir, space.id)?;
    fail::point("segment written")?;
    let transaction = cache.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute(
        "INSERT INTO segment(space, file, bytes, blake3, count, stamp) VALUES (:space, :file, :bytes, :blake3, :count, :stamp)",
        named_params! {
            ":space": space.id, ":file": segment.file, ":bytes": segment.bytes as i64, ":blake3": segment.blake3,
            ":count": segment.count as i64, ":stamp": segment.stamp,
        },
    )?;
    let id = transaction.last_insert_rowid();
    // The rows that were left out are dead, and none were added meanwhile, because the holder of the lock is the only
    // writer.
    transaction.execute("DELETE FROM delta WHERE space = :space", named_params! {":space": space.id})?;
    for old in &merged {
        for sql in ["DELETE FROM placed WHERE segment = :id", "DELETE FROM segment WHERE id = :id"] {
            transaction.execute(sql, named_params! {":id": old.id})?;
        }
    }
    {
        let mut place = transaction
            .prepare("INSERT OR REPLACE INTO placed(space, text, segment) VALUES (:space, :text, :segment)")?;
        for text in texts {
            place.execute(named_params! {":space": space.id, ":text": text, ":segment": id})?;
        }
    }
    seal(&transaction)?;
    fail::point("segment placed")?;
    transaction.commit()?;
    fail::point("segment published")?;
    tracing::info!(space = space.id, count, merged = merged.len(), "a segment was published");
    Ok(())
}

/// Returns the texts that have been dead since before a time, in Unix seconds.
fn dead(cache: &Connection, before: i64) -> Result<HashSet<i64>> {
    let mut statement = cache.prepare_cached("SELECT id FROM text WHERE dead_since < :before")?;
    Ok(statement.query_map(named_params! {":before": before}, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// Removes files that have no row and are older than [`KEEP_FILES`].
pub fn sweep_files(cache: &Connection, dir: &Path) -> Result<()> {
    let named: HashSet<String> = segments(cache, None)?.into_iter().map(|segment| segment.file).collect();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let is_named = entry.file_name().to_str().is_some_and(|name| named.contains(name));
        let is_old = || -> Option<bool> {
            let changed = entry.metadata().ok()?.modified().ok()?;
            Some(SystemTime::now().duration_since(changed).ok()? > KEEP_FILES)
        };
        if !is_named && is_old().unwrap_or(false) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delta_is_due_when_it_is_large_or_there_is_no_other_work() {
        let check = |delta: usize, placed: usize, idle: bool, expect: bool| {
            assert_eq!(is_due(delta, placed, idle), expect, "{delta} of {placed}, idle {idle}");
        };
        check(2_000, 0, true, false);
        check(2_001, 0, true, true);
        check(2_001, 0, false, false);
        check(2_001, 100_000, true, false);
        check(10_001, 100_000, true, true);
        check(20_000, 1_000_000, false, true);
    }

    #[test]
    fn segments_merge_while_they_are_no_larger_than_what_came_before() {
        let check = |counts: &[usize], rows: usize, expect: &[usize]| {
            let all: Vec<Segment> = counts
                .iter()
                .enumerate()
                .map(|(id, count)| Segment {
                    id: id as i64,
                    space: 1,
                    file: String::new(),
                    bytes: 0,
                    blake3: String::new(),
                    count: *count,
                    stamp: String::new(),
                })
                .collect();
            let chosen: Vec<usize> = segments_to_merge(&all, rows).iter().map(|segment| segment.count).collect();
            assert_eq!(chosen, expect);
        };
        check(&[], 2_001, &[]);
        check(&[50_000, 2_000, 3_000], 2_001, &[2_000, 3_000]);
        check(&[50_000, 10_000], 2_001, &[]);
        check(&[60_000, 60_000], 60_000, &[]);
    }
}
