//! A model in memory. One text a run, on one thread: the same text gives the same bits alone, in any order, on any
//! number of workers. Refuses to start with a file that was not checked.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, anyhow};
use fastembed::{InitOptionsUserDefined, Pooling, TextEmbedding, UserDefinedEmbeddingModel};
use ort::environment::Environment;
use serde::{Deserialize, Serialize};

use super::manifest::{self, Manifest, runtime_path};
use super::text::RECIPE;
use super::tokenizer;
use super::vector::{Embedding, Unit};
use crate::config::{ModelConfig, Provider};
use crate::error::{Exit, UserError};
use crate::event::{cap_at, hex};

/// Where the runtime looks for what a graph keeps outside of itself (ONNX Runtime's session option keys).
const WEIGHTS_FOLDER: &str = "session.model_external_initializers_file_folder_path";
/// Weights are used as they are and not rearranged first: less to do where one text is all there is.
const AS_THEY_ARE: &str = "session.disable_prepacking";

/// Everything the bits of an embedding depend on: vectors of different identities are never compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The model's id.
    pub id: String,
    /// Of its graph.
    pub sha256: String,
    /// blake3 over its other files' checksums, pooling and prefixes.
    pub reading: String,
    /// Execution provider.
    pub provider: String,
    /// Instructions of the processor: kernels differ in how they round.
    pub class: String,
    /// Token limit.
    pub tokens: usize,
    /// Version of the rules that make a text of an item.
    pub recipe: u32,
    /// Numbers in a vector.
    pub width: usize,
}

/// A model that is whole and can be loaded.
#[derive(Debug, Clone)]
pub struct Setup {
    manifest: Manifest,
    provider: Provider,
    library: PathBuf,
    /// What its vectors depend on.
    pub identity: Identity,
}

/// A loaded model with its session and tokenizer.
pub struct Model {
    inner: TextEmbedding,
    identity: Identity,
    query_prefix: String,
    text_prefix: String,
}

impl Setup {
    /// Looks whether the model that the settings name, and the runtime, are there and whole. `full` hashes them.
    ///
    /// # Errors
    /// A [`UserError`]: "not set up" where something is missing, "does not verify" where it is damaged.
    pub fn check(config: &ModelConfig, full: bool) -> Result<Self> {
        let manifest = manifest::find(&config.id)?;
        manifest.verify(full)?;
        Self::at(manifest, config.provider, runtime_path(full)?)
    }

    /// The model that something was indexed with, by what is stored of it.
    pub fn of(identity: &Identity, config: &ModelConfig) -> Result<Self> {
        let manifest = manifest::find(&identity.id)?;
        manifest.verify(false)?;
        let setup = Self::at(manifest, config.provider, runtime_path(false)?)?;
        if setup.identity != *identity {
            let message =
                format!("what is indexed was embedded by another model or processor than {} here", identity.id);
            return Err(UserError::new(Exit::NotSetUp, message).hint("`patina reindex` embeds it again").into());
        }
        Ok(setup)
    }

    /// A model and a runtime that the caller has checked.
    pub fn at(manifest: Manifest, provider: Provider, library: PathBuf) -> Result<Self> {
        refuse_elsewhere(provider)?;
        let mut reading = blake3::Hasher::new();
        for (role, entry) in manifest.files.all() {
            reading.update(format!("{role} {}\n", entry.sha256).as_bytes());
        }
        let rest = format!("{:?}\0{}\0{}", manifest.pooling, manifest.query_prefix, manifest.text_prefix);
        reading.update(rest.as_bytes());
        let identity = Identity {
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

    /// The runtime that sessions run in.
    pub fn environment(&self) -> Result<Environment> {
        environment(&self.library)
    }

    /// Loads it, with one session of one thread. `once`: for a text or a few, where loading takes longer than running.
    pub fn load(&self, once: bool) -> Result<Model> {
        let inner = std::thread::scope(|scope| -> Result<TextEmbedding> {
            // Half of the time is the tokenizer's, and it needs nothing of the rest.
            let tokenizer = scope.spawn(|| tokenizer::load(&self.manifest));
            let mut inner = self.session(once)?;
            inner.tokenizer = tokenizer.join().map_err(|_| anyhow!("the tokenizer stopped"))??;
            Ok(inner)
        });
        Ok(Model {
            inner: inner.with_context(|| format!("loading the model {}", self.manifest.id))?,
            identity: self.identity.clone(),
            query_prefix: self.manifest.query_prefix.clone(),
            text_prefix: self.manifest.text_prefix.clone(),
        })
    }

    /// The graph, ready to run, with a tokenizer that stands in for the one that is still being read.
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
            // Weights outside of the graph are mapped, not copied: most of what loading cost was touching memory.
            .with_session_config(WEIGHTS_FOLDER, self.manifest.folder.display().to_string())
            .with_execution_providers(providers(self.provider, &self.identity));
        if once {
            options = options.with_session_config(AS_THEY_ARE, "1");
        }
        Ok(TextEmbedding::try_new_from_user_defined(model, options)?)
    }
}

impl Model {
    /// Embeds a text of the repository; none where the model gives numbers that are none.
    pub fn embed(&mut self, text: &str) -> Result<Option<Embedding>> {
        let prefix = self.text_prefix.clone();
        self.run(&prefix, text)
    }

    /// Embeds a question.
    pub fn embed_question(&mut self, text: &str) -> Result<Option<Embedding>> {
        let prefix = self.query_prefix.clone();
        // More than the token limit can hold; splitting all of a pasted file into tokens would only take time.
        self.run(&prefix, cap_at(text, self.identity.tokens * 64))
    }

    fn run(&mut self, prefix: &str, text: &str) -> Result<Option<Embedding>> {
        let mut found = self.inner.embed([format!("{prefix}{text}")], None).context("running the model")?;
        let values = found.pop().context("the model answered with nothing")?;
        let width = self.identity.width;
        anyhow::ensure!(values.len() == width, "the model gives {} numbers, its manifest says {width}", values.len());
        Ok(Unit::from_f32(&values).map(Embedding))
    }
}

/// The runtime, loaded once a process: there can be no second one beside it.
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
fn refuse_elsewhere(_: Provider) -> Result<()> {
    Ok(())
}

#[cfg(not(target_os = "macos"))]
fn refuse_elsewhere(provider: Provider) -> Result<()> {
    if provider == Provider::CoreMl {
        let message = "the execution provider coreml is macOS's own; here `model.provider` has to be cpu";
        return Err(UserError::new(Exit::Usage, message).hint("correct the user configuration").into());
    }
    Ok(())
}

#[cfg(target_os = "macos")]
fn providers(provider: Provider, identity: &Identity) -> Vec<ort::ep::ExecutionProviderDispatch> {
    if provider == Provider::Cpu {
        return Vec::new();
    }
    let coreml = ort::ep::CoreML::default().with_static_input_shapes(false);
    // Compiled models are kept by what they were compiled from.
    let cached = super::files::data_dir().map(|dir| dir.join("coreml").join(&identity.sha256));
    let coreml = match cached {
        Some(dir) if std::fs::create_dir_all(&dir).is_ok() => coreml.with_model_cache_dir(dir.display()),
        _ => coreml,
    };
    vec![coreml.build()]
}

#[cfg(not(target_os = "macos"))]
fn providers(_: Provider, _: &Identity) -> Vec<ort::ep::ExecutionProviderDispatch> {
    Vec::new()
}

/// The instructions that decide which kernels run.
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
