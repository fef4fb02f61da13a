//! Maps the headings and labels of session logs to how the lines below them are read.
//!
//! Lines become decisions or patterns only by the words in these tables.

use super::super::Category;

/// How the lines below a heading or label are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogSection {
    /// Each bullet and each paragraph is an entry of this category.
    Each(Category),
    /// All lines together form one note: statistics written by a program.
    SingleNote,
    /// Prompts; skipped.
    Prompts,
    /// A dialogue: prompts, and the agent's answers.
    Dialogue,
    /// Lines that a program wrote at the start, which the head contains as well.
    Frame,
}

/// The most words of a label; a longer one is a sentence.
const MAX_LABEL_WORDS: usize = 8;

/// A rule for labels: it applies if the label has a word of `any`, one of `with` (unless empty), and none of
/// `without`.
struct LabelRule {
    section: LogSection,
    any: &'static [&'static str],
    with: &'static [&'static str],
    without: &'static [&'static str],
}

/// Builds a rule that makes each item an entry of one category.
const fn each(category: Category, any: &'static [&'static str]) -> LabelRule {
    LabelRule { section: LogSection::Each(category), any, with: &[], without: &[] }
}

/// Words in a label which say that something is not decided, or no longer holds.
const NEGATING_WORDS: &[&str] = &[
    "abandoned",
    "alternatives",
    "awaiting",
    "considered",
    "deferred",
    "discarded",
    "future",
    "not",
    "open",
    "outstanding",
    "pending",
    "possible",
    "potential",
    "proposed",
    "rejected",
    "reverted",
    "revoked",
    "superseded",
    "tbd",
    "undecided",
    "unresolved",
    "upcoming",
];

/// Verbs which after `to` say that a decision is still open.
const OPEN_VERBS: &[&str] = &["be", "confirm", "consider", "discuss", "make", "resolve", "review", "revisit", "take"];

/// Last words of a label that stands for a single thing, which the rest of the heading states.
const SINGULAR_LABELS: &[&str] = &[
    "blocker",
    "bug",
    "cause",
    "challenge",
    "decided",
    "decision",
    "discovery",
    "finding",
    "goal",
    "insight",
    "issue",
    "lesson",
    "observation",
    "pattern",
    "problem",
    "realization",
    "takeaway",
];

/// Separators between such a label and the rest of the heading.
const LABEL_SEPARATORS: [&str; 4] = [": ", " - ", " – ", " — "];

/// Rules for whole labels, compared without numbers, brackets and punctuation; tried before [`WORD_RULES`].
const PHRASE_RULES: &[LabelRule] = &[
    LabelRule { section: LogSection::Prompts, any: &["user prompts", "prompts"], with: &[], without: &[] },
    LabelRule {
        section: LogSection::SingleNote,
        any: &["git activity", "git status", "session classification", "session metrics", "session stats"],
        with: &[],
        without: &[],
    },
    each(Category::Goal, &["goal", "goals", "session goal", "session goals", "objective", "objectives"]),
    each(Category::Touched, &["files", "key files", "files touched"]),
    each(Category::Command, &["commands run"]),
    each(Category::Pattern, &["pattern", "patterns", "key pattern", "key patterns"]),
    each(
        Category::Context,
        &[
            "background",
            "context",
            "current state",
            "discussion context",
            "previous context",
            "previous session",
            "previous session context",
            "session context",
            "starting point",
        ],
    ),
    each(
        Category::Observation,
        &["root cause", "root causes", "verdict", "testing", "testing and validation", "tests", "what works"],
    ),
    each(
        Category::Work,
        &[
            "implementation",
            "technical implementation",
            "what changed",
            "what we did",
            "what was done",
            "what got done",
        ],
    ),
    each(
        Category::Note,
        &[
            "achievement",
            "activity",
            "activity log",
            "architecture",
            "benefits",
            "conclusion",
            "cons",
            "details",
            "documents reviewed",
            "implementation details",
            "log",
            "note",
            "notes",
            "outcome",
            "output",
            "pros",
            "reason",
            "reviewed",
            "session note",
            "session outcome",
            "session outcomes",
            "session overview",
            "session summary",
            "session type",
            "session wrap-up",
            "status",
            "summary",
            "technical details",
            "timeline",
            "update",
            "verification",
            "why",
        ],
    ),
];

