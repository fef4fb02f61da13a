//! Integration tests: what patina promises, tested through its program, its files, and modules with an independent
//! oracle. Internals are tested by unit tests beside the code.

mod agents;
#[cfg(feature = "fail-points")]
mod background;
mod code;
mod compat;
mod config;
mod crashes;
mod crowd;
mod damaged_log;
mod disk;
mod exchange;
mod foreign;
mod forget;
mod formats;
mod front;
mod history;
mod hooks;
mod hostile;
mod joins;
mod json;
mod languages;
mod learning;
mod lineage;
mod mended;
mod models;
mod moved;
mod oracle;
mod pages;
mod people;
mod planted;
mod reference;
mod rewrites;
mod secrets;
mod seed;
mod session_end;
mod session_task;
mod sessions;
mod transcripts;
mod seventh;
mod shapes;
#[cfg(feature = "fail-points")]
mod stops;
mod support;
mod surface;
mod targets;
mod task;
mod tidy;
mod trained;
mod vectors;
mod why;
mod worktrees;
mod written;
