//! Lines that a commit moved: new lines of a file are searched for among the lines that the same commit removed, in
//! this file or in others.
//!
//! A copy is not followed, because its source keeps the lines. Neither is a match that may be a coincidence, with few
//! letters or with lines that occur twice.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use anyhow::Result;
use gix::ObjectId;
use gix_imara_diff::Token;

use super::super::Blob;
use super::super::diff::{common_prefix, common_suffix};
use super::super::lines::LineInterner;
use super::spans::{LineSpan, push_line};
use super::{BlameWalk, CommitFile, CommitLookup, MAX_FILE, MAX_READ, PreviousText};
use crate::event::Status;

/// The fewest letters and digits of a block moved within its file, as in git's `-M`.
const MIN_CHARS_SAME_FILE: u32 = 20;
/// The fewest letters and digits of a block from another file, as in git's `-C`.
const MIN_CHARS_OTHER_FILE: u32 = 40;
/// The fewest identifying lines of a block from another file.
const MIN_LINES_OTHER_FILE: usize = 2;
/// A file that grew is searched only if at least this many letters and digits are new here; fewer rarely come from it.
const MIN_CHARS_GROWN_FILE: u32 = 400;
/// How many changed files are searched, the likeliest first.
const MAX_SOURCES: usize = 50;
/// How many bytes may be read to find moves, in addition to a quarter of what the file itself takes.
const MOVE_SEARCH_BUDGET: u64 = 4 << 20;

/// The new lines of a text.
struct NewLines<'t> {
    text: &'t [Token],
    is_new: Vec<bool>,
    weights: Vec<u32>,
    /// The position of each new line that is identifying and occurs once in the text.
    once: HashMap<Token, u32>,
    /// Those of them that are requested, or next to a requested line.
    wanted: HashSet<Token>,
}

/// A file that a commit changed or deleted.
struct ChangedFile {
    path: Rc<[u8]>,
    before: ObjectId,
    /// `None` if it was deleted.
    after: Option<ObjectId>,
}

/// A text that lines may have been moved from.
struct MoveSource {
    path: Rc<[u8]>,
    blob: ObjectId,
    text: Rc<[Token]>,
    /// For each line, whether the commit removed it.
    is_removed: Vec<bool>,
    is_same_file: bool,
}

/// A block of new lines that occur in the same order in a source.
struct Run {
    source: usize,
    here: u32,
    there: u32,
    len: u32,
    /// Its identifying lines, and the weight of each.
    identifying: Vec<(u32, u32)>,
}

impl Run {
    /// Returns the total weight of the block.
    fn weight(&self) -> u32 {
        self.identifying.iter().map(|(_, weight)| weight).sum()
    }

    /// Returns whether the block is too long to match by coincidence, not counting lines already attributed to another
    /// source.
    fn is_significant(&self, source: &MoveSource, is_free: impl Fn(u32) -> bool) -> bool {
        let told = || self.identifying.iter().filter(|(here, _)| is_free(*here));
        let weight: u32 = told().map(|(_, weight)| weight).sum();
        if source.is_same_file {
            weight >= MIN_CHARS_SAME_FILE
        } else {
            weight >= MIN_CHARS_OTHER_FILE && told().count() >= MIN_LINES_OTHER_FILE
        }
    }
}

