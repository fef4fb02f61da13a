//! The state folder of a repository: the paths of its files, the write lock and the training lock, and the doorbell.
//!
//! Invariant: nothing here depends on what the files contain.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::config::Config;
use crate::error::{Exit, UserError};
use crate::event::hex;
use crate::fail;
use crate::git::clear_git_environment;
use crate::sqlite;

/// The state folder of one repository.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The absolute path of the folder.
    pub dir: PathBuf,
    /// Whether the file system supports SQLite's WAL mode, which needs memory shared between processes.
    pub wal: bool,
}

/// The write lock, held by the only process that writes. Released on drop, and if the process crashes.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// The training lock, held by the only process that trains, which need not hold the write lock. Released on drop, and
/// if the process crashes.
#[derive(Debug)]
pub struct TrainingLock {
    _file: File,
}

/// The size in bytes at which the doorbell file is truncated. Each ring is one byte.
const WAKE_LIMIT: u64 = 64 * 1024;
/// The byte of a ring from a process that waits for the result.
const HURRY: &[u8; 1] = b"!";
/// The size in bytes at which the log file is rotated; one older file is kept.
const LOG_LIMIT: u64 = 1 << 20;

impl Workspace {
    /// Locates the state folder: inside the common git directory, or where the user's settings say.
    pub fn locate(common_dir: &Path, config: &Config) -> Self {
        let dir = match &config.state_dir {
            Some(dir) => {
                let id = blake3::hash(common_dir.as_os_str().as_encoded_bytes());
                dir.join(&hex(id.as_bytes())[..16])
            }
            None => common_dir.join("patina"),
        };
        let mountinfo = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
        // Mount points are listed without symbolic links, and the folder itself may not exist yet.
        let real = dir.ancestors().find_map(|above| std::fs::canonicalize(above).ok());
        let wal = sqlite::wal_works(&mountinfo, real.as_deref().unwrap_or(&dir));
        Workspace { dir, wal }
    }

    /// Creates the folder, and the one for caches.
    ///
    /// # Errors
    /// A [`UserError`] if it cannot be written to.
    pub fn create(&self) -> Result<()> {
        let make = || -> std::io::Result<()> {
            let cache = self.cache_dir();
            let made: Vec<&Path> = cache.ancestors().take_while(|folder| !folder.exists()).collect();
            std::fs::create_dir_all(&cache)?;
            // A new folder survives a power failure only once its parent is synced.
            for parent in made.into_iter().filter_map(Path::parent) {
                File::open(parent)?.sync_all()?;
            }
            fail::point("state made")?;
            drop(OpenOptions::new().append(true).create(true).open(self.wake_path())?);
            Ok(())
        };
        make().map_err(|error| {
            let message = format!("{} cannot be written: {error}", self.dir.display());
            UserError::new(Exit::NotSetUp, message)
                .hint("make it writable, or set `state.dir` in the user configuration")
                .into()
        })
    }

    /// Returns the path of the event log.
    pub fn eventlog_path(&self) -> PathBuf {
        self.dir.join("eventlog.db")
    }

    /// Returns the folder of trained adapters. They are results, not a cache.
    pub fn adapters_dir(&self) -> PathBuf {
        self.dir.join("adapters")
    }

    /// Returns the file of evaluation results, one JSON object per line. They are results, not a cache.
    pub fn evaluations_path(&self) -> PathBuf {
        self.dir.join("evaluations.jsonl")
    }

    /// Returns the file with the hashes of forgotten texts, by which they are recognised and not read again. It must be
    /// kept.
    pub fn forgotten_path(&self) -> PathBuf {
        self.dir.join("forgotten")
    }

    /// Returns the file of consents: the agents whose transcripts may be read.
    pub fn agents_path(&self) -> PathBuf {
        self.dir.join("agents.toml")
    }

    /// Returns the folder of the records from which agents' settings files are restored.
    pub fn agent_records_dir(&self) -> PathBuf {
        self.dir.join("agents")
    }

    /// Returns the file with the paths of present and past worktrees, one per line. Transcripts that were written there
    /// are read.
    pub fn worktrees_path(&self) -> PathBuf {
        self.dir.join("worktrees")
    }

    /// Returns the inbox of session notices, one file each.
    pub fn inbox_dir(&self) -> PathBuf {
        self.dir.join("inbox")
    }

    /// Returns the database of embeddings by content hash, which all caches share.
    pub fn embeddings_path(&self) -> PathBuf {
        self.cache_dir().join("embeddings.db")
    }

    /// Returns the folder of everything that can be deleted and derived again.
    pub fn cache_dir(&self) -> PathBuf {
        self.dir.join("cache")
    }

