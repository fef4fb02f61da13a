//! A question in words, and its embedding. The model loads and runs on a thread while the words are already being
//! searched.

use std::thread::JoinHandle;

use anyhow::{Result, anyhow};

use crate::config::ModelConfig;
use crate::embedding::{Embedding, ModelIdentity, Setup};
use crate::error::{Exit, UserError};
use crate::text_index;

/// A question whose embedding is being computed.
///
/// Create it before opening a [`super::Reader`], because loading the model takes longest.
pub struct TextQuery {
    /// The text as typed.
    pub(super) text: String,
    /// Its words, tokenized as for full-text search.
    pub(super) words: Vec<String>,
    /// Its embedding.
    pub(super) embedding: PendingEmbedding,
}

/// The embedding of a question, computed on a thread.
pub(super) struct PendingEmbedding {
    config: ModelConfig,
    question: String,
    running: Option<JoinHandle<Result<Embedded>>>,
}

/// The model, and the embedding of the question.
type Embedded = (ModelIdentity, Option<Embedding>);

impl TextQuery {
    /// Starts embedding a question with the configured model; `None` if the question has no words.
    pub fn begin(config: &ModelConfig, text: &str) -> Option<Self> {
        let words = text_index::words(text);
        if words.is_empty() {
            return None;
        }
        Some(TextQuery { text: text.to_string(), words, embedding: PendingEmbedding::begin(config, text) })
    }
}

impl Drop for PendingEmbedding {
    /// Waits for the thread, because the process must not exit while the runtime is working in it.
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let _ = running.join();
        }
    }
}

impl PendingEmbedding {
    /// Starts with the model that is set up, which is most likely the index's model.
    fn begin(config: &ModelConfig, question: &str) -> Self {
        let (own, text) = (config.clone(), question.to_string());
        let running = std::thread::spawn(move || embed(&Setup::check(&own, false)?, &text));
        PendingEmbedding { config: config.clone(), question: question.to_string(), running: Some(running) }
    }

    /// Checks that a model is set up.
    ///
    /// # Errors
    /// A [`UserError`] that says what is missing or damaged.
    pub fn is_set_up(&self) -> Result<()> {
        Setup::check(&self.config, false).map(|_| ())
    }

    /// Waits for the embedding by the index's model.
    ///
    /// # Errors
    /// A [`UserError`] if the model is missing or damaged, or produces no vector for the question.
    pub fn wait(mut self, identity: &ModelIdentity) -> Result<Embedding> {
        let running = self.running.take().expect("it is waited for once");
        let found = running.join().map_err(|_| anyhow!("the model stopped"))?;
        let found = match found {
            Ok((model, found)) if model == *identity => found,
            // Another model has been set up, and its vectors are not complete yet: the index's own model still answers.
            Ok(_) => embed(&Setup::of(identity, &self.config)?, &self.question)?.1,
            Err(error) => return Err(error),
        };
        found.ok_or_else(|| {
            UserError::new(Exit::Failed, "the model produced no usable vector for this query")
                .hint("ask in other words")
                .into()
        })
    }
}

/// Loads a model and embeds a question with it.
fn embed(setup: &Setup, question: &str) -> Result<Embedded> {
    let mut model = setup.load(true)?;
    let found = model.embed_question(question)?;
    // Freeing the model would only delay the exit, and the process ends with the answer.
    std::mem::forget(model);
    Ok((setup.identity.clone(), found))
}
