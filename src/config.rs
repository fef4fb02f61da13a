//! Settings, read once into plain structs: the user's own file, and the restrictions of a tracked `patina.toml`.
//!
//! Invariant: a repository can only restrict. It cannot name a path, library, model or command.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use globset::{Glob, GlobSet, GlobSetBuilder};
use serde::Deserialize;

use crate::error::{Exit, UserError};

/// The documented default settings, printed by `patina config`.
pub const TEMPLATE: &str = include_str!("../templates/config.toml");

/// All settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// Largest file that is read, in bytes.
    pub max_file_bytes: u64,
    /// Files that are not indexed.
    pub ignore: GlobSet,
    /// The ignore patterns as text, in the order read: they are part of what an index depends on.
    pub ignore_patterns: Vec<String>,
    /// Folder for state outside the git directory: `<state_dir>/<hash of the common dir>` for each repository.
    pub state_dir: Option<PathBuf>,
    /// The embedding model.
    pub model: ModelConfig,
    /// Names of dimensions that are switched off.
    pub dimensions_off: Vec<String>,
    /// Whether the worker retrains by itself when it is due.
    pub retrains: bool,
    /// Whether the user's home directory is hidden in texts of sessions.
    pub hides_home: bool,
    /// User names that are hidden in texts of sessions.
    pub hidden_users: Vec<String>,
    /// Warnings about the files: unknown keys, settings that a repository may not make.
    pub warnings: Vec<String>,
}

/// The model and the execution provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelConfig {
    /// Name of the model's manifest.
    pub id: String,
    /// Execution provider.
    pub provider: Provider,
}

/// An execution provider of the ONNX Runtime.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// The processor, on any machine.
    #[default]
    Cpu,
    /// Core ML, on macOS only.
    CoreMl,
}

impl Provider {
    /// Returns the name used in settings.
    pub fn name(self) -> &'static str {
        match self {
            Provider::Cpu => "cpu",
            Provider::CoreMl => "coreml",
        }
    }
}

/// Default of [`ModelConfig::id`]: the model that `install.sh` sets up.
pub const MODEL: &str = "all-minilm-l6-v2-int8";

/// Default of [`Config::max_file_bytes`]: larger sources are data or generated.
pub const MAX_FILE_BYTES: u64 = 1 << 20;

/// The user's settings file.
#[derive(Debug, Default, Deserialize)]
struct UserFile {
    #[serde(default)]
    index: IndexSection,
    #[serde(default)]
    state: StateSection,
    #[serde(default)]
    model: ModelSection,
    #[serde(default)]
    dimensions: DimensionsSection,
    #[serde(default)]
    retrain: RetrainSection,
    #[serde(default)]
    redact: RedactSection,
}

/// A tracked `patina.toml`.
#[derive(Debug, Default, Deserialize)]
struct RepositoryFile {
    #[serde(default)]
    index: IndexSection,
    #[serde(default)]
    dimensions: DimensionsSection,
}

/// `[index]`.
#[derive(Debug, Default, Deserialize)]
struct IndexSection {
    max_file_bytes: Option<u64>,
    #[serde(default)]
    ignore: Vec<String>,
}

/// `[model]`.
#[derive(Debug, Default, Deserialize)]
struct ModelSection {
    id: Option<String>,
    #[serde(default)]
    provider: Provider,
}

/// `[dimensions]`.
#[derive(Debug, Default, Deserialize)]
struct DimensionsSection {
    #[serde(default)]
    off: Vec<String>,
}

/// `[retrain]`.
#[derive(Debug, Default, Deserialize)]
struct RetrainSection {
    auto: Option<bool>,
}

/// `[redact]`.
#[derive(Debug, Default, Deserialize)]
struct RedactSection {
    home: Option<bool>,
    #[serde(default)]
    users: Vec<String>,
}

/// `[state]`.
#[derive(Debug, Default, Deserialize)]
struct StateSection {
    dir: Option<PathBuf>,
}

/// Every key of the user's file.
const USER_KEYS: &[&str] = &[
    "index",
    "index.max_file_bytes",
    "index.ignore",
    "state",
    "state.dir",
    "model",
    "model.id",
    "model.provider",
    "dimensions",
    "dimensions.off",
    "retrain",
    "retrain.auto",
    "redact",
    "redact.home",
    "redact.users",
];
/// The keys that a repository may set.
const REPOSITORY_KEYS: &[&str] = &["index", "index.max_file_bytes", "index.ignore", "dimensions", "dimensions.off"];

