//! Transcripts of agents: those of folders that the person consented to, read again when their stamp has changed. Killed
//! sessions and hooks that never rang are caught up so. Refuses a file that was not written in this repository, and to let
//! one that cannot be read stop the others.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rusqlite::{OptionalExtension as _, named_params};

use super::sessions::{append, private};
use super::{Context, check_stop};
use crate::agents::{self, Agent, Consent};
use crate::event::hex;
use crate::eventlog::Eventlog;
use crate::fail;
use crate::git::Repository;
use crate::redact::Private;
use crate::sessions::{Reading, Taking, Transcript, claude, codex};
use crate::store::Cache;

/// Longest line that is handed to a reader, in bytes; of a longer one only so much, which is then no JSON and is skipped.
const LONGEST_LINE: usize = 8 << 20;
/// Lines in which a file says where it was written.
const FIRST_LINES: usize = 100;

/// What was read of a transcript.
pub struct Read {
    /// What it says.
    pub reading: Reading,
    /// Hash of its whole lines, in hexadecimal.
    pub hash: String,
    /// The folder it was written in.
    pub cwd: Option<PathBuf>,
}

impl Read {
    /// Whether it was written in one of these folders, or below.
    fn is_below(&self, tops: &[PathBuf]) -> bool {
        self.cwd.as_ref().is_some_and(|cwd| tops.iter().any(|top| cwd.starts_with(top)))
    }
}

/// Takes in what is new in the consented folders. Returns how many facts were new.
pub fn record(context: &Context<'_>, log: &mut Eventlog, cache: &Cache) -> Result<u64> {
    let consents = match agents::consents(context.workspace) {
        Ok(consents) => consents,
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "no transcript is read");
            return Ok(0);
        }
    };
    // What rang is among what is listed: letters only say that it is time to look.
    agents::take(context.workspace, &consents)?;
    let (tops, private) = (tops(context.repository)?, private(context));
    let mut appended = 0;
    for (agent, consent) in &consents {
        for found in agents::list(*agent, &consent.folder, &tops) {
            check_stop(context)?;
            let stamp = format!("{:?} {}", found.stamp, consent.prompts);
            if stamp_of(cache, &found.path)?.as_ref() == Some(&stamp) {
                continue;
            }
            match take(log, *agent, consent, &found.path, &tops, &private) {
                Ok(new) => appended += new,
                Err(error) if error.is::<std::io::Error>() => {
                    tracing::warn!(path = %found.path.display(), error = format!("{error:#}"), "a transcript is left out");
                    continue;
                }
                Err(error) => return Err(error),
            }
            fail::point("transcript taken in")?;
            set_stamp(cache, &found.path, &stamp)?;
        }
    }
    Ok(appended)
}

/// The transcripts of a repository in an agent's folder, the oldest first, and how many entries each would give. Keeps
/// nothing; what cannot be read is left out.
pub fn preview(repository: &Repository, agent: Agent, folder: &Path, prompts: bool) -> Result<Vec<(PathBuf, u64)>> {
    let tops = tops(repository)?;
    let mut all = agents::list(agent, folder, &tops);
    all.sort_by_key(|transcript| transcript.stamp.modified);
    let counted = all.into_iter().filter_map(|found| {
        let read = read(agent, &found.path, prompts, &tops).ok().filter(|read| read.is_below(&tops))?;
        Some((found.path, read.reading.entries.len() as u64))
    });
    Ok(counted.collect())
}

/// The tops of all worktrees, as they are named and without links.
pub fn tops(repository: &Repository) -> Result<Vec<PathBuf>> {
    let mut tops: Vec<PathBuf> = Vec::new();
    for path in repository.worktrees()?.into_iter().filter_map(|worktree| worktree.path) {
        tops.extend(std::fs::canonicalize(&path).ok());
        tops.push(path);
    }
    tops.sort();
    tops.dedup();
    Ok(tops)
}

fn take(
    log: &mut Eventlog,
    agent: Agent,
    consent: &Consent,
    path: &Path,
    tops: &[PathBuf],
    private: &Private,
) -> Result<u64> {
    let Some(path) = consent.allows(path) else { return Ok(0) };
    let read = read(agent, &path, consent.prompts, tops)?;
    if !read.is_below(tops) || read.reading.head.id.is_empty() {
        return Ok(0);
    }
    Ok(append(log, read.reading, agent.name(), &read.hash, private)?.new)
}

