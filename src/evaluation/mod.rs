//! How good the answers are, measured on commits that nothing was learned from. Refuses to look ahead.

mod alarm;
mod bm25;
mod board;
mod corpus;
mod experiment;
mod files;
mod fitted;
mod learn;
mod lessons;
mod made;
mod material;
mod own;
mod people;
mod report;
mod sessions;
mod split;
mod tasks;
mod walk;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Result;

pub use alarm::Alarm;
pub use board::{Board, Figures, Lift, Marks};
pub use corpus::{Corpus, Entry, Reading};
pub use experiment::experiments;
pub use files::{Walked, walk};
pub use fitted::{FUSED, Fitted, Part, Priors};
pub use learn::{Experiment, Learned, learn_all};
pub use lessons::{Choice, Lessons, lessons};
pub use made::made;
pub use material::Material;
pub use own::{Owned, own};
pub use people::{Known, people};
pub use report::{Report, Staleness, Task, Wanted, Worth, measure};
pub use sessions::{Lesson, Session};
pub use split::Split;
pub use tasks::{Tasked, mask, tasks};
pub use walk::{Texts, Walk};

/// How many things are done at a time.
const AT_ONCE: usize = 2;

/// What a function makes of each of some things, two at a time; in their order.
///
/// # Errors
/// The first error in that order.
pub fn each<T: Sync, R: Send>(things: &[T], work: impl Fn(&T) -> Result<R> + Sync) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let results: Mutex<BTreeMap<usize, Result<R>>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(thing) = things.get(place) else { break };
                    let result = work(thing);
                    results.lock().unwrap_or_else(PoisonError::into_inner).insert(place, result);
                }
            });
        }
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}
