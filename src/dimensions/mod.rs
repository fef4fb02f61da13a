//! The dimensions of relatedness: six values of one type, each in its own file.
//!
//! A dimension is a name, a sentence, the kinds of item it holds, and a pure function from one live fact to groups of
//! related items. Invariant: no disk, no clock, no state; the same fact always gives the same groups. A seventh
//! dimension is one file, declared below, and one line of [`ALL`]; `docs/seventh.rs` is an example.

mod architectural;
mod dependency;
mod semantic;
mod social;
mod syntactic;
mod temporal;

pub use semantic::SEMANTIC;
pub use social::SOCIAL;
pub use temporal::TEMPORAL;

use crate::facts::ItemKind;

/// Every dimension, in the order in which they are shown.
pub const ALL: &[&Dimension] =
    &[&SEMANTIC, &TEMPORAL, &dependency::DEPENDENCY, &syntactic::SYNTACTIC, &architectural::ARCHITECTURAL, &SOCIAL];

/// One kind of relatedness between items.
pub struct Dimension {
    /// Its name in files, settings and output.
    pub name: &'static str,
    /// Definition of relatedness; completes the sentence "two items are related if they ...".
    pub sentence: &'static str,
    /// The kinds of item it holds.
    pub holds: Holds,
    /// The kinds of fact its groups come from.
    pub reads: &'static [Reads],
    /// The tasks whose answers its adapter is a signal of; the first one is used to judge it.
    pub asks: &'static [AdapterTask],
    /// Returns the groups of related items that one live fact makes.
    pub groups: fn(&LiveFact<'_>) -> Vec<Group>,
    /// Returns why the dimension is off in a repository; `None` if it is on.
    pub off: fn(&Population) -> Option<&'static str>,
}

/// The kinds of item that a dimension holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Files, definitions, commits, sessions and their entries.
    All,
    /// Files.
    Files,
    /// Definitions (functions, types, ...).
    Definitions,
    /// Files and definitions.
    Code,
}

/// A task that is answered with the help of an adapter, and evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdapterTask {
    /// Which files change with a file.
    FileToFiles,
    /// Which file is missing from a commit.
    MissingFile,
    /// Which files a task in words will touch.
    TaskToFiles,
    /// Who is likeliest to change files.
    Who,
    /// Which other items share a group of the dimension with an item; holds the name of the task.
    Own(&'static str),
    /// What a session is about.
    Session,
}

/// A kind of live fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// Reachable commits.
    Commits,
    /// Session entries that are live in a view.
    Entries,
    /// Items that are live in a view.
    Items,
    /// Calls resolved in a view.
    Edges,
}

/// One live fact, all that a dimension sees.
#[derive(Debug, Clone)]
pub enum LiveFact<'a> {
    /// A commit.
    Commit {
        /// `commit:9f2c...`.
        key: &'a str,
        /// Live files it touched, by their current encoded paths.
        files: &'a [String],
        /// Number of paths it touched, including ignored and deleted ones.
        touched: usize,
        /// Its author, then its co-authors, one name a person; bots and agents are left out.
        authors: &'a [String],
    },
    /// A session entry.
    Entry {
        /// `session:20251124-174931/3`.
        key: &'a str,
        /// Live files it names, by their current encoded paths.
        files: &'a [String],
        /// `session:20251124-174931`.
        session: &'a str,
        /// `decision`, `work`, ...
        category: &'a str,
    },
    /// An item.
    Item {
        /// `src/a.rs#parse`.
        key: &'a str,
        /// `file`, `function`, ...
        kind: &'a str,
        /// Encoded path of its file.
        path: &'a str,
        /// Hash of the shape of its signature and syntax tree; empty if it has none.
        shape: &'a str,
    },
    /// A resolved call.
    Edge {
        /// Item key of the caller.
        caller: &'a str,
        /// Item key of the callee.
        callee: &'a str,
        /// Confidence of the resolution, from 0 to 1.
        confidence: f32,
    },
}

/// Items that are related for one reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Name of the group; facts that make a group of the same name add members to it.
    pub name: String,
    /// Item keys of the members.
    pub members: Vec<String>,
    /// Weight of one membership, from 0 to 1.
    pub weight: f64,
}

/// What a repository has that decides which dimensions are on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Population {
    /// Number of human authors.
    pub people: usize,
}

/// Least confidence of a call that counts, as for edges.
pub const SURE: f32 = crate::edges::HIGH;
/// Largest number of paths in a commit that counts, as for history.
pub const LARGEST_COMMIT: usize = crate::history::LARGEST_COMMIT as usize;

impl Holds {
    const EACH: [(Holds, &'static str); 4] =
        [(Holds::All, "all"), (Holds::Files, "files"), (Holds::Definitions, "definitions"), (Holds::Code, "code")];

    /// Returns whether items of a kind are held.
    pub fn kind(self, kind: ItemKind) -> bool {
        match self {
            Holds::All => true,
            Holds::Files => kind == ItemKind::File,
            Holds::Definitions => kind != ItemKind::File && kind.is_code(),
            Holds::Code => kind.is_code(),
        }
    }

    /// Returns whether items of a kind, given by its stored name, are held.
    pub fn kind_named(self, kind: &str) -> bool {
        ItemKind::named(kind).is_some_and(|kind| self.kind(kind))
    }

    /// Returns the stored name.
    pub fn name(self) -> &'static str {
        Self::EACH.iter().find(|(holds, _)| *holds == self).expect("all are listed").1
    }

    /// Returns the value of a stored name.
    pub fn named(name: &str) -> Option<Self> {
        Self::EACH.iter().find(|(_, known)| *known == name).map(|(holds, _)| *holds)
    }
}

impl AdapterTask {
    /// Returns the name in reports and options.
    pub fn name(self) -> &'static str {
        match self {
            AdapterTask::FileToFiles => "file_to_files",
            AdapterTask::MissingFile => "missing_file",
            AdapterTask::TaskToFiles => "task_to_files",
            AdapterTask::Who => "who",
            AdapterTask::Own(name) => name,
            AdapterTask::Session => "session",
        }
    }
}

