//! The dependency dimension: one calls the other, or both call or are called by the same thing.

use super::{AdapterTask, Dimension, Group, Holds, LiveFact, Reads, SURE, always_on};

/// Two definitions are related if they call, or are called by, the same thing, or one calls the other.
pub const DEPENDENCY: Dimension = Dimension {
    name: "dependency",
    sentence: "call, or are called by, the same thing; caller and callee",
    holds: Holds::Definitions,
    reads: &[Reads::Edges],
    asks: &[AdapterTask::Own("caller_to_callee")],
    groups,
    off: always_on,
};

fn groups(fact: &LiveFact<'_>) -> Vec<Group> {
    match fact {
        LiveFact::Edge { caller, callee, confidence } if *confidence >= SURE && caller != callee => {
            let members = vec![(*callee).to_string(), (*caller).to_string()];
            vec![Group { name: (*callee).to_string(), members, weight: f64::from(*confidence) }]
        }
        _ => Vec::new(),
    }
}
