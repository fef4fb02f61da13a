//! The data of every event: its fields, their JSON encoding, and which of them hold text that a person wrote.
//!
//! Invariant: nothing else in the crate knows the fields of an event, and neither their names nor their order change.

use std::borrow::Cow;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use super::ItemKind;
use crate::event::Status;
use crate::sessions::{Category, GoalState, SessionHead};
use crate::syntax::CallForm;

/// Event type of a commit.
pub const GIT_COMMIT: &str = "git.commit";
/// Event type of a call.
pub const CODE_CALL: &str = "code.call";
/// Event type of an import.
pub const CODE_IMPORT: &str = "code.import";
/// Event type of a session's metadata, recorded each time the session is read.
pub const SESSION_READ: &str = "session.read";
/// Prefix of the event types of code; followed by an item's kind, `call` or `import`.
pub const CODE_EVENTS: &str = "code.";
/// Prefix of the event types of sessions; followed by an entry's category or `read`.
pub const SESSION_EVENTS: &str = "session.";
/// The data that replaces that of an erased event.
pub const ERASED: &str = r#"{"erased":true}"#;

/// The decoded data of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body<'a> {
    /// A commit.
    Commit(CommitData<'a>),
    /// A version of a file or of a definition.
    Item(ItemData<'a>),
    /// A call from one item version.
    Call(CallData<'a>),
    /// An import in a file.
    Import(ImportData<'a>),
    /// The metadata of a session when it was read.
    SessionRead(SessionData),
    /// An entry of a session.
    Entry(EntryData),
}

/// The data of a `git.commit` event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitData<'a> {
    /// Object id in hexadecimal.
    #[serde(borrow)]
    pub sha: Cow<'a, str>,
    /// The whole message, redacted.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
    /// `Name <email>` as written.
    #[serde(borrow)]
    pub author: Cow<'a, str>,
    /// `Name <email>` as written.
    #[serde(borrow)]
    pub committer: Cow<'a, str>,
    /// Unix seconds.
    pub author_time: i64,
    /// Unix seconds.
    pub committer_time: i64,
    /// Object ids of the parents, in order.
    pub parents: Vec<String>,
    /// Changed paths against the only parent, or against the empty tree for a root commit; empty for merges.
    #[serde(borrow)]
    pub files_changed: Vec<FileChange<'a>>,
    /// [`super::COMMIT_VERSION`] at the time it was derived.
    pub deriver: u32,
}

/// One path of `files_changed` in a `git.commit` event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange<'a> {
    /// Encoded path.
    #[serde(borrow)]
    pub path: Cow<'a, str>,
    /// Kind of change.
    pub status: Status,
    /// Object id in hexadecimal, after the commit; for a deletion, before it.
    #[serde(borrow)]
    pub blob: Cow<'a, str>,
    /// Former path of an added file, if a file with the same object id was deleted in the same commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// The data of a `code.file`, `code.function`, ... event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemData<'a> {
    /// Encoded path.
    #[serde(borrow)]
    pub file_path: Cow<'a, str>,
    /// Item key, `src/a.rs#Parser::parse`; for a file its path.
    #[serde(borrow)]
    pub key: Cow<'a, str>,
    /// Name, `parse`; for a file its base name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Name within the file, `Parser::parse`; for a file its path.
    #[serde(borrow)]
    pub qualified_name: Cow<'a, str>,
    /// Kind of the item.
    pub kind: ItemKind,
    /// Language it was parsed as; `None` for plain text.
    pub language: Option<Cow<'a, str>>,
    /// Source from its start to its body, white space collapsed.
    #[serde(borrow)]
    pub signature: Cow<'a, str>,
    /// Return type as written.
    pub return_type: Option<Cow<'a, str>>,
    /// Doc comment.
    #[serde(borrow)]
    pub doc: Cow<'a, str>,
    /// Normal form of its signature and syntax tree, without names.
    #[serde(borrow)]
    pub shape: Cow<'a, str>,
    /// Source or prose, with members replaced by their names.
    #[serde(borrow)]
    pub text: Cow<'a, str>,
    /// [`super::CODE_VERSION`] that made it.
    pub extractor: u32,
}

/// The data of a `code.call` event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallData<'a> {
    /// Encoded path.
    #[serde(borrow)]
    pub file_path: Cow<'a, str>,
    /// Item key of the caller.
    #[serde(borrow)]
    pub caller: Cow<'a, str>,
    /// Name of the caller; `None` for a file.
    pub caller_name: Option<Cow<'a, str>>,
    /// Identity hash of the caller's item version, in hexadecimal.
    #[serde(borrow)]
    pub caller_version: Cow<'a, str>,
    /// Callee as written, without arguments.
    #[serde(borrow)]
    pub callee: Cow<'a, str>,
    /// Last segment of the callee.
    #[serde(borrow)]
    pub callee_name: Cow<'a, str>,
    /// How the call is written.
    pub form: CallForm,
    /// [`super::CODE_VERSION`] that made it.
    pub extractor: u32,
}

