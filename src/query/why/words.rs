//! Heuristics over the words of a text: whether it gives a reason, whether it names an identifier, what it is about.
//! Pure.

use std::collections::{BTreeSet, HashMap};

use crate::text_index;

/// Phrases of a sentence that gives a reason; in lower case.
const BECAUSE: &[&str] = &[
    "because",
    "so that",
    "instead of",
    "rather than",
    "to avoid",
    "to prevent",
    "in order to",
    "fixes #",
    "closes #",
    "otherwise",
    "due to",
    "work around",
    "workaround",
    "no longer",
    "so we",
    "since it",
    "since the",
    "the reason",
    "caused by",
    "which caused",
    "would have",
    "used to",
];

/// Words before `used to` that make it a purpose, and words after `since the` that make it a point in time; neither
/// gives a reason.
const PURPOSE: &[&str] = &["is", "are", "be", "was", "were", "been", "being", "it's", "gets", "get"];
const WHEN: &[&str] =
    &["last", "latest", "previous", "first", "start", "beginning", "release", "day", "time", "initial", "early", "end"];

/// Phrases of a text about something that was tried and given up; in lower case.
const GIVEN_UP: &[&str] = &[
    "abandoned",
    "gave up",
    "given up",
    "rolled back",
    "roll back",
    "did not work",
    "didn't work",
    "doesn't work out",
    "does not work out",
    "dead end",
    "backed out",
    "reverted",
];

/// Stop words of commits and logs, in addition to those of full text.
const IDLE: &str = "add added adds all also and are but can change changed changes chore clean cleanup code commit commits \
    complete completed create created data docs each error feat file files fix fixed fixes flag for from \
    function get has have html implement implemented import improve improved instead into its json just list \
    load make merge more move moved name new not now one only our out path phase refactor remove removed return \
    run see session set should src string struct support test tests that the them then this toml txt type update \
    updated use used using value via was when will wip with work yaml yml you";

/// Trailers of a commit message, which say who made it, not why.
const TRAILERS: &[&str] =
    &["co-authored-by:", "signed-off-by:", "reviewed-by:", "change-id:", "acked-by:", "generated with", "🤖"];

/// The longest sentence that is quoted, in bytes.
const MAX_SENTENCE: usize = 600;
/// The shortest word that counts as a topic, in letters.
const SHORTEST: usize = 3;
/// The number of hexadecimal digits from which on a word is a commit id.
const COMMIT: usize = 7;
/// The number of letters from which on a name is distinctive.
const LONG_NAME: usize = 14;

/// Returns whether a text says that something was tried and given up.
pub fn gives_up(text: &str) -> bool {
    let text = text.to_lowercase();
    GIVEN_UP.iter().any(|mark| holds(&text, mark))
}

/// Returns the sentences of a message that give a reason, in order, each with whether it is the subject.
pub fn reasons_in(message: &str) -> Vec<(bool, String)> {
    let mut found = Vec::new();
    for (at, sentence) in sentences(message).into_iter().enumerate() {
        let lower = sentence.to_lowercase();
        if BECAUSE.iter().any(|mark| gives_reason(&lower, mark)) {
            found.push((at == 0, crate::event::cap_at(&sentence, MAX_SENTENCE).to_string()));
        }
    }
    found
}

/// Returns whether a lower-case text gives a reason by this phrase.
fn gives_reason(text: &str, mark: &str) -> bool {
    held_at(text, mark).any(|at| {
        let before = text[..at].split_whitespace().next_back().unwrap_or_default();
        let behind = text[at + mark.len()..].split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty());
        match mark {
            "used to" => !PURPOSE.contains(&before),
            "since the" => !behind.is_some_and(|word| WHEN.contains(&word)),
            _ => true,
        }
    })
}

