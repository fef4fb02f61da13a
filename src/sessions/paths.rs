//! Resolves paths that an agent used or wrote, relative to the top of the repository. Purely lexical.
//!
//! Paths outside every worktree are dropped, and so are names that may mean two files.

use std::sync::LazyLock;

use regex::Regex;

/// The most files read from one text; a text with more is a listing.
const MAX_NAMED: usize = 32;

/// The longest path, in bytes.
const MAX_PATH: usize = 1_024;

/// Returns a path relative to the innermost worktree that contains it. A relative path is resolved from `cwd`.
pub(super) fn relative_to_top(path: &str, cwd: Option<&str>, tops: &[String]) -> Option<String> {
    let absolute = absolute(path, cwd)?;
    let below = tops.iter().filter_map(|top| below(&absolute, top)).min_by_key(|told| told.len())?;
    (!below.is_empty() && below.len() <= MAX_PATH).then(|| below.to_string())
}

/// Returns whether a folder is in the repository. An unknown folder counts as inside.
pub(super) fn is_below_top(folder: Option<&str>, tops: &[String]) -> bool {
    folder.is_none_or(|folder| {
        let folder = with_slashes(folder);
        tops.iter().any(|top| below(&folder, top).is_some())
    })
}

/// Resolves a folder that was entered from another.
pub(super) fn join_folder(folder: &str, cwd: Option<&str>) -> Option<String> {
    absolute(folder, cwd)
}

/// Returns the rest of a path below the top of a worktree; empty for the top itself.
fn below<'p>(path: &'p str, top: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(with_slashes(top).as_str())?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// Resolves a path to an absolute one; `None` if it begins with `~`, since the home folder is not known.
fn absolute(path: &str, cwd: Option<&str>) -> Option<String> {
    if path == "~" || path.starts_with("~/") {
        return None;
    }
    let path = with_slashes(path.strip_prefix("file://").unwrap_or(path));
    let whole = if is_absolute(&path) { path } else { format!("{}/{path}", with_slashes(cwd?)) };
    let root = if whole.starts_with('/') { "/" } else { "" };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| format!("{root}{}", parts.join("/")))
}

/// Returns whether a path is absolute, on Unix or Windows.
fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || path.as_bytes().get(1..3) == Some(b":/")
}

/// Converts a Windows path to forward slashes.
fn with_slashes(path: &str) -> String {
    let is_windows = path.as_bytes().get(1..3) == Some(b":\\") || path.starts_with("\\\\");
    if is_windows { path.replace('\\', "/") } else { path.to_string() }
}

/// A name in backticks.
static IN_BACKTICKS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"`([^`\s]{2,300})`").expect("the constant pattern is valid"));
/// Line numbers after a path: `:12`, `:3-9`, `#L4-L9`.
static LINE_SUFFIX: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?::\d+(?:-\d+)?(?::\d+)?|#L\d+(?:-L?\d+)?)$").expect("the constant pattern is valid")
});
/// A name with a folder and an extension.
static PATH_NAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[\w.@+/-]*/[\w.@+-]+\.\w{1,10}$").expect("the constant pattern is valid"));
/// A commit id in backticks or after the word.
static COMMIT_NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:\bcommit(?:ted as)?[ :]+`?|`)([0-9a-f]{7,40})\b").expect("the constant pattern is valid")
});

/// Returns the files that a text names in backticks, in order and each once: absolute paths, files touched before under
/// this name or suffix, and names with a folder and an extension.
pub(super) fn files_named(text: &str, cwd: Option<&str>, tops: &[String], touched: &[String]) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for quoted in IN_BACKTICKS.captures_iter(text) {
        let name = LINE_SUFFIX.replace(&quoted[1], "");
        let name = name.strip_prefix("./").unwrap_or(&name);
        let file =
            if is_absolute(name) { relative_to_top(name, None, tops) } else { resolve_name(name, cwd, tops, touched) };
        if let Some(file) = file.filter(|file| !files.contains(file)) {
            files.push(file);
        }
        if files.len() == MAX_NAMED {
            break;
        }
    }
    files
}

