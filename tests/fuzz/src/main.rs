//! Coverage-guided fuzzing of everything that reads untrusted input (`tests/fuzz/run`). Besides not crashing, each
//! target checks a property. No target touches a repository.
#![no_main]

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use patina::config::Config;
use patina::event::{decode_path, definition_key, encode_path, hex, is_hidden, unhex};
use patina::sessions::{self, MAX_CONTENT, ParsedSession, TranscriptOptions, TranscriptReader};
use patina::syntax::{self, FileLimits, Language, Triage};

/// The target to run, from the environment, because libFuzzer parses the arguments itself.
static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| match std::env::var("FUZZ_TARGET").as_deref() {
    Ok("syntax") => parses,
    Ok("redaction") => redacts,
    Ok("files") => reads_files,
    Ok("paths") => names_paths,
    Ok("terminal") => prints,
    Ok("salvage") => salvages,
    Ok("sessions") => reads_sessions,
    other => panic!("FUZZ_TARGET is {other:?}, not syntax, redaction, files, paths, terminal, salvage or sessions"),
});

fuzz_target!(|data: &[u8]| TARGET(data));

const LANGUAGES: [Language; 9] = [
    Language::Rust,
    Language::Python,
    Language::JavaScript,
    Language::TypeScript,
    Language::Tsx,
    Language::Go,
    Language::C,
    Language::Cpp,
    Language::Java,
];

/// Parses source code in any language: results lie inside the text, and a second run gives the same.
fn parses(data: &[u8]) {
    let Some((first, source)) = data.split_first() else { return };
    let language = LANGUAGES[usize::from(*first) % LANGUAGES.len()];
    let limits = FileLimits { max_bytes: 1 << 20 };
    if let Triage::Skip(_) = syntax::triage("a.rs", source, source.len() as u64, &limits) {
        return;
    }
    let parsed = syntax::parse(language, source).expect("a grammar gives a tree");
    let lines = source.split(|byte| *byte == b'\n').count() as u32;
    for definition in &parsed.definitions {
        let (line, end) = (definition.line, definition.end_line);
        assert!(1 <= line && line <= end && end <= lines, "{}: {line} to {end} of {lines}", definition.qualified);
    }
    assert_eq!(parsed, syntax::parse(language, source).expect("it did before"));
}

/// Redacts a text around a secret: the secret is gone, and redaction is idempotent.
fn redacts(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let once = patina::redact::redact(&text).into_owned();
    assert_eq!(patina::redact::redact(&once), once.as_str());
    let key = format!("AKIA{}", "Q7ZP3M5XK2WD4RTY");
    let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
    let planted = format!("{}\n{key}\n{}", &text[..middle], &text[middle..]);
    // Searches for it as a separate word: in the middle of other letters it is not a secret, and may stay.
    assert!(!patina::redact::redact(&planted).contains(&format!("\n{key}\n")), "{planted:?}");
}

/// Reads files that are supplied to patina: adapters, manifests of models, settings of users and repositories.
fn reads_files(data: &[u8]) {
    if let Ok(adapter) = patina::adapter::parse(data) {
        let given = adapter.apply(&vec![0.5; adapter.input_width()]);
        assert_eq!(given.len(), adapter.output_width());
    }
    let text = String::from_utf8_lossy(data);
    if let Ok(manifest) = patina::embedding::Manifest::read("id", &text, PathBuf::from("/models/id")) {
        for (_, entry) in manifest.files.all() {
            assert_eq!(manifest.path(entry).parent(), Some("/models/id".as_ref()), "{entry:?}");
        }
    }
    let _ = Config::from_texts(Some(("config.toml", &text)), None);
    let own = Config::from_texts(None, None).expect("the defaults are settings");
    let narrowed = Config::from_texts(None, Some(("patina.toml", &text))).expect("a repository cannot spoil them");
    assert!(narrowed.max_file_bytes <= own.max_file_bytes);
    assert_eq!((narrowed.state_dir, narrowed.model.id), (own.state_dir, own.model.id));
}