/// Whose transcript a file is: of whoever's reader understands more of its first lines; none where none understands any.
pub fn written_by(path: &Path) -> Result<Option<Agent>> {
    let mut file = BufReader::new(File::open(path)?);
    let mut readers = Agent::ALL.map(|agent| (agent, reader(agent, Taking::default())));
    let (mut line, mut lines) = (Vec::new(), 0);
    while lines < FIRST_LINES as u64 && next_line(&mut file, &mut line)? {
        if line.is_empty() {
            continue;
        }
        // Each line is an object.
        if lines == 0 && !line.starts_with(b"{") {
            return Ok(None);
        }
        readers.iter_mut().for_each(|(_, reader)| reader.line(&line));
        lines += 1;
    }
    let skipped = readers.map(|(agent, reader)| (reader.finish().skipped, agent));
    let (fewest, agent) = skipped.into_iter().min().expect("there are agents");
    Ok((fewest < lines).then_some(agent))
}

fn reader(agent: Agent, taking: Taking) -> Box<dyn Transcript> {
    match agent {
        Agent::Claude => claude::reader(taking),
        Agent::Codex => codex::reader(taking),
    }
}

/// Reads the whole lines of a transcript; what is being written at its end is read when it is whole.
///
/// # Errors
/// An [`std::io::Error`] where it cannot be read.
pub fn read(agent: Agent, path: &Path, prompts: bool, tops: &[PathBuf]) -> Result<Read> {
    let taking = Taking { prompts, tops: tops.iter().map(|top| top.to_string_lossy().into_owned()).collect() };
    let mut reader = reader(agent, taking);
    let cwd_of = match agent {
        Agent::Claude => claude::cwd_of,
        Agent::Codex => codex::cwd_of,
    };
    let mut file = BufReader::with_capacity(256 << 10, File::open(path)?);
    let (mut line, mut hasher, mut cwd, mut lines) = (Vec::new(), blake3::Hasher::new(), None, 0);
    while next_line(&mut file, &mut line)? {
        hasher.update(&line).update(b"\n");
        if cwd.is_none() && lines < FIRST_LINES {
            cwd = cwd_of(&line);
        }
        reader.line(&line);
        lines += 1;
    }
    let mut reading = reader.finish();
    // A file of Claude's is named by its session, and may begin with lines of the one that it goes on from.
    if reading.head.id.is_empty() || agent == Agent::Claude {
        reading.head.id = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    }
    let hash = hex(&hasher.finalize().as_bytes()[..16]);
    Ok(Read { reading, hash, cwd: cwd.map(PathBuf::from) })
}

/// The next whole line, without its end, as far as it is not too long; false where there is none.
fn next_line(file: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    loop {
        let chunk = file.fill_buf()?;
        if chunk.is_empty() {
            return Ok(false);
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let taken = &chunk[..end.unwrap_or(chunk.len())];
        let room = LONGEST_LINE.saturating_sub(line.len());
        line.extend_from_slice(&taken[..taken.len().min(room)]);
        let length = taken.len() + usize::from(end.is_some());
        file.consume(length);
        if end.is_some() {
            return Ok(true);
        }
    }
}

fn stamp_of(cache: &Cache, path: &Path) -> Result<Option<String>> {
    let mut statement = cache.connection.prepare_cached("SELECT stamp FROM transcript WHERE path = :path")?;
    let path = path.as_os_str().as_encoded_bytes();
    Ok(statement.query_row(named_params! {":path": path}, |row| row.get(0)).optional()?)
}

fn set_stamp(cache: &Cache, path: &Path, stamp: &str) -> Result<()> {
    cache
        .connection
        .prepare_cached(
            "INSERT INTO transcript(path, stamp) VALUES (:path, :stamp) ON CONFLICT(path) DO UPDATE SET stamp = excluded.stamp",
        )?
        .execute(named_params! {":path": path.as_os_str().as_encoded_bytes(), ":stamp": stamp})
        .context("remembering a transcript")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lines_are_read_and_long_ones_are_cut() {
        let long = "x".repeat(LONGEST_LINE + 10);
        let text = format!("one\n\n{long}\ntwo\nhalf");
        let mut file = BufReader::with_capacity(7, text.as_bytes());
        let (mut line, mut lengths) = (Vec::new(), Vec::new());
        while next_line(&mut file, &mut line).expect("it reads") {
            lengths.push(line.len());
        }
        assert_eq!(lengths, [3, 0, LONGEST_LINE, 3]);
    }
}
