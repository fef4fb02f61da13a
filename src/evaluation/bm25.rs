//! BM25 over documents that grow as history is replayed: a baseline for evaluation, not part of any answer.
//!
//! Source: Robertson and Zaragoza 2009.

use std::collections::HashMap;

/// Term-frequency saturation.
const K1: f32 = 1.2;
/// Length normalization.
const B: f32 = 0.75;

/// An index of documents, which are identified by number.
#[derive(Debug, Default)]
pub struct Bm25 {
    terms: HashMap<String, HashMap<u32, u32>>,
    lengths: HashMap<u32, u32>,
    total: u64,
}

impl Bm25 {
    /// Appends words to a document.
    pub fn add(&mut self, document: u32, words: impl IntoIterator<Item = String>) {
        for word in words {
            *self.terms.entry(word).or_default().entry(document).or_default() += 1;
            *self.lengths.entry(document).or_default() += 1;
            self.total += 1;
        }
    }

    /// Returns the score of each document that has at least one of the words.
    pub fn scores(&self, words: &[String]) -> HashMap<u32, f32> {
        let (documents, mut scores) = (self.lengths.len() as f32, HashMap::new());
        let mean = self.total as f32 / documents.max(1.0);
        for word in words {
            let Some(found) = self.terms.get(word) else { continue };
            let with = found.len() as f32;
            let rare = (1.0 + (documents - with + 0.5) / (with + 0.5)).ln();
            for (document, times) in found {
                let (times, length) = (*times as f32, self.lengths[document] as f32);
                let score = rare * times * (K1 + 1.0) / (times + K1 * (1.0 - B + B * length / mean));
                *scores.entry(*document).or_default() += score;
            }
        }
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_words_in_short_documents_score_most() {
        let mut index = Bm25::default();
        let words = |text: &str| text.split(' ').map(str::to_string).collect::<Vec<_>>();
        index.add(0, words("parse the file"));
        index.add(1, words("parse the whole file and everything that stands in it"));
        index.add(2, words("draw the window"));
        let scores = index.scores(&words("parse nothing"));
        assert!(scores[&0] > scores[&1] && !scores.contains_key(&2), "{scores:?}");
        let scores = index.scores(&words("the window"));
        assert!(scores[&2] > scores[&0], "{scores:?}");
        index.add(0, words("window window"));
        assert!(index.scores(&words("window"))[&0] > 0.0, "it grew");
    }
}
