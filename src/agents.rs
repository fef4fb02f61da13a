//! Coding agents that write transcripts: where their files are, which of them the user lets patina read for a
//! repository, and notices of ended sessions.
//!
//! Invariant: the content of transcripts is not read here, and no path leads outside the folder that was consented to.

mod consent;
mod inbox;
mod transcripts;

pub use consent::{Consent, consents, set_consent};
pub use inbox::{post_notice, take_notices};
pub use transcripts::{list_transcripts, transcript_file};

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A coding agent whose transcripts patina can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Agent {
    /// Claude Code.
    Claude,
    /// Codex CLI.
    Codex,
}

impl Agent {
    /// Every agent.
    pub const ALL: [Agent; 2] = [Agent::Claude, Agent::Codex];

    /// Returns the name used in commands, files and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Agent::Claude => "claude",
            Agent::Codex => "codex",
        }
    }

    /// Returns the agent with this name.
    pub fn named(name: &str) -> Option<Agent> {
        Agent::ALL.into_iter().find(|agent| agent.name() == name)
    }

    /// Returns the folder of its settings and transcripts: from the agent's own environment variable, or else in the
    /// home directory; `None` without a home directory.
    ///
    /// `variable` reads the environment.
    pub fn folder(self, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
        let (own, below_home) = match self {
            Agent::Claude => ("CLAUDE_CONFIG_DIR", ".claude"),
            Agent::Codex => ("CODEX_HOME", ".codex"),
        };
        if let Some(folder) = variable(own).filter(|folder| !folder.is_empty()) {
            return std::path::absolute(folder).ok();
        }
        let home = variable("HOME").filter(|home| !home.is_empty())?;
        std::path::absolute(Path::new(&home).join(below_home)).ok()
    }

    /// Returns the folder of its transcripts, below its own folder.
    pub fn transcripts_in(self, folder: &Path) -> PathBuf {
        folder.join(match self {
            Agent::Claude => "projects",
            Agent::Codex => "sessions",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agents_own_variable_comes_before_the_home() {
        let check = |agent: Agent, set: &[(&str, &str)], expect: Option<&str>| {
            let variable = |name: &str| Some(OsString::from(set.iter().find(|(other, _)| *other == name)?.1));
            assert_eq!(agent.folder(variable), expect.map(PathBuf::from), "{agent:?} {set:?}");
        };
        check(Agent::Claude, &[("HOME", "/home/ada")], Some("/home/ada/.claude"));
        check(Agent::Codex, &[("HOME", "/home/ada")], Some("/home/ada/.codex"));
        check(Agent::Claude, &[("HOME", "/home/ada"), ("CLAUDE_CONFIG_DIR", "/c")], Some("/c"));
        check(Agent::Codex, &[("HOME", "/home/ada"), ("CODEX_HOME", "")], Some("/home/ada/.codex"));
        check(Agent::Codex, &[("HOME", "")], None);
    }

    #[test]
    fn names_lead_back_to_agents() {
        assert!(Agent::ALL.into_iter().all(|agent| Agent::named(agent.name()) == Some(agent)));
        assert_eq!(Agent::named("gemini"), None);
    }
}
