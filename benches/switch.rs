//! Time from the end of `git checkout` to fresh answers after a switch that changes 5,000 items: `related --fresh`,
//! `who --fresh` and `status --wait` in fresh processes, with hooks. The first switch indexes the other branch; the
//! measured ones switch between indexed branches. Nothing is embedded.
//!
//! `cargo bench --bench switch -- [RUNS]`

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const FILES: usize = 500;
const READS: Duration = Duration::from_millis(500);
const FUNCTIONS: usize = 10;
/// The commands run after a switch; each waits until HEAD is indexed.
const ASKED: [&[&str]; 3] =
    [&["related", "--fresh", "src/file7.rs"], &["who", "--fresh", "src/file7.rs"], &["status", "--wait"]];

fn main() {
    let runs: usize = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(20);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    std::fs::create_dir_all(path.join("src")).expect("a folder");
    git(path, &["init", "-q", "-b", "main"]);
    write(path, "here");
    git(path, &["commit", "-q", "-m", "begin"]);
    patina(path, &["hook", "install"]);
    patina(path, &["reindex"]);
    git(path, &["checkout", "-q", "-b", "other"]);
    write(path, "there");
    git(path, &["commit", "-q", "-m", "everything is another"]);
    let start = Instant::now();
    patina(path, &["status", "--wait"]);
    println!("taken in at first      {:7.1} ms", start.elapsed().as_secs_f64() * 1000.0);
    let events = events(path);

    let mut times = [const { Vec::new() }; ASKED.len()];
    for run in 0..runs * ASKED.len() {
        // The branch and the command alternate, so that each command runs after switches in both directions.
        let branch = ["main", "other"][run % 2];
        git(path, &["checkout", "-q", branch]);
        let start = Instant::now();
        let answer = patina(path, ASKED[run % ASKED.len()]);
        times[run % ASKED.len()].push(start.elapsed().as_secs_f64() * 1000.0);
        let as_of = answer["as_of"].as_str().or(answer["indexed_commit"].as_str()).unwrap_or_default();
        assert_eq!(as_of, git(path, &["rev-parse", "HEAD"]).trim(), "the answer is as of {branch}");
        // The worker exits meanwhile, as it would while a person reads the answer.
        std::thread::sleep(READS);
    }
    for (asked, times) in ASKED.iter().zip(&mut times) {
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        println!(
            "{:22} n {:3}  p50 {:7.1} ms  p95 {:7.1} ms  worst {:7.1} ms",
            asked[..2].join(" "),
            times.len(),
            at(0.5),
            at(0.95),
            at(1.0)
        );
    }
    assert_eq!(self::events(path), events, "a switch between what is known appends nothing");
}

/// Writes five thousand functions that the other branch does not have.
fn write(path: &Path, side: &str) {
    for file in 0..FILES {
        let functions = (0..FUNCTIONS).map(|at| {
            format!("/// Counts what is {side}, {at} of {file}.\npub fn f{file}_{at}(value: usize) -> usize {{\n    {side}(value + {at})\n}}\n\n")
        });
        std::fs::write(path.join(format!("src/file{file}.rs")), functions.collect::<String>()).expect("a file");
    }
    git(path, &["add", "."]);
}

/// Counts the events in the log.
fn events(path: &Path) -> u64 {
    let events = patina(path, &["status"])["events"].clone();
    events.as_object().expect("counts").values().filter_map(Value::as_u64).sum()
}

fn git(path: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Bench", "-c", "user.email=bench@example.org", "-c", "gc.auto=0"]).args(arguments);
    let output = command
        .current_dir(path)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("PATINA_DATA_DIR", path.join(".git/no-model"))
        .stdin(Stdio::null())
        .output()
        .expect("git runs");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn patina(path: &Path, arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_patina"))
        .args(["--json", "--quiet"])
        .args(arguments)
        .current_dir(path)
        .env("PATINA_DATA_DIR", path.join(".git/no-model"))
        .output()
        .expect("patina runs");
    assert!(output.status.success(), "patina {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}
