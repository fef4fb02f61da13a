//! Tests of nine languages, one small file each: definitions, their lines, and calls. Details of grammars are in the
//! unit tests of the parsers.

use serde_json::Value;

use crate::support::TestRepo;

/// One language: its file, the definitions as (qualified name, kind, line), and the calls as (caller, callee, line).
struct Case {
    path: &'static str,
    text: &'static str,
    items: &'static [(&'static str, &'static str, u64)],
    calls: &'static [(&'static str, &'static str, u64)],
}

const CASES: &[Case] = &[
    Case {
        path: "src/parser.rs",
        text: "//! Parsing.\n\npub struct Parser;\n\nimpl Parser {\n    /// Reads all.\n    pub fn parse(&self) -> u32 {\n        self.step() + helper()\n    }\n\n    fn step(&self) -> u32 {\n        1\n    }\n}\n\nfn helper() -> u32 {\n    2\n}\n",
        items: &[
            ("Parser", "type", 3),
            ("Parser::parse", "function", 7),
            ("Parser::step", "function", 11),
            ("helper", "function", 16),
        ],
        calls: &[("Parser::parse", "Parser::step", 8), ("Parser::parse", "helper", 8)],
    },
    Case {
        path: "py/shop.py",
        text: "class Basket:\n    def total(self):\n        return self.count() * price()\n\n    def count(self):\n        return 1\n\n\ndef price():\n    return 2\n",
        items: &[
            ("Basket", "type", 1),
            ("Basket.total", "function", 2),
            ("Basket.count", "function", 5),
            ("price", "function", 9),
        ],
        calls: &[("Basket.total", "Basket.count", 3), ("Basket.total", "price", 3)],
    },
    Case {
        path: "js/cart.js",
        text: "class Cart {\n  pay() {\n    return fee();\n  }\n}\n\nfunction fee() {\n  return 1;\n}\n",
        items: &[("Cart", "type", 1), ("Cart.pay", "function", 2), ("fee", "function", 7)],
        calls: &[("Cart.pay", "fee", 3)],
    },
    Case {
        path: "ts/door.ts",
        text: "export interface Lock { open(): boolean }\n\nexport function unlock(): boolean {\n  return turn(3);\n}\n\nfunction turn(times: number): boolean {\n  return times > 2;\n}\n",
        items: &[("Lock", "type", 1), ("unlock", "function", 3), ("turn", "function", 7)],
        calls: &[("unlock", "turn", 4)],
    },
    Case {
        path: "ts/page.tsx",
        text: "export function Page() {\n  return <p>{title()}</p>;\n}\n\nfunction title(): string {\n  return \"x\";\n}\n",
        items: &[("Page", "function", 1), ("title", "function", 5)],
        calls: &[("Page", "title", 2)],
    },
    Case {
        path: "go/server.go",
        text: "package server\n\ntype Server struct{}\n\nfunc (s *Server) Serve() int {\n\treturn listen()\n}\n\nfunc listen() int {\n\treturn 1\n}\n",
        items: &[("Server", "type", 3), ("Server.Serve", "function", 5), ("listen", "function", 9)],
        calls: &[("Server.Serve", "listen", 6)],
    },
    Case {
        path: "c/list.c",
        text: "struct node { int value; };\n\nstatic int weigh(int n) {\n    return n;\n}\n\nint measure(void) {\n    return weigh(2);\n}\n",
        items: &[("weigh", "function", 3), ("measure", "function", 7)],
        calls: &[("measure", "weigh", 8)],
    },
    Case {
        path: "cpp/shape.cpp",
        text: "class Shape {\npublic:\n    int area() { return square(3); }\n    int square(int n) { return n * n; }\n};\n",
        items: &[("Shape", "type", 1), ("Shape::area()", "function", 3), ("Shape::square(int)", "function", 4)],
        calls: &[("Shape::area()", "Shape::square(int)", 3)],
    },
    Case {
        path: "java/Bank.java",
        text: "class Bank {\n    int balance() {\n        return sum(1);\n    }\n\n    int sum(int n) {\n        return n;\n    }\n}\n",
        items: &[("Bank", "type", 1), ("Bank.balance()", "function", 2), ("Bank.sum(int)", "function", 6)],
        calls: &[("Bank.balance()", "Bank.sum(int)", 3)],
    },
];

