//! One file a subcommand: arguments in, an answer out. clap's door, and the only room that prints; data goes
//! to stdout, talk to stderr.

mod agents;
mod answers;
mod calls;
mod completions;
mod config;
mod doctor;
mod eval;
mod explain;
mod forget;
mod gc;
mod help;
mod hook;
mod learning;
mod log;
mod model;
mod note;
mod output;
mod page;
mod progress;
mod query;
mod reindex;
mod related;
mod retrain;
mod session;
mod session_end;
mod snippets;
mod status;
mod targets;
mod task;
mod terminal;
mod who;
mod why;
mod worker;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::{ColorChoice, FromArgMatches as _, Parser, Subcommand};

use crate::config::Config;
use crate::dimensions::{self, Dimension};
use crate::embedding::Setup;
use crate::error::{Exit, UserError};
use crate::eventlog::{Eventlog, damaged};
use crate::facts::ItemKind;
use crate::git::Repository;
use crate::index;
use crate::pipeline::{Context, FOREGROUND_SESSIONS, Stage};
use crate::query::{CallDirection, Filter, PathFilter, Reader};
use crate::sessions::is_searchable;
use crate::view::{self, Moved};
use crate::workspace::{Lock, Workspace, program, running_program};
use answers::ShapeArgs;
pub use help::{commands_page, configuration_page};
use output::Output;
pub use output::clean;
use progress::Progress;

/// Heading of the options that every command takes.
const GLOBAL_OPTIONS: &str = "Global options";

/// A code repository's memory, kept by git itself.
///
/// `patina hook install` turns it on in a repository, `patina reindex` takes in what is there. From then on every
/// commit is taken in by itself, and what changes together, who knows a file, what calls what and where something
/// is can be asked.
#[derive(Debug, Parser)]
#[command(name = "patina", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    /// Run as if started in DIR
    #[arg(short = 'C', value_name = "DIR", global = true, help_heading = GLOBAL_OPTIONS)]
    directory: Option<PathBuf>,
    /// Print one JSON object, for errors too
    #[arg(long, global = true, help_heading = GLOBAL_OPTIONS)]
    json: bool,
    /// Print the answer and nothing else
    #[arg(long, short, global = true, help_heading = GLOBAL_OPTIONS)]
    quiet: bool,
    /// Say more on stderr; twice for traces
    #[arg(long, short, global = true, help_heading = GLOBAL_OPTIONS, action = clap::ArgAction::Count)]
    verbose: u8,
    /// When to colour
    #[arg(long, value_name = "WHEN", global = true, help_heading = GLOBAL_OPTIONS, default_value = "auto")]
    color: ColorChoice,
    /// Never show a long answer in a pager
    #[arg(long, global = true, help_heading = GLOBAL_OPTIONS)]
    no_pager: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Turn patina on or off in this repository, and for coding agents
    #[command(subcommand)]
    Hook(hook::HookCommand),
    /// Index what the repository holds and patina does not know yet
    Reindex(reindex::ReindexArgs),
    /// Show what is indexed, what the worker does, how far HEAD is ahead
    Status(status::StatusArgs),
    /// Find code, text, commits and decisions, in words
    Query(query::QueryArgs),
    /// Show what changes together with a file
    Related(related::RelatedArgs),
    /// Show which files a task will touch, said in words
    Task(task::TaskArgs),
    /// Measure how good the answers are in this repository
    Eval(eval::EvalArgs),
    /// Train adapters and weights, and use what wins on unseen commits
    Retrain(retrain::RetrainArgs),
    /// Show who knows a file, a folder or a symbol
    Who(who::WhoArgs),
    /// Show why lines are as they are: their commits, and what was decided
    Why(why::WhyArgs),
    /// Show what a symbol calls
    Calls(calls::CallsArgs),
    /// Show who calls a symbol
    Callers(calls::CallsArgs),
    /// Show what ties two things together
    Explain(explain::ExplainArgs),
    /// List, show, import and export development sessions
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// Write down a decision, a pattern, a challenge or a goal
    Note(note::NoteArgs),
    /// Erase what should not be stored, and keep it from coming back
    Forget(forget::ForgetArgs),
    /// Show commits, newest first; with --type, events of the log
    Log(log::LogArgs),
    /// Check everything that can be wrong, and say what to do
    Doctor(doctor::DoctorArgs),
    /// List, show and fetch the models that embed texts
    #[command(subcommand)]
    Model(model::ModelCommand),
    /// Drop what no branch has needed for long and git can tell again
    Gc(gc::GcArgs),
    /// Print the settings there are, with their defaults
    Config,
    /// Print completions for a shell
    Completions(completions::CompletionsArgs),
    /// The worker that hooks and reads start.
    #[command(hide = true)]
    Worker(worker::WorkerArgs),
    /// The child that parses.
    #[command(hide = true, name = "syntax-child")]
    SyntaxChild,
}

