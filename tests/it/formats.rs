//! Tests of unusual repositories: formats, locations, dates, encodings and damage. Each works or fails with one clear
//! sentence, never with a panic or an answer from another repository.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde_json::json;

use crate::support::{TestRepo, afresh, answers, assert_same, put, ran, texts};

fn grow(repo: &TestRepo) {
    repo.commit_files(&[("src/a.rs", "fn one() { two(); }\nfn two() {}\n"), ("b.md", "# About\n")], "begin");
    repo.commit_files(&[("src/a.rs", "fn one() { two(); two(); }\nfn two() {}\n"), ("b.md", "# More\n")], "go on");
}

fn grown() -> TestRepo {
    let repo = TestRepo::new();
    grow(&repo);
    repo
}

/// Checks that the repository can be indexed, queried and verified.
fn works(repo: &TestRepo, about: &str) {
    repo.reindex();
    let status = repo.json(&["status"]);
    assert_eq!(status["indexed_commit"].as_str(), Some(repo.head().as_str()), "{about}");
    assert_eq!(status["behind"], 0, "{about}");
    let hits = repo.json(&["query", "two", "--kind", "function"]);
    assert_eq!(hits["hits"][0]["key"], "src/a.rs#two", "{about}");
    assert_eq!(repo.json(&["related", "b.md"])["hits"][0]["key"], "src/a.rs", "{about}");
    assert_eq!(repo.json(&["doctor", "--verify"])["equal"], true, "{about}");
}

/// Checks that a command fails with an exit code, one clear sentence and a hint.
fn refuses(repo: &TestRepo, args: &[&str], code: i32, words: &[&str]) {
    let ran = repo.try_patina(args);
    let said = &ran.stderr;
    assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "patina {args:?}: {said}");
    assert!(
        said.starts_with("patina: ") && said.lines().count() == 2,
        "patina {args:?}: a sentence and a hint: {said}"
    );
    for word in words {
        assert!(said.contains(word), "patina {args:?} without {word:?}: {said}");
    }
}

const READS: [&[&str]; 5] = [&["status"], &["query", "two"], &["who", "."], &["related", "b.md"], &["reindex"]];

#[test]
fn a_repository_of_sha256_is_like_any_other() {
    let repo = TestRepo::folder();
    repo.git(&["init", "-q", "--object-format=sha256", "."]);
    grow(&repo);
    works(&repo, "sha256");
    assert_eq!(repo.head().len(), 64);
    repo.git(&["commit", "-q", "--amend", "-m", "amended"]);
    repo.reindex();
    assert_same(&answers(&repo), &afresh(&repo), "sha256");
}

#[test]
fn formats_that_cannot_be_read_are_named_with_what_to_do() {
    let check = |settings: &[(&str, &str)], words: &[&str]| {
        let repo = grown();
        repo.reindex();
        for (key, value) in settings {
            repo.git(&["config", key, value]);
        }
        for args in READS.into_iter().chain([&["hook", "install"][..], &["doctor"], &["log"], &["gc"]]) {
            refuses(&repo, args, 3, words);
        }
        assert_eq!(repo.try_patina(&["hook", "ring", "post-commit"]).stderr, "");
    };
    let version = ("core.repositoryFormatVersion", "1");
    check(&[version, ("extensions.refStorage", "reftable")], &["reftable", "git refs migrate --ref-format=files"]);
    check(&[version, ("extensions.fancy", "true")], &["extensions.fancy", "update patina"]);
    check(&[("core.repositoryFormatVersion", "9")], &["cannot be opened", "version", "git status"]);
}

#[test]
fn a_repository_that_git_keeps_in_reftables_is_refused_in_one_sentence() {
    let repo = TestRepo::folder();
    if repo.try_git(&["init", "-q", "--ref-format=reftable", "."]).code != 0 {
        eprintln!("skipped: this git knows no reftable");
        return;
    }
    grow(&repo);
    refuses(&repo, &["reindex"], 3, &["reftable", "git refs migrate"]);
    if repo.try_git(&["refs", "migrate", "--ref-format=files"]).code == 0 {
        works(&repo, "what was advised");
    }
}

