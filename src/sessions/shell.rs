//! Reads the command lines that an agent ran: their main line, folder, files that are only viewed, commits made,
//! outcome.
//!
//! This is not a shell parser. What it does not understand is kept as written, or dropped.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use super::paths;
use crate::event::cap_words;

/// The longest command line that is kept, in bytes; a longer one is a script.
const MAX_COMMAND: usize = 200;

/// Programs that only read. Their commands change nothing, and a session has hundreds of them.
const READ_ONLY_PROGRAMS: &[&str] = &[
    ":", "[", "awk", "basename", "bat", "cat", "cd", "clear", "cmp", "cut", "date", "df", "diff", "dirname", "du",
    "echo", "eza", "false", "fd", "file", "find", "grep", "head", "hostname", "id", "jobs", "jq", "less", "ls", "lsof",
    "more", "nl", "od", "printenv", "printf", "ps", "pwd", "readlink", "realpath", "rg", "sed", "seq", "sleep", "sort",
    "stat", "strings", "tail", "test", "tr", "tree", "true", "type", "uname", "uniq", "wait", "wc", "which", "whoami",
    "xxd",
];

/// Git subcommands that only read.
const GIT_READ_ONLY: &[&str] = &[
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

/// Arguments that make a git subcommand list instead of write.
const GIT_LISTING_ARGUMENTS: &[&str] = &[
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

/// The command substitution for the top of the worktree.
const TOPLEVEL_SUBSTITUTION: &str = "$(git rev-parse --show-toplevel)";

/// The most files of one patch.
const MAX_PATCHED_FILES: usize = 4_096;

/// A parsed command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ShellCommand {
    /// The first line that does more than read, without a leading `cd`; if there is none, the first line.
    pub line: String,
    /// The folder that it runs in, if known.
    pub folder: Option<String>,
    /// Whether every part only reads.
    pub is_read_only: bool,
    /// The files that it prints, as written.
    pub printed_files: Vec<String>,
    /// Whether it may make a commit.
    pub may_commit: bool,
    /// The patch that it applies.
    pub patch: Option<String>,
}

/// The outcome of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommandOutcome {
    /// It ended with this exit status.
    Exit(i64),
    /// It failed with an unknown status.
    Failed,
    /// Unknown: it is still running, or nothing was recorded.
    Unknown,
    /// It never ran.
    Never,
}

impl CommandOutcome {
    /// Returns whether the command failed.
    pub(super) fn is_failure(self) -> bool {
        matches!(self, CommandOutcome::Failed) || matches!(self, CommandOutcome::Exit(code) if code != 0)
    }

    /// Returns the suffix of the command's entry.
    pub(super) fn suffix(self) -> String {
        match self {
            CommandOutcome::Exit(code) => format!(" -> exit {code}"),
            CommandOutcome::Failed => " -> failed".to_string(),
            CommandOutcome::Unknown | CommandOutcome::Never => String::new(),
        }
    }
}

/// Joins a program and its arguments into a command line; for a shell, returns its script.
pub(super) fn script_of(words: &[&str]) -> String {
    match words {
        [shell, flag, script, ..] if is_shell(shell) && flag.starts_with('-') && flag.ends_with('c') => {
            script.to_string()
        }
        [program, patch] if program.ends_with("apply_patch") => format!("apply_patch {patch}"),
        words => words.join(" "),
    }
}

/// Returns whether a program is a shell.
fn is_shell(program: &str) -> bool {
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
    matches!(name.trim_end_matches(".exe"), "bash" | "sh" | "zsh" | "dash" | "fish" | "pwsh" | "powershell" | "cmd")
}

/// A `cd` before further commands.
static LEADING_CD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^\s*cd\s+(?:"([^"]+)"|'([^']+)'|([^\s;&|]+))\s*(?:&&|;|\n)\s*"#)
        .expect("the constant pattern is valid")
});

/// Parses a command line that was run in a folder.
pub(super) fn parse_command(script: &str, cwd: Option<&str>) -> ShellCommand {
    let (mut rest, mut folder) = (script, cwd.map(str::to_string));
    while let Some(going) = LEADING_CD.captures(rest) {
        let into = (1..=3).find_map(|group| going.get(group)).map_or("", |group| group.as_str());
        folder = match into {
            TOPLEVEL_SUBSTITUTION => folder,
            // What the shell expands this to is unknown, so the folder counts as outside the repository.
            into if into == "-" || into.starts_with('~') || into.contains(['$', '`']) => Some(into.to_string()),
            into => paths::join_folder(into, folder.as_deref()),
        };
        rest = &rest[going.get(0).map_or(0, |whole| whole.end())..];
    }
    let lines = || rest.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let is_patch = rest.contains("*** Begin Patch");
    let first = lines().next().unwrap_or_default();
    let does = lines().find(|line| !split_commands(line).iter().all(|part| is_read_only(part)));
    let is_script = is_patch || rest.contains("<<");
    ShellCommand {
        line: cap_words(does.filter(|_| !is_script).unwrap_or(first), MAX_COMMAND).trim_end().to_string(),
        folder,
        is_read_only: !is_script && !first.is_empty() && does.is_none(),
        printed_files: files_printed_by(&split_commands(first)),
        may_commit: rest.contains("git") && rest.contains("commit"),
        patch: is_patch.then(|| rest.to_string()),
    }
}

