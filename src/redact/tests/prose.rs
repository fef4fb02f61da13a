//! Tests of secrets in sentences, lists and tables, and under names with spaces.

use super::fixed_syntax::{assert_redacted, assert_unchanged, made_up_password};
use super::*;

/// Returns a word, a joiner and a number.
fn joined(joint: &str, end: &str) -> String {
    ["Sum", "mer", joint, "36", "24", end].concat()
}

#[test]
fn a_key_under_a_name_with_spaces_is_redacted() {
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
    assert_redacted(&lines, &key(&[], 40), "key");
    assert_redacted(&lines, &"0123456789abcdef".repeat(2), "key");
    assert_redacted(&lines, &["k9vQ2mL", "7pR4t"].concat(), "key");
    assert_redacted(
        &["the token is @", "The token was `@`.", "the token for staging is @", "| Token | @ |"],
        &key(&[], 40),
        "token",
    );
    assert_redacted(&["secret is @.", "the client_secret is \"@\""], &key(&[], 40), "secret");
    assert_unchanged(&[
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
fn a_password_in_prose_is_redacted() {
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
        assert_redacted(&lines, &value, "password");
    }
    let lines = ["I used spring.mail.password: @ in it", "set password: @ in the config"];
    assert_redacted(&lines, &["Winter", "_957x"].concat(), "password");
    assert_redacted(&["user: bob\npass: @", "host: a, pass: @"], &made_up_password(), "password");
    assert_redacted(&["pass: @"], &joined("", "!"), "password");
    assert_unchanged(&[
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
fn a_password_after_a_flag_is_redacted_to_the_next_space() {
    let lines = ["mysql -u root --password @", "psql --password @ -h db", "foo --pass @", "foo --pass=@"];
    for mark in ["#", "&"] {
        assert_redacted(&lines, &["Kestrel", mark, "609x"].concat(), "password");
    }
    assert_redacted(
        &["foo --password @&", "foo --password @ & bar", "foo --password @&& bar"],
        &made_up_password(),
        "password",
    );
    assert_unchanged(&["foo --password &", "foo --password # of bob2x", "foo --password && bar2"]);
}
