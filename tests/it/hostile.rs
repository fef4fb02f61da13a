//! Tests of malicious content: names with control characters, files that are too deep, long, large or many, settings
//! that name programs. Nothing unprintable is printed, no program is run, and nothing is written outside patina's
//! folder.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Output;

use serde_json::json;

use crate::support::{PATINA, TestRepo, put, ran, texts, until};

/// Files whose names and definitions contain characters that a terminal or a parser interprets.
const NAMES: &[(&[u8], &str)] = &[
    (b"line\nend.rs", "pub fn alpha() { beta(); }\npub fn beta() {}\n"),
    (b"\x1b[31mred.py", "def gamma():\n    delta()\n\ndef delta():\n    pass\n"),
    (
        "bidi\u{202e}\u{2066}.js".as_bytes(),
        "class K { \"m\u{1b}]0;t\u{7}\u{202e}\"() { this.z() } z() {} #own() {} }\n",
    ),
    (b"\xff\xfe.c", "int eps(void);\nint zeta(void) { return eps(); }\n"),
    ("zero\u{200b}width.go".as_bytes(), "package p\n\nfunc eta() { theta() }\n\nfunc theta() {}\n"),
    (
        "soft\u{ad}\u{61c}\u{e0041}.ts".as_bytes(),
        "export class T { [\"x\u{1b}[2J\"]() {} iota() { this.kappa() } kappa() {} }\n",
    ),
    (b"\x7f\xc2\x9b31m.java", "class A { void lambda() { mu(); } void mu() {} }\n"),
    (b"tab\tcr\r.rs", "fn nu() {}\n"),
    (b"commit:x#1%41.rs", "fn xi() {}\n"),
    (b"new\nfolder/esc\x1b/in.rs", "fn omicron() { crate::alpha(); }\n"),
    (b"-k.rs", "fn pi() {}\n"),
];

/// Creates a repository where everything with a name has a malicious one.
fn badly_named() -> TestRepo {
    let repo = TestRepo::new();
    for (name, text) in NAMES {
        repo.write(
            name,
            format!("{text}// needle \u{1b}[31m \u{9b}1m \u{202e} \u{7} \u{e0041} end\n")
                .replace("// needle", if text.starts_with("def") { "# needle" } else { "// needle" }),
        );
    }
    let message = b"needle \x1b[31mred\x07 \xe2\x80\xae bidi \xff \xc2\x9b1m\n\nbody, because \x1b]0;title\x07\n";
    put(&repo.root().join("message"), message, 0o644);
    let who = repo.with("GIT_AUTHOR_NAME", "Ev\u{1b}[31mil\u{202e}").with("GIT_AUTHOR_EMAIL", "e\u{1b}@\u{200b}x");
    who.git(&["add", "-A"]);
    who.git(&["commit", "-q", "-F", repo.root().join("message").to_str().expect("UTF-8")]);
    repo.git(&["branch", "-m", "br\u{202e}anch\u{200b}"]);
    repo.reindex();
    repo
}

