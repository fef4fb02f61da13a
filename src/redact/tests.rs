//! Tests of redaction: what is removed, what stays, idempotence and linear time. Secrets are assembled when a test
//! runs, so this file holds none.

use std::borrow::Cow;

use super::*;

mod fixed_syntax;
mod prose;
mod tables;

/// Returns a secret-looking text that does not appear in this file.
fn key(prefix: &[&str], length: usize) -> String {
    let letters = "a1B2c3D4e5F6g7H8i9J0kLmNoPqRsTuVwXyZ";
    prefix.concat() + &letters.chars().cycle().take(length).collect::<String>()
}

fn secrets() -> Vec<(&'static str, String)> {
    let hex = |prefix: &[&str], length: usize| prefix.concat() + &"0123456789abcdef".repeat(4)[..length];
    let jwt = [key(&["ey", "J"], 20), key(&["ey", "J"], 30), key(&[], 43)].join(".");
    let pem = |kind: &str, body: &str| format!("-----BEGIN {kind}-----{body}-----END {kind}-----");
    let lines = format!("\n{}\n{}\nab+/==\n", key(&[], 64), key(&[], 64));
    vec![
        ("aws-key", key(&["AK", "IA"], 0) + "ABCDEFGH23456789"),
        ("aws-key", key(&["AS", "IA"], 0) + "ABCDEFGH23456789"),
        ("github-token", key(&["gh", "p_"], 36)),
        ("github-token", key(&["gh", "s_"], 36)),
        ("github-token", key(&["github", "_pat_"], 82)),
        ("gitlab-token", key(&["glp", "at-"], 20)),
        ("slack-token", key(&["xo", "xb-123456789012-"], 24)),
        ("stripe-key", key(&["sk", "_live_"], 24)),
        ("stripe-key", key(&["rk", "_live_"], 24)),
        ("google-key", key(&["AI", "za"], 35)),
        ("anthropic-key", key(&["sk", "-ant-api03-"], 80)),
        ("openai-key", key(&["sk", "-proj-"], 60)),
        ("openai-key", key(&["sk", "-"], 48)),
        ("npm-token", key(&["np", "m_"], 36)),
        ("pypi-token", key(&["py", "pi-AgEI"], 90)),
        ("sendgrid-key", [key(&["S", "G"], 0), key(&[], 22), key(&[], 43)].join(".")),
        ("twilio-key", hex(&["S", "K"], 32)),
        ("huggingface-token", key(&["h", "f_"], 34)),
        ("digitalocean-token", hex(&["do", "p_v1_"], 64)),
        ("jwt", jwt),
        ("private-key", pem(&["RSA PRIVATE", " KEY"].concat(), &lines)),
        ("private-key", pem(&["PRIVATE", " KEY"].concat(), &lines.replace('\n', "\\n"))),
        ("private-key", pem(&["PRIVATE", " KEY"].concat(), "\nshort\n")),
        ("private-key", pem(&["PGP PRIVATE", " KEY BLOCK"].concat(), &lines)),
        ("private-key", format!("-----BEGIN OPENSSH PRIVATE{}{lines}", " KEY-----").trim_end().to_owned()),
    ]
}

#[test]
fn every_known_key_is_redacted_anywhere() {
    for (name, secret) in secrets() {
        let mark = format!("[redacted:{name}]");
        for (left, right) in [("", ""), ("a = \"", "\";\n"), ("é ", " é"), ("{\"a\": \"b\\n", "\"}"), ("(", ")")] {
            let text = format!("{left}{secret}{right}");
            assert_eq!(redact(&text), format!("{left}{mark}{right}"), "{name} in {text:?}");
        }
    }
}

#[test]
fn urls_and_headers_keep_what_is_not_secret() {
    let case = |before: &[&str], after: &str| assert_eq!(redact(&before.concat()), after);
    let mark = "[redacted:url-password]";
    case(&["git clone https://me:", "s3cret@example.com/x"], &format!("git clone https://me:{mark}@example.com/x"));
    case(&["redis://:", "p@ss:w#rd@h:1/0"], &format!("redis://:{mark}@h:1/0"));
    let token = key(&["gh", "p_"], 36);
    case(&["https://", &token, ":x-oauth@h"], &format!("https://[redacted:github-token]:{mark}@h"));
    case(&["https://", &token, "@h"], "https://[redacted:github-token]@h");
    let mark = "[redacted:authorization]";
    case(&["Authorization: Bearer ", &key(&[], 20)], &format!("Authorization: Bearer {mark}"));
    case(&["\"authorization\": \"Basic ", "dXNlcjpwYXNz\""], &format!("\"authorization\": \"Basic {mark}\""));
    case(&["Authorization: Bearer ", "abcdefghijk1"], &format!("Authorization: Bearer {mark}"));
    case(&["h(\"Authorization\", \"token ", &key(&[], 20), "\")"], &format!("h(\"Authorization\", \"token {mark}\")"));
}

