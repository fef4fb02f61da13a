//! Tests of parsing Python, case by case.

use super::super::Language::Python;
use super::{check_calls, check_definitions, check_imports, definition, read};

#[test]
fn definitions_are_named_by_their_scopes() {
    for (source, expect) in [
        ("def a():\n    def b(): pass\n", &["function a", "function a.b"][..]),
        (
            "class A:\n    @property\n    def x(self): pass\n    class B: pass\n",
            &["type A", "function A.x", "type A.B"],
        ),
        ("LIMIT = 1\nx: int = 2\na.b = 3\nc, d = 4, 5\n", &["constant LIMIT", "constant x"]),
        ("def f():\n    LOCAL = 1\n", &["function f"]),
        ("@d\nclass A: pass\n", &["type A"]),
        (
            "class A:\n    @property\n    def x(self): return 1\n    @x.setter\n    def x(self, v): pass\n",
            &["type A", "function A.x"],
        ),
        ("async def a(): pass\n", &["function a"]),
        ("if x:\n    def a(): pass\n", &["function a"]),
    ] {
        check_definitions(Python, source, expect);
    }
}

#[test]
fn docstrings_and_decorators_go_where_they_belong() {
    let source = "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\"\"\"The file.\n\nMore.\n\"\"\"\n\n@cached\ndef a(x: int, *y) -> str:\n    '''Does a.'''\n    return x\n\nclass B(Base, metaclass=M):\n    \"\"\"Is a B.\"\"\"\n    size: int = 0\n";
    let parsed = read(Python, source);
    assert_eq!(parsed.doc, "The file.\n\nMore.");
    assert!(!parsed.text.contains("The file"), "{}", parsed.text);
    let a = definition(Python, source, "a");
    assert_eq!((a.doc.as_str(), a.signature.as_str()), ("Does a.", "def a(x: int, *y) -> str"));
    assert_eq!(a.text, "@cached\ndef a(x: int, *y) -> str:\n    return x");
    assert_eq!(a.return_type.as_deref(), Some("str"));
    let b = definition(Python, source, "B");
    assert_eq!((b.doc.as_str(), b.bases), ("Is a B.", vec!["Base".to_owned()]));
    assert_eq!(b.fields, [("size".into(), "int".into())]);
}

#[test]
fn a_comment_opens_a_file_without_a_docstring() {
    for (source, expect) in [
        ("# Copyright 2020 Somebody\n\n# Reads things.\n\nx = 1\n", "Reads things."),
        ("# Copyright 2020 Somebody\n", ""),
        ("x = 1\n# Not the top.\n", ""),
    ] {
        assert_eq!(read(Python, source).doc, expect, "{source}");
    }
}

#[test]
fn a_method_that_assigns_fields_names_their_types() {
    let source = "class A:\n    def __init__(self, lexer: Lexer, n):\n        self.lexer = lexer\n        self.pool = Pool()\n        self.n = n\n";
    let init = definition(Python, source, "A.__init__");
    assert_eq!(init.fields, [("lexer".into(), "Lexer".into()), ("pool".into(), "Pool".into())]);
    assert_eq!(definition(Python, source, "A").fields, []);
}

#[test]
fn calls_are_read_as_written() {
    for (source, expect) in [
        ("def a():\n    b(1, k=2)\n    os.path.join(c)\n", &["a> free b/2", "a> path os.path.join/1"][..]),
        (
            "class A:\n    def f(self):\n        self.g()\n        self.x.h()\n        super().f()\n",
            &["A.f> method self.g/0 :A", "A.f> method self.x.h/0", "A.f> method super.f/0"],
        ),
        ("def a(p: Parser, q):\n    p.b()\n    q.c()\n", &["a> method p.b/0 :Parser", "a> method q.c/0"]),
        ("def a(p: Optional[Parser] = None):\n    p.b()\n", &["a> method p.b/0 :Parser"]),
        (
            "def a():\n    p = Parser(1)\n    p.b()\n    p = f()\n    p.c()\n",
            &["a> free Parser/1", "a> method p.b/0 :Parser", "a> free f/0", "a> method p.c/0 =f"],
        ),
        ("async def a():\n    r = await s.get()\n    r.b()\n", &["a> path s.get/0", "a> method r.b/0 =s.get"]),
        ("def a(cb):\n    cb()\n    def h(): pass\n    h()\n", &["a> free cb/0 local", "a> free h/0"]),
        ("def a():\n    with open(x) as f:\n        f.read()\n", &["a> free open/1", "a> method f.read/0 =open"]),
        (
            "app = Flask(n)\ndef a():\n    app.run()\napp.go()\n",
            &["app> free Flask/1", "a> method app.run/0 :Flask", "> method app.go/0 :Flask"],
        ),
        ("@app.route(1)\ndef a(): pass\n", &["a> path app.route/1"]),
        ("x = [f(y) for y in z]\n", &["x> free f/1"]),
        ("def a():\n    any(y.b() for y in z)\n", &["a> free any/1", "a> method y.b/0"]),
        ("class A:\n    def f(self):\n        def g():\n            self.h()\n", &["A.f.g> method self.h/0 :A"]),
        ("class A:\n    x = B()\n    def f(self):\n        x.g()\n", &["A> free B/0", "A.f> path x.g/0"]),
    ] {
        check_calls(Python, source, expect);
    }
}

#[test]
fn imports_say_what_is_taken_from_where() {
    for (source, expect) in [
        ("import a.b, c as d\n", &["a.b - -", "c - d"][..]),
        ("from a.b import c, d as e\n", &["a.b c -", "a.b d e"]),
        ("from . import x\nfrom ..p.q import y\n", &[". x -", "..p.q y -"]),
        ("from a import *\n", &["a * -"]),
        ("from __future__ import annotations\n", &["__future__ annotations -"]),
        ("def f():\n    import g\n", &["g - - in f"]),
    ] {
        check_imports(Python, source, expect);
    }
}
