//! Tests of parsing Go, case by case.

use super::super::Language::Go;
use super::{check_calls, check_definitions, check_imports, definition, read};

#[test]
fn definitions_are_named_by_their_receivers() {
    for (source, expect) in [
        ("package p\nfunc A() {}\n", &["function A"][..]),
        ("package p\nfunc (s *Server[T]) Start() error { return nil }\n", &["function Server.Start"]),
        (
            "package p\ntype A struct { b int }\ntype C interface { D(e int) }\ntype F = G\n",
            &["type A", "type C", "function C.D", "type F"],
        ),
        (
            "package p\nconst A = 1\nvar (\n\tB, C int\n\td = f()\n)\n",
            &["constant A", "constant B", "constant C", "constant d"],
        ),
        ("package p\nfunc f() { const a = 1; var b int; type t struct{} }\n", &["function f", "type f.t"]),
        ("package p\nvar _ I = (*T)(nil)\n", &[]),
    ] {
        check_definitions(Go, source, expect);
    }
}

#[test]
fn types_know_their_parts() {
    let source = "// Package p does.\npackage p\n\n// Server serves.\ntype Server struct {\n\tBase\n\t*other.Thing\n\tname, host string\n\tmu sync.Mutex\n}\n\n// Start starts.\nfunc (s *Server) Start(ctx context.Context) (int, error) {}\n";
    assert_eq!(read(Go, source).doc, "Package p does.");
    let server = definition(Go, source, "Server");
    assert_eq!(server.bases, ["Base", "other.Thing"]);
    let fields = [("name", "string"), ("host", "string"), ("mu", "sync.Mutex")];
    assert_eq!(server.fields, fields.map(|(name, typed)| (name.to_owned(), typed.to_owned())));
    assert_eq!((server.doc.as_str(), server.signature.as_str()), ("Server serves.", "type Server struct"));
    let start = definition(Go, source, "Server.Start");
    assert_eq!((start.owner.as_deref(), start.return_type.as_deref()), (Some("Server"), Some("(int, error)")));
    assert_eq!(start.signature, "func (s *Server) Start(ctx context.Context) (int, error)");
}

#[test]
fn calls_are_read_as_written() {
    for (source, expect) in [
        (
            "package p\nfunc a() { b(1); pkg.C(); go d(); defer e() }\n",
            &["a> free b/1", "a> path pkg.C/0", "a> free d/0", "a> free e/0"][..],
        ),
        ("package p\nfunc (s *S) a() { s.b(); s.f.c() }\n", &["S.a> method s.b/0 :S", "S.a> method s.f.c/0"]),
        (
            "package p\nfunc a(p *q.Parser, r io.Reader) { p.b(); r.c() }\n",
            &["a> method p.b/0 :q.Parser", "a> method r.c/0 :io.Reader"],
        ),
        (
            "package p\nfunc a() { x := T{}; y := &T{}; z := new(T); var w T; x.b(); y.b(); z.b(); w.b() }\n",
            &["a> method x.b/0 :T", "a> method y.b/0 :T", "a> method z.b/0 :T", "a> method w.b/0 :T"],
        ),
        (
            "package p\nfunc a() { x, err := f.Open(1); x.b(); err.Error() }\n",
            &["a> path f.Open/1", "a> method x.b/0 =f.Open", "a> method err.Error/0"],
        ),
        (
            "package p\nfunc a() { x, y := f(), T{}; x.b(); y.c() }\n",
            &["a> free f/0", "a> method x.b/0 =f", "a> method y.c/0 :T"],
        ),
        ("package p\nfunc a(cb func()) { cb(); f := func() {}; f() }\n", &["a> free cb/0 local", "a> free f/0 local"]),
        ("package p\nfunc a() { for _, x := range xs { x.b() }; x.c() }\n", &["a> method x.b/0", "a> path x.c/0"]),
        ("package p\nfunc a(xs []T) { xs.b(); f[int](1) }\n", &["a> method xs.b/0", "a> free f/1"]),
        (
            "package p\nfunc a(p P) { if p := q(); ok { p.b() }; p.c() }\n",
            &["a> free q/0", "a> method p.b/0 =q", "a> method p.c/0 :P"],
        ),
    ] {
        check_calls(Go, source, expect);
    }
}

#[test]
fn imports_say_what_is_taken_from_where() {
    let source = "package p\nimport \"fmt\"\nimport (\n\tx \"a.b/c/d\"\n\t. \"dot\"\n\t_ \"blank\"\n)\n";
    check_imports(Go, source, &["fmt - -", "a.b/c/d - x", "dot * -", "blank - _"]);
}