/// The data of a `code.import` event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportData<'a> {
    /// Encoded path.
    #[serde(borrow)]
    pub file_path: Cow<'a, str>,
    /// The module or path imported from, as written.
    #[serde(borrow)]
    pub target: Cow<'a, str>,
    /// Imported name; `None` for the whole target.
    pub name: Option<Cow<'a, str>>,
    /// Local name, if it differs.
    pub alias: Option<Cow<'a, str>>,
    /// Whether the import is re-exported.
    pub reexport: bool,
    /// Scope of the import; `None` at the top of the file.
    pub scope: Option<Cow<'a, str>>,
    /// [`super::CODE_VERSION`] that made it.
    pub extractor: u32,
}

/// The data of a `session.read` event: the metadata of a session when it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionData {
    /// Id of the session.
    pub session: String,
    /// Format: `markdown`, `claude`, `codex` or `hand`.
    pub format: String,
    /// Title on one line.
    pub title: String,
    /// Further metadata that the session states.
    #[serde(flatten)]
    pub head: SessionHead,
    /// Hash of the file it was read from, in hexadecimal.
    pub hash: String,
    /// Number of entries.
    pub entries: u64,
    /// Number of lines that were not understood and entries beyond the maximum.
    pub skipped: u64,
    /// Warnings about the file.
    pub warnings: Vec<String>,
    /// Whether the file names a session but has no content of its own.
    pub is_stub: bool,
    /// [`super::session_version`] that read it, and a fingerprint of the privacy settings unless they are the default.
    pub version: String,
}

/// The data of every other `session.*` event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EntryData {
    /// Id of the session.
    pub session: String,
    /// Category of the entry.
    pub category: Category,
    /// Text of the entry, redacted.
    pub content: String,
    /// Time in Unix seconds, if known.
    pub time: Option<i64>,
    /// Encoded paths of the files it names or touched.
    pub files: Vec<String>,
    /// Commits it names or made, in hexadecimal, possibly abbreviated.
    pub commits: Vec<String>,
    /// State, for goals.
    pub state: Option<GoalState>,
    /// Hash of the id of its line, in hexadecimal, if the format has line ids; a copied line has the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_id: Option<String>,
    /// Index among equal entries of the session, from 0.
    pub occurrence: u32,
    /// [`super::session_version`] that read it.
    pub version: String,
}

impl<'a> Body<'a> {
    /// Decodes the data of an event; `None` if it was erased. Strings without escapes are borrowed.
    ///
    /// # Errors
    /// If this version does not know the type, or the data lacks its fields.
    pub fn decode(event_type: &str, data: &'a str) -> Result<Option<Self>> {
        if data == ERASED {
            return Ok(None);
        }
        let decoded = match event_type {
            GIT_COMMIT => serde_json::from_str(data).map(Body::Commit),
            CODE_CALL => serde_json::from_str(data).map(Body::Call),
            CODE_IMPORT => serde_json::from_str(data).map(Body::Import),
            SESSION_READ => serde_json::from_str(data).map(Body::SessionRead),
            _ if event_type.starts_with(CODE_EVENTS) => serde_json::from_str(data).map(Body::Item),
            _ if event_type.starts_with(SESSION_EVENTS) => serde_json::from_str(data).map(Body::Entry),
            _ => bail!("`{event_type}` is no type of event that this version of patina knows"),
        };
        decoded.map(Some).with_context(|| format!("decoding an event of type `{event_type}`"))
    }

    /// Encodes the data as one JSON object.
    pub fn encode(&self) -> String {
        match self {
            Body::Commit(data) => json(data),
            Body::Item(data) => json(data),
            Body::Call(data) => json(data),
            Body::Import(data) => json(data),
            Body::SessionRead(data) => json(data),
            Body::Entry(data) => json(data),
        }
    }

    /// Returns the event type.
    pub fn event_type(&self) -> String {
        match self {
            Body::Commit(_) => GIT_COMMIT.to_string(),
            Body::Item(data) => data.kind.event_type(),
            Body::Call(_) => CODE_CALL.to_string(),
            Body::Import(_) => CODE_IMPORT.to_string(),
            Body::SessionRead(_) => SESSION_READ.to_string(),
            Body::Entry(data) => ItemKind::Entry(data.category).event_type(),
        }
    }

    /// Returns the item kind; `None` for calls and imports.
    pub fn kind(&self) -> Option<ItemKind> {
        match self {
            Body::Commit(_) => Some(ItemKind::Commit),
            Body::Item(data) => Some(data.kind),
            Body::SessionRead(_) => Some(ItemKind::Session),
            Body::Entry(data) => Some(ItemKind::Entry(data.category)),
            Body::Call(_) | Body::Import(_) => None,
        }
    }

