//! Checks that the incrementally updated index equals one full pass: everything is derived again from git beside the
//! index in use, and compared part by part.
//!
//! Invariant: whatever can be derived is derived again instead of trusted by its checksum, and nothing is written
//! outside a scratch folder.

mod answers;

use std::collections::HashMap;
use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, named_params};
use serde::Serialize;

use crate::adapter;
use crate::embedding::{CachedEmbedding, Embedding, EmbeddingCache, Setup, embed_all, text_of};
use crate::event::hex;
use crate::eventlog;
use crate::index::{Space, VectorReader};
use crate::pipeline::{self, Context, Depth};
use crate::store;
use crate::workspace::Workspace;

/// Differences listed per part; further ones are only counted.
const NAMED: usize = 5;
/// Number of texts up to which all are embedded again; of more, only [`SAMPLE`] are.
const FEW_TEXTS: usize = 2_000;
/// Number of texts embedded again if there are more than [`FEW_TEXTS`].
const SAMPLE: usize = 1_000;
/// Number of attempts, because a HEAD may move during the comparison.
const TRIES: usize = 3;

/// The result of a verification.
#[derive(Debug, Default, Serialize)]
pub struct Verdict {
    /// Whether there is no difference.
    pub equal: bool,
    /// The first differences of each part.
    pub differences: Vec<Difference>,
    /// Number of compared rows of each part.
    pub compared: Vec<(&'static str, u64)>,
}

/// A difference from what a full pass gives.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The part where it was found.
    pub part: &'static str,
    /// What differs, by name.
    pub detail: String,
}

/// Queries whose rows must be equal in any two indexes of the same HEADs; they select names, never row ids.
///
/// Bodies of facts are compared through their identity hash.
const PARTS: &[(&str, &str)] = &[
    ("views", "SELECT worktree, commit_id, tree, settings FROM view"),
    (
        "files",
        "SELECT worktree, path.path, parse.blob, outcome, language, size FROM view_file JOIN view ON view.id = view_file.view
         JOIN path ON path.id = view_file.path JOIN parse ON parse.id = view_file.parse",
    ),
    (
        "items",
        "SELECT worktree, path.path, definition.kind, qualified, definition.name, line, end_line, owner, definition.signature, definition.return_type,
           definition.shape, fields, bases, idem
         FROM view_file JOIN view ON view.id = view_file.view JOIN path ON path.id = view_file.path JOIN parse_item USING (parse)
         JOIN definition ON definition.seq = parse_item.seq JOIN log.event ON event.seq = parse_item.seq",
    ),
    (
        "calls",
        "SELECT worktree, path.path, parse_call.line, call.name, call.callee, call.form, receiver_type, receiver_call, arguments,
           event.idem, caller.idem
         FROM view_file JOIN view ON view.id = view_file.view JOIN path ON path.id = view_file.path JOIN parse_call USING (parse)
         JOIN call ON call.seq = parse_call.seq JOIN log.event ON event.seq = call.seq JOIN log.event AS caller ON caller.seq = call.caller",
    ),
    (
        "imports",
        "SELECT worktree, path.path, line, target, import.name, alias, reexport, scope, idem
         FROM view_file JOIN view ON view.id = view_file.view JOIN path ON path.id = view_file.path JOIN import USING (parse)
         JOIN log.event ON event.seq = import.seq",
    ),
    (
        "entries",
        "SELECT worktree, path.path, n, line, entry.session, category, entry.time, entry.name, idem,
           (SELECT group_concat(file, ' ') FROM (SELECT file FROM mention WHERE mention.seq = entry.seq ORDER BY file)),
           (SELECT group_concat(sha, ' ') FROM (SELECT sha FROM mention_commit WHERE mention_commit.seq = entry.seq ORDER BY sha))
         FROM view_file JOIN view ON view.id = view_file.view JOIN path ON path.id = view_file.path JOIN parse_entry USING (parse)
         JOIN entry ON entry.seq = parse_entry.seq JOIN log.event ON event.seq = parse_entry.seq",
    ),
    (
        "commits",
        "SELECT sha, time, files, is_merge, subject, written, idem FROM reachable JOIN commit_row USING (seq)
         JOIN person ON person.id = author JOIN log.event USING (seq)",
    ),
    (
        "co-authors",
        "SELECT sha, place, written FROM reachable JOIN commit_row USING (seq) JOIN co_author ON commit_seq = seq
         JOIN person ON person.id = co_author.person",
    ),
    (
        "parents",
        "SELECT commit_row.sha, ordinal, parent.sha FROM reachable JOIN commit_row USING (seq) JOIN parent ON parent.child = seq",
    ),
    (
        "history",
        "SELECT sha, path.path, status FROM reachable JOIN commit_row USING (seq) JOIN touched ON commit_seq = seq
         JOIN path ON path.id = touched.path",
    ),
    (
        "renames",
        "SELECT sha, was.path, becomes.path FROM reachable JOIN commit_row USING (seq) JOIN rename ON commit_seq = seq
         JOIN path AS was ON was.id = from_path JOIN path AS becomes ON becomes.id = to_path",
    ),
    ("pending", "SELECT sha FROM pending WHERE is_reached"),
    ("texts", "SELECT idem, kind, hash FROM item_text JOIN text ON text.id = item_text.text JOIN log.event USING (seq)"),
    ("sql commits", "SELECT idem FROM log.reachable JOIN log.event USING (seq)"),
    ("sql tree", "SELECT idem, tree.file_path FROM log.tree JOIN log.event USING (seq)"),
];

