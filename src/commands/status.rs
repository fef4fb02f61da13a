//! `patina status`: shows what is indexed, and how far HEAD is ahead of it.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use rusqlite::Connection;
use serde::Serialize;

use super::answers::short;
use super::context::{CommandContext, Needs};
use super::output::Output;
use super::page::Page;
use crate::dimensions;
use crate::embedding::Setup;
use crate::entries;
use crate::error::{Exit, UserError};
use crate::event::{hex, pluralize};
use crate::facts::ItemKind;
use crate::git::Worktree;
use crate::index::{self, VectorReader};
use crate::item;
use crate::pipeline::{self, LEAST_COMMITS, TrainingInput};
use crate::query::Reader;
use crate::view;

#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// Start the worker, and return when HEAD is indexed
    #[arg(long)]
    wait: bool,
    /// Give up waiting after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120, requires = "wait")]
    timeout: u64,
    /// Print hashes of the indexed facts and of the vectors
    #[arg(long)]
    digest: bool,
}

#[derive(Serialize)]
struct StatusJson {
    head: Option<String>,
    indexed_commit: Option<String>,
    behind: u64,
    pending: u64,
    events: BTreeMap<String, u64>,
    items: BTreeMap<String, u64>,
    files: BTreeMap<String, u64>,
    worktrees: Vec<WorktreeStatus>,
    /// The model in use; if nothing is embedded yet, the one that is set up.
    model: Option<ModelStatus>,
    /// Why there is no model; `None` if there is one.
    model_error: Option<String>,
    /// The number of distinct texts of live items, and how many of them are not embedded yet.
    texts: TextCounts,
    dimensions: Vec<DimensionStatus>,
    training: TrainingStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<DigestStatus>,
    worker: WorkerState,
    last_error: Option<String>,
}

/// What the worker is doing.
#[derive(Serialize)]
struct WorkerState {
    /// Whether a process holds the write lock.
    is_working: bool,
    /// Its progress, if known: `embeddings 120 of 4000`.
    progress: Option<String>,
    /// Whether adapters and weights are being trained.
    is_training: bool,
}

impl WorkerState {
    fn look(here: &CommandContext) -> Result<Self> {
        if !here.workspace.dir.is_dir() {
            return Ok(WorkerState { is_working: false, progress: None, is_training: false });
        }
        let rings = here.workspace.rings();
        // If the lock cannot be opened, the folder is not writable and no worker can run.
        let is_working = here.workspace.try_lock().is_ok_and(|lock| lock.is_none());
        let is_training = here.workspace.try_training_lock().is_ok_and(|lock| lock.is_none());
        // A worker that found the lock taken during these checks has exited, so one is started for its ring.
        here.answer_later_rings(rings)?;
        let progress = here.workspace.progress().filter(|_| is_working);
        Ok(WorkerState { is_working, progress, is_training })
    }

    /// Describes what the worker is doing, in a phrase.
    fn describe(&self) -> String {
        let training = if self.is_training { "training" } else { "" };
        let working = match (self.is_working, &self.progress) {
            (false, _) => String::new(),
            (true, Some(progress)) => format!("working: {progress}"),
            (true, None) => "working".to_string(),
        };
        match (working.is_empty(), training.is_empty()) {
            (true, true) => "idle".to_string(),
            (false, false) => format!("{working}; {training}"),
            _ => working + training,
        }
    }
}

#[derive(Serialize)]
struct WorktreeStatus {
    name: String,
    indexed_commit: Option<String>,
}

#[derive(Serialize)]
struct ModelStatus {
    id: String,
    sha256: String,
}

#[derive(Default, Serialize)]
struct TextCounts {
    live: u64,
    wanted: u64,
}

#[derive(Default, Serialize)]
struct TrainingStatus {
    /// The number of commits at the last training of all dimensions; `None` if there was none.
    commits: Option<usize>,
    /// Why training is due; `None` if it is not.
    due: Option<String>,
    /// Why the last training failed; `None` if it did not.
    failed: Option<String>,
}

#[derive(Serialize)]
struct DimensionStatus {
    name: &'static str,
    /// What makes two items near each other in this dimension.
    near: &'static str,
    items: u64,
    adapter: &'static str,
    generation: Option<i64>,
    reason: String,
}

#[derive(Serialize)]
struct DigestStatus {
    facts: String,
    vectors: Option<String>,
}