impl Config {
    /// Returns the path of the user's file: `PATINA_CONFIG`, else in the XDG configuration folder.
    pub fn user_path() -> Option<PathBuf> {
        if let Some(path) = std::env::var_os("PATINA_CONFIG") {
            return Some(path.into());
        }
        let dir = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
        let dir = dir.or_else(|| {
            std::env::var_os("HOME").filter(|home| !home.is_empty()).map(|home| Path::new(&home).join(".config"))
        })?;
        Some(dir.join("patina/config.toml"))
    }

    /// Reads the user's file, if there is one.
    ///
    /// # Errors
    /// A [`UserError`] that names the file and the line that cannot be read.
    pub fn load() -> Result<Self> {
        let Some(path) = Self::user_path() else { return Self::from_texts(None, None) };
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::from_texts(Some((&path.display().to_string(), &text)), None),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if std::env::var_os("PATINA_CONFIG").is_some() {
                    let message = format!("PATINA_CONFIG names {}, which does not exist", path.display());
                    return Err(UserError::new(Exit::Usage, message).hint("correct or unset PATINA_CONFIG").into());
                }
                Self::from_texts(None, None)
            }
            Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }

    /// Builds settings from the texts of the user's file and of a tracked `patina.toml`, each with its name for
    /// messages.
    ///
    /// A tracked file that cannot be read is skipped with a warning, because the user did not write it.
    pub fn from_texts(user: Option<(&str, &str)>, repository: Option<(&str, &str)>) -> Result<Self> {
        let mut warnings = Vec::new();
        let mut user_file = UserFile::default();
        if let Some((name, text)) = user {
            let bad = |error: &dyn std::fmt::Display| {
                UserError::new(Exit::Usage, format!("{name} cannot be read: {error}"))
                    .hint("correct it, or compare with `patina config`")
            };
            let table: toml::Table = text.parse().map_err(|error| bad(&error))?;
            warnings.extend(unknown_keys(name, &table, USER_KEYS));
            user_file = table.try_into().map_err(|error| bad(&error))?;
        }
        let mut config = Config {
            max_file_bytes: user_file.index.max_file_bytes.unwrap_or(MAX_FILE_BYTES),
            ignore: GlobSet::empty(),
            ignore_patterns: user_file.index.ignore,
            state_dir: user_file.state.dir,
            model: ModelConfig {
                id: user_file.model.id.unwrap_or_else(|| MODEL.to_string()),
                provider: user_file.model.provider,
            },
            dimensions_off: user_file.dimensions.off,
            retrains: user_file.retrain.auto.unwrap_or(true),
            hides_home: user_file.redact.home.unwrap_or(true),
            hidden_users: user_file.redact.users,
            warnings,
        };
        config.ignore = globs(&config.ignore_patterns)?;
        if let Some((name, text)) = repository {
            config.narrow(name, text);
        }
        Ok(config)
    }

    /// Applies a tracked `patina.toml`: ignore patterns are added, limits only go down, dimensions only go off.
    pub fn narrow(&mut self, name: &str, text: &str) {
        let parsed = text.parse::<toml::Table>().map_err(|error| error.to_string());
        let file = parsed.and_then(|table| {
            self.warnings.extend(unknown_keys(name, &table, REPOSITORY_KEYS));
            table.try_into::<RepositoryFile>().map_err(|error| error.to_string())
        });
        let file = match file {
            Ok(file) => file,
            Err(error) => {
                let first = error.lines().next().unwrap_or_default().to_string();
                self.warnings.push(format!("{name} is ignored, because it cannot be read: {first}"));
                return;
            }
        };
        if let Some(limit) = file.index.max_file_bytes {
            self.max_file_bytes = self.max_file_bytes.min(limit);
        }
        for name in file.dimensions.off {
            if !self.dimensions_off.contains(&name) {
                self.dimensions_off.push(name);
            }
        }
        let mut patterns = self.ignore_patterns.clone();
        patterns.extend(file.index.ignore);
        match globs(&patterns) {
            Ok(set) => (self.ignore, self.ignore_patterns) = (set, patterns),
            Err(error) => self.warnings.push(format!("{name}: {error}")),
        }
    }

    /// Returns whether a file is ignored, by its encoded path.
    pub fn ignores(&self, path: &str) -> bool {
        self.ignore.is_match(real_path(path))
    }

    /// Returns the settings that an index depends on, as a text. Equal texts lead to the same indexed files.
    pub fn fingerprint(&self) -> String {
        format!("{} {:?}", self.max_file_bytes, self.ignore_patterns)
    }
}

