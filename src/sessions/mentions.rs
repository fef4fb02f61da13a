//! Files and commits that a text mentions.
//!
//! Precision first: a path needs a file extension, and a commit needs a word or a mark that announces it.

use super::ParsedEntry;

/// Extensions that make a word without a folder a file name.
const FILE_EXTENSIONS: &[&str] = &[
    "bash", "bazel", "c", "cc", "cfg", "conf", "cpp", "cs", "css", "csv", "cxx", "db", "ex", "exs", "go", "gradle",
    "h", "hcl", "hpp", "html", "ini", "ipynb", "java", "js", "json", "jsonc", "jsonl", "jsx", "kt", "kts", "lock",
    "lua", "md", "mdx", "mjs", "ml", "php", "pl", "proto", "ps1", "py", "pyi", "rb", "rs", "rst", "scala", "scm", "sh",
    "sol", "sql", "svelte", "swift", "tf", "toml", "ts", "tsv", "tsx", "txt", "vue", "xml", "yaml", "yml", "zig",
    "zsh",
];

/// Files without an extension.
const FILE_NAMES: &[&str] =
    &["Dockerfile", "Gemfile", "Justfile", "LICENSE", "Makefile", "Rakefile", "go.mod", "go.sum"];

/// Names of products that look like file names.
const PRODUCT_NAMES: &[&str] = &[
    "alpine.js",
    "backbone.js",
    "chart.js",
    "d3.js",
    "deno.js",
    "discord.js",
    "ember.js",
    "express.js",
    "knockout.js",
    "moment.js",
    "nest.js",
    "next.js",
    "node.js",
    "nuxt.js",
    "p5.js",
    "react.js",
    "socket.js",
    "three.js",
    "vue.js",
];

/// Top-level domains of URLs without a scheme.
const DOMAINS: &[&str] = &["ai", "app", "co", "com", "dev", "edu", "gov", "io", "net", "org", "uk"];

/// The longest extension of a path with a folder.
const MAX_EXTENSION: usize = 10;

/// The length of a commit id, abbreviated to full.
const COMMIT_DIGITS: std::ops::RangeInclusive<usize> = 7..=40;

/// Words that announce a commit.
const COMMIT_WORDS: &[&str] = &[
    "cherry-pick",
    "cherry-picked",
    "commit",
    "commits",
    "committed",
    "head",
    "rev",
    "revert",
    "reverted",
    "revision",
    "sha",
];

/// Returns the files that a text mentions, in order and each once: `src/a.rs`, `Cargo.toml`, without a trailing `:12`
/// or `(why)`.
pub fn files_in(text: &str) -> Vec<String> {
    let mut files = Vec::new();
    // Double brackets contain the name of a note.
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("[[") {
        collect_files(before, &mut files);
        rest = after.split_once("]]").map_or("", |(_, after)| after);
    }
    collect_files(rest, &mut files);
    files
}

/// Returns the commits that a text mentions, in order and each once: `[branch@abc1234]`, `commit abc1234`, or an
/// abbreviated id alone in backticks or brackets.
pub fn commits_in(text: &str) -> Vec<String> {
    let mut commits: Vec<String> = Vec::new();
    // Whether the previous word announced a commit. It also announces further ones in a list.
    let mut expected = false;
    for word in text.split_whitespace() {
        for (start, piece) in commit_candidates(word) {
            let said = start > 0 && word[..start].ends_with(['@', '`', '(', '[']) && is_closed(word, start, piece);
            if is_commit(piece) && (expected || said) {
                let commit = piece.to_ascii_lowercase();
                if !commits.contains(&commit) {
                    commits.push(commit);
                }
                expected = true;
                continue;
            }
            let lower = piece.to_ascii_lowercase();
            expected = COMMIT_WORDS.contains(&lower.trim_matches('-'))
                || (expected && matches!(lower.as_str(), "" | "and" | "at" | "hash" | "is" | "id"));
        }
    }
    commits
}

/// The files and commits of an entry that are declared on a line of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DeclaredMentions {
    /// Files; `None` if only the text mentions them.
    pub files: Option<Vec<String>>,
    /// Commits; `None` if only the text mentions them.
    pub commits: Option<Vec<String>>,
}

/// Returns the line that declares an entry's files and commits, if its text does not mention them: "About `src/a.rs`,
/// commit `abc1234`".
pub(super) fn declaration_line(entry: &ParsedEntry) -> Option<String> {
    let told = |own: &[String], said: Vec<String>, none: &str, mark: &str| match own {
        own if own == said => Vec::new(),
        [] => vec![none.to_string()],
        own => own.iter().filter(|name| !name.contains('`')).map(|name| format!("{mark}`{name}`")).collect(),
    };
    let mut named = told(&entry.files, files_in(&entry.content), NO_FILE, "");
    named.extend(told(&entry.commits, commits_in(&entry.content), NO_COMMIT, COMMIT));
    (!named.is_empty()).then(|| format!("{DECLARATION_START}{}", named.join(DECLARATION_SEPARATOR)))
}

