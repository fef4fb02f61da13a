//! Opens and migrates SQLite files, and seals those that are not open for writing.
//!
//! A seal records the size and modification time of a closed file. A file that does not match its seal was written to
//! by another program.
//!
//! Invariant: nothing here depends on what the files contain.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags, named_params};

use crate::error::{Exit, UserError};

/// Oldest SQLite accepted: the WAL-reset bug, which could lose acknowledged events, was fixed in 3.51.3.
const OLDEST_SQLITE: i32 = 3_051_003;

/// How long a writer waits for another one.
///
/// The worker's lock keeps patina's writers apart, so a wait this long means that another program holds the file.
const BUSY: Duration = Duration::from_secs(10);

/// Which transactions a power cut may lose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// None that was committed. For data that cannot be derived again.
    Full,
    /// The newest ones; the file stays consistent. For caches.
    Normal,
}

/// Opens or creates a database for writing, in WAL mode unless the file system has no shared memory.
pub fn open(path: &Path, durability: Durability, wal: bool) -> Result<Connection> {
    assert_version()?;
    let connection = Connection::open(path).with_context(|| format!("opening {}", path.display()))?;
    connection.busy_timeout(BUSY)?;
    let journal = if wal { "WAL" } else { "TRUNCATE" };
    connection.pragma_update(None, "journal_mode", journal)?;
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "foreign_keys", "OFF")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// Opens an existing database for reading only.
pub fn open_read_only(path: &Path) -> Result<Connection> {
    assert_version()?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    read_shared_or_immutable(path, |uri| {
        let connection = Connection::open_with_flags(uri, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_query_value(None, "schema_version", |_| Ok(()))?;
        Ok(connection)
    })
}

/// Attaches an existing database for reading only.
pub fn attach_read_only(connection: &Connection, path: &Path, name: &str) -> Result<()> {
    read_shared_or_immutable(path, |uri| {
        connection.execute("ATTACH DATABASE :file AS :name", named_params! {":file": uri, ":name": name})?;
        let read = connection.pragma_query_value(Some(name), "schema_version", |_| Ok(()));
        if read.is_err() {
            connection.execute("DETACH DATABASE :name", named_params! {":name": name})?;
        }
        read
    })
}

/// Reads a database that others may write to, or as immutable if its folder cannot be written.
///
/// WAL needs a shared-memory file beside the database. A folder that cannot be written does not get one; the file there
/// is read as it is, if nothing is left in the write-ahead log.
fn read_shared_or_immutable<T>(path: &Path, read: impl Fn(&str) -> rusqlite::Result<T>) -> Result<T> {
    let uri = format!("file:{}?mode=ro", encode_uri(path));
    let why = match read(&uri) {
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::CannotOpen) => error,
        outcome => return outcome.with_context(|| format!("opening {}", path.display())),
    };
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    match std::fs::metadata(&log) {
        Ok(log) if log.len() > 0 => {
            let message = format!(
                "{} cannot be read: part of it is still in its write-ahead log, and its folder is read-only",
                path.display()
            );
            Err(UserError::new(Exit::NotSetUp, message)
                .hint("run `patina status` once as a user who may write there")
                .into())
        }
        _ if !path.exists() => Err(why).with_context(|| format!("opening {}", path.display())),
        _ => read(&format!("{uri}&immutable=1")).with_context(|| format!("opening {}", path.display())),
    }
}

/// Encodes a path for a URI.
fn encode_uri(path: &Path) -> String {
    let mut out = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(char::from(*byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Migrates a schema: runs the migrations that the file has not seen, in one exclusive transaction.
///
/// The list is the schema's history and only grows.
///
/// # Errors
/// A [`UserError`] if the file was written by a newer patina.
pub fn migrate(connection: &mut Connection, name: &str, migrations: &[&str]) -> Result<()> {
    let seen =
        |connection: &Connection| connection.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0));
    let version = seen(connection)? as usize;
    refuse_newer(name, version, migrations.len())?;
    if version == migrations.len() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)?;
    let version = seen(&transaction)? as usize;
    for (index, migration) in migrations.iter().enumerate().skip(version) {
        transaction.execute_batch(migration).with_context(|| format!("{name}: migration {}", index + 1))?;
    }
    transaction.pragma_update(None, "user_version", migrations.len() as u32)?;
    transaction.commit()?;
    Ok(())
}

