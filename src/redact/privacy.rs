//! Hides private data that is not secret, the home directory and account names, in texts of sessions.
//!
//! Names inside other words or paths are left alone. Separate from [`redact`](super::redact), because commits and code
//! keep the names that were written.

use std::borrow::Cow;
use std::path::Path;

/// The names to hide.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrivacyFilter {
    /// An absolute path without a trailing slash.
    home: Option<String>,
    users: Vec<String>,
}

/// The replacement for an account name.
const USER: &str = "[user]";

impl PrivacyFilter {
    /// Creates a filter for a home directory (ignored if relative or the root) and account names, each matched as a
    /// whole word.
    pub fn new(home: Option<&Path>, users: &[String]) -> Self {
        let home = home.filter(|home| home.is_absolute()).and_then(Path::to_str);
        let home = home.map(|home| home.trim_end_matches('/').to_string()).filter(|home| !home.is_empty());
        PrivacyFilter { home, users: users.iter().filter(|user| !user.is_empty()).cloned().collect() }
    }

    /// Returns eight hexadecimal digits that identify these settings; empty for the default, which is a hidden home and
    /// no names.
    pub fn fingerprint(&self) -> String {
        if self.home.is_some() && self.users.is_empty() {
            return String::new();
        }
        let said = format!("{} {}", self.home.is_some(), self.users.join("\0"));
        blake3::hash(said.as_bytes()).to_hex()[..8].to_string()
    }

    /// Returns the text with the home directory as `~` and each name as `[user]`. Idempotent.
    pub fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        if let Some(home) = &self.home {
            text = replaced(text, home, "~", |left, right| ends_path(left) && starts_path(right));
        }
        for user in &self.users {
            text = replaced(text, user, USER, |left, right| {
                let is_done = left.ends_with('[') && right.starts_with(']') && user == USER.trim_matches(['[', ']']);
                !is_done && !left.ends_with(is_word) && !right.starts_with(is_word)
            });
        }
        text
    }
}

/// Returns whether a character is part of a word.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns whether a path may begin after `left`: not inside another path, except in a `file://` URL.
fn ends_path(left: &str) -> bool {
    left.ends_with("://") || !left.ends_with(|c| is_word(c) || matches!(c, '.' | '-' | '/' | '~'))
}

/// Returns whether a directory name ends before `right`.
fn starts_path(right: &str) -> bool {
    // A dot may end a sentence or continue the name.
    let right = right.trim_start_matches('.');
    !right.starts_with(|c| is_word(c) || c == '-')
}

/// Replaces every occurrence whose neighbours satisfy `allowed`.
fn replaced<'a>(text: Cow<'a, str>, what: &str, by: &str, allowed: impl Fn(&str, &str) -> bool) -> Cow<'a, str> {
    let mut kept = String::new();
    let mut done = 0;
    for (at, _) in text.match_indices(what) {
        let end = at + what.len();
        if allowed(&text[..at], &text[end..]) {
            kept.push_str(&text[done..at]);
            kept.push_str(by);
            done = end;
        }
    }
    if done == 0 {
        return text;
    }
    kept.push_str(&text[done..]);
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn private() -> PrivacyFilter {
        PrivacyFilter::new(Some(Path::new("/home/ada/")), &["ada".to_string(), "user".to_string()])
    }

    #[test]
    fn whole_home_directories_and_names_are_hidden() {
        let check = |text: &str, expect: &str| assert_eq!(private().hide(text), expect, "{text}");
        check("cd /home/ada/src/x.rs", "cd ~/src/x.rs");
        check("in /home/ada.", "in ~.");
        check("PATH=/home/ada/bin:/usr/bin", "PATH=~/bin:/usr/bin");
        check("file:///home/ada/a", "file://~/a");
        check("{\"cwd\":\"/home/ada\"}", "{\"cwd\":\"~\"}");
        check("ada@host:/srv", "[user]@host:/srv");
        check("-home-ada-src", "-home-[user]-src");
        check("by ada, for user", "by [user], for [user]");
    }

    #[test]
    fn other_words_and_paths_are_unchanged() {
        for text in ["/home/adam/x", "/mnt/home/adams", "cadaver adas ada_x adä", ""] {
            assert!(matches!(private().hide(text), Cow::Borrowed(_)), "{text} became {}", private().hide(text));
        }
        assert_eq!(private().hide("/home/ada-old"), "/home/[user]-old");
        assert_eq!(private().hide("/mnt/home/ada/x"), "/mnt/home/[user]/x");
        assert_eq!(PrivacyFilter::default().hide("/home/ada ada"), "/home/ada ada");
    }

    #[test]
    fn the_root_and_relative_paths_are_no_home() {
        for home in ["/", "", "home", "//"] {
            assert_eq!(PrivacyFilter::new(Some(Path::new(home)), &[String::new()]), PrivacyFilter::default(), "{home}");
        }
    }

    proptest! {
        #[test]
        fn hiding_is_idempotent(text in "(/home/ada|ada|user|\\[|\\]|~|/|[a-c. ]|é){0,20}") {
            let once = private().hide(&text).into_owned();
            prop_assert_eq!(private().hide(&once), once.as_str());
        }
    }
}