/// Splits a text into sentences. The lines of a paragraph are joined, list items stand alone, trailers are left out.
pub fn sentences(text: &str) -> Vec<String> {
    let mut paragraphs: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        let bare = line.trim();
        let lower = bare.to_lowercase();
        let is_trailer = TRAILERS.iter().any(|trailer| lower.starts_with(trailer));
        if bare.is_empty() || is_trailer || bare.starts_with("```") {
            is_open = false;
            continue;
        }
        let point = ["- ", "* ", "+ ", "• "].iter().find_map(|mark| bare.strip_prefix(mark));
        match paragraphs.last_mut().filter(|_| is_open && point.is_none()) {
            Some(last) => {
                last.push(' ');
                last.push_str(bare);
            }
            None => paragraphs.push(point.unwrap_or(bare).to_string()),
        }
        // The first line is the subject, which does not continue.
        is_open = paragraphs.len() > 1;
    }
    paragraphs.iter().flat_map(|paragraph| parted(paragraph)).collect()
}

fn parted(paragraph: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in paragraph.match_indices([' ']) {
        let ends = paragraph[..at].ends_with(['.', '!', '?'])
            && !paragraph[..at].ends_with("e.g.")
            && !paragraph[..at].ends_with("i.e.");
        let begins = paragraph[at + 1..].chars().next().is_some_and(|c| !c.is_lowercase());
        if ends && begins {
            parts.push(paragraph[start..at].trim().to_string());
            start = at + 1;
        }
    }
    parts.push(paragraph[start..].trim().to_string());
    parts.retain(|part| !part.is_empty());
    parts
}

/// Returns whether a lower-case text contains a phrase as whole words.
fn holds(text: &str, words: &str) -> bool {
    held_at(text, words).next().is_some()
}

/// Returns the offsets at which a lower-case text contains a phrase as whole words.
fn held_at<'t>(text: &'t str, words: &'t str) -> impl Iterator<Item = usize> {
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let ends_open = words.ends_with('#');
    text.match_indices(words).map(|(at, _)| at).filter(move |at| {
        !is_word(text[..*at].chars().next_back()) && (ends_open || !is_word(text[at + words.len()..].chars().next()))
    })
}

/// Returns whether a text names an identifier: as a whole, with the same case, and not as part of a file name or a
/// hyphenated word.
pub fn names(text: &str, identifier: &str) -> bool {
    named_at(text, identifier).next().is_some()
}

/// Returns whether a text names an identifier as code: in backticks, followed by brackets, or with its qualifier before
/// it.
pub fn names_as_code(text: &str, identifier: &str) -> bool {
    named_at(text, identifier).any(|at| {
        let (before, after) = (&text[..at], &text[at + identifier.len()..]);
        // In `src/main.rs::main`, a file stands before it.
        let owner =
            before.strip_suffix("::").map(|before| before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_'));
        let is_owned = owner.is_some_and(|rest| !rest.ends_with('.'));
        after.starts_with("()") || is_owned || before.ends_with('`') && after.starts_with(['`', '('])
    })
}

/// Counts the names in backticks.
pub fn code_names(text: &str) -> usize {
    text.matches('`').count() / 2
}

fn named_at<'t>(text: &'t str, identifier: &'t str) -> impl Iterator<Item = usize> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/');
    text.match_indices(identifier).filter(|_| !identifier.is_empty()).map(|(at, _)| at).filter(move |at| {
        let mut after = text[at + identifier.len()..].chars();
        let (next, second) = (after.next(), after.next());
        let goes_on = next.is_some_and(is_part) || next == Some('.') && second.is_some_and(char::is_alphanumeric);
        !goes_on && !text[..*at].chars().next_back().is_some_and(is_part)
    })
}

/// Returns whether an identifier is so distinctive that it is not a common word.
pub fn is_telling(identifier: &str) -> bool {
    let inner = identifier.trim_matches('_');
    let has_hump = inner.chars().zip(inner.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase());
    inner.contains('_') || has_hump || inner.len() >= LONG_NAME
}

/// Returns the topics of a text: its words in lower case without stop words, and hyphenated or underscored words also
/// as a whole.
pub fn topics(text: &str) -> BTreeSet<String> {
    let is_commit = |word: &str| word.len() >= COMMIT && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let is_idle =
        |word: &str| word.chars().count() < SHORTEST || IDLE.split(' ').any(|idle| idle == word || idle == stem(word));
    let is_told = |word: &String| !is_idle(word) && !is_number(word) && !is_commit(word);
    let mut topics: BTreeSet<String> =
        text_index::words(text).into_iter().filter(is_told).map(|word| stem(&word).to_string()).collect();
    let joined = text.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'));
    let joined = joined.map(|word| word.trim_matches(['-', '_'])).filter(|word| word.contains(['-', '_']));
    topics.extend(joined.map(str::to_lowercase).filter(is_told));
    topics
}

