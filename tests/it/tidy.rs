//! Tests of the project's structure: modules import in one direction, each heavy dependency is used by one module,
//! files are short and documented, docs are linked, and the numbers of `ledger.toml` hold. All violations are printed
//! at once.

use std::collections::{BTreeMap, BTreeSet};
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

/// The type names that rooms define, tests left out: name to rooms.
fn type_names() -> BTreeMap<String, BTreeSet<String>> {
    let definition =
        Regex::new(r"^\s*(?:pub(?:\([^)]*\))? )?(?:struct|enum|trait|union) ([A-Z]\w*)").expect("a constant");
    let alias = Regex::new(r"^(?:pub(?:\([^)]*\))? )?type ([A-Z]\w*)").expect("a constant");
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources("src") {
        for (_, line) in source.code() {
            if let Some(found) = definition.captures(line).or_else(|| alias.captures(line)) {
                names.entry(found[1].to_string()).or_default().insert(source.room.clone());
            }
        }
    }
    names
}

#[test]
fn one_type_name_means_one_thing() {
    let doubled: Vec<String> = type_names()
        .into_iter()
        .filter(|(_, rooms)| rooms.len() > 1)
        .map(|(name, rooms)| format!("{name}: {}", rooms.into_iter().collect::<Vec<_>>().join(", ")))
        .collect();
    assert!(doubled.is_empty(), "type names of two rooms:\n{}", doubled.join("\n"));
}

