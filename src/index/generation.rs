//! Generations: which vector space each dimension is searched in, switched by one transaction.
//!
//! Invariant: the generation in use serves until every space of the next has all its texts.

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, named_params};

use super::space::{Space, space_from_row};
use super::texts::add_all_pending;
use crate::adapter::LoadedAdapter;
use crate::dimensions::{self, Dimension, Holds};
use crate::embedding::ModelIdentity;
use crate::fail;

/// A published generation: the spaces that queries search.
#[derive(Clone)]
pub struct Generation {
    /// Row id.
    pub id: i64,
    /// The model of all its embeddings.
    pub model: ModelIdentity,
    /// The space of the base embedding, which holds all kinds of item.
    pub base: Space,
    /// Each dimension, with its space and, if there is one, a note for the user about its adapter.
    pub dimensions: Vec<(&'static Dimension, Space, Option<String>)>,
}

impl Generation {
    /// Returns the space of a dimension.
    pub fn space(&self, dimension: &str) -> Option<&Space> {
        self.dimensions.iter().find(|(one, ..)| one.name == dimension).map(|(_, space, _)| space)
    }

    /// Returns every space once, that of the base embedding first.
    pub fn spaces(&self) -> Vec<&Space> {
        let mut all = vec![&self.base];
        for (_, space, _) in &self.dimensions {
            if !all.iter().any(|known| known.id == space.id) {
                all.push(space);
            }
        }
        all
    }
}

/// A generation that is not published yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedGeneration {
    /// The space of the base embedding.
    pub base: Space,
    /// The space of each dimension, in the order of [`dimensions::ALL`].
    pub dimensions: Vec<Space>,
}

/// The name of the base embedding in the `dimension` column.
const BASE: &str = "";

/// Returns the generation in use; `None` if its manifest is damaged, and then all vectors are computed again.
pub fn current(cache: &Connection) -> Result<Option<Generation>> {
    let mut newest = cache.prepare_cached("SELECT id, model, sum FROM generation ORDER BY id DESC LIMIT 1")?;
    let row = newest.query_row([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)));
    let Some((id, model, sum)) = row.optional()? else { return Ok(None) };
    if manifest_sum(cache)? != sum {
        tracing::warn!("the manifest of the vectors is damaged");
        return Ok(None);
    }
    let Ok(model) = serde_json::from_str(&model) else { return Ok(None) };
    let mut statement = cache.prepare_cached(
        "SELECT space.id, adapter, width, holds, dimension, note FROM generation_space JOIN space ON space.id = generation_space.space
         WHERE generation = :id",
    )?;
    let rows = statement.query_map(named_params! {":id": id}, |row| {
        Ok((row.get::<_, String>(4)?, space_from_row(row)?, row.get(5)?))
    })?;
    let rows = rows.collect::<rusqlite::Result<Vec<(String, Space, Option<String>)>>>()?;
    let own = |wanted: &str| rows.iter().find(|(name, ..)| name == wanted);
    let Some((_, base, _)) = own(BASE) else { return Ok(None) };
    let mut dimensions = Vec::new();
    for dimension in dimensions::ALL {
        let (_, space, note) = own(dimension.name).or(own(BASE)).expect("the base is there");
        dimensions.push((*dimension, space.clone(), note.clone()));
    }
    Ok(Some(Generation { id, model, base: base.clone(), dimensions }))
}

