//! The help, and the reference pages in docs, both made from the same definitions: command groups, examples,
//! environment variables.

use std::fmt::Write as _;

use clap::{Command, CommandFactory};

use super::Cli;
use crate::config::TEMPLATE;
use crate::dimensions;

/// The commands grouped by purpose, in the order of the help.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Ask", &["query", "related", "task", "who", "why", "callers", "calls", "explain", "log"]),
    ("Set up", &["hook", "reindex", "status", "model", "config", "completions"]),
    ("Sessions and notes", &["session", "note", "forget"]),
    ("Care", &["doctor", "gc", "retrain", "eval"]),
];

/// Two examples per command; for a command with subcommands, of some of them.
const EXAMPLES: [(&str, [&str; 2]); 22] = [
    ("query", ["patina query where are hooks installed", "patina query --kind function --path src parse date"]),
    ("related", ["patina related src/parser.rs", "git diff --name-only | patina related -"]),
    ("task", ["patina task \"retry on timeouts\"", "patina task -k 20 let hooks survive a rebase"]),
    ("who", ["patina who src/parser.rs", "patina who --next src"]),
    ("why", ["patina why src/parser.rs:120", "patina why -e Parser::parse"]),
    ("callers", ["patina callers Parser::parse", "patina callers --depth 3 src/parser.rs:120"]),
    ("calls", ["patina calls Parser::parse", "patina calls --confidence 0.8 src/parser.rs"]),
    ("explain", ["patina explain src/parser.rs src/lexer.rs", "patina explain -e Parser::parse Lexer::next"]),
    ("log", ["patina log src", "patina log --type session.decision"]),
    ("hook", ["patina hook install", "patina hook install --agent claude"]),
    ("reindex", ["patina reindex", "patina reindex --full"]),
    ("status", ["patina status", "patina status --wait --timeout 60"]),
    ("model", ["patina model list", "patina model prepare"]),
    ("config", ["patina config", "patina config > ~/.config/patina/config.toml"]),
    (
        "completions",
        ["patina completions bash > ~/.local/share/bash-completion/completions/patina", "patina completions fish"],
    ),
    ("session", ["patina session list", "patina session show 20251124"]),
    (
        "note",
        [
            "patina note --decision \"one file a format\" --files src/formats",
            "patina note --pattern \"errors carry a hint\"",
        ],
    ),
    ("forget", ["patina forget hunter2", "patina forget session:20251124-174931"]),
    ("doctor", ["patina doctor", "patina doctor --verify"]),
    ("gc", ["patina gc", "patina gc --days 365"]),
    ("retrain", ["patina retrain", "patina retrain --dry-run"]),
    ("eval", ["patina eval", "patina eval --task missing_file"]),
];

/// The environment variables that patina reads, and what each does.
const ENVIRONMENT: [(&str, &str); 9] = [
    ("PATINA", "0 turns hooks and worker off, in child processes too"),
    ("PATINA_CONFIG", "settings file; default ~/.config/patina/config.toml"),
    ("PATINA_DATA_DIR", "models and ONNX Runtime; default ~/.local/share/patina"),
    ("PATINA_LOG", "trace filter for stderr, for example patina=debug"),
    ("ORT_DYLIB_PATH", "ONNX Runtime library to use instead"),
    ("GIT_PAGER, PAGER", "pager for long answers on a terminal, as in git"),
    ("COLUMNS", "width that lines are cut to"),
    ("NO_COLOR", "no colours"),
    ("CLICOLOR_FORCE", "colours even where stdout is not a terminal"),
];

/// The width of the reference pages, in columns.
const REFERENCE_WIDTH: usize = 100;

/// Builds the command tree, with grouped help, examples and the environment.
pub fn command() -> Command {
    let mut command = Cli::command().subcommand_help_heading("Commands");
    let environment: Vec<String> = ENVIRONMENT.iter().map(|(name, what)| format!("  {name:18} {what}")).collect();
    let mut groups = String::new();
    for (group, names) in GROUPS {
        let _ = writeln!(groups, "{group}:");
        for name in names {
            let about = command.find_subcommand(name).and_then(Command::get_about).map(ToString::to_string);
            let _ = writeln!(groups, "  {name:12} {}", about.unwrap_or_default());
        }
        groups.push('\n');
    }
    for (name, examples) in EXAMPLES {
        let text = format!("Examples:\n  {}\n  {}", examples[0], examples[1]);
        command = command.mut_subcommand(name, |one| with_dimensions(one).after_help(text));
    }
    let targets = "`patina COMMAND --help` explains a command. A target is what patina, git or a\n\
                   compiler prints: a path, a line, a symbol, a folder, a glob, a commit; give\n\
                   several, or - to read one per line from stdin.";
    command
        .help_template("{about-with-newline}\n{usage-heading} {usage}{after-help}\n\nOptions:\n{options}")
        .after_help(format!("{groups}{targets}"))
        .after_long_help(format!("{groups}{targets}\n\nEnvironment:\n{}", environment.join("\n")))
}

