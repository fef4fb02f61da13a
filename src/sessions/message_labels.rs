//! Maps the headings, labels and list introductions of a message to the sections they open. Unknown words open none.

use std::sync::LazyLock;

use regex::Regex;

use super::{Category, forms};

/// The section that a heading, a label or an introduction opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MessageSection {
    /// Everything in it is of this category.
    Of(Category),
    /// Nothing in it becomes an entry: offers, explanations, open work.
    Muted,
    /// Each sentence is classified on its own.
    Open,
}

/// A label and the text after it.
static LABELLED_TEXT: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"^(?:\*\*)?([A-Za-z][A-Za-z '/&-]{1,48}?)(?:\*\*)?(?:\s*\([^)]{1,80}\))?(?:\*\*)?\s*(?::\*\*|\*\*:|:|\*\*\s+[—–-])\s*(.*)$";
    Regex::new(pattern).expect("the constant pattern is valid")
});

/// A decision label followed by a dash. Elsewhere a dash may follow the subject of a sentence.
static DASHED_DECISION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^((?:(?:the|our|my|key|final|design) )*decision)\s+[—–-]\s+(\S.*)$")
        .expect("the constant pattern is valid")
});

/// Splits a label from its text: `**Label:** the rest`, `Label: the rest`, `Decision - the rest`.
pub(super) fn split_label(words: &str) -> Option<(String, String)> {
    let bare = words.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '*' && c != '`');
    let label = LABELLED_TEXT.captures(bare).or_else(|| DASHED_DECISION.captures(bare))?;
    let is_bold = bare.starts_with("**");
    let is_short = label[1].split_whitespace().count() <= if is_bold { 6 } else { 3 };
    is_short.then(|| (label[1].to_string(), label[2].to_string()))
}

/// Returns whether a label is a file name.
pub(super) fn is_file_name(label: &str) -> bool {
    let name = label.trim_matches(['`', ':', ' ']);
    !name.contains(char::is_whitespace) && name.contains(['.', '/'])
}

/// Normalizes a label: lower case, single spaces, no punctuation at the ends.
pub(super) fn normalized(words: &str) -> String {
    let bare = words.trim_matches(|c: char| !c.is_alphanumeric());
    bare.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Returns whether a heading names exactly one decision, so that the text below is the decision rather than an
/// introduction.
pub(super) fn names_one_decision(heading: &str) -> bool {
    section_for_label(heading) == Some(MessageSection::Of(Category::Decision))
        && normalized(heading).split(' ').any(|word| word == "decision")
}

/// Returns the section that a heading or label opens; `None` for unknown words.
pub(super) fn section_for_label(words: &str) -> Option<MessageSection> {
    let words = normalized(words);
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
        return Some(MessageSection::Muted);
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
        return Some(MessageSection::Of(Category::Decision));
    }
    if is(&["pattern", "patterns", "patterns observed", "conventions", "patterns followed"]) {
        return Some(MessageSection::Of(Category::Pattern));
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
        return Some(MessageSection::Of(Category::Challenge));
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
        return Some(MessageSection::Of(Category::Observation));
    }
    if is(&["plan", "the plan", "implementation plan", "proposed plan"]) {
        return Some(MessageSection::Of(Category::Plan));
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
        return Some(MessageSection::Of(Category::Work));
    }
    None
}

/// Introductions of a list of work.
static LEAD_WORK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(?:.*\b)?(?:summary of|what|changes|the changes|key (?:updates|changes|fix|fixes)|updates)\b.*\b(?:changed?|changes|done|did|added|implemented|fixed|updated|built|made|include|includes|was|were|are)$|^(?:changes(?: made)?|what changed|the changes(?: are| made)?|the (?:key )?fix(?:es)?(?: was| were| is)?)$|\b(?:here'?s|here is) a (?:quick |brief |short )?summary(?: of .*)?$|\bsummary of (?:the |all |my )?(?:changes|fix(?:es)?|updates|work)(?: made| added)?$").expect("the constant pattern is valid")
});
/// Introductions of a plan.
static LEAD_PLAN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\bhere(?:'s|’s| is) (?:the|my) (?:\w+ )?plan\b|^(?:the|my) plan(?: is)?$")
        .expect("the constant pattern is valid")
});
/// Words of introductions whose list does not become entries.
static LEAD_MUTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(will|can|should|would|could|may|options?|next|remaining|left|still open|to (?:use|test|run|verify|try|see|apply)|recommend|suggest|propose|how (?:it|this)|works?|benefits?|features?|example|questions?|if|needs?|let me|verify|checks?|you)\b").expect("the constant pattern is valid")
});

/// Returns the section that the introduction of a list opens.
pub(super) fn section_for_lead_in(words: &str) -> Option<MessageSection> {
    let bare = normalized(words);
    if LEAD_PLAN.is_match(words) {
        return Some(MessageSection::Of(Category::Plan));
    }
    if LEAD_WORK.is_match(&bare) && !bare.contains(" need") && !bare.contains(" will ") {
        return Some(MessageSection::Of(Category::Work));
    }
    match section_for_label(words) {
        Some(section) => Some(section),
        None if forms::category(words).is_none() && LEAD_MUTED.is_match(&bare) => Some(MessageSection::Muted),
        None => None,
    }
}
