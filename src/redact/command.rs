//! Passwords on command lines, recognised by the program and by a flag or position.
//!
//! Only the programs listed here are covered. Placeholders are not secrets.

use super::heuristics::{is_password, is_placeholder, is_random};
use super::named::is_secret_name;
use super::rule::{AnchorMatch, LeftBoundary, Matcher, MinVariety, Rule, SecretRanges};

/// The programs, and how each is given its password.
pub(super) const COMMAND_RULES: &[Rule] = &[
    command_rule(&["mysql", "mariadb", "7z ", "7za "], |anchor, all| attached_flag_secret(anchor, all, b"-p")),
    command_rule(&["sshpass"], |anchor, all| flag_secrets(anchor, all, &["-p"])),
    command_rule(
        &["docker login", "podman login", "buildah login", "skopeo login", "nerdctl login", "registry login"],
        |anchor, all| flag_secrets(anchor, all, &["-p", "--password"]),
    ),
    command_rule(&["oc login", "az login", "cf login", "twine ", "cqlsh", "cypher-shell"], |anchor, all| {
        flag_secrets(anchor, all, &["-p", "--password"])
    }),
    command_rule(&["rabbitmqctl"], rabbitmq_password),
    command_rule(&["nmcli ", "rclone "], named_argument),
    command_rule(&["secretsmanager"], secret_string),
    command_rule(&["ssm put-parameter"], ssm_parameter),
    command_rule(&["ConvertTo-SecureString"], single_argument),
    command_rule(&["cargo login"], random_argument),
    command_rule(
        &["mongosh", "mongodump", "mongorestore", "mongoimport", "mongoexport", "mongostat"],
        |anchor, all| flag_secrets(anchor, all, &["-p", "--password"]),
    ),
    command_rule(&["redis-cli"], |anchor, all| flag_secrets(anchor, all, &["-a", "--pass"])),
    command_rule(&["sqlcmd", "zip ", "unzip "], |anchor, all| flag_secrets(anchor, all, &["-P"])),
    command_rule(&["ldapsearch", "ldapadd", "ldapmodify", "ldapdelete", "ldapwhoami"], |anchor, all| {
        flag_secrets(anchor, all, &["-w"])
    }),
    command_rule(&["wget "], |anchor, all| {
        flag_secrets(anchor, all, &["--password", "--http-password", "--ftp-password", "--proxy-password"])
    }),
    command_rule(&["keytool", "jarsigner"], |anchor, all| {
        flag_secrets(anchor, all, &["-storepass", "-keypass", "-srcstorepass", "-deststorepass"])
    }),
    command_rule(&["openssl"], |anchor, all| flag_pair_secrets(anchor, all, &["-passin", "-passout", "-pass"], b':')),
    command_rule(&["openssl enc"], |anchor, all| flag_secrets(anchor, all, &["-k"])),
    command_rule(&["gh secret set"], |anchor, all| flag_secrets(anchor, all, &["-b", "--body"])),
    command_rule(&["curl ", "wget "], |anchor, all| {
        flag_pair_secrets(anchor, all, &["-u", "--user", "-U", "--proxy-user"], b':')
    }),
    command_rule(&["http ", "https ", "xh "], |anchor, all| flag_pair_secrets(anchor, all, &["-a", "--auth"], b':')),
    command_rule(&["smbclient"], |anchor, all| flag_pair_secrets(anchor, all, &["-U", "--user"], b'%')),
    command_rule(&["htpasswd"], htpasswd_password),
    command_rule(&["vault login"], single_argument),
    command_rule(&["sudo -S", "chpasswd", "passwd --stdin", "--password-stdin", "--with-token"], piped_secret),
];

/// Builds a rule for the arguments of programs.
const fn command_rule(programs: &'static [&'static str], found: fn(&AnchorMatch, &mut SecretRanges)) -> Rule {
    Rule {
        kind: "password",
        anchors: programs,
        ignores_case: false,
        left: LeftBoundary::Any,
        matcher: Matcher::CustomMany(found),
        proven_by: None,
        must_satisfy: None,
        variety: MinVariety::Nothing,
    }
}