/// Compares the index in use with a full pass. `all` embeds every text again. The caller holds the write lock.
pub fn verify(context: &Context<'_>, all: bool) -> Result<Verdict> {
    let scratch = Workspace { dir: context.workspace.cache_dir().join("verify"), wal: context.workspace.wal };
    let _ = std::fs::remove_dir_all(&scratch.dir);
    let verdict = against(context, &scratch, all);
    let _ = std::fs::remove_dir_all(&scratch.dir);
    verdict
}

/// Builds an index from scratch in a scratch folder and compares, until no HEAD moves in between.
fn against(context: &Context<'_>, scratch: &Workspace, all: bool) -> Result<Verdict> {
    scratch.create()?;
    // Forgotten content must be left out of the scratch index too, also of the session events that are replayed.
    if context.workspace.forgotten_path().exists() {
        std::fs::copy(context.workspace.forgotten_path(), scratch.forgotten_path())?;
    }
    let lock = scratch.try_lock()?.context("the lock of a new scratch folder is taken")?;
    let fresh = Context { workspace: scratch, lock: &lock, sessions: 0, ..context.clone() };
    for _ in 0..TRIES {
        pipeline::catch_up(context, Depth::New)?;
        // After catching up, because a transcript may have grown.
        pipeline::replay_sessions(context.workspace, scratch)?;
        pipeline::catch_up(&fresh, Depth::New)?;
        let (live, other) =
            (store::open_reader(context.workspace, context.config)?, store::open_reader(scratch, context.config)?);
        if store::meta(&live, "as_of")? == store::meta(&other, "as_of")? {
            return compare(context, &live, &other, all);
        }
    }
    anyhow::bail!("HEAD kept moving during the comparison; try again when no other git command is running")
}

/// Compares two indexes part by part.
fn compare(context: &Context<'_>, live: &Connection, fresh: &Connection, all: bool) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    facts(live, fresh, &mut verdict)?;
    for (part, sql) in PARTS {
        let (have, expect) = (rows(live, sql)?, rows(fresh, sql)?);
        verdict.take(part, &have, &expect);
    }
    let (have, expect) = (words(live)?, words(fresh)?);
    verdict.take("full text", &have, &expect);
    answers::compare(live, fresh, &mut verdict)?;
    vectors(context, live, all, &mut verdict)?;
    verdict.equal = verdict.differences.is_empty();
    Ok(verdict)
}

impl Verdict {
    /// Compares two sorted lists and records the differences.
    fn take(&mut self, part: &'static str, have: &[String], expect: &[String]) {
        self.compared.push((part, expect.len() as u64));
        let (mut at, mut other, mut found) = (0, 0, 0);
        let mut say = |what: &str, row: &String| {
            found += 1;
            if found <= NAMED {
                self.differences.push(Difference { part, detail: format!("{what}: {row}") });
            }
        };
        while at < have.len() || other < expect.len() {
            match (have.get(at), expect.get(other)) {
                (Some(have), Some(expect)) if have == expect => (at, other) = (at + 1, other + 1),
                (Some(have), expect) if expect.is_none_or(|expect| have < expect) => {
                    say("should not be there", have);
                    at += 1;
                }
                (_, Some(expect)) => {
                    say("is missing", expect);
                    other += 1;
                }
                _ => unreachable!("one of the lists goes on"),
            }
        }
        if found > NAMED {
            let detail = format!("and {} more", found - NAMED);
            self.differences.push(Difference { part, detail });
        }
    }
}