/// Returns whether a character is unprintable; line ends are allowed in JSON and text.
fn is_unprintable(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Runs patina with arbitrary bytes as arguments, and checks that all output is printable.
fn said_plainly(repo: &TestRepo, args: &[impl AsRef<OsStr> + std::fmt::Debug]) -> Output {
    let output = repo.command(PATINA).args(args).output().expect("it runs");
    for bytes in [&output.stdout, &output.stderr] {
        let text = std::str::from_utf8(bytes).unwrap_or_else(|error| panic!("{args:?}: {error}"));
        let found: Vec<char> = text.chars().filter(|c| is_unprintable(*c)).collect();
        assert!(found.is_empty(), "patina {args:?} says {found:?}: {}", text.escape_debug());
        assert!(!text.contains("panicked"), "patina {args:?}: {text}");
    }
    assert!(matches!(output.status.code(), Some(0..=4)), "patina {args:?}: {output:?}");
    output
}

#[test]
fn no_command_prints_what_a_terminal_acts_on() {
    let repo = badly_named();
    for args in [
        &["status"][..],
        &["status", "--digest"],
        &["log", "-k", "1000"],
        &["log", "--type", "", "-k", "1000"],
        &["doctor"],
        &["doctor", "--verify"],
        &["query", "needle", "-k", "100"],
        &["query", "evil red bidi title", "-k", "100"],
        &["who", "."],
        &["why", "alpha"],
        &["hook", "install"],
        &["hook", "status"],
        &["hook", "uninstall"],
        &["reindex", "--full"],
        &["gc"],
    ] {
        said_plainly(&repo, args);
        said_plainly(&repo, &[args, &["--json"]].concat());
        said_plainly(&repo, &[args, &["-vv"]].concat());
    }
}

#[test]
fn no_error_repeats_what_a_terminal_acts_on() {
    let repo = badly_named();
    let odd = "x\u{1b}[31m\u{202e}\u{e0041}";
    for args in [
        &["who", odd][..],
        &["who", "line\nend\u{1b}.rs"],
        &["calls", odd],
        &["explain", odd, odd],
        &["related", odd],
        &["query", "\u{1b}"],
        &["query", odd, "--kind", odd],
        &["query", odd, "-d", odd],
        &["query", odd, "--path", "\u{202e}[["],
        &["query", odd, "--since", odd],
        &["query", odd, "-k", odd],
        &["query", "x", "--\u{1b}\u{202e}"],
        &["log", "--type", odd],
        &["log", "--path", odd],
        &["-C", odd, "status"],
        &[odd],
        &["--color", odd, "status"],
        &["completions", odd],
        &["model", "show", odd],
        &["hook", "install", "--method", odd],
        &["hook", odd],
    ] {
        said_plainly(&repo, args);
        said_plainly(&repo, &[&["--json"], args].concat());
    }
    said_plainly(&repo, &[OsStr::new("who"), OsStr::from_bytes(b"\xff\xfe.c")]);
    let odd_settings = repo.with("PATINA_CONFIG", "/no/\u{1b}[31m\u{202e}");
    assert_eq!(said_plainly(&odd_settings, &["status"]).status.code(), Some(2));
    put(
        &repo.root().join("odd.toml"),
        "[\u{202e}a]\n\"\u{1b}[2J\" = 1\n[index]\nignore = [\"\u{202e}[\"]\n".as_bytes(),
        0o644,
    );
    let odd_settings = repo.with("PATINA_CONFIG", repo.root().join("odd.toml").to_str().expect("UTF-8"));
    assert_eq!(said_plainly(&odd_settings, &["status"]).status.code(), Some(2));
}

#[test]
fn whatever_a_thing_is_called_its_key_names_it() {
    let repo = badly_named();
    let mut keys = Vec::new();
    for question in
        ["needle", "alpha beta gamma delta eps zeta eta theta iota kappa lambda mu nu xi pi own z x m K T A"]
    {
        keys.extend(texts(&repo.json(&["query", question, "-k", "100"])["hits"], "key"));
    }
    keys.sort();
    keys.dedup();
    for key in ["%1B[31mred.py#gamma", "line%0Aend.rs", "%FF%FE.c#zeta", "%63ommit:x%231%2541.rs#xi"] {
        assert!(keys.iter().any(|known| known == key), "{key} in {keys:?}");
    }
    assert!(keys.iter().any(|key| key.ends_with("K.%23own")), "{keys:?}");
    assert!(keys.len() > 30, "{keys:?}");
    for key in keys.iter().filter(|key| !key.starts_with("commit:")) {
        let found = said_plainly(&repo, &["--json", "calls", "--", key]);
        assert_eq!(found.status.code(), Some(0), "{key}: {found:?}");
        let answer: serde_json::Value = serde_json::from_slice(&found.stdout).expect("JSON");
        assert_eq!(answer["symbol"], *key);
    }
    for key in keys.iter().step_by(5) {
        said_plainly(&repo, &["who", "--", key]);
        said_plainly(&repo, &["related", "--", key]);
        said_plainly(&repo, &["explain", "--", key, &keys[0]]);
    }
}

#[test]
fn a_worktree_with_a_name_that_is_no_text_is_not_the_main_one() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.rs", "fn shared() {}\n")], "one");
    let path = repo.root().join(OsStr::from_bytes(b"w\xff\xfe"));
    let added = ran(repo.command("git").args(["worktree", "add", "-q", "-b", "side"]).arg(&path));
    assert_eq!(added.code, 0, "{}", added.stderr);
    let linked = repo.at(&path);
    linked.commit_files(&[("b.rs", "fn aside() {}\n")], "two");
    repo.reindex();
    assert_eq!(linked.json(&["status"])["indexed_commit"].as_str(), Some(linked.head().as_str()));
    assert_eq!(linked.json(&["query", "aside", "--kind", "function"])["hits"][0]["key"], "b.rs#aside");
    assert_eq!(repo.json(&["query", "aside", "--kind", "function"])["hits"], json!([]));
    said_plainly(&linked, &["status"]);
    assert_eq!(repo.json(&["doctor", "--verify"])["equal"], true);
}

