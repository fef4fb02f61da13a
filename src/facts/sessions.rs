//! Facts of sessions: the session itself, then its entries.
//!
//! The identity hash covers all of a fact's data but not an entry's line, so a paragraph added above changes no fact.

use std::collections::HashMap;

use super::body::json;
use super::{EntryData, ItemKind, SESSION_READ, SessionData, storable};
use crate::event::{Fact, Idem, Origin, decode_path, encode_path};
use crate::redact;
use crate::sessions::{Category, ParsedEntry, ParsedSession, SessionHead};

/// Prefix of the key of a session, and of the event source of a session outside the tree.
pub const SESSION: &str = "session:";
/// Id of the session that holds notes written by hand; no commits are attributed to it.
pub const NOTES: &str = "notes";
/// Longest name of an entry, in bytes.
const MAX_NAME: usize = 100;

/// The fact of a session or of an entry, with data that is not part of the fact.
#[derive(Debug, Clone)]
pub struct EntryFact {
    /// The fact.
    pub fact: Fact,
    /// Id of the session.
    pub session: String,
    /// Category of the entry; `None` for the session itself.
    pub category: Option<Category>,
    /// Time in Unix seconds, if known.
    pub time: Option<i64>,
    /// Name: the first line of the entry, or the title of the session.
    pub name: String,
    /// Number within the session, from 1; 0 for the session itself.
    pub n: u32,
    /// Line of the file it was read from, from 1.
    pub line: u32,
    /// Encoded paths of the files it names or touched.
    pub files: Vec<String>,
    /// Commits it names or made, in hexadecimal, possibly abbreviated.
    pub commits: Vec<String>,
}

impl SessionData {
    /// Returns the data as the log stores it: redacted, forgotten texts replaced, and long texts cut.
    pub fn stored(&self) -> SessionData {
        let clean = |text: &Option<String>| text.as_deref().map(storable);
        let head = &self.head;
        SessionData {
            session: storable(&self.session),
            title: storable(&self.title),
            head: SessionHead {
                branch: clean(&head.branch),
                branches: head.branches.iter().map(|branch| storable(branch)).collect(),
                tool: clean(&head.tool),
                start_tag: clean(&head.start_tag),
                end_tag: clean(&head.end_tag),
                start_commit: clean(&head.start_commit),
                end_commit: clean(&head.end_commit),
                ..head.clone()
            },
            warnings: self.warnings.iter().map(|warning| storable(warning)).collect(),
            ..self.clone()
        }
    }

    /// Returns the session's metadata, with its id and title.
    pub fn as_head(&self) -> SessionHead {
        SessionHead { id: self.session.clone(), title: self.title.clone(), ..self.head.clone() }
    }
}

/// Returns the event source of a session outside the tree, `session:<id>`.
pub fn source_of(session: &str) -> String {
    format!("{SESSION}{}", encode_path(session.as_bytes()))
}

/// Extracts the session id from an event source or a session key.
pub fn session_of(source: &str) -> String {
    String::from_utf8_lossy(&decode_path(source.strip_prefix(SESSION).unwrap_or(source))).into_owned()
}

/// Returns the facts of a parsed session, the session itself first; empty if the session was forgotten.
///
/// `path` is the encoded path of a file in the tree, `None` for a session outside the tree. `hash` is the hash of the
/// file, `version` the version of the reader.
pub fn session_facts(
    reading: &ParsedSession,
    path: Option<&str>,
    format: &str,
    hash: &str,
    version: &str,
) -> Vec<EntryFact> {
    if redact::is_session_forgotten(&reading.head.id) {
        return Vec::new();
    }
    let session = storable(&reading.head.id);
    let source = path.map_or_else(|| source_of(&session), str::to_string);
    let origin = if path.is_some() { Origin::Code } else { Origin::Session };
    let data = session_data(reading, format, hash, version).stored();
    let mut facts = vec![session_fact(&data, &source, origin)];
    facts.extend(entry_facts(&reading.entries, &session, &source, origin, version));
    facts
}

/// Returns the facts of entries, numbered in order, without forgotten ones. `session` is the id as stored.
pub fn entry_facts(
    entries: &[ParsedEntry],
    session: &str,
    source: &str,
    origin: Origin,
    version: &str,
) -> Vec<EntryFact> {
    let mut facts = Vec::new();
    let mut seen: HashMap<EntryData, u32> = HashMap::new();
    for entry in entries.iter().filter(|entry| !redact::contains_forgotten(&entry.content)) {
        let mut data = entry_data(session, entry, version);
        let occurrence = seen.entry(data.clone()).or_default();
        data.occurrence = *occurrence;
        *occurrence += 1;
        let mut fact = entry_fact(&data, source, origin);
        (fact.n, fact.line) = (facts.len() as u32 + 1, entry.line);
        facts.push(fact);
    }
    facts
}

/// Returns the fact of a `session.read` event.
pub fn session_fact(data: &SessionData, source: &str, origin: Origin) -> EntryFact {
    EntryFact {
        fact: fact_of(SESSION_READ.to_string(), json(data), data.head.started, source, origin),
        session: data.session.clone(),
        category: None,
        time: data.head.started,
        name: first_line(&data.title),
        n: 0,
        line: 1,
        files: Vec::new(),
        commits: Vec::new(),
    }
}

