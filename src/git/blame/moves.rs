//! Lines that a commit moved: what is new in a file, looked for among what the same commit took away there or elsewhere.
//! Refuses a copy, whose source keeps its lines, and what is alike by chance: few letters, or what stands in a text twice.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use anyhow::Result;
use gix::ObjectId;
use gix_imara_diff::Token;

use super::super::Blob;
use super::super::diff::{common_prefix, common_suffix};
use super::super::lines::Lines;
use super::{Before, Linked, MAX_FILE, MAX_READ, Place, Span, Walk, push_line};
use crate::event::Status;

/// Letters and digits of a run that moved within its file, as git has it for `-M`.
const LEAST_HERE: u32 = 20;
/// The same of one that came from another file, as for `-C`, and how many lines that tell something have them.
const LEAST_ELSEWHERE: u32 = 40;
const LINES_ELSEWHERE: usize = 2;
/// A file that grew all the same is looked at where so much is new here: what is less is rarely from there.
const LEAST_GROWN: u32 = 400;
/// Files looked at that a commit took lines away from, those first that are likeliest.
const MOST_SOURCES: usize = 50;
/// Bytes read to find where lines were moved from, beyond as many as the file itself takes: a moment's work.
const SOUGHT: u64 = 4 << 20;

/// What is new in a text.
struct New<'t> {
    text: &'t [Token],
    is_new: Vec<bool>,
    worths: Vec<u32>,
    /// By token: where it stands, for a new line that tells something and stands there once.
    once: HashMap<Token, u32>,
    /// Those of them that are asked for.
    wanted: HashSet<Token>,
}

/// A file that a commit changed or took away.
struct Changed {
    path: Rc<[u8]>,
    before: ObjectId,
    /// None where it is gone.
    after: Option<ObjectId>,
}

/// A text that lines may have come from.
struct Source {
    path: Rc<[u8]>,
    blob: ObjectId,
    text: Rc<[Token]>,
    /// By line: whether it was taken away.
    is_left: Vec<bool>,
    is_same_file: bool,
}

/// New lines that stand side by side in a source as they do here.
struct Run {
    source: usize,
    here: u32,
    there: u32,
    len: u32,
    /// The lines that tell something, and how much.
    telling: Vec<(u32, u32)>,
}

impl Run {
    fn worth(&self) -> u32 {
        self.telling.iter().map(|(_, worth)| worth).sum()
    }

    /// Whether chance does not bring so much of it together, but for the lines that came from elsewhere.
    fn is_telling(&self, source: &Source, is_free: impl Fn(u32) -> bool) -> bool {
        let told = || self.telling.iter().filter(|(here, _)| is_free(*here));
        let worth: u32 = told().map(|(_, worth)| worth).sum();
        if source.is_same_file {
            worth >= LEAST_HERE
        } else {
            worth >= LEAST_ELSEWHERE && told().count() >= LINES_ELSEWHERE
        }
    }
}

impl<'t> New<'t> {
    fn of(lines: &Lines, text: &'t [Token], before: &Before, spans: &[Span]) -> Self {
        let worths = lines.worths(text);
        let (mut is_new, mut is_asked) = (vec![false; text.len()], vec![false; text.len()]);
        for change in &before.changes {
            is_new[change.after.start as usize..change.after.end as usize].fill(true);
        }
        for span in spans {
            is_asked[span.here as usize..(span.here + span.len) as usize].fill(true);
        }
        // What is beside a line says whether it was moved, whether it is asked for or not.
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
        let is_once = |here: &usize| is_new[*here] && worths[*here] > 0 && counts[text[*here].0 as usize] == 1;
        let once: HashMap<Token, u32> = (0..text.len()).filter(is_once).map(|here| (text[here], here as u32)).collect();
        let wanted = once.iter().filter(|(_, here)| is_asked[**here as usize]).map(|(token, _)| *token).collect();
        New { text, is_new, worths, once, wanted }
    }

