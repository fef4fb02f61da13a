//! Everything that is measured of a repository, as one report. Refuses to give a number where a repository cannot
//! answer: it says why instead.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::board::{Board, Figures, Lift};
use super::learn::Learned;
use super::own::{self, own};
use super::walk::Texts;
use super::{Alarm, Fitted, Material, Part, Priors, each, files, made, people, tasks};
use crate::dimensions::Reads;
use crate::embedding::Rows;
use crate::error::interrupted;

/// One task, or a part of its questions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// `file_to_files`, `who`, ...
    pub task: String,
    /// `all`, `cold`, `masked`, `author_changes`, `sessions`, `files`, `commits`.
    pub subset: String,
    /// Whose adapter takes part; none where no dimension is meant.
    pub dimension: Option<String>,
    /// Questions asked.
    pub n: usize,
    /// Commits, sessions or items that they are of: each weighs the same.
    pub units: usize,
    /// Share of the right answers with any tie at all to what is asked.
    pub ceiling: Option<f64>,
    /// Why there is no number; none where there is.
    pub reason: Option<String>,
    /// The method without learning that was best on validation.
    pub plain: Option<String>,
    /// What each method got.
    pub methods: BTreeMap<String, Figures>,
    /// The fused answers over the best without learning.
    pub lift: Option<Lift>,
    /// By commit, or session: the mean reciprocal rank of the fused answers; empty for tasks that items ask.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub commits: BTreeMap<String, f64>,
}

/// How one dimension's adapter does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Worth {
    /// The dimension.
    pub name: String,
    /// Its own task.
    pub task: String,
    /// Why there is no adapter; none where there is one.
    pub reason: Option<String>,
    /// Steps of training that were kept.
    pub steps: Option<usize>,
    /// blake3 of the numbers of the adapter.
    pub adapter: Option<String>,
    /// The adapter alone over the base embedding alone.
    pub own: Option<Lift>,
    /// The fused answers over the same without adapters.
    pub marginal: Option<Lift>,
}

/// What an index says that is so many commits behind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Staleness {
    /// Commits behind.
    pub behind: usize,
    /// Mean reciprocal rank of the fused answers to file_to_files.
    pub mrr: f64,
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// By task and subset.
    pub tasks: Vec<Task>,
    /// By dimension.
    pub dimensions: Vec<Worth>,
    /// When a missing file would be named.
    pub alarm: Option<Alarm>,
    /// How answers get worse with age; empty where that was not asked.
    pub staleness: Vec<Staleness>,
    /// By question, by signal: what was fitted.
    pub weights: BTreeMap<String, BTreeMap<String, f64>>,
}

/// What is measured.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Only this dimension's tasks.
    pub dimension: Option<String>,
    /// Only this task.
    pub task: Option<String>,
    /// Also how answers get worse with age.
    pub staleness: bool,
    /// Also what each commit got.
    pub commits: bool,
}

/// Commits behind at which answers are measured.
const BEHIND: [usize; 6] = [0, 1, 5, 20, 100, 500];

/// What is asked of a task whose dimension reads items: its name.
const ITEM_TASKS: [(&str, &str); 3] =
    [("dependency", "caller_to_callee"), ("syntactic", "shape"), ("architectural", "place")];
/// Tasks that commits ask, and the dimension whose adapter answers them.
const COMMIT_TASKS: [(&str, &str); 4] =
    [("temporal", "file_to_files"), ("temporal", "missing_file"), ("semantic", "task_to_files"), ("social", "who")];
/// The task that needs sessions.
const SESSION: (&str, &str) = ("semantic", "session");

impl Wanted {
    /// Whether a task is among them.
    fn task(&self, dimension: &str, task: &str) -> bool {
        self.dimension.as_deref().is_none_or(|wanted| wanted == dimension)
            && self.task.as_deref().is_none_or(|wanted| wanted == task)
    }