/// Rules for words in labels, in the order in which they are tried.
const WORD_RULES: &[LabelRule] = &[
    LabelRule {
        section: LogSection::Each(Category::Touched),
        any: &["file", "files"],
        with: &["added", "changed", "created", "deleted", "edited", "modified", "removed", "touched", "updated"],
        without: &[],
    },
    LabelRule {
        section: LogSection::Each(Category::Commit),
        any: &["commit", "commits"],
        with: &[],
        without: &["analysis", "decisions", "message", "messages", "recommendation", "strategy", "to"],
    },
    each(
        Category::Plan,
        &[
            "carryover",
            "next",
            "outstanding",
            "pending",
            "plan",
            "plans",
            "remaining",
            "roadmap",
            "todo",
            "todos",
            "upcoming",
        ],
    ),
    LabelRule {
        section: LogSection::Each(Category::Plan),
        any: &["items", "questions"],
        with: &["action", "open"],
        without: &[],
    },
    LabelRule {
        section: LogSection::Each(Category::Decision),
        any: &["decided", "decision", "decisions"],
        with: &[],
        without: &["criteria", "needed", "open", "options", "point", "questions", "required", "tree"],
    },
    LabelRule {
        section: LogSection::Each(Category::Pattern),
        any: &["pattern", "patterns"],
        with: &[
            "captured",
            "confirmed",
            "discovered",
            "emerged",
            "established",
            "identified",
            "learned",
            "noted",
            "noticed",
            "observed",
            "recognized",
            "reinforced",
            "validated",
        ],
        without: &[],
    },
    each(
        Category::Observation,
        &[
            "discoveries",
            "discovery",
            "finding",
            "findings",
            "insight",
            "insights",
            "learnings",
            "lesson",
            "lessons",
            "observation",
            "observations",
            "realization",
            "realizations",
            "result",
            "results",
            "takeaway",
            "takeaways",
        ],
    ),
    LabelRule {
        section: LogSection::Each(Category::Observation),
        any: &["analysis", "learned"],
        with: &["cause", "error", "what", "we"],
        without: &[],
    },
    each(
        Category::Challenge,
        &[
            "blocker",
            "blockers",
            "bug",
            "bugs",
            "challenge",
            "challenges",
            "issue",
            "issues",
            "obstacles",
            "problem",
            "problems",
        ],
    ),
    LabelRule {
        section: LogSection::Each(Category::Work),
        any: &[
            "accomplished",
            "accomplishments",
            "achievements",
            "added",
            "complete",
            "completed",
            "created",
            "delivered",
            "done",
            "fixed",
            "fixes",
            "implemented",
            "shipped",
            "updated",
        ],
        with: &[],
        without: &["not", "should"],
    },
    LabelRule {
        section: LogSection::Each(Category::Work),
        any: &["changes", "solution", "work"],
        with: &["applied", "code", "completed", "current", "done", "final", "implemented", "key", "made", "session"],
        without: &[],
    },
];

/// Returns how the lines below a label are read; `None` for an unknown label.
pub(super) fn section_below(label: &str) -> Option<LogSection> {
    let words = label_words(label);
    if words.is_empty() || words.len() > MAX_LABEL_WORDS {
        return None;
    }
    let whole = words.join(" ");
    let phrase = PHRASE_RULES.iter().find(|row| row.any.contains(&whole.as_str()));
    let row = phrase.or_else(|| {
        let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
        let applies = |row: &&LabelRule| has(row.any) && (row.with.is_empty() || has(row.with)) && !has(row.without);
        let is_open =
            |row: &&LabelRule| row.section == LogSection::Each(Category::Decision) && has_negating_word(&words);
        WORD_RULES.iter().find(|row| applies(row) && !is_open(row))
    });
    if row.is_none() && words == ["work"] {
        return Some(LogSection::Each(Category::Work));
    }
    row.map(|row| row.section)
}

/// Returns the category of a heading that states its own entry: `Decision 1: Use one file`, `Problem - it broke`.
pub(super) fn heading_entry_category(heading: &str) -> Option<Category> {
    let splits = LABEL_SEPARATORS.iter().filter_map(|mark| heading.split_once(mark));
    let (label, rest) = splits.min_by_key(|(label, _)| label.len())?;
    if !SINGULAR_LABELS.contains(&label_words(label).last()?.as_str()) || label_words(rest).is_empty() {
        return None;
    }
    match section_below(label)? {
        // A plan consists of several things.
        LogSection::Each(Category::Plan) => None,
        LogSection::Each(category) => Some(category),
        _ => None,
    }
}

/// Returns whether a label says that the lines below are not decided, or no longer hold.
pub(super) fn negates_decision(label: &str) -> bool {
    has_negating_word(&label_words(label))
}

/// Returns whether the words of a label say so.
fn has_negating_word(words: &[String]) -> bool {
    let to_come = |pair: &[String]| pair[0] == "to" && OPEN_VERBS.contains(&pair[1].as_str());
    words.iter().any(|word| NEGATING_WORDS.contains(&word.as_str())) || words.windows(2).any(to_come)
}

/// Returns how the lines below an activity's title are read. A title names a topic, so it decides the category only if
/// it reports finished work.
pub(super) fn section_below_activity(title: &str) -> LogSection {
    match section_below(title) {
        Some(LogSection::Each(Category::Work)) => LogSection::Each(Category::Work),
        _ => LogSection::Each(Category::Note),
    }
}

