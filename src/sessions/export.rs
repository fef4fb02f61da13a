//! A session as Markdown, in the form that the reader of session logs reads back: so what one machine knows reaches the
//! others through git. Pure.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::markdown::clock;
use super::{Category, Entry, Head, State, time};

/// Under which label each category stands, in this order; goals and what was known at the start have headings of their own.
const LABELS: [(Category, &str); 10] = [
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
    let title = if head.title.is_empty() { "untitled" } else { &head.title };
    line(&mut text, &format!("# Session: {title}"));
    let said = [
        ("ID", Some(head.id.clone())),
        ("Started", head.started.and_then(utc)),
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
    section(&mut text, "\n## Previous Session Context", entries, Category::Context, |entry| {
        format!("{}\n", entry.content)
    });
    section(&mut text, "\n## Goals", entries, Category::Goal, |entry| {
        let mark = match entry.state {
            Some(State::Done) => 'x',
            Some(State::Partial) => '~',
            _ => ' ',
        };
        bullet(&format!("[{mark}] "), &entry.content)
    });
    activity(&mut text, entries, head.started, offset);
    text
}

fn activity(text: &mut String, entries: &[Entry], started: Option<i64>, zone: Option<Offset>) {
    let offset = zone.unwrap_or(Offset::UTC);
    let told = |entry: &&Entry| LABELS.iter().any(|(category, _)| *category == entry.category);
    let mut rest: Vec<&Entry> = entries.iter().filter(told).collect();
    if rest.is_empty() {
        return;
    }
    line(text, "\n## Activity Log");
    // Where the id does not tell the zone, the heading of the start does.
    if let Some(start) = started.filter(|_| zone.is_none()).and_then(|start| shown(start, offset)) {
        line(text, &format!("\n### {start} - Session Start"));
    }
    while let Some(first) = rest.first() {
        let at = first.at;
        let together = rest.iter().take_while(|entry| entry.at == at).count();
        let titles = at.is_some() && first.category == Category::Note && is_title(&first.content);
        let title = if titles { first.content.trim() } else { UNTITLED };
        if let Some(clock) = at.and_then(|at| shown(at, offset)) {
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
                line(text, &bullet(&made(entry), &entry.content));
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

/// What a commit is found by, where its subject does not say it.
fn made(entry: &Entry) -> String {
    let commits = entry.commits.iter().filter(|commit| !entry.content.contains(commit.as_str()));
    if entry.category == Category::Commit {
        commits.map(|commit| format!("{commit} ")).collect()
    } else {
        String::new()
    }
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

fn shown(seconds: i64, offset: Offset) -> Option<String> {
    let time = Timestamp::from_second(seconds).ok()?.to_zoned(TimeZone::fixed(offset));
    Some(time.strftime(if seconds % 60 == 0 { "%H:%M" } else { "%H:%M:%S" }).to_string())
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
                      ## Goals\n- [x] reach it\n\n## Activity Log\n\n### 17:50:31 - One thing\n\n**Work Completed:**\n- did one thing\n  - and why\n\n\
                      **Key Decisions:**\n- use shapes\n\n### 17:59:31 - Update\n\n**Challenges & Solutions:**\n- Challenge: it broke\n  - Solution: mended\n";
        assert_eq!(as_markdown(&head, &entries), expect);
    }
}
