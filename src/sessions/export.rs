//! A session as Markdown, in the form that the reader of session logs reads back: so what one machine knows reaches the
//! others through git. Pure.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use super::{Category, Entry, Head, State};

/// Under which label each category stands, in this order; goals and what was known at the start have headings of their own.
const LABELS: [(Category, &str); 9] = [
    (Category::Plan, "Plan"),
    (Category::Work, "Work Completed"),
    (Category::Decision, "Key Decisions"),
    (Category::Challenge, "Challenges & Solutions"),
    (Category::Pattern, "Patterns Observed"),
    (Category::Observation, "Observations"),
    (Category::Note, "Notes"),
    (Category::Command, "Commands"),
    (Category::Touched, "Files Modified"),
];

/// What a part of the log is called that has no title, and what its reader takes for none.
const UNTITLED: &str = "Update";
/// A longer line is a note and no title.
const LONGEST_TITLE: usize = 100;

/// The whole log.
pub fn as_markdown(head: &Head, entries: &[Entry]) -> String {
    let mut text = String::new();
    let offset = offset(head);
    let title = if head.title.is_empty() { "untitled" } else { &head.title };
    line(&mut text, &format!("# Session: {title}"));
    let said = [
        ("ID", Some(head.id.clone())),
        ("Started", head.started.and_then(utc)),
        ("Ended", head.ended.and_then(utc)),
        ("LLM", head.tool.clone()),
        ("Git Branch", head.branch.clone()),
        ("Session Tag", head.start_tag.clone()),
        ("Starting Commit", head.start_commit.clone()),
        ("Last Commit", head.end_commit.clone()),
    ];
    for (key, value) in said {
        if let Some(value) = value {
            line(&mut text, &format!("**{key}**: {value}"));
        }
    }
    section(&mut text, "\n## Previous Session Context", entries, Category::Context, |entry| entry.content.clone());
    section(&mut text, "\n## Goals", entries, Category::Goal, |entry| {
        let mark = match entry.state {
            Some(State::Done) => 'x',
            Some(State::Partial) => '~',
            _ => ' ',
        };
        bullet(&format!("[{mark}] "), &entry.content)
    });
    activity(&mut text, entries, offset);
    text
}

fn activity(text: &mut String, entries: &[Entry], offset: Offset) {
    let told = |entry: &&Entry| LABELS.iter().any(|(category, _)| *category == entry.category);
    let mut rest: Vec<&Entry> = entries.iter().filter(told).collect();
    if rest.is_empty() {
        return;
    }
    line(text, "\n## Activity Log");
    while let Some(first) = rest.first() {
        let at = first.at;
        let together = rest.iter().take_while(|entry| entry.at == at).count();
        let titles = at.is_some() && first.category == Category::Note && is_title(&first.content);
        let title = if titles { first.content.trim() } else { UNTITLED };
        if let Some(clock) = at.and_then(|at| clock(at, offset)) {
            line(text, &format!("\n### {clock} - {title}"));
        }
        let told = usize::from(titles);
        for (category, label) in LABELS {
            let own: Vec<&&Entry> = rest[told..together].iter().filter(|entry| entry.category == category).collect();
            if own.is_empty() {
                continue;
            }
            line(text, &format!("\n**{label}:**"));
            for entry in own {
                line(text, &bullet("", &entry.content));
            }
        }
        rest.drain(..together);
    }
}

fn section(text: &mut String, heading: &str, entries: &[Entry], category: Category, form: impl Fn(&Entry) -> String) {
    let own: Vec<&Entry> = entries.iter().filter(|entry| entry.category == category).collect();
    if own.is_empty() {
        return;
    }
    line(text, heading);
    for entry in own {
        line(text, &form(entry));
    }
}

fn is_title(content: &str) -> bool {
    let content = content.trim();
    !content.is_empty() && content.len() <= LONGEST_TITLE && !content.contains('\n')
}

/// A list item; what goes on below its first line belongs to it.
fn bullet(mark: &str, content: &str) -> String {
    let mut lines = content.lines();
    let mut text = format!("- {mark}{}", lines.next().unwrap_or_default());
    for more in lines.filter(|line| !line.trim().is_empty()) {
        write!(text, "\n  - {}", more.trim()).expect("writing to a string cannot fail");
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

fn clock(seconds: i64, offset: Offset) -> Option<String> {
    let time = Timestamp::from_second(seconds).ok()?.to_zoned(TimeZone::fixed(offset));
    Some(time.strftime("%H:%M").to_string())
}

/// How far local time is from UTC: an id that is a moment is in local time, and the start is not.
fn offset(head: &Head) -> Offset {
    let local = DateTime::strptime("%Y%m%d-%H%M%S", &head.id).ok().and_then(|local| {
        let local = local.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
        let minutes = (local as f64 - head.started? as f64) / 60.0;
        // Offsets are quarters of an hour; the id may be a few seconds older than the start.
        Offset::from_seconds(((minutes / 15.0).round() as i32).saturating_mul(900)).ok()
    });
    local.unwrap_or(Offset::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(category: Category, at: Option<i64>, content: &str) -> Entry {
        Entry { category, content: content.into(), at, line: 1, files: Vec::new(), commits: Vec::new(), state: None }
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
        ];
        let expect = "# Session: a title\n**ID**: 20251124-174931\n**Started**: 2025-11-24T22:49:31Z\n**Git Branch**: main\n\n\
                      ## Goals\n- [x] reach it\n\n## Activity Log\n\n### 17:50 - One thing\n\n**Work Completed:**\n- did one thing\n  - and why\n\n\
                      **Key Decisions:**\n- use shapes\n\n### 17:59 - Update\n\n**Challenges & Solutions:**\n- Challenge: it broke\n  - Solution: mended\n";
        assert_eq!(as_markdown(&head, &entries), expect);
    }
}
