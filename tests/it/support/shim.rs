//! `shim.c`, a preloaded library that records and fails a program's file operations. It is used for patina only, never
//! for git.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::{TestRepo, ran};

const SOURCE: &str = include_str!("shim.c");

/// Builds the library once and returns its path. This needs a C compiler, as building patina does.
fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let name = &blake3::hash(SOURCE.as_bytes()).to_hex()[..16];
        let (library, own) =
            (folder.join(format!("shim-{name}.so")), folder.join(format!("shim-{}", std::process::id())));
        if !library.exists() {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/shim.c");
            let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
            let mut command = Command::new(compiler);
            command.args(["-O1", "-shared", "-fPIC", "-o"]).arg(&own).arg(source).args(["-ldl", "-lpthread"]);
            let built = ran(&mut command);
            assert_eq!(built.code, 0, "building the shim: {}", built.stderr);
            std::fs::rename(&own, &library).expect("it was built here");
        }
        library
    })
}

impl TestRepo {
    /// Returns the same repository with the shim preloaded into every program, with settings (see `shim.c`). Only paths
    /// in the state folder count.
    pub fn with_shim(&self, settings: &[(&str, &str)]) -> TestRepo {
        let under = self.state().display().to_string();
        let mut repo = self.with("LD_PRELOAD", &library().display().to_string()).with("PATINA_SHIM_UNDER", &under);
        for (name, value) in settings {
            repo = repo.with(&format!("PATINA_SHIM_{name}"), value);
        }
        repo
    }
}
