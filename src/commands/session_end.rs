//! `patina session end`: the hook that agents call when a session pauses or ends. Invariants: it never prints, never
//! fails and never waits; transcripts without consent are ignored.
//!
//! A detached child reads stdin, which may be written late or never; the worker does all other work.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Deserialize;

use super::context::is_off;
use super::worker;
use crate::agents::{self, Agent};
use crate::config::Config;
use crate::git::Repository;
use crate::hooks;
use crate::workspace::{Workspace, detached_command};

#[derive(Debug, clap::Args)]
pub struct SessionEndArgs {
    /// Agent that calls
    #[arg(long, value_name = "NAME", default_value = "")]
    agent: String,
    /// Read the notice from stdin, in the detached child
    #[arg(long, hide = true)]
    listen: bool,
}

/// The fields of the agent's notice, a JSON object on stdin, that patina uses.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Rung {
    transcript_path: Option<PathBuf>,
    cwd: Option<PathBuf>,
    /// Some agents send their folders in this field instead of `cwd`.
    workspace_roots: Vec<PathBuf>,
}

/// How long the child waits for the notice. If none has come by then, stdin is merely held open.
const PATIENCE: Duration = Duration::from_secs(10);

/// The largest notice that is accepted, in bytes. Agents include their last message.
const MAX_VALUE: usize = 4 << 20;

/// The size of one read, in bytes.
const CHUNK: usize = 64 * 1024;

pub fn run(arguments: &SessionEndArgs) -> ExitCode {
    // After any failure the worker still finds the session later, when it scans the transcripts.
    let _ = if arguments.listen { listen(&arguments.agent) } else { ring(&arguments.agent) };
    ExitCode::SUCCESS
}

/// Returns whether these arguments call `session end`, even wrongly: an agent must never see an error.
pub fn is_called(mut arguments: impl Iterator<Item = std::ffi::OsString>) -> bool {
    let mut words = Vec::new();
    while let Some(argument) = arguments.next().filter(|_| words.len() < 2) {
        if argument == "-C" {
            arguments.next();
        } else if !argument.as_encoded_bytes().starts_with(b"-") {
            words.push(argument);
        }
    }
    words == ["session", "end"]
}

fn ring(agent: &str) -> Result<()> {
    let here = || Some(place(&std::env::current_dir().ok()?).ok()?.2.dir);
    if is_off() || hooks::answer_probe(here, hooks::agents::SESSION_END) {
        return Ok(());
    }
    let mut command = detached_command()?;
    command.args(["session", "end", "--listen", "--agent", agent]).spawn()?;
    Ok(())
}

fn listen(agent: &str) -> Result<()> {
    // Agents may kill their process group.
    worker::detach();
    let Some(rung) = value(&chunks(), PATIENCE) else { return Ok(()) };
    let Some(dir) = rung.cwd.or_else(|| rung.workspace_roots.into_iter().next()) else { return Ok(()) };
    let (common_dir, _, workspace) = place(&dir)?;
    if workspace.is_disabled() {
        return Ok(());
    }
    match Agent::named(agent) {
        Some(agent) => {
            let consents = agents::consents(&workspace)?;
            let Some(consent) = consents.get(&agent) else { return Ok(()) };
            if let Some(transcript) = &rung.transcript_path {
                // Without a notice the worker finds the transcript by scanning, so the ring is enough.
                let _ = agents::post_notice(&workspace, agent, consent, transcript);
            }
        }
        // patina does not read this agent's transcripts, but its session may have left commits and notes.
        None if !workspace.dir.is_dir() => return Ok(()),
        None => {}
    }
    workspace.create()?;
    workspace.ring()?;
    Workspace::spawn_worker(&common_dir)
}

/// Finds the repository that contains a folder.
fn place(dir: &Path) -> Result<(PathBuf, Config, Workspace)> {
    let common_dir = Repository::discover(dir)?.common_dir()?;
    let config = Config::load()?;
    let workspace = Workspace::locate(&common_dir, &config);
    Ok((common_dir, config, workspace))
}

/// Reads stdin on a thread that ends with the process, and sends what arrives.
fn chunks() -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stdin, mut chunk) = (std::io::stdin().lock(), vec![0; CHUNK]);
        loop {
            match stdin.read(&mut chunk) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => return,
                Ok(length) if sender.send(chunk[..length].to_vec()).is_err() => return,
                Ok(_) => {}
            }
        }
    });
    receiver
}

/// Returns the first complete JSON value on stdin; `None` after a timeout, or if it is not a notice.
fn value(chunks: &Receiver<Vec<u8>>, patience: Duration) -> Option<Rung> {
    let (start, mut text) = (Instant::now(), Vec::new());
    loop {
        let Ok(chunk) = chunks.recv_timeout(patience.saturating_sub(start.elapsed())) else { return first(&text) };
        text.extend_from_slice(&chunk);
        // Leading white space is dropped, so that it is not parsed again with each chunk.
        if text.trim_ascii_start().is_empty() {
            text.clear();
        }
        // An object ends with a brace, so only then is parsing worth trying.
        if text.trim_ascii_end().ends_with(b"}")
            && let Some(rung) = first(&text)
        {
            return Some(rung);
        }
        let is_other = text.trim_ascii_start().first().is_some_and(|first| *first != b'{');
        if is_other || text.len() > MAX_VALUE {
            return None;
        }
    }
}

fn first(text: &[u8]) -> Option<Rung> {
    serde_json::Deserializer::from_slice(text).into_iter().next()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what is read from pieces of input while stdin stays open.
    fn heard(pieces: &[&str]) -> Option<Rung> {
        let (sender, receiver) = mpsc::channel();
        for piece in pieces {
            sender.send(piece.as_bytes().to_vec()).expect("somebody listens");
        }
        let rung = value(&receiver, Duration::from_millis(100));
        drop(sender);
        rung
    }

    #[test]
    fn a_value_is_taken_once_it_is_whole() {
        let text =
            r#"{"session_id":"1","transcript_path":"/t/é.jsonl","cwd":"/w","hook_event_name":"Stop","x":{"y":[1]}}"#;
        let expect =
            Rung { transcript_path: Some("/t/é.jsonl".into()), cwd: Some("/w".into()), workspace_roots: Vec::new() };
        assert_eq!(heard(&[text]).as_ref(), Some(&expect));
        assert_eq!(heard(&[text, "\n"]).as_ref(), Some(&expect));
        assert_eq!(heard(&["\n", text, "{\"another\":1}"]).as_ref(), Some(&expect));
        let blanks = " ".repeat(CHUNK);
        let late: Vec<&str> = std::iter::repeat_n(&*blanks, 2 * MAX_VALUE / CHUNK).chain([text]).collect();
        assert_eq!(heard(&late).as_ref(), Some(&expect));
        let pieces: Vec<String> = text.chars().map(String::from).collect();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        assert_eq!(heard(&pieces).as_ref(), Some(&expect));
        assert_eq!(heard(&[&format!("{text} trailing")]).as_ref(), Some(&expect));
    }

    #[test]
    fn what_is_no_value_is_nothing() {
        for text in ["", "{", "garbage {{{", "null", "7", "[]", "\u{0}\u{0}", r#"{"cwd":7}"#, r#"{"cwd":"/w"#, "}"] {
            assert_eq!(heard(&[text]).filter(|rung| *rung != Rung::default()), None, "{text}");
        }
        let endless = vec!["{"; 10];
        assert_eq!(heard(&endless), None);
        let long = format!("{{\"cwd\":\"{}\"", "x".repeat(MAX_VALUE));
        assert_eq!(heard(&[&long, "}"]), None);
    }
}