#[test]
fn links_and_submodules_are_no_files_wherever_they_lead() {
    let repo = TestRepo::new();
    let outside = repo.root().join("outside.rs");
    put(&outside, b"fn outsidesecret() {}\n", 0o644);
    for (name, target) in [
        ("absolute.rs", outside.to_str().expect("UTF-8")),
        ("relative.rs", "../outside.rs"),
        ("loop.rs", "loop.rs"),
        ("folder", "../../../../../../../../etc"),
        ("patina.toml", outside.to_str().expect("UTF-8")),
        (".mailmap", "/etc/passwd"),
    ] {
        symlink(target, repo.path.join(name)).expect("a link");
    }
    repo.write("real.rs", "fn real() {}\n");
    let inner = TestRepo::new();
    inner.commit_files(&[("in.rs", "fn insubmodule() {}\n")], "inner");
    repo.git(&["submodule", "add", "-q", inner.path.to_str().expect("UTF-8"), "sub.rs"]);
    repo.commit("links");
    repo.reindex();
    assert_eq!(repo.json(&["status"])["files"], json!({"code": 1, "text": 1}), "real.rs and .gitmodules");
    for word in ["outsidesecret", "insubmodule", "root"] {
        assert_eq!(repo.json(&["query", word, "--kind", "function"])["hits"], json!([]), "{word}");
        let text = format!("SELECT count(*) FROM event WHERE data LIKE '%{word}(%' OR data LIKE '%{word}:%'");
        assert_eq!(repo.count(&text), 0, "{word}");
    }
    fs::remove_file(repo.path.join("relative.rs")).expect("it was there");
    repo.commit_files(&[("relative.rs", "fn nowreal() {}\n")], "a link becomes a file");
    repo.reindex();
    assert_eq!(repo.json(&["query", "nowreal"])["hits"][0]["key"], "relative.rs#nowreal");
    assert_eq!(repo.json(&["doctor", "--verify"])["equal"], true);
}

/// Returns whether to test the full sizes, which takes minutes.
fn in_full() -> bool {
    std::env::var_os("PATINA_TEST_LARGE").is_some_and(|value| value == "1")
}

#[test]
fn files_nested_beyond_all_measure_are_left_out_and_named() {
    const DEPTH: usize = 200_000;
    let repo = TestRepo::new();
    let endings = ["rs", "py", "js", "ts", "tsx", "go", "c", "cpp", "java"];
    for ending in endings {
        // One per line; otherwise the file would count as minified code.
        repo.write(format!("open.{ending}"), "([{\n".repeat(DEPTH / 3));
        repo.write(format!("closed.{ending}"), "(\n".repeat(DEPTH) + &")\n".repeat(DEPTH));
        repo.write(format!("line.{ending}"), "(".repeat(DEPTH));
    }
    repo.write("fine.rs", "fn fine() {}\n");
    repo.commit("deep");
    let said = repo.patina(&["reindex"]);
    let n = endings.len();
    assert_eq!(repo.json(&["status"])["files"], json!({"code": 1, "failed": 2 * n, "minified": n}));
    assert!(said.stderr.contains("path=\"open.rs\"") && said.stderr.contains("nested too deep"), "{}", said.stderr);
    assert_eq!(repo.json(&["query", "fine"])["hits"][0]["key"], "fine.rs#fine");
    assert_eq!(repo.reindex(), 0, "what failed is not tried again");
}

