//! The house rules that a program can read off the tree: rooms import upwards, heavy dependencies have one door, files
//! are short and open with their duty. Prints every breach at once; refuses exceptions that are not written here.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// No file is longer, tests inside included.
const MAX_LINES: usize = 600;

/// Where a heavy dependency may be named.
const DOORS: &[(&str, &[&str])] = &[
    ("gix", &["git"]),
    ("gix_imara_diff", &["git"]),
    ("tree_sitter", &["syntax"]),
    ("clap", &["commands"]),
    ("clap_complete", &["commands"]),
    // SQL sits beside its table.
    (
        "rusqlite",
        &[
            "sqlite",
            "eventlog",
            "store",
            "view",
            "item",
            "entries",
            "history",
            "edges",
            "text_index",
            "embedding",
            "index",
            "pipeline",
            "query",
            "verify",
            "commands",
        ],
    ),
    ("fastembed", &["embedding"]),
    ("ort", &["embedding"]),
    ("tokenizers", &["embedding"]),
    ("safetensors", &["adapter"]),
    ("ndarray", &["adapter"]),
    ("usearch", &["index"]),
    ("git2", &[]),
];

struct Source {
    path: PathBuf,
    /// From the top of the project.
    name: String,
    /// `git` for `src/git/mod.rs`; empty for what is no room.
    room: String,
    text: String,
}

