//! Kinds of items: what can be found, embedded and filtered by.
//!
//! Invariant: the names are stored and printed, so they never change.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{CODE_EVENTS, GIT_COMMIT, SESSION_EVENTS, SESSION_READ};
use crate::sessions::Category;
use crate::syntax;

/// Kind of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// A file, as the container of its definitions.
    File,
    /// A function or method.
    Function,
    /// A class, struct, enum, trait, interface or alias.
    Type,
    /// A module or namespace.
    Module,
    /// A constant, static or field at the top of a file.
    Constant,
    /// A macro.
    Macro,
    /// A commit.
    Commit,
    /// A development session.
    Session,
    /// An entry of a session.
    Entry(Category),
}

impl ItemKind {
    /// Every kind but entries of sessions, in the order in which they are shown.
    pub const PLAIN: [ItemKind; 8] = [
        ItemKind::File,
        ItemKind::Function,
        ItemKind::Type,
        ItemKind::Module,
        ItemKind::Constant,
        ItemKind::Macro,
        ItemKind::Commit,
        ItemKind::Session,
    ];

    /// Returns the name that is stored and printed. A commit and a session entry about one are both named `commit`.
    pub fn name(self) -> &'static str {
        match self {
            ItemKind::File => "file",
            ItemKind::Function => syntax::DefinitionKind::Function.name(),
            ItemKind::Type => syntax::DefinitionKind::Type.name(),
            ItemKind::Module => syntax::DefinitionKind::Module.name(),
            ItemKind::Constant => syntax::DefinitionKind::Constant.name(),
            ItemKind::Macro => syntax::DefinitionKind::Macro.name(),
            ItemKind::Commit => "commit",
            ItemKind::Session => "session",
            ItemKind::Entry(category) => category.name(),
        }
    }

    /// Returns the kind with a name; the ambiguous name `commit` is a commit.
    pub fn named(name: &str) -> Option<Self> {
        let plain = Self::PLAIN.into_iter().find(|kind| kind.name() == name);
        plain.or_else(|| Category::from_name(name).map(ItemKind::Entry))
    }

    /// Returns the kind of a stored session entry; the session itself is stored as the first of them.
    pub fn of_entry(name: &str) -> Option<Self> {
        if name == ItemKind::Session.name() {
            return Some(ItemKind::Session);
        }
        Category::from_name(name).map(ItemKind::Entry)
    }

    /// Returns the type of the events that hold versions of such an item; for a session, `session.read`.
    pub fn event_type(self) -> String {
        match self {
            ItemKind::Commit => GIT_COMMIT.to_string(),
            ItemKind::Session => SESSION_READ.to_string(),
            ItemKind::Entry(category) => format!("{SESSION_EVENTS}{}", category.name()),
            code => format!("{CODE_EVENTS}{}", code.name()),
        }
    }

    /// Returns whether the kind is a file or a definition.
    pub fn is_code(self) -> bool {
        !matches!(self, ItemKind::Commit | ItemKind::Session | ItemKind::Entry(_))
    }
}

impl From<syntax::DefinitionKind> for ItemKind {
    fn from(kind: syntax::DefinitionKind) -> Self {
        match kind {
            syntax::DefinitionKind::Function => ItemKind::Function,
            syntax::DefinitionKind::Type => ItemKind::Type,
            syntax::DefinitionKind::Module => ItemKind::Module,
            syntax::DefinitionKind::Constant => ItemKind::Constant,
            syntax::DefinitionKind::Macro => ItemKind::Macro,
        }
    }
}

impl Serialize for ItemKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for ItemKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl de::Visitor<'_> for Name {
            type Value = ItemKind;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("the name of a kind")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<ItemKind, E> {
                ItemKind::named(name).ok_or_else(|| E::invalid_value(de::Unexpected::Str(name), &self))
            }
        }
        deserializer.deserialize_str(Name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own_but_the_two_of_commits() {
        for kind in ItemKind::PLAIN {
            assert_eq!(ItemKind::named(kind.name()), Some(kind));
        }
        for category in Category::ALL {
            assert_eq!(ItemKind::of_entry(category.name()), Some(ItemKind::Entry(category)));
            let expect = if category == Category::Commit { ItemKind::Commit } else { ItemKind::Entry(category) };
            assert_eq!(ItemKind::named(category.name()), Some(expect));
        }
        assert_eq!(ItemKind::of_entry("session"), Some(ItemKind::Session));
        assert_eq!(ItemKind::named("folder"), None);
    }
}
