//! The model's tokenizer, read from its own files. No padding: each run has one text.

use anyhow::{Context, Result, anyhow};
use fastembed::TokenizerFiles;
use serde_json::Value;
use tokenizers::{AddedToken, Tokenizer, TruncationParams};

use super::manifest::{Manifest, ModelFile};

/// Reads a model's tokenizer, which truncates at the manifest's token limit or the model's own, whichever is lower.
pub fn load(manifest: &Manifest) -> Result<Tokenizer> {
    let read = |entry: &ModelFile| -> Result<Vec<u8>> {
        let path = manifest.path(entry);
        std::fs::read(&path).with_context(|| format!("reading {}", path.display()))
    };
    let json = |entry: &ModelFile| -> Result<Value> {
        serde_json::from_slice(&read(entry)?)
            .with_context(|| format!("{} is not valid JSON", manifest.path(entry).display()))
    };
    let files = &manifest.files;
    let bad = |error: tokenizers::Error| anyhow!("{error}").context("the tokenizer cannot be used");
    let mut tokenizer = Tokenizer::from_bytes(read(&files.tokenizer)?).map_err(bad)?;
    let own = json(&files.tokenizer_config)?["model_max_length"].as_f64().unwrap_or(f64::MAX);
    let max_length = manifest.tokens.min(own as usize);
    tokenizer.with_truncation(Some(TruncationParams { max_length, ..TruncationParams::default() })).map_err(bad)?;
    tokenizer.with_padding(None);
    let special = json(&files.special_tokens_map)?;
    for token in special.as_object().into_iter().flat_map(|map| map.values()) {
        // A string, or an object with matching options.
        let content = token.as_str().or_else(|| token["content"].as_str());
        let Some(content) = content else { continue };
        let says = |key: &str| token[key].as_bool().unwrap_or(false);
        let token = AddedToken::from(content, true)
            .single_word(says("single_word"))
            .lstrip(says("lstrip"))
            .rstrip(says("rstrip"))
            .normalized(says("normalized"));
        tokenizer.add_special_tokens([token]).map_err(bad)?;
    }
    Ok(tokenizer)
}

/// Returns a minimal tokenizer for fastembed, which needs one before the real one has been read.
pub fn stand_in() -> TokenizerFiles {
    let tokenizer = r#"{"version": "1.0", "added_tokens": [], "model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0}}}"#;
    TokenizerFiles {
        tokenizer_file: tokenizer.into(),
        config_file: "{}".into(),
        special_tokens_map_file: "{}".into(),
        tokenizer_config_file: r#"{"model_max_length": 8, "pad_token": "?"}"#.into(),
    }
}
