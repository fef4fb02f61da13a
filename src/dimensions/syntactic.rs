//! The syntactic dimension: the same shape of signature and syntax tree, whatever the names.

use super::{AdapterTask, Dimension, Group, Holds, LiveFact, Reads, always_on};

/// Two definitions are related if they have the same shape of signature and syntax tree.
pub const SYNTACTIC: Dimension = Dimension {
    name: "syntactic",
    sentence: "have the same shape of signature and syntax tree",
    holds: Holds::Definitions,
    reads: &[Reads::Items],
    asks: &[AdapterTask::Own("shape")],
    groups,
    off: always_on,
};

fn groups(fact: &LiveFact<'_>) -> Vec<Group> {
    match fact {
        LiveFact::Item { key, shape, .. } if !shape.is_empty() => {
            vec![Group { name: (*shape).to_string(), members: vec![(*key).to_string()], weight: 1.0 }]
        }
        _ => Vec::new(),
    }
}
