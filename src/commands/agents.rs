//! `patina hook install|uninstall|status --agent`: installs an agent's hooks, and records or withdraws the consent to
//! read its transcripts. Invariant: before consent, only a preview is read; the user sees which transcripts it covers.

use std::collections::BTreeMap;
use std::io::{BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use serde::Serialize;

use super::context::{CommandContext, is_off};
use super::output::{Output, clean, talk};
use super::page::Page;
use super::snippets;
use crate::agents::{self, Agent, Consent};
use crate::embedding;
use crate::error::{Exit, UserError};
use crate::event::pluralize;
use crate::git::{is_ignored, is_tracked, unix_now};
use crate::hooks::agents::{self as settings, AgentSettings, RemainingHooks};
use crate::hooks::{HookReport, HookState};
use crate::pipeline;
use crate::workspace::program;
use crate::workspace::{Workspace, restrict_to_owner};

/// The agents that `--agent` accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AgentName {
    Claude,
    Codex,
    Gemini,
    Cursor,
    Copilot,
    Opencode,
}

/// The options of `hook install --agent`.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Wishes {
    /// Install into the settings of this worktree only
    #[arg(long, requires = "agent")]
    local: bool,
    /// Also read the prompts you typed
    #[arg(long, requires = "agent")]
    prompts: bool,
    /// Consent to reading transcripts without a prompt
    #[arg(long, requires = "agent")]
    yes: bool,
}

