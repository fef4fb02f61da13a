//! What a heading or a label says about the lines below it. Refuses to guess: only the words of the table make a
//! decision or a pattern of them.

use super::super::Category;

/// What is made of the lines below a heading or a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// Each bullet and each paragraph is an entry.
    Each(Category),
    /// All of it is one note: numbers that a program wrote.
    Together,
    /// What a person typed; left out.
    Prompts,
    /// What a person typed, and below it what the agent said and did.
    Dialogue,
    /// What a program wrote at the start; the head says it.
    Frame,
}

/// Longest label, in words; what is longer is a sentence.
const MAX_WORDS: usize = 8;

/// A row: it applies where one of `any` is there, and one of `with` (if it names some), and none of `without`.
struct Row {
    section: Section,
    any: &'static [&'static str],
    with: &'static [&'static str],
    without: &'static [&'static str],
}

const fn each(category: Category, any: &'static [&'static str]) -> Row {
    Row { section: Section::Each(category), any, with: &[], without: &[] }
}

/// Words by which a label says that something is not decided, or not any more.
const DENYING: &[&str] = &[
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

/// What is still to be done with a decision, behind `to`.
const TO_COME: &[&str] = &["be", "confirm", "consider", "discuss", "make", "resolve", "review", "revisit", "take"];

/// Last words of a label that is of one thing, which the rest of its heading tells.
const OF_ONE: &[&str] = &[
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

/// What stands between such a label and the rest.
const BETWEEN: [&str; 4] = [": ", " - ", " – ", " — "];

/// Whole labels, without numbers, brackets and marks. They come before the words of [`WORDS`].
const PHRASES: &[Row] = &[
    Row { section: Section::Prompts, any: &["user prompts", "prompts"], with: &[], without: &[] },
    Row {
        section: Section::Together,
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

/// Words of labels, in the order in which they are tried.
const WORDS: &[Row] = &[
    Row {
        section: Section::Each(Category::Touched),
        any: &["file", "files"],
        with: &["added", "changed", "created", "deleted", "edited", "modified", "removed", "touched", "updated"],
        without: &[],
    },
    Row {
        section: Section::Each(Category::Commit),
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
    Row {
        section: Section::Each(Category::Plan),
        any: &["items", "questions"],
        with: &["action", "open"],
        without: &[],
    },
    Row {
        section: Section::Each(Category::Decision),
        any: &["decided", "decision", "decisions"],
        with: &[],
        without: &["criteria", "needed", "open", "options", "point", "questions", "required", "tree"],
    },
    Row {
        section: Section::Each(Category::Pattern),
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
    Row {
        section: Section::Each(Category::Observation),
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
    Row {
        section: Section::Each(Category::Work),
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
    Row {
        section: Section::Each(Category::Work),
        any: &["changes", "solution", "work"],
        with: &["applied", "code", "completed", "current", "done", "final", "implemented", "key", "made", "session"],
        without: &[],
    },
];

/// What a label makes of the lines below it; none where it says nothing that the table knows.
pub(super) fn section(label: &str) -> Option<Section> {
    let words = words(label);
    if words.is_empty() || words.len() > MAX_WORDS {
        return None;
    }
    let whole = words.join(" ");
    let phrase = PHRASES.iter().find(|row| row.any.contains(&whole.as_str()));
    let row = phrase.or_else(|| {
        let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
        let applies = |row: &&Row| has(row.any) && (row.with.is_empty() || has(row.with)) && !has(row.without);
        let is_open = |row: &&Row| row.section == Section::Each(Category::Decision) && denied(&words);
        WORDS.iter().find(|row| applies(row) && !is_open(row))
    });
    if row.is_none() && words == ["work"] {
        return Some(Section::Each(Category::Work));
    }
    row.map(|row| row.section)
}

/// What a heading is that tells its entry itself: `Decision 1: Use one file`, `Problem - it broke`.
pub(super) fn told(heading: &str) -> Option<Category> {
    let splits = BETWEEN.iter().filter_map(|mark| heading.split_once(mark));
    let (label, rest) = splits.min_by_key(|(label, _)| label.len())?;
    if !OF_ONE.contains(&words(label).last()?.as_str()) || words(rest).is_empty() {
        return None;
    }
    match section(label)? {
        // What is still to come is of many.
        Section::Each(Category::Plan) => None,
        Section::Each(category) => Some(category),
        _ => None,
    }
}

/// Whether a label says that what stands below it is not decided, or not any more.
pub(super) fn denies(label: &str) -> bool {
    denied(&words(label))
}

fn denied(words: &[String]) -> bool {
    let to_come = |pair: &[String]| pair[0] == "to" && TO_COME.contains(&pair[1].as_str());
    words.iter().any(|word| DENYING.contains(&word.as_str())) || words.windows(2).any(to_come)
}

/// What the title of an activity makes of the lines below it: a title names a subject, so it is believed only where it
/// says that something was finished.
pub(super) fn activity(title: &str) -> Section {
    match section(title) {
        Some(Section::Each(Category::Work)) => Section::Each(Category::Work),
        _ => Section::Each(Category::Note),
    }
}

/// Whether the title of an activity is one that programs write, which says nothing.
pub(in crate::sessions) fn is_routine(title: &str) -> bool {
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

/// Lower-case words without numbers, marks and what stands in brackets.
fn words(label: &str) -> Vec<String> {
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
    fn a_label_is_known_in_all_its_variants() {
        let check = |category: Option<Category>, labels: &[&str]| {
            for label in labels {
                assert_eq!(section(label), category.map(Section::Each), "{label:?}");
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
        assert_eq!(section("User Prompts (14)"), Some(Section::Prompts));
        assert_eq!(section("Git Activity"), Some(Section::Together));
    }

    #[test]
    fn what_is_not_decided_is_no_decision() {
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
            assert!(section(label).is_none() && denies(label), "{label}");
        }
        assert_eq!(section("Decision to use one file"), Some(Section::Each(Category::Decision)));
    }

    #[test]
    fn a_heading_may_tell_its_entry() {
        let check = |category, heading| assert_eq!(told(heading), category, "{heading}");
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
        assert_eq!(activity("Design Decisions"), Section::Each(Category::Note));
        assert_eq!(activity("Upgrade Complete [main@abc1234]"), Section::Each(Category::Work));
        assert!(is_routine("Update (covering since 17:49)"));
        assert!(is_routine("Note [main@abc1234]"));
        assert!(!is_routine("Note on indexes"));
    }
}