/// The beginning of a declaration line.
const DECLARATION_START: &str = "About ";
/// The word before each commit in it.
const COMMIT: &str = "commit ";
/// The separator between its names.
const DECLARATION_SEPARATOR: &str = ", ";
/// Written if the entry has no file.
const NO_FILE: &str = "no file";
/// Written if the entry has no commit.
const NO_COMMIT: &str = "no commit";

/// The length of a declared commit id, of either hash function.
const DECLARED_COMMIT_DIGITS: std::ops::RangeInclusive<usize> = 7..=64;

/// Parses a declaration line; `None` for any other line.
pub(super) fn parse_declaration(line: &str) -> Option<DeclaredMentions> {
    let (mut named, mut rest) = (DeclaredMentions::default(), line.strip_prefix(DECLARATION_START)?);
    let is_hexadecimal =
        |name: &str| DECLARED_COMMIT_DIGITS.contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    loop {
        if let Some(after) = rest.strip_prefix(NO_FILE) {
            named.files.get_or_insert_default();
            rest = after;
        } else if let Some(after) = rest.strip_prefix(NO_COMMIT) {
            named.commits.get_or_insert_default();
            rest = after;
        } else {
            let (mark, after) = rest.split_once('`')?;
            let (name, after) = after.split_once('`')?;
            match mark {
                "" if is_below(name) => named.files.get_or_insert_default().push(name.to_string()),
                COMMIT if is_hexadecimal(name) => named.commits.get_or_insert_default().push(name.to_string()),
                _ => return None,
            }
            rest = after;
        }
        if rest.is_empty() {
            return Some(named);
        }
        rest = rest.strip_prefix(DECLARATION_SEPARATOR)?;
    }
}

/// Returns whether a path stays below the top of the worktree.
fn is_below(path: &str) -> bool {
    !path.is_empty() && !path.starts_with('/') && !path.split('/').any(|part| part == "..")
}

/// Returns the parts of a word that could be commits, with their offsets.
fn commit_candidates(word: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    let parts = word.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_')).map(move |part| {
        let start = at;
        // The separator is one character, of one or more bytes.
        at += part.len() + word[start + part.len()..].chars().next().map_or(0, char::len_utf8);
        (start, part)
    });
    // In `commit-abc1234` the first part announces the second.
    parts.filter(|(_, part)| !part.is_empty()).flat_map(|(start, part)| {
        match part.rsplit_once('-').filter(|(word, _)| COMMIT_WORDS.contains(&word.to_ascii_lowercase().as_str())) {
            Some((word, commit)) => vec![(start, word), (start + word.len() + 1, commit)],
            None => vec![(start, part)],
        }
    })
}

/// Returns whether the opening mark before a piece is closed after it, or needs no closing.
fn is_closed(word: &str, start: usize, piece: &str) -> bool {
    let after = &word[start + piece.len()..];
    match word.as_bytes()[start - 1] {
        b'`' => after.starts_with('`') || after.starts_with(".."),
        b'@' => start > 1 && (after.is_empty() || after.starts_with([']', ')', '`', ','])),
        _ => after.starts_with([')', ']', ',', '.']),
    }
}