    /// Whether a dimension's adapter is needed.
    pub fn dimension(&self, dimension: &str) -> bool {
        match Self::tasks().any(|(own, _)| own == dimension) {
            true => Self::tasks().any(|(own, task)| own == dimension && self.task(own, task)),
            // One whose own task has its name.
            false => self.task(dimension, dimension),
        }
    }

    /// Every task, with the dimension that it is of.
    pub fn tasks() -> impl Iterator<Item = (&'static str, &'static str)> {
        COMMIT_TASKS.into_iter().chain(ITEM_TASKS).chain([SESSION])
    }
}

/// One row of the report with the boards that it is read from: validation and test.
struct Scored {
    task: &'static str,
    subset: &'static str,
    dimension: &'static str,
    units: Units,
    boards: [Board; 2],
    plain: &'static [&'static str],
    empty: &'static str,
}

/// What questions are of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Units {
    Commits,
    Sessions,
    Items,
}

const NO_SESSION: &str = "no development session is recorded here";
const NO_COMMITS: &str = "no commit of the test touches two files or more of those that were there";
const NOTHING_SAID: &str = "no session of the test says anything and touches or names a file that was there";
const FILES_PLAIN: [&str; 9] = ["random", "popular", "path", "bm25", "frozen", "messages", "counts", "decayed", "mix"];

