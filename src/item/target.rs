//! Resolves a target to live items: by key, by path, or by a suffix of a path or name.
//!
//! Invariant: an ambiguous target is never resolved by picking one match; the caller gets all of them.

use anyhow::Result;
use rusqlite::{Connection, named_params};

use super::target_text::{LineRange, TargetReading, segments};
use super::{COLUMNS, Item, JOINS, from_row, in_file};
use crate::error::{Exit, UserError};
use crate::event::encode_path;
use crate::facts::ItemKind;

/// A live match of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveTarget {
    /// A file or a definition.
    Item(Item),
    /// Lines of a file.
    Lines(Item, LineRange),
    /// A folder: its encoded path without a trailing slash; empty for the top.
    Folder(String),
}

/// Maximum number of matches listed in the error for an ambiguous target.
const LISTED: usize = 12;

impl LiveTarget {
    /// Returns the target text that matches exactly this.
    pub fn key(&self) -> String {
        match self {
            LiveTarget::Item(item) => item.key.clone(),
            LiveTarget::Lines(file, lines) if lines.first == lines.last => format!("{}:{}", file.path, lines.first),
            LiveTarget::Lines(file, lines) => format!("{}:{}-{}", file.path, lines.first, lines.last),
            LiveTarget::Folder(path) => format!("{path}/"),
        }
    }

    fn file(&self) -> Option<&Item> {
        match self {
            LiveTarget::Item(item) | LiveTarget::Lines(item, _) => Some(item),
            LiveTarget::Folder(_) => None,
        }
    }
}

