//! Experiment files: TOML with the training settings of dimensions. Unknown names are errors.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use globset::{Glob, GlobSetBuilder};
use serde::Deserialize;

use super::train_dimension::Experiment;
use crate::dimensions;

/// The settings of one dimension. Absent ones keep their default.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExperimentTable {
    hidden: Option<usize>,
    out: Option<usize>,
    residual: Option<bool>,
    steps: Option<usize>,
    batch: Option<usize>,
    rate: Option<f32>,
    temperature: Option<f32>,
    dropout: Option<f32>,
    decay: Option<f32>,
    hard_negatives: Option<bool>,
    seed: Option<u64>,
    largest_commit: Option<usize>,
    newest_commits: Option<usize>,
    largest_group: Option<usize>,
    ignore: Option<Vec<String>>,
    weigh_pairs_alike: Option<bool>,
    sessions: Option<bool>,
}

/// The largest layer width and batch size of an experiment.
const MAX_SIZE: usize = 4096;

/// Parses experiments by dimension from TOML, with a table for each dimension that differs from the defaults.
///
/// # Errors
/// If the text is not TOML, has an unknown name, or a value out of range.
pub fn experiments(text: &str) -> Result<BTreeMap<&'static str, Experiment>> {
    let tables: BTreeMap<String, ExperimentTable> = toml::from_str(text)?;
    let mut experiments = BTreeMap::new();
    for (name, table) in tables {
        let dimension = dimensions::named(&name).with_context(|| {
            let known: Vec<&str> = dimensions::ALL.iter().map(|dimension| dimension.name).collect();
            format!("unknown dimension `{name}`; the dimensions are {}", known.join(", "))
        })?;
        experiments.insert(dimension.name, table.experiment().with_context(|| format!("[{name}]"))?);
    }
    Ok(experiments)
}

impl ExperimentTable {
    /// Returns the experiment with these settings.
    fn experiment(self) -> Result<Experiment> {
        let mut experiment = Experiment::default();
        let Experiment { training, selection } = &mut experiment;
        let set = |to: &mut usize, from: Option<usize>| *to = from.unwrap_or(*to);
        set(&mut training.hidden, self.hidden);
        set(&mut training.out, self.out);
        set(&mut training.steps, self.steps);
        set(&mut training.batch, self.batch);
        set(&mut selection.largest_commit, self.largest_commit);
        set(&mut selection.largest_group, self.largest_group);
        let set = |to: &mut f32, from: Option<f32>| *to = from.unwrap_or(*to);
        set(&mut training.rate, self.rate);
        set(&mut training.temperature, self.temperature);
        set(&mut training.dropout, self.dropout);
        set(&mut training.decay, self.decay);
        let set = |to: &mut bool, from: Option<bool>| *to = from.unwrap_or(*to);
        set(&mut training.is_residual, self.residual);
        set(&mut training.hard_negatives, self.hard_negatives);
        set(&mut selection.weigh_alike, self.weigh_pairs_alike);
        set(&mut selection.sessions, self.sessions);
        training.seed = self.seed.unwrap_or(training.seed);
        selection.newest = self.newest_commits;
        let mut ignore = GlobSetBuilder::new();
        for glob in self.ignore.unwrap_or_default() {
            ignore.add(Glob::new(&glob)?);
        }
        selection.ignore = ignore.build()?;
        for (name, number) in [("hidden", training.hidden), ("out", training.out), ("batch", training.batch)] {
            ensure!((1..=MAX_SIZE).contains(&number), "{name} is {number} but must be from 1 to {MAX_SIZE}");
        }
        ensure!(training.batch > 1, "batch must be at least 2 (contrastive training needs negatives)");
        ensure!(
            (0.0..1.0).contains(&training.dropout),
            "dropout is {} but must be at least 0 and below 1",
            training.dropout
        );
        // Outside these ranges the numbers overflow within a few steps.
        for (name, number, range) in [
            ("rate", training.rate, 1e-8..=1.0),
            ("temperature", training.temperature, 1e-3..=1e3),
            ("decay", training.decay, 0.0..=1.0),
        ] {
            let (least, most) = (range.start(), range.end());
            ensure!(range.contains(&number), "{name} is {number} but must be from {least} to {most}");
        }
        Ok(experiment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_apply_and_mistakes_are_named() {
        let found =
            experiments("[temporal]\nhidden = 64\nlargest_commit = 10\nignore = ['vendor/**']\n").expect("reads");
        let temporal = &found["temporal"];
        assert_eq!((temporal.training.hidden, temporal.selection.largest_commit), (64, 10));
        assert!(temporal.selection.ignore.is_match("vendor/a.c") && !temporal.selection.ignore.is_match("src/a.c"));
        assert_eq!(temporal.training.out, Experiment::default().training.out);
        for (text, word) in [
            ("[temporl]\n", "temporl"),
            ("[temporal]\nhiden = 1\n", "hiden"),
            ("[temporal]\ndropout = 1.0\n", "dropout"),
            ("[temporal]\nbatch = 1\n", "batch"),
            ("[temporal]\nout = 0\n", "out"),
            ("[temporal]\nrate = -1.0\n", "rate"),
            ("[temporal]\nrate = 1e10\n", "rate"),
            ("[temporal]\ntemperature = 1e-40\n", "temperature"),
            ("[temporal]\ndecay = nan\n", "decay"),
            ("[temporal]\nignore = ['a[']\n", "temporal"),
        ] {
            let error = format!("{:#}", experiments(text).expect_err(word));
            assert!(error.contains(word), "{error}");
        }
    }
}
