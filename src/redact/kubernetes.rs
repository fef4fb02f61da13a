//! Objects of the kind `Secret`: every value of their `data` and `stringData`, in YAML and in JSON. Refuses other kinds,
//! whose data is meant to be read.

use super::judge::{is_margin, is_placeholder};
use super::rules::{Form, Left, Need, Place, Rule};

pub(super) const RULES: &[Rule] = &[Rule {
    kind: "kubernetes-secret",
    starts: &["kind: Secret", "\"kind\": \"Secret\"", "\"kind\":\"Secret\""],
    is_folded: false,
    left: Left::Word,
    form: Form::Many(values),
    holds: None,
    only: None,
    needs: Need::Nothing,
}];

/// How far from its kind an object is followed, in either direction.
const REACH: usize = 16 * 1024;
/// How far back its kind must not have stood already: an object is gone through once.
const ONCE: usize = 2048;

/// The values of the object around its kind.
fn values(place: &Place, found: &mut Vec<(usize, usize)>) {
    let text = place.text;
    if !matches!(text.get(place.after), None | Some(b'\n' | b'\r' | b' ' | b',' | b'}')) {
        return;
    }
    let apart = |window: &[u8]| window == b"\n---";
    let left = &text[place.done.max(place.start.saturating_sub(REACH))..place.start];
    let from =
        left.windows(4).rposition(apart).map_or(place.start - left.len(), |at| place.start - left.len() + at + 4);
    let near = &text[from.max(place.start.saturating_sub(ONCE))..place.start];
    if near.windows(12).any(|window| window == b"kind: Secret" || window == b"d\": \"Secret\"") {
        return;
    }
    let right = &text[place.after..text.len().min(place.after + REACH)];
    let to = place.after + right.windows(4).position(apart).unwrap_or(right.len());
    match text[place.start] {
        b'"' => in_json(text, from, to, found),
        _ => in_yaml(text, from, to, found),
    }
}

/// Lines below `data:` that are further in than it.
fn in_yaml(text: &[u8], from: usize, to: usize, found: &mut Vec<(usize, usize)>) {
    let mut at = from;
    // How far in the map stands whose values are secret, and how far in its keys do.
    let (mut map, mut keys) = (None, 0);
    while at < to {
        let length = text[at..to].iter().position(|byte| *byte == b'\n').unwrap_or(to - at);
        let line = &text[at..at + length];
        let depth = line.iter().take_while(|byte| is_margin(**byte)).count();
        let said = line[depth..].trim_ascii();
        if matches!(map, Some(map) if depth > map) {
            if keys == 0 {
                keys = depth;
            }
            // What is further in than the keys belongs to the block of the one above.
            let value = match said.iter().position(|byte| *byte == b':') {
                Some(colon) if depth == keys => said[colon + 1..].trim_ascii(),
                _ => said,
            };
            let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
            let is_none = value.len() < 3 || value.starts_with(b"#") || is_placeholder(value);
            if !is_none {
                let start = at + value.as_ptr().addr() - line.as_ptr().addr();
                found.push((start, start + value.len()));
            }
        } else if !said.is_empty() {
            (map, keys) = (matches!(said, b"data:" | b"stringData:").then_some(depth), 0);
        }
        at += length + 1;
    }
}

/// Texts between the braces behind `"data":`.
fn in_json(text: &[u8], from: usize, to: usize, found: &mut Vec<(usize, usize)>) {
    let mut at = from;
    while let Some(key) = text[at..to].windows(5).position(|window| window == b"ata\":").map(|offset| at + offset + 5) {
        at = key;
        let blank = text[at..to].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if text.get(at + blank) != Some(&b'{') {
            continue;
        }
        let end = text[at..to].iter().position(|byte| *byte == b'}').map_or(to, |offset| at + offset);
        let mut quotes = (at..end).filter(|&index| text[index] == b'"' && text[index - 1] != b'\\');
        while let (Some(_), Some(_), Some(open), Some(close)) =
            (quotes.next(), quotes.next(), quotes.next(), quotes.next())
        {
            let value = &text[open + 1..close];
            if value.len() >= 3 && !is_placeholder(value) {
                found.push((open + 1, close));
            }
        }
        at = end;
    }
}
