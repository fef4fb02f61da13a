//! Tests of parsing Rust, case by case.

use super::super::Language::Rust;
use super::{check_calls, check_definitions, check_imports, definition, describe, read};

#[test]
fn definitions_are_named_by_their_scopes() {
    for (source, expect) in [
        ("fn a() { fn b() {} }", &["function a", "function a::b"][..]),
        ("mod tests { #[test] fn x() {} }", &["module tests", "function tests::x"]),
        ("mod elsewhere;", &[]),
        ("impl<T> Parser<T> { pub fn new() -> Self { todo() } }", &["function Parser::new"]),
        ("impl<T: X> fmt::Display for Parser<T> { fn fmt(&self) {} }", &["function <Parser as fmt::Display>::fmt"]),
        ("impl<A> From<A> for Vec<B> { fn from(a: A) {} }", &["function <Vec as From>::from"]),
        ("impl Read for &mut Parser<'_> { fn read(&self) {} }", &["function <Parser as Read>::read"]),
        (
            "trait Shape { fn area(&self) -> f64; fn twice(&self) {} }",
            &["type Shape", "function Shape::area", "function Shape::twice"],
        ),
        ("struct A; enum B { C } union D { e: u8 } type F = u8;", &["type A", "type B", "type D", "type F"]),
        ("const A: u8 = 1; static B: u8 = 2;", &["constant A", "constant B"]),
        ("fn f() { const INNER: u8 = 1; }", &["function f"]),
        ("impl A { const INNER: u8 = 1; }", &[]),
        ("mod m { const A: u8 = 1; }", &["module m", "constant m::A"]),
        ("macro_rules! say { ($x:expr) => { f($x) }; }", &["macro say"]),
        ("#[cfg(unix)] fn a() {} #[cfg(windows)] fn a() {}", &["function a"]),
        ("extern \"C\" { fn c_call(x: u8); }", &["function c_call"]),
    ] {
        check_definitions(Rust, source, expect);
    }
}

#[test]
fn methods_know_their_type_and_types_their_parts() {
    let source = "/// A parser.\n#[derive(Debug)]\npub struct Parser<'a> { pub lexer: Lexer<'a>, depth: usize }\n\
                  impl Parser<'_> { fn next(&mut self) -> Option<Token> { None } }\n\
                  impl Iterator for Parser<'_> { fn next(&mut self) {} }\nstruct Pair(u8, Vec<u8>);\ntrait Sub: Super<u8> + 'static {}";
    assert_eq!(definition(Rust, source, "Parser::next").owner.as_deref(), Some("Parser"));
    assert_eq!(definition(Rust, source, "Parser::next").return_type.as_deref(), Some("Option<Token>"));
    assert_eq!(definition(Rust, source, "<Parser as Iterator>::next").owner.as_deref(), Some("Parser"));
    let parser = definition(Rust, source, "Parser");
    assert_eq!(parser.fields, [("lexer".into(), "Lexer<'a>".into()), ("depth".into(), "usize".into())]);
    assert_eq!(parser.bases, ["Iterator"]);
    assert_eq!(parser.signature, "pub struct Parser<'a>");
    assert_eq!((parser.line, parser.end_line), (2, 3));
    assert!(parser.text.starts_with("#[derive(Debug)]"), "{}", parser.text);
    assert_eq!(parser.doc, "A parser.");
    assert_eq!(definition(Rust, source, "Pair").fields, [("0".into(), "u8".into()), ("1".into(), "Vec<u8>".into())]);
    assert_eq!(definition(Rust, source, "Sub").bases, ["Super<u8>"]);
}

#[test]
fn documentation_is_what_the_compiler_takes_for_it() {
    let source = "//! The file.\n//! More.\n\n/// One.\n// A remark.\n/// Two.\n#[inline]\nfn a() {}\n\n// A remark.\nfn b() {}\nmod m {\n    //! Inside.\n    fn c() {}\n}\n/** Block. */\nfn d() {}\nfn e() {} /// stray\n";
    assert_eq!(read(Rust, source).doc, "The file.\nMore.");
    for (name, doc) in [("a", "One.\nTwo."), ("b", ""), ("m", "Inside."), ("d", "Block."), ("e", ""), ("m::c", "")] {
        assert_eq!(definition(Rust, source, name).doc, doc, "{name}");
    }
}

