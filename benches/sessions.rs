//! Parses the session logs of a real repository: each Markdown file of a commit that is a session becomes one line of
//! JSON on stdout with its entries; totals go to stderr. Files are read from git objects.
//!
//! `cargo bench --bench sessions -- REPOSITORY [COMMIT]`; `tests/sessions.py` compares the lines with its own count.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use patina::sessions::{Category, markdown};
use serde_json::json;

/// Shorter contents carry little information.
const MIN_CONTENT: usize = 20;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let Some(repository) = arguments.first() else {
        println!("name a repository: cargo bench --bench sessions -- REPOSITORY [COMMIT]");
        return;
    };
    let commit = arguments.get(1).map_or("HEAD", String::as_str);
    let mut by_category: BTreeMap<Category, (usize, usize)> = BTreeMap::new();
    let (mut files, mut sessions, mut stubs, mut warnings, mut skipped) = (0, 0, 0, 0, 0);
    let mut spent = Duration::ZERO;
    let mut out = std::io::stdout().lock();
    for (path, bytes) in blobs(repository, commit) {
        files += 1;
        let text = String::from_utf8_lossy(&bytes);
        let start = Instant::now();
        let reading = markdown::read(&path, &text);
        spent += start.elapsed();
        let Some(reading) = reading else {
            if path.contains("sessions/") {
                eprintln!("no session: {path}");
            }
            continue;
        };
        sessions += 1;
        stubs += usize::from(reading.is_stub);
        warnings += reading.warnings.len();
        skipped += reading.skipped;
        for entry in &reading.entries {
            let (all, long) = by_category.entry(entry.category).or_default();
            *all += 1;
            *long += usize::from(entry.content.chars().count() > MIN_CONTENT);
        }
        let entries = reading.entries.iter().enumerate().map(|(index, entry)| {
            json!({
                "n": index + 1, "time": entry.at, "category": entry.category, "content": entry.content,
                "files": entry.files, "commits": entry.commits, "line": entry.line, "state": entry.state,
            })
        });
        let entries: Vec<_> = entries.collect();
        let line = json!({
            "path": path, "id": reading.head.id, "title": reading.head.title, "head": reading.head, "stub": reading.is_stub, "warnings": reading.warnings,
            "entries": entries,
        });
        writeln!(out, "{line}").expect("stdout is open");
    }
    let apart = [Category::Touched, Category::Command, Category::Commit, Category::Plan];
    let kept = by_category.iter().filter(|(category, _)| !apart.contains(category));
    eprintln!("{files} Markdown files, {sessions} sessions, {stubs} stubs, {warnings} warnings, {skipped} skipped");
    for (category, (all, long)) in &by_category {
        eprintln!("{:12} {all:6}  of more than {MIN_CONTENT} characters {long:6}", category.name());
    }
    let long: usize = kept.map(|(_, (_, long))| long).sum();
    eprintln!("of more than {MIN_CONTENT} characters, without plans, commits, files and commands: {long}");
    eprintln!("read in {spent:?}");
}

/// Returns the Markdown files of a commit whose objects exist.
fn blobs(repository: &str, commit: &str) -> Vec<(String, Vec<u8>)> {
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-C", repository]).args(arguments).env("GIT_NO_LAZY_FETCH", "1").stderr(Stdio::null());
        command
    };
    let listed = git(&["ls-tree", "-r", "-z", "--full-tree", commit]).output().expect("git runs");
    assert!(listed.status.success(), "{commit} is no commit of {repository}");
    let names = listed.stdout.split(|byte| *byte == 0).filter_map(|line| {
        let line = String::from_utf8_lossy(line);
        let (data, path) = line.split_once('\t')?;
        path.ends_with(".md").then(|| (data.split(' ').nth(2).unwrap_or_default().to_string(), path.to_string()))
    });
    let names: Vec<(String, String)> = names.collect();
    let mut batch =
        git(&["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("git runs");
    let mut ask = batch.stdin.take().expect("it is piped");
    let mut answers = BufReader::new(batch.stdout.take().expect("it is piped"));
    let mut blobs = Vec::new();
    for (id, path) in names {
        writeln!(ask, "{id}").and_then(|()| ask.flush()).expect("git listens");
        let mut header = String::new();
        answers.read_line(&mut header).expect("git answers");
        // A partial clone lacks some objects.
        let Some(size) = header.trim().rsplit(' ').next().and_then(|size| size.parse::<usize>().ok()) else { continue };
        let mut bytes = vec![0; size + 1];
        answers.read_exact(&mut bytes).expect("git answers");
        bytes.truncate(size);
        blobs.push((path, bytes));
    }
    drop(ask);
    batch.wait().expect("git ends");
    blobs
}