/// Decodes an encoded path, for matching globs.
pub fn real_path(encoded: &str) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    std::ffi::OsString::from_vec(crate::event::decode_path(encoded)).into()
}

/// Compiles ignore patterns.
fn globs(patterns: &[String]) -> Result<GlobSet> {
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = Glob::new(pattern).map_err(|error| {
            UserError::new(Exit::Usage, format!("the ignore pattern {pattern:?} is not a valid glob: {}", error.kind()))
        })?;
        builder.add(glob);
    }
    Ok(builder.build()?)
}

/// Returns a warning for each unknown key, with the nearest known one.
fn unknown_keys(file: &str, table: &toml::Table, known: &[&str]) -> Vec<String> {
    let mut names = Vec::new();
    for (section, value) in table {
        names.push(section.clone());
        if let Some(inner) = value.as_table() {
            names.extend(inner.keys().map(|key| format!("{section}.{key}")));
        }
    }
    let unknown = names.iter().filter(|name| !known.contains(&name.as_str()));
    // A key of an unknown section does not need a second warning.
    let unknown = unknown.filter(|name| name.split_once('.').is_none_or(|(section, _)| known.contains(&section)));
    unknown
        .map(|name| {
            let near = known.iter().map(|key| (strsim::damerau_levenshtein(name, key), key)).min();
            match near {
                Some((distance, key)) if distance <= 3 => {
                    format!("{file}: unknown key `{name}`, did you mean `{key}`?")
                }
                _ => format!("{file}: unknown key `{name}`; known here: {}", known.join(", ")),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_the_default_and_warns_of_nothing() {
        let config = Config::from_texts(Some(("template", TEMPLATE)), None).expect("reads");
        assert_eq!((config.max_file_bytes, config.warnings.len(), config.state_dir), (MAX_FILE_BYTES, 0, None));
    }

    #[test]
    fn an_unknown_key_is_named_with_the_nearest_known_one() {
        let check = |text: &str, expect: &str| {
            let config = Config::from_texts(Some(("f", text)), None).expect("reads");
            assert_eq!(config.warnings, [expect]);
        };
        check("[index]\nignor = []", "f: unknown key `index.ignor`, did you mean `index.ignore`?");
        check("[indx]\nx = 1", "f: unknown key `indx`, did you mean `index`?");
    }

    #[test]
    fn a_repository_only_narrows() {
        let text = "[index]\nmax_file_bytes = 9999999999\nignore = ['gen/**']\n[state]\ndir = '/tmp/evil'\n\
                    [model]\nid = 'evil'\n[dimensions]\noff = ['social']";
        let config = Config::from_texts(None, Some(("patina.toml", text))).expect("reads");
        assert_eq!((config.max_file_bytes, &config.state_dir), (MAX_FILE_BYTES, &None));
        assert_eq!((config.model.id.as_str(), config.dimensions_off), (MODEL, vec!["social".to_string()]));
        assert!(config.ignore.is_match("gen/a.rs"));
        assert_eq!(config.warnings.len(), 2);
        let config = Config::from_texts(None, Some(("patina.toml", "[index]\nmax_file_bytes = 10"))).expect("reads");
        assert_eq!(config.max_file_bytes, 10);
    }

    #[test]
    fn what_is_private_is_the_users_to_say() {
        let user = "[redact]\nhome = false\nusers = ['ada']";
        let config =
            Config::from_texts(Some(("f", user)), Some(("patina.toml", "[redact]\nhome = true"))).expect("reads");
        assert_eq!((config.hides_home, config.hidden_users), (false, vec!["ada".to_string()]));
        assert_eq!(config.warnings.len(), 1, "a repository may not say it");
        assert!(Config::from_texts(None, None).expect("reads").hides_home);
    }

    #[test]
    fn a_broken_file_is_an_error_for_its_owner_and_a_warning_for_others() {
        assert!(Config::from_texts(Some(("f", "[index")), None).is_err());
        let config = Config::from_texts(None, Some(("patina.toml", "[index"))).expect("goes on");
        assert_eq!(config.warnings.len(), 1);
    }
}
