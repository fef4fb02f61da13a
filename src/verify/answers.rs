//! Compares the answers of both caches: groups, resolved edges, co-changed files, experts and full-text matches; and
//! nearest-neighbour searches against a linear scan. The order of equal scores is not compared.

use std::ops::ControlFlow;

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension as _, named_params};

use super::Verdict;
use crate::dimensions::{self, LiveFact};
use crate::edges;
use crate::embedding::dot;
use crate::entries;
use crate::event::hex;
use crate::facts::ItemKind;
use crate::git::Mailmap;
use crate::history::{self, CommitSelection, LiveEntry, People};
use crate::index::{self, EXACT_BELOW, Space, VectorReader};
use crate::item::{self, Item};
use crate::text_index;
use crate::view::{self, View};

/// Number of items whose calls are resolved, chosen by the hash of their key.
const ITEMS: usize = 2_000;
/// Number of files, words and vectors that are queried.
const ASKED: usize = 64;
/// Number of hits compared in each answer.
const HITS: usize = 10;

/// Runs the same queries on both caches for every view.
pub fn compare(live: &Connection, fresh: &Connection, verdict: &mut Verdict) -> Result<()> {
    let (mut have, mut expect) = (AnswerSamples::default(), AnswerSamples::default());
    for (cache, answers) in [(live, &mut have), (fresh, &mut expect)] {
        let people = history::people_of(cache, &Mailmap::empty())?;
        for view in view::views(cache)? {
            answers.ask(cache, &view, &people)?;
        }
        answers.sort();
    }
    for (part, have, expect) in [
        ("groups", &have.groups, &expect.groups),
        ("edges", &have.edges, &expect.edges),
        ("together", &have.together, &expect.together),
        ("people", &have.people, &expect.people),
        ("best by words", &have.words, &expect.words),
    ] {
        verdict.take(part, have, expect);
    }
    Ok(())
}

/// Answers of one cache, as lines of text.
#[derive(Default)]
struct AnswerSamples {
    groups: Vec<String>,
    edges: Vec<String>,
    together: Vec<String>,
    people: Vec<String>,
    words: Vec<String>,
}

impl AnswerSamples {
    /// Sorts all answers.
    fn sort(&mut self) {
        for list in [&mut self.groups, &mut self.edges, &mut self.together, &mut self.people, &mut self.words] {
            list.sort_unstable();
        }
    }

    /// Collects all answers about one view.
    fn ask(&mut self, cache: &Connection, view: &View, people: &People) -> Result<()> {
        let mut items = Vec::new();
        item::each(cache, view.id, |item, shape| {
            self.group(view, &LiveFact::Item { key: &item.key, kind: item.kind.name(), path: &item.path, shape });
            items.push(item);
            Ok(())
        })?;
        for commit in history::commit_facts(cache, view.id, people, CommitSelection::All)? {
            let (key, files, touched, authors) = (&commit.key, &commit.files, commit.touched, &commit.authors);
            self.group(view, &LiveFact::Commit { key, files, touched, authors });
        }
        for fact in history::live_entries(cache, view.id, entries::all(cache, view.id)?)? {
            let LiveEntry { key, session, files, said, .. } = &fact;
            self.group(view, &LiveFact::Entry { key, files, session, category: said.kind.name() });
        }
        // Hash order is independent of any order that a fault could depend on.
        items.sort_by_cached_key(|item| *blake3::hash(item.key.as_bytes()).as_bytes());
        for item in items.iter().take(ITEMS) {
            self.calls(cache, view, item)?;
        }
        let as_of = view.head.map_or(0, |head| head.time);
        for file in items.iter().filter(|item| item.kind == ItemKind::File).take(ASKED) {
            self.history(cache, view, file, as_of, people)?;
        }
        for item in items.iter().take(ASKED) {
            self.words(cache, view, item)?;
        }
        Ok(())
    }

    /// Adds the groups that a fact belongs to.
    fn group(&mut self, view: &View, fact: &LiveFact<'_>) {
        for dimension in dimensions::ALL {
            for group in (dimension.groups)(fact) {
                let mut members = group.members;
                members.sort_unstable();
                let (worktree, weight) = (&view.worktree, group.weight);
                let members = members.join(", ");
                self.groups.push(format!("{worktree} {} {}: {members} ({weight:.6})", dimension.name, group.name));
            }
        }
    }

