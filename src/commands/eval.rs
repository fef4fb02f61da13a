//! `patina eval`: measures how good the answers are in this repository.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::answers::short;
use super::context::{CommandContext, Needs, stop_flag};
use super::output::Output;
use super::page::Page;
use super::progress::Progress;
use crate::dimensions;
use crate::embedding::{Embedder, EmbeddingCache, Setup};
use crate::entries;
use crate::error::{Exit, UserError, interrupted};
use crate::evaluation::{
    CorpusSource, EvalData, EvalReport, EvalSelection, Experiment, Split, TaskReport, experiments, measure,
    train_dimensions,
};
use crate::facts::ItemKind;
use crate::git::{Head, day};
use crate::history::Timeline;
use crate::pipeline::{self, FOREGROUND_SESSIONS, Stage};

use crate::query::Reader;
use crate::workspace::program;

#[derive(Debug, clap::Args)]
pub struct EvalArgs {
    /// Measure only the tasks of this dimension
    #[arg(short, long, value_name = "DIMENSION")]
    dimension: Option<String>,
    /// Measure only this task
    ///
    /// One of file_to_files, missing_file, task_to_files, who, caller_to_callee, shape, place, session
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
    /// Also measure answers from an index that is behind HEAD
    #[arg(long)]
    staleness: bool,
    /// Also print the metrics of each test commit; needs --json
    #[arg(long)]
    commits: bool,
    /// Train with the settings in a TOML file, one table per dimension
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Show earlier measurements instead of measuring
    #[arg(long, conflicts_with_all = ["dimension", "task", "staleness", "commits", "config"])]
    history: bool,
    /// Print the weights fitted here, as one JSON line for the shipped prior
    #[arg(long, hide = true)]
    prior_row: bool,
}

/// One measurement, as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredEvaluation {
    /// Unix seconds.
    at: u64,
    /// The commit that HEAD was at.
    as_of: String,
    /// The id of the index generation in use.
    generation: Option<i64>,
    /// The sha256 of the model.
    model: String,
    repository: EvaluatedRepository,
    /// The text of the `--config` file; `None` if training used its defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    config: Option<String>,
    #[serde(flatten)]
    report: EvalReport,
}

#[derive(Serialize, Deserialize)]
struct EvaluatedRepository {
    commits: usize,
    files: usize,
    people: usize,
}

#[derive(Serialize)]
struct EvaluationHistory {
    evaluations: Vec<StoredEvaluation>,
}

/// The file of stored measurements, one JSON object per line.
const FILE: &str = "evaluations.jsonl";
/// The dimensions whose adapters are signals of the answers about commits.
const IN_WEIGHTS: [&str; 3] = ["temporal", "semantic", "social"];
/// How many commits identify a repository in its row of the shipped prior.
const MARKS: usize = 16;