/// Options of the commands that answer in a dimension.
#[derive(Debug, clap::Args)]
struct Narrow {
    /// Only by this dimension: semantic, temporal, dependency, syntactic, architectural, social; may be repeated.
    #[arg(short, long, value_name = "DIMENSION")]
    dimension: Vec<String>,
    #[command(flatten)]
    limits: Limits,
}

/// Options of the commands that answer with hits.
#[derive(Debug, clap::Args)]
struct Limits {
    /// Show at most K.
    #[arg(short, value_name = "K", default_value_t = 10)]
    k: usize,
    /// Only this kind: file, function, type, module, constant, macro, commit, or of what sessions say: session, goal,
    /// decision, pattern, work, challenge, context, observation, plan, note; may be repeated.
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// Only paths that match a glob or are in a folder, from where you are or from the top of the repository.
    #[arg(long, value_name = "GLOB")]
    path: Option<String>,
    /// Only what a commit touched since a day (2026-01-31) or for a time (90d, 12w).
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Wait until what HEAD shows is indexed.
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    shape: ShapeArgs,
}

/// After this long without anybody holding the lock, a worker has come and gone.
const IDLE: Duration = Duration::from_secs(1);

/// How long an answer waits for a damaged cache to be built again.
const REBUILD: Duration = Duration::from_secs(120);

/// How long a run in the foreground waits for a worker to finish.
const LOCK: Duration = Duration::from_secs(600);

/// How long `--fresh` waits.
const FRESH: Duration = Duration::from_secs(30);

/// What has to be where HEAD stands for an answer to be as of HEAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// What is counted: files, definitions, history, calls.
    Counts,
    /// The vectors of what is live too.
    Vectors,
    /// And full text.
    All,
}

/// Runs the program. Errors go to stderr with their next step; the exit code says what sort they are.
pub fn main() -> ExitCode {
    // An agent that rings hears of nothing, however wrongly it rang.
    let is_bell = session_end::is_called(std::env::args_os().skip(1));
    let parsed = help::command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) if is_bell && error.use_stderr() => return ExitCode::SUCCESS,
        // What was typed is said again, and it may be the name of a file that somebody else chose.
        Err(error) if error.use_stderr() => {
            let text = error.render().to_string();
            if wants_json(std::env::args_os().skip(1)) {
                let (message, hint) = text.trim().split_once("\n\n").unwrap_or((text.trim(), ""));
                let message = message.strip_prefix("error: ").unwrap_or(message);
                output::print_json_error(Exit::Usage, message, (!hint.is_empty()).then_some(hint));
            }
            output::talk(&output::clean(&text));
            return ExitCode::from(Exit::Usage as u8);
        }
        Err(help) => help.exit(),
    };
    let output = Output::new(cli.json, cli.quiet, cli.color, cli.no_pager);
    match run(&cli, &output) {
        Ok(code) => code,
        Err(_) if is_bell => ExitCode::SUCCESS,
        Err(error) => {
            let exit = match error.downcast_ref::<UserError>() {
                Some(user) => {
                    output.error(user.exit, &user.message, user.hint.as_deref());
                    user.exit
                }
                None => {
                    output.error(Exit::Failed, &format!("{error:#}"), Some("`patina doctor` looks for the cause"));
                    Exit::Failed
                }
            };
            ExitCode::from(exit as u8)
        }
    }
}

