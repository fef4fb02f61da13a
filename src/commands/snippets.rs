//! Snippets to paste into the settings of agents whose transcripts patina cannot read: their hooks ring, so that
//! commits and notes are indexed at once. Invariant: patina never writes to these settings.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::agents::AgentName;
use super::output::Output;
use crate::hooks::agents::line_by_hand;
use crate::workspace::program;

#[derive(Serialize)]
struct SnippetsJson<'a> {
    agent: &'a str,
    paste_into: &'a str,
    snippet: &'a str,
}

/// Prints the snippet, and where to paste it.
pub fn print(name: AgentName, output: &Output) -> Result<ExitCode> {
    let (agent, paste_into, template) = match name {
        AgentName::Gemini => (
            "gemini",
            "~/.gemini/settings.json, or .gemini/settings.json in a project",
            include_str!("../../templates/agents/gemini.json"),
        ),
        AgentName::Cursor => (
            "cursor",
            "~/.cursor/hooks.json, or .cursor/hooks.json in a project",
            include_str!("../../templates/agents/cursor.json"),
        ),
        AgentName::Copilot => (
            "copilot",
            "~/.copilot/hooks/patina.json, or .github/hooks/patina.json in a project",
            include_str!("../../templates/agents/copilot.json"),
        ),
        AgentName::Opencode => (
            "opencode",
            "~/.config/opencode/plugins/patina.js, or .opencode/plugins/patina.js in a project",
            include_str!("../../templates/agents/opencode.js"),
        ),
        AgentName::Claude | AgentName::Codex => unreachable!("their settings are written"),
    };
    let line = serde_json::to_string(&line_by_hand(&program()?, agent))?;
    let snippet = template.replace("\"@COMMAND@\"", &line);
    if output.json {
        return output.print_json(&SnippetsJson { agent, paste_into, snippet: &snippet });
    }
    output.note(&format!("transcripts of {agent} are not read; to have its sessions ring, put this into"));
    output.note(&format!("  {paste_into}"));
    let mut page = output.page();
    page.script(&snippet);
    output.print(&page)
}