/// Measures what is wanted with what was learned; two things at a time.
///
/// # Errors
/// A [`UserError`](crate::error::UserError) where `going_on` said no.
pub fn measure(
    material: &Material,
    learned: &[Learned],
    priors: &Priors<'_>,
    wanted: &Wanted,
    going_on: &(dyn Fn() -> bool + Sync),
) -> Result<Report> {
    let none: (Option<&Rows>, &[(&'static str, Rows)]) = (None, &[]);
    let texts = |dimension: &str| {
        let own = learned.iter().find(|learned| learned.dimension.name == dimension);
        let (adapter, shown) = own.map_or(none, |own| (own.adapter.as_ref(), own.shown.as_slice()));
        Texts { material, adapter, shown, compares: true, going_on }
    };
    let has = |task: &str| COMMIT_TASKS.iter().any(|(own, known)| *known == task && wanted.task(own, task));
    let split = &material.split;
    let found: Mutex<(Vec<Scored>, Fitted, Report)> = Mutex::default();
    let put = |scored: Vec<Scored>, fitted: Fitted, more: &dyn Fn(&mut Report)| {
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        found.0.extend(scored);
        found.1.join(fitted);
        more(&mut found.2);
    };
    let of_files = || -> Result<()> {
        let mut fitted = Fitted::default();
        let texts = texts("temporal");
        let walked = files::walk(split, &texts, priors, 0, &mut fitted);
        let scored = |task, subset, boards, empty| Scored {
            task,
            subset,
            dimension: "temporal",
            units: Units::Commits,
            boards,
            plain: &FILES_PLAIN,
            empty,
        };
        let rows = vec![
            scored("file_to_files", "all", walked.all, NO_COMMITS),
            scored("file_to_files", "cold", walked.cold, "no file of the test has fewer than 5 commits"),
            scored("missing_file", "all", walked.missing, NO_COMMITS),
        ];
        let mut staleness = Vec::new();
        for behind in BEHIND.into_iter().filter(|_| wanted.staleness) {
            let late = files::walk(split, &texts, priors, behind, &mut fitted.clone());
            let mrr = late.all[Part::Test as usize].mrr("fused").unwrap_or_default();
            staleness.push(Staleness { behind, mrr });
        }
        put(rows, fitted, &|report| {
            report.alarm = Some(walked.alarm.clone());
            report.staleness.clone_from(&staleness);
        });
        Ok(())
    };
    let of_tasks = || -> Result<()> {
        let mut fitted = Fitted::default();
        let (texts, sessions) = (texts("semantic"), &material.corpus.sessions);
        let tasked = tasks::tasks(split, &texts, sessions, priors, &mut fitted)?;
        let scored = |subset, boards| Scored {
            task: "task_to_files",
            subset,
            dimension: "semantic",
            units: Units::Commits,
            boards,
            plain: &tasks::PLAIN,
            empty: "no commit of the test touches a file that was there",
        };
        let said = |task, subset, boards, plain: &'static [&'static str], empty| Scored {
            task,
            subset,
            dimension: "semantic",
            units: Units::Sessions,
            boards,
            plain,
            empty: if material.corpus.has_sessions { empty } else { NO_SESSION },
        };
        let commits = made::made(split, &texts, sessions);
        let mut both = tasked.said.clone();
        both.iter_mut().zip(&commits).for_each(|(both, commits)| both.join(commits));
        let rows = vec![
            scored("all", tasked.all),
            scored("masked", tasked.masked),
            said(
                "task_to_files",
                "sessions",
                tasked.goals,
                &tasks::PLAIN,
                "no session of the test has a goal and a commit that touches a file that was there",
            ),
            said(SESSION.1, "all", both, &made::PLAIN, NOTHING_SAID),
            said(SESSION.1, "files", tasked.said, &tasks::PLAIN, NOTHING_SAID),
            said(SESSION.1, "commits", commits, &made::PLAIN, "no session of the test says anything and has a commit"),
        ];
        // Where no session is recorded it is said once.
        let is_shown = |row: &Scored| material.corpus.has_sessions || row.task != SESSION.1 || row.subset == "all";
        put(rows.into_iter().filter(is_shown).collect(), fitted, &|_| {});
        Ok(())
    };
    let of_people = || -> Result<()> {
        let mut fitted = Fitted::default();
        let known = people::people(split, &texts("social"), priors, &mut fitted);
        let scored = |subset, boards, empty| Scored {
            task: "who",
            subset,
            dimension: "social",
            units: Units::Commits,
            boards,
            plain: &people::PLAIN,
            empty,
        };
        let rows = vec![
            scored("all", known.all, "nobody who was seen before wrote a commit of the test"),
            scored("author_changes", known.changes, "no commit of the test has another author than its files had last"),
        ];
        put(rows, fitted, &|_| {});
        Ok(())
    };
    let of_items = || -> Result<()> {
        for learned in learned.iter().filter(|learned| !learned.dimension.reads.contains(&Reads::Commits)) {
            let name = learned.dimension.name;
            let task = ITEM_TASKS.iter().find(|(own, _)| *own == name).map_or(name, |(_, task)| task);
            if ITEM_TASKS.iter().any(|(own, _)| *own == name) && !wanted.task(name, task) {
                continue;
            }
            let owned = own(&texts(name), &learned.lessons, learned.dimension);
            let empty = "nothing that is held out shares a group with what is left";
            let (boards, plain, units) = (owned.boards, &own::PLAIN, Units::Items);
            let row = Scored { task, subset: "all", dimension: name, units, boards, plain, empty };
            put(vec![row], Fitted::default(), &|_| {});
        }
        Ok(())
    };
    type Job<'j> = (bool, &'j (dyn Fn() -> Result<()> + Sync));
    let jobs: [Job<'_>; 4] = [
        (has("file_to_files") || has("missing_file"), &of_files),
        (has("task_to_files") || wanted.task(SESSION.0, SESSION.1), &of_tasks),
        (has("who") && material.timeline.people.len() > 1, &of_people),
        (true, &of_items),
    ];
    each(&jobs, |(is_wanted, job)| if *is_wanted { job() } else { Ok(()) })?;
    if !going_on() {
        return Err(interrupted().into());
    }
    let (scored, fitted, mut report) = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    finish(material, learned, wanted, scored, &fitted, &mut report);
    Ok(report)
}

fn finish(
    material: &Material,
    learned: &[Learned],
    wanted: &Wanted,
    mut scored: Vec<Scored>,
    fitted: &Fitted,
    report: &mut Report,
) {
    let order = |task: &str| Wanted::tasks().position(|(_, known)| known == task).unwrap_or(usize::MAX);
    scored.sort_by_key(|row| order(row.task));
    for learned in learned {
        let own = scored.iter().find(|row| row.dimension == learned.dimension.name && row.subset == "all");
        let test = own.map(|row| &row.boards[Part::Test as usize]);
        let lift = |a, b| test.and_then(|board| board.lift(a, b)).filter(|_| learned.adapter.is_some());
        report.dimensions.push(Worth {
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
        // What was asked for another's sake.
        if wanted.task.as_deref().is_none_or(|task| task == row.task) {
            let has_adapter = learned.iter().any(|one| one.dimension.name == row.dimension && one.adapter.is_some());
            let material = Some(material).filter(|_| wanted.commits);
            report.tasks.push(row.into_task(has_adapter, material));
        }
    }
    let missing = |task, subset: &str, dimension, why: &str| Task::without(task, subset, dimension, why);
    if wanted.task("social", "who") && material.timeline.people.len() < 2 {
        report.tasks.push(missing("who", "all", "social", "one person wrote everything here"));
    }
    for (question, weights) in fitted.all() {
        let by_signal = question.signals().into_iter().zip(weights.0.iter().copied()).collect();
        report.weights.insert(question.name().to_string(), by_signal);
    }
}

impl Task {
    fn without(task: &str, subset: &str, dimension: &str, why: &str) -> Self {
        Task {
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

impl Scored {
    fn into_task(mut self, has_adapter: bool, material: Option<&Material>) -> Task {
        let [validation, test] = &mut self.boards;
        if test.questions() == 0 {
            return Task::without(self.task, self.subset, self.dimension, self.empty);
        }
        // Where nothing was asked in validation, the last of the list is taken: they go from weak to strong.
        let best = self.plain.iter().map(|name| (validation.mrr(name).unwrap_or_default(), *name));
        let plain = best.max_by(|a, b| a.0.total_cmp(&b.0)).map_or("random", |(_, name)| name);
        test.alias("plain", plain);
        test.alias("identity", "frozen");
        if !has_adapter {
            test.forget("adapter");
        }
        let name = |material: &Material, unit: usize| match self.units {
            Units::Commits => material.timeline.steps[unit].sha.clone(),
            _ => material.corpus.sessions[unit].key.clone(),
        };
        let named = material.filter(|_| self.units != Units::Items).into_iter();
        let commits = named.flat_map(|all| test.each("fused").map(move |(unit, mrr)| (name(all, unit), mrr))).collect();
        let methods = test.methods().filter_map(|name| Some((name.to_string(), test.figures(name)?))).collect();
        Task {
            task: self.task.to_string(),
            subset: self.subset.to_string(),
            dimension: Some(self.dimension.to_string()),
            n: test.questions(),
            units: test.commits(),
            ceiling: Some(test.ceiling()),
            reason: None,
            plain: Some(plain.to_string()),
            methods,
            lift: test.lift("fused", "plain"),
            commits,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Marks;
    use super::*;

    #[test]
    fn the_best_without_learning_is_chosen_on_validation() {
        let board = |path: f64, mix: f64| {
            let mut board = Board::default();
            board.ask(0, 1.0);
            for (name, mrr) in [("path", path), ("mix", mix), ("fused", 0.6)] {
                board.note(0, name, Marks { mrr, ..Marks::default() });
            }
            board
        };
        let plain = |boards| {
            let (task, subset, dimension, units, empty) = ("task", "all", "temporal", Units::Commits, "");
            let row = Scored { task, subset, dimension, units, boards, plain: &["path", "mix"], empty };
            let task = row.into_task(true, None);
            (task.plain.expect("one was chosen"), task.methods["plain"].mrr, task.lift.expect("a lift").ratio)
        };
        assert_eq!(plain([board(0.9, 0.1), board(0.3, 0.5)]), ("path".to_string(), 0.3, 2.0));
        assert_eq!(plain([board(0.1, 0.9), board(0.3, 0.5)]), ("mix".to_string(), 0.5, 1.2));
        assert_eq!(plain([Board::default(), board(0.3, 0.5)]).0, "mix", "the last is the strongest");
    }
}
