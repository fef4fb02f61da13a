//! A question to ranked, explained hits, as of a commit: one function a question, one answer each, with what the person
//! should know as data. Refuses to show what does not stand in the asking view, and to hide how old an answer is.

mod calls;
mod candidate;
mod co_change;
mod evidence;
mod everywhere;
mod explain;
mod filter;
mod gone;
mod groups;
mod hit;
mod near;
mod nearest;
mod next;
mod note;
mod reader;
mod related;
mod related_change;
mod related_files;
mod resolved;
mod search;
mod signals;
mod spread;
mod target;
mod task;
mod task_search;
mod text_query;
mod vector_search;
mod who;
mod why;

pub use calls::{CallDirection, CallWalk, CallsAnswer, FoundCall, calls};
use candidate::{Candidate, live, live_with_text};
pub use explain::{Explanation, Tie, explain};
pub use filter::{Filter, PathFilter};
pub use gone::{GoneHit, GoneTarget, search_gone};
pub use hit::{Evidence, Hit};
pub use note::{Note, NoteLevel};
pub use reader::Reader;
pub use related::{RelatedAnswer, related};
pub use resolved::ResolvedTarget;
pub use search::{SearchAnswer, search};
pub use target::Targets;
pub use task::task;
pub use text_query::TextQuery;
pub use who::{WhoAnswer, who};
pub use why::{BlamedCommit, LineTarget, Reason, WhyAnswer, blamed, why};
