//! Training of the adapter of each dimension, with early stopping on its own validation queries.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;

use super::training_set::{TrainingSelection, TrainingSet, training_set};
use super::{EvalData, in_parallel};
use crate::adapter::{Adapter, TrainedAdapter, TrainingSettings, train};
use crate::dimensions::Dimension;
use crate::embedding::VectorRows;

/// The most queries for early stopping; more would not be worth their cost.
const MAX_VALIDATION_QUERIES: usize = 400;

/// How to train a dimension, as an experiment may set it.
#[derive(Debug, Clone, Default)]
pub struct Experiment {
    /// Hyperparameters.
    pub training: TrainingSettings,
    /// Data selection.
    pub selection: TrainingSelection,
}

/// The result of training one dimension.
pub struct TrainedDimension {
    /// The dimension.
    pub dimension: &'static Dimension,
    /// Its training and evaluation data.
    pub training_set: TrainingSet,
    /// The adapter; `None` if training never beat the initial one.
    pub trained: Option<TrainedAdapter>,
    /// The adapter's projection of each text of the corpus.
    pub projections: Option<VectorRows>,
    /// Vectors of each text by other methods, for comparison.
    pub comparisons: Vec<(&'static str, VectorRows)>,
    /// Why there is no adapter; `None` if there is one.
    pub reason: Option<String>,
}

/// Trains some dimensions in parallel, each with the settings of its experiment or the defaults. Returns the results in
/// order.
///
/// `compare` also trains comparison methods. `should_continue` is called with the number of steps done and their
/// maximum.
///
/// # Errors
/// None of its own.
pub fn train_dimensions(
    data: &EvalData,
    dimensions: &[&'static Dimension],
    experiments: &BTreeMap<&'static str, Experiment>,
    compare: bool,
    should_continue: &(dyn Fn(u64, u64) -> bool + Sync),
) -> Result<Vec<TrainedDimension>> {
    let standard = Experiment::default();
    let experiment = |dimension: &Dimension| experiments.get(dimension.name).unwrap_or(&standard);
    let runs = if compare { 2 } else { 1 };
    let total: usize = dimensions.iter().map(|dimension| runs * experiment(dimension).training.steps).sum();
    let done = AtomicU64::new(0);
    in_parallel(dimensions, |dimension| {
        let step = |_| should_continue(done.fetch_add(1, Ordering::Relaxed) + 1, total as u64);
        Ok(train_dimension(data, dimension, experiment(dimension), compare, &step))
    })
}

/// Trains one dimension.
///
/// `compare` adds a random projection and an adapter without skip connection, as ablations. `progress` is called after
/// each step and returns whether to continue.
fn train_dimension(
    data: &EvalData,
    dimension: &'static Dimension,
    experiment: &Experiment,
    compare: bool,
    progress: &dyn Fn(usize) -> bool,
) -> TrainedDimension {
    let base_embeddings = &data.base_embeddings;
    let training_set = training_set(dimension, data, &experiment.selection);
    let mut learned = TrainedDimension {
        dimension,
        training_set,
        trained: None,
        projections: None,
        comparisons: Vec::new(),
        reason: None,
    };
    if learned.training_set.groups.is_empty() {
        learned.reason = Some("this repository has no groups of related items for this dimension".to_string());
        return learned;
    }
    if learned.training_set.fit.queries.is_empty() {
        learned.reason = Some("too little history or code for a validation split".to_string());
        return learned;
    }
    let (eval_set, few_rows) =
        learned.training_set.fit.clone().subsample(MAX_VALIDATION_QUERIES).compact(base_embeddings);
    let validate = |adapter: &Adapter| eval_set.mrr(&adapter.project_all(&few_rows));
    let settings = &experiment.training;
    if compare {
        let random = Adapter::random(base_embeddings.width, settings.out, settings.seed);
        learned.comparisons.push(("random_projection", random.project_all(base_embeddings)));
        let plain = TrainingSettings { is_residual: false, ..settings.clone() };
        if let Some(trained) = train(base_embeddings, &learned.training_set.groups, &plain, validate, progress) {
            learned.comparisons.push(("mlp", trained.adapter.project_all(base_embeddings)));
        }
    }
    learned.trained = train(base_embeddings, &learned.training_set.groups, settings, validate, progress);
    match &learned.trained {
        Some(trained) => learned.projections = Some(trained.adapter.project_all(base_embeddings)),
        None => learned.reason = Some("training never improved on the initial adapter".to_string()),
    }
    learned
}
