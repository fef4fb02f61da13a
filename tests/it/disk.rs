//! Tests of disk faults: write errors, a full disk, partial writes, and loss of unsynced data at a power failure. The
//! next hook repairs everything, and no acknowledged note is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::crashes::{assert_mended, gone_on, said, worker};
use crate::support::{Random, TestRepo, figure, note_elsewhere};

/// Which call of a kind fails, counted from 1.
const PLACES: &[usize] = &[1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233];

/// Tries every third of these; `PATINA_TEST_EVERY_PLACE` tries all.
#[test]
fn whatever_call_fails_the_next_ring_mends_it() {
    let every = std::env::var_os("PATINA_TEST_EVERY_PLACE").is_some();
    let base = gone_on();
    let (mut trials, mut failed) = (0, BTreeMap::new());
    for (turn, plan) in [
        "write EIO",
        "write ENOSPC+",
        "write SHORT",
        "pwrite EIO",
        "pwrite ENOSPC+",
        "pwrite SHORT",
        "fsync EIO",
        "fsync EIO+",
        "fsync ENOSPC",
        "ftruncate EIO",
        "ftruncate ENOSPC+",
        "rename EIO",
        "rename ENOSPC+",
        "unlink EIO",
        "unlink EIO+",
    ]
    .iter()
    .enumerate()
    {
        let (kind, error) = plan.split_once(' ').expect("two words");
        let (error, on) = error.split_once('+').map_or((error, ""), |(error, _)| (error, "+"));
        for (index, place) in PLACES.iter().enumerate().filter(|(index, _)| every || (index + turn) % 3 == 0) {
            let repo = base.copy();
            let touched = repo.root().join("touched");
            let shim =
                [("FAIL", &*format!("{kind} {error} {place}{on}")), ("TOUCHED", touched.to_str().expect("UTF-8"))];
            let spoiled = repo.with_shim(&shim);
            // Most renames and removals happen in a full rebuild.
            let full = matches!(kind, "rename" | "unlink") || index % 3 == 2;
            let ran = if full { spoiled.try_patina(&["reindex", "--full"]) } else { worker(&spoiled) };
            let case = format!("{plan}, call {place}");
            assert!(ran.code == 0 || ran.code == 1, "{case}: exit {}: {}", ran.code, ran.stderr);
            assert!(!ran.stderr.contains("panicked"), "{case}: {}", ran.stderr);
            let was_hit = fs::read_to_string(touched).unwrap_or_default().contains("failed ");
            assert_mended(&repo, &said(), &case);
            trials += 1;
            *failed.entry(kind).or_insert(0) += usize::from(was_hit);
            if !was_hit {
                break;
            }
        }
    }
    figure(&format!("{trials} runs, calls that failed by kind: {failed:?}; each mended by one ring"));
    for kind in ["write", "pwrite", "fsync", "ftruncate", "rename", "unlink"] {
        assert!(failed.get(kind).is_some_and(|hits| *hits > 0), "no {kind} was made to fail");
    }
}

/// A change that a program made to the content of one file.
#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

#[derive(Debug)]
enum Step {
    Create(PathBuf),
    Folder(PathBuf),
    Change(PathBuf, Change),
    Sync(PathBuf),
    Rename(PathBuf, PathBuf),
    Unlink(PathBuf),
}

/// Parses the log that the shim wrote.
fn steps(log: &[u8]) -> Vec<Step> {
    let mut rest = log;
    let mut all = Vec::new();
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let head = std::str::from_utf8(&rest[..end]).expect("a line of words");
        let words: Vec<&str> = head.split(' ').collect();
        let number = |index: usize| words[index].parse::<usize>().unwrap_or_else(|_| panic!("{head}"));
        let (path, after) = rest[end + 1..].split_at(number(1));
        let (more, after) = after.split_at(number(2));
        rest = after;
        let name = |bytes: &[u8]| PathBuf::from(String::from_utf8(bytes.to_vec()).expect("UTF-8"));
        let path = name(path);
        all.push(match words[0] {
            "create" => Step::Create(path),
            "mkdir" => Step::Folder(path),
            "write" => Step::Change(path, Change::Write(number(3), more.to_vec())),
            "ftruncate" => Step::Change(path, Change::Truncate(number(3))),
            "sync" => Step::Sync(path),
            "rename" => Step::Rename(path, name(more)),
            "unlink" => Step::Unlink(path),
            other => panic!("the shim logged {other}"),
        });
    }
    all
}

/// A simulated disk: what is synced, and what may or may not have reached it.
#[derive(Default)]
struct Disk {
    files: Vec<Kept>,
    names: BTreeMap<PathBuf, usize>,
    synced_names: BTreeMap<PathBuf, usize>,
    folders: BTreeSet<PathBuf>,
    synced_folders: BTreeSet<PathBuf>,
}

#[derive(Default)]
struct Kept {
    synced: Vec<u8>,
    since: Vec<Change>,
}

/// What a power failure loses.
#[derive(Debug, Clone, Copy)]
enum Loss {
    /// All data and names that were not synced.
    Everything,
    /// All data that was not synced. Names are kept, as by a file system with a metadata journal.
    Bytes,
    /// A random part of what was not synced; the last write may be cut in half.
    Some,
}

