//! Commits and parsed files to facts. Pure: the same input gives the same facts, on any machine, in any
//! order. Refuses to know the log, the clock or the disk.

mod code;
mod commits;

pub use code::{CallFact, CodeFacts, ImportFact, ItemFact, file_facts, text_facts};
pub use commits::commit_fact;

use crate::event::cap;
use crate::redact::redact;

/// What may be stored of a text: without secrets, and no longer than an event may be.
fn storable(text: &str) -> String {
    let text = redact(text);
    cap(&text).to_string()
}
