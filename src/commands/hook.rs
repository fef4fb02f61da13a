//! `patina hook`: installs and removes hooks; `hook ring` is what the hooks call.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use serde::Serialize;

use super::agents::{self, AgentName, AgentState, Wishes};
use super::context::{CommandContext, is_off};
use super::output::Output;
use super::worker;
use crate::config::Config;
use crate::error::{Exit, UserError};
use crate::git::{Repository, git_version, hooks_path, is_tracked};
use crate::hooks::{self, HookReport, HookSite, Method};
use crate::workspace::Workspace;
use crate::workspace::program;

#[derive(Debug, Subcommand)]
pub enum HookCommand {
    /// Add patina to this repository's git hooks, or to an agent's settings
    Install {
        /// Where to install the git hooks
        ///
        /// `shim` inserts a marked block into hook files. `config` adds hooks to git's configuration, which needs git
        /// 2.54. `auto` is `shim`, or `config` where patina must not change a hook file and git supports it.
        #[arg(long, value_name = "METHOD", default_value = "auto", conflicts_with = "agent")]
        method: MethodName,
        /// Install into this agent's settings instead, and read its transcripts
        #[arg(long, value_name = "AGENT")]
        agent: Option<AgentName>,
        #[command(flatten)]
        wishes: Wishes,
    },
    /// Remove patina from hooks and agents' settings, restoring every byte
    Uninstall {
        /// Remove from the settings of this agent only
        #[arg(long, value_name = "AGENT")]
        agent: Option<AgentName>,
        /// Remove from the settings of this worktree only
        #[arg(long, requires = "agent")]
        local: bool,
    },
    /// Show where hooks are installed
    Status {
        /// Show this agent only
        #[arg(long, value_name = "AGENT")]
        agent: Option<AgentName>,
    },
    /// Switch the hooks off without removing them
    Disable,
    /// Switch disabled hooks on again
    Enable,
    /// Ring the doorbell; called by the hooks
    #[command(hide = true)]
    Ring {
        /// Name of the hook that calls
        event: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum MethodName {
    Auto,
    Shim,
    Config,
}

#[derive(Serialize)]
struct HookJson<'a> {
    hooks: &'a [HookReport],
    agents: &'a [AgentState],
}

pub fn run(command: &HookCommand, output: &Output) -> Result<ExitCode> {
    match command {
        HookCommand::Ring { event } => {
            ring(event);
            return Ok(ExitCode::SUCCESS);
        }
        HookCommand::Install { agent: Some(agent), wishes, .. } => return agents::install(*agent, *wishes, output),
        _ => {}
    }
    let here = CommandContext::find(output)?;
    if let HookCommand::Uninstall { agent: Some(agent), .. } | HookCommand::Status { agent: Some(agent) } = command {
        let Some(known) = agent.agent() else { return Err(no_hooks_of_ours(*agent)) };
        if let HookCommand::Uninstall { local, .. } = command {
            agents::uninstall(&here, Some(*agent), *local, output)?;
        }
        return agents::show(&here, Some(known), output);
    }
    let site = site(&here)?;
    let states = match command {
        HookCommand::Install { method, .. } => {
            here.workspace.create()?;
            let method = match method {
                MethodName::Auto => Method::Auto,
                MethodName::Shim => Method::Shim,
                MethodName::Config => Method::Config,
            };
            hooks::install(&site, method)?
        }
        HookCommand::Uninstall { .. } => {
            let states = hooks::uninstall(&site)?;
            agents::uninstall(&here, None, false, output)?;
            states
        }
        HookCommand::Status { .. } => hooks::status(&site)?,
        HookCommand::Disable => hooks::disable(&site)?,
        HookCommand::Enable => hooks::enable(&site)?,
        HookCommand::Ring { .. } => unreachable!("answered above"),
    };
    let agents = agents::states(&here, None)?;
    if output.json {
        return output.print_json(&HookJson { hooks: &states, agents: &agents });
    }
    let mut page = output.page();
    for hook in &states {
        page.field(format!("{:16}", hook.event), format!(" {:10} {}", hook.state, hook.path.display()));
        if let Some(note) = &hook.note {
            page.line(format!("    {note}"));
        }
    }
    let used: Vec<AgentState> = agents.into_iter().filter(AgentState::is_used).collect();
    agents::describe(&mut page, &used);
    if matches!(command, HookCommand::Install { .. }) && here.workspace.cache_path().is_none() {
        page.line("run `patina reindex` to index the existing history now; otherwise the next commit does it");
    }
    output.print(&page)
}

/// Returns the error for an agent whose settings patina never writes: a pasted snippet has to be removed by hand.
fn no_hooks_of_ours(agent: AgentName) -> anyhow::Error {
    let name = agent.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    UserError::new(Exit::Usage, format!("patina writes nothing into the settings of {name}"))
        .hint("remove by hand what was pasted there")
        .into()
}

/// Returns where this repository's hooks are installed.
pub fn site(here: &CommandContext) -> Result<HookSite> {
    let found = hooks_path(&here.repository)?;
    let tracked = here.repository.worktree_path().is_some_and(|top| is_tracked(top, &found.dir));
    Ok(HookSite {
        hooks_path_is_ours_to_write: found.is_local && !tracked,
        hooks_dir: found.dir,
        hooks_path_setting: found.setting,
        common_dir: here.common_dir.clone(),
        state_dir: here.workspace.dir.clone(),
        git_version: git_version()?,
        program: program()?,
    })
}

/// Rings, and becomes the worker if none is running. It never fails and never prints.
fn ring(event: &str) {
    if is_off() || hooks::answer_probe(|| Some(rung()?.2.dir), event) {
        return;
    }
    let Some((common_dir, config, workspace)) = rung() else { return };
    worker::detach();
    if workspace.is_disabled() || workspace.create().and_then(|()| workspace.ring()).is_err() {
        return;
    }
    tracing::debug!(event, "rang");
    worker::answer(&common_dir, &config);
}

/// Finds the repository that a hook was called in.
fn rung() -> Option<(PathBuf, Config, Workspace)> {
    let common_dir = Repository::discover(&std::env::current_dir().ok()?).and_then(|found| found.common_dir()).ok()?;
    // Unreadable settings may relocate the state folder or exclude paths, so without them the hook does nothing.
    let config = Config::load().ok()?;
    let workspace = Workspace::locate(&common_dir, &config);
    Some((common_dir, config, workspace))
}