/// Whether a call that cannot be parsed asks for JSON.
fn wants_json(mut arguments: impl Iterator<Item = std::ffi::OsString>) -> bool {
    arguments.by_ref().take_while(|argument| argument != "--").any(|argument| argument == "--json")
}

fn run(cli: &Cli, output: &Output) -> Result<ExitCode> {
    if let Some(dir) = &cli.directory {
        std::env::set_current_dir(dir).map_err(|error| {
            UserError::new(Exit::Usage, format!("-C {}: {error}", dir.display())).hint("name a folder that exists")
        })?;
    }
    // The worker writes its trace to a file of its own, and a hook writes nothing anywhere.
    let is_hook = matches!(
        cli.command,
        Command::Hook(hook::HookCommand::Ring { .. }) | Command::Session(session::SessionCommand::End(_))
    );
    if !is_hook && !matches!(cli.command, Command::Worker(_)) {
        let level = if cli.quiet { "error" } else { ["warn", "info", "debug"][usize::from(cli.verbose.min(2))] };
        let filter = tracing_subscriber::EnvFilter::try_from_env("PATINA_LOG")
            .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
        let ansi = output.is_colored() && std::io::stderr().is_terminal();
        let format = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        format.with_ansi(ansi).without_time().init();
    }
    match dispatch(cli, output) {
        Err(error) if crate::sqlite::is_damage(&error) && !is_off() => {
            let here = Here::find(output)?;
            if let Some(what) = Eventlog::damage(&here.workspace.eventlog_path())? {
                return Err(damaged(what));
            }
            output.warn("the cache is damaged; it is built again, and the question asked once more");
            here.workspace.drop_cache()?;
            here.wait(REBUILD, Needs::Counts)?;
            dispatch(cli, output)
        }
        Err(error) if crate::sqlite::is_damage(&error) => Err(UserError::new(Exit::Unverified, format!("{error:#}"))
            .hint("`patina reindex` builds it again from the log")
            .into()),
        result => result,
    }
}

fn dispatch(cli: &Cli, output: &Output) -> Result<ExitCode> {
    match &cli.command {
        Command::Hook(command) => hook::run(command, output),
        Command::Reindex(arguments) => reindex::run(arguments, output),
        Command::Status(arguments) => status::run(arguments, output),
        Command::Query(arguments) => query::run(arguments, output),
        Command::Related(arguments) => related::run(arguments, output),
        Command::Task(arguments) => task::run(arguments, output),
        Command::Retrain(arguments) => retrain::run(arguments, output),
        Command::Eval(arguments) => eval::run(arguments, output),
        Command::Who(arguments) => who::run(arguments, output),
        Command::Why(arguments) => why::run(arguments, output),
        Command::Calls(arguments) => calls::run(arguments, CallDirection::Calls, output),
        Command::Callers(arguments) => calls::run(arguments, CallDirection::Callers, output),
        Command::Explain(arguments) => explain::run(arguments, output),
        Command::Session(command) => session::run(command, output),
        Command::Forget(arguments) => forget::run(arguments, output),
        Command::Note(arguments) => note::run(arguments, output),
        Command::Log(arguments) => log::run(arguments, output),
        Command::Doctor(arguments) => doctor::run(arguments, output),
        Command::Model(command) => model::run(command, output),
        Command::Gc(arguments) => gc::run(arguments, output),
        Command::Config => config::run(output),
        Command::Completions(arguments) => completions::run::<Cli>(arguments, output),
        Command::Worker(arguments) => worker::run(arguments),
        Command::SyntaxChild => {
            crate::syntax::child::serve(std::io::stdin().lock(), std::io::stdout().lock()).map(|()| ExitCode::SUCCESS)
        }
    }
}

