//! Why lines are what they are.

mod lines;

use anyhow::Result;
use super::Reader;
use crate::history::Past;
use crate::git::Blame;
pub use lines::{Lines, Maker, lines_of};

/// Blame.
pub fn blamed(reader: &Reader<'_>, lines: &Lines) -> Result<Option<Blame>> {
    lines::blame(reader, &mut Past::load(&reader.cache)?, lines)
}
