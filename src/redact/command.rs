//! Passwords on command lines, where a program's flag or a place in its line says what a word is. Refuses programs that are
//! not in the table, and words that stand for a password.

use super::judge::{is_password, is_placeholder, is_random};
use super::named::is_secret_name;
use super::rules::{Form, Left, Need, Place, Rule};

/// Programs, and how each is told.
pub(super) const RULES: &[Rule] = &[
    command(&["mysql", "mariadb", "7z ", "7za "], |place, all| joined(place, all, b"-p")),
    command(&["sshpass"], |place, all| flag(place, all, &["-p"])),
    command(
        &["docker login", "podman login", "buildah login", "skopeo login", "nerdctl login", "registry login"],
        |place, all| flag(place, all, &["-p", "--password"]),
    ),
    command(&["oc login", "az login", "cf login", "twine ", "cqlsh", "cypher-shell"], |place, all| {
        flag(place, all, &["-p", "--password"])
    }),
    command(&["rabbitmqctl"], account),
    command(&["nmcli ", "rclone "], told),
    command(&["secretsmanager"], stored),
    command(&["ssm put-parameter"], parameter),
    command(&["ConvertTo-SecureString"], only),
    command(&["cargo login"], drawn),
    command(&["mongosh", "mongodump", "mongorestore", "mongoimport", "mongoexport", "mongostat"], |place, all| {
        flag(place, all, &["-p", "--password"])
    }),
    command(&["redis-cli"], |place, all| flag(place, all, &["-a", "--pass"])),
    command(&["sqlcmd", "zip ", "unzip "], |place, all| flag(place, all, &["-P"])),
    command(&["ldapsearch", "ldapadd", "ldapmodify", "ldapdelete", "ldapwhoami"], |place, all| {
        flag(place, all, &["-w"])
    }),
    command(&["wget "], |place, all| {
        flag(place, all, &["--password", "--http-password", "--ftp-password", "--proxy-password"])
    }),
    command(&["keytool", "jarsigner"], |place, all| {
        flag(place, all, &["-storepass", "-keypass", "-srcstorepass", "-deststorepass"])
    }),
    command(&["openssl"], |place, all| pair(place, all, &["-passin", "-passout", "-pass"], b':')),
    command(&["openssl enc"], |place, all| flag(place, all, &["-k"])),
    command(&["gh secret set"], |place, all| flag(place, all, &["-b", "--body"])),
    command(&["curl ", "wget "], |place, all| pair(place, all, &["-u", "--user", "-U", "--proxy-user"], b':')),
    command(&["http ", "https ", "xh "], |place, all| pair(place, all, &["-a", "--auth"], b':')),
    command(&["smbclient"], |place, all| pair(place, all, &["-U", "--user"], b'%')),
    command(&["htpasswd"], last),
    command(&["vault login"], only),
    command(&["sudo -S", "chpasswd", "passwd --stdin", "--password-stdin", "--with-token"], fed),
];

/// Where secrets stand.
type Spans = Vec<(usize, usize)>;

const fn command(programs: &'static [&'static str], found: fn(&Place, &mut Spans)) -> Rule {
    Rule {
        kind: "password",
        starts: programs,
        is_folded: false,
        left: Left::Any,
        form: Form::Many(found),
        holds: None,
        only: None,
        needs: Need::Nothing,
    }
}

/// Most words of a command, and most bytes of one of them.
const WORDS: usize = 40;
const LONGEST: usize = 300;

/// A word of a command without its quotes, in bytes of the text.
#[derive(Clone, Copy)]
struct Word<'a> {
    text: &'a [u8],
    from: usize,
    /// Whether it goes on with the word before.
    is_joined: bool,
}

impl Word<'_> {
    /// Where a secret of it stands, which begins so far into it.
    fn secret(&self, at: usize) -> Option<(usize, usize)> {
        let secret = &self.text[at..];
        let is_other = secret.first().is_none_or(|byte| b"-$ ,+".contains(byte)) || secret.ends_with(b" ");
        let is_none = is_placeholder(secret) || is_placeholder(self.text);
        (secret.len() > 2 && !is_other && !is_none).then_some((self.from + at, self.from + self.text.len()))
    }
}