/// Returns whether a text is 7 to 40 hexadecimal digits with a letter and a digit among them. Words have no digit,
/// numbers no letter.
fn is_commit(text: &str) -> bool {
    COMMIT_DIGITS.contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Collects the files that a text mentions.
fn collect_files(text: &str, files: &mut Vec<String>) {
    let ends = |c: char| c.is_whitespace() || "`\"'()[]<>,;|“”‘’…→←=!?*".contains(c);
    for word in text.split(ends) {
        if let Some(file) = file_path(word)
            && !files.contains(&file)
        {
            files.push(file);
        }
    }
}

/// Returns a word as a path, if it is one.
fn file_path(word: &str) -> Option<String> {
    if word.contains("://") || word.contains("..") {
        return None;
    }
    let path = word.split_once(':').map_or(word, |(path, _)| path);
    let path = path.split_once('#').map_or(path, |(path, _)| path).trim_end_matches('.');
    let path = path.strip_prefix("./").unwrap_or(path);
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+@".contains(c);
    if path.is_empty() || path.starts_with('/') || path.ends_with('/') || !path.chars().all(is_plain) {
        return None;
    }
    let (folder, name) = path.rsplit_once('/').map_or((None, path), |(folder, name)| (Some(folder), name));
    let stem_and_ending = name.rsplit_once('.').filter(|(stem, ending)| !stem.is_empty() && !ending.is_empty());
    let known = |ending: &str| FILE_EXTENSIONS.contains(&ending.to_ascii_lowercase().as_str());
    let is_file = match (folder, stem_and_ending) {
        _ if FILE_NAMES.contains(&name) => true,
        (None, Some((_, ending))) => known(ending) && !PRODUCT_NAMES.contains(&path.to_ascii_lowercase().as_str()),
        (Some(folder), Some((_, ending))) => {
            // `a.rs/b.rs` names two files, and `example.com/a.html` is a URL.
            let first = folder.split('/').next().unwrap_or_default();
            let is_domain =
                first.rsplit_once('.').is_some_and(|(name, end)| !name.is_empty() && DOMAINS.contains(&end));
            let is_two = folder.split('/').any(|part| part.rsplit_once('.').is_some_and(|(_, end)| known(end)));
            let is_ending = known(ending)
                || (ending.len() <= MAX_EXTENSION
                    && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
                    && ending.starts_with(|c: char| c.is_ascii_lowercase()));
            is_ending && !is_domain && !is_two && !folder.split('/').any(str::is_empty)
        }
        // Only well-known dotfiles count.
        (_, None) => name.starts_with('.') && matches!(name, ".gitignore" | ".gitattributes" | ".mailmap" | ".env"),
    };
    is_file.then(|| path.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_line_is_told_from_prose() {
        let told = |names: &[&str]| Some(names.iter().map(|name| name.to_string()).collect::<Vec<_>>());
        let check = |line: &str, files, commits| {
            assert_eq!(parse_declaration(line), Some(DeclaredMentions { files, commits }), "{line}")
        };
        let commits = told(&["abc1234"]);
        check("About `src/a.rs`, `a, b.rs`, commit `abc1234`", told(&["src/a.rs", "a, b.rs"]), commits);
        check("About commit `1234567`", None, told(&["1234567"]));
        check("About no file, no commit", told(&[]), told(&[]));
        check("About no file", told(&[]), None);
        for line in [
            "About `src/a.rs` and more",
            "About time",
            "About no files",
            "About ",
            "See `src/a.rs`",
            "About commit `1`",
            "About `a",
            "About `../a.rs`",
            "About `/a.rs`",
        ] {
            assert_eq!(parse_declaration(line), None, "{line}");
        }
    }
    use proptest::prelude::*;

    #[test]
    fn files_are_told_from_what_looks_like_them() {
        let check = |text: &str, expect: &[&str]| assert_eq!(files_in(text), expect, "{text:?}");
        check("src/commands/a.rs (save and load)", &["src/commands/a.rs"]);
        check("`src/a.rs:295-306`, trainer.rs:12 and src/a.rs.", &["src/a.rs", "trainer.rs"]);
        check("Cargo.toml (0.4 → 0.7), ./Makefile", &["Cargo.toml", "Makefile"]);
        check("[SPEC.md](docs/x/SPEC.md#goals) **src/b.rs**:", &["SPEC.md", "docs/x/SPEC.md", "src/b.rs"]);
        check(
            ".github/workflows/ci.yml, .data/index.usearch, .gitignore",
            &[".github/workflows/ci.yml", ".data/index.usearch", ".gitignore"],
        );
        for text in [
            "read/write and CI/CD at 0.4/0.7",
            "feature/a-branch, origin/main",
            "https://example.com/a.html and github.com/a/b.git",
            "Node.js, e.g. i.e. v0.7.1",
            "tensor.shape() and metadata.get(\"dim\")",
            "[[fix/a/SPEC.md]] ~/.config/a.toml /etc/a.conf ../a.rs",
            "src/{a,b}.rs src/*.rs a.rs/b.rs src/",
            "",
        ] {
            check(text, &[]);
        }
    }

    #[test]
    fn commits_are_told_from_what_looks_like_them() {
        let check = |text: &str, expect: &[&str]| assert_eq!(commits_in(text), expect, "{text:?}");
        check("A thing [main@6494322f]", &["6494322f"]);
        check("[feature/a-b@6494322f] and [[commit-33245920a]]", &["6494322f", "33245920a"]);
        check("Fixed in commit abc1234, then reverted `ABC1234` (def5678)", &["abc1234", "def5678"]);
        check("Commits: `cee3338b`, d8c8ba08 and e89d3b51 as such", &["cee3338b", "d8c8ba08", "e89d3b51"]);
        check("**Commit:** d05cc87 refactor: switch", &["d05cc87"]);
        check(
            "Starting Commit: 6494322f43f89b6fbc75a6f32cdaeb053cd343e3",
            &["6494322f43f89b6fbc75a6f32cdaeb053cd343e3"],
        );
        check("`abc1234..def5678`", &["abc1234", "def5678"]);
        for text in [
            "commit message and commit 1234567",
            "commit deadbeef; `20250101`, `defaced`",
            "a hash of 6494322f, color #a1b2c3d4",
            "me@a1b2c3d4.example, `a1b2c3d4e5 and`",
            "commit to the plan a1b2c3d4",
            "`é6494322f` 64943f",
        ] {
            check(text, &[]);
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,60}", marks in "[a-f0-9@`(\\[. /:é-]{0,60}") {
            for text in [&text, &marks] {
                for file in files_in(text) {
                    prop_assert!(text.contains(&file));
                }
                let _ = commits_in(text);
            }
        }
    }
}
