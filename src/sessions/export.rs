//! A session as Markdown, in the form that the reader of session logs reads back: so what one machine knows reaches the
//! others through git. Pure.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::markdown::clock;
use super::{Category, Entry, Head, State, mentions, time};

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
    section(&mut text, "\n## Previous Session Context", of(Category::Context), |entry| format!("{}\n", entry.content));
    section(&mut text, "\n## Goals", of(Category::Goal), bullet);
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
    let mut today = started.and_then(|start| shown(start, offset, DAY));
    while let Some(first) = rest.first() {
        let at = first.at;
        let together = rest.iter().take_while(|entry| entry.at == at).count();
        let titles = at.is_some() && first.category == Category::Note && is_title(first);
        let title = if titles { first.content.trim() } else { UNTITLED };
        if let Some((day, clock)) = at.and_then(|at| Some((shown(at, offset, DAY)?, shown(at, offset, CLOCK)?))) {
            // A clock alone is read as the nearest moment that may be meant.
            let is_another = today.as_ref() != Some(&day);
            let date = if is_another { format!("{day} ") } else { String::new() };
            line(text, &format!("\n### {date}{clock} - {title}"));
            today = Some(day);
        }
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

fn section<'e>(
    text: &mut String,
    heading: &str,
    entries: impl Iterator<Item = &'e Entry>,
    form: impl Fn(&Entry) -> String,
) {
    for (at, entry) in entries.enumerate() {
        if at == 0 {
            line(text, heading);
        }
        line(text, &form(entry));
    }
}

fn is_title(note: &Entry) -> bool {
    let content = note.content.trim();
    let is_short = content.len() <= LONGEST_TITLE && !content.contains('\n');
    !content.is_empty() && is_short && mentions::about(note).is_none()
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
    let mut text = format!("- {mark}{}", lines.next().unwrap_or_default());
    let more = lines.map(str::trim).filter(|line| !line.is_empty()).map(str::to_string);
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
}
