//! The answer of `who`: who knows files, or is likely to change them next.

use anyhow::Result;

use super::next::likely_next;
use super::{Note, Reader, ResolvedTarget, Targets};
use crate::facts::ItemKind;
use crate::history::{self, Person};

/// The people related to some targets.
pub struct WhoAnswer {
    /// The keys of the targets; for a folder its path, `.` for the top.
    pub targets: Vec<String>,
    /// The people, best first.
    pub people: Vec<Person>,
    /// Notes for the user.
    pub notes: Vec<Note>,
}

/// Finds at most `k` people who know the files of some targets, or, with `next`, who are likely to change them next,
/// even if they never did. A deleted path is answered from its history.
pub fn who(reader: &Reader<'_>, targets: &Targets, next: bool, k: usize) -> Result<WhoAnswer> {
    let (mut paths, mut notes) = (Vec::new(), Vec::new());
    for target in &targets.all {
        match target {
            ResolvedTarget::Item(item) if item.kind != ItemKind::File => {
                notes.push(Note::info(format!("commits are known per file; these people know {}", item.path)));
            }
            ResolvedTarget::Gone(gone) => notes.push(Note::info(gone.sentence())),
            _ => {}
        }
        paths.extend(target.paths(reader)?);
    }
    paths.sort();
    paths.dedup();
    let mut people = match next {
        true => likely_next(reader, &reader.vectors()?, &paths)?,
        false => history::who(&reader.cache, reader.view.id, reader.time(), &paths, &*reader.people()?)?,
    };
    people.truncate(k);
    Ok(WhoAnswer { targets: targets.keys(), people, notes })
}
