//! The head of a session log (YAML front matter and `**Key**: value` lines), and the test whether a file is a session
//! log at all.
//!
//! A path alone is not enough, and templates with unfilled values are rejected.

use super::super::{SessionHead, time};
use super::clock;
use super::lines::{self, LineKind};
use super::log_labels::{self, LogSection};
use crate::event;

/// How many bytes of a file are read to decide whether it is a session log.
const MAX_PROBE_BYTES: usize = 16 * 1024;

/// The longest value of a field, in bytes.
const MAX_VALUE_BYTES: usize = 500;

/// The fewest sections of a log without an id; many other documents have one such heading.
const MIN_SECTIONS: usize = 2;

/// Returns the index of the line that ends the front matter, if there is any.
pub(super) fn front_matter_end(lines: &[&str]) -> Option<usize> {
    if lines.first()?.trim_end() != "---" {
        return None;
    }
    lines.iter().skip(1).position(|line| matches!(line.trim_end(), "---" | "...")).map(|at| at + 1)
}

/// Returns the keys and values of front matter. A nested key is prefixed with its block's name and a dot.
pub(super) fn front_matter<'a>(lines: &[&'a str]) -> Vec<(String, &'a str)> {
    let (mut block, mut pairs) = (String::new(), Vec::new());
    for line in lines {
        let Some((key, value)) = line.split_once(':') else { continue };
        let name = key.trim().to_ascii_lowercase();
        let value = unquoted(value.trim());
        if !key.starts_with([' ', '\t']) {
            block.clone_from(&name);
            pairs.push((name, value));
        } else {
            pairs.push((format!("{block}.{name}"), value));
        }
    }
    pairs
}

/// Strips quotes, or a trailing comment.
fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|rest| rest.rsplit_once(quote)) {
            return inner.0;
        }
    }
    value.split(" #").next().unwrap_or_default().trim_end()
}

/// Sets the field of a key unless it has a value. Returns whether the key is known.
pub(super) fn set_field(head: &mut SessionHead, key: &str, value: &str) -> bool {
    let key: String = key.trim().to_lowercase().split([' ', '-']).collect::<Vec<_>>().join("_");
    let value = value.trim().trim_matches('`').trim();
    let usable = !value.is_empty() && value.len() <= MAX_VALUE_BYTES && !is_placeholder(value);
    let text = usable.then(|| value.to_string());
    let commit = || {
        let first = value.split(|c: char| !c.is_ascii_alphanumeric()).next().filter(|_| usable)?;
        let is_commit = (7..=64).contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_commit.then(|| first.to_ascii_lowercase())
    };
    match key.trim_start_matches("git.").trim_start_matches("session.") {
        "id" | "session_id" => {
            if head.id.is_empty() && !value.chars().any(event::is_hidden) {
                head.id = text.unwrap_or_default();
            }
        }
        "title" | "session" | "name" => {
            if head.title.is_empty() {
                head.title = text.unwrap_or_default();
            }
        }
        "started" | "start" | "created" | "created_at" | "started_at" | "start_time" | "start_timestamp" => {
            head.started = head.started.or_else(|| time::instant(value));
        }
        "ended" | "end" | "ended_at" | "finished" | "end_time" | "end_timestamp" => {
            head.ended = head.ended.or_else(|| time::instant(value));
        }
        "llm" | "tool" | "agent" | "model" | "assistant" | "adapter" => set_text(&mut head.tool, text),
        "git_branch" | "branch" => set_text(&mut head.branch, text),
        "session_tag" | "start_tag" => set_text(&mut head.start_tag, text),
        "end_tag" => set_text(&mut head.end_tag, text),
        "session_tags" => {
            if let Some((start, end)) = value.split_once("..").filter(|_| usable) {
                set_text(&mut head.start_tag, Some(start.trim().to_string()));
                set_text(&mut head.end_tag, Some(end.trim().to_string()));
            }
        }
        "starting_commit" | "start_commit" | "commit" | "current_commit" => set_text(&mut head.start_commit, commit()),
        "ending_commit" | "end_commit" | "final_commit" => set_text(&mut head.end_commit, commit()),
        "type" | "status" => {}
        _ => return false,
    }
    true
}

/// Sets a field unless it has a value.
fn set_text(field: &mut Option<String>, text: Option<String>) {
    if field.is_none() {
        *field = text;
    }
}