/// Writes commits byte by byte from their headers and messages, and returns their ids.
fn raw_commits(repo: &TestRepo, commits: &[(&[u8], &[u8])]) -> Vec<String> {
    let (mut parent, mut ids) = (String::new(), Vec::new());
    for (index, (headers, message)) in commits.iter().enumerate() {
        let blob = |text: String| repo.fed(&["hash-object", "-w", "--stdin"], text.as_bytes());
        let (a, b) = (blob(format!("fn one() {{ two({index}); }}\nfn two() {{}}\n")), blob(format!("# {index}\n")));
        let folder = repo.fed(&["mktree"], format!("100644 blob {a}\ta.rs\n").as_bytes());
        let tree = repo.fed(&["mktree"], format!("100644 blob {b}\tb.md\n040000 tree {folder}\tsrc\n").as_bytes());
        let mut commit = format!("tree {tree}\n{parent}").into_bytes();
        commit.extend_from_slice(headers);
        commit.extend_from_slice(message);
        let id = repo.fed(&["hash-object", "-w", "-t", "commit", "--literally", "--stdin"], &commit);
        parent = format!("parent {id}\n");
        ids.push(id);
    }
    let last = ids.last().expect("commits");
    // `update-ref` would read the commit first, and fail.
    put(&repo.path.join(".git/refs/heads/main"), format!("{last}\n").as_bytes(), 0o644);
    ids
}

#[test]
fn dates_of_any_size_are_taken_in_and_break_no_sum() {
    let dates = [
        "0 +0000",
        "4102444800 +0000",
        "99999999999999 +0000",
        "9223372036854775807 +0000",
        "18446744073709551615 +0000",
        "99999999999999999999999 +0000",
        "-1 +0000",
        "-9223372036854775808 +0000",
        "soon",
        "",
        "1 +9999999",
        "1750000000 -2400",
    ];
    // For each of them as HEAD, because ages are measured from HEAD.
    for last in [11, 3, 7] {
        let repo = TestRepo::new();
        let mut order = dates.to_vec();
        let moved = order.remove(last);
        order.push(moved);
        let headers: Vec<Vec<u8>> = order
            .iter()
            .map(|date| format!("author A <a@x> {date}\ncommitter A <a@x> {date}\n").into_bytes())
            .collect();
        let commits: Vec<(&[u8], &[u8])> = headers.iter().map(|headers| (&headers[..], &b"\nmessage\n"[..])).collect();
        raw_commits(&repo, &commits);
        works(&repo, dates[last]);
        let who = repo.json(&["who", "src/a.rs"]);
        assert_eq!(who["people"][0]["commits"], 12, "{who}");
        for value in [
            &who["people"][0]["score"],
            &who["people"][0]["share"],
            &repo.json(&["related", "b.md"])["hits"][0]["score"],
        ] {
            assert!(value.as_f64().is_some_and(f64::is_finite), "{} gives {value}", dates[last]);
        }
        for args in [
            &["log", "--type", "git"][..],
            &["query", "message", "--since", "2000-01-01"],
            &["log", "--since", "9999999y"],
        ] {
            let said = repo.try_patina(args);
            assert!(said.code <= 2 && !said.stderr.contains("panicked"), "{}", said.stderr);
        }
    }
}