#[test]
fn calls_are_read_as_written() {
    for (source, expect) in [
        (
            "fn a() { b(1, 2); c::d(); x.y(z); w!(); }",
            &["a> free b/2", "a> path c::d/0", "a> method x.y/1", "a> macro w"][..],
        ),
        (
            "fn a() { f::<u8>(); Vec::<u8>::new(); <T as X>::g(); }",
            &["a> free f/0", "a> path Vec::new/0", "a> path <T as X>::g/0"],
        ),
        ("fn a() { x?.b(); c[0].d(); (e)(); }", &["a> method _.b/0", "a> method _.d/0", "a> free e/0"]),
        ("fn a() { self::b(); Some(c()); Ok(1); }", &["a> path self::b/0", "a> free c/0"]),
        ("fn a() { let g = b; g(); }", &["a> free g/0 local"]),
        (
            "fn a(g: fn()) { g(); { let h = |x| x; h(1); } h(2); }",
            &["a> free g/0 local", "a> free h/1 local", "a> free h/1"],
        ),
        (
            "fn a() { let (b, c) = b.d(); b.e(); }\nfn f(b: B) { let (b, c) = b.d(); }",
            &["a> method b.d/0", "a> method b.e/0", "f> method b.d/0 :B"],
        ),
        (
            "fn a(b: B) { if let Some(b) = b.c() { b.d() } for b in b.e() {} }",
            &["a> method b.c/0 :B", "a> method b.d/0", "a> method b.e/0 :B"],
        ),
        (
            "fn a() { b.map(c).for_each(|d| d()); }",
            &["a> method _.for_each/1 =b.map", "a> method b.map/1", "a> free d/0 local"],
        ),
        ("static A: B = c();", &["A> free c/0"]),
        ("fn a(\n) {\n b\n  .c()\n}", &["a> method b.c/0"]),
    ] {
        check_calls(Rust, source, expect);
    }
    assert_eq!(
        read(Rust, "fn a() {\n x\n  .b()\n  .c();\n}").calls.iter().map(|call| call.line).collect::<Vec<_>>(),
        [4, 3]
    );
}

#[test]
fn calls_inside_macros_are_found() {
    for (source, expect) in [
        ("fn a() { p!(\"{}\", f(x), y); }", &["a> macro p", "a> free f/1"][..]),
        (
            "fn a() { q!(b.c(), D::e(1, 2), s.t.u(),); }",
            &["a> macro q", "a> method b.c/0", "a> path D::e/2", "a> method s.t.u/0"],
        ),
        ("fn a() { q!(Vec::<u8>::new(), f::<T>(1)); }", &["a> macro q", "a> path _::new/0", "a> free f/1"]),
        ("fn a() { q!(if (x) { r!(g()) }); }", &["a> macro q", "a> macro r", "a> free g/0"]),
        ("fn a() { q!(fn made() {}, Some(1)); }", &["a> macro q"]),
        ("impl A { fn a(&self) { q!(self.b()); } }", &["A::a> macro q", "A::a> method self.b/0 :A"]),
        ("macro_rules! m { () => { made(1) }; }", &["m> free made/1"]),
    ] {
        check_calls(Rust, source, expect);
    }
}

#[test]
fn chains_of_calls_are_followed_to_what_makes_their_value() {
    for (source, last) in [
        ("fn a() { b::c().d(1).e(); }", "a> method _.e/0 =b::c().d"),
        ("fn a() { A::new().d(1).e()?.f(); }", "a> method _.f/0 =A().d().e"),
        ("fn a() { A { b: 1 }.d().e(); }", "a> method _.e/0 =A().d"),
        ("fn a() { b.c().unwrap().d().await?.e(); }", "a> method _.e/0 =b.c().d"),
        ("fn a() { b[0].d().e(); }", "a> method _.e/0 =_.d"),
        ("fn a() { b().c.d().e(); }", "a> method _.e/0 =_.c.d"),
        ("impl A { fn a(&self) { self.b.c().d(); } }", "A::a> method _.d/0 =self.b.c"),
        ("impl A { fn a() { Self::new().c().d(); } }", "A::a> method _.d/0 =A().c"),
        ("fn a() { let b = A::new(); let b = b.c(); b.d().e(); }", "a> method _.e/0 =A().c().d"),
        ("fn a() { let b = c(); b.d.e().f(); }", "a> method _.f/0 =b.d.e"),
        ("fn a(b: &mut B) { q!(b.c()?.d()); }", "a> method _.d/0 =B().c"),
        ("fn a() { q!(A::new().c().unwrap().d(1).e()) }", "a> method _.e/0 =A().c().d"),
        ("fn a() { q!(b[0].d().e(), ?, (c).f()) }", "a> method _.d/0"),
    ] {
        let parsed = read(Rust, source);
        let calls: Vec<String> = parsed.calls.iter().map(|call| describe(&parsed, call)).collect();
        assert!(calls.iter().any(|call| call == last), "{calls:?} in {source}");
    }
}

