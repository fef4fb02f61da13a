//! Latency of answers: `related`, `who`, `calls`, `callers` and `query` in fresh processes on an indexed repository.
//! None of them loads a model.
//!
//! `cargo bench --bench answers -- REPOSITORY [RUNS]` asks about files and functions drawn evenly from the index.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use rusqlite::Connection;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let Some(path) = arguments.first().map(PathBuf::from) else {
        println!("name an indexed repository: cargo bench --bench answers -- REPOSITORY [RUNS]");
        return;
    };
    let runs: usize = arguments.get(1).and_then(|runs| runs.parse().ok()).unwrap_or(100);
    let files = drawn(&path, "code.file", runs);
    let functions = drawn(&path, "code.function", runs);
    for (command, targets) in
        [("related", &files), ("who", &files), ("calls", &functions), ("callers", &functions), ("query", &functions)]
    {
        let mut times: Vec<f64> = targets.iter().map(|target| ask(&path, command, target)).collect();
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize] * 1000.0;
        println!(
            "{command:8} n {:4}  p50 {:6.1} ms  p95 {:6.1} ms  worst {:6.1} ms",
            times.len(),
            at(0.5),
            at(0.95),
            at(1.0)
        );
    }
}

/// Returns keys of live items, spread evenly over the log.
fn drawn(path: &std::path::Path, event_type: &str, count: usize) -> Vec<String> {
    let log = path.join(".git/patina/eventlog.db");
    let log =
        Connection::open_with_flags(log, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).expect("an indexed repository");
    let mut statement = log
        .prepare("SELECT data ->> '$.key' FROM eventlog WHERE event_type = ?1 ORDER BY idem LIMIT ?2")
        .expect("the views are there");
    let rows = statement.query_map((event_type, count as i64), |row| row.get(0)).expect("rows");
    rows.collect::<rusqlite::Result<_>>().expect("keys")
}

fn ask(path: &std::path::Path, command: &str, target: &str) -> f64 {
    let start = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_patina"))
        .args(["-C", &path.display().to_string(), "--quiet", command, target])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("patina runs");
    // A name that several definitions share gets a list of them, which takes as long.
    assert!(status.code().is_some_and(|code| code == 0 || code == 2), "{command} {target}: {status}");
    start.elapsed().as_secs_f64()
}
