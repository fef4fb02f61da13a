//! Views move to where the HEADs stand, in one transaction of the cache: from then on what is counted is answered.
//! Full text follows in another, and what plain SQL sees in one of the log.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use rusqlite::{Connection, TransactionBehavior, named_params};
use serde::Deserialize;

use super::sessions;
use super::vectors::now;
use super::{Context, Stage, Wanted, check_stop};
use crate::edges;
use crate::embedding::{Source, text_of};
use crate::entries::{self, SESSION_KIND};
use crate::event::{Seq, hex};
use crate::eventlog::{Eventlog, LiveMove};
use crate::fail;
use crate::git::{ObjectId, Repository};
use crate::index;
use crate::item;
use crate::sessions::is_told;
use crate::sqlite;
use crate::store::{self, Cache};
use crate::text_index::{self, Entry};
use crate::view::{self, FileMove, Gaps};

/// More versions than this in one move, and full text is brought together afterwards.
const OPTIMIZE_AFTER: usize = 5_000;

/// Blobs that were not here and have come, as in a partial clone: their places are looked at again as a whole.
pub fn let_go_of_missing(context: &Context<'_>, cache: &mut Cache) -> Result<()> {
    let missing = item::missing(&cache.connection)?;
    let come: Vec<_> = missing.into_iter().filter(|(_, blob)| context.repository.has(*blob)).collect();
    if !come.is_empty() {
        let transaction = cache.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (path, blob) in &come {
            item::forget_missing(&transaction, path, blob)?;
        }
        view::compare_whole(&transaction)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Moves everything. `boundary` is where history was cut off before it was read.
pub fn update(
    context: &Context<'_>,
    log: &mut Eventlog,
    cache: &mut Cache,
    wanted: &[Wanted],
    boundary: Vec<ObjectId>,
) -> Result<()> {
    let before = view::views(&cache.connection)?;
    let was = store::meta(&cache.connection, "as_of")?;
    let mut live = LiveMove::default();
    let transaction = cache.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (mut came, mut left) = (BTreeSet::new(), BTreeSet::new());
    for Wanted { view, worktree, config, moves } in wanted {
        let limit = (config.max_file_bytes < context.config.max_file_bytes).then_some(config.max_file_bytes);
        let placed = place(&transaction, moves, limit)?;
        if view.worktree.is_empty() {
            live.paths_removed.extend(placed.iter().map(|(path, _)| path.clone()));
            live.code_added.extend(events_at(&transaction, &placed)?);
        }
        let (new, old) = view::move_files(&transaction, view.id, &placed)?;
        came.extend(versions(&transaction, &new)?);
        left.extend(versions(&transaction, &old)?);
        view::set_head(&transaction, view.id, worktree.head, &config.fingerprint())?;
    }
    for gone in before.iter().filter(|view| !wanted.iter().any(|wanted| wanted.worktree.name == view.worktree)) {
        let all: Vec<(String, Option<i64>)> =
            view::files(&transaction, gone.id)?.into_keys().map(|path| (path, None)).collect();
        let (_, old) = view::move_files(&transaction, gone.id, &all)?;
        left.extend(versions(&transaction, &old)?);
        view::drop_view(&transaction, gone.id)?;
    }
    let (new, old) = sessions::update(log, &transaction)?;
    came.extend(versions(&transaction, &new)?);
    left.extend(versions(&transaction, &old)?);
    entries::drop_old_parses(&transaction)?;
    let heads = |views: Vec<Option<crate::git::Head>>| -> Vec<ObjectId> {
        views.into_iter().flatten().map(|head| head.commit).collect()
    };
    let old_heads = heads(before.iter().map(|view| view.head).collect());
    let new_heads = heads(wanted.iter().map(|wanted| wanted.worktree.head).collect());
    // A commit that was pending and is told now may stand between commits that are reachable already.
    let whole = store::meta(&transaction, "pending")?.is_some();
    let whole = whole || view::boundary(&transaction)? != boundary;
    let gaps = gaps(context.repository, &transaction, boundary)?;
    let reach = view::move_reachable(&transaction, &old_heads, &new_heads, &gaps, whole)?;
    let pending = view::pending(&transaction)?.len();
    if pending > 0 {
        store::set_meta(&transaction, "pending", &pending.to_string())?;
    } else {
        transaction.execute("DELETE FROM meta WHERE key = 'pending'", [])?;
    }
    fail::point("files moved")?;
    move_texts(context, log, &transaction, &came, &left)?;
    move_messages(context, log, &transaction, &reach)?;
    let as_of = as_of(&transaction, wanted)?;
    store::set_meta(&transaction, "as_of", &as_of)?;
    fail::point("views written")?;
    transaction.commit().context("moving the views")?;
    fail::point("views kept")?;
    follow(context, log, cache)?;
    live.commits_added = reach.added;
    live.commits_removed = reach.removed;
    move_log(log, cache, live, was.as_deref(), &as_of)
}

/// What is between the HEADs and the whole of history.
fn gaps(repository: &Repository, cache: &Connection, boundary: Vec<ObjectId>) -> Result<Gaps> {
    let parents = |commit: ObjectId| match boundary.binary_search(&commit) {
        Ok(_) => (commit, Vec::new()),
        Err(_) => (commit, repository.parents_of(commit)),
    };
    let pending = view::pending(cache)?.into_iter().map(parents).collect();
    Ok(Gaps { boundary, pending })
}

/// What a set of HEADs is called, with what could not be read at them: equal names, equal answers.
fn as_of(cache: &Connection, wanted: &[Wanted]) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    for wanted in wanted {
        let head = wanted.worktree.head.map(|head| head.commit.to_string()).unwrap_or_default();
        hasher.update(format!("{}\0{head}\0{}\0", wanted.worktree.name, wanted.config.fingerprint()).as_bytes());
    }
    for commit in view::waiting(cache)? {
        hasher.update(commit.as_bytes());
    }
    for (path, blob) in item::missing(cache)? {
        hasher.update(path.as_bytes()).update(blob.as_bytes());
    }
    Ok(hex(&hasher.finalize().as_bytes()[..16]))
}

/// The parse that each path holds from now on. A file over the repository's own limit is left out.
fn place(cache: &Connection, moves: &[FileMove], limit: Option<u64>) -> Result<Vec<(String, Option<i64>)>> {
    let mut placed = Vec::with_capacity(moves.len());
    let mut fits = cache.prepare_cached("SELECT 1 FROM parse WHERE id = :id AND size <= :limit")?;
    for file in moves {
        let mut parse = None;
        if let Some(blob) = &file.blob {
            let id = item::find_parse(cache, &file.path, blob)?.context("a file that moves in was parsed before")?;
            let fits = match limit {
                Some(limit) => fits.exists(named_params! {":id": id, ":limit": limit as i64})?,
                None => true,
            };
            parse = fits.then_some(id);
        }
        placed.push((file.path.clone(), parse));
    }
    Ok(placed)
}

fn versions(cache: &Connection, parses: &[i64]) -> Result<Vec<Seq>> {
    let mut statement = cache.prepare_cached(
        "SELECT seq FROM parse_item WHERE parse = :parse UNION SELECT seq FROM parse_entry WHERE parse = :parse",
    )?;
    let mut all = Vec::new();
    for parse in parses {
        let rows = statement.query_map(named_params! {":parse": parse}, |row| row.get(0))?;
        all.extend(rows.collect::<rusqlite::Result<Vec<Seq>>>()?);
    }
    Ok(all)
}

/// Every event that parses stand for, with the path it is live under.
fn events_at(cache: &Connection, placed: &[(String, Option<i64>)]) -> Result<Vec<(Seq, String)>> {
    let mut all = Vec::new();
    for (path, parse) in placed {
        let Some(parse) = parse else { continue };
        let seqs = versions(cache, &[*parse])?.into_iter().chain(edges::events_of(cache, *parse)?);
        all.extend(seqs.map(|seq| (seq, path.clone())));
    }
    Ok(all)
}

/// The fields of an event's data that full text and vectors are made of.
#[derive(Deserialize)]
struct Text {
    #[serde(default)]
    qualified_name: String,
    #[serde(default)]
    file_path: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    doc: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    session: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    content: String,
    #[serde(default)]
    language: Option<String>,
}

impl Text {
    fn read(log: &Eventlog, seq: Seq) -> Result<Self> {
        Ok(serde_json::from_str(&log.data(seq)?)?)
    }

    /// What it is among the kinds that dimensions hold.
    fn kind(&self) -> &str {
        match (self.kind.as_str(), self.category.as_str(), self.session.as_str()) {
            ("", "", "") => "commit",
            ("", "", _) => SESSION_KIND,
            ("", category, _) => category,
            (kind, ..) => kind,
        }
    }

    fn into_source(self) -> Source {
        let Text { kind, language, doc, text, message, title, category, content, .. } = self;
        Source { kind, language, doc, text, message, title, category, content }
    }

    /// A subject is a sentence and no name: it counts as a doc, so that a definition of that name stays above it.
    fn entry(&self) -> Entry<'_> {
        if !self.category.is_empty() {
            return Entry { doc: if is_told(&self.category) { &self.content } else { "" }, ..Entry::default() };
        }
        if !self.title.is_empty() {
            return Entry { doc: &self.title, ..Entry::default() };
        }
        if self.kind.is_empty() {
            let message = self.message.trim();
            let (subject, rest) = message.split_once('\n').unwrap_or((message, ""));
            return Entry { doc: subject, body: rest, ..Entry::default() };
        }
        let base = self.file_path.rsplit('/').next().unwrap_or_default();
        let name = if self.kind == "file" { base } else { &self.qualified_name };
        Entry { name, path: &self.file_path, doc: &self.doc, body: &self.text }
    }
}