/// Checks that every fact derived from git now is in the log with the same body; other events are older history.
fn facts(live: &Connection, fresh: &Connection, verdict: &mut Verdict) -> Result<()> {
    let sql = "SELECT idem, event_type, source_file, data FROM log.event ORDER BY idem";
    let mut find = live.prepare("SELECT event_type, source_file, data FROM log.event WHERE idem = :idem")?;
    let mut statement = fresh.prepare(sql)?;
    let mut rows = statement.query([])?;
    let (mut have, mut expect) = (Vec::new(), Vec::new());
    let mut count = 0;
    while let Some(row) = rows.next()? {
        count += 1;
        let idem: Vec<u8> = row.get(0)?;
        let body = |row: &rusqlite::Row<'_>, first: usize| -> rusqlite::Result<(String, Option<String>, String)> {
            Ok((row.get(first)?, row.get(first + 1)?, row.get(first + 2)?))
        };
        let wanted = body(row, 1)?;
        let found = find.query_row(named_params! {":idem": idem}, |row| body(row, 0)).optional()?;
        if found.as_ref() != Some(&wanted) {
            let name = |(event_type, source, data): &(String, Option<String>, String)| {
                let source = source.as_deref().unwrap_or_default();
                format!("{} {event_type} {source} {}", hex(&idem), crate::event::cap_at(data, 200))
            };
            have.extend(found.as_ref().map(name));
            expect.push(name(&wanted));
        }
    }
    verdict.take("facts", &have, &expect);
    verdict.compared.last_mut().expect("it was just said").1 = count;
    Ok(())
}

/// Returns the rows of a query as text, sorted.
fn rows(connection: &Connection, sql: &str) -> Result<Vec<String>> {
    let mut statement = connection.prepare(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let mut text = String::new();
        for column in 0..columns {
            if column > 0 {
                text.push_str(" | ");
            }
            match row.get_ref(column)? {
                ValueRef::Null => text.push('-'),
                ValueRef::Integer(number) => write!(text, "{number}")?,
                ValueRef::Real(number) => write!(text, "{number}")?,
                ValueRef::Text(bytes) => text.push_str(&String::from_utf8_lossy(bytes)),
                ValueRef::Blob(bytes) => text.push_str(&hex(bytes)),
            }
        }
        all.push(text);
    }
    all.sort_unstable();
    Ok(all)
}

/// Returns a hash of the full text of each item version: a sum over all words and positions, independent of insertion
/// order.
fn words(connection: &Connection) -> Result<Vec<String>> {
    connection.execute_batch(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.text_words USING fts5vocab('main', 'text_index', 'instance')",
    )?;
    let mut statement = connection.prepare("SELECT doc, term, col, offset FROM temp.text_words")?;
    let mut rows = statement.query([])?;
    let mut sums: HashMap<i64, u64> = HashMap::new();
    while let Some(row) = rows.next()? {
        let mut hasher = blake3::Hasher::new();
        hasher.update(row.get_ref(1)?.as_str()?.as_bytes()).update(&[0]);
        hasher.update(row.get_ref(2)?.as_str()?.as_bytes()).update(&row.get::<_, i64>(3)?.to_le_bytes());
        let word = u64::from_le_bytes(hasher.finalize().as_bytes()[..8].try_into().expect("eight bytes"));
        let sum = sums.entry(row.get(0)?).or_default();
        *sum = sum.wrapping_add(word);
    }
    let mut name = connection.prepare("SELECT idem, source_file FROM log.event WHERE seq = :seq")?;
    let mut all = Vec::new();
    for (seq, sum) in sums {
        let named = name.query_row(named_params! {":seq": seq}, |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Option<String>>(1)?.unwrap_or_default()))
        });
        let (idem, source) = named.optional()?.unwrap_or((Vec::new(), "no such event".to_string()));
        all.push(format!("{} {source} {sum:016x}", hex(&idem)));
    }
    all.sort_unstable();
    Ok(all)
}

/// Checks that every live text has, in every space, exactly the vector that its embedding projects to, and that
/// embeddings are what the model computes, for those that are computed again.
fn vectors(context: &Context<'_>, live: &Connection, all: bool, verdict: &mut Verdict) -> Result<()> {
    let vectors = VectorReader::open(live, context.workspace)?;
    let Some(generation) = vectors.generation() else { return Ok(()) };
    let embeddings = EmbeddingCache::open_read_only(&context.workspace.embeddings_path(), &generation.model)?;
    let (mut have, mut expect) = (Vec::new(), Vec::new());
    let mut count = 0;
    let texts = live_texts(live)?;
    for space in generation.spaces() {
        let adapter = vectors.adapter(space);
        ensure!(space.is_base() || adapter.is_some(), "the adapter of a space cannot be read");
        let held: Vec<&LiveText> =
            texts.iter().filter(|text| text.kinds.iter().any(|kind| space.holds.kind_named(kind))).collect();
        let mut ids: Vec<i64> = held.iter().map(|text| text.id).collect();
        ids.sort_unstable();
        answers::nearest(&vectors, space, &ids, verdict)?;
        for text in held {
            count += 1;
            let projected = match embeddings.load(&text.hash)? {
                CachedEmbedding::Known(embedding) => match &adapter {
                    Some(adapter) => adapter.project(&embedding),
                    None => Some(adapter::identity(&embedding)),
                },
                CachedEmbedding::Unknown | CachedEmbedding::Damaged => None,
            };
            let stored = vectors.vector(space, text.id)?;
            if stored != projected {
                let name = |bytes: Option<Vec<u8>>| {
                    let bytes =
                        bytes.map_or("none".to_string(), |bytes| blake3::hash(&bytes).to_hex()[..16].to_string());
                    format!("{} {} {bytes}", space_name(space), hex(&text.hash))
                };
                have.push(name(stored.map(|vector| vector.0.to_bytes())));
                expect.push(name(projected.map(|vector| vector.0.to_bytes())));
            }
        }
    }
    have.sort_unstable();
    expect.sort_unstable();
    verdict.take("vectors", &have, &expect);
    verdict.compared.last_mut().expect("it was just said").1 = count;
    let Ok(setup) = Setup::of(&generation.model, &context.config.model) else { return Ok(()) };
    embedded_again(context, live, &setup, &embeddings, sample(texts, all), verdict)
}