pub fn run(arguments: &EvalArgs, output: &Output) -> Result<ExitCode> {
    let here = CommandContext::find(output)?;
    here.require_index()?;
    if arguments.history {
        return history(&here, output);
    }
    if arguments.commits && !output.json {
        return Err(UserError::new(Exit::Usage, "--commits needs --json").hint("add --json").into());
    }
    let wanted = wanted(arguments)?;
    let (config, experiments) = match &arguments.config {
        Some(path) => read_experiments(path).map(|(text, experiments)| (Some(text), experiments))?,
        None => Default::default(),
    };
    let reader = here.reader(false, Needs::Vectors, output)?;
    let Some(head) = reader.view.head else {
        return Err(UserError::new(Exit::NotSetUp, "this repository has no commits to measure on")
            .hint("commit something first")
            .into());
    };
    let setup = Setup::check(&reader.config.model, false)?;
    let stop = stop_flag();
    let progress = Progress::new(output.is_quiet());
    let split = if arguments.prior_row { Split::for_prior } else { Split::for_evaluation };
    let material = read_material(&here, &reader, head, &setup, split, &progress, &stop)?;
    let mut chosen = Vec::new();
    for dimension in dimensions::ALL {
        let takes_part = !arguments.prior_row || IN_WEIGHTS.contains(&dimension.name);
        if takes_part && wanted.needs_adapter(dimension.name) && reader.off(dimension)?.is_none() {
            chosen.push(*dimension);
        }
    }
    let learned = train_dimensions(&material, &chosen, &experiments, !arguments.prior_row, &|done, total| {
        progress.step(Stage::Learn, done, total);
        !stop.load(Ordering::Relaxed)
    })?;
    progress.finish();
    if stop.load(Ordering::Relaxed) {
        return Err(interrupted().into());
    }
    // A test checks that the shipped prior fits the signals, so checking one question here is enough.
    material.prior(crate::fusion::Question::Files)?;
    let prior = |question| match arguments.prior_row {
        true => EvalData::flat(question),
        false => material.prior(question).unwrap_or_else(|_| EvalData::flat(question)),
    };
    let report = measure(&material, &learned, &prior, &wanted, &|| !stop.load(Ordering::Relaxed))?;
    if arguments.prior_row {
        return prior_row(&material, &report, output);
    }
    let kept = StoredEvaluation {
        at: crate::git::unix_now().cast_unsigned(),
        as_of: reader.as_of().unwrap_or_default(),
        generation: reader.vectors()?.generation().map(|generation| generation.id),
        model: setup.identity.sha256.clone(),
        repository: EvaluatedRepository {
            commits: material.timeline.commits.len(),
            files: material.corpus.items.iter().filter(|item| item.kind == ItemKind::File).count(),
            people: material.timeline.people.len(),
        },
        config,
        report,
    };
    if let Err(error) = keep(&here, &kept) {
        output.warn(&format!("this measurement is not kept: {error:#}"));
    }
    if output.json {
        return output.print_json(&kept);
    }
    let mut page = output.page();
    page.end_as_of(&reader, output);
    show(&mut page, &kept.report);
    output.print(&page)
}

/// Loads the evaluation data, embeds texts that are not in the cache yet, and stores those embeddings.
fn read_material(
    here: &CommandContext,
    reader: &Reader<'_>,
    head: Head,
    setup: &Setup,
    split: fn(&Timeline) -> Split,
    progress: &Progress,
    stop: &AtomicBool,
) -> Result<EvalData> {
    let program = program()?;
    pipeline::recall_forgotten(&here.workspace)?;
    let reading = CorpusSource { repository: &here.repository, config: &reader.config, program: &program, stop };
    let timeline = pipeline::timeline(&reader.cache, &here.repository, &reader.config, head)?;
    let sessions = entries::load_records(&reader.cache, &here.repository, reader.view.id)?;
    let known = EmbeddingCache::open_read_only(&here.workspace.embeddings_path(), &setup.identity).ok();
    let embedder = Embedder {
        setup,
        known: known.as_ref(),
        sessions: FOREGROUND_SESSIONS,
        stop,
        should_continue: &|done, total| {
            progress.step(Stage::Embed, done, total);
            true
        },
        // Only the holder of the write lock may write. If it is taken, the next measurement embeds these texts again.
        keep: &|new| {
            let rings = here.workspace.rings();
            if let Ok(Some(lock)) = here.workspace.try_lock() {
                pipeline::keep(&here.workspace, setup, &new, &lock)?;
                drop(lock);
                here.answer_later_rings(rings)?;
            }
            Ok(())
        },
    };
    let split = split(&timeline);
    EvalData::read(&reading, timeline, &sessions, split, head.commit, |texts| embedder.look_up(texts))
}