#[test]
fn ordinary_text_is_unchanged() {
    let texts = [
        "",
        "é",
        "AKIA",
        "let task_sk_live = mask-ant;",
        "9f2c8d1e5b7a4c3f9f2c8d1e5b7a4c3f9f2c8d1e",
        "https://example.com:8080/a@b",
        "ssh://git@example.com:22/x",
        "https://{user}:{password}@{host}/",
        "postgres://$USER:${PASSWORD}@h",
        "http://a/b:c@d",
        "https://me:[redacted:url-password]@h",
        "Authorization: Bearer <token>",
        "authorization: basic understanding",
        "format!(\"Bearer {token}\")",
        ".sk-loading-indicator-wrapper-of-the-page",
        "npm_config_registry_with_a_long_name_in_snake_case",
        concat!(
            "const A: &str = \"-----BEGIN PRIVATE",
            " KEY-----\";\nconst B: &str = \"-----END PRIVATE",
            " KEY-----\";"
        ),
        "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBa\n-----END CERTIFICATE-----",
        concat!("the header -----BEGIN PRIVATE", " KEY----- opens it"),
        "SKILL SK12 eyJhbGciOiJIUzI1NiJ9",
        "hf_hub_download",
        "blake3:6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
    ];
    for text in texts {
        assert!(matches!(redact(text), Cow::Borrowed(_)), "{text:?} became {:?}", redact(text));
    }
}

#[test]
fn redaction_is_idempotent_and_never_panics() {
    let mut pieces: Vec<String> = secrets().into_iter().map(|(_, secret)| secret).collect();
    for piece in [
        "password=",
        "api_key: \"",
        "token",
        "=",
        "\"",
        "'",
        "kind: Secret\n",
        "data:\n",
        "data:\n  ",
        "\"kind\":\"Secret\"",
        "\"data\":{",
        "\n  ",
        "|\n  ",
        "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSUV2",
        "{",
        "}",
        "://",
        "u:",
        "@",
        "-----BEGIN ",
        "-----",
        "é",
        " ",
        "\n",
        "eyJ",
        ".",
        "_",
        "[redacted:jwt]",
        "sk-",
        "mysql -p",
        "curl -u a:",
        "echo ",
        " | sudo -S",
        "| password | ",
        "password is ",
        "password for ",
        "api key",
        "with password ",
        "--password ",
        "| user | password |\n|---|---|\n",
        "a,password\n",
        "b,",
        "insert into a (b, password) values ('c', '",
        "')",
        "auth=(\"a\", \"",
        " || \"",
        "variable \"password\" { default = \"",
        "&",
        "**",
        "ENV TOKEN ",
        "user identified by '",
        "value: ",
    ] {
        pieces.push(piece.to_owned());
    }
    pieces.push(["Authorization", ": Bearer "].concat());
    let mut random: u64 = 1;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below
    };
    for _ in 0..3000 {
        let mut text: String = (0..next(8)).map(|_| pieces[next(pieces.len())].clone()).collect();
        while !text.is_char_boundary(text.len().saturating_sub(next(4))) {
            text.push('x');
        }
        let once = redact(&text).into_owned();
        assert_eq!(redact(&once), once, "{text:?}");
    }
}

/// Checks the redaction of a line in which `@` stands for the value.
fn placed(line: &str, value: &str, expect: &str) {
    let redacted = redact(&line.replacen('@', value, 1)).into_owned();
    assert_eq!(redacted, line.replacen('@', expect, 1), "{line}");
}

