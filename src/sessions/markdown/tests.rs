//! Tests of logs in every format, and of properties that hold for any text.

use proptest::prelude::*;

use super::super::{Category, GoalState, MAX_CONTENT, MAX_ENTRIES, ParsedEntry, as_markdown};
use super::*;

const SEED: &str = include_str!("../../../tests/fixtures/session-20251124-174931.md");

const HEAD: &str = "# Session: a thing\n**ID**: 20250601-223000\n**Started**: 2025-06-02T02:30:02Z\n\n";

fn reading(body: &str) -> ParsedSession {
    read("sessions/20250601-223000.md", &format!("{HEAD}{body}")).expect("a session")
}

/// Checks the category and content of each entry; a slash separates lines.
fn check(body: &str, expect: &[(Category, &str)]) {
    let entries = reading(body).entries;
    let found: Vec<(Category, String)> =
        entries.iter().map(|entry| (entry.category, entry.content.replace('\n', " / "))).collect();
    let found: Vec<(Category, &str)> = found.iter().map(|(category, content)| (*category, content.as_str())).collect();
    assert_eq!(found, expect, "{body}");
}

fn of(entries: &[ParsedEntry], category: Category) -> Vec<&ParsedEntry> {
    entries.iter().filter(|entry| entry.category == category).collect()
}

#[test]
fn the_sample_log_is_read_as_intended() {
    let reading = read("x/20251124-174931.md", SEED).expect("a session");
    let head = &reading.head;
    assert_eq!((head.id.as_str(), head.title.as_str()), ("20251124-174931", "safetensors deep dive and fix errors"));
    assert_eq!((head.started, head.ended), (Some(1_764_024_571), Some(1_764_039_660)));
    assert_eq!(head.branch.as_deref(), Some("patina"));
    assert_eq!(head.start_commit.as_deref(), Some("6494322f43f89b6fbc75a6f32cdaeb053cd343e3"));
    assert_eq!(head.end_tag.as_deref(), Some("session-20251124-174931-end"));
    assert!(!reading.is_stub && reading.warnings.is_empty() && reading.skipped == 0);

    let entries = &reading.entries;
    let counts = [
        (Category::Goal, 1),
        (Category::Context, 1),
        (Category::Decision, 6),
        (Category::Pattern, 4),
        (Category::Work, 17),
        (Category::Challenge, 3),
        (Category::Touched, 5),
    ];
    for (category, count) in counts {
        assert_eq!(of(entries, category).len(), count, "{category:?}");
    }
    let goal = of(entries, Category::Goal)[0];
    assert_eq!((goal.state, goal.line), (Some(GoalState::Done), 13));
    let decision = of(entries, Category::Decision)[0];
    assert!(decision.content.starts_with("Shape inference over metadata: Extracts dimensions"), "{decision:?}");
    assert!(decision.content.contains("\nMore reliable (shapes required, metadata optional)\n"), "{decision:?}");
    for challenge in of(entries, Category::Challenge) {
        let (first, second) = challenge.content.split_once('\n').expect("a solution");
        assert!(first.starts_with("Challenge: ") && second.starts_with("Solution: "), "{challenge:?}");
    }
    let touched: Vec<&str> = of(entries, Category::Touched).iter().map(|entry| entry.files[0].as_str()).collect();
    assert_eq!(touched[..2], ["Cargo.toml", "src/commands/oxidize/trainer.rs"]);
}

#[test]
fn each_dimension_of_the_sample_log_has_an_entry() {
    let entries = read("x.md", SEED).expect("a session").entries;
    for definition in [
        "Training signal: \"Text from same session = related\"",
        "Temporal: \"Code that changes together over time is related\"",
        "Dependency: \"Code that calls each other is related\"",
        "Syntactic: \"Code with similar structure is related\"",
        "Architectural: \"Code in same module/package is related\"",
        "Social: \"Code by same author/team is related\"",
    ] {
        let found: Vec<&ParsedEntry> =
            entries.iter().filter(|entry| entry.content.lines().any(|line| line == definition)).collect();
        assert_eq!(found.len(), 1, "{definition}");
    }
    // The code below a definition is not an entry.
    assert!(entries.iter().all(|entry| !entry.content.contains("SELECT")));
}

