//! Reads blobs at paths into facts, on several threads, each with a parser in a child process.
//!
//! Invariant: an unreadable file does not stop the others; its parse records the reason.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};

use anyhow::{Context as _, Result, bail};

use super::parses::{Parse, ReadOutcome};
use crate::config::Config;
use crate::event::{decode_path, hex};
use crate::facts::{CodeFacts, file_facts, session_facts, session_version, text_facts};
use crate::git::{Blob, ObjectId, Repository};
use crate::redact::{is_session_forgotten, redact_source};
use crate::sessions;
use crate::syntax::{self, Child, FileLimits, Skip, Triage};

/// Minimum number of files per thread; for fewer, starting a thread and its child process costs more than it saves.
const FILES_A_THREAD: usize = 24;
/// Number of files read ahead of the consumer.
const AHEAD: usize = 64;

/// Reads each blob at its encoded path. `take` receives the parses on the calling thread, in any order.
///
/// Ends early, without an error, when `stop` is set.
pub fn read_all(
    repository: &Repository,
    program: &Path,
    config: &Config,
    stop: &AtomicBool,
    jobs: BTreeSet<(String, ObjectId)>,
    mut take: impl FnMut(Parse) -> Result<()>,
) -> Result<()> {
    let threads =
        std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len().div_ceil(FILES_A_THREAD)).max(1);
    let jobs = Mutex::new(jobs.into_iter());
    let shared = repository.shared();
    std::thread::scope(|scope| -> Result<()> {
        let (send, receive) = mpsc::sync_channel::<Result<Parse>>(AHEAD);
        for _ in 0..threads {
            let (send, shared, jobs) = (send.clone(), &shared, &jobs);
            scope.spawn(move || {
                let repository = shared.open();
                let mut child = Child::new(program);
                loop {
                    let job = jobs.lock().ok().and_then(|mut jobs| jobs.next());
                    let Some((path, blob)) = job.filter(|_| !stop.load(Ordering::Relaxed)) else { break };
                    if send.send(read(&repository, &mut child, config, path, blob)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        for parse in receive {
            take(parse?)?;
        }
        Ok(())
    })
}

/// Reads one blob.
fn read(repository: &Repository, child: &mut Child, config: &Config, path: String, blob: ObjectId) -> Result<Parse> {
    let limits = FileLimits { max_bytes: config.max_file_bytes };
    let left_out = |path: String, size: u64, outcome: ReadOutcome| Parse {
        path,
        blob,
        size,
        outcome,
        facts: CodeFacts::default(),
    };
    let bytes = match repository.blob(blob, limits.max_bytes)? {
        Blob::Bytes(bytes) => bytes,
        Blob::TooLarge(size) => return Ok(left_out(path, size, ReadOutcome::Skipped(Skip::Oversize))),
        Blob::Missing => return Ok(left_out(path, 0, ReadOutcome::Missing)),
    };
    let size = bytes.len() as u64;
    let real_path = String::from_utf8_lossy(&decode_path(&path)).into_owned();
    let language = match syntax::triage(&real_path, &bytes, size, &limits) {
        Triage::Skip(skip) => return Ok(left_out(path, size, ReadOutcome::Skipped(skip))),
        Triage::Text => {
            let text = String::from_utf8_lossy(&bytes);
            let reading = sessions::markdown::read(&real_path, &redact_source(&text));
            let is_forgotten = reading.as_ref().is_some_and(|reading| is_session_forgotten(&reading.head.id));
            let mut facts = text_facts(&path, if is_forgotten { "" } else { &text });
            if let Some(reading) = reading {
                let hash = hex(&blake3::hash(&bytes).as_bytes()[..16]);
                facts.entries = session_facts(&reading, Some(&path), "markdown", &hash, &session_version());
            }
            return Ok(Parse { path, blob, size, outcome: ReadOutcome::Text, facts });
        }
        Triage::Code(language) => language,
    };
    let source = String::from_utf8_lossy(&bytes);
    let bytes = match redact_source(&source) {
        Cow::Owned(redacted) => redacted.into_bytes(),
        Cow::Borrowed(_) => bytes,
    };
    Ok(match child.parse(language, &bytes) {
        syntax::ParseOutcome::Parsed(parsed) => {
            let lines = u32::try_from(bytes.split(|byte| *byte == b'\n').count()).context("counting lines")?;
            let partial = parsed.partial;
            let facts = file_facts(&path, language, parsed, lines);
            let outcome = if partial { ReadOutcome::Partial(language) } else { ReadOutcome::Code(language) };
            Parse { path, blob, size, outcome, facts }
        }
        syntax::ParseOutcome::Unavailable(why) => bail!("starting a parser: {why}"),
        syntax::ParseOutcome::Failed(why) => {
            tracing::warn!(path, %blob, why, "a file could not be parsed");
            left_out(path, size, ReadOutcome::Failed(why))
        }
    })
}
