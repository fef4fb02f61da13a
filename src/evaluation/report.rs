//! The evaluation report of a repository: all tasks, adapters, alarms and fitted weights.
//!
//! Invariant: a task that the repository has no queries for gets a reason instead of numbers.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::dimension_task::{self, dimension_task};
use super::metrics::{Lift, MetricSummary, MetricTable};
use super::replay::EvalContext;
use super::train_dimension::TrainedDimension;
use super::{
    Alarm, EvalData, FittedWeights, Priors, SplitPart, author_task, file_tasks, in_parallel, session_commits_task,
    task_to_files,
};
use crate::dimensions::{ALL, AdapterTask, Dimension, SEMANTIC, SOCIAL, TEMPORAL};
use crate::embedding::VectorRows;
use crate::error::interrupted;

/// The results of one task, or of a subset of its queries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskReport {
    /// The name of the task: `file_to_files`, `who`, ...
    pub task: String,
    /// The subset: `all`, `cold`, `masked`, `author_changes`, `sessions`, `files`, `commits`.
    pub subset: String,
    /// The dimension whose adapter takes part.
    pub dimension: Option<String>,
    /// The number of queries.
    pub n: usize,
    /// The number of units (commits, sessions or items) of the queries; each has the same weight.
    pub units: usize,
    /// The upper bound on recall: the share of relevant candidates that any signal can reach.
    pub ceiling: Option<f64>,
    /// Why there are no numbers; `None` if there are.
    pub reason: Option<String>,
    /// The untrained method that was best on validation; the baseline of [`Self::lift`].
    pub plain: Option<String>,
    /// The metrics by method.
    pub methods: BTreeMap<String, MetricSummary>,
    /// The lift of the fused ranking over the best untrained method.
    pub lift: Option<Lift>,
    /// The mean reciprocal rank of the fused ranking by commit or session; empty for tasks of items.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub commits: BTreeMap<String, f64>,
}

/// The results of one dimension's adapter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdapterReport {
    /// The dimension.
    pub name: String,
    /// The name of its own task.
    pub task: String,
    /// Why there is no adapter; `None` if there is one.
    pub reason: Option<String>,
    /// The training step that the adapter is from.
    pub steps: Option<usize>,
    /// The blake3 of the adapter's parameters.
    pub adapter: Option<String>,
    /// The lift of the adapter alone over the base embedding alone.
    pub own: Option<Lift>,
    /// The lift of the fused ranking over the fused ranking without adapter signals.
    pub marginal: Option<Lift>,
}

/// The quality of an index that is some commits behind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Staleness {
    /// The number of commits behind.
    pub behind: usize,
    /// The mean reciprocal rank of the fused ranking for `file_to_files`.
    pub mrr: f64,
}

/// The whole report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EvalReport {
    /// The results by task and subset.
    pub tasks: Vec<TaskReport>,
    /// The results by dimension.
    pub dimensions: Vec<AdapterReport>,
    /// The quality of alarms for missing files.
    pub alarm: Option<Alarm>,
    /// The quality by age of the index; empty unless selected.
    pub staleness: Vec<Staleness>,
    /// The fitted weights by question and signal.
    pub weights: BTreeMap<String, BTreeMap<String, f64>>,
}

/// What to evaluate.
#[derive(Debug, Clone, Default)]
pub struct EvalSelection {
    /// Only the tasks of this dimension.
    pub dimension: Option<String>,
    /// Only this task.
    pub task: Option<String>,
    /// Whether to measure the quality by age of the index too.
    pub staleness: bool,
    /// Whether to report the results of each commit too.
    pub commits: bool,
}

/// The ages of the index at which quality is measured, in commits.
const BEHIND: [usize; 6] = [0, 1, 5, 20, 100, 500];

impl EvalSelection {
    /// Returns whether a task is selected.
    fn has_task(&self, dimension: &str, task: &str) -> bool {
        self.dimension.as_deref().is_none_or(|wanted| wanted == dimension)
            && self.task.as_deref().is_none_or(|wanted| wanted == task)
    }

    /// Returns whether a dimension's adapter is needed.
    pub fn needs_adapter(&self, dimension: &str) -> bool {
        match Self::tasks().any(|(own, _)| own == dimension) {
            true => Self::tasks().any(|(own, task)| own == dimension && self.has_task(own, task)),
            // The own task of a dimension has the name of the dimension.
            false => self.has_task(dimension, dimension),
        }
    }

