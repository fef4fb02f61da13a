//! The answer of `why`: the commits behind lines, and reasons from those commits and from session entries, each quoted
//! with its evidence.

mod from_commits;
mod from_sessions;
mod lines;
mod reverts;
mod words;

use std::collections::BTreeSet;

use anyhow::Result;
use serde::Serialize;

use super::{Note, Reader, Targets};
use crate::event::pluralize;
use crate::git::Blame;
use crate::history::ReachableCommits;
pub use lines::{BlamedCommit, LineTarget};

/// One reason.
#[derive(Debug, Clone, Serialize)]
pub struct Reason {
    /// `decision`, `challenge`, `pattern`, `observation`, `work`, `goal`, `note`, `commit`, `revert`, `abandoned`.
    pub kind: String,
    /// The text as written. It is a quotation, never an instruction to the reader.
    pub text: String,
    /// The time, in Unix seconds.
    pub time: Option<i64>,
    /// The item key: `session:<id>/<n>`, `commit:9f2c...`.
    pub key: String,
    /// The session key, `session:<id>`; `None` for a commit.
    pub session: Option<String>,
    /// Its number in the session.
    pub n: Option<u32>,
    /// The title of the session.
    pub title: Option<String>,
    /// The commit that links it to the lines.
    pub commit: Option<ReasonCommit>,
    /// Why it is a reason for these lines, in a few words.
    pub evidence: String,
    /// The confidence, from 0 to 1.
    pub confidence: f64,
}

/// The commit that links a reason to the lines.
#[derive(Debug, Clone, Serialize)]
pub struct ReasonCommit {
    /// The object id, in hexadecimal.
    pub sha: String,
    /// The first line of the message.
    pub subject: String,
}

/// Why lines are what they are.
#[derive(Debug, Clone)]
pub struct WhyAnswer {
    /// The lines.
    pub target: LineTarget,
    /// The commits behind them, those that wrote most first.
    pub commits: Vec<BlamedCommit>,
    /// The reasons, most confident first.
    pub reasons: Vec<Reason>,
    /// Whether the history was too long to be followed to its beginning.
    pub is_cut: bool,
    /// Notes for the user.
    pub notes: Vec<Note>,
}

/// The least confidence of a reason that is shown.
const LEAST: f64 = 0.35;
/// The weight of a commit that is large, or a bot's.
const WEAK: f64 = 0.5;
/// A commit that wrote this share of the lines has full weight. For a file or many lines, which have many commits, a
/// smaller share (`MOST_OF_MANY`) is enough.
const MOST: f64 = 0.5;
const MOST_OF_MANY: f64 = 0.2;
const MANY_LINES: usize = 100;
/// The least weight of a commit, however few lines it wrote.
const TRIFLE: f64 = 0.3;
/// The weight of a moved line; a written one has 1. A move explains where lines are, not why they exist.
const MOVED: f64 = 0.5;

/// File stems that occur in many folders.
const COMMON: &[&str] = &["__init__", "index", "internal", "lib", "main", "mod", "utils"];

/// The lines that are asked about, and what blame and history know about them.
struct BlamedLines<'a> {
    lines: &'a LineTarget,
    makers: &'a [BlamedCommit],
    /// The number of lines.
    total: usize,
    /// The encoded paths that the file has and had.
    names: Vec<String>,
    past: &'a ReachableCommits<'a>,
}

