//! Tests of parsing JavaScript and TypeScript, case by case.

use super::super::Language::{JavaScript, Tsx, TypeScript};
use super::{check_calls, check_definitions, check_imports, definition, read};

#[test]
fn definitions_are_named_by_their_scopes() {
    for (source, expect) in [
        ("function a() { function b() {} }", &["function a", "function a.b"][..]),
        (
            "class A extends B { c() {} static d() {} e = () => 1; #f() {} }",
            &["type A", "function A.c", "function A.d", "function A.e", "function A.#f"],
        ),
        ("const a = () => 1, b = function () {}, c = 3;", &["function a", "function b", "constant c"]),
        ("export const a = async (x) => { const y = 1; };", &["function a"]),
        ("export default function () {}", &["function default"]),
        ("export default class {}", &["type default"]),
        ("export default () => 1;", &["function default"]),
        ("module.exports.a = function () {}; T.prototype.b = () => 1; exports.c = 1;", &["function a", "function T.b"]),
        ("const api = { get() {}, post: () => 1, n: 1 };", &["constant api", "function api.get", "function api.post"]),
        ("const fs = require('fs');", &[]),
        ("f({ async test() {}, g: { h() {} } });", &[]),
        ("function f() { return { get() {} }; }", &["function f", "function f.get"]),
        ("const a = f({ get() {} });", &["constant a", "function a.get"]),
        ("exports.a = { get() {} };", &["function get"]),
        ("export default { get() {} };", &["constant default", "function default.get"]),
        ("const A = class {};", &["type A"]),
        ("function* g() {} let x = 1; { const inner = 1; }", &["function g", "constant x"]),
        ("if (a) { const f = () => 1; }", &["function f"]),
    ] {
        check_definitions(JavaScript, source, expect);
        check_definitions(TypeScript, source, expect);
        check_definitions(Tsx, source, expect);
    }
}

#[test]
fn types_are_definitions_too() {
    for (source, expect) in [
        ("interface A extends B { x: C; m(y: D): E; }", &["type A", "function A.m"][..]),
        ("type A = B | C; enum D { E }", &["type A", "type D"]),
        ("namespace n { export const a = 1; export function f() {} }", &["module n", "constant n.a", "function n.f"]),
        ("abstract class A { abstract m(): void; n(): void {} }", &["type A", "function A.m", "function A.n"]),
        ("function f(a: string): void; function f(a: number): void; function f(a) {}", &["function f"]),
        ("declare function f(): void; declare const x: number;", &["function f"]),
    ] {
        check_definitions(TypeScript, source, expect);
    }
    let source = "export class A extends B<C> implements D, E { private f: F<G>; h = new H(); constructor(public i: I) { super(); this.j = new J(); } }";
    let class = definition(TypeScript, source, "A");
    assert_eq!(class.bases, ["B", "D", "E"]);
    assert_eq!(class.fields, [("f".into(), "F<G>".into()), ("h".into(), "H".into())]);
    let constructor = definition(TypeScript, source, "A.constructor");
    assert_eq!(constructor.fields, [("i".into(), "I".into()), ("j".into(), "J".into())]);
    assert_eq!(class.signature, "export class A extends B<C> implements D, E");
}

#[test]
fn comments_above_are_documentation() {
    let source = "/** The file. */\n\n/**\n * Adds.\n * @param a one\n */\nexport const add = (a, b) => a + b;\n\nclass A {\n  // Runs.\n  run() {}\n}\n";
    assert_eq!(read(JavaScript, source).doc, "The file.");
    assert_eq!(definition(JavaScript, source, "add").doc, "Adds.\n@param a one");
    assert_eq!(definition(JavaScript, source, "add").signature, "export const add = (a, b)");
    assert_eq!(definition(JavaScript, source, "A.run").doc, "Runs.");
    assert_eq!(definition(JavaScript, source, "A").text, "class A {\n  run\n}");
}

#[test]
fn calls_are_read_as_written() {
    for (source, expect) in [
        (
            "function a() { b(1); c.d(); new E(); new f.G(1); }",
            &["a> free b/1", "a> path c.d/0", "a> free E/0", "a> path f.G/1"][..],
        ),
        (
            "function a() { const x = new E(); x.f(); x?.g(); }",
            &["a> free E/0", "a> method x.f/0 :E", "a> method x.g/0 :E"],
        ),
        (
            "class A { m() { this.n(); this.o.p(); super.q(); } }",
            &["A.m> method this.n/0 :A", "A.m> method this.o.p/0", "A.m> method super.q/0"],
        ),
        ("async function a() { const r = await f(); r.b(); }", &["a> free f/0", "a> method r.b/0 =f"]),
        (
            "function a(cb) { cb(); [].map((x) => x()); }",
            &["a> free cb/0 local", "a> method _.map/1", "a> free x/0 local"],
        ),
        ("function a() { const h = () => 1; h(); function k() {} k(); }", &["a> free h/0", "a> free k/0"]),
        ("import { x } from 'y'; x.f(); const fs = require('fs'); fs.g();", &["> path x.f/0", "> path fs.g/0"]),
        ("function a({ b }, [c]) { b(); c.d(); }", &["a> free b/0 local", "a> method c.d/0"]),
        ("(function () { f(); })();", &["> free f/0"]),
        ("tag`x`;", &["> free tag/1"]),
        ("f({ test() { g(); } });", &["> free f/1", "> free g/0"]),
        (
            "function a(b) { for (const b of b.c()) {} new D().e().f(); }",
            &["a> method b.c/0", "a> method _.f/0 =D().e", "a> method _.e/0 :D", "a> free D/0"],
        ),
        ("class A { m() { const self = this; self.n(); } }", &["A.m> method self.n/0 :A"]),
    ] {
        check_calls(JavaScript, source, expect);
    }
}

#[test]
fn annotations_type_receivers() {
    for (source, expect) in [
        (
            "function a(p: Parser, q?: Q | null) { p.b(); q!.c(); }",
            &["a> method p.b/0 :Parser", "a> method q.c/0 :Q"][..],
        ),
        ("const a = (p: Parser): void => { p.b(); };", &["a> method p.b/0 :Parser"]),
        ("function a() { const p: Parser = f<T>(); p.b(); }", &["a> free f/0", "a> method p.b/0 :Parser"]),
        ("class A { constructor(private p: P) { p.b(); } }", &["A.constructor> method p.b/0 :P"]),
    ] {
        check_calls(TypeScript, source, expect);
    }
    check_calls(Tsx, "const A = (p: P) => <B onClick={() => p.f()}>{g()}</B>;", &["A> method p.f/0 :P", "A> free g/0"]);
}

#[test]
fn imports_say_what_is_taken_from_where() {
    for (source, expect) in [
        ("import a, { b, c as d } from './x';", &["./x default a", "./x b -", "./x c d"][..]),
        ("import * as ns from 'y'; import 'z';", &["y - ns", "z - -"]),
        (
            "export { a, b as c } from './x'; export * from './y'; export * as z from './z';",
            &["./x a - pub", "./x b c pub", "./y * - pub", "./z - z pub"],
        ),
        (
            "const a = require('x'); const { b, c: d } = require('y'); require('z');",
            &["x - a", "y b -", "y c d", "z - -"],
        ),
        ("async function f() { await import('./lazy'); }", &["./lazy - - in f"]),
        ("export { local };", &[]),
    ] {
        check_imports(JavaScript, source, expect);
        check_imports(TypeScript, source, expect);
    }
    check_imports(TypeScript, "import type { T } from './t'; import fs = require('fs');", &["./t T -", "fs - fs"]);
}