/// Names a space in a difference.
fn space_name(space: &Space) -> String {
    if space.is_base() {
        "base".to_string()
    } else {
        format!("adapter {}", &space.adapter[..space.adapter.len().min(8)])
    }
}

/// A live text whose embedding is checked.
struct LiveText {
    id: i64,
    hash: Vec<u8>,
    kinds: Vec<String>,
    seq: i64,
}

/// Returns the texts of live items, ordered by hash, without those that the model could not embed.
fn live_texts(live: &Connection) -> Result<Vec<LiveText>> {
    let mut statement = live.prepare(
        "SELECT text.id, text.hash, group_concat(DISTINCT item_text.kind), min(item_text.seq) FROM item_text
         JOIN text ON text.id = item_text.text WHERE NOT failed GROUP BY text.id ORDER BY text.hash",
    )?;
    let rows = statement.query_map([], |row| {
        let kinds: String = row.get(2)?;
        let kinds = kinds.split(',').map(str::to_string).collect();
        Ok(LiveText { id: row.get(0)?, hash: row.get(1)?, kinds, seq: row.get(3)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Chooses the texts to embed again. Hash order is independent of any order that a fault could depend on.
fn sample(mut texts: Vec<LiveText>, all: bool) -> Vec<LiveText> {
    if !all && texts.len() > FEW_TEXTS {
        texts.truncate(SAMPLE);
    }
    texts
}

/// Embeds texts again and compares with the stored embeddings.
fn embedded_again(
    context: &Context<'_>,
    live: &Connection,
    setup: &Setup,
    embeddings: &EmbeddingCache,
    texts: Vec<LiveText>,
    verdict: &mut Verdict,
) -> Result<()> {
    let (count, mut have, mut expect) = (texts.len(), Vec::new(), Vec::new());
    let mut each = Vec::new();
    for text in texts {
        let event = eventlog::event(live, text.seq)?;
        each.push(Ok((text.hash, event.body()?.as_ref().map(text_of).unwrap_or_default())));
    }
    let name = |hash: &[u8], embedding: Option<&Embedding>| {
        let bytes = embedding.map(|embedding| embedding.0.to_bytes());
        let bytes = bytes.map_or("none".to_string(), |bytes| blake3::hash(&bytes).to_hex()[..16].to_string());
        format!("{} {bytes}", hex(hash))
    };
    embed_all(setup, count, context.sessions.max(1), context.stop, each.into_iter(), |found| {
        let kept = match embeddings.load(&found.key)? {
            CachedEmbedding::Known(embedding) => Some(embedding),
            CachedEmbedding::Unknown | CachedEmbedding::Damaged => None,
        };
        if kept != found.embedding {
            have.push(name(&found.key, kept.as_ref()));
            expect.push(name(&found.key, found.embedding.as_ref()));
        }
        Ok(true)
    })?;
    have.sort_unstable();
    expect.sort_unstable();
    verdict.take("embeddings", &have, &expect);
    verdict.compared.last_mut().expect("it was just said").1 = count as u64;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sorted_lists_differ_by_name() {
        let list = |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_string).collect() };
        let check = |have: &str, expect: &str, said: &[&str]| {
            let mut verdict = Verdict::default();
            verdict.take("part", &list(have), &list(expect));
            let found: Vec<&str> = verdict.differences.iter().map(|one| one.detail.as_str()).collect();
            assert_eq!(found, said, "{have:?} {expect:?}");
        };
        check("a b c", "a b c", &[]);
        check("a c", "a b c", &["is missing: b"]);
        check("a b b", "a b", &["should not be there: b"]);
        check("", "a", &["is missing: a"]);
        check("x", "", &["should not be there: x"]);
        check(
            "1 2 3 4 5 6 7",
            "",
            &[
                "should not be there: 1",
                "should not be there: 2",
                "should not be there: 3",
                "should not be there: 4",
                "should not be there: 5",
                "and 2 more",
            ],
        );
    }
}