pub fn run(arguments: &StatusArgs, output: &Output) -> Result<ExitCode> {
    let here = CommandContext::find(output)?;
    if arguments.wait {
        here.wait(Duration::from_secs(arguments.timeout), Needs::All)?;
    }
    let head = here.repository.head()?.map(|head| hex(head.commit.as_bytes()));
    let reader = match Reader::open(&here.repository, &here.workspace, &here.config) {
        Ok(reader) => reader,
        Err(error) if error.downcast_ref::<UserError>().is_some_and(|error| error.exit == Exit::NotSetUp) => {
            if crate::store::is_outdated(&error) && !output.json {
                return Err(error);
            }
            return nothing_yet(&here, head, output);
        }
        Err(error) => return Err(error),
    };
    output.notes(&reader.notes);
    let cache = &reader.cache;
    let vectors = reader.vectors()?;
    let (set_up, missing) = match Setup::check(&here.config.model, false) {
        Ok(setup) => (Some(setup.identity), None),
        Err(error) => (None, Some(error)),
    };
    let model = vectors.generation().map(|generation| generation.model.clone()).or(set_up);
    let last = pipeline::last_training(&here.workspace.adapters_dir());
    let sha256 = vectors.generation().map_or("", |generation| &generation.model.sha256);
    let now = pipeline::training_input(cache, sha256, reader.time())?;
    let answer = StatusJson {
        head,
        indexed_commit: reader.as_of(),
        behind: reader.behind,
        pending: view::waiting(cache)?.len() as u64,
        events: events(cache)?,
        items: items(&reader)?,
        files: item::outcome_counts(cache, reader.view.id)?,
        worktrees: view::views(cache)?
            .into_iter()
            .map(|view| WorktreeStatus {
                name: view.worktree,
                indexed_commit: view.head.map(|head| hex(head.commit.as_bytes())),
            })
            .collect(),
        model: model.map(|model| ModelStatus { id: model.id, sha256: model.sha256 }),
        model_error: missing.as_ref().map(|error| format!("{error:#}")),
        texts: TextCounts { live: index::live_texts(cache)?, wanted: index::pending_count(cache)? },
        dimensions: dimensions(&reader, &vectors, last.as_ref(), &now)?,
        training: TrainingStatus {
            commits: last.as_ref().map(|last| last.commits).filter(|commits| *commits > 0),
            due: pipeline::due(last.as_ref(), &now),
            failed: last.as_ref().and_then(|last| last.failed.as_ref()).map(|failed| failed.why.clone()),
        },
        digest: match arguments.digest {
            true => Some(DigestStatus { facts: crate::store::digest(cache)?, vectors: index::digest(&vectors)? }),
            false => None,
        },
        worker: WorkerState::look(&here)?,
        last_error: here.workspace.last_error(),
    };
    if output.json {
        return output.print_json(&answer);
    }
    let mut page = output.page();
    let indexed = answer.indexed_commit.as_deref().map_or("nothing, HEAD is unborn", short);
    let branch = here.repository.branch().map_or("HEAD is detached".to_string(), |branch| format!("on {branch}"));
    page.field("indexed    ", format!("{indexed} ({branch})"));
    if answer.behind > 0 {
        page.line(format!(
            "           HEAD is {} ahead; `patina status --wait` catches up",
            pluralize(answer.behind, "commit")
        ));
    }
    if answer.pending > 0 {
        page.line(format!(
            "           {} with parents that are missing here (a shallow clone, or missing objects)",
            pluralize(answer.pending, "commit")
        ));
    }
    let list = |counts: &BTreeMap<String, u64>| {
        counts.iter().map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>().join(", ")
    };
    page.field("items      ", list(&answer.items));
    page.field("files      ", list(&answer.files));
    page.field("events     ", list(&answer.events));
    for worktree in answer.worktrees.iter().filter(|worktree| !worktree.name.is_empty()) {
        page.field(
            "worktree   ",
            format!("{} at {}", worktree.name, worktree.indexed_commit.as_deref().map_or("an unborn HEAD", short)),
        );
    }
    if let Some(model) = &answer.model {
        let left = match answer.texts.wanted {
            0 => String::new(),
            wanted => format!(", {wanted} still to embed"),
        };
        page.field(
            "model      ",
            format!("{} ({}), {} texts{left}", model.id, short(&model.sha256), answer.texts.live),
        );
    }
    if let Some(error) = &missing {
        let is_absent = error.downcast_ref::<UserError>().is_some_and(|error| error.exit == Exit::NotSetUp);
        let why = match is_absent {
            true => "not set up (`patina model prepare` fetches it)".to_string(),
            false => format!("{error:#}"),
        };
        page.field("model      ", format!("{why}; answers come from full text, counts and calls"));
    }
    print_dimensions(&mut page, &answer.dimensions);
    if let Some(due) = answer.training.due.as_ref().filter(|_| answer.model.is_some()) {
        let is_waiting = here.repository.worktrees()?.iter().any(Worktree::is_under_way);
        let who = match (here.config.retrains, is_waiting) {
            (false, _) => "`patina retrain` does it",
            (true, false) => "the worker does it after the next commit",
            (true, true) => "the worker waits for the end of what is under way in a worktree",
        };
        page.field("training   ", format!("is due: {due}; {who}"));
    }
    if let Some(why) = &answer.training.failed {
        page.field("training   ", format!("failed: {why}; `patina retrain` shows it"));
    }
    if let Some(digest) = &answer.digest {
        page.field("facts      ", &digest.facts);
        page.field("vectors    ", digest.vectors.as_deref().unwrap_or("none"));
    }
    page.field("worker     ", answer.worker.describe());
    if let Some(error) = &answer.last_error {
        page.field("last error ", error);
    }
    output.print(&page)
}