#[test]
fn a_value_under_a_secret_name_is_redacted() {
    let (thought_up, drawn) = (["hunter", "2"].concat(), key(&[], 24));
    for line in [
        "DB_PASSWORD=@",
        "export PASSWORD='@'",
        "PASSWORD=@ ./run",
        "password: @",
        "  password = @",
        "let password = \"@\";",
        "const PASSWORD: &str = \"@\";",
        "let password = String::from(\"@\");",
        "{\"password\":\"@\"}",
        "\"{\\\"password\\\": \\\"@\\\"}\"",
        "run --password @ --now",
        "run --password=@",
        "<password>@</password>",
        "Server=a;Password=@;Timeout=1",
        "jdbc:mysql://h/d?user=a&password=@&b=c",
        "${PASSWORD:-@}",
        "if password == \"@\" {",
        "**Password**: `@`",
        "machine h login me password @",
        "h:5432:d:me:@",
        "curl -u me:@ https://h",
    ] {
        placed(line, &thought_up, "[redacted:password]");
    }
    for line in [
        "API_TOKEN=@",
        "token: '@'",
        "auth_token = \"@\"",
        "x-auth-token: @",
        "{\"access_token\": \"@\"}",
        "h/?token=@&a=b",
    ] {
        placed(line, &drawn, "[redacted:token]");
    }
    for line in ["api_key = '@'", "X-Api-Key: @", "AccountKey=@;a=b", "settings[\"apiKey\"] = \"@\"", "PrivateKey = @"]
    {
        placed(line, &drawn, "[redacted:key]");
    }
    placed("x=1; session=@; y=2", &drawn, "[redacted:cookie]");
    assert_eq!(redact(&format!("Cookie: a=b; session={drawn}\nx")), "Cookie: [redacted:cookie]\nx");
    assert_eq!(redact(&format!("Set-Cookie: sid={drawn}; Path=/")), "Set-Cookie: [redacted:cookie]; Path=/");
    // A key with a known format keeps its kind.
    placed("GITHUB_TOKEN=@", &key(&["gh", "p_"], 36), "[redacted:github-token]");
}

/// Generates reproducible passwords of letters, digits and the punctuation that people and password managers use.
fn passwords(count: usize) -> Vec<String> {
    let letters = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!@#$%^&*()-_=+[]{};:,.<>?";
    let mut random: u64 = 7;
    let mut next = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(letters[(random >> 33) as usize % letters.len()])
    };
    (0..count).map(|_| (0..16).map(|_| next()).collect()).collect()
}

#[test]
fn few_passwords_with_punctuation_are_mistaken_for_code() {
    let settings = "user: ada\n@\nport: 5432\n";
    for form in
        ["password: @", "password = @", "DB_PASSWORD=@", "password = \"@\"", "{\"password\": \"@\"}", "  password: @"]
    {
        for around in ["@", "a\n@\nb\n", settings] {
            let stays = |password: &&String| {
                let redacted = redact(&around.replacen('@', &form.replacen('@', password, 1), 1)).into_owned();
                let parts = (0..=password.len() - 6).map(|at| &password[at..at + 6]);
                parts.into_iter().any(|part| redacted.contains(part))
            };
            let all = passwords(200);
            let kept: Vec<&String> = all.iter().filter(stays).collect();
            assert!(kept.len() <= 1, "{form:?} in {around:?} keeps {} of {}: {kept:?}", kept.len(), all.len());
        }
    }
}

#[test]
fn a_setting_is_redacted_to_its_end() {
    let mark = "[redacted:password]";
    for password in ["Welcome123", "Summer2024", "P4ssw0rd_prod", "letmein1.x", "ab(c)1{d$e", "x\"y'z1<2>", "a;b=c1;d"]
    {
        for line in
            ["  password: @", "user: a\npassword: @\nport: 1", "[db]\npassword = @\nhost = a", "\u{feff}password = @\n"]
        {
            placed(line, password, mark);
        }
    }
    placed("\u{feff}DB_PASSWORD=@\nA=1", &["hunter", "2"].concat(), mark);
    placed("+  password: @", "P4ss(w0rd", mark);
    placed("\"Server=db;Password=@;Timeout=1\"", "P4ss(w0rd]#&}", mark);
    placed("password: @ # of the test", "P4ss(w0rd", mark);
    placed("a: b\npassword: |\n  @\nb: c", &["hunter", "2"].concat(), mark);
    placed("a:\n  token: >-\n    @\n  b: c", &key(&[], 40), "[redacted:token]");
}

/// Encodes a text whose length is a multiple of three as base64.
fn base64(text: &str) -> String {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let three = |three: &[u8]| {
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        (0..4).rev().map(|six| char::from(letters[(bits >> (6 * six) & 63) as usize])).collect::<String>()
    };
    text.as_bytes().chunks_exact(3).map(three).collect()
}

