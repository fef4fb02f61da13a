//! Records from which agents' settings are restored byte for byte: one file per settings file, written before the
//! settings are changed.
//!
//! Once another program has changed the settings, a record is only a hint.

use crate::agents::Agent;
use crate::event::{decode_path, encode_path};
use crate::workspace::{restrict_to_owner, write_atomically};
use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// What was done to one settings file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The name of the agent.
    pub agent: String,
    /// The encoded path of the settings file.
    pub settings: String,
    /// The text to restore; `None` if there was no file.
    pub before: Option<String>,
    /// The blake3 of the text that patina wrote. `before` is restored only while the file has this hash.
    pub after: String,
    /// Whether patina made the file.
    pub created: bool,
    /// The number of folders created for it, counted from the innermost.
    pub folders: usize,
    /// The keys that were added, such as `hooks.Stop`.
    pub made: Vec<String>,
    /// The encoded common git directories of the repositories that use the hooks.
    pub repositories: BTreeSet<String>,
}

impl Record {
    /// Returns whether a text is the one that patina wrote.
    pub fn is_untouched(&self, text: &str) -> bool {
        self.after == digest(text)
    }

    /// Records the text that is about to be written.
    pub fn writes(&mut self, text: &str) {
        self.after = digest(text);
    }
}

/// Hashes a text.
fn digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

/// Reads the record of a settings file, if there is one.
pub(super) fn load(records: &Path, settings: &Path) -> Result<Option<Record>> {
    let path = path_of(records, settings);
    match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).with_context(|| format!("{} is damaged", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

/// Writes the record of a settings file and syncs it to disk.
pub(super) fn save(records: &Path, settings: &Path, record: &Record) -> Result<()> {
    fs::create_dir_all(records).with_context(|| format!("making {}", records.display()))?;
    // Settings may contain secrets, such as API keys.
    restrict_to_owner(records).with_context(|| format!("keeping {} to you", records.display()))?;
    write_atomically(&path_of(records, settings), &serde_json::to_vec_pretty(record)?)
}

/// Removes the record of a settings file, and the folder if it is empty then.
pub(super) fn remove(records: &Path, settings: &Path) -> Result<()> {
    let path = path_of(records, settings);
    super::super::remove_if_there(&path)?;
    for entry in fs::read_dir(records).into_iter().flatten().flatten() {
        // A temporary file that a crash left behind; nothing depends on it.
        if entry.path().file_stem() == path.file_stem() {
            let _ = fs::remove_file(entry.path());
        }
    }
    // Fails if the folder contains other records or never existed, which is fine.
    let _ = fs::remove_dir(records);
    Ok(())
}

/// Returns the settings files of an agent that have a record.
pub(super) fn settings(records: &Path, agent: Agent) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(records).into_iter().flatten().flatten() {
        let record = fs::read(entry.path()).ok().and_then(|text| serde_json::from_slice::<Record>(&text).ok());
        if let Some(record) = record.filter(|record| record.agent == agent.name()) {
            found.push(decoded(&record.settings));
        }
    }
    found.sort();
    found
}

/// Encodes a path as text.
pub(super) fn encoded(path: &Path) -> String {
    encode_path(path.as_os_str().as_encoded_bytes())
}

/// Decodes a path.
pub(super) fn decoded(path: &str) -> PathBuf {
    OsString::from_vec(decode_path(path)).into()
}

/// Returns the record file of a settings file.
fn path_of(records: &Path, settings: &Path) -> PathBuf {
    let hash = blake3::hash(settings.as_os_str().as_encoded_bytes()).to_hex();
    records.join(format!("{}.json", &hash[..32]))
}
