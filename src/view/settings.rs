//! The settings as of a commit: the user's own, narrowed by the `patina.toml` of the tree.

use anyhow::Result;

use crate::config::Config;
use crate::git::{Blob, Head, Repository};

/// The largest `patina.toml` that is read, in bytes; it has only a few lines.
const REPOSITORY_CONFIG_LIMIT: u64 = 64 * 1024;

/// Returns the settings, narrowed by the `patina.toml` of the tree at `head`.
pub fn config_at(repository: &Repository, config: &Config, head: Option<Head>) -> Result<Config> {
    let mut config = config.clone();
    if let Some(head) = head.filter(|head| repository.has_object(head.tree))
        && let Some(blob) = repository.blob_at(head.tree, b"patina.toml")?
        && let Blob::Bytes(bytes) = repository.blob(blob, REPOSITORY_CONFIG_LIMIT)?
    {
        config.narrow("patina.toml", &String::from_utf8_lossy(&bytes));
    }
    Ok(config)
}
