//! Tests: calls in small example repositories, parsed by the real extractor and resolved over a table.

use super::{FileDefinitions, HIGH, NameTable};
use crate::syntax::{Language, parse};

/// Resolves the first call with this text in the first file, and checks the keys of its targets, best first, with `!`
/// after those of high confidence; empty for a call that resolves to nothing.
fn check(files: &[(&str, &str)], callee: &str, expect: &str) {
    let parsed: Vec<_> = files
        .iter()
        .map(|(path, source)| {
            let language = Language::detect(path, b"").expect("fixtures have known extensions");
            (*path, language, parse(language, source.as_bytes()).expect("fixtures parse"))
        })
        .collect();
    let live: Vec<FileDefinitions> =
        parsed.iter().map(|(path, language, parsed)| FileDefinitions::parsed(path, *language, parsed)).collect();
    let candidates = live[0].candidates.clone();
    let table = NameTable::new(live);
    let (path, language, first) = &parsed[0];
    let at = first
        .calls
        .iter()
        .position(|call| call.callee == callee)
        .unwrap_or_else(|| panic!("no call {callee} among {:?}", first.calls));
    let targets = table.resolve_file(path, *language, first, &candidates).swap_remove(at);
    let found: Vec<String> = targets
        .iter()
        .map(|target| format!("{}{}", target.key, if target.confidence >= HIGH { "!" } else { "" }))
        .collect();
    assert_eq!(found.join(" "), expect, "{callee} in {:?}", files[0]);
}

#[test]
fn rust_names_follow_modules_and_imports() {
    let b = (
        "src/b.rs",
        "pub fn f() {}\npub struct T;\nimpl T { pub fn new() -> T { T } pub fn go(&self) {} }\npub enum E { A(u8) }",
    );
    check(&[("src/a.rs", "fn g() { f() }\nfn f() {}"), b], "f", "src/a.rs#f!");
    check(&[("src/a.rs", "fn g() { f() }"), b], "f", "");
    check(&[("src/a.rs", "use crate::b::f;\nfn g() { f() }"), b], "f", "src/b.rs#f!");
    check(&[("src/a.rs", "use crate::b::f as h;\nfn g() { h() }"), b], "h", "src/b.rs#f!");
    check(&[("src/a.rs", "use crate::b::*;\nfn g() { f() }"), b], "f", "src/b.rs#f!");
    check(&[("src/a.rs", "use super::b;\nfn g() { b::f() }"), b], "b::f", "src/b.rs#f!");
    check(&[("src/lib.rs", "mod b;\nfn g() { self::b::f() }"), b], "self::b::f", "src/b.rs#f!");
    check(&[("src/a.rs", "use other::f;\nfn g() { f() }"), b], "f", "");
    check(&[("src/a.rs", "use std::b::f;\nfn g() { f() }"), b], "f", "");
    check(&[("src/a.rs", "use crate::b::T;\nfn g() { T::new() }"), b], "T::new", "src/b.rs#T::new!");
    check(&[("src/a.rs", "use crate::b::E;\nfn g() { E::A(1) }"), b], "E::A", "src/b.rs#E!");
    check(&[("src/a.rs", "fn g() {}\nmod tests { use super::*; fn t() { g() } }"), b], "g", "src/a.rs#g!");
    check(&[("src/a.rs", "fn g() { f() }"), ("src/b.rs", "mod tests { fn f() {} }")], "f", "");
}

#[test]
fn rust_reexports_are_chased_round_in_circles_too() {
    let deep = ("src/x/deep.rs", "pub fn f() {}");
    let x = ("src/x/mod.rs", "mod deep;\npub use deep::f;\npub use self::deep::f as h;");
    let round = ("src/x/mod.rs", "pub use crate::y::*;");
    let y = ("src/y.rs", "pub use crate::x::*;");
    check(&[("src/a.rs", "use crate::x::f;\nfn g() { f() }"), x, deep], "f", "src/x/deep.rs#f!");
    check(&[("src/a.rs", "use crate::x;\nfn g() { x::h() }"), x, deep], "x::h", "src/x/deep.rs#f!");
    check(&[("src/a.rs", "use crate::x::*;\nfn g() { f() }"), round, y], "f", "");
}