/// Resolves a relative name against the touched files, and then against the current folder.
fn resolve_name(name: &str, cwd: Option<&str>, tops: &[String], touched: &[String]) -> Option<String> {
    let is_end = |path: &str| path == name || path.strip_suffix(name).is_some_and(|rest| rest.ends_with('/'));
    let mut same = touched.iter().filter(|path| is_end(path));
    match (same.next(), same.next()) {
        (Some(only), None) => Some(only.clone()),
        (Some(_), Some(_)) => touched.iter().any(|path| path == name).then(|| name.to_string()),
        (None, _) if PATH_NAME.is_match(name) && !name.starts_with('/') => match cwd {
            Some(_) => relative_to_top(name, cwd, tops),
            None => Some(name.to_string()),
        },
        (None, _) => None,
    }
}

/// Returns the commits that a text names: hexadecimal with a digit and a letter, in backticks or after the word
/// `commit`.
pub(super) fn commits_named(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for commit in COMMIT_NAME.captures_iter(text).map(|captures| captures[1].to_string()) {
        let is_number = commit.bytes().all(|byte| byte.is_ascii_digit());
        let is_word = commit.bytes().all(|byte| byte.is_ascii_alphabetic());
        if !is_number && !is_word && !found.contains(&commit) && found.len() < MAX_NAMED {
            found.push(commit);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tops() -> Vec<String> {
        vec!["/home/a/shop".to_string(), "/home/a/shop/.trees/b".to_string(), "C:/work/shop".to_string()]
    }

    #[test]
    fn a_path_is_relative_to_the_innermost_top_or_dropped() {
        let check = |path, cwd, expect: Option<&str>| {
            assert_eq!(relative_to_top(path, cwd, &tops()).as_deref(), expect, "{path}");
        };
        check("/home/a/shop/src/a.rs", None, Some("src/a.rs"));
        check("/home/a/shop/.trees/b/src/a.rs", None, Some("src/a.rs"));
        check("file:///home/a/shop/a.rs", None, Some("a.rs"));
        check("src/../b.rs", Some("/home/a/shop"), Some("b.rs"));
        check("b.rs", Some("/home/a/shop/src"), Some("src/b.rs"));
        check("C:\\work\\shop\\src\\a.rs", None, Some("src/a.rs"));
        check("/home/a/shopping/a.rs", None, None);
        check("/home/a/shop", None, None);
        check("../../../../..", Some("/home/a"), None);
        check("/etc/hosts", None, None);
        check("b.rs", None, None);
    }

    #[test]
    fn unambiguous_names_in_a_text_are_files() {
        let touched = ["src/cart.rs", "src/mod.rs", "src/pay/mod.rs"].map(str::to_string);
        let check = |text: &str, expect: &[&str]| {
            assert_eq!(files_named(text, Some("/home/a/shop"), &tops(), &touched), expect, "{text}");
        };
        check("Fixed `cart.rs:12` and `src/cart.rs#L4-L9`.", &["src/cart.rs"]);
        check("See `mod.rs`.", &[]);
        check("See `src/mod.rs` and `docs/guide.md`.", &["src/mod.rs", "docs/guide.md"]);
        check("`/home/a/shop/x/y.ts` and `/tmp/z.ts`", &["x/y.ts"]);
        check("`cargo`, `a::b`, `and/or`, `http://x.y/z.html`, `true`", &[]);
    }

    #[test]
    fn commits_are_hexadecimal_and_announced() {
        assert_eq!(
            commits_named("commit 1a2b3c4d and `9f8e7d6`, not `deadbeef` nor `1234567`"),
            ["1a2b3c4d", "9f8e7d6"]
        );
    }
}
