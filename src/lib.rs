//! patina: a code repository's memory, kept by git itself.
//!
//! ```text
//!   git hook ──► hooks ──► workspace (doorbell, lock) ──► pipeline
//!                                                            │ record
//!   git objects ──► git ──► redact ──► syntax ──► facts ──► eventlog         the only truth
//!                                                            │ update
//!                    view ── item ── history ── edges ── text_index          joins and caches, in one store
//!                                                            │ embed
//!       dimensions ── embedding (text ─► vector) ── adapter (vector ─► vector) ── index
//!                                                            │
//!   a question ──► commands ──► query ───────────────────────┘               ranked, explained, as of a commit
//! ```
//!
//! Modules are declared in reading order, and a module imports only from those above it, which a test checks. Public
//! modules are those that tests and benches use.

pub mod event;
mod rng;
mod error;
mod fail;
mod sqlite;
pub mod git;
pub mod config;
pub mod workspace;
mod agents;
pub mod redact;
pub mod syntax;
pub mod sessions;
pub mod facts;
pub mod eventlog;
pub mod view;
mod item;
mod entries;
pub mod history;
pub mod edges;
mod text_index;
pub mod embedding;
pub mod dimensions;
pub mod adapter;
pub mod index;
pub mod store;
pub mod fusion;
pub mod query;
pub mod evaluation;
pub mod pipeline;
mod verify;
mod hooks;
pub mod commands;
