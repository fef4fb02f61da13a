//! The texts to index, by content. Each is indexed once, however many items have it, and stays known when its item goes
//! and comes back.
//!
//! Invariant: no text is lost. What a space lacks is recorded in the transaction in which the item becomes live.

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, named_params};

use super::space::Space;
use crate::embedding::hash_of;
use crate::event::Seq;
use crate::facts::ItemKind;
use crate::sqlite;

/// A text whose vector some spaces lack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingText {
    /// The row id of the text.
    pub text: i64,
    /// Its hash, which is the key of its embedding.
    pub hash: Vec<u8>,
    /// The event position of an item version with this text.
    pub seq: Seq,
    /// The row ids of the spaces that lack it.
    pub spaces: Vec<i64>,
}

/// Records a live item version with its text, which becomes pending in each space that holds its kind.
///
/// A version with an empty text is not indexed.
pub fn put(cache: &Connection, seq: Seq, kind: ItemKind, text: &str, spaces: &[Space]) -> Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let hash = hash_of(text);
    let mut find = cache.prepare_cached("SELECT id, failed FROM text WHERE hash = :hash")?;
    let known = find
        .query_row(named_params! {":hash": hash}, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?)))
        .optional()?;
    let (id, failed) = match known {
        Some((id, failed)) => {
            cache
                .prepare_cached("UPDATE text SET dead_since = NULL WHERE id = :id AND dead_since IS NOT NULL")?
                .execute(named_params! {":id": id})?;
            (id, failed)
        }
        None => {
            cache.prepare_cached("INSERT INTO text(hash) VALUES (:hash)")?.execute(named_params! {":hash": hash})?;
            (cache.last_insert_rowid(), false)
        }
    };
    cache
        .prepare_cached("INSERT OR IGNORE INTO item_text(seq, text, kind) VALUES (:seq, :text, :kind)")?
        .execute(named_params! {":seq": seq, ":text": id, ":kind": kind.name()})?;
    if !failed {
        for space in spaces.iter().filter(|space| space.holds.kind(kind)) {
            add_pending(cache, space.id, id)?;
        }
    }
    Ok(())
}

/// Records that a space lacks a text, unless it has its vector.
fn add_pending(cache: &Connection, space: i64, text: i64) -> Result<()> {
    cache
        .prepare_cached(
            "INSERT OR IGNORE INTO wanted(space, text) SELECT :space, :text
             WHERE NOT EXISTS (SELECT 1 FROM delta WHERE space = :space AND text = :text)
               AND NOT EXISTS (SELECT 1 FROM placed WHERE space = :space AND text = :text)",
        )?
        .execute(named_params! {":space": space, ":text": text})?;
    Ok(())
}

/// Records that item versions are no longer live in any view.
///
/// Their vectors are kept for a while, because a branch may be checked out again. `now` is Unix seconds.
pub fn remove(cache: &Connection, seqs: &[Seq], now: i64) -> Result<()> {
    let mut take = cache
        .prepare_cached("DELETE FROM item_text WHERE seq IN (SELECT value FROM json_each(:seqs)) RETURNING text")?;
    let texts = take.query_map(named_params! {":seqs": sqlite::json_array(seqs)}, |row| row.get(0))?;
    let texts = texts.collect::<rusqlite::Result<Vec<i64>>>()?;
    if texts.is_empty() {
        return Ok(());
    }
    let mut leave = cache.prepare_cached(
        "UPDATE text SET dead_since = :now WHERE id IN (SELECT value FROM json_each(:texts))
           AND NOT EXISTS (SELECT 1 FROM item_text WHERE item_text.text = text.id) RETURNING id",
    )?;
    let dead = leave.query_map(named_params! {":now": now, ":texts": sqlite::json_array(&texts)}, |row| row.get(0))?;
    let dead = dead.collect::<rusqlite::Result<Vec<i64>>>()?;
    cache
        .prepare_cached("DELETE FROM wanted WHERE text IN (SELECT value FROM json_each(:dead))")?
        .execute(named_params! {":dead": sqlite::json_array(&dead)})?;
    Ok(())
}

/// Records every live text of the kinds that a space holds as pending, unless the space has its vector.
pub fn add_all_pending(cache: &Connection, space: &Space) -> Result<()> {
    let mut statement = cache.prepare(
        "SELECT DISTINCT item_text.text, item_text.kind FROM item_text JOIN text ON text.id = item_text.text WHERE NOT failed",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if space.holds.kind_named(row.get_ref(1)?.as_str()?) {
            add_pending(cache, space.id, row.get(0)?)?;
        }
    }
    Ok(())
}

/// Returns the number of texts that some space lacks.
pub fn pending_count(cache: &Connection) -> Result<u64> {
    let sql = "SELECT count(DISTINCT text) FROM wanted";
    Ok(cache.query_row(sql, [], |row| row.get::<_, i64>(0))?.cast_unsigned())
}