#[test]
fn rust_crates_are_known_by_their_folders() {
    let lib = ("crates/my-log/src/lib.rs", "pub mod a;\npub fn f() {}");
    let a = ("crates/my-log/src/a.rs", "pub fn f() {}");
    check(&[("src/main.rs", "fn g() { my_log::f() }"), lib, a], "my_log::f", "crates/my-log/src/lib.rs#f!");
    check(&[("src/main.rs", "use my_log::a;\nfn g() { a::f() }"), lib, a], "a::f", "crates/my-log/src/a.rs#f!");
    check(&[("src/main.rs", "use our_my_log::a::f;\nfn g() { f() }"), lib, a], "f", "crates/my-log/src/a.rs#f!");
    check(&[("src/main.rs", "use log::a::f;\nfn g() { f() }"), ("crates/x/src/lib.rs", "pub fn f() {}")], "f", "");
    check(
        &[("tests/t.rs", "mod common;\nfn g() { common::f() }"), ("tests/common/mod.rs", "pub fn f() {}")],
        "common::f",
        "tests/common/mod.rs#f!",
    );
}

#[test]
fn rust_methods_follow_types() {
    let t = (
        "src/t.rs",
        "pub trait Tr { fn m(&self); fn d(&self) {} }\npub struct T { pub u: U }\npub struct U;\nimpl U { pub fn go(&self) {} }\nimpl Tr for T { fn m(&self) {} }\nimpl T { pub fn make() -> U { U } }",
    );
    check(&[("src/a.rs", "use crate::t::T;\nfn g(t: &T) { t.m() }"), t], "t.m", "src/t.rs#<T as Tr>::m!");
    check(&[("src/a.rs", "use crate::t::T;\nfn g(t: &T) { t.d() }"), t], "t.d", "src/t.rs#Tr::d!");
    check(&[("src/a.rs", "use crate::t::Tr;\nfn g(t: &dyn Tr) { t.m() }"), t], "t.m", "src/t.rs#Tr::m");
    check(&[("src/a.rs", "use crate::t::Tr;\nfn g<X: Tr>(t: X) { t.m() }"), t], "t.m", "src/t.rs#Tr::m");
    check(&[("src/a.rs", "use crate::t::T;\nfn g() { let u = T::make(); u.go() }"), t], "u.go", "src/t.rs#U::go!");
    check(
        &[("src/a.rs", "struct S { t: crate::t::U }\nimpl S { fn g(&self) { self.t.go() } }"), t],
        "self.t.go",
        "src/t.rs#U::go!",
    );
    check(
        &[("src/a.rs", "struct S;\nimpl S { fn g(&self) { self.h() }\nfn h(&self) {} }"), t],
        "self.h",
        "src/a.rs#S::h!",
    );
    check(&[("src/a.rs", "struct S;\nimpl S { fn g() { Self::h() }\nfn h() {} }"), t], "Self::h", "src/a.rs#S::h!");
    let chain = (
        "src/b.rs",
        "pub struct B;\nimpl B { pub fn x(self, n: u8) -> Self { self } pub fn y(&mut self) -> std::io::Result<&mut B> { Ok(self) } pub fn last(self) -> crate::t::T { todo!() } }",
    );
    check(
        &[("src/a.rs", "use crate::b::B;\nfn g() { B::new().x(1).y()?.last().m() }"), chain, t],
        "_.m",
        "src/t.rs#<T as Tr>::m!",
    );
    check(
        &[
            ("src/a.rs", "use crate::b::B;\nfn g(b: B) { let c = b.x(1); assert!(c.y().unwrap().last().d()) }"),
            chain,
            t,
        ],
        "_.d",
        "src/t.rs#Tr::d!",
    );
    check(&[("src/a.rs", "use crate::b::B;\nfn g() { B::new().wrapped().x(1) }"), chain, t], "_.x", "src/b.rs#B::x");
    check(&[("src/a.rs", "fn g(x: impl Fn() -> u8) { x().go() }"), t], "_.go", "src/t.rs#U::go");
    check(&[("src/a.rs", "fn g(x: Vec<u8>) { x.go() }"), t], "x.go", "");
}

