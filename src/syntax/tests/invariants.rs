//! Tests of invariants in every language: which parts of the result an edit changes, and that nothing panics.

use std::time::{Duration, Instant};

use super::super::{Language, parse};
use super::{definition, read};

/// A source in each language with a container and two members; `<...>` marks the part of one member that is edited.
const SOURCES: [(Language, &str); 8] = [
    (
        Language::Rust,
        "//! File.\nuse a::b;\n\n/// T.\nstruct T;\n\nimpl T {\n    /// Uno.\n    fn one(&self) -> u8 { <1> }\n\n    /// Two.\n    #[inline]\n    fn two(&self) { self.one(); }\n}\n\nmod m {\n    fn x() { <1> }\n}\n",
    ),
    (
        Language::Python,
        "import a\n\n\nclass T:\n    \"\"\"T.\"\"\"\n\n    def one(self):\n        \"\"\"Uno.\"\"\"\n        return <1>\n\n    @property\n    def two(self):\n        def inner():\n            return <1>\n        return 2\n",
    ),
    (
        Language::JavaScript,
        "import a from 'a';\n\nclass T {\n  /** Uno. */\n  one() { return <1>; }\n  two() { const f = () => { <1>; }; return f(); }\n}\nconst g = () => { <1>; };\n",
    ),
    (
        Language::TypeScript,
        "import a from 'a';\n\nexport class T {\n  /** Uno. */\n  one(): number { return <1>; }\n  two() {}\n}\nexport const g = (x: T) => { <1>; };\n",
    ),
    (
        Language::Go,
        "package p\n\nimport \"a\"\n\n// T is.\ntype T struct{}\n\n// Uno is.\nfunc (t *T) One() int { return <1> }\n\nvar x = <1>\n",
    ),
    (
        Language::C,
        "#include \"a.h\"\n\n/* Uno. */\nint one(void) { return <1>; }\n\nstatic int two(void) { return 2; }\n\nint x = <1>;\n",
    ),
    (
        Language::Cpp,
        "#include \"a.h\"\nnamespace n {\nclass T {\n  // Uno.\n  int one() { return <1>; }\n  int two() { return 2; }\n};\nint f() { return <1>; }\n}\n",
    ),
    (
        Language::Java,
        "import a.B;\n\n/** T. */\nclass T {\n  /** Uno. */\n  int one() { return <1>; }\n  int two() { return 2; }\n}\n",
    ),
];

fn plain(source: &str) -> String {
    source.replace("<1>", "1")
}

#[test]
fn an_edit_of_one_function_changes_only_that_definition() {
    for (language, source) in SOURCES {
        let before = read(language, &plain(source));
        let marks = source.matches("<1>").count();
        for mark in 0..marks {
            let edited = source.split("<1>").collect::<Vec<_>>();
            let mut text = edited[0].to_owned();
            for (place, part) in edited[1..].iter().enumerate() {
                text.push_str(if place == mark { "12345" } else { "1" });
                text.push_str(part);
            }
            let after = read(language, &text);
            assert_eq!(before.text, after.text, "{language:?} {mark}: the file");
            assert_eq!(before.calls, after.calls, "{language:?} {mark}: the calls");
            let changed: Vec<&str> = before
                .definitions
                .iter()
                .zip(&after.definitions)
                .filter(|(before, after)| before != after)
                .map(|(before, _)| before.qualified.as_str())
                .collect();
            assert_eq!(changed.len(), 1, "{language:?} {mark}: {changed:?}");
        }
    }
}

#[test]
fn an_edit_of_documentation_changes_only_that_documentation() {
    for (language, source) in SOURCES {
        let (before, after) =
            (read(language, &plain(source)), read(language, &plain(source).replace("Uno", "Another")));
        assert_eq!(before.text, after.text, "{language:?}");
        for (before, after) in before.definitions.iter().zip(&after.definitions) {
            assert_eq!(
                (&before.text, &before.shape, &before.signature),
                (&after.text, &after.shape, &after.signature),
                "{language:?}"
            );
            assert_eq!(before.doc == after.doc, before.name.to_lowercase() != "one", "{language:?} {}", before.name);
        }
    }
}

#[test]
fn adding_a_member_changes_its_container() {
    let (before, after) = ("class A { void m() {} }", "class A { void m() {} void n() {} }");
    assert_ne!(definition(Language::Java, before, "A").text, definition(Language::Java, after, "A").text);
}

#[test]
fn a_shape_survives_renaming_and_reformatting() {
    for (language, one, other) in [
        (
            Language::Rust,
            "fn a(x: &str, n: u8) -> Vec<T> { if x.is_empty() { return f(n); } g(1) }",
            "fn longer(\n  text: &Name,\n  count: usize,\n) -> Set<u8> {\n  // Why.\n  if text.missing() {\n    return make(count);\n  }\n  other(\"many\")\n}",
        ),
        (
            Language::Python,
            "def a(self, x):\n    for y in x:\n        if y: return y.f(1)\n",
            "def bb(self, other):\n    for item in other:\n        # Why.\n        if item:\n            return item.method('text')\n",
        ),
        (
            Language::Go,
            "package p\nfunc a(x *T, y []int) error { for i := range y { f(i) }; return nil }",
            "package p\nfunc bb(xx *Other, yy []string) error {\n\tfor jj := range yy {\n\t\tgg(jj)\n\t}\n\treturn err\n}",
        ),
        (
            Language::TypeScript,
            "const a = (x: T) => { return x.map((y) => y + 1); };",
            "const bb = (xx: Other) => {\n  return xx.filter((yy) => yy + 'text');\n};",
        ),
        (
            Language::Java,
            "class A { int m(String s) { while (s.a()) { b(1); } return 1; } }",
            "class A { int m(Other o) {\n while (o.c()) {\n d(\"x\");\n }\n return 22;\n} }",
        ),
        (
            Language::C,
            "int f(struct a *x) { switch (x->y) { case 1: return 2; } return g(x); }",
            "int ff(struct b *xx) {\n switch (xx->z) {\n case 22:\n return 33;\n }\n return h(xx);\n}",
        ),
    ] {
        let shape = |source: &str| {
            let functions = read(language, source).definitions;
            functions.into_iter().find(|found| found.kind.name() == "function").expect("a function").shape
        };
        assert_eq!(shape(one), shape(other), "{language:?}");
        assert!(shape(one).len() <= 200);
    }
}

