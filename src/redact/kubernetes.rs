//! Kubernetes objects of kind `Secret`: every value of `data` and `stringData`, in YAML, in JSON, and in JSON quoted
//! within either.
//!
//! The search ends where the object's lines or braces end, since the data of other kinds is public.

use super::heuristics::{is_line_margin, is_placeholder};
use super::rule::{AnchorMatch, LeftBoundary, Matcher, MinVariety, Rule, SecretRanges};

/// The rule for the values of Kubernetes secrets.
pub(super) const KUBERNETES_RULES: &[Rule] = &[Rule {
    kind: "kubernetes-secret",
    anchors: &[
        "kind: Secret",
        "\"kind\": \"Secret\"",
        "\"kind\":\"Secret\"",
        "\\\"kind\\\": \\\"Secret\\\"",
        "\\\"kind\\\":\\\"Secret\\\"",
    ],
    ignores_case: false,
    left: LeftBoundary::Word,
    matcher: Matcher::CustomMany(secret_values),
    proven_by: None,
    must_satisfy: None,
    variety: MinVariety::Nothing,
}];

/// Deepest indentation, in bytes.
const MAX_INDENT: usize = 256;

/// Finds the values of the object around `kind: Secret`.
///
/// Reads bytes before `scanned` too: one of the values may already have been found by its name, with others before it.
fn secret_values(anchor: &AnchorMatch, found: &mut SecretRanges) {
    let text = anchor.text;
    if !matches!(text.get(anchor.end), None | Some(b'\n' | b'\r' | b' ' | b',' | b'}' | b'\\')) {
        return;
    }
    match text[anchor.start] {
        b'k' => yaml_values(text, anchor.start, found),
        _ => json_secret_values(text, anchor, found),
    }
}

/// Returns the indentation of a line, including the sign of a diff line.
fn indent_of(line: &[u8]) -> usize {
    let sign = usize::from(line.first() == Some(&b'+'));
    sign + line[sign..].iter().take(MAX_INDENT).take_while(|byte| is_line_margin(**byte)).count()
}

/// Returns whether a line begins a list item.
fn starts_item(line: &[u8]) -> bool {
    line[..indent_of(line)].ends_with(b"- ")
}

/// Returns whether a line lies outside the object whose keys are indented by `keys`, or repeats its kind.
fn is_outside(line: &[u8], keys: usize) -> bool {
    let said = &line[indent_of(line)..];
    let is_empty = said.trim_ascii().is_empty();
    // Hyphens count as indentation too.
    let is_apart = line.trim_ascii_end() == b"---";
    is_apart || (!is_empty && (indent_of(line) < keys || (indent_of(line) == keys && said.starts_with(b"kind:"))))
}

/// Finds the values below `data:` in YAML.
///
/// Each line is visited only from the kinds directly above and below it, so the cost stays linear.
fn yaml_values(text: &[u8], kind: usize, found: &mut SecretRanges) {
    let before =
        text[..kind].iter().rev().take(MAX_INDENT).take_while(|byte| is_line_margin(**byte) || **byte == b'+').count();
    let start = kind - before;
    let begins_line = start == 0 || text[start - 1] == b'\n';
    let line_at =
        |at: usize| &text[at..at + text[at..].iter().position(|byte| *byte == b'\n').unwrap_or(text.len() - at)];
    // A text that begins after a quote has its first line at the margin.
    let start = if begins_line { start } else { kind };
    let keys = if begins_line { indent_of(line_at(start)) } else { 0 };
    let mut from = start;
    while begins_line && from > 0 && !starts_next_item(line_at(from), keys) {
        let above = text[..from - 1].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if is_outside(line_at(above), keys) {
            break;
        }
        from = above;
    }
    // Indentation of the secret map, and of its keys.
    let (mut map, mut map_keys) = (None, 0);
    let mut at = from;
    while at < text.len() {
        let line = line_at(at);
        if at > start && (is_outside(line, keys) || starts_next_item(line, keys)) {
            break;
        }
        let depth = indent_of(line);
        let said = line[depth..].trim_ascii();
        if matches!(map, Some(map) if depth > map) {
            if map_keys == 0 {
                map_keys = depth;
            }
            // Deeper lines belong to the value of the key above. The colon of a redaction mark does not count.
            let is_colon = |at: &usize| said[*at] == b':' && !said[..*at].ends_with(b"[redacted");
            let value = match (0..said.len()).find(is_colon) {
                Some(colon) if depth == map_keys => said[colon + 1..].trim_ascii(),
                _ => said,
            };
            let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
            if !value.starts_with(b"#") && is_redactable(value) {
                let start = at + value.as_ptr().addr() - line.as_ptr().addr();
                found.push((start, start + value.len()));
            }
        } else if !said.is_empty() {
            (map, map_keys) = (matches!(said, b"data:" | b"stringData:").then_some(depth), 0);
        }
        at += line.len() + 1;
    }
}