#[test]
fn messages_and_people_of_any_bytes_are_read() {
    let repo = TestRepo::new();
    let ada: &[u8] = b"author Ada <ada@x> 1750000000 +0000\ncommitter Ada <ada@x> 1750000000 +0000\n";
    let with = |more: &[u8]| [ada, more].concat();
    let huge = [&b"\n"[..], &b"filler words ".repeat(80_000), b"\n"].concat();
    let (latin, utf16) = (with(b"encoding ISO-8859-1\n"), with(b"encoding UTF-16\n"));
    let signed =
        with(b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n within the signature\n -----END PGP SIGNATURE-----\n");
    let ids = raw_commits(
        &repo,
        &[
            (ada, b""),
            (ada, b"\n"),
            (ada, b"\n\n\n  \n"),
            (&latin, b"\nGr\xfc\xdfe vom caf\xe9\n"),
            (&utf16, b"\n\xff\xfeh\0i\0"),
            (&signed, b"\nsignedword\n"),
            (ada, b"\nbefore\0afternul\n"),
            (ada, b"\nwithoutend"),
            (ada, &huge),
            (ada, b"\nreturns\r\nand more\r\n"),
            (b"author <> 1 +0000\ncommitter  <\n> 1 +0000\n", b"\nnobody\n"),
            (b"author A <a<b>c> 1 +0000\nauthor B <b> 2 +0000\ncommitter A\0B <c> 1 +0000\n", b"\ntwice\n"),
            (
                b"author J\xf6rg <j\xf6@x> 1750000000 +0000\ncommitter J\xf6rg <j\xf6@x> 1750000000 +0000\n",
                b"\njoerg\n",
            ),
            (b"", b"\nwithoutpeople\n"),
            (ada, b"\nlast\n"),
        ],
    );
    works(&repo, "odd messages");
    assert_eq!(repo.count("SELECT count(*) FROM eventlog WHERE event_type = 'git.commit'"), ids.len() as i64);
    let found = [
        ("Grüße café", 3),
        ("signedword", 5),
        ("afternul", 6),
        ("withoutend", 7),
        ("filler", 8),
        ("withoutpeople", 13),
    ];
    for (word, index) in found {
        let keys = texts(&repo.json(&["query", word, "--kind", "commit"])["hits"], "key");
        assert_eq!(keys.first(), Some(&format!("commit:{}", ids[index])), "{word}");
    }
    let people = repo.json(&["who", ".", "-k", "50"])["people"].to_string();
    assert!(people.contains("Jörg") && people.contains("jö@x"), "{people}");
    let within = repo.count("SELECT count(*) FROM event WHERE data LIKE '%within the signature%'");
    assert_eq!(within, 0, "a signature is no message");
}

#[test]
fn a_mailmap_of_any_bytes_joins_whom_it_can() {
    let repo = grown();
    repo.reindex();
    let who = |repo: &TestRepo| {
        let person = repo.json(&["who", "src/a.rs"])["people"][0].clone();
        format!("{} <{}>", person["name"].as_str().unwrap_or_default(), person["email"].as_str().unwrap_or_default())
    };
    let odd = b"\xef\xbb\xbf# of another editor\r\n<><>\n<<>>\nA <\nX <x@x> <never@seen>\n\xff\xfe <\xff>\r\n\nReal Ada <real@x> <ADA@example.org>\r\nLoop <ada@example.org> <real@x>\n";
    repo.write(".mailmap", odd);
    repo.commit("who is who");
    repo.reindex();
    assert_eq!(who(&repo), "Real Ada <real@x>");
    repo.write(".mailmap", vec![0; 5 << 20]);
    repo.commit("no mailmap");
    repo.reindex();
    assert_eq!(who(&repo), "Ada <ada@example.org>");
    assert_eq!(repo.json(&["doctor", "--verify"])["equal"], true);
}

/// Returns whether a database is in WAL mode, which needs shared memory.
fn is_wal(path: &Path) -> bool {
    fs::read(path).expect("a database")[18] == 2
}

#[test]
fn on_a_network_file_system_nothing_shares_memory() {
    for (kind, wal) in [("ext4", true), ("nfs4", false), ("9p", false), ("cifs", false), ("fuse.sshfs", false)] {
        let repo = grown();
        let info = repo.root().join("mountinfo");
        let lines = format!(
            "21 1 8:1 / / rw - ext4 /dev/a rw\n30 21 0:9 / /mnt/\u{fffd} rw - tmpfs x rw\n35 21 0:31 / {} rw shared:1 - {kind} host:/x rw\n",
            fs::canonicalize(repo.root()).expect("a folder").display()
        );
        // The first mount point is not UTF-8, and must not hide the next one.
        put(
            &info,
            &lines
                .replace('\u{fffd}', "\0")
                .bytes()
                .map(|byte| if byte == 0 { 0xff } else { byte })
                .collect::<Vec<u8>>(),
            0o644,
        );
        let repo = repo.with_shim(&[("MOUNTINFO", info.to_str().expect("UTF-8"))]);
        repo.patina(&["reindex"]);
        let state = repo.path.join(".git/patina");
        for file in ["eventlog.db", "cache/cache-1.db"] {
            assert_eq!(is_wal(&state.join(file)), wal, "{file} on {kind}");
        }
        assert_eq!(repo.json(&["query", "two", "--kind", "function"])["hits"][0]["key"], "src/a.rs#two");
        let doctor = repo.with("COLUMNS", "200").patina(&["doctor"]).stdout;
        assert_eq!(doctor.contains("network file system"), !wal, "{kind}: {doctor}");
    }
}

#[test]
fn a_state_folder_that_cannot_be_written_still_answers() {
    let repo = grown();
    repo.reindex();
    let before = answers(&repo);
    let locked = repo.with_shim(&[("READONLY", "1")]);
    assert_same(&answers(&locked), &before, "read only");
    assert!(locked.patina(&["log", "--type", "git"]).stdout.contains("git.commit"));
    for args in [&["reindex"][..], &["gc"], &["hook", "install"], &["doctor", "--verify"]] {
        refuses(&locked, args, 4, &["cannot be written", "Read-only file system", "state.dir"]);
    }
    let doctor = locked.try_patina(&["doctor"]);
    assert!(doctor.code == 6 && doctor.stdout.contains("cannot be written"), "{doctor:?}");
    // HEAD moved, the new commit cannot be indexed, and the answer reports how far it is behind.
    repo.commit("unseen");
    refuses(&locked.with("PATINA", ""), &["status", "--wait"], 4, &["cannot be written"]);
    let stale = locked.with("PATINA", "").json(&["query", "two", "--kind", "function"]);
    assert_eq!((&stale["behind"], &stale["hits"][0]["key"]), (&json!(1), &json!("src/a.rs#two")));
    assert_eq!(locked.with("PATINA", "").patina(&["hook", "ring", "post-commit"]).stderr, "");
}

#[test]
fn a_state_folder_that_is_no_folder_is_said() {
    let repo = grown();
    put(&repo.path.join(".git/patina"), b"a file", 0o644);
    for args in [&["reindex"][..], &["hook", "install"]] {
        refuses(&repo, args, 4, &["cannot be written", "state.dir"]);
    }
    refuses(&repo, &["query", "two"], 4, &["not been indexed"]);
    assert_eq!(fs::read(repo.path.join(".git/patina")).expect("it stays"), b"a file");
}

#[test]
fn a_repository_inside_another_is_its_own() {
    let repo = grown();
    let inner = repo.at(repo.path.join("inner"));
    fs::create_dir(&inner.path).expect("a folder");
    inner.git(&["init", "-q", "."]);
    grow(&inner);
    works(&inner, "inner");
    assert!(!repo.path.join(".git/patina").exists());
    works(&repo, "outer");
}

#[test]
fn repositories_whose_parts_lie_apart_are_put_together() {
    let repo = grown();
    let at = |name: &str| repo.at(repo.root().join(name));
    let clone = |name: &str, args: &[&str]| {
        let to = at(name);
        repo.git(
            &[&["clone", "-q"], args, &[repo.path.to_str().expect("UTF-8"), to.path.to_str().expect("UTF-8")]].concat(),
        );
        works(&to, name);
        to
    };
    clone("shared", &["--shared"]);
    clone("reference", &["--reference", repo.path.to_str().expect("UTF-8")]);
    let apart = clone("apart", &["--separate-git-dir", at("apart.git").path.to_str().expect("UTF-8")]);
    fs::write(apart.path.join(".git"), "gitdir: ../apart.git\n").expect("a relative one");
    works(&apart, "a relative .git file");
    assert!(at("apart.git").path.join("patina/eventlog.db").exists());
    let elsewhere = clone("elsewhere", &[]);
    fs::rename(&elsewhere.path, at("moved").path).expect("it moves as a whole");
    works(&at("moved"), "moved");
    let set = at("moved");
    fs::create_dir(at("tree").path).expect("a folder");
    set.git(&["config", "core.worktree", at("tree").path.to_str().expect("UTF-8")]);
    works(&set.at(set.path.join(".git")), "core.worktree");
}

#[test]
fn a_repository_named_by_the_environment_is_the_one_that_is_meant() {
    let (repo, other) = (grown(), TestRepo::new());
    let git_dir = repo.path.join(".git");
    let outside = repo.at(repo.root()).with("GIT_DIR", git_dir.to_str().expect("UTF-8"));
    works(&outside, "GIT_DIR");
    let both = other
        .with("GIT_DIR", git_dir.to_str().expect("UTF-8"))
        .with("GIT_WORK_TREE", repo.path.to_str().expect("UTF-8"));
    works(&both, "GIT_DIR and GIT_WORK_TREE, from inside another");
    assert!(!other.path.join(".git/patina").exists());
    works(&repo.at(repo.path.join("src")).with("GIT_DIR", "../.git"), "a relative GIT_DIR");
    refuses(&repo.with("GIT_DIR", "no/such"), &["status"], 3, &["no git repository", "no/such"]);
}

#[test]
fn what_is_not_checked_out_is_indexed_all_the_same() {
    let repo = grown();
    repo.commit_files(&[("far/away.rs", "fn away() {}\n"), ("near/here.rs", "fn here() {}\n")], "two folders");
    repo.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "near"]);
    assert!(!repo.path.join("far").exists());
    works(&repo, "sparse");
    assert_eq!(repo.json(&["query", "away", "--kind", "function"])["hits"][0]["key"], "far/away.rs#away");
    repo.git(&["sparse-checkout", "disable"]);
    repo.git(&["update-index", "--split-index"]);
    repo.git(&["update-index", "--skip-worktree", "src/a.rs"]);
    repo.git(&["update-index", "--assume-unchanged", "b.md"]);
    works(&repo, "a split index");
}