/// The words behind a program, up to the end of its command.
fn words<'a>(place: &Place<'a>) -> impl Iterator<Item = Word<'a>> + use<'a> {
    let text = place.text;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let begins = place.start.checked_sub(1).is_none_or(|before| !is_name(text[before]));
    // What is common in other words has its blank in the table.
    let named = place.after - usize::from(text[place.after - 1] == b' ');
    let mut at = named + count(&text[named..], is_name);
    let is_command = begins && matches!(text.get(at), Some(b' ' | b'\t'));
    let mut left = if is_command { WORDS } else { 0 };
    std::iter::from_fn(move || {
        left = left.checked_sub(1)?;
        let blanks = blanks(&text[at..]);
        let word = word(text, at + blanks)?;
        let is_quoted = word.from > at + blanks;
        let opened = usize::from(is_quoted) * (word.from - at - blanks);
        // A quote that was opened with an escape may be closed without one, where the text ends.
        at = text.len().min(word.from + word.text.len() + opened);
        Some(Word { is_joined: blanks == 0, ..word })
    })
}

fn count(text: &[u8], has: impl Fn(u8) -> bool) -> usize {
    text.iter().take(LONGEST).take_while(|byte| has(**byte)).count()
}

/// Blanks, and ends of lines that a command goes on behind.
fn blanks(text: &[u8]) -> usize {
    let mut at = count(text, |byte| matches!(byte, b' ' | b'\t'));
    while text[at..].starts_with(b"\\\n") {
        at += 2 + count(&text[at + 2..], |byte| matches!(byte, b' ' | b'\t'));
    }
    at
}

/// The word at a place: in quotes, escaped or not, or up to what ends words for a shell.
fn word(text: &[u8], at: usize) -> Option<Word<'_>> {
    let escapes = count(&text[at..], |byte| byte == b'\\').min(3);
    let (from, length) = match text.get(at + escapes) {
        Some(quote @ (b'"' | b'\'')) => {
            let from = at + escapes + 1;
            let length = count(&text[from..], |byte| byte != *quote && byte != b'\n');
            (text.get(from + length) == Some(quote)).then_some(())?;
            (
                from,
                length
                    - text[from..from + length].iter().rev().take(escapes).take_while(|byte| **byte == b'\\').count(),
            )
        }
        _ => {
            let ends = |byte: u8| byte.is_ascii_whitespace() || b"\"'`;|<>()".contains(&byte);
            let length = count(&text[at..], |byte| !ends(byte));
            let length = length - text[at..at + length].iter().rev().take_while(|byte| **byte == b'&').count();
            let length = text[at..at + length].windows(2).position(|two| two == b"&&").unwrap_or(length);
            let length = if text.get(at) == Some(&b'&') { 0 } else { length };
            let is_escape = matches!(text.get(at + length), Some(b'"' | b'\'')) && text[..at + length].ends_with(b"\\");
            (at, length - usize::from(is_escape && length > 0))
        }
    };
    (length > 0).then(|| Word { text: &text[from..from + length], from, is_joined: false })
}

/// The words of flags: behind one of them, or joined to it.
fn of_flags<'a>(place: &Place<'a>, flags: &[&str], may_be_among: bool) -> Vec<Word<'a>> {
    let (mut words, mut found) = (words(place), Vec::new());
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
            found.push(Word { text: &word.text[begun..], from: word.from + begun, ..word });
        }
    }
    found
}

/// The words of flags.
fn flag(place: &Place, all: &mut Spans, flags: &[&str]) {
    all.extend(of_flags(place, flags, false).iter().filter_map(|word| word.secret(0)));
}

/// What stands behind a user, or the name of a source, in the words of flags.
fn pair(place: &Place, all: &mut Spans, flags: &[&str], separator: u8) {
    let separated = |word: &Word| word.secret(word.text.iter().position(|byte| *byte == separator)? + 1);
    all.extend(of_flags(place, flags, true).iter().filter_map(separated));
}

/// What is joined to a flag; what stands behind it is something else.
fn joined(place: &Place, all: &mut Spans, flag: &[u8]) {
    let mut words = words(place);
    while let Some(word) = words.next() {
        all.extend(match word.text.strip_prefix(flag) {
            Some(b"") => words.next().filter(|next| next.is_joined).and_then(|next| next.secret(0)),
            Some(_) => word.secret(flag.len()),
            None => None,
        });
    }
}

/// The last of the words that a password file is told, if it is told one at all.
fn last(place: &Place, all: &mut Spans) {
    let (flags, told): (Vec<Word>, Vec<Word>) = words(place).partition(|word| word.text.starts_with(b"-"));
    let has = |letter: u8| flags.iter().any(|flag| flag.text.contains(&letter));
    let secret = told.get(if has(b'n') { 1 } else { 2 });
    all.extend(secret.filter(|_| has(b'b')).and_then(|word| word.secret(0)));
}

