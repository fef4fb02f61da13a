//! `forget`: erases a text or a session from the log, and rebuilds what is derived from the log. A keyed list keeps it
//! from being stored again. Invariant: success is only reported if no file in the state folder contains it.

use std::collections::{BTreeSet, HashSet};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::catch_up::{Depth, catch_up};
use super::context::Context;
use super::erase::{Doomed, doomed, read_list, write_list};
use super::report::RunReport;
use crate::event::encode_path;
use crate::eventlog::Eventlog;
use crate::facts::Body;
use crate::fail;
use crate::redact::ForgottenList;
use crate::workspace::Workspace;

/// What to forget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forget {
    /// Every occurrence of these texts.
    Texts(Vec<String>),
    /// A session, by its id.
    Session(String),
}

impl Forget {
    fn put_on(&self, list: &mut ForgottenList) {
        match self {
            Forget::Texts(texts) => texts.iter().for_each(|text| list.add_text(text)),
            Forget::Session(id) => list.add_session(id),
        }
    }
}

/// Returns the events that would be erased.
pub fn would_go(log: &Path, what: &Forget) -> Result<Vec<Doomed>> {
    let mut list = ForgottenList::new(random_key()?);
    what.put_on(&mut list);
    doomed(log, &list.into_matcher())
}

/// Returns whether an id is that of a session, in the log or already forgotten.
pub fn is_session(workspace: &Workspace, id: &str) -> Result<bool> {
    if read_list(workspace)?.is_some_and(|list| list.holds_session(id)) {
        return Ok(true);
    }
    Ok(!would_go(&workspace.eventlog_path(), &Forget::Session(id.to_string()))?.is_empty())
}

/// Returns the ids of sessions in the log that begin with a prefix, sorted.
pub fn sessions_beginning(log: &Path, prefix: &str) -> Result<Vec<String>> {
    let mut found = BTreeSet::new();
    Eventlog::each(log, |_, event_type, _, _, data| {
        if let Some(Body::SessionRead(head)) = Body::decode(event_type, data).ok().flatten() {
            found.extend(Some(head.session).filter(|id| !id.is_empty() && id.starts_with(prefix)));
        }
        Ok(())
    })?;
    Ok(found.into_iter().collect())
}

/// Returns every text in the log that a pattern matches, each once.
pub fn matches_of(log: &Path, pattern: &regex::Regex) -> Result<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    Eventlog::each(log, |_, event_type, _, _, data| {
        let body = Body::decode(event_type, data).ok().flatten();
        let texts = body.as_ref().map(Body::written_texts).unwrap_or_default();
        for text in texts.iter().flat_map(|text| pattern.find_iter(text)).map(|one| one.as_str()) {
            if !text.is_empty() && !found.iter().any(|known| known == text) {
                found.push(text.to_string());
            }
        }
        Ok(())
    })?;
    Ok(found)
}

/// Adds something to the list of forgotten texts, and erases it. Once it is on the list, every later run resumes the
/// erasure.
pub fn forget(context: &Context<'_>, what: &Forget) -> Result<RunReport> {
    let mut list = match read_list(context.workspace)? {
        Some(list) => list,
        None => ForgottenList::new(random_key()?),
    };
    what.put_on(&mut list);
    list.is_erasing = true;
    write_list(context.workspace, &list)?;
    fail::point("list of the forgotten kept")?;
    catch_up(context, Depth::New)
}

fn random_key() -> Result<[u8; 32]> {
    let mut key = [0; 32];
    let mut file = std::fs::File::open("/dev/urandom").context("opening /dev/urandom")?;
    file.read_exact(&mut key).context("reading /dev/urandom")?;
    Ok(key)
}

/// How many bytes of a file are searched at a time.
const PIECE: usize = 1 << 20;

/// Returns the files below the state folder that contain one of the texts, as it is or as encoded in JSON or in keys.
pub fn still_holding(workspace: &Workspace, texts: &[String]) -> Result<Vec<PathBuf>> {
    let mut forms: Vec<Vec<u8>> = Vec::new();
    for text in texts {
        let written = serde_json::to_string(text).expect("a string has a JSON form");
        let encoded = encode_path(text.as_bytes()).into_bytes();
        forms.extend([text.as_bytes().to_vec(), written.as_bytes()[1..written.len() - 1].to_vec(), encoded]);
    }
    let Some(longest) = forms.iter().map(Vec::len).max() else { return Ok(Vec::new()) };
    let pattern: Vec<String> = forms.iter().map(|form| regex::escape(&String::from_utf8_lossy(form))).collect();
    // Limited only by memory, because there may be thousands of texts.
    let pattern = regex::bytes::RegexBuilder::new(&pattern.join("|")).size_limit(usize::MAX).build()?;
    let (mut found, mut seen, mut folders) = (Vec::new(), HashSet::new(), vec![workspace.dir.clone()]);
    while let Some(folder) = folders.pop() {
        // Guards against a cycle of symbolic links.
        if !seen.insert(std::fs::canonicalize(&folder)?) {
            continue;
        }
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            let looked = match std::fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => {
                    folders.push(path.clone());
                    Ok(false)
                }
                Ok(_) => is_said_in(&path, &pattern, longest),
                Err(error) => Err(error),
            };
            match looked {
                Ok(true) => found.push(path),
                // A file may vanish while other processes write to the folder.
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("reading {}", path.display()));
                }
                _ => {}
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_said_in(path: &Path, pattern: &regex::bytes::Regex, longest: usize) -> std::io::Result<bool> {
    let mut file = std::fs::File::open(path)?;
    let mut piece = Vec::new();
    loop {
        let new = (&mut file).take(PIECE as u64).read_to_end(&mut piece)?;
        if pattern.is_match(&piece) {
            return Ok(true);
        }
        if new == 0 {
            return Ok(false);
        }
        // A match may begin at the end of a piece.
        piece.drain(..piece.len().saturating_sub(longest - 1));
    }
}
