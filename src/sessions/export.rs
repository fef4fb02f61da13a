//! A session as Markdown, in the form that the reader of session logs reads back: so what one machine knows reaches the
//! others through git. Pure.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::markdown::{clock, labels, marks, writing};
use super::{Category, Entry, Head, State, forms, mentions, time};

/// Under which label each category stands, in this order; goals of the start and what was known then have headings of their
/// own.
const LABELS: [(Category, &str); 12] = [
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

/// What a part of the log is called that has no title, and what its reader takes for none.
const UNTITLED: &str = "Update";
/// A longer line is a note and no title.
const LONGEST_TITLE: usize = 100;
/// Behind a heading a clock without its day is read as the same day's for so many seconds.
const NEAR: i64 = 6 * 60 * 60;

/// The whole log.
pub fn as_markdown(head: &Head, entries: &[Entry]) -> String {
    let mut text = String::new();
    let offset = zone(head);
    // Notes by hand have no start but their first.
    let started = head.started.or_else(|| entries.iter().filter_map(|entry| entry.at).min());
    let title = if head.title.is_empty() { "untitled" } else { &head.title };
    line(&mut text, &format!("# Session: {title}"));
    let said = [
        ("ID", Some(head.id.clone())),
        ("Started", started.and_then(utc)),
        ("Ended", head.ended.and_then(utc)),
        ("LLM", head.tool.clone()),
        ("Git Branch", head.branch.clone()),
        ("Session Tag", head.start_tag.clone()),
        ("End Tag", head.end_tag.clone()),
        ("Starting Commit", head.start_commit.clone()),
        ("Ending Commit", head.end_commit.clone()),
    ];
    for (key, value) in said {
        if let Some(value) = value {
            line(&mut text, &format!("**{key}**: {value}"));
        }
    }
    let is_of_start = |entry: &&Entry| {
        matches!(entry.category, Category::Goal | Category::Context) && (entry.at.is_none() || entry.at == started)
    };
    let of = |category: Category| entries.iter().filter(is_of_start).filter(move |entry| entry.category == category);
    section(&mut text, "\n## Previous Session Context", of(Category::Context));
    section(&mut text, "\n## Goals", of(Category::Goal));
    let is_later = |entry: &&Entry| !is_of_start(entry);
    activity(&mut text, entries.iter().filter(is_later), started, offset);
    text
}

fn activity<'e>(
    text: &mut String,
    entries: impl Iterator<Item = &'e Entry>,
    started: Option<i64>,
    zone: Option<Offset>,
) {
    let offset = zone.unwrap_or(Offset::UTC);
    let told = |entry: &&Entry| LABELS.iter().any(|(category, _)| *category == entry.category);
    let mut rest: Vec<&Entry> = entries.filter(told).collect();
    if rest.is_empty() {
        return;
    }
    line(text, "\n## Activity Log");
    // Where the id does not tell the zone, the heading of the start does.
    if let Some(start) = started.filter(|_| zone.is_none()).and_then(|start| shown(start, offset, CLOCK)) {
        line(text, &format!("\n### {start} - Session Start"));
    }
    let mut last = started;
    while let Some(first) = rest.first() {
        let at = first.at;
        let together = rest.iter().take_while(|entry| entry.at == at).count();
        let titles = at.is_some() && first.category == Category::Note && is_title(first);
        let title = if titles { first.content.trim() } else { UNTITLED };
        let heading = at.and_then(|at| moment(at, offset, started, last));
        if started.is_some() {
            line(text, &format!("\n### {} - {title}", heading.as_deref().unwrap_or(clock::UNKNOWN)));
        }
        last = at.or(last);
        let told = usize::from(titles);
        for (category, label) in LABELS {
            let own: Vec<&&Entry> = rest[told..together].iter().filter(|entry| entry.category == category).collect();
            if own.is_empty() {
                continue;
            }
            line(text, &format!("\n**{label}:**"));
            for entry in own {
                line(text, &bullet(entry));
            }
        }
        rest.drain(..together);
    }
}

