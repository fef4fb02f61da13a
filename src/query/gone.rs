//! Paths that are no longer live: what became of them, and searching them by words.

use std::collections::BTreeSet;

use anyhow::Result;
use serde::Serialize;

use super::target::short_commit;
use super::{Evidence, Filter, Reader};
use crate::error::{Exit, UserError};
use crate::git::day;
use crate::history::{self, CommitRef, Fate};
use crate::text_index;

/// A path that is no longer live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoneTarget {
    /// The encoded path.
    pub path: String,
    /// For a folder, the files that were in it.
    pub below: Vec<String>,
    /// What became of it.
    pub fate: Fate,
}

/// A deleted or renamed path that was found by words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GoneHit {
    /// The encoded path.
    pub key: String,
    /// Always `gone`.
    pub kind: &'static str,
    /// The same as the key.
    pub path: String,
    /// Always `None`.
    pub line: Option<u32>,
    /// Its base name.
    pub name: String,
    /// The number of question words in its path, plus half of those in the commit's subject.
    pub score: f64,
    /// Encoded paths of the live files that it was renamed to.
    pub renamed_to: Vec<String>,
    /// The commit that deleted or renamed it.
    pub evidence: Vec<Evidence>,
}

/// How many live files from the deleting commit a hint lists.
const NEAR: usize = 3;
/// The weight of a word in the commit's subject; a word in the path has 1.
const SUBJECT: f64 = 0.5;

impl GoneTarget {
    /// Returns the paths whose history it stands for.
    pub fn paths(&self) -> Vec<String> {
        match &self.fate {
            _ if !self.below.is_empty() => self.below.clone(),
            Fate::Deleted { last, .. } => vec![last.clone()],
            Fate::Renamed { .. } | Fate::Elsewhere { .. } => vec![self.path.clone()],
        }
    }

    /// Describes what became of it.
    pub fn sentence(&self) -> String {
        let told = |commit: &CommitRef| {
            format!("{} ({}, \"{}\")", short_commit(&commit.commit), day(commit.time), commit.subject)
        };
        let path = &self.path;
        match &self.fate {
            Fate::Renamed { to, commit } => format!("{path} was renamed to {} in {}", to.join(", "), told(commit)),
            Fate::Deleted { last, commit } if last == path => format!("{path} was deleted in {}", told(commit)),
            Fate::Deleted { last, commit } => {
                format!("{path} was renamed to {last}, which was deleted in {}", told(commit))
            }
            Fate::Elsewhere { commit } => {
                format!("{path} is not in the tree of this answer; {} touched it last", told(commit))
            }
        }
    }

    /// Returns its description as an error, with a hint at files that changed in the same commit.
    pub fn error(&self, reader: &Reader<'_>) -> Result<UserError> {
        let (Fate::Renamed { commit, .. } | Fate::Deleted { commit, .. } | Fate::Elsewhere { commit }) = &self.fate;
        let mut near = Vec::new();
        for (seq, _) in history::commits_beginning(&reader.cache, &commit.commit, 1)? {
            for path in history::paths_of_commit(&reader.cache, seq)? {
                if near.len() < NEAR && crate::item::by_key(&reader.cache, reader.view.id, &path)?.is_some() {
                    near.push(path);
                }
            }
        }
        let hint = match near.is_empty() {
            true => "`patina who` and `patina log` answer from its history".to_string(),
            false => format!(
                "`patina who` and `patina log` answer from its history; that commit also changed {}",
                near.join(", ")
            ),
        };
        Ok(UserError::new(Exit::Failed, self.sentence()).hint(hint))
    }
}

/// Finds deleted and renamed paths by the words of the path and of the subject of the deleting commit; those with most
/// words first, then the newest.
pub fn search_gone(reader: &Reader<'_>, text: &str, filter: &Filter) -> Result<Vec<GoneHit>> {
    let wanted: BTreeSet<String> = text_index::words(text).into_iter().collect();
    let mut ranked: Vec<(f64, String, CommitRef)> = Vec::new();
    for (path, commit) in history::deleted(&reader.cache, reader.view.id)? {
        if !filter.keeps_path(&path) {
            continue;
        }
        let held = |text: &str| -> BTreeSet<String> {
            text_index::words(text).into_iter().filter(|word| wanted.contains(word)).collect()
        };
        let (in_path, in_subject) = (held(&path), held(&commit.subject));
        let beside = in_subject.difference(&in_path).count();
        // Words in the subject alone are not enough, unless it has all of them: it describes the commit, not each of
        // its files.
        if in_path.is_empty() && beside < wanted.len() {
            continue;
        }
        ranked.push((in_path.len() as f64 + SUBJECT * beside as f64, path, commit));
    }
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| b.2.time.cmp(&a.2.time)).then_with(|| a.1.cmp(&b.1)));
    let mut hits = Vec::new();
    for (score, path, commit) in ranked.into_iter().take(filter.k) {
        let (renamed_to, commit) = match history::fate(&reader.cache, reader.view.id, &path)? {
            Some(Fate::Renamed { to, commit }) => (to, commit),
            Some(Fate::Deleted { commit, .. }) => (Vec::new(), commit),
            Some(Fate::Elsewhere { .. }) | None => (Vec::new(), commit),
        };
        let name = path.rsplit('/').next().unwrap_or(&path).to_string();
        let evidence = vec![Evidence::Commit(commit)];
        hits.push(GoneHit { key: path.clone(), kind: "gone", path, line: None, name, score, renamed_to, evidence });
    }
    Ok(hits)
}