/// The state of one agent in this repository.
#[derive(Debug, Serialize)]
pub struct AgentState {
    agent: &'static str,
    /// Whether patina reads its transcripts.
    consent: bool,
    prompts: bool,
    /// When consent was given, in Unix seconds.
    since: Option<i64>,
    /// The agent's hooks, from every settings file that contains some; if none does, all are reported absent from the
    /// user's file.
    pub hooks: Vec<HookReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl AgentState {
    /// Returns whether `hook status` lists this agent.
    pub fn is_used(&self) -> bool {
        self.consent || self.note.is_some() || self.hooks.iter().any(|hook| hook.state != HookState::Absent)
    }
}

/// How many transcripts are listed by name before asking for consent; the printed count includes all of them.
const NAMED: usize = 12;

impl AgentName {
    /// Returns the agent if patina can read its transcripts.
    pub fn agent(self) -> Option<Agent> {
        match self {
            AgentName::Claude => Some(Agent::Claude),
            AgentName::Codex => Some(Agent::Codex),
            _ => None,
        }
    }
}

/// Installs an agent's hooks, after the user has consented to reading its transcripts.
pub fn install(name: AgentName, wishes: Wishes, output: &Output) -> Result<ExitCode> {
    let Some(agent) = name.agent() else { return snippets::print(name, output) };
    let here = CommandContext::find(output)?;
    let folder = folder(agent)?;
    let settings = if wishes.local { local(&here, agent)? } else { for_user(&here, agent)? };
    // Checked before asking, so that nobody consents to an installation that then fails.
    settings::check(&settings).map_err(not_understood)?;
    let before = agents::consents(&here.workspace)?.remove(&agent);
    let consent = Consent {
        since: before.as_ref().map_or_else(unix_now, |before| before.since),
        prompts: wishes.prompts,
        folder: agent.transcripts_in(&folder),
    };
    let is_more = before.is_none_or(|before| consent.folder != before.folder || consent.prompts && !before.prompts);
    if is_more && !asked(&here, agent, &consent, wishes.yes, output)? {
        output.note("nothing was changed");
        return Ok(ExitCode::from(Exit::Failed as u8));
    }
    here.workspace.create()?;
    settings::install(&settings).map_err(not_understood)?;
    agents::set_consent(&here.workspace, agent, Some(&consent))?;
    // Transcripts are private to their owner, so the state folder that now holds text from them has to be as well.
    if !here.repository.is_shared() {
        restrict_to_owner(&here.workspace.dir)
            .with_context(|| format!("keeping {} to you", here.workspace.dir.display()))?;
    }
    if wishes.local && !is_ignored(&settings.path) {
        let path = settings.path.display();
        output.note(&format!("git does not ignore {path}: a line in .git/info/exclude keeps it out of commits"));
    }
    if agent == Agent::Codex {
        output.note("Codex runs a hook once you trust it: `/hooks` in Codex shows it");
    }
    // Starts a worker now, so that the transcripts are imported without waiting for the next commit.
    if !is_off() && !here.workspace.is_disabled() {
        here.workspace.ring()?;
        Workspace::spawn_worker(&here.common_dir)?;
    }
    show(&here, Some(agent), output)
}

/// Removes one agent, or all, from this repository; with `--local` only from this worktree's settings, so that the
/// hooks in the user's own settings keep working.
pub fn uninstall(here: &CommandContext, name: Option<AgentName>, only_local: bool, output: &Output) -> Result<()> {
    let named = name.and_then(AgentName::agent);
    for agent in Agent::ALL.into_iter().filter(|agent| named.is_none_or(|named| named == *agent)) {
        // An unreadable consent file counts as no consent. The hooks are removed in any case; the error is reported at
        // the end.
        let consented = agents::consents(&here.workspace).is_ok_and(|consents| consents.contains_key(&agent));
        let here_alone = local(here, agent).ok().filter(is_there);
        let mut all: Vec<AgentSettings> = settings::known(&here.workspace.agent_records_dir(), agent)
            .into_iter()
            .map(|path| settings_at(here, agent, path, here.workspace.agent_records_dir()))
            .collect::<Result<_>>()?;
        let own = for_user(here, agent).ok();
        if only_local {
            let is_other = |one: &AgentSettings| here_alone.as_ref().is_none_or(|here| here.path != one.path);
            let goes_on = all.iter().any(is_other) || own.as_ref().is_some_and(settings::is_rung_by);
            let withdrawn = if goes_on { Ok(()) } else { agents::set_consent(&here.workspace, agent, None) };
            take_out(here, agent, here_alone.into_iter().collect(), output)?;
            withdrawn?;
            continue;
        }
        let withdrawn = agents::set_consent(&here.workspace, agent, None);
        all.extend(here_alone);
        // The user's own settings serve every repository. If no agent was named, they are touched only if this
        // repository uses them.
        if let Some(own) = own {
            // Settings files recorded at another path, because an environment variable pointed there at the time.
            for path in settings::known(&own.records, agent).into_iter().filter(|path| *path != own.path) {
                all.extend(Some(AgentSettings { path, ..own.clone() }).filter(settings::is_rung_by));
            }
            all.extend(Some(own).filter(|own| named.is_some() || consented || settings::is_rung_by(own)));
        }
        take_out(here, agent, all, output)?;
        withdrawn?;
    }
    Ok(())
}

/// Removes an agent's hooks from settings files, except where another repository still uses them.
fn take_out(here: &CommandContext, agent: Agent, all: Vec<AgentSettings>, output: &Output) -> Result<()> {
    for settings in all {
        let rings = |common_dir: &Path| {
            let workspace = Workspace::locate(common_dir, &here.config);
            agents::consents(&workspace).is_ok_and(|consents| consents.contains_key(&agent))
        };
        if let RemainingHooks::For(others) = settings::uninstall(&settings, rings).map_err(not_understood)? {
            let others: Vec<String> = others.iter().map(|other| other.display().to_string()).collect();
            let (path, others) = (settings.path.display(), others.join(", "));
            output.note(&format!("the hooks in {path} stay, as other repositories ring by them: {others}"));
        }
    }
    Ok(())
}

/// Prints the state of the agents.
pub fn show(here: &CommandContext, agent: Option<Agent>, output: &Output) -> Result<ExitCode> {
    let states = states(here, agent)?;
    if output.json {
        #[derive(Serialize)]
        struct AgentsJson<'a> {
            hooks: [HookReport; 0],
            agents: &'a [AgentState],
        }
        return output.print_json(&AgentsJson { hooks: [], agents: &states });
    }
    let mut page = output.page();
    describe(&mut page, &states);
    output.print(&page)
}

