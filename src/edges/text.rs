//! Parses written names, paths and signatures as text, without any lookup.

use super::Family;

/// Returns the last segment of a path.
pub(super) fn base_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, base)| base)
}

/// Returns the folder of a path; empty at the root.
pub(super) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Removes the extension from the last segment of a path.
pub(super) fn without_extension(path: &str) -> &str {
    let base = base_name(path);
    match base.rfind('.') {
        Some(dot) if dot > 0 => &path[..path.len() - base.len() + dot],
        _ => path,
    }
}

/// Resolves `relative` against `folder`, with `.` and `..`; `None` if it leaves the repository.
pub(super) fn join(folder: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Joins `child` to `folder`, which may be the root.
pub(super) fn below(folder: &str, child: &str) -> String {
    if folder.is_empty() { child.to_owned() } else { format!("{folder}/{child}") }
}

/// Returns whether `path` is `tail` or ends with it after a slash.
pub(super) fn ends_with_path(path: &str, tail: &str) -> bool {
    path.strip_suffix(tail).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

/// Returns the number of leading folders that two paths share.
pub(super) fn nearness(a: &str, b: &str) -> usize {
    folder(a).split('/').zip(folder(b).split('/')).take_while(|(a, b)| a == b).count()
}

/// Splits a text at the `separator`s outside brackets.
pub(super) fn split_outside<'t>(written: &'t str, separator: &str) -> Vec<&'t str> {
    let mut parts = Vec::new();
    let (mut depth, mut start, mut at) = (0i32, 0, 0);
    let bytes = written.as_bytes();
    while at < bytes.len() {
        match bytes[at] {
            // The `>` of a function type's arrow closes no bracket.
            b'>' if at > 0 && matches!(bytes[at - 1], b'-' | b'=') => {}
            b'<' | b'(' | b'[' | b'{' => depth += 1,
            b'>' | b')' | b']' | b'}' => depth -= 1,
            _ if depth <= 0 && written[at..].starts_with(separator) => {
                parts.push(&written[start..at]);
                at += separator.len();
                start = at;
                continue;
            }
            _ => {}
        }
        at += 1;
        while !written.is_char_boundary(at) {
            at += 1;
        }
    }
    parts.push(&written[start..]);
    parts
}

/// Returns a written name up to its first bracket: `Vec<T>` is `Vec`, `f(int)` is `f`.
pub(super) fn bare(written: &str) -> &str {
    let end = written.find(['<', '(', '[']).unwrap_or(written.len());
    written[..end].trim()
}

/// Returns the last segment of a written path in any language.
pub(super) fn last_segment(written: &str) -> &str {
    let written = bare(written);
    let start = written.rfind(['.', ':']).map_or(0, |at| at + 1);
    &written[start..]
}

/// Returns the enclosing scopes of a qualified name, innermost first, the top of the file (`""`) last.
///
/// The name itself is a scope, because definitions may be nested in functions.
pub(super) fn scopes<'t>(qualified: &'t str, separator: &str) -> Vec<&'t str> {
    let mut scopes = Vec::new();
    let mut length = qualified.len();
    let parts = split_outside(qualified, separator);
    for part in parts.iter().rev() {
        if length > 0 {
            scopes.push(&qualified[..length]);
        }
        length = length.saturating_sub(part.len() + separator.len());
    }
    scopes.push("");
    scopes
}

/// Returns the scope of a qualified name: all but its last part.
pub(super) fn scope_of<'t>(qualified: &'t str, separator: &str) -> &'t str {
    let last = split_outside(qualified, separator).last().map_or(0, |part| part.len());
    let end = qualified.len().saturating_sub(last + separator.len());
    &qualified[..end]
}

/// Returns how many arguments a definition takes: at least, and at most if there is a limit. The receiver is not
/// counted.
///
/// `None` if the signature shows no list of parameters.
pub(super) fn arity(signature: &str, name: &str, family: Family) -> Option<(u32, Option<u32>)> {
    let list = parameters(signature, name)?;
    let (mut least, mut most) = (0, Some(0));
    for (index, parameter) in split_outside(list, ",").into_iter().enumerate() {
        let parameter = parameter.trim();
        let word = parameter.trim_start_matches(['&', '*']);
        let receiver = match family {
            Family::Rust => {
                word.starts_with('\'') && word.ends_with("self") || matches!(bare_parameter(word), "self" | "mut self")
            }
            Family::Python => matches!(bare_parameter(word), "self" | "cls" | "mcs"),
            _ => false,
        };
        let nothing = parameter.is_empty()
            || family == Family::Python && matches!(parameter, "*" | "/")
            || family == Family::C && parameter == "void";
        if nothing || (index == 0 && receiver) {
            continue;
        }
        if parameter.starts_with('*') && family == Family::Python || parameter.contains("...") {
            most = None;
            continue;
        }
        most = most.map(|most| most + 1);
        let optional = match family {
            Family::Python | Family::C => parameter.contains('='),
            // A JavaScript caller may omit any argument.
            Family::JavaScript => true,
            _ => false,
        };
        if !optional {
            least += 1;
        }
    }
    Some((least, most))
}

