//! Tests of parsing C, C++ and Java, case by case.

use super::super::Language::{C, Cpp, Java};
use super::{check_calls, check_definitions, check_imports, definition, read};

#[test]
fn c_definitions_are_what_has_a_body() {
    for (source, expect) in [
        ("int f(void); static char *g(int a) { return 0; }", &["function g"][..]),
        ("MACRO(1)\nstatic NORETURN void die(struct x *p) {}", &["function die"]),
        ("int old(a, b) int a; char *b; { return 1; }", &["function old"]),
        ("struct a { int b; }; union c { int d; }; enum e { F }; struct g;", &["type a", "type c", "type e"]),
        (
            "typedef struct a { int b; } a_t;\ntypedef struct { int c; } d_t;\ntypedef int (*cb)(int);",
            &["type a_t", "type a", "type d_t", "type cb"],
        ),
        ("#define LIMIT 1\n#define MAX(a, b) ((a) > (b))\n#define GUARD_H\n", &["constant LIMIT", "macro MAX"]),
        ("static const char *names[] = { 0 };\nint count;\nextern int other;\n", &["constant names", "constant count"]),
        ("#ifdef A\nint f(void) { int local = 1; }\n#else\nint f(void) {}\n#endif\n", &["function f"]),
        ("struct out { struct in { int x; } y; };", &["type out", "type in"]),
    ] {
        check_definitions(C, source, expect);
    }
    let source = "/* Adds. */\nstruct strbuf *add(const char *a) { }\n";
    let add = definition(C, source, "add");
    assert_eq!((add.doc.as_str(), add.return_type.as_deref()), ("Adds.", Some("struct strbuf *")));
    assert_eq!(
        definition(C, "typedef struct { struct in *x; } d_t;", "d_t").fields,
        [("x".into(), "struct in *".into())]
    );
}

#[test]
fn c_calls_go_by_name_or_pointer() {
    for (source, expect) in [
        ("int f(void) { g(1); ops->read(2); (*fp)(3); }", &["f> free g/1", "f> method ops.read/1", "f> free fp/1"][..]),
        (
            "int f(struct ops *o, int (*cb)(int)) { o->read(); cb(1); }",
            &["f> method o.read/0 :ops", "f> free cb/1 local"],
        ),
        (
            "int f(void) { struct q *x = h(), y; y.m(); x->n(); }",
            &["f> free h/0", "f> method y.m/0 :q", "f> method x.n/0 :q"],
        ),
    ] {
        check_calls(C, source, expect);
    }
    check_imports(C, "#include \"dir/x.h\"\n#include <stdio.h>\n", &["dir/x.h - -", "stdio.h - -"]);
}

#[test]
fn cpp_names_carry_scopes_and_parameter_types() {
    for (source, expect) in [
        (
            "namespace a::b { class P { void m(int x) {} }; }",
            &["module a::b", "type a::b::P", "function a::b::P::m(int)"][..],
        ),
        ("void A::B<int>::m(std::vector<int> const& v, char) {}", &["function A::B::m(std::vector<int> const&,char)"]),
        (
            "template <class T> struct S : Q<T> { S(int a = 1) : b(a) {} ~S() {} bool operator==(S const& o) { return 1; } };",
            &["type S", "function S::S(int)", "function S::~S()", "function S::operator==(S const&)"],
        ),
        (
            "struct A { operator bool() const { return 1; } int operator()(int a) { return a; } };",
            &["type A", "function A::operator bool", "function A::operator()(int)"],
        ),
        ("void f(int); void f(void) {} void f(int *a) {}", &["function f()", "function f(int*)"]),
        (
            "using T = int; enum class E { A }; namespace { int g() { return 1; } }",
            &["type T", "type E", "function g()"],
        ),
        ("void A::reset() noexcept {} int A::count = 0;", &["function A::reset()", "constant A::count"]),
    ] {
        check_definitions(Cpp, source, expect);
    }
    let source = "template <class T> struct S : public Q<T>, R { int a; T* b; void m() {} };";
    let class = definition(Cpp, source, "S");
    assert_eq!(class.bases, ["Q<T>", "R"]);
    assert_eq!(class.fields, [("a".into(), "int".into()), ("b".into(), "T *".into())]);
    assert_eq!(class.signature, "template <class T> struct S : public Q<T>, R");
    assert_eq!(definition(Cpp, source, "S::m()").owner.as_deref(), Some("S"));
}

