//! What a command line that an agent ran says: its first line, the folder it ran in, files it only looked at, commits it
//! made, how it ended. Refuses to run through a shell's whole grammar: what is not plain is taken as written or not at all.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use super::paths;
use crate::event::cap_words;

/// Longest command that is told, in bytes: what is longer is a script.
const MAX_COMMAND: usize = 200;

/// Programs that only look: they say nothing of what was done, and there are hundreds in a session.
const LOOKING: &[&str] = &[
    ":", "[", "awk", "basename", "bat", "cat", "cd", "clear", "cmp", "cut", "date", "df", "diff", "dirname", "du",
    "echo", "eza", "false", "fd", "file", "find", "grep", "head", "hostname", "id", "jobs", "jq", "less", "ls", "lsof",
    "more", "nl", "od", "printenv", "printf", "ps", "pwd", "readlink", "realpath", "rg", "sed", "seq", "sleep", "sort",
    "stat", "strings", "tail", "test", "tr", "tree", "true", "type", "uname", "uniq", "wait", "wc", "which", "whoami",
    "xxd",
];

/// What git is asked for only to look.
const GIT_LOOKING: &[&str] = &[
    "blame",
    "cat-file",
    "describe",
    "diff",
    "grep",
    "log",
    "ls-files",
    "ls-remote",
    "ls-tree",
    "merge-base",
    "reflog",
    "rev-list",
    "rev-parse",
    "shortlog",
    "show",
    "status",
];

/// With nothing but these, what git could change it only lists.
const GIT_LISTING: &[&str] = &[
    "-a",
    "-l",
    "-r",
    "-v",
    "-vv",
    "--all",
    "--list",
    "--remotes",
    "--show-current",
    "get",
    "get-url",
    "list",
    "show",
];

/// The folder that a shell is asked for which is the top of where it is.
const TOP: &str = "$(git rev-parse --show-toplevel)";

/// Most files of one patch.
const MAX_PATCHED: usize = 4_096;

/// A command line as far as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    /// Its first line that does more than look, without going to a folder first; the first one where none does.
    pub line: String,
    /// The folder it runs in, where that is known.
    pub folder: Option<String>,
    /// Whether every part of it only looks.
    pub looks: bool,
    /// Files that it prints, as written.
    pub prints: Vec<String>,
    /// Whether it may make a commit.
    pub commits: bool,
    /// A patch that is applied by it.
    pub patch: Option<String>,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// With a status.
    Exit(i64),
    /// Not well, with no status told.
    Failed,
    /// Nobody knows: it runs on, or nothing was told.
    Unknown,
    /// It was never run.
    Never,
}

impl Ended {
    /// Whether what was to be done was not done.
    pub(super) fn is_failure(self) -> bool {
        matches!(self, Ended::Failed) || matches!(self, Ended::Exit(code) if code != 0)
    }

    /// What is written behind the command.
    pub(super) fn suffix(self) -> String {
        match self {
            Ended::Exit(code) => format!(" -> exit {code}"),
            Ended::Failed => " -> failed".to_string(),
            Ended::Unknown | Ended::Never => String::new(),
        }
    }
}

/// Words of a program and its arguments, as a command line.
pub(super) fn of_words(words: &[&str]) -> String {
    match words {
        [shell, flag, script, ..] if is_shell(shell) && flag.starts_with('-') && flag.ends_with('c') => {
            script.to_string()
        }
        [program, patch] if program.ends_with("apply_patch") => format!("apply_patch {patch}"),
        words => words.join(" "),
    }
}

fn is_shell(program: &str) -> bool {
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
    matches!(name.trim_end_matches(".exe"), "bash" | "sh" | "zsh" | "dash" | "fish" | "pwsh" | "powershell" | "cmd")
}

static GOING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^\s*cd\s+(?:"([^"]+)"|'([^']+)'|([^\s;&|]+))\s*(?:&&|;|\n)\s*"#).expect("a constant")
});

