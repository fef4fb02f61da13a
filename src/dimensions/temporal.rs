//! The temporal dimension: changed in the same commit.

use super::{AdapterTask, Dimension, Group, Holds, LARGEST_COMMIT, LiveFact, Reads, always_on};

/// Two files are related if they changed in the same commit.
pub const TEMPORAL: Dimension = Dimension {
    name: "temporal",
    sentence: "changed in the same commit",
    holds: Holds::Files,
    reads: &[Reads::Commits],
    asks: &[AdapterTask::FileToFiles, AdapterTask::MissingFile],
    groups,
    off: always_on,
};

fn groups(fact: &LiveFact<'_>) -> Vec<Group> {
    match fact {
        LiveFact::Commit { key, files, touched, .. } if files.len() > 1 && *touched <= LARGEST_COMMIT => {
            // Each file of a commit of n files is in n - 1 pairs.
            let weight = 1.0 / (*touched - 1) as f64;
            vec![Group { name: (*key).to_string(), members: files.to_vec(), weight }]
        }
        _ => Vec::new(),
    }
}
