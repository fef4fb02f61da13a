//! Redaction: finds secrets and forgotten texts, and replaces each by a mark that names its kind. Every text passes
//! through here before it is logged, indexed or traced.
//!
//! Precision first: a rule needs either the strict format of a known key or a position that declares a secret
//! (`password=`, a URL's user info), so ordinary code and hashes stay untouched. Runs in time linear in the text and
//! never panics.
//!
//! Invariant: of a secret only its kind is kept.

mod anchors;
mod checksum;
mod command;
mod expression;
mod fixed_syntax;
mod forgotten;
mod heuristics;
mod kubernetes;
mod named;
mod pattern;
mod privacy;
mod rule;
mod rules;
mod tables;

use std::borrow::Cow;

pub use privacy::PrivacyFilter;
use rule::{AnchorMatch, Matcher, MinVariety, Rule};

pub use forgotten::{
    ForgottenList, ForgottenMatcher, MIN_FORGOTTEN_BYTES, contains_forgotten, is_active, is_part_of_mark,
    is_session_forgotten, redact_forgotten, set_forgotten,
};

/// Version of the rule set.
///
/// Raise it whenever a rule changes. It is part of the version of every fact, so that what was read under older rules
/// is read again.
pub const VERSION: u32 = 5;

/// The mark that replaces a forgotten text.
const FORGOTTEN_MARK: &str = "[forgotten]";
/// The kind of a forgotten text, beside the kinds of secrets.
const FORGOTTEN_KIND: &str = "forgotten";

/// The byte range of a secret in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretSpan {
    /// The kind of secret as shown in the mark, such as `aws-key`.
    pub kind: &'static str,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// Returns the text with every known secret replaced by its kind, as in `[redacted:aws-key]`.
///
/// Idempotent. Texts that the user asked to forget become `[forgotten]`.
pub fn redact(text: &str) -> Cow<'_, str> {
    replace_secrets(text, |_| "")
}

/// Redacts source code that is parsed afterwards: each mark is followed by the line ends its secret contained, so
/// every line keeps its number.
///
/// Redact the whole file, not parts of it: a value cut off from its name no longer looks like a secret.
pub fn redact_source(source: &str) -> Cow<'_, str> {
    replace_secrets(source, |secret| secret)
}

/// Replaces secrets and forgotten texts. `kept` returns the part of a secret whose line ends follow its mark.
fn replace_secrets(text: &str, kept: fn(&str) -> &str) -> Cow<'_, str> {
    replace_secrets_and(text, forgotten::forgotten_spans(text), kept)
}

/// Replaces the given forgotten spans together with all secrets.
fn replace_secrets_and(text: &str, forgotten: Vec<SecretSpan>, kept: fn(&str) -> &str) -> Cow<'_, str> {
    let secrets = find_repeatedly(text, kept);
    if !forgotten.is_empty() {
        // A forgotten text may be part of a secret, or the name that announces one. Both are searched for in the
        // original text, since replacing one could hide the other; text beside a mark can look like a secret only
        // afterwards.
        let both = merge_overlapping(secrets.into_iter().chain(forgotten).collect());
        let text = replace_spans(text, &both, kept).0;
        let secrets = find_repeatedly(&text, kept);
        return Cow::Owned(replace_spans(&text, &secrets, kept).0);
    }
    if secrets.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(replace_spans(text, &secrets, kept).0) }
}

/// Finds all secrets, repeating the search on the redacted text until nothing new appears: a mark ends the word or
/// value before it, which can expose another secret.
fn find_repeatedly(text: &str, kept: fn(&str) -> &str) -> Vec<SecretSpan> {
    let mut all = find(text);
    while !all.is_empty() {
        let (next, marks) = replace_spans(text, &all, kept);
        let news = find(&next).into_iter().map(|one| SecretSpan {
            start: original_offset(&all, &marks, one.start, false),
            end: original_offset(&all, &marks, one.end, true),
            ..one
        });
        let more = merge_overlapping(news.chain(all.iter().copied()).collect());
        // Complete: nothing was found but what is known.
        if more == all {
            break;
        }
        all = more;
    }
    all
}

/// Maps a byte offset of the redacted text back to the original text.
///
/// An offset inside a mark maps to the start of the replaced span, or to its end if `is_end`.
fn original_offset(found: &[SecretSpan], marks: &[(usize, usize)], at: usize, is_end: bool) -> usize {
    let passed = marks.partition_point(|(_, end)| *end < at + usize::from(!is_end));
    match (marks.get(passed), passed.checked_sub(1)) {
        (Some((start, _)), _) if *start < at && is_end => found[passed].end,
        (Some((start, _)), _) if *start <= at && !is_end => found[passed].start,
        (_, Some(before)) => found[before].end + at - marks[before].1,
        (_, None) => at,
    }
}

/// Sorts spans and merges those that overlap.
///
/// A covering span keeps its kind, and of two equal spans the first wins; a secret that reaches past the end of a
/// forgotten text becomes part of the forgotten span.
fn merge_overlapping(mut all: Vec<SecretSpan>) -> Vec<SecretSpan> {
    all.sort_by_key(|one| (one.start, std::cmp::Reverse(one.end)));
    all.dedup_by(|next, before| {
        let overlaps = next.start < before.end;
        if overlaps && next.end > before.end {
            before.end = next.end;
            before.kind = if next.kind == FORGOTTEN_KIND { FORGOTTEN_KIND } else { before.kind };
        }
        overlaps
    });
    all
}