/// What a command line says, run in a folder.
pub(super) fn command(script: &str, cwd: Option<&str>) -> Command {
    let (mut rest, mut folder) = (script, cwd.map(str::to_string));
    while let Some(going) = GOING.captures(rest) {
        let into = (1..=3).find_map(|group| going.get(group)).map_or("", |group| group.as_str());
        folder = match into {
            TOP => folder,
            // What a shell makes of it is not known, and so it is nowhere that is.
            into if into == "-" || into.starts_with('~') || into.contains(['$', '`']) => Some(into.to_string()),
            into => paths::joined(into, folder.as_deref()),
        };
        rest = &rest[going.get(0).map_or(0, |whole| whole.end())..];
    }
    let lines = || rest.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let is_patch = rest.contains("*** Begin Patch");
    let first = lines().next().unwrap_or_default();
    let does = lines().find(|line| !parts(line).iter().all(|part| looks(part)));
    let is_script = is_patch || rest.contains("<<");
    Command {
        line: cap_words(does.filter(|_| !is_script).unwrap_or(first), MAX_COMMAND).trim_end().to_string(),
        folder,
        looks: !is_script && !first.is_empty() && does.is_none(),
        prints: printed(&parts(first)),
        commits: rest.contains("git") && rest.contains("commit"),
        patch: is_patch.then(|| rest.to_string()),
    }
}