/// Resolves the readings of one target text: by a whole path if one matches, else by suffixes of paths and names.
///
/// Returns all matches, possibly none. `prefix` is the user's folder, relative to the top of the worktree.
pub fn resolve(cache: &Connection, view: i64, prefix: &str, readings: &[TargetReading]) -> Result<Vec<LiveTarget>> {
    for reading in readings {
        let Some(path) = &reading.path else { continue };
        for file in spellings(prefix, path) {
            let found = at_path(cache, view, &file, reading)?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
    }
    let mut all: Vec<LiveTarget> = Vec::new();
    for reading in readings {
        let found = match &reading.path {
            Some(path) => {
                let mut found = Vec::new();
                for file in paths_ending(cache, view, &encode_path(path))? {
                    found.extend(at_path(cache, view, &file, reading)?);
                }
                found
            }
            None => {
                let name = reading.name.as_deref().unwrap_or_default();
                definitions_named(cache, view, name)?.into_iter().map(LiveTarget::Item).collect()
            }
        };
        for one in found {
            if !all.contains(&one) {
                all.push(one);
            }
        }
    }
    Ok(all)
}

/// Returns the error for an ambiguous target, which lists the matches in unambiguous form.
pub fn ambiguous(text: &str, found: &[LiveTarget]) -> UserError {
    let listed = found.iter().take(LISTED).map(|one| {
        let place =
            one.file().filter(|item| item.kind != ItemKind::File).map(|item| format!("  {}:{}", item.path, item.line));
        format!("  {}{}", one.key(), place.unwrap_or_default())
    });
    let n = found.len();
    let more = if n > LISTED { format!("\n  ... and {} more", n - LISTED) } else { String::new() };
    let message = format!("`{text}` names {n} things:\n{}{more}", listed.collect::<Vec<_>>().join("\n"));
    UserError::new(Exit::Usage, message).hint("name one of them as it stands in this list")
}

/// Returns the encoded paths that a typed path may mean, likeliest first.
///
/// Relative to the user's folder `prefix` (encoded), then to the top; each taken as already encoded, then as raw bytes.
pub fn spellings(prefix: &str, path: impl AsRef<[u8]>) -> [String; 4] {
    let encoded = encode_path(path.as_ref());
    let written = std::str::from_utf8(path.as_ref()).unwrap_or(&encoded);
    [join(prefix, written), join(prefix, &encoded), join("", written), join("", &encoded)]
}

/// Returns the matches of a reading in the file or folder at an encoded path.
fn at_path(cache: &Connection, view: i64, path: &str, reading: &TargetReading) -> Result<Vec<LiveTarget>> {
    let mut items = in_file(cache, view, path)?;
    let Some(file) = items.iter().position(|item| item.kind == ItemKind::File) else {
        let is_plain = reading.lines.is_none() && reading.name.is_none();
        let folder = is_plain && is_folder(cache, view, path)?;
        return Ok(if folder { vec![LiveTarget::Folder(path.to_string())] } else { Vec::new() });
    };
    Ok(match (&reading.name, reading.lines) {
        (Some(name), _) => members(&items, name).into_iter().map(LiveTarget::Item).collect(),
        (None, Some(lines)) => vec![LiveTarget::Lines(items.swap_remove(file), lines)],
        (None, None) => vec![LiveTarget::Item(items.swap_remove(file))],
    })
}

/// Returns the definitions of a file that match a name: the one with exactly this qualified name (raw or encoded as in
/// a key), else those whose qualified name ends in it.
fn members(items: &[Item], name: &str) -> Vec<Item> {
    let definitions = || items.iter().filter(|item| item.kind != ItemKind::File);
    let bears = |item: &&Item| item.qualified == name || encode_path(item.qualified.as_bytes()) == name;
    if let Some(item) = definitions().find(bears) {
        return vec![item.clone()];
    }
    // pytest names a parametrised test `name[parameters]`.
    let bare = name.split_once('[').map_or(name, |(bare, _)| bare);
    let mut wanted = segments(bare);
    drop_relative(&mut wanted);
    let found = definitions().filter(|item| !wanted.is_empty() && ends_with(&segments(&item.qualified), &wanted));
    without_constructors(found.cloned().collect())
}

/// Returns the live definitions that match a name: its last segments are a suffix of their qualified name, and any
/// segments before those name the module, and so match the end of the file's path.
fn definitions_named(cache: &Connection, view: i64, name: &str) -> Result<Vec<Item>> {
    let mut wanted = segments(name);
    drop_relative(&mut wanted);
    let Some(last) = wanted.last() else { return Ok(Vec::new()) };
    let sql = format!(
        "SELECT {COLUMNS} FROM {JOINS} WHERE definition.name = :name AND definition.kind <> 'file' ORDER BY path.path, parse_item.line"
    );
    let mut statement = cache.prepare_cached(&sql)?;
    let rows = statement
        .query_map(named_params! {":view": view, ":name": last}, from_row)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let ranked: Vec<(u8, Item)> = rows.into_iter().filter_map(|item| Some((fit(&item, &wanted)?, item))).collect();
    let best = ranked.iter().map(|(rank, _)| *rank).min();
    let found: Vec<Item> = ranked.into_iter().filter(|(rank, _)| Some(*rank) == best).map(|(_, item)| item).collect();
    let exact: Vec<Item> = found.iter().filter(|item| item.qualified == name).cloned().collect();
    Ok(if exact.len() == 1 && wanted.len() > 1 { exact } else { without_constructors(found) })
}

/// Returns how well the segments of a name match a definition, 0 best; `None` if they do not.
fn fit(item: &Item, wanted: &[String]) -> Option<u8> {
    let have = segments(&item.qualified);
    if ends_with(&have, wanted) {
        return Some(0);
    }
    if wanted.len() <= have.len() || !ends_with(wanted, &have) {
        return None;
    }
    let module = &wanted[..wanted.len() - have.len()];
    module_fit(&item.path, module, &have[0])
}

/// Stems of files that define the module named like their folder.
const FOLDER_FILES: &[&str] = &["__init__", "index", "lib", "main", "mod"];

/// Returns how well the segments of a module name match the path of its file; `None` if they do not.
///
/// 0: folders and stem match. 1: the folders alone match, as for a package. 2: a crate name followed by the whole path.
fn module_fit(path: &str, module: &[String], first: &str) -> Option<u8> {
    let mut folders: Vec<&str> = path.split('/').collect();
    let base = folders.pop().unwrap_or_default();
    let stem = base.split_once('.').map_or(base, |(stem, _)| stem);
    let same = |have: &&str, wanted: &String| *have == wanted || have.replace('-', "_") == *wanted;
    let ends = |have: &[&str], wanted: &[String]| {
        have.len() >= wanted.len()
            && have.iter().rev().zip(wanted.iter().rev()).all(|(have, wanted)| same(have, wanted))
    };
    let whole: Vec<&str> = folders.iter().copied().chain([stem]).collect();
    let stands_for_folder = FOLDER_FILES.contains(&stem) || stem == first;
    fn sourceless<'p>(parts: &[&'p str]) -> Vec<&'p str> {
        parts.iter().copied().filter(|part| *part != "src").collect()
    }
    let as_module: Vec<&str> = if stands_for_folder { folders.clone() } else { whole.clone() };
    if ends(&whole, module) || ends(&as_module, module) || ends(&sourceless(&as_module), module) {
        return Some(0);
    }
    if ends(&folders, module) {
        return Some(1);
    }
    let inside = sourceless(&as_module);
    let is_crate = folders.first() == Some(&"src") && module.len() == inside.len() + 1 && !inside.is_empty();
    (is_crate && ends(&inside, &module[1..])).then_some(2)
}

/// Removes leading `crate`, `self` and `super`, which no qualified name contains.
fn drop_relative(parts: &mut Vec<String>) {
    while parts.len() > 1 && ["crate", "self", "super"].contains(&parts[0].as_str()) {
        parts.remove(0);
    }
}

fn ends_with(have: &[String], wanted: &[String]) -> bool {
    have.len() >= wanted.len()
        && have.iter().rev().zip(wanted.iter().rev()).all(|(have, wanted)| same_segment(have, wanted))
}