/// The only word.
fn only(place: &Place, all: &mut Spans) {
    let is_secret = |word: &Word| !word.text.contains(&b'=') && (is_password(word.text) || is_random(word.text));
    let word = words(place).find(|word| !word.text.starts_with(b"-"));
    all.extend(word.filter(is_secret).and_then(|word| word.secret(0)));
}

/// The only word, where a machine has drawn it.
fn drawn(place: &Place, all: &mut Spans) {
    let mut words = words(place).filter(|word| !word.text.starts_with(b"-"));
    all.extend(words.find(|word| is_random(word.text)).and_then(|word| word.secret(0)));
}

/// The word behind a user who is made, or whose password is changed.
fn account(place: &Place, all: &mut Spans) {
    let mut words = words(place).filter(|word| !word.text.starts_with(b"-"));
    let is_told = |word: &Word| matches!(word.text, b"add_user" | b"change_password" | b"authenticate_user");
    if words.any(|word| is_told(&word)) {
        all.extend(words.nth(1).and_then(|word| word.secret(0)));
    }
}

/// The word behind the name of a secret.
fn told(place: &Place, all: &mut Spans) {
    let mut words = words(place);
    while let Some(word) = words.next() {
        let is_name = !word.text.starts_with(b"-") && !word.text.contains(&b'=') && is_secret_name(word.text);
        let value = if is_name { words.next() } else { None };
        all.extend(
            value.filter(|value| is_password(value.text) || is_random(value.text)).and_then(|word| word.secret(0)),
        );
    }
}

/// What is put into a store of secrets: a text, or an object of several.
fn stored(place: &Place, all: &mut Spans) {
    let is_object = |word: &&Word| word.text.starts_with(b"{\"") || word.text.starts_with(b"{\\\"");
    let whole = |word: &Word| (word.from, word.from + word.text.len());
    let secret = |word: &Word| word.secret(0).or(Some(word).filter(is_object).map(whole));
    all.extend(of_flags(place, &["--secret-string"], false).iter().filter_map(secret));
}

/// The value of a parameter that is called a secret, or is to be kept as one.
fn parameter(place: &Place, all: &mut Spans) {
    let is_secret = of_flags(place, &["--name", "--type"], false)
        .iter()
        .any(|word| word.text == b"SecureString" || is_secret_name(word.text));
    if is_secret {
        flag(place, all, &["--value"]);
    }
}

/// What stands behind `<<<` on the line of one that reads a password; behind a user where that is told one.
fn here(place: &Place, all: &mut Spans) {
    let rest = &place.text[place.after..];
    let line = &rest[..count(rest, |byte| !matches!(byte, b'\n' | b';' | b'|'))];
    let Some(at) = line.windows(3).position(|three| three == b"<<<") else { return };
    let at = place.after + at + 3;
    let Some(word) = word(place.text, at + blanks(&place.text[at..])) else { return };
    let user = word.text.iter().position(|byte| *byte == b':').filter(|_| place.text[place.start] == b'c');
    all.extend(word.secret(user.map_or(0, |at| at + 1)));
}

/// What the command before says to one that reads a password; behind a user where that is told one.
fn fed(place: &Place, all: &mut Spans) {
    here(place, all);
    let left = &place.text[place.done..place.start];
    let line = &left[left.len().saturating_sub(LONGEST)..];
    let line = &line[line.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)..];
    let said = [&b"echo "[..], b"printf "].into_iter().filter_map(|command| {
        line.windows(command.len()).rposition(|word| word == command).map(|at| at + command.len())
    });
    let Some(said) = said.max() else { return };
    let mut at = place.start - line.len() + said;
    while place.text[at..place.start].starts_with(b"-") {
        at = place.start.min(at + count(&place.text[at..place.start], |byte| byte != b' ') + 1);
    }
    let Some(word) = word(&place.text[..place.start], at) else { return };
    let behind = &place.text[word.from + word.text.len()..place.start];
    let is_fed = behind.iter().take(4).find(|byte| !b"\\\"' ".contains(byte)) == Some(&b'|');
    let user = word.text.iter().position(|byte| *byte == b':').filter(|_| place.text[place.start] == b'c');
    all.extend(word.secret(user.map_or(0, |at| at + 1)).filter(|_| is_fed));
}