    /// How much some lines, each named once, tell of those that are asked for.
    fn worth(&self, lines: impl Iterator<Item = Token>) -> u32 {
        lines.filter(|token| self.wanted.contains(token)).map(|token| self.worths[self.once[&token] as usize]).sum()
    }

    /// The runs that a source has in common with it, each around lines that stand once in both.
    fn runs(&self, lines: &Lines, source: &Source, at: usize) -> Vec<Run> {
        let mut places: HashMap<Token, (u32, bool)> = HashMap::new();
        for (there, token) in source.text.iter().enumerate().filter(|(_, token)| self.once.contains_key(token)) {
            places.entry(*token).and_modify(|(_, is_once)| *is_once = false).or_insert((there as u32, true));
        }
        let is_anchor = |(token, (there, is_once)): (&Token, &(u32, bool))| {
            (*is_once && source.is_left[*there as usize]).then(|| (self.once[token], *there))
        };
        let mut anchors: Vec<(u32, u32)> = places.iter().filter_map(is_anchor).collect();
        anchors.sort_unstable();
        let pairs: HashSet<(u32, u32)> = anchors.iter().copied().collect();
        // Both sides may hold a brace where they were that is taken for another.
        let is_same = |here: u32, there: u32| {
            let (Some(token), Some(other)) = (self.text.get(here as usize), source.text.get(there as usize)) else {
                return false;
            };
            let is_moved = self.is_new[here as usize] && source.is_left[there as usize];
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
            let telling = told.map(|offset| (here + offset, self.worths[(here + offset) as usize])).collect();
            runs.push(Run { source: at, here, there, len, telling });
        }
        runs
    }
}

/// Where each line came from, a source and a place in it: of several runs the one that tells most, then the first.
fn chosen(mut runs: Vec<Run>, new: &New<'_>, sources: &[Source]) -> Vec<Option<(usize, u32)>> {
    runs.sort_by_key(|run| (std::cmp::Reverse(run.worth()), run.source, run.here, run.there));
    let mut from = vec![None; new.text.len()];
    for run in runs {
        let is_free = |here: u32| new.is_new[here as usize] && from[here as usize].is_none();
        if !run.is_telling(&sources[run.source], is_free) {
            continue;
        }
        let free: Vec<u32> = (0..run.len).filter(|offset| is_free(run.here + offset)).collect();
        for offset in free {
            from[(run.here + offset) as usize] = Some((run.source, run.there + offset));
        }
    }
    from
}

/// The lines in the middle of two texts, without those that both begin and end with.
fn apart<'t>(a: &'t [u8], b: &'t [u8]) -> (&'t [u8], &'t [u8]) {
    let begin = a[..common_prefix(a, b)].iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let (a, b) = (&a[begin..], &b[begin..]);
    let mut end = common_suffix(a, b);
    let begins = |text: &[u8]| text.len() == end || text[text.len() - end - 1] == b'\n';
    // Where it begins within a line, that line is another.
    if !(begins(a) && begins(b)) {
        end = a[a.len() - end..].iter().position(|byte| *byte == b'\n').map_or(0, |first| end - first - 1);
    }
    (&a[..a.len() - end], &b[..b.len() - end])
}