/// Adds the agents to a page, as `hook status` prints them below the git hooks.
pub fn describe(page: &mut Page, states: &[AgentState]) {
    for state in states {
        let consent = match (state.consent, state.prompts) {
            (false, _) => "not read",
            (true, false) => "read, without what you typed",
            (true, true) => "read, with what you typed",
        };
        page.field(format!("{:16}", state.agent), format!(" transcripts are {consent}"));
        for hook in &state.hooks {
            page.line(format!("  {:14} {:10} {}", hook.event, hook.state, hook.path.display()));
            if let Some(note) = &hook.note {
                page.line(format!("    {note}"));
            }
        }
        if let Some(note) = &state.note {
            page.line(format!("    {note}"));
        }
    }
}

/// Returns the state of each agent in this repository, with the settings files that contain its hooks.
pub fn states(here: &CommandContext, agent: Option<Agent>) -> Result<Vec<AgentState>> {
    let (consents, note) = match agents::consents(&here.workspace) {
        Ok(consents) => (consents, None),
        Err(error) => (BTreeMap::new(), Some(format!("{error:#}"))),
    };
    let mut states = Vec::new();
    for agent in Agent::ALL.into_iter().filter(|one| agent.is_none_or(|agent| agent == *one)) {
        let mut hooks = Vec::new();
        for settings in everywhere(here, agent) {
            let found = settings::status(&settings)?;
            if hooks.is_empty() || found.iter().any(|hook| hook.state != HookState::Absent) {
                hooks.extend(found);
            }
        }
        // If one file contains hooks, their absence from the others needs no report.
        if hooks.iter().any(|hook| hook.state != HookState::Absent) {
            let there: Vec<PathBuf> =
                hooks.iter().filter(|hook| hook.state != HookState::Absent).map(|hook| hook.path.clone()).collect();
            hooks.retain(|hook| there.contains(&hook.path));
        }
        if let Some(by) = switched_off_by(here, agent) {
            for hook in hooks.iter_mut().filter(|hook| matches!(hook.state, HookState::Installed | HookState::Outdated))
            {
                (hook.state, hook.note) =
                    (HookState::Disabled, Some(format!("disableAllHooks is true in {}", by.display())));
            }
        }
        let consent = consents.get(&agent);
        states.push(AgentState {
            agent: agent.name(),
            consent: consent.is_some(),
            prompts: consent.is_some_and(|consent| consent.prompts),
            since: consent.map(|consent| consent.since),
            hooks,
            note: note.clone(),
        });
    }
    Ok(states)
}

/// Returns the settings files that may contain an agent's hooks for this worktree: the user's and the worktree's own.
pub fn everywhere(here: &CommandContext, agent: Agent) -> Vec<AgentSettings> {
    [for_user(here, agent).ok(), local_of(here, agent)].into_iter().flatten().collect()
}

/// Returns the settings file that switches off all of an agent's hooks here, if there is one: the user's, the
/// project's, or the worktree's own.
fn switched_off_by(here: &CommandContext, agent: Agent) -> Option<PathBuf> {
    if agent != Agent::Claude {
        return None;
    }
    let project = here.repository.worktree_path().map(|top| top.join(".claude/settings.json"));
    let own = everywhere(here, agent).into_iter().map(|settings| settings.path);
    own.chain(project).find(|path| settings::is_switched_off(path))
}

