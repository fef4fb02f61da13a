//! Moves the views to the current HEADs in one transaction of the cache, after which counts are up to date. Full text
//! follows in a second transaction, and the SQL views of the log in a third.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use rusqlite::{Connection, TransactionBehavior, named_params};

use super::context::Context;
use super::session_view;
use super::texts::{NewTexts, follow, move_messages, move_versions};
use super::worktrees::WorktreeMove;
use crate::edges;
use crate::entries;
use crate::event::{Seq, hex};
use crate::eventlog::{Eventlog, LiveMove};
use crate::fail;
use crate::git::{ObjectId, Repository};
use crate::item;
use crate::store::{self, Cache};
use crate::view::{self, FileMove, Gaps};

/// Drops the parses of blobs that were missing, as in a partial clone, and have arrived since, so that their files are
/// read again.
pub fn let_go_of_missing(context: &Context<'_>, cache: &mut Cache) -> Result<()> {
    let missing = item::missing_blobs(&cache.connection)?;
    let come: Vec<_> = missing.into_iter().filter(|(_, blob)| context.repository.has_object(*blob)).collect();
    if !come.is_empty() {
        let transaction = cache.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (path, blob) in &come {
            item::forget_missing(&transaction, path, blob)?;
        }
        view::force_full_compare(&transaction)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Moves all views and everything derived from them. `boundary` holds the commits at which history was cut off when it
/// was read; `texts` keeps decoded texts.
pub fn update(
    context: &Context<'_>,
    log: &mut Eventlog,
    cache: &mut Cache,
    wanted: &[WorktreeMove],
    boundary: Vec<ObjectId>,
    texts: &mut NewTexts,
) -> Result<()> {
    let before = view::views(&cache.connection)?;
    let was = store::meta(&cache.connection, "as_of")?;
    let mut live = LiveMove::default();
    let transaction = cache.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (mut came, mut left) = (BTreeSet::new(), BTreeSet::new());
    for WorktreeMove { view, worktree, config, moves } in wanted {
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
    let (new, old) = session_view::update(log, &transaction)?;
    came.extend(versions(&transaction, &new)?);
    left.extend(versions(&transaction, &old)?);
    entries::drop_old_parses(&transaction)?;
    let heads = |views: Vec<Option<crate::git::Head>>| -> Vec<ObjectId> {
        views.into_iter().flatten().map(|head| head.commit).collect()
    };
    let old_heads = heads(before.iter().map(|view| view.head).collect());
    let new_heads = heads(wanted.iter().map(|wanted| wanted.worktree.head).collect());
    // A commit that was pending and is recorded now may be between commits that are reachable already.
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
    move_versions(context, log, &transaction, &came, &left, texts)?;
    move_messages(context, log, &transaction, &reach, texts)?;
    let as_of = as_of(&transaction, wanted)?;
    store::set_meta(&transaction, "as_of", &as_of)?;
    fail::point("views written")?;
    transaction.commit().context("moving the views")?;
    fail::point("views kept")?;
    follow(context, log, cache, texts)?;
    live.commits_added = reach.added;
    live.commits_removed = reach.removed;
    move_log(log, cache, live, was.as_deref(), &as_of)
}

/// Returns the gaps in the history of the HEADs: where it was cut off, and commits that are not recorded yet.
fn gaps(repository: &Repository, cache: &Connection, boundary: Vec<ObjectId>) -> Result<Gaps> {
    let parents = |commit: ObjectId| match boundary.binary_search(&commit) {
        Ok(_) => (commit, Vec::new()),
        Err(_) => (commit, repository.parents_of(commit)),
    };
    let pending = view::pending(cache)?.into_iter().map(parents).collect();
    Ok(Gaps { boundary, pending })
}

/// Returns a hash of the HEADs, settings and missing data. Equal hashes mean equal answers.
fn as_of(cache: &Connection, wanted: &[WorktreeMove]) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    for wanted in wanted {
        let head = wanted.worktree.head.map(|head| head.commit.to_string()).unwrap_or_default();
        hasher.update(format!("{}\0{head}\0{}\0", wanted.worktree.name, wanted.config.fingerprint()).as_bytes());
    }
    for commit in view::waiting(cache)? {
        hasher.update(commit.as_bytes());
    }
    for (path, blob) in item::missing_blobs(cache)? {
        hasher.update(path.as_bytes()).update(blob.as_bytes());
    }
    Ok(hex(&hasher.finalize().as_bytes()[..16]))
}

/// Returns the new parse of each changed path. A file above the repository's own size limit is left out.
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

/// Returns every event in some parses, with the path under which it is live.
fn events_at(cache: &Connection, placed: &[(String, Option<i64>)]) -> Result<Vec<(Seq, String)>> {
    let mut all = Vec::new();
    for (path, parse) in placed {
        let Some(parse) = parse else { continue };
        let seqs = versions(cache, &[*parse])?.into_iter().chain(edges::events_of(cache, *parse)?);
        all.extend(seqs.map(|seq| (seq, path.clone())));
    }
    Ok(all)
}

/// Moves the live tables of the log: by the difference if they match the previous state of the cache, and completely
/// otherwise.
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
