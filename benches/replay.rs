//! Replays a repository's newest commits one by one in a clone with hooks, with random rewrites in between, and
//! compares the result with a full rebuild. Exits with 1 on any difference. The given repository is not changed.
//!
//! `cargo bench --bench replay -- REPOSITORY [COMMITS] [REWRITES] [SEED]`; texts are embedded where `PATINA_DATA_DIR`
//! names a folder with a model.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// The number of commits between two verifications.
const SETTLE: usize = 50;

/// An xorshift64* generator: the same rewrites for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as usize % limit.max(1)
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let Some(origin) = arguments.first() else {
        println!("name a repository: cargo bench --bench replay -- REPOSITORY [COMMITS] [REWRITES] [SEED]");
        return ExitCode::SUCCESS;
    };
    let number = |at: usize, default: u64| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or(default);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.as_secs());
    let (commits, rewrites, seed) = (number(1, 300) as usize, number(2, 0) as usize, number(3, now));
    println!("{origin}: {commits} commits, {rewrites} rewrites, seed {seed}");
    let start = Instant::now();
    let mut replay = Replay::begin(origin, commits, seed);
    let mut due: Vec<usize> = (0..rewrites).map(|_| replay.random.below(replay.commits.len())).collect();
    due.sort_unstable();
    for index in 0..replay.commits.len() {
        let commit = replay.commits[index].clone();
        replay.again(&commit);
        for _ in due.iter().filter(|due| **due == index) {
            replay.rewrite();
        }
        if (index + 1) % SETTLE == 0 || index + 1 == replay.commits.len() {
            replay.settle_and_verify(index + 1);
        }
    }
    let kinds: Vec<String> = REWRITES.iter().zip(replay.done).map(|(kind, count)| format!("{count} {kind}")).collect();
    println!(
        "{} commits replayed, {} rewrites ({}; {} met a conflict and were aborted), {} verifications, {} unequal, {} worker runs, {:.0} s",
        replay.commits.len(),
        replay.done.iter().sum::<usize>(),
        kinds.join(", "),
        replay.aborted,
        replay.verified,
        replay.unequal,
        replay.runs(),
        start.elapsed().as_secs_f64()
    );
    if replay.unequal == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Kinds of rewrites that a person makes.
const REWRITES: [&str; 7] =
    ["amended", "rebased", "reset and redone", "cherry-picked", "branches switched", "reverted", "merged aside"];

struct Replay {
    /// The folder that contains everything; it is removed at the end.
    _folder: tempfile::TempDir,
    home: PathBuf,
    path: PathBuf,
    /// The commits to replay, oldest first.
    commits: Vec<String>,
    random: Random,
    done: [usize; REWRITES.len()],
    aborted: usize,
    verified: usize,
    unequal: usize,
}

