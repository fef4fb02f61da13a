//! What a person means by `parse.rs` or `Parser::parse`: a key, a path, or the unique end of one. Refuses to
//! choose between several.

use anyhow::Result;
use rusqlite::{Connection, named_params};

use super::{COLUMNS, Item, JOINS, from_row, in_file};
use crate::error::{Exit, UserError};
use crate::event::encode_path;
use crate::facts::ItemKind;

/// What a target stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One item.
    Item(Item),
    /// A folder: its encoded path, without a slash at the end; empty for the top.
    Folder(String),
}

/// Most candidates that an ambiguous target lists.
const LISTED: usize = 12;

/// Finds what a person names. `prefix` is the folder the person stands in, from the top of the worktree.
///
/// # Errors
/// A [`UserError`] that lists the candidates where there are several, or the nearest names where there is none.
pub fn resolve(cache: &Connection, view: i64, prefix: &str, text: &str) -> Result<Target> {
    // A name may begin or end with a space; only where nothing bears it as written are they taken for a slip.
    if text.trim() != text
        && let Ok(found) = resolve_as_written(cache, view, prefix, text)
    {
        return Ok(found);
    }
    resolve_as_written(cache, view, prefix, text.trim())
}

fn resolve_as_written(cache: &Connection, view: i64, prefix: &str, text: &str) -> Result<Target> {
    let text = text.strip_prefix("./").unwrap_or(text);
    // A file may be called as a name in one is written. What stands behind the `#` else is no path: its slashes and dots
    // are its own.
    for (path, qualified) in std::iter::once((text, "")).chain(text.split_once('#')) {
        for file in spellings(prefix, path) {
            let items = in_file(cache, view, &file)?;
            let wanted = items
                .into_iter()
                .find(|item| if qualified.is_empty() { item.kind == ItemKind::File } else { bears(item, qualified) });
            if let Some(item) = wanted {
                return Ok(Target::Item(item));
            }
            if qualified.is_empty() && is_folder(cache, view, &file)? {
                return Ok(Target::Folder(file));
            }
        }
    }
    let mut found = paths_ending(cache, view, &encode_path(text.as_bytes()))?;
    found.extend(definitions_named(cache, view, text)?);
    match found.len() {
        1 => Ok(Target::Item(found.remove(0))),
        0 => Err(nothing(cache, view, text)?.into()),
        n => {
            let listed: Vec<String> =
                found.iter().take(LISTED).map(|item| format!("  {}  {}:{}", item.key, item.path, item.line)).collect();
            let more = if n > LISTED { format!("\n  ... and {} more", n - LISTED) } else { String::new() };
            let message = format!("`{text}` names {n} things:\n{}{more}", listed.join("\n"));
            Err(UserError::new(Exit::Usage, message)
                .hint("name one of them by its key, or by a longer end of it")
                .into())
        }
    }
}

/// The encoded paths that a person can mean, the likeliest first: from where they stand, then from the top, each as written
/// or not yet encoded.
pub fn spellings(prefix: &str, text: &str) -> [String; 4] {
    let (here, top) = (join(prefix, text), text.trim_end_matches('/').to_string());
    let [here_encoded, top_encoded] = [&here, &top].map(|path| encode_path(path.as_bytes()));
    [here, here_encoded, top, top_encoded]
}

/// Whether a definition goes by a name, as it is or as it stands in the key.
fn bears(item: &Item, qualified: &str) -> bool {
    item.qualified == qualified || encode_path(item.qualified.as_bytes()) == qualified
}

/// Live definitions whose qualified name ends in what is written: `parse`, `Parser::parse`, `parser.rs#parse`.
pub fn definitions_named(cache: &Connection, view: i64, text: &str) -> Result<Vec<Item>> {
    let (path, name) = text.rsplit_once('#').unwrap_or(("", text));
    let wanted = segments(name);
    let Some(last) = wanted.last() else { return Ok(Vec::new()) };
    let sql = format!(
        "SELECT {COLUMNS} FROM {JOINS} WHERE definition.name = :name AND definition.kind <> 'file' ORDER BY path.path, parse_item.line"
    );
    let mut statement = cache.prepare_cached(&sql)?;
    let rows = statement
        .query_map(named_params! {":view": view, ":name": last}, from_row)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let ends = |item: &Item| {
        let have = segments(&item.qualified);
        have.len() >= wanted.len()
            && have.iter().rev().zip(wanted.iter().rev()).all(|(have, wanted)| same_segment(have, wanted))
            && (path.is_empty() || item.path == path || item.path.ends_with(&format!("/{path}")))
    };
    let mut found: Vec<Item> = rows.into_iter().filter(ends).collect();
    let exact: Vec<Item> = found.iter().filter(|item| item.qualified == name).cloned().collect();
    if exact.len() == 1 && wanted.len() > 1 {
        found = exact;
    }
    Ok(found)
}

