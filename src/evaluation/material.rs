//! All that a measurement or a training is made from: the history, how it is parted, the tree where it is parted, and
//! the vectors of its texts. Refuses texts of a later tree.

use std::collections::HashSet;

use anyhow::Result;

use super::corpus::{Corpus, Reading};
use super::split::Split;
use crate::embedding::Rows;
use crate::entries::Told;
use crate::fusion::{self, Prior, Question};
use crate::git::ObjectId;
use crate::history::Timeline;

/// A repository as it is learned from.
pub struct Material {
    /// Its history.
    pub timeline: Timeline,
    /// Which commits are for what.
    pub split: Split,
    /// The tree at the end of what trains, and what was born later.
    pub corpus: Corpus,
    /// One vector a text of the corpus.
    pub frozen: Rows,
    /// Ids of all its commits, in hexadecimal.
    pub shas: HashSet<String>,
}

impl Material {
    /// Reads everything; `sessions` are those that are asked or learned from, and `embed` gives the vectors of texts.
    pub fn read(
        reading: &Reading<'_>,
        timeline: Timeline,
        sessions: &[Told],
        split: Split,
        head: ObjectId,
        embed: impl FnOnce(&[String]) -> Result<Rows>,
    ) -> Result<Self> {
        let corpus = Corpus::read(reading, &timeline, sessions, &split, head)?;
        let frozen = embed(&corpus.texts)?;
        let shas = timeline.steps.iter().map(|step| step.sha.clone()).collect();
        Ok(Material { timeline, split, corpus, frozen, shas })
    }

    /// Nothing known of a question: what a row of the prior is fitted with.
    pub fn flat(question: Question) -> Prior {
        Prior::flat(question.signals().len(), 1.0)
    }

    /// What ships of a question, as far as it has not seen this repository.
    ///
    /// # Errors
    /// Where what ships does not fit the question's signals, which a test refuses.
    pub fn prior(&self, question: Question) -> Result<Prior> {
        fusion::shipped(question, &|sha| self.shas.contains(sha))
    }
}