    /// Returns the encoded path of the file, for events of code.
    pub fn file_path(&self) -> Option<&str> {
        match self {
            Body::Item(data) => Some(&data.file_path),
            Body::Call(data) => Some(&data.file_path),
            Body::Import(data) => Some(&data.file_path),
            Body::Commit(_) | Body::SessionRead(_) | Body::Entry(_) => None,
        }
    }

    /// Returns the id of the session, for events of sessions.
    pub fn session(&self) -> Option<&str> {
        match self {
            Body::SessionRead(data) => Some(&data.session),
            Body::Entry(data) => Some(&data.session),
            Body::Commit(_) | Body::Item(_) | Body::Call(_) | Body::Import(_) => None,
        }
    }

    /// Returns every text that a person wrote: what `forget` searches, and what redaction must have processed.
    ///
    /// All other fields are keywords, numbers, hashes or file paths.
    pub fn written_texts(&self) -> Vec<&str> {
        // The patterns list all fields, so a new field does not compile until it is classified here.
        match self {
            Body::Commit(CommitData {
                sha: _,
                message,
                author,
                committer,
                author_time: _,
                committer_time: _,
                parents: _,
                files_changed: _,
                deriver: _,
            }) => [message, author, committer].map(|text| &**text).to_vec(),
            Body::Item(ItemData {
                file_path: _,
                key,
                name,
                qualified_name,
                kind: _,
                language: _,
                signature,
                return_type,
                doc,
                shape,
                text,
                extractor: _,
            }) => {
                let mut all = [name, qualified_name, signature, doc, shape, text].map(|text| &**text).to_vec();
                all.extend(name_in(key).into_iter().chain(return_type.as_deref()));
                all
            }
            Body::Call(CallData {
                file_path: _,
                caller,
                caller_name,
                caller_version: _,
                callee,
                callee_name,
                form: _,
                extractor: _,
            }) => {
                let mut all = [callee, callee_name].map(|text| &**text).to_vec();
                all.extend(name_in(caller).into_iter().chain(caller_name.as_deref()));
                all
            }
            Body::Import(ImportData { file_path: _, target, name, alias, reexport: _, scope, extractor: _ }) => {
                let optional = [name, alias, scope].into_iter().filter_map(Option::as_deref);
                std::iter::once(&**target).chain(optional).collect()
            }
            Body::SessionRead(SessionData {
                session,
                format: _,
                title,
                head,
                hash: _,
                entries: _,
                skipped: _,
                warnings,
                is_stub: _,
                version: _,
            }) => {
                // Id and title are fields of the event's own.
                let SessionHead {
                    id: _,
                    title: _,
                    started: _,
                    ended: _,
                    branch,
                    branches,
                    tool,
                    start_tag,
                    end_tag,
                    start_commit,
                    end_commit,
                } = head;
                let optional = [branch, tool, start_tag, end_tag, start_commit, end_commit].into_iter().flatten();
                let all = [session, title].into_iter().chain(optional).chain(branches).chain(warnings);
                all.map(String::as_str).collect()
            }
            Body::Entry(EntryData {
                session,
                category: _,
                content,
                time: _,
                files: _,
                commits,
                state: _,
                line_id: _,
                occurrence: _,
                version: _,
            }) => [session, content].into_iter().chain(commits).map(String::as_str).collect(),
        }
    }
}

/// Encodes the data of an event.
pub(super) fn json(data: &impl Serialize) -> String {
    serde_json::to_string(data).expect("plain data has a JSON form")
}

/// Returns the name that follows the path in an item key.
fn name_in(key: &str) -> Option<&str> {
    key.split_once('#').map(|(_, name)| name)
}