fn read(path: &str) -> String {
    fs::read_to_string(top().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The pages of prose, from the top of the project.
fn prose() -> Vec<String> {
    let docs = fs::read_dir(top().join("docs")).expect("docs").map(|entry| entry.expect("an entry").path());
    let docs = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let names = docs.map(|path| path.strip_prefix(top()).expect("it is below").to_string_lossy().into_owned());
    let mut all: Vec<String> = names.collect();
    all.extend(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"].map(str::to_string));
    all.sort();
    all
}

#[test]
fn every_room_and_every_page_can_be_found() {
    let architecture = read("ARCHITECTURE.md");
    for room in rooms() {
        assert!(architecture.contains(&format!("**`{room}`**")), "ARCHITECTURE.md says nothing of {room}");
    }
    let pages = prose();
    let all: String = pages.iter().map(|page| read(page)).collect();
    for page in pages.iter().filter_map(|page| page.strip_prefix("docs/")) {
        assert!(
            all.contains(&format!("]({page}")) || all.contains(&format!("](docs/{page}")),
            "no page links to {page}"
        );
    }
}

/// Words that were replaced, and what stands for them; matched as whole words, whatever their case.
const RETIRED: &[(&str, &str)] = &[
    (r"refused holds the others not back", "a rejected file does not stop the others"),
    (r"is no time", "cannot parse .. as a date or duration"),
    (r"say little", "has little weight"),
    (r"taken in by itself", "is indexed automatically"),
    (r"told apart", "distinguished"),
    (r"that speaks for", "evidence"),
    (r"frozen embedding", "base embedding"),
];

#[test]
fn retired_words_stay_away() {
    let mut texts: Vec<(String, String)> = prose().into_iter().map(|page| (page.clone(), read(&page))).collect();
    texts.push(("the help".to_string(), patina::commands::commands_page()));
    let mut found = Vec::new();
    for (words, better) in RETIRED {
        let words = Regex::new(&format!(r"(?i)\b{words}\b")).expect("a constant");
        for (page, text) in &texts {
            for (index, line) in text.lines().enumerate().filter(|(_, line)| words.is_match(line)) {
                found.push(format!("{page}:{}: {} (better: {better})", index + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{} retired words:\n{}", found.len(), found.join("\n"));
}

/// Files that name a dimension or an agent by a literal outside of its table; the list may only shrink.
const NAMED: &[&str] = &[
    "src/commands/eval.rs",
    "src/commands/snippets.rs",
    "src/history/kind.rs",
    "src/sessions/claude.rs",
    "src/sessions/codex.rs",
    "src/sessions/markdown/log_reader.rs",
];

#[test]
fn dimensions_and_agents_are_named_in_their_tables() {
    let names =
        "semantic|temporal|dependency|syntactic|architectural|social|claude|codex|gemini|cursor|copilot|opencode";
    let literal = Regex::new(&format!("\"(?:{names})\"")).expect("a constant");
    let of_table = |name: &str| name.starts_with("src/dimensions/") || name == "src/agents.rs";
    let mut naming: BTreeSet<String> = BTreeSet::new();
    for source in sources("src").iter().filter(|source| !of_table(&source.name)) {
        if source.code().iter().any(|(_, line)| literal.is_match(line)) {
            naming.insert(source.name.clone());
        }
    }
    let allowed: BTreeSet<String> = NAMED.iter().map(|name| name.to_string()).collect();
    assert_eq!(naming, allowed, "a name belongs into its table; who takes one away takes it off the list");
}

/// How often a pattern stands in the code, and where.
fn places(pattern: &str) -> Vec<String> {
    let pattern = Regex::new(pattern).expect("a constant");
    let mut found = Vec::new();
    for source in sources("src") {
        let lines = source.code();
        found.extend(
            lines.iter().filter(|(_, line)| pattern.is_match(line)).map(|(line, _)| format!("{}:{line}", source.name)),
        );
    }
    found
}

#[test]
fn what_is_written_once_stays_so() {
    let check = |what: &str, pattern: &str| {
        let found = places(pattern);
        assert_eq!(found.len(), 1, "{what}: {found:?}");
    };
    check("one decoder of events", r"pub fn decode\(event_type");
    check("one search protocol", r"TextSearch::new\(");
    check("one fusion of ranks", r"pub fn reciprocal_rank");
    check("one rule for counting pairs", r"struct PairWeight");
}

#[test]
fn the_ledger_holds() {
    let ledger: BTreeMap<String, toml::Value> = toml::from_str(&read("ledger.toml")).expect("TOML");
    let lock = read("Cargo.lock");
    let manifest: toml::Table = read("Cargo.toml").parse().expect("TOML");
    let template = read("templates/config.toml");
    let setting = Regex::new(r"^#? ?\w+ = ").expect("a constant");
    let commands = Regex::new(r"(?m)^### `patina \w+`$").expect("a constant");
    let binary = fs::metadata(env!("CARGO_BIN_EXE_patina")).expect("the program").len();
    let source_lines: usize = sources("src").iter().map(|source| source.text.lines().count()).sum();
    let counted = [
        ("commands", commands.find_iter(&patina::commands::commands_page()).count()),
        ("settings", template.lines().filter(|line| setting.is_match(line)).count()),
        ("direct_dependencies", manifest["dependencies"].as_table().expect("a table").len()),
        ("locked_crates", lock.lines().filter(|line| *line == "[[package]]").count()),
        ("binary_mb", (binary >> 20) as usize),
        ("readme_lines", read("README.md").lines().count()),
        ("source_lines", source_lines),
    ];
    let mut over = Vec::new();
    // Only a release build says how large a release is.
    let is_release = !cfg!(debug_assertions);
    for (name, count) in counted.into_iter().filter(|(name, _)| is_release || *name != "binary_mb") {
        let most = ledger[name].as_integer().unwrap_or_else(|| panic!("{name} is no number")) as usize;
        crate::support::figure(&format!("ledger: {name} {count} of {most}"));
        if count > most {
            over.push(format!("{name} is {count}, and ledger.toml says {most}"));
        }
    }
    assert!(
        over.is_empty(),
        "raise a number only with a line in CHANGELOG.md that says what was bought:\n{}",
        over.join("\n")
    );
    assert!(ledger["commands"].as_integer().expect("a number") <= 26, "26 commands are the most");
}
