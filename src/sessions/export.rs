//! Writes a session as Markdown that the log reader can read back, so that a machine's sessions reach others through
//! git.
//!
//! Pure.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::markdown::{clock, entry_writer, inline_marks, log_labels};
use super::{Category, GoalState, ParsedEntry, SessionHead, forms, mentions, time};

/// The label of each category, in the order in which they are written. Goals, and context at the start, have headings
/// of their own.
const CATEGORY_LABELS: [(Category, &str); 12] = [
    (Category::Goal, "Goals"),
    (Category::Context, "Context"),
    (Category::Plan, "Plan"),
    (Category::Work, "Work Completed"),
    (Category::Decision, "Key Decisions"),
    (Category::Challenge, "Challenges & Solutions"),
    (Category::Pattern, "Patterns Observed"),
    (Category::Observation, "Observations"),
    (Category::Note, "Notes"),
    (Category::Command, "Commands Run"),
    (Category::Commit, "Commits"),
    (Category::Touched, "Files Modified"),
];

/// The title written for a part without one; the reader discards it.
const UNTITLED: &str = "Update";
/// The longest title, in bytes; a longer line is written as a note.
const MAX_TITLE_BYTES: usize = 100;
/// How many seconds after a heading a clock time without a date is read as the same day.
const SAME_DAY_SECONDS: i64 = 6 * 60 * 60;

/// Returns the whole log as Markdown.
pub fn as_markdown(head: &SessionHead, entries: &[ParsedEntry]) -> String {
    let mut text = String::new();
    let offset = zone_of(head);
    // Notes recorded by hand have no session start, so their first entry is taken.
    let started = head.started.or_else(|| entries.iter().filter_map(|entry| entry.at).min());
    let title = if head.title.is_empty() { "untitled" } else { &head.title };
    push_line(&mut text, &format!("# Session: {title}"));
    let said = [
        ("ID", Some(head.id.clone())),
        ("Started", started.and_then(utc_text)),
        ("Ended", head.ended.and_then(utc_text)),
        ("LLM", head.tool.clone()),
        ("Git Branch", head.branch.clone()),
        ("Session Tag", head.start_tag.clone()),
        ("End Tag", head.end_tag.clone()),
        ("Starting Commit", head.start_commit.clone()),
        ("Ending Commit", head.end_commit.clone()),
    ];
    for (key, value) in said {
        if let Some(value) = value {
            push_line(&mut text, &format!("**{key}**: {value}"));
        }
    }
    let is_of_start = |entry: &&ParsedEntry| {
        matches!(entry.category, Category::Goal | Category::Context) && (entry.at.is_none() || entry.at == started)
    };
    let of = |category: Category| entries.iter().filter(is_of_start).filter(move |entry| entry.category == category);
    write_section(&mut text, "\n## Previous Session Context", of(Category::Context));
    write_section(&mut text, "\n## Goals", of(Category::Goal));
    let is_later = |entry: &&ParsedEntry| !is_of_start(entry);
    write_activity_log(&mut text, entries.iter().filter(is_later), started, offset);
    text
}

/// Writes the activity log.
fn write_activity_log<'e>(
    text: &mut String,
    entries: impl Iterator<Item = &'e ParsedEntry>,
    started: Option<i64>,
    zone: Option<Offset>,
) {
    let offset = zone.unwrap_or(Offset::UTC);
    let told = |entry: &&ParsedEntry| CATEGORY_LABELS.iter().any(|(category, _)| *category == entry.category);
    let mut rest: Vec<&ParsedEntry> = entries.filter(told).collect();
    if rest.is_empty() {
        return;
    }
    push_line(text, "\n## Activity Log");
    // If the id does not reveal the time zone, a heading with the start in local time does.
    if let Some(start) = started.filter(|_| zone.is_none()).and_then(|start| formatted(start, offset, CLOCK_FORMATS)) {
        push_line(text, &format!("\n### {start} - Session Start"));
    }
    let mut last = started;
    while let Some(first) = rest.first() {
        let at = first.at;
        let together = rest.iter().take_while(|entry| entry.at == at).count();
        let titles = at.is_some() && first.category == Category::Note && can_be_title(first);
        let title = if titles { first.content.trim() } else { UNTITLED };
        let heading = at.and_then(|at| heading_time(at, offset, started, last));
        if started.is_some() {
            push_line(text, &format!("\n### {} - {title}", heading.as_deref().unwrap_or(clock::UNKNOWN_TIME)));
        }
        last = at.or(last);
        let told = usize::from(titles);
        for (category, label) in CATEGORY_LABELS {
            let own: Vec<&&ParsedEntry> =
                rest[told..together].iter().filter(|entry| entry.category == category).collect();
            if own.is_empty() {
                continue;
            }
            push_line(text, &format!("\n**{label}:**"));
            for entry in own {
                push_line(text, &list_item(entry));
            }
        }
        rest.drain(..together);
    }
}