/// Returns every secret, in order and without overlaps.
pub fn find(text: &str) -> Vec<SecretSpan> {
    let mut found = Vec::new();
    scan(text.as_bytes(), 0, text.len(), 0, &mut found);
    for one in &mut found {
        // Rules count bytes, so a bound may fall inside a character.
        one.start = (0..=one.start).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        one.end = (one.end..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    }
    found.sort_by_key(|one: &SecretSpan| (one.start, one.end));
    found.dedup_by(|next, before| {
        let overlaps = next.start < before.end;
        if overlaps {
            before.end = before.end.max(next.end);
        }
        overlaps
    });
    found
}

/// Replaces spans by their marks. Returns the new text, and for each mark its byte range together with the line ends
/// kept after it.
fn replace_spans(text: &str, found: &[SecretSpan], lines_of: fn(&str) -> &str) -> (String, Vec<(usize, usize)>) {
    let mut kept = String::with_capacity(text.len());
    let mut marks = Vec::with_capacity(found.len());
    let mut done = 0;
    for one in found {
        kept.push_str(&text[done..one.start]);
        let start = kept.len();
        kept.push_str(&mark_for(one.kind));
        kept.extend(lines_of(&text[one.start..one.end]).matches('\n'));
        marks.push((start, kept.len()));
        done = one.end;
    }
    kept.push_str(&text[done..]);
    (kept, marks)
}

/// Returns the mark for a kind of secret, or for a forgotten text.
fn mark_for(kind: &str) -> String {
    if kind == FORGOTTEN_KIND { FORGOTTEN_MARK.to_string() } else { format!("[redacted:{kind}]") }
}

/// Finds the secrets whose anchor begins in `from..until`, and appends them to `found`.
///
/// Bytes before `done` belong to earlier matches and are skipped.
fn scan(text: &[u8], mut from: usize, until: usize, mut done: usize, found: &mut Vec<SecretSpan>) {
    let mut at = from;
    while let Some(pair) =
        anchors::next_pair(text, at).filter(|pair| *pair < until.saturating_add(anchors::PAIR_WINDOW))
    {
        at = pair + 1;
        for start in anchors::anchor_starts(text, pair) {
            if !(from..until).contains(&start) {
                continue;
            }
            for begun in anchors::anchors_at(text, start) {
                let anchor = AnchorMatch { text, start, end: start + begun.len(), scanned: done };
                let Some((first, end)) = match_rule(begun.rule, &anchor, found) else { continue };
                // The user name between a URL's `://` and its password may itself be a token.
                if first > anchor.end {
                    scan(text, anchor.end, first, done, found);
                }
                found.push(SecretSpan { kind: kind_of(begun.rule, text, first, end), start: first, end });
                (at, from, done) = (at.max(end), end, end);
                break;
            }
        }
    }
}

/// Applies a rule at an anchor, and returns the byte range of its secret.
///
/// A [`Matcher::CustomMany`] rule appends to `found` and returns `None`.
fn match_rule(rule: &'static Rule, anchor: &AnchorMatch, found: &mut Vec<SecretSpan>) -> Option<(usize, usize)> {
    let AnchorMatch { text, start, end: after, scanned: done } = *anchor;
    match rule.matcher {
        Matcher::Custom(find) => find(anchor),
        Matcher::CustomMany(find) => {
            let mut spans = Vec::new();
            find(anchor, &mut spans);
            found.extend(spans.into_iter().map(|(start, end)| SecretSpan {
                kind: kind_of(rule, text, start, end),
                start,
                end,
            }));
            None
        }
        Matcher::Whole(pieces) | Matcher::AfterAnchor(pieces) => {
            let is_word = rule.left.allows(&text[done..start]);
            if !is_word && rule.proven_by.is_none() {
                return None;
            }
            let end = pattern::match_end(pieces, text, after)?;
            let is_enough = match rule.variety {
                MinVariety::Nothing => true,
                MinVariety::Variety => heuristics::has_variety(&text[after..end]),
                MinVariety::Mixture => heuristics::is_mixture(&text[after..end]),
                MinVariety::Digits => heuristics::has_digits(&text[after..end]),
            };
            let key = &text[start..end];
            let is_known = rule.must_satisfy.is_none_or(|only| only(key))
                && (is_word || rule.proven_by.is_some_and(|holds| holds(key)));
            let from = if matches!(rule.matcher, Matcher::AfterAnchor(_)) { after } else { start };
            (is_enough && is_known).then(|| (from, pattern::extend_open_run(pieces, text, end)))
        }
    }
}

/// Returns the kind to show for a span. A key with a known format keeps that kind even if another rule found it by its
/// position.
fn kind_of(rule: &'static Rule, text: &[u8], from: usize, to: usize) -> &'static str {
    if matches!(rule.matcher, Matcher::Whole(_) | Matcher::AfterAnchor(_)) {
        return rule.kind;
    }
    let is_whole = |begun: &&anchors::Anchor| {
        let anchor = AnchorMatch { text, start: from, end: from + begun.len(), scanned: from };
        matches!(begun.rule.matcher, Matcher::Whole(_))
            && match_rule(begun.rule, &anchor, &mut Vec::new()).is_some_and(|(_, end)| end >= to)
    };
    anchors::anchors_at(text, from).find(is_whole).map_or(rule.kind, |begun| begun.rule.kind)
}

#[cfg(test)]
mod tests;
