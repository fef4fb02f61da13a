//! Who knows a file, a folder or a symbol, or is likely to change it next: the answer.

use anyhow::Result;

use super::next::likely_next;
use super::{Note, Reader};
use crate::facts::ItemKind;
use crate::history::{self, Person};
use crate::item::Target;
use crate::view;

/// The people of a target.
pub struct WhoAnswer {
    /// The key of the file or symbol, or the path of the folder; `.` for the top.
    pub target: String,
    /// Best first.
    pub people: Vec<Person>,
    /// What the person should know beside them.
    pub notes: Vec<Note>,
}

/// Finds at most `k` people who know a target, or, with `next`, who are likeliest to change it next, whether they ever did
/// or not. `.` is the folder the person stands in.
///
/// # Errors
/// A [`crate::error::UserError`] where the name stands for nothing, or for several things.
pub fn who(reader: &Reader<'_>, target: &str, next: bool, k: usize) -> Result<WhoAnswer> {
    let (cache, view) = (&reader.cache, reader.view.id);
    let found = match target {
        "." | "./" => Target::Folder(reader.prefix()),
        text => reader.target(text)?,
    };
    let mut notes = Vec::new();
    let (target, paths) = match found {
        Target::Item(item) => {
            if item.kind != ItemKind::File {
                notes.push(Note::info(format!("commits change files: these people know {}", item.path)));
            }
            (item.key, vec![item.path])
        }
        Target::Folder(folder) => {
            let inside = if folder.is_empty() { String::new() } else { format!("{folder}/") };
            let paths = view::files(cache, view)?.into_keys().filter(|path| path.starts_with(&inside)).collect();
            (if folder.is_empty() { ".".to_string() } else { folder }, paths)
        }
    };
    let mut people = match next {
        true => likely_next(reader, &reader.vectors()?, &paths)?,
        false => history::who(cache, view, reader.time(), &paths, &*reader.people()?)?,
    };
    people.truncate(k);
    Ok(WhoAnswer { target, people, notes })
}
