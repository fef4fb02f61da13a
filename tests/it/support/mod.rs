//! A hermetic git repository with patina in it, independent of the configuration, home, clock and network of the user
//! who runs the tests.

mod answers;
mod audit;
mod model;
mod notes;
mod plan;
mod random;
mod secrets;
mod shim;

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;

pub use answers::{SEED, afresh, answers, assert_same, seed_rows};
pub use audit::{Heard, audit, column, commits, is_current, step, verified};
pub use model::{data_dir, mlx, own_data_dir, python};
pub use notes::note_elsewhere;
pub use plan::{Made, WORDS, about, linear};
pub use random::{Entry, Planned, Random, history, import};
pub use secrets::{Planted, held, secrets, standing};

/// The program under test.
pub const PATINA: &str = env!("CARGO_BIN_EXE_patina");

/// The time of the first git command; each later one is a minute later.
const EPOCH: i64 = 1_750_000_000;

/// The time limit of polling.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Settings for every git command: no background work that outlives a test, no `fsync`.
const SETTINGS: &[(&str, &str)] = &[
    ("init.defaultBranch", "main"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("core.fsync", "none"),
    ("protocol.file.allow", "always"),
    ("advice.detachedHead", "false"),
    ("uploadpack.allowFilter", "true"),
];

/// A repository in a temporary folder, or one of its linked worktrees.
pub struct TestRepo {
    root: Rc<TempDir>,
    /// The worktree, or the bare repository.
    pub path: PathBuf,
    rings: bool,
    clock: Rc<Cell<i64>>,
    variables: Vec<(String, String)>,
}

/// The result of a program.
#[derive(Debug)]
pub struct Ran {
    /// Exit code; -1 for a signal.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    /// Stdout before the conversion to UTF-8.
    pub bytes: Vec<u8>,
}

impl TestRepo {
    /// Creates an empty repository on `main`, with hooks disabled.
    pub fn new() -> Self {
        let repo = Self::folder();
        repo.git(&["init", "-q", "."]);
        repo
    }

    /// Creates a folder that is not a repository.
    pub fn folder() -> Self {
        let root = TempDir::new().expect("a temporary folder");
        let path = root.path().join("repo");
        for folder in ["repo", "home/.config", "template"] {
            fs::create_dir_all(root.path().join(folder)).expect("a folder");
        }
        TestRepo { root: Rc::new(root), path, rings: false, clock: Rc::new(Cell::new(EPOCH)), variables: Vec::new() }
    }

    /// Creates a repository with hooks installed and enabled.
    pub fn with_hooks() -> Self {
        let mut repo = Self::new();
        repo.rings = true;
        repo.patina(&["hook", "install"]);
        repo
    }

    /// Returns the same repository with another current folder.
    pub fn at(&self, path: impl Into<PathBuf>) -> TestRepo {
        TestRepo {
            root: self.root.clone(),
            path: path.into(),
            rings: self.rings,
            clock: self.clock.clone(),
            variables: self.variables.clone(),
        }
    }

    /// Returns the same repository with one more environment variable.
    pub fn with(&self, name: &str, value: &str) -> TestRepo {
        let mut repo = self.at(&self.path);
        repo.variables.push((name.to_string(), value.to_string()));
        repo
    }

    /// Returns the same repository with the model that `patina model prepare` fetched.
    pub fn with_model(&self) -> TestRepo {
        self.with("PATINA_DATA_DIR", &model::data_dir().display().to_string())
    }

    /// Copies the worktree and everything in it to a new folder.
    pub fn copy(&self) -> TestRepo {
        let repo = Self::folder();
        fs::remove_dir(&repo.path).expect("it is empty");
        let copied = ran(self.command("cp").arg("-a").arg(&self.path).arg(&repo.path));
        assert_eq!(copied.code, 0, "{}", copied.stderr);
        repo.clock.set(self.clock.get());
        TestRepo { rings: self.rings, variables: self.variables.clone(), ..repo }
    }

    /// Returns the same repository with hooks disabled (`PATINA=0`).
    pub fn silent(&self) -> TestRepo {
        let mut repo = self.at(&self.path);
        repo.rings = false;
        repo
    }

    /// Returns the same repository with hooks enabled.
    pub fn ringing(&self) -> TestRepo {
        let mut repo = self.at(&self.path);
        repo.rings = true;
        repo
    }

    /// Returns the temporary folder that contains everything.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// Returns a command in the worktree that inherits only `PATH` from the environment.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(&self.path).stdin(Stdio::null());
        command.env("PATH", path_without_patina());
        let home = self.root().join("home");
        command.env("XDG_CONFIG_HOME", home.join(".config")).env("HOME", home);
        command.env("GIT_TEMPLATE_DIR", self.root().join("template"));
        for (name, value) in [
            ("LC_ALL", "C"),
            ("TZ", "UTC"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_SYSTEM", "/dev/null"),
            ("GIT_EDITOR", "true"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_AUTHOR_NAME", "Ada"),
            ("GIT_AUTHOR_EMAIL", "ada@example.org"),
            ("GIT_COMMITTER_NAME", "Ada"),
            ("GIT_COMMITTER_EMAIL", "ada@example.org"),
        ] {
            command.env(name, value);
        }
        command.env("GIT_CONFIG_COUNT", SETTINGS.len().to_string());
        for (index, (key, value)) in SETTINGS.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{index}"), key).env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        let now = self.clock.get();
        command.env("GIT_AUTHOR_DATE", format!("{now} +0000")).env("GIT_COMMITTER_DATE", format!("{now} +0000"));
        if !self.rings {
            command.env("PATINA", "0");
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs git, which must succeed; its clock is a minute later on each run.
    pub fn git(&self, args: &[&str]) -> Ran {
        let ran = self.try_git(args);
        assert_eq!(ran.code, 0, "git {args:?}: {}{}", ran.stdout, ran.stderr);
        ran
    }

    /// Runs git.
    pub fn try_git(&self, args: &[&str]) -> Ran {
        self.clock.set(self.clock.get() + 60);
        ran(self.command("git").args(args))
    }

    /// Runs git with input on stdin, which must succeed, and returns its output without the line end.
    pub fn fed(&self, args: &[&str], input: &[u8]) -> String {
        let mut git = self.command("git");
        git.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = git.spawn().expect("git starts");
        child.stdin.take().expect("it is piped").write_all(input).expect("git reads");
        let ended = child.wait_with_output().expect("git ends");
        assert!(ended.status.success(), "git {args:?}");
        String::from_utf8_lossy(&ended.stdout).trim_end().to_string()
    }

    /// Runs patina, which must succeed.
    pub fn patina(&self, args: &[&str]) -> Ran {
        let ran = self.try_patina(args);
        assert_eq!(ran.code, 0, "patina {args:?}: {}{}", ran.stdout, ran.stderr);
        ran
    }

    /// Runs patina.
    pub fn try_patina(&self, args: &[&str]) -> Ran {
        ran(self.command(PATINA).args(args))
    }

    /// Returns patina's answer as JSON.
    pub fn json(&self, args: &[&str]) -> Value {
        let ran = self.patina(&[&["--json"], args].concat());
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("patina {args:?}: {error}\n{}", ran.stdout))
    }

    /// Indexes the repository in the foreground, and returns the number of events appended.
    pub fn reindex(&self) -> u64 {
        self.json(&["reindex"])["events_appended"].as_u64().expect("a number")
    }

    /// Writes a file in the worktree.
    pub fn write(&self, path: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path.join(OsStr::from_bytes(path.as_ref()));
        put(&path, text.as_ref(), 0o644);
        path
    }

    /// Commits everything in the worktree, and returns the commit id.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.head()
    }

    /// Writes and commits files, and returns the commit id.
    pub fn commit_files(&self, files: &[(&str, &str)], message: &str) -> String {
        for (path, text) in files {
            self.write(path, text);
        }
        self.commit(message)
    }

    /// Returns the commit at HEAD.
    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"]).stdout.trim().to_string()
    }

    /// Moves HEAD's branch without touching a file.
    pub fn stand_at(&self, commit: &str) {
        self.git(&["update-ref", "HEAD", commit]);
    }

    /// Returns the state folder.
    pub fn state(&self) -> PathBuf {
        let common = self.git(&["rev-parse", "--path-format=absolute", "--git-common-dir"]).stdout;
        Path::new(common.trim()).join("patina")
    }

    /// Returns the path of the cache in use.
    pub fn cache(&self) -> PathBuf {
        let folder = self.state().join("cache");
        folder.join(fs::read_to_string(folder.join("current")).expect("a cache is in use").trim())
    }

    /// Opens the event log as any SQLite client would.
    pub fn log(&self) -> Connection {
        let path = self.state().join("eventlog.db");
        Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the eventlog opens")
    }

    /// Returns one number from the event log.
    pub fn count(&self, sql: &str) -> i64 {
        self.log().query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Waits until HEAD is indexed and no worker runs.
    pub fn settle(&self) {
        self.patina(&["status", "--wait", "--timeout", "60"]);
        self.rest();
    }

    /// Copies the patina binary, so that a test can damage it. A child process makes the copy: a file that this process
    /// opens for writing is inherited by children of other tests, and could not be executed meanwhile.
    pub fn own_program(&self) -> PathBuf {
        let program = self.root().join("bin/patina");
        fs::create_dir_all(self.root().join("bin")).expect("a folder");
        let copied = ran(self.command("cp").arg(PATINA).arg(&program));
        assert_eq!(copied.code, 0, "{}", copied.stderr);
        program
    }

    /// Takes the worker's lock. Release it with `unlock`: closing the file is not enough, because a child that another
    /// test starts may have inherited it.
    pub fn lock(&self) -> File {
        let path = self.state().join("lock");
        let file = File::options().write(true).create(true).truncate(false).open(path).expect("the lock");
        file.lock().expect("it can be waited for");
        file
    }

    /// Waits until no process that was started here runs any more.
    pub fn rest(&self) {
        // Does not try the lock, because a worker that finds it taken exits and relies on its holder to look again.
        until("the worker to end", || !self.is_alive());
    }

    /// Returns whether a process runs with this repository's home folder, not counting `sleep`, which simulates a
    /// patina that hangs.
    fn is_alive(&self) -> bool {
        let home = [b"HOME=", self.root().as_os_str().as_bytes()].concat();
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
        processes.into_iter().any(|process| {
            let environment = fs::read(process.join("environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable.starts_with(&home))
                && !fs::read(process.join("cmdline")).unwrap_or_default().starts_with(b"sleep")
        })
    }
}

/// Returns `PATH` without folders that contain an installed patina, which hooks would find.
fn path_without_patina() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).filter(|folder| !folder.join("patina").exists());
    std::env::join_paths(folders).expect("the folders come out of such a path")
}

/// Polls until a condition holds, with a time limit.
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Reports what a test has tried, on its output and in a file that `tests/run` shows at its end.
pub fn figure(line: &str) {
    use std::io::Write as _;
    println!("{line}");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("figures.log");
    let mut file = File::options().append(true).create(true).open(path).expect("a file of the build");
    writeln!(file, "{line}").expect("it is written");
}

/// Writes a file with a mode, and creates its parent folders.
pub fn put(path: &Path, text: &[u8], mode: u32) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(path, text).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

/// Runs a command and waits for its result.
pub fn ran(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    Ran {
        code: status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
        bytes: stdout,
    }
}

/// Returns the texts of one field in a list of objects.
pub fn texts(list: &Value, field: &str) -> Vec<String> {
    let list = list.as_array().unwrap_or_else(|| panic!("a list of {field}: {list}"));
    list.iter().map(|one| one[field].as_str().unwrap_or_default().to_string()).collect()
}
