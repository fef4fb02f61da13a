//! How a hook stands, in a word for scripts and a sentence for people. Refusal: nothing is written here.

use super::config::Section;
use super::shim::{self, Look};
use super::{CONFIG_HOOKS_SINCE, Site, block_for_config, block_for_files, script, switch, why_not_ours};
use anyhow::Result;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// What became of one event.
#[derive(Debug, Clone, Serialize)]
pub struct HookState {
    /// git's name of the hook.
    pub event: String,
    /// How it stands.
    pub state: State,
    /// The hook file, or the configuration that holds the hook.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// A sentence for people: the reason, or what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The states of a hook, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Rings.
    Installed,
    /// Installed and switched off.
    Disabled,
    /// Rings an older patina or one that was elsewhere; installing again renews it.
    Outdated,
    /// Not installed.
    Absent,
    /// There is a hook that git does not run.
    NotExecutable,
    /// Somebody else's, and left alone.
    Foreign,
    /// In the configuration, where this git does not look.
    Unsupported,
    /// The marks are damaged; a person must look.
    Damaged,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::Installed => "installed",
            State::Disabled => "disabled",
            State::Outdated => "outdated",
            State::Absent => "absent",
            State::NotExecutable => "not_executable",
            State::Foreign => "foreign",
            State::Unsupported => "unsupported",
            State::Damaged => "damaged",
        })
    }
}

/// Looks at one event, in the configuration first. Reads only.
pub(super) fn state_of(site: &Site, sections: &BTreeMap<String, Section>, event: &str) -> Result<HookState> {
    let (path, (state, note)) = match sections.get(event) {
        Some(section) => (site.common_dir.join("config"), state_in_config(site, section, event)),
        None => (site.hooks_dir.join(event), state_in_file(site, event)?),
    };
    let rings = matches!(state, State::Installed | State::Outdated);
    let (state, note) = if rings && switch(site).exists() {
        (State::Disabled, Some("`patina hook enable` switches it on".to_owned()))
    } else {
        (state, note)
    };
    Ok(HookState { event: event.to_owned(), state, path, note })
}

fn state_in_config(site: &Site, section: &Section, event: &str) -> (State, Option<String>) {
    let (major, minor, _) = site.git_version;
    if site.git_version < CONFIG_HOOKS_SINCE {
        let note = format!("git {major}.{minor} does not run hooks from its configuration; install again");
        (State::Unsupported, Some(note))
    } else if section.switched_off {
        (State::Disabled, Some(format!("hook.patina-{event}.enabled is false")))
    } else if section.command == script::render_command(&block_for_config(site), event) {
        (State::Installed, None)
    } else {
        (State::Outdated, Some("install again to renew it".to_owned()))
    }
}

fn state_in_file(site: &Site, event: &str) -> Result<(State, Option<String>)> {
    let block = block_for_files(site);
    let look = shim::look(&site.hooks_dir.join(event), &block, event)?;
    let not_ours = why_not_ours(site);
    let can_configure = site.git_version >= CONFIG_HOOKS_SINCE;
    let line = script::line_by_hand(&block, event);
    let advice = if can_configure {
        "`patina hook install` rings from git's configuration, beside it".to_owned()
    } else {
        format!("it is left alone; let it run this line: {line}")
    };
    Ok(match (look, not_ours) {
        (Look::Current, _) => (State::Installed, None),
        (Look::Outdated, _) => (State::Outdated, Some("install again to renew it".to_owned())),
        (Look::ByHand, _) => (State::Installed, Some("by a line added by hand".to_owned())),
        (Look::Damaged(damage), _) => {
            let note = format!("{damage}; take out what is left of the block by hand, then install again");
            (State::Damaged, Some(note))
        }
        (_, Some(_)) if can_configure => (State::Absent, None),
        (_, Some(reason)) => {
            let note = format!("{reason}, so nothing is written there; add this line to its {event} hook: {line}");
            (State::Foreign, Some(note))
        }
        (Look::Foreign(reason), None) => (State::Foreign, Some(format!("the hook is {reason}; {advice}"))),
        (Look::NotExecutable, None) => {
            let advice =
                if can_configure { advice } else { "`chmod +x` lets git run it, then install again".to_owned() };
            let note = format!("present but not executable, so git does not run it; {advice}");
            (State::NotExecutable, Some(note))
        }
        (Look::Missing | Look::Free, None) => (State::Absent, None),
    })
}

/// JSON holds text only; a path of other bytes is shown as well as text can.
fn lossy<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&path.to_string_lossy())
}
