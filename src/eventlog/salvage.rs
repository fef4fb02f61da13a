//! Recovers the rows of a damaged log into a new one. Every byte offset of every page is tried as the start of a row of
//! `event`, whether or not the B-tree still leads there; rows whose checksum matches are kept.
//!
//! Invariants: the damaged file is kept under another name, and no row is reconstructed by guessing.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use rusqlite::{Connection, TransactionBehavior, named_params};

use super::{INSERT, MIGRATIONS, SET_LIVE, row_sum};
use crate::event::{Idem, Seq};
use crate::facts::ERASED;
use crate::fail;
use crate::sqlite::{self, Durability};

/// Page size in bytes: SQLite's default, with which every log was created.
const PAGE: usize = 4096;
const WAL_HEADER: u64 = 32;
const WAL_FRAME: u64 = 24;
/// The result of a salvage.
#[derive(Debug, PartialEq, Eq)]
pub struct Salvaged {
    /// Number of rows recovered into the new log.
    pub rows: u64,
    /// Path under which the damaged file is kept, unchanged.
    pub kept: PathBuf,
}

/// Replaces a damaged log by a new one that holds every row whose checksum matches; the damaged file is kept beside it.
///
/// The caller holds the lock. After an interruption the old log is still in place, or the next run that opens the log
/// completes the replacement by [`finish`].
pub fn salvage(path: &Path) -> Result<Salvaged> {
    let building = path.with_extension("salvaged");
    remove(&building)?;
    let rows = rescue(path, &building)?;
    fail::point("events saved")?;
    File::open(&building)?.sync_all()?;
    let kept = kept_name(path)?;
    std::fs::rename(&building, next(path)).context("putting the salvaged log in place")?;
    fail::point("salvage ready")?;
    finish(path)?;
    Ok(Salvaged { rows, kept })
}

/// Creates an empty log atomically: a concurrent reader sees no log, or one with all its tables.
pub fn begin(path: &Path) -> Result<()> {
    let building = path.with_extension("begun");
    remove(&building)?;
    let mut connection = sqlite::open(&building, Durability::Full, false)?;
    sqlite::migrate(&mut connection, "eventlog.db", MIGRATIONS)?;
    connection.close().map_err(|(_, error)| error)?;
    std::fs::rename(&building, next(path)).context("putting a new log in place")?;
    fail::point("log begun")?;
    finish(path)
}

/// Moves a prepared log into place, and keeps the one that was there; completes an interrupted earlier attempt.
pub fn finish(path: &Path) -> Result<()> {
    if !next(path).exists() {
        return Ok(());
    }
    if path.exists() {
        let kept = kept_name(path)?;
        for ending in ["", "-wal"] {
            let (from, to) = (with_ending(path, ending), with_ending(&kept, ending));
            match std::fs::hard_link(&from, &to) {
                Err(error) if from.exists() && !to.exists() => {
                    return Err(error).with_context(|| format!("keeping {}", from.display()));
                }
                _ => {}
            }
        }
        sync_folder(path)?;
        fail::point("damaged log kept")?;
    }
    // SQLite would apply a leftover write-ahead log to the new file.
    for ending in ["-wal", "-shm", "-journal", ".seal"] {
        remove(&with_ending(path, ending))?;
    }
    fail::point("damaged log emptied")?;
    std::fs::rename(next(path), path).context("putting the salvaged log in place")?;
    sync_folder(path)
}

fn next(path: &Path) -> PathBuf {
    path.with_extension("next")
}