#[test]
fn receivers_are_typed_by_the_text_around_them() {
    for (source, expect) in [
        ("fn a(p: &mut Parser<'_>) { p.b(); }", &["a> method p.b/0 :Parser"][..]),
        ("fn a(p: Arc<Parser>) { p.b(); }", &["a> method p.b/0 :Parser"]),
        ("fn a() { let p: Parser = x; p.b(); }", &["a> method p.b/0 :Parser"]),
        ("fn a() { let p = m::Parser::new(1)?; p.b(); }", &["a> path m::Parser::new/1", "a> method p.b/0 :m::Parser"]),
        ("fn a() { let p = Parser::load(); p.b(); }", &["a> path Parser::load/0", "a> method p.b/0 =Parser::load"]),
        ("fn a() { let p = Parser { x: 1 }; p.b(); }", &["a> method p.b/0 :Parser"]),
        (
            "fn a() { let p = q.r().unwrap(); p.b(); }",
            &["a> method _.unwrap/0 =q.r", "a> method q.r/0", "a> method p.b/0 =q.r"],
        ),
        ("fn a() { let p = f(x).await?; p.b(); }", &["a> free f/1", "a> method p.b/0 =f"]),
        ("fn a() { let p = A::new(); let p = other; p.b(); }", &["a> path A::new/0", "a> method p.b/0"]),
        (
            "fn a() { let p = A::new(); for p in ps { p.b(); } p.c(); }",
            &["a> path A::new/0", "a> method p.b/0", "a> method p.c/0 :A"],
        ),
        ("fn a() { let p = A::new(); let q = p; q.b(); }", &["a> path A::new/0", "a> method q.b/0 :A"]),
        (
            "impl S { fn a(&self) { self.b(); self.f.c(); Self::d(); } }",
            &["S::a> method self.b/0 :S", "S::a> method self.f.c/0", "S::a> path Self::d/0 :S"],
        ),
        ("impl S { fn a() { let s = Self::new(); s.b(); } }", &["S::a> path Self::new/0 :S", "S::a> method s.b/0 :S"]),
        (
            "fn a() { let p = Box::new(Parser::new()); p.b(); }",
            &["a> path Box::new/1", "a> path Parser::new/0", "a> method p.b/0 :Parser"],
        ),
        ("fn a(x: &[u8]) { x.len(); }", &["a> method x.len/0"]),
        ("fn a(p: P) { let f = |p| p.b(); p.c(); }", &["a> method p.b/0", "a> method p.c/0 :P"]),
        ("fn a(p: P) { if let Some(p) = q { p.b(); } p.c(); }", &["a> method p.b/0", "a> method p.c/0 :P"]),
    ] {
        check_calls(Rust, source, expect);
    }
}

#[test]
fn trees_of_imports_are_flattened() {
    for (source, expect) in [
        ("use a::b;", &["a::b - -"][..]),
        ("use a::{self, b as c, d::{e, f::*}};", &["a - -", "a::b - c", "a::d::e - -", "a::d::f * -"]),
        ("pub use self::x::Y;", &["self::x::Y - - pub"]),
        ("pub(crate) use x::*;", &["x * - pub"]),
        ("use {a, b::c};", &["a - -", "b::c - -"]),
        ("extern crate serde as s;", &["serde - s"]),
        ("mod t { use super::*; fn f() { use g::H; } }", &["super * - in t", "g::H - - in t::f"]),
        ("use a::{// why\n b};", &["a::b - -"]),
        ("mod x;", &[]),
    ] {
        check_imports(Rust, source, expect);
    }
}
