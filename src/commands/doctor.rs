//! `patina doctor`: checks everything that can be wrong, one line each, with the fix.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::context::{CommandContext, stop_flag};
use super::output::Output;
use super::{agents, hook};
use crate::embedding::{self, EmbeddingCache};
use crate::entries::{self, LiveSession};
use crate::error::{Exit, UserError};
use crate::event::pluralize;
use crate::eventlog::{self, Eventlog, Salvaged};
use crate::hooks;
use crate::index;
use crate::item;
use crate::pipeline::{self, Depth};
use crate::sqlite;
use crate::store;
use crate::verify::{self, Verdict};
use crate::view;

#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    /// Rebuild the index from git, and compare it with the one in use
    #[arg(long)]
    verify: bool,
    /// With --verify, embed every text again instead of a sample
    #[arg(long, requires = "verify")]
    all: bool,
    /// Salvage the events of a damaged log, and rebuild damaged caches
    #[arg(long)]
    fix: bool,
}

#[derive(Serialize)]
struct DoctorJson {
    #[serde(flatten)]
    verdict: Option<Verdict>,
    checks: Vec<Check>,
}

#[derive(Serialize)]
struct Check {
    name: &'static str,
    state: State,
    detail: String,
    fix: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    Warning,
    Failed,
}

/// The oldest git version whose hooks and worktrees work with patina.
const OLDEST_GIT: (u32, u32, u32) = (2, 30, 0);

pub fn run(arguments: &DoctorArgs, output: &Output) -> Result<ExitCode> {
    let here = CommandContext::find(output)?;
    if arguments.fix {
        save_events(&here, output)?;
    }
    let (mut verdict, mut checks) = look(&here, arguments, output)?;
    let rebuilt = |check: &Check| check.state == State::Failed && REBUILT.contains(&check.name);
    if arguments.fix && checks.iter().any(rebuilt) {
        let again = checks.iter().any(|check| check.name == "embeddings" && check.state == State::Failed);
        here.with_write_lock(&stop_flag(), output, |context| {
            pipeline::catch_up(context, if again { Depth::ReEmbed } else { Depth::Full }).map(drop)
        })?;
        output.note("everything but the log was rebuilt");
        (verdict, checks) = look(&here, arguments, output)?;
    }
    let failed = checks.iter().any(|check| check.state == State::Failed);
    let exit = if failed { ExitCode::from(Exit::Unverified as u8) } else { ExitCode::SUCCESS };
    if output.json {
        output.print_json(&DoctorJson { verdict, checks })?;
        return Ok(exit);
    }
    let mut page = output.page();
    for check in &checks {
        let mark = match check.state {
            State::Ok => "ok      ",
            State::Warning => "warning ",
            State::Failed => "FAILED  ",
        };
        page.field(format!("{mark}{:14}", check.name), format!(" {}", check.detail));
        if let Some(fix) = &check.fix {
            page.line(format!("         {fix}"));
        }
    }
    for difference in verdict.iter().flat_map(|verdict| &verdict.differences) {
        page.line(format!("         {}: {}", difference.part, difference.detail));
    }
    output.print(&page)?;
    Ok(exit)
}

/// Checks whose failures a full rebuild repairs.
const REBUILT: &[&str] = &["cache", "segments", "vectors", "embeddings", "equal"];

fn look(here: &CommandContext, arguments: &DoctorArgs, output: &Output) -> Result<(Option<Verdict>, Vec<Check>)> {
    let verified = || here.with_write_lock(&stop_flag(), output, |context| verify::verify(context, arguments.all));
    let verdict = arguments.verify.then(verified).transpose()?;
    let mut checks = vec![git(), repository(here), folder(here)];
    checks.extend(hooks_installed(here));
    checks.push(agents_ring(here));
    checks.extend(eventlog(here));
    checks.extend(cache(here));
    checks.extend(model(here));
    checks.extend(vectors(here));
    checks.push(worker(here));
    if !here.config.warnings.is_empty() {
        checks.push(warning(
            "configuration",
            here.config.warnings.join("; "),
            "correct the file; `patina config` names it",
        ));
    }
    checks.extend(verdict.as_ref().map(check_of));
    Ok((verdict, checks))
}

/// Replaces a damaged log with a new one that holds the events that verify, then indexes from git again.
fn save_events(here: &CommandContext, output: &Output) -> Result<()> {
    let path = here.workspace.eventlog_path();
    let Some(what) = path.exists().then(|| Eventlog::damage(&path)).transpose()?.flatten() else { return Ok(()) };
    here.with_write_lock(&stop_flag(), output, |context| {
        let Salvaged { rows, kept } = eventlog::salvage(&path)?;
        output.note(&format!("the eventlog was damaged: {what}"));
        output.note(&format!("{rows} events verify and were saved; the damaged file is {}", kept.display()));
        pipeline::catch_up(context, Depth::New).map(drop)
    })
}

