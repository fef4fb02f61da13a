#!/usr/bin/env python3
"""Mutation testing: plants one fault after another in the program, and reports whether the tests find it.

Usage: tests/mutants.py [FIRST [COUNT]]

Each fault changes one line in a copy of the tree. patina is built from the copy and tested against a full rebuild:
first with random histories checked by `doctor --verify`, then, if those find nothing, with the other property tests. A
fault that does not compile is an error in this list. Prints one line per fault and a total; exits with 1 if fewer than
95 % of the faults are found.
"""

import os
import pathlib
import shutil
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent

# (area, file, original text, replacement)
FAULTS = [
    # record: facts from git and files to the log
    ("record", "pipeline/history.rs", "heads.extend(view::pending(&cache.connection)?);", ""),
    ("record", "pipeline/history.rs", "log.set_history_open(true)?;", ""),
    ("record", "pipeline/history.rs", "if behind <= cache.watermark()? {", "if false {"),
    ("record", "pipeline/history.rs", "true if whole => Recorded::WithAncestors,", "true if whole || !full => Recorded::WithAncestors,"),
    ("record", "pipeline/history.rs", "if data.deriver == COMMIT_VERSION {", "if data.deriver == COMMIT_VERSION && data.parents.len() < 2 {"),
    ("record", "pipeline/history.rs", "cache.set_watermark(last)", "cache.set_watermark(last + 1)"),
    ("record", "pipeline/history.rs", "view::set_pending(&transaction, &reading.pending)?;", ""),
    ("record", "pipeline/code.rs", "&& item::find_parse(&cache.connection, &file.path, &blob)?.is_none()", "&& item::find_parse(&cache.connection, \"\", &blob)?.is_none() && file.path.len() % 5 != 0"),
    ("record", "pipeline/code.rs", "for file in wanted.iter().flat_map(|wanted| &wanted.moves) {", "for file in wanted.iter().take(1).flat_map(|wanted| &wanted.moves) {"),
    ("record", "eventlog.rs", "appended.seqs.push(find.query_row(named_params! {\":idem\": fact.idem.0}, |row| row.get(0))?);", "appended.seqs.push(next);"),
    ("record", "eventlog.rs", "next = seq;", "next = seq + (seq % 7 == 0) as i64 - (seq % 7 == 0) as i64 * 1; let _ = find.query_row(named_params! {\":idem\": fact.idem.0}, |row| row.get::<_, i64>(0)); if seq % 11 == 0 { appended.seqs.push(seq); }"),
    ("record", "facts/commits.rs", "pairs.insert(*to, gone.remove(position));", "pairs.insert(*to, gone.pop().unwrap_or(position));"),
    # views: the files at a HEAD
    ("views", "view/files.rs", "let old = view.head.map(|head| head.tree).filter(|_| view.settings == settings);", "let old = view.head.map(|head| head.tree);"),
    ("views", "view/files.rs", "let blob = change.new.filter(|side| side.is_file && is_included(&path)).map(|side| side.id);", "let blob = change.new.filter(|_| keep(&path)).map(|side| side.id);"),
    ("views", "view/files.rs", "moves.extend(held.into_keys().map(|path| FileMove { path, blob: None }));", "drop(held);"),
    ("views", "view/files.rs", "if old != *parse {", "if old.is_none() != parse.is_none() {"),
    ("views", "view/files.rs", "left.extend(old);", "left.extend(old.into_iter().filter(|_| parse.is_some()));"),
    ("views", "view/files.rs", "came.extend(parse);", "came.extend(parse.filter(|parse| parse % 9 != 0));"),
    ("views", "view/reach.rs", "Ok(uncovered.is_empty().then_some(ReachChange { added, removed: Vec::new() }))", "Ok(Some(Reach { added, removed: Vec::new() }))"),
    ("views", "view/reach.rs", "uncovered.remove(&sha);", "uncovered.clear();"),
    ("views", "view/reach.rs", "if added.contains(&seq) || is_reachable.exists(named_params! {\":seq\": seq})? {", "if added.len() > 3 || added.contains(&seq) || is_reachable.exists(named_params! {\":seq\": seq})? {"),
    ("views", "view/reach.rs", "removed: sorted(held.difference(&reached).collect()),", "removed: Vec::new(),"),
    ("views", "view/reach.rs", "for seq in &reach.removed {", "for seq in reach.removed.iter().skip(1) {"),
    ("views", "view/reach.rs", "for (ordinal, parent) in data.parents.iter().enumerate() {", "for (ordinal, parent) in data.parents.iter().take(1).enumerate() {"),
    ("views", "pipeline/views.rs", "view::set_head(&transaction, view.id, worktree.head, &config.fingerprint())?;", "if !moves.is_empty() { view::set_head(&transaction, view.id, worktree.head, &config.fingerprint())?; }"),
    ("views", "pipeline/views.rs", "live.paths_removed.extend(placed.iter().map(|(path, _)| path.clone()));", "live.paths_removed.extend(placed.iter().filter(|(_, parse)| parse.is_none()).map(|(path, _)| path.clone()));"),
    ("views", "pipeline/views.rs", "live.code_added.extend(events_at(&transaction, &placed)?);", "live.code_added.extend(events_at(&transaction, &placed)?.into_iter().skip(1));"),
    ("views", "pipeline/views.rs", "live.commits_removed = reach.removed;", ""),
    ("views", "pipeline/views.rs", "let whole = store::meta(&transaction, \"pending\")?.is_some();", "let whole = false;"),
    ("views", "pipeline/views.rs", "if stands.is_none() || stands.as_deref() != was {", "if stands.is_none() {"),
    ("views", "pipeline/views.rs", "view::drop_view(&transaction, gone.id)?;", ""),
    ("views", "item/parses.rs", "for sql in [\"DELETE FROM view_file WHERE parse = :id\", \"DELETE FROM parse WHERE id = :id\"] {", "for sql in [\"DELETE FROM view_file WHERE parse = :id\"] {"),
    ("views", "item/parses.rs", "for (item, seq) in parse.facts.items.iter().zip(seqs) {", "for (item, seq) in parse.facts.items.iter().zip(seqs).take(3) {"),
    # renames and history
    ("renames", "history/mod.rs", "rename.execute(named_params! {\":to\": path, \":commit\": seq, \":from\": from})?;", "if seq % 3 != 0 { rename.execute(named_params! {\":to\": path, \":commit\": seq, \":from\": from})?; }"),
    ("renames", "history/mod.rs", "let from = crate::view::intern(cache, from)?;", "let from = crate::view::intern(cache, from)?.min(path);"),
    ("renames", "history/lineage.rs", "if !self.is_live(from)? {", "if true {"),
    ("renames", "history/lineage.rs", "if !seen.insert(name) {", "if !seen.insert(name) || seen.len() > 1 {"),
    ("history", "history/mod.rs", "touch.execute(named_params! {\":path\": path, \":commit\": seq, \":status\": change.status.letter()})?;", "touch.execute(named_params! {\":path\": path, \":commit\": seq, \":status\": \"M\"})?;"),
    ("history", "history/mod.rs", "for change in &data.files_changed {", "for change in data.files_changed.iter().take(4 + seq as usize % 2) {"),
    ("history", "view/reach.rs", "\":files\": data.files_changed.len() as i64,", "\":files\": data.files_changed.len() as i64 + seq % 2,"),
    ("history", "history/people.rs", "commits.insert((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?);", "commits.insert((row.get(0)?, row.get(1)?, 0), row.get(3)?); let _: Seq = row.get(2)?; if commits.len() > 5 { commits.pop_first(); }"),
    # edges
    ("edges", "edges/store.rs", "\":seq\": seq, \":caller\": items[fact.caller], \":name\": call.name, \":callee\": call.callee,", "\":seq\": seq, \":caller\": items[0], \":name\": call.name, \":callee\": call.callee,"),
    ("edges", "edges/store.rs", "for site in &fact.sites {", "for site in fact.sites.iter().filter(|_| parse % 5 != 0) {"),
    ("edges", "edges/store.rs", "for (fact, seq) in facts.imports.iter().zip(imports) {", "for (fact, seq) in facts.imports.iter().zip(imports).filter(|_| parse % 4 != 0) {"),
    ("edges", "edges/store.rs", "for (fact, seq) in facts.calls.iter().zip(calls) {", "for (fact, seq) in facts.calls.iter().zip(calls).skip((parse % 3 == 0) as usize) {"),
    # full text
    ("full text", "pipeline/texts.rs", "    index::remove(cache, seqs, unix_now())?;\n    text_index::record_change(cache, seqs, false)", "    index::remove(cache, seqs, unix_now())"),
    ("full text", "text_index.rs", "INSERT OR REPLACE INTO text_expected", "INSERT OR IGNORE INTO text_expected"),
    ("full text", "pipeline/texts.rs", "let gone: Vec<Seq> = left.difference(came).copied().collect();", "let gone: Vec<Seq> = left.difference(came).copied().skip(1).collect();"),
    ("full text", "pipeline/texts.rs", "let new: Vec<Seq> = came.difference(left).copied().collect();", "let new: Vec<Seq> = came.difference(left).copied().skip(1).collect();"),
    ("full text", "pipeline/texts.rs", "leave(cache, &dead.collect::<rusqlite::Result<Vec<Seq>>>()?)?;", "let _all = dead.collect::<rusqlite::Result<Vec<Seq>>>()?; leave(cache, &gone)?;"),
    ("full text", "pipeline/texts.rs", "leave(cache, &reach.removed)?;", "index::remove(cache, &reach.removed, crate::git::unix_now())?;"),
    ("full text", "text_index.rs", "\":doc\": split_identifiers(entry.doc), \":body\": split_identifiers(entry.body),", "\":doc\": split_identifiers(entry.doc), \":body\": if seq % 5 == 0 { String::new() } else { split_identifiers(entry.body) },"),
    # delta
    ("delta", "index/texts.rs", "           AND NOT EXISTS (SELECT 1 FROM item_text WHERE item_text.text = text.id) RETURNING id\"", "           RETURNING id\""),
    ("delta", "index/texts.rs", "\"DELETE FROM item_text WHERE seq IN (SELECT value FROM json_each(:seqs)) RETURNING text\"", "\"SELECT text FROM item_text WHERE seq IN (SELECT value FROM json_each(:seqs))\""),
    ("delta", "index/texts.rs", "add_pending(cache, space.id, id)?;", "if known.is_none() { add_pending(cache, space.id, id)?; }"),
    ("delta", "index/delta.rs", "let bytes = vector.0.to_bytes();", "let mut bytes = vector.0.to_bytes(); if text % 6 == 0 { bytes[0] ^= 1; }"),
    ("delta", "pipeline/vectors.rs", "CachedEmbedding::Known(embedding) if !spaces.re_embed => {", "CachedEmbedding::Known(embedding) if !spaces.re_embed && { let _ = &embedding; wanted.text % 4 != 0 } => {"),
    ("delta", "pipeline/vectors.rs", "index::drop_pending(cache, space.id, wanted.text)?", "()"),
    ("delta", "embedding/embedding_cache.rs", "for (key, (_, embedding)) in keys.iter().zip(found) {", "for (key, (_, embedding)) in keys.iter().rev().zip(found) {"),
    # publish
    ("publish", "index/generation.rs", "let ensure = |adapter: &str, width: usize, holds: Holds| -> Result<Space> {\n", "let ensure = |adapter: &str, width: usize, holds: Holds| -> Result<Space> {\n        let holds = if adapter.is_empty() { Holds::Code } else { holds };\n"),
    ("publish", "store.rs", "workspace.publish_cache(&self.path)?;", "if self.path.to_string_lossy().len() % 2 == 0 { workspace.publish_cache(&self.path)?; }"),
    ("publish", "store.rs", "Ok(is_ours && is_of_this_log && wanted.last >= watermark)", "Ok(is_ours && (is_of_this_log || true) && wanted.last >= watermark)"),
    ("publish", "pipeline/views.rs", "store::set_meta(&transaction, \"as_of\", &as_of)?;", "if before.len() > 1 { store::set_meta(&transaction, \"as_of\", &as_of)?; }"),
]

