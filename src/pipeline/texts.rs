//! Updates the texts for embedding and full-text search when items become live or stop being live. An event is decoded
//! once per run, as far as memory allows. Invariant: a missing vector is recorded in the transaction in which its item
//! becomes live.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Context as _, Result};
use rusqlite::{Connection, TransactionBehavior, named_params};

use super::context::{Context, Stage, check_stop};
use crate::embedding::text_of;
use crate::event::Seq;
use crate::eventlog::Eventlog;
use crate::facts::{Body, ItemKind};
use crate::fail;
use crate::git::unix_now;
use crate::index::{self, Space};
use crate::sessions::is_searchable;
use crate::sqlite;
use crate::store::Cache;
use crate::text_index::{self, TextFields};
use crate::view;

/// Full text is optimized after a run that adds more versions than this.
const OPTIMIZE_AFTER: usize = 5_000;
/// The most bytes of texts that are kept for later steps of a run; the others are decoded again.
const MOST_KEPT: usize = 16 << 20;

/// Texts that were decoded in a run, for its later steps.
#[derive(Debug)]
pub struct NewTexts {
    /// Whether the cache is not in use yet. In that case one pass at the end fills both full text and vectors, so that
    /// each text is decoded once.
    is_building: bool,
    bytes: usize,
    /// The full-text fields by version.
    full: HashMap<Seq, FullText>,
    /// The embedding texts by version.
    embedded: HashMap<Seq, String>,
}

/// An owned [`TextFields`].
#[derive(Debug)]
struct FullText {
    name: String,
    path: String,
    doc: String,
    body: String,
}

impl NewTexts {
    /// Creates an empty store of texts.
    pub fn new(cache: &Cache) -> Self {
        NewTexts { is_building: cache.is_building(), bytes: 0, full: HashMap::new(), embedded: HashMap::new() }
    }

    /// Removes and returns a version's embedding text, if it was kept.
    pub fn take_embedded(&mut self, seq: Seq) -> Option<String> {
        self.embedded.remove(&seq)
    }

    fn keep_embedded(&mut self, seq: Seq, text: String) {
        if !text.is_empty() && self.fits(text.len()) {
            self.embedded.insert(seq, text);
        }
    }

    fn keep_full(&mut self, seq: Seq, entry: &TextFields<'_>) {
        let TextFields { name, path, doc, body } = *entry;
        if self.fits(name.len() + path.len() + doc.len() + body.len()) {
            let [name, path, doc, body] = [name, path, doc, body].map(str::to_string);
            self.full.insert(seq, FullText { name, path, doc, body });
        }
    }

    fn fits(&mut self, bytes: usize) -> bool {
        let fits = self.bytes + bytes <= MOST_KEPT;
        self.bytes += if fits { bytes } else { 0 };
        fits
    }
}

impl FullText {
    fn entry(&self) -> TextFields<'_> {
        TextFields { name: &self.name, path: &self.path, doc: &self.doc, body: &self.body }
    }
}

/// Returns the full-text fields of an item. The subject of a commit counts as documentation and not as a name, so that
/// it ranks below a definition with that name.
fn entry_of<'a>(body: &'a Body<'_>) -> TextFields<'a> {
    match body {
        Body::Commit(data) => {
            let message = data.message.trim();
            let (subject, rest) = message.split_once('\n').unwrap_or((message, ""));
            TextFields { doc: subject, body: rest, ..TextFields::default() }
        }
        Body::Item(data) => {
            let base = data.file_path.rsplit('/').next().unwrap_or_default();
            let name = if data.kind == ItemKind::File { base } else { &data.qualified_name };
            TextFields { name, path: &data.file_path, doc: &data.doc, body: &data.text }
        }
        Body::SessionRead(data) => TextFields { doc: &data.title, ..TextFields::default() },
        Body::Entry(data) if is_searchable(data.category.name()) => {
            TextFields { doc: &data.content, ..TextFields::default() }
        }
        Body::Entry(_) | Body::Call(_) | Body::Import(_) => TextFields::default(),
    }
}