impl<'t> NewLines<'t> {
    /// Collects the new lines of a text.
    fn of(lines: &LineInterner, text: &'t [Token], before: &PreviousText, spans: &[LineSpan]) -> Self {
        let weights = lines.weights(text);
        let (mut is_new, mut is_asked) = (vec![false; text.len()], vec![false; text.len()]);
        for change in &before.changes {
            is_new[change.after.start as usize..change.after.end as usize].fill(true);
        }
        for span in spans {
            is_asked[span.here as usize..(span.here + span.len) as usize].fill(true);
        }
        // Neighbouring lines help to decide whether a line was moved, even if they are not requested.
        for change in &before.changes {
            let range = change.after.start as usize..change.after.end as usize;
            if is_asked[range.clone()].contains(&true) {
                is_asked[range].fill(true);
            }
        }
        let mut counts = vec![0_u32; lines.count()];
        for token in text {
            counts[token.0 as usize] += 1;
        }
        let is_once = |here: &usize| is_new[*here] && weights[*here] > 0 && counts[text[*here].0 as usize] == 1;
        let once: HashMap<Token, u32> = (0..text.len()).filter(is_once).map(|here| (text[here], here as u32)).collect();
        let wanted = once.iter().filter(|(_, here)| is_asked[**here as usize]).map(|(token, _)| *token).collect();
        NewLines { text, is_new, weights, once, wanted }
    }

    /// Returns the weight of those lines that are requested. Each line must be given once.
    fn weight(&self, lines: impl Iterator<Item = Token>) -> u32 {
        lines.filter(|token| self.wanted.contains(token)).map(|token| self.weights[self.once[&token] as usize]).sum()
    }

    /// Finds the blocks common with a source, each around lines that occur once in both.
    fn runs(&self, lines: &LineInterner, source: &MoveSource, at: usize) -> Vec<Run> {
        let mut places: HashMap<Token, (u32, bool)> = HashMap::new();
        for (there, token) in source.text.iter().enumerate().filter(|(_, token)| self.once.contains_key(token)) {
            places.entry(*token).and_modify(|(_, is_once)| *is_once = false).or_insert((there as u32, true));
        }
        let is_anchor = |(token, (there, is_once)): (&Token, &(u32, bool))| {
            (*is_once && source.is_removed[*there as usize]).then(|| (self.once[token], *there))
        };
        let mut anchors: Vec<(u32, u32)> = places.iter().filter_map(is_anchor).collect();
        anchors.sort_unstable();
        let pairs: HashSet<(u32, u32)> = anchors.iter().copied().collect();
        // A diff may match a brace with another one, so trivial lines need not be new or removed.
        let is_same = |here: u32, there: u32| {
            let (Some(token), Some(other)) = (self.text.get(here as usize), source.text.get(there as usize)) else {
                return false;
            };
            let is_moved = self.is_new[here as usize] && source.is_removed[there as usize];
            token == other && (is_moved || lines.is_trivial(*token))
        };
        let mut known: HashMap<i64, u32> = HashMap::new();
        let mut runs = Vec::new();
        for (here, there) in anchors {
            let diagonal = i64::from(here) - i64::from(there);
            if known.get(&diagonal).is_some_and(|end| here < *end) {
                continue;
            }
            let mut back = 0;
            while back < here.min(there) && is_same(here - back - 1, there - back - 1) {
                back += 1;
            }
            let mut on = 1;
            while is_same(here + on, there + on) {
                on += 1;
            }
            known.insert(diagonal, here + on);
            let (here, there, len) = (here - back, there - back, back + on);
            let told = (0..len).filter(|offset| pairs.contains(&(here + offset, there + offset)));
            let identifying = told.map(|offset| (here + offset, self.weights[(here + offset) as usize])).collect();
            runs.push(Run { source: at, here, there, len, identifying });
        }
        runs
    }
}

/// Chooses the source and position of each line: the block with the highest weight wins, then the first.
fn choose_runs(mut runs: Vec<Run>, new: &NewLines<'_>, sources: &[MoveSource]) -> Vec<Option<(usize, u32)>> {
    runs.sort_by_key(|run| (std::cmp::Reverse(run.weight()), run.source, run.here, run.there));
    let mut from = vec![None; new.text.len()];
    for run in runs {
        let is_free = |here: u32| new.is_new[here as usize] && from[here as usize].is_none();
        if !run.is_significant(&sources[run.source], is_free) {
            continue;
        }
        let free: Vec<u32> = (0..run.len).filter(|offset| is_free(run.here + offset)).collect();
        for offset in free {
            from[(run.here + offset) as usize] = Some((run.source, run.there + offset));
        }
    }
    from
}