/// Prints the dimensions; those in the same state share a sentence.
fn print_dimensions(page: &mut Page, dimensions: &[DimensionStatus]) {
    let mut groups: Vec<(Vec<&str>, &DimensionStatus)> = Vec::new();
    for dimension in dimensions {
        let same = |(_, first): &&mut (Vec<&str>, &DimensionStatus)| {
            (first.adapter, &first.reason) == (dimension.adapter, &dimension.reason)
        };
        match groups.iter_mut().find(same) {
            Some((names, _)) => names.push(dimension.name),
            None => groups.push((vec![dimension.name], dimension)),
        }
    }
    for (names, first) in groups {
        let reason = if first.reason.is_empty() { String::new() } else { format!(": {}", first.reason) };
        page.field("dimensions ", format!("{} {}{reason}", names.join(", "), described(first.adapter)));
    }
}

/// Describes what is used to search a dimension.
fn described(adapter: &str) -> &str {
    match adapter {
        "identity" => "by the base embedding",
        "trained" => "by a trained adapter",
        other => other,
    }
}

fn nothing_yet(here: &CommandContext, head: Option<String>, output: &Output) -> Result<ExitCode> {
    let answer = StatusJson {
        head,
        indexed_commit: None,
        behind: 0,
        pending: 0,
        events: BTreeMap::new(),
        items: BTreeMap::new(),
        files: BTreeMap::new(),
        worktrees: Vec::new(),
        model: None,
        model_error: None,
        texts: TextCounts::default(),
        dimensions: Vec::new(),
        training: TrainingStatus::default(),
        digest: None,
        worker: WorkerState::look(here)?,
        last_error: here.workspace.last_error(),
    };
    if output.json {
        return output.print_json(&answer);
    }
    let mut page = output.page();
    match answer.head {
        None => page.line(
            "this repository has no commits yet; the first one is indexed automatically once `patina hook install` has run",
        ),
        Some(_) => {
            page.field("indexed    ", "nothing");
            page.line("           `patina reindex` indexes it now; `patina hook install` has every commit indexed");
        }
    }
    page.field("worker     ", answer.worker.describe());
    output.print(&page)
}

/// Returns the state of each dimension: its number of items, its adapter, and the reason for that state.
fn dimensions(
    reader: &Reader<'_>,
    vectors: &VectorReader<'_>,
    last: Option<&pipeline::TrainingRecord>,
    now: &TrainingInput,
) -> Result<Vec<DimensionStatus>> {
    let counts = items(reader)?;
    let commits = view::reachable_count(&reader.cache)?;
    let mut all = Vec::new();
    for dimension in dimensions::ALL {
        let outcomes = last.into_iter().flat_map(|last| &last.outcomes);
        let said =
            outcomes.filter(|outcome| outcome.name == dimension.name).map(|outcome| outcome.reason.clone()).next();
        let items = counts.iter().filter(|(kind, _)| dimension.holds.kind_named(kind)).map(|(_, n)| n).sum::<u64>()
            + if dimension.holds.kind(ItemKind::Commit) { commits } else { 0 };
        let own = vectors.generation().and_then(|generation| {
            let (_, space, note) = generation.dimensions.iter().find(|(one, ..)| one.name == dimension.name)?;
            Some((generation.id, space, note.clone().unwrap_or_default()))
        });
        let (adapter, generation, reason) = match (reader.off(dimension)?, own) {
            (Some(why), _) => ("off", None, why),
            (None, None) => ("off", None, "nothing is embedded yet".to_string()),
            (None, Some((id, space, note))) if space.is_base() => {
                ("identity", Some(id), if note.is_empty() { said.unwrap_or(untrained(now)) } else { note })
            }
            (None, Some((id, _, note))) => {
                ("trained", Some(id), if note.is_empty() { said.unwrap_or_default() } else { note })
            }
        };
        all.push(DimensionStatus {
            name: dimension.name,
            near: dimension.sentence,
            items,
            adapter,
            generation,
            reason,
        });
    }
    Ok(all)
}

/// Returns why a dimension has no adapter, if it was never trained.
fn untrained(now: &TrainingInput) -> String {
    match now.commits < LEAST_COMMITS {
        true => "no adapter has been trained, and there is too little to learn from".to_string(),
        false => format!("no adapter has been trained, and {} commits are there to learn from", now.commits),
    }
}

/// Counts live items by kind, session entries by category.
fn items(reader: &Reader<'_>) -> Result<BTreeMap<String, u64>> {
    let mut counts = item::kind_counts(&reader.cache, reader.view.id)?;
    counts.extend(entries::counts_by_category(&reader.cache, reader.view.id)?);
    Ok(counts)
}

fn events(cache: &Connection) -> Result<BTreeMap<String, u64>> {
    let mut statement = cache.prepare("SELECT event_type, count(*) FROM log.event GROUP BY event_type")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