/// Exactly the versions live in some view have a text to embed, and full text is told which came and went.
fn move_texts(
    context: &Context<'_>,
    log: &Eventlog,
    cache: &Connection,
    came: &BTreeSet<Seq>,
    left: &BTreeSet<Seq>,
) -> Result<()> {
    let mut dead = cache.prepare_cached(
        "SELECT value FROM json_each(:seqs) WHERE NOT EXISTS
           (SELECT 1 FROM parse_item JOIN view_file ON view_file.parse = parse_item.parse WHERE parse_item.seq = value
            UNION ALL SELECT 1 FROM parse_entry JOIN view_file ON view_file.parse = parse_entry.parse WHERE parse_entry.seq = value)",
    )?;
    let gone: Vec<Seq> = left.difference(came).copied().collect();
    let dead = dead.query_map(named_params! {":seqs": sqlite::list(&gone)}, |row| row.get(0))?;
    leave(cache, &dead.collect::<rusqlite::Result<Vec<Seq>>>()?)?;
    let new: Vec<Seq> = came.difference(left).copied().collect();
    enter(context, log, cache, &new)
}

fn move_messages(context: &Context<'_>, log: &Eventlog, cache: &Connection, reach: &view::Reach) -> Result<()> {
    leave(cache, &reach.removed)?;
    enter(context, log, cache, &reach.added)
}

