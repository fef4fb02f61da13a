//! The vector index on disk: immutable published segments, and a delta of the vectors added since.
//!
//! Texts are indexed, each once, whatever items have it. A generation names the vector space of each dimension and is
//! published by one transaction. Invariants: only this module uses usearch; no file is opened whose checksum is not
//! known to match; no hit is returned whose vector is not what was stored.

mod compact;
mod delta;
mod generation;
mod reader;
mod segment;
mod space;
mod survey;
mod texts;

pub use compact::{compact, sweep_files};
pub use delta::{mend as mend_delta, put as put_delta};
pub use generation::{Generation, PreparedGeneration, current, prepare, publish};
pub use reader::{TextHit, VectorReader};
pub use segment::{
    EXACT_BELOW, OpenSegment, Segment, SegmentBuilder, check as check_segments, dir as segments_dir, segments,
};
pub use space::{Space, maintained};
pub use survey::{IndexSurvey, digest, survey};
pub use texts::{
    PendingText, drop_pending, forget_dead, live_texts, mark_failed, paths_of_definitions, pending_count,
    pending_texts, put, remove, text_of_item, texts_of_files, usable_texts,
};

/// The tables of this module. `item_text` holds exactly the item versions that are live in some view; `wanted` holds
/// the texts that each space still lacks; `placed` and `delta` say where each text of a space is.
pub const SCHEMA: &str = "
CREATE TABLE text(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, dead_since INTEGER, failed INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE item_text(seq INTEGER PRIMARY KEY, text INTEGER NOT NULL, kind TEXT NOT NULL) STRICT;
CREATE INDEX item_text_by_text ON item_text(text);
CREATE TABLE space(
  id INTEGER PRIMARY KEY, model TEXT NOT NULL, adapter TEXT NOT NULL, width INTEGER NOT NULL, holds TEXT NOT NULL, UNIQUE(model, adapter, holds)
) STRICT;
CREATE TABLE target(model TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE generation(id INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL, sum TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE generation_space(
  generation INTEGER NOT NULL, dimension TEXT NOT NULL, space INTEGER NOT NULL, note TEXT, PRIMARY KEY(generation, dimension)
) STRICT, WITHOUT ROWID;
CREATE TABLE wanted(space INTEGER NOT NULL, text INTEGER NOT NULL, PRIMARY KEY(space, text)) STRICT, WITHOUT ROWID;
CREATE TABLE delta(space INTEGER NOT NULL, text INTEGER NOT NULL, vector BLOB NOT NULL, sum BLOB NOT NULL, PRIMARY KEY(space, text)) STRICT, WITHOUT ROWID;
CREATE TABLE placed(space INTEGER NOT NULL, text INTEGER NOT NULL, segment INTEGER NOT NULL, PRIMARY KEY(space, text)) STRICT, WITHOUT ROWID;
CREATE INDEX placed_by_segment ON placed(segment, text);
CREATE TABLE segment(
  id INTEGER PRIMARY KEY AUTOINCREMENT, space INTEGER NOT NULL, file TEXT NOT NULL, bytes INTEGER NOT NULL, blake3 TEXT NOT NULL, count INTEGER NOT NULL,
  stamp TEXT NOT NULL
) STRICT;
";
