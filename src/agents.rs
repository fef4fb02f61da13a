//! Agents that write transcripts: which there are, where theirs lie, which of them the person let patina read for a
//! repository, and which session was heard of. Refusal: nothing of a transcript is read here, and no path leads out of
//! the folder that was consented to.

mod consent;
mod inbox;
mod transcripts;

pub use consent::{Consent, consents, set_consent};
pub use inbox::{Letter, put, take};
pub use transcripts::{Stamp, Transcript, list, transcript};

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A program whose transcripts patina has a reader for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Agent {
    /// Claude Code.
    Claude,
    /// Codex CLI.
    Codex,
}

impl Agent {
    /// All of them.
    pub const ALL: [Agent; 2] = [Agent::Claude, Agent::Codex];

    /// The name in commands, files and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Agent::Claude => "claude",
            Agent::Codex => "codex",
        }
    }

    /// The one that is called so.
    pub fn named(name: &str) -> Option<Agent> {
        Agent::ALL.into_iter().find(|agent| agent.name() == name)
    }

    /// The folder that holds its settings and transcripts: where its own variable says, else in the home. None without
    /// a home. `variable` reads the environment.
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

    /// The folder below its own that its transcripts are in.
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
