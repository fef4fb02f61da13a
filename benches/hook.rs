//! Cost of the hooks: `git commit` without a hook, with an empty shell hook, and with patina's, in turn; a rebase of
//! 100 commits without and with patina, and how often the worker ran; and `session end` while the agent keeps its pipe
//! open.
//!
//! `cargo bench --bench hook -- [RUNS]`

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

fn main() {
    let runs: usize = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(40);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let repositories = ["none", "empty", "patina"].map(|name| {
        let path = folder.path().join(name);
        std::fs::create_dir(&path).expect("a folder");
        git(&path, &["init", "-q", "-b", "main"]);
        std::fs::write(path.join("file.txt"), "begin\n").expect("a file");
        git(&path, &["add", "."]);
        git(&path, &["commit", "-q", "-m", "begin"]);
        path
    });
    let empty = repositories[1].join(".git/hooks/post-commit");
    std::fs::create_dir_all(empty.parent().expect("hooks")).expect("a folder");
    std::fs::write(&empty, "#!/bin/sh\n").expect("a hook");
    std::fs::set_permissions(&empty, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a mode");
    patina(&repositories[2], &["hook", "install"]);
    patina(&repositories[2], &["reindex"]);

    let mut times = [const { Vec::new() }; 3];
    for run in 0..runs {
        for (path, times) in repositories.iter().zip(&mut times) {
            std::fs::write(path.join("file.txt"), format!("run {run}\n")).expect("a file");
            let start = Instant::now();
            git(path, &["commit", "-q", "-a", "-m", "run"]);
            times.push(start.elapsed().as_secs_f64() * 1000.0);
        }
        // Waits for the worker, so that it does not slow down the next run.
        patina(&repositories[2], &["status", "--wait"]);
    }
    for (name, times) in ["no hook", "empty shell hook", "patina"].iter().zip(&mut times) {
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        println!("captured git commit, {name:16}  p50 {:6.2} ms  p95 {:6.2} ms", at(0.5), at(0.95));
    }
    for path in [&repositories[0], &repositories[2]] {
        rebase(path);
    }
    session_end(&repositories[2], folder.path(), runs);
}

fn session_end(path: &Path, home: &Path, runs: usize) {
    let own = |name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_patina"));
        command.current_dir(path).env("HOME", home).env("PATINA_DATA_DIR", home.join("data"));
        command.env_remove("CLAUDE_CONFIG_DIR").args(name.split(' '));
        command
    };
    let installed = own("hook install --agent claude --yes").output().expect("patina runs");
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    let transcript = home.join(".claude/projects/-bench/1.jsonl");
    std::fs::create_dir_all(transcript.parent().expect("a folder")).expect("a folder");
    std::fs::write(&transcript, "{}\n").expect("a transcript");
    let (cwd, transcript) = (path.display(), transcript.display());
    let message = format!(r#"{{"cwd":"{cwd}","transcript_path":"{transcript}","hook_event_name":"Stop"}}"#);
    let mut times: Vec<f64> = Vec::new();
    for _ in 0..runs {
        let start = Instant::now();
        let mut command = own("session end --agent claude");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("patina starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(message.as_bytes()).expect("it is read");
        let ended = child.wait_with_output().expect("it ends");
        times.push(start.elapsed().as_secs_f64() * 1000.0);
        assert!(ended.status.success());
        // Waits for the worker, so that it does not slow down the next run.
        patina(path, &["status", "--wait"]);
    }
    let letters = std::fs::read_dir(path.join(".git/patina/inbox")).expect("an inbox").count();
    assert!(letters <= 1, "one session is one letter");
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("session end, stdin left open           p50 {:6.2} ms  p95 {:6.2} ms", at(0.5), at(0.95));
}

fn rebase(path: &Path) {
    git(path, &["checkout", "-q", "-b", "side", "HEAD~1"]);
    for index in 0..100 {
        std::fs::write(path.join(format!("side-{index}.txt")), "side\n").expect("a file");
        git(path, &["add", "."]);
        git(path, &["commit", "-q", "-m", "side"]);
    }
    let log = path.join(".git/patina/patina.log");
    let caught_up = || std::fs::read_to_string(&log).unwrap_or_default().matches("caught up").count();
    let has_patina = log.exists();
    if has_patina {
        patina(path, &["status", "--wait"]);
    }
    let before = caught_up();
    let start = Instant::now();
    git(path, &["rebase", "-q", "main"]);
    let seconds = start.elapsed().as_secs_f64();
    if has_patina {
        patina(path, &["status", "--wait"]);
        let indexed = start.elapsed().as_secs_f64();
        println!(
            "rebase of 100 with patina {seconds:.2} s, indexed after {indexed:.2} s, worker runs {}",
            caught_up() - before
        );
    } else {
        println!("rebase of 100 without     {seconds:.2} s");
    }
}

fn git(path: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Bench", "-c", "user.email=bench@example.org", "-c", "gc.auto=0"]).args(arguments);
    let output = command
        .current_dir(path)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::null())
        .output()
        .expect("git runs");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn patina(path: &Path, arguments: &[&str]) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_patina")).current_dir(path).args(arguments).output().expect("patina runs");
    assert!(output.status.success(), "patina {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
