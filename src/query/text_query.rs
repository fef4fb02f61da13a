//! A question in words, and its embedding: the model loads and runs in a thread while the words are already searched.

use std::thread::JoinHandle;

use anyhow::{Result, anyhow};

use crate::config::ModelConfig;
use crate::embedding::{Embedding, ModelIdentity, Setup};
use crate::error::{Exit, UserError};
use crate::text_index;

/// A question in words whose embedding is under way.
///
/// It is begun before a [`super::Reader`] is opened: loading the model takes longer than anything else.
pub struct TextQuery {
    /// As asked.
    pub(super) text: String,
    /// Its words as full text is searched for them.
    pub(super) words: Vec<String>,
    /// Its embedding.
    pub(super) embedding: PendingEmbedding,
}

/// The embedding of a question, being computed by the model that is set up.
pub(super) struct PendingEmbedding {
    config: ModelConfig,
    question: String,
    running: Option<JoinHandle<Result<Embedded>>>,
}

/// Which model it was, and what it made of the question.
type Embedded = (ModelIdentity, Option<Embedding>);

impl TextQuery {
    /// Starts to embed a question with the model that the settings name; `None` where the question has no word.
    pub fn begin(config: &ModelConfig, text: &str) -> Option<Self> {
        let words = text_index::words(text);
        if words.is_empty() {
            return None;
        }
        Some(TextQuery { text: text.to_string(), words, embedding: PendingEmbedding::begin(config, text) })
    }
}

impl Drop for PendingEmbedding {
    /// A process must not end while the runtime is at work in one of its threads.
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let _ = running.join();
        }
    }
}

impl PendingEmbedding {
    /// Starts the model that is set up, which in all likelihood is the one that everything was embedded with.
    fn begin(config: &ModelConfig, question: &str) -> Self {
        let (own, text) = (config.clone(), question.to_string());
        let running = std::thread::spawn(move || embed(&Setup::check(&own, false)?, &text));
        PendingEmbedding { config: config.clone(), question: question.to_string(), running: Some(running) }
    }

    /// Checks that there is a model at all.
    ///
    /// # Errors
    /// A [`UserError`] that says what is missing or damaged.
    pub fn is_set_up(&self) -> Result<()> {
        Setup::check(&self.config, false).map(|_| ())
    }

    /// Waits for the embedding by the model that everything was embedded with.
    ///
    /// # Errors
    /// A [`UserError`] where the model is missing or damaged, or produces no vector for the question.
    pub fn wait(mut self, identity: &ModelIdentity) -> Result<Embedding> {
        let running = self.running.take().expect("it is waited for once");
        let found = running.join().map_err(|_| anyhow!("the model stopped"))?;
        let found = match found {
            Ok((model, found)) if model == *identity => found,
            // Another model is set up by now and its vectors are not in yet: the old one goes on answering.
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
    // The process ends with the answer; taking the model apart first would only keep it waiting.
    std::mem::forget(model);
    Ok((setup.identity.clone(), found))
}