/// Returns the dimension with a name.
pub fn named(name: &str) -> Option<&'static Dimension> {
    ALL.iter().copied().find(|dimension| dimension.name == name)
}

/// Returns `None`: the [`Dimension::off`] of a dimension that is on in every repository.
pub fn always_on(_: &Population) -> Option<&'static str> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [&str; 2] = ["src/a.rs", "src/b.rs"];

    fn groups(name: &str, fact: &LiveFact<'_>) -> Vec<(String, Vec<String>, f64)> {
        let dimension = named(name).expect("there is such a dimension");
        (dimension.groups)(fact).into_iter().map(|group| (group.name, group.members, group.weight)).collect()
    }

    fn commit<'a>(files: &'a [String], touched: usize, authors: &'a [String]) -> LiveFact<'a> {
        LiveFact::Commit { key: "commit:1", files, touched, authors }
    }

    #[test]
    fn names_are_distinct_and_each_is_found_by_its_own() {
        for dimension in ALL {
            assert_eq!(named(dimension.name).map(|found| found.sentence), Some(dimension.sentence));
        }
        assert!(named("temporl").is_none());
    }

    #[test]
    fn a_commit_makes_groups_of_what_it_touched() {
        let files = FILES.map(str::to_string);
        let authors = ["Ada", "Grace"].map(str::to_string);
        let fact = commit(&files, 3, &authors);
        let together = |members: &[&str]| members.iter().map(|key| (*key).to_string()).collect::<Vec<_>>();
        assert_eq!(groups("temporal", &fact), [("commit:1".to_string(), together(&FILES), 0.5)]);
        assert_eq!(
            groups("semantic", &fact),
            [("commit:1".to_string(), together(&["commit:1", FILES[0], FILES[1]]), 1.0 / 3.0)]
        );
        let wrote = authors.each_ref().map(|author| (author.clone(), together(&FILES), 1.0 / 3.0));
        assert_eq!(groups("social", &fact), wrote, "co-authors count as authors");
        for name in ["dependency", "syntactic", "architectural"] {
            assert!(groups(name, &fact).is_empty(), "{name}");
        }
    }

    #[test]
    fn a_large_commit_counts_for_authorship_only_and_a_bot_never() {
        let files = FILES.map(str::to_string);
        let ada = ["Ada".to_string()];
        assert!(groups("temporal", &commit(&files, LARGEST_COMMIT + 1, &ada)).is_empty());
        assert!(groups("semantic", &commit(&files, LARGEST_COMMIT + 1, &ada)).is_empty());
        assert_eq!(groups("social", &commit(&files, 100, &ada)).len(), 1);
        assert!(groups("social", &commit(&files, 2, &[])).is_empty());
        assert!(groups("temporal", &commit(&files[..1], 1, &ada)).is_empty(), "one file is related to nothing");
    }

    #[test]
    fn an_entry_makes_a_group_of_itself_and_the_files_it_names() {
        let files = FILES.map(str::to_string);
        let entry = |files, category| LiveFact::Entry { key: "session:s/1", files, session: "session:s", category };
        let together = ["session:s/1", FILES[0], FILES[1]].map(str::to_string).to_vec();
        assert_eq!(groups("semantic", &entry(&files, "decision")), [("session:s/1".to_string(), together, 0.5)]);
        assert!(groups("semantic", &entry(&files, "touched")).is_empty(), "a touched file is not searchable text");
        assert!(groups("semantic", &entry(&[], "decision")).is_empty());
        assert!(
            groups("temporal", &entry(&files, "decision")).is_empty(),
            "files that are named together did not change together"
        );
    }

    #[test]
    fn an_item_belongs_to_its_shape_and_its_module() {
        let item = |key, kind, shape| LiveFact::Item { key, kind, path: "src/a.rs", shape };
        let names = |dimension: &str, fact: &LiveFact<'_>| -> Vec<String> {
            groups(dimension, fact).into_iter().map(|(name, ..)| name).collect()
        };
        let function = item("src/a.rs#f", "function", "s1");
        assert_eq!(names("syntactic", &function), ["s1"]);
        assert_eq!(names("architectural", &function), ["src/a.rs"]);
        assert_eq!(names("architectural", &item("src/a.rs", "file", "")), ["src"]);
        assert!(names("syntactic", &item("src/a.rs", "file", "")).is_empty());
    }

    #[test]
    fn a_confident_call_joins_caller_and_callee() {
        let edge = |confidence| LiveFact::Edge { caller: "a#f", callee: "b#g", confidence };
        assert_eq!(
            groups("dependency", &edge(0.9)),
            [("b#g".to_string(), vec!["b#g".to_string(), "a#f".to_string()], f64::from(0.9_f32))]
        );
        assert!(groups("dependency", &edge(0.4)).is_empty());
    }

    #[test]
    fn with_one_author_the_social_dimension_says_why_it_is_off() {
        for dimension in ALL {
            let off = (dimension.off)(&Population { people: 1 });
            assert_eq!(off.is_some(), dimension.name == "social", "{}", dimension.name);
            assert_eq!((dimension.off)(&Population { people: 2 }), None);
        }
    }
}
