//! An experiment as a file: how each dimension is learned. Refuses names that it does not know.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use globset::{Glob, GlobSetBuilder};
use serde::Deserialize;

use super::learn::Experiment;
use crate::dimensions;

/// What may be set of a dimension; what is left out stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
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

/// Widest layer that an experiment may ask for.
const WIDEST: usize = 4096;

/// Experiments by dimension, from TOML with a table for each dimension that is not learned as always.
///
/// # Errors
/// Where the text is no TOML, names what there is not, or sets a number that cannot be.
pub fn experiments(text: &str) -> Result<BTreeMap<&'static str, Experiment>> {
    let tables: BTreeMap<String, Table> = toml::from_str(text)?;
    let mut experiments = BTreeMap::new();
    for (name, table) in tables {
        let dimension = dimensions::named(&name).with_context(|| {
            let known: Vec<&str> = dimensions::ALL.iter().map(|dimension| dimension.name).collect();
            format!("there is no dimension `{name}`: there are {}", known.join(", "))
        })?;
        experiments.insert(dimension.name, table.experiment().with_context(|| format!("[{name}]"))?);
    }
    Ok(experiments)
}

impl Table {
    fn experiment(self) -> Result<Experiment> {
        let mut experiment = Experiment::default();
        let Experiment { training, choice } = &mut experiment;
        let set = |to: &mut usize, from: Option<usize>| *to = from.unwrap_or(*to);
        set(&mut training.hidden, self.hidden);
        set(&mut training.out, self.out);
        set(&mut training.steps, self.steps);
        set(&mut training.batch, self.batch);
        set(&mut choice.largest_commit, self.largest_commit);
        set(&mut choice.largest_group, self.largest_group);
        let set = |to: &mut f32, from: Option<f32>| *to = from.unwrap_or(*to);
        set(&mut training.rate, self.rate);
        set(&mut training.temperature, self.temperature);
        set(&mut training.dropout, self.dropout);
        set(&mut training.decay, self.decay);
        let set = |to: &mut bool, from: Option<bool>| *to = from.unwrap_or(*to);
        set(&mut training.is_residual, self.residual);
        set(&mut training.hard, self.hard_negatives);
        set(&mut choice.weigh_alike, self.weigh_pairs_alike);
        set(&mut choice.sessions, self.sessions);
        training.seed = self.seed.unwrap_or(training.seed);
        choice.newest = self.newest_commits;
        let mut ignore = GlobSetBuilder::new();
        for glob in self.ignore.unwrap_or_default() {
            ignore.add(Glob::new(&glob)?);
        }
        choice.ignore = ignore.build()?;
        for (name, number) in [("hidden", training.hidden), ("out", training.out), ("batch", training.batch)] {
            ensure!((1..=WIDEST).contains(&number), "{name} is {number}, and must be from 1 to {WIDEST}");
        }
        ensure!(training.batch > 1, "batch is 1: a pair has to be told from another");
        ensure!(
            (0.0..1.0).contains(&training.dropout),
            "dropout is {}, and must be from 0 to below 1",
            training.dropout
        );
        // Beyond these numbers overflow within a few steps, and what comes out says nothing.
        for (name, number, range) in [
            ("rate", training.rate, 1e-8..=1.0),
            ("temperature", training.temperature, 1e-3..=1e3),
            ("decay", training.decay, 0.0..=1.0),
        ] {
            let (least, most) = (range.start(), range.end());
            ensure!(range.contains(&number), "{name} is {number}, and must be from {least} to {most}");
        }
        Ok(experiment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_set_and_what_is_unknown_is_said() {
        let found =
            experiments("[temporal]\nhidden = 64\nlargest_commit = 10\nignore = ['vendor/**']\n").expect("reads");
        let temporal = &found["temporal"];
        assert_eq!((temporal.training.hidden, temporal.choice.largest_commit), (64, 10));
        assert!(temporal.choice.ignore.is_match("vendor/a.c") && !temporal.choice.ignore.is_match("src/a.c"));
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