/// Returns the name of a parameter.
fn bare_parameter(parameter: &str) -> &str {
    parameter.split([':', '=']).next().unwrap_or(parameter).trim()
}

/// Returns the text between the parentheses of a definition's parameters.
pub(super) fn parameters<'t>(signature: &'t str, name: &str) -> Option<&'t str> {
    let after_name = signature
        .match_indices(name)
        .filter(|(at, _)| {
            let rest = signature[at + name.len()..].trim_start();
            let before = signature[..*at].chars().next_back();
            rest.starts_with(['(', '<', '[']) && !before.is_some_and(|before| before.is_alphanumeric() || before == '_')
        })
        .map(|(at, _)| at + name.len())
        .next()?;
    let mut rest = signature[after_name..].trim_start();
    if rest.starts_with(['<', '[']) {
        let end = closing(rest)?;
        rest = rest[end + 1..].trim_start();
    }
    if !rest.starts_with('(') {
        return None;
    }
    let end = closing(rest)?;
    Some(&rest[1..end])
}

/// Returns the type that a list of parameters or a declaration writes for a name: `T` for `a` in `a: T`, in Go's `a, b
/// T`, and in C's and Java's `T a`.
pub(super) fn written_type<'t>(list: &'t str, name: &str, family: Family) -> Option<&'t str> {
    let parts = split_outside(list, ",");
    let is_word = |part: &str, word: &str| part.split([' ', ':', '?', '=', '*', '&', '.']).any(|w| w == word);
    let at = parts.iter().position(|part| {
        let head = part.split('=').next().unwrap_or(part);
        is_word(head.split(':').next().unwrap_or(head), name)
    })?;
    let part = parts[at].split(" = ").next()?.trim();
    let found = match family {
        Family::Rust | Family::Python | Family::JavaScript => {
            let (before, after) = part.split_once(':')?;
            let bound = before.trim_end_matches(['?', ' ']);
            let bound = bound.rsplit([' ', '*']).next().unwrap_or(bound);
            (bound == name).then_some(after.trim())?
        }
        Family::Go => {
            // In Go, parameters may share the type of a later one: `a, b int`.
            let shared = parts[at..].iter().find_map(|part| {
                let (_, after) = part.trim().split_once(' ')?;
                Some(after.trim())
            })?;
            match part.split_once(' ') {
                Some((first, after)) if first == name => after.trim(),
                _ if part == name => shared,
                // `var name Type`
                _ => part.rsplit_once(&format!("{name} ")).map(|(_, after)| after.trim())?,
            }
        }
        Family::C | Family::Java => part.strip_suffix(name)?.trim(),
    };
    (!found.is_empty()).then_some(found)
}

/// Returns the bound of a type parameter of a signature: `Trait` for `T` in `<T: Trait + Send>`, `where T: Trait` or
/// `<T extends Trait>`.
pub(super) fn bound<'t>(signature: &'t str, parameter: &str) -> Option<&'t str> {
    if parameter.is_empty() {
        return None;
    }
    signature.match_indices(parameter).find_map(|(at, _)| {
        let before = signature[..at].chars().next_back();
        if !matches!(before, Some('<' | ' ' | ',')) {
            return None;
        }
        // An argument `t: T` is not a bound: only a list of type parameters or a `where` clause can contain one.
        let opened = signature[..at].rfind(['<', '(']).is_some_and(|open| signature[open..].starts_with('<'));
        if !opened && !signature[..at].contains(" where ") {
            return None;
        }
        let rest = signature[at + parameter.len()..].trim_start();
        let rest = rest.strip_prefix(':').or_else(|| rest.strip_prefix("extends "))?.trim_start();
        let end = rest.find(['+', ',', '>', '<', '&', '=']).unwrap_or(rest.len());
        Some(rest[..end].trim()).filter(|bound| !bound.is_empty())
    })
}

/// Returns the offset of the bracket that closes the one at the beginning of a text.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    let mut before = ' ';
    for (at, letter) in text.char_indices() {
        match letter {
            '>' if matches!(before, '-' | '=') => {}
            '(' | '<' | '[' | '{' => depth += 1,
            ')' | '>' | ']' | '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
        before = letter;
    }
    None
}

