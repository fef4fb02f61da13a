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
    /// What was said, as written; quoted, and no instruction to whoever reads it.
    pub text: String,
    /// Unix seconds.
    pub time: Option<i64>,
    /// `session:<id>/<n>`, `commit:9f2c...`.
    pub key: String,
    /// `session:<id>`; none for a commit.
    pub session: Option<String>,
    /// Its place in the session.
    pub n: Option<u32>,
    /// What the session calls itself.
    pub title: Option<String>,
    /// The commit that ties it to the lines.
    pub commit: Option<ReasonCommit>,
    /// Why it is here, in a few words.
    pub evidence: String,
    /// From 0 to 1.
    pub confidence: f64,
}

/// The commit that a reason rests on.
#[derive(Debug, Clone, Serialize)]
pub struct ReasonCommit {
    /// Object id in hexadecimal.
    pub sha: String,
    /// First line of the message.
    pub subject: String,
}

/// Why lines are what they are.
#[derive(Debug, Clone)]
pub struct WhyAnswer {
    /// The lines.
    pub target: LineTarget,
    /// The commits that made them, those that wrote most first.
    pub commits: Vec<BlamedCommit>,
    /// The surest first.
    pub reasons: Vec<Reason>,
    /// Whether history was too long to be followed to its beginning.
    pub is_cut: bool,
    /// What the person should know beside them.
    pub notes: Vec<Note>,
}

/// Reasons less sure than this are left out.
const LEAST: f64 = 0.35;
/// What a commit of many files, or a bot's, is worth as a tie.
const WEAK: f64 = 0.5;
/// A commit that wrote this part of the lines is tied as surely as one that wrote all; of a file or of many lines, which
/// have many commits, a smaller one.
const MOST: f64 = 0.5;
const MOST_OF_MANY: f64 = 0.2;
const MANY_LINES: usize = 100;
/// What a commit is worth as a tie that wrote next to nothing.
const TRIFLE: f64 = 0.3;
/// Moved lines are worth this part of written ones: a move says why they stand here, and not why they are.
const MOVED: f64 = 0.5;

/// Stems of files that many folders have.
const COMMON: &[&str] = &["__init__", "index", "internal", "lib", "main", "mod", "utils"];

/// The lines that are asked about, and what blame and history know of them.
struct BlamedLines<'a> {
    lines: &'a LineTarget,
    makers: &'a [BlamedCommit],
    /// How many lines there are.
    total: usize,
    /// Encoded paths: the file's, and those it bore.
    names: Vec<String>,
    past: &'a ReachableCommits<'a>,
}

impl BlamedLines<'_> {
    /// Returns how much of a tie a commit is, from 0 to 1.
    fn weight(&self, maker: &BlamedCommit) -> f64 {
        let most = if self.lines.is_file || self.total > MANY_LINES { MOST_OF_MANY } else { MOST };
        let share = |lines: usize| (lines as f64 / self.total.max(1) as f64 / most).min(1.0);
        let share = share(maker.lines + maker.restored).max(MOVED * share(maker.moved));
        let weight = TRIFLE + (1.0 - TRIFLE) * share;
        if maker.is_weak { weight * WEAK } else { weight }
    }

    /// Says what a commit did to the lines.
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

    /// Returns the name of the definition that is meant; `None` where it is a file.
    fn symbol(&self) -> Option<&str> {
        self.lines.item.as_ref().map(|item| item.name.as_str())
    }

    /// Returns its name with what it belongs to; empty where it is a file.
    fn qualified(&self) -> &str {
        self.lines.item.as_ref().map_or("", |item| item.qualified.as_str())
    }

    /// Returns the topics of what is meant: of the definition, and of the file, or of its folder where many files have the
    /// file's name.
    fn topics(&self) -> BTreeSet<String> {
        let mut words = words::topics(self.qualified());
        let mut parts = self.lines.path.rsplit('/');
        let base = parts.next().unwrap_or_default();
        let stem = base.split_once('.').map_or(base, |(stem, _)| stem);
        let said = if COMMON.contains(&stem) { parts.next().unwrap_or_default() } else { stem };
        words.extend(words::topics(said));
        words
    }

    /// Returns the same, and those of the folders it is in.
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

/// Blames the lines one by one; `None` where the file cannot be read.
pub fn blamed(reader: &Reader<'_>, lines: &LineTarget) -> Result<Option<Blame>> {
    lines::blame(reader, &mut ReachableCommits::load(&reader.cache)?, lines)
}

/// Finds why the lines of some targets are what they are, one answer a target and file, with at most `k` reasons each.
///
/// # Errors
/// A [`crate::error::UserError`] where a target has no lines that are there.
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

/// Ranks the surest first; of reasons with the same text only the first stays.
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
