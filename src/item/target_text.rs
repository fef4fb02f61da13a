//! Parses a target, as typed or pasted, into its possible readings: a path, lines of a file, or a definition.
//! Pure: `target` checks which of them exist.

/// One reading of a target. A path alone may be a file or a folder; a name alone may be a definition in any file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetReading {
    /// Bytes of the path as typed; `None` if there is only a name.
    pub path: Option<Vec<u8>>,
    /// Lines of that file.
    pub lines: Option<LineRange>,
    /// Name of a definition, in that file if there is a path.
    pub name: Option<String>,
}

/// A range of lines of a file, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineRange {
    /// First line.
    pub first: u32,
    /// Last line, inclusive.
    pub last: u32,
}

impl TargetReading {
    fn of_path(path: &[u8]) -> Self {
        TargetReading { path: Some(path.to_vec()), lines: None, name: None }
    }

    fn of_lines(path: &[u8], lines: LineRange) -> Self {
        TargetReading { path: Some(path.to_vec()), lines: Some(lines), name: None }
    }

    fn of_member(path: &[u8], name: &[u8]) -> Self {
        TargetReading { path: Some(path.to_vec()), lines: None, name: Some(lossy(name)) }
    }

    fn of_name(name: &[u8]) -> Self {
        TargetReading { path: None, lines: None, name: Some(lossy(name)) }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns the variants of a target text, likeliest first; a later one is only tried if no earlier one matches.
///
/// As it is, trimmed, without the trailing `:` or `,` of a pasted line, and without the `a/` or `b/` of a diff.
pub fn variants(text: &[u8]) -> Vec<&[u8]> {
    let trimmed = text.trim_ascii();
    let mut all = vec![text, trimmed];
    let mut bare = trimmed;
    while let [rest @ .., b':' | b','] = bare {
        bare = rest.trim_ascii_end();
        all.push(bare);
    }
    let sides: Vec<&[u8]> =
        all.iter().filter_map(|text| text.strip_prefix(b"a/").or_else(|| text.strip_prefix(b"b/"))).collect();
    all.extend(sides);
    let mut seen: Vec<&[u8]> = Vec::new();
    for text in all {
        if !text.is_empty() && !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen
}

/// Returns every reading of a text, likeliest first; readings with a path precede the one as a name alone.
///
/// Parses `path`, `path:12`, `path:12:5`, `path:12-20`, `path(12,5)`, `path#L12-L20`, `path#Type::method`,
/// `path::Type::method`, and names as [`segments`] reads them.
pub fn readings(text: &[u8]) -> Vec<TargetReading> {
    let mut all = vec![TargetReading::of_path(text)];
    for (at, _) in text.iter().enumerate().filter(|(at, byte)| *at > 0 && **byte == b'#') {
        let (path, name) = (&text[..at], &text[at + 1..]);
        all.extend(anchor(name).map(|lines| TargetReading::of_lines(path, lines)));
        if !name.is_empty() {
            all.push(TargetReading::of_member(path, name));
        }
    }
    all.extend(with_lines(text).into_iter().map(|(path, lines)| TargetReading::of_lines(path, lines)));
    for at in (1..text.len().saturating_sub(2)).filter(|at| &text[*at..at + 2] == b"::") {
        all.push(TargetReading::of_member(&text[..at], &text[at + 2..]));
    }
    all.push(TargetReading::of_name(text));
    // The JVM prints a nested class as `Outer$Inner`.
    if text.contains(&b'$') {
        all.push(TargetReading::of_name(
            &text.iter().map(|byte| if *byte == b'$' { b'.' } else { *byte }).collect::<Vec<u8>>(),
        ));
    }
    all
}

/// Parses the line anchor of a link to a file, without its `#`: `L12`, `L12-L20`, `L12C3-L20C9`.
fn anchor(text: &[u8]) -> Option<LineRange> {
    let text = std::str::from_utf8(text).ok()?;
    let line = |text: &str| number(text.strip_prefix('L')?.split('C').next()?);
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    range(line(first)?, line(last)?)
}

/// Returns every way to split a text into a path and the line numbers after it.
fn with_lines(text: &[u8]) -> Vec<(&[u8], LineRange)> {
    let mut all = Vec::new();
    let split = |text: &'_ [u8]| -> Option<(usize, LineRange)> {
        let at = text.iter().rposition(|byte| *byte == b':').filter(|at| *at > 0 && text[at - 1] != b':')?;
        let lines = std::str::from_utf8(&text[at + 1..]).ok()?;
        let (first, last) = lines.split_once('-').unwrap_or((lines, lines));
        Some((at, range(number(first)?, number(last)?)?))
    };
    if let Some((at, lines)) = split(text) {
        all.push((&text[..at], lines));
        // The last number may be a column: `path:12:5`.
        if let Some((at, lines)) = split(&text[..at]) {
            all.push((&text[..at], lines));
        }
    }
    if let Some((at, inside)) = text.strip_suffix(b")").and_then(|text| {
        let at = text.iter().rposition(|byte| *byte == b'(').filter(|at| *at > 0)?;
        Some((at, std::str::from_utf8(&text[at + 1..]).ok()?))
    }) {
        let mut numbers = inside.split(',').map(number);
        if let (Some(Some(line)), true) = (numbers.next(), numbers.all(|number| number.is_some())) {
            all.extend(range(line, line).map(|lines| (&text[..at], lines)));
        }
    }
    all
}

fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn range(first: u32, last: u32) -> Option<LineRange> {
    (0 < first && first <= last && last < u32::MAX).then_some(LineRange { first, last })
}

/// Splits a name into segments, without arguments, generic arguments, and compilers' suffixes (`{{closure}}`, hashes).
///
/// `a::B.c(int)` is `a`, `B`, `c`; `<T as Trait>::m` is `<T as Trait>`, `m`; `pkg.(*T).M` is `pkg`, `T`, `M`.
pub fn segments(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    // A slash separates segments only in an import path, whose last part contains a name: `host/pkg.Name`.
    let is_pathlike = name.rsplit('/').next().is_some_and(|last| last.contains(['.', ':', '#']));
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let part = parts.last_mut().expect("there is always one part");
        match c {
            // Go prints the receiver of a method as `(*T)`.
            '(' if depth == 0 && part.is_empty() && parts.len() > 1 => {
                let receiver: String = chars.by_ref().take_while(|c| *c != ')').collect();
                parts.last_mut().expect("there is always one part").push_str(receiver.trim_start_matches('*'));
                continue;
            }
            '(' if depth == 0 => break,
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            ':' if depth == 0 && chars.peek() == Some(&':') => {
                chars.next();
                parts.push(String::new());
                continue;
            }
            '.' | '#' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            '/' if depth == 0 && is_pathlike => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("there is always one part").push(c);
    }
    let is_turbofish = |part: &str| part.starts_with('<') && part.ends_with('>') && !part.contains(" as ");
    let is_mark = |part: &str| {
        let hash = part.strip_prefix('h').unwrap_or_default();
        part.starts_with('{') && part.ends_with('}')
            || hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let many = parts.len() > 1;
    parts.retain(|part| !part.is_empty() && !(many && (is_turbofish(part) || is_mark(part))));
    if let Some(last) = parts.last_mut() {
        let bare = match last.find('<').filter(|at| *at > 0 && last.ends_with('>')) {
            Some(at) if !last.starts_with("operator") => &last[..at],
            _ => last.as_str(),
        };
        *last = bare.strip_suffix('!').unwrap_or(bare).to_string();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qualified_name_has_parts() {
        let check = |text: &str, expect: &[&str]| assert_eq!(segments(text), expect, "{text}");
        check("Parser::parse", &["Parser", "parse"]);
        check("Parser#parse", &["Parser", "parse"]);
        check("<T as Trait>::m", &["<T as Trait>", "m"]);
        check("a.B.c(int, x::Y)", &["a", "B", "c"]);
        check("parse()", &["parse"]);
        check("Vec::<u8>::push", &["Vec", "push"]);
        check("Vec<u8>", &["Vec"]);
        check("log!", &["log"]);
        check("a::b::{{closure}}::h0123456789abcdef", &["a", "b"]);
        check("example.org/x/pkg.(*T).M", &["example", "org", "x", "pkg", "T", "M"]);
        check("src/a", &["src/a"]);
        check("main", &["main"]);
        check("", &[]);
    }

    #[test]
    fn slips_are_taken_off_one_after_the_other() {
        let check = |text: &str, expect: &[&str]| {
            let all: Vec<&str> =
                variants(text.as_bytes()).into_iter().map(|text| std::str::from_utf8(text).expect("text")).collect();
            assert_eq!(all, expect, "{text}");
        };
        check("a.rs", &["a.rs"]);
        check(" a.rs ", &[" a.rs ", "a.rs"]);
        check("a.rs:12:", &["a.rs:12:", "a.rs:12"]);
        check("b/a.rs,", &["b/a.rs,", "b/a.rs", "a.rs,", "a.rs"]);
        check("", &[]);
    }

    #[test]
    fn every_form_is_read() {
        let check = |text: &str, path: Option<&str>, lines: Option<(u32, u32)>, name: Option<&str>| {
            let wanted = TargetReading {
                path: path.map(|path| path.as_bytes().to_vec()),
                lines: lines.map(|(first, last)| LineRange { first, last }),
                name: name.map(str::to_string),
            };
            let all = readings(text.as_bytes());
            assert!(all.contains(&wanted), "{text}: {all:?}");
        };
        check("src/a.rs", Some("src/a.rs"), None, None);
        check("src/a.rs:12", Some("src/a.rs"), Some((12, 12)), None);
        check("src/a.rs:12:5", Some("src/a.rs"), Some((12, 12)), None);
        check("src/a.rs:12:5", Some("src/a.rs:12"), Some((5, 5)), None);
        check("src/a.rs:12-20", Some("src/a.rs"), Some((12, 20)), None);
        check("src/a.ts(12,5)", Some("src/a.ts"), Some((12, 12)), None);
        check("src/a.rs#L12-L20", Some("src/a.rs"), Some((12, 20)), None);
        check("src/a.rs#L12C3", Some("src/a.rs"), Some((12, 12)), None);
        check("src/a.rs#Type::method", Some("src/a.rs"), None, Some("Type::method"));
        check("a#b.rs#name", Some("a#b.rs"), None, Some("name"));
        check("a.py::Class::method", Some("a.py"), None, Some("Class::method"));
        check("Type::method", None, None, Some("Type::method"));
        check("a.rs", None, None, Some("a.rs"));
    }

    #[test]
    fn what_is_no_line_is_no_line() {
        for text in
            ["a.rs:0", "a.rs:+1", "a.rs:2-1", "a.rs:", ":1", "a.rs::1", "a.rs:1-", "a.rs(x)", "a.rs:99999999999"]
        {
            assert!(readings(text.as_bytes()).iter().all(|reading| reading.lines.is_none()), "{text}");
        }
    }

    #[test]
    fn bytes_of_a_path_stay() {
        let all = readings(b"src/\xff.rs:3");
        assert!(all.iter().any(|reading| reading.path.as_deref() == Some(b"src/\xff.rs") && reading.lines.is_some()));
    }
}
