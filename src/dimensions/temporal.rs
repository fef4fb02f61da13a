//! Near in time: changed in the same commit.

use super::{Dimension, Group, Holds, LARGEST_COMMIT, LiveFact, Reads, always_on};

/// Two files are near when they changed in the same commit.
pub const TEMPORAL: Dimension = Dimension {
    name: "temporal",
    sentence: "changed in the same commit",
    holds: Holds::Files,
    reads: &[Reads::Commits],
    groups,
    off: always_on,
};

fn groups(fact: &LiveFact<'_>) -> Vec<Group> {
    match fact {
        LiveFact::Commit { key, files, touched, .. } if files.len() > 1 && *touched <= LARGEST_COMMIT => {
            // A pair in a commit of n files is one of n - 1 for each of them.
            let weight = 1.0 / (*touched - 1) as f64;
            vec![Group { name: (*key).to_string(), members: files.to_vec(), weight }]
        }
        _ => Vec::new(),
    }
}
