//! What near means: six values of one type, each in a file of its own. A dimension is a name, a sentence, the kinds
//! of item it holds, and a pure function from one live fact to groups. Refuses disk, clock and order: the same fact
//! says the same, whenever it is asked. A seventh is a file, declared below, and a line of [`ALL`]; `docs/seventh.rs`
//! is one.

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

/// Every dimension, in the order they are shown.
pub const ALL: &[&Dimension] =
    &[&SEMANTIC, &TEMPORAL, &dependency::DEPENDENCY, &syntactic::SYNTACTIC, &architectural::ARCHITECTURAL, &SOCIAL];

/// One meaning of near.
pub struct Dimension {
    /// What it is called in files and on the surface.
    pub name: &'static str,
    /// Two items are near when they ...
    pub sentence: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// The facts its groups come from.
    pub reads: &'static [Reads],
    /// The groups that one live fact makes its items members of.
    pub groups: fn(&LiveFact<'_>) -> Vec<Group>,
    /// Why it says nothing in a repository; none where it does.
    pub off: fn(&Population) -> Option<&'static str>,
}

/// The items of a dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Files, definitions, commits, sessions and their entries.
    All,
    /// Files.
    Files,
    /// What files define.
    Definitions,
    /// Files and what they define.
    Code,
}

/// Where a dimension's groups come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// Commits that a HEAD reaches.
    Commits,
    /// What sessions say, as far as it is live in a view.
    Entries,
    /// Items that stand in a view.
    Items,
    /// Calls resolved in a view.
    Edges,
}

/// What a dimension may look at.
#[derive(Debug, Clone)]
pub enum LiveFact<'a> {
    /// A commit.
    Commit {
        /// `commit:9f2c...`.
        key: &'a str,
        /// Files it touched, under the names they have now.
        files: &'a [String],
        /// How many paths it touched, whatever became of them.
        touched: usize,
        /// Who wrote it, one name a person, the author first; bots and agents are left out.
        authors: &'a [String],
    },
    /// An entry of a session.
    Entry {
        /// `session:20251124-174931/3`.
        key: &'a str,
        /// Files it names that live, under the names they have now.
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
        /// Hash of its signature's and syntax tree's shape; empty where it has none.
        shape: &'a str,
    },
    /// A call.
    Edge {
        /// Key of who calls.
        caller: &'a str,
        /// Key of what is called.
        callee: &'a str,
        /// From 0 to 1.
        confidence: f32,
    },
}

/// Items that belong together for one reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// What the reason is called; facts with a group of one name add to the same group.
    pub name: String,
    /// Keys of items.
    pub members: Vec<String>,
    /// How much one membership says, from 0 to 1.
    pub weight: f64,
}

/// What a repository has of what dimensions live from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Population {
    /// People who wrote commits, bots and agents apart.
    pub people: usize,
}

/// Calls that are less sure say nothing; as edges count them.
pub const SURE: f32 = crate::edges::HIGH;
/// Larger commits say nothing; as history counts them.
pub const LARGEST_COMMIT: usize = crate::history::LARGEST_COMMIT as usize;

impl Holds {
    const EACH: [(Holds, &'static str); 4] =
        [(Holds::All, "all"), (Holds::Files, "files"), (Holds::Definitions, "definitions"), (Holds::Code, "code")];

    /// Whether items of a kind are among them.
    pub fn kind(self, kind: ItemKind) -> bool {
        match self {
            Holds::All => true,
            Holds::Files => kind == ItemKind::File,
            Holds::Definitions => kind != ItemKind::File && kind.is_code(),
            Holds::Code => kind.is_code(),
        }
    }

    /// Whether items of a kind are among them, by its stored name.
    pub fn kind_named(self, kind: &str) -> bool {
        ItemKind::named(kind).is_some_and(|kind| self.kind(kind))
    }

    /// The name stored.
    pub fn name(self) -> &'static str {
        Self::EACH.iter().find(|(holds, _)| *holds == self).expect("all are listed").1
    }

    /// By the name stored.
    pub fn named(name: &str) -> Option<Self> {
        Self::EACH.iter().find(|(_, known)| *known == name).map(|(holds, _)| *holds)
    }
}

/// The dimension of a name.
pub fn named(name: &str) -> Option<&'static Dimension> {
    ALL.iter().copied().find(|dimension| dimension.name == name)
}

/// For a dimension that says something in every repository.
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
        assert_eq!(groups("social", &fact), wrote, "who wrote it with another wrote it");
        for name in ["dependency", "syntactic", "architectural"] {
            assert!(groups(name, &fact).is_empty(), "{name}");
        }
    }

    #[test]
    fn a_large_commit_says_nothing_but_who_wrote_it_nor_does_a_bot() {
        let files = FILES.map(str::to_string);
        let ada = ["Ada".to_string()];
        assert!(groups("temporal", &commit(&files, LARGEST_COMMIT + 1, &ada)).is_empty());
        assert!(groups("semantic", &commit(&files, LARGEST_COMMIT + 1, &ada)).is_empty());
        assert_eq!(groups("social", &commit(&files, 100, &ada)).len(), 1);
        assert!(groups("social", &commit(&files, 2, &[])).is_empty());
        assert!(groups("temporal", &commit(&files[..1], 1, &ada)).is_empty(), "one file is near nothing");
    }

    #[test]
    fn an_entry_makes_a_group_of_itself_and_the_files_it_names() {
        let files = FILES.map(str::to_string);
        let entry = |files, category| LiveFact::Entry { key: "session:s/1", files, session: "session:s", category };
        let together = ["session:s/1", FILES[0], FILES[1]].map(str::to_string).to_vec();
        assert_eq!(groups("semantic", &entry(&files, "decision")), [("session:s/1".to_string(), together, 0.5)]);
        assert!(groups("semantic", &entry(&files, "touched")).is_empty(), "it was touched, and nothing was said");
        assert!(groups("semantic", &entry(&[], "decision")).is_empty());
        assert!(groups("temporal", &entry(&files, "decision")).is_empty(), "what is named together did not change");
    }

    #[test]
    fn an_item_belongs_to_its_shape_and_its_place() {
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
    fn a_sure_call_joins_caller_and_callee() {
        let edge = |confidence| LiveFact::Edge { caller: "a#f", callee: "b#g", confidence };
        assert_eq!(
            groups("dependency", &edge(0.9)),
            [("b#g".to_string(), vec!["b#g".to_string(), "a#f".to_string()], f64::from(0.9_f32))]
        );
        assert!(groups("dependency", &edge(0.4)).is_empty());
    }

    #[test]
    fn where_one_person_works_the_social_dimension_says_why_it_is_off() {
        for dimension in ALL {
            let off = (dimension.off)(&Population { people: 1 });
            assert_eq!(off.is_some(), dimension.name == "social", "{}", dimension.name);
            assert_eq!((dimension.off)(&Population { people: 2 }), None);
        }
    }
}
