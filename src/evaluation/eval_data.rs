//! The input of training and evaluation: the history, its split, the tree at the split, and the embeddings of all
//! texts.
//!
//! Invariant: no text comes from a later tree than the split allows.

use std::collections::HashSet;

use anyhow::Result;

use super::corpus::{Corpus, CorpusSource};
use super::split::Split;
use crate::embedding::VectorRows;
use crate::entries::SessionRecord;
use crate::fusion::{self, Prior, Question};
use crate::git::ObjectId;
use crate::history::Timeline;

/// The data of one repository for training and evaluation.
pub struct EvalData {
    /// The reachable commits.
    pub timeline: Timeline,
    /// Which commits are for training, validation and test.
    pub split: Split,
    /// The items of the tree at the end of the training split, and the texts that came later.
    pub corpus: Corpus,
    /// The base embedding of each text of the corpus, [texts, width].
    pub base_embeddings: VectorRows,
    /// The ids of all commits, in hexadecimal.
    pub shas: HashSet<String>,
}

impl EvalData {
    /// Reads a repository.
    ///
    /// `sessions` are used for queries and, if configured, for training. `embed` returns the base embedding of each
    /// text.
    pub fn read(
        source: &CorpusSource<'_>,
        timeline: Timeline,
        sessions: &[SessionRecord],
        split: Split,
        head: ObjectId,
        embed: impl FnOnce(&[String]) -> Result<VectorRows>,
    ) -> Result<Self> {
        let corpus = Corpus::read(source, &timeline, sessions, &split, head)?;
        let base_embeddings = embed(&corpus.texts)?;
        let shas = timeline.commits.iter().map(|commit| commit.sha.clone()).collect();
        Ok(EvalData { timeline, split, corpus, base_embeddings, shas })
    }

    /// Returns a flat prior, as used for fitting a row of the shipped prior.
    pub fn flat(question: Question) -> Prior {
        Prior::flat(question.signals().len(), 1.0)
    }

    /// Returns the shipped prior of a question without this repository's own row.
    ///
    /// # Errors
    /// If the shipped rows do not fit the question's signals, which a test rules out.
    pub fn prior(&self, question: Question) -> Result<Prior> {
        fusion::shipped(question, &|sha| self.shas.contains(sha))
    }
}
