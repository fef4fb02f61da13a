//! Determines the state of a hook, as a word for scripts and a sentence for users. Reads only.

use super::config::HookSection;
use super::shim::{self, FileState};
use super::{CONFIG_HOOKS_SINCE, HookSite, block_for_config, block_for_files, disabled_file, script, why_not_writable};
use anyhow::Result;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// The state of the hook for one event.
#[derive(Debug, Clone, Serialize)]
pub struct HookReport {
    /// The name of the hook.
    pub event: String,
    /// Its state.
    pub state: HookState,
    /// The hook file, or the configuration file that contains the hook.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// A sentence for users: the reason, or what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The states of a hook, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HookState {
    /// It rings.
    Installed,
    /// Installed, but switched off.
    Disabled,
    /// It calls an older patina, or one at another path. Installing again renews it.
    Outdated,
    /// Not installed.
    Absent,
    /// A hook file that git does not run.
    NotExecutable,
    /// Somebody else's hook, which is left alone.
    Foreign,
    /// In git's configuration, but this version of git does not read hooks from there.
    Unsupported,
    /// The marks are damaged, and need to be repaired by hand.
    Damaged,
}

impl fmt::Display for HookState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HookState::Installed => "installed",
            HookState::Disabled => "disabled",
            HookState::Outdated => "outdated",
            HookState::Absent => "absent",
            HookState::NotExecutable => "not_executable",
            HookState::Foreign => "foreign",
            HookState::Unsupported => "unsupported",
            HookState::Damaged => "damaged",
        })
    }
}

/// Inspects the hook for one event, first in git's configuration. Reads only.
pub(super) fn state_of(site: &HookSite, sections: &BTreeMap<String, HookSection>, event: &str) -> Result<HookReport> {
    let (path, (state, note)) = match sections.get(event) {
        Some(section) => (site.common_dir.join("config"), state_in_config(site, section, event)),
        None => (site.hooks_dir.join(event), state_in_file(site, event)?),
    };
    let rings = matches!(state, HookState::Installed | HookState::Outdated);
    let (state, note) = if rings && disabled_file(site).exists() {
        (HookState::Disabled, Some("run `patina hook enable` to disabled_file it on".to_owned()))
    } else {
        (state, note)
    };
    Ok(HookReport { event: event.to_owned(), state, path, note })
}

/// Inspects a hook in git's configuration.
fn state_in_config(site: &HookSite, section: &HookSection, event: &str) -> (HookState, Option<String>) {
    let (major, minor, _) = site.git_version;
    if site.git_version < CONFIG_HOOKS_SINCE {
        let note = format!("git {major}.{minor} does not run hooks from its configuration; install again");
        (HookState::Unsupported, Some(note))
    } else if section.switched_off {
        (HookState::Disabled, Some(format!("hook.patina-{event}.enabled is false")))
    } else if section.command == script::render_command(&block_for_config(site), event) {
        (HookState::Installed, None)
    } else {
        (HookState::Outdated, Some("install again to renew it".to_owned()))
    }
}

/// Inspects a hook file.
fn state_in_file(site: &HookSite, event: &str) -> Result<(HookState, Option<String>)> {
    let block = block_for_files(site);
    let look = shim::look(&site.hooks_dir.join(event), &block, event)?;
    let not_ours = why_not_writable(site);
    let can_configure = site.git_version >= CONFIG_HOOKS_SINCE;
    let line = script::line_by_hand(&block, event);
    let advice = if can_configure {
        "run `patina hook install` to add it to git's configuration instead".to_owned()
    } else {
        format!("it is left alone; to ring from it, add this line: {line}")
    };
    Ok(match (look, not_ours) {
        (FileState::Current, _) => (HookState::Installed, None),
        (FileState::Outdated, _) => (HookState::Outdated, Some("install again to renew it".to_owned())),
        (FileState::ByHand, _) => (HookState::Installed, Some("by a line added by hand".to_owned())),
        (FileState::Damaged(damage), _) => {
            let note = format!("{damage}; remove the rest of the block by hand, then install again");
            (HookState::Damaged, Some(note))
        }
        (_, Some(_)) if can_configure => (HookState::Absent, None),
        (_, Some(reason)) => {
            let note = format!("{reason}, so nothing is written there; add this line to its {event} hook: {line}");
            (HookState::Foreign, Some(note))
        }
        (FileState::Foreign(reason), None) => (HookState::Foreign, Some(format!("the hook is {reason}; {advice}"))),
        (FileState::NotExecutable, None) => {
            let advice = if can_configure {
                advice
            } else {
                "make it executable with `chmod +x`, then install again".to_owned()
            };
            let note = format!("present but not executable, so git does not run it; {advice}");
            (HookState::NotExecutable, Some(note))
        }
        (FileState::Missing | FileState::Free, None) => (HookState::Absent, None),
    })
}

/// Serializes a path as text, with invalid UTF-8 replaced.
fn lossy<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&path.to_string_lossy())
}
