//! Training of adapters, and evaluation of rankings on held-out commits.
//!
//! Invariant: nothing looks ahead; a query sees only what was known before its commit.

mod alarm;
mod bm25;
mod metrics;
mod corpus;
mod experiment;
mod file_tasks;
mod fitted_weights;
mod train_dimension;
mod training_set;
mod session_commits_task;
mod eval_data;
mod dimension_task;
mod author_task;
mod report;
mod session_set;
mod shared;
mod split;
mod task_to_files;
mod replay;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Result;

pub use alarm::Alarm;
pub use author_task::{AuthorMetrics, author_task};
pub use corpus::{Corpus, CorpusItem, CorpusSource};
pub use dimension_task::{DimensionMetrics, dimension_task};
pub use eval_data::EvalData;
pub use experiment::experiments;
pub use file_tasks::{FileMetrics, file_tasks};
pub use fitted_weights::{FUSED, FittedWeights, Priors, SplitPart};
pub use metrics::{Lift, MetricSummary, MetricTable, QueryMetrics};
pub use replay::{EvalContext, HistoryReplay};
pub use report::{AdapterReport, EvalReport, EvalSelection, Staleness, TaskReport, measure};
pub use session_commits_task::session_commits_task;
pub use session_set::{EvalSession, TrainingEntry};
pub use split::Split;
pub use task_to_files::{TaskMetrics, mask_path_words, task_to_files};
pub use train_dimension::{Experiment, TrainedDimension, train_dimensions};
pub use training_set::{TrainingSelection, TrainingSet, training_set};

/// The number of threads.
const THREADS: usize = 2;

/// Applies a function to each item, on [`THREADS`] threads. Returns the results in the order of the items.
///
/// # Errors
/// The first error in that order.
pub fn in_parallel<T: Sync, R: Send>(things: &[T], work: impl Fn(&T) -> Result<R> + Sync) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let results: Mutex<BTreeMap<usize, Result<R>>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(thing) = things.get(index) else { break };
                    let result = work(thing);
                    results.lock().unwrap_or_else(PoisonError::into_inner).insert(index, result);
                }
            });
        }
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}