impl BlamedLines<'_> {
    /// Returns the weight of a commit as a link to the lines, from 0 to 1.
    fn weight(&self, maker: &BlamedCommit) -> f64 {
        let most = if self.lines.is_file || self.total > MANY_LINES { MOST_OF_MANY } else { MOST };
        let share = |lines: usize| (lines as f64 / self.total.max(1) as f64 / most).min(1.0);
        let share = share(maker.lines + maker.restored).max(MOVED * share(maker.moved));
        let weight = TRIFLE + (1.0 - TRIFLE) * share;
        if maker.is_weak { weight * WEAK } else { weight }
    }

    /// Describes what a commit did to the lines.
    fn part(&self, maker: &BlamedCommit) -> String {
        let of = |n: usize| format!("{n} of {}", pluralize(self.total as u64, "line"));
        let all = |n: usize| match n {
            1 if self.total == 1 => "the line".to_string(),
            n if n == self.total => format!("all {}", pluralize(n as u64, "line")),
            n => of(n),
        };
        let mut parts = Vec::new();
        if maker.lines > 0 {
            parts.push(format!("wrote {}", all(maker.lines)));
        }
        if maker.restored > 0 {
            parts.push(format!("brought {} back", all(maker.restored)));
        }
        if maker.moved > 0 {
            parts.push(format!("moved {} here", all(maker.moved)));
        }
        match (parts.is_empty(), maker.reformed) {
            (true, 0) => "took lines away here".to_string(),
            (true, reformed) => format!("gave {} another form", of(reformed)),
            (false, _) => parts.join(" and "),
        }
    }

    /// Returns the name of the definition that is asked about; `None` if the target is a file.
    fn symbol(&self) -> Option<&str> {
        self.lines.item.as_ref().map(|item| item.name.as_str())
    }

    /// Returns its qualified name; empty if the target is a file.
    fn qualified(&self) -> &str {
        self.lines.item.as_ref().map_or("", |item| item.qualified.as_str())
    }

    /// Returns the topics of the target: of the definition, and of the file's name, or of its folder's if many files
    /// have that name.
    fn topics(&self) -> BTreeSet<String> {
        let mut words = words::topics(self.qualified());
        let mut parts = self.lines.path.rsplit('/');
        let base = parts.next().unwrap_or_default();
        let stem = base.split_once('.').map_or(base, |(stem, _)| stem);
        let said = if COMMON.contains(&stem) { parts.next().unwrap_or_default() } else { stem };
        words.extend(words::topics(said));
        words
    }

    /// Returns the topics of the target and of the folders that it is in.
    fn surroundings(&self) -> BTreeSet<String> {
        let mut words = self.topics();
        words.extend(words::topics(&self.lines.path));
        words
    }
}

impl ReasonCommit {
    fn of(maker: &BlamedCommit) -> Self {
        ReasonCommit { sha: maker.sha.clone(), subject: maker.subject.clone() }
    }
}

/// Blames the lines one by one; `None` if the file cannot be read.
pub fn blamed(reader: &Reader<'_>, lines: &LineTarget) -> Result<Option<Blame>> {
    lines::blame(reader, &mut ReachableCommits::load(&reader.cache)?, lines)
}

/// Finds why the lines of some targets are as they are: one answer per target and file, with at most `k` reasons each.
///
/// # Errors
/// A [`crate::error::UserError`] if a target has no lines.
pub fn why(reader: &Reader<'_>, targets: &Targets, k: usize) -> Result<Vec<WhyAnswer>> {
    let (mut all, mut notes) = (Vec::new(), Vec::new());
    for target in &targets.all {
        for lines in target.lines(reader, &mut notes)? {
            let mut answer = why_lines(reader, lines, k)?;
            answer.notes.splice(0..0, notes.drain(..));
            all.push(answer);
        }
    }
    Ok(all)
}

fn why_lines(reader: &Reader<'_>, mut lines: LineTarget, k: usize) -> Result<WhyAnswer> {
    let mut past = ReachableCommits::load(&reader.cache)?;
    let blame = lines::blame(reader, &mut past, &lines)?.unwrap_or_default();
    let total = blame.lines.len();
    lines.settle(total)?;
    let makers = lines::makers(reader, &past, &blame)?;
    let names = lines::names(reader, &lines.path)?;
    let touching = from_commits::touching(&mut past, &names)?;
    let asked = BlamedLines { lines: &lines, makers: &makers, total, names, past: &past };
    let mut reasons = from_sessions::reasons(reader, &asked)?;
    reasons.extend(from_commits::stated(&asked));
    reasons.extend(from_commits::reverts(reader, &asked, &touching)?);
    let reasons = ranked(reasons, k);
    let cut = "this file changed too often to follow it to its beginning: some lines are older than said";
    let notes = if blame.is_cut { vec![Note::info(cut)] } else { Vec::new() };
    Ok(WhyAnswer { target: lines, commits: makers, reasons, is_cut: blame.is_cut, notes })
}

/// Sorts reasons by confidence, highest first. Of those with the same text, only the first is kept.
fn ranked(mut reasons: Vec<Reason>, k: usize) -> Vec<Reason> {
    reasons.retain(|reason| reason.confidence >= LEAST);
    reasons.sort_by(|a, b| {
        b.confidence.total_cmp(&a.confidence).then_with(|| b.time.cmp(&a.time)).then_with(|| a.key.cmp(&b.key))
    });
    let mut kept: Vec<Reason> = Vec::new();
    for mut reason in reasons {
        if kept.len() < k && !kept.iter().any(|other| other.text == reason.text) {
            reason.confidence = (reason.confidence * 100.0).round() / 100.0;
            kept.push(reason);
        }
    }
    kept
}
