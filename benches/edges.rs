//! Precision and recall of call edges against calls labelled by hand. Files are read from git objects at the labelled
//! commit, never from a work tree.
//!
//! `cargo bench --bench edges -- FOLDER` looks for clones under `FOLDER/OWNER/NAME` or `FOLDER/NAME` and says which
//! it did not find. `edges/labels.tsv` holds positions only, a call a line: repository, commit, path, line and
//! column of the callee's name, from 1, what it means (`PATH:LINE`, several with `|`, a dash for nothing in the
//! repository), and the sample it came from. Calls were drawn evenly from files that are no tests. Samples stand in
//! the order in which they were drawn: the resolver was developed on `a` and revised after `b` and `c`; `d`, from other
//! files and mostly other repositories, was labelled before the resolver had seen any of them.
//!
//! ```text
//! BurntSushi/ripgrep       3fce3b5bb0236da2df6d99672afb8a719642eca7   Rust
//! arxanas/git-branchless   03d6ab8dc1a2ff8a2bc44709b93ea6a9038147eb   Rust
//! sharkdp/fd               ee20f426ddf338ac7ead5c5f00ea49258005caaf   Rust
//! pallets/click            2c8cd3ac958a7eb316d67f2d316c27086c4c0369   Python
//! unum-cloud/USearch       cc23bbaf21ef52313c5a495adbc40cbd733cdcfb   Python
//! psf/requests             1f6589ec3a1ee910f9a65cc3ceac60b26677bc0e   Python
//! sindresorhus/ky          3419113b48e034fdcf8fa6bd3be3da7b3d0d758f   TypeScript
//! colinhacks/zod           e516c3baf22615e20934116abebfed6c000222c2   TypeScript
//! trpc/trpc                340811ba5320637fbaf48fccf3dbfdd258bd34db   TypeScript
//! git-lfs/git-lfs          af13aa8f259f958049d3703252068e125b412d5e   Go
//! spf13/cobra              adbc8813901bba65827259daa8e22ff94ec1f30e   Go
//! git/git                  1a3e64c6c4a623626ff0687008732a8e007e2a1c   C
//! redis/hiredis            29ea2791c102fdffff350f1ea6e04d1f71903d0d   C
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use patina::edges::{CallSite, CallTarget, FileDefinitions, HIGH, LiveDefinition, NameTable, resolve};
use patina::git::{Blob, Repository};
use patina::syntax::{Call, FileLimits, Language, Parsed, Triage, parse, triage};

const LABELS: &str = include_str!("edges/labels.tsv");

/// How many lines the name of a definition may be below its first line. A label has the line of the name, an item the
/// first line; attributes and decorators are in between.
const MOST_LINES_TO_NAME: u32 = 8;

fn main() {
    let folder = std::env::args().skip(1).find(|argument| argument != "--bench").map(PathBuf::from);
    let Some(folder) = folder else {
        println!("name a folder of clones: cargo bench --bench edges -- FOLDER");
        return;
    };
    let mut labels: BTreeMap<(&str, &str), Vec<Label>> = BTreeMap::new();
    for label in LABELS.lines().map(Label::read) {
        labels.entry((label.repository, label.commit)).or_default().push(label);
    }
    let (mut by_language, mut by_sample) = (BTreeMap::new(), BTreeMap::new());
    let mut all = Count::default();
    for ((repository, commit), labels) in labels {
        let Some(live) = Live::open(&folder, repository, commit) else {
            println!("not found: {repository} at {commit}, {} calls left out", labels.len());
            continue;
        };
        for label in labels {
            let count = live.judge(&label);
            by_language.entry(live.language(&label)).or_insert_with(Count::default).add(&count);
            by_sample.entry(format!("sample {}", label.sample)).or_insert_with(Count::default).add(&count);
            all.add(&count);
        }
    }
    println!(
        "{:<12} {:>5} {:>13} {:>10} {:>9} {:>10} {:>11}",
        "", "calls", "in repository", "high edges", "precision", "recall any", "recall high"
    );
    for (name, count) in by_language.iter().chain([(&"all".to_owned(), &all)]).chain(&by_sample) {
        println!(
            "{name:<12} {:>5} {:>13} {:>10} {:>9} {:>10} {:>11}",
            count.calls,
            count.inside,
            count.high,
            share(count.high_right, count.high),
            share(count.found, count.inside),
            share(count.found_high, count.inside),
        );
    }
}

fn share(part: usize, whole: usize) -> String {
    if whole == 0 { "-".to_owned() } else { format!("{:.3}", part as f64 / whole as f64) }
}

/// A call labelled by hand with its ground truth.
struct Label<'l> {
    repository: &'l str,
    commit: &'l str,
    path: &'l str,
    line: u32,
    /// In bytes, from 1.
    column: usize,
    means: Vec<(&'l str, u32)>,
    sample: &'l str,
}

