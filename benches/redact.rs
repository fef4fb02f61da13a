//! False positives and speed of redaction, over the text files at HEAD of repositories and all their commit messages. A
//! token is what stands between blanks; it counts if any part of it is replaced. Recall is tested by
//! tests/it/secrets.rs.
//!
//! `cargo bench --bench redact -- [--show] FOLDER...`; with `--show` every hit is printed with its line.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use patina::config::MAX_FILE_BYTES;
use patina::redact::{find, redact};

/// How often each text is redacted. The fastest run counts, because any disturbance makes a run slower.
const RUNS: usize = 7;

#[derive(Default)]
struct Sum {
    texts: usize,
    bytes: usize,
    tokens: usize,
    touched: usize,
    seconds: f64,
    kinds: BTreeMap<&'static str, usize>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let shows = arguments.iter().any(|argument| argument == "--show");
    let mut all = Sum::default();
    for folder in arguments.iter().filter(|argument| *argument != "--show") {
        let path = Path::new(folder);
        for (what, texts) in [("files", files(path)), ("messages", messages(path))] {
            let sum = measure(&texts, shows);
            sum.print(&format!("{folder} {what}"));
            all.add(&sum);
        }
    }
    all.print("all");
    for (kind, times) in &all.kinds {
        println!("{times:6} {kind}");
    }
}

fn measure(texts: &[String], shows: bool) -> Sum {
    let mut sum = Sum { texts: texts.len(), ..Sum::default() };
    for text in texts {
        let found = find(text);
        sum.bytes += text.len();
        sum.tokens += text.split_whitespace().count();
        for one in &found {
            *sum.kinds.entry(one.kind).or_default() += 1;
            sum.touched += text[one.start..one.end].split_whitespace().count();
            if shows {
                let from = text[..one.start].rfind('\n').map_or(0, |at| at + 1);
                let to = text[one.end..].find('\n').map_or(text.len(), |at| one.end + at);
                let (before, secret, behind) = (&text[from..one.start], &text[one.start..one.end], &text[one.end..to]);
                println!("{:20} {before}\u{ab}{}\u{bb}{behind}", one.kind, secret.escape_debug());
            }
        }
    }
    sum.seconds = texts.iter().map(|text| (0..RUNS).map(|_| seconds(text)).fold(f64::INFINITY, f64::min)).sum();
    sum
}

fn seconds(text: &str) -> f64 {
    let start = Instant::now();
    std::hint::black_box(redact(std::hint::black_box(text)));
    start.elapsed().as_secs_f64()
}

impl Sum {
    fn add(&mut self, other: &Sum) {
        self.texts += other.texts;
        self.bytes += other.bytes;
        self.tokens += other.tokens;
        self.touched += other.touched;
        self.seconds += other.seconds;
        for (kind, times) in &other.kinds {
            *self.kinds.entry(kind).or_default() += times;
        }
    }

    fn print(&self, what: &str) {
        let megabytes = self.bytes as f64 / 1e6;
        let share = 100.0 * self.touched as f64 / self.tokens.max(1) as f64;
        println!(
            "{what}: {} texts, {megabytes:.1} MB, {} tokens, {} touched, {share:.4} %, {:.0} MB/s",
            self.texts,
            self.tokens,
            self.touched,
            megabytes / self.seconds
        );
    }
}

/// Returns every text file at HEAD that is small enough to be indexed.
fn files(folder: &Path) -> Vec<String> {
    let listed = git(folder, &["ls-tree", "-r", "-z", "--format=%(objectmode) %(objectname)", "HEAD"], "");
    let listed = String::from_utf8(listed).expect("modes and names of objects");
    let ids: String =
        listed.split('\0').filter_map(|entry| entry.strip_prefix("100")?.get(4..)).flat_map(|id| [id, "\n"]).collect();
    let mut rest = &git(folder, &["cat-file", "--batch"], &ids)[..];
    let mut texts = Vec::new();
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let head = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = &rest[end + 1..];
        // A missing object has no size, and no content follows its line.
        let Some(size) = head.rsplit(' ').next().and_then(|size| size.parse::<usize>().ok()) else { continue };
        let is_text = size as u64 <= MAX_FILE_BYTES && !rest[..size].contains(&0);
        if let Some(text) = is_text.then(|| std::str::from_utf8(&rest[..size]).ok()).flatten() {
            texts.push(text.to_string());
        }
        rest = &rest[size + 1..];
    }
    texts
}

/// Returns the message of every commit.
fn messages(folder: &Path) -> Vec<String> {
    let log = git(folder, &["log", "-z", "--format=%B", "HEAD"], "");
    String::from_utf8_lossy(&log).split('\0').map(str::to_string).collect()
}

fn git(folder: &Path, arguments: &[&str], input: &str) -> Vec<u8> {
    let mut command = Command::new("git");
    let command = command.args(arguments).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("git runs");
    let (mut stdin, input) = (child.stdin.take().expect("it is piped"), input.to_string());
    // Writes in another thread while this one reads, to avoid a deadlock.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("git ends");
    writer.join().expect("it writes").expect("git reads");
    assert!(output.status.success(), "git {arguments:?}");
    output.stdout
}