    /// Returns every task as (dimension, task): first those of commits, then those of items, then that of sessions.
    pub fn tasks() -> impl Iterator<Item = (&'static str, &'static str)> {
        let each = |dimension: &&'static Dimension| dimension.asks.iter().map(|task| (dimension.name, *task));
        let mut all: Vec<(&str, AdapterTask)> = ALL.iter().flat_map(each).collect();
        all.sort_by_key(|(_, task)| match task {
            AdapterTask::FileToFiles => 0,
            AdapterTask::MissingFile => 1,
            AdapterTask::TaskToFiles => 2,
            AdapterTask::Who => 3,
            AdapterTask::Own(_) => 4,
            AdapterTask::Session => 5,
        });
        all.into_iter().map(|(dimension, task)| (dimension, task.name()))
    }
}

/// One row of the report, with its metrics on validation and test.
struct ScoredTask {
    task: &'static str,
    subset: &'static str,
    dimension: &'static str,
    units: QueryUnit,
    metric_tables: [MetricTable; 2],
    /// The names of the untrained methods, from weak to strong.
    baselines: &'static [&'static str],
    /// The reason to report if there is no test query.
    empty: &'static str,
}

/// What the unit of a task's queries is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum QueryUnit {
    Commits,
    Sessions,
    Items,
}

/// Reasons for a task without numbers.
const NO_SESSION: &str = "no development session is recorded here";
const NO_COMMITS: &str = "no test commit touches two or more existing files";
const NOTHING_SAID: &str = "no test session has an entry and touches or names an existing file";
/// The untrained methods of the file tasks, from weak to strong.
const FILE_BASELINES: [&str; 9] =
    ["random", "popular", "path", "bm25", "frozen", "messages", "counts", "decayed", "mix"];

