//! Tests of hooks with the real git, and with a substitute for patina that records how it was called. No test reads the
//! configuration or the home directory of the user who runs it.

mod behaviour;
mod places;

use super::*;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A path with characters that break careless quoting; all paths of these tests contain it.
const ODD: &str = "it's a \"path\" $HOME `x` \\ é";

struct Repo {
    _temp: TempDir,
    root: PathBuf,
    work: PathBuf,
    site: HookSite,
}

impl Repo {
    fn new() -> Repo {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let root = temp.path().join(ODD);
        let work = root.join("work");
        fs::create_dir_all(&work).expect("a folder");
        let common_dir = work.join(".git");
        let site = HookSite {
            hooks_dir: common_dir.join("hooks"),
            hooks_path_setting: None,
            hooks_path_is_ours_to_write: true,
            state_dir: common_dir.join("patina"),
            common_dir,
            git_version: (2, 47, 3),
            program: root.join("bin").join("patina"),
        };
        let repo = Repo { _temp: temp, root, work, site };
        repo.git(&["init", "-q", "-b", "main", "--template="]);
        repo.patina("");
        repo
    }

    /// Installs a substitute that records its arguments and then runs `then`.
    fn patina(&self, then: &str) {
        let text = format!("#!/bin/sh\necho \"$@\" >>\"${{0%/*}}/calls\"\n{then}\n");
        put(&self.site.program, &text, 0o755);
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(&self.work);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", &self.root).env("LC_ALL", "C");
        for (name, value) in [
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "A"),
            ("GIT_AUTHOR_EMAIL", "a@example.com"),
            ("GIT_COMMITTER_NAME", "A"),
            ("GIT_COMMITTER_EMAIL", "a@example.com"),
        ] {
            command.env(name, value);
        }
        command
    }

    fn git(&self, args: &[&str]) -> Output {
        let output = self.command("git").args(args).output().expect("git runs");
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    fn commit(&self) -> Output {
        self.git(&["commit", "-q", "--allow-empty", "-m", "x"])
    }

    fn hook(&self, event: &str) -> PathBuf {
        self.site.hooks_dir.join(event)
    }

    fn write_hook(&self, event: &str, text: &str) -> PathBuf {
        put(&self.hook(event), text, 0o750);
        self.hook(event)
    }

    fn install(&self) -> Vec<HookReport> {
        install(&self.site, Method::Auto).expect("installs")
    }

    /// Returns the calls of the substitute, once there are `n` of them.
    fn calls(&self, n: usize) -> Vec<String> {
        let start = Instant::now();
        loop {
            let text = fs::read_to_string(self.root.join("bin").join("calls")).unwrap_or_default();
            let calls: Vec<String> = text.lines().map(str::to_owned).collect();
            if calls.len() >= n || start.elapsed() > Duration::from_secs(10) {
                return calls;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn put(path: &Path, text: &str, mode: u32) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(path, text).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

fn states(states: &[HookReport]) -> Vec<HookState> {
    states.iter().map(|hook| hook.state).collect()
}

fn snapshot(folder: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let meta = entry.metadata().expect("a stat");
        let text = fs::read(entry.path()).unwrap_or_default();
        files.push((entry.path(), meta.permissions().mode(), text));
    }
    files.sort();
    files
}
