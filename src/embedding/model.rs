//! The embedding model: setup, loading, and running it on one text at a time.
//!
//! One text per run, on one thread, so the same text gives the same bits alone, in any order, with any number of
//! workers. Invariant: no file is loaded that was not verified.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, anyhow};
use fastembed::{InitOptionsUserDefined, Pooling, TextEmbedding, UserDefinedEmbeddingModel};
use ort::environment::Environment;
use serde::{Deserialize, Serialize};

use super::manifest::{self, Manifest, runtime_path};
use super::text::RECIPE;
use super::tokenizer;
use super::vector::{Embedding, UnitVector};
use crate::config::{ModelConfig, Provider};
use crate::error::{Exit, UserError};
use crate::event::{cap_at, hex};

/// ONNX Runtime session option: the folder of weights that are stored outside the graph.
const WEIGHTS_FOLDER: &str = "session.model_external_initializers_file_folder_path";
/// ONNX Runtime session option: do not rearrange weights first, which takes longer than running a few texts.
const DISABLE_PREPACKING: &str = "session.disable_prepacking";

/// Everything the bits of an embedding depend on; vectors of different identities are never compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelIdentity {
    /// The model's id.
    pub id: String,
    /// sha256 of its graph.
    pub sha256: String,
    /// blake3 over its other files' checksums, pooling and prefixes.
    pub reading: String,
    /// Execution provider.
    pub provider: String,
    /// Instruction set of the processor: kernels round differently.
    pub class: String,
    /// Token limit.
    pub tokens: usize,
    /// Version of the rules that make the text of an item ([`RECIPE`]).
    pub recipe: u32,
    /// Length of its vectors.
    pub width: usize,
}

/// A verified model that can be loaded.
#[derive(Debug, Clone)]
pub struct Setup {
    manifest: Manifest,
    provider: Provider,
    library: PathBuf,
    /// What its embeddings depend on.
    pub identity: ModelIdentity,
}

/// A loaded model with its session and tokenizer.
pub struct EmbeddingModel {
    inner: TextEmbedding,
    identity: ModelIdentity,
    query_prefix: String,
    text_prefix: String,
}

impl Setup {
    /// Verifies the configured model and the runtime; `full` hashes all their files.
    ///
    /// # Errors
    /// A [`UserError`] with [`Exit::NotSetUp`] if something is missing, with [`Exit::Unverified`] if it is damaged.
    pub fn check(config: &ModelConfig, full: bool) -> Result<Self> {
        let manifest = manifest::find(&config.id)?;
        manifest.verify(full)?;
        Self::at(manifest, config.provider, runtime_path(full)?)
    }

    /// Verifies the model that an index was built with.
    ///
    /// # Errors
    /// A [`UserError`] if the model or processor here is another one.
    pub fn of(identity: &ModelIdentity, config: &ModelConfig) -> Result<Self> {
        let manifest = manifest::find(&identity.id)?;
        manifest.verify(false)?;
        let setup = Self::at(manifest, config.provider, runtime_path(false)?)?;
        if setup.identity != *identity {
            let message = format!("the index was built with another model or processor than {} here", identity.id);
            return Err(UserError::new(Exit::NotSetUp, message)
                .hint("run `patina reindex` to embed everything again")
                .into());
        }
        Ok(setup)
    }

    /// Creates the setup of a model and a runtime that the caller has verified.
    pub fn at(manifest: Manifest, provider: Provider, library: PathBuf) -> Result<Self> {
        check_provider(provider)?;
        let mut reading = blake3::Hasher::new();
        for (role, entry) in manifest.files.all() {
            reading.update(format!("{role} {}\n", entry.sha256).as_bytes());
        }
        let rest = format!("{:?}\0{}\0{}", manifest.pooling, manifest.query_prefix, manifest.text_prefix);
        reading.update(rest.as_bytes());
        let identity = ModelIdentity {
            id: manifest.id.clone(),
            sha256: manifest.files.graph.sha256.clone(),
            reading: hex(&reading.finalize().as_bytes()[..16]),
            provider: provider.name().to_string(),
            class: instruction_class().to_string(),
            tokens: manifest.tokens,
            recipe: RECIPE,
            width: manifest.width,
        };
        Ok(Setup { manifest, provider, library, identity })
    }

    /// Returns the runtime environment.
    pub fn environment(&self) -> Result<Environment> {
        environment(&self.library)
    }

    /// Loads the model with one session of one thread.
    ///
    /// `once` means a few texts only, for which loading takes longer than running.
    pub fn load(&self, once: bool) -> Result<EmbeddingModel> {
        let inner = std::thread::scope(|scope| -> Result<TextEmbedding> {
            // The tokenizer takes half of the time and is independent of the graph.
            let tokenizer = scope.spawn(|| tokenizer::load(&self.manifest));
            let mut inner = self.session(once)?;
            inner.tokenizer = tokenizer.join().map_err(|_| anyhow!("the tokenizer stopped"))??;
            Ok(inner)
        });
        Ok(EmbeddingModel {
            inner: inner.with_context(|| format!("loading the model {}", self.manifest.id))?,
            identity: self.identity.clone(),
            query_prefix: self.manifest.query_prefix.clone(),
            text_prefix: self.manifest.text_prefix.clone(),
        })
    }

