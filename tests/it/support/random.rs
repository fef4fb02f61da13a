//! Random histories by `git fast-import`, reproducible by seed. Names, types and parents are as unusual as git allows.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use super::TestRepo;

/// A pseudo-random number generator, reproducible by seed.
pub struct Random(u64);

/// The entry of a tree at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    File(Vec<u8>),
    Executable(Vec<u8>),
    Link(Vec<u8>),
    Submodule(u8),
}

/// A commit to create.
#[derive(Debug, Clone)]
pub struct Planned {
    pub parents: Vec<usize>,
    pub tree: BTreeMap<Vec<u8>, Entry>,
    pub author: usize,
    pub message: String,
}

type Tree = BTreeMap<Vec<u8>, Entry>;

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Returns a number below a bound.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }

    /// Returns true with a probability of `chance` percent.
    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    /// Returns a random element.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Names with various folders, extensions and difficult characters.
const NAMES: &[&[u8]] = &[
    b"src/alpha.rs",
    b"src/beta.rs",
    b"src/gamma.rs",
    b"src/deep/delta.rs",
    b"lib/alpha.py",
    b"lib/beta.py",
    b"web/alpha.ts",
    b"docs/guide.md",
    b"docs",
    b"a",
    b"a.txt",
    b"a/b",
    b"a/b/c.go",
    b"line\nend.rs",
    b"tab\there.md",
    b"\xff\xfe.rs",
    b"50%.rs",
    b"number#1.rs",
    b"commit:abc",
    b"quote\"d\\.c",
    "gr\u{fc}n/\u{202e}.rs".as_bytes(),
    b" lead",
    b"sessions/20250615-090000.md",
    b"sessions/20250616-100000.md",
];

/// Returns co-author trailers: some commits have a co-author, and some a bot.
fn wrote_too(commit: usize) -> String {
    let other = PEOPLE[commit / 3 % PEOPLE.len()];
    if commit.is_multiple_of(3) { format!("\nCo-authored-by: {other}\n") } else { String::new() }
}

const PEOPLE: &[&str] = &["Ada <ada@example.org>", "Grace <grace@example.org>", "Release Bot <ci@example.org>"];

/// Plans a history: mostly linear, with siblings (as amends leave them), merges and second roots.
pub fn history(seed: u64, commits: usize) -> Vec<Planned> {
    let random = &mut Random::new(seed);
    let mut all: Vec<Planned> = Vec::new();
    for index in 0..commits {
        let mut parents = Vec::new();
        if index > 0 && !random.percent(4) {
            parents.push(if random.percent(75) { index - 1 } else { random.below(index) });
            let other = random.below(index);
            if random.percent(14) && !parents.contains(&other) {
                parents.push(other);
            }
        }
        let mut tree = Tree::new();
        for parent in parents.iter().rev() {
            for (path, entry) in all[*parent].tree.clone() {
                place(&mut tree, path, entry);
            }
        }
        for _ in 0..1 + random.below(4) {
            change(&mut tree, random);
        }
        all.push(Planned {
            parents,
            tree,
            author: random.below(PEOPLE.len()),
            message: format!("step {index}\n\nWhy.\n{}", wrote_too(index)),
        });
    }
    all
}

fn change(tree: &mut Tree, random: &mut Random) {
    let name = random.pick(NAMES).to_vec();
    let held: Vec<Vec<u8>> = tree.keys().cloned().collect();
    if held.len() < 3 || random.percent(30) {
        let text = text(random, &name);
        return place(tree, name, Entry::File(text));
    }
    let path = random.pick(&held).clone();
    let entry = tree.get(&path).cloned().expect("it was listed");
    match random.below(12) {
        0..4 => place(tree, path.clone(), Entry::File(text(random, &path))),
        4..6 => drop(tree.remove(&path)),
        6..9 => {
            tree.remove(&path);
            place(tree, name, entry);
        }
        9 => match entry {
            Entry::File(text) => place(tree, path, Entry::Executable(text)),
            Entry::Executable(text) | Entry::Link(text) => place(tree, path, Entry::File(text)),
            Entry::Submodule(_) => place(tree, path, Entry::Link(b"a".to_vec())),
        },
        10 => place(tree, path, Entry::Link(b"src/alpha.rs".to_vec())),
        _ => place(tree, path, Entry::Submodule(random.below(200) as u8)),
    }
}

/// Puts an entry at a path, and removes a file or folder that conflicts with it.
fn place(tree: &mut Tree, path: Vec<u8>, entry: Entry) {
    let below = |path: &[u8], folder: &[u8]| {
        path.len() > folder.len() && path.starts_with(folder) && path[folder.len()] == b'/'
    };
    tree.retain(|held, _| !below(held, &path) && !below(&path, held));
    tree.insert(path, entry);
}

