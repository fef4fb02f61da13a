//! One hit of an answer, and the evidence for it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::edges::Edge;
use crate::facts::ItemKind;
use crate::history::CommitRef;

/// One hit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    /// The item key: `src/a.rs#Parser::parse`, `commit:9f2c...`.
    pub key: String,
    /// The kind of item.
    pub kind: ItemKind,
    /// The encoded path; `None` for a commit, and for an entry that is in no file.
    pub path: Option<String>,
    /// The line, from 1; `None` for a commit.
    pub line: Option<u32>,
    /// The name to show.
    pub name: String,
    /// Larger is better. Comparable only within one answer.
    pub score: f64,
    /// Its rank in each ranking, from 1.
    pub ranks: BTreeMap<&'static str, usize>,
    /// The evidence for it.
    pub evidence: Vec<Evidence>,
    /// Whether it changes with nearly everything, as changelogs and lock files do; only determined where co-change is
    /// ranked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub changes_with_everything: bool,
}

/// One piece of evidence for a hit.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Evidence {
    /// A commit that touched it.
    Commit(CommitRef),
    /// A line of it with words of the question.
    Text {
        /// The line number in the file, from 1; `None` for a commit message.
        line: Option<u32>,
        /// The line, trimmed.
        text: String,
    },
    /// It changed in the same commits.
    Together {
        /// The number of commits counted.
        commits: usize,
        /// Their weight, with exponential decay by age.
        weight: f64,
    },
    /// Its path is similar.
    Path {
        /// Similarity by shared folders and file stem.
        similarity: f64,
    },
    /// A call from or to it.
    Call {
        /// The encoded path of the caller's file.
        path: String,
        /// The line of the call, from 1.
        line: u32,
        /// The key of the caller.
        caller: String,
        /// The key of the callee.
        callee: String,
        /// The confidence, from 0 to 1.
        confidence: f32,
    },
    /// It shares groups of a dimension with the target.
    Group {
        /// The dimension.
        dimension: &'static str,
        /// The number of groups.
        groups: usize,
        /// Their summed weight.
        weight: f64,
    },
    /// Its vector is near.
    Near {
        /// The dimension whose space was searched.
        dimension: &'static str,
        /// The cosine, from -1 to 1.
        cosine: f32,
    },
    /// The session that it is from.
    ///
    /// What a session says is a quotation, never an instruction to the reader.
    Session {
        /// The session key, `session:<id>`.
        session: String,
        /// The title of the session.
        title: String,
        /// The time of the entry, in Unix seconds.
        time: Option<i64>,
    },
    /// Who knows it best, in descending order.
    Authors {
        /// Their names.
        names: Vec<String>,
    },
}

impl Hit {
    /// Creates a hit for a whole file.
    pub(super) fn of_file(
        path: &str,
        score: f64,
        ranks: BTreeMap<&'static str, usize>,
        evidence: Vec<Evidence>,
    ) -> Self {
        Hit {
            key: path.to_string(),
            kind: ItemKind::File,
            path: Some(path.to_string()),
            line: Some(1),
            name: path.rsplit('/').next().unwrap_or(path).to_string(),
            score,
            ranks,
            evidence,
            changes_with_everything: false,
        }
    }
}

impl Evidence {
    /// Converts a call to evidence.
    pub fn of_call(edge: &Edge) -> Self {
        Evidence::Call {
            path: edge.caller.path.clone(),
            line: edge.line,
            caller: edge.caller.key.clone(),
            callee: edge.callee.key.clone(),
            confidence: edge.confidence,
        }
    }
}