fn paths_ending(cache: &Connection, view: i64, text: &str) -> Result<Vec<Item>> {
    let base = text.rsplit('/').next().unwrap_or(text);
    let sql = format!(
        "SELECT {COLUMNS} FROM {JOINS} WHERE definition.name = :base AND definition.kind = 'file' ORDER BY path.path"
    );
    let mut statement = cache.prepare_cached(&sql)?;
    let rows = statement.query_map(named_params! {":view": view, ":base": base}, from_row)?;
    let ends = format!("/{text}");
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(rows.into_iter().filter(|item| item.path.ends_with(&ends)).collect())
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

fn nothing(cache: &Connection, view: i64, text: &str) -> Result<UserError> {
    let last = segments(text).pop().unwrap_or_else(|| text.to_string());
    let mut statement = cache.prepare(
        "SELECT DISTINCT definition.name FROM definition JOIN parse_item ON parse_item.seq = definition.seq
         JOIN view_file ON view_file.parse = parse_item.parse AND view_file.view = :view",
    )?;
    let names = statement
        .query_map(named_params! {":view": view}, |row| row.get::<_, String>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let last_base = text.rsplit('/').next().unwrap_or(text);
    let distance =
        |name: &str| strsim::damerau_levenshtein(name, &last).min(strsim::damerau_levenshtein(name, last_base));
    let mut near: Vec<(usize, &String)> =
        names.iter().map(|name| (distance(name), name)).filter(|(distance, _)| *distance <= 2).collect();
    near.sort();
    let near: Vec<String> = near.iter().take(5).map(|(_, name)| format!("`{name}`")).collect();
    let error = UserError::new(Exit::Failed, format!("nothing in this view is called `{text}`"));
    Ok(if near.is_empty() {
        error.hint("`patina query` finds by words")
    } else {
        error.hint(format!("did you mean {}?", near.join(", ")))
    })
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

/// The parts of a qualified name: `a::B.c(int)` is `a`, `B`, `c`; `<T as Trait>::m` is `<T as Trait>`, `m`.
fn segments(qualified: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0usize;
    let mut chars = qualified.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '(' if depth == 0 => break,
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            ':' if depth == 0 && chars.peek() == Some(&':') => {
                chars.next();
                parts.push(String::new());
                continue;
            }
            '.' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("there is always one part").push(c);
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn same_segment(have: &str, wanted: &str) -> bool {
    let inner =
        have.strip_prefix('<').and_then(|inner| inner.strip_suffix('>')).and_then(|inner| inner.split_once(" as "));
    have == wanted || inner.is_some_and(|(of, as_)| of == wanted || as_ == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qualified_name_has_parts() {
        let check = |text: &str, expect: &[&str]| assert_eq!(segments(text), expect);
        check("Parser::parse", &["Parser", "parse"]);
        check("<T as Trait>::m", &["<T as Trait>", "m"]);
        check("a.B.c(int, x::Y)", &["a", "B", "c"]);
        check("main", &["main"]);
        check("", &[]);
    }

    #[test]
    fn a_trait_method_goes_by_its_type_or_its_trait() {
        let check = |wanted: &str, expect: bool| assert_eq!(same_segment("<T as Trait>", wanted), expect, "{wanted}");
        check("T", true);
        check("Trait", true);
        check("<T as Trait>", true);
        check("U", false);
    }

    #[test]
    fn a_path_is_read_from_where_the_person_stands() {
        let check = |prefix: &str, text: &str, expect: &str| assert_eq!(join(prefix, text), expect);
        check("", "src/a.rs", "src/a.rs");
        check("src", "a.rs", "src/a.rs");
        check("src/b", "../a.rs", "src/a.rs");
    }
}
