//! What has to be known to give an agent's settings back their bytes: one file for each settings file, written before the
//! settings are. Refusal: a record says nothing about settings that were changed since; it is then a help, not a copy.

use crate::agents::Agent;
use crate::event::{decode_path, encode_path};
use crate::workspace::{keep_to_owner, write_atomically};
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
    /// Whose settings.
    pub agent: String,
    /// Where they are, encoded.
    pub settings: String,
    /// The text that is put back; none where there was no file.
    pub before: Option<String>,
    /// The blake3 of the text that we wrote: only while it is that, `before` is put back as it is.
    pub after: String,
    /// Whether the file was made by us.
    pub created: bool,
    /// So many folders, counted from the innermost, were made for it.
    pub folders: usize,
    /// Keys that were added, `hooks.Stop` and the like.
    pub made: Vec<String>,
    /// The common git directories, encoded, of the repositories that ring by it.
    pub repositories: BTreeSet<String>,
}

impl Record {
    /// Whether a text is what we wrote.
    pub fn is_untouched(&self, text: &str) -> bool {
        self.after == digest(text)
    }

    /// Says what we are about to write.
    pub fn writes(&mut self, text: &str) {
        self.after = digest(text);
    }
}

fn digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

/// Reads the record of a settings file; none where there is none.
pub(super) fn load(records: &Path, settings: &Path) -> Result<Option<Record>> {
    let path = path_of(records, settings);
    match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).with_context(|| format!("{} is damaged", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

/// Writes the record of a settings file, so that it is on disk when this returns.
pub(super) fn save(records: &Path, settings: &Path, record: &Record) -> Result<()> {
    fs::create_dir_all(records).with_context(|| format!("making {}", records.display()))?;
    // Settings hold what is nobody else's, as the keys of services.
    keep_to_owner(records).with_context(|| format!("keeping {} to you", records.display()))?;
    write_atomically(&path_of(records, settings), &serde_json::to_vec_pretty(record)?)
}

/// Removes the record of a settings file, and the folder after the last one.
pub(super) fn remove(records: &Path, settings: &Path) -> Result<()> {
    let path = path_of(records, settings);
    super::super::remove_if_there(&path)?;
    for entry in fs::read_dir(records).into_iter().flatten().flatten() {
        // What a crash left behind while it was written. Nothing leans on it.
        if entry.path().file_stem() == path.file_stem() {
            let _ = fs::remove_file(entry.path());
        }
    }
    // Others are in it, or it never was.
    let _ = fs::remove_dir(records);
    Ok(())
}

/// The settings files that an agent's hooks were put into.
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

pub(super) fn encoded(path: &Path) -> String {
    encode_path(path.as_os_str().as_encoded_bytes())
}

pub(super) fn decoded(path: &str) -> PathBuf {
    OsString::from_vec(decode_path(path)).into()
}

fn path_of(records: &Path, settings: &Path) -> PathBuf {
    let hash = blake3::hash(settings.as_os_str().as_encoded_bytes()).to_hex();
    records.join(format!("{}.json", &hash[..32]))
}
