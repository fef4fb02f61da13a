//! Measures adapter drift: how the adapters in use perform on the commits made since their training. Adapters of
//! definitions cannot be measured that way; they are retrained with the others.

use anyhow::Result;

use super::due::{
    AdapterDrift, TrainingInput, TrainingOutcome, TrainingRecord, due, is_look_due, last_training, save_training,
};
use super::retrain::{Learner, retrain};
use crate::adapter;
use crate::dimensions::{self, Reads};
use crate::embedding::Setup;
use crate::evaluation::{MetricTable, Split, TrainingSelection, training_set};
use crate::store;
use crate::view::config_at;

/// Measures drift if due, then trains if due. The index must be up to date with git.
pub fn retrain_if_due(learner: &Learner<'_>, now: &TrainingInput) -> Result<Vec<TrainingOutcome>> {
    let folder = learner.workspace.adapters_dir();
    if let Some(last) = last_training(&folder).filter(|last| is_look_due(last, now)) {
        let since = adapter_drift(learner, &last.watermark, now)?;
        tracing::info!(?since, "looked at what adapters are worth");
        save_training(&folder, &TrainingRecord { since: Some(since), ..last }, learner.lock)?;
    }
    let Some(why) = due(last_training(&folder).as_ref(), now) else { return Ok(Vec::new()) };
    tracing::info!(why, "training begins");
    retrain(learner, None, false)
}

/// Measures the adapters in use on the commits after `watermark`; empty if that commit is no longer reachable.
fn adapter_drift(learner: &Learner<'_>, watermark: &str, now: &TrainingInput) -> Result<AdapterDrift> {
    let cache = store::open_reader(learner.workspace, learner.config)?;
    let head = learner.head(&cache)?;
    let config = config_at(learner.repository, learner.config, Some(head))?;
    let setup = Setup::check(&config.model, false)?;
    let material = learner.material(cache, head, &config, &setup, |timeline| Split::since(timeline, watermark))?;
    let mut since = AdapterDrift { commits: now.commits, ..AdapterDrift::default() };
    for dimension in dimensions::ALL.iter().filter(|dimension| dimension.reads.contains(&Reads::Commits)) {
        let found = adapter::find(&learner.workspace.adapters_dir(), dimension.name, &setup.identity).adapter;
        let Some((adapter, _)) = found else { continue };
        let asked = training_set(dimension, &material, &TrainingSelection::default()).gate;
        let mut board = MetricTable::default();
        asked.record_metrics(&material.base_embeddings, "identity", &mut board);
        asked.record_metrics(&adapter.project_all(&material.base_embeddings), "adapter", &mut board);
        since.lifts.extend(board.lift("adapter", "identity").map(|lift| (dimension.name.to_string(), lift)));
    }
    Ok(since)
}