/// Returns the fact of an entry; the caller sets its number and line.
pub fn entry_fact(data: &EntryData, source: &str, origin: Origin) -> EntryFact {
    EntryFact {
        fact: fact_of(ItemKind::Entry(data.category).event_type(), json(data), data.time, source, origin),
        session: data.session.clone(),
        category: Some(data.category),
        time: data.time,
        name: first_line(&data.content),
        n: 0,
        line: 1,
        files: data.files.clone(),
        commits: data.commits.clone(),
    }
}

fn fact_of(event_type: String, data: String, at: Option<i64>, source: &str, origin: Origin) -> Fact {
    let idem = Idem::of(&event_type, &[source.as_bytes(), data.as_bytes()]);
    Fact { event_type, at, origin, source_file: Some(source.to_string()), idem, data }
}

fn session_data(reading: &ParsedSession, format: &str, hash: &str, version: &str) -> SessionData {
    SessionData {
        session: reading.head.id.clone(),
        format: format.to_string(),
        title: reading.head.title.clone(),
        // Id and title are stored in fields of their own.
        head: SessionHead { id: String::new(), title: String::new(), ..reading.head.clone() },
        hash: hash.to_string(),
        entries: reading.entries.len() as u64,
        skipped: reading.skipped,
        warnings: reading.warnings.clone(),
        is_stub: reading.is_stub,
        version: version.to_string(),
    }
}

fn entry_data(session: &str, entry: &ParsedEntry, version: &str) -> EntryData {
    EntryData {
        session: session.to_string(),
        category: entry.category,
        content: storable(&entry.content),
        time: entry.at,
        files: entry.files.iter().map(|path| encode_path(storable(path).as_bytes())).collect(),
        commits: entry.commits.iter().map(|commit| storable(commit)).collect(),
        state: entry.state,
        line_id: entry.line_id.map(|id| format!("{id:016x}")),
        occurrence: 0,
        version: version.to_string(),
    }
}

fn first_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let cut = crate::event::cap_at(line, MAX_NAME);
    if cut.len() < line.len() { format!("{}...", cut.trim_end()) } else { cut.to_string() }
}

#[cfg(test)]
mod tests {
    use super::super::Body;
    use super::*;

    fn entry(category: Category, content: &str) -> ParsedEntry {
        let (files, commits) = (Vec::new(), Vec::new());
        ParsedEntry { category, content: content.into(), at: None, line: 7, line_id: None, files, commits, state: None }
    }

    fn reading(entries: Vec<ParsedEntry>) -> ParsedSession {
        ParsedSession {
            head: SessionHead { id: "s1".into(), title: "A title".into(), ..SessionHead::default() },
            entries,
            ..ParsedSession::default()
        }
    }

    fn idems(facts: &[EntryFact]) -> Vec<Idem> {
        facts.iter().map(|fact| fact.fact.idem).collect()
    }

    #[test]
    fn an_entry_is_itself_wherever_it_stands() {
        let one =
            session_facts(&reading(vec![entry(Category::Decision, "use a")]), Some("s.md"), "markdown", "1", "1.1");
        let mut moved = vec![entry(Category::Note, "before"), entry(Category::Decision, "use a")];
        moved[1].line = 90;
        let two = session_facts(&reading(moved), Some("s.md"), "markdown", "2", "1.1");
        assert_eq!(one[1].fact, two[2].fact);
        assert_ne!(one[0].fact.idem, two[0].fact.idem, "a file that changed was read anew");
        assert_eq!((two[2].n, two[2].line, two[2].name.as_str()), (2, 90, "use a"));
    }

    #[test]
    fn equals_are_told_apart_and_so_is_all_that_a_fact_says() {
        let twice = vec![entry(Category::Work, "again"), entry(Category::Work, "again")];
        let facts = session_facts(&reading(twice), None, "claude", "1", "1.1");
        assert_ne!(facts[1].fact.idem, facts[2].fact.idem);
        let mut later = entry(Category::Work, "again");
        later.at = Some(5);
        let other = session_facts(&reading(vec![later]), None, "claude", "1", "1.1");
        assert!(!idems(&facts).contains(&other[1].fact.idem));
        assert_eq!(facts[1].fact.source_file.as_deref(), Some("session:s1"));
        assert_eq!((facts[1].fact.origin, facts[1].fact.event_type.as_str()), (Origin::Session, "session.work"));
    }

    #[test]
    fn the_data_of_a_fact_gives_it_back() {
        let facts = session_facts(&reading(vec![entry(Category::Goal, "reach it")]), None, "codex", "1", "1.1");
        let bodies = facts.iter().map(|fact| {
            Body::decode(&fact.fact.event_type, &fact.fact.data).expect("it decodes").expect("it is there")
        });
        let bodies: Vec<Body<'_>> = bodies.collect();
        let [Body::SessionRead(session), Body::Entry(goal)] = bodies.as_slice() else { panic!("{bodies:?}") };
        assert_eq!(session_fact(session, "session:s1", Origin::Session).fact, facts[0].fact);
        assert_eq!(entry_fact(goal, "session:s1", Origin::Session).fact, facts[1].fact);
    }
}
