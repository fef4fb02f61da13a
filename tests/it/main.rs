//! What patina promises, tested from outside: through its program, its files, and the rooms that have an oracle.
//! Refuses to look at how anything is done; unit tests beside the code do that.

mod code;
mod compat;
mod config;
mod crowd;
mod exchange;
mod history;
mod hooks;
mod json;
mod languages;
mod lineage;
mod mended;
mod models;
mod oracle;
mod rewrites;
mod seed;
mod shapes;
mod support;
mod surface;
mod tidy;
mod vectors;
mod worktrees;