/// Returns whether a value is an unfilled template field: `<id>`, `{{title}}`, `[title]`, `$ID`, `YYYYMMDD-HHMMSS`.
fn is_placeholder(value: &str) -> bool {
    let value = value.trim().trim_matches('`');
    let enclosed = [('<', '>'), ('{', '}'), ('[', ']')].iter().any(|(open, close)| {
        value.strip_prefix(*open).is_some_and(|rest| rest.find(*close).is_some_and(|at| rest[at..].len() <= 2))
    });
    enclosed || value.contains("{{") || value.starts_with('$') || value.contains("YYYY") || value == "..."
}

/// Returns the title in the first-level heading of a session (`Session: title`); `None` for other headings.
pub(super) fn session_title(text: &str) -> Option<&str> {
    let rest =
        ["session", "dev session", "development session", "coding session", "session log"].iter().rev().find_map(
            |word| text.get(..word.len()).filter(|begin| begin.eq_ignore_ascii_case(word)).map(|_| &text[word.len()..]),
        )?;
    rest.trim_start().strip_prefix([':', '-', '–', '—']).map(str::trim)
}

/// Returns the id and title of the session that a pointer file refers to: `# Last Session: title`, a path to the
/// session, and nothing else.
pub(super) fn pointer_target(text: &str) -> Option<(String, String)> {
    if text.len() > MAX_PROBE_BYTES || text.contains("\n## ") {
        return None;
    }
    let heading = text.lines().next()?.strip_prefix("# ")?;
    let kind = ["Last Session", "Previous Session", "Active Session", "Current Session"]
        .into_iter()
        .find(|kind| heading.get(..kind.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(kind)))?;
    let title = heading[kind.len()..].trim_start_matches([':', '-', ' ']).trim();
    let (_, path) = text.split_once("sessions/")?;
    let id = path.split_once(".md")?.0;
    let is_id =
        !id.is_empty() && id.len() <= MAX_VALUE_BYTES && id.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    is_id.then(|| (id.to_string(), title.to_string()))
}

