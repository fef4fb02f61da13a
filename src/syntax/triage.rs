//! Decides whether a file is read as code, as text or not at all, by path, size and the first bytes.
//!
//! In case of doubt a file is text, because a wrongly skipped file cannot be found at all.

use std::sync::OnceLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::language::Language;

/// What a file is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Triage {
    /// Source with definitions.
    Code(Language),
    /// Text without definitions.
    Text,
    /// Not read.
    Skip(Skip),
}

/// Why a file is skipped. The names are used in counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// Not text.
    Binary,
    /// Written by a program.
    Generated,
    /// Code without line breaks.
    Minified,
    /// Third-party code kept in the repository.
    Vendored,
    /// Larger than the limit.
    Oversize,
    /// Empty.
    Empty,
}

impl Skip {
    /// Returns the name used in counts.
    pub fn name(self) -> &'static str {
        match self {
            Skip::Binary => "binary",
            Skip::Generated => "generated",
            Skip::Minified => "minified",
            Skip::Vendored => "vendored",
            Skip::Oversize => "oversize",
            Skip::Empty => "empty",
        }
    }
}

/// Limits of the files that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLimits {
    /// Largest file that is read, in bytes.
    pub max_bytes: u64,
}

impl Default for FileLimits {
    fn default() -> Self {
        FileLimits { max_bytes: 1 << 20 }
    }
}

/// Largest data file that is read, in bytes. Larger ones are tables and dumps, which do not answer a text query.
pub const MAX_DATA_BYTES: u64 = 64 << 10;

/// Number of bytes checked for binary content, the same as in git.
const BINARY_HEAD: usize = 8000;

/// Number of lines in which a generator's note is looked for.
const HEADER_LINES: usize = 40;

/// Mean line length above which code counts as minified; ordinary code is far below.
const MINIFIED_MEAN: usize = 400;

/// Shortest code, in bytes, whose mean line length is considered.
const MINIFIED_LEAST: usize = 2000;

/// Extensions of data files.
const DATA: [&str; 8] = ["json", "jsonl", "ndjson", "csv", "tsv", "xml", "txt", "geojson"];

/// Folders of third-party code.
const VENDORED: [&str; 13] = [
    "vendor",
    "_vendor",
    "vendored",
    "node_modules",
    "third_party",
    "third-party",
    "thirdparty",
    "bower_components",
    "jspm_packages",
    ".yarn",
    "pods",
    "godeps",
    "site-packages",
];

/// Names of generated files.
const GENERATED_NAMES: [&str; 22] = [
    "cargo.lock",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "go.sum",
    "go.work.sum",
    "poetry.lock",
    "pdm.lock",
    "uv.lock",
    "pipfile.lock",
    "gemfile.lock",
    "composer.lock",
    "podfile.lock",
    "flake.lock",
    "deno.lock",
    "mix.lock",
    "gradle.lockfile",
    "gradlew",
    "gradlew.bat",
    "packages.lock.json",
];

/// Endings of generated files.
const GENERATED_ENDS: [&str; 18] = [
    ".pb.go",
    ".pb.cc",
    ".pb.h",
    "_pb2.py",
    "_pb2.pyi",
    "_pb2_grpc.py",
    ".pb.rs",
    "_pb.js",
    "_pb.d.ts",
    ".min.js",
    ".min.mjs",
    ".min.css",
    ".bundle.js",
    ".map",
    ".g.dart",
    ".svg",
    ".designer.cs",
    ".ipynb",
];

/// Decides what a file is read as. `head` is its beginning, at least 8,000 bytes if it has as many.
pub fn triage(path: &str, head: &[u8], size: u64, limits: &FileLimits) -> Triage {
    let name = file_name(path).to_ascii_lowercase();
    if size == 0 {
        return Triage::Skip(Skip::Empty);
    }
    if is_vendored(path) {
        return Triage::Skip(Skip::Vendored);
    }
    if is_generated_name(&name) {
        return Triage::Skip(Skip::Generated);
    }
    if looks_binary(head) {
        return Triage::Skip(Skip::Binary);
    }
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if size > limits.max_bytes || (DATA.contains(&extension) && size > MAX_DATA_BYTES) {
        return Triage::Skip(Skip::Oversize);
    }
    if is_signed_by_generator(head) {
        return Triage::Skip(Skip::Generated);
    }
    match Language::detect(path, head) {
        Some(_) if is_minified(head) => Triage::Skip(Skip::Minified),
        Some(language) => Triage::Code(language),
        None => Triage::Text,
    }
}