#[test]
fn a_worktree_keeps_its_view_when_it_is_moved_and_loses_it_when_it_is_lost() {
    let repo = grown();
    let (old, new, lost) = (repo.root().join("old"), repo.root().join("new"), repo.root().join("lost"));
    repo.git(&["worktree", "add", "-q", "-b", "side", old.to_str().expect("UTF-8")]);
    repo.at(&old).commit_files(&[("c.rs", "fn aside() {}\n")], "aside");
    repo.reindex();
    repo.git(&["worktree", "move", old.to_str().expect("UTF-8"), new.to_str().expect("UTF-8")]);
    let moved = repo.at(&new);
    assert_eq!(moved.json(&["query", "aside", "--kind", "function"])["hits"][0]["key"], "c.rs#aside");
    assert_eq!(repo.reindex(), 0);
    works(&moved, "moved by git");
    // Newer versions of git write the links between repository and worktree as relative paths.
    let admin = repo.path.join(".git/worktrees/old");
    fs::write(admin.join("gitdir"), "../../../../new/.git\n").expect("relative");
    fs::write(new.join(".git"), "gitdir: ../repo/.git/worktrees/old\n").expect("relative");
    assert_eq!(repo.reindex(), 0);
    works(&moved, "tied by relative paths");
    fs::rename(&new, &lost).expect("it moves behind git's back");
    repo.reindex();
    assert_eq!(repo.json(&["status"])["worktrees"].as_array().map(Vec::len), Some(1));
    assert_eq!(repo.json(&["query", "aside", "--kind", "function"])["hits"], json!([]));
}

