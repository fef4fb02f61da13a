//! Tests of the entries of single messages, and of the precision on labelled turns.

use std::collections::BTreeMap;

use super::*;

/// The precision below which a category must not be extracted at all.
const MIN_PRECISION: f64 = 0.9;

#[derive(serde::Deserialize)]
struct Turn {
    text: String,
    /// Whether it is the last text of its turn.
    last: bool,
    /// Whether the sentence forms were written without knowing it.
    #[serde(default = "held_out")]
    held_out: bool,
    labels: Vec<Label>,
}

#[derive(serde::Deserialize)]
struct Label {
    category: Category,
    content: String,
}

#[derive(Default)]
struct Tally {
    right: usize,
    wrong: Vec<String>,
    labelled: usize,
    found: usize,
}

impl Tally {
    fn precision(&self) -> f64 {
        self.right as f64 / (self.right + self.wrong.len()).max(1) as f64
    }
}

fn held_out() -> bool {
    true
}

/// Loads the labelled turns of the fixture, or of the file named by `PATINA_TEST_TURNS`.
fn turns() -> Vec<Turn> {
    let own = std::env::var("PATINA_TEST_TURNS").map(|path| std::fs::read_to_string(path).expect("labelled turns"));
    let text = own.unwrap_or_else(|_| include_str!("../../../tests/fixtures/turns.jsonl").to_string());
    text.lines().map(|line| serde_json::from_str(line).expect("a turn")).collect()
}

/// Strips what human labellers leave out.
fn bare(text: &str) -> String {
    message_blocks::plain_text(text).replace(['`', '*'], "")
}

fn tallies(turns: &[Turn]) -> BTreeMap<Category, Tally> {
    let mut tallies: BTreeMap<Category, Tally> = BTreeMap::new();
    for turn in turns {
        let position = if turn.last { TurnPosition::Final } else { TurnPosition::MidTurn };
        let points = extract_points(&turn.text, position);
        for point in &points {
            let is_labelled = |label: &&Label| {
                label.category == point.category && bare(&point.content).starts_with(&bare(&label.content))
            };
            let tally = tallies.entry(point.category).or_default();
            match turn.labels.iter().find(is_labelled) {
                Some(_) => tally.right += 1,
                None => tally.wrong.push(cap_words(&point.content, 100).to_string()),
            }
        }
        for label in &turn.labels {
            let tally = tallies.entry(label.category).or_default();
            let content = bare(&label.content);
            tally.labelled += 1;
            tally.found += usize::from(
                points.iter().any(|point| point.category == label.category && bare(&point.content).contains(&content)),
            );
        }
    }
    tallies
}

