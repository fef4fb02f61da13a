//! A question as the model sees it. Refuses to keep anybody waiting: the model loads beside the search for words.

use std::thread::JoinHandle;

use anyhow::{Result, anyhow};

use crate::config::ModelConfig;
use crate::embedding::{Embedding, Identity, Setup};
use crate::error::UserError;

/// A question on its way through the model.
pub struct Meaning(JoinHandle<Result<Option<Embedding>>>);

impl Meaning {
    /// Starts the model that everything was indexed with.
    pub fn begin(identity: &Identity, config: &ModelConfig, question: &str) -> Self {
        let (identity, config, question) = (identity.clone(), config.clone(), question.to_string());
        Meaning(std::thread::spawn(move || Setup::of(&identity, &config)?.load(true)?.embed_question(&question)))
    }

    /// The question's embedding, once it is there.
    ///
    /// # Errors
    /// A [`UserError`] where the model is missing, damaged, or another than the one that was used.
    pub fn wait(self) -> Result<Embedding> {
        let found = self.0.join().map_err(|_| anyhow!("the model stopped"))??;
        found.ok_or_else(|| {
            UserError::new(crate::error::Exit::Failed, "the model makes nothing of this question")
                .hint("ask in other words")
                .into()
        })
    }
}
