//! Commits, parsed files and sessions to facts. Pure: the same input gives the same facts, on any machine, in any
//! order. Refuses to know the log, the clock or the disk.

mod code;
mod commits;
mod sessions;

pub use code::{CallFact, CodeFacts, ImportFact, ItemFact, file_facts, text_facts};
pub use commits::commit_fact;
pub use sessions::{
    EntryData, EntryFact, NOTES, SESSION, SESSION_READ, SessionData, entry_fact, entry_facts, session_fact,
    session_facts, session_of, source_of, version,
};

use crate::event::cap;
use crate::redact::redact;

/// What may be stored of a text: without secrets, and no longer than an event may be.
pub fn storable(text: &str) -> String {
    let text = redact(text);
    cap(&text).to_string()
}
