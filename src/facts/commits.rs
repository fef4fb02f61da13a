//! Facts of commits. Only exact renames, with an equal object id, are recognised.

use std::collections::BTreeMap;

use super::{Body, COMMIT_VERSION, CommitData, FileChange, GIT_COMMIT, storable};
use crate::event::{Fact, Idem, Origin, Status, encode_path};
use crate::git::{ObjectId, RawChange, RawCommit};
use crate::redact::redact_forgotten;

/// Returns the `git.commit` fact of a commit.
pub fn commit_fact(raw: &RawCommit) -> Fact {
    let origins = renames(&raw.changes);
    let files_changed = raw.changes.iter().enumerate().map(|(index, change)| {
        let side = change.new.or(change.old).expect("a change has at least one side");
        FileChange {
            path: encode_path(&change.path).into(),
            status: change.status,
            blob: side.id.to_string().into(),
            from: origins.get(&index).map(|from| encode_path(&raw.changes[*from].path)),
        }
    });
    let data = CommitData {
        sha: raw.id.to_string().into(),
        message: storable(&raw.message).into(),
        author: redact_forgotten(&raw.author),
        committer: redact_forgotten(&raw.committer),
        author_time: raw.author_time,
        committer_time: raw.committer_time,
        parents: raw.parents.iter().map(ObjectId::to_string).collect(),
        files_changed: files_changed.collect(),
        deriver: COMMIT_VERSION,
    };
    Fact {
        event_type: GIT_COMMIT.to_string(),
        at: Some(raw.committer_time),
        origin: Origin::Git,
        source_file: None,
        idem: commit_idem(raw.id.as_bytes()),
        data: Body::Commit(data).encode(),
    }
}

/// Returns the identity hash of a commit's fact as this version derives it.
pub fn commit_idem(sha: &[u8]) -> Idem {
    Idem::of(GIT_COMMIT, &[sha, &COMMIT_VERSION.to_le_bytes()])
}

/// Pairs each added file with a deleted file of the same content, by index: equal base names first, the others by path.
///
/// Empty files are not paired, because for them equal content is not evidence.
fn renames(changes: &[RawChange]) -> BTreeMap<usize, usize> {
    let mut by_blob: BTreeMap<ObjectId, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (index, change) in changes.iter().enumerate() {
        let (side, added) = match (change.status, change.new, change.old) {
            (Status::A, Some(side), _) => (side, true),
            (Status::D, _, Some(side)) => (side, false),
            _ => continue,
        };
        if side.is_file && !side.id.is_empty_blob() {
            let (gone, came) = by_blob.entry(side.id).or_default();
            if added { came.push(index) } else { gone.push(index) }
        }
    }
    let mut pairs = BTreeMap::new();
    for (mut gone, mut came) in by_blob.into_values() {
        came.retain(|to| match gone.iter().position(|from| basename(changes, *from) == basename(changes, *to)) {
            Some(position) => {
                pairs.insert(*to, gone.remove(position));
                false
            }
            None => true,
        });
        pairs.extend(came.into_iter().zip(gone));
    }
    pairs
}

fn basename(changes: &[RawChange], index: usize) -> &[u8] {
    changes[index].path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::DiffSide;

    fn change(path: &str, status: Status, blob: u8) -> RawChange {
        let mut bytes = [0; 20];
        bytes[0] = blob;
        let id = if blob == 0 { ObjectId::empty_blob(crate::git::sha1()) } else { ObjectId::from(bytes) };
        let side = Some(DiffSide { id, is_file: true });
        let (old, new) = if status == Status::D { (side, None) } else { (None, side) };
        RawChange { path: path.into(), status, old, new }
    }

    #[test]
    fn exact_renames_pair_by_name_then_by_path() {
        use Status::{A, D};
        let check = |changes: &[(&str, Status, u8)], expect: &[(&str, &str)]| {
            let changes: Vec<RawChange> =
                changes.iter().map(|(path, status, blob)| change(path, *status, *blob)).collect();
            let pairs = renames(&changes);
            let names: Vec<(String, String)> = pairs
                .iter()
                .map(|(to, from)| (changes[*from].path.to_string(), changes[*to].path.to_string()))
                .collect();
            let names: Vec<(&str, &str)> = names.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
            assert_eq!(names, expect);
        };
        check(&[("a", D, 1), ("b", A, 1)], &[("a", "b")]);
        check(&[("a", D, 1), ("b", A, 2)], &[]);
        check(&[("a", D, 0), ("b", A, 0)], &[]);
        check(&[("x/a", D, 1), ("x/b", D, 1), ("y/b", A, 1), ("y/c", A, 1)], &[("x/b", "y/b"), ("x/a", "y/c")]);
    }
}
