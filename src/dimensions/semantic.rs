//! The semantic dimension: named together by one commit message or session entry, or similar in meaning.

use super::{AdapterTask, Dimension, Group, Holds, LARGEST_COMMIT, LiveFact, Reads, always_on};
use crate::sessions::is_searchable;

/// Two items are related if they came up in the same session entry or commit message, or say the same.
pub const SEMANTIC: Dimension = Dimension {
    name: "semantic",
    sentence: "came up in the same session entry or commit message, or say the same",
    holds: Holds::All,
    reads: &[Reads::Commits, Reads::Entries],
    asks: &[AdapterTask::TaskToFiles, AdapterTask::Session],
    groups,
    off: always_on,
};

fn groups(fact: &LiveFact<'_>) -> Vec<Group> {
    match fact {
        LiveFact::Commit { key, files, touched, .. } if !files.is_empty() && *touched <= LARGEST_COMMIT => {
            let members = std::iter::once((*key).to_string()).chain(files.iter().cloned()).collect();
            // A message about few files is stronger evidence for each.
            vec![Group { name: (*key).to_string(), members, weight: 1.0 / *touched as f64 }]
        }
        // Entries that record a touched file or a command contain a file name, but no statement about the file.
        LiveFact::Entry { key, files, category, .. }
            if is_searchable(category) && (1..=LARGEST_COMMIT).contains(&files.len()) =>
        {
            let members = std::iter::once((*key).to_string()).chain(files.iter().cloned()).collect();
            vec![Group { name: (*key).to_string(), members, weight: 1.0 / files.len() as f64 }]
        }
        _ => Vec::new(),
    }
}
