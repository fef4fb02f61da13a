//! The social dimension: written by the same authors and co-authors.

use super::{AdapterTask, Dimension, Group, Holds, LiveFact, Population, Reads};

/// Two files are related if they were written by the same people.
pub const SOCIAL: Dimension = Dimension {
    name: "social",
    sentence: "were written by the same people",
    holds: Holds::Files,
    reads: &[Reads::Commits],
    asks: &[AdapterTask::Who],
    groups,
    off,
};

fn groups(fact: &LiveFact<'_>) -> Vec<Group> {
    match fact {
        LiveFact::Commit { files, touched, authors, .. } if !files.is_empty() => {
            let weight = 1.0 / *touched as f64;
            authors.iter().map(|author| Group { name: author.clone(), members: files.to_vec(), weight }).collect()
        }
        _ => Vec::new(),
    }
}

fn off(population: &Population) -> Option<&'static str> {
    (population.people < 2).then_some("one person wrote everything here, so who wrote a file says nothing")
}