impl CommitData<'_> {
    /// Copies all borrowed strings.
    pub fn into_owned(self) -> CommitData<'static> {
        let CommitData {
            sha,
            message,
            author,
            committer,
            author_time,
            committer_time,
            parents,
            files_changed,
            deriver,
        } = self;
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let change = |FileChange { path, status, blob, from }: FileChange<'_>| FileChange {
            path: own(path),
            status,
            blob: own(blob),
            from,
        };
        let files_changed = files_changed.into_iter().map(change).collect();
        let (sha, message, author, committer) = (own(sha), own(message), own(author), own(committer));
        CommitData { sha, message, author, committer, author_time, committer_time, parents, files_changed, deriver }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = r#"{"sha":"11","message":"Sub\n\"x\"","author":"A <a@b>","committer":"C <c@d>","author_time":1,"committer_time":2,"parents":["22"],"files_changed":[{"path":"a.rs","status":"A","blob":"33","from":"b.rs"},{"path":"c\"","status":"M","blob":"44"}],"deriver":5}"#;
    const ITEM: &str = r#"{"file_path":"a.rs","key":"a.rs#P::parse","name":"parse","qualified_name":"P::parse","kind":"function","language":"rust","signature":"fn parse()","return_type":"R","doc":"Doc.","shape":"fn()","text":"fn parse() {\n}","extractor":5}"#;
    const FILE: &str = r#"{"file_path":"d/a.md","key":"d/a.md","name":"a.md","qualified_name":"d/a.md","kind":"file","language":null,"signature":"","return_type":null,"doc":"","shape":"","text":"T","extractor":5}"#;
    const CALL: &str = r#"{"file_path":"a.rs","caller":"a.rs#f","caller_name":"f","caller_version":"00ff","callee":"x.g","callee_name":"g","form":"method","extractor":5}"#;
    const IMPORT: &str =
        r#"{"file_path":"a.py","target":"m","name":"n","alias":"o","reexport":true,"scope":"s","extractor":5}"#;
    const READ: &str = r#"{"session":"id","format":"claude","title":"Title","started":1,"ended":null,"branch":"main","branches":["b1"],"tool":"tool","start_tag":"t1","end_tag":"t2","start_commit":"c1","end_commit":"c2","hash":"ff","entries":3,"skipped":0,"warnings":["w"],"is_stub":false,"version":"4.5"}"#;
    const ENTRY: &str = r#"{"session":"id","category":"goal","content":"Reach it","time":7,"files":["a.rs"],"commits":["c3"],"state":"open","line_id":"0f","occurrence":0,"version":"4.5"}"#;
    const OLD_ENTRY: &str = r#"{"session":"id","category":"work","content":"Did","time":null,"files":[],"commits":[],"state":null,"occurrence":1,"version":"hand"}"#;

    const EACH: [(&str, &str); 8] = [
        ("git.commit", COMMIT),
        ("code.function", ITEM),
        ("code.file", FILE),
        ("code.call", CALL),
        ("code.import", IMPORT),
        ("session.read", READ),
        ("session.goal", ENTRY),
        ("session.work", OLD_ENTRY),
    ];

    fn decoded<'a>(event_type: &str, data: &'a str) -> Body<'a> {
        Body::decode(event_type, data).expect("it decodes").expect("it was not erased")
    }

    #[test]
    fn what_is_decoded_encodes_to_the_same_bytes() {
        for (event_type, data) in EACH {
            let body = decoded(event_type, data);
            assert_eq!(body.encode(), data);
            assert_eq!(body.event_type(), event_type);
            assert_eq!(decoded(event_type, &body.encode()), body);
        }
    }

    #[test]
    fn what_a_person_wrote_is_named_field_by_field() {
        let check = |event_type: &str, data: &str, expect: &[&str]| {
            let body = decoded(event_type, data);
            let mut texts = body.written_texts();
            let mut expect = expect.to_vec();
            texts.sort_unstable();
            expect.sort_unstable();
            assert_eq!(texts, expect, "{event_type}");
        };
        check("git.commit", COMMIT, &["Sub\n\"x\"", "A <a@b>", "C <c@d>"]);
        check(
            "code.function",
            ITEM,
            &["parse", "P::parse", "P::parse", "fn parse()", "R", "Doc.", "fn()", "fn parse() {\n}"],
        );
        check("code.file", FILE, &["a.md", "d/a.md", "", "", "", "T"]);
        check("code.call", CALL, &["f", "f", "x.g", "g"]);
        check("code.import", IMPORT, &["m", "n", "o", "s"]);
        check("session.read", READ, &["id", "Title", "main", "b1", "tool", "t1", "t2", "c1", "c2", "w"]);
        check("session.goal", ENTRY, &["id", "Reach it", "c3"]);
    }

    #[test]
    fn a_string_without_escapes_is_borrowed() {
        let Body::Item(item) = decoded("code.function", ITEM) else { panic!("an item") };
        assert!(matches!(item.key, Cow::Borrowed(_)) && matches!(item.text, Cow::Owned(_)));
        let Body::Commit(commit) = decoded("git.commit", COMMIT) else { panic!("a commit") };
        assert!(matches!(commit.files_changed[0].path, Cow::Borrowed(_)));
        assert_eq!(commit.clone().into_owned(), commit);
    }

    #[test]
    fn what_was_erased_has_no_body_and_what_is_unknown_is_an_error() {
        assert_eq!(Body::decode("session.goal", ERASED).expect("it reads"), None);
        for (event_type, data) in [("git.tag", "{}"), ("session.dream", "{}"), ("code.file", "{}"), ("git.commit", "")]
        {
            assert!(Body::decode(event_type, data).is_err(), "{event_type} {data}");
        }
    }
}
