//! Everything that writes to the log and the caches: ingesting from git and transcripts, training, notes, imports and
//! erasure. All of it is resumable at any point. Invariant: nothing is written without the write lock.

mod append;
mod catch_up;
mod code;
mod context;
mod copies;
mod drift;
mod due;
mod embeddings;
mod erase;
mod forget;
mod history;
mod quiet;
mod report;
mod retrain;
mod session_view;
mod sessions;
mod sweep;
mod texts;
mod transcripts;
mod vectors;
mod views;
mod worktrees;

pub use append::Imported;
pub use catch_up::{Depth, catch_up};
pub use context::{Context, FOREGROUND_SESSIONS, Stage, WORKER_SESSIONS};
pub use drift::retrain_if_due;
pub use due::{
    AdapterDrift, FailedTraining, LEAST_COMMITS, TrainingInput, TrainingOutcome, TrainingRecord, due, is_wanted,
    last_training, note_failure, training_input,
};
pub use erase::{Doomed, Erased, recall_forgotten};
pub use forget::{Forget, forget, is_session, matches_of, sessions_beginning, still_holding, would_go};
pub use quiet::{PATIENCE, Patience, wait_until_quiet};
pub use report::{RunReport, Seconds, peak_rss_bytes};
pub use retrain::{Learner, LockedWork, keep, retrain, timeline};
pub use sessions::{Noted, import_sessions, note, replay_sessions};
pub use sweep::{KEEP_DAYS, Swept, sweep};
pub use transcripts::preview;
