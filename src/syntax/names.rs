//! Names and types as text, with white space, generics and references removed. Resolves nothing.

/// Collapses each run of white space to one space, and trims.
pub(super) fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Removes white space and generic arguments from a path: `Vec::<u8>::new` becomes `Vec::new`.
///
/// A leading `<T as Trait>` of Rust is part of the name and stays.
pub(super) fn strip_generics(text: &str) -> String {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('<') {
        let end = closing(rest);
        let inside: Vec<String> = rest[..end].split(" as ").map(strip_generics).collect();
        let after = rest[end..].strip_prefix('>').unwrap_or("");
        return format!("<{}>{}", inside.join(" as "), strip_generics(after));
    }
    let mut out = String::with_capacity(text.len());
    let mut depth = 0_usize;
    let mut previous = ' ';
    for character in text.chars() {
        let arrow = previous == '-';
        previous = character;
        match character {
            '<' if depth > 0 || !out.ends_with("operator") => {
                if depth == 0 && out.ends_with("::") {
                    out.truncate(out.len() - 2);
                }
                depth += 1;
            }
            '>' if depth > 0 && !arrow => depth -= 1,
            _ if depth > 0 || character.is_whitespace() => {}
            _ => out.push(character),
        }
    }
    out
}

/// Returns the offset of the bracket that closes one opened just before `text`.
fn closing(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut previous = ' ';
    for (at, character) in text.char_indices() {
        match character {
            '<' => depth += 1,
            '>' if previous == '-' => {}
            '>' if depth == 0 => return at,
            '>' => depth -= 1,
            _ => {}
        }
        previous = character;
    }
    text.len()
}

/// Returns the last segment of a path, whatever its separator: `Parser` of `a::b::Parser`, `pkg.Parser`.
pub(super) fn last_segment(path: &str) -> &str {
    path.rsplit(['.', ':']).next().unwrap_or(path)
}

/// Words and symbols before a type that do not change its methods.
const TYPE_PREFIXES: [&str; 16] = [
    ":",
    "&",
    "*",
    "...",
    "mut ",
    "const ",
    "constexpr ",
    "static ",
    "struct ",
    "union ",
    "enum ",
    "class ",
    "final ",
    "volatile ",
    "typename ",
    "dyn ",
];

/// Names of the absent value in a union type, such as `None`.
const ABSENT: [&str; 4] = ["None", "null", "undefined", "nil"];

/// Returns the type whose methods a value of a written type has: `&mut Parser<'a>` is `Parser`.
///
/// `pointers` are the generic types that are replaced by their argument. `None` if it is not a single name, as for
/// slices.
pub(super) fn type_name(text: &str, pointers: &[&str]) -> Option<String> {
    let mut text = text.trim();
    // Types may nest to any depth; the outer few layers are all that is needed.
    for _ in 0..8 {
        text = strip_prefixes(text);
        text = text.trim_end_matches(['*', '&', '?', '"', '\'', ' ']);
        text = text.trim_start_matches(['"', '\'']);
        text = text.strip_suffix(" const").unwrap_or(text).trim();
        if text.contains('|') && !text.contains(['<', '[', '(']) {
            let mut present = text.split('|').map(str::trim).filter(|part| !ABSENT.contains(part));
            let only = present.next()?;
            if present.next().is_some() {
                return None;
            }
            text = only;
            continue;
        }
        let Some(open) = text.find(['<', '[']) else { break };
        let base = text[..open].trim_end_matches(':').trim();
        if !pointers.contains(&last_segment(base)) {
            text = base;
            break;
        }
        text = first_argument(&text[open + 1..]);
    }
    let text = text.split(" + ").next().unwrap_or(text).trim();
    let text = text.strip_prefix("impl ").unwrap_or(text).trim();
    let is_name = !text.is_empty()
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '.' | '$'))
        && !text.starts_with(|c: char| c.is_ascii_digit());
    (is_name && !matches!(text, "map" | "chan" | "func")).then(|| text.to_owned())
}

/// Removes [`TYPE_PREFIXES`] and lifetimes.
fn strip_prefixes(mut text: &str) -> &str {
    loop {
        let before = text;
        for prefix in TYPE_PREFIXES {
            text = text.strip_prefix(prefix).unwrap_or(text).trim_start();
        }
        // A lifetime, as in `&'a T`, has a space after it; a quoted Python annotation has a closing quote instead.
        if let Some(rest) = text.strip_prefix('\'')
            && let Some((name, after)) = rest.split_once(' ')
            && name.chars().all(|c| c.is_alphanumeric() || c == '_')
        {
            text = after.trim_start();
        }
        if text.len() == before.len() {
            return text;
        }
    }
}

/// Returns the first of the generic arguments at the beginning of `text`.
fn first_argument(text: &str) -> &str {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '<' | '[' | '(' => depth += 1,
            '>' | ']' | ',' if depth == 0 => return &text[..at],
            '>' | ']' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    text
}

/// Returns the first generic argument of a callee such as `make_unique<Parser>(..)`.
pub(super) fn generic_argument(callee: &str) -> Option<&str> {
    let open = callee.find('<')?;
    Some(first_argument(&callee[open + 1..]).trim())
}

/// Returns whether a name is capitalised as types are: an upper-case letter first, and not only upper-case letters,
/// unless it is a single one.
pub(super) fn is_capitalised(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    name.starts_with(char::is_uppercase) && (name.len() == 1 || name.chars().any(char::is_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generics_and_white_space_are_taken_off_a_path() {
        for (given, expect) in [
            ("Vec::<u8>::new", "Vec::new"),
            ("a :: b::<fn(A) -> B>", "a::b"),
            ("<Vec<T> as IntoIterator>::into_iter", "<Vec as IntoIterator>::into_iter"),
            ("operator<", "operator<"),
            ("A<B<C>>::d", "A::d"),
            ("f", "f"),
        ] {
            assert_eq!(strip_generics(given), expect, "{given}");
        }
    }

    #[test]
    fn a_type_is_named_without_its_wrapping() {
        for (given, expect) in [
            ("&'a mut Parser<'a>", Some("Parser")),
            ("Arc<Mutex<Pool>>", Some("Mutex")),
            ("Option<Box<Node>>", Some("Option")),
            ("const struct strbuf *", Some("strbuf")),
            ("std::unique_ptr<Index>", Some("Index")),
            ("Optional[Parser]", Some("Parser")),
            ("Parser | None", Some("Parser")),
            ("A | B", None),
            ("\"Parser\"", Some("Parser")),
            (": Parser<T>", Some("Parser")),
            ("[]byte", None),
            ("map[string]int", None),
            ("*http.Client", Some("http.Client")),
            ("impl Read + 'a", Some("Read")),
            ("&dyn Read", Some("Read")),
            ("(A, B)", None),
            ("", None),
        ] {
            let pointers = ["Arc", "Box", "unique_ptr", "Optional"];
            assert_eq!(type_name(given, &pointers).as_deref(), expect, "{given}");
        }
    }
}
