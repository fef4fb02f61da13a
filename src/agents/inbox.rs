//! Session notices: small files that each name an agent and a transcript to read.
//!
//! Files are not synced to disk, because a lost notice is made up for when transcripts are listed. Invariant: a notice
//! never leads to a transcript without consent.

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

/// A notice that a session was active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionNotice {
    /// The agent of the session.
    pub agent: Agent,
    /// The canonical path of its transcript.
    pub transcript: PathBuf,
}

/// A notice, as it is stored.
#[derive(Serialize, Deserialize)]
struct NoticeText {
    agent: String,
    transcript: String,
}

/// The largest notice that is read, in bytes; it contains a name and a path.
const MAX_NOTICE: u64 = 64 * 1024;

/// A temporary file older than this was left by a crash, because a notice is written at once.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// Stores a notice of a session's transcript, atomically; a session has at most one. Returns false, and writes nothing,
/// without consent.
///
/// # Errors
/// If the inbox cannot be written to.
pub fn post_notice(workspace: &Workspace, agent: Agent, consent: &Consent, transcript: &Path) -> Result<bool> {
    let Some(transcript) = consent.allows(transcript) else { return Ok(false) };
    let path = transcript.as_os_str().as_encoded_bytes();
    let name = &blake3::hash(&[agent.name().as_bytes(), b"\0", path].concat()).to_hex()[..32];
    let text = serde_json::to_vec(&NoticeText { agent: agent.name().to_owned(), transcript: encode_path(path) })?;
    let inbox = workspace.inbox_dir();
    fs::create_dir_all(&inbox).with_context(|| format!("making {}", inbox.display()))?;
    let temporary = inbox.join(format!(".{name}-{}", std::process::id()));
    fs::write(&temporary, text)
        .and_then(|()| fs::rename(&temporary, inbox.join(name)))
        .with_context(|| format!("writing {}", inbox.join(name).display()))?;
    Ok(true)
}

/// Takes every notice out of the inbox. A session that rings while its transcript is being read leaves a new one.
///
/// Notices that cannot be parsed, or whose consent was withdrawn, are dropped.
///
/// # Errors
/// If the inbox cannot be read or written to.
pub fn take_notices(workspace: &Workspace, consents: &BTreeMap<Agent, Consent>) -> Result<Vec<SessionNotice>> {
    let inbox = workspace.inbox_dir();
    let entries = match fs::read_dir(&inbox) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", inbox.display())),
    };
    let mut notices = Vec::new();
    for entry in entries {
        let entry = entry?;
        // This is not a notice, so patina does not remove it.
        if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let is_being_written = entry.file_name().as_encoded_bytes().starts_with(b".");
        let age = || entry.metadata().and_then(|metadata| metadata.modified()).ok()?.elapsed().ok();
        if is_being_written && age().is_none_or(|age| age < WRITE_TIMEOUT) {
            continue;
        }
        notices.extend(read(&entry.path(), consents).filter(|_| !is_being_written));
        // Notices are taken under the write lock, so a file that has vanished was only a temporary one.
        match fs::remove_file(entry.path()) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("removing {}", entry.path().display()));
            }
            _ => {}
        }
    }
    notices.sort_by(|a, b| (a.agent, &a.transcript).cmp(&(b.agent, &b.transcript)));
    notices.dedup();
    Ok(notices)
}

/// Reads a notice; `None` if it cannot be parsed or has no consent.
fn read(path: &Path, consents: &BTreeMap<Agent, Consent>) -> Option<SessionNotice> {
    let mut text = Vec::new();
    fs::File::open(path).ok()?.take(MAX_NOTICE).read_to_end(&mut text).ok()?;
    let text: NoticeText = serde_json::from_slice(&text).ok()?;
    let agent = Agent::named(&text.agent)?;
    let transcript = PathBuf::from(OsString::from_vec(decode_path(&text.transcript)));
    Some(SessionNotice { agent, transcript: consents.get(&agent)?.allows(&transcript)? })
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
        post_notice(&place.workspace, Agent::Claude, &place.consents[&Agent::Claude], path).expect("it is written")
    }

    #[test]
    fn a_session_that_rings_often_is_one_letter() {
        let place = place();
        let (a, b) = (place.folder.join("a.jsonl"), place.folder.join("b.jsonl"));
        assert!(ring(&place, &b) && ring(&place, &a) && ring(&place, &a));
        let notice = |transcript: PathBuf| SessionNotice { agent: Agent::Claude, transcript };
        assert_eq!(take_notices(&place.workspace, &place.consents).expect("notices"), [notice(a), notice(b)]);
        assert_eq!(take_notices(&place.workspace, &place.consents).expect("none"), []);
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
            fs::write(place.workspace.inbox_dir().join(name), text).expect("a notice");
        }
        assert_eq!(take_notices(&place.workspace, &place.consents).expect("none"), []);
        let left: Vec<_> = fs::read_dir(place.workspace.inbox_dir()).expect("a folder").collect();
        assert_eq!(left.len(), 1, "what is being written stays");
    }

    #[test]
    fn withdrawn_consent_drops_what_was_heard() {
        let place = place();
        assert!(ring(&place, &place.folder.join("a.jsonl")));
        assert_eq!(take_notices(&place.workspace, &BTreeMap::new()).expect("none"), []);
        assert_eq!(take_notices(&place.workspace, &place.consents).expect("none"), []);
    }
}