VERIFY = ["history::random_histories_with_lost_and_doubled_rings_verify"]
PROPERTIES = ["written::", "history::", "lineage::", "mended::", "shapes::", "stops::a_", "stops::what_a", "crashes::", "rewrites::resets"]
VECTORS = ["vectors::", "worktrees::what"]
# The slowest tests run last.
STOPS = ["worktrees::a_worktree", "stops::whatever"]


def run(*command: str, **more) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, **more)


def main() -> int:
    first = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    count = int(sys.argv[2]) if len(sys.argv) > 2 else len(FAULTS)
    work = TOP / "target" / "mutants"
    tree = work / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    for name in ["Cargo.toml", "Cargo.lock", "src", "tests", "benches", "templates", "hooks", "README.md", "docs", "CHANGELOG.md", "install.sh"]:
        copy = shutil.copytree if (TOP / name).is_dir() else shutil.copy2
        copy(TOP / name, tree / name)
    few = {"PATINA_TEST_HISTORIES": "14", "PATINA_TEST_KILLS": "6"}
    environment = {**os.environ, "CARGO_TARGET_DIR": str(work / "target"), **few}
    # Dependencies keep their profile. patina itself is compiled with less optimisation, because it is built often.
    quick = ["--config", "profile.release.package.patina.opt-level=1"]

    def cargo(*words: str) -> subprocess.CompletedProcess:
        fixed = ["--locked", "--release", "--features", "fail-points"]
        return run("cargo", *words, *fixed, *quick, cwd=tree, env=environment)

    built = cargo("test", "--test", "it", "--no-run")
    if built.returncode:
        sys.exit(built.stderr)
    program = next(line.split("(")[1].rstrip(")") for line in built.stderr.splitlines() if "Executable" in line)
    program = str((tree / program).resolve()) if not os.path.isabs(program) else program

    def tests(names: list) -> bool:
        return run(program, *names, "--test-threads", "2", cwd=tree, env=environment, timeout=900).returncode == 0

    # Checked only with the whole list, not again for a part of it.
    if first == 0 and not (tests(VERIFY) and tests(PROPERTIES + VECTORS) and tests(STOPS)):
        sys.exit("the tests do not pass without a fault")
    found = {"by --verify": 0, "by the properties": 0, "not at all": 0}
    for number, (room, name, old, new) in list(enumerate(FAULTS))[first : first + count]:
        path = tree / "src" / name
        text = path.read_text()
        if text.count(old) != 1:
            sys.exit(f"fault {number}: {old!r} stands {text.count(old)} times in {name}")
        path.write_text(text.replace(old, new))
        built = cargo("build", "--bin", "patina")
        if built.returncode:
            sys.exit(f"fault {number} does not compile: {built.stderr}")
        try:
            properties = PROPERTIES + (VECTORS if room in ("delta", "publish") else [])
            if not tests(VERIFY):
                how = "by --verify"
            else:
                how = "not at all" if tests(properties) and tests(STOPS) else "by the properties"
        except subprocess.TimeoutExpired:
            how = "by the properties"
        path.write_text(text)
        found[how] += 1
        print(f"{number:2} {room:9} found {how}: {name}: {' '.join(old.split())[:90]}", flush=True)
    total = sum(found.values())
    print(f"{total} faults: " + ", ".join(f"{many} found {how}" for how, many in found.items()))
    return 0 if found["not at all"] * 20 <= total else 1


if __name__ == "__main__":
    sys.exit(main())
