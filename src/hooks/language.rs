//! Recognises hooks that are shell scripts, into which the block may go. Pure.
//!
//! Anything else is left alone, because the block would break a hook in another language.

/// Shells that run the block in the same way.
const SHELLS: [&[u8]; 5] = [b"sh", b"bash", b"dash", b"zsh", b"ksh"];

/// Returns why nothing may be written into a hook, as the end of the sentence "the hook is ..."; `None` for a shell
/// script.
pub(super) fn why_foreign(text: &[u8]) -> Option<&'static str> {
    if text.contains(&0) || text.starts_with(b"\xef\xbb\xbf") {
        return Some("a binary or not plain text");
    }
    if rereads_itself(text) {
        return Some("a script that hands itself to another interpreter");
    }
    let Some(shebang) = text.strip_prefix(b"#!") else {
        return None; // git runs it by sh, as execve cannot.
    };
    let line = shebang.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if line.contains(&b'\r') {
        return Some("a script whose first line ends in a carriage return");
    }
    let words: Vec<&[u8]> = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
    let Some((program, mut rest)) = words.split_first() else {
        return Some("a script with an empty first line");
    };
    let mut name = base_name(program);
    if name == b"env" {
        while let Some((word, tail)) = rest.split_first() {
            rest = tail;
            if *word != b"-S" && *word != b"-i" && !word.contains(&b'=') {
                name = base_name(word.strip_prefix(b"-S").unwrap_or(word));
                break;
            }
        }
    }
    if !SHELLS.contains(&name) {
        return Some("written in another language");
    }
    if !rest.iter().all(|word| is_plain_option(word)) {
        return Some("run by a shell with unusual options");
    }
    None
}

/// Returns the last component of a path.
fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// Returns whether a word is an option such as `-eu`, `--norc` or `-o pipefail`, as opposed to `-c`, `-s` or `-n`, or
/// the name of another script.
fn is_plain_option(word: &[u8]) -> bool {
    match word {
        b"pipefail" | b"errexit" | b"nounset" => true,
        [b'-', b'-', rest @ ..] => !rest.is_empty(),
        [b'-', rest @ ..] => !rest.iter().any(|letter| b"csn".contains(letter)),
        _ => false,
    }
}

/// Returns whether a script passes itself to another interpreter, as in `exec perl "$0"`, which would read the block in
/// its own language.
fn rereads_itself(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').any(|line| {
        let mut words = line.split(u8::is_ascii_whitespace).map(without_quotes).skip_while(|word| *word != b"exec");
        words.next().is_some() && words.any(|word| word == b"$0" || word == b"${0}")
    })
}

/// Strips quotes and a trailing semicolon from a word.
fn without_quotes(mut word: &[u8]) -> &[u8] {
    while let [b'\'' | b'"', rest @ ..] | [rest @ .., b'\'' | b'"' | b';'] = word {
        word = rest;
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shell_scripts_are_added_to() {
        let shell = [
            "#!/bin/sh\n",
            "#! /bin/bash -eu\n",
            "#!/usr/bin/env zsh\n",
            "#!/usr/bin/env -S bash -eu -o pipefail\n",
            "#!/usr/bin/env -Sdash\n",
            "#!/usr/bin/env A=b ksh\n",
            "#!/bin/bash --norc\n",
            "",
            "echo a\n",
            "#!/bin/sh\nexec \"$(dirname \"$0\")/other\"\n",
            "#!/bin/sh\necho \"$0\"\n",
        ];
        for text in shell {
            assert_eq!(why_foreign(text.as_bytes()), None, "{text:?}");
        }
        let foreign = [
            "#!/usr/bin/python3\n",
            "#!/usr/bin/env python3\n",
            "#!/usr/bin/env -u sh perl\n",
            "#!\n",
            "#!/bin/sh\r\n",
            "#!/bin/sh -c\n",
            "#!/bin/sh /other/script\n",
            "#!/bin/csh\n",
            "\u{7f}ELF\0",
            "\u{feff}#!/bin/sh\n",
            "#!/bin/sh\n''':'\nexec python3 \"$0\" \"$@\"\n'''\nprint()\n",
            "#!/bin/sh\n\0",
            "#!/bin/fish\n",
        ];
        for text in foreign {
            assert!(why_foreign(text.as_bytes()).is_some(), "{text:?}");
        }
    }
}