#[test]
fn precision_on_labelled_turns_is_high() {
    let (all, is_fixture) = (turns(), std::env::var_os("PATINA_TEST_TURNS").is_none());
    let (held_out, seen): (Vec<Turn>, Vec<Turn>) = all.into_iter().partition(|turn| turn.held_out);
    let mut breaches = Vec::new();
    for (name, turns) in [("seen", seen), ("held out", held_out)] {
        assert!(turns.len() >= 90 || !is_fixture, "{} turns", turns.len());
        let tallies = tallies(&turns);
        let taken = |category| tallies.get(&category).map_or(0, |tally: &Tally| tally.right);
        // Precision alone would accept an extractor that finds nothing.
        let least = [(Category::Decision, 2), (Category::Work, 60), (Category::Observation, 3)];
        assert!(!is_fixture || least.iter().all(|(category, least)| taken(*category) >= *least), "{name}");
        for (category, tally) in tallies {
            let (taken, precision) = (tally.right + tally.wrong.len(), tally.precision());
            let recall = tally.found as f64 / tally.labelled.max(1) as f64;
            let measured =
                format!("{name}: {}: precision {precision:.3} of {taken}, recall {recall:.3}", category.name());
            println!("{measured} of {}", tally.labelled);
            if taken > 0 && precision < MIN_PRECISION {
                breaches.push(format!("{measured}; wrong: {:#?}", tally.wrong));
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

fn check(text: &str, expect: &[(Category, &str)]) {
    let found: Vec<(Category, String)> =
        extract_points(text, TurnPosition::Final).into_iter().map(|point| (point.category, point.content)).collect();
    let expect: Vec<(Category, String)> =
        expect.iter().map(|(category, content)| (*category, content.to_string())).collect();
    assert_eq!(found, expect, "{text}");
}

#[test]
fn decisions_are_recognised_by_their_form() {
    use Category::Decision;
    for text in [
        "Decision: one file per oven.",
        "I kept the old name because callers rely on it.",
        "We decided to bake at night.",
        "I'll use a lock file instead of a socket because it survives a crash.",
        "Left the timer alone on purpose.",
        "I deliberately did not touch the menu.",
        "Decision: Use one file per oven.",
        "**Decision:** keep one file per oven",
        "Decided: don't share ovens",
        "Decision - one file per oven",
        "Decision \u{2014} one file per oven",
        "Final decision: one file per oven.",
        "Our decision: make one file per oven.",
        "Decision made: one file per oven.",
        "**Chosen approach:** one file per oven.",
        "## Decision\n\nOne file per oven. They fail apart.",
        "I'm going with one file per oven because they fail apart.",
        "Going with one file per oven because they fail apart.",
        "We picked one file per oven because they fail apart.",
        "I selected one file per oven over a folder.",
        "We rejected a folder because nobody looks there.",
        "The decision was to use one file per oven.",
        "I decided that we would use UTC.",
    ] {
        let found = extract_points(text, TurnPosition::Final);
        assert_eq!(found.iter().map(|point| point.category).collect::<Vec<_>>(), [Decision], "{text}");
    }
    check(
        "## Key Decisions\n\n- One file per oven\n  - they fail apart\n",
        &[(Decision, "One file per oven\nthey fail apart")],
    );
}

#[test]
fn guesses_offers_and_questions_yield_nothing() {
    for text in [
        "The problem is probably the cache.",
        "Should I keep the old name because callers rely on it?",
        "I'd recommend that we use a lock instead of a socket.",
        "You can now run it:\n\n1. Fixed port\n2. Added flag\n",
        "## Next steps\n\n- Added tests would help\n",
        "All tests pass.",
        "```\nFixed it.\n```",
        "Let me fix this now.",
        "Decision: whether to keep one file per oven",
        "Decision: keep the file?",
        "Note: make sure that the oven is off.",
        "Fix: use another oven.",
        "## Decision\n\nShould it be one file per oven?",
        "## Decision\n\nYou may want one file per oven.",
        "## Decision\n\nWhat was asked:\n\nMore of it.",
        "## Decisions\n\nThere were some of them.",
        "I'm going with you to the oven.",
        "I picked up the thread where it was left.",
        "The decision is to be made by the baker.",
        "I decided that I would probably rest.",
        "This could break if we picked another oven because of the heat.",
    ] {
        check(text, &[]);
    }
}

#[test]
fn a_list_of_decisions_ends_at_the_next_label() {
    use Category::{Challenge, Decision, Pattern, Work};
    check(
        "**Key Decisions:**\n- Use one oven\n\n**Challenges & Solutions:**\n- Cold dough: waited\n\n**Blockers:**\n- No flour\n\n\
         **Files touched:**\n- `src/a.rs`\n\n**Commands:**\n- bake all\n\n**Known limitations:**\n- no rye\n\n**Menu:**\n- rye",
        &[(Decision, "Use one oven"), (Challenge, "Cold dough: waited"), (Challenge, "No flour")],
    );
    check("**Patterns:**\n- One oven\n\n**Timeline:**\n- Monday: kickoff", &[(Pattern, "One oven")]);
    check("**Root cause:**\n- Cold\n\n**Environment:**\n- Oven 21", &[(Challenge, "Cold")]);
    check("**Decisions:**\n- Use one oven\n\n**Menu:** long\n- rye", &[(Decision, "Use one oven")]);
    for label in ["Rejected decisions", "Not decided", "Decisions to make", "Decisions reverted", "Open decisions"] {
        check(&format!("**Decisions:**\n- Use one oven\n\n**{label}:**\n- Use two"), &[(Decision, "Use one oven")]);
    }
    // Sections of work may be divided by names.
    let work = "## Changes\n\n**Oven**\n- The timer\n\n**`a.rs`**\n- The light";
    check(work, &[(Work, "The timer"), (Work, "The light")]);
    check("**Decisions**\n\n**`a.rs`**\n- Use one oven", &[(Decision, "Use one oven")]);
}

#[test]
fn an_open_item_is_no_decision() {
    for item in [
        "~~Use one oven~~",
        "**~~Use one oven~~** (too small)",
        "Should we use one oven?",
        "TBD: name of the oven",
        "**Pending:** name of the oven",
        "Name of the oven \u{2014} to be decided",
        "Name of the oven (TBD)",
        "Undecided between two ovens",
    ] {
        check(&format!("## Key Decisions\n\n- {item}"), &[]);
    }
    check("Decision: TBD", &[]);
    for item in ["~~Use one oven~~ Use two", "Open files late", "Pending orders stay", "Use tbd.rs for names"] {
        check(&format!("## Key Decisions\n\n- {item}"), &[(Category::Decision, item)]);
    }
}

#[test]
fn a_problem_includes_its_solution() {
    let text = "**Problem:** The oven blocks.\n\n**Root cause:** It waits.\n\n**Fix:** It now opens when asked.";
    check(text, &[(Category::Challenge, "The oven blocks.\nIt waits.\nIt now opens when asked.")]);
    let text = "**Problem:** The oven blocks at the start.\n\n**Fix:** It now opens when first asked.";
    check(text, &[(Category::Challenge, "The oven blocks at the start.\nIt now opens when first asked.")]);
}

#[test]
fn a_plan_is_one_entry() {
    let text = "Clear. Here's the plan:\n\n1. Move the reader\n2. Test it\n\nShall I start?";
    check(text, &[(Category::Plan, "Move the reader\nTest it")]);
}

#[test]
fn mid_turn_texts_yield_only_decisions() {
    let text = "I fixed the lock. I kept the old name because callers rely on it.";
    let found = extract_points(text, TurnPosition::MidTurn);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].category, Category::Decision);
}

#[test]
fn a_summary_is_recognised_by_its_form() {
    assert!(is_summary("Changes:\n\n- Added x\n- Removed y"));
    assert!(!is_summary("- a\n- b\n\nNow let me run the tests:"));
    assert!(!is_summary("Looking at the lock."));
}
