//! Text to definitions, calls and imports: tree-sitter's door. Refuses to know about git, events, other
//! files, or what a name means; it says what one file's text says, and nothing here reads the disk or a clock.
//!
//! `triage` says whether a file is worth reading, `language` which grammar reads it, `extract` what it holds,
//! and `child` runs all that in a process that can be stopped.

mod calls;
pub mod child;
mod comments;
mod define;
mod extract;
mod gather;
mod imports;
mod language;
mod locals;
mod merge;
mod names;
mod parsed;
mod query;
mod receivers;
mod shape;
#[cfg(test)]
mod tests;
pub mod triage;

pub use child::{Child, Outcome};
pub use extract::parse;
pub use language::Language;
pub use parsed::{Call, Definition, Form, Import, Kind, Parsed};
pub use triage::{Limits, Skip, Triage, is_noise, is_test_path, triage};

/// The version of what this room says about a text. Raise it whenever the same source gives another `Parsed`,
/// because facts of an older extractor are not joined with those of a newer one. A change of redaction counts by itself.
pub const EXTRACTOR: u32 = 5;