/// Counts, for each topic, the texts that contain it as a word.
pub fn counted<'t>(topics: &BTreeSet<String>, texts: impl Iterator<Item = &'t str>) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for text in texts {
        let lower = text.to_lowercase();
        let words = lower.split(|c: char| !c.is_alphanumeric()).map(stem);
        let said: BTreeSet<&str> = words.filter(|word| topics.contains(*word)).collect();
        for word in said {
            *counts.entry(word.to_string()).or_default() += 1;
        }
    }
    counts
}

/// Strips a plural ending from a word.
fn stem(word: &str) -> &str {
    let cut = word.strip_suffix('s').filter(|cut| cut.len() >= SHORTEST && !cut.ends_with(['s', 'u', 'i']));
    cut.unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_with_a_reason_is_found_and_others_are_not() {
        let message = "fix(launch): health check via UDS instead of TCP\n\nThe daemon listens on a socket now. It is probed\nthere, because TCP is off by default.\n\n- keep the flag so that\n  scripts work\n- tidy\n\nCo-authored-by: because <a@b>\n";
        let found = reasons_in(message);
        let expect = [
            (true, "fix(launch): health check via UDS instead of TCP"),
            (false, "It is probed there, because TCP is off by default."),
            (false, "keep the flag so that scripts work"),
        ];
        assert_eq!(found, expect.map(|(first, text)| (first, text.to_string())));
        assert_eq!(reasons_in("tidy up\n\nNothing else."), []);
        assert_eq!(reasons_in("becausey"), []);
        for (sentence, expect) in [
            ("The helper is used to print lines.", 0),
            ("It has been stable since the last release.", 0),
            ("Lines used to be lost.", 1),
            ("Read it twice, since the first byte may be a mark.", 0),
            ("Read it twice, since the cache may be old.", 1),
        ] {
            assert_eq!(reasons_in(&format!("x\n\n{sentence}")).len(), expect, "{sentence}");
        }
        assert_eq!(reasons_in("close\n\nFixes #12").len(), 1);
    }

    #[test]
    fn an_identifier_is_named_as_a_whole() {
        let check = |text: &str, name: &str, expect: bool| assert_eq!(names(text, name), expect, "{text}: {name}");
        check("see `parse_line()`", "parse_line", true);
        check("parse_lines", "parse_line", false);
        check("Parser::parse", "parse", true);
        check("Parse", "parse", false);
        check("anything", "", false);
        check("src/main.rs", "main", false);
        check("the main-loop", "main", false);
        check("It calls main.", "main", true);
        for (text, expect) in [
            ("`run`", true),
            ("`run(x)`", true),
            ("run()", true),
            ("a run", false),
            ("Job::run", true),
            ("a.rs::run:1", false),
        ] {
            assert_eq!(names_as_code(text, "run"), expect, "{text}");
        }
    }

    #[test]
    fn a_telling_name_is_no_word_of_everyday() {
        for (name, expect) in
            [("parse_line", true), ("parseLine", true), ("parse", false), ("Parser", false), ("__init__", false)]
        {
            assert_eq!(is_telling(name), expect, "{name}");
        }
    }

    #[test]
    fn texts_are_about_their_words() {
        let topics: Vec<String> =
            topics("feat(repo): add --with-issues flags to the repo update").into_iter().collect();
        assert_eq!(topics, ["issue", "repo", "with-issues"]);
    }

    #[test]
    fn topics_are_counted_in_texts() {
        let counts = counted(&topics("parse the headers"), ["Parse it, parse it", "a header", "other"].into_iter());
        assert_eq!((counts["parse"], counts["header"], counts.len()), (1, 1, 2));
    }

    #[test]
    fn what_was_given_up_says_so() {
        assert!(gives_up("ProbeResult a pool, gave up: it deadlocks") && gives_up("The cache was rolled back."));
        assert!(!gives_up("works as it should") && !gives_up("unabandoned"));
    }
}
