//! One dimension's training and how it does alone. Refuses to train where there is nothing to learn from.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;

use super::lessons::{Choice, Lessons, lessons};
use super::{Material, each};
use crate::adapter::{Adapter, Settings, Trained, train};
use crate::dimensions::Dimension;
use crate::embedding::Rows;

/// Questions by which training stops; more of them would cost more than they say.
const LOOKED_AT: usize = 400;

/// How a dimension is learned: what an experiment may set.
#[derive(Debug, Clone, Default)]
pub struct Experiment {
    /// Of the training.
    pub training: Settings,
    /// What is learned from.
    pub choice: Choice,
}

/// What came of it.
pub struct Learned {
    /// Which dimension.
    pub dimension: &'static Dimension,
    /// What it learned from and is asked.
    pub lessons: Lessons,
    /// The adapter that is to be used; none where training never did better than its beginning.
    pub trained: Option<Trained>,
    /// The texts as the adapter sees them.
    pub adapter: Option<Rows>,
    /// The same as others do, for comparison.
    pub shown: Vec<(&'static str, Rows)>,
    /// Why there is nothing; none where there is an adapter.
    pub reason: Option<String>,
}

/// Trains some dimensions, two at a time, each as its experiment says or as always; in their order. `going_on` is told
/// how many steps of how many are done at most.
///
/// # Errors
/// None of its own.
pub fn learn_all(
    material: &Material,
    dimensions: &[&'static Dimension],
    experiments: &BTreeMap<&'static str, Experiment>,
    compare: bool,
    going_on: &(dyn Fn(u64, u64) -> bool + Sync),
) -> Result<Vec<Learned>> {
    let standard = Experiment::default();
    let experiment = |dimension: &Dimension| experiments.get(dimension.name).unwrap_or(&standard);
    let runs = if compare { 2 } else { 1 };
    let total: usize = dimensions.iter().map(|dimension| runs * experiment(dimension).training.steps).sum();
    let done = AtomicU64::new(0);
    each(dimensions, |dimension| {
        let step = |_| going_on(done.fetch_add(1, Ordering::Relaxed) + 1, total as u64);
        Ok(learn(material, dimension, experiment(dimension), compare, &step))
    })
}

/// Trains a dimension on what trains. With `compare` also a random projection and an adapter without the straight way,
/// to show what each part is worth. `progress` is told of each step and says whether to go on.
fn learn(
    material: &Material,
    dimension: &'static Dimension,
    experiment: &Experiment,
    compare: bool,
    progress: &dyn Fn(usize) -> bool,
) -> Learned {
    let frozen = &material.frozen;
    let lessons = lessons(dimension, material, &experiment.choice);
    let mut learned = Learned { dimension, lessons, trained: None, adapter: None, shown: Vec::new(), reason: None };
    if learned.lessons.groups.is_empty() {
        learned.reason = Some("nothing in this repository says what is near here".to_string());
        return learned;
    }
    if learned.lessons.fit.asks.is_empty() {
        learned.reason = Some("nothing is left to stop training by: there is too little history, or code".to_string());
        return learned;
    }
    let (probes, few) = learned.lessons.fit.clone().thin(LOOKED_AT).compact(frozen);
    let validate = |adapter: &Adapter| probes.mrr(&adapter.project_all(&few));
    let settings = &experiment.training;
    if compare {
        let random = Adapter::random(frozen.width, settings.out, settings.seed);
        learned.shown.push(("random_projection", random.project_all(frozen)));
        let plain = Settings { is_residual: false, ..settings.clone() };
        if let Some(trained) = train(frozen, &learned.lessons.groups, &plain, validate, progress) {
            learned.shown.push(("mlp", trained.adapter.project_all(frozen)));
        }
    }
    learned.trained = train(frozen, &learned.lessons.groups, settings, validate, progress);
    match &learned.trained {
        Some(trained) => learned.adapter = Some(trained.adapter.project_all(frozen)),
        None => learned.reason = Some("training never did better than where it began".to_string()),
    }
    learned
}
