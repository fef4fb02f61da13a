//! Tests of secrets in tables and data, and in sign-in arguments of programs.

use super::fixed_syntax::{assert_redacted, assert_unchanged, made_up_password};
use super::*;

#[test]
fn a_secret_in_a_table_column_is_redacted() {
    let lines = [
        "name,password,city\njoe,@,bonn\n",
        "name,Password\r\njoe,@\r\n",
        "\"name\",\"password\"\n\"joe\",\"@\"",
        "| User | Password |\n|---|---|\n| joe | @ |\n\nfoo 1",
        "| User | **Password** | x |\n|:-:|:-:|---|\n| joe | `@` | 2 |",
        "|Login|DB password|\n|--|---|\n|joe|@|",
        " user | password \n------+-------\n joe | @\n(1 row)",
        "+---+---+\n| user | password |\n+---+---+\n| joe | @ |\n+---+---+",
        "INSERT INTO users (name, password) VALUES ('joe','@');",
        "insert into `users` (`name`, `password`, `x`)\nvalues ('joe', '@', now());",
        "INSERT INTO users (id, password) VALUES (1, 'x'), (2, '@')",
    ];
    for value in [made_up_password(), ["Win", "ter_957x"].concat()] {
        assert_redacted(&lines, &value, "secret");
    }
    assert_redacted(
        &["Access key ID,Secret access key\nAB,@\n", "| Name | API key |\n|---|---|\n| a | @ |"],
        &key(&[], 40),
        "secret",
    );
    assert_redacted(&["| a | Token | b |\n|---|---|---|\n| a | @ | c |", "a,token\nb,@"], &key(&[], 40), "secret");
    assert_unchanged(&[
        "| Field | Password |\n|---|---|\n| type | varchar2 |\n| hash | bcrypt |\n| length | 12 |",
        "| Password | Meaning |\n|---|---|\n| required | of 12 letters |",
        "| Kind | Token |\n|---|---|\n| Ident | TokenKind::Ident2 |\n| Number | 12 |",
        "| Key | Does |\n|---|---|\n| ctrl-a1 | 9f86d081884c7d659a2feaa0c55ad015 |",
        "    user,\n    password,\n    host2,\n",
        "f(user,password)\ng(user1,hunter2)\n",
        "user,password\nuser1,password1",
        "INSERT INTO users (name, password) VALUES (?, ?)",
        "INSERT INTO users (name, password) VALUES ('joe', '$PASSWORD')",
        "INSERT INTO users (password, name) VALUES (NULL, 'joe12x')",
        "insert the key into (a, password) of 'joe12x'",
    ]);
}

#[test]
fn an_unquoted_seed_phrase_is_redacted() {
    let words = ["legal winner thank year ", "wave sausage worth useful ", "legal winner thank yellow"].concat();
    assert_redacted(
        &["mnemonic: @", "Seed phrase: @", "MNEMONIC=@", "MNEMONIC=\"@\"", "the seed phrase is @"],
        &words,
        "secret",
    );
    assert_unchanged(&[
        "mnemonic: a word that stands for an instruction of a machine and its operands",
        "seed phrase: these words are the ones that you must keep for ever",
        "mnemonic: add sub mul",
    ]);
}

#[test]
fn sign_in_arguments_are_redacted() {
    let lines = [
        "const k = process.env.DB_PASSWORD || \"@\"",
        "const k = process.env.DB_PASSWORD ?? '@';",
        "k = os.getenv(\"DB_PASSWORD\") or \"@\"",
        "k = ENV['DB_PASSWORD'] || '@'",
        "    storePassword \"@\"",
        "keyPassword '@'",
        "variable \"db_password\" { default = \"@\" }",
        "variable \"db_password\" {\n  type = string\n  default = \"@\"\n}",
    ];
    assert_redacted(&lines, &made_up_password(), "password");
    let lines = [
        "requests.get(u, auth=(\"joe\",\"@\"))",
        "requests.get(u, auth=(user, '@'))",
        "axios.get(u, {auth: ['joe', '@']})",
        "auth=HTTPBasicAuth(\"joe\", \"@\")",
        "req.SetBasicAuth(\"joe\", \"@\")",
        ".basic_auth(\"joe\", Some(\"@\"))",
    ];
    assert_redacted(&lines, &made_up_password(), "token");
    assert_redacted(
        &["BASIC_AUTH=@", "BASIC_AUTH=\"@\"", "basic_auth: @"],
        &["admin", ":", &made_up_password()].concat(),
        "token",
    );
    assert_redacted(&["const k = process.env.API_KEY || \"@\"", "apiKey ?? '@'"], &key(&[], 24), "key");
    let value = "0123456789abcdef".repeat(3);
    assert_redacted(&["GH_PAT=@", "export AZURE_DEVOPS_PAT=\"@\"", "GH_PAT: @", "GH_PAT = '@'"], &value[..40], "token");
    assert_redacted(&["h = \"Bearer \" + \"@\"", "h = 'Bearer ' . '@';"], &key(&[], 24), "authorization");
    let django = ["django-", "insecure-", "=a8#x1k)q2m3v9w5z7$t0!b6n_4yc@e^h1d2"].concat();
    assert_eq!(redact(&format!("SECRET_KEY = '{django}'")), "SECRET_KEY = '[redacted:key]'");
    assert_unchanged(&[
        "password || \"password\"",
        "token ?? \"none\"",
        "if (password || 'x' in y2) {",
        "const key = a.key || \"default-key-1\"",
        "FILE_PAT=\"*.rs2\"",
        "FILE_PAT = r\"[a-z0-9]+_test2.rs\"",
        "auth=(user, password)",
        "auth=(\"user\", \"password\")",
        "test_auth(\"GET\", \"/path2/x1\")",
        "BASIC_AUTH=$USER:$PASSWORD1",
        "basic_auth: enabled:true",
        "variable \"db_password\" {\n  type = string\n  sensitive = true\n}",
        "variable \"db_password\" {\n}\nvariable \"size\" { default = \"t2.micro1\" }",
        "h = \"Bearer \" + token",
        "h = \"Bearer \" + \" of news \"",
        "rejectPassword \"too short\"",
    ]);
}
