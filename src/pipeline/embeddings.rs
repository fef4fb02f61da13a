//! Drops embeddings that are no longer needed: of texts that no live item has, and of models that are not in use.

use anyhow::Result;

use super::context::Context;
use crate::embedding::EmbeddingCache;
use crate::index;
use crate::store::Cache;

/// Drops embeddings of texts that no live item has had since `before`, in Unix seconds, and of models that are not in
/// use.
pub fn drop_unsaid(context: &Context<'_>, cache: &Cache, before: i64) -> Result<()> {
    let Some(generation) = index::current(&cache.connection)? else { return Ok(()) };
    let kept = index::forget_dead(&cache.connection, before)?;
    let path = context.workspace.embeddings_path();
    let mut embeddings = EmbeddingCache::open(&path, context.workspace.wal, &generation.model)?;
    embeddings.keep_only(&kept)?;
    embeddings.close()
}

/// Drops embeddings of texts that no live item has now; all of them if no model is in use.
pub fn drop_dead(context: &Context<'_>, cache: &Cache) -> Result<()> {
    if index::current(&cache.connection)?.is_none() {
        EmbeddingCache::remove(&context.workspace.embeddings_path());
        return Ok(());
    }
    drop_unsaid(context, cache, 0)
}