#[test]
fn the_headings_of_the_sample_log_give_times() {
    let entries = read("x.md", SEED).expect("a session").entries;
    let day = 1_764_024_571 - (17 * 60 + 49) * 60 - 31;
    for (content, hour, minute) in [
        ("Upgraded safetensors from 0.4 → 0.7 in Cargo.toml", 18, 0),
        ("Saves to semantic.usearch (2.1MB)", 19, 30),
        ("Tweak Knobs", 20, 30),
        ("Focus on rapid experimentation: config-driven, cached embeddings, eval framework", 22, 1),
    ] {
        let entry = entries.iter().find(|entry| entry.content == content).expect(content);
        assert_eq!(entry.at, Some(day + (hour * 60 + minute) * 60), "{content}");
    }
    let title = entries.iter().find(|entry| entry.content == "USearch Index Complete").expect("a title");
    assert_eq!(title.commits, ["4aee5650"]);
}

#[test]
fn labels_of_every_form_set_the_category_of_their_bullets() {
    for label in [
        "**Key Decisions:**",
        "**Key decisions**:",
        "**Key Decisions and Reasoning:** ",
        "## Key Decisions",
        "### 1. Key Decisions",
        "Key decisions:",
        "**Technical Decisions**",
        "***Key Decisions:***",
        "__Key Decisions:__",
        "**Key Decisions:** <!-- why -->",
        "Key Decisions\n-------------",
        "Decisions\n---",
        "\n**Key Decisions:**\n",
    ] {
        check(&format!("{label}\n- Use one file\n"), &[(Category::Decision, "Use one file")]);
    }
    let repeated = "**Patterns Observed:**\n- a one\n**Work:**\n1. b one\n**Patterns Observed**:\n* c one\n";
    check(repeated, &[(Category::Pattern, "a one"), (Category::Work, "b one"), (Category::Pattern, "c one")]);
}

#[test]
fn continuations_of_a_bullet_are_further_lines() {
    check(
        "## Key Decisions\n- **Use one file**: it is small\n  - no migration\n  and no lock\n\n  More.\n- b one\n",
        &[
            (Category::Decision, "Use one file: it is small / no migration / and no lock / More."),
            (Category::Decision, "b one"),
        ],
    );
    let challenges = "**Challenges:**\n- Challenge: it broke\n  - Solution: mended\n- Again\n- Solution: once more\n";
    check(
        challenges,
        &[
            (Category::Challenge, "Challenge: it broke / Solution: mended"),
            (Category::Challenge, "Again / Solution: once more"),
        ],
    );
    check(
        "**Problem:** it broke\n**Solution:** mended\n\n- a bullet\n",
        &[(Category::Challenge, "Problem: it broke / Solution: mended"), (Category::Challenge, "a bullet")],
    );
}

#[test]
fn goals_have_a_state() {
    let entries = reading("## Goals\n- [ ] a one\n  - [x] b one\n- [~] c one\n- d one\n").entries;
    let states: Vec<(&str, Option<GoalState>)> =
        entries.iter().map(|entry| (entry.content.as_str(), entry.state)).collect();
    assert_eq!(
        states,
        [
            ("a one", Some(GoalState::Open)),
            ("b one", Some(GoalState::Done)),
            ("c one", Some(GoalState::Partial)),
            ("d one", None)
        ]
    );
    assert!(entries.iter().all(|entry| entry.category == Category::Goal));
}