/// Lists the transcripts that would be read, and asks the user for consent.
fn asked(here: &CommandContext, agent: Agent, consent: &Consent, yes: bool, output: &Output) -> Result<bool> {
    let found = pipeline::preview(&here.repository, agent, &consent.folder, consent.prompts)?;
    let entries: u64 = found.iter().map(|(_, entries)| entries).sum();
    let (files, name) = (pluralize(found.len() as u64, "transcript"), agent.name());
    let entries = match entries {
        1 => "1 entry".to_owned(),
        n => format!("{n} entries"),
    };
    output.note(&format!("{name} has {files} of this repository, with {entries}"));
    for (path, entries) in found.iter().rev().take(NAMED) {
        output.note(&format!("  {entries:6}  {}", path.display()));
    }
    if found.len() > NAMED {
        output.note(&format!("  and {} older ones", found.len() - NAMED));
    }
    let typed = if consent.prompts { "what you typed, " } else { "" };
    output.note(&format!(
        "with your consent these and later ones are read: {typed}plans, decisions, results, files, commands and \
         commits, with secrets in known formats taken out; nothing leaves this machine"
    ));
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        let message = format!("reading the transcripts of {name} needs your consent, and there is no terminal to ask");
        return Err(UserError::new(Exit::Usage, message).hint("add --yes to consent").into());
    }
    talk(&clean(&format!("patina: read the transcripts of {name} for this repository? [y/N] ")));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).context("reading your answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn folder(agent: Agent) -> Result<PathBuf> {
    agent.folder(|name| std::env::var_os(name)).ok_or_else(|| {
        UserError::new(Exit::NotSetUp, format!("HOME is not set, so the settings of {} cannot be found", agent.name()))
            .hint("set HOME")
            .into()
    })
}

/// Returns the user's own settings, whose hooks run for every repository.
fn for_user(here: &CommandContext, agent: Agent) -> Result<AgentSettings> {
    let name = match agent {
        Agent::Claude => "settings.json",
        Agent::Codex => "hooks.json",
    };
    let records = embedding::data_dir()
        .context("HOME is not set, so there is no place for a copy of the settings")?
        .join("agents");
    settings_at(here, agent, folder(agent)?.join(name), records)
}

/// Returns this worktree's own settings.
///
/// # Errors
/// If there is no worktree, or the file is tracked by git and so belongs to the project.
fn local(here: &CommandContext, agent: Agent) -> Result<AgentSettings> {
    let settings = local_of(here, agent).ok_or_else(|| {
        UserError::new(Exit::Usage, "a bare repository has no settings of its own").hint("leave out --local")
    })?;
    if is_tracked(here.repository.worktree_path().unwrap_or(&here.common_dir), &settings.path) {
        let message = format!("{} is tracked, and so the project's and not yours alone", settings.path.display());
        return Err(UserError::new(Exit::Usage, message).hint("leave out --local").into());
    }
    Ok(settings)
}

fn local_of(here: &CommandContext, agent: Agent) -> Option<AgentSettings> {
    let name = match agent {
        Agent::Claude => ".claude/settings.local.json",
        Agent::Codex => ".codex/hooks.json",
    };
    let path = std::path::absolute(here.repository.worktree_path()?).ok()?.join(name);
    settings_at(here, agent, path, here.workspace.agent_records_dir()).ok()
}

fn settings_at(here: &CommandContext, agent: Agent, path: PathBuf, records: PathBuf) -> Result<AgentSettings> {
    Ok(AgentSettings {
        agent,
        path,
        records,
        program: program()?,
        repository: here.common_dir.clone(),
        is_disabled: here.workspace.is_disabled(),
    })
}

fn is_there(settings: &AgentSettings) -> bool {
    let is_ours = |hook: &HookReport| !matches!(hook.state, HookState::Absent | HookState::Damaged);
    settings::status(settings).is_ok_and(|hooks| hooks.iter().any(is_ours))
}

/// Adds a hint to an error in a settings file: patina does not repair files that belong to the user.
fn not_understood(error: anyhow::Error) -> anyhow::Error {
    UserError::new(Exit::Failed, format!("{error:#}")).hint("correct the file, then run this again").into()
}
