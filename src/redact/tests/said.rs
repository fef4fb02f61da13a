//! What people tell each other in sentences, lists and tables, under names with blanks; and lines that only sound so.

use super::places::{goes, stays, thought_up};
use super::*;

/// A word, what joins it, and a number.
fn joined(joint: &str, end: &str) -> String {
    ["Sum", "mer", joint, "36", "24", end].concat()
}

#[test]
fn a_key_goes_whose_name_is_written_with_blanks() {
    let lines = [
        "Secret Access Key: @",
        "AWS Secret Key: @",
        "API Key: @",
        "API Key = @",
        "API Key=@",
        "- **API Key:** @",
        "- **API Key**: `@`",
        "{\"API Key\": \"@\"}",
        "secret key: @",
        "Access key: @",
        "The signing key: @, and no other.",
        "Log in with the access key: @",
        "encryption key: @",
        "api_key is `@`",
        "aws secret access key is @",
        "the API key is **@**.",
        "set API_KEY to @",
        "| API key | @ |",
        "|  SecretAccessKey |  @ |",
    ];
    goes(&lines, &key(&[], 40), "key");
    goes(&lines, &"0123456789abcdef".repeat(2), "key");
    goes(&lines, &["k9vQ2mL", "7pR4t"].concat(), "key");
    goes(
        &["the token is @", "The token was `@`.", "the token for staging is @", "| Token | @ |"],
        &key(&[], 40),
        "token",
    );
    goes(&["secret is @.", "the client_secret is \"@\""], &key(&[], 40), "secret");
    stays(&[
        "Primary key: user_id_and_name_of_2",
        "Foreign key: 9f86d081884c7d659a2feaa0c55ad015",
        "The public key: 9f86d081884c7d659a2feaa0c55ad015",
        "API key: required since v1.2.3",
        "API Key: your-api-key-1",
        "The API key is read from API_KEY_FILE_2.",
        "the token is TokenKind::Ident2 here",
        "the token is at line 1234567890123456",
        "the secret is stored in /run/secrets/app2/key",
        "the token was renamed to next_token_of_line_2",
        "the access key is https://example.com/keys/2024",
        "| API key | string | 12 |",
        "Access key: F12, then Enter",
    ]);
}

#[test]
fn a_password_goes_that_somebody_tells() {
    let lines = [
        "The database password is @",
        "The database password is @, I think.",
        "The database password is `@`",
        "The database password is \"@\"",
        "The database password is **@**.",
        "The password is: @",
        "the password for staging is @",
        "the password for the staging host is @",
        "password for admin: @",
        "the password of bob is now @",
        "changed the root password to @",
        "logged in as admin with password @",
        "use password `@`",
        "password -> @",
        "password \u{2192} @",
    ];
    for value in [joined("_", "#"), joined("-", ""), joined(".", "#"), joined("", "!"), joined("_", "")] {
        goes(&lines, &value, "password");
    }
    let lines = ["I used spring.mail.password: @ in it", "set password: @ in the config"];
    goes(&lines, &["Winter", "_957x"].concat(), "password");
    goes(&["user: bob\npass: @", "host: a, pass: @"], &thought_up(), "password");
    goes(&["pass: @"], &joined("", "!"), "password");
    stays(&[
        "The password is sha-256 hashed.",
        "The password is utf-8 encoded.",
        "The password is PBKDF2-SHA256 of the salt.",
        "The password is 12-characters-or-more long.",
        "The password was moved to secrets2024.yaml.",
        "The password is checked as in rfc-7519.",
        "Changed the password to comply with ISO-27001",
        "password for admin: see the wiki, page 1234",
        "the password for staging is kept in vault2",
        "Log in with password authentication.",
        "signs in with password auth2 now",
        "use password `sha512`",
        "password -> String",
        "fn check(password: &str) -> Result2",
        "    password: config_value_123,",
        "--- PASS: TestParse2 (0.00s)",
        "PASS: test_foo_bar_12",
        "ok 12 - pass: mem2reg",
        "pass: mem2reg",
        "low_pass: 3500hz",
        "render_pass: shadow2d",
        "PWD=/home/joe/proj2 make",
        "\"pwd\": \"/home/joe/proj2\"",
        "PWD=/srv2",
        "password: /run/secrets/db2/password",
    ]);
}

#[test]
fn a_password_behind_a_flag_goes_up_to_its_blank() {
    let lines = ["mysql -u root --password @", "psql --password @ -h db", "foo --pass @", "foo --pass=@"];
    for mark in ["#", "&"] {
        goes(&lines, &["Kestrel", mark, "609x"].concat(), "password");
    }
    goes(&["foo --password @&", "foo --password @ & bar", "foo --password @&& bar"], &thought_up(), "password");
    stays(&["foo --password &", "foo --password # of bob2x", "foo --password && bar2"]);
}
