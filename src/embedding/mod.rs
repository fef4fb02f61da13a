//! Text to vector: verification of the model's files, inference sessions, and the cache of embeddings by content.
//!
//! Invariants: only this module uses fastembed and ort; no file is used unless its sha256 is the expected one; no
//! network access, because models are fetched by a script that the user runs.

mod embedder;
mod embedding_cache;
mod files;
mod manifest;
mod model;
mod prepare;
mod queue;
mod text;
mod tokenizer;
mod vector;

pub use embedder::{Embedder, NewEmbeddings};
pub use embedding_cache::{CacheDamaged, CachedEmbedding, EmbeddingCache};
pub use files::data_dir;
pub use manifest::{Manifest, find, installed, pinned_runtime, runtime_path};
pub use model::{EmbeddingModel, ModelIdentity, Setup};
pub use prepare::{prepare, prepare_runtime};
pub use queue::{EmbedResult, embed_all};
pub use text::{RECIPE, hash_of, text_of, text_of_entry, text_of_message};
pub use vector::{Embedding, Projection, UnitVector, VectorRows, dot, widen};