#[test]
fn a_damaged_worktree_does_not_keep_the_others_from_being_taken_in() {
    let repo = grown();
    let side = repo.root().join("side");
    repo.git(&["worktree", "add", "-q", "-b", "side", side.to_str().expect("UTF-8")]);
    fs::write(repo.path.join(".git/worktrees/side/HEAD"), "nonsense\n").expect("damage");
    works(&repo, "beside a damaged one");
    refuses(&repo.at(&side), &["query", "two"], 1, &["HEAD", "cannot be read", "git fsck"]);
}

#[test]
fn a_submodule_is_a_repository_of_its_own() {
    let (outer, inner) = (grown(), grown());
    outer.git(&["submodule", "add", "-q", inner.path.to_str().expect("UTF-8"), "sub"]);
    outer.commit("a submodule");
    let sub = outer.at(outer.path.join("sub"));
    works(&sub, "the submodule");
    assert!(outer.path.join(".git/modules/sub/patina/eventlog.db").exists());
    assert!(!outer.path.join(".git/patina").exists());
    works(&outer, "around the submodule");
}

#[test]
fn a_repository_may_lie_in_a_folder_of_any_name() {
    let names: [&[u8]; 4] =
        [b"-with space", b"new\nline", b"no\xff\xfetext\x1b[31m", b"quo\"te's $x `y` per%20cent?x=1#y&mode=rw"];
    for name in names {
        let root = TestRepo::folder();
        let repo = root.at(root.path.join(OsStr::from_bytes(name)));
        fs::create_dir(&repo.path).expect("a folder");
        repo.git(&["init", "-q", "."]);
        grow(&repo);
        let about = String::from_utf8_lossy(name);
        works(&repo, &about);
        repo.patina(&["hook", "install"]);
        let ringing = repo.with("PATINA", "");
        ringing.commit_files(&[("c.rs", "fn rung() {}\n")], "ring");
        let head = repo.head();
        crate::support::until(&format!("a ring from {about}"), || {
            repo.json(&["status"])["indexed_commit"] == head.as_str()
        });
        ringing.rest();
        let doctor = repo.patina(&["doctor"]).stdout;
        assert!(doctor.contains("5 hooks ran and reached patina"), "{about}: {doctor}");
    }
}