#[test]
fn cpp_receivers_are_typed_by_declarations() {
    for (source, expect) in [
        ("void f(P& p, Q* q) { p.a(); q->b(); }", &["f(P&,Q*)> method p.a/0 :P", "f(P&,Q*)> method q.b/0 :Q"][..]),
        (
            "void f() { auto p = P(1); p.a(); P q{1}; q.b(); auto r = g(); r.c(); }",
            &["f()> free P/1", "f()> method p.a/0 :P", "f()> method q.b/0 :P", "f()> free g/0", "f()> method r.c/0 =g"],
        ),
        (
            "void f() { auto p = std::make_unique<P>(1); p->a(); auto q = new Q(); q->b(); }",
            &["f()> path std::make_unique/1", "f()> method p.a/0 :P", "f()> free Q/0", "f()> method q.b/0 :Q"],
        ),
        (
            "struct S { P p; void m() { this->n(); p.a(); x::y<int>(1); } };",
            &["S::m()> method this.n/0 :S", "S::m()> method p.a/0 :P", "S::m()> path x::y/1"],
        ),
        (
            "void f() { auto g = [](int x) { return h(x); }; g(1); static_cast<int>(2); }",
            &["f()> free h/1", "f()> free g/1 local"],
        ),
    ] {
        check_calls(Cpp, source, expect);
    }
}

#[test]
fn java_names_carry_scopes_and_parameter_types() {
    for (source, expect) in [
        (
            "class A { A(int x) {} void m(List<String> a, int[] b, String... c) {} }",
            &["type A", "function A.A(int)", "function A.m(List,int[],String...)"][..],
        ),
        (
            "interface I { void m(); } enum E { X; void n() {} } record R(int a) {}",
            &["type I", "function I.m()", "type E", "function E.n()", "type R"],
        ),
        (
            "class A { class B { void m(final int x) {} } static int F = 1; }",
            &["type A", "type A.B", "function A.B.m(int)"],
        ),
        ("@interface Q { String value(); }", &["type Q", "function Q.value"]),
    ] {
        check_definitions(Java, source, expect);
    }
    let source = "/** Is A. */\npublic class A<T> extends B<T> implements C, D<E> {\n  private List<F> fs;\n  /** Does m. */\n  @Override public String m(int a) { return \"\"; }\n}";
    let class = definition(Java, source, "A");
    assert_eq!((class.doc.as_str(), class.bases.len()), ("Is A.", 3));
    assert_eq!(class.fields, [("fs".into(), "List<F>".into())]);
    let method = definition(Java, source, "A.m(int)");
    assert_eq!((method.doc.as_str(), method.return_type.as_deref()), ("Does m.", Some("String")));
    assert!(!class.text.contains("Does m") && class.text.contains("  m\n"), "{}", class.text);
}

#[test]
fn java_calls_are_read_as_written() {
    for (source, expect) in [
        (
            "class A { void m(P p) { p.a(); this.b(); c(); Q.d(); new R(1); } }",
            &[
                "A.m(P)> method p.a/0 :P",
                "A.m(P)> method this.b/0 :A",
                "A.m(P)> free c/0",
                "A.m(P)> path Q.d/0",
                "A.m(P)> free R/1",
            ][..],
        ),
        (
            "class A { P f; void m() { f.a(); var x = new X(); x.b(); var y = z(); y.c(); } }",
            &[
                "A.m()> method f.a/0 :P",
                "A.m()> free X/0",
                "A.m()> method x.b/0 :X",
                "A.m()> free z/0",
                "A.m()> method y.c/0 =z",
            ],
        ),
        (
            "class A { void m() { try (R r = open()) { r.a(); } for (X x : xs) { x.b(); } ys.forEach(y -> y.c()); } }",
            &[
                "A.m()> free open/0",
                "A.m()> method r.a/0 :R",
                "A.m()> method x.b/0 :X",
                "A.m()> method ys.forEach/1",
                "A.m()> method y.c/0",
            ],
        ),
        (
            "class A { void m() { a.b.C.d(); new a.B.C(); super.e(); } }",
            &["A.m()> method a.b.C.d/0", "A.m()> path a.B.C/0", "A.m()> method super.e/0"],
        ),
    ] {
        check_calls(Java, source, expect);
    }
    let source = "import a.b.C;\nimport a.b.*;\nimport static a.B.c;\nimport static a.B.*;\n";
    check_imports(Java, source, &["a.b.C - -", "a.b * -", "a.B c -", "a.B * -"]);
}

#[test]
fn a_licence_is_nobodys_documentation() {
    let licence = "/* Copyright 2020 Somebody. Licensed under X. */\n";
    assert_eq!(read(C, &format!("{licence}/* Reads. */\n\nint f(void) {{}}\n")).doc, "Reads.");
    assert_eq!(definition(C, &format!("{licence}int f(void) {{}}\n"), "f").doc, "");
    assert_eq!(read(Java, &format!("{licence}package a;\n")).doc, "");
}
