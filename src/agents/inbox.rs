//! Sessions that were heard of: a small file each, that says which agent and which transcript. Refusal: nothing here is
//! waited for on disk, as a letter that is lost is found again by looking at the transcripts, and no letter leads
//! anywhere else than to a transcript that was consented to.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{ErrorKind, Read as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::{Agent, Consent};
use crate::event::{decode_path, encode_path};
use crate::workspace::Workspace;

/// A session that rang.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Whose it is.
    pub agent: Agent,
    /// Its transcript, by its real path.
    pub transcript: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Text {
    agent: String,
    transcript: String,
}

/// A letter is a name and a path, and no path is longer.
const MAX_LETTER: u64 = 64 * 1024;

/// A letter takes no longer to write; what is older was left behind by a crash.
const WRITING: Duration = Duration::from_secs(60);

/// Puts a session's transcript into the inbox, whole or not at all; a session has one place there. False, and nothing
/// written, if the transcript is not one that was consented to.
///
/// # Errors
/// When the inbox cannot be written.
pub fn put(workspace: &Workspace, agent: Agent, consent: &Consent, transcript: &Path) -> Result<bool> {
    let Some(transcript) = consent.allows(transcript) else { return Ok(false) };
    let path = transcript.as_os_str().as_encoded_bytes();
    let name = &blake3::hash(&[agent.name().as_bytes(), b"\0", path].concat()).to_hex()[..32];
    let text = serde_json::to_vec(&Text { agent: agent.name().to_owned(), transcript: encode_path(path) })?;
    let inbox = workspace.inbox_dir();
    fs::create_dir_all(&inbox).with_context(|| format!("making {}", inbox.display()))?;
    let temporary = inbox.join(format!(".{name}-{}", std::process::id()));
    fs::write(&temporary, text)
        .and_then(|()| fs::rename(&temporary, inbox.join(name)))
        .with_context(|| format!("writing {}", inbox.join(name).display()))?;
    Ok(true)
}

/// Takes out every letter that is in the inbox: a session that rings while its transcript is read is heard again. What is
/// not understood, or not consented to any more, is dropped.
///
/// # Errors
/// When the inbox cannot be read or written.
pub fn take(workspace: &Workspace, consents: &BTreeMap<Agent, Consent>) -> Result<Vec<Letter>> {
    let inbox = workspace.inbox_dir();
    let entries = match fs::read_dir(&inbox) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", inbox.display())),
    };
    let mut letters = Vec::new();
    for entry in entries {
        let entry = entry?;
        // Nobody's letter, and not ours to remove.
        if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let is_being_written = entry.file_name().as_encoded_bytes().starts_with(b".");
        let age = || entry.metadata().and_then(|metadata| metadata.modified()).ok()?.elapsed().ok();
        if is_being_written && age().is_none_or(|age| age < WRITING) {
            continue;
        }
        letters.extend(read(&entry.path(), consents).filter(|_| !is_being_written));
        // Whoever else takes letters has the lock, so one that is gone was never whole.
        match fs::remove_file(entry.path()) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("removing {}", entry.path().display()));
            }
            _ => {}
        }
    }
    letters.sort_by(|a, b| (a.agent, &a.transcript).cmp(&(b.agent, &b.transcript)));
    letters.dedup();
    Ok(letters)
}

fn read(path: &Path, consents: &BTreeMap<Agent, Consent>) -> Option<Letter> {
    let mut text = Vec::new();
    fs::File::open(path).ok()?.take(MAX_LETTER).read_to_end(&mut text).ok()?;
    let text: Text = serde_json::from_slice(&text).ok()?;
    let agent = Agent::named(&text.agent)?;
    let transcript = PathBuf::from(OsString::from_vec(decode_path(&text.transcript)));
    Some(Letter { agent, transcript: consents.get(&agent)?.allows(&transcript)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place {
        _dir: tempfile::TempDir,
        workspace: Workspace,
        consents: BTreeMap<Agent, Consent>,
        folder: PathBuf,
    }

    fn place() -> Place {
        let dir = tempfile::tempdir().expect("a folder");
        let top = fs::canonicalize(dir.path()).expect("it is there");
        let folder = top.join("projects");
        fs::create_dir(&folder).expect("a folder");
        for file in ["projects/a.jsonl", "projects/b.jsonl", "out.jsonl"] {
            fs::write(top.join(file), "").expect("a file");
        }
        let consent = Consent { since: 0, prompts: false, folder: folder.clone() };
        let workspace = Workspace { dir: top.join("state"), wal: true };
        Place { _dir: dir, workspace, consents: BTreeMap::from([(Agent::Claude, consent)]), folder }
    }

    fn ring(place: &Place, path: &Path) -> bool {
        put(&place.workspace, Agent::Claude, &place.consents[&Agent::Claude], path).expect("it is written")
    }

    #[test]
    fn a_session_that_rings_often_is_one_letter() {
        let place = place();
        let (a, b) = (place.folder.join("a.jsonl"), place.folder.join("b.jsonl"));
        assert!(ring(&place, &b) && ring(&place, &a) && ring(&place, &a));
        let letter = |transcript: PathBuf| Letter { agent: Agent::Claude, transcript };
        assert_eq!(take(&place.workspace, &place.consents).expect("letters"), [letter(a), letter(b)]);
        assert_eq!(take(&place.workspace, &place.consents).expect("none"), []);
    }

    #[test]
    fn a_letter_that_leads_elsewhere_is_dropped() {
        let place = place();
        assert!(!ring(&place, &place.folder.join("../out.jsonl")));
        assert!(!place.workspace.inbox_dir().exists());
        fs::create_dir_all(place.workspace.inbox_dir()).expect("a folder");
        let out = place.folder.with_file_name("out.jsonl");
        for (name, text) in [
            ("out", format!(r#"{{"agent":"claude","transcript":"{}"}}"#, out.display())),
            ("other", format!(r#"{{"agent":"codex","transcript":"{}/a.jsonl"}}"#, place.folder.display())),
            ("unknown", r#"{"agent":"x","transcript":"/"}"#.to_string()),
            ("garbage", "\u{0}".repeat(9)),
            (".being-written", "{".to_string()),
        ] {
            fs::write(place.workspace.inbox_dir().join(name), text).expect("a letter");
        }
        assert_eq!(take(&place.workspace, &place.consents).expect("none"), []);
        let left: Vec<_> = fs::read_dir(place.workspace.inbox_dir()).expect("a folder").collect();
        assert_eq!(left.len(), 1, "what is being written stays");
    }

    #[test]
    fn withdrawn_consent_drops_what_was_heard() {
        let place = place();
        assert!(ring(&place, &place.folder.join("a.jsonl")));
        assert_eq!(take(&place.workspace, &BTreeMap::new()).expect("none"), []);
        assert_eq!(take(&place.workspace, &place.consents).expect("none"), []);
    }
}