/// Returns an error if the schema of a file is newer than this program.
pub fn refuse_newer(name: &str, version: usize, known: usize) -> Result<()> {
    if version > known {
        let message = format!("{name} was written by a newer patina (schema {version}; this one reads up to {known})");
        return Err(UserError::new(Exit::Unverified, message).hint("update patina, or move the file away").into());
    }
    Ok(())
}

/// Formats numbers as a JSON array, one parameter for `IN (SELECT value FROM json_each(:list))`.
///
/// Selecting many rows with one statement is much faster than with a statement per row.
pub fn json_array(numbers: &[i64]) -> String {
    let mut text = String::with_capacity(2 + numbers.len() * 8);
    text.push('[');
    for (index, number) in numbers.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&number.to_string());
    }
    text.push(']');
    text
}

/// The error for a file that another program wrote to.
#[derive(Debug)]
pub struct Altered(PathBuf);

impl std::fmt::Display for Altered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} was changed by something other than patina", self.0.display())
    }
}

impl std::error::Error for Altered {}

/// Closes a database and seals it.
///
/// A write by another program, which does not remove the seal, is detected that way; SQLite itself has no checksums.
pub fn close(connection: Connection, path: &Path) -> Result<()> {
    // Do not wait for readers: what stays in the write-ahead log is found there.
    connection.busy_timeout(Duration::ZERO)?;
    fold(&connection)?;
    connection.close().map_err(|(_, error)| error).context("closing")?;
    let stamp = rest_stamp(path).with_context(|| format!("sealing {}", path.display()))?;
    std::fs::write(seal_path(path), stamp).with_context(|| format!("sealing {}", path.display()))
}

/// Folds the write-ahead log into its database (a SQLite checkpoint). If a reader prevents that, the log stays;
/// database and log are consistent together.
pub fn fold(connection: &Connection) -> Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).context("folding the write-ahead log in")
}

/// Removes the seal before the file is written to. A run that is killed leaves the file unsealed, but SQLite keeps it
/// consistent.
pub fn lift_seal(path: &Path) -> Result<()> {
    match std::fs::remove_file(seal_path(path)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("lifting the seal of {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Returns an error if a file does not match its seal.
///
/// # Errors
/// [`Altered`], which [`is_damage`] recognises.
pub fn refuse_altered(path: &Path) -> Result<()> {
    let look = || (std::fs::read_to_string(seal_path(path)).ok(), rest_stamp(path));
    let mut seen = look();
    while let (Some(seal), stamp) = &seen
        && Some(seal) != stamp.as_ref()
    {
        // A worker may open or close the file between two checks; only a persistent mismatch is a broken seal.
        std::thread::sleep(SEAL_RECHECK);
        let again = look();
        if again == seen {
            return Err(Altered(path.to_path_buf()).into());
        }
        seen = again;
    }
    Ok(())
}

/// Pause between two checks of a seal.
const SEAL_RECHECK: Duration = Duration::from_millis(5);

/// Returns the path of the seal file beside a database.
fn seal_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".seal");
    name.into()
}

/// Returns size and modification time of a file. Not the inode: a repository may be copied or moved with its times.
fn rest_stamp(path: &Path) -> Option<String> {
    let metadata = std::fs::metadata(path).ok()?;
    let changed = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!("{} {}\n", metadata.len(), changed.as_nanos()))
}

/// Returns whether an error says that a database is damaged.
pub fn is_damage(error: &anyhow::Error) -> bool {
    if error.is::<Altered>() {
        return true;
    }
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    let code = error.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code);
    matches!(code, Some(DatabaseCorrupt | NotADatabase))
}

/// Returns whether an error is due to the machine (disk full, locked), not to the content of the file.
pub fn is_transient(error: &anyhow::Error) -> bool {
    use rusqlite::ErrorCode::*;
    let code = error.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code);
    let passing = [
        SystemIoFailure,
        DiskFull,
        CannotOpen,
        DatabaseBusy,
        DatabaseLocked,
        ReadOnly,
        PermissionDenied,
        OutOfMemory,
        FileLockingProtocolFailed,
    ];
    code.is_some_and(|code| passing.contains(&code))
}