fn text(random: &mut Random, path: &[u8]) -> Vec<u8> {
    let (a, b) = (random.below(6), random.below(6));
    let text = match path.rsplit(|byte| *byte == b'.').next() {
        _ if path.starts_with(b"sessions/") => session(a, b),
        Some(b"rs") => {
            format!("use crate::beta::work{b};\n\npub fn work{a}() {{\n    work{b}();\n}}\n\npub struct Kind{b};\n")
        }
        Some(b"py") => format!("def work{a}():\n    return work{b}()\n"),
        Some(b"ts") => format!("export function work{a}(): number {{\n  return work{b}();\n}}\n"),
        Some(b"go") => format!("package c\n\nfunc Work{a}() {{ Work{b}() }}\n"),
        Some(b"c") => format!("int work{a}(void) {{ return work{b}(); }}\n"),
        _ if a == 0 => String::new(),
        _ => format!("note {a} about work{b}\n"),
    };
    text.into_bytes()
}

/// Returns a session log; two files may hold the same session.
fn session(a: usize, b: usize) -> String {
    format!(
        "# Session: step {a}\n**ID**: 2025061{}-090000\n**Started**: 2025-06-15T09:00:00Z\n\n## Goals\n- [ ] do work{a}\n\n\
         ## Activity Log\n### 09:30 - Step {b}\n\n**Key Decisions:**\n- Keep work{b} in src/beta.rs because work{a} calls it\n- Done twice\n- Done twice\n",
        5 + a % 2
    )
}

/// Creates the commits in a repository without any branch, and returns their ids in order.
pub fn import(repo: &TestRepo, commits: &[Planned]) -> Vec<String> {
    let marks = repo.root().join("marks");
    let mut child = repo
        .command("git")
        .args(["fast-import", "--quiet", "--force", "--date-format=raw"])
        .arg(format!("--export-marks={}", marks.display()))
        .stdin(Stdio::piped())
        .spawn()
        .expect("git fast-import runs");
    let mut stream = Vec::new();
    for (index, commit) in commits.iter().enumerate() {
        write_commit(&mut stream, index, commit);
    }
    stream.extend_from_slice(b"reset refs/heads/random\nfrom 0000000000000000000000000000000000000000\n\n");
    child.stdin.take().expect("it is piped").write_all(&stream).expect("git reads");
    assert!(child.wait().expect("git ends").success(), "git fast-import");
    let text = fs::read_to_string(marks).expect("the marks");
    let mut ids: BTreeMap<usize, String> = BTreeMap::new();
    for (mark, id) in text.lines().filter_map(|line| line.strip_prefix(':')?.split_once(' ')) {
        ids.insert(mark.parse().expect("a number"), id.to_string());
    }
    ids.into_values().collect()
}

fn write_commit(stream: &mut Vec<u8>, index: usize, commit: &Planned) {
    let (mark, when) = (index + 1, 1_740_000_000 + 3600 * index);
    // A commit on a new branch is a root; a separate branch name for each commit keeps git from comparing tips.
    let head = format!(
        "commit refs/heads/random\nmark :{mark}\nauthor {} {when} +0100\ncommitter Ada <ada@example.org> {when} +0000\ndata {}\n{}",
        PEOPLE[commit.author],
        commit.message.len(),
        commit.message
    );
    if commit.parents.is_empty() {
        stream.extend_from_slice(b"reset refs/heads/random\n\n");
    }
    stream.extend_from_slice(head.as_bytes());
    for (place, parent) in commit.parents.iter().enumerate() {
        let word = if place == 0 { "from" } else { "merge" };
        stream.extend_from_slice(format!("{word} :{}\n", parent + 1).as_bytes());
    }
    stream.extend_from_slice(b"deleteall\n");
    for (path, entry) in &commit.tree {
        let path = quoted(path);
        let (mode, text) = match entry {
            Entry::File(text) => ("100644", text),
            Entry::Executable(text) => ("100755", text),
            Entry::Link(text) => ("120000", text),
            Entry::Submodule(n) => {
                stream.extend_from_slice(format!("M 160000 {:040x} {path}\n", u64::from(*n) + 1).as_bytes());
                continue;
            }
        };
        stream.extend_from_slice(format!("M {mode} inline {path}\ndata {}\n", text.len()).as_bytes());
        stream.extend_from_slice(text);
        stream.push(b'\n');
    }
    stream.push(b'\n');
}

fn quoted(path: &[u8]) -> String {
    let escaped: String = path.iter().map(|byte| format!("\\{byte:03o}")).collect();
    format!("\"{escaped}\"")
}
