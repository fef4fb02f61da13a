//! The cache of base embeddings by content: a text is embedded once, whatever branch it is on.
//!
//! Each row has a checksum over its key and vector. Invariant: a row that does not match it is never returned.

use std::path::{Path, PathBuf};

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, named_params};

use super::model::ModelIdentity;
use super::vector::{Embedding, UnitVector};
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

/// The cache of base embeddings, open for one model.
#[derive(Debug)]
pub struct EmbeddingCache {
    connection: Connection,
    path: PathBuf,
    identity: ModelIdentity,
    prefix: blake3::Hasher,
}

/// Error: the cache file is damaged. All it holds can be computed again.
#[derive(Debug)]
pub struct CacheDamaged;

impl std::fmt::Display for CacheDamaged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the embedding cache is damaged")
    }
}

/// The result of a lookup.
#[derive(Debug, Clone, PartialEq)]
pub enum CachedEmbedding {
    /// Its embedding.
    Known(Embedding),
    /// Not in the cache.
    Unknown,
    /// Its row is damaged; the next save replaces it.
    Damaged,
}

impl EmbeddingCache {
    /// Opens or creates the cache; a file that cannot be read is replaced, because its content can be computed again.
    pub fn open(path: &Path, wal: bool, identity: &ModelIdentity) -> Result<Self> {
        // A file that something else wrote to is verified row by row by the checksums.
        if path.exists() && sqlite::refuse_altered(path).is_err() && !matches!(Self::verify(path), Ok((_, 0))) {
            tracing::warn!("the embedding cache is damaged and replaced");
            Self::remove(path);
        }
        let try_open = || -> Result<Connection> {
            sqlite::lift_seal(path)?;
            // Other files are derived from these rows, so the rows must reach the disk first.
            let mut connection = sqlite::open(path, Durability::Full, wal)?;
            sqlite::migrate(&mut connection, "embeddings.db", MIGRATIONS)?;
            connection.query_row("SELECT count(*) FROM (SELECT 1 FROM embedding LIMIT 1)", [], |_| Ok(()))?;
            Ok(connection)
        };
        let connection = match try_open() {
            Ok(connection) => connection,
            Err(error) if sqlite::is_transient(&error) => return Err(error),
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "the embedding cache cannot be read and is replaced");
                Self::remove(path);
                try_open()?
            }
        };
        Ok(Self::with(connection, path, identity))
    }

    /// Closes and seals the cache.
    pub fn close(self) -> Result<()> {
        sqlite::close(self.connection, &self.path)
    }

    /// Opens an existing cache for reading.
    pub fn open_read_only(path: &Path, identity: &ModelIdentity) -> Result<Self> {
        Ok(Self::with(sqlite::open_read_only(path)?, path, identity))
    }

    /// Deletes the cache file and the files that SQLite keeps beside it.
    pub fn remove(path: &Path) {
        for ending in ["", "-wal", "-shm", "-journal", ".seal"] {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            let _ = std::fs::remove_file(name);
        }
    }

    fn with(connection: Connection, path: &Path, identity: &ModelIdentity) -> Self {
        let mut prefix = blake3::Hasher::new_derive_key("patina 2026 embedding key");
        let ModelIdentity { id: _, sha256, reading, provider, class, tokens, recipe, width } = identity;
        prefix.update(format!("{sha256}\0{reading}\0{provider}\0{class}\0{tokens}\0{recipe}\0{width}\0").as_bytes());
        EmbeddingCache { connection, path: path.to_path_buf(), identity: identity.clone(), prefix }
    }

    /// Returns the random id of this file; a file that was replaced has another id.
    pub fn id(&self) -> Result<String> {
        Ok(self.connection.query_row("SELECT id FROM life", [], |row| row.get(0))?)
    }

    /// Looks up the embedding of a text by its hash.
    ///
    /// # Errors
    /// [`CacheDamaged`] if the file cannot be read.
    pub fn load(&self, text: &[u8]) -> Result<CachedEmbedding> {
        self.try_load(text).map_err(mark_damaged)
    }

    fn try_load(&self, text: &[u8]) -> Result<CachedEmbedding> {
        let key = self.key(text);
        let mut statement = self.connection.prepare_cached("SELECT vector, sum FROM embedding WHERE key = :key")?;
        let row = statement
            .query_row(named_params! {":key": key}, |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?)))
            .optional()?;
        let Some((vector, sum)) = row else { return Ok(CachedEmbedding::Unknown) };
        let unit = UnitVector::from_bytes(&vector, self.identity.width).filter(|_| sum == row_sum(&key, &vector));
        Ok(unit.map_or(CachedEmbedding::Damaged, |unit| CachedEmbedding::Known(Embedding(unit))))
    }

    /// Stores embeddings by the hashes of their texts, in one transaction.
    ///
    /// # Errors
    /// [`CacheDamaged`] if the file cannot be read.
    pub fn save(&mut self, found: &[(&[u8], &Embedding)]) -> Result<()> {
        self.try_save(found).map_err(mark_damaged)
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

    /// Deletes every embedding but those of the given text hashes by this model, and frees the space on disk.
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

    /// Returns the number of rows and how many of them do not match their checksum.
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

    /// Returns the row key of a text hash: the first 128 bits of a blake3 hash keyed by the model's identity.
    fn key(&self, text: &[u8]) -> [u8; 16] {
        let mut hasher = self.prefix.clone();
        hasher.update(text);
        let mut key = [0; 16];
        key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        key
    }
}

/// Adds [`CacheDamaged`] to an error of a damaged file.
fn mark_damaged(error: anyhow::Error) -> anyhow::Error {
    if sqlite::is_damage(&error) { error.context(CacheDamaged) } else { error }
}

/// Returns the first 64 bits of the blake3 hash of a row.
fn row_sum(key: &[u8], vector: &[u8]) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(key).update(vector);
    let mut sum = [0; 8];
    sum.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    sum
}
