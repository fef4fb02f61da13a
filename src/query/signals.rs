//! The signals that files are ranked by: counts of history, and vectors, restricted to the view.

use std::collections::HashMap;

use anyhow::Result;

use super::Reader;
use crate::dimensions::Dimension;
use crate::embedding::VectorRows;
use crate::fusion::{self, Question, SignalTable};
use crate::history::{self, AsOf, FileId, LoadedCounts};
use crate::index::{self, Space, VectorReader};

/// Counts of history, and the vectors of files.
pub struct Signals<'v> {
    /// Co-change and popularity counts, as of the indexed HEAD.
    pub history: LoadedCounts,
    /// The vectors of the files in each space: the base embedding, and then the dimension's projection if it has an
    /// adapter.
    pub seen: [FileVectors<'v>; 2],
    /// The sha256 of the model that made the vectors; `None` without vectors.
    pub model: Option<String>,
}

/// The vectors of files in one space.
#[derive(Default)]
pub struct FileVectors<'v> {
    /// The space; `None` if it would be that of the base embedding.
    pub space: Option<&'v Space>,
    /// One vector per file.
    pub files: VectorRows,
}

impl<'v> Signals<'v> {
    /// Loads the counts. `targets` are the paths whose whole history is needed.
    pub fn count(reader: &Reader<'_>, targets: &[&str]) -> Result<Self> {
        let as_of = AsOf { view: reader.view.id, time: reader.time() };
        let keeps = |path: &str| !reader.config.ignores(path);
        let history = history::load_counts(&reader.cache, as_of, &*reader.people()?, targets, keeps)?;
        Ok(Signals { history, seen: Default::default(), model: None })
    }

    /// Adds the vectors of every file: its base embedding, and its projection if the dimension has an adapter.
    pub fn see(&mut self, reader: &Reader<'_>, vectors: &'v VectorReader<'_>, dimension: &Dimension) -> Result<()> {
        let Some(generation) = vectors.generation() else { return Ok(()) };
        self.model = Some(generation.model.sha256.clone());
        let own = generation.space(dimension.name).filter(|space| !space.is_base());
        let texts = self.texts_of_files(reader)?;
        for (seen, space) in self.seen.iter_mut().zip([Some(&generation.base), own]) {
            let Some(space) = space else { continue };
            *seen = FileVectors { space: Some(space), files: rows(vectors, space, &texts)? };
        }
        Ok(())
    }

    fn texts_of_files(&self, reader: &Reader<'_>) -> Result<Vec<(FileId, i64)>> {
        let by_path: HashMap<&str, FileId> =
            self.history.counts.live().map(|file| (self.history.path(file), file)).collect();
        let texts = index::texts_of_files(&reader.cache, reader.view.id)?;
        Ok(texts.iter().filter_map(|(path, text)| Some((*by_path.get(path.as_str())?, *text))).collect())
    }
}

/// Reads the vectors of some texts, by file.
fn rows(vectors: &VectorReader<'_>, space: &Space, texts: &[(FileId, i64)]) -> Result<VectorRows> {
    let found = vectors.many(space, &texts.iter().map(|(_, text)| *text).collect::<Vec<i64>>())?;
    let mut rows = VectorRows::new(space.width);
    for (file, text) in texts {
        if let Some(vector) = found.get(text) {
            rows.row_mut(*file).copy_from_slice(&vector.0.to_f32());
        }
    }
    Ok(rows)
}

/// Scores each row of a signal table for a question. `model` is the sha256 of the model that made the vectors.
pub fn scores(reader: &Reader<'_>, question: Question, table: &SignalTable, model: Option<&str>) -> Result<Vec<f64>> {
    let weights = fusion::weights(&reader.workspace.adapters_dir(), question, model)?;
    let score = |row: usize| weights.score(table.columns.iter().map(|column| column[row]));
    Ok((0..table.candidates.len()).map(score).collect())
}