#[test]
fn rust_types_are_followed_through_what_stands_for_them() {
    let t = (
        "src/t.rs",
        "pub struct T;\nimpl T { pub fn rare(&self) {} }\npub type A = T;\npub struct W(T);\nimpl std::ops::Deref for W { type Target = T; fn deref(&self) -> &Self::Target { &self.0 } }\npub fn make() -> Result<W, u8> { todo() }",
    );
    check(&[("src/a.rs", "use crate::t::A;\nfn g(a: A) { a.rare() }"), t], "a.rare", "src/t.rs#T::rare!");
    check(&[("src/a.rs", "use crate::t::W;\nfn g(w: &W) { w.rare() }"), t], "w.rare", "src/t.rs#T::rare!");
    check(
        &[("src/a.rs", "use crate::t::make;\nfn g() { let w = make()?; w.rare() }"), t],
        "w.rare",
        "src/t.rs#T::rare!",
    );
    check(
        &[("src/a.rs", "struct S { o: Option<crate::t::T> }\nimpl S { fn g(&self) { self.o.rare() } }"), t],
        "self.o.rare",
        "",
    );
    check(&[("src/a.rs", "use other::T;\nfn g(t: T) { t.rare() }"), t], "t.rare", "");
}

#[test]
fn common_names_are_no_evidence() {
    let t = ("src/t.rs", "pub struct T;\nimpl T { pub fn push(&self, a: u8) {} pub fn rare(&self, a: u8) {} }");
    check(&[("src/a.rs", "fn g() { x().push(1) }"), t], "_.push", "");
    check(&[("src/a.rs", "fn g() { x().rare(1) }"), t], "_.rare", "src/t.rs#T::rare");
    check(&[("src/a.rs", "fn g() { x().rare() }"), t], "_.rare", "");
    check(&[("src/a.py", "def g(x):\n    x.rare(1)\n"), t], "x.rare", "");
}

#[test]
fn rust_macros_are_their_crates() {
    let m = ("src/m.rs", "macro_rules! say { () => {} }");
    check(&[("src/a.rs", "fn g() { say!() }"), m], "say", "src/m.rs#say!");
    check(&[("src/a.rs", "fn g() { println!() }"), m], "println", "");
    check(&[("src/a.rs", "fn g() { write!(f) }"), ("src/m.rs", "macro_rules! write { () => {} }")], "write", "");
}

#[test]
fn python_names_follow_packages() {
    let init = ("src/pkg/__init__.py", "from .mod import f as f\nfrom .mod import C\n");
    let module = (
        "src/pkg/mod.py",
        "from os import path\ndef f():\n    pass\nclass B:\n    def n(self):\n        pass\nclass C(B):\n    @classmethod\n    def make(cls) -> 'C':\n        pass\n    def m(self):\n        pass\n",
    );
    check(&[("app.py", "from pkg import f\nf()\n"), init, module], "f", "src/pkg/mod.py#f!");
    check(&[("app.py", "import pkg.mod\npkg.mod.f()\n"), init, module], "pkg.mod.f", "src/pkg/mod.py#f!");
    check(&[("app.py", "import pkg.mod as p\np.f()\n"), init, module], "p.f", "src/pkg/mod.py#f!");
    check(
        &[("src/pkg/a.py", "from . import mod\ndef g():\n    mod.f()\n"), init, module],
        "mod.f",
        "src/pkg/mod.py#f!",
    );
    check(&[("src/pkg/a.py", "from .mod import *\nf()\n"), init, module], "f", "src/pkg/mod.py#f!");
    check(&[("app.py", "from pkg import C\nC()\n"), init, module], "C", "src/pkg/mod.py#C!");
    check(&[("app.py", "from pkg import C\ndef g(c: C):\n    c.m()\n"), init, module], "c.m", "src/pkg/mod.py#C.m!");
    check(&[("app.py", "from pkg import C\ndef g(c: C):\n    c.n()\n"), init, module], "c.n", "src/pkg/mod.py#B.n!");
    check(
        &[("app.py", "from pkg import C\ndef g():\n    c = C.make()\n    c.m()\n"), init, module],
        "c.m",
        "src/pkg/mod.py#C.m!",
    );
    check(
        &[("app.py", "from pkg.fast import h\nh()\n"), init, ("src/pkg/fast.pyi", "def h() -> int: ...\n")],
        "h",
        "src/pkg/fast.pyi#h!",
    );
    check(&[("app.py", "from elsewhere import f\nf()\n"), init, module], "f", "");
    check(&[("app.py", "def g():\n    f()\n"), init, module], "f", "");
    check(
        &[
            ("src/pkg/mod2.py", "from .mod import C\nclass D(C):\n    def m(self):\n        super().m()\n"),
            init,
            module,
        ],
        "super.m",
        "src/pkg/mod.py#C.m!",
    );
    check(
        &[("src/pkg/mod2.py", "from .mod import C\nclass D(C):\n    def k(self):\n        self.n()\n"), init, module],
        "self.n",
        "src/pkg/mod.py#B.n!",
    );
}

