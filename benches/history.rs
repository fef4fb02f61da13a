//! Time to ingest all history of a repository into a new log, compared with `git log --raw --no-renames -z`.
//!
//! `cargo bench --bench history -- REPOSITORY [RUNS]` alternates the two, and prints medians and their ratio.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use patina::event::Fact;
use patina::eventlog::Eventlog;
use patina::facts::commit_fact;
use patina::git::{Recorded, Repository};
use patina::pipeline::peak_rss_bytes;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let here = env!("CARGO_MANIFEST_DIR").to_string();
    let path = PathBuf::from(arguments.first().unwrap_or(&here));
    let runs = arguments.get(1).and_then(|runs| runs.parse().ok()).unwrap_or(5);
    let mut ours = Vec::new();
    let mut git = Vec::new();
    for _ in 0..runs {
        let (seconds, commits) = read(&path);
        git.push(git_log(&path));
        ours.push(seconds);
        println!("{commits} commits: patina {seconds:.3} s, git log {:.3} s", git.last().expect("just pushed"));
    }
    let (ours, git) = (median(&mut ours), median(&mut git));
    println!(
        "median: patina {ours:.3} s, git log {git:.3} s, ratio {:.2}; peak {} MB",
        ours / git,
        peak_rss_bytes() >> 20
    );
}

/// Walks, diffs and appends all commits, as `patina reindex` does in a repository that was never indexed.
fn read(path: &Path) -> (f64, u64) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let start = Instant::now();
    let repository = Repository::discover(path).expect("a repository");
    let mut log = Eventlog::open(&folder.path().join("eventlog.db"), true).expect("a fresh log");
    let head = repository.head().expect("HEAD can be read").expect("there is a commit");
    let mut appending = 0.0;
    let stop = AtomicBool::new(false);
    let mut batch = Vec::new();
    let mut append = |batch: &mut Vec<Fact>| -> anyhow::Result<()> {
        let start = Instant::now();
        log.append(batch.iter().rev())?;
        batch.clear();
        appending += start.elapsed().as_secs_f64();
        Ok(())
    };
    let take = |facts: Vec<Fact>, _| {
        batch.extend(facts);
        if batch.len() >= 8192 { append(&mut batch) } else { Ok(()) }
    };
    let known = |_: &_| Ok(Recorded::No);
    let reading =
        repository.read_history(&[head.commit], known, |raw| commit_fact(&raw), &stop, take).expect("history is read");
    append(&mut batch).expect("the rest is appended");
    let total = start.elapsed().as_secs_f64();
    println!("  appending {appending:.3} s of {total:.3} s");
    (total, reading.commits)
}

fn git_log(path: &Path) -> f64 {
    let start = Instant::now();
    let status = Command::new("git")
        .args(["log", "--raw", "--no-renames", "-z"])
        .current_dir(path)
        .stdout(Stdio::null())
        .status()
        .expect("git runs");
    assert!(status.success());
    start.elapsed().as_secs_f64()
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