#[test]
fn another_control_flow_is_another_shape() {
    let shapes: Vec<String> = [
        "fn a() { if x { f(); } }",
        "fn a() { while x { f(); } }",
        "fn a() { if x { f(); } else { g(); } }",
        "fn a() { if x { for y in z { f(); } } }",
        "fn a() { if x { for y in z { if w { f(); } } } }",
        "fn a(self) { if x { f(); } }",
        "fn a() -> u8 { if x { f(); } }",
        "fn a() { b(|| { if x { f(); } }); }",
    ]
    .iter()
    .map(|source| definition(Language::Rust, source, "a").shape)
    .collect();
    for (index, shape) in shapes.iter().enumerate() {
        assert!(!shapes[..index].contains(shape), "{index}: {shape}");
    }
}

#[test]
fn same_named_parts_are_one_definition() {
    let source = "/// On unix.\n#[cfg(unix)]\nfn a(x: u8) { b(); }\n\n/// Elsewhere.\n#[cfg(not(unix))]\nfn a(x: u8) { c(); }\nfn d() { e(); }\n";
    let parsed = read(Language::Rust, source);
    assert_eq!(parsed.definitions.len(), 2);
    let joined = &parsed.definitions[0];
    assert_eq!(joined.text, "#[cfg(unix)]\nfn a(x: u8) { b(); }\n#[cfg(not(unix))]\nfn a(x: u8) { c(); }");
    assert_eq!((joined.signature.as_str(), joined.doc.as_str()), ("fn a(x: u8)", "On unix.\nElsewhere."));
    assert_eq!((joined.line, joined.end_line), (2, 7));
    let callers: Vec<Option<usize>> = parsed.calls.iter().map(|call| call.caller).collect();
    assert_eq!(callers, [Some(0), Some(0), Some(1)]);
}

#[test]
fn definitions_are_unique_by_kind_and_name() {
    for (language, source) in SOURCES {
        let parsed = read(language, &plain(source).repeat(3));
        let mut keys: Vec<_> = parsed.definitions.iter().map(|found| (found.kind, &found.qualified)).collect();
        let count = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), count, "{language:?}");
    }
}

#[test]
fn a_file_is_its_imports_and_names() {
    let parsed = read(Language::Rust, &plain(SOURCES[0].1));
    assert_eq!(parsed.doc, "File.");
    assert_eq!(parsed.text, "use a::b;\n\nT\n\nimpl T {\n    one\n\n    two\n}\n\nm");
}

#[test]
fn a_source_cut_anywhere_is_read() {
    for (language, source) in SOURCES {
        let source = plain(source);
        for end in 0..source.len() {
            let _ = parse(language, &source.as_bytes()[..end]);
            let _ = parse(language, &source.as_bytes()[end..]);
        }
    }
}

#[test]
fn bytes_that_are_no_source_are_read() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let alphabet = b"(){}[]<>\"'`/*#:;,.=!&|\n\t \\ab_1\xff\xc3\xa9\0@$fn class def use import ";
    for round in 0..150 {
        let mut bytes = Vec::new();
        for _ in 0..200 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let raw = state.to_le_bytes();
            bytes.push(if round % 3 == 0 { raw[0] } else { alphabet[usize::from(raw[1]) % alphabet.len()] });
        }
        for language in Language::ALL {
            let _ = parse(language, &bytes);
        }
    }
}

#[test]
fn words_of_any_script_are_read() {
    let source = "/// Größe — размер 大小.\nfn größe(ж: Тип) { ж.大(\"🦀\"); }\r\n";
    let found = definition(Language::Rust, source, "größe");
    assert_eq!(found.doc, "Größe — размер 大小.");
    assert_eq!(read(Language::Rust, source).calls[0].receiver_type.as_deref(), Some("Тип"));
}

#[test]
fn an_empty_source_says_nothing() {
    for language in Language::ALL {
        let parsed = read(language, "");
        assert!(parsed.definitions.is_empty() && parsed.calls.is_empty() && parsed.text.is_empty() && !parsed.partial);
        assert!(parse(language, b"\xff\xfe\0").is_ok());
    }
}

#[test]
fn a_long_source_takes_time_in_proportion() {
    for (language, line) in [
        (Language::Rust, "fn f() { let x = x.y(); x.z(); }\n"),
        (Language::Python, "def f(): x = x.y(); x.z()\n"),
        (Language::Go, "func f() { x := x.y(); x.z() }\n"),
    ] {
        let source = line.repeat(10_000);
        let start = Instant::now();
        assert_eq!(read(language, &source).definitions.len(), 1);
        assert!(start.elapsed() < Duration::from_secs(10), "{language:?}: {:?}", start.elapsed());
    }
}