#[test]
fn a_line_of_fifty_megabytes_and_a_blob_of_a_gigabyte_are_oversize() {
    let repo = TestRepo::new();
    repo.git(&["config", "core.compression", "1"]);
    repo.write("line.rs", "fn long() {} ".repeat(4_000_000));
    repo.git(&["add", "line.rs"]);
    fs::remove_file(repo.path.join("line.rs")).expect("it was there");
    // Writes the object without git, which would read the file in pieces and take several seconds.
    let script = "
import hashlib, os, sys, zlib
size, folder = int(sys.argv[1]), sys.argv[2]
head, zeros = b'blob %d\\0' % size, bytes(1 << 24)
name, packer, parts = hashlib.sha1(head), zlib.compressobj(1), []
parts.append(packer.compress(head))
for _ in range(size >> 24):
    name.update(zeros)
    parts.append(packer.compress(zeros))
parts.append(packer.flush())
name = name.hexdigest()
os.makedirs(os.path.join(folder, name[:2]), exist_ok=True)
open(os.path.join(folder, name[:2], name[2:]), 'wb').write(b''.join(parts))
print(name)
";
    let size: u64 = if in_full() { 1 << 30 } else { 1 << 27 };
    let objects = repo.path.join(".git/objects");
    let made = ran(repo.command("python3").args(["-c", script, &size.to_string()]).arg(objects));
    assert_eq!(made.code, 0, "{}", made.stderr);
    for name in ["sparse.bin", "sparse.rs"] {
        repo.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{},{name}", made.stdout.trim())]);
    }
    repo.git(&["commit", "-q", "-m", "large"]);
    let report = repo.json(&["reindex"]);
    assert_eq!(repo.json(&["status"])["files"], json!({"oversize": 3}));
    let memory = report["peak_rss_bytes"].as_u64().expect("a number");
    assert!(memory < 100 << 20, "{memory} bytes for blobs that are not read");
    assert_eq!(repo.json(&["doctor", "--verify"])["equal"], true);
}

#[test]
fn a_folder_of_many_files_in_one_commit_is_taken_in_and_ties_nothing_together() {
    let n = if in_full() { 100_000 } else { 3_000 };
    let repo = TestRepo::new();
    let mut stream = String::new();
    for (time, body) in [(1_750_000_000, "g()"), (1_750_000_060, "g(); g()")] {
        stream.push_str(&format!("commit refs/heads/main\ncommitter A <a@x> {time} +0000\ndata 4\nmany\n"));
        for index in 0..n {
            stream.push_str(&format!("M 100644 inline d/f{index}.rs\ndata <<E\nfn f{index}() {{ {body} }}\nE\n"));
        }
        stream.push('\n');
    }
    repo.fed(&["fast-import", "--quiet"], stream.as_bytes());
    let report = repo.json(&["reindex"]);
    assert_eq!(repo.json(&["status"])["files"], json!({"code": n}));
    assert!(report["peak_rss_bytes"].as_u64() < Some(400 << 20), "{report}");
    let files = "SELECT sum(json_array_length(data, '$.files_changed')) FROM event WHERE event_type = 'git.commit'";
    assert_eq!(repo.count(files), 2 * n);
    assert_eq!(repo.json(&["query", "f77", "--kind", "function"])["hits"][0]["key"], "d/f77.rs#f77");
    assert_eq!(repo.json(&["who", "d"])["people"][0]["commits"], 2);
    let related = repo.json(&["related", "d/f1.rs"]);
    let together = related["hits"].to_string();
    assert!(!together.contains("\"together\""), "a commit of everything says nothing: {together}");
    if in_full() {
        println!("{n} files twice: {} s, {} bytes", report["seconds"]["total"], report["peak_rss_bytes"]);
    }
}

/// Configures a program wherever git's settings can name one, and hooks and filters that would run it.
fn armed(repo: &TestRepo, marks: &Path) {
    let program = repo.root().join("evil");
    put(&program, format!("#!/bin/sh\necho \"$0 $*\" >>'{}/ran'\ncat\n", marks.display()).as_bytes(), 0o755);
    let evil = program.display();
    let mut config = fs::read_to_string(repo.path.join(".git/config")).expect("the config");
    for (section, keys) in [
        ("core", &["fsmonitor", "sshCommand", "pager", "editor", "askPass", "gitProxy", "alternateRefsCommand"][..]),
        ("filter \"evil\"", &["clean", "smudge", "process"]),
        ("diff \"evil\"", &["textconv", "command"]),
        ("diff", &["external"]),
        ("merge \"evil\"", &["driver"]),
        ("credential", &["helper"]),
        ("sequence", &["editor"]),
        ("gpg", &["program"]),
        ("pager", &["log", "config", "diff", "rev-parse"]),
        ("uploadpack", &["packObjectsHook"]),
        ("browser \"evil\"", &["cmd"]),
    ] {
        config.push_str(&format!("[{section}]\n"));
        keys.iter().for_each(|key| config.push_str(&format!("\t{key} = {evil}\n")));
    }
    for name in ["rev-parse", "config", "ls-files", "log", "version", "hook"] {
        config.push_str(&format!("[alias]\n\t{name} = !{evil}\n"));
    }
    // git would fetch a missing blob from this remote.
    config.push_str(&format!(
        "[remote \"origin\"]\n\turl = ext::{evil} %S\n\tpromisor = true\n\tpartialclonefilter = blob:none\n"
    ));
    config.push_str("[protocol \"ext\"]\n\tallow = always\n[filter \"evil\"]\n\trequired = true\n");
    let hooks = repo.root().join("evil hooks");
    for event in [
        "post-commit",
        "post-checkout",
        "post-merge",
        "post-rewrite",
        "post-applypatch",
        "pre-commit",
        "post-index-change",
        "reference-transaction",
    ] {
        put(&hooks.join(event), format!("#!/bin/sh\n'{evil}' hook\n").as_bytes(), 0o755);
    }
    put(&repo.root().join("included"), format!("[core]\n\thooksPath = {}\n", hooks.display()).as_bytes(), 0o644);
    config.push_str(&format!("[include]\n\tpath = {}\n", repo.root().join("included").display()));
    put(&repo.path.join(".git/config"), config.as_bytes(), 0o644);
}

