//! Nearest neighbours on disk. Texts are what is indexed, each once, whatever items say it: published segments that
//! never change, and a delta of what came since. A generation says which space each dimension is searched in, and is
//! published by one transaction. usearch's door. Refuses to open a file whose checksum is not known to be good, and to
//! give a hit whose vector is not what was stored.

mod compact;
mod delta;
mod generation;
mod reader;
mod segment;
mod survey;
mod texts;

pub use compact::{compact, sweep_files};
pub use delta::{mend as mend_delta, put as put_delta};
pub use generation::{Generation, Prepared, Space, current, maintained, prepare, publish};
pub use reader::{Near, Vectors};
pub use segment::{Building, EXACT_BELOW, Opened, Segment, check as check_segments, dir as segments_dir, segments};
pub use survey::{Survey, survey};
pub use texts::{
    Wanted, digest, fail, forget_dead, known_texts, live_texts, paths_of_definitions, put, remove, text_of_item,
    texts_of_files, unwant, wanted, wanted_count,
};

/// The tables of this room. `item_text` holds exactly the versions that are live in some view; `wanted` is what each
/// space still lacks; `placed` and `delta` are where each text of a space is.
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
