//! The real model, fetched once by the program under test into the build folder.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use super::{PATINA, TestRepo};

/// The Python packages that adapter tests need, in pinned versions.
const PACKAGES: [&str; 2] = ["numpy==1.26.4", "safetensors==0.5.3"];
/// MLX, pinned too; it is not available on every platform.
const MLX: [&str; 1] = ["mlx[cpu]==0.32.4"];

fn tools() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the build folder").join("tools")
}

/// Runs `work` once for all test processes.
fn once(name: &str, done: &Path, work: impl FnOnce()) {
    fs::create_dir_all(tools()).expect("a folder");
    let lock = File::create(tools().join(format!("{name}.lock"))).expect("a lock");
    lock.lock().expect("it can be waited for");
    if !done.exists() {
        work();
        fs::write(done, "").expect("a mark");
    }
}

/// Returns the folder with the model and the runtime.
pub fn data_dir() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let dir = tools().join("data");
        once("data", &tools().join("data.done"), || prepare(&dir));
        // The folder may hold what an older build needed; this is fast if nothing is missing.
        prepare(&dir);
        dir
    })
}

fn prepare(dir: &Path) {
    let output = Command::new(PATINA)
        .args(["model", "prepare"])
        .env("PATINA_DATA_DIR", dir)
        .env("PATINA_CONFIG", "/dev/null")
        .output()
        .expect("patina runs");
    assert!(output.status.success(), "patina model prepare: {}", String::from_utf8_lossy(&output.stderr));
}

/// Creates a data folder for one repository, so that a test can damage it. Files are copied, because damage to a hard
/// link would affect the other tests.
pub fn own_data_dir(repo: &TestRepo) -> PathBuf {
    let own = repo.root().join("data");
    copy(data_dir(), &own);
    own
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else if entry.file_name() != "checked.json" {
            fs::copy(entry.path(), &to).expect("copied");
            fs::set_permissions(&to, fs::Permissions::from_mode(0o644)).expect("a mode");
        }
    }
}

/// Runs a Python script with numpy and safetensors, and returns its output.
pub fn python(script: &str, arguments: &[&str]) -> String {
    let packages = tools().join("python");
    once("python", &tools().join("python.done"), || {
        let installed = install(&packages, &PACKAGES);
        assert!(installed.status.success(), "pip installs {PACKAGES:?}: {}", said(&installed));
    });
    run(script, arguments, &packages)
}

/// Runs a Python script with MLX, and returns its output, or an error if there is no MLX for this platform.
pub fn mlx(script: &str, arguments: &[&str]) -> Result<String, String> {
    let (packages, nowhere) = (tools().join("mlx"), tools().join("mlx.nowhere"));
    once("mlx", &tools().join("mlx.done"), || {
        let installed = install(&packages, &MLX);
        // Other errors, such as a missing network, are no reason to skip the test.
        let has_none = said(&installed).contains("No matching distribution");
        assert!(installed.status.success() || has_none, "pip installs {MLX:?}: {}", said(&installed));
        if has_none {
            fs::write(&nowhere, said(&installed)).expect("a note");
        }
    });
    if nowhere.exists() {
        return Err(format!("pip has no {} for {} {}", MLX[0], std::env::consts::OS, std::env::consts::ARCH));
    }
    Ok(run(script, arguments, &packages))
}

fn install(to: &Path, packages: &[&str]) -> Output {
    Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-warn-script-location"])
        .args(["--upgrade", "--target"])
        .arg(to)
        .args(packages)
        .output()
        .expect("python3 runs")
}

fn run(script: &str, arguments: &[&str], packages: &Path) -> String {
    let output = Command::new("python3")
        .args(["-c", script])
        .args(arguments)
        .env("PYTHONPATH", packages)
        .output()
        .expect("runs");
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