/// The repository, settings and folder that a command works with.
struct Here {
    repository: Repository,
    config: Config,
    workspace: Workspace,
    common_dir: PathBuf,
}

impl Here {
    fn find(output: &Output) -> Result<Self> {
        let config = Config::load()?;
        for warning in &config.warnings {
            output.warn(warning);
        }
        Self::with(config)
    }

    fn with(config: Config) -> Result<Self> {
        let repository = Repository::discover(&std::env::current_dir().context("finding the current folder")?)?;
        let common_dir = repository.common_dir()?;
        let workspace = Workspace::locate(&common_dir, &config);
        Ok(Here { repository, config, workspace, common_dir })
    }

    /// What a run in the foreground needs; a person waits for it, so nothing is more urgent.
    fn context<'a>(
        &'a self,
        lock: &'a Lock,
        stop: &'a AtomicBool,
        progress: &'a (dyn Fn(Stage, u64, u64) + Sync),
    ) -> Result<Context<'a>> {
        Ok(Context {
            repository: &self.repository,
            workspace: &self.workspace,
            config: &self.config,
            program: running_program()?,
            progress,
            stop,
            urgent: &|| false,
            sessions: FOREGROUND_SESSIONS,
            lock,
        })
    }

    /// The lock for a run in the foreground, which waits for a worker to finish.
    fn lock(&self, stop: &AtomicBool, output: &Output) -> Result<Lock> {
        if let Some(lock) = self.workspace.try_lock()? {
            return Ok(lock);
        }
        output.note("a worker is taking something in; waiting for it");
        self.workspace.lock(LOCK, || stop.load(Ordering::Relaxed))
    }

    /// Does something in the foreground that only the holder of the lock may do, with progress.
    fn behind_the_lock<T>(
        &self,
        stop: &AtomicBool,
        output: &Output,
        work: impl FnOnce(&Context<'_>) -> Result<T>,
    ) -> Result<T> {
        self.workspace.create()?;
        let lock = self.lock(stop, output)?;
        let rings = self.workspace.rings();
        let progress = Progress::new(output.is_quiet());
        let step = |stage, done, total| progress.step(stage, done, total);
        let done = work(&self.context(&lock, stop, &step)?);
        progress.finish();
        drop(lock);
        self.answer_rings(rings)?;
        done
    }

    /// After the lock was held in the foreground: rings that came meanwhile found it taken, and are answered now.
    fn answer_rings(&self, seen: u64) -> Result<()> {
        if self.workspace.rings() != seen && !is_off() { Workspace::spawn_worker(&self.common_dir) } else { Ok(()) }
    }

    /// Rings and makes sure that somebody answers, unless patina is switched off for this process.
    fn wake(&self) -> Result<()> {
        self.wake_by(Workspace::ring)
    }

    fn wake_by(&self, ring: impl FnOnce(&Workspace) -> Result<()>) -> Result<()> {
        if is_off() {
            return Ok(());
        }
        self.workspace.create()?;
        ring(&self.workspace)?;
        Workspace::spawn_worker(&self.common_dir)
    }

    /// Refuses to go on in a repository that was never indexed.
    ///
    /// # Errors
    /// A [`UserError`] with the exit code for "not set up".
    fn require_index(&self) -> Result<()> {
        if self.workspace.cache_path().is_some() {
            return Ok(());
        }
        Err(crate::store::not_indexed().into())
    }

    /// What has moved since it was indexed; none where nothing is indexed.
    fn moved(&self) -> Result<Option<Moved>> {
        let Ok(cache) = crate::store::open_reader(&self.workspace, &self.config) else { return Ok(None) };
        Ok(Some(view::moved(&cache, &self.repository)?))
    }

    /// Whether everything that is live has its vectors, by the model that is set up. Without one there is nothing to
    /// wait for.
    fn is_embedded(&self) -> Result<bool> {
        let Ok(setup) = Setup::check(&self.config.model, false) else { return Ok(true) };
        let Ok(cache) = crate::store::open_reader(&self.workspace, &self.config) else { return Ok(false) };
        let generation = index::current(&cache)?;
        let is_its = generation.is_some_and(|generation| generation.model == setup.identity);
        Ok(is_its && index::pending_count(&cache)? == 0)
    }

    /// Whether all of it that an answer needs is in, of what was live when it was last looked at.
    fn has(&self, needs: Needs) -> Result<bool> {
        Ok(match needs {
            Needs::Counts => true,
            Needs::Vectors => self.is_embedded()?,
            Needs::All => self.is_searchable()? && self.is_embedded()?,
        })
    }

    fn is_searchable(&self) -> Result<bool> {
        let Ok(cache) = crate::store::open_reader(&self.workspace, &self.config) else { return Ok(false) };
        crate::text_index::is_current(&cache)
    }

    /// Starts the worker and waits until HEAD is indexed and whatever else had moved, as far as is needed. A worker that failed is not waited for, and one that died is started again.
    fn wait(&self, timeout: Duration, needs: Needs) -> Result<()> {
        let start = Instant::now();
        let mut woken: Option<Instant> = None;
        let own = self.repository.worktree_name()?;
        let first = self.moved()?.unwrap_or_default();
        // At the first look all of it has to be where it is now; from then on, past where it was.
        let is_current = |woken: bool| -> Result<bool> {
            let now = self.moved()?;
            Ok(now.is_some_and(|now| if woken { now.is_past(&first, &own) } else { now.is_nothing() }))
        };
        while !is_current(woken.is_some())? || !self.has(needs)? {
            let idle = woken.is_some_and(|woken| woken.elapsed() > IDLE) && self.workspace.try_lock()?.is_some();
            if idle && let Some(error) = self.workspace.last_error() {
                let message = format!("HEAD could not be indexed: {error}");
                return Err(UserError::new(Exit::Failed, message).hint("run `patina reindex` to watch it").into());
            }
            if woken.is_none() || idle {
                anyhow::ensure!(
                    !is_off(),
                    UserError::new(Exit::Locked, "PATINA=0 keeps the worker from starting")
                        .hint("run `patina reindex`")
                );
                self.wake_by(Workspace::ring_urgently)?;
                woken = Some(Instant::now());
            }
            if start.elapsed() > timeout {
                let message = format!("HEAD was not indexed within {} s", timeout.as_secs());
                return Err(UserError::new(Exit::Locked, message).hint("run `patina reindex` to watch it").into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Has a segment built again that turned out to be damaged while an answer was given without it.
    fn mend(&self, is_damaged: bool) {
        if is_damaged && self.wake().is_err() {
            tracing::warn!("the index cannot be mended: its folder cannot be written");
        }
    }

    /// Opens what is indexed for an answer. Where HEAD has moved on, rings; with `fresh`, waits for what is needed.
    fn reader(&self, fresh: bool, needs: Needs, output: &Output) -> Result<Reader<'_>> {
        if fresh {
            self.wait(FRESH, needs)?;
        }
        let mut reader = match Reader::open(&self.repository, &self.workspace, &self.config) {
            Err(error) if self.workspace.cache_path().is_some() && crate::store::is_outdated(&error) => {
                let _ = self.wake();
                return Err(error);
            }
            reader => reader?,
        };
        // A log that was copied, or looked at by somebody who may write, is held against its sums until it is sealed again.
        let is_unsealed = crate::sqlite::refuse_altered(&self.workspace.eventlog_path()).is_err();
        let is_searchable = needs != Needs::All || crate::text_index::is_current(&reader.cache)?;
        if !is_searchable {
            reader.behind = reader.behind.max(1);
        }
        let is_behind = reader.has_moved() || is_unsealed || !is_searchable || !reader.notes.is_empty();
        if is_behind && self.wake().is_err() {
            tracing::warn!("the index cannot be brought up to date: its folder cannot be written");
        }
        output.notes(&reader.notes);
        Ok(reader)
    }
}

impl Narrow {
    /// The dimensions that are asked for, each once.
    fn dimensions(&self) -> Result<Vec<&'static Dimension>> {
        let mut asked: Vec<&'static Dimension> = Vec::new();
        for name in &self.dimension {
            let Some(dimension) = dimensions::named(name) else {
                let all: Vec<&str> = dimensions::ALL.iter().map(|dimension| dimension.name).collect();
                let message = format!("there is no dimension `{name}`");
                return Err(UserError::new(Exit::Usage, message).hint(format!("they are {}", all.join(", "))).into());
            };
            if !asked.iter().any(|known| known.name == dimension.name) {
                asked.push(dimension);
            }
        }
        Ok(asked)
    }
}

impl Limits {
    fn filter(&self) -> Result<Filter> {
        let kinds = self.kind.iter().map(|name| kind_named(name)).collect::<Result<Vec<ItemKind>>>()?;
        asks_for_any(self.k)?;
        let path = self.path.as_deref().map(PathFilter::new).transpose()?;
        let since = self.since.as_deref().map(parse_since).transpose()?;
        Ok(Filter { k: self.k, kinds, path, since })
    }
}

/// The kind that a person names: code, commits, sessions, and entries of categories that can be searched.
fn kind_named(name: &str) -> Result<ItemKind> {
    let kind = ItemKind::named(name).filter(|kind| !matches!(kind, ItemKind::Entry(_)) || is_searchable(name));
    kind.ok_or_else(|| {
        let all = ItemKind::PLAIN.map(ItemKind::name).join(", ");
        UserError::new(Exit::Usage, format!("there is no kind `{name}`"))
            .hint(format!("kinds are {all}, and the categories of what sessions say"))
            .into()
    })
}

/// Refuses `-k 0`: an answer that shows nothing would say that there is nothing.
fn asks_for_any(k: usize) -> Result<()> {
    if k == 0 {
        return Err(UserError::new(Exit::Usage, "-k 0 asks for nothing").hint("ask for at least one").into());
    }
    Ok(())
}

/// Whether `PATINA=0` switches patina off for this process.
fn is_off() -> bool {
    std::env::var_os("PATINA").is_some_and(|value| value == "0")
}

/// A day, or a time back from now.
fn parse_since(text: &str) -> Result<i64> {
    let now = crate::git::unix_now();
    let units = [("d", 86_400), ("w", 7 * 86_400), ("m", 30 * 86_400), ("y", 365 * 86_400)];
    for (unit, seconds) in units {
        let count = text.strip_suffix(unit).and_then(|count| count.parse::<i64>().ok());
        let back = count.and_then(|count| count.checked_mul(seconds));
        if let Some(since) = back.and_then(|back| now.checked_sub(back)) {
            return Ok(since);
        }
    }
    crate::git::parse_day(text).ok_or_else(|| {
        UserError::new(Exit::Usage, format!("`{text}` is no time"))
            .hint("write a day as 2026-01-31, or a time back as 90d, 12w, 6m, 1y")
            .into()
    })
}

/// A flag that Ctrl-C and SIGTERM set.
fn stop_flag() -> Arc<AtomicBool> {
    static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    let make = || {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = stop.clone();
        // Where a handler cannot be set, an interrupt ends the process, and the next run goes on from there.
        let _ = ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed));
        stop
    };
    STOP.get_or_init(make).clone()
}
