//! The doorbell in agents' settings: hooks that ring when a session rests or ends go in and come out, and whoever asks is
//! told where they are. Refusal: settings that are not understood are not touched, and of what is not ours no byte is
//! changed. Ringing itself is `patina session end`.

mod jsonc;
mod record;
mod settings;

use super::{HookState, State, Tried, probe, script, shim};
use crate::agents::Agent;
use crate::workspace::write_atomically;
use anyhow::{Context as _, Result, bail, ensure};
use record::Record;
use settings::{Entries, Look};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// One settings file and who asks, as plain facts.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose they are.
    pub agent: Agent,
    /// Where they are, or would be. Absolute.
    pub path: PathBuf,
    /// Where it is kept what gives them back their bytes. Absolute.
    pub records: PathBuf,
    /// The patina that hooks call. Absolute.
    pub program: PathBuf,
    /// The common git directory of the repository that asks.
    pub repository: PathBuf,
    /// Whether the hooks are switched off there.
    pub is_disabled: bool,
}

/// What became of the hooks that were taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// Nothing of ours is there any more.
    Nothing,
    /// These repositories go on ringing by them.
    For(Vec<PathBuf>),
}

/// The longest settings that are read: somebody wrote them by hand.
const MAX_SETTINGS: u64 = 64 << 20;

/// How the command line ends that rings, whatever patina it names: what ours are known by. It says nothing and does not
/// fail, in any shell, also where that patina is gone.
fn ending(agent: &str) -> String {
    format!(" session end --agent {agent} 2>/dev/null || true")
}

fn entries(settings: &Settings) -> Result<Entries> {
    let template = match settings.agent {
        Agent::Claude => include_str!("../../templates/agents/claude.json"),
        Agent::Codex => include_str!("../../templates/agents/codex.json"),
    };
    let program = settings.program.to_str().context("patina's own path is no text, which settings can hold only")?;
    let ending = ending(settings.agent.name());
    Ok(Entries::new(template, format!("{}{ending}", script::quoted_text(program)), ending))
}

/// Whether hooks could be put in, without doing it.
///
/// # Errors
/// With the reason, as [`install`] would.
pub fn check(settings: &Settings) -> Result<()> {
    let file = Found::at(&settings.path)?;
    let entries = entries(settings)?;
    entries.put_in(file.text.as_deref().unwrap_or_default()).map(drop).with_context(|| refused(&file.path))
}