/// Returns whether a Markdown file is a session log, by its beginning; for logs with little metadata also by its path.
pub(super) fn is_session(path: &str, text: &str) -> bool {
    if pointer_target(text).is_some() {
        return true;
    }
    let text = event::cap_at(text, MAX_PROBE_BYTES);
    let raw: Vec<&str> = text.lines().collect();
    let (mut head, mut kind, mut dated) = (SessionHead::default(), None, false);
    let end = front_matter_end(&raw);
    for (key, value) in front_matter(&raw[..end.unwrap_or(0)]) {
        if key == "type" {
            kind = Some(value);
        }
        dated |= key == "date";
        set_field(&mut head, &key, value);
    }
    if let Some(kind) = kind {
        return kind.eq_ignore_ascii_case("session") && !head.id.is_empty();
    }
    let body = raw[end.map_or(0, |end| end + 1)..].join("\n");
    let body = lines::without_inline_comments(&body);
    let (mut sections, mut named, mut heading) = (0, None, "");
    for line in lines::classify_lines(&body).0 {
        match line {
            LineKind::Heading { level: 1, text } if heading.is_empty() => {
                heading = text;
                named = session_title(text);
            }
            LineKind::Label { .. } | LineKind::Bullet { .. } | LineKind::Text { .. } if sections == 0 => {
                let Some((label, value)) = line.head_field() else { continue };
                dated |= matches!(label.to_ascii_lowercase().as_str(), "date" | "duration");
                set_field(&mut head, label, value);
            }
            LineKind::Heading { text, .. } if clock::timed_heading(text).is_some() => sections += 1,
            LineKind::Heading { level: 2, text } if is_log_section(text) => sections += 1,
            _ => {}
        }
    }
    // A title may contain `<this>`, but without an id and a time the file is a template.
    if named.is_some_and(is_placeholder) && head.id.is_empty() && head.started.is_none() {
        return false;
    }
    let says_when = head.started.is_some() || !head.id.is_empty();
    if named.is_some() {
        return says_when || dated || sections >= MIN_SECTIONS;
    }
    let lower = path.to_ascii_lowercase();
    let (folder, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let among_sessions = folder.split('/').any(|part| matches!(part, "sessions" | "session-logs" | ".sessions"));
    let speaks_of_one =
        heading.to_ascii_lowercase().split(|c: char| !c.is_alphanumeric()).any(|word| word == "session");
    let dated_name = time::civil(name.trim_start_matches("session-")).is_some();
    among_sessions && (dated || says_when || dated_name) && (speaks_of_one || sections >= MIN_SECTIONS)
}

/// Returns whether a heading is one of the sections that logs have.
fn is_log_section(heading: &str) -> bool {
    match log_labels::section_below(heading) {
        Some(LogSection::Each(super::super::Category::Note)) => heading.eq_ignore_ascii_case("activity log"),
        section => section.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "**ID**: 20250601-223000\n**Started**: 2025-06-02T02:30:02Z\n";

    #[test]
    fn every_kind_of_log_is_recognised_anywhere() {
        for (path, text) in [
            ("layer/sessions/20250601-223000.md", format!("# Session: a thing\n{ID}")),
            ("notes/x.md", format!("# Session: a thing\n{ID}\n## Goals\n- [ ] a\n")),
            (
                "notes/x.md",
                "# Session: a thing\n- **ID:** 20250601-223000\n- **Started:** 2025-06-02T02:30:02Z\n".into(),
            ),
            ("notes/x.md", format!("# Session: <Suspense> and YYYY-MM-DD in {{{{name}}}}\n{ID}")),
            ("x.md", "---\ntype: session\nid: 20250601-223000\ntitle: 'a: b'\n---\n\n## Goals\n".into()),
            ("x.md", "---\r\ntype: \"session\"\r\nid: \"a\"\r\n---\r\n".into()),
            ("x.md", "# Session: a thing\n\n## Goals\n- a\n\n## Activity Log\n### 10:00 - Session Start\n".into()),
            ("x.md", "# Session: a thing\n\nID: a\nStarted: 2025-06-02 02:30 UTC\n".into()),
            ("x/sessions/a.md", "# A Thing Session\n**Date**: 2025-06-01\n\n## Summary\nText.\n".into()),
            ("x/sessions/2025-06-01.md", "# A day\n\n## Goals\n- a\n\n## Key Decisions\n- b\n".into()),
            ("x/last-session.md", "# Last Session: a thing\n\nSee: layer/sessions/20250601-223000.md\n".into()),
        ] {
            assert!(is_session(path, &text), "{path}: {text}");
        }
    }

    #[test]
    fn text_about_sessions_is_no_log() {
        for (path, text) in [
            ("sessions/README.md", "# Sessions\n\nLogs of development sessions, one a file.\n".to_string()),
            ("sessions/template.md", "# Session: {{title}}\n**ID**: {{id}}\n\n## Goals\n\n## Activity Log\n".into()),
            ("sessions/template.md", "# Session: <title>\n**ID**: YYYYMMDD-HHMMSS\n**Started**: <time>\n".into()),
            ("commands/session-start.md", "Start a session:\n\n1. Run it\n   - `session start`\n".into()),
            ("docs/sessions.md", format!("# How sessions are logged\n\n```\n# Session: x\n{ID}```\n")),
            ("docs/sessions.md", format!("# Session files\n\n```markdown\n{ID}\n## Goals\n## Activity Log\n```\n")),
            ("sessions/api.md", "# A session\n\nStarted: by whoever asks.\nID: a name of it\n".into()),
            (
                "spec/session.md",
                "---\ntype: feat\nid: session\nstatus: done\n---\n# Session: a spec\n## Goals\n".into(),
            ),
            ("sessions/20250601-223000-init.md", "# x Initialization\n\nInitialized on: 2025-06-01\nLLM: x\n".into()),
            ("sessions/20250601-223000.md", String::new()),
            ("a.md", "# Session: how we name things\n\nText about a name.\n".into()),
        ] {
            assert!(!is_session(path, &text), "{path}: {text}");
        }
    }

    #[test]
    fn each_field_of_the_head_is_set_once() {
        let mut head = SessionHead::default();
        for (key, value) in [
            ("ID", "a"),
            ("id", "b"),
            ("Git Branch", "`main`"),
            ("git.starting_commit", "6494322f (docs: a)"),
            ("Session Tags", "a-start..a-end"),
            ("LLM", "<model>"),
            ("start_timestamp", "1764024571512"),
            ("started", "2020-01-01 10:00 UTC"),
        ] {
            assert!(set_field(&mut head, key, value), "{key}");
        }
        assert!(!set_field(&mut head, "Duration", "2 hours"));
        let known = SessionHead {
            id: "a".into(),
            started: Some(1_764_024_571),
            branch: Some("main".into()),
            start_tag: Some("a-start".into()),
            end_tag: Some("a-end".into()),
            start_commit: Some("6494322f".into()),
            ..SessionHead::default()
        };
        assert_eq!(head, known);
    }
}
