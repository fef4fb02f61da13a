//! Embeds the texts of live items, each once and the most recently changed first; projects them into every space; and
//! publishes the vectors. Resumable after any text; yields to rings. A missing model does not fail a run.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use rusqlite::TransactionBehavior;

use super::context::{Context, Stage, check_stop};
use super::report::RunReport;
use super::texts::NewTexts;
use crate::adapter::{self, Adapter, LoadedAdapter};
use crate::dimensions;
use crate::embedding::{
    CacheDamaged, CachedEmbedding, EmbedResult, Embedding, EmbeddingCache, Setup, embed_all, text_of,
};
use crate::error::UserError;
use crate::event::Seq;
use crate::eventlog::Eventlog;
use crate::fail;
use crate::git::unix_now;
use crate::index::{self, PendingText, PreparedGeneration, VectorReader};
use crate::store::{self, Cache};

/// A transaction saves at most `BATCH` texts and is committed after at most `BATCH_TIME`. This bounds the work that an
/// interruption loses, and the delay until answers see a new vector.
const BATCH: usize = 128;
const BATCH_TIME: Duration = Duration::from_millis(500);

/// Embeds pending texts, and compacts if due. Without a usable model it only records the reason in the report.
pub fn update(
    context: &Context<'_>,
    log: &Eventlog,
    cache: &mut Cache,
    re_embed: bool,
    texts: &mut NewTexts,
    report: &mut RunReport,
) -> Result<()> {
    if context.sessions == 0 {
        return Ok(());
    }
    let setup = match Setup::check(&context.config.model, false) {
        Ok(setup) => setup,
        Err(error) => match error.downcast::<UserError>() {
            Ok(error) => {
                tracing::info!(why = error.message, "nothing is embedded");
                report.no_vectors = Some(error);
                return Ok(());
            }
            Err(error) => return Err(error),
        },
    };
    match run(context, log, cache, &setup, re_embed, texts, report) {
        Err(error) if error.is::<CacheDamaged>() => {
            tracing::warn!(error = format!("{error:#}"), "the cache of embeddings is made anew");
            EmbeddingCache::remove(&context.workspace.embeddings_path());
            run(context, log, cache, &setup, re_embed, texts, report)
        }
        result => result,
    }
}

fn run(
    context: &Context<'_>,
    log: &Eventlog,
    cache: &mut Cache,
    setup: &Setup,
    re_embed: bool,
    texts: &mut NewTexts,
    report: &mut RunReport,
) -> Result<()> {
    let folder = index::segments_dir(context.workspace);
    let find = |dimension: &&dimensions::Dimension| {
        adapter::find(&context.workspace.adapters_dir(), dimension.name, &setup.identity)
    };
    let adapters: Vec<LoadedAdapter> = dimensions::ALL.iter().map(find).collect();
    let prepared = index::prepare(&mut cache.connection, &setup.identity, &adapters)?;
    // Repairs segments and deltas that an answer found damaged. This is cheap, because it compares only file stamps and
    // the rows of the delta, whose number is bounded.
    index::check_segments(&mut cache.connection, &folder, re_embed)?;
    index::mend_delta(&cache.connection)?;
    fail::point("spaces prepared")?;
    index::publish(&mut cache.connection, &setup.identity, &prepared, &adapters)?;
    let path = context.workspace.embeddings_path();
    let mut embeddings = EmbeddingCache::open(&path, context.workspace.wal, &setup.identity)?;
    let id = embeddings.id()?;
    if store::meta(&cache.connection, "embeddings")?.as_ref() != Some(&id) {
        bring_back(context, cache, setup, &mut embeddings)?;
        store::set_meta(&cache.connection, "embeddings", &id)?;
    }
    let spaces = Spaces::new(&prepared, &adapters, re_embed);
    let text_of = |seq: Seq| match texts.take_embedded(seq) {
        Some(text) => Ok(text),
        None => Ok(log.event(seq)?.body()?.as_ref().map(text_of).unwrap_or_default()),
    };
    embed(context, cache, setup, &mut embeddings, &spaces, text_of, report)?;
    embeddings.close()?;
    fail::point("embedded")?;
    index::publish(&mut cache.connection, &setup.identity, &prepared, &adapters)?;
    let idle = index::pending_count(&cache.connection)? == 0;
    for space in index::maintained(&cache.connection)? {
        index::compact(&mut cache.connection, &folder, &space, idle, unix_now(), context.urgent)?;
    }
    if idle && !cache.is_building() {
        index::sweep_files(&cache.connection, &folder)?;
    }
    Ok(())
}

/// Restores lost cached embeddings from the vectors of the base space, which are the embeddings themselves.
fn bring_back(context: &Context<'_>, cache: &Cache, setup: &Setup, embeddings: &mut EmbeddingCache) -> Result<()> {
    let vectors = VectorReader::open(&cache.connection, context.workspace)?;
    let Some(generation) = vectors.generation().filter(|generation| generation.model == setup.identity) else {
        return Ok(());
    };
    let mut lost = Vec::new();
    for (text, hash) in index::usable_texts(&cache.connection)? {
        if embeddings.load(&hash)? == CachedEmbedding::Unknown
            && let Some(vector) = vectors.vector(&generation.base, text)?
        {
            lost.push((hash, Embedding(vector.0)));
        }
    }
    for chunk in lost.chunks(BATCH) {
        let rows: Vec<(&[u8], &Embedding)> = chunk.iter().map(|(hash, found)| (hash.as_slice(), found)).collect();
        embeddings.save(&rows)?;
    }
    Ok(())
}