impl Walk<'_> {
    /// Passes on the lines that a commit moved to where they stood before it, and keeps the others.
    pub(super) fn moved(
        &mut self,
        (commit, path): &Place,
        text: &[Token],
        spans: Vec<Span>,
        before: &Before,
        link: &mut Linked<'_>,
    ) -> Result<Vec<Span>> {
        let new = New::of(&self.lines, text, before, &spans);
        let all = new.worth(new.wanted.iter().copied());
        if all < LEAST_HERE {
            return Ok(spans);
        }
        let mut sources = Vec::new();
        if let Some(blob) = before.blob {
            let mut is_left = vec![false; before.text.len()];
            for change in &before.changes {
                is_left[change.before.start as usize..change.before.end as usize].fill(true);
            }
            let (path, text) = (before.path.clone(), before.text.clone());
            sources.push(Source { path, blob, text, is_left, is_same_file: true });
        }
        if new.wanted.len() >= LINES_ELSEWHERE && all >= LEAST_ELSEWHERE {
            self.other_sources(*commit, path, before, &new, &mut sources)?;
        }
        let runs = sources.iter().enumerate().flat_map(|(at, source)| new.runs(&self.lines, source, at)).collect();
        let from = chosen(runs, &new, &sources);
        let mut passed: Vec<Vec<Span>> = sources.iter().map(|_| Vec::new()).collect();
        let mut kept = Vec::new();
        for line in spans.iter().flat_map(|span| (0..span.len).map(|offset| span.line(offset))) {
            match from[line.here as usize] {
                Some((source, here)) => {
                    let mut since = line.since;
                    since.moved.get_or_insert(*commit);
                    push_line(&mut passed[source], Span { here, since, ..line });
                }
                None => push_line(&mut kept, line),
            }
        }
        for (source, passed) in sources.into_iter().zip(passed).filter(|(_, passed)| !passed.is_empty()) {
            let time = link(&before.commit, &source.path)?.map_or(0, |link| link.time);
            self.wait((before.commit, source.path), time, source.blob, passed);
        }
        Ok(kept)
    }

    /// Other files that a commit took lines away from which are new here.
    fn other_sources(
        &mut self,
        commit: ObjectId,
        path: &[u8],
        before: &Before,
        new: &New<'_>,
        sources: &mut Vec<Source>,
    ) -> Result<()> {
        let all = new.worth(new.wanted.iter().copied());
        for Changed { path, before: old, after } in self.changed(commit, path, before)? {
            // What is read here only makes lines older than said; the file itself has been read.
            if self.sought > SOUGHT + self.read / 4 || self.sought + self.read > MAX_READ {
                break;
            }
            if all < LEAST_GROWN && after.is_some_and(|after| !self.is_smaller(after, old)) {
                continue;
            }
            let Blob::Bytes(old_bytes) = self.repository.blob(old, MAX_FILE)? else { continue };
            let new_bytes = match after.map(|after| self.repository.blob(after, MAX_FILE)).transpose()? {
                Some(Blob::Bytes(bytes)) => bytes,
                Some(Blob::TooLarge(_) | Blob::Missing) => continue,
                None => Vec::new(),
            };
            self.sought += (old_bytes.len() + new_bytes.len()) as u64;
            let (gone, came) = apart(&old_bytes, &new_bytes);
            let mut more: HashMap<Token, i64> = HashMap::new();
            self.lines.seen(gone, |token| *more.entry(token).or_default() += 1);
            if new.worth(more.keys().copied()) < LEAST_ELSEWHERE {
                continue;
            }
            self.lines.seen(came, |token| *more.entry(token).or_default() -= 1);
            more.retain(|_, count| *count > 0);
            if new.worth(more.keys().copied()) < LEAST_ELSEWHERE {
                continue;
            }
            let Some(text) = self.text(old)? else { continue };
            let is_left = text.iter().map(|token| more.contains_key(token)).collect();
            sources.push(Source { path, blob: old, text, is_left, is_same_file: false });
        }
        Ok(())
    }

    fn is_smaller(&self, blob: ObjectId, other: ObjectId) -> bool {
        self.repository.blob_size(blob) < self.repository.blob_size(other)
    }

    /// Other files that a commit changed or took away, before and after: those of the same name first, what is gone, and
    /// what is near.
    fn changed(&self, commit: ObjectId, path: &[u8], before: &Before) -> Result<Vec<Changed>> {
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
            all.push((rank, Changed { path: change.path.as_slice().into(), before: old.id, after: new }));
        }
        all.sort_by(|a, b| (&a.0, &a.1.path).cmp(&(&b.0, &b.1.path)));
        all.truncate(MOST_SOURCES);
        Ok(all.into_iter().map(|(_, changed)| changed).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_texts_begin_and_end_with_is_left_out() {
        let check = |a: &str, b: &str, expect: (&str, &str)| {
            let (gone, came) = apart(a.as_bytes(), b.as_bytes());
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