/// Versions that are live from now on.
fn enter(context: &Context<'_>, log: &Eventlog, cache: &Connection, seqs: &[Seq]) -> Result<()> {
    let _snapshot = log.snapshot()?;
    let spaces = index::maintained(cache)?;
    for_each(context, seqs, |seq| {
        let text = Text::read(log, seq)?;
        let kind = text.kind().to_string();
        index::put(cache, seq, &kind, &text_of(&text.into_source()), &spaces)
    })?;
    text_index::expect(cache, seqs, true)
}

/// Versions that are live nowhere any more.
fn leave(cache: &Connection, seqs: &[Seq]) -> Result<()> {
    index::remove(cache, seqs, now())?;
    text_index::expect(cache, seqs, false)
}

/// Full text holds exactly the versions live in some view.
fn follow(context: &Context<'_>, log: &Eventlog, cache: &mut Cache) -> Result<()> {
    if text_index::is_settled(&cache.connection)? {
        return Ok(());
    }
    let transaction = cache.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    text_index::remove(&transaction, &text_index::expected(&transaction, false)?)?;
    let came = text_index::expected(&transaction, true)?;
    let snapshot = log.snapshot()?;
    for_each(context, &came, |seq| text_index::put(&transaction, seq, &Text::read(log, seq)?.entry()))?;
    drop(snapshot);
    text_index::settle(&transaction)?;
    fail::point("texts moved")?;
    transaction.commit().context("moving full text")?;
    fail::point("texts kept")?;
    if came.len() > OPTIMIZE_AFTER {
        text_index::optimize(&cache.connection)?;
    }
    Ok(())
}

fn for_each(context: &Context<'_>, seqs: &[Seq], mut take: impl FnMut(Seq) -> Result<()>) -> Result<()> {
    for (done, seq) in seqs.iter().enumerate() {
        if done % 256 == 0 {
            check_stop(context)?;
            (context.progress)(Stage::Update, done as u64, seqs.len() as u64);
        }
        take(*seq)?;
    }
    Ok(())
}

/// Moves what plain SQL sees: by the difference where the log stood where the cache did, else from the whole.
fn move_log(log: &mut Eventlog, cache: &Cache, mut live: LiveMove, was: Option<&str>, as_of: &str) -> Result<()> {
    let stands = log.live_as_of()?;
    if stands.as_deref() == Some(as_of) && was == Some(as_of) && live.is_empty() {
        return Ok(());
    }
    if stands.is_none() || stands.as_deref() != was {
        let connection = &cache.connection;
        let mut reachable = connection.prepare("SELECT seq FROM reachable")?;
        live = LiveMove {
            reset: true,
            commits_added: reachable.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?,
            ..LiveMove::default()
        };
        if let Some(main) = view::view_of(connection, "")? {
            let files: Vec<(String, Option<i64>)> =
                view::files(connection, main.id)?.into_iter().map(|(path, parse)| (path, Some(parse))).collect();
            live.code_added = events_at(connection, &files)?;
        }
    }
    log.move_live(&live, as_of)
}