#[test]
fn a_sentence_below_decisions_is_a_note() {
    check(
        "**Key Decisions:**\n- a one\n\nThis was a long day.\n\n---\n**Status**: done\n**Pros:**\n- b one\n",
        &[
            (Category::Decision, "a one"),
            (Category::Note, "This was a long day."),
            (Category::Note, "Status: done"),
            (Category::Note, "b one"),
        ],
    );
    check(
        "**Decision:** Use one file\n- it is small\n",
        &[(Category::Decision, "Decision: Use one file"), (Category::Note, "it is small")],
    );
}

#[test]
fn a_heading_can_state_an_entry_with_the_text_below() {
    use Category::{Challenge, Decision, Note, Observation, Pattern, Work};
    check("### Decision 1: Use one file\nIt is small.\n", &[(Decision, "Decision 1: Use one file / It is small.")]);
    check("### Decision: Use one file\n", &[(Decision, "Decision: Use one file")]);
    check("### Key Decision - Use one file\n\n- small\n", &[(Decision, "Key Decision - Use one file / small")]);
    check(
        "### Issue 1: it broke\nText.\n\n**Fix**: mended\n",
        &[(Challenge, "Issue 1: it broke / Text. / Fix: mended")],
    );
    check("#### Challenge: it broke\n", &[(Challenge, "Challenge: it broke")]);
    check(
        "### Decision 1: a one\n\n**Why:**\n- small\n\n**Work Completed:**\n- b one\n### Finding: c one\n---\nd one\n",
        &[
            (Decision, "Decision 1: a one / Why: / small"),
            (Work, "b one"),
            (Observation, "Finding: c one"),
            (Note, "d one"),
        ],
    );
    check(
        "## Decisions\n### Use tabs\nEveryone likes them.\n\nOr so.\n### Use one file\n- a one\n### Rejected\n- b one\n",
        &[
            (Decision, "Use tabs / Everyone likes them. / Or so."),
            (Decision, "Use one file"),
            (Decision, "a one"),
            (Note, "Rejected"),
            (Note, "b one"),
        ],
    );
    check("## Patterns\n### Builder\nFor each.\n", &[(Pattern, "Builder / For each.")]);
    check("## Work Completed\n### Oven\n- a one\n", &[(Work, "Oven"), (Work, "a one")]);
    let long = format!("### Decision: a one\n{}- b one\n", "A word.\n".repeat(200));
    assert!(of(&reading(&long).entries, Decision)[0].content.len() < 1_100);
}

#[test]
fn an_undecided_item_is_a_note() {
    for label in ["Rejected decisions", "Not decided", "Decisions to make", "Decisions reverted", "Open decisions"] {
        for text in [
            format!("## {label}\n"),
            format!("**{label}:**\n"),
            format!("{label}:\n"),
            format!("## Decisions\n### {label}\n"),
        ] {
            let entries = reading(&format!("{text}- Use one file\n")).entries;
            assert!(of(&entries, Category::Decision).is_empty(), "{text}");
            assert_eq!(entries.last().map(|entry| entry.content.as_str()), Some("Use one file"), "{text}");
        }
    }
    for item in ["~~Use one file~~", "Should we use one file?", "TBD: name", "Pending: the name"] {
        check(&format!("## Decisions\n- {item}\n"), &[(Category::Note, item)]);
    }
    check("## Decisions\nShould we use one file?\n", &[(Category::Note, "Should we use one file?")]);
    check("**Decision:** TBD\n", &[(Category::Note, "Decision: TBD")]);
    check("## Decisions\n- **Decision**: ~~a~~ b one\n", &[(Category::Decision, "Decision: ~~a~~ b one")]);
}

#[test]
fn a_named_item_with_a_reason_does_not_end_the_list() {
    use Category::{Decision, Note};
    check(
        "## Decisions\n\n**Use one file**: small\n**Use tabs**: wide\n- so wide\n\n- a one\n",
        &[(Decision, "Use one file: small"), (Decision, "Use tabs: wide"), (Note, "so wide"), (Decision, "a one")],
    );
}

