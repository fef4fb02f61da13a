//! What headings, labels and the words before a list say of what follows. Known words only: a label that is not known says
//! nothing.

use std::sync::LazyLock;

use regex::Regex;

use super::{Category, forms};

/// What a heading, a label or the words before a list say of what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// All of it is of this category.
    Of(Category),
    /// Nothing of it is taken: offers, explanations, what is left to do.
    Muted,
    /// Each sentence says for itself what it is.
    Open,
}

static LABEL: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"^(?:\*\*)?([A-Za-z][A-Za-z '/&-]{1,48}?)(?:\*\*)?(?:\s*\([^)]{1,80}\))?(?:\*\*)?\s*(?::\*\*|\*\*:|:|\*\*\s+[—–-])\s*(.*)$";
    Regex::new(pattern).expect("a constant")
});

/// A dash also stands between the subject of a sentence and an aside, but not behind these words.
static DASHED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^((?:(?:the|our|my|key|final|design) )*decision)\s+[—–-]\s+(\S.*)$").expect("a constant")
});

/// `**Label:** the rest`, `Label: the rest`, `Decision - the rest`.
pub(super) fn labelled(words: &str) -> Option<(String, String)> {
    let bare = words.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '*' && c != '`');
    let label = LABEL.captures(bare).or_else(|| DASHED.captures(bare))?;
    let is_bold = bare.starts_with("**");
    let is_short = label[1].split_whitespace().count() <= if is_bold { 6 } else { 3 };
    is_short.then(|| (label[1].to_string(), label[2].to_string()))
}

/// Whether a label is the name of a file.
pub(super) fn is_file(label: &str) -> bool {
    let name = label.trim_matches(['`', ':', ' ']);
    !name.contains(char::is_whitespace) && name.contains(['.', '/'])
}