/// Returns whether a path is that of a test, by folder and file name.
pub fn is_test_path(path: &str) -> bool {
    const FOLDERS: [&str; 9] = ["test", "tests", "__tests__", "spec", "specs", "testdata", "testing", "e2e", "t"];
    if folders(path).any(|folder| FOLDERS.contains(&&*folder)) {
        return true;
    }
    let name = file_name(path);
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let lower = name.to_ascii_lowercase();
    lower.contains(".test.")
        || lower.contains(".spec.")
        || lower.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || stem.ends_with("_unittest")
        || matches!(stem, "tests" | "test" | "conftest")
        || (lower.ends_with(".java") && (stem.ends_with("Test") || stem.ends_with("Tests")))
}

/// Returns whether a file is rarely a good answer: tests, fixtures, examples, benches, vendored and generated files.
pub fn is_noise(path: &str) -> bool {
    const FOLDERS: [&str; 20] = [
        "fixture",
        "fixtures",
        "__fixtures__",
        "__snapshots__",
        "snapshots",
        "__mocks__",
        "mocks",
        "example",
        "examples",
        "sample",
        "samples",
        "demo",
        "demos",
        "bench",
        "benches",
        "benchmark",
        "benchmarks",
        "benchsuite",
        "corpus",
        "golden",
    ];
    is_test_path(path)
        || folders(path).any(|folder| FOLDERS.contains(&&*folder))
        || is_vendored(path)
        || is_generated_name(&file_name(path).to_ascii_lowercase())
}

/// Returns the last component of a path.
fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Returns the folders of a path in lower case, innermost first.
fn folders(path: &str) -> impl Iterator<Item = String> + '_ {
    path.rsplit('/').skip(1).map(str::to_ascii_lowercase)
}

/// Returns whether a folder of the path contains third-party code.
fn is_vendored(path: &str) -> bool {
    folders(path).any(|folder| VENDORED.contains(&&*folder))
}

/// Returns whether a file name, in lower case, is that of a generated file.
fn is_generated_name(lower: &str) -> bool {
    GENERATED_NAMES.contains(&lower) || GENERATED_ENDS.iter().any(|end| lower.ends_with(end) && lower.len() > end.len())
}

