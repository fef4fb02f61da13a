//! Forgetting: what a person names goes from the log, and everything that is made of the log is made again without it. A
//! keyed list keeps it from being taken in again. Refuses to say that it is gone while it still stands somewhere.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{Context, Depth, Report};
use crate::event::{Seq, encode_path};
use crate::eventlog::Eventlog;
use crate::fail;
use crate::redact::{Forgotten, leave_out};
use crate::store::Cache;
use crate::workspace::{Workspace, write_atomically};

/// What is to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forget {
    /// Every place that says one of these texts.
    Texts(Vec<String>),
    /// A session, by its id.
    Session(String),
}

/// One event that will go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doomed {
    /// Its position.
    pub seq: Seq,
    /// Its type.
    pub event_type: String,
    /// Where it came from: what git shows is read again without the text, anything else is gone for ever.
    pub from_git: bool,
    /// Where it was read.
    pub source: String,
}

/// What was done.
#[derive(Debug, Default)]
pub struct Erased {
    /// Events whose body is gone.
    pub events: u64,
    /// Events of commits and files that were read again without the text.
    pub read_again: u64,
    /// Files of the state folder that still hold the text, and why that is.
    pub left: Vec<PathBuf>,
}

/// The events that hold what is to be forgotten.
pub fn doomed(log: &Path, what: &Forget) -> Result<Vec<Doomed>> {
    let mut all = Vec::new();
    Eventlog::each(log, |seq, event_type, origin, source, data| {
        let holds = match what {
            Forget::Texts(texts) => texts.iter().any(|text| says(data, text) || source.contains(text.as_str())),
            Forget::Session(id) => {
                let field = |name: &str| serde_json::from_str::<Value>(data).ok()?[name].as_str().map(str::to_string);
                event_type.starts_with("session.") && field("session").as_ref() == Some(id)
            }
        };
        if holds {
            let from_git = matches!(origin, "git" | "code");
            all.push(Doomed { seq, event_type: event_type.to_string(), from_git, source: source.to_string() });
        }
        Ok(())
    })?;
    Ok(all)
}

/// Every text of a log that a pattern matches, each once.
pub fn matches_of(log: &Path, pattern: &regex::Regex) -> Result<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    Eventlog::each(log, |_, _, _, _, data| {
        let mut strings = Vec::new();
        collect(&serde_json::from_str(data).unwrap_or_default(), &mut strings);
        for text in strings.iter().flat_map(|text| pattern.find_iter(text)).map(|one| one.as_str()) {
            if !text.is_empty() && !found.iter().any(|known| known == text) {
                found.push(text.to_string());
            }
        }
        Ok(())
    })?;
    Ok(found)
}

fn collect(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(all) => all.iter().for_each(|one| collect(one, into)),
        Value::Object(all) => all.values().for_each(|one| collect(one, into)),
        _ => {}
    }
}

/// Whether data, one JSON object as it is written, says a text.
fn says(data: &str, text: &str) -> bool {
    let written = serde_json::to_string(text).expect("a string has a JSON form");
    data.contains(&written[1..written.len() - 1])
}

/// Puts the list of what was forgotten in force for this process.
pub fn recall_forgotten(workspace: &Workspace) -> Result<()> {
    leave_out(read_list(workspace)?.unwrap_or_default());
    Ok(())
}

fn read_list(workspace: &Workspace) -> Result<Option<Forgotten>> {
    match std::fs::read(workspace.forgotten_path()) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes).context("reading the list of what was forgotten")?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context("reading the list of what was forgotten"),
    }
}

/// Erases. Resumable: the list comes first, and what a stop left is found again by asking for the same once more.
pub fn forget(context: &Context<'_>, what: &Forget) -> Result<(Erased, Report)> {
    let workspace = context.workspace;
    let path = workspace.eventlog_path();
    let mut list = match read_list(workspace)? {
        Some(list) => list,
        None => Forgotten::new(chance()?),
    };
    match what {
        Forget::Texts(texts) => texts.iter().for_each(|text| list.add_text(text)),
        Forget::Session(id) => list.add_session(id),
    }
    write_atomically(&workspace.forgotten_path(), &serde_json::to_vec(&list)?)?;
    fail::point("list of the forgotten kept")?;
    leave_out(list);
    let doomed = doomed(&path, what)?;
    let mut log = Eventlog::open(&path, workspace.wal)?;
    let (again, gone): (Vec<&Doomed>, Vec<&Doomed>) = doomed.iter().partition(|one| one.from_git);
    let seqs = |all: &[&Doomed]| all.iter().map(|one| one.seq).collect::<Vec<Seq>>();
    log.erase(&seqs(&gone))?;
    fail::point("events erased")?;
    log.drop_derivable(&seqs(&again))?;
    log.vacuum()?;
    log.close()?;
    fail::point("log emptied of the forgotten")?;
    clear(workspace)?;
    fail::point("caches emptied of the forgotten")?;
    let report = super::catch_up(context, Depth::New)?;
    let log = Eventlog::open(&path, workspace.wal)?;
    let cache = Cache::open(workspace, context.config, &log, false)?;
    super::sweep::drop_embeddings(context, &cache, 0)?;
    cache.close()?;
    log.close()?;
    let left = match what {
        Forget::Texts(texts) => still_holding(&workspace.dir, texts)?,
        Forget::Session(_) => Vec::new(),
    };
    Ok((Erased { events: gone.len() as u64, read_again: again.len() as u64, left }, report))
}

fn chance() -> Result<[u8; 32]> {
    let mut key = [0; 32];
    let mut file = std::fs::File::open("/dev/urandom").context("opening /dev/urandom")?;
    std::io::Read::read_exact(&mut file, &mut key).context("reading /dev/urandom")?;
    Ok(key)
}

/// Removes every cache but the embeddings, which hold no text, the traces, and damaged logs that were kept.
fn clear(workspace: &Workspace) -> Result<()> {
    let embeddings = workspace.embeddings_path();
    let keep = embeddings.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    for entry in std::fs::read_dir(workspace.cache_dir())? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&keep) {
            continue;
        }
        match entry.file_type()?.is_dir() {
            true => std::fs::remove_dir_all(entry.path())?,
            false => std::fs::remove_file(entry.path())?,
        }
    }
    for entry in std::fs::read_dir(&workspace.dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_trace = name.starts_with("patina.log") || name == "last_error";
        if is_trace || name.contains(".damaged-") {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The files below a folder that hold one of the texts, as it is or as it is written in JSON and in keys.
fn still_holding(dir: &Path, texts: &[String]) -> Result<Vec<PathBuf>> {
    let mut forms: Vec<Vec<u8>> = Vec::new();
    for text in texts {
        let written = serde_json::to_string(text).expect("a string has a JSON form");
        let encoded = encode_path(text.as_bytes());
        forms.extend([
            text.as_bytes().to_vec(),
            written.as_bytes()[1..written.len() - 1].to_vec(),
            encoded.into_bytes(),
        ]);
    }
    let (mut found, mut folders) = (Vec::new(), vec![dir.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
                continue;
            }
            let bytes = std::fs::read(entry.path())?;
            if forms.iter().any(|form| bytes.windows(form.len()).any(|window| window == form.as_slice())) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}