impl Disk {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Create(path) => {
                self.files.push(Kept::default());
                self.names.insert(path.clone(), self.files.len() - 1);
            }
            Step::Folder(path) => drop(self.folders.insert(path.clone())),
            Step::Change(path, change) => {
                if let Some(file) = self.names.get(path) {
                    self.files[*file].since.push(change.clone());
                }
            }
            Step::Sync(path) => match self.names.get(path) {
                Some(file) => {
                    let file = &mut self.files[*file];
                    let since = std::mem::take(&mut file.since);
                    since.iter().for_each(|change| apply(&mut file.synced, change));
                }
                None => {
                    let is_here = |other: &PathBuf| other.parent() == Some(path);
                    self.synced_names.retain(|name, _| !is_here(name));
                    let here = self.names.iter().filter(|(name, _)| is_here(name));
                    self.synced_names.extend(here.map(|(name, file)| (name.clone(), *file)));
                    self.synced_folders.extend(self.folders.iter().filter(|folder| is_here(folder)).cloned());
                }
            },
            Step::Rename(from, to) => {
                if let Some(file) = self.names.remove(from) {
                    self.names.insert(to.clone(), file);
                }
            }
            Step::Unlink(path) => drop(self.names.remove(path)),
        }
    }

    /// Returns the files that are left after a power failure.
    fn after(&self, loss: Loss, random: &mut Random) -> BTreeMap<PathBuf, Vec<u8>> {
        let names = if matches!(loss, Loss::Everything) { &self.synced_names } else { &self.names };
        let stands = |path: &Path| {
            let mut above = path.ancestors().skip(1).filter(|folder| self.folders.contains(*folder));
            !matches!(loss, Loss::Everything) || above.all(|folder| self.synced_folders.contains(folder))
        };
        let mut left = BTreeMap::new();
        for (path, file) in names.iter().filter(|(path, _)| stands(path)) {
            let Kept { synced, since } = &self.files[*file];
            let mut bytes = synced.clone();
            if matches!(loss, Loss::Some) {
                for (index, change) in since.iter().enumerate() {
                    match change {
                        Change::Write(at, written) if index + 1 == since.len() => {
                            apply(&mut bytes, &Change::Write(*at, written[..written.len() / 2].to_vec()));
                        }
                        change if random.percent(60) => apply(&mut bytes, change),
                        _ => {}
                    }
                }
            }
            left.insert(path.clone(), bytes);
        }
        left
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Truncate(size) => bytes.resize(*size, 0),
        Change::Write(at, written) => {
            let end = at + written.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[*at..end].copy_from_slice(written);
        }
    }
}

/// The default number of power failures; `PATINA_TEST_CUTS` sets another.
const CUTS: usize = 24;

#[test]
fn the_power_goes_and_nothing_acknowledged_is_lost() {
    let cuts = std::env::var("PATINA_TEST_CUTS").ok().and_then(|count| count.parse().ok()).unwrap_or(CUTS);
    let (repo, log, notes) = recorded();
    let steps = steps(&fs::read(log).expect("what was logged"));
    let random = &mut Random::new(11);
    let mut lost_bytes = 0;
    for cut in 0..cuts {
        let at = steps.len() * (cut + 1) / cuts;
        let loss = [Loss::Everything, Loss::Bytes, Loss::Some][cut % 3];
        let mut disk = Disk::default();
        let mut acknowledged = 0;
        for step in &steps[..at] {
            disk.step(step);
            if let Step::Change(path, Change::Write(..)) = step {
                acknowledged += usize::from(path.ends_with("acknowledged"));
            }
        }
        let after = repo.copy();
        let state = after.path.join(".git/patina");
        fs::remove_dir_all(&state).expect("what was there goes");
        lost_bytes += disk.files.iter().filter(|file| !file.since.is_empty()).count();
        for (path, bytes) in disk.after(loss, random) {
            let inside = path.strip_prefix(repo.path.join(".git/patina")).expect("it is below").to_path_buf();
            // The shared-memory file does not outlive its processes. A broken seal would trigger a full rebuild, and
            // the files that are left would not be tested.
            let name = path.to_string_lossy();
            if name.ends_with("-shm") || name.ends_with(".seal") || inside.ends_with("acknowledged") {
                continue;
            }
            let path = state.join(inside);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, bytes).expect("what is left");
        }
        let case = format!("cut {at} of {}, {loss:?}", steps.len());
        crate::crashes::ring(&after);
        let found = after.notes();
        assert_eq!(found[..acknowledged.min(found.len())], notes[..acknowledged], "{case}");
        assert_mended(&after, &found, &case);
    }
    figure(&format!("{cuts} moments of {} steps, {lost_bytes} files with something not yet synced", steps.len()));
    assert!(lost_bytes > cuts / 2, "hardly anything was ever at risk");
}

/// Returns a repository, the shim's log of every file operation in its state folder since the first run, and its notes.
fn recorded() -> (TestRepo, PathBuf, Vec<String>) {
    let repo = TestRepo::new().with_model();
    let log = repo.root().join("steps");
    let git = repo.path.join(".git").display().to_string();
    let shimmed = repo.with_shim(&[("LOG", log.to_str().expect("UTF-8"))]).with("PATINA_SHIM_UNDER", &git);
    let notes: Vec<String> = (0..12).map(|index| format!("note {index} {}", "of some length ".repeat(index))).collect();
    repo.commit_files(&[("a.rs", "pub fn one() { two(); }\npub fn two() {}\n"), ("b.md", "# B\n")], "begin");
    shimmed.reindex();
    note_elsewhere(&shimmed, &notes[..4]);
    repo.commit_files(&[("a.rs", "pub fn one() {}\n"), ("c.rs", "fn three() { one(); }\n")], "on");
    assert_eq!(worker(&shimmed).code, 0);
    note_elsewhere(&shimmed, &notes[4..8]);
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    assert_eq!(worker(&shimmed).code, 0);
    shimmed.patina(&["reindex", "--full"]);
    note_elsewhere(&shimmed, &notes[8..]);
    repo.commit_files(&[("d.rs", "pub fn four() {}\n")], "last");
    assert_eq!(worker(&shimmed).code, 0);
    (repo, log, notes)
}
