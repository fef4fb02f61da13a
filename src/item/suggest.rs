//! Suggestions for a target that matches nothing, by edit distance.
//!
//! A suggested path is in the same or a similarly named folder. Names of one or two letters are not compared.

use std::collections::BTreeSet;

use anyhow::Result;
use rusqlite::{Connection, named_params};

use super::target_text::{readings, segments};
use super::{in_file, spellings};
use crate::event::encode_path;
use crate::facts::ItemKind;

/// Maximum number of suggestions that are shown.
const SHOWN: usize = 5;
/// Largest edit distance of a suggestion.
const MOST_SLIPS: usize = 2;
/// Shortest name that is compared, in letters; shorter ones resemble any name.
const SHORTEST: usize = 3;

/// Returns names and paths similar to a target, most similar first, each usable as a target.
pub fn suggestions(cache: &Connection, view: i64, prefix: &str, text: &[u8]) -> Result<Vec<String>> {
    // The file exists, but has no definition of that name.
    for reading in readings(text) {
        let (Some(path), Some(name)) = (&reading.path, &reading.name) else { continue };
        for file in spellings(prefix, path) {
            let items = in_file(cache, view, &file)?;
            if !items.is_empty() {
                let wanted = segments(name).pop().unwrap_or_default();
                let near = items.iter().filter(|item| item.kind != ItemKind::File);
                return Ok(nearest(near.filter_map(|item| Some((slips(&item.name, &wanted)?, item.key.clone())))));
            }
        }
    }
    if text.contains(&b'/') {
        let [here, .., top] = spellings(prefix, without_lines(text));
        let mut statement = cache.prepare_cached(
            "SELECT path.path FROM view_file JOIN path ON path.id = view_file.path WHERE view_file.view = :view",
        )?;
        let paths = statement.query_map(named_params! {":view": view}, |row| row.get::<_, String>(0))?;
        let paths = paths.collect::<rusqlite::Result<Vec<_>>>()?;
        let near =
            |path: String| Some(([&here, &top].iter().filter_map(|wanted| path_slips(&path, wanted)).min()?, path));
        return Ok(nearest(paths.into_iter().filter_map(near)));
    }
    let written = encode_path(&without_lines(text));
    let last = segments(&written).pop().unwrap_or_else(|| written.clone());
    let mut statement = cache.prepare(
        "SELECT DISTINCT definition.name FROM definition JOIN parse_item ON parse_item.seq = definition.seq
         JOIN view_file ON view_file.parse = parse_item.parse AND view_file.view = :view",
    )?;
    let names = statement.query_map(named_params! {":view": view}, |row| row.get::<_, String>(0))?;
    let names = names.collect::<rusqlite::Result<Vec<_>>>()?;
    let near = |name: String| Some(([&last, &written].iter().filter_map(|wanted| slips(&name, wanted)).min()?, name));
    Ok(nearest(names.into_iter().filter_map(near)))
}

/// Returns a target without its trailing line numbers.
fn without_lines(text: &[u8]) -> Vec<u8> {
    let with_lines =
        readings(text).into_iter().filter(|reading| reading.lines.is_some()).filter_map(|reading| reading.path);
    with_lines.min_by_key(Vec::len).unwrap_or_else(|| text.to_vec())
}

fn nearest(found: impl Iterator<Item = (usize, String)>) -> Vec<String> {
    let sorted: BTreeSet<(usize, String)> = found.collect();
    sorted.into_iter().map(|(_, name)| name).take(SHOWN).collect()
}

/// Returns the edit distance of two names; `None` if it is too large, or a name too short.
fn slips(name: &str, wanted: &str) -> Option<usize> {
    let shorter = name.chars().count().min(wanted.chars().count());
    let slips = (shorter >= SHORTEST).then(|| strsim::damerau_levenshtein(name, wanted))?;
    (slips <= MOST_SLIPS && slips < shorter).then_some(slips)
}

/// Returns the edit distance of two paths; `None` if folders or base names differ too much.
fn path_slips(path: &str, wanted: &str) -> Option<usize> {
    let split = |path: &str| -> (String, String) {
        let (folder, base) = path.rsplit_once('/').unwrap_or(("", path));
        (folder.to_string(), base.to_string())
    };
    let ((folder, base), (wanted_folder, wanted_base)) = (split(path), split(wanted));
    let stem = |base: &str| base.split_once('.').map_or(base, |(stem, _)| stem).to_string();
    let in_base = match base == wanted_base {
        true => 0,
        // Another extension counts as one edit, however long it is.
        false if stem(&base) == stem(&wanted_base) => 1,
        false => slips(&stem(&base), &stem(&wanted_base)).and_then(|_| slips(&base, &wanted_base))?,
    };
    let in_folder = match folder == wanted_folder {
        true => 0,
        false => slips(&folder, &wanted_folder)?,
    };
    Some(in_base + in_folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guess_at_a_path_keeps_its_folder() {
        let check =
            |path: &str, wanted: &str, expect: Option<usize>| assert_eq!(path_slips(path, wanted), expect, "{path}");
        check("src/parser.rs", "src/praser.rs", Some(1));
        check("src/parser.rs", "scr/parser.rs", Some(1));
        check("src/parser.rs", "src/parser.py", Some(1));
        check("lib/parser.rs", "src/parser.rs", None);
        check("src/a.rs", "src/c.rs", None);
        check("parser.rs", "src/parser.rs", None);
    }

    #[test]
    fn short_names_are_not_guessed() {
        let check = |name: &str, wanted: &str, expect: Option<usize>| assert_eq!(slips(name, wanted), expect, "{name}");
        check("help", "hepl", Some(1));
        check("ok", "on", None);
        check("fmt", "fm", None);
        check("abc", "xyz", None);
    }
}