/// Splits a line into commands, at unquoted operators.
fn split_commands(line: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quote) = (Vec::new(), 0, None);
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, '|' | ';' | '&') => {
                // The `&` of `2>&1` does not separate commands.
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

/// Splits a command into words, without their quotes.
fn split_words(part: &str) -> Vec<&str> {
    part.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect()
}

/// Returns whether a command only reads.
fn is_read_only(part: &str) -> bool {
    let words = split_words(part);
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
                "branch" | "remote" | "tag" | "worktree" => rest.all(|word| GIT_LISTING_ARGUMENTS.contains(&word)),
                "config" => {
                    rest.next().is_some_and(|word| GIT_LISTING_ARGUMENTS.contains(&word) || word.starts_with("--get"))
                }
                verb => GIT_READ_ONLY.contains(&verb),
            }
        }
        program => READ_ONLY_PROGRAMS.contains(&program) || program.is_empty(),
    }
}

/// Returns the files that a line prints, if it does nothing else.
fn files_printed_by(parts: &[&str]) -> Vec<String> {
    let Some(first) = parts.first().filter(|first| !first.contains('>')) else { return Vec::new() };
    let words = split_words(first);
    let rest: Vec<&str> = match words.first() {
        Some(&"cat" | &"bat" | &"less" | &"nl") => {
            words[1..].iter().copied().filter(|word| !word.starts_with('-')).collect()
        }
        // The number after `-n` is not a file.
        Some(&"head" | &"tail") => {
            words[1..].iter().copied().filter(|word| !word.starts_with('-') && word.parse::<u64>().is_err()).collect()
        }
        Some(&"sed") if words.get(1) == Some(&"-n") && words.len() >= 4 => words[3..].to_vec(),
        _ => Vec::new(),
    };
    let is_file = |word: &&str| !word.contains(['<', '*', '$', '`', '(', '{']) && word.contains(['.', '/']);
    rest.into_iter().filter(is_file).map(str::to_string).collect()
}

/// The line that git prints for a new commit.
static COMMIT_REPORT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^\[([^\]\n]*?)\s(?:\(root-commit\) )?([0-9a-f]{7,40})\] (\S[^\n]*)$")
        .expect("the constant pattern is valid")
});

/// Returns the id and subject of the commits that git reports.
pub(super) fn commits_made(output: &str) -> Vec<(String, String)> {
    let made = COMMIT_REPORT.captures_iter(output).map(|made| (made[2].to_string(), made[3].trim().to_string()));
    made.collect()
}

/// Returns the files that a patch changes (`*** Update File: path`), as written and each once.
pub(super) fn patched_files(patch: &str) -> Vec<String> {
    let heads = ["*** Add File: ", "*** Update File: ", "*** Delete File: ", "*** Move to: "];
    let named = |line: &'_ str| {
        let file = heads.iter().find_map(|head| line.trim_start().strip_prefix(head))?.trim().to_string();
        Some(file).filter(|file| !file.is_empty())
    };
    let mut seen = HashSet::new();
    patch.lines().filter_map(named).filter(|file| seen.insert(file.clone())).take(MAX_PATCHED_FILES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_its_first_line_and_folder() {
        let check = |script: &str, line: &str, folder: Option<&str>| {
            let command = parse_command(script, Some("/a/b"));
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
        assert_eq!(parse_command(&"x".repeat(900), None).line.len(), MAX_COMMAND);
    }

    #[test]
    fn read_only_commands_are_recognised() {
        let check =
            |script: &str, expect: bool| assert_eq!(parse_command(script, None).is_read_only, expect, "{script}");
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
    fn printed_files_count_as_read() {
        let check =
            |script: &str, expect: &[&str]| assert_eq!(parse_command(script, None).printed_files, expect, "{script}");
        check("cat src/a.rs b.rs", &["src/a.rs", "b.rs"]);
        check("sed -n '1,200p' src/a.rs", &["src/a.rs"]);
        check("nl -ba src/a.rs | sed -n '1,9p'", &["src/a.rs"]);
        check("head -n 20 a.md", &["a.md"]);
        check("cat *.rs $X", &[]);
        check("cat > a.rs", &[]);
    }

    #[test]
    fn commits_are_read_from_git_output() {
        let output = "[main 1a2b3c4] cart: keep the order\n 1 file changed\n[detached HEAD 99aabb0] x\n[warn] abc\n";
        let made = commits_made(output);
        assert_eq!(made[0], ("1a2b3c4".to_string(), "cart: keep the order".to_string()));
        assert_eq!(made[1].0, "99aabb0");
        assert_eq!(made.len(), 2);
        assert_eq!(commits_made("[main (root-commit) 1a2b3c4] first")[0].1, "first");
    }

    #[test]
    fn the_words_of_a_shell_are_its_script() {
        assert_eq!(script_of(&["bash", "-lc", "make test"]), "make test");
        assert_eq!(script_of(&["/usr/bin/zsh", "-c", "x"]), "x");
        assert_eq!(script_of(&["cargo", "test"]), "cargo test");
        assert_eq!(script_of(&[]), "");
    }

    #[test]
    fn a_patch_names_its_files() {
        let patch =
            "*** Begin Patch\n*** Update File: a.rs\n*** Move to: b.rs\n@@\n*** Add File: c/d.rs\n+x\n*** End Patch";
        assert_eq!(patched_files(patch), ["a.rs", "b.rs", "c/d.rs"]);
    }
}
