//! Co-authors from the trailers of a commit message. A name without an address is ignored, because it identifies
//! nobody.

/// The trailer, in lower case.
const TRAILER: &str = "co-authored-by:";
/// The most co-authors that count.
///
/// A longer list thanks people who did not write the commit, and each would count as much as its author.
const MAX_CO_AUTHORS: usize = 100;

/// Returns `Name <email>` of each co-author as written, in order and each once.
///
/// Every line counts, not only those at the end of the message: a squashed commit has trailers wherever one of the
/// squashed messages ended.
pub(super) fn co_authors(message: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in message.lines() {
        let Some((trailer, person)) = line.split_at_checked(TRAILER.len()) else { continue };
        if !trailer.eq_ignore_ascii_case(TRAILER) {
            continue;
        }
        let address = person.trim().strip_suffix('>').and_then(|person| person.rsplit_once('<'));
        if let Some((name, email)) = address.map(|(name, email)| (name.trim(), email.trim()))
            && !email.is_empty()
        {
            let written = format!("{name} <{email}>");
            if !all.contains(&written) && all.len() < MAX_CO_AUTHORS {
                all.push(written);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailer_names_who_else_wrote() {
        let check = |message: &str, expect: &[&str]| assert_eq!(co_authors(message), expect, "{message}");
        check("mend it", &[]);
        check("mend it\n\nCo-authored-by: Ada <ada@example.org>\n", &["Ada <ada@example.org>"]);
        check("m\n\nco-AUTHORED-by:Ada  <ada@example.org> \r\nSigned-off-by: B <b@c>\n", &["Ada <ada@example.org>"]);
        check(
            "squash (#7)\n\n* one\n\nCo-authored-by: A <a@x>\n\n* two\n\n---\n\nCo-Authored-By: B <b@x>\nCo-authored-by: A <a@x>",
            &["A <a@x>", "B <b@x>"],
        );
        check(
            "Co-authored-by: Claude Opus 4.6 (1M context) <noreply@anthropic.com>",
            &["Claude Opus 4.6 (1M context) <noreply@anthropic.com>"],
        );
        check("Co-authored-by: <a@x>", &[" <a@x>"]);
        check("Co-authored-by: Ada\nCo-authored-by: Ada <>\nCo-authored-by: Ada <a@x> and Bob\nCo-authored-by:", &[]);
        check("read `Co-authored-by: Ada <a@x>`\n  Co-authored-by: indented <a@x>\nCo-authored-b\u{f6}: A <a@x>", &[]);
    }

    #[test]
    fn a_list_of_thanks_ends_somewhere() {
        let message: String = (0..3 * MAX_CO_AUTHORS).map(|one| format!("Co-authored-by: A <{one}@x>\n")).collect();
        assert_eq!(co_authors(&message).len(), MAX_CO_AUTHORS);
    }
}