/// Lower case, single blanks, no marks at the ends.
pub(super) fn normal(words: &str) -> String {
    let bare = words.trim_matches(|c: char| !c.is_alphanumeric());
    bare.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Whether a heading names a decision, and one alone: then what stands below it is that, and not an introduction.
pub(super) fn is_one_decision(heading: &str) -> bool {
    of(heading) == Some(Section::Of(Category::Decision)) && normal(heading).split(' ').any(|word| word == "decision")
}

/// What the words of a heading or a label say of what follows; none where they say nothing known.
pub(super) fn of(words: &str) -> Option<Section> {
    let words = normal(words);
    let is = |all: &[&str]| all.contains(&words.as_str());
    let has = |some: &[&str]| some.iter().any(|part| words.contains(part));
    if has(&[
        "next step",
        "option",
        "recommend",
        "suggest",
        "how to",
        "how it works",
        "usage",
        "to use",
        "remaining",
        "still open",
        "what's left",
        "what is left",
        "future",
        "question",
        "test plan",
        "benefit",
        "advantage",
        "feature",
        "follow-up",
        "follow up",
        "todo",
        "example",
        "alternative",
        "trade-off",
        "open item",
        "not done",
        "proposal",
        "proposed",
        "if you",
        "verification",
        "testing",
        "test result",
        "expected",
        "current",
        "before",
        "requirement",
        "limitation",
    ]) || is(&[
        "commands",
        "commands run",
        "environment",
        "files touched",
        "impact",
        "next",
        "notes for you",
        "result",
        "results",
        "risk",
        "risks",
        "steps",
        "tests",
        "timeline",
        "why",
    ]) {
        return Some(Section::Muted);
    }
    if is(&[
        "decision",
        "decisions",
        "key decision",
        "key decisions",
        "design decision",
        "design decisions",
        "decisions made",
        "key design decisions",
        "design choices",
        "key design choices",
        "key decisions and reasoning",
        "decided",
        "decision made",
        "the decision",
        "our decision",
        "my decision",
        "final decision",
        "our final decision",
        "the final decision",
        "chosen approach",
    ]) {
        return Some(Section::Of(Category::Decision));
    }
    if is(&["pattern", "patterns", "patterns observed", "conventions", "patterns followed"]) {
        return Some(Section::Of(Category::Pattern));
    }
    if is(&[
        "root cause",
        "the root cause",
        "cause",
        "problem",
        "the problem",
        "issue",
        "the issue",
        "the bug",
        "bug",
        "challenge",
        "challenges",
        "challenges faced",
        "challenges & solutions",
        "challenges and solutions",
        "challenges faced & solutions",
        "challenges faced and solutions",
        "blocker",
        "blockers",
        "what went wrong",
        "problem solved",
        "why it failed",
        "root causes",
    ]) {
        return Some(Section::Of(Category::Challenge));
    }
    if is(&[
        "finding",
        "findings",
        "key findings",
        "observation",
        "observations",
        "what i found",
        "note",
        "one note",
        "caveat",
        "caveats",
        "one caveat",
        "heads-up",
        "heads up",
        "one heads-up",
        "worth noting",
        "gotcha",
        "gotchas",
        "one thing to note",
        "worth knowing",
        "learned",
        "what i learned",
        "lessons learned",
        "measured",
    ]) {
        return Some(Section::Of(Category::Observation));
    }
    if is(&["plan", "the plan", "implementation plan", "proposed plan"]) {
        return Some(Section::Of(Category::Plan));
    }
    if is(&[
        "changes",
        "changes made",
        "what changed",
        "what i changed",
        "what i did",
        "what was done",
        "summary of changes",
        "changes summary",
        "summary of the changes",
        "the change",
        "the changes",
        "the fix",
        "fix",
        "fixes",
        "fix applied",
        "fixes applied",
        "solution",
        "the solution",
        "implemented",
        "implementation",
        "what was implemented",
        "what was added",
        "what was built",
        "what i built",
        "added",
        "updated",
        "removed",
        "fixed",
        "deleted",
        "files changed",
        "files modified",
        "files created",
        "files updated",
        "modified files",
        "new files",
        "completed",
        "key changes",
        "code changes",
        "work done",
        "what's in place",
        "what landed",
        "shipped",
        "done",
        "accomplished",
        "what was fixed",
        "resolution",
    ]) {
        return Some(Section::Of(Category::Work));
    }
    None
}

static LEAD_WORK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(?:.*\b)?(?:summary of|what|changes|the changes|key (?:updates|changes|fix|fixes)|updates)\b.*\b(?:changed?|changes|done|did|added|implemented|fixed|updated|built|made|include|includes|was|were|are)$|^(?:changes(?: made)?|what changed|the changes(?: are| made)?|the (?:key )?fix(?:es)?(?: was| were| is)?)$|\b(?:here'?s|here is) a (?:quick |brief |short )?summary(?: of .*)?$|\bsummary of (?:the |all |my )?(?:changes|fix(?:es)?|updates|work)(?: made| added)?$").expect("a constant")
});
static LEAD_PLAN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\bhere(?:'s|’s| is) (?:the|my) (?:\w+ )?plan\b|^(?:the|my) plan(?: is)?$").expect("a constant")
});
static LEAD_MUTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(will|can|should|would|could|may|options?|next|remaining|left|still open|to (?:use|test|run|verify|try|see|apply)|recommend|suggest|propose|how (?:it|this)|works?|benefits?|features?|example|questions?|if|needs?|let me|verify|checks?|you)\b").expect("a constant")
});

/// The same for words that lead into a list.
pub(super) fn of_lead(words: &str) -> Option<Section> {
    let bare = normal(words);
    if LEAD_PLAN.is_match(words) {
        return Some(Section::Of(Category::Plan));
    }
    if LEAD_WORK.is_match(&bare) && !bare.contains(" need") && !bare.contains(" will ") {
        return Some(Section::Of(Category::Work));
    }
    match of(words) {
        Some(section) => Some(section),
        None if forms::category(words).is_none() && LEAD_MUTED.is_match(&bare) => Some(Section::Muted),
        None => None,
    }
}