/// Returns whether a definition is only for tests, by the conventions of its language.
pub(super) fn is_test(path: &str, qualified: &str, family: Family) -> bool {
    let folders = folder(path).split('/');
    let in_folder = |names: &[&str]| folders.clone().any(|folder| names.contains(&folder));
    if in_folder(&["test", "tests", "__tests__", "testdata", "fixtures"]) {
        return true;
    }
    let base = base_name(path);
    let stem = base.split('.').next().unwrap_or(base);
    match family {
        Family::Rust => {
            in_folder(&["benches", "examples"])
                || matches!(base, "tests.rs" | "test.rs")
                || split_outside(qualified, "::").iter().any(|part| matches!(*part, "tests" | "test"))
        }
        Family::Python => stem.starts_with("test_") || stem.ends_with("_test") || stem == "conftest",
        Family::JavaScript => base.contains(".test.") || base.contains(".spec."),
        Family::Go => base.ends_with("_test.go"),
        // C projects with a shell test harness keep tests in `t`.
        Family::C => in_folder(&["t", "unittests", "unit-tests"]) || stem.ends_with("_test"),
        Family::Java => stem.ends_with("Test") || stem.ends_with("Tests"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_split_outside_brackets() {
        let check = |written, expect: &[&str]| assert_eq!(split_outside(written, "::"), expect);
        check("a::b::c", &["a", "b", "c"]);
        check("<a::T as b::U>::m", &["<a::T as b::U>", "m"]);
        check("f::<fn() -> a::B>::g", &["f", "<fn() -> a::B>", "g"]);
        check("", &[""]);
    }

    #[test]
    fn scopes_go_outwards() {
        assert_eq!(scopes("tests::A::m", "::"), ["tests::A::m", "tests::A", "tests", ""]);
        assert_eq!(scopes("", "."), [""]);
        assert_eq!(scope_of("A.m(int, a.B)", "."), "A");
        assert_eq!(scope_of("f", "::"), "");
    }

    #[test]
    fn parameters_are_counted() {
        let check = |signature, family, expect| {
            assert_eq!(arity(signature, "f", family), expect, "{signature}");
        };
        check("fn f(&self, a: A<B, C>, b: B)", Family::Rust, Some((2, Some(2))));
        check("fn f<T: Fn(A) -> B>(&mut self)", Family::Rust, Some((0, Some(0))));
        check("def f(self, a, *, b=1, **rest)", Family::Python, Some((1, None)));
        check("function f(a, b)", Family::JavaScript, Some((0, Some(2))));
        check("func (f *P) f(a, b int)", Family::Go, Some((2, Some(2))));
        check("static void f(void)", Family::C, Some((0, Some(0))));
        check("int f(char *s, ...)", Family::C, Some((1, None)));
        check("struct f", Family::Rust, None);
    }

    #[test]
    fn types_are_read_where_they_are_written() {
        let check = |list, family, expect: Option<&str>| {
            assert_eq!(written_type(list, "a", family), expect, "{list}");
        };
        check("&self, b: B, a: &mut A<B, C>", Family::Rust, Some("&mut A<B, C>"));
        check("pub static a: A", Family::Rust, Some("A"));
        check("self, a: 'A' = None", Family::Python, Some("'A'"));
        check("a?: A, b: B", Family::JavaScript, Some("A"));
        check("export const a: A<B>", Family::JavaScript, Some("A<B>"));
        check("a, b *p.A", Family::Go, Some("*p.A"));
        check("x int, a A", Family::Go, Some("A"));
        check("var a *A", Family::Go, Some("*A"));
        check("const struct A *a, int b", Family::C, Some("const struct A *"));
        check("final A a", Family::Java, Some("final A"));
        check("b: B", Family::Rust, None);
        check("a", Family::Python, None);
    }

    #[test]
    fn bounds_are_read() {
        let check = |signature, expect: Option<&str>| assert_eq!(bound(signature, "T"), expect);
        check("fn f<T: Sink + Send>(t: T)", Some("Sink"));
        check("fn f<A, T>(t: &T) where T: a::Sink<A>", Some("a::Sink"));
        check("<T extends Sink> void f(T t)", Some("Sink"));
        check("fn f(t: T)", None);
    }

    #[test]
    fn paths_join() {
        let check = |folder, relative, expect: Option<&str>| {
            assert_eq!(join(folder, relative).as_deref(), expect);
        };
        check("a/b", "../c", Some("a/c"));
        check("", "./x", Some("x"));
        check("a", "../../x", None);
    }

    #[test]
    fn tests_are_known_by_custom() {
        let check = |path, qualified, family, expect| {
            assert_eq!(is_test(path, qualified, family), expect, "{path} {qualified}");
        };
        check("src/a.rs", "tests::f", Family::Rust, true);
        check("src/a.rs", "testing::f", Family::Rust, false);
        check("a/tests/b.py", "f", Family::Python, true);
        check("a/lfs_test.go", "F", Family::Go, true);
        check("src/x.spec.ts", "f", Family::JavaScript, true);
        check("t/helper/x.c", "f", Family::C, true);
        check("latest/x.c", "f", Family::C, false);
    }
}