/// Checks the version of the linked SQLite.
fn assert_version() -> Result<()> {
    let version = rusqlite::version_number();
    anyhow::ensure!(version >= OLDEST_SQLITE, "SQLite {} is linked, 3.51.3 is needed", rusqlite::version());
    Ok(())
}

/// Returns whether the file system of a path supports memory shared between processes, which WAL needs.
///
/// Reads `mountinfo`, the text of `/proc/self/mountinfo`; the longest mount point above the path decides.
pub fn wal_works(mountinfo: &[u8], path: &Path) -> bool {
    // As bytes, because one mount point that is not UTF-8 must not hide all the others.
    let mount = mountinfo.split(|byte| *byte == b'\n').filter_map(|line| {
        let dash = line.windows(3).position(|window| window == b" - ")?;
        let point = unescape(line[..dash].split(|byte| *byte == b' ').nth(4)?);
        let kind = line[dash + 3..].split(|byte| *byte == b' ').next()?;
        path.starts_with(OsStr::from_bytes(&point)).then_some((point.len(), kind))
    });
    let kind = mount.max_by_key(|(length, _)| *length).map(|(_, kind)| kind).unwrap_or_default();
    !NETWORK_FILE_SYSTEMS.contains(&kind)
}

/// File systems whose files several machines may open, or that do not share memory between processes.
const NETWORK_FILE_SYSTEMS: [&[u8]; 17] = [
    b"9p",
    b"nfs",
    b"nfs4",
    b"cifs",
    b"smb3",
    b"smbfs",
    b"fuse.sshfs",
    b"afs",
    b"ncpfs",
    b"ceph",
    b"fuse.glusterfs",
    b"lustre",
    b"gpfs",
    b"beegfs",
    b"vboxsf",
    b"prl_fs",
    b"fuse.rclone",
];

/// Decodes a mount point, in which blanks, tabs, line ends and backslashes are written in octal.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let octal =
            after.get(..3).filter(|digits| *byte == b'\\' && digits.iter().all(|digit| (b'0'..=b'7').contains(digit)));
        match octal {
            Some(digits) => {
                out.push(digits.iter().fold(0_u8, |value, digit| value.wrapping_mul(8).wrapping_add(digit - b'0')));
                rest = &after[3..];
            }
            None => {
                out.push(*byte);
                rest = after;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_run_once_and_a_newer_file_is_refused() {
        let mut connection = Connection::open_in_memory().expect("memory");
        let steps = ["CREATE TABLE a(x INTEGER) STRICT", "ALTER TABLE a ADD COLUMN y INTEGER"];
        migrate(&mut connection, "t", &steps[..1]).expect("first");
        migrate(&mut connection, "t", &steps).expect("second");
        migrate(&mut connection, "t", &steps).expect("nothing to do");
        connection.execute("INSERT INTO a VALUES (1, 2)", []).expect("both columns are there");
        let error = migrate(&mut connection, "t", &steps[..1]).expect_err("newer");
        assert_eq!(error.downcast_ref::<UserError>().expect("for people").exit, Exit::Unverified);
    }

    #[test]
    fn a_network_file_system_has_no_wal() {
        let check = |path: &str, expect: bool| {
            let info = b"21 1 8:1 / / rw - ext4 /dev/a rw\n35 21 0:31 / /home/me rw,relatime shared:1 - nfs4 host:/x rw\n40 21 0:32 / /home/me/a\\040b rw - ext4 /dev/b rw\n41 21 0:33 / /mnt/\xff rw - ext4 /dev/c rw\n42 21 0:34 / /mnt/c\\134d\\012 rw - 9p x rw";
            assert_eq!(wal_works(info, Path::new(path)), expect, "{path}");
        };
        check("/srv/repo", true);
        check("/home/me/repo", false);
        check("/home/me/a b/repo", true);
        check("/home/mexico", true);
        check("/mnt/c\\d\n/repo", false);
    }
}