/// Lists the dimensions in the long help of a command that takes one.
fn with_dimensions(command: Command) -> Command {
    if !command.get_arguments().any(|argument| argument.get_id() == "dimension") {
        return command;
    }
    let all: Vec<String> = dimensions::ALL.iter().map(|one| format!("- {}: they {}", one.name, one.sentence)).collect();
    command.mut_arg("dimension", |argument| {
        let first = argument.get_help().map(ToString::to_string).unwrap_or_default();
        argument.long_help(format!("{first}\n\nTwo items are near in\n{}", all.join("\n")))
    })
}

/// Returns `docs/commands.md`: the help of every command.
pub fn commands_page() -> String {
    let mut page = String::from(
        "# Commands\n\nThe help of every command, made by the program itself (`UPDATE_EXPECT=1 cargo test reference_pages`\n\
         writes this page again). Options that all commands take stand once, at the top.\n",
    );
    let mut root = command().term_width(REFERENCE_WIDTH);
    root.build();
    section(&mut page, &mut root.clone(), "patina", 2);
    for (group, names) in GROUPS {
        let _ = writeln!(page, "\n## {group}");
        for name in names {
            let Some(found) = root.find_subcommand(name) else { continue };
            let mut one = found.clone().mut_args(|argument| {
                let is_global =
                    argument.is_global_set() || argument.get_id() == "help" || argument.get_id() == "version";
                argument.hide(is_global)
            });
            section(&mut page, &mut one, &format!("patina {name}"), 3);
            let inner: Vec<Command> = one.get_subcommands().filter(|inner| !inner.is_hide_set()).cloned().collect();
            for inner in inner.into_iter().filter(|inner| inner.get_name() != "help") {
                let title = format!("patina {name} {}", inner.get_name());
                let mut inner = inner.mut_args(|argument| {
                    let is_global =
                        argument.is_global_set() || argument.get_id() == "help" || argument.get_id() == "version";
                    argument.hide(is_global)
                });
                section(&mut page, &mut inner, &title, 4);
            }
        }
    }
    page
}

/// Adds a heading and the help of one command.
fn section(page: &mut String, command: &mut Command, title: &str, level: usize) {
    let help = command.clone().term_width(REFERENCE_WIDTH).render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(page, "\n{} `{title}`\n\n```text\n{}\n```\n", "#".repeat(level), help.join("\n").trim());
}

/// Returns `docs/configuration.md`: every setting and variable.
pub fn configuration_page() -> String {
    let mut page = String::from(
        "# Configuration\n\nEvery setting with its default, as `patina config` prints them (`UPDATE_EXPECT=1 cargo test\n\
         reference_pages` writes this page again). A line that starts with `#` shows a default.\n\n```toml\n",
    );
    let _ = write!(page, "{}\n```\n\n## Environment\n\n| variable | what it does |\n|---|---|\n", TEMPLATE.trim());
    for (name, what) in ENVIRONMENT {
        let _ = writeln!(page, "| `{}` | {what} |", name.replace(", ", "`, `"));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_group_and_examples() {
        let root = Cli::command();
        for command in root.get_subcommands().filter(|command| !command.is_hide_set()) {
            let name = command.get_name();
            let groups = GROUPS.iter().filter(|(_, names)| names.contains(&name)).count();
            assert_eq!(groups, 1, "{name} stands in one group of the help");
            assert_eq!(EXAMPLES.iter().filter(|(of, _)| *of == name).count(), 1, "{name} has examples");
        }
    }

    #[test]
    fn every_example_is_a_call_that_parses() {
        for (name, examples) in EXAMPLES {
            for example in examples {
                let call = example.split(" > ").next().unwrap_or(example);
                let call = call.rsplit(" | ").next().unwrap_or(call);
                let mut words = Vec::new();
                for (at, part) in call.split('"').enumerate() {
                    if at % 2 == 1 {
                        words.push(part.to_string());
                    } else {
                        words.extend(part.split_whitespace().map(str::to_string));
                    }
                }
                let parsed = command().try_get_matches_from(&words);
                let matches = parsed.unwrap_or_else(|error| panic!("{example}: {error}"));
                assert_eq!(matches.subcommand_name(), Some(name), "{example}");
            }
        }
    }

    #[test]
    fn the_definitions_hold_together() {
        command().debug_assert();
    }
}