/// Puts the hooks in or renews them, and notes that the repository rings by them. Twice equals once.
///
/// # Errors
/// When the settings are not understood or cannot be written; then they are as they were.
pub fn install(settings: &Settings) -> Result<()> {
    let (file, entries) = (Found::at(&settings.path)?, entries(settings)?);
    let text = file.text.as_deref();
    let (with, made) = entries.put_in(text.unwrap_or_default()).with_context(|| refused(&file.path))?;
    let known = record::load(&settings.records, &file.path)?;
    let mut record = match (known, text) {
        (Some(known), Some(text)) if known.is_untouched(text) => known,
        (Some(known), Some(text)) => Record { before: Some(entries.take_out(text, Some(&known.made))?), ..known },
        (known, text) => Record {
            // Of hooks that are there without a record it is not known how it was before.
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
    // First: whatever happens from here on, it is known how it was.
    record::save(&settings.records, &file.path, &record)?;
    if text != Some(&with) {
        fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
        file.write(&with)?;
    }
    Ok(())
}

/// Takes the hooks out, unless another repository rings by them: byte for byte where the settings are as we wrote them,
/// else our entries alone. `rings` says of a common git directory whether it still does.
///
/// # Errors
/// When the settings are not understood any more, or cannot be written.
pub fn uninstall(settings: &Settings, rings: impl Fn(&Path) -> bool) -> Result<Left> {
    let file = Found::at(&settings.path)?;
    let known = record::load(&settings.records, &file.path)?;
    if let Some(mut record) = known.clone() {
        let own = record::encoded(&settings.repository);
        record.repositories.retain(|other| *other != own && rings(&record::decoded(other)));
        if !record.repositories.is_empty() {
            record::save(&settings.records, &file.path, &record)?;
            return Ok(Left::For(record.repositories.iter().map(|other| record::decoded(other)).collect()));
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
    Ok(Left::Nothing)
}

/// Whether a repository rings by these settings, as far as is known.
pub fn is_rung_by(settings: &Settings) -> bool {
    let known = Found::at(&settings.path).and_then(|file| record::load(&settings.records, &file.path));
    known.ok().flatten().is_some_and(|record| record.repositories.contains(&record::encoded(&settings.repository)))
}

/// Whether settings tell their agent to run no hooks, whoever's. False where they are not there or not understood.
pub fn is_switched_off(path: &Path) -> bool {
    Found::at(path).is_ok_and(|file| file.text.as_deref().is_some_and(settings::is_switched_off))
}

/// The settings files of an agent that are known to hold hooks, by where that is kept.
pub fn known(records: &Path, agent: Agent) -> Vec<PathBuf> {
    record::settings(records, agent)
}

/// How the hooks stand, by event. Reads only.
///
/// # Errors
/// When patina's own path cannot stand in settings.
pub fn status(settings: &Settings) -> Result<Vec<HookState>> {
    let entries = entries(settings)?;
    let file = Found::at(&settings.path);
    let state = |event: &str| {
        let text = match &file {
            Ok(file) => file.text.as_deref().unwrap_or_default(),
            Err(error) => return (State::Damaged, Some(format!("{error:#}"))),
        };
        match entries.look(text, event) {
            Err(error) => (State::Damaged, Some(format!("not understood, and left alone: {error:#}"))),
            Ok(Look::Absent) => (State::Absent, None),
            Ok(_) if settings.is_disabled => (State::Disabled, Some("`patina hook enable` switches it on".to_owned())),
            Ok(Look::Current) => (State::Installed, None),
            Ok(Look::ByHand) => (State::Installed, Some("by a line added by hand".to_owned())),
            Ok(Look::Outdated) => (State::Outdated, Some("install again to renew it".to_owned())),
        }
    };
    let states = entries.events().into_iter().map(|event| {
        let (state, note) = state(event);
        HookState { event: event.to_owned(), state, path: settings.path.clone(), note }
    });
    Ok(states.collect())
}

/// Runs the command line that rings, where it stands in the settings, as the agent would, and says whether it reaches
/// patina. Nothing rings, and no other command is run: settings may have come with a repository.
///
/// # Errors
/// When the state folder cannot be written.
pub fn try_out(settings: &Settings, state_dir: &Path, dir: &Path) -> Result<Option<Tried>> {
    let (entries, file) = (entries(settings)?, Found::at(&settings.path)?);
    let text = file.text.as_deref().unwrap_or_default();
    if !entries.events().iter().any(|event| matches!(entries.look(text, event), Ok(Look::Current))) {
        return Ok(None);
    }
    let command = entries.command();
    let reaches = probe::reaches(state_dir, dir, SESSION_END, command.as_bytes())?;
    let failure = (!reaches).then(|| format!("does not reach patina by {command}"));
    Ok(Some(Tried { event: SESSION_END, failure }))
}

/// What a patina says that was reached by an agent's hook.
pub const SESSION_END: &str = "session-end";

/// The command line for settings that a person writes, where patina reads no transcript.
pub fn line_by_hand(program: &Path, agent: &str) -> String {
    format!("{}{}", script::quoted_text(&program.to_string_lossy()), ending(agent))
}

fn refused(path: &Path) -> String {
    format!("{} is not understood, and left as it is", path.display())
}

/// A settings file as it is on disk.
struct Found {
    /// Without links: what is written is the file itself, and a link to it stays one.
    path: PathBuf,
    /// None where there is no file.
    text: Option<String>,
    meta: Option<fs::Metadata>,
}

impl Found {
    fn at(path: &Path) -> Result<Found> {
        let name = path.display();
        match fs::symlink_metadata(path) {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Found { path: real(path), text: None, meta: None });
            }
            Err(error) => return Err(error).with_context(|| format!("looking at {name}")),
        }
        let path = fs::canonicalize(path).with_context(|| format!("{name} is a link that leads nowhere"))?;
        let meta = fs::metadata(&path).with_context(|| format!("looking at {name}"))?;
        ensure!(meta.is_file(), "{name} is not a file");
        // A file put in its place would be cut off from the other names.
        ensure!(meta.nlink() == 1, "{name} is a hard link to a file elsewhere");
        ensure!(meta.len() <= MAX_SETTINGS, "{name} is too large for settings");
        let bytes = fs::read(&path).with_context(|| format!("reading {name}"))?;
        let Ok(text) = String::from_utf8(bytes) else { bail!("{name} is not UTF-8") };
        Ok(Found { path, text: Some(text), meta: Some(meta) })
    }

    /// Replaces the file, unless somebody else has written to it since it was read.
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

/// A path without links, as far as it is there.
fn real(path: &Path) -> PathBuf {
    let there = path.ancestors().find_map(|above| Some((above, fs::canonicalize(above).ok()?)));
    match there {
        Some((above, real)) => real.join(path.strip_prefix(above).expect("it is above")),
        None => path.to_path_buf(),
    }
}
