//! What an agent's transcripts hold of this repository, shown before anything is consented to. Refuses to keep any of it.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::Here;
use crate::agents::{self, Agent};

/// Where a session was says one of its first lines.
const FIRST_LINES: usize = 40;

/// The longest line that is looked at for it.
const LONGEST_LINE: u64 = 1 << 20;

/// The transcripts of this repository, oldest first, and how many entries each gives.
pub fn preview(here: &Here, agent: Agent) -> Result<Vec<(PathBuf, u64)>> {
    let tops = tops(here)?;
    let folder = agent.folder(|name| std::env::var_os(name)).context("there is no home")?;
    let mut all = agents::list(agent, &agent.transcripts_in(&folder), &tops);
    all.sort_by_key(|transcript| transcript.stamp.modified);
    let real = tops.iter().filter_map(|top| std::fs::canonicalize(top).ok());
    let tops: Vec<PathBuf> = real.chain(tops.iter().cloned()).collect();
    let is_here = |path: &Path| cwd_of(path).is_some_and(|cwd| tops.iter().any(|top| cwd.starts_with(top)));
    let own = all.into_iter().map(|transcript| transcript.path).filter(|path| is_here(path));
    // One that went meanwhile is not there any more.
    let counted = own.filter_map(|path| entries(&path).map(|entries| (path, entries)));
    Ok(counted.collect())
}

/// The tops of the repository's worktrees.
fn tops(here: &Here) -> Result<Vec<PathBuf>> {
    let paths = here.repository.worktrees()?.into_iter().filter_map(|worktree| worktree.path);
    paths.map(|path| std::path::absolute(path).context("finding a worktree")).collect()
}

/// How many entries a transcript gives. Here, and only here, its reader is asked once there is one; its lines are more.
fn entries(path: &Path) -> Option<u64> {
    let mut file = BufReader::new(File::open(path).ok()?);
    let mut lines = 0;
    loop {
        // A line may be long, and nothing of it is kept.
        let read = file.skip_until(b'\n').ok()?;
        if read == 0 {
            return Some(lines);
        }
        lines += 1;
    }
}

/// Where a session says that it was.
fn cwd_of(path: &Path) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Line {
        cwd: Option<PathBuf>,
        payload: Option<Payload>,
    }
    #[derive(Deserialize)]
    struct Payload {
        cwd: Option<PathBuf>,
    }
    let mut file = BufReader::new(File::open(path).ok()?);
    for _ in 0..FIRST_LINES {
        let mut line = Vec::new();
        (&mut file).take(LONGEST_LINE).read_until(b'\n', &mut line).ok()?;
        if line.is_empty() {
            return None;
        }
        let said = serde_json::from_slice::<Line>(&line).ok();
        if let Some(cwd) = said.and_then(|said| said.cwd.or_else(|| said.payload?.cwd)) {
            return Some(cwd);
        }
    }
    None
}