/// Returns a private key as files hold it.
fn pem() -> String {
    format!("-----BEGIN {0} KEY-----\n{1}\n{1}\n{1}\n-----END {0} KEY-----\n", "PRIVATE", key(&[], 64))
}

#[test]
fn a_base64_private_key_is_redacted() {
    let encoded = base64(&(pem() + "  "));
    for line in ["    client-key-data: @\n", "tls.key: @", "{\"key\": \"@\"}", "echo @ | base64 -d"] {
        placed(line, &encoded, "[redacted:private-key]");
    }
    placed("PRIVATE_KEY=@", &encoded, "[redacted:key]");
    placed("PRIVATE_KEY=@", &encoded.repeat(3), "[redacted:key]");
    for end in ["\n", "\n    ", "\\n", "\",\n\""] {
        let lines: Vec<String> =
            encoded.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line).into()).collect();
        let text = format!("key: \"{}\" b", lines.join(end));
        assert_eq!(redact(&text), "key: \"[redacted:private-key]\" b");
    }
    let certificate = base64(&pem().replace("PRIVATE KEY", "CERTIFICATE"));
    assert!(matches!(redact(&format!("client-certificate-data: {certificate}\n")), Cow::Borrowed(_)));
}

#[test]
fn a_private_key_is_redacted_in_diffs_listings_and_escapes() {
    let static_key = format!(
        "-----BEGIN OpenVPN Static key V1-----\n{0}\n{0}\n{0}\n-----END OpenVPN Static key V1-----\n",
        "0123456789abcdef".repeat(2)
    );
    let key_with_blank = pem().replacen("\n", "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,A1B2\n\n", 1);
    let of_each_line = |text: &str, show: &dyn Fn(usize, &str) -> String| {
        text.lines().enumerate().map(|(n, line)| show(n + 9, line)).collect::<String>()
    };
    for text in [pem(), static_key, key_with_blank] {
        let shown = [
            of_each_line(&text, &|_, line| format!("-{line}\n")),
            of_each_line(&text, &|_, line| format!("+{line}\n")),
            of_each_line(&text, &|_, line| format!("- {line}\n")),
            of_each_line(&text, &|n, line| format!("{n:3} | {line}\n")),
            of_each_line(&text, &|n, line| format!("{n:6}→{line}\n")),
            of_each_line(&text, &|n, line| format!("{n}:{line}\n")),
            of_each_line(&text, &|n, line| format!("id_rsa:{n}:{line}\n")),
            of_each_line(&text, &|n, line| format!("a/.ssh/id_rsa-{n}-{line}\n")),
            of_each_line(&text, &|_, line| format!("./etc/host_key.pem:{line}\n")),
            of_each_line(&text, &|_, line| format!("{line}<br>\n")),
            text.trim_end().replace('\n', "<br/>"),
            text.trim_end().replace('\n', "%0A"),
            text.trim_end().replace('\n', "%0D%0A"),
        ];
        for whole in shown {
            // What is left of a truncated key is removed as well.
            let cut = whole.split("-----END").next().unwrap_or_default().to_string();
            for text in [&whole, &cut] {
                let redacted = redact(text);
                let is_gone = !redacted.contains("0123456789abcdef") && !redacted.contains(&key(&[], 24));
                assert!(is_gone && redacted.contains("[redacted:private-key]"), "{text}\nbecame\n{redacted}");
                assert_eq!(redact(&redacted), redacted);
            }
        }
    }
}

#[test]
fn a_long_value_is_redacted_to_its_end() {
    for length in [500, 511, 512, 513, 700, 5000] {
        for line in [
            "SECRET_KEY=@\nb",
            "secret_key: @\nb",
            "a\nsecret_key = \"@\"\nb",
            "{\"secret_key\":\"@\"}",
            "x --token=@ b",
            "docker run -e SECRET_KEY=@ b",
        ] {
            let redacted = redact(&line.replacen('@', &key(&[], length), 1)).into_owned();
            let kind = if line.contains("token") { "token" } else { "secret" };
            let kind = if line.to_lowercase().contains("secret_key") { "key" } else { kind };
            assert_eq!(redacted, line.replacen('@', &format!("[redacted:{kind}]"), 1), "{length}");
        }
    }
    let text = format!("password={}", "é".repeat(400));
    assert_eq!(redact(&redact(&text)), redact(&text));
}