/// Returns whether a line begins the next item of the list that holds the object.
fn starts_next_item(line: &[u8], keys: usize) -> bool {
    indent_of(line) == keys && starts_item(line)
}

/// Returns whether a value is worth redacting.
fn is_redactable(value: &[u8]) -> bool {
    value.len() >= 3 && !is_placeholder(value)
}

/// Returns whether JSON at `at` reads `kind` with the value `Secret`.
fn is_secret_kind(text: &[u8], at: usize) -> bool {
    let Some(rest) = text[at..].strip_prefix(b"kind") else { return false };
    let between = rest.iter().take(8).take_while(|byte| b"\\\": ".contains(byte)).count();
    rest[between..].starts_with(b"Secret")
}

/// Finds the strings inside `"data": {...}` of the JSON object around the kind.
///
/// The search ends at another `kind`, which belongs to another object.
fn json_secret_values(text: &[u8], anchor: &AnchorMatch, found: &mut SecretRanges) {
    let is_other = |at: usize| text[at] == b'k' && is_secret_kind(text, at);
    let mut open = 0;
    let from = (0..anchor.start).rev().find(|&at| {
        open += i32::from(text[at] == b'}') - i32::from(text[at] == b'{');
        open < 0 || is_other(at)
    });
    let mut open = 0;
    let to = (anchor.end..text.len()).find(|&at| {
        open += i32::from(text[at] == b'{') - i32::from(text[at] == b'}');
        open < 0 || is_other(at)
    });
    let (from, to) = (from.unwrap_or(0), to.unwrap_or(text.len()));
    let mut at = from;
    while let Some(key) = text[at..to].windows(3).position(|window| window == b"ata").map(|offset| at + offset) {
        at = key + 3;
        let is_data = text[..key].ends_with(b"\"d") || text[..key].ends_with(b"\"stringD");
        let sign = text[at..to].iter().take_while(|byte| byte.is_ascii_whitespace() || b"\\\":".contains(byte)).count();
        let is_escaped = text.get(at) == Some(&b'\\');
        if is_data && text.get(at + sign) == Some(&b'{') && text[at..at + sign].contains(&b':') {
            at = json_values(text, at + sign + 1, to, is_escaped, found);
        }
    }
}

/// Finds the values of a JSON map, and returns where the map ends. `at` is after its opening brace.
fn json_values(text: &[u8], mut at: usize, to: usize, is_escaped: bool, found: &mut SecretRanges) -> usize {
    let is_quote = |index: usize| {
        let slashes = text[..index].iter().rev().take(MAX_INDENT).take_while(|byte| **byte == b'\\').count();
        text[index] == b'"' && if is_escaped { slashes % 4 == 1 } else { slashes % 2 == 0 }
    };
    let quote = |from: usize| (from..to).find(|index| is_quote(*index));
    while let Some(open) = (at..to).find(|index| is_quote(*index) || text[*index] == b'}') {
        if text[open] == b'}' {
            return open;
        }
        let Some(close) = quote(open + 1) else { break };
        let is_key = text[close + 1..to].trim_ascii_start().first() == Some(&b':');
        let value = &text[open + 1..close - usize::from(is_escaped)];
        if !is_key && is_redactable(value) {
            found.push((open + 1, open + 1 + value.len()));
        }
        at = close + 1;
    }
    to
}
