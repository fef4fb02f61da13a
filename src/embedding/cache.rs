//! Embeddings by content: what was embedded once is never embedded again, whatever branch it is on. Each row carries
//! a checksum over its key and vector. Refuses to hand out a row that does not match it.

use std::path::{Path, PathBuf};

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, named_params};

use super::model::Identity;
use super::vector::{Embedding, Unit};
use crate::sqlite::{self, Durability};

const MIGRATIONS: &[&str] = &[
    "
CREATE TABLE embedding(key BLOB PRIMARY KEY, vector BLOB NOT NULL, sum BLOB NOT NULL) STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE life(id TEXT NOT NULL) STRICT;
INSERT INTO life(id) VALUES (hex(randomblob(16)));
",
];

/// The cache, open for one model.
#[derive(Debug)]
pub struct Embeddings {
    connection: Connection,
    path: PathBuf,
    identity: Identity,
    prefix: blake3::Hasher,
}

/// The file itself is damaged; it holds nothing that cannot be computed again.
#[derive(Debug)]
pub struct Damaged;

impl std::fmt::Display for Damaged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the cache of embeddings is damaged")
    }
}

/// What the cache holds for a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Cached {
    /// Its embedding.
    Known(Embedding),
    /// Nothing.
    Unknown,
    /// A row that is damaged; the next save replaces it.
    Damaged,
}

