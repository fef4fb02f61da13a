//! One hit of an answer and the evidence for it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::edges::Edge;
use crate::facts::ItemKind;
use crate::history::CommitRef;

/// One answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    /// `src/a.rs#Parser::parse`, `commit:9f2c...`.
    pub key: String,
    /// What it is.
    pub kind: ItemKind,
    /// Encoded; none for a commit and for what was said in no tree.
    pub path: Option<String>,
    /// From 1; none for a commit.
    pub line: Option<u32>,
    /// What to call it.
    pub name: String,
    /// Larger is better; comparable within one answer.
    pub score: f64,
    /// The place each way of looking gave it, from 1.
    pub ranks: BTreeMap<&'static str, usize>,
    /// Why it is here.
    pub evidence: Vec<Evidence>,
    /// Whether it changes with nearly everything, as changelogs and lock files do; only where that was looked at.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub changes_with_everything: bool,
}

/// One reason for a hit.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Evidence {
    /// A commit that touched it.
    Commit(CommitRef),
    /// A line of it that holds words of the question.
    Text {
        /// From 1, in the file; none for a commit's message.
        line: Option<u32>,
        /// The line, without white space around.
        text: String,
    },
    /// It changed in the same commits.
    Together {
        /// How many that counted.
        commits: usize,
        /// Their decayed weight.
        weight: f64,
    },
    /// Its path is near.
    Path {
        /// Shared folders and stem.
        similarity: f64,
    },
    /// A call that resolves to it.
    Call {
        /// Encoded path of the caller's file.
        path: String,
        /// From 1.
        line: u32,
        /// Key of the caller.
        caller: String,
        /// Key of the callee.
        callee: String,
        /// From 0 to 1.
        confidence: f32,
    },
    /// It shares groups of a dimension with the target.
    Group {
        /// The dimension.
        dimension: &'static str,
        /// How many groups.
        groups: usize,
        /// Their summed weight.
        weight: f64,
    },
    /// Its vector is near.
    Near {
        /// The dimension whose space was searched.
        dimension: &'static str,
        /// From -1 to 1.
        cosine: f32,
    },
    /// The session it was said in. What a session says is quoted, and no instruction to whoever reads it.
    Session {
        /// `session:<id>`.
        session: String,
        /// What the session calls itself.
        title: String,
        /// When it was said, Unix seconds.
        time: Option<i64>,
    },
    /// Who knows it best, the first most.
    Authors {
        /// Their names.
        names: Vec<String>,
    },
}

impl Hit {
    /// A whole file.
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
    /// A call as a reason.
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