#[test]
fn no_program_is_run_whatever_the_settings_name() {
    let mut repo = TestRepo::new();
    let marks = repo.root().join("marks");
    fs::create_dir(&marks).expect("a folder");
    repo.write(".gitattributes", "* filter=evil diff=evil merge=evil\n");
    repo.write(".gitmodules", "[submodule \"x\"]\n\tpath = x\n\turl = ext::sh\n\tupdate = !sh\n");
    repo.write(".lfsconfig", "[lfs]\n\turl = ext::sh\n");
    repo.commit_files(&[("a.rs", "fn a() { b(); }\nfn b() {}\n"), ("lost.rs", "fn lost() {}\n")], "one");
    repo.commit_files(&[("a.rs", "fn a() { b(); b(); }\nfn b() {}\n")], "two");
    let lost = repo.git(&["rev-parse", "HEAD:lost.rs"]).stdout;
    fs::remove_file(repo.path.join(".git/objects").join(&lost[..2]).join(lost[2..].trim())).expect("a loose object");
    armed(&repo, &marks);
    let evil = repo.root().join("evil").display().to_string();
    for name in [
        "GIT_EXTERNAL_DIFF",
        "GIT_PAGER",
        "PAGER",
        "GIT_EDITOR",
        "EDITOR",
        "VISUAL",
        "GIT_SSH_COMMAND",
        "GIT_SSH",
        "GIT_ASKPASS",
        "SSH_ASKPASS",
        "GIT_PROXY_COMMAND",
        "BROWSER",
    ] {
        repo = repo.with(name, &evil);
    }
    for args in [
        &["reindex"][..],
        &["status"],
        &["query", "b"],
        &["related", "a.rs"],
        &["who", "a.rs"],
        &["calls", "a"],
        &["callers", "b"],
        &["explain", "a", "b"],
        &["log"],
        &["hook", "status"],
        &["doctor"],
        &["doctor", "--verify"],
        &["reindex", "--full"],
        &["gc"],
        &["hook", "install"],
        &["doctor"],
        &["hook", "uninstall"],
    ] {
        repo.patina(args);
        let ran = fs::read_to_string(marks.join("ran")).unwrap_or_default();
        assert_eq!(ran, "", "patina {args:?} ran a program");
    }
    assert_eq!(repo.json(&["status"])["files"]["missing"], 1, "and nothing was fetched");
    repo.try_git(&["status"]);
    assert!(marks.join("ran").exists(), "git does run them, so a patina that asked git would have been seen");
}

