//! The settings in force at a commit: a person's own, narrowed by the `patina.toml` of the tree.

use anyhow::Result;

use crate::config::Config;
use crate::git::{Blob, Head, Repository};

/// A tracked `patina.toml` is a few lines; anything longer is not one.
const REPOSITORY_CONFIG_LIMIT: u64 = 64 * 1024;

/// Returns the settings as the `patina.toml` of the tree at `head` narrows them.
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
