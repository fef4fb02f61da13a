//! Ingests agents' transcripts from the folders that the user consented to.
//!
//! A transcript is read again when its file stamp changes, so nothing is lost if a session is killed or a hook does not
//! run. A file that was written in another repository is ignored, and an unreadable file does not stop the others.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context as _, Result};
use rusqlite::{OptionalExtension as _, named_params};
use serde::de::IgnoredAny;

use super::append::{append, private};
use super::context::{Context, check_stop};
use crate::agents::{self, Agent, Consent};
use crate::event::{decode_path, encode_path, hex};
use crate::eventlog::Eventlog;
use crate::facts::source_of;
use crate::fail;
use crate::git::{Repository, unix_now};
use crate::redact::PrivacyFilter;
use crate::sessions::{MAX_LINE, ParsedSession, QUIET_SECONDS, TranscriptOptions, TranscriptReader, claude, codex};
use crate::store::Cache;
use crate::workspace::{Workspace, write_atomically};

/// The most bytes of a line that are passed to a reader, which rejects a line of that length.
const LONGEST_LINE: usize = MAX_LINE + 1;
/// Prefix of the files in which Claude stores parts of a session that were delegated to another agent.
const PART: &str = "agent-";
/// How many lines are examined to find out which agent wrote a file.
const FIRST_LINES: u64 = 100;

/// The worktrees of a repository, present and past: transcripts of removed ones may still exist.
#[derive(Clone)]
struct Worktrees {
    tops: Vec<PathBuf>,
    gone: Vec<PathBuf>,
}

impl Worktrees {
    /// Reads the worktrees that git and the state folder know.
    fn of(repository: &Repository, workspace: Option<&Workspace>) -> Result<Worktrees> {
        let tops = tops(repository)?;
        let path = workspace.map(Workspace::worktrees_path).filter(|path| path.exists());
        let known =
            path.map(|path| std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display())));
        let known = known.transpose()?.unwrap_or_default();
        let known = known.lines().map(|line| PathBuf::from(OsString::from_vec(decode_path(line))));
        let gone = known.filter(|top| !tops.contains(top)).collect();
        Ok(Worktrees { tops, gone })
    }

    /// Returns the tops of all of them.
    fn all(&self) -> Vec<PathBuf> {
        self.tops.iter().chain(&self.gone).cloned().collect()
    }

    /// Returns the options for a transcript written in one of them: only lines from folders in these worktrees are
    /// read.
    fn taking(&self, prompts: bool) -> TranscriptOptions {
        // Most lines of a transcript have the same folder, so the last result is cached.
        let (worktrees, last) = (self.clone(), RefCell::new((String::new(), false)));
        let is_here = move |folder: &str| {
            let mut last = last.borrow_mut();
            if last.0 != folder {
                *last = (folder.to_string(), worktrees.hold(Path::new(folder)));
            }
            last.1
        };
        TranscriptOptions { is_here: Some(Rc::new(is_here)), ..taking(&self.all(), prompts) }
    }

    /// Writes them to the state folder.
    fn remember(&self, workspace: &Workspace) -> Result<()> {
        let path = workspace.worktrees_path();
        let mut all: Vec<String> =
            self.all().iter().map(|top| encode_path(top.as_os_str().as_encoded_bytes())).collect();
        all.sort();
        let text = all.join("\n") + "\n";
        if std::fs::read_to_string(&path).is_ok_and(|known| known == text) {
            return Ok(());
        }
        write_atomically(&path, text.as_bytes())
    }

    /// Returns whether a folder is in one of them, and not in another repository nested inside.
    fn hold(&self, folder: &Path) -> bool {
        let real = std::fs::canonicalize(folder);
        [Some(folder), real.as_deref().ok()].into_iter().flatten().any(|folder| {
            let decides = |folder: &&Path| self.tops.iter().any(|top| top == folder) || folder.join(".git").exists();
            match folder.ancestors().find(decides) {
                Some(top) if self.tops.iter().any(|known| known == top) => true,
                // A removed worktree still counts, unless its place is in another repository now.
                top => self
                    .gone
                    .iter()
                    .any(|gone| folder.starts_with(gone) && top.is_none_or(|top| !top.starts_with(gone))),
            }
        })
    }
}