/// The spaces to fill, each with the adapter that projects into it.
struct Spaces<'a> {
    all: HashMap<i64, (index::Space, Option<&'a Adapter>)>,
    /// Whether cached embeddings are computed again.
    re_embed: bool,
}

impl<'a> Spaces<'a> {
    fn new(prepared: &PreparedGeneration, adapters: &'a [LoadedAdapter], re_embed: bool) -> Self {
        let mut all = HashMap::from([(prepared.base.id, (prepared.base.clone(), None))]);
        for (space, loaded) in prepared.dimensions.iter().zip(adapters) {
            let adapter = loaded.adapter.as_ref().map(|(adapter, _)| adapter);
            all.entry(space.id).or_insert_with(|| (space.clone(), adapter));
        }
        Spaces { all, re_embed }
    }

    /// Returns whether a text is pending for one of these spaces. A space that only serves until another is complete
    /// does not count.
    fn lead_to(&self, wanted: &PendingText) -> bool {
        wanted.spaces.iter().any(|space| self.all.contains_key(space))
    }

    /// Writes a text's vectors into the spaces it is pending for. A text that an adapter cannot project is left out of
    /// that space.
    fn put(&self, cache: &rusqlite::Connection, wanted: &PendingText, embedding: &Embedding) -> Result<()> {
        for (space, adapter) in wanted.spaces.iter().filter_map(|space| self.all.get(space)) {
            let projection = match adapter {
                Some(adapter) => adapter.project(embedding),
                None => Some(adapter::identity(embedding)),
            };
            match projection {
                Some(projection) => index::put_delta(cache, space, wanted.text, &projection)?,
                None => index::drop_pending(cache, space.id, wanted.text)?,
            }
        }
        Ok(())
    }
}

/// Embeds all pending texts: first those that are cached, then those that need the model. `text_of` returns the text of
/// a version.
fn embed(
    context: &Context<'_>,
    cache: &mut Cache,
    setup: &Setup,
    embeddings: &mut EmbeddingCache,
    spaces: &Spaces<'_>,
    mut text_of: impl FnMut(Seq) -> Result<String>,
    report: &mut RunReport,
) -> Result<()> {
    let mut wanted = index::pending_texts(&cache.connection)?;
    wanted.retain(|wanted| spaces.lead_to(wanted));
    let total = wanted.len() as u64;
    let mut unknown = Vec::new();
    for chunk in wanted.chunks(BATCH) {
        let transaction = cache.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for wanted in chunk {
            match embeddings.load(&wanted.hash)? {
                CachedEmbedding::Known(embedding) if !spaces.re_embed => {
                    spaces.put(&transaction, wanted, &embedding)?;
                    report.texts_reused += 1;
                }
                _ => unknown.push(wanted.clone()),
            }
        }
        transaction.commit()?;
        check_stop(context)?;
        make_room(context, cache)?;
    }
    let (expected, mut batch, mut since) = (unknown.len(), Vec::new(), Instant::now());
    let mut done = report.texts_reused;
    let mut take = |found: Option<EmbedResult<PendingText>>| -> Result<bool> {
        let is_last = found.is_none();
        if let Some(found) = found {
            done += 1;
            batch.push(found);
            (context.progress)(Stage::Embed, done, total);
        }
        if is_last || batch.len() >= BATCH || since.elapsed() > BATCH_TIME {
            report.texts_embedded += keep(cache, embeddings, spaces, &batch)?;
            batch.clear();
            since = Instant::now();
            make_room(context, cache)?;
        }
        Ok(!(context.urgent)())
    };
    let texts = unknown.into_iter().map(|wanted| text_of(wanted.seq).map(|text| (wanted, text)));
    embed_all(setup, expected, context.sessions, context.stop, texts, |found| take(Some(found)))?;
    take(None)?;
    check_stop(context)
}

/// Saves a batch: first the embeddings, because they were expensive, then the rows that answers read.
fn keep(
    cache: &mut Cache,
    embeddings: &mut EmbeddingCache,
    spaces: &Spaces<'_>,
    batch: &[EmbedResult<PendingText>],
) -> Result<u64> {
    if batch.is_empty() {
        return Ok(0);
    }
    let good = || batch.iter().filter_map(|one| Some((&one.key, one.embedding.as_ref()?)));
    let rows: Vec<(&[u8], &Embedding)> = good().map(|(wanted, found)| (wanted.hash.as_slice(), found)).collect();
    embeddings.save(&rows)?;
    fail::point("embeddings kept")?;
    let transaction = cache.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (wanted, embedding) in good() {
        spaces.put(&transaction, wanted, embedding)?;
    }
    for one in batch.iter().filter(|one| one.embedding.is_none()) {
        tracing::warn!(event = one.key.seq, "the model produced no usable vector for a text");
        index::mark_failed(&transaction, one.key.text)?;
    }
    fail::point("vectors written")?;
    transaction.commit()?;
    fail::point("vectors kept")?;
    Ok(rows.len() as u64)
}

/// Compacts deltas that have grown too large, while embedding is in progress.
fn make_room(context: &Context<'_>, cache: &mut Cache) -> Result<()> {
    let folder = index::segments_dir(context.workspace);
    for space in index::maintained(&cache.connection)? {
        index::compact(&mut cache.connection, &folder, &space, false, unix_now(), context.urgent)?;
    }
    Ok(())
}
