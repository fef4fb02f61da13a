//! Parses source text into definitions, calls and imports.
//!
//! Invariant: only this module uses tree-sitter. It parses one file's text, resolves no name outside it, and knows
//! nothing about git or events; nothing here reads the disk or a clock.
//!
//! `triage` decides whether a file is worth reading, `language` which grammar reads it, `extract` what it contains, and
//! `child` runs all that in a process that can be stopped.

mod calls;
pub mod child;
mod comments;
mod define;
mod extract;
mod gather;
mod imports;
mod language;
mod layout;
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

pub use child::{Child, ParseOutcome};
pub use extract::parse;
pub use language::Language;
pub use parsed::{Call, CallForm, Definition, DefinitionKind, Import, Parsed};
pub use triage::{FileLimits, Skip, Triage, is_noise, is_test_path, triage};

/// Version of the extractor.
///
/// Raise it whenever the same source gives another [`Parsed`], because facts of an older extractor are not joined with
/// those of a newer one. A change of redaction raises the combined version on its own.
pub const EXTRACTOR: u32 = 5;