/// A moment as a heading tells it. A clock alone is read as the nearest moment that may be meant, and one without seconds
/// as the start where that is in the same minute.
fn moment(at: i64, offset: Offset, started: Option<i64>, last: Option<i64>) -> Option<String> {
    let (day, mut clock) = (shown(at, offset, DAY)?, shown(at, offset, CLOCK)?);
    if at % 60 == 0 && started.is_some_and(|start| (at + 1..at + 60).contains(&start)) {
        clock.push_str(":00");
    }
    let is_near =
        last.is_some_and(|last| (last..last + NEAR).contains(&at) && shown(last, offset, DAY).as_ref() == Some(&day));
    Some(if is_near { clock } else { format!("{day} {clock}") })
}

fn section<'e>(text: &mut String, heading: &str, entries: impl Iterator<Item = &'e Entry>) {
    for (at, entry) in entries.enumerate() {
        if at == 0 {
            line(text, heading);
        }
        line(text, &bullet(entry));
    }
}

/// Whether a note can be the title of what is told at its time, and is read as that and nothing else.
fn is_title(note: &Entry) -> bool {
    let content = note.content.as_str();
    let lower = content.to_lowercase();
    let is_short = content.len() <= LONGEST_TITLE && !content.contains(['\n', '[', '#']);
    let is_a_programs = labels::is_routine(content)
        || lower.contains("covering since")
        || ["note", "session"].iter().any(|word| lower.starts_with(word));
    let heading = format!("00:00 - {content}");
    let is_read =
        clock::heading(&heading).is_some_and(|timed| timed.title == content) && first(note, content) == content;
    is_short && is_read && !is_a_programs && note.state.is_none() && mentions::about(note).is_none()
}

/// The first line of an entry, so that it is read as nothing else.
fn first(entry: &Entry, line: &str) -> String {
    let text = marks::written(line);
    let is_other = match entry.category {
        Category::Note => writing::own(&text).is_some(),
        Category::Challenge => writing::is_answer(&text),
        Category::Decision => forms::is_unsettled(&text),
        _ => false,
    };
    if is_other || writing::says_nothing(&entry.content) { marks::meant(line) } else { text }
}