#[test]
fn a_problem_its_cause_and_its_fix_are_one_entry() {
    for between in ["\n", "\n\n", " "] {
        let text = format!("**Problem**: it broke{between}**Root cause**: cold{between}**Fix**: mended\n");
        let entries = reading(&text).entries;
        assert_eq!((entries.len(), entries[0].category), (1, Category::Challenge), "{text}");
        assert!(entries[0].content.contains("cold") && entries[0].content.ends_with("mended"), "{text}");
    }
    check("**Root cause**: cold\n", &[(Category::Observation, "Root cause: cold")]);
}

#[test]
fn rows_of_decisions_are_decisions() {
    check(
        "| Decision | Reason |\n|---|---|\n| Use one file | small |\n| ~~Use two~~ | big |\n\n| Problem | Solution |\n|--|--|\n\
         | it broke | mended |\n",
        &[
            (Category::Decision, "Use one file / Reason: small"),
            (Category::Note, "~~Use two~~ / Reason: big"),
            (Category::Challenge, "it broke / Solution: mended"),
        ],
    );
}

#[test]
fn lists_are_told_from_indented_code() {
    check(
        "Text.\n\n    - Decision: a one\n    more\n\n- b one\n",
        &[(Category::Note, "Text."), (Category::Note, "b one")],
    );
    check(
        "**Key Decisions:**\n    - a one\n\n    - b one\n",
        &[(Category::Decision, "a one"), (Category::Decision, "b one")],
    );
    check("1. a one\n\n    - b one\n", &[(Category::Note, "a one / b one")]);
}

#[test]
fn code_and_comments_hold_no_bullets() {
    let fenced = "**Key Decisions:**\n- a one\n```\n- b one\n## Goals\n**Key Decisions:**\n- c one\n```\n- d one\n";
    check(fenced, &[(Category::Decision, "a one"), (Category::Decision, "d one")]);
    check("## Goals\n<!-- AI: fill in\n- a one\n-->\n- b one\n", &[(Category::Goal, "b one")]);
    let open = reading("## Goals\n- a one\n```\n- b one\n### 23:00 - Update\n**Work completed:**\n- c one\n");
    let contents: Vec<&str> = open.entries.iter().map(|entry| entry.content.as_str()).collect();
    assert_eq!(contents, ["a one", "c one"]);
    assert_eq!(open.warnings, ["line 7: unclosed code fence"]);
}

#[test]
fn prompts_are_skipped_and_actions_are_kept() {
    check(
        "## User Prompts (2)\n1. `do it`\n2. `**Now:** do it`\n- Read: a.rs\n\n## Next Steps\n- a one\n",
        &[(Category::Plan, "a one")],
    );
    let dialogue = "## Timeline\n### [22:31:00] User Request\n> do it\n- my wish\n## Wish\n**Please:** do\n\n**Claude**: I will.\n\
                    - 🔧 Executed: `cargo test`\n- Read: `src/a.rs`\nDone.\n### [22:32:00] User\nthanks\n";
    check(
        dialogue,
        &[
            (Category::Note, "I will."),
            (Category::Command, "cargo test"),
            (Category::Touched, "src/a.rs"),
            (Category::Note, "Done."),
        ],
    );
}

#[test]
fn program_statistics_are_one_note() {
    let body = "### 23:00 - Update (covering since 22:30)\n**Git Activity:**\n- Commits this session:     5\n- Files changed: 3\n\n\
                **Key Decisions:**\n\n## Session Classification\n- Commits: 5\n- Session Tags: a-start..a-end\n";
    check(
        body,
        &[
            (Category::Note, "Commits this session: 5 / Files changed: 3"),
            (Category::Note, "Commits: 5 / Session Tags: a-start..a-end"),
        ],
    );
    let reading = reading(body);
    assert!(reading.is_stub);
    assert_eq!(reading.head.end_tag.as_deref(), Some("a-end"));
    assert_eq!(reading.head.ended, reading.head.started.map(|started| started - 2 + 30 * 60));
}

