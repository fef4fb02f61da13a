//! What must never be stored: every text passes here before the log, the index and the trace. Refusal: nothing is kept
//! of a secret but its kind, and nothing is guessed: a rule needs the strict form of a known key, or a place that says it
//! holds one, so that ordinary code and hashes stay as they are. Pure, linear in the text, and never panics.

mod checksum;
mod command;
mod expression;
mod forgotten;
mod form;
mod judge;
mod kubernetes;
mod named;
mod places;
mod private;
mod rules;
mod search;
mod tables;

use std::borrow::Cow;

pub use private::Private;
use rules::{Form, Left, Need, Place, Rule};

pub use forgotten::{
    Forgotten, Looked, SHORTEST, is_forgotten, is_in_force, is_part_of_a_mark, is_session_forgotten, leave_out,
    without_forgotten,
};

/// Version of the rules. Raise it whenever one changes: the versions of all facts are composed of it, so what was read under
/// older rules is read again.
pub const VERSION: u32 = 5;

/// What stands in the place of a forgotten text, and what that is called among kinds of secrets.
const MARK: &str = "[forgotten]";
const FORGOTTEN: &str = "forgotten";

/// A secret in a text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// What it is, as it is shown.
    pub kind: &'static str,
    /// Its first byte.
    pub start: usize,
    /// The byte behind its last.
    pub end: usize,
}

/// The text with every known secret replaced by its kind, as in `[redacted:aws-key]`. Doing it twice changes nothing.
pub fn redact(text: &str) -> Cow<'_, str> {
    without_secrets(text, |_| "")
}

/// The same for a source that is parsed afterwards: what a secret had line ends, its kind is followed by, so that every
/// line keeps its number. Parts of a source do not say any more what the whole does: a value without its name is no secret.
pub fn redact_source(source: &str) -> Cow<'_, str> {
    without_secrets(source, |secret| secret)
}

fn without_secrets(text: &str, kept: fn(&str) -> &str) -> Cow<'_, str> {
    without(text, forgotten::within(text), kept)
}

fn without(text: &str, forgotten: Vec<Found>, kept: fn(&str) -> &str) -> Cow<'_, str> {
    let secrets = every(text, kept);
    if !forgotten.is_empty() {
        // A forgotten text may be part of a secret, or the name of one: both are looked for in what was written, or one
        // would uncover the other. What stands beside a mark can be a secret only now.
        let both = joined(secrets.into_iter().chain(forgotten).collect());
        let text = replaced(text, &both, kept).0;
        let secrets = every(&text, kept);
        return Cow::Owned(replaced(&text, &secrets, kept).0);
    }
    if secrets.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(replaced(text, &secrets, kept).0) }
}

/// Every secret, as [`find`] does, and what is one once those are replaced: a replacement ends words and values.
fn every(text: &str, kept: fn(&str) -> &str) -> Vec<Found> {
    let mut all = find(text);
    while !all.is_empty() {
        let (next, marks) = replaced(text, &all, kept);
        let news = find(&next).into_iter().map(|one| Found {
            start: written(&all, &marks, one.start, false),
            end: written(&all, &marks, one.end, true),
            ..one
        });
        let more = joined(news.chain(all.iter().copied()).collect());
        // A kind that stands for itself is no news.
        if more == all {
            break;
        }
        all = more;
    }
    all
}

/// Where a byte of a text with marks stood before: within a mark, where what it stands for began or ended.
fn written(found: &[Found], marks: &[(usize, usize)], at: usize, is_end: bool) -> usize {
    let passed = marks.partition_point(|(_, end)| *end < at + usize::from(!is_end));
    match (marks.get(passed), passed.checked_sub(1)) {
        (Some((start, _)), _) if *start < at && is_end => found[passed].end,
        (Some((start, _)), _) if *start <= at && !is_end => found[passed].start,
        (_, Some(before)) => found[before].end + at - marks[before].1,
        (_, None) => at,
    }
}

/// In order, none within another. What covers another is called as before, and of two that are the same the first; what
/// reaches over the end of a forgotten text is forgotten with it.
fn joined(mut all: Vec<Found>) -> Vec<Found> {
    all.sort_by_key(|one| (one.start, std::cmp::Reverse(one.end)));
    all.dedup_by(|next, before| {
        let overlaps = next.start < before.end;
        if overlaps && next.end > before.end {
            before.end = next.end;
            before.kind = if next.kind == FORGOTTEN { FORGOTTEN } else { before.kind };
        }
        overlaps
    });
    all
}