    /// Adds the resolved calls of an item.
    fn calls(&mut self, cache: &Connection, view: &View, item: &Item) -> Result<()> {
        for edge in edges::calls_of(cache, view.id, item)? {
            let (caller, callee) = (&edge.caller.key, &edge.callee.key);
            self.group(view, &LiveFact::Edge { caller, callee, confidence: edge.confidence });
            self.edges.push(format!("{} {caller}:{} {callee} ({:.3})", view.worktree, edge.line, edge.confidence));
        }
        Ok(())
    }

    /// Adds the co-changed files and the experts of a file.
    fn history(&mut self, cache: &Connection, view: &View, file: &Item, as_of: i64, people: &People) -> Result<()> {
        let worktree = &view.worktree;
        for other in history::related(cache, view.id, as_of, &file.path)?.into_iter().take(HITS) {
            let (score, commits) = (other.score, other.commits);
            self.together.push(format!("{worktree} {} {} {score:.6} {commits}", file.path, other.path));
        }
        for person in history::who(cache, view.id, as_of, std::slice::from_ref(&file.path), people)? {
            let (name, email, score, commits) = (&person.name, &person.email, person.score, person.commits);
            let last = person.last_commit_id.as_deref().unwrap_or_default();
            self.people.push(format!("{worktree} {} {name} <{email}> {score:.6} {commits} {last}", file.path));
        }
        Ok(())
    }

    /// Adds the best matches for an item's name.
    fn words(&mut self, cache: &Connection, view: &View, item: &Item) -> Result<()> {
        let mut name = cache.prepare_cached("SELECT idem FROM log.event WHERE seq = :seq")?;
        let mut best = Vec::new();
        text_index::search(cache, &text_index::words(&item.name), |found| {
            best.push((format!("{:.9}", found.score), found.seq));
            // One more than is compared: hits that tie with it are left out, as their order is arbitrary.
            Ok(if best.len() > HITS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        let cut = best.get(HITS).map(|(score, _)| score.clone());
        for (score, seq) in best.iter().filter(|(score, _)| Some(score) != cut.as_ref()) {
            let idem: Option<Vec<u8>> = name.query_row(named_params! {":seq": seq}, |row| row.get(0)).optional()?;
            let idem = idem.unwrap_or_default();
            self.words.push(format!("{} {}: {score} {}", view.worktree, item.name, hex(&idem)));
        }
        Ok(())
    }
}

/// Compares a nearest-neighbour search in a space with a linear scan over every vector.
///
/// Nothing is compared if the space is large enough for an approximate graph search, which may miss a vector.
pub fn nearest(vectors: &VectorReader<'_>, space: &Space, texts: &[i64], verdict: &mut Verdict) -> Result<()> {
    let held: usize = index::segments(vectors.cache(), Some(space.id))?.iter().map(|segment| segment.count).sum();
    if held > EXACT_BELOW {
        return Ok(());
    }
    let mut all = Vec::new();
    for text in texts {
        if let Some(vector) = vectors.vector(space, *text)? {
            all.push((*text, vector));
        }
    }
    let wide: Vec<Vec<f32>> = all.iter().map(|(_, vector)| vector.0.to_f32()).collect();
    let (mut have, mut expect) = (Vec::new(), Vec::new());
    for ((asked, query), own) in all.iter().zip(&wide).take(ASKED) {
        let is_live = |text: i64| Ok(texts.binary_search(&text).is_ok());
        let found = vectors.nearest(space, query, HITS, is_live)?;
        let mut scores: Vec<f32> = wide.iter().map(|other| dot(own, other)).collect();
        scores.sort_by(|a, b| b.total_cmp(a));
        let line = |place: usize, score: f32| format!("{asked} {place}: {score}");
        have.extend(found.iter().take(HITS).enumerate().map(|(place, near)| line(place, near.score)));
        expect.extend(scores.iter().take(HITS).enumerate().map(|(place, score)| line(place, *score)));
    }
    have.sort_unstable();
    expect.sort_unstable();
    verdict.take("nearest", &have, &expect);
    Ok(())
}