/// Evaluates the selected tasks with the trained dimensions, in parallel.
///
/// # Errors
/// A [`UserError`](crate::error::UserError) if `should_continue` returned false.
pub fn measure(
    data: &EvalData,
    learned: &[TrainedDimension],
    priors: &Priors<'_>,
    selection: &EvalSelection,
    should_continue: &(dyn Fn() -> bool + Sync),
) -> Result<EvalReport> {
    let none: (Option<&VectorRows>, &[(&'static str, VectorRows)]) = (None, &[]);
    let context = |dimension: &str| {
        let own = learned.iter().find(|learned| learned.dimension.name == dimension);
        let (projections, comparisons) = own.map_or(none, |own| (own.projections.as_ref(), own.comparisons.as_slice()));
        EvalContext { data, projections, comparisons, with_comparisons: true, should_continue }
    };
    let has = |task: AdapterTask| {
        EvalSelection::tasks().any(|(own, known)| known == task.name() && selection.has_task(own, known))
    };
    let split = &data.split;
    let found: Mutex<(Vec<ScoredTask>, FittedWeights, EvalReport)> = Mutex::default();
    let put = |scored: Vec<ScoredTask>, fitted: FittedWeights, more: &dyn Fn(&mut EvalReport)| {
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        found.0.extend(scored);
        found.1.merge(fitted);
        more(&mut found.2);
    };
    let of_files = || -> Result<()> {
        let mut fitted = FittedWeights::default();
        let context = context(TEMPORAL.name);
        let results = file_tasks::file_tasks(split, &context, priors, 0, &mut fitted);
        let scored = |task, subset, metric_tables, empty| ScoredTask {
            task,
            subset,
            dimension: TEMPORAL.name,
            units: QueryUnit::Commits,
            metric_tables,
            baselines: &FILE_BASELINES,
            empty,
        };
        let rows = vec![
            scored(AdapterTask::FileToFiles.name(), "all", results.all, NO_COMMITS),
            scored(
                AdapterTask::FileToFiles.name(),
                "cold",
                results.cold,
                "no file of a test commit has fewer than 5 commits",
            ),
            scored(AdapterTask::MissingFile.name(), "all", results.missing, NO_COMMITS),
        ];
        let mut staleness = Vec::new();
        for behind in BEHIND.into_iter().filter(|_| selection.staleness) {
            let late = file_tasks::file_tasks(split, &context, priors, behind, &mut fitted.clone());
            let mrr = late.all[SplitPart::Test as usize].mrr("fused").unwrap_or_default();
            staleness.push(Staleness { behind, mrr });
        }
        put(rows, fitted, &|report| {
            report.alarm = Some(results.alarm.clone());
            report.staleness.clone_from(&staleness);
        });
        Ok(())
    };
    let of_tasks = || -> Result<()> {
        let mut fitted = FittedWeights::default();
        let (context, sessions) = (context(SEMANTIC.name), &data.corpus.sessions);
        let results = task_to_files::task_to_files(split, &context, sessions, priors, &mut fitted)?;
        let scored = |subset, metric_tables| ScoredTask {
            task: AdapterTask::TaskToFiles.name(),
            subset,
            dimension: SEMANTIC.name,
            units: QueryUnit::Commits,
            metric_tables,
            baselines: &task_to_files::BASELINES,
            empty: "no test commit touches an existing file",
        };
        let session_row = |task, subset, metric_tables, baselines: &'static [&'static str], empty| ScoredTask {
            task,
            subset,
            dimension: SEMANTIC.name,
            units: QueryUnit::Sessions,
            metric_tables,
            baselines,
            empty: if data.corpus.has_sessions { empty } else { NO_SESSION },
        };
        let session = AdapterTask::Session.name();
        let commits = session_commits_task::session_commits_task(split, &context, sessions);
        let mut both = results.entries.clone();
        both.iter_mut().zip(&commits).for_each(|(both, commits)| both.merge(commits));
        let rows = vec![
            scored("all", results.all),
            scored("masked", results.masked),
            session_row(
                AdapterTask::TaskToFiles.name(),
                "sessions",
                results.goals,
                &task_to_files::BASELINES,
                "no test session has a goal and a commit that touches an existing file",
            ),
            session_row(session, "all", both, &session_commits_task::BASELINES, NOTHING_SAID),
            session_row(session, "files", results.entries, &task_to_files::BASELINES, NOTHING_SAID),
            session_row(
                session,
                "commits",
                commits,
                &session_commits_task::BASELINES,
                "no test session has an entry and a commit",
            ),
        ];
        // Without any session, the reason is reported only once.
        let is_shown = |row: &ScoredTask| data.corpus.has_sessions || row.task != session || row.subset == "all";
        put(rows.into_iter().filter(is_shown).collect(), fitted, &|_| {});
        Ok(())
    };
    let of_people = || -> Result<()> {
        let mut fitted = FittedWeights::default();
        let results = author_task::author_task(split, &context(SOCIAL.name), priors, &mut fitted);
        let scored = |subset, metric_tables, empty| ScoredTask {
            task: AdapterTask::Who.name(),
            subset,
            dimension: SOCIAL.name,
            units: QueryUnit::Commits,
            metric_tables,
            baselines: &author_task::BASELINES,
            empty,
        };
        let rows = vec![
            scored("all", results.all, "no test commit has an author with an earlier commit"),
            scored("author_changes", results.changes, "no test commit has another author than its files had last"),
        ];
        put(rows, fitted, &|_| {});
        Ok(())
    };
    let of_items = || -> Result<()> {
        for learned in learned {
            let name = learned.dimension.name;
            let own_task = |task: &&AdapterTask| matches!(task, AdapterTask::Own(_));
            let task = learned.dimension.asks.iter().find(own_task).map(|task| task.name());
            let Some(task) = task.filter(|task| selection.has_task(name, task)) else { continue };
            let results = dimension_task(&context(name), &learned.training_set, learned.dimension);
            let empty = "no held-out item shares a group with a training item";
            let (metric_tables, baselines, units) =
                (results.metric_tables, &dimension_task::BASELINES, QueryUnit::Items);
            let row = ScoredTask { task, subset: "all", dimension: name, units, metric_tables, baselines, empty };
            put(vec![row], FittedWeights::default(), &|_| {});
        }
        Ok(())
    };
    type MeasureJob<'j> = (bool, &'j (dyn Fn() -> Result<()> + Sync));
    let jobs: [MeasureJob<'_>; 4] = [
        (has(AdapterTask::FileToFiles) || has(AdapterTask::MissingFile), &of_files),
        (has(AdapterTask::TaskToFiles) || has(AdapterTask::Session), &of_tasks),
        (has(AdapterTask::Who) && data.timeline.people.len() > 1, &of_people),
        (true, &of_items),
    ];
    in_parallel(&jobs, |(is_wanted, job)| if *is_wanted { job() } else { Ok(()) })?;
    if !should_continue() {
        return Err(interrupted().into());
    }
    let (scored, fitted, mut report) = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    finish(data, learned, selection, scored, &fitted, &mut report);
    Ok(report)
}

/// Fills the report from the scored rows and the fitted weights.
fn finish(
    data: &EvalData,
    learned: &[TrainedDimension],
    selection: &EvalSelection,
    mut scored: Vec<ScoredTask>,
    fitted: &FittedWeights,
    report: &mut EvalReport,
) {
    let order = |task: &str| EvalSelection::tasks().position(|(_, known)| known == task).unwrap_or(usize::MAX);
    scored.sort_by_key(|row| order(row.task));
    for learned in learned {
        let own = scored.iter().find(|row| row.dimension == learned.dimension.name && row.subset == "all");
        let test = own.map(|row| &row.metric_tables[SplitPart::Test as usize]);
        let lift =
            |a, b| test.and_then(|metric_table| metric_table.lift(a, b)).filter(|_| learned.projections.is_some());
        report.dimensions.push(AdapterReport {
            name: learned.dimension.name.to_string(),
            task: own.map_or(learned.dimension.name, |row| row.task).to_string(),
            reason: learned.reason.clone(),
            steps: learned.trained.as_ref().map(|trained| trained.steps),
            adapter: learned.trained.as_ref().map(|trained| trained.adapter.hash()),
            own: lift("adapter", "frozen"),
            marginal: lift("fused", "fused_without_adapters"),
        });
    }
    for row in scored {
        // Rows that were only needed for another task are left out.
        if selection.task.as_deref().is_none_or(|task| task == row.task) {
            let has_adapter =
                learned.iter().any(|one| one.dimension.name == row.dimension && one.projections.is_some());
            let data = Some(data).filter(|_| selection.commits);
            report.tasks.push(row.into_report(has_adapter, data));
        }
    }
    let without_numbers =
        |task, subset: &str, dimension, why: &str| TaskReport::without_numbers(task, subset, dimension, why);
    let who = AdapterTask::Who.name();
    if selection.has_task(SOCIAL.name, who) && data.timeline.people.len() < 2 {
        report.tasks.push(without_numbers(who, "all", SOCIAL.name, "only one person has made commits"));
    }
    for (question, weights) in fitted.all() {
        let by_signal = question.signals().into_iter().zip(weights.0.iter().copied()).collect();
        report.weights.insert(question.name().to_string(), by_signal);
    }
}

impl TaskReport {
    /// Returns a row that has a reason instead of numbers.
    fn without_numbers(task: &str, subset: &str, dimension: &str, why: &str) -> Self {
        TaskReport {
            task: task.to_string(),
            subset: subset.to_string(),
            dimension: Some(dimension.to_string()),
            n: 0,
            units: 0,
            ceiling: None,
            reason: Some(why.to_string()),
            plain: None,
            methods: BTreeMap::new(),
            lift: None,
            commits: BTreeMap::new(),
        }
    }
}

impl ScoredTask {
    /// Converts the row to a report.
    fn into_report(mut self, has_adapter: bool, data: Option<&EvalData>) -> TaskReport {
        let [validation, test] = &mut self.metric_tables;
        if test.query_count() == 0 {
            return TaskReport::without_numbers(self.task, self.subset, self.dimension, self.empty);
        }
        // Methods are listed from weak to strong, so without validation queries the last one is the baseline.
        let best = self.baselines.iter().map(|name| (validation.mrr(name).unwrap_or_default(), *name));
        let baseline = best.max_by(|a, b| a.0.total_cmp(&b.0)).map_or("random", |(_, name)| name);
        test.copy_method("plain", baseline);
        test.copy_method("identity", "frozen");
        if !has_adapter {
            test.remove_method("adapter");
        }
        let name = |data: &EvalData, unit: usize| match self.units {
            QueryUnit::Commits => data.timeline.commits[unit].sha.clone(),
            _ => data.corpus.sessions[unit].key.clone(),
        };
        let named = data.filter(|_| self.units != QueryUnit::Items).into_iter();
        let commits =
            named.flat_map(|all| test.mrr_by_unit("fused").map(move |(unit, mrr)| (name(all, unit), mrr))).collect();
        let methods = test.methods().filter_map(|name| Some((name.to_string(), test.summary(name)?))).collect();
        TaskReport {
            task: self.task.to_string(),
            subset: self.subset.to_string(),
            dimension: Some(self.dimension.to_string()),
            n: test.query_count(),
            units: test.unit_count(),
            ceiling: Some(test.ceiling()),
            reason: None,
            plain: Some(baseline.to_string()),
            methods,
            lift: test.lift("fused", "plain"),
            commits,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::QueryMetrics;
    use super::*;

    #[test]
    fn the_best_untrained_method_is_chosen_on_validation() {
        let metric_table = |path: f64, mix: f64| {
            let mut metric_table = MetricTable::default();
            metric_table.add_query(0, 1.0);
            for (name, mrr) in [("path", path), ("mix", mix), ("fused", 0.6)] {
                metric_table.record(0, name, QueryMetrics { mrr, ..QueryMetrics::default() });
            }
            metric_table
        };
        let best = |metric_tables| {
            let (task, subset, dimension, units, empty) = ("task", "all", "temporal", QueryUnit::Commits, "");
            let row = ScoredTask { task, subset, dimension, units, metric_tables, baselines: &["path", "mix"], empty };
            let task = row.into_report(true, None);
            (task.plain.expect("one was chosen"), task.methods["plain"].mrr, task.lift.expect("a lift").ratio)
        };
        assert_eq!(best([metric_table(0.9, 0.1), metric_table(0.3, 0.5)]), ("path".to_string(), 0.3, 2.0));
        assert_eq!(best([metric_table(0.1, 0.9), metric_table(0.3, 0.5)]), ("mix".to_string(), 0.5, 1.2));
        assert_eq!(best([MetricTable::default(), metric_table(0.3, 0.5)]).0, "mix", "the last is the strongest");
    }
}
