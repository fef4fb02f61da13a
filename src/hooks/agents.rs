//! Installs, removes and inspects hooks in the settings of coding agents, which ring when a session pauses or ends.
//!
//! Invariant: settings that cannot be parsed are not touched, and no byte is changed that is not patina's. The hooks
//! call `patina session end`, which rings.

mod jsonc;
mod record;
mod settings;

use super::{HookReport, HookState, ProbeResult, probe, script, shim};
use crate::agents::Agent;
use crate::workspace::write_atomically;
use anyhow::{Context as _, Result, bail, ensure};
use record::Record;
use settings::{Entries, SettingState};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A settings file of an agent, and the repository that asks for the hooks.
#[derive(Debug, Clone)]
pub struct AgentSettings {
    /// The agent.
    pub agent: Agent,
    /// The settings file, which may not exist; absolute.
    pub path: PathBuf,
    /// The folder of the records from which settings are restored; absolute.
    pub records: PathBuf,
    /// The path of patina's executable, which the hooks call; absolute.
    pub program: PathBuf,
    /// The common git directory of the repository.
    pub repository: PathBuf,
    /// Whether the hooks are switched off for the repository.
    pub is_disabled: bool,
}

/// The repositories that still use the hooks after an uninstallation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemainingHooks {
    /// None: the hooks were removed.
    Nothing,
    /// These other repositories, so the hooks are kept.
    For(Vec<PathBuf>),
}

/// The largest settings file that is read, in bytes; settings are written by hand.
const MAX_SETTINGS: u64 = 64 << 20;

/// Returns the end of the command line that rings, by which patina's hooks are recognised whatever executable they
/// name.
///
/// In any shell, the command line prints nothing and does not fail, even if the executable is gone.
fn ending(agent: &str) -> String {
    format!(" session end --agent {agent} 2>/dev/null || true")
}

/// Returns the entries for these settings.
fn entries(settings: &AgentSettings) -> Result<Entries> {
    let template = match settings.agent {
        Agent::Claude => include_str!("../../templates/agents/claude.json"),
        Agent::Codex => include_str!("../../templates/agents/codex.json"),
    };
    let program =
        settings.program.to_str().context("the path of patina is not UTF-8 and cannot be written in settings")?;
    let ending = ending(settings.agent.name());
    Ok(Entries::new(template, format!("{}{ending}", script::quoted_text(program)), ending))
}

/// Checks that hooks could be installed, without installing them.
///
/// # Errors
/// The reason, as [`install`] would return it.
pub fn check(settings: &AgentSettings) -> Result<()> {
    let file = SettingsFile::at(&settings.path)?;
    let entries = entries(settings)?;
    entries.put_in(file.text.as_deref().unwrap_or_default()).map(drop).with_context(|| refused(&file.path))
}

/// Installs or renews the hooks, and records that the repository uses them. Idempotent.
///
/// # Errors
/// If the settings cannot be parsed or written; then they are unchanged.
pub fn install(settings: &AgentSettings) -> Result<()> {
    let (file, entries) = (SettingsFile::at(&settings.path)?, entries(settings)?);
    let text = file.text.as_deref();
    let (with, made) = entries.put_in(text.unwrap_or_default()).with_context(|| refused(&file.path))?;
    let known = record::load(&settings.records, &file.path)?;
    let mut record = match (known, text) {
        (Some(known), Some(text)) if known.is_untouched(text) => known,
        (Some(known), Some(text)) => Record { before: Some(entries.take_out(text, Some(&known.made))?), ..known },
        (known, text) => Record {
            // For hooks without a record, the settings before them are not known.
            before: text.map(|text| entries.take_out(text, None)).transpose()?,
            created: text.is_none(),
            repositories: known.map(|known| known.repositories).unwrap_or_default(),
            ..Record::default()
        },
    };
    record.agent = settings.agent.name().to_owned();
    record.settings = record::encoded(&file.path);
    record.made.extend(made);
    record.repositories.insert(record::encoded(&settings.repository));
    record.writes(&with);
    let parent = file.path.parent().context("settings are in a folder")?;
    if text.is_none() {
        record.folders = parent.ancestors().take_while(|folder| !folder.exists()).count();
    }
    // The record is saved first, so that the former settings are known whatever happens next.
    record::save(&settings.records, &file.path, &record)?;
    if text != Some(&with) {
        fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
        file.write(&with)?;
    }
    Ok(())
}

