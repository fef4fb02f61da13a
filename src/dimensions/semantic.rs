//! Near in meaning: named together by one commit message or one entry of a session, or saying the same.

use super::{Dimension, Group, Holds, LARGEST_COMMIT, LiveFact, Reads, always_on};
use crate::sessions::is_told;

/// Two items are near when they came up in the same session entry or commit message, or say the same.
pub const SEMANTIC: Dimension = Dimension {
    name: "semantic",
    sentence: "came up in the same session entry or commit message, or say the same",
    holds: Holds::All,
    reads: &[Reads::Commits, Reads::Entries],
    groups,
    off: always_on,
};

fn groups(fact: &LiveFact<'_>) -> Vec<Group> {
    match fact {
        LiveFact::Commit { key, files, touched, .. } if !files.is_empty() && *touched <= LARGEST_COMMIT => {
            let members = std::iter::once((*key).to_string()).chain(files.iter().cloned()).collect();
            // A message about few files says more of each.
            vec![Group { name: (*key).to_string(), members, weight: 1.0 / *touched as f64 }]
        }
        // What was touched, run or committed names files and says nothing of them.
        LiveFact::Entry { key, files, category, .. }
            if is_told(category) && (1..=LARGEST_COMMIT).contains(&files.len()) =>
        {
            let members = std::iter::once((*key).to_string()).chain(files.iter().cloned()).collect();
            vec![Group { name: (*key).to_string(), members, weight: 1.0 / files.len() as f64 }]
        }
        _ => Vec::new(),
    }
}