#[test]
fn typescript_names_follow_specifiers() {
    let x = (
        "src/x.ts",
        "export function f() {}\nexport class C { m() {} make(): C { return this; } }\nexport const g = () => 1;",
    );
    let index = ("src/lib/index.ts", "export * from '../x.js';\nexport { f as h } from '../x.js';");
    let ky = ("src/d.ts", "export default class Dd { static create() {} }");
    check(&[("src/a.ts", "import { f } from './x.js';\nf();"), x], "f", "src/x.ts#f!");
    check(&[("src/a.ts", "import { g as k } from './x';\nk();"), x], "k", "src/x.ts#g!");
    check(&[("src/a.ts", "import * as n from './x';\nn.f();"), x], "n.f", "src/x.ts#f!");
    check(&[("src/a.ts", "import { f } from './lib';\nf();"), x, index], "f", "src/x.ts#f!");
    check(&[("src/a.ts", "import { h } from './lib/index.js';\nh();"), x, index], "h", "src/x.ts#f!");
    check(&[("src/a.ts", "import Dd from './d';\nDd.create();"), ky], "Dd.create", "src/d.ts#Dd.create!");
    check(&[("src/a.ts", "import { C } from './x';\nnew C();"), x], "C", "src/x.ts#C!");
    check(&[("src/a.ts", "import { C } from './x';\nfunction k(c: C) { c.m(); }"), x], "c.m", "src/x.ts#C.m!");
    check(
        &[("src/a.ts", "import { C } from './x';\nclass E extends C { k() { this.m(); } }"), x],
        "this.m",
        "src/x.ts#C.m!",
    );
    check(&[("src/a.ts", "import { f } from 'x';\nf();"), x], "f", "");
    check(&[("src/a.js", "const { f } = require('./x');\nf();"), x], "f", "src/x.ts#f!");
    check(&[("src/a.ts", "function k() { f(); }\nfunction f() {}"), x], "f", "src/a.ts#f!");
    check(&[("src/a.ts", "import { f } from 'x';\nf({ f() {} });"), x], "f", "");
}

#[test]
fn go_names_follow_folders() {
    let t = (
        "tools/t.go",
        "package tools\ntype T struct { in *Inner }\ntype Inner struct{}\nfunc (i *Inner) Deep() {}\nfunc F() *T { return nil }\nfunc (t *T) M() { t.in.Deep() }\nfunc New() (*T, error) { return nil, nil }",
    );
    check(
        &[("main.go", "package main\nimport \"github.com/a/b/v3/tools\"\nfunc g() { tools.F() }"), t],
        "tools.F",
        "tools/t.go#F!",
    );
    check(
        &[("main.go", "package main\nimport x \"github.com/a/b/tools\"\nfunc g() { x.F() }"), t],
        "x.F",
        "tools/t.go#F!",
    );
    check(&[("main.go", "package main\nimport \"strings\"\nfunc g() { strings.F() }"), t], "strings.F", "");
    check(&[("tools/u.go", "package tools\nfunc g() { F() }"), t], "F", "tools/t.go#F!");
    check(&[("main.go", "package main\nfunc g() { F() }"), t], "F", "");
    check(&[("tools/u.go", "package tools\nfunc g(t *T) { t.M() }"), t], "t.M", "tools/t.go#T.M!");
    check(&[("tools/u.go", "package tools\nfunc g() { t, err := New(); t.M() }"), t], "t.M", "tools/t.go#T.M!");
    check(
        &[("cmd/a.go", "package main\nfunc k() {}\nfunc g() { k() }"), ("cmd/b.go", "package main\nfunc k() {}")],
        "k",
        "cmd/a.go#k!",
    );
    check(
        &[("tools/u.go", "package tools\ntype I interface { Run() }\nfunc g(i I) { i.Run() }"), t],
        "i.Run",
        "tools/u.go#I.Run",
    );
    check(&[t], "t.in.Deep", "tools/t.go#Inner.Deep!");
    check(
        &[("tools/u.go", "package tools\ntype W struct { *T }\nfunc (w *W) g() { w.M() }"), t],
        "w.M",
        "tools/t.go#T.M!",
    );
}