impl Source {
    /// The code without comments and without the tests at its end; numbers of lines stay.
    fn code(&self) -> Vec<(usize, &str)> {
        let is_test = self.name.contains("/tests/") || self.name.ends_with("/tests.rs");
        let all = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        all.take_while(|(_, line)| {
            !is_test && !line.starts_with("#[cfg(test)]\nmod tests {") && line.trim() != "mod tests {"
        })
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .collect()
    }
}

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(below: &str) -> Vec<Source> {
    let (mut all, mut folders) = (Vec::new(), vec![top().join(below)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(top()).expect("it is below").to_string_lossy().into_owned();
                let room =
                    name.strip_prefix("src/").map_or("", |rest| rest.split(['/', '.']).next().unwrap_or_default());
                let text = fs::read_to_string(&path).expect("UTF-8");
                all.push(Source { room: room.to_string(), path, name, text });
            }
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// The rooms in the order of `src/lib.rs`.
fn rooms() -> Vec<String> {
    let lib = fs::read_to_string(top().join("src/lib.rs")).expect("src/lib.rs");
    let declared = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod ")?.strip_suffix(';'));
    declared.map(str::to_string).collect()
}

/// The rooms that a line names after `crate::`, also in braces; braces may go on over lines, so the rest comes too.
fn named(rest: &str) -> Vec<String> {
    let word = Regex::new(r"^\w+").expect("a constant");
    let Some(inner) = rest.strip_prefix('{') else {
        return word.find(rest).map(|found| found.as_str().to_string()).into_iter().collect();
    };
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                parts.push(&inner[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.iter().filter_map(|part| word.find(part.trim())).map(|found| found.as_str().to_string()).collect()
}

/// Every `crate::` in a file's code, with its line and the room that is named.
fn imports(source: &Source) -> Vec<(usize, String)> {
    let code = source.code();
    let text: String = code.iter().flat_map(|(_, line)| [line, "\n"]).collect();
    let mut found = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let line = text[..at].matches('\n').count();
        found.extend(named(&text[at + "crate::".len()..]).into_iter().map(|room| (code[line].0, room)));
    }
    found
}

fn import_order(breaches: &mut Vec<String>) {
    let rooms = rooms();
    let place = |room: &str| rooms.iter().position(|declared| declared == room);
    assert!(rooms.len() > 10, "src/lib.rs declares its rooms as `mod` or `pub mod`");
    if rooms.last().map(String::as_str) != Some("commands") {
        breaches.push("src/lib.rs: `commands` is the last room".to_string());
    }
    for source in sources("src").iter().filter(|source| !matches!(source.room.as_str(), "lib" | "main")) {
        let Some(own) = place(&source.room) else {
            breaches.push(format!("{}: the room is not declared in src/lib.rs", source.name));
            continue;
        };
        for (line, room) in imports(source) {
            if place(&room).is_some_and(|other| other > own) {
                breaches.push(format!("{}:{line}: {} stands above {room} in src/lib.rs", source.name, source.room));
            }
        }
    }
}

fn doors(breaches: &mut Vec<String>) {
    for source in sources("src") {
        for (dependency, allowed) in DOORS {
            let word =
                Regex::new(&format!(r"\b{dependency}(_\w+)?::|\buse {dependency}(_\w+)?\b")).expect("a constant");
            let exact = Regex::new(&format!(r"\b{dependency}::|\buse {dependency}\b")).expect("a constant");
            let pattern = if *dependency == "tree_sitter" { &word } else { &exact };
            for (line, _) in source.code().iter().filter(|(_, text)| pattern.is_match(text)) {
                if !allowed.contains(&source.room.as_str()) {
                    breaches.push(format!("{}:{line}: {dependency} has its door in {allowed:?}", source.name));
                }
            }
        }
    }
}

fn pages(breaches: &mut Vec<String>) {
    for source in ["src", "tests", "docs"].into_iter().flat_map(sources) {
        if !source.text.starts_with("//! ") {
            breaches.push(format!("{}: does not open with its duty (`//!`)", source.name));
        }
        let lines = source.text.lines().count();
        if lines > MAX_LINES {
            breaches.push(format!("{}: {lines} lines, {MAX_LINES} are the most", source.name));
        }
        // Put together here, so that this file does not hold them.
        let (allow, unwrap) = (["#[", "allow("].concat(), [".unw", "rap()"].concat());
        for (index, _) in source.text.lines().enumerate().filter(|(_, line)| line.contains(&allow)) {
            breaches.push(format!("{}:{}: an exception is `#[expect(.., reason = ..)]`", source.name, index + 1));
        }
        for (line, _) in source.code().iter().filter(|(_, line)| line.contains(&unwrap)) {
            breaches.push(format!("{}:{line}: `expect` says why it cannot fail", source.name));
        }
    }
}

/// A test file that nobody declares would never run.
fn declared(breaches: &mut Vec<String>) {
    for source in sources("tests") {
        let stem = source.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let folder = source.path.parent().expect("a folder");
        let (parent, name) = match stem {
            "main" => continue,
            "mod" => (
                folder.parent().expect("a folder").join("main.rs"),
                folder.file_name().and_then(|name| name.to_str()).unwrap_or_default(),
            ),
            _ if folder.join("main.rs").exists() => (folder.join("main.rs"), stem),
            _ => (folder.join("mod.rs"), stem),
        };
        let text = fs::read_to_string(&parent).unwrap_or_default();
        if !text.lines().any(|line| line.trim() == format!("mod {name};")) {
            breaches.push(format!("{}: not declared in {}", source.name, parent.display()));
        }
    }
}

#[test]
fn the_tree_keeps_the_house_rules() {
    let mut breaches = Vec::new();
    import_order(&mut breaches);
    doors(&mut breaches);
    pages(&mut breaches);
    declared(&mut breaches);
    assert!(breaches.is_empty(), "{} breaches:\n{}", breaches.len(), breaches.join("\n"));
}

#[test]
fn imports_are_found_in_braces_and_paths() {
    let check = |text: &str, expect: &[&str]| {
        let source = Source { path: PathBuf::new(), name: String::new(), room: String::new(), text: text.to_string() };
        let found: Vec<String> = imports(&source).into_iter().map(|(_, room)| room).collect();
        assert_eq!(found, expect, "{text}");
    };
    check("use crate::git::{A, B};", &["git"]);
    check("use crate::{edges, store::{A, B},\n  view};\n", &["edges", "store", "view"]);
    check("let x = crate::event::hex(y);", &["event"]);
    check("/// [`crate::git::A`]\nfn a() {}\n#[cfg(test)]\nmod tests {\n use crate::main;\n}", &[]);
}
