//! SQLite: how files are opened, and how a schema moves forward. Refuses to know what is in them.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags};

use crate::error::{Exit, UserError};

/// The WAL-reset bug was mended in 3.51.3; an older library could lose acknowledged events.
const OLDEST_SQLITE: i32 = 3_051_003;

/// How long a writer waits for another one. The worker's lock keeps writers apart, so a wait this long
/// means a stranger holds the file.
const BUSY: Duration = Duration::from_secs(10);

/// What a crash of the machine may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was committed: for what cannot be derived again.
    Full,
    /// The newest commits, never consistency: for caches.
    Normal,
}

/// Opens or creates a file for writing, in WAL mode unless the file system has no shared memory.
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

/// Opens a file that must exist, for reading only.
pub fn open_read_only(path: &Path) -> Result<Connection> {
    assert_version()?;
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI,
    )
    .with_context(|| format!("opening {}", path.display()))?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

/// Moves a schema forward: runs the migrations that the file has not seen, in one exclusive
/// transaction. The list is the schema's history and only grows.
///
/// # Errors
/// A [`UserError`] where the file was written by a newer patina.
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

/// Refuses a file whose schema is newer than this program's.
pub fn refuse_newer(name: &str, version: usize, known: usize) -> Result<()> {
    if version > known {
        let message = format!("{name} was written by a newer patina (schema {version}, this one knows {known})");
        return Err(UserError::new(Exit::Unverified, message)
            .hint("install the newer patina again, or move the file away")
            .into());
    }
    Ok(())
}

/// Numbers as one parameter, for `IN (SELECT value FROM json_each(:list))`: many rows at once cost a fraction of one
/// statement for each.
pub fn list(numbers: &[i64]) -> String {
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

/// Whether SQLite found a file damaged.
pub fn is_damage(error: &anyhow::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    let code = error.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code);
    matches!(code, Some(DatabaseCorrupt | NotADatabase))
}

fn assert_version() -> Result<()> {
    let version = rusqlite::version_number();
    anyhow::ensure!(version >= OLDEST_SQLITE, "SQLite {} is linked, 3.51.3 is needed", rusqlite::version());
    Ok(())
}

/// Whether the file system under a path can share memory between processes, which WAL needs. Reads
/// `mountinfo`, the text of `/proc/self/mountinfo`; the longest mount point above the path decides.
pub fn wal_works(mountinfo: &str, path: &Path) -> bool {
    let mount = mountinfo.lines().filter_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let point = before.split(' ').nth(4)?.replace("\\040", " ");
        path.starts_with(&point).then(|| (point.len(), after.split(' ').next().unwrap_or_default().to_string()))
    });
    let kind = mount.max_by_key(|(length, _)| *length).map(|(_, kind)| kind).unwrap_or_default();
    !matches!(kind.as_str(), "9p" | "nfs" | "nfs4" | "cifs" | "smb3" | "smbfs" | "fuse.sshfs" | "afs" | "ncpfs")
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
            let info = "21 1 8:1 / / rw - ext4 /dev/a rw\n35 21 0:31 / /home/me rw,relatime shared:1 - nfs4 host:/x rw\n40 21 0:32 / /home/me/a\\040b rw - ext4 /dev/b rw";
            assert_eq!(wal_works(info, Path::new(path)), expect, "{path}");
        };
        check("/srv/repo", true);
        check("/home/me/repo", false);
        check("/home/me/a b/repo", true);
        check("/home/mexico", true);
    }
}
