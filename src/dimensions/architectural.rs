//! The architectural dimension: parts of the same module.

use super::{AdapterTask, Dimension, Group, Holds, LiveFact, Reads, always_on};

/// Two items are related if they live in the same module: files in a folder, definitions in a file.
pub const ARCHITECTURAL: Dimension = Dimension {
    name: "architectural",
    sentence: "live in the same module",
    holds: Holds::Code,
    reads: &[Reads::Items],
    asks: &[AdapterTask::Own("place")],
    groups,
    off: always_on,
};

fn groups(fact: &LiveFact<'_>) -> Vec<Group> {
    let LiveFact::Item { key, kind, path, .. } = fact else { return Vec::new() };
    let parent = if *kind == "file" { path.rsplit_once('/').map_or("", |(folder, _)| folder) } else { path };
    vec![Group { name: parent.to_string(), members: vec![(*key).to_string()], weight: 1.0 }]
}
