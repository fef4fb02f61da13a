//! Paths that an agent worked on or wrote down, told from the top of the repository. Lexical only. Refuses what lies below
//! no top, and a name that may mean two files.

use std::sync::LazyLock;

use regex::Regex;

/// Most files that are told of one text; what names more is a listing.
const MAX_NAMED: usize = 32;

/// Longest path that is told, in bytes.
const MAX_PATH: usize = 1_024;

/// A path from the top it lies below; none where there is no such top. A relative one is read from `cwd`.
pub(super) fn told(path: &str, cwd: Option<&str>, tops: &[String]) -> Option<String> {
    let absolute = absolute(path, cwd)?;
    let below = tops.iter().filter_map(|top| below(&absolute, top)).min_by_key(|told| told.len())?;
    (!below.is_empty() && below.len() <= MAX_PATH).then(|| below.to_string())
}

/// Whether work in a folder is work in the repository. Where nothing is known of the folder the caller knows.
pub(super) fn is_here(folder: Option<&str>, tops: &[String]) -> bool {
    folder.is_none_or(|folder| {
        let folder = slashed(folder);
        tops.iter().any(|top| below(&folder, top).is_some())
    })
}

/// A folder that is gone into from another.
pub(super) fn joined(folder: &str, cwd: Option<&str>) -> Option<String> {
    absolute(folder, cwd)
}

/// What is left of a path below a top; empty for the top itself.
fn below<'p>(path: &'p str, top: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(slashed(top).as_str())?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// None also for a path in a home, which is not known.
fn absolute(path: &str, cwd: Option<&str>) -> Option<String> {
    if path == "~" || path.starts_with("~/") {
        return None;
    }
    let path = slashed(path.strip_prefix("file://").unwrap_or(path));
    let whole = if is_absolute(&path) { path } else { format!("{}/{path}", slashed(cwd?)) };
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

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || path.as_bytes().get(1..3) == Some(b":/")
}

/// A path of Windows with the slashes of git.
fn slashed(path: &str) -> String {
    let is_windows = path.as_bytes().get(1..3) == Some(b":\\") || path.starts_with("\\\\");
    if is_windows { path.replace('\\', "/") } else { path.to_string() }
}

static QUOTED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"`([^`\s]{2,300})`").expect("a constant"));
static PLACE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?::\d+(?:-\d+)?(?::\d+)?|#L\d+(?:-L?\d+)?)$").expect("a constant"));
static NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[\w.@+/-]*/[\w.@+-]+\.\w{1,10}$").expect("a constant"));
static COMMIT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:\bcommit(?:ted as)?[ :]+`?|`)([0-9a-f]{7,40})\b").expect("a constant"));

/// Files that a text names in backquotes, in order, each once: absolute ones, ones that were touched before by this name
/// or by its end, and others that have a folder and an extension.
pub(super) fn named(text: &str, cwd: Option<&str>, tops: &[String], touched: &[String]) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for quoted in QUOTED.captures_iter(text) {
        let name = PLACE.replace(&quoted[1], "");
        let name = name.strip_prefix("./").unwrap_or(&name);
        let file = if is_absolute(name) { told(name, None, tops) } else { relative(name, cwd, tops, touched) };
        if let Some(file) = file.filter(|file| !files.contains(file)) {
            files.push(file);
        }
        if files.len() == MAX_NAMED {
            break;
        }
    }
    files
}

fn relative(name: &str, cwd: Option<&str>, tops: &[String], touched: &[String]) -> Option<String> {
    let is_end = |path: &str| path == name || path.strip_suffix(name).is_some_and(|rest| rest.ends_with('/'));
    let mut same = touched.iter().filter(|path| is_end(path));
    match (same.next(), same.next()) {
        (Some(only), None) => Some(only.clone()),
        (Some(_), Some(_)) => touched.iter().any(|path| path == name).then(|| name.to_string()),
        (None, _) if NAME.is_match(name) && !name.starts_with('/') => match cwd {
            Some(_) => told(name, cwd, tops),
            None => Some(name.to_string()),
        },
        (None, _) => None,
    }
}

/// Commits that a text names: hexadecimal in backquotes or after the word, with a digit and a letter.
pub(super) fn commits(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for commit in COMMIT.captures_iter(text).map(|captures| captures[1].to_string()) {
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
    fn a_path_is_told_from_the_innermost_top_or_left_out() {
        let check = |path, cwd, expect: Option<&str>| {
            assert_eq!(told(path, cwd, &tops()).as_deref(), expect, "{path}");
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
    fn names_in_a_text_are_files_where_nothing_else_can_be_meant() {
        let touched = ["src/cart.rs", "src/mod.rs", "src/pay/mod.rs"].map(str::to_string);
        let check = |text: &str, expect: &[&str]| {
            assert_eq!(named(text, Some("/home/a/shop"), &tops(), &touched), expect, "{text}");
        };
        check("Fixed `cart.rs:12` and `src/cart.rs#L4-L9`.", &["src/cart.rs"]);
        check("See `mod.rs`.", &[]);
        check("See `src/mod.rs` and `docs/guide.md`.", &["src/mod.rs", "docs/guide.md"]);
        check("`/home/a/shop/x/y.ts` and `/tmp/z.ts`", &["x/y.ts"]);
        check("`cargo`, `a::b`, `and/or`, `http://x.y/z.html`, `true`", &[]);
    }

    #[test]
    fn commits_are_hexadecimal_and_said_to_be_commits() {
        assert_eq!(commits("commit 1a2b3c4d and `9f8e7d6`, not `deadbeef` nor `1234567`"), ["1a2b3c4d", "9f8e7d6"]);
    }
}