#[test]
fn nothing_is_written_but_in_the_state_folder_and_nothing_run_but_git_and_patina() {
    let repo = badly_named();
    symlink("/etc", repo.path.join("link")).expect("a link");
    repo.commit("a link");
    let touched = repo.root().join("touched");
    let state = repo.state();
    let shim = repo.with_shim(&[("TOUCHED", touched.to_str().expect("UTF-8"))]);
    for args in [
        &["reindex"][..],
        &["status"],
        &["query", "needle"],
        &["related", "%1B[31mred.py"],
        &["who", "."],
        &["calls", "alpha"],
        &["explain", "alpha", "beta"],
        &["log"],
        &["doctor"],
        &["doctor", "--verify"],
        &["reindex", "--full"],
        &["gc"],
    ] {
        shim.patina(args);
    }
    repo.commit("to be rung for");
    shim.with("PATINA", "").patina(&["hook", "ring", "post-commit"]);
    until("the worker", || repo.json(&["status"])["behind"] == 0);
    repo.rest();
    let lines = fs::read(&touched).expect("the shim wrote");
    let (mut writes, mut strangers) = (0, Vec::new());
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let line = String::from_utf8_lossy(line).into_owned();
        let (what, path) = line.split_once(' ').expect("two words");
        let is_ours = match what {
            "run" => path == "git" || path.ends_with("/git") || path == "/proc/self/exe" || path == PATINA,
            _ => Path::new(path).starts_with(&state) || path == "/dev/null",
        };
        writes += usize::from(what != "run");
        if !is_ours {
            strangers.push(line);
        }
    }
    assert!(writes > 10, "the shim was in place");
    assert_eq!(strangers, [""; 0]);
}

#[test]
fn a_small_tree_that_names_millions_of_files_is_refused() {
    let repo = TestRepo::new();
    repo.commit_files(&[("a.rs", "fn kept() {}\n")], "begin");
    let blob = repo.fed(&["hash-object", "-w", "--stdin"], b"text\n");
    let tree = |mode: &str, of: &str| {
        let entries: String = (0..130).map(|n| format!("{mode} {of}\t{n}\n")).collect();
        repo.fed(&["mktree"], entries.as_bytes())
    };
    let mut top = tree("100644 blob", &blob);
    for _ in 0..2 {
        top = tree("040000 tree", &top);
    }
    let large = repo.fed(&["commit-tree", "-p", "HEAD", "-m", "two millions", &top], b"");
    let begin = repo.git(&["rev-parse", "HEAD^{tree}"]).stdout;
    let after = repo.fed(&["commit-tree", "-p", &large, "-m", "back", begin.trim()], b"");
    repo.stand_at(&after);
    repo.reindex();
    assert_eq!(repo.json(&["query", "kept", "--kind", "function"])["hits"][0]["key"], "a.rs#kept");
    repo.stand_at(&large);
    let ran = repo.try_patina(&["reindex"]);
    assert!(
        ran.code == 1 && ran.stderr.contains("more than 2000000 files") && ran.stderr.contains("of their own"),
        "{ran:?}"
    );
}

#[test]
fn what_is_committed_for_patina_only_narrows() {
    let repo = TestRepo::new();
    let elsewhere = repo.root().join("elsewhere");
    let evil = elsewhere.display();
    let text = format!(
        "command = \"sh\"\n[index]\nmax_file_bytes = 99999999\nignore = [\"gen/**\"]\ncommand = \"{evil}\"\n\
         [state]\ndir = \"{evil}\"\n[model]\nid = \"{evil}\"\nprovider = \"coreml\"\nlibrary = \"{evil}\"\n\
         [hooks]\npath = \"{evil}\"\n[dimensions]\noff = [\"social\"]\n"
    );
    repo.write("patina.toml", &text);
    for name in ["config.toml", "patina.toml", "eventlog.db", "adapters/semantic.safetensors", "hooks/post-commit"] {
        repo.write(format!(".patina/{name}"), &text);
        repo.write(format!("patina/{name}"), &text);
    }
    repo.commit_files(&[("a.rs", "fn kept() {}\n"), ("gen/b.rs", "fn made() {}\n")], "settings");
    let said = repo.patina(&["reindex"]);
    for key in ["command", "index.command", "state", "model", "hooks"] {
        let warning = format!("warning: patina.toml: unknown key `{key}`");
        assert!(said.stderr.contains(&warning), "{warning}: {}", said.stderr);
    }
    assert!(!elsewhere.exists());
    let status = repo.json(&["status"]);
    assert_eq!(status["model_error"].as_str().map(|error| error.contains("elsewhere")), Some(false), "{status}");
    let social = status["dimensions"].as_array().expect("dimensions").iter().find(|one| one["name"] == "social");
    assert_eq!(social.expect("social")["reason"], "it is switched off in the settings");
    assert_eq!(repo.json(&["query", "made", "--kind", "function"])["hits"], json!([]));
    assert_eq!(repo.json(&["query", "kept", "--kind", "function"])["hits"][0]["key"], "a.rs#kept");
}