/// Removes the hooks, unless another repository uses them.
///
/// Settings that are as patina wrote them are restored byte for byte; from others, only patina's entries are removed.
/// `rings` returns whether the repository with this common git directory still uses the hooks.
///
/// # Errors
/// If the settings can no longer be parsed, or cannot be written.
pub fn uninstall(settings: &AgentSettings, rings: impl Fn(&Path) -> bool) -> Result<RemainingHooks> {
    let file = SettingsFile::at(&settings.path)?;
    let known = record::load(&settings.records, &file.path)?;
    if let Some(mut record) = known.clone() {
        let own = record::encoded(&settings.repository);
        record.repositories.retain(|other| *other != own && rings(&record::decoded(other)));
        if !record.repositories.is_empty() {
            record::save(&settings.records, &file.path, &record)?;
            return Ok(RemainingHooks::For(record.repositories.iter().map(|other| record::decoded(other)).collect()));
        }
    }
    if let Some(text) = file.text.as_deref() {
        let before = match &known {
            Some(record) if record.is_untouched(text) => record.before.clone(),
            _ => {
                let made = known.as_ref().map(|record| record.made.as_slice());
                let left = entries(settings)?.take_out(text, made).with_context(|| refused(&file.path))?;
                let is_ours = known.as_ref().is_some_and(|record| record.created) && settings::is_empty(&left);
                (!is_ours).then_some(left)
            }
        };
        match before {
            Some(before) if before != text => file.write(&before)?,
            Some(_) => {}
            None => {
                fs::remove_file(&file.path).with_context(|| format!("removing {}", file.path.display()))?;
            }
        }
    }
    let made = known.as_ref().map_or(0, |record| record.folders);
    if let Some(parent) = file.path.parent() {
        shim::sweep(parent, made);
    }
    record::remove(&settings.records, &file.path)?;
    Ok(RemainingHooks::Nothing)
}

/// Returns whether the records say that the repository uses these hooks.
pub fn is_rung_by(settings: &AgentSettings) -> bool {
    let known = SettingsFile::at(&settings.path).and_then(|file| record::load(&settings.records, &file.path));
    known.ok().flatten().is_some_and(|record| record.repositories.contains(&record::encoded(&settings.repository)))
}

/// Returns whether settings make their agent run no hooks at all. False if they do not exist or cannot be parsed.
pub fn is_switched_off(path: &Path) -> bool {
    SettingsFile::at(path).is_ok_and(|file| file.text.as_deref().is_some_and(settings::is_switched_off))
}

/// Returns the settings files of an agent that contain hooks, according to the records.
pub fn known(records: &Path, agent: Agent) -> Vec<PathBuf> {
    record::settings(records, agent)
}

/// Reports the state of each hook. Reads only.
///
/// # Errors
/// If the path of patina cannot be written in settings.
pub fn status(settings: &AgentSettings) -> Result<Vec<HookReport>> {
    let entries = entries(settings)?;
    let file = SettingsFile::at(&settings.path);
    let state = |event: &str| {
        let text = match &file {
            Ok(file) => file.text.as_deref().unwrap_or_default(),
            Err(error) => return (HookState::Damaged, Some(format!("{error:#}"))),
        };
        match entries.look(text, event) {
            Err(error) => (HookState::Damaged, Some(format!("cannot be parsed, so it is left alone: {error:#}"))),
            Ok(SettingState::Absent) => (HookState::Absent, None),
            Ok(_) if settings.is_disabled => {
                (HookState::Disabled, Some("run `patina hook enable` to switch it on".to_owned()))
            }
            Ok(SettingState::Current) => (HookState::Installed, None),
            Ok(SettingState::ByHand) => (HookState::Installed, Some("by a line added by hand".to_owned())),
            Ok(SettingState::Outdated) => (HookState::Outdated, Some("install again to renew it".to_owned())),
        }
    };
    let states = entries.events().into_iter().map(|event| {
        let (state, note) = state(event);
        HookReport { event: event.to_owned(), state, path: settings.path.clone(), note }
    });
    Ok(states.collect())
}

