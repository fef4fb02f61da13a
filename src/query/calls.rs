//! The call graph around a symbol: its callees or callers, up to a number of steps.

use std::collections::HashSet;

use anyhow::Result;

use super::{Note, Reader, Targets};
use crate::edges::{self, Edge};
use crate::facts::ItemKind;
use crate::item::{self, Item};

/// The direction in which calls are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallDirection {
    /// From a caller to what it calls.
    Calls,
    /// From a callee to its callers.
    Callers,
}

/// How calls are followed.
#[derive(Debug, Clone, Copy)]
pub struct CallWalk {
    /// The direction.
    pub direction: CallDirection,
    /// The number of steps.
    pub depth: u32,
    /// Calls with a lower confidence are left out; from 0 to 1.
    pub confidence: f32,
    /// The most calls in the answer.
    pub k: usize,
}

/// The calls around a symbol.
pub struct CallsAnswer {
    /// The keys of the targets.
    pub targets: Vec<String>,
    /// The calls in the order in which they are found, nearest step first.
    pub calls: Vec<FoundCall>,
    /// The number of calls found, including those beyond `k`.
    pub total: usize,
    /// Notes for the user.
    pub notes: Vec<Note>,
}

/// A call, and its distance from the symbol.
pub struct FoundCall {
    /// The number of steps, from 1.
    pub depth: u32,
    /// The call.
    pub edge: Edge,
}

/// Follows calls from some targets, breadth first.
///
/// A file stands for every definition in it, and lines for the definition around them.
///
/// # Errors
/// A [`crate::error::UserError`] if a target is not live code.
pub fn calls(reader: &Reader<'_>, targets: &Targets, walk: &CallWalk) -> Result<CallsAnswer> {
    let (cache, view) = (&reader.cache, reader.view.id);
    let (mut front, mut keys, mut notes): (Vec<Item>, Vec<String>, Vec<Note>) = Default::default();
    for target in &targets.all {
        let items = target.items(reader, &mut notes)?;
        keys.push(match items.as_slice() {
            [item] => item.key.clone(),
            _ => target.key(),
        });
        for item in items {
            match item.kind == ItemKind::File {
                true => front.extend(item::in_file(cache, view, &item.path)?),
                false => front.push(item),
            }
        }
    }
    let mut seen: HashSet<i64> = HashSet::new();
    front.retain(|item| seen.insert(item.seq));
    let mut calls = Vec::new();
    for depth in 1..=walk.depth {
        let mut next = Vec::new();
        for item in &front {
            let edges = match walk.direction {
                CallDirection::Calls => edges::calls_of(cache, view, item)?,
                CallDirection::Callers => edges::callers_of(cache, view, item)?,
            };
            for edge in edges.into_iter().filter(|edge| edge.confidence >= walk.confidence) {
                let far = if walk.direction == CallDirection::Calls { &edge.callee } else { &edge.caller };
                if seen.insert(far.seq) {
                    next.push(far.clone());
                }
                calls.push(FoundCall { depth, edge });
            }
        }
        front = next;
    }
    let total = calls.len();
    calls.truncate(walk.k);
    Ok(CallsAnswer { targets: keys, calls, total, notes })
}
