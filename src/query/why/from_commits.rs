//! Reasons from commits: the sentences of their messages that state a reason, and reverts. A message that only says
//! what was done is not a reason.

use std::collections::{BTreeMap, HashSet};

use anyhow::Result;

use super::super::Reader;
use super::reverts::{self, REVERTS, RevertTarget, Reverts, is_revert, named};
use super::{BlamedCommit, BlamedLines, Reason, ReasonCommit, words};
use crate::event::{Seq, hex};
use crate::eventlog;
use crate::git::ObjectId;
use crate::history::ReachableCommits;

/// Confidence of a sentence that states a reason, and is about the lines or is the subject of a small commit.
const STATED: f64 = 0.75;
/// Confidence of a sentence that states a reason, but is not about the lines.
const STATED_BESIDE: f64 = 0.5;
/// With at most `FEW_FILES` files, a commit's subject counts as being about each of them; with at most `SOME_FILES`, so
/// does the rest of its message, with less confidence.
const FEW_FILES: usize = 4;
const SOME_FILES: usize = 8;
/// How many sentences of one message are quoted.
const SENTENCES: usize = 2;
/// Confidence of a revert.
const REVERTED: f64 = 0.8;
/// How many commits of a file are searched for reverts, newest first.
const MOST_COMMITS: usize = 600;
/// How many sentences of a revert's message are quoted.
const REVERT_SENTENCES: usize = 3;

/// A commit that touched the file.
struct FileCommit {
    id: ObjectId,
    time: i64,
    message: String,
}

impl FileCommit {
    fn subject(&self) -> &str {
        reverts::subject(&self.message)
    }
}

/// Returns the commits that touched a file under any of its names.
pub fn touching(past: &mut ReachableCommits<'_>, names: &[String]) -> Result<HashSet<Seq>> {
    let mut seqs = HashSet::new();
    for name in names {
        seqs.extend(past.commits_touching(name)?.iter().copied());
    }
    Ok(seqs)
}

/// Quotes the sentences that state a reason in the messages of the commits behind the lines.
pub fn stated(asked: &BlamedLines<'_>) -> Vec<Reason> {
    let (about, around) = (asked.topics(), asked.surroundings());
    let mut reasons = Vec::new();
    for maker in asked.makers {
        if is_revert(&maker.message) {
            continue;
        }
        let mut found: Vec<(f64, bool, String)> = Vec::new();
        for (is_subject, sentence) in words::reasons_in(&maker.message) {
            let topics = words::topics(&sentence);
            let is_about =
                asked.symbol().is_some_and(|symbol| words::names(&sentence, symbol)) || !topics.is_disjoint(&about);
            let worth = match maker.files {
                _ if is_about => STATED,
                0..=FEW_FILES if is_subject => STATED,
                0..=SOME_FILES => STATED_BESIDE,
                _ if !topics.is_disjoint(&around) => STATED_BESIDE,
                _ => continue,
            };
            found.push((worth, is_subject, sentence));
        }
        // With equal confidence, a sentence of the body is more informative than the subject.
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        for (worth, _, sentence) in found.into_iter().take(SENTENCES) {
            let evidence = format!("the message of a commit that {}", asked.part(maker));
            reasons.push(of_commit("commit", sentence, maker, evidence, worth * asked.weight(maker)));
        }
    }
    reasons
}

/// Collects reverts and what they reverted: for a file, all of them; for lines, those that a commit behind the lines
/// takes part in.
pub fn reverts(reader: &Reader<'_>, asked: &BlamedLines<'_>, touching: &HashSet<Seq>) -> Result<Vec<Reason>> {
    let mut near = touching.clone();
    // Lines that came from another file may have been restored there, by a revert that did not touch this file.
    let mut named = Reverts::new(&reader.cache);
    for id in asked.makers.iter().filter_map(|maker| ObjectId::from_hex(maker.sha.as_bytes()).ok()) {
        let Some(made) = asked.past.get(&id).filter(|made| made.mentions_revert) else { continue };
        let taken = named.of(asked.past, id, made, touching)?.and_then(|back| asked.past.get(&back.commit));
        near.extend([made.seq].into_iter().chain(taken.map(|taken| taken.seq)));
    }
    let mut newest: Vec<(i64, Seq, ObjectId)> = asked
        .past
        .all()
        .filter(|(_, made)| near.contains(&made.seq))
        .map(|(id, made)| (made.time, made.seq, *id))
        .collect();
    newest.sort_by(|a, b| b.cmp(a));
    newest.truncate(MOST_COMMITS);
    let mut all: BTreeMap<(i64, ObjectId), FileCommit> = BTreeMap::new();
    for (time, seq, id) in newest {
        let message = eventlog::event(&reader.cache, seq)?.commit()?.message.into_owned();
        all.insert((time, id), FileCommit { id, time, message });
    }
    let mut pairs: Vec<(&FileCommit, &FileCommit)> = Vec::new();
    for revert in all.values().filter(|one| is_revert(&one.message)) {
        pairs.extend(reverted(revert, &all).map(|taken| (revert, taken)));
    }
    let is_back = |one: &FileCommit| pairs.iter().any(|(_, taken)| taken.id == one.id);
    let maker = |one: &FileCommit| asked.makers.iter().find(|maker| maker.sha == hex(one.id.as_bytes()));
    let mut reasons = Vec::new();
    // Restored code exists for the reason that it was first added.
    for (again, revert) in &pairs {
        let Some(by) = maker(again) else { continue };
        let first = pairs.iter().find(|(one, taken)| one.id == revert.id && !is_revert(&taken.message));
        let Some((_, first)) = first else { continue };
        let evidence = format!("put in again by {}, which {}", short(again), asked.part(by));
        let mut stated = words::reasons_in(&first.message);
        stated.sort_by_key(|(is_subject, _)| *is_subject);
        for (_, sentence) in stated.into_iter().take(SENTENCES) {
            reasons.push(made("commit", sentence, first, evidence.clone(), STATED * asked.weight(by)));
        }
    }
    // A change that was reverted and reapplied was not abandoned, and the reapplying commit abandoned nothing.
    for (revert, taken) in pairs.iter().filter(|(revert, taken)| !is_back(revert) && !is_revert(&taken.message)) {
        let (by, of) = (maker(revert), maker(taken));
        if !asked.lines.is_file && by.is_none() && of.is_none() {
            continue;
        }
        let worth = by.or(of).map_or(super::WEAK, |maker| asked.weight(maker).max(super::WEAK)) * REVERTED;
        let worth = if asked.lines.is_file { worth.max(REVERTED * 0.75) } else { worth };
        let part = by.map_or("touched the file".to_string(), |maker| asked.part(maker));
        let evidence = format!("this commit took {} back and {part}", short(taken));
        reasons.push(made("revert", reason_of(revert), revert, evidence, worth));
        let evidence = format!("tried here, and taken back by {}", short(revert));
        reasons.push(made("abandoned", reason_of(taken), taken, evidence, worth));
    }
    Ok(reasons)
}

