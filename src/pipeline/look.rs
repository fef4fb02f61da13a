//! What adapters are worth now: those in use, asked their own questions by the commits that came after they were trained.
//! Refuses those of definitions, whose questions no later commit asks: they are trained again with the others.

use anyhow::Result;

use super::due::{Outcome, Since, Supply, Training, due, is_look_due, last_training, save_training};
use super::retrain::{Learner, retrain};
use crate::adapter;
use crate::dimensions::{self, Reads};
use crate::embedding::Setup;
use crate::evaluation::{MetricTable, Split, TrainingSelection, training_set};
use crate::store;
use crate::view::config_at;

/// Trains where it is time to, with a look at what adapters are worth before, where it is time for that. The caller has
/// caught up.
pub fn retrain_if_due(learner: &Learner<'_>, now: &Supply) -> Result<Vec<Outcome>> {
    let folder = learner.workspace.adapters_dir();
    if let Some(last) = last_training(&folder).filter(|last| is_look_due(last, now)) {
        let since = look(learner, &last.watermark, now)?;
        tracing::info!(?since, "looked at what adapters are worth");
        save_training(&folder, &Training { since: Some(since), ..last }, learner.lock)?;
    }
    let Some(why) = due(last_training(&folder).as_ref(), now) else { return Ok(Vec::new()) };
    tracing::info!(why, "training begins");
    retrain(learner, None, false)
}

/// Asks the adapters in use by the commits after `watermark`; nothing where that commit is no longer reached.
fn look(learner: &Learner<'_>, watermark: &str, now: &Supply) -> Result<Since> {
    let cache = store::open_reader(learner.workspace, learner.config)?;
    let head = learner.head(&cache)?;
    let config = config_at(learner.repository, learner.config, Some(head))?;
    let setup = Setup::check(&config.model, false)?;
    let material = learner.material(cache, head, &config, &setup, |timeline| Split::since(timeline, watermark))?;
    let mut since = Since { commits: now.commits, ..Since::default() };
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