/// The commands of a line, by what stands between them outside of quotes.
fn parts(line: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quote) = (Vec::new(), 0, None);
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, '|' | ';' | '&') => {
                // The & of 2>&1 joins two streams and not two commands.
                if c == '&' && line[..at].ends_with('>') {
                    continue;
                }
                parts.push(line[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(line[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

fn words(part: &str) -> Vec<&str> {
    part.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect()
}

fn looks(part: &str) -> bool {
    let words = words(part);
    let program = words.iter().find(|word| !word.contains('=')).copied().unwrap_or_default();
    let writes = part.replace("2>&1", "").replace("2>/dev/null", "").replace(">/dev/null", "").contains('>');
    match program {
        _ if writes => false,
        "sed" => !words.iter().any(|word| word.starts_with("-i") || *word == "--in-place"),
        "env" => words.iter().filter(|word| !word.contains('=')).count() == 1,
        "find" => !words.iter().any(|word| matches!(*word, "-delete" | "-exec" | "-execdir")),
        "git" => {
            let mut asked = words.iter().skip_while(|word| **word != "git").skip(1);
            let verb = loop {
                match asked.next().copied() {
                    Some("-C" | "-c") => {
                        asked.next();
                    }
                    Some(option) if option.starts_with('-') => {}
                    verb => break verb.unwrap_or_default(),
                }
            };
            let mut rest = asked.copied();
            match verb {
                "branch" | "remote" | "tag" | "worktree" => rest.all(|word| GIT_LISTING.contains(&word)),
                "config" => rest.next().is_some_and(|word| GIT_LISTING.contains(&word) || word.starts_with("--get")),
                verb => GIT_LOOKING.contains(&verb),
            }
        }
        program => LOOKING.contains(&program) || program.is_empty(),
    }
}

/// Files that a line prints and does nothing else with.
fn printed(parts: &[&str]) -> Vec<String> {
    let Some(first) = parts.first().filter(|first| !first.contains('>')) else { return Vec::new() };
    let words = words(first);
    let rest: Vec<&str> = match words.first() {
        Some(&"cat" | &"bat" | &"less" | &"nl") => {
            words[1..].iter().copied().filter(|word| !word.starts_with('-')).collect()
        }
        // A number behind -n is no file.
        Some(&"head" | &"tail") => {
            words[1..].iter().copied().filter(|word| !word.starts_with('-') && word.parse::<u64>().is_err()).collect()
        }
        Some(&"sed") if words.get(1) == Some(&"-n") && words.len() >= 4 => words[3..].to_vec(),
        _ => Vec::new(),
    };
    let is_file = |word: &&str| !word.contains(['<', '*', '$', '`', '(', '{']) && word.contains(['.', '/']);
    rest.into_iter().filter(is_file).map(str::to_string).collect()
}

static MADE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^\[([^\]\n]*?)\s(?:\(root-commit\) )?([0-9a-f]{7,40})\] (\S[^\n]*)$").expect("a constant")
});

/// Commits that git says it made: what they are called, hexadecimal, and their subject.
pub(super) fn commits_made(output: &str) -> Vec<(String, String)> {
    let made = MADE.captures_iter(output).map(|made| (made[2].to_string(), made[3].trim().to_string()));
    made.collect()
}

/// Files that a patch of the form `*** Update File: path` changes, as written, each once.
pub(super) fn patched(patch: &str) -> Vec<String> {
    let heads = ["*** Add File: ", "*** Update File: ", "*** Delete File: ", "*** Move to: "];
    let named = |line: &'_ str| {
        let file = heads.iter().find_map(|head| line.trim_start().strip_prefix(head))?.trim().to_string();
        Some(file).filter(|file| !file.is_empty())
    };
    let mut seen = HashSet::new();
    patch.lines().filter_map(named).filter(|file| seen.insert(file.clone())).take(MAX_PATCHED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_its_first_line_where_it_runs() {
        let check = |script: &str, line: &str, folder: Option<&str>| {
            let command = command(script, Some("/a/b"));
            assert_eq!((command.line.as_str(), command.folder.as_deref()), (line, folder), "{script}");
        };
        check("cargo test", "cargo test", Some("/a/b"));
        check("cd /c/d && cargo test", "cargo test", Some("/c/d"));
        check("cd \"/c d\" && cd e; make", "make", Some("/c d/e"));
        check("\n  make all\nmake more", "make all", Some("/a/b"));
        check("cd ..", "cd ..", Some("/a/b"));
        check("cd \"$(git rev-parse --show-toplevel)\" && make", "make", Some("/a/b"));
        check("cd ~/other && make", "make", Some("~/other"));
        check("cd $OTHER; make", "make", Some("$OTHER"));
        check("echo building\ncargo build\ncargo test", "cargo build", Some("/a/b"));
        check("# all of it\n\ncat > a <<E\nmake\nE", "cat > a <<E", Some("/a/b"));
        assert_eq!(command(&"x".repeat(900), None).line.len(), MAX_COMMAND);
    }

    #[test]
    fn what_only_looks_is_known() {
        let check = |script: &str, expect: bool| assert_eq!(command(script, None).looks, expect, "{script}");
        for script in [
            "ls -la",
            "cat a | grep b | wc -l",
            "git -C x log --oneline",
            "FOO=1 rg x 2>&1",
            "cd a && pwd",
            "env",
            "git branch -a",
            "git remote get-url show",
            "git config --get-regexp x",
            "pwd\nls",
        ] {
            check(script, true);
        }
        for script in [
            "cargo test",
            "cat a > b",
            "sed -i s/a/b/ c",
            "git commit -m x",
            "ls && make",
            "find . -delete",
            "cat <<EOF > x",
            "cargo test 2>&1 | tail -3",
            "env RUST_LOG=debug cargo run",
            "git branch -D feature",
            "git branch feature",
            "git config user.name x",
            "git remote add o u",
            "ls\ncargo build",
        ] {
            check(script, false);
        }
    }

    #[test]
    fn files_that_are_printed_are_read() {
        let check = |script: &str, expect: &[&str]| assert_eq!(command(script, None).prints, expect, "{script}");
        check("cat src/a.rs b.rs", &["src/a.rs", "b.rs"]);
        check("sed -n '1,200p' src/a.rs", &["src/a.rs"]);
        check("nl -ba src/a.rs | sed -n '1,9p'", &["src/a.rs"]);
        check("head -n 20 a.md", &["a.md"]);
        check("cat *.rs $X", &[]);
        check("cat > a.rs", &[]);
    }

    #[test]
    fn commits_are_read_off_what_git_prints() {
        let output = "[main 1a2b3c4] cart: keep the order\n 1 file changed\n[detached HEAD 99aabb0] x\n[warn] abc\n";
        let made = commits_made(output);
        assert_eq!(made[0], ("1a2b3c4".to_string(), "cart: keep the order".to_string()));
        assert_eq!(made[1].0, "99aabb0");
        assert_eq!(made.len(), 2);
        assert_eq!(commits_made("[main (root-commit) 1a2b3c4] first")[0].1, "first");
    }

    #[test]
    fn words_of_a_shell_are_its_script() {
        assert_eq!(of_words(&["bash", "-lc", "make test"]), "make test");
        assert_eq!(of_words(&["/usr/bin/zsh", "-c", "x"]), "x");
        assert_eq!(of_words(&["cargo", "test"]), "cargo test");
        assert_eq!(of_words(&[]), "");
    }

    #[test]
    fn a_patch_names_its_files() {
        let patch =
            "*** Begin Patch\n*** Update File: a.rs\n*** Move to: b.rs\n@@\n*** Add File: c/d.rs\n+x\n*** End Patch";
        assert_eq!(patched(patch), ["a.rs", "b.rs", "c/d.rs"]);
    }
}
