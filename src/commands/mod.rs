//! The command line, one file per subcommand. Invariants: only this module uses clap and prints; answers go to stdout,
//! notes and errors to stderr.

mod agents;
mod answers;
mod calls;
mod completions;
mod config;
mod context;
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
mod options;
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

use anyhow::Result;
use clap::{ColorChoice, FromArgMatches as _, Parser, Subcommand};

use crate::error::{Exit, UserError};
use crate::eventlog::{Eventlog, damaged};
use crate::query::CallDirection;
use context::{CommandContext, Needs, REBUILD, is_off};
pub use help::{commands_page, configuration_page};
use output::Output;
pub use output::clean;

/// Heading of the options that every command takes.
const GLOBAL_OPTIONS: &str = "Global options";

/// A code repository's memory, kept by git itself.
///
/// `patina hook install` turns it on in a repository, and `patina reindex` indexes what is there. From then on every
/// commit is indexed automatically, and you can ask what changes together, who knows a file, what calls what, and
/// where something is.
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
    /// Print more on stderr; twice for traces
    #[arg(long, short, global = true, help_heading = GLOBAL_OPTIONS, action = clap::ArgAction::Count)]
    verbose: u8,
    /// When to use colour
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
    /// Index everything that is new in this repository
    Reindex(reindex::ReindexArgs),
    /// Show what is indexed, what the worker does, how far HEAD is ahead
    Status(status::StatusArgs),
    /// Search code, commits and decisions, by words and by meaning
    Query(query::QueryArgs),
    /// Show what changes together with a file
    Related(related::RelatedArgs),
    /// Predict which files a task, described in words, will touch
    Task(task::TaskArgs),
    /// Measure how good the answers are in this repository
    Eval(eval::EvalArgs),
    /// Train adapters and weights; keep those that win on unseen commits
    Retrain(retrain::RetrainArgs),
    /// Show who knows a file, a folder or a symbol
    Who(who::WhoArgs),
    /// Show why code is as it is: the commits and decisions behind it
    Why(why::WhyArgs),
    /// Show what a symbol calls
    Calls(calls::CallsArgs),
    /// Show who calls a symbol
    Callers(calls::CallsArgs),
    /// Show what connects two files or symbols
    Explain(explain::ExplainArgs),
    /// List, show, import and export development sessions
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// Record a decision, a pattern, a challenge or a goal
    #[command(override_usage = "patina note <--decision|--pattern|--challenge|--goal> <TEXT> [OPTIONS]")]
    Note(note::NoteArgs),
    /// Erase a text or a session for good, and never store it again
    Forget(forget::ForgetArgs),
    /// Show commits, newest first; with --type, events of the log
    Log(log::LogArgs),
    /// Check everything that can be wrong, and print the fix
    Doctor(doctor::DoctorArgs),
    /// List, show and fetch embedding models
    #[command(subcommand)]
    Model(model::ModelCommand),
    /// Drop events that no worktree has needed for a long time
    Gc(gc::GcArgs),
    /// Print all settings with their defaults
    Config,
    /// Print completions for a shell
    Completions(completions::CompletionsArgs),
    /// Background worker, started by hooks and by commands on a stale index
    #[command(hide = true)]
    Worker(worker::WorkerArgs),
    /// Child process that parses source files
    #[command(hide = true, name = "syntax-child")]
    SyntaxChild,
}

/// Runs the program. Errors go to stderr with a hint; the exit code is a value of `Exit`.
pub fn main() -> ExitCode {
    // A hook that an agent calls must not disturb the agent, so even wrong arguments are no error there.
    let is_bell = session_end::is_called(std::env::args_os().skip(1));
    let parsed = help::command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) if is_bell && error.use_stderr() => return ExitCode::SUCCESS,
        // The message repeats the arguments, which may contain a file name with control characters.
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

/// Returns whether a command line that failed to parse asks for JSON.
fn wants_json(mut arguments: impl Iterator<Item = std::ffi::OsString>) -> bool {
    arguments.by_ref().take_while(|argument| argument != "--").any(|argument| argument == "--json")
}

fn run(cli: &Cli, output: &Output) -> Result<ExitCode> {
    if let Some(dir) = &cli.directory {
        std::env::set_current_dir(dir).map_err(|error| {
            UserError::new(Exit::Usage, format!("-C {}: {error}", dir.display())).hint("name a folder that exists")
        })?;
    }
    // The worker writes its trace to its own file, and a hook writes none.
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
            let here = CommandContext::find(output)?;
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