/// Strips the lines that two texts have in common at the beginning and at the end.
fn strip_common<'t>(a: &'t [u8], b: &'t [u8]) -> (&'t [u8], &'t [u8]) {
    let begin = a[..common_prefix(a, b)].iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let (a, b) = (&a[begin..], &b[begin..]);
    let mut end = common_suffix(a, b);
    let begins = |text: &[u8]| text.len() == end || text[text.len() - end - 1] == b'\n';
    // A line that is only partly in the common end differs.
    if !(begins(a) && begins(b)) {
        end = a[a.len() - end..].iter().position(|byte| *byte == b'\n').map_or(0, |first| end - first - 1);
    }
    (&a[..a.len() - end], &b[..b.len() - end])
}

impl BlameWalk<'_> {
    /// Passes on the lines that a commit moved, to where they were before it, and returns the others.
    pub(super) fn follow_moves(
        &mut self,
        (commit, path): &CommitFile,
        text: &[Token],
        spans: Vec<LineSpan>,
        before: &PreviousText,
        link: &mut CommitLookup<'_>,
    ) -> Result<Vec<LineSpan>> {
        let new = NewLines::of(&self.lines, text, before, &spans);
        let all = new.weight(new.wanted.iter().copied());
        if all < MIN_CHARS_SAME_FILE {
            return Ok(spans);
        }
        let mut sources = Vec::new();
        if let Some(blob) = before.blob {
            let mut is_removed = vec![false; before.text.len()];
            for change in &before.changes {
                is_removed[change.before.start as usize..change.before.end as usize].fill(true);
            }
            let (path, text) = (before.path.clone(), before.text.clone());
            sources.push(MoveSource { path, blob, text, is_removed, is_same_file: true });
        }
        if new.wanted.len() >= MIN_LINES_OTHER_FILE && all >= MIN_CHARS_OTHER_FILE {
            self.other_sources(*commit, path, before, &new, &mut sources)?;
        }
        let runs = sources.iter().enumerate().flat_map(|(at, source)| new.runs(&self.lines, source, at)).collect();
        let from = choose_runs(runs, &new, &sources);
        let mut passed: Vec<Vec<LineSpan>> = sources.iter().map(|_| Vec::new()).collect();
        let mut kept = Vec::new();
        for line in spans.iter().flat_map(|span| (0..span.len).map(|offset| span.line(offset))) {
            match from[line.here as usize] {
                Some((source, here)) => {
                    let mut since = line.since;
                    since.moved.get_or_insert(*commit);
                    push_line(&mut passed[source], LineSpan { here, since, ..line });
                }
                None => push_line(&mut kept, line),
            }
        }
        for (source, passed) in sources.into_iter().zip(passed).filter(|(_, passed)| !passed.is_empty()) {
            let time = link(&before.commit, &source.path)?.map_or(0, |link| link.time);
            self.enqueue((before.commit, source.path), time, source.blob, passed);
        }
        Ok(kept)
    }

    /// Adds other files from which the commit removed lines that are new here.
    fn other_sources(
        &mut self,
        commit: ObjectId,
        path: &[u8],
        before: &PreviousText,
        new: &NewLines<'_>,
        sources: &mut Vec<MoveSource>,
    ) -> Result<()> {
        let all = new.weight(new.wanted.iter().copied());
        for ChangedFile { path, before: old, after } in self.changed_files(commit, path, before)? {
            // Stopping here only makes some lines appear newer than they are; the file itself has been read.
            if self.move_search_read > MOVE_SEARCH_BUDGET + self.read / 4
                || self.move_search_read + self.read > MAX_READ
            {
                break;
            }
            if all < MIN_CHARS_GROWN_FILE && after.is_some_and(|after| !self.is_smaller(after, old)) {
                continue;
            }
            let Blob::Bytes(old_bytes) = self.repository.blob(old, MAX_FILE)? else { continue };
            let new_bytes = match after.map(|after| self.repository.blob(after, MAX_FILE)).transpose()? {
                Some(Blob::Bytes(bytes)) => bytes,
                Some(Blob::TooLarge(_) | Blob::Missing) => continue,
                None => Vec::new(),
            };
            self.move_search_read += (old_bytes.len() + new_bytes.len()) as u64;
            let (gone, came) = strip_common(&old_bytes, &new_bytes);
            let mut more: HashMap<Token, i64> = HashMap::new();
            self.lines.each_known(gone, |token| *more.entry(token).or_default() += 1);
            if new.weight(more.keys().copied()) < MIN_CHARS_OTHER_FILE {
                continue;
            }
            self.lines.each_known(came, |token| *more.entry(token).or_default() -= 1);
            more.retain(|_, count| *count > 0);
            if new.weight(more.keys().copied()) < MIN_CHARS_OTHER_FILE {
                continue;
            }
            let Some(text) = self.text(old)? else { continue };
            let is_removed = text.iter().map(|token| more.contains_key(token)).collect();
            sources.push(MoveSource { path, blob: old, text, is_removed, is_same_file: false });
        }
        Ok(())
    }

    /// Returns whether a blob is smaller than another.
    fn is_smaller(&self, blob: ObjectId, other: ObjectId) -> bool {
        self.repository.blob_size(blob) < self.repository.blob_size(other)
    }

    /// Lists the other files that a commit changed or deleted: first those with the same base name, then deleted ones,
    /// then nearby ones.
    fn changed_files(&self, commit: ObjectId, path: &[u8], before: &PreviousText) -> Result<Vec<ChangedFile>> {
        let trees = (self.repository.tree_of(before.commit), self.repository.tree_of(commit));
        let (Some(old), Some(new)) = trees else { return Ok(Vec::new()) };
        let changes = self.repository.diff_trees(Some(old), Some(new))?;
        let parts = |path: &[u8]| path.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect::<Vec<_>>();
        let own = parts(path);
        let mut all = Vec::new();
        for change in changes {
            let Some(old) = change.old.filter(|side| side.is_file) else { continue };
            if change.path == path || change.path == *before.path {
                continue;
            }
            let other = parts(&change.path);
            let shared = own.iter().zip(&other).take_while(|(a, b)| a == b).count();
            let rank = (other.last() != own.last(), change.status != Status::D, std::cmp::Reverse(shared));
            let new = change.new.filter(|side| side.is_file).map(|side| side.id);
            all.push((rank, ChangedFile { path: change.path.as_slice().into(), before: old.id, after: new }));
        }
        all.sort_by(|a, b| (&a.0, &a.1.path).cmp(&(&b.0, &b.1.path)));
        all.truncate(MAX_SOURCES);
        Ok(all.into_iter().map(|(_, changed)| changed).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_texts_begin_and_end_with_is_left_out() {
        let check = |a: &str, b: &str, expect: (&str, &str)| {
            let (gone, came) = strip_common(a.as_bytes(), b.as_bytes());
            assert_eq!((gone, came), (expect.0.as_bytes(), expect.1.as_bytes()), "{a:?} {b:?}");
        };
        check("a\nb\nc\n", "a\nx\nc\n", ("b\n", "x\n"));
        check("a\nb\nc\n", "a\nc\n", ("b\n", ""));
        check("a\na\n", "a\n", ("a\n", ""));
        check("ab\nc", "ax\nc", ("ab\n", "ax\n"));
        check("a\nxb\n", "a\nyb\n", ("xb\n", "yb\n"));
        check("same\n", "same\n", ("", ""));
        check("all", "", ("all", ""));
        let long = "line of some length\n".repeat(40);
        check(&format!("{long}gone\n{long}"), &format!("{long}{long}"), ("gone\n", ""));
    }
}