    /// Returns the cache in use; `None` if there is none yet.
    pub fn cache_path(&self) -> Option<PathBuf> {
        let name = std::fs::read_to_string(self.cache_dir().join("current")).ok()?;
        let name = name.trim_end();
        let number = name.strip_prefix("cache-")?.strip_suffix(".db")?;
        number
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| self.cache_dir().join(name))
            .filter(|path| path.exists())
    }

    /// Returns the path for a new cache, to be built beside the one in use.
    pub fn next_cache_path(&self) -> Result<PathBuf> {
        let mut highest = 0;
        for entry in std::fs::read_dir(self.cache_dir())? {
            let name = entry?.file_name();
            let number =
                name.to_str().and_then(|name| name.strip_prefix("cache-")?.split('.').next()?.parse::<u64>().ok());
            highest = highest.max(number.unwrap_or(0));
        }
        Ok(self.cache_dir().join(format!("cache-{}.db", highest + 1)))
    }

    /// Publishes a cache by a single rename, and removes all others. Readers of an old one keep their open file.
    pub fn publish_cache(&self, path: &Path) -> Result<()> {
        let name = path.file_name().and_then(|name| name.to_str()).context("a cache has a name")?;
        write_atomically(&self.cache_dir().join("current"), format!("{name}\n").as_bytes())?;
        fail::point("cache switched")?;
        for entry in std::fs::read_dir(self.cache_dir())? {
            let other = entry?.file_name();
            let is_other = other.to_str().is_some_and(|other| other.starts_with("cache-") && !other.starts_with(name));
            if is_other {
                std::fs::remove_file(self.cache_dir().join(other))?;
                fail::point("old cache removed")?;
            }
        }
        Ok(())
    }

    /// Removes the cache in use; the next run builds a new one.
    pub fn drop_cache(&self) -> Result<()> {
        match std::fs::remove_file(self.cache_dir().join("current")) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Takes the write lock, if it is free.
    pub fn try_lock(&self) -> Result<Option<Lock>> {
        let file = self.lock_file("lock")?;
        fail::point("lock tried")?;
        Ok(try_acquire(&file)?.then_some(Lock { _file: file }))
    }

    /// Takes the training lock, if it is free. A process that holds both locks takes this one first.
    pub fn try_training_lock(&self) -> Result<Option<TrainingLock>> {
        let file = self.lock_file("training.lock")?;
        Ok(try_acquire(&file)?.then_some(TrainingLock { _file: file }))
    }

    /// Opens a lock file.
    fn lock_file(&self, name: &str) -> Result<File> {
        Ok(OpenOptions::new().write(true).create(true).truncate(false).open(self.dir.join(name))?)
    }

    /// Takes the write lock, and waits until it is free.
    ///
    /// # Errors
    /// A [`UserError`] with [`Exit::Locked`] after `timeout`.
    pub fn lock(&self, timeout: Duration, interrupted: impl Fn() -> bool) -> Result<Lock> {
        let start = Instant::now();
        loop {
            if let Some(lock) = self.try_lock()? {
                return Ok(lock);
            }
            if interrupted() {
                return Err(crate::error::interrupted().into());
            }
            if start.elapsed() > timeout {
                let message = format!(
                    "another patina process is working on this repository and did not finish within {} s",
                    timeout.as_secs()
                );
                return Err(UserError::new(Exit::Locked, message)
                    .hint("wait for it with `patina status --wait`")
                    .into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Rings the doorbell with one byte, so that a running worker checks the repository once more.
    pub fn ring(&self) -> Result<()> {
        let mut file = OpenOptions::new().append(true).open(self.wake_path())?;
        fail::point("ringing")?;
        file.write_all(b".").context("ringing the doorbell")
    }

    /// Rings, and asks the running worker not to wait for further rings, because somebody waits for the result.
    pub fn ring_urgently(&self) -> Result<()> {
        let mut file = OpenOptions::new().append(true).open(self.wake_path())?;
        file.write_all(HURRY).context("ringing the doorbell")
    }

    /// Returns whether the last ring was urgent.
    pub fn is_urgent(&self) -> bool {
        let last = || -> std::io::Result<[u8; 1]> {
            let (mut file, mut last) = (File::open(self.wake_path())?, [0]);
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            Ok(last)
        };
        last().is_ok_and(|last| last == *HURRY)
    }

    /// Returns the number of rings since the doorbell file was last truncated.
    pub fn rings(&self) -> u64 {
        std::fs::metadata(self.wake_path()).map_or(0, |metadata| metadata.len())
    }

    /// Truncates the doorbell file if it is long.
    ///
    /// Only the holder of the write lock may do this, and before checking the repository: that check then answers every
    /// earlier ring.
    pub fn truncate_rings(&self) -> Result<()> {
        fail::point("rings looked at")?;
        if self.rings() > WAKE_LIMIT {
            OpenOptions::new().write(true).truncate(true).open(self.wake_path())?;
        }
        Ok(())
    }

    /// Returns the error that the last worker ended with; `None` if it succeeded.
    pub fn last_error(&self) -> Option<String> {
        std::fs::read_to_string(self.dir.join("last_error"))
            .ok()
            .map(|text| text.trim().to_string())
            .filter(|text| !text.is_empty())
    }

    /// Stores or clears the error that the worker ended with.
    pub fn set_last_error(&self, error: Option<&str>) -> Result<()> {
        let path = self.dir.join("last_error");
        match error {
            Some(error) => write_atomically(&path, error.as_bytes()),
            None => match std::fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
                _ => Ok(()),
            },
        }
    }

    /// Returns the progress that the worker last wrote. It is valid only while some process holds the write lock.
    pub fn progress(&self) -> Option<String> {
        std::fs::read_to_string(self.dir.join("progress")).ok().filter(|text| !text.is_empty())
    }

    /// Writes the progress of the worker; `None` once it is done.
    pub fn set_progress(&self, progress: Option<&str>) {
        let path = self.dir.join("progress");
        // Progress is optional, and a folder that cannot be written to is reported elsewhere.
        let _ = match progress {
            Some(progress) => std::fs::write(path, progress),
            None => std::fs::remove_file(path),
        };
    }

    /// Opens the log file for appending, after rotating it if it is long.
    pub fn log_file(&self) -> Result<File> {
        let path = self.dir.join("patina.log");
        if std::fs::metadata(&path).is_ok_and(|metadata| metadata.len() > LOG_LIMIT) {
            std::fs::rename(&path, self.dir.join("patina.log.1"))?;
        }
        Ok(OpenOptions::new().append(true).create(true).open(path)?)
    }

    /// Returns whether the user switched off the hooks for this repository.
    pub fn is_disabled(&self) -> bool {
        self.dir.join("disabled").exists()
    }

    /// Starts the worker for a repository, detached from this process and its terminal.
    pub fn spawn_worker(common_dir: &Path) -> Result<()> {
        let mut command = detached_command()?;
        command.arg("worker").arg(common_dir).stdin(Stdio::null()).spawn().context("starting the worker")?;
        Ok(())
    }

    /// Returns the path of the doorbell file.
    fn wake_path(&self) -> PathBuf {
        self.dir.join("wake")
    }
}

/// Returns a command that starts patina detached, so that it outlives this process and its caller. The caller sets
/// stdin.
pub fn detached_command() -> Result<Command> {
    let mut command = Command::new(running_program()?);
    // The new process has another working directory, in which a relative path would name another file.
    if let Some(config) = std::env::var_os("PATINA_CONFIG") {
        command.env("PATINA_CONFIG", std::path::absolute(config)?);
    }
    clear_git_environment(&mut command);
    command.stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/").env("GIT_OPTIONAL_LOCKS", "0");
    Ok(command)
}

/// Tries to lock a file without waiting.
fn try_acquire(file: &File) -> Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error).context("locking"),
    }
}