/// Returns the row id and hash of every text for which the model produced a usable vector, or may yet.
pub fn usable_texts(cache: &Connection) -> Result<Vec<(i64, Vec<u8>)>> {
    let mut statement = cache.prepare("SELECT id, hash FROM text WHERE NOT failed ORDER BY id")?;
    Ok(statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?)
}

/// Returns the number of live texts.
pub fn live_texts(cache: &Connection) -> Result<u64> {
    let sql = "SELECT count(DISTINCT text) FROM item_text";
    Ok(cache.query_row(sql, [], |row| row.get::<_, i64>(0))?.cast_unsigned())
}

/// How many of the newest commits have their messages embedded together with code; older ones wait until all code is
/// embedded.
const RECENT_COMMITS: i64 = 100;

/// Returns the texts that spaces lack, in order of work: code and the newest commits first, by most recent change.
pub fn pending_texts(cache: &Connection) -> Result<Vec<PendingText>> {
    if pending_count(cache)? == 0 {
        return Ok(Vec::new());
    }
    let mut statement = cache.prepare(
        "WITH lacking AS MATERIALIZED (SELECT text, group_concat(space) AS spaces FROM wanted GROUP BY text),
         changed AS MATERIALIZED (
           SELECT touched.path, max(commit_row.time) AS time FROM touched JOIN reachable ON reachable.seq = touched.commit_seq
           JOIN commit_row ON commit_row.seq = touched.commit_seq
           WHERE touched.path IN (SELECT definition.path FROM lacking JOIN item_text USING (text) JOIN definition ON definition.seq = item_text.seq)
           GROUP BY touched.path),
         recent AS MATERIALIZED (
           SELECT coalesce(min(time), 0) AS since FROM
             (SELECT time FROM commit_row CROSS JOIN reachable ON reachable.seq = commit_row.seq ORDER BY time DESC LIMIT :recent))
         SELECT lacking.text, text.hash, min(item_text.seq), lacking.spaces,
                min(item_text.kind = 'commit' AND commit_row.time < (SELECT since FROM recent)) AS is_old,
                max(coalesce(commit_row.time, changed.time, 0)) AS time
         FROM lacking JOIN text ON text.id = lacking.text JOIN item_text ON item_text.text = lacking.text
         LEFT JOIN definition ON definition.seq = item_text.seq LEFT JOIN changed ON changed.path = definition.path
         LEFT JOIN commit_row ON commit_row.seq = item_text.seq
         GROUP BY lacking.text ORDER BY is_old, time DESC, min(item_text.kind = 'commit'), lacking.text",
    )?;
    let rows = statement.query_map(named_params! {":recent": RECENT_COMMITS}, |row| {
        let spaces: String = row.get(3)?;
        let spaces = spaces.split(',').filter_map(|space| space.parse().ok()).collect();
        Ok(PendingText { text: row.get(0)?, hash: row.get(1)?, seq: row.get(2)?, spaces })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Removes a text from the pending texts of one space, without a vector.
pub fn drop_pending(cache: &Connection, space: i64, text: i64) -> Result<()> {
    cache
        .prepare_cached("DELETE FROM wanted WHERE space = :space AND text = :text")?
        .execute(named_params! {":space": space, ":text": text})?;
    Ok(())
}

/// Marks a text as failed, since the model produces no usable vector for it.
pub fn mark_failed(cache: &Connection, text: i64) -> Result<()> {
    cache.prepare_cached("UPDATE text SET failed = 1 WHERE id = :text")?.execute(named_params! {":text": text})?;
    cache.prepare_cached("DELETE FROM wanted WHERE text = :text")?.execute(named_params! {":text": text})?;
    Ok(())
}

/// Deletes texts that have been dead since before a time (in Unix seconds) and that no segment contains.
///
/// Returns the hashes of the texts that are kept.
pub fn forget_dead(cache: &Connection, before: i64) -> Result<Vec<Vec<u8>>> {
    cache.execute(
        "DELETE FROM delta WHERE text IN (SELECT id FROM text WHERE dead_since < :before)",
        named_params! {":before": before},
    )?;
    cache.execute(
        "DELETE FROM text WHERE dead_since < :before AND id NOT IN (SELECT text FROM placed)",
        named_params! {":before": before},
    )?;
    let mut statement = cache.prepare("SELECT hash FROM text")?;
    Ok(statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// Returns the row id of the text of an item version.
pub fn text_of_item(cache: &Connection, seq: Seq) -> Result<Option<i64>> {
    let mut statement = cache.prepare_cached("SELECT text FROM item_text WHERE seq = :seq")?;
    Ok(statement.query_row(named_params! {":seq": seq}, |row| row.get(0)).optional()?)
}

/// Returns the encoded path and the text row of each file of a view.
pub fn texts_of_files(cache: &Connection, view: i64) -> Result<Vec<(String, i64)>> {
    let mut statement = cache.prepare_cached(
        "SELECT path.path, item_text.text FROM view_file
         CROSS JOIN parse_item ON parse_item.parse = view_file.parse AND view_file.view = :view
         CROSS JOIN item_text ON item_text.seq = parse_item.seq AND item_text.kind = 'file'
         CROSS JOIN path ON path.id = view_file.path",
    )?;
    let rows = statement.query_map(named_params! {":view": view}, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Returns the encoded paths of those definitions of a view that have this text, one per definition.
pub fn paths_of_definitions(cache: &Connection, view: i64, text: i64) -> Result<Vec<String>> {
    let mut statement = cache.prepare_cached(
        "SELECT path.path FROM item_text
         CROSS JOIN parse_item ON parse_item.seq = item_text.seq
         CROSS JOIN view_file ON view_file.parse = parse_item.parse AND view_file.view = :view
         CROSS JOIN path ON path.id = view_file.path
         WHERE item_text.text = :text AND item_text.kind NOT IN ('file', 'commit') ORDER BY item_text.seq, path.path",
    )?;
    let rows = statement.query_map(named_params! {":text": text, ":view": view}, |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dimensions::Holds;

    fn cache() -> (Connection, Space) {
        let cache = Connection::open_in_memory().expect("memory");
        for schema in [crate::view::SCHEMA, crate::item::SCHEMA, crate::history::SCHEMA, crate::index::SCHEMA] {
            cache.execute_batch(schema).expect("schema");
        }
        (cache, Space { id: 1, adapter: String::new(), width: 4, holds: Holds::All })
    }

    /// Adds a commit with a time and the files it touched.
    fn commit(cache: &Connection, seq: Seq, time: i64, files: &[i64]) {
        cache
            .execute(
                "INSERT INTO commit_row(seq, sha, time, author, files, is_merge, subject) VALUES (:seq, randomblob(20), :time, 1, 1, 0, '')",
                named_params! {":seq": seq, ":time": time},
            )
            .expect("a commit");
        cache.execute("INSERT INTO reachable(seq) VALUES (:seq)", named_params! {":seq": seq}).expect("reachable");
        for file in files {
            cache
                .execute(
                    "INSERT INTO touched(path, commit_seq, status) VALUES (:path, :seq, 'M')",
                    named_params! {":path": file, ":seq": seq},
                )
                .expect("touched");
        }
    }

    fn function(cache: &Connection, seq: Seq, path: i64) {
        cache
            .execute(
                "INSERT INTO definition(seq, path, kind, name, qualified, signature, shape) VALUES (:seq, :path, 'function', 'f', 'f', '', '')",
                named_params! {":seq": seq, ":path": path},
            )
            .expect("a definition");
    }

    #[test]
    fn old_commits_come_last_and_what_changed_last_comes_first() {
        let (cache, space) = cache();
        commit(&cache, 1, 100, &[1, 2]);
        commit(&cache, 2, 200, &[2]);
        (0..RECENT_COMMITS).for_each(|between| commit(&cache, 100 + between, 150, &[]));
        function(&cache, 11, 1);
        function(&cache, 12, 2);
        for (seq, kind, text) in [
            (1, ItemKind::Commit, "old"),
            (2, ItemKind::Commit, "new"),
            (11, ItemKind::Function, "a"),
            (12, ItemKind::Function, "b"),
        ] {
            put(&cache, seq, kind, text, std::slice::from_ref(&space)).expect("put");
        }
        let order: Vec<Seq> = pending_texts(&cache).expect("reads").iter().map(|wanted| wanted.seq).collect();
        assert_eq!(order, [12, 2, 11, 1]);
    }

    #[test]
    fn a_text_is_wanted_once_and_no_longer_when_nothing_says_it() {
        let (cache, space) = cache();
        let spaces = std::slice::from_ref(&space);
        for seq in [1, 2] {
            put(&cache, seq, ItemKind::Function, "the same", spaces).expect("put");
        }
        put(&cache, 3, ItemKind::Function, "", spaces).expect("put");
        assert_eq!((pending_count(&cache).expect("reads"), live_texts(&cache).expect("reads")), (1, 1));
        remove(&cache, &[1], 0).expect("removed");
        assert_eq!(pending_count(&cache).expect("reads"), 1, "another still says it");
        remove(&cache, &[2], 0).expect("removed");
        assert_eq!((pending_count(&cache).expect("reads"), live_texts(&cache).expect("reads")), (0, 0));
        put(&cache, 2, ItemKind::Function, "the same", spaces).expect("put");
        assert_eq!(pending_count(&cache).expect("reads"), 1, "and it comes back");
        let only_files = Space { holds: Holds::Files, ..space.clone() };
        put(&cache, 4, ItemKind::Function, "another", &[only_files]).expect("put");
        assert_eq!(pending_count(&cache).expect("reads"), 1, "a space wants what it holds");
        mark_failed(&cache, pending_texts(&cache).expect("reads")[0].text).expect("given up");
        put(&cache, 5, ItemKind::Function, "the same", spaces).expect("put");
        assert_eq!(pending_count(&cache).expect("reads"), 0, "a text without a usable vector is not tried again");
    }
}