/// Ingests new content from the folders that the user consented to. Returns how many facts were new.
pub fn record(context: &Context<'_>, log: &mut Eventlog, cache: &Cache) -> Result<u64> {
    let consents = match agents::consents(context.workspace) {
        Ok(consents) => consents,
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "no transcript is read");
            return Ok(0);
        }
    };
    if consents.is_empty() {
        return Ok(0);
    }
    let (worktrees, private) = (Worktrees::of(context.repository, Some(context.workspace))?, private(context));
    worktrees.remember(context.workspace)?;
    // A transcript outside the expected folders is known only from its notice.
    let letters = agents::take_notices(context.workspace, &consents)?;
    let mut appended = 0;
    for (agent, consent) in &consents {
        let mut all = agents::list_transcripts(*agent, &consent.folder, &worktrees.all());
        for letter in letters.iter().filter(|letter| letter.agent == *agent) {
            if !all.iter().any(|found| found.path == letter.transcript) {
                all.extend(agents::transcript_file(*agent, &letter.transcript));
            }
        }
        // Oldest first, so that entries that one session copies from another belong to the older one.
        all.sort_by_key(|found| found.stamp.modified);
        for found in all {
            check_stop(context)?;
            // Once a file has not changed for long enough, its last text counts as final.
            let rests = found.stamp.modified / 1_000_000_000 + QUIET_SECONDS <= unix_now();
            let stamp = format!("{:?} {rests} {} {}", found.stamp, consent.prompts, private.fingerprint());
            if stamp_of(cache, &found.path)?.as_ref() == Some(&stamp) {
                continue;
            }
            match take(log, *agent, consent, &found.path, &worktrees, &private) {
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

/// Returns the transcripts of a repository in an agent's folder, oldest first, and the number of entries in each.
/// Stores nothing. Unreadable files are left out.
pub fn preview(repository: &Repository, agent: Agent, folder: &Path, prompts: bool) -> Result<Vec<(PathBuf, u64)>> {
    let worktrees = Worktrees::of(repository, None)?;
    let mut all = agents::list_transcripts(agent, folder, &worktrees.tops);
    all.sort_by_key(|transcript| transcript.stamp.modified);
    let counted = all.into_iter().filter_map(|found| {
        let cwd = cwd_of(agent, &found.path).ok()??;
        let (readings, _) =
            worktrees.hold(&cwd).then(|| read(agent, &found.path, &worktrees.taking(prompts)).ok())??;
        Some((found.path, readings.iter().map(|reading| reading.entries.len() as u64).sum()))
    });
    Ok(counted.collect())
}

/// Returns the tops of all worktrees, both as named and with symbolic links resolved.
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
    worktrees: &Worktrees,
    private: &PrivacyFilter,
) -> Result<u64> {
    let Some(path) = consent.allows(path) else { return Ok(0) };
    if !cwd_of(agent, &path)?.is_some_and(|cwd| worktrees.hold(&cwd)) {
        return Ok(0);
    }
    let (readings, hash) = read(agent, &path, &worktrees.taking(consent.prompts))?;
    let mut new = 0;
    for reading in readings.into_iter().filter(|reading| !reading.head.id.is_empty()) {
        // A session that has no content yet is not recorded.
        if reading.is_stub && !is_known(log, &reading.head.id)? {
            continue;
        }
        new += append(log, reading, agent.name(), &hash, private)?.new;
    }
    Ok(new)
}

fn is_known(log: &Eventlog, session: &str) -> Result<bool> {
    let mut is_known = false;
    log.each_of_session(&source_of(session), |_, _, _| {
        is_known = true;
        Ok(())
    })?;
    Ok(is_known)
}

/// Returns the folder that a transcript was written in; `None` if it does not say.
fn cwd_of(agent: Agent, path: &Path) -> Result<Option<PathBuf>> {
    let of_line = match agent {
        Agent::Claude => claude::cwd_of,
        Agent::Codex => codex::cwd_of,
    };
    let (mut file, mut line) = (opened(path)?, Vec::new());
    while next_line(&mut file, &mut line)? {
        if let Some(cwd) = of_line(&line) {
            return Ok(Some(PathBuf::from(cwd)));
        }
    }
    Ok(None)
}

/// Returns the agent that wrote a transcript: the one whose reader understands most of its first lines, if any does.
pub fn written_by(path: &Path) -> Result<Option<Agent>> {
    let mut file = opened(path)?;
    let mut readers = Agent::ALL.map(|agent| (agent, reader(agent, TranscriptOptions::default())));
    let (mut line, mut lines) = (Vec::new(), 0);
    while lines < FIRST_LINES && next_line(&mut file, &mut line)? {
        if line.is_empty() {
            continue;
        }
        // In a transcript, each line is a JSON object.
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

fn reader(agent: Agent, taking: TranscriptOptions) -> Box<dyn TranscriptReader> {
    match agent {
        Agent::Claude => claude::reader(taking),
        Agent::Codex => codex::reader(taking),
    }
}

/// Returns the options for a transcript that the user imports. `tops` are the tops of the worktrees.
pub fn taking(tops: &[PathBuf], prompts: bool) -> TranscriptOptions {
    let tops = tops.iter().map(|top| top.to_string_lossy().into_owned()).collect();
    TranscriptOptions { prompts, tops, now: Some(unix_now()), ..TranscriptOptions::default() }
}

/// Reads the complete lines of a transcript. Returns its readings, and the hash of those lines in hexadecimal.
///
/// An incomplete last line is left for the next time, unless it is a complete JSON object. A transcript that continues
/// other sessions may begin with their lines; each of those sessions is a reading of its own, equal to that of its own
/// file.
///
/// # Errors
/// An [`std::io::Error`] if it cannot be read.
pub fn read(agent: Agent, path: &Path, taking: &TranscriptOptions) -> Result<(Vec<ParsedSession>, String)> {
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let named = (agent == Agent::Claude && is_uuid(&name)).then(|| name.clone());
    let (mut reading, copied, hash) =
        read_one(agent, path, TranscriptOptions { session: named.clone(), ..taking.clone() })?;
    // A delegated part has the id of the whole session in its lines.
    let is_part = agent == Agent::Claude && name.starts_with(PART);
    if is_part {
        reading.head.title = format!("a part of {}", reading.head.id);
    }
    if let Some(name) = named.or_else(|| (is_part || reading.head.id.is_empty()).then_some(name)) {
        reading.head.id = name;
    }
    let mut readings = Vec::new();
    // A file that only contains lines of other sessions is no session of its own.
    if copied.is_empty() || !reading.entries.is_empty() {
        readings.push(reading);
    }
    for session in copied {
        readings.push(read_one(agent, path, TranscriptOptions { session: Some(session), ..taking.clone() })?.0);
    }
    Ok((readings, hash))
}

fn read_one(agent: Agent, path: &Path, taking: TranscriptOptions) -> Result<(ParsedSession, Vec<String>, String)> {
    let mut reader = reader(agent, taking);
    let (mut file, mut line, mut hasher) = (opened(path)?, Vec::new(), blake3::Hasher::new());
    while next_line(&mut file, &mut line)? {
        hasher.update(&line).update(b"\n");
        reader.line(&line);
    }
    let copied = reader.copied().to_vec();
    Ok((reader.finish(), copied, hex(&hasher.finalize().as_bytes()[..16])))
}

/// Returns whether a name has the form that Claude gives to the file of a session.
fn is_uuid(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let is_hex = |part: &&str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(is_hex)
}

/// Opens a file, and skips its byte order mark.
fn opened(path: &Path) -> std::io::Result<BufReader<File>> {
    let mut file = BufReader::with_capacity(256 << 10, File::open(path)?);
    if file.fill_buf()?.starts_with("\u{feff}".as_bytes()) {
        file.consume("\u{feff}".len());
    }
    Ok(file)
}

/// Reads the next complete line without its end, cut if it is too long; false if there is none. Text after the last
/// line end counts as a line if it is a complete JSON object, because nothing can be appended to it.
fn next_line(file: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    loop {
        let chunk = file.fill_buf()?;
        if chunk.is_empty() {
            return Ok(line.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(line).is_ok());
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
        for (rest, expect) in [("half", None), ("{\"a\":", None), ("{\"a\":{}} ", Some(9)), ("{\"a\":{}}{", None)] {
            let text = format!("one\n\n{long}\ntwo\n{rest}");
            let mut file = BufReader::with_capacity(7, text.as_bytes());
            let (mut line, mut lengths) = (Vec::new(), Vec::new());
            while next_line(&mut file, &mut line).expect("it reads") {
                lengths.push(line.len());
            }
            let expect: Vec<usize> = [3, 0, LONGEST_LINE, 3].into_iter().chain(expect).collect();
            assert_eq!(lengths, expect, "{rest}");
        }
    }
}