#[test]
fn names_that_differ_by_case_alone_are_two_files() {
    let repo = grown();
    repo.commit_files(&[("C.rs", "fn upper() { lower(); }\n"), ("c.rs", "fn lower() {}\n")], "both");
    works(&repo, "two cases");
    for (word, key) in [("upper", "C.rs#upper"), ("lower", "c.rs#lower")] {
        assert_eq!(repo.json(&["query", word, "--kind", "function"])["hits"][0]["key"], key);
    }
}

#[test]
fn a_file_gives_way_to_a_folder_of_its_name_and_comes_back() {
    let repo = grown();
    repo.commit_files(&[("x.rs", "fn first() {}\n")], "a file");
    repo.reindex();
    let before = answers(&repo);
    fs::remove_file(repo.path.join("x.rs")).expect("it was there");
    repo.commit_files(&[("x.rs/y.rs", "fn second() {}\n")], "a folder");
    works(&repo, "a folder");
    assert_eq!(repo.json(&["query", "second", "--kind", "function"])["hits"][0]["key"], "x.rs/y.rs#second");
    assert_eq!(repo.json(&["query", "first", "--kind", "function"])["hits"], json!([]));
    fs::remove_dir_all(repo.path.join("x.rs")).expect("it was there");
    repo.commit_files(&[("x.rs", "fn third() {}\n")], "a file again");
    works(&repo, "a file again");
    assert_same(&answers(&repo), &afresh(&repo), "a file again");
    repo.git(&["reset", "-q", "--hard", "HEAD~2"]);
    repo.reindex();
    assert_same(&answers(&repo), &before, "back");
}