fn check_of(verdict: &Verdict) -> Check {
    let rows: u64 = verdict.compared.iter().map(|(_, rows)| rows).sum();
    if verdict.equal {
        ok("equal", format!("{rows} rows in {} tables equal a full rebuild", verdict.compared.len()))
    } else {
        let mut parts: Vec<&str> = verdict.differences.iter().map(|difference| difference.part).collect();
        parts.dedup();
        failed("equal", format!("differs from a full rebuild: {}", parts.join(", ")), "run `patina reindex --full`")
    }
}

fn ok(name: &'static str, detail: impl Into<String>) -> Check {
    Check { name, state: State::Ok, detail: detail.into(), fix: None }
}

fn warning(name: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Check {
    Check { name, state: State::Warning, detail: detail.into(), fix: Some(fix.into()) }
}

fn failed(name: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Check {
    Check { name, state: State::Failed, detail: detail.into(), fix: Some(fix.into()) }
}

fn git() -> Check {
    match crate::git::git_version() {
        Ok(version) if version >= OLDEST_GIT => ok("git", format!("{}.{}.{}", version.0, version.1, version.2)),
        Ok(version) => warning(
            "git",
            format!("{}.{}.{} is old", version.0, version.1, version.2),
            "2.30 or newer is needed for hooks in linked worktrees",
        ),
        Err(error) => failed("git", format!("{error:#}"), "install git, and make sure that it is on PATH"),
    }
}

fn folder(here: &CommandContext) -> Check {
    let dir = here.workspace.dir.display();
    if !here.workspace.dir.exists() {
        return warning(
            "state",
            format!("{dir} does not exist yet"),
            "`patina hook install` or `patina reindex` creates it",
        );
    }
    match here.workspace.create() {
        Err(error) => failed("state", format!("{error:#}"), "make the folder writable"),
        Ok(()) if !here.workspace.wal => warning(
            "state",
            format!("{dir} is on a network file system: SQLite runs without WAL, so readers wait for writers"),
            "set `state.dir` in the user configuration to a local folder",
        ),
        Ok(()) => ok("state", dir.to_string()),
    }
}

/// Checks that git's objects can be read, as far as answers need them.
fn repository(here: &CommandContext) -> Check {
    let read = || -> Result<usize> {
        let worktrees = here.repository.worktrees()?;
        for head in here.repository.head()?.iter().chain(worktrees.iter().flat_map(|worktree| &worktree.head)) {
            here.repository.files(head.tree)?;
        }
        Ok(worktrees.len())
    };
    match read() {
        Ok(worktrees) => {
            ok("repository", format!("{} and the tree at HEAD can be read", pluralize(worktrees as u64, "worktree")))
        }
        Err(error) => failed("repository", format!("{error:#}"), "`git fsck` says what is damaged"),
    }
}

fn hooks_installed(here: &CommandContext) -> Vec<Check> {
    let check = || -> Result<Vec<Check>> {
        let site = hook::site(here)?;
        let states = hooks::status(&site)?;
        let other: Vec<String> = states
            .iter()
            .filter(|hook| hook.state != hooks::HookState::Installed)
            .map(|hook| format!("{} is {}", hook.event, hook.state))
            .collect();
        let installed = match other.as_slice() {
            [] => ok("hooks", format!("{} installed", states.len())),
            other => warning("hooks", other.join(", "), "run `patina hook install`; `patina hook status` says more"),
        };
        Ok(vec![installed, reachability(here, &site)?])
    };
    check().unwrap_or_else(|error| vec![failed("hooks", format!("{error:#}"), "run `patina hook status`")])
}

/// Runs the installed hooks in test mode, and reads what earlier hooks recorded when they found no patina to run.
fn reachability(here: &CommandContext, site: &hooks::HookSite) -> Result<Check> {
    const AGAIN: &str =
        "run `patina hook install` again with the patina that stays; `patina hook status` names the files";
    let dir = here.repository.worktree_path().unwrap_or(&here.common_dir);
    // Without a writable state folder no hook can ring; another check has reported that.
    let can_ring = here.workspace.dir.exists() && here.workspace.create().is_ok();
    let tried = if can_ring { hooks::probe(site, dir)? } else { Vec::new() };
    let failures: Vec<String> =
        tried.iter().filter_map(|one| Some(format!("{} {}", one.event, one.failure.as_ref()?))).collect();
    if !failures.is_empty() {
        return Ok(warning("reachability", failures.join("; "), AGAIN));
    }
    let crumbs = std::fs::read_to_string(hooks::missing_patina_file(site)).unwrap_or_default();
    if let Some(last) = crumbs.lines().last() {
        let words = format!("{} hooks found no patina to run, most recently: {last}", crumbs.lines().count());
        return Ok(warning("reachability", words, AGAIN));
    }
    Ok(match tried.len() {
        0 => ok("reachability", "no hook of patina is installed to try"),
        n => ok("reachability", format!("{} ran and reached patina", pluralize(n as u64, "hook"))),
    })
}

/// Checks that agents' hooks reach patina, by running the command in their settings.
fn agents_ring(here: &CommandContext) -> Check {
    let check = || -> Result<Check> {
        let (mut ringing, mut failures) = (Vec::new(), Vec::new());
        let dir = here.repository.worktree_path().unwrap_or(&here.common_dir);
        for agent in crate::agents::consents(&here.workspace)?.into_keys() {
            for state in agents::states(here, Some(agent))? {
                let other = state.hooks.iter().filter(|hook| hook.state != hooks::HookState::Installed);
                failures.extend(other.map(|hook| format!("{} of {} is {}", hook.event, agent.name(), hook.state)));
            }
            if !here.workspace.is_disabled() && here.workspace.create().is_ok() {
                for settings in agents::everywhere(here, agent) {
                    let silent =
                        hooks::agents::try_out(&settings, &here.workspace.dir, dir)?.and_then(|one| one.failure);
                    failures.extend(silent.map(|failure| format!("the hook of {} {failure}", agent.name())));
                }
            }
            ringing.push(agent.name());
        }
        Ok(match (ringing.as_slice(), failures.as_slice()) {
            ([], _) => ok("agents", "no agent's transcripts are read"),
            (_, []) => ok("agents", format!("{}: the hooks ran and reached patina", ringing.join(", "))),
            (_, failures) => warning(
                "agents",
                failures.join("; "),
                "run `patina hook install --agent NAME` again, or `patina hook status`",
            ),
        })
    };
    check().unwrap_or_else(|error| failed("agents", format!("{error:#}"), "run `patina hook status`"))
}

fn eventlog(here: &CommandContext) -> Vec<Check> {
    let path = here.workspace.eventlog_path();
    if !path.exists() {
        return vec![warning("eventlog", "does not exist yet", "run `patina reindex`")];
    }
    let check = || -> Result<Check> {
        if let Some(what) = Eventlog::damage(&path)? {
            return Ok(failed("eventlog", format!("damaged: {what}"), SAVE));
        }
        let log = sqlite::open_read_only(&path)?;
        let count: i64 = log.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?;
        Ok(ok("eventlog", format!("{count} events, all checksums match")))
    };
    vec![check().unwrap_or_else(|error| failed("eventlog", format!("{error:#}"), SAVE))]
}

/// The fix for a damaged log.
const SAVE: &str = "run `patina doctor --fix`: it saves every event that verifies, and keeps the damaged file";

fn cache(here: &CommandContext) -> Vec<Check> {
    let Some(path) = here.workspace.cache_path() else {
        return vec![warning("cache", "nothing is indexed yet", "run `patina reindex`")];
    };
    let check = |path: &Path| -> Result<Vec<Check>> {
        let cache = store::open_reader(&here.workspace, &here.config)?;
        let verdict: String = cache.query_row("PRAGMA main.quick_check(1)", [], |row| row.get(0))?;
        let mut checks = vec![match verdict.as_str() {
            "ok" => ok("cache", path.display().to_string()),
            _ => failed("cache", verdict, "run `patina reindex --full`"),
        }];
        let pending = view::waiting(&cache)?.len();
        checks.push(match pending {
            0 => ok("history", "complete"),
            n => warning(
                "history",
                format!("{n} commits have parents that are missing here"),
                "`git fetch --unshallow` brings them; patina works without them",
            ),
        });
        if let Some(main) = view::view_of(&cache, "")? {
            let outcomes = item::outcome_counts(&cache, main.id)?;
            let list = outcomes.iter().map(|(name, n)| format!("{n} {name}")).collect::<Vec<_>>().join(", ");
            let bad = outcomes.get("failed").copied().unwrap_or(0) + outcomes.get("missing").copied().unwrap_or(0);
            checks.push(if bad == 0 {
                ok("files", list)
            } else {
                warning("files", list, "failed files are named in patina.log; missing ones are not in this clone")
            });
            checks.extend(sessions(&entries::load_sessions(&cache, main.id)?));
        }
        Ok(checks)
    };
    check(&path).unwrap_or_else(|error| vec![failed("cache", format!("{error:#}"), "run `patina reindex --full`")])
}

/// Counts sessions, and the lines in them that could not be parsed; `None` if there are no sessions.
fn sessions(all: &[LiveSession]) -> Option<Check> {
    let total = |part: fn(&LiveSession) -> u64| all.iter().map(part).sum::<u64>();
    let (told, skipped) = (total(|session| session.data.entries), total(|session| session.data.skipped));
    let stubs = all.iter().filter(|session| session.data.is_stub).count();
    let odd = all.iter().filter(|session| !session.data.warnings.is_empty()).count();
    let detail = format!(
        "{}, {told} entries; {stubs} without entries, {skipped} lines skipped, {odd} with warnings",
        pluralize(all.len() as u64, "session")
    );
    let look = "`patina session list` names them; the format may have changed; a newer patina may know it";
    match (all.len(), skipped + odd as u64) {
        (0, _) => None,
        (_, 0) => Some(ok("sessions", detail)),
        // Every transcript has lines that patina skips. A warning is due only if they outnumber the entries.
        (_, n) if n > told => Some(warning("sessions", detail, look)),
        _ => Some(ok("sessions", detail)),
    }
}

fn model(here: &CommandContext) -> Vec<Check> {
    let check = |name: &'static str, outcome: Result<String>| match outcome {
        Ok(detail) => ok(name, detail),
        Err(error) => match error.downcast::<UserError>() {
            Ok(error) if error.exit == Exit::NotSetUp => warning(name, error.message, error.hint.unwrap_or_default()),
            Ok(error) => failed(name, error.message, error.hint.unwrap_or_default()),
            Err(error) => failed(name, format!("{error:#}"), "run `patina model prepare`"),
        },
    };
    let whole = embedding::find(&here.config.model.id).and_then(|manifest| {
        manifest.verify(true)?;
        Ok(format!("{}, all checksums match", manifest.id))
    });
    let runtime = embedding::runtime_path(true).map(|path| path.display().to_string());
    vec![check("model", whole), check("runtime", runtime)]
}

/// Verifies segments and cached embeddings by their checksums, and that every live text has its vectors.
fn vectors(here: &CommandContext) -> Vec<Check> {
    let check = || -> Result<Vec<Check>> {
        let cache = store::open_reader(&here.workspace, &here.config)?;
        let Some(generation) = index::current(&cache)? else {
            return Ok(vec![warning("vectors", "nothing is embedded yet", "`patina status --wait` does it")]);
        };
        let survey = index::survey(&cache, &index::segments_dir(&here.workspace), &generation)?;
        let mut checks = vec![match survey.damaged.as_slice() {
            [] => ok(
                "segments",
                format!("{} published, {} vectors, all checksums match", survey.segments, survey.vectors),
            ),
            bad => failed("segments", format!("differ from what was published: {}", bad.join(", ")), MEND),
        }];
        checks.push(match survey.faults() {
            0 if survey.wanted == 0 => ok("vectors", format!("{} texts in generation {}", survey.texts, generation.id)),
            0 => warning(
                "vectors",
                format!("{} of {} texts are not embedded yet", survey.wanted, survey.texts),
                "`patina status --wait` does it",
            ),
            _ => failed("vectors", survey.to_string(), MEND),
        });
        let (rows, bad) = EmbeddingCache::verify(&here.workspace.embeddings_path())?;
        checks.push(match bad {
            0 => ok("embeddings", format!("{rows} rows, all checksums match")),
            _ => failed(
                "embeddings",
                format!("{bad} of {rows} rows do not match their checksum"),
                "run `patina reindex --full --re-embed`",
            ),
        });
        let notes: Vec<String> = generation.dimensions.iter().filter_map(|(.., note)| note.clone()).collect();
        if !notes.is_empty() {
            checks.push(warning("adapters", notes.join("; "), "replace or remove the file"));
        }
        Ok(checks)
    };
    match check() {
        Ok(checks) => checks,
        // Another check has reported that nothing is indexed.
        Err(error) if error.downcast_ref::<UserError>().is_some() => Vec::new(),
        Err(error) => vec![failed("vectors", format!("{error:#}"), MEND)],
    }
}

/// The fix for damaged vectors.
const MEND: &str = "run `patina reindex --full`";

fn worker(here: &CommandContext) -> Check {
    match here.workspace.last_error() {
        None => ok("worker", "its last run succeeded"),
        Some(error) => {
            warning("worker", format!("its last run failed: {error}"), "run `patina reindex` to see the error")
        }
    }
}