/// The most words of a command that are read.
const MAX_WORDS: usize = 40;
/// The most bytes of one word that are read.
const MAX_WORD_BYTES: usize = 300;

/// A word of a command, without its quotes.
#[derive(Clone, Copy)]
struct ShellWord<'a> {
    text: &'a [u8],
    /// Its offset in the text.
    from: usize,
    /// Whether it directly continues the previous word.
    is_joined: bool,
}

impl ShellWord<'_> {
    /// Returns the range of a secret that begins `at` bytes into the word; `None` for a placeholder or another flag.
    fn secret(&self, at: usize) -> Option<(usize, usize)> {
        let secret = &self.text[at..];
        let is_other = secret.first().is_none_or(|byte| b"-$ ,+".contains(byte)) || secret.ends_with(b" ");
        let is_none = is_placeholder(secret) || is_placeholder(self.text);
        (secret.len() > 2 && !is_other && !is_none).then_some((self.from + at, self.from + self.text.len()))
    }
}

/// Returns the words after a program, up to the end of its command.
fn command_words<'a>(anchor: &AnchorMatch<'a>) -> impl Iterator<Item = ShellWord<'a>> + use<'a> {
    let text = anchor.text;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let begins = anchor.start.checked_sub(1).is_none_or(|before| !is_name(text[before]));
    // Names that also occur inside other words have a space after them in the table.
    let named = anchor.end - usize::from(text[anchor.end - 1] == b' ');
    let mut at = named + run_length(&text[named..], is_name);
    let is_command = begins && matches!(text.get(at), Some(b' ' | b'\t'));
    let mut left = if is_command { MAX_WORDS } else { 0 };
    std::iter::from_fn(move || {
        left = left.checked_sub(1)?;
        let blanks = blank_length(&text[at..]);
        let word = word_at(text, at + blanks)?;
        let is_quoted = word.from > at + blanks;
        let opened = usize::from(is_quoted) * (word.from - at - blanks);
        // At the end of the text, an unescaped quote may close an escaped one.
        at = text.len().min(word.from + word.text.len() + opened);
        Some(ShellWord { is_joined: blanks == 0, ..word })
    })
}

/// Counts the leading bytes that satisfy `has`.
fn run_length(text: &[u8], has: impl Fn(u8) -> bool) -> usize {
    text.iter().take(MAX_WORD_BYTES).take_while(|byte| has(**byte)).count()
}

/// Returns the length of the spaces, tabs and escaped line ends at the start.
fn blank_length(text: &[u8]) -> usize {
    let mut at = run_length(text, |byte| matches!(byte, b' ' | b'\t'));
    while text[at..].starts_with(b"\\\n") {
        at += 2 + run_length(&text[at + 2..], |byte| matches!(byte, b' ' | b'\t'));
    }
    at
}

/// Returns the word at `at`: quoted, escaped or not, or else up to the byte that ends a shell word.
fn word_at(text: &[u8], at: usize) -> Option<ShellWord<'_>> {
    let escapes = run_length(&text[at..], |byte| byte == b'\\').min(3);
    let (from, length) = match text.get(at + escapes) {
        Some(quote @ (b'"' | b'\'')) => {
            let from = at + escapes + 1;
            let length = run_length(&text[from..], |byte| byte != *quote && byte != b'\n');
            (text.get(from + length) == Some(quote)).then_some(())?;
            (
                from,
                length
                    - text[from..from + length].iter().rev().take(escapes).take_while(|byte| **byte == b'\\').count(),
            )
        }
        _ => {
            let ends = |byte: u8| byte.is_ascii_whitespace() || b"\"'`;|<>()".contains(&byte);
            let length = run_length(&text[at..], |byte| !ends(byte));
            let length = length - text[at..at + length].iter().rev().take_while(|byte| **byte == b'&').count();
            let length = text[at..at + length].windows(2).position(|two| two == b"&&").unwrap_or(length);
            let length = if text.get(at) == Some(&b'&') { 0 } else { length };
            let is_escape = matches!(text.get(at + length), Some(b'"' | b'\'')) && text[..at + length].ends_with(b"\\");
            (at, length - usize::from(is_escape && length > 0))
        }
    };
    (length > 0).then(|| ShellWord { text: &text[from..from + length], from, is_joined: false })
}

