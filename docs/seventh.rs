//! An example of a seventh dimension, testing: one item tests the other, or both test the same thing.

use super::{AdapterTask, Dimension, Group, Holds, LiveFact, Reads, SURE, always_on};

/// Two definitions are related if one is a test of the other, or both are tests of the same thing.
pub const TESTING: Dimension = Dimension {
    name: "testing",
    sentence: "are a test and what it tests, or test the same thing",
    holds: Holds::Definitions,
    reads: &[Reads::Edges],
    asks: &[AdapterTask::Own("testing")],
    groups,
    off: always_on,
};

fn groups(fact: &LiveFact<'_>) -> Vec<Group> {
    match fact {
        LiveFact::Edge { caller, callee, confidence } if *confidence >= SURE && is_test(caller) && !is_test(callee) => {
            let members = vec![(*callee).to_string(), (*caller).to_string()];
            vec![Group { name: (*callee).to_string(), members, weight: f64::from(*confidence) }]
        }
        _ => Vec::new(),
    }
}

/// Returns whether an item is a test, by the words of its key, because each language has its own convention:
/// `tests/a.rs#finds`, `src/a.rs#tests::finds`, `test_a.py#test_find`, `a_test.go#TestFind`, `a.spec.ts#find`.
fn is_test(key: &str) -> bool {
    key.split(|letter: char| !letter.is_alphanumeric()).any(|word| ["test", "tests", "spec"].contains(&word))
}