/// Returns whether an activity's title is written by programs, and so carries no information.
pub(in crate::sessions) fn is_routine_title(title: &str) -> bool {
    let title = title.split(['(', '[']).next().unwrap_or_default();
    let routine = [
        "",
        "final update",
        "note",
        "session complete",
        "session end",
        "session start",
        "session started",
        "session summary",
        "session update",
        "session wrap-up",
        "update",
    ];
    routine.contains(&title.trim().to_lowercase().as_str())
}

/// Returns the lower-case words of a label, without numbers, punctuation and bracketed text.
fn label_words(label: &str) -> Vec<String> {
    let mut plain = String::with_capacity(label.len());
    let mut depth = 0_u32;
    for c in label.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '&' if depth == 0 => plain.push_str("and"),
            _ if depth > 0 => {}
            '-' | '\'' => plain.push(c),
            _ if c.is_alphabetic() => plain.extend(c.to_lowercase()),
            _ => plain.push(' '),
        }
    }
    let words = plain.split_whitespace().map(|word| word.trim_matches(['-', '\'']));
    words.filter(|word| !word.is_empty()).map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_of_a_label_is_known() {
        let check = |category: Option<Category>, labels: &[&str]| {
            for label in labels {
                assert_eq!(section_below(label), category.map(LogSection::Each), "{label:?}");
            }
        };
        check(Some(Category::Goal), &["Goals", "Session Goals", "🎯 Goals"]);
        check(Some(Category::Work), &["Work Completed", "Work completed during this period", "Changes Made", "Work"]);
        check(Some(Category::Work), &["Implemented", "Major Accomplishments", "Solution Implemented", "Completed (2)"]);
        check(Some(Category::Decision), &["Key Decisions", "Key decisions and reasoning", "Key Decisions & Reasoning"]);
        check(
            Some(Category::Decision),
            &["Decision", "Key Design Decisions", "Decision Made", "1. Technical Decisions"],
        );
        check(Some(Category::Pattern), &["Patterns Observed", "Pattern Observed", "Patterns", "Key Patterns (2)"]);
        check(Some(Category::Challenge), &["Challenges", "Challenges & Solutions", "Challenges faced and solutions"]);
        check(Some(Category::Context), &["Previous Session Context", "Discussion context"]);
        check(
            Some(Category::Observation),
            &["Key Insights", "Lessons Learned", "Benchmark Results", "Root Cause Analysis"],
        );
        check(
            Some(Category::Plan),
            &["Next Steps", "Open Questions", "Remaining", "Next Decision Point", "To-do: Plan"],
        );
        check(Some(Category::Touched), &["Files Modified", "Modified Files (3)", "Files Created/Modified"]);
        check(Some(Category::Commit), &["Commits", "Commits This Session", "12 commits (small)"]);
        check(Some(Category::Note), &["Session Summary", "Status", "Pros", "Activity Log"]);
        check(
            None,
            &[
                "Decision Point",
                "Design patterns of others",
                "Core Pattern (All)",
                "The Idea",
                "",
                "123",
                "Decision needed by tomorrow",
            ],
        );
        assert_eq!(section_below("User Prompts (14)"), Some(LogSection::Prompts));
        assert_eq!(section_below("Git Activity"), Some(LogSection::SingleNote));
    }

    #[test]
    fn an_undecided_item_is_no_decision() {
        for label in [
            "Rejected decisions",
            "Not decided",
            "Decisions to make",
            "Decisions to be made",
            "Decisions reverted",
            "Open decisions",
            "Proposed design decisions",
            "Undecided",
        ] {
            assert!(section_below(label).is_none() && negates_decision(label), "{label}");
        }
        assert_eq!(section_below("Decision to use one file"), Some(LogSection::Each(Category::Decision)));
    }

    #[test]
    fn a_heading_can_state_its_entry() {
        let check = |category, heading| assert_eq!(heading_entry_category(heading), category, "{heading}");
        check(Some(Category::Decision), "Decision 1: Use one file");
        check(Some(Category::Decision), "Key Decision - Use one file");
        check(Some(Category::Challenge), "Issue #2 \u{2014} it broke");
        check(Some(Category::Goal), "Goal: one file");
        for heading in
            ["Key Decisions: files", "Decision", "Bug fix: one file", "Pending decision: a file", "Note: a file"]
        {
            check(None, heading);
        }
    }

    #[test]
    fn a_title_is_no_decision() {
        assert_eq!(section_below_activity("Design Decisions"), LogSection::Each(Category::Note));
        assert_eq!(section_below_activity("Upgrade Complete [main@abc1234]"), LogSection::Each(Category::Work));
        assert!(is_routine_title("Update (covering since 17:49)"));
        assert!(is_routine_title("Note [main@abc1234]"));
        assert!(!is_routine_title("Note on indexes"));
    }
}