/// Updates the texts of item versions, in the transaction that moves the views.
///
/// `came` are the versions that some view has begun to show, `left` those that some view no longer shows.
pub fn move_versions(
    context: &Context<'_>,
    log: &Eventlog,
    cache: &Connection,
    came: &BTreeSet<Seq>,
    left: &BTreeSet<Seq>,
    texts: &mut NewTexts,
) -> Result<()> {
    let mut dead = cache.prepare_cached(
        "SELECT value FROM json_each(:seqs) WHERE NOT EXISTS
           (SELECT 1 FROM parse_item JOIN view_file ON view_file.parse = parse_item.parse WHERE parse_item.seq = value
            UNION ALL SELECT 1 FROM parse_entry JOIN view_file ON view_file.parse = parse_entry.parse WHERE parse_entry.seq = value)",
    )?;
    let gone: Vec<Seq> = left.difference(came).copied().collect();
    let dead = dead.query_map(named_params! {":seqs": sqlite::json_array(&gone)}, |row| row.get(0))?;
    leave(cache, &dead.collect::<rusqlite::Result<Vec<Seq>>>()?)?;
    let new: Vec<Seq> = came.difference(left).copied().collect();
    enter(context, log, cache, &new, texts)
}

/// Updates the messages of commits that have become reachable or unreachable, in the same transaction.
pub fn move_messages(
    context: &Context<'_>,
    log: &Eventlog,
    cache: &Connection,
    reach: &view::ReachChange,
    texts: &mut NewTexts,
) -> Result<()> {
    leave(cache, &reach.removed)?;
    enter(context, log, cache, &reach.added, texts)
}

/// Adds versions that became live.
fn enter(context: &Context<'_>, log: &Eventlog, cache: &Connection, seqs: &[Seq], texts: &mut NewTexts) -> Result<()> {
    if !texts.is_building {
        let _snapshot = log.snapshot()?;
        let spaces = index::maintained(cache)?;
        for_each(context, seqs, |seq| {
            let event = log.event(seq)?;
            let Some(body) = event.body()? else { return Ok(()) };
            texts.keep_full(seq, &entry_of(&body));
            want(cache, seq, &body, &spaces, texts)
        })?;
    }
    text_index::record_change(cache, seqs, true)
}

/// Records the text of a version that is to be embedded.
fn want(cache: &Connection, seq: Seq, body: &Body<'_>, spaces: &[Space], texts: &mut NewTexts) -> Result<()> {
    let Some(kind) = body.kind() else { return Ok(()) };
    let text = text_of(body);
    index::put(cache, seq, kind, &text, spaces)?;
    texts.keep_embedded(seq, text);
    Ok(())
}

/// Removes versions that are no longer live in any view.
fn leave(cache: &Connection, seqs: &[Seq]) -> Result<()> {
    index::remove(cache, seqs, unix_now())?;
    text_index::record_change(cache, seqs, false)
}

/// Updates full text to exactly the versions that are live in some view.
pub fn follow(context: &Context<'_>, log: &Eventlog, cache: &mut Cache, texts: &mut NewTexts) -> Result<()> {
    if text_index::is_current(&cache.connection)? {
        return Ok(());
    }
    let transaction = cache.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    text_index::remove(&transaction, &text_index::recorded_changes(&transaction, false)?)?;
    let came = text_index::recorded_changes(&transaction, true)?;
    let spaces = index::maintained(&transaction)?;
    let snapshot = log.snapshot()?;
    for_each(context, &came, |seq| {
        if let Some(full) = texts.full.remove(&seq) {
            return text_index::put(&transaction, seq, &full.entry());
        }
        let event = log.event(seq)?;
        let Some(body) = event.body()? else { return Ok(()) };
        if texts.is_building {
            want(&transaction, seq, &body, &spaces, texts)?;
        }
        text_index::put(&transaction, seq, &entry_of(&body))
    })?;
    drop(snapshot);
    text_index::clear_changes(&transaction)?;
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