/// Returns the values of flags: the next word, or the rest of the same word.
///
/// With `may_be_among`, the flag may stand in a cluster such as `-sSu`.
fn flag_values<'a>(anchor: &AnchorMatch<'a>, flags: &[&str], may_be_among: bool) -> Vec<ShellWord<'a>> {
    let (mut words, mut found) = (command_words(anchor), Vec::new());
    while let Some(word) = words.next() {
        let is_flag = |flag: &&str| word.text.starts_with(flag.as_bytes());
        let rest = |flag: &str| &word.text[flag.len()..];
        // `-sSu`
        let is_among = |flag: &&str| {
            let is_cluster = |letters: &[u8]| letters.iter().all(u8::is_ascii_alphabetic);
            may_be_among
                && flag.len() == 2
                && matches!(word.text, [b'-', letters @ .., last]
                if *last == flag.as_bytes()[1] && is_cluster(letters))
        };
        if flags.iter().any(is_among)
            || flags.iter().filter(|flag| is_flag(flag)).any(|flag| matches!(rest(flag), b"" | b"="))
        {
            found.extend(words.next());
        } else if let Some(flag) = flags.iter().find(|flag| is_flag(flag) && (flag.len() == 2 || rest(flag)[0] == b'='))
        {
            let begun = flag.len() + usize::from(rest(flag)[0] == b'=');
            found.push(ShellWord { text: &word.text[begun..], from: word.from + begun, ..word });
        }
    }
    found
}

/// Finds the value of a flag.
fn flag_secrets(anchor: &AnchorMatch, all: &mut SecretRanges, flags: &[&str]) {
    all.extend(flag_values(anchor, flags, false).iter().filter_map(|word| word.secret(0)));
}

/// Finds the part after a separator in the value of a flag: `user:password`, `pass:secret`.
fn flag_pair_secrets(anchor: &AnchorMatch, all: &mut SecretRanges, flags: &[&str], separator: u8) {
    let separated = |word: &ShellWord| word.secret(word.text.iter().position(|byte| *byte == separator)? + 1);
    all.extend(flag_values(anchor, flags, true).iter().filter_map(separated));
}

/// Finds a value attached to a flag (`-psecret`). A separate word means something else.
fn attached_flag_secret(anchor: &AnchorMatch, all: &mut SecretRanges, flag: &[u8]) {
    let mut words = command_words(anchor);
    while let Some(word) = words.next() {
        all.extend(match word.text.strip_prefix(flag) {
            Some(b"") => words.next().filter(|next| next.is_joined).and_then(|next| next.secret(0)),
            Some(_) => word.secret(flag.len()),
            None => None,
        });
    }
}

/// Finds the password among the arguments of `htpasswd`, if there is one.
fn htpasswd_password(anchor: &AnchorMatch, all: &mut SecretRanges) {
    let (flags, told): (Vec<ShellWord>, Vec<ShellWord>) =
        command_words(anchor).partition(|word| word.text.starts_with(b"-"));
    let has = |letter: u8| flags.iter().any(|flag| flag.text.contains(&letter));
    let secret = told.get(if has(b'n') { 1 } else { 2 });
    all.extend(secret.filter(|_| has(b'b')).and_then(|word| word.secret(0)));
}

/// Finds a password that is the only argument.
fn single_argument(anchor: &AnchorMatch, all: &mut SecretRanges) {
    let is_secret = |word: &ShellWord| !word.text.contains(&b'=') && (is_password(word.text) || is_random(word.text));
    let word = command_words(anchor).find(|word| !word.text.starts_with(b"-"));
    all.extend(word.filter(is_secret).and_then(|word| word.secret(0)));
}

/// Finds the first argument that looks random.
fn random_argument(anchor: &AnchorMatch, all: &mut SecretRanges) {
    let mut words = command_words(anchor).filter(|word| !word.text.starts_with(b"-"));
    all.extend(words.find(|word| is_random(word.text)).and_then(|word| word.secret(0)));
}