#[test]
fn a_head_or_branch_that_is_damaged_is_said_and_nothing_is_lost() {
    let repo = grown();
    repo.reindex();
    let before = answers(&repo);
    let blob = repo.git(&["rev-parse", "HEAD:b.md"]).stdout;
    let (head, branch) = (repo.path.join(".git/HEAD"), repo.path.join(".git/refs/heads/main"));
    for (path, text) in [
        (&head, "nonsense\n"),
        (&head, ""),
        (&head, "ref: \u{1b}[31m..\n"),
        (&branch, "nonsense\n"),
        (&branch, "1234567890123456789012345678901234567890\n"),
        (&branch, blob.as_str()),
    ] {
        let whole = fs::read(path).expect("it is there");
        fs::write(path, text).expect("damage");
        for args in READS {
            refuses(&repo, args, 1, &["HEAD", "git fsck"]);
        }
        let doctor = repo.try_patina(&["doctor"]);
        assert!(doctor.code == 6 && doctor.stdout.contains("FAILED  repository"), "{text:?}: {doctor:?}");
        assert_eq!(repo.try_patina(&["hook", "ring", "post-commit"]).stderr, "");
        fs::write(path, whole).expect("mended");
    }
    assert_eq!(repo.reindex(), 0);
    assert_same(&answers(&repo), &before, "mended");
}

#[test]
fn damaged_objects_and_settings_are_said_and_nothing_is_lost() {
    let repo = grown();
    repo.reindex();
    let before = answers(&repo);
    fs::remove_dir_all(repo.state()).expect("the state goes");
    let object = |name: &str| {
        let id = repo.git(&["rev-parse", name]).stdout;
        repo.path.join(".git/objects").join(&id[..2]).join(id[2..].trim())
    };
    let config = repo.path.join(".git/config");
    let broken = format!("{}[core\n", fs::read_to_string(&config).expect("the config"));
    for (path, text, code) in [
        (object("HEAD"), "junk", 1),
        (object("HEAD^{tree}"), "junk", 1),
        (object("HEAD:src"), "", 1),
        (config, broken.as_str(), 3),
    ] {
        let whole = fs::read(&path).expect("it is there");
        put_over(&path, text.as_bytes());
        refuses(&repo, &["reindex"], code, &[]);
        let doctor = repo.try_patina(&["doctor"]);
        assert!(matches!(doctor.code, 3 | 6) && !doctor.stderr.contains("panicked"), "{path:?}: {doctor:?}");
        put_over(&path, &whole);
    }
    repo.git(&["gc", "-q"]);
    let pack = fs::read_dir(repo.path.join(".git/objects/pack")).expect("packs").flatten().map(|entry| entry.path());
    for path in pack.filter(|path| path.extension().is_some_and(|ending| ending == "pack" || ending == "idx")) {
        let whole = fs::read(&path).expect("it is there");
        let mut bytes = whole.clone();
        let end = bytes.len() - 20;
        bytes[12..end].iter_mut().for_each(|byte| *byte ^= 0x5a);
        for damaged in [bytes.as_slice(), &whole[..whole.len() / 2], b""] {
            put_over(&path, damaged);
            refuses(&repo, &["reindex"], 1, &[]);
            put_over(&path, &whole);
        }
    }
    repo.reindex();
    assert_same(&answers(&repo), &before, "mended");
}

/// Replaces a file, even if git made it read-only.
fn put_over(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).expect("it was there");
    put(path, bytes, 0o644);
}

#[test]
fn a_repository_of_another_user_is_not_read_before_git_is_told_to_trust_it() {
    let repo = grown();
    let stranger = repo.with_shim(&[("USER", "4711")]);
    for args in READS {
        refuses(&stranger, args, 3, &["belongs to another user", "safe.directory"]);
    }
    assert!(!repo.path.join(".git/patina").exists());
    let trusted = format!("[safe]\n\tdirectory = {}\n", fs::canonicalize(&repo.path).expect("a folder").display());
    put(&repo.root().join("home/.gitconfig"), trusted.as_bytes(), 0o644);
    stranger.patina(&["reindex"]);
    let hits = stranger.json(&["query", "two", "--kind", "function"]);
    assert_eq!(hits["hits"][0]["key"], "src/a.rs#two");
}

#[test]
fn what_stderr_says_may_be_cut_off_without_harm() {
    let repo = grown();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let ended = repo.command(crate::support::PATINA).arg("reindex").stderr(writer).output().expect("it ends");
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(ran(repo.command(crate::support::PATINA).arg("status")).code, 0);
}