/// Encodes paths in item keys: every byte is restored, and nothing unprintable is left.
fn names_paths(data: &[u8]) {
    let encoded = encode_path(data);
    assert_eq!(decode_path(&encoded), data);
    assert!(!encoded.chars().any(is_hidden) && !encoded.contains('#'), "{encoded:?}");
    assert!(!encoded.starts_with("commit:") && !encoded.starts_with("session:"));
    assert_eq!(unhex(&hex(data)).as_deref(), Some(data));
    let text = String::from_utf8_lossy(data);
    let _ = decode_path(&text);
    if let Some(bytes) = unhex(&text) {
        assert_eq!(hex(&bytes), text.to_lowercase());
    }
    let (path, _) =
        definition_key(&encoded, &text).split_once('#').map(|(a, b)| (a.to_string(), b.to_string())).expect("a key");
    assert_eq!(path, encoded);
}

/// Prints text to a terminal.
fn prints(data: &[u8]) {
    let shown = patina::commands::clean(&String::from_utf8_lossy(data));
    assert!(shown.chars().all(|c| c == '\n' || !is_hidden(c)), "{shown:?}");
    assert_eq!(patina::commands::clean(&shown), shown);
}

/// Salvages a log of arbitrary bytes: the result is a valid log.
fn salvages(data: &[u8]) {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = std::env::temp_dir().join(format!("patina-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        folder
    });
    let path = FOLDER.join("eventlog.db");
    let cut = data.len() / 2;
    for (name, bytes) in [("eventlog.db", &data[..cut]), ("eventlog.db-wal", &data[cut..])] {
        std::fs::File::create(FOLDER.join(name)).and_then(|mut file| file.write_all(bytes)).expect("a file");
    }
    let saved = patina::eventlog::salvage(&path).expect("nothing is in the way");
    assert_eq!(patina::eventlog::Eventlog::damage(&path).expect("it opens"), None);
    let _ = std::fs::remove_file(&saved.kept);
}

/// Reads session logs and transcripts: entries keep within their limits, and reading further removes no entry.
fn reads_sessions(data: &[u8]) {
    let Some((first, text)) = data.split_first() else { return };
    let reader = match first % 3 {
        0 => sessions::claude::reader,
        1 => sessions::codex::reader,
        _ => return reads_log(&String::from_utf8_lossy(text)),
    };
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let read = |lines: &[&[u8]]| {
        let taking = TranscriptOptions {
            prompts: first & 0x80 != 0,
            tops: vec!["/home/u/repo".into()],
            ..TranscriptOptions::default()
        };
        let mut reader: Box<dyn TranscriptReader> = reader(taking);
        for line in lines {
            reader.line(line);
        }
        reader.finish()
    };
    let whole = read(&lines);
    keeps_limits(&whole, lines.len());
    let beginning = read(&lines[..lines.len() / 2]);
    assert!(whole.entries.starts_with(&beginning.entries), "{:?} became {:?}", beginning.entries, whole.entries);
}

/// Reads a Markdown log: exporting its entries gives a valid log again.
fn reads_log(text: &str) {
    let path = "layer/sessions/20251124-174931.md";
    if sessions::markdown::is_session(path, text) {
        let reading = sessions::markdown::read(path, text).expect("it is one");
        keeps_limits(&reading, text.lines().count());
        let written = sessions::as_markdown(&reading.head, &reading.entries);
        assert!(sessions::markdown::read(path, &written).is_some(), "{written:?}");
    }
}

fn keeps_limits(reading: &ParsedSession, lines: usize) {
    for entry in &reading.entries {
        assert!(1 <= entry.line && entry.line as usize <= lines.max(1), "{entry:?} of {lines} lines");
        assert!(entry.content.len() <= MAX_CONTENT, "{} bytes", entry.content.len());
        assert!(entry.files.iter().all(|file| !file.starts_with('/') && !file.split('/').any(|part| part == "..")));
    }
}