/// Every secret, in order, none within another.
pub fn find(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    scan(text.as_bytes(), 0, text.len(), 0, &mut found);
    for one in &mut found {
        // A rule counts bytes, and its bound may lie within a character.
        one.start = (0..=one.start).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        one.end = (one.end..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    }
    found.sort_by_key(|one: &Found| (one.start, one.end));
    found.dedup_by(|next, before| {
        let overlaps = next.start < before.end;
        if overlaps {
            before.end = before.end.max(next.end);
        }
        overlaps
    });
    found
}

/// The text with marks, and where each of them stands with the line ends that it keeps.
fn replaced(text: &str, found: &[Found], lines_of: fn(&str) -> &str) -> (String, Vec<(usize, usize)>) {
    let mut kept = String::with_capacity(text.len());
    let mut marks = Vec::with_capacity(found.len());
    let mut done = 0;
    for one in found {
        kept.push_str(&text[done..one.start]);
        let start = kept.len();
        kept.push_str(&mark_of(one.kind));
        kept.extend(lines_of(&text[one.start..one.end]).matches('\n'));
        marks.push((start, kept.len()));
        done = one.end;
    }
    kept.push_str(&text[done..]);
    (kept, marks)
}

/// What stands in the place of a secret of a kind, or of a forgotten text.
fn mark_of(kind: &str) -> String {
    if kind == FORGOTTEN { MARK.to_string() } else { format!("[redacted:{kind}]") }
}

/// Looks for what begins from `from` up to `until`. What lies before `done` has been dealt with.
fn scan(text: &[u8], mut from: usize, until: usize, mut done: usize, found: &mut Vec<Found>) {
    let mut at = from;
    while let Some(pair) = search::next(text, at).filter(|pair| *pair < until.saturating_add(search::ASKED)) {
        at = pair + 1;
        for start in search::around(text, pair) {
            if !(from..until).contains(&start) {
                continue;
            }
            for begun in search::starting(text, start) {
                let place = Place { text, start, after: start + begun.len(), done };
                let Some((first, end)) = secret(begun.rule, &place, found) else { continue };
                // Between the start of an address and its password stands a user, and that may be a token.
                if first > place.after {
                    scan(text, place.after, first, done, found);
                }
                found.push(Found { kind: kind(begun.rule, text, first, end), start: first, end });
                (at, from, done) = (at.max(end), end, end);
                break;
            }
        }
    }
}

/// The bytes of the secret that a rule finds at a place.
fn secret(rule: &'static Rule, place: &Place, found: &mut Vec<Found>) -> Option<(usize, usize)> {
    let Place { text, start, after, done } = *place;
    match rule.form {
        Form::Find(find) => find(place),
        Form::Many(find) => {
            let mut spans = Vec::new();
            find(place, &mut spans);
            found.extend(spans.into_iter().map(|(start, end)| Found {
                kind: kind(rule, text, start, end),
                start,
                end,
            }));
            None
        }
        Form::Key(pieces) | Form::After(pieces) => {
            let is_word = may_follow(&text[done..start], rule.left);
            if !is_word && rule.holds.is_none() {
                return None;
            }
            let end = form::end(pieces, text, after)?;
            let is_enough = match rule.needs {
                Need::Nothing => true,
                Need::Variety => judge::has_variety(&text[after..end]),
                Need::Mixture => judge::is_mixture(&text[after..end]),
                Need::Digits => judge::has_digits(&text[after..end]),
            };
            let key = &text[start..end];
            let is_known =
                rule.only.is_none_or(|only| only(key)) && (is_word || rule.holds.is_some_and(|holds| holds(key)));
            let from = if matches!(rule.form, Form::After(_)) { after } else { start };
            (is_enough && is_known).then(|| (from, form::reach(pieces, text, end)))
        }
    }
}

/// What a secret is called: a key that is known by its form is called by that, wherever it was found.
fn kind(rule: &'static Rule, text: &[u8], from: usize, to: usize) -> &'static str {
    if matches!(rule.form, Form::Key(_) | Form::After(_)) {
        return rule.kind;
    }
    let is_whole = |begun: &&search::Start| {
        let place = Place { text, start: from, after: from + begun.len(), done: from };
        matches!(begun.rule.form, Form::Key(_))
            && secret(begun.rule, &place, &mut Vec::new()).is_some_and(|(_, end)| end >= to)
    };
    search::starting(text, from).find(is_whole).map_or(rule.kind, |begun| begun.rule.kind)
}

/// Whether a secret may begin behind these bytes.
fn may_follow(left: &[u8], wanted: Left) -> bool {
    match (wanted, left) {
        (Left::Any, _) | (_, []) => true,
        // An escape inside of a quoted text, such as \n in JSON.
        (_, [.., b'\\', b'n' | b'r' | b't']) => true,
        // Another, of an address or of JSON: %3D, \u003d.
        (_, [.., b'%', high, low]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => true,
        (_, [.., b'\\', b'u', b'0', b'0', _, _]) => true,
        // A colour of a terminal.
        (_, [.., b'm']) => is_colour(left),
        (Left::Word, [.., byte]) => !byte.is_ascii_alphanumeric() && *byte != b'_',
        (Left::Base64, [.., byte]) => !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-' | b'+' | b'/'),
    }
}

/// Whether a text ends in `[32m`.
fn is_colour(left: &[u8]) -> bool {
    let numbers =
        left[..left.len() - 1].iter().rev().take(12).take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
    left[..left.len() - 1 - numbers].ends_with(b"[")
}

#[cfg(test)]
mod tests;