/// Creates a reason from a commit of the file.
fn made(kind: &str, text: String, one: &FileCommit, evidence: String, confidence: f64) -> Reason {
    let sha = hex(one.id.as_bytes());
    Reason {
        kind: kind.to_string(),
        text,
        time: Some(one.time),
        key: format!("commit:{sha}"),
        session: None,
        n: None,
        title: None,
        commit: Some(ReasonCommit { sha, subject: one.subject().to_string() }),
        evidence,
        confidence,
    }
}

/// Abbreviates a commit's id to ten digits.
fn short(one: &FileCommit) -> String {
    let mut id = hex(one.id.as_bytes());
    id.truncate(10);
    id
}

fn of_commit(kind: &str, text: String, maker: &BlamedCommit, evidence: String, confidence: f64) -> Reason {
    Reason {
        kind: kind.to_string(),
        text,
        time: Some(maker.time),
        key: format!("commit:{}", maker.sha),
        session: None,
        n: None,
        title: None,
        commit: Some(ReasonCommit::of(maker)),
        evidence,
        confidence,
    }
}

/// Finds the commit that another one reverts, by its id, or else by the subject it quotes.
fn reverted<'a>(revert: &FileCommit, all: &'a BTreeMap<(i64, ObjectId), FileCommit>) -> Option<&'a FileCommit> {
    let others = || all.values().rev().filter(|one| one.id != revert.id);
    named(&revert.message).into_iter().find_map(|named| match named {
        RevertTarget::Id(id) => others().find(|one| hex(one.id.as_bytes()).starts_with(&id)),
        RevertTarget::Subject(quoted) => {
            others().filter(|one| one.time <= revert.time).find(|one| one.subject() == quoted)
        }
    })
}

/// Returns the subject and the rest of the message, without the sentence that git wrote.
fn reason_of(one: &FileCommit) -> String {
    let told = words::sentences(&one.message);
    let told = told.into_iter().filter(|sentence| !sentence.starts_with(REVERTS));
    told.take(REVERT_SENTENCES).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(id: u8, time: i64, message: &str) -> ((i64, ObjectId), FileCommit) {
        let id = ObjectId::try_from([id; 20].as_slice()).expect("twenty bytes");
        ((time, id), FileCommit { id, time, message: message.to_string() })
    }

    #[test]
    fn a_revert_names_what_it_takes_back() {
        let by_id = format!("Revert \"x\"\n\n{REVERTS}{}.\n\nIt broke the build.", "11".repeat(20));
        let all: BTreeMap<_, _> = [
            commit(0x11, 1, "add a pool"),
            commit(0x22, 2, "add a pool"),
            commit(0x33, 3, &by_id),
            commit(0x44, 4, "Revert \"add a pool\""),
            commit(0x55, 5, "Revert the old way"),
        ]
        .into_iter()
        .collect();
        let of = |id: u8| {
            reverted(all.values().find(|one| one.id.as_bytes()[0] == id).expect("made"), &all)
                .map(|one| one.id.as_bytes()[0])
        };
        assert_eq!((of(0x33), of(0x44), of(0x55)), (Some(0x11), Some(0x22), None));
        let revert = all.values().find(|one| one.id.as_bytes()[0] == 0x33).expect("made");
        assert_eq!(reason_of(revert), "Revert \"x\"\nIt broke the build.");
    }
}