/// Formats a time for a heading.
///
/// The reader interprets a clock time as the nearest possible moment, and one without seconds as the start if it is in
/// the same minute.
fn heading_time(at: i64, offset: Offset, started: Option<i64>, last: Option<i64>) -> Option<String> {
    let (day, mut clock) = (formatted(at, offset, DAY_FORMATS)?, formatted(at, offset, CLOCK_FORMATS)?);
    if at % 60 == 0 && started.is_some_and(|start| (at + 1..at + 60).contains(&start)) {
        clock.push_str(":00");
    }
    let is_near = last.is_some_and(|last| {
        (last..last + SAME_DAY_SECONDS).contains(&at) && formatted(last, offset, DAY_FORMATS).as_ref() == Some(&day)
    });
    Some(if is_near { clock } else { format!("{day} {clock}") })
}

/// Writes a heading and its entries, if there are any.
fn write_section<'e>(text: &mut String, heading: &str, entries: impl Iterator<Item = &'e ParsedEntry>) {
    for (at, entry) in entries.enumerate() {
        if at == 0 {
            push_line(text, heading);
        }
        push_line(text, &list_item(entry));
    }
}

/// Returns whether a note can serve as the title of its heading, and is read back unchanged from there.
fn can_be_title(note: &ParsedEntry) -> bool {
    let content = note.content.as_str();
    let lower = content.to_lowercase();
    let is_short = content.len() <= MAX_TITLE_BYTES && !content.contains(['\n', '[', '#']);
    let is_a_programs = log_labels::is_routine_title(content)
        || lower.contains("covering since")
        || ["note", "session"].iter().any(|word| lower.starts_with(word));
    let heading = format!("00:00 - {content}");
    let is_read = clock::timed_heading(&heading).is_some_and(|timed| timed.title == content)
        && first_line(note, content) == content;
    is_short && is_read && !is_a_programs && note.state.is_none() && mentions::declaration_line(note).is_none()
}

/// Escapes the first line of an entry so that it is read back as its category.
fn first_line(entry: &ParsedEntry, line: &str) -> String {
    let text = inline_marks::escape(line);
    let is_other = match entry.category {
        Category::Note => entry_writer::labelled_category(&text).is_some(),
        Category::Challenge => entry_writer::is_answer(&text),
        Category::Decision => forms::is_unsettled(&text),
        _ => false,
    };
    if is_other || entry_writer::says_nothing(&entry.content) { inline_marks::escape_literal(line) } else { text }
}

/// Formats an entry as a list item, with its further lines nested below it.
fn list_item(entry: &ParsedEntry) -> String {
    let mark = match entry.state {
        Some(GoalState::Done) => "[x] ",
        Some(GoalState::Partial) => "[~] ",
        Some(GoalState::Open) => "[ ] ",
        None => "",
    };
    let mut lines = entry.content.lines();
    let mut text = format!("- {mark}{}", first_line(entry, lines.next().unwrap_or_default()));
    let is_about = |line: &str| mentions::parse_declaration(line).is_some();
    let more =
        lines.map(|line| if is_about(line) { inline_marks::escape_literal(line) } else { inline_marks::escape(line) });
    for more in more.chain(mentions::declaration_line(entry)) {
        write!(text, "\n  - {more}").expect("writing to a string cannot fail");
    }
    text
}

/// Appends a line.
fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// Formats Unix seconds as a UTC timestamp.
fn utc_text(seconds: i64) -> Option<String> {
    Timestamp::from_second(seconds).ok().map(|time| time.to_string())
}

/// The format of a day, without and with seconds in its time.
const DAY_FORMATS: [&str; 2] = ["%Y-%m-%d"; 2];
/// The format of a time, without and with seconds.
const CLOCK_FORMATS: [&str; 2] = ["%H:%M", "%H:%M:%S"];