/// Returns the name of the kept file, with its modification time, so that all attempts at a salvage use the same name.
fn kept_name(path: &Path) -> Result<PathBuf> {
    let written = std::fs::metadata(path)?.modified()?.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
    Ok(path.with_extension(format!("damaged-{written}.db")))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn sync_folder(path: &Path) -> Result<()> {
    Ok(File::open(path.parent().context("the log is in a folder")?)?.sync_all()?)
}

/// Writes every row whose checksum matches into a new log, and returns their number.
fn rescue(path: &Path, into: &Path) -> Result<u64> {
    let mut connection = sqlite::open(into, Durability::Full, false)?;
    sqlite::migrate(&mut connection, "eventlog.db", MIGRATIONS)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    Pages::open(path)?.each_row(|row| keep(&transaction, row))?;
    // A commit's ancestors may be among the lost rows, so the next run walks the whole history again.
    transaction.execute(SET_LIVE, named_params! {":key": "history_open", ":value": "1"})?;
    let rows: i64 = transaction.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?;
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(rows.unsigned_abs())
}

fn keep(transaction: &Connection, row: &SalvagedRow) -> Result<()> {
    let mut insert = transaction.prepare_cached(INSERT)?;
    insert.execute(named_params! {
        ":seq": row.seq, ":event_type": row.event_type, ":at": row.at, ":origin": row.origin,
        ":source_file": row.source_file, ":idem": row.idem.0, ":data": row.data, ":sum": row.sum,
    })?;
    // An older version of a page may still hold data that the user erased; the erased version wins.
    if row.data == ERASED {
        let sql = "UPDATE event SET data = :data, sum = :sum WHERE idem = :idem AND seq = :seq";
        let mut erase = transaction.prepare_cached(sql)?;
        erase.execute(named_params! {":data": row.data, ":sum": row.sum, ":idem": row.idem.0, ":seq": row.seq})?;
    }
    Ok(())
}

/// A row whose checksum matches.
struct SalvagedRow {
    seq: Seq,
    event_type: String,
    at: Option<i64>,
    origin: String,
    source_file: Option<String>,
    idem: Idem,
    data: String,
    sum: [u8; 16],
}

/// The pages of a database file and of its write-ahead log.
struct Pages {
    main: File,
    log: Option<File>,
    /// Size of both files in bytes, an upper bound on the length of a row.
    length: u64,
    /// Offset in the write-ahead log of the newest version of each page, by page number.
    newest: HashMap<u32, u64>,
    /// Offsets in the write-ahead log of all versions of all pages.
    frames: Vec<u64>,
}

impl Pages {
    fn open(path: &Path) -> Result<Self> {
        let main = File::open(path).with_context(|| format!("opening {}", path.display()))?;
        let log = File::open(with_ending(path, "-wal")).ok();
        let mut length = main.metadata()?.len();
        if let Some(log) = &log {
            length += log.metadata()?.len();
        }
        let mut pages = Pages { main, log, length, newest: HashMap::new(), frames: Vec::new() };
        if let Some(log) = &pages.log {
            let mut at = WAL_HEADER;
            let mut number = [0; 4];
            while log.read_exact_at(&mut number, at).is_ok() {
                pages.newest.insert(u32::from_be_bytes(number), at + WAL_FRAME);
                pages.frames.push(at + WAL_FRAME);
                at += WAL_FRAME + PAGE as u64;
            }
        }
        Ok(pages)
    }

    fn each_row(&self, mut visit: impl FnMut(&SalvagedRow) -> Result<()>) -> Result<()> {
        let mut page = [0; PAGE];
        let count = self.main.metadata()?.len().div_ceil(PAGE as u64);
        let main = (0..count).map(|number| (&self.main, number * PAGE as u64));
        let log = self.log.iter().flat_map(|log| self.frames.iter().map(move |at| (log, *at)));
        for (file, at) in main.chain(log) {
            let read = read_up_to(file, &mut page, at)?;
            for start in 0..read {
                if let Some(row) = self.row(&page[start..read]) {
                    visit(&row)?;
                }
            }
        }
        Ok(())
    }

    /// Parses the bytes of a page as a row; `None` if no row begins there.
    fn row(&self, cell: &[u8]) -> Option<SalvagedRow> {
        let (size, rest) = varint(cell)?;
        if !(48..self.length).contains(&size) {
            return None;
        }
        let (seq, rest) = varint(rest)?;
        let head = RecordHeader::read(rest, size)?;
        let size = usize::try_from(size).ok()?;
        let local = local_size(size);
        let start = rest.get(..local)?;
        if local == size {
            return head.row(seq.cast_signed(), start);
        }
        let first = u32::from_be_bytes(rest.get(local..local + 4)?.try_into().ok()?);
        // An overflow page in the write-ahead log may be newer, or belong to another row; the checksum decides.
        [true, false].into_iter().find_map(|newest| {
            let mut payload = start.to_vec();
            self.follow(first, size, newest, &mut payload)?;
            head.row(seq.cast_signed(), &payload)
        })
    }

    /// Appends the rest of a long row by following its chain of overflow pages.
    fn follow(&self, first: u32, size: usize, newest: bool, payload: &mut Vec<u8>) -> Option<()> {
        let mut number = first;
        while payload.len() < size {
            let mut page = [0; PAGE];
            match self.log.as_ref().zip(self.newest.get(&number)).filter(|_| newest) {
                Some((log, at)) => log.read_exact_at(&mut page, *at).ok()?,
                None => self.main.read_exact_at(&mut page, u64::from(number.checked_sub(1)?) * PAGE as u64).ok()?,
            }
            number = u32::from_be_bytes(page[..4].try_into().ok()?);
            let rest = (size - payload.len()).min(PAGE - 4);
            payload.extend_from_slice(&page[4..4 + rest]);
        }
        Some(())
    }
}

fn read_up_to(file: &File, page: &mut [u8], at: u64) -> Result<usize> {
    let mut read = 0;
    while read < page.len() {
        match file.read_at(&mut page[read..], at + read as u64)? {
            0 => break,
            more => read += more,
        }
    }
    Ok(read)
}

/// The header of a SQLite record: the serial types, and thereby the lengths, of its columns.
///
/// Columns: `seq` (NULL, as it is the rowid), `event_type`, `at`, `origin`, `source_file`, `idem`, `data`, `sum`.
struct RecordHeader {
    length: usize,
    types: [u64; 8],
}

const TEXT: u64 = 13;
const SIXTEEN_BYTES: u64 = 12 + 2 * 16;

impl RecordHeader {
    /// Parses the header of a record of `size` bytes; `None` if it is no row of `event`.
    fn read(record: &[u8], size: u64) -> Option<Self> {
        let (length, mut rest) = varint(record)?;
        if !(9..=40).contains(&length) {
            return None;
        }
        let before = rest.len();
        let mut types = [0; 8];
        for each in &mut types {
            (*each, rest) = varint(rest)?;
        }
        let is_text = |of: u64| of >= TEXT && of % 2 == 1;
        let is_row = types[0] == 0
            && is_text(types[1])
            && (types[2] <= 6 || types[2] == 8 || types[2] == 9)
            && is_text(types[3])
            && (types[4] == 0 || is_text(types[4]))
            && types[5] == SIXTEEN_BYTES
            && is_text(types[6])
            && types[7] == SIXTEEN_BYTES
            && (before - rest.len() + 1) as u64 == length;
        let content: u64 = types.iter().map(|each| length_of(*each)).fold(0, u64::saturating_add);
        (is_row && content.checked_add(length)? == size).then_some(RecordHeader { length: length as usize, types })
    }

    fn row(&self, seq: Seq, payload: &[u8]) -> Option<SalvagedRow> {
        let mut rest = payload.get(self.length..)?;
        let mut column = |index: usize| -> Option<&[u8]> {
            let (column, after) = rest.split_at_checked(usize::try_from(length_of(self.types[index])).ok()?)?;
            rest = after;
            Some(column)
        };
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_string);
        let event_type = text(column(1)?)?;
        let at = integer(self.types[2], column(2)?);
        let origin = text(column(3)?)?;
        let source = text(column(4)?)?;
        let source_file = (self.types[4] != 0).then_some(source);
        let idem = Idem(column(5)?.try_into().ok()?);
        let data = text(column(6)?)?;
        let sum = column(7)?.try_into().ok()?;
        let expect = row_sum(seq, &event_type, at, &origin, source_file.as_deref(), &idem, &data);
        (sum == expect).then_some(SalvagedRow { seq, event_type, at, origin, source_file, idem, data, sum })
    }
}

/// Returns the length in bytes of a column with this serial type.
fn length_of(of: u64) -> u64 {
    match of {
        0 | 8 | 9 => 0,
        1..=4 => of,
        5 => 6,
        6 | 7 => 8,
        _ => (of - 12) / 2,
    }
}

fn integer(of: u64, bytes: &[u8]) -> Option<i64> {
    match of {
        0 => None,
        8 => Some(0),
        9 => Some(1),
        _ => {
            let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
            Some(bytes.iter().fold(if negative { -1 } else { 0 }, |number, byte| number << 8 | i64::from(*byte)))
        }
    }
}

/// Returns how many bytes of a record are on the leaf page itself, by the SQLite file format; the rest overflows.
fn local_size(size: usize) -> usize {
    let most = PAGE - 35;
    if size <= most {
        return size;
    }
    let least = (PAGE - 12) * 32 / 255 - 23;
    let wanted = least + (size - least) % (PAGE - 4);
    if wanted <= most { wanted } else { least }
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(9) {
        if index == 8 {
            return Some((value << 8 | u64::from(*byte), &bytes[9..]));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}