fn wanted(arguments: &EvalArgs) -> Result<EvalSelection> {
    let refuse = |what: &str, name: &str, known: Vec<&str>| {
        let hint = format!("one of {}", known.join(", "));
        UserError::new(Exit::Usage, format!("unknown {what} `{name}`")).hint(&hint)
    };
    if let Some(name) = &arguments.dimension
        && dimensions::named(name).is_none()
    {
        let known = dimensions::ALL.iter().map(|dimension| dimension.name).collect();
        return Err(refuse("dimension", name, known).into());
    }
    if let Some(name) = &arguments.task
        && !EvalSelection::tasks().any(|(_, task)| task == name)
    {
        return Err(refuse("task", name, EvalSelection::tasks().map(|(_, task)| task).collect()).into());
    }
    if let (Some(dimension), Some(task)) = (&arguments.dimension, &arguments.task)
        && !EvalSelection::tasks().any(|(own, known)| own == dimension && known == task)
    {
        let own = EvalSelection::tasks().filter(|(own, _)| own == dimension).map(|(_, task)| task).collect();
        return Err(refuse(&format!("task of {dimension} called"), task, own).into());
    }
    Ok(EvalSelection {
        dimension: arguments.dimension.clone(),
        task: arguments.task.clone(),
        staleness: arguments.staleness,
        commits: arguments.commits,
    })
}

fn read_experiments(path: &PathBuf) -> Result<(String, BTreeMap<&'static str, Experiment>)> {
    let refuse = |error: anyhow::Error| {
        let message = format!("{} is no experiment: {error:#}", path.display());
        UserError::new(Exit::Usage, message)
            .hint("a table for each dimension, for example [temporal] with hidden = 128")
    };
    let text = std::fs::read_to_string(path).map_err(|error| refuse(error.into()))?;
    let experiments = experiments(&text).map_err(refuse)?;
    Ok((text, experiments))
}

/// Prints one row of `templates/prior.toml`.
fn prior_row(material: &EvalData, report: &EvalReport, output: &Output) -> Result<ExitCode> {
    let steps = &material.timeline.commits;
    let last = steps.len().saturating_sub(1);
    let commits: Vec<&str> = (0..MARKS).map(|mark| steps[mark * last / (MARKS - 1)].sha.as_str()).collect();
    let row = serde_json::json!({"commits": commits, "weights": report.weights});
    output.print_json(&row)
}

/// Stores a measurement beside the earlier ones.
fn keep(here: &CommandContext, kept: &StoredEvaluation) -> Result<()> {
    append(&here.workspace.evaluations_path(), serde_json::to_vec(kept)?)
}

/// Appends a line to a file, and first ends a line that an interrupted write left incomplete.
fn append(path: &Path, mut line: Vec<u8>) -> Result<()> {
    let mut file = File::options().read(true).append(true).create(true).open(path)?;
    let mut last = *b"\n";
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last != *b"\n" {
        line.insert(0, b'\n');
    }
    line.push(b'\n');
    Ok(file.write_all(&line)?)
}

fn history(here: &CommandContext, output: &Output) -> Result<ExitCode> {
    let text = match std::fs::read_to_string(here.workspace.evaluations_path()) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        text => text?,
    };
    let read = |line: &str| match serde_json::from_str::<StoredEvaluation>(line) {
        Ok(kept) => Some(kept),
        Err(error) => {
            output.warn(&format!("a line of {FILE} is left out: {error}"));
            None
        }
    };
    let evaluations: Vec<StoredEvaluation> = text.lines().filter_map(read).collect();
    if output.json {
        return output.print_json(&EvaluationHistory { evaluations });
    }
    let mut page = output.page();
    for kept in &evaluations {
        let at = day(kept.at.cast_signed());
        let generation = kept.generation.map_or("none".to_string(), |id| id.to_string());
        page.field(format!("{at}  {}", short(&kept.as_of)), format!("  generation {generation}"));
        for line in kept.config.iter().flat_map(|config| config.lines()).filter(|line| !line.trim().is_empty()) {
            page.line(format!("  learned with: {line}"));
        }
        for task in &kept.report.tasks {
            page.line(format!("  {}", summary(task)));
        }
    }
    if evaluations.is_empty() {
        page.line("nothing has been measured here yet; `patina eval` does it");
    }
    output.print(&page)
}