#[test]
fn an_activity_yields_title_text_and_commit() {
    let body = "### 22:40 - Index Complete [main@abc1234]\nIt works\nnow.\n- a one\n\n### 22:41 - Note [main@def5678]\n\
                Remember `src/a.rs:12`.\n\n### 22:42 - Update\n| a | b |\n|---|---|\n| 1 | 2 |\n";
    check(
        body,
        &[
            (Category::Note, "Index Complete"),
            (Category::Work, "It works / now."),
            (Category::Work, "a one"),
            (Category::Note, "Remember `src/a.rs:12`."),
            (Category::Note, "a | b / 1 | 2"),
        ],
    );
    let entries = reading(body).entries;
    assert_eq!(entries[0].commits, ["abc1234"]);
    assert!(entries[1].commits.is_empty());
    assert!(entries[4].commits.is_empty());
    assert_eq!((&entries[3].commits[..], &entries[3].files[..]), (&["def5678".into()][..], &["src/a.rs".into()][..]));
}

#[test]
fn front_matter_is_read_and_line_numbers_stay() {
    let text = "---\r\ntype: session\r\nid: \"20250601-223000\"\r\ntitle: 'a: thing'\r\ncreated: 2025-06-02T02:30:02Z\r\n\
                git:\r\n  branch: main\r\n---\r\n\r\n## Goals\r\n- [x] a one\r\n";
    let reading = read("x.md", text).expect("a session");
    assert_eq!((reading.head.title.as_str(), reading.head.branch.as_deref()), ("a: thing", Some("main")));
    let entry = &reading.entries[0];
    assert_eq!((entry.content.as_str(), entry.line, entry.at), ("a one", 11, reading.head.started));
    assert_eq!(read("x.md", &format!("\u{feff}{text}")), Some(reading));
}

#[test]
fn a_head_is_read_in_every_form() {
    let started = Some(1_748_831_400);
    for head in [
        "# Session: a thing\n**ID**: a\n**Started**: 2025-06-02 02:30 UTC\n",
        "# Session: a thing\nID: a\nStarted: 2025-06-02 11:30:00 +0900\n",
        "# Session: a thing\n- ID: a\n- Started: 2025-06-02 02:30 GMT\n",
        "Session: a thing\n================\n\n**ID:** a\n**Started:** 2025-06-02T02:30:00Z <!-- utc -->\n",
        "---\ntype: session\nid: a\ndate: 2025-06-02T02:30:00Z\n---\n# Session: a thing\n",
        "---\ntype: session\nid: a\ndate: 2020-01-01T00:00:00Z\nstarted: 2025-06-02T02:30:00Z\n---\n# Session: a thing\n",
    ] {
        let reading = read("x.md", &format!("{head}\n## Goals\n- a one\n")).expect("a session");
        let told = (reading.head.id.as_str(), reading.head.title.as_str(), reading.head.started);
        assert_eq!(told, ("a", "a thing", started), "{head}");
        assert_eq!((reading.entries.len(), reading.entries[0].at), (1, started), "{head}");
    }
    let unread = "# Session: a thing\n**ID**: a\n**Started**: 2025-06-02 02:30 EST\n";
    assert_eq!(read("x.md", unread).expect("a session").head.started, None);
    check("ID: not a name\nStarted: late.\n", &[(Category::Note, "ID: not a name / Started: late.")]);
}

#[test]
fn a_log_without_content_is_a_stub() {
    let frame = "## Goals\n- [ ] a thing\n\n## Activity Log\n### 22:30 - Session Start\nSession initialized with goal: a thing\n\
                 Working on branch: main\nTagged as: a-start\n";
    let empty = reading(frame);
    assert!(empty.is_stub);
    assert_eq!((empty.entries.len(), empty.head.branch.as_deref()), (1, Some("main")));
    assert!(!reading(&format!("{frame}- but a word\n")).is_stub);
    let pointer = read("x.md", "# Last Session: a thing\n\nSee: x/sessions/20250601-223000.md\n").expect("a pointer");
    assert_eq!((pointer.head.id.as_str(), pointer.is_stub), ("20250601-223000", true));
    check("**Challenges:**\n- None\n-\n- n/a\n\n_No beliefs captured this session_\n", &[]);
}