/// Formats a time in a zone, by the first format if its seconds are zero and by the second otherwise.
fn formatted(seconds: i64, offset: Offset, [whole, other]: [&str; 2]) -> Option<String> {
    let time = Timestamp::from_second(seconds).ok()?.to_zoned(TimeZone::fixed(offset));
    Some(time.strftime(if seconds % 60 == 0 { whole } else { other }).to_string())
}

/// Returns the offset of local time from UTC, from an id that is a local timestamp and a start that is in UTC. `None`
/// if the two do not match.
fn zone_of(head: &SessionHead) -> Option<Offset> {
    let local = clock::zone_offset(time::civil(&head.id)?, head.started?)?;
    Offset::from_seconds(i32::try_from(local).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::markdown;
    use super::*;

    fn entry(category: Category, at: Option<i64>, content: &str) -> ParsedEntry {
        ParsedEntry {
            category,
            content: content.into(),
            at,
            line: 1,
            line_id: None,
            files: Vec::new(),
            commits: Vec::new(),
            state: None,
        }
    }

    #[test]
    fn a_session_is_exported_as_a_log() {
        let started = 1_764_024_571; // 2025-11-24T22:49:31Z
        let head = SessionHead {
            id: "20251124-174931".into(),
            title: "a title".into(),
            started: Some(started),
            branch: Some("main".into()),
            ..SessionHead::default()
        };
        let entries = [
            ParsedEntry { state: Some(GoalState::Done), ..entry(Category::Goal, None, "reach it") },
            entry(Category::Note, Some(started + 60), "One thing"),
            entry(Category::Work, Some(started + 60), "did one thing\nand why"),
            entry(Category::Decision, Some(started + 60), "use shapes"),
            entry(Category::Challenge, Some(started + 600), "Challenge: it broke\nSolution: mended"),
            entry(Category::Context, Some(started + 86_400), "it was slow"),
            ParsedEntry { files: vec!["src/a b.rs".into()], ..entry(Category::Goal, Some(started + 86_400), "go on") },
            ParsedEntry {
                commits: vec!["abc1234".into()],
                ..entry(Category::Commit, Some(started + 86_400), "Fix it")
            },
        ];
        let expect = "# Session: a title\n**ID**: 20251124-174931\n**Started**: 2025-11-24T22:49:31Z\n**Git Branch**: main\n\n\
                      ## Goals\n- [x] reach it\n\n## Activity Log\n\n### 17:50:31 - One thing\n\n**Work Completed:**\n- did one thing\n  - and why\n\n\
                      **Key Decisions:**\n- use shapes\n\n### 17:59:31 - Update\n\n**Challenges & Solutions:**\n- Challenge: it broke\n  - Solution: mended\n\n\
                      ### 2025-11-25 17:49:31 - Update\n\n**Goals:**\n- go on\n  - About `src/a b.rs`\n\n**Context:**\n- it was slow\n\n\
                      **Commits:**\n- Fix it\n  - About commit `abc1234`\n";
        assert_eq!(as_markdown(&head, &entries), expect);
    }

    /// Exports a log and reads it again; returns the text and the entries without their lines.
    fn read_again(head: &SessionHead, entries: &[ParsedEntry]) -> (String, Vec<ParsedEntry>) {
        let text = as_markdown(head, entries);
        let reading = markdown::read("sessions/a.md", &text).expect("a session");
        assert!(reading.warnings.is_empty(), "{text}");
        (text, reading.entries.into_iter().map(|entry| ParsedEntry { line: 1, ..entry }).collect())
    }

    fn in_order(entries: &[ParsedEntry]) -> Vec<ParsedEntry> {
        let mut entries = entries.to_vec();
        entries.sort_by_key(|entry| (entry.at, entry.category, entry.content.clone(), format!("{entry:?}")));
        entries
    }

    const STARTED: i64 = 1_764_024_571; // 2025-11-24T22:49:31Z

    fn head(id: &str) -> SessionHead {
        SessionHead { id: id.into(), title: "a title".into(), started: Some(STARTED), ..SessionHead::default() }
    }

    #[test]
    fn text_that_looks_like_marks_survives_a_round_trip() {
        for content in [
            "Use *args and **kwargs in wrappers",
            "[x] one\n[ ] two",
            "Lines:\n    indented\n\n  - and more\t\n.",
            "N/A",
            "--",
            "**Steps**\n\n1. one\n2. two",
            "Solution: mended",
            "Fix it: now",
            "Decision: use one file",
            "Should we?",
            "~~gone~~",
            "TBD: name",
            "About `src/b.rs`",
            "a\nAbout `src/b.rs`, commit `abc1234`",
            "a  b \u{1f468}\u{200d}\u{1f469} C:\\new \\d \\* \\",
            "Note on indexes",
            "Update",
            "12:30 lunch",
            "A title [main@abc1234]",
            "<!-- gone --> `a <!-- b -->` ``` c",
            "# a",
            "_all of it_",
            "\u{3000}wide\u{3000}\nb",
            "| a | b |",
            "Session Tags: a..b",
        ] {
            for category in Category::ALL {
                let mut entries =
                    [entry(category, Some(STARTED), content), entry(category, Some(STARTED + 60), content)];
                for entry in &mut entries {
                    // Touched and commit entries need a file or a commit.
                    entry.files = if category == Category::Touched { vec!["src/a.rs".into()] } else { Vec::new() };
                    entry.commits = if category == Category::Commit { vec!["1234567".into()] } else { Vec::new() };
                }
                let entries = entries.map(|entry| ParsedEntry { content: entry.content.trim().into(), ..entry });
                let (text, read) = read_again(&head("a"), &entries);
                assert_eq!(read, entries, "{text}");
            }
        }
    }

    fn any_entry() -> impl Strategy<Value = ParsedEntry> {
        let line = prop_oneof![
            2 => "[^\\p{Cc}\\p{Zl}\\p{Zp}]{0,30}",
            2 => "[-*_`\\\\ \t~<!>#+=|.:?)1a\\[\\]x]{0,20}",
            1 => prop::sample::select(vec![
                "", "  a", "[ ] b", "N/A", "Fix: c", "Decision: d", "About `src/a.rs`", "**e**", "Update", "Note", "10:00 f", "see src/a.rs",
                "in commit abc1234", "```", "- g", "Done?", "--:-- - h", "Solution", "Problem: i", "Next steps: j",
            ])
            .prop_map(str::to_string),
        ];
        let content = prop::collection::vec(line, 1..5).prop_map(|lines| lines.join("\n").trim().to_string());
        let content = content.prop_filter("it says something", |content| !content.is_empty());
        let times =
            prop_oneof![-90_i64..90, -100_000_i64..100_000, (-50_i64..50).prop_map(|minutes| minutes * 60 - 31)];
        let files = prop::collection::vec(prop::sample::select(vec!["src/a.rs", "b c.md", "lib/d"]), 0..3);
        let commits = prop::collection::vec(prop::sample::select(vec!["abc1234", "1234567", "deadbee"]), 0..3);
        let state =
            prop::sample::select(vec![None, Some(GoalState::Open), Some(GoalState::Partial), Some(GoalState::Done)]);
        (prop::sample::select(Category::ALL.to_vec()), content, times, files, commits, state).prop_map(
            |(category, content, after, mut files, mut commits, state)| {
                files.dedup();
                commits.dedup();
                let needed = |names: &mut Vec<&'static str>, own, name| {
                    if category == own && names.is_empty() {
                        names.push(name);
                    }
                };
                needed(&mut files, Category::Touched, "src/a.rs");
                needed(&mut commits, Category::Commit, "abc1234");
                let told = |names: Vec<&str>| names.into_iter().map(str::to_string).collect();
                let (files, commits) = (told(files), told(commits));
                ParsedEntry { files, commits, state, ..entry(category, Some(STARTED + after), &content) }
            },
        )
    }

    proptest! {
        #[test]
        fn exported_entries_survive_a_round_trip(
            entries in prop::collection::vec(any_entry(), 0..8),
            id in prop::sample::select(vec!["20251124-174931", "6f1d0c1e-aaaa", "notes"]),
        ) {
            let (text, read) = read_again(&head(id), &entries);
            prop_assert_eq!(in_order(&read), in_order(&entries), "{}", text);
        }

        #[test]
        fn entries_without_times_survive_a_round_trip(entries in prop::collection::vec(any_entry(), 1..8)) {
            let entries: Vec<ParsedEntry> = entries.into_iter().map(|entry| ParsedEntry { at: None, ..entry }).collect();
            let (text, read) = read_again(&SessionHead { started: None, ..head("a") }, &entries);
            prop_assert_eq!(in_order(&read), in_order(&entries), "{}", text);
        }
    }
}
