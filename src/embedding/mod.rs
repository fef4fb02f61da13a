//! Text to vector, remembered by content: the model's files and their checks, sessions, the cache of embeddings.
//! fastembed's and ort's door. Refuses files whose sha256 is not the one expected, and to touch the network itself:
//! what fetches is a script that a person asks for.

mod all;
mod cache;
mod files;
mod manifest;
mod model;
mod prepare;
mod queue;
mod text;
mod tokenizer;
mod vector;

pub use all::{Embedder, New};
pub use cache::{Cached, Damaged, Embeddings};
pub use files::data_dir;
pub use manifest::{Manifest, find, installed, pinned_runtime, runtime_path};
pub use model::{Identity, Model, Setup};
pub use prepare::{prepare, prepare_runtime};
pub use queue::{Embedded, embed_all};
pub use text::{RECIPE, hash_of, text_of, text_of_entry, text_of_message};
pub use vector::{Embedding, Projection, Rows, Unit, dot, widen};
