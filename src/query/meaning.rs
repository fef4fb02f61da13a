//! A question as the model sees it. Refuses to keep anybody waiting: the model loads beside the search for words.

use std::thread::JoinHandle;

use anyhow::{Result, anyhow};

use crate::config::ModelConfig;
use crate::embedding::{Embedding, Identity, Setup};
use crate::error::{Exit, UserError};

/// Which model it was, and what it made of the question.
type Answer = (Identity, Option<Embedding>);

/// A question on its way through the model.
pub struct Meaning {
    config: ModelConfig,
    question: String,
    running: Option<JoinHandle<Result<Answer>>>,
}

impl Drop for Meaning {
    /// A process must not end while the runtime is at work in one of its threads.
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let _ = running.join();
        }
    }
}

impl Meaning {
    /// Starts the model that is set up, which in all likelihood is the one that everything was embedded with.
    pub fn begin(config: &ModelConfig, question: &str) -> Self {
        let (own, text) = (config.clone(), question.to_string());
        let running = std::thread::spawn(move || ask(&Setup::check(&own, false)?, &text));
        Meaning { config: config.clone(), question: question.to_string(), running: Some(running) }
    }

    /// Whether there is a model at all.
    ///
    /// # Errors
    /// A [`UserError`] that says what is missing or damaged.
    pub fn is_set_up(&self) -> Result<()> {
        Setup::check(&self.config, false).map(|_| ())
    }

    /// The question's embedding by the model that everything was embedded with, once it is there.
    ///
    /// # Errors
    /// A [`UserError`] where the model is missing or damaged, or makes nothing of the question.
    pub fn wait(mut self, identity: &Identity) -> Result<Embedding> {
        let running = self.running.take().expect("it is waited for once");
        let found = running.join().map_err(|_| anyhow!("the model stopped"))?;
        let found = match found {
            Ok((model, found)) if model == *identity => found,
            // Another model is set up by now and its vectors are not in yet: the old one goes on answering.
            Ok(_) => ask(&Setup::of(identity, &self.config)?, &self.question)?.1,
            Err(error) => return Err(error),
        };
        found.ok_or_else(|| {
            UserError::new(Exit::Failed, "the model makes nothing of this question").hint("ask in other words").into()
        })
    }
}

fn ask(setup: &Setup, question: &str) -> Result<Answer> {
    let mut model = setup.load(true)?;
    let found = model.embed_question(question)?;
    // The process ends with the answer; taking the model apart first would only keep it waiting.
    std::mem::forget(model);
    Ok((setup.identity.clone(), found))
}