/// Finds the password after the name of a user who is created or changed.
fn rabbitmq_password(anchor: &AnchorMatch, all: &mut SecretRanges) {
    let mut words = command_words(anchor).filter(|word| !word.text.starts_with(b"-"));
    let is_told = |word: &ShellWord| matches!(word.text, b"add_user" | b"change_password" | b"authenticate_user");
    if words.any(|word| is_told(&word)) {
        all.extend(words.nth(1).and_then(|word| word.secret(0)));
    }
}

/// Finds the value after an argument that names a secret.
fn named_argument(anchor: &AnchorMatch, all: &mut SecretRanges) {
    let mut words = command_words(anchor);
    while let Some(word) = words.next() {
        let is_name = !word.text.starts_with(b"-") && !word.text.contains(&b'=') && is_secret_name(word.text);
        let value = if is_name { words.next() } else { None };
        all.extend(
            value.filter(|value| is_password(value.text) || is_random(value.text)).and_then(|word| word.secret(0)),
        );
    }
}

/// Finds the value written to a secret store: a string, or an object of several.
fn secret_string(anchor: &AnchorMatch, all: &mut SecretRanges) {
    let is_object = |word: &&ShellWord| word.text.starts_with(b"{\"") || word.text.starts_with(b"{\\\"");
    let whole = |word: &ShellWord| (word.from, word.from + word.text.len());
    let secret = |word: &ShellWord| word.secret(0).or(Some(word).filter(is_object).map(whole));
    all.extend(flag_values(anchor, &["--secret-string"], false).iter().filter_map(secret));
}

/// Finds the value of a parameter that is named like a secret or stored as one.
fn ssm_parameter(anchor: &AnchorMatch, all: &mut SecretRanges) {
    let is_secret = flag_values(anchor, &["--name", "--type"], false)
        .iter()
        .any(|word| word.text == b"SecureString" || is_secret_name(word.text));
    if is_secret {
        flag_secrets(anchor, all, &["--value"]);
    }
}

/// Finds a here-string for a program that reads a password; for `chpasswd`, the part after the user.
fn here_string(anchor: &AnchorMatch, all: &mut SecretRanges) {
    let rest = &anchor.text[anchor.end..];
    let line = &rest[..run_length(rest, |byte| !matches!(byte, b'\n' | b';' | b'|'))];
    let Some(at) = line.windows(3).position(|three| three == b"<<<") else { return };
    let at = anchor.end + at + 3;
    let Some(word) = word_at(anchor.text, at + blank_length(&anchor.text[at..])) else { return };
    let user = word.text.iter().position(|byte| *byte == b':').filter(|_| anchor.text[anchor.start] == b'c');
    all.extend(word.secret(user.map_or(0, |at| at + 1)));
}

/// Finds what `echo` or `printf` pipes to a program that reads a password; for `chpasswd`, the part after the user.
fn piped_secret(anchor: &AnchorMatch, all: &mut SecretRanges) {
    here_string(anchor, all);
    let left = &anchor.text[anchor.scanned..anchor.start];
    let line = &left[left.len().saturating_sub(MAX_WORD_BYTES)..];
    let line = &line[line.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)..];
    let said = [&b"echo "[..], b"printf "].into_iter().filter_map(|command| {
        line.windows(command.len()).rposition(|word| word == command).map(|at| at + command.len())
    });
    let Some(said) = said.max() else { return };
    let mut at = anchor.start - line.len() + said;
    while anchor.text[at..anchor.start].starts_with(b"-") {
        at = anchor.start.min(at + run_length(&anchor.text[at..anchor.start], |byte| byte != b' ') + 1);
    }
    let Some(word) = word_at(&anchor.text[..anchor.start], at) else { return };
    let behind = &anchor.text[word.from + word.text.len()..anchor.start];
    let is_fed = behind.iter().take(4).find(|byte| !b"\\\"' ".contains(byte)) == Some(&b'|');
    let user = word.text.iter().position(|byte| *byte == b':').filter(|_| anchor.text[anchor.start] == b'c');
    all.extend(word.secret(user.map_or(0, |at| at + 1)).filter(|_| is_fed));
}