/// A list item; what goes on below its first line belongs to it.
fn bullet(entry: &Entry) -> String {
    let mark = match entry.state {
        Some(State::Done) => "[x] ",
        Some(State::Partial) => "[~] ",
        Some(State::Open) => "[ ] ",
        None => "",
    };
    let mut lines = entry.content.lines();
    let mut text = format!("- {mark}{}", first(entry, lines.next().unwrap_or_default()));
    let is_about = |line: &str| mentions::named_in(line).is_some();
    let more = lines.map(|line| if is_about(line) { marks::meant(line) } else { marks::written(line) });
    for more in more.chain(mentions::about(entry)) {
        write!(text, "\n  - {more}").expect("writing to a string cannot fail");
    }
    text
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn utc(seconds: i64) -> Option<String> {
    Timestamp::from_second(seconds).ok().map(|time| time.to_string())
}

/// A day, and a time of a day without seconds that are none.
const DAY: [&str; 2] = ["%Y-%m-%d"; 2];
const CLOCK: [&str; 2] = ["%H:%M", "%H:%M:%S"];

fn shown(seconds: i64, offset: Offset, [whole, other]: [&str; 2]) -> Option<String> {
    let time = Timestamp::from_second(seconds).ok()?.to_zoned(TimeZone::fixed(offset));
    Some(time.strftime(if seconds % 60 == 0 { whole } else { other }).to_string())
}

/// How far local time is from UTC: an id that is a moment is in local time, and the start is not. None where the two do
/// not tell.
fn zone(head: &Head) -> Option<Offset> {
    let local = clock::zone(time::civil(&head.id)?, head.started?)?;
    Offset::from_seconds(i32::try_from(local).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::markdown;
    use super::*;

    fn entry(category: Category, at: Option<i64>, content: &str) -> Entry {
        Entry {
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
    fn a_session_is_written_as_its_log_would_be() {
        let started = 1_764_024_571; // 2025-11-24T22:49:31Z
        let head = Head {
            id: "20251124-174931".into(),
            title: "a title".into(),
            started: Some(started),
            branch: Some("main".into()),
            ..Head::default()
        };
        let entries = [
            Entry { state: Some(State::Done), ..entry(Category::Goal, None, "reach it") },
            entry(Category::Note, Some(started + 60), "One thing"),
            entry(Category::Work, Some(started + 60), "did one thing\nand why"),
            entry(Category::Decision, Some(started + 60), "use shapes"),
            entry(Category::Challenge, Some(started + 600), "Challenge: it broke\nSolution: mended"),
            entry(Category::Context, Some(started + 86_400), "it was slow"),
            Entry { files: vec!["src/a b.rs".into()], ..entry(Category::Goal, Some(started + 86_400), "go on") },
            Entry { commits: vec!["abc1234".into()], ..entry(Category::Commit, Some(started + 86_400), "Fix it") },
        ];
        let expect = "# Session: a title\n**ID**: 20251124-174931\n**Started**: 2025-11-24T22:49:31Z\n**Git Branch**: main\n\n\
                      ## Goals\n- [x] reach it\n\n## Activity Log\n\n### 17:50:31 - One thing\n\n**Work Completed:**\n- did one thing\n  - and why\n\n\
                      **Key Decisions:**\n- use shapes\n\n### 17:59:31 - Update\n\n**Challenges & Solutions:**\n- Challenge: it broke\n  - Solution: mended\n\n\
                      ### 2025-11-25 17:49:31 - Update\n\n**Goals:**\n- go on\n  - About `src/a b.rs`\n\n**Context:**\n- it was slow\n\n\
                      **Commits:**\n- Fix it\n  - About commit `abc1234`\n";
        assert_eq!(as_markdown(&head, &entries), expect);
    }

    /// The entries that are read of a log that was exported, without their lines.
    fn read_again(head: &Head, entries: &[Entry]) -> (String, Vec<Entry>) {
        let text = as_markdown(head, entries);
        let reading = markdown::read("sessions/a.md", &text).expect("a session");
        assert!(reading.warnings.is_empty(), "{text}");
        (text, reading.entries.into_iter().map(|entry| Entry { line: 1, ..entry }).collect())
    }

    fn in_order(entries: &[Entry]) -> Vec<Entry> {
        let mut entries = entries.to_vec();
        entries.sort_by_key(|entry| (entry.at, entry.category, entry.content.clone(), format!("{entry:?}")));
        entries
    }

    const STARTED: i64 = 1_764_024_571; // 2025-11-24T22:49:31Z

    fn head(id: &str) -> Head {
        Head { id: id.into(), title: "a title".into(), started: Some(STARTED), ..Head::default() }
    }

    #[test]
    fn what_looks_like_a_mark_comes_back_as_it_was() {
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
                    // What was touched or committed is a file or a commit.
                    entry.files = if category == Category::Touched { vec!["src/a.rs".into()] } else { Vec::new() };
                    entry.commits = if category == Category::Commit { vec!["1234567".into()] } else { Vec::new() };
                }
                let entries = entries.map(|entry| Entry { content: entry.content.trim().into(), ..entry });
                let (text, read) = read_again(&head("a"), &entries);
                assert_eq!(read, entries, "{text}");
            }
        }
    }

    fn any_entry() -> impl Strategy<Value = Entry> {
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
        let state = prop::sample::select(vec![None, Some(State::Open), Some(State::Partial), Some(State::Done)]);
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
                Entry { files, commits, state, ..entry(category, Some(STARTED + after), &content) }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_exported_is_read_entry_for_entry(
            entries in prop::collection::vec(any_entry(), 0..8),
            id in prop::sample::select(vec!["20251124-174931", "6f1d0c1e-aaaa", "notes"]),
        ) {
            let (text, read) = read_again(&head(id), &entries);
            prop_assert_eq!(in_order(&read), in_order(&entries), "{}", text);
        }

        #[test]
        fn without_any_time_there_is_none(entries in prop::collection::vec(any_entry(), 1..8)) {
            let entries: Vec<Entry> = entries.into_iter().map(|entry| Entry { at: None, ..entry }).collect();
            let (text, read) = read_again(&Head { started: None, ..head("a") }, &entries);
            prop_assert_eq!(in_order(&read), in_order(&entries), "{}", text);
        }
    }
}
