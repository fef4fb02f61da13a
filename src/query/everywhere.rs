//! Files that change with nearly everything: changelogs, lock files, version bumps. They are correct hits, but carry
//! little information, so they are listed separately.

use crate::history::{FileId, LoadedCounts};

/// The share of all commits from which on a manifest counts as changing with everything.
const MANIFEST_SHARE: f64 = 0.1;

/// File names of changelogs, without their extension.
const CHANGELOGS: [&str; 9] =
    ["changelog", "changes", "history", "news", "releases", "release_notes", "releasenotes", "relnotes", "unreleased"];
/// File extensions of changelogs.
const TEXT_ENDINGS: [&str; 6] = ["", "md", "rst", "txt", "adoc", "markdown"];
/// Names of lock files that do not end in `.lock`.
const LOCKS: [&str; 8] = [
    "package-lock.json",
    "npm-shrinkwrap.json",
    "pnpm-lock.yaml",
    "bun.lockb",
    "go.sum",
    "packages.lock.json",
    "gradle.lockfile",
    "package.resolved",
];
/// Names of files that contain only the version.
const VERSIONS: [&str; 10] = [
    "version",
    "version.txt",
    ".version",
    "version.md",
    "__version__.py",
    "_version.py",
    "version.py",
    "version.rb",
    "version.go",
    "version.h",
];
/// Names of manifests, which count only if many commits touched them.
const MANIFESTS: [&str; 14] = [
    "cargo.toml",
    "package.json",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "go.mod",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "composer.json",
    "gemfile",
    "cmakelists.txt",
    "configure.ac",
    "meson.build",
];

/// Returns whether a file changes with nearly everything: by its name, or, for a manifest, by the share of commits that
/// touched it.
pub(super) fn changes_with_everything(history: &LoadedCounts, file: FileId) -> bool {
    let commits = history.counts.commits().len();
    let share = history.counts.count_of(file) as f64 / commits.max(1) as f64;
    is_by_name(history.path(file)) || (share >= MANIFEST_SHARE && is_manifest(history.path(file)))
}

fn file_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_lowercase()
}

fn is_manifest(path: &str) -> bool {
    let name = file_name(path);
    MANIFESTS.contains(&name.as_str()) || name.ends_with(".gemspec")
}

fn is_by_name(path: &str) -> bool {
    let name = file_name(path);
    let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, ""));
    let is_changelog = CHANGELOGS.contains(&stem.replace('-', "_").as_str()) && TEXT_ENDINGS.contains(&ending);
    is_changelog || ending == "lock" || LOCKS.contains(&name.as_str()) || VERSIONS.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changelogs_locks_and_versions_are_known_by_name() {
        let check = |path: &str, expect: bool| assert_eq!(is_by_name(path), expect, "{path}");
        check("CHANGELOG.md", true);
        check("docs/Release-Notes.rst", true);
        check("NEWS", true);
        check("crates/core/Cargo.lock", true);
        check("web/package-lock.json", true);
        check("src/pkg/__version__.py", true);
        check("src/history.rs", false);
        check("src/changes.py", false);
        check("src/lock.rs", false);
        check("Cargo.toml", false);
    }
}
