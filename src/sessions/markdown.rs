//! Reader of session logs in Markdown.
//!
//! Fenced code and prompts are skipped. A sentence below a decision or a pattern is not one merely by standing there;
//! it becomes a note.

pub(super) mod clock;
pub(super) mod entry_writer;
mod head;
pub(super) mod inline_marks;
mod lines;
pub(super) mod log_labels;
mod log_reader;
mod table;

use super::{ParsedSession, SessionHead};
use lines::LineKind;
use log_reader::LogReader;

/// Returns whether a Markdown file is a session log, judging by its beginning.
pub fn is_session(path: &str, text: &str) -> bool {
    head::is_session(path, without_bom(text))
}

/// Reads a session log; `None` if the file is not one.
pub fn read(path: &str, text: &str) -> Option<ParsedSession> {
    let text = without_bom(text);
    if !head::is_session(path, text) {
        return None;
    }
    if let Some((id, title)) = head::pointer_target(text) {
        let head = SessionHead { id, title, ..SessionHead::default() };
        return Some(ParsedSession { head, is_stub: true, ..ParsedSession::default() });
    }
    let raw: Vec<&str> = text.lines().collect();
    let body_at = head::front_matter_end(&raw).map_or(0, |end| end + 1);
    let mut head = SessionHead::default();
    let front = head::front_matter(&raw[..body_at]);
    for (key, value) in &front {
        head::set_field(&mut head, key, value);
    }
    // The date is only used if nothing else gives the start.
    for (_, value) in front.iter().filter(|(key, _)| key == "date") {
        head::set_field(&mut head, "started", value);
    }
    // Empty lines replace the front matter, so that line numbers stay right.
    let body = "\n".repeat(body_at) + &raw[body_at..].join("\n");
    let body = lines::without_inline_comments(&body);
    let (kinds, warnings) = lines::classify_lines(&body);
    for kind in &kinds {
        match (kind, kind.head_field()) {
            (LineKind::Heading { level: 2.., .. }, _) => break,
            (kind, said) => {
                let is_own = said.is_some_and(|(label, value)| head::set_field(&mut head, label, value));
                if matches!(kind, LineKind::Bullet { .. }) && !is_own {
                    break;
                }
            }
        }
    }
    if head.id.is_empty() {
        let name = path.rsplit('/').next().unwrap_or_default();
        head.id = name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_string();
    }
    let mut reader = LogReader::new(head);
    for (index, kind) in kinds.iter().enumerate() {
        reader.read_line(u32::try_from(index + 1).unwrap_or(u32::MAX), *kind);
    }
    let mut reading = reader.finish();
    reading.warnings = warnings;
    Some(reading)
}

/// Strips a byte order mark.
fn without_bom(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

#[cfg(test)]
mod tests;