impl<'l> Label<'l> {
    fn read(line: &'l str) -> Self {
        let fields: Vec<&str> = line.split('\t').collect();
        let [repository, commit, path, line, column, means, sample] = fields[..] else {
            panic!("seven fields a label: {line}");
        };
        let place = |place: &'l str| {
            let (path, line) = place.rsplit_once(':').expect("a meaning is PATH:LINE");
            (path, line.parse().expect("a line is a number"))
        };
        Self {
            repository,
            commit,
            path,
            line: line.parse().expect("a line is a number"),
            column: column.parse().expect("a column is a number"),
            means: means.split('|').filter(|means| *means != "-").map(place).collect(),
            sample,
        }
    }

    fn is_met_by(&self, target: &CallTarget) -> bool {
        let meets = |line: u32| (target.line..=target.line + MOST_LINES_TO_NAME).contains(&line);
        self.means.iter().any(|(path, line)| *path == target.path && meets(*line))
    }

    /// Returns the call at the label's position. The parser reports only lines, so calls of the same name on a line are
    /// counted.
    fn call<'p>(&self, source: &str, parsed: &'p Parsed) -> Option<&'p Call> {
        let is_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '#' | '$');
        let line = source.lines().nth(self.line as usize - 1)?;
        let (before, from) = line.split_at_checked(self.column - 1)?;
        let name = &from[..from.find(|letter| !is_name(letter)).unwrap_or(from.len())];
        let earlier = before.match_indices(name).filter(|(at, _)| {
            let after = line[at + name.len()..].trim_start_matches("::");
            after.starts_with(['(', '<', '!']) && !before[..*at].ends_with(is_name)
        });
        let calls: Vec<&Call> =
            parsed.calls.iter().filter(|call| call.line == self.line && call.name == name).collect();
        calls.get(earlier.count()).or(calls.last()).copied()
    }
}

/// Counts of labelled and resolved calls.
#[derive(Default)]
struct Count {
    calls: usize,
    /// Calls whose target is in the repository.
    inside: usize,
    high: usize,
    high_right: usize,
    /// Calls among those for which an edge of any confidence is right.
    found: usize,
    found_high: usize,
}

impl Count {
    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.inside += other.inside;
        self.high += other.high;
        self.high_right += other.high_right;
        self.found += other.found;
        self.found_high += other.found_high;
    }
}

/// A repository at a commit, parsed, with a table of its names.
struct Live {
    files: BTreeMap<String, Read>,
    table: NameTable,
}

struct Read {
    language: Language,
    source: String,
    parsed: Parsed,
    candidates: Vec<Arc<LiveDefinition>>,
}

impl Live {
    /// Opens a clone; `None` if there is none, or it does not have the commit.
    fn open(folder: &Path, name: &str, commit: &str) -> Option<Self> {
        let short = name.rsplit('/').next().unwrap_or(name);
        let clone = [folder.join(name), folder.join(short)].into_iter().find(|path| path.is_dir())?;
        let repository = Repository::discover(&clone).ok()?;
        let tree = repository.tree_of(repository.resolve_commit(commit)?)?;
        let limits = FileLimits::default();
        let (mut files, mut live) = (BTreeMap::new(), Vec::new());
        for file in repository.files(tree).expect("a tree whose commit is here") {
            let Blob::Bytes(bytes) = repository.blob(file.id, limits.max_bytes).expect("objects can be read") else {
                continue;
            };
            let path = String::from_utf8_lossy(&file.path).into_owned();
            let Triage::Code(language) = triage(&path, &bytes, bytes.len() as u64, &limits) else { continue };
            let Ok(parsed) = parse(language, &bytes) else { continue };
            let file = FileDefinitions::parsed(&path, language, &parsed);
            let source = String::from_utf8_lossy(&bytes).into_owned();
            files.insert(path, Read { language, source, parsed, candidates: file.candidates.clone() });
            live.push(file);
        }
        Some(Self { files, table: NameTable::new(live) })
    }

    fn judge(&self, label: &Label) -> Count {
        let targets = self.targets(label);
        let high = || targets.iter().filter(|target| target.confidence >= HIGH);
        Count {
            calls: 1,
            inside: usize::from(!label.means.is_empty()),
            high: high().count(),
            high_right: high().filter(|target| label.is_met_by(target)).count(),
            found: usize::from(targets.iter().any(|target| label.is_met_by(target))),
            found_high: usize::from(high().any(|target| label.is_met_by(target))),
        }
    }

    /// Returns the resolved targets of a call; empty if the parser did not find the call or its target is not in the
    /// repository.
    fn targets(&self, label: &Label) -> Vec<CallTarget> {
        let Some(read) = self.files.get(label.path) else { return Vec::new() };
        let Some(call) = label.call(&read.source, &read.parsed) else { return Vec::new() };
        let caller = call.caller.map(|index| &*read.candidates[index]);
        resolve(&CallSite { path: label.path, language: read.language, caller, call }, &self.table)
    }

    fn language(&self, label: &Label) -> String {
        match self.files.get(label.path).map(|read| read.language) {
            Some(Language::TypeScript | Language::Tsx) => "TypeScript".to_owned(),
            Some(language) => format!("{language:?}"),
            None => "not read".to_owned(),
        }
    }
}