#[test]
fn kubernetes_secret_values_are_redacted() {
    let text = "kind: Secret\nmetadata:\n  name: a\ndata:\n  user: YWRh\n  tls.key: |\n    TUlJ\n    QUFB\ntype: Opaque\n---\nkind: ConfigMap\ndata:\n  a: YWRh\n";
    let mark = "[redacted:kubernetes-secret]";
    let expect = format!(
        "kind: Secret\nmetadata:\n  name: a\ndata:\n  user: {mark}\n  tls.key: |\n    {mark}\n    {mark}\ntype: Opaque\n---\nkind: ConfigMap\ndata:\n  a: YWRh\n"
    );
    assert_eq!(redact(text), expect);
    let check = |text: &str| assert_eq!(redact(text), text.replace("YWRh", mark), "{text}");
    check("{\"kind\": \"Secret\", \"data\": {\"a\": \"YWRh\"}}");
    check("{\"data\":{\"a\":\"YWRh\"},\"kind\":\"Secret\",\"metadata\":{\"name\":\"a-name\",\"namespace\":\"other\"}}");
    check(
        "[{\"kind\":\"Map\",\"data\":{\"a\":\"open\"}},{\"kind\":\"Secret\",\"data\":{\"a\":null,\"b\":\"YWRh\"}},{\"data\":{\"a\":\"open\"}}]",
    );
    check("{\"kind\":\"Secret\",\"stringData\":{\"a\":\"YWRh\",\"password\":\"YWRh\",\"b\":\"YWRh\"}}");
    check("\"{\\\"data\\\":{\\\"a\\\":\\\"YWRh\\\"},\\\"kind\\\":\\\"Secret\\\"}\"");
}

#[test]
fn large_kubernetes_secrets_are_redacted() {
    let long = |line: &str| (0..4000).map(|n| line.replace('#', &n.to_string())).collect::<String>();
    let check = |text: &str| {
        let redacted = redact(text).into_owned();
        assert!(!redacted.contains("YWRh"), "{} are kept", redacted.matches("YWRh").count());
        assert!(redacted.contains("a-name") && redacted.contains("open"), "{redacted}");
    };
    let end = "metadata:\n  name: a-name\n---\nkind: ConfigMap\ndata:\n  a: open\n";
    check(&format!("data:\n{}kind: Secret\n{end}", long("  a#: YWRhYWRhYWRh#\n")));
    check(&format!("kind: Secret\ndata:\n{}{end}", long("  a#: YWRhYWRhYWRh#\n")));
    let data = long("\"a#\":\"YWRhYWRhYWRh#\",");
    let object = format!("{{\"data\":{{{data}\"b\":null}},\"kind\":\"Secret\",\"metadata\":{{\"name\":\"a-name\"}}}}");
    check(&format!("[{{\"kind\":\"Map\",\"data\":{{\"a\":\"open\"}}}},{object}]"));
    check("text = \"\"\"kind: Secret\ndata:\n  a: YWRhYWRh\nmetadata:\n  name: a-name\n\"\"\"\nopen()");
    // Output of `kubectl get secrets -o yaml`.
    let applied = object.replace(&data, "\"a\":\"YWRhYWRh\",");
    let item = format!(
        "- apiVersion: v1\n  data:\n    a: YWRhYWRh\n  kind: Secret\n  metadata:\n    annotations:\n      last: |\n        {applied}\n    name: a-name\n"
    );
    let map = "- apiVersion: v1\n  data:\n    a: open\n  kind: ConfigMap\n";
    check(&format!("items:\n{item}{map}{item}{map}{item}kind: List\n"));
    // Removed lines of a diff.
    check(&format!("-{}\n+open", item.trim_end().replace('\n', "\n-")));
}

#[test]
fn every_line_of_a_source_keeps_its_number() {
    let pem = format!("-----BEGIN {0} KEY-----\n{1}\n{1}\n-----END {0} KEY-----", "PRIVATE", key(&[], 64));
    let source = format!("a\nKEY = \"\"\"\n{pem}\n\"\"\"\nb\n");
    let redacted = redact_source(&source);
    let line = |text: &str| text.lines().position(|line| line == "b");
    assert_eq!((line(&redacted), redacted.contains(&key(&[], 64))), (line(&source), false), "{redacted}");
    assert_eq!(redact_source(&redacted), redacted);
    assert!(line(&redact(&source)) < line(&source), "elsewhere no line is kept for nothing");
}

