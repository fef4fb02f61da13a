//! Verification of model files by sha256.
//!
//! A file that was hashed in full is trusted while its path, size and times stay the same. Invariant: a file that does
//! not match is not used.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::error::{Exit, UserError};
use crate::event::hex;
use crate::workspace::{file_stamp, write_atomically};

/// Bytes hashed at a time.
const CHUNK: usize = 1 << 18;

/// Returns the folder of models and the runtime: `PATINA_DATA_DIR`, else in the XDG data folder; `None` without a home.
pub fn data_dir() -> Option<PathBuf> {
    if let Some(dir) = std::env::var_os("PATINA_DATA_DIR").filter(|dir| !dir.is_empty()) {
        return std::path::absolute(dir).ok();
    }
    let dir = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
    let home = || std::env::var_os("HOME").filter(|home| !home.is_empty());
    Some(dir.or_else(|| home().map(|home| Path::new(&home).join(".local/share")))?.join("patina"))
}

/// Verifies that a file exists and has a sha256; `full` hashes it even if it is known to be unchanged.
///
/// # Errors
/// A [`UserError`] with [`Exit::NotSetUp`] if it is missing, with [`Exit::Unverified`] if its sha256 differs.
pub fn verify(path: &Path, sha256: &str, full: bool) -> Result<()> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) => {
            let message = match error.kind() {
                ErrorKind::NotFound => format!("no model is set up: {} is missing", path.display()),
                _ => format!("{} cannot be read: {error}", path.display()),
            };
            return Err(UserError::new(Exit::NotSetUp, message)
                .hint("run `patina model prepare`; until then answers come from full text and history")
                .into());
        }
    };
    let stamp = file_stamp(&file.metadata()?);
    if !full && remembered(path).is_some_and(|(seen, found)| seen == stamp && found == sha256) {
        return Ok(());
    }
    let found = sha256_of(&mut file).with_context(|| format!("reading {}", path.display()))?;
    if found != sha256 {
        let message =
            format!("{} is damaged or another file: its sha256 is {found}, expected {sha256}", path.display());
        return Err(UserError::new(Exit::Unverified, message)
            .hint("run `patina model prepare` to fetch it again; until then answers come from full text and history")
            .into());
    }
    remember(path, &stamp, sha256);
    Ok(())
}

/// Returns the sha256 of a file, in hexadecimal.
fn sha256_of(file: &mut File) -> std::io::Result<String> {
    let (mut hasher, mut chunk) = (Sha256::new(), vec![0; CHUNK]);
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hex(&hasher.finalize())),
            read => hasher.update(&chunk[..read]),
        }
    }
}

/// Verified files: the stamp and the sha256 of each path.
type Stamps = BTreeMap<PathBuf, (String, String)>;

/// Returns the file that records which files were verified.
fn stamps_path() -> Option<PathBuf> {
    Some(data_dir()?.join("checked.json"))
}

/// Reads the record of verified files; empty if it cannot be read.
fn stamps() -> Stamps {
    let text = stamps_path().and_then(|path| std::fs::read(path).ok()).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Returns the stamp and the sha256 with which a file was last verified.
fn remembered(path: &Path) -> Option<(String, String)> {
    stamps().remove(path)
}

/// Records that a file was verified; a folder that cannot be written only costs a full hash each time.
fn remember(path: &Path, stamp: &str, sha256: &str) {
    let Some(file) = stamps_path() else { return };
    let mut all = stamps();
    all.retain(|path, _| path.exists());
    all.insert(path.to_path_buf(), (stamp.to_string(), sha256.to_string()));
    let written = serde_json::to_vec(&all).map_err(anyhow::Error::from).and_then(|text| write_atomically(&file, &text));
    if let Err(error) = written {
        tracing::debug!(error = format!("{error:#}"), "cannot record which files were verified");
    }
}