#[test]
fn c_names_follow_the_linker() {
    let own = ("a/x.c", "static int f(int n) { return n; }\nint g(void) { return f(1); }");
    let hidden = ("b/y.c", "static int f(int n) { return n; }\nint h(void) { return 0; }");
    check(&[own, hidden], "f", "a/x.c#f!");
    check(&[("a/z.c", "int k(void) { return f(1); }"), hidden], "f", "");
    check(&[("a/z.c", "int k(void) { return h(); }"), hidden], "h", "b/y.c#h!");
    check(
        &[("a/z.c", "#include \"m.h\"\nint k(void) { return M(1); }"), ("a/m.h", "#define M(x) (x)")],
        "M",
        "a/m.h#M!",
    );
    check(
        &[
            ("a/z.c", "#include \"n.h\"\nint k(void) { return M(1); }"),
            ("a/n.h", "#include \"m.h\"\n"),
            ("a/m.h", "#define M(x) (x)"),
        ],
        "M",
        "a/m.h#M!",
    );
    check(&[("a/z.c", "int k(void) { return M(1); }"), ("a/m.h", "#define M(x) (x)")], "M", "");
    check(&[("a/z.c", "int k(struct s *s) { return s->h(); }"), hidden], "s.h", "");
    check(&[("a/z.c", "int k(void) { return h(); }"), ("a/p.c", "int h(void) { return 1; }"), hidden], "h", "a/p.c#h");
}

#[test]
fn cpp_names_follow_classes_and_namespaces() {
    let h =
        ("x.hpp", "namespace n { class C { public: void m() {} void k() { m(); } }; inline int f() { return 1; } }");
    check(&[h], "m", "x.hpp#n::C::m()!");
    check(&[("x.cpp", "#include \"x.hpp\"\nint g() { return n::f(); }"), h], "n::f", "x.hpp#n::f()!");
    check(&[("x.cpp", "#include \"x.hpp\"\nvoid g(n::C &c) { c.k(); }"), h], "c.k", "x.hpp#n::C::k()!");
    check(&[("x.cpp", "void g() { std::f(); }"), h], "std::f", "");
}

#[test]
fn java_names_follow_classes_and_packages() {
    let c = (
        "src/p/C.java",
        "package p;\npublic class C { static C make(int a) { return null; } void m() {} void m(int a) {} }",
    );
    check(
        &[("src/p/D.java", "package p;\nclass D { void g() { C.make(1); } }"), c],
        "C.make",
        "src/p/C.java#C.make(int)!",
    );
    check(
        &[("src/q/D.java", "package q;\nimport p.C;\nclass D { void g(C c) { c.m(); } }"), c],
        "c.m",
        "src/p/C.java#C.m()!",
    );
    check(
        &[("src/q/D.java", "package q;\nimport p.C;\nclass D extends C { void g() { m(1); } }"), c],
        "m",
        "src/p/C.java#C.m(int)!",
    );
    check(&[("src/q/D.java", "package q;\nimport z.C;\nclass D { void g() { new C(); } }"), c], "C", "");
    check(
        &[("src/q/D.java", "package q;\nimport p.C;\nclass D { C c; void g() { c.m(1); } }"), c],
        "c.m",
        "src/p/C.java#C.m(int)!",
    );
}

#[test]
fn circles_end() {
    check(&[("src/a.rs", "struct A;\nimpl A::B for A {}\nfn g(a: A) { a.rare() }")], "a.rare", "");
    check(&[("a.py", "class A(A.B):\n    def g(self):\n        self.rare()\n")], "self.rare", "");
    check(&[("a.ts", "class A extends A.B { g() { this.rare(); } }")], "this.rare", "");
    check(&[("A.java", "class A extends A.B { void g() { rare(); } }")], "rare", "");
    check(&[("src/a.rs", "type A = B;\ntype B = A;\nfn g(a: A) { a.rare() }")], "a.rare", "");
    check(&[("src/a.rs", "fn g() { let x = x.f(); x.rare() }")], "x.rare", "");
    check(&[("a.hpp", "using A = B;\nusing B = A;\nvoid g(A a) { a.rare(); }")], "a.rare", "");
}