/// Returns a hash over the manifest: the generation, its spaces and their segments.
///
/// File stamps are left out, since they only record when a file was last verified.
fn manifest_sum(cache: &Connection) -> Result<String> {
    let mut statement = cache.prepare_cached(
        "SELECT 1, id, model, '', '', 0, 0 FROM generation
         UNION ALL SELECT 2, generation, dimension, coalesce(note, ''), '', space, 0 FROM generation_space
         UNION ALL SELECT 3, id, model, adapter, holds, width, 0 FROM space
         UNION ALL SELECT 4, id, file, blake3, '', space, bytes * 1000003 + count FROM segment
         UNION ALL SELECT 5, 0, model, '', '', 0, 0 FROM target
         ORDER BY 1, 2, 3",
    )?;
    let mut rows = statement.query([])?;
    let mut hasher = blake3::Hasher::new();
    while let Some(row) = rows.next()? {
        for column in [0, 1, 5, 6] {
            hasher.update(&row.get::<_, i64>(column)?.to_le_bytes());
        }
        for column in 2..5 {
            hasher.update(row.get_ref(column)?.as_str()?.as_bytes()).update(&[0]);
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// Seals the manifest by storing its checksum, as the last step of every transaction that changes what is published.
pub fn seal(cache: &Connection) -> Result<()> {
    let sum = manifest_sum(cache)?;
    cache.execute("UPDATE generation SET sum = :sum", named_params! {":sum": sum})?;
    Ok(())
}

/// Deletes every vector and space; they are computed again from embeddings and texts.
fn reset(cache: &Connection) -> Result<()> {
    Ok(cache.execute_batch(
        "DELETE FROM generation; DELETE FROM generation_space; DELETE FROM space; DELETE FROM segment; DELETE FROM placed;
         DELETE FROM delta; DELETE FROM wanted; DELETE FROM target;",
    )?)
}

/// Creates the spaces that a model and its adapters need, with all live texts pending, and drops the spaces that
/// neither they nor the generation in use need.
pub fn prepare(
    cache: &mut Connection,
    model: &ModelIdentity,
    adapters: &[LoadedAdapter],
) -> Result<PreparedGeneration> {
    let transaction = cache.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let name = serde_json::to_string(model)?;
    // Without a readable generation, the spaces cannot be trusted.
    let in_use = current(&transaction)?;
    if in_use.is_none() {
        reset(&transaction)?;
    }
    // The spaces of another model get no new vectors. They serve as they are until the new ones are complete.
    transaction.execute("DELETE FROM target WHERE model <> :model", named_params! {":model": name})?;
    transaction.execute("INSERT OR IGNORE INTO target(model) VALUES (:model)", named_params! {":model": name})?;
    transaction.execute(
        "DELETE FROM wanted WHERE space NOT IN (SELECT id FROM space WHERE model = :model)",
        named_params! {":model": name},
    )?;
    let ensure = |adapter: &str, width: usize, holds: Holds| -> Result<Space> {
        let wanted = named_params! {":model": name, ":adapter": adapter, ":holds": holds.name()};
        let sql = "SELECT id, adapter, width, holds FROM space WHERE model = :model AND adapter = :adapter AND holds = :holds";
        let known = transaction.prepare_cached(sql)?.query_row(wanted, space_from_row).optional()?;
        if let Some(space) = known {
            return Ok(space);
        }
        transaction.execute(
            "INSERT INTO space(model, adapter, width, holds) VALUES (:model, :adapter, :width, :holds)",
            named_params! {":model": name, ":adapter": adapter, ":width": width as i64, ":holds": holds.name()},
        )?;
        let space = Space { id: transaction.last_insert_rowid(), adapter: adapter.to_string(), width, holds };
        add_all_pending(&transaction, &space)?;
        Ok(space)
    };
    let base = ensure("", model.width, Holds::All)?;
    let mut found = Vec::new();
    for (dimension, loaded) in dimensions::ALL.iter().zip(adapters) {
        found.push(match &loaded.adapter {
            Some((adapter, hash)) => ensure(hash, adapter.output_width(), dimension.holds)?,
            None => base.clone(),
        });
    }
    let mut keep: Vec<i64> = found.iter().map(|space| space.id).chain([base.id]).collect();
    // Read before spaces were created, because until it is sealed again the manifest does not match its checksum.
    if let Some(in_use) = in_use {
        keep.extend(in_use.spaces().iter().map(|space| space.id));
    }
    drop_others(&transaction, &keep)?;
    seal(&transaction)?;
    transaction.commit()?;
    Ok(PreparedGeneration { base, dimensions: found })
}

/// Publishes a prepared generation once none of its texts is pending. The first one is published at once, since there
/// is nothing better.
///
/// Returns whether it is in use now.
pub fn publish(
    cache: &mut Connection,
    model: &ModelIdentity,
    prepared: &PreparedGeneration,
    adapters: &[LoadedAdapter],
) -> Result<bool> {
    let transaction = cache.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let in_use = current(&transaction)?;
    let notes: Vec<Option<String>> = adapters.iter().map(|loaded| loaded.note.clone()).collect();
    if let Some(current) = &in_use {
        let same = current.model == *model
            && current.base.id == prepared.base.id
            && current.dimensions.iter().zip(&prepared.dimensions).all(|((_, space, _), new)| space.id == new.id)
            && current.dimensions.iter().zip(&notes).all(|((.., note), new)| note == new);
        if same {
            return Ok(true);
        }
        let mut lacks = transaction.prepare_cached("SELECT 1 FROM wanted WHERE space = :space LIMIT 1")?;
        for space in prepared.dimensions.iter().chain([&prepared.base]) {
            if lacks.exists(named_params! {":space": space.id})? {
                return Ok(false);
            }
        }
    }
    transaction.execute(
        "INSERT INTO generation(model) VALUES (:model)",
        named_params! {":model": serde_json::to_string(model)?},
    )?;
    let id = transaction.last_insert_rowid();
    let named = dimensions::ALL.iter().map(|dimension| dimension.name).zip(&prepared.dimensions).zip(notes);
    for ((name, space), note) in named.chain([((BASE, &prepared.base), None)]) {
        transaction.execute(
            "INSERT INTO generation_space(generation, dimension, space, note) VALUES (:generation, :dimension, :space, :note)",
            named_params! {":generation": id, ":dimension": name, ":space": space.id, ":note": note},
        )?;
    }
    for sql in ["DELETE FROM generation WHERE id <> :id", "DELETE FROM generation_space WHERE generation <> :id"] {
        transaction.execute(sql, named_params! {":id": id})?;
    }
    let keep: Vec<i64> = prepared.dimensions.iter().chain([&prepared.base]).map(|space| space.id).collect();
    drop_others(&transaction, &keep)?;
    seal(&transaction)?;
    fail::point("generation written")?;
    transaction.commit()?;
    tracing::info!(generation = id, "published");
    Ok(true)
}

/// Deletes every space except those in `keep`. Their segment files are removed later.
fn drop_others(cache: &Connection, keep: &[i64]) -> Result<()> {
    let mut all = cache.prepare("SELECT id FROM space")?;
    let all: Vec<i64> = all.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for space in all.into_iter().filter(|space| !keep.contains(space)) {
        for sql in [
            "DELETE FROM wanted WHERE space = :space",
            "DELETE FROM delta WHERE space = :space",
            "DELETE FROM placed WHERE space = :space",
            "DELETE FROM segment WHERE space = :space",
            "DELETE FROM space WHERE id = :space",
        ] {
            cache.execute(sql, named_params! {":space": space})?;
        }
    }
    Ok(())
}