#[test]
fn placeholders_and_text_about_secrets_are_unchanged() {
    for line in [
        "password: String,",
        "password = get_password()",
        "password = os.environ[\"PASSWORD\"]",
        "password = process.env.PASSWORD",
        "PASSWORD=$1",
        "PASSWORD=${OTHER}",
        "password: {{ .Values.password }}",
        "password: <your-password>",
        "password = \"changeme\"",
        "password=\"\"",
        "API_KEY=your-api-key-here",
        "token = next_token",
        "token: u64",
        "let token = self.tokens[1];",
        "token_type: \"bearer\"",
        "secretName: my-secret-1",
        "key = \"9f2c8d1e5b7a4c3f9f2c8d1e5b7a4c3f9f2c8d1e\"",
        "checksum = \"a3f5c0d1e2b34455667788990011223344556677889900aabbccddeeff001122\"",
        "\"integrity\": \"sha512-AbCdEf0123456789AbCdEf0123456789AbCdEf0123456789==\"",
        "password_field = \"form-password-2\"",
        "    password=password,",
        "    key_password=None,",
        "f(stmt=\"pass\", setup=\"pass\", n=1)",
        "'a_pass', 'ssh2_auth_file',",
        "the password is asked for: twice at most",
        "//! Passwords: what they are",
        "author = \"Ada 1815 Lovelace\"",
        "password: Sha256",
        "password: Argon2",
        "    password: hash(password1),",
        "password = config.passwords[1];",
        "    password: req.body.pass2,",
        "password: z.string().min(8).max(72)",
        "password: /^[a-z0-9]{8,}$/,",
        "password: https://example.com/reset1",
        "def f():\n    password = db_word2\n    return 1",
        "password = self.word2",
        "  password: {name1}-{x}",
        "  token: |\n    the tokens of a line, 3 of them",
        "pass: src/a.rs:12",
        "pass = 99.5%",
        "szpassword : *const u16",
        "--password STRING",
        "[![c](https://c.io/a/badge.svg?token=A1B2C3D4E5)](x)",
        "scheme://[user[:password]@]host",
        "commit 9f2c8d1e5b7a4c3f9f2c8d1e5b7a4c3f9f2c8d1e",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4",
        "session.password",
        "Cookie: theme=dark; lang=en",
    ] {
        assert!(matches!(redact(line), Cow::Borrowed(_)), "{line} became {}", redact(line));
    }
}

#[test]
fn repeated_anchors_take_linear_time() {
    let header = ["-----BEGIN PRIVATE", " KEY-----\n"].concat();
    let starts = rules::all().flat_map(|rule| rule.anchors).copied();
    let more = [
        "eyJ-",
        &header,
        "://u:",
        "sk-",
        "SK0",
        "authorization: bearer ",
        "x:@",
        "password=",
        "password: \"",
        "token\n",
        "Cookie: a=b;",
        "kind: Secret\ndata:\n",
        "machine a ",
        "\"d\":\"",
        "secret_",
        "key\": ",
        "--token ",
        "mysql -p",
        "curl -u a:\"",
        "docker login -p -p",
        "echo a|sudo -S",
        "htpasswd -b a ",
        "user identified by '",
        "| password ",
        "password is ",
        "set password ",
        "password for a b ",
        "with password ",
        "a api key ",
        "pass: ",
        "password,",
        "a,password\n",
        "| password |\n|---|\n",
        "insert into a (password, ",
        "auth=(\"a\",",
        "variable \"db_password\" {",
        "password || ",
        "mnemonic: abc def ",
        "a_PAT=",
        "sudo -S <<< ",
    ];
    for piece in starts.chain(more) {
        // Doubling the text may double the time; quadratic growth over 400,000 bytes would take minutes.
        let text = piece.repeat(400_000 / piece.len());
        let start = std::time::Instant::now();
        redact(&text);
        assert!(start.elapsed().as_secs() < 20, "{piece:?} took {:?}", start.elapsed());
    }
}

#[test]
fn a_bound_inside_a_character_does_not_panic() {
    // An escaped quote that is never closed.
    assert_eq!(redact("mysql \\\"-pabc\""), "mysql \\\"-p[redacted:password]\"");
    for lead in 0..3 {
        for text in ["AA:*::*:AA@A*", "password=", "https://u:", "DB_PASSWORD: ", "-----BEGIN RSA PRIVATE KEY-----\n"] {
            let text = format!("{}{text}{}", "x".repeat(lead), "\u{fffd}".repeat(700));
            let once = redact(&text).into_owned();
            assert_eq!(redact(&once), once.as_str(), "{text}");
        }
    }
}