#[test]
fn caps_hold_and_dropped_entries_are_counted() {
    let many = "- a bullet\n".repeat(MAX_ENTRIES + 7);
    let kept = reading(&many);
    assert_eq!((kept.entries.len(), kept.skipped), (MAX_ENTRIES, 7));
    let long = format!("- {}\n{}", "é".repeat(MAX_CONTENT), "  more\n".repeat(MAX_CONTENT));
    let content = &reading(&long).entries[0].content;
    assert!(content.len() <= MAX_CONTENT && content.len() > MAX_CONTENT - 2);
}

/// Generates lines that logs consist of, and some that they do not.
fn any_line() -> impl Strategy<Value = String> {
    let known: Vec<String> = SEED.lines().map(str::to_string).collect();
    let odd = vec![
        "```",
        "~~~~",
        "```rust",
        "<!--",
        "-->",
        "---",
        "- ",
        "**",
        "**:**",
        "## ",
        "### 99:99 - x",
        "\t- x",
        "|",
        "### [01:02:03] User",
        "**Claude**: x",
        "## User Prompts (1)",
        "### 00:01 - Update (covering since 23:59)",
    ];
    prop_oneof![
        3 => prop::sample::select(known),
        2 => prop::sample::select(odd).prop_map(str::to_string),
        1 => ".{0,40}",
        1 => "[ \\-*#`|:0-9a\\[\\]()~>é]{0,20}",
    ]
}

/// Checks what holds for every text: reading does not panic, gives the same result twice, and stays within the caps.
fn hold(path: &str, text: &str) -> Result<(), TestCaseError> {
    let reading = read(path, text);
    prop_assert_eq!(&reading, &read(path, text));
    prop_assert_eq!(reading.is_some(), is_session(path, text));
    let Some(reading) = reading else { return Ok(()) };
    let lines = u32::try_from(text.lines().count()).expect("it is short");
    prop_assert!(reading.entries.len() <= MAX_ENTRIES);
    for pair in reading.entries.windows(2) {
        prop_assert!(pair[0].line <= pair[1].line);
    }
    for entry in &reading.entries {
        prop_assert!((1..=lines).contains(&entry.line));
        prop_assert!(!entry.content.trim().is_empty() && entry.content.len() <= MAX_CONTENT);
    }
    let written = as_markdown(&reading.head, &reading.entries);
    let again = read(path, &written).expect("a session").entries;
    let told = |entries: &[ParsedEntry]| {
        let entries = entries.iter().filter(|entry| !entry.content.contains(|c: char| c.is_control() && c != '\n'));
        let mut told: Vec<_> = entries
            .map(|entry| {
                (entry.category, entry.content.clone(), entry.files.clone(), entry.commits.clone(), entry.state)
            })
            .collect();
        told.sort_by_key(|one| format!("{one:?}"));
        told
    };
    prop_assert_eq!(told(&again), told(&reading.entries), "{}", written);
    Ok(())
}

proptest! {
    #[test]
    fn any_lines_are_read(lines in prop::collection::vec(any_line(), 0..60), end in "\r?\n") {
        hold("sessions/a.md", &format!("{HEAD}{}", lines.join(&end)))?;
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300), headed: bool) {
        let text = String::from_utf8_lossy(&bytes);
        hold("sessions/a.md", &if headed { format!("{HEAD}{text}") } else { text.into_owned() })?;
    }

    #[test]
    fn a_log_that_is_cut_anywhere_is_read(cut in 0..SEED.len()) {
        hold("sessions/a.md", crate::event::cap_at(SEED, cut))?;
    }
}
