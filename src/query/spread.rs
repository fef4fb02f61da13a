//! Spreads an answer over files, so that it is not filled by a single file or by commits.

use std::collections::{HashMap, VecDeque};

/// The factor on the score of a hit, for every earlier hit in the same file.
///
/// With 1.0 ten hits show 4.5 distinct files; with 0.5 they show 8.2, and rank the right ones higher (24 repositories,
/// 478 questions).
const FURTHER_HIT: f64 = 0.5;
/// Commits take one of this many places, because they usually point to the answer and are not the answer.
const PLACES_A_COMMIT: usize = 10;

/// The source of a hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source<'a> {
    /// A file or a definition, by the path of its file.
    File(&'a str),
    /// A commit.
    Commit,
    /// A session or one of its entries.
    Session,
}

/// Reorders scored hits, best first, so that further hits of a file move down and commits take the last place of each
/// ten. Ties keep their order. With `wants_commits`, commits are not moved.
pub(super) fn spread<T>(
    mut hits: Vec<(T, f64)>,
    source: impl for<'a> Fn(&'a T) -> Source<'a>,
    wants_commits: bool,
) -> Vec<(T, f64)> {
    hits.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut before: HashMap<String, i32> = HashMap::new();
    for (hit, score) in &mut hits {
        if let Source::File(path) = source(hit) {
            let before = before.entry(path.to_string()).or_default();
            *score *= FURTHER_HIT.powi(*before);
            *before += 1;
        }
    }
    hits.sort_by(|a, b| b.1.total_cmp(&a.1));
    if wants_commits {
        return hits;
    }
    let (mut ordered, mut waiting) = (Vec::with_capacity(hits.len()), VecDeque::new());
    for hit in hits {
        if source(&hit.0) == Source::Commit {
            waiting.push_back(hit);
            continue;
        }
        if ordered.len() % PLACES_A_COMMIT == PLACES_A_COMMIT - 1 {
            ordered.extend(waiting.pop_front());
        }
        ordered.push(hit);
    }
    ordered.extend(waiting);
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hits: &[(&'static str, f64)], wants_commits: bool, expect: &[&str]) {
        fn source<'a>(hit: &'a &'static str) -> Source<'a> {
            match hit.split_once(':') {
                Some(("commit", _)) => Source::Commit,
                Some((path, _)) => Source::File(path),
                None => Source::Session,
            }
        }
        let names: Vec<&str> = spread(hits.to_vec(), source, wants_commits).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, expect);
    }

    #[test]
    fn further_hits_of_a_file_move_down() {
        check(&[("a:1", 1.0), ("a:2", 0.9), ("b:1", 0.6), ("a:3", 0.8)], false, &["a:1", "b:1", "a:2", "a:3"]);
        check(&[("one", 0.3), ("two", 0.4)], false, &["two", "one"]);
    }

    #[test]
    fn commits_take_one_place_of_ten() {
        let all = [("commit:1", 1.0), ("commit:2", 0.9), ("a:1", 0.8), ("b:1", 0.7)];
        check(&all, false, &["a:1", "b:1", "commit:1", "commit:2"]);
        check(&all, true, &["commit:1", "commit:2", "a:1", "b:1"]);
        let files: Vec<String> = (0..12).map(|n| format!("f{n}:1")).collect();
        let files: Vec<&'static str> = files.into_iter().map(|name| &*name.leak()).collect();
        let mut hits: Vec<(&'static str, f64)> =
            files.iter().enumerate().map(|(n, name)| (*name, 0.5 - n as f64 * 0.01)).collect();
        hits.extend([("commit:1", 0.9), ("commit:2", 0.8)]);
        let mut expect = files[..9].to_vec();
        expect.push("commit:1");
        expect.extend(&files[9..]);
        expect.push("commit:2");
        check(&hits, false, &expect);
    }
}