impl Replay {
    /// Creates an indexed clone with hooks, at the commit before those to replay.
    fn begin(origin: &str, commits: usize, seed: u64) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (home, path) = (folder.path().join("home"), folder.path().join("repo"));
        std::fs::create_dir(&home).expect("a folder");
        let origin = std::fs::canonicalize(origin).expect("the repository is there");
        let url = format!("file://{}", origin.display());
        let mut replay = Replay {
            home,
            path: folder.path().to_path_buf(),
            _folder: folder,
            commits: Vec::new(),
            random: Random(seed * 2 + 1),
            done: [0; REWRITES.len()],
            aborted: 0,
            verified: 0,
            unequal: 0,
        };
        replay.git(&["clone", "-q", "--no-checkout", &url, "repo"]);
        replay.path = path;
        let listed = replay.git(&["rev-list", "--first-parent", &format!("--max-count={}", commits + 1), "HEAD"]);
        let mut listed: Vec<String> = listed.lines().rev().map(str::to_string).collect();
        assert!(listed.len() > 1, "there are commits to make again");
        let base = listed.remove(0);
        replay.commits = listed;
        replay.git(&["checkout", "-q", "-B", "replay", &base]);
        replay.patina(&["hook", "install"]);
        replay.patina(&["reindex"]);
        replay
    }

    /// Replays a commit on the current HEAD with the same tree, message, people and times, and for a merge the same
    /// second parent. If nothing was rewritten before, the result is the same commit.
    fn again(&mut self, commit: &str) {
        let shown = self.git(&["show", "-s", "--format=%cn%n%ce%n%cI%n%P", commit]);
        let lines: Vec<&str> = shown.lines().collect();
        let others: Vec<&str> = lines[3].split(' ').skip(1).collect();
        if !others.is_empty() {
            // The tree comes from `read-tree` below, not from the merge.
            self.git(&[&["merge", "-q", "--no-ff", "--no-commit", "-s", "ours"], others.as_slice()].concat());
        }
        self.git(&["read-tree", "-u", "--reset", commit]);
        let mut command = self.command("git");
        command.args(["commit", "-q", "--no-verify", "--allow-empty", "--allow-empty-message", "--cleanup=verbatim"]);
        command.args(["-C", commit]);
        for (name, value) in ["GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "GIT_COMMITTER_DATE"].iter().zip(&lines) {
            command.env(name, value);
        }
        succeeds(&mut command);
    }

    /// Makes one random rewrite. The next commit has its own tree, so any tree may be left behind.
    fn rewrite(&mut self) {
        let kind = self.random.below(REWRITES.len());
        self.done[kind] += 1;
        match kind {
            0 => drop(self.git(&["commit", "-q", "--amend", "--allow-empty", "-m", "said in other words"])),
            1 => {
                let backend = ["--merge", "--apply"][self.random.below(2)];
                self.or_abort(&["rebase", "-q", backend, "--force-rebase", "HEAD~3"], &["rebase", "--abort"]);
            }
            2 => {
                let tip = self.head();
                let redone = self.git(&["rev-list", "--first-parent", "--reverse", "HEAD~2..HEAD"]);
                let redone: Vec<String> = redone.lines().map(str::to_string).collect();
                self.git(&["reset", "-q", "--hard", "HEAD~2"]);
                if self.random.below(2) == 0 {
                    self.git(&["reset", "-q", "--hard", &tip]);
                } else {
                    redone.iter().rev().take(2).rev().for_each(|commit| self.again(commit));
                }
            }
            3 => {
                let tip = self.head();
                self.git(&["checkout", "-q", "-B", "picked", "HEAD~4"]);
                let mut picked = vec!["cherry-pick", "--allow-empty", "--keep-redundant-commits"];
                if self.is_merge(&tip) {
                    picked.extend(["-m", "1"]);
                }
                picked.push(&tip);
                self.or_abort(&picked, &["cherry-pick", "--abort"]);
                self.back();
            }
            4 => {
                let far = format!("HEAD~{}", 1 + self.random.below(40));
                self.git(&["checkout", "-q", "--detach", &far]);
                self.back();
            }
            5 => {
                let mut reverted = vec!["revert", "--no-edit"];
                let tip = self.head();
                if self.is_merge(&tip) {
                    reverted.extend(["-m", "1"]);
                }
                reverted.push(&tip);
                self.or_abort(&reverted, &["revert", "--abort"]);
            }
            _ => {
                let branch = format!("aside-{}", self.done[kind]);
                self.git(&["checkout", "-q", "-b", &branch, "HEAD~3"]);
                std::fs::write(self.path.join("aside.rs"), format!("fn {}() {{}}\n", branch.replace('-', "_")))
                    .expect("a file");
                self.git(&["add", "aside.rs"]);
                self.git(&["commit", "-q", "--no-verify", "-m", "aside"]);
                self.back();
                self.or_abort(&["merge", "-q", "--no-ff", "--no-edit", &branch], &["merge", "--abort"]);
            }
        }
    }

    fn back(&self) {
        self.git(&["checkout", "-q", "-f", "replay"]);
    }

    fn or_abort(&mut self, arguments: &[&str], abort: &[&str]) {
        let output = self.command("git").args(arguments).output().expect("git runs");
        if !output.status.success() {
            self.aborted += 1;
            self.git(abort);
        }
    }

    fn is_merge(&self, commit: &str) -> bool {
        self.git(&["rev-parse", &format!("{commit}^@")]).lines().count() > 1
    }

    fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"]).trim().to_string()
    }

    /// Waits for the worker, and compares the index with a full rebuild.
    fn settle_and_verify(&mut self, replayed: usize) {
        let start = Instant::now();
        self.patina(&["status", "--wait", "--timeout", "600"]);
        let waited = start.elapsed().as_secs_f64();
        let status: Value = serde_json::from_str(&self.patina(&["--json", "status"])).expect("JSON");
        assert_eq!(status["indexed_commit"].as_str(), Some(self.head().as_str()), "HEAD is indexed");
        let output = self.command(PATINA).args(["--json", "--quiet", "doctor", "--verify"]).output().expect("runs");
        let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        self.verified += 1;
        let is_equal = output.status.success() && said["equal"] == true;
        if !is_equal {
            self.unequal += 1;
            let talk = String::from_utf8_lossy(&output.stderr).into_owned();
            println!("after {replayed}: {} {}{talk}", output.status, said["differences"]);
        }
        let what = if is_equal { "equal" } else { "UNEQUAL" };
        println!("after {replayed}: indexed after {waited:.1} s, {what}, {:.1} s", start.elapsed().as_secs_f64());
    }

    /// Counts how often the worker finished an update.
    fn runs(&self) -> usize {
        let log = std::fs::read_to_string(self.path.join(".git/patina/patina.log")).unwrap_or_default();
        log.matches("caught up").count()
    }

    fn git(&self, arguments: &[&str]) -> String {
        succeeds(self.command("git").args(arguments))
    }

    fn patina(&self, arguments: &[&str]) -> String {
        succeeds(self.command(PATINA).args(arguments))
    }

    /// Returns a command that inherits only `PATH` and the model's folder from the environment.
    fn command(&self, program: &str) -> Command {
        let kept: Vec<(&str, OsString)> =
            ["PATH", "PATINA_DATA_DIR"].iter().filter_map(|name| Some((*name, std::env::var_os(name)?))).collect();
        let mut command = Command::new(program);
        command.env_clear().envs(kept).current_dir(&self.path).stdin(Stdio::null());
        command.env("HOME", &self.home).env("XDG_CONFIG_HOME", self.home.join("config"));
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null").env("GIT_EDITOR", "true");
        let settings = [("gc.auto", "0"), ("protocol.file.allow", "always"), ("advice.detachedHead", "false")];
        command.env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (index, (key, value)) in settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{index}"), key).env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "Bench").env(format!("GIT_{role}_EMAIL"), "bench@example.org");
        }
        command
    }
}

const PATINA: &str = env!("CARGO_BIN_EXE_patina");

fn succeeds(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?} {:?}: {talk}", command.get_program(), args_of(command));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn args_of(command: &Command) -> Vec<&Path> {
    command.get_args().map(Path::new).collect()
}
