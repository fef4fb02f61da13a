//! Files that are only used with the sha256 they are expected to have. One that was hashed in full is trusted while
//! its place, size and times are those of that moment. Refuses to use what does not match.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::error::{Exit, UserError};
use crate::event::hex;
use crate::workspace::{file_stamp, write_atomically};

/// How many bytes are hashed at a time.
const CHUNK: usize = 1 << 18;

/// Where models and the runtime are: `PATINA_DATA_DIR`, else in the XDG data folder. None without a home.
pub fn data_dir() -> Option<PathBuf> {
    if let Some(dir) = std::env::var_os("PATINA_DATA_DIR").filter(|dir| !dir.is_empty()) {
        return std::path::absolute(dir).ok();
    }
    let dir = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
    let home = || std::env::var_os("HOME").filter(|home| !home.is_empty());
    Some(dir.or_else(|| home().map(|home| Path::new(&home).join(".local/share")))?.join("patina"))
}

/// Looks at a file: whether it is there and has a sha256. `full` hashes it whatever is remembered.
///
/// # Errors
/// A [`UserError`]: "not set up" where it is missing, "does not verify" where it is another.
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

fn sha256_of(file: &mut File) -> std::io::Result<String> {
    let (mut hasher, mut chunk) = (Sha256::new(), vec![0; CHUNK]);
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hex(&hasher.finalize())),
            read => hasher.update(&chunk[..read]),
        }
    }
}

type Stamps = BTreeMap<PathBuf, (String, String)>;

fn stamps_path() -> Option<PathBuf> {
    Some(data_dir()?.join("checked.json"))
}

fn stamps() -> Stamps {
    let text = stamps_path().and_then(|path| std::fs::read(path).ok()).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

fn remembered(path: &Path) -> Option<(String, String)> {
    stamps().remove(path)
}

/// A folder that cannot be written costs a full hash each time, and nothing else.
fn remember(path: &Path, stamp: &str, sha256: &str) {
    let Some(file) = stamps_path() else { return };
    let mut all = stamps();
    all.retain(|path, _| path.exists());
    all.insert(path.to_path_buf(), (stamp.to_string(), sha256.to_string()));
    let written = serde_json::to_vec(&all).map_err(anyhow::Error::from).and_then(|text| write_atomically(&file, &text));
    if let Err(error) = written {
        tracing::debug!(error = format!("{error:#}"), "what was checked cannot be remembered");
    }
}