fn indexed() -> TestRepo {
    let repo = TestRepo::new();
    for case in CASES {
        repo.write(case.path, case.text);
    }
    repo.commit("nine languages");
    repo.reindex();
    repo
}

fn edge(edges: &Value, caller: &str, callee: &str) -> Option<(Value, Value)> {
    let edges = edges["edges"].as_array().expect("edges");
    let edge = edges.iter().find(|edge| edge["caller"] == caller && edge["callee"] == callee)?;
    Some((edge["path"].clone(), edge["line"].clone()))
}

#[test]
fn each_language_gives_its_definitions_with_their_places() {
    let repo = indexed();
    let mut wrong = Vec::new();
    for case in CASES {
        for (qualified, kind, line) in case.items {
            let name = qualified.rsplit(['.', ':']).next().and_then(|name| name.split('(').next()).expect("a name");
            let hits = repo.json(&["query", name, "--kind", kind, "--path", case.path])["hits"].clone();
            let key = format!("{}#{qualified}", case.path);
            let hit = hits.as_array().expect("hits").iter().find(|hit| hit["key"] == key);
            if hit.is_none_or(|hit| hit["line"] != *line || hit["path"] != case.path) {
                wrong.push(format!("{key} {kind} at {line}: {hits}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_language_gives_its_calls_both_ways() {
    let repo = indexed();
    let mut wrong = Vec::new();
    for case in CASES {
        for (caller, callee, line) in case.calls {
            let (caller, callee) = (format!("{}#{caller}", case.path), format!("{}#{callee}", case.path));
            let expect = Some((Value::from(case.path), Value::from(*line)));
            for (command, symbol) in [("calls", &caller), ("callers", &callee)] {
                let edges = repo.json(&[command, symbol]);
                if edge(&edges, &caller, &callee) != expect {
                    wrong.push(format!("{command} {symbol}: {edges}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_call_resolves_into_another_file_by_its_import_and_says_how_sure() {
    let repo = TestRepo::new();
    repo.write("src/lib.rs", "mod a;\nmod b;\n");
    repo.write("src/a.rs", "use crate::b::help;\n\npub fn work() {\n    help();\n}\n");
    repo.write("src/b.rs", "pub fn help() {}\n");
    repo.write("py/a.py", "from py.b import assist\n\ndef work():\n    assist()\n");
    repo.write("py/b.py", "def assist():\n    pass\n");
    repo.write("py/c.py", "def assist():\n    pass\n");
    repo.commit("imports");
    repo.reindex();
    for (symbol, callee) in [("src/a.rs#work", "src/b.rs#help"), ("py/a.py#work", "py/b.py#assist")] {
        let edges = repo.json(&["calls", symbol]);
        let best = &edges["edges"][0];
        assert_eq!(best["callee"], callee, "{edges}");
        assert!(best["confidence"].as_f64() > Some(0.8), "{edges}");
    }
    repo.git(&["rm", "-q", "src/b.rs"]);
    repo.commit_files(&[("src/c.rs", "pub fn nothing() {}\n")], "the callee goes");
    repo.reindex();
    assert_eq!(repo.json(&["calls", "src/a.rs#work"])["edges"], serde_json::json!([]), "an edge is a join");
}

#[test]
fn calls_are_followed_over_steps() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.rs", "fn one() { two(); }\nfn two() { three(); }\nfn three() { one(); }\n")], "a ring");
    repo.reindex();
    let depths = |args: &[&str]| -> Vec<u64> {
        let edges = repo.json(args)["edges"].clone();
        edges.as_array().expect("edges").iter().map(|edge| edge["depth"].as_u64().expect("a depth")).collect()
    };
    assert_eq!(depths(&["calls", "one"]), [1]);
    assert_eq!(depths(&["calls", "one", "--depth", "9"]), [1, 2, 3]);
    assert_eq!(depths(&["callers", "one", "--depth", "2"]), [1, 2]);
}
