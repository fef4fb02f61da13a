//! Objects of the kind `Secret`: every value of their `data` and `stringData`, in YAML and in JSON, and in JSON that is
//! quoted in either. Refuses other kinds, whose data is meant to be read: an object ends where its lines or its braces do.

use super::judge::{is_margin, is_placeholder};
use super::rules::{Form, Left, Need, Place, Rule};

pub(super) const RULES: &[Rule] = &[Rule {
    kind: "kubernetes-secret",
    starts: &[
        "kind: Secret",
        "\"kind\": \"Secret\"",
        "\"kind\":\"Secret\"",
        "\\\"kind\\\": \\\"Secret\\\"",
        "\\\"kind\\\":\\\"Secret\\\"",
    ],
    is_folded: false,
    left: Left::Word,
    form: Form::Many(values),
    holds: None,
    only: None,
    needs: Need::Nothing,
}];

/// Most bytes that a line is further in.
const DEEPEST: usize = 256;

/// The values of the object around its kind. What was dealt with before is looked at again: a value that was found by its
/// name may stand between others and the kind.
fn values(place: &Place, found: &mut Vec<(usize, usize)>) {
    let text = place.text;
    if !matches!(text.get(place.after), None | Some(b'\n' | b'\r' | b' ' | b',' | b'}' | b'\\')) {
        return;
    }
    match text[place.start] {
        b'k' => in_yaml(text, place.start, found),
        _ => in_json(text, place, found),
    }
}

/// How far in a line says something; the sign of a change stands before it.
fn depth(line: &[u8]) -> usize {
    let sign = usize::from(line.first() == Some(&b'+'));
    sign + line[sign..].iter().take(DEEPEST).take_while(|byte| is_margin(**byte)).count()
}

/// Whether a line begins another entry of a list.
fn opens_item(line: &[u8]) -> bool {
    line[..depth(line)].ends_with(b"- ")
}

/// Whether a line stands outside of the object whose keys are so far in, or tells its kind once more.
fn is_outside(line: &[u8], keys: usize) -> bool {
    let said = &line[depth(line)..];
    let is_empty = said.trim_ascii().is_empty();
    // Hyphens are a margin too.
    let is_apart = line.trim_ascii_end() == b"---";
    is_apart || (!is_empty && (depth(line) < keys || (depth(line) == keys && said.starts_with(b"kind:"))))
}

/// Lines below `data:` that are further in than it. Each line is looked at from the kinds above and below it, and from no
/// other.
fn in_yaml(text: &[u8], kind: usize, found: &mut Vec<(usize, usize)>) {
    let before = text[..kind].iter().rev().take(DEEPEST).take_while(|byte| is_margin(**byte) || **byte == b'+').count();
    let start = kind - before;
    let begins_line = start == 0 || text[start - 1] == b'\n';
    let line_at =
        |at: usize| &text[at..at + text[at..].iter().position(|byte| *byte == b'\n').unwrap_or(text.len() - at)];
    // What begins behind a quote goes on at the margin.
    let start = if begins_line { start } else { kind };
    let keys = if begins_line { depth(line_at(start)) } else { 0 };
    let mut from = start;
    while begins_line && from > 0 && !opens_item_at(line_at(from), keys) {
        let above = text[..from - 1].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if is_outside(line_at(above), keys) {
            break;
        }
        from = above;
    }
    // How far in the map stands whose values are secret, and how far in its keys do.
    let (mut map, mut map_keys) = (None, 0);
    let mut at = from;
    while at < text.len() {
        let line = line_at(at);
        if at > start && (is_outside(line, keys) || opens_item_at(line, keys)) {
            break;
        }
        let depth = depth(line);
        let said = line[depth..].trim_ascii();
        if matches!(map, Some(map) if depth > map) {
            if map_keys == 0 {
                map_keys = depth;
            }
            // What is further in than the keys belongs to the block of the one above.
            // The colon of a mark is none.
            let is_colon = |at: &usize| said[*at] == b':' && !said[..*at].ends_with(b"[redacted");
            let value = match (0..said.len()).find(is_colon) {
                Some(colon) if depth == map_keys => said[colon + 1..].trim_ascii(),
                _ => said,
            };
            let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
            if !value.starts_with(b"#") && is_value(value) {
                let start = at + value.as_ptr().addr() - line.as_ptr().addr();
                found.push((start, start + value.len()));
            }
        } else if !said.is_empty() {
            (map, map_keys) = (matches!(said, b"data:" | b"stringData:").then_some(depth), 0);
        }
        at += line.len() + 1;
    }
}

/// Whether a line begins another entry of the list that an object stands in.
fn opens_item_at(line: &[u8], keys: usize) -> bool {
    depth(line) == keys && opens_item(line)
}

fn is_value(value: &[u8]) -> bool {
    value.len() >= 3 && !is_placeholder(value)
}

/// Whether a kind of a secret is told at a place, in JSON.
fn tells_kind(text: &[u8], at: usize) -> bool {
    let Some(rest) = text[at..].strip_prefix(b"kind") else { return false };
    let between = rest.iter().take(8).take_while(|byte| b"\\\": ".contains(byte)).count();
    rest[between..].starts_with(b"Secret")
}

/// Texts between the braces behind `"data":`, within those around the kind. Another kind is another object.
fn in_json(text: &[u8], place: &Place, found: &mut Vec<(usize, usize)>) {
    let is_other = |at: usize| text[at] == b'k' && tells_kind(text, at);
    let mut open = 0;
    let from = (0..place.start).rev().find(|&at| {
        open += i32::from(text[at] == b'}') - i32::from(text[at] == b'{');
        open < 0 || is_other(at)
    });
    let mut open = 0;
    let to = (place.after..text.len()).find(|&at| {
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
            at = texts(text, at + sign + 1, to, is_escaped, found);
        }
    }
}

/// The values of a map from behind its brace on, and where it ends.
fn texts(text: &[u8], mut at: usize, to: usize, is_escaped: bool, found: &mut Vec<(usize, usize)>) -> usize {
    let is_quote = |index: usize| {
        let slashes = text[..index].iter().rev().take(DEEPEST).take_while(|byte| **byte == b'\\').count();
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
        if !is_key && is_value(value) {
            found.push((open + 1, open + 1 + value.len()));
        }
        at = close + 1;
    }
    to
}