/// Returns whether bytes are binary: a NUL, or more control characters than any text encoding has.
fn looks_binary(head: &[u8]) -> bool {
    let head = &head[..head.len().min(BINARY_HEAD)];
    let strange = |byte: &&u8| **byte < 0x20 && !matches!(**byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    head.contains(&0) || head.iter().filter(strange).count() * 10 > head.len()
}

/// Returns whether a comment at the top marks the file as generated.
fn is_signed_by_generator(head: &[u8]) -> bool {
    static SIGNS: OnceLock<Regex> = OnceLock::new();
    let signs = SIGNS.get_or_init(|| {
        Regex::new(
            r"(?xi) (^|[\s*/\#])@generated\b | code\ generated\ .*do\ not\ edit
            | th(is|e)\ (following\ )?(file|code|module|header)\ (was|is|has\ been)\ (auto(matically|-)?\s?)?generated
            | ^\W*(auto(matically)?[-\s]?generated|generated)\ (by|from|using|with)\ .*(do\ not\ (edit|modify)|protocol\ buffer)
            | ^\W*auto(matically)?[-\s]?generated(\ file)?\W*(do\ not\ (edit|modify))
            | generated\ by\ the\ protocol\ buffer\ compiler",
        )
        .expect("the pattern is a constant and a test runs it")
    });
    let text = String::from_utf8_lossy(&head[..head.len().min(BINARY_HEAD)]);
    text.lines().take(HEADER_LINES).map(str::trim_start).any(|line| is_comment(line) && signs.is_match(line))
}

/// Returns whether a line begins as a comment does.
fn is_comment(line: &str) -> bool {
    ["//", "#", "/*", "*", "--", ";", "<!--", "%", "rem ", "\"\"\"", "(*"].iter().any(|mark| line.starts_with(mark))
}

/// Returns whether code has hardly any line breaks.
fn is_minified(head: &[u8]) -> bool {
    if head.len() < MINIFIED_LEAST {
        return false;
    }
    let lines = head.iter().filter(|byte| **byte == b'\n').count() + 1;
    let longest = head.split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap_or(0);
    // One long line in a file of short ones is a table or an embedded file, and the rest is still code.
    head.len() / lines > MINIFIED_MEAN && longest * 2 > head.len().min(BINARY_HEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, head: &str, expect: Triage) {
        assert_eq!(
            triage(path, head.as_bytes(), head.len() as u64, &FileLimits::default()),
            expect,
            "{path} {head:.40}"
        );
    }

    #[test]
    fn a_file_is_judged_by_name_and_head() {
        use Language::{Go, JavaScript, Python, Rust};
        use Triage::{Code, Text};
        let skip = Triage::Skip;
        let long = format!("var a={};", "b(1);".repeat(1000));
        let wide = format!("fn a() {{}}\nconst TABLE: &str = \"{}\";\n{}", "x".repeat(3000), "fn b() {}\n".repeat(800));
        for (path, head, expect) in [
            ("src/a.rs", "fn main() {}", Code(Rust)),
            ("bin/run", "#!/usr/bin/env python3\n", Code(Python)),
            ("README.md", "# Title", Text),
            ("a.rs", "", skip(Skip::Empty)),
            ("logo.png", "\u{89}PNG\r\n\u{1a}\n\0\0", skip(Skip::Binary)),
            ("Cargo.lock", "version = 4", skip(Skip::Generated)),
            ("api/x.pb.go", "package x", skip(Skip::Generated)),
            ("logo.svg", "<svg/>", skip(Skip::Generated)),
            ("a/vendor/x/y.go", "package y", skip(Skip::Vendored)),
            ("vendor.go", "package y", Code(Go)),
            ("web/node_modules/x/i.js", "1", skip(Skip::Vendored)),
            ("gen.go", "// Code generated by stringer; DO NOT EDIT.\npackage y", skip(Skip::Generated)),
            ("gen.py", "# -*- coding: utf-8 -*-\n# @generated by tool\n", skip(Skip::Generated)),
            ("gen.rs", "// This file was automatically generated by build.rs.\n", skip(Skip::Generated)),
            ("mark.rs", "const MARK: &str = \"@generated\";\n", Code(Rust)),
            ("about.rs", "// Files that are automatically generated are skipped.\n", Code(Rust)),
            ("app.js", &long, skip(Skip::Minified)),
            ("table.rs", &wide, Code(Rust)),
            ("lib.min.js", "a", skip(Skip::Generated)),
            ("ui.test.js.snap", "exports[`x`]", Text),
            ("tool.js", "export {}", Code(JavaScript)),
        ] {
            check(path, head, expect);
        }
    }

    #[test]
    fn text_in_an_old_encoding_is_still_text() {
        let latin = b"caf\xe9 au lait, d\xe9j\xe0 vu\n";
        assert_eq!(triage("notes.md", latin, latin.len() as u64, &FileLimits::default()), Triage::Text);
        let noise: Vec<u8> = (1..=255).cycle().take(4000).filter(|byte| *byte < 40).collect();
        assert_eq!(triage("notes.md", &noise, 4000, &FileLimits::default()), Triage::Skip(Skip::Binary));
    }

    #[test]
    fn large_files_and_large_data_are_left_out() {
        let limits = FileLimits::default();
        assert_eq!(triage("a.rs", b"fn a() {}", limits.max_bytes + 1, &limits), Triage::Skip(Skip::Oversize));
        assert_eq!(triage("a.json", b"{}", MAX_DATA_BYTES + 1, &limits), Triage::Skip(Skip::Oversize));
        assert_eq!(triage("a.json", b"{}", 2, &limits), Triage::Text);
        assert_eq!(triage("a.md", b"# a", MAX_DATA_BYTES + 1, &limits), Triage::Text);
    }

    #[test]
    fn paths_tell_tests_and_noise() {
        for (path, test, noise) in [
            ("src/lib.rs", false, false),
            ("tests/it/main.rs", true, true),
            ("pkg/server_test.go", true, true),
            ("a/test_x.py", true, true),
            ("src/x.spec.ts", true, true),
            ("src/main/FooTest.java", true, true),
            ("src/latest.rs", false, false),
            ("src/contest.py", false, false),
            ("examples/a.rs", false, true),
            ("a/fixtures/b.json", false, true),
            ("vendor/a.go", false, true),
            ("Cargo.lock", false, true),
        ] {
            assert_eq!((is_test_path(path), is_noise(path)), (test, noise), "{path}");
        }
    }
}