/// Returns the path of patina's executable, which is started again as worker and as parser.
pub fn program() -> Result<PathBuf> {
    let program = std::env::current_exe().context("finding patina's own file")?;
    // On Linux, an executable that was replaced while running is reported with this suffix.
    let text = program.to_string_lossy();
    Ok(text.strip_suffix(" (deleted)").map_or(program.clone(), PathBuf::from))
}

/// Returns a path of the running executable that keeps working when the file is removed or replaced, on systems that
/// have such a path.
pub fn running_program() -> Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() { Ok(running.to_path_buf()) } else { program() }
}

/// Returns the device, inode, size and times of a file, which differ once it is written to or replaced.
pub fn file_stamp(metadata: &Metadata) -> String {
    let times = (metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec());
    format!("{}:{}:{}:{times:?}", metadata.dev(), metadata.ino(), metadata.size())
}

/// Makes a folder, and so its contents, accessible only to its owner.
///
/// # Errors
/// If its mode cannot be changed.
pub fn restrict_to_owner(folder: &Path) -> std::io::Result<()> {
    let mut permissions = std::fs::metadata(folder)?.permissions();
    permissions.set_mode(permissions.mode() & !0o077);
    std::fs::set_permissions(folder, permissions)
}

/// Replaces a file atomically: after a crash it has either the old content or the new one.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = path.with_extension(format!("tmp{}", std::process::id()));
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&temporary)?;
        fail::point("file begun")?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fail::point("file written")?;
        std::fs::rename(&temporary, path)?;
        fail::point("file renamed")?;
        if let Some(dir) = path.parent() {
            File::open(dir)?.sync_all()?;
        }
        Ok(())
    };
    write().with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ring_says_whether_somebody_waits() {
        let dir = tempfile::tempdir().expect("a folder");
        let workspace = Workspace { dir: dir.path().to_path_buf(), wal: true };
        workspace.create().expect("it can be made");
        assert!(!workspace.is_urgent(), "nobody rang");
        workspace.ring_urgently().expect("a ring");
        assert!(workspace.is_urgent());
        workspace.ring().expect("a ring");
        assert_eq!((workspace.is_urgent(), workspace.rings()), (false, 2));
    }
}