/// Runs the ringing command line from the settings as the agent would, and reports whether it reaches patina.
///
/// Nothing rings, and no other command is run, because settings may have come with a repository.
///
/// # Errors
/// If the state folder cannot be written to.
pub fn try_out(settings: &AgentSettings, state_dir: &Path, dir: &Path) -> Result<Option<ProbeResult>> {
    let (entries, file) = (entries(settings)?, SettingsFile::at(&settings.path)?);
    let text = file.text.as_deref().unwrap_or_default();
    if !entries.events().iter().any(|event| matches!(entries.look(text, event), Ok(SettingState::Current))) {
        return Ok(None);
    }
    let command = entries.command();
    let reaches = probe::reaches(state_dir, dir, SESSION_END, command.as_bytes())?;
    let failure = (!reaches).then(|| format!("does not reach patina by {command}"));
    Ok(Some(ProbeResult { event: SESSION_END, failure }))
}

/// The event name with which patina answers when an agent's hook reaches it.
pub const SESSION_END: &str = "session-end";

/// Returns the command line for settings that the user edits, for agents whose transcripts patina does not read.
pub fn line_by_hand(program: &Path, agent: &str) -> String {
    format!("{}{}", script::quoted_text(&program.to_string_lossy()), ending(agent))
}

/// Returns the message for settings that are left alone.
fn refused(path: &Path) -> String {
    format!("{} cannot be parsed and is left unchanged", path.display())
}

/// A settings file as it is on disk.
struct SettingsFile {
    /// The canonical path, so that the file itself is written and a symbolic link to it is kept.
    path: PathBuf,
    /// The text; `None` if there is no file.
    text: Option<String>,
    meta: Option<fs::Metadata>,
}

impl SettingsFile {
    /// Reads a settings file. Returns an error if the file could not be replaced safely.
    fn at(path: &Path) -> Result<SettingsFile> {
        let name = path.display();
        match fs::symlink_metadata(path) {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(SettingsFile { path: real(path), text: None, meta: None });
            }
            Err(error) => return Err(error).with_context(|| format!("looking at {name}")),
        }
        let path = fs::canonicalize(path).with_context(|| format!("{name} is a broken link"))?;
        let meta = fs::metadata(&path).with_context(|| format!("looking at {name}"))?;
        ensure!(meta.is_file(), "{name} is not a file");
        // Replacing the file would separate it from its other hard links.
        ensure!(meta.nlink() == 1, "{name} is a hard link to a file elsewhere");
        ensure!(meta.len() <= MAX_SETTINGS, "{name} is too large for settings");
        let bytes = fs::read(&path).with_context(|| format!("reading {name}"))?;
        let Ok(text) = String::from_utf8(bytes) else { bail!("{name} is not UTF-8") };
        Ok(SettingsFile { path, text: Some(text), meta: Some(meta) })
    }

    /// Replaces the file, unless another program has written to it since it was read.
    fn write(&self, text: &str) -> Result<()> {
        let now = match fs::read(&self.path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(|| format!("reading {}", self.path.display())),
        };
        let is_same = now.as_deref() == self.text.as_ref().map(String::as_bytes);
        ensure!(is_same, "{} was changed just now by something else; try again", self.path.display());
        match &self.meta {
            Some(meta) => shim::write(&self.path, text.as_bytes(), Some(meta)),
            None => write_atomically(&self.path, text.as_bytes()),
        }
    }
}

/// Resolves the symbolic links in the existing part of a path.
fn real(path: &Path) -> PathBuf {
    let there = path.ancestors().find_map(|above| Some((above, fs::canonicalize(above).ok()?)));
    match there {
        Some((above, real)) => real.join(path.strip_prefix(above).expect("it is above")),
        None => path.to_path_buf(),
    }
}
