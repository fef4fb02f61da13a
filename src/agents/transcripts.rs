//! Lists the transcripts that may belong to a repository, with stamps by which changes are noticed.
//!
//! No file is opened: the name of a folder is only a hint, and the reader checks the working directory that a
//! transcript states.

use std::fs::{self, DirEntry};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::Agent;

/// A transcript file on disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TranscriptFile {
    /// The agent that wrote it.
    pub agent: Agent,
    /// The path of the file.
    pub path: PathBuf,
    /// The stamp, which changes when the file does.
    pub stamp: Stamp,
}

/// File metadata that changes whenever a file is written to or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// The inode number.
    pub inode: u64,
    /// The size in bytes.
    pub size: u64,
    /// The modification time, in Unix nanoseconds.
    pub modified: i64,
}

/// The length at which Claude truncates the name of a folder and appends a hash.
const LONGEST_NAME: usize = 200;

/// Lists the transcripts in an agent's folder that may belong to one of the worktrees, sorted by path.
///
/// Codex keeps the transcripts of all repositories together. Folders that cannot be listed are skipped.
pub fn list_transcripts(agent: Agent, folder: &Path, tops: &[PathBuf]) -> Vec<TranscriptFile> {
    let mut found = Vec::new();
    match agent {
        Agent::Claude => {
            let names = names(tops);
            for project in folders(folder).filter(|project| is_of_any(project, &names)) {
                files(agent, &project.path(), |_| true, &mut found);
            }
        }
        Agent::Codex => {
            // sessions/2026/01/31
            let dated = |parent: &Path, digits: usize| {
                let is_date = move |entry: &DirEntry| {
                    let name = entry.file_name();
                    name.len() == digits && name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
                };
                folders(parent).filter(is_date).map(|entry| entry.path()).collect::<Vec<_>>()
            };
            for day in dated(folder, 4).iter().flat_map(|year| dated(year, 2)).flat_map(|month| dated(&month, 2)) {
                files(agent, &day, |name| name.starts_with(b"rollout-"), &mut found);
            }
        }
    }
    found.sort();
    found
}

/// Returns the names of Claude's folders for the worktrees, for their paths as given and with symbolic links resolved.
fn names(tops: &[PathBuf]) -> Vec<String> {
    let real = tops.iter().filter_map(|top| fs::canonicalize(top).ok());
    let mut names: Vec<String> = tops.iter().cloned().chain(real).map(|top| name_of(&top)).collect();
    names.sort();
    names.dedup();
    names
}

/// Returns the name of Claude's folder for a path, in which every UTF-16 unit that is not a letter or digit is a dash.
fn name_of(top: &Path) -> String {
    let mut name = String::new();
    for c in top.to_string_lossy().chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else {
            name.extend(std::iter::repeat_n('-', c.len_utf16()));
        }
    }
    name
}

/// Returns whether a folder may belong to one of the names, or to a folder below it.
fn is_of_any(project: &DirEntry, names: &[String]) -> bool {
    let project = project.file_name();
    let Some(project) = project.to_str() else { return false };
    names.iter().any(|name| {
        let name = &name[..name.len().min(LONGEST_NAME)];
        project.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    })
}

/// Lists the subfolders of a folder, without symbolic links.
fn folders(folder: &Path) -> impl Iterator<Item = DirEntry> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
}

/// Adds the transcripts in a folder, without symbolic links.
fn files(agent: Agent, folder: &Path, is_one: impl Fn(&[u8]) -> bool, found: &mut Vec<TranscriptFile>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if !name.ends_with(b".jsonl") || !is_one(name) || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        found.extend(transcript_file(agent, &entry.path()));
    }
}

/// Returns the current state of a transcript file; `None` if it does not exist.
pub fn transcript_file(agent: Agent, path: &Path) -> Option<TranscriptFile> {
    let metadata = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
    let modified = metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec());
    let stamp = Stamp { inode: metadata.ino(), size: metadata.size(), modified };
    Some(TranscriptFile { agent, path: path.to_path_buf(), stamp })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn listed(agent: Agent, tops: &[&str], files: &[&str]) -> Vec<String> {
        let dir = tempfile::tempdir().expect("a folder");
        for file in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, "{}\n").expect("a file");
        }
        symlink(dir.path(), dir.path().join("-w-link")).expect("a link");
        let tops: Vec<PathBuf> = tops.iter().map(PathBuf::from).collect();
        let found = list_transcripts(agent, dir.path(), &tops);
        assert!(found.iter().all(|found| found.stamp.size == 3 && found.stamp.modified > 0 && found.agent == agent));
        let name = |found: &TranscriptFile| {
            found.path.strip_prefix(dir.path()).expect("it is below").to_string_lossy().into_owned()
        };
        found.iter().map(name).collect()
    }

    #[test]
    fn claudes_are_found_by_the_name_of_the_worktree() {
        let files = [
            "-w-my-app/1.jsonl",
            "-w-my-app/notes.txt",
            "-w-my-app/1/deep.jsonl",
            "-w-my-app-src/2.jsonl",
            "-w-my-apple/3.jsonl",
            "-w/4.jsonl",
            "5.jsonl",
        ];
        assert_eq!(listed(Agent::Claude, &["/w/my_app"], &files), ["-w-my-app/1.jsonl", "-w-my-app-src/2.jsonl"]);
        assert_eq!(listed(Agent::Claude, &["/w/a.é😀"], &["-w-a----/1.jsonl"]), ["-w-a----/1.jsonl"]);
        assert!(listed(Agent::Claude, &[], &files).is_empty());
    }

    #[test]
    fn a_long_path_is_found_by_its_beginning() {
        let long = "x".repeat(300);
        let folder = format!("-{}-1a2b3c/1.jsonl", "x".repeat(199));
        assert_eq!(listed(Agent::Claude, &[&format!("/{long}")], &[&folder]), [folder]);
    }

    #[test]
    fn codexs_are_found_by_their_dates() {
        let files = [
            "2026/01/31/rollout-2026-01-31T10-00-00-a.jsonl",
            "2026/01/31/other.jsonl",
            "2026/1/31/rollout-b.jsonl",
            "2026/01/rollout-c.jsonl",
            "rollout-d.jsonl",
            "2025/12/01/rollout-e.jsonl",
        ];
        let expect = ["2025/12/01/rollout-e.jsonl", "2026/01/31/rollout-2026-01-31T10-00-00-a.jsonl"];
        assert_eq!(listed(Agent::Codex, &["/w/a"], &files), expect);
    }

    #[test]
    fn a_folder_that_is_not_there_holds_none() {
        for agent in Agent::ALL {
            assert!(list_transcripts(agent, Path::new("/no/such/folder"), &[PathBuf::from("/w")]).is_empty());
        }
    }
}