/// Formats the metrics of a task as one line.
fn summary(task: &TaskReport) -> String {
    let name = format!("{} {}", task.task, task.subset);
    if let Some(reason) = &task.reason {
        return format!("{name:30} {reason}");
    }
    let mrr = |method: &str| task.methods.get(method).map_or(0.0, |figures| figures.mrr);
    let lift =
        task.lift.map_or(String::new(), |lift| format!("  x{:.3} ({:+.3} {:+.3})", lift.ratio, lift.low, lift.high));
    let plain = task.plain.as_deref().unwrap_or("plain");
    format!("{name:30} fused {:.3}  {plain} {:.3}{lift}", mrr("fused"), mrr("plain"))
}

fn show(page: &mut Page, report: &EvalReport) {
    for task in &report.tasks {
        let n = format!("  {} questions of {}", task.n, task.units);
        let ceiling = task.ceiling.map_or(String::new(), |ceiling| format!(", ceiling {ceiling:.3}"));
        match &task.reason {
            Some(reason) => page.field(format!("{} {}", task.task, task.subset), format!("  {reason}")),
            None => page.field(format!("{} {}", task.task, task.subset), n + &ceiling),
        }
        if task.reason.is_none() {
            page.line("                            mrr              recall@10  hit@1  hit@3  answered");
        }
        for (name, figures) in &task.methods {
            page.line(format!(
                "  {name:24} {:.3} ({:.3}-{:.3})    {:.3}  {:.3}  {:.3}     {:.3}",
                figures.mrr,
                figures.mrr_low,
                figures.mrr_high,
                figures.recall_at_10,
                figures.hit_at_1,
                figures.hit_at_3,
                figures.answered
            ));
        }
        if let Some(lift) = task.lift {
            let plain = task.plain.as_deref().unwrap_or("plain");
            page.line(format!(
                "  fused over {plain}: x{:.3}, {:+.3} ({:+.3} to {:+.3})",
                lift.ratio, lift.difference, lift.low, lift.high
            ));
        }
    }
    if let Some(alarm) = &report.alarm {
        match &alarm.silent {
            Some(why) => page.line(format!("a missing file is never named: {why}")),
            None => page.line(format!(
                "a missing file is named {:.1} times in a hundred, and wrongly in {:.1} of a hundred complete changes ({} of them)",
                100.0 * alarm.recall,
                alarm.false_alarms,
                alarm.complete
            )),
        }
    }
    for worth in &report.dimensions {
        let said =
            |lift: &crate::evaluation::Lift| format!("x{:.3} ({:+.3} to {:+.3})", lift.ratio, lift.low, lift.high);
        let text = match (&worth.reason, &worth.own, &worth.marginal) {
            (Some(reason), ..) => reason.clone(),
            (None, Some(own), Some(marginal)) => {
                format!("alone {} over the base embedding, within the answers {}", said(own), said(marginal))
            }
            _ => "trained, and nothing of the test asks it".to_string(),
        };
        page.field(format!("{:14}", worth.name), format!("{}: {text}", worth.task));
    }
    for one in &report.staleness {
        page.line(format!("{:4} commits behind: file_to_files {:.3}", one.behind, one.mrr));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_dimension_of_the_weights_is_one() {
        for name in super::IN_WEIGHTS {
            assert!(crate::dimensions::named(name).is_some(), "{name}");
        }
    }

    #[test]
    fn half_a_line_keeps_to_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lines");
        let holds = |expect: &str| assert_eq!(std::fs::read_to_string(&path).expect("it is there"), expect);
        super::append(&path, b"one".to_vec()).expect("written");
        super::append(&path, b"two".to_vec()).expect("written");
        holds("one\ntwo\n");
        std::fs::write(&path, "one\ntw").expect("written");
        super::append(&path, b"three".to_vec()).expect("written");
        holds("one\ntw\nthree\n");
    }
}