    /// Loads the graph, with a placeholder for the tokenizer that is still being read.
    fn session(&self, once: bool) -> Result<TextEmbedding> {
        let environment = self.environment()?;
        let path = self.manifest.path(&self.manifest.files.graph);
        let graph = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let pooling = match self.manifest.pooling {
            manifest::Pooling::Mean => Pooling::Mean,
            manifest::Pooling::Cls => Pooling::Cls,
        };
        let model = UserDefinedEmbeddingModel::new(graph, tokenizer::stand_in()).with_pooling(pooling);
        let mut options = InitOptionsUserDefined::new()
            .with_environment(environment)
            .with_intra_threads(1)
            // External weights are mapped, not copied: touching memory was most of the loading time.
            .with_session_config(WEIGHTS_FOLDER, self.manifest.folder.display().to_string())
            .with_execution_providers(providers(self.provider, &self.identity));
        if once {
            options = options.with_session_config(DISABLE_PREPACKING, "1");
        }
        Ok(TextEmbedding::try_new_from_user_defined(model, options)?)
    }
}

impl EmbeddingModel {
    /// Embeds a text of the repository; `None` if the model produced no usable vector.
    pub fn embed(&mut self, text: &str) -> Result<Option<Embedding>> {
        let prefix = self.text_prefix.clone();
        self.run(&prefix, text)
    }

    /// Embeds a query; `None` if the model produced no usable vector.
    pub fn embed_question(&mut self, text: &str) -> Result<Option<Embedding>> {
        let prefix = self.query_prefix.clone();
        // Cut far above the token limit: tokenizing all of a pasted file would only take time.
        self.run(&prefix, cap_at(text, self.identity.tokens * 64))
    }

    /// Runs the model on `prefix` followed by `text`.
    fn run(&mut self, prefix: &str, text: &str) -> Result<Option<Embedding>> {
        let mut found = self.inner.embed([format!("{prefix}{text}")], None).context("running the model")?;
        let values = found.pop().context("the model returned no vector")?;
        let width = self.identity.width;
        anyhow::ensure!(
            values.len() == width,
            "the model returns vectors of {} numbers, its manifest says {width}",
            values.len()
        );
        Ok(UnitVector::from_f32(&values).map(Embedding))
    }
}

/// Returns the runtime environment, loaded once per process: a process can have only one.
fn environment(path: &Path) -> Result<Environment> {
    static LOADED: Mutex<Option<Environment>> = Mutex::new(None);
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = loaded.as_ref() {
        return Ok(environment.clone());
    }
    let unusable = |why: String| {
        UserError::new(Exit::NotSetUp, format!("the ONNX Runtime at {} cannot be used: {why}", path.display()))
            .hint("run `patina model prepare`, or correct ORT_DYLIB_PATH")
    };
    let builder = ort::init_from(path).map_err(|error| unusable(error.to_string()))?;
    let environment =
        builder.with_name("patina").with_telemetry(false).build().map_err(|error| unusable(error.to_string()))?;
    *loaded = Some(environment.clone());
    Ok(environment)
}

#[cfg(target_os = "macos")]
fn check_provider(_: Provider) -> Result<()> {
    Ok(())
}

/// Rejects execution providers that this platform does not have.
#[cfg(not(target_os = "macos"))]
fn check_provider(provider: Provider) -> Result<()> {
    if provider == Provider::CoreMl {
        let message = "the execution provider coreml is available on macOS only; set `model.provider` to cpu";
        return Err(UserError::new(Exit::Usage, message).hint("correct the user configuration").into());
    }
    Ok(())
}

/// Returns the execution providers of a session; empty for the CPU.
#[cfg(target_os = "macos")]
fn providers(provider: Provider, identity: &ModelIdentity) -> Vec<ort::ep::ExecutionProviderDispatch> {
    if provider == Provider::Cpu {
        return Vec::new();
    }
    let coreml = ort::ep::CoreML::default().with_static_input_shapes(false);
    // Compiled models are cached by the graph they were compiled from.
    let cached = super::files::data_dir().map(|dir| dir.join("coreml").join(&identity.sha256));
    let coreml = match cached {
        Some(dir) if std::fs::create_dir_all(&dir).is_ok() => coreml.with_model_cache_dir(dir.display()),
        _ => coreml,
    };
    vec![coreml.build()]
}

#[cfg(not(target_os = "macos"))]
fn providers(_: Provider, _: &ModelIdentity) -> Vec<ort::ep::ExecutionProviderDispatch> {
    Vec::new()
}

/// Returns the instruction set that decides which kernels run.
fn instruction_class() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        let vnni = has!("avx512vnni") && has!("avx512vl");
        match () {
            () if vnni => "x86-64 avx512-vnni",
            () if has!("avx512f") && has!("avx512bw") => "x86-64 avx512",
            () if has!("avxvnni") => "x86-64 avx-vnni",
            () if has!("avx2") && has!("fma") => "x86-64 avx2",
            () => "x86-64",
        }
    }
    #[cfg(target_arch = "aarch64")]
    {
        use std::arch::is_aarch64_feature_detected as has;
        match () {
            () if has!("i8mm") => "aarch64 i8mm",
            () if has!("dotprod") => "aarch64 dotprod",
            () => "aarch64",
        }
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        std::env::consts::ARCH
    }
}