/// Removes constructors whose class, of the same name, is among the matches as well.
fn without_constructors(found: Vec<Item>) -> Vec<Item> {
    let is_constructor = |item: &Item| {
        let parts = segments(&item.qualified);
        let [.., owner, name] = parts.as_slice() else { return false };
        let is_class = |other: &Item| other.path == item.path && segments(&other.qualified) == parts[..parts.len() - 1];
        owner == name && found.iter().any(is_class)
    };
    let kept: Vec<Item> = found.iter().filter(|item| !is_constructor(item)).cloned().collect();
    if kept.is_empty() { found } else { kept }
}

/// Returns the live files whose encoded path ends in `text` after a slash, ordered by path.
fn paths_ending(cache: &Connection, view: i64, text: &str) -> Result<Vec<String>> {
    let text = join("", text);
    let base = text.rsplit('/').next().unwrap_or(&text);
    let sql = format!(
        "SELECT {COLUMNS} FROM {JOINS} WHERE definition.name = :base AND definition.kind = 'file' ORDER BY path.path"
    );
    let mut statement = cache.prepare_cached(&sql)?;
    let rows = statement.query_map(named_params! {":view": view, ":base": base}, from_row)?;
    let ends = format!("/{text}");
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(rows.into_iter().map(|item| item.path).filter(|path| path.ends_with(&ends)).collect())
}

fn is_folder(cache: &Connection, view: i64, path: &str) -> Result<bool> {
    if path.is_empty() {
        return Ok(true);
    }
    let (from, to) = (format!("{path}/"), format!("{path}0"));
    let mut statement = cache.prepare_cached(
        "SELECT 1 FROM path JOIN view_file ON view_file.path = path.id AND view_file.view = :view WHERE path.path >= :from AND path.path < :to LIMIT 1",
    )?;
    Ok(statement.exists(named_params! {":view": view, ":from": from, ":to": to})?)
}

fn join(prefix: &str, text: &str) -> String {
    let mut parts: Vec<&str> = prefix.split('/').filter(|part| !part.is_empty()).collect();
    for part in text.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

/// Returns whether a segment of a qualified name matches; `<T as Trait>` also matches `T` and `Trait`.
fn same_segment(have: &str, wanted: &str) -> bool {
    fn inner(part: &str) -> Option<(&str, &str)> {
        part.strip_prefix('<')?.strip_suffix('>')?.split_once(" as ")
    }
    fn last(part: &str) -> &str {
        part.rsplit("::").next().unwrap_or(part)
    }
    match (inner(have), inner(wanted)) {
        _ if have == wanted => true,
        (Some((of, by)), Some((of_wanted, by_wanted))) => last(of) == last(of_wanted) && last(by) == last(by_wanted),
        (Some((of, by)), None) => of == wanted || by == wanted,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trait_method_goes_by_its_type_or_its_trait() {
        let check = |wanted: &str, expect: bool| assert_eq!(same_segment("<T as Trait>", wanted), expect, "{wanted}");
        check("T", true);
        check("Trait", true);
        check("<T as Trait>", true);
        check("<a::T as b::Trait>", true);
        check("U", false);
        check("<U as Trait>", false);
    }

    #[test]
    fn a_path_is_read_from_where_the_person_stands() {
        let check = |prefix: &str, text: &str, expect: &str| assert_eq!(join(prefix, text), expect);
        check("", "src/a.rs", "src/a.rs");
        check("src", "a.rs", "src/a.rs");
        check("src/b", "../a.rs", "src/a.rs");
        assert_eq!(spellings("50%25", "a%.rs"), ["50%25/a%.rs", "50%25/a%25.rs", "a%.rs", "a%25.rs"]);
        assert_eq!(spellings("", b"\xff")[0], "%FF");
    }

    #[test]
    fn a_module_is_the_end_of_a_path() {
        let check = |path: &str, module: &str, first: &str, expect: Option<u8>| {
            let module: Vec<String> = module.split('.').map(str::to_string).collect();
            assert_eq!(module_fit(path, &module, first), expect, "{path} {module:?}");
        };
        check("src/a/b.py", "a.b", "f", Some(0));
        check("src/a/__init__.py", "a", "f", Some(0));
        check("src/a/mod.rs", "src.a", "f", Some(0));
        check("web/index.js", "index", "f", Some(0));
        check("src/main/java/com/example/Reader.java", "com.example", "Reader", Some(0));
        check("internal/pkg/file.go", "internal.pkg", "f", Some(1));
        check("crates/my-text/src/x.rs", "my_text.x", "f", Some(0));
        check("src/query/related.rs", "patina.query.related", "f", Some(2));
        check("src/lib.rs", "patina", "f", None);
        check("src/a/b.py", "c.b", "f", None);
    }
}