impl Embeddings {
    /// Opens or creates the cache. A file that cannot be read is made anew: it can be computed again.
    pub fn open(path: &Path, wal: bool, identity: &Identity) -> Result<Self> {
        // One that something else wrote to is looked at row by row, for the rows say themselves whether they are whole.
        if path.exists() && sqlite::refuse_altered(path).is_err() && !matches!(Self::verify(path), Ok((_, 0))) {
            tracing::warn!("the cache of embeddings is damaged and made anew");
            Self::remove(path);
        }
        let try_open = || -> Result<Connection> {
            sqlite::lift_seal(path)?;
            // What is kept elsewhere was made of these rows, so they reach the disk before it.
            let mut connection = sqlite::open(path, Durability::Full, wal)?;
            sqlite::migrate(&mut connection, "embeddings.db", MIGRATIONS)?;
            connection.query_row("SELECT count(*) FROM (SELECT 1 FROM embedding LIMIT 1)", [], |_| Ok(()))?;
            Ok(connection)
        };
        let connection = match try_open() {
            Ok(connection) => connection,
            Err(error) if sqlite::is_passing(&error) => return Err(error),
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "the cache of embeddings is made anew");
                Self::remove(path);
                try_open()?
            }
        };
        Ok(Self::with(connection, path, identity))
    }

    /// Closes it until the next run.
    pub fn close(self) -> Result<()> {
        sqlite::close(self.connection, &self.path)
    }

    /// Opens the cache for reading; it must be there.
    pub fn open_read_only(path: &Path, identity: &Identity) -> Result<Self> {
        Ok(Self::with(sqlite::open_read_only(path)?, path, identity))
    }

    /// Takes the file away, with what SQLite keeps beside it.
    pub fn remove(path: &Path) {
        for ending in ["", "-wal", "-shm", "-journal", ".seal"] {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            let _ = std::fs::remove_file(name);
        }
    }

    fn with(connection: Connection, path: &Path, identity: &Identity) -> Self {
        let mut prefix = blake3::Hasher::new_derive_key("patina 2026 embedding key");
        let Identity { id: _, sha256, reading, provider, class, tokens, recipe, width } = identity;
        prefix.update(format!("{sha256}\0{reading}\0{provider}\0{class}\0{tokens}\0{recipe}\0{width}\0").as_bytes());
        Embeddings { connection, path: path.to_path_buf(), identity: identity.clone(), prefix }
    }

    /// What this file is called: one that was made anew has another name.
    pub fn id(&self) -> Result<String> {
        Ok(self.connection.query_row("SELECT id FROM life", [], |row| row.get(0))?)
    }

    /// What is known of a text, by its hash.
    ///
    /// # Errors
    /// [`Damaged`] where the file cannot be read.
    pub fn load(&self, text: &[u8]) -> Result<Cached> {
        self.try_load(text).map_err(mark)
    }

    fn try_load(&self, text: &[u8]) -> Result<Cached> {
        let key = self.key(text);
        let mut statement = self.connection.prepare_cached("SELECT vector, sum FROM embedding WHERE key = :key")?;
        let row = statement
            .query_row(named_params! {":key": key}, |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?)))
            .optional()?;
        let Some((vector, sum)) = row else { return Ok(Cached::Unknown) };
        let unit = Unit::from_bytes(&vector, self.identity.width).filter(|_| sum == row_sum(&key, &vector));
        Ok(unit.map_or(Cached::Damaged, |unit| Cached::Known(Embedding(unit))))
    }

    /// Keeps embeddings by the hashes of their texts, in one transaction.
    ///
    /// # Errors
    /// [`Damaged`] where the file cannot be read.
    pub fn save(&mut self, found: &[(&[u8], &Embedding)]) -> Result<()> {
        self.try_save(found).map_err(mark)
    }

    fn try_save(&mut self, found: &[(&[u8], &Embedding)]) -> Result<()> {
        let keys: Vec<[u8; 16]> = found.iter().map(|(text, _)| self.key(text)).collect();
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO embedding(key, vector, sum) VALUES (:key, :vector, :sum)
                 ON CONFLICT(key) DO UPDATE SET vector = excluded.vector, sum = excluded.sum",
            )?;
            for (key, (_, embedding)) in keys.iter().zip(found) {
                let vector = embedding.0.to_bytes();
                insert.execute(named_params! {":key": key, ":vector": vector, ":sum": row_sum(key, &vector)})?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Drops every embedding but those of these texts by this model, and gives the space back.
    pub fn keep_only(&mut self, texts: &[Vec<u8>]) -> Result<()> {
        let keys: Vec<[u8; 16]> = texts.iter().map(|text| self.key(text)).collect();
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch("CREATE TEMP TABLE kept(key BLOB PRIMARY KEY) WITHOUT ROWID")?;
        {
            let mut keep = transaction.prepare("INSERT OR IGNORE INTO temp.kept(key) VALUES (:key)")?;
            for key in keys {
                keep.execute(named_params! {":key": key})?;
            }
        }
        transaction.execute_batch(
            "DELETE FROM embedding WHERE key NOT IN (SELECT key FROM temp.kept); DROP TABLE temp.kept;",
        )?;
        transaction.commit()?;
        Ok(self.connection.execute_batch("VACUUM")?)
    }

    /// How many rows there are, and how many of them do not match their checksum.
    pub fn verify(path: &Path) -> Result<(u64, u64)> {
        let connection = sqlite::open_read_only(path)?;
        let mut statement = connection.prepare("SELECT key, vector, sum FROM embedding")?;
        let mut rows = statement.query([])?;
        let (mut all, mut bad) = (0, 0);
        while let Some(row) = rows.next()? {
            let (key, vector) = (row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_blob()?);
            all += 1;
            bad += u64::from(row.get_ref(2)?.as_blob()? != row_sum(key, vector));
        }
        Ok((all, bad))
    }

    fn key(&self, text: &[u8]) -> [u8; 16] {
        let mut hasher = self.prefix.clone();
        hasher.update(text);
        let mut key = [0; 16];
        key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        key
    }
}

/// Marks an error of a damaged file as this file's.
fn mark(error: anyhow::Error) -> anyhow::Error {
    if sqlite::is_damage(&error) { error.context(Damaged) } else { error }
}

/// 64 bits of blake3 over a row.
fn row_sum(key: &[u8], vector: &[u8]) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(key).update(vector);
    let mut sum = [0; 8];
    sum.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    sum
}
