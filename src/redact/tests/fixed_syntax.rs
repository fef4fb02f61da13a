//! Tests of places where people leave passwords, and of lines that merely mention them. `@` stands for the secret.

use super::*;

/// Checks that the value of every line is replaced by the mark of `kind`.
pub(super) fn assert_redacted(lines: &[&str], value: &str, kind: &str) {
    lines.iter().for_each(|line| placed(line, value, &format!("[redacted:{kind}]")));
}

pub(super) fn assert_unchanged(lines: &[&str]) {
    for line in lines {
        assert!(matches!(redact(line), Cow::Borrowed(_)), "{line} became {}", redact(line));
    }
}

/// Returns a human-made password with a digit among the letters.
pub(super) fn made_up_password() -> String {
    ["hunter", "2x"].concat()
}

#[test]
fn a_short_key_is_redacted() {
    for value in [["k9vQ2mL", "7pR4t"], ["abc123", "def456"], ["Tr0ub4dor", "12xyz"], ["bILfWOML", "T7Keq"]] {
        let value = value.concat();
        assert_redacted(
            &["api_key: \"@\"", "{\"access_key\": \"@\"}", "API_KEY = \"@\"", "X-Api-Key: @"],
            &value,
            "key",
        );
        assert_redacted(&["client_secret: \"@\"", "secret: @", "SECRET=@"], &value, "secret");
        assert_redacted(&["token: @", "curl -H \"X-Auth-Token: @\" h", "h('X-Auth-Token', '@')"], &value, "token");
    }
    assert_redacted(&["secret: @"], &["Sup3r", "S3cret!"].concat(), "secret");
    assert_redacted(&["JWT_SECRET=@"], &["mysuper", "secretjwt"].concat(), "secret");
    assert_unchanged(&[
        "api_key: \"your-api-key-1\"",
        "token: erc20token",
        "token: TokenKind::Ident2,",
        "secretName: tls-secret-2024",
        "secret: db-credentials",
        "auth: oauth2",
        "\"next_page_token\": \"abc123def456\"",
        "show --session a1b2c3d4e5",
        "\"session\": \"a1b2c3d4e5\"",
        "\"private_key\": \"path/to/key1.pem\"",
        "settings.token=Pääsymerkki",
        "missing_auth=qop\\u306e\\u30e830:{0}",
        "const ACCESS_TOKEN_NAME: &str = \"x-access-token-2\";",
        "-H \"X-Api-Key: $API_KEY\"",
    ]);
}

#[test]
fn a_password_made_of_words_is_redacted() {
    let words = [["correct-horse-", "battery-staple"], ["correcthorse", "battery"], ["letmein", "please"]];
    for value in words.map(|words| words.concat()) {
        assert_redacted(
            &["{\"password\": \"@\"}", "password: \"@\"", "password = \"@\"", "x.setPassword('@')"],
            &value,
            "password",
        );
    }
    let value = ["NCqRt", "kyxoYfR"].concat();
    assert_redacted(
        &["db_password: \"@\"", "MYSQL_ROOT_PASSWORD: @", "a: b\nDB_PASSWORD: @\nPORT: 1"],
        &value,
        "password",
    );
    let value = ["sword", "fish"].concat();
    assert_redacted(
        &["mysql --password=@ h", "wget --password=@", "  POSTGRES_PASSWORD: @", "- name: DB_PASSWORD\n  value: @"],
        &value,
        "password",
    );
    assert_redacted(&["password: @", "a: b\npassword: @\nport: 1"], &["123", "456"].concat(), "password");
    assert_redacted(&["DB_PASSWORD=\"@\"", "DB_PASSWORD='@'"], "two words 12", "password");
    let drawn = ["correct horse", "battery staple"].join(" ");
    assert_redacted(
        &["{\"password\": \"@\"}", "password = '@'", "DB_PASSWORD=\"@\"", "x.setPassword(\"@\")"],
        &drawn,
        "password",
    );
    assert_unchanged(&[
        "\"password\": \"Password\",",
        "\"password\": \"Mot de passe\",",
        "\"password\": \"Contraseña\",",
        "\"password\": \"Wachtwoord\"",
        "\"password\": \"required|string|min:8\",",
        "\"confirm_password\": \"authentication\",",
        "RESET_PASSWORD: \"reset-my-account-now\",",
        "const INVALID_PASSWORD = \"invalid-credentials-given\";",
        "INVALID_PASSWORD=\"Needs 2 digits\"",
        "FORGOT_PASSWORD=\"Forgot it?\"",
        "password: 'input-group-lg',",
        "password: \"minimum of eight letters\"",
        "password: \"only letters and digits\"",
        "log(password: hunter2)",
        "let pw = read(2);",
        "password: \"current-password\"",
        "password = \"authentication\"",
        "  --password=PASSWORD  the password",
        "--password=prompt",
        "PR_USER_PASSWORD: Incomplete",
        "POSTGRES_PASSWORD: changeme",
        "  MYSQL_ROOT_PASSWORD: string",
        "DB_PASSWORD: dbPassword,",
        "pass: 100000",
        "ran: pass=1234ms fail=9ms",
    ]);
}

#[test]
fn a_password_inside_a_line_is_redacted() {
    let lines = [
        "psql \"host=h user=u password=@\"",
        "user=bob password=@",
        "user=bob password=@ sslmode=disable",
        "Username: bob, Password: @",
        "Log in as bob (password: @) and look.",
        "user: bob, pw: @",
        "pw=@",
        "Log in as bob with password: @.",
        "docker run --env MYSQL_ROOT_PASSWORD=@ mysql",
        "docker run -e \"MYSQL_ROOT_PASSWORD=@\"",
        "docker build --build-arg DB_PASSWORD=@ .",
        "kubectl create secret generic a --from-literal=password=@",
        "helm install --set auth.password=@",
        "terraform apply -var db_password=@",
        "terraform apply -var='db_password=@'",
        "ansible-playbook -e \"ansible_user=a ansible_password=@\"",
        "fly secrets set DATABASE_PASSWORD=@",
        "SSHPASS=@ sshpass -e ssh h",
        "cd x && PGPASSWORD=@ psql",
        "\"password=@;host=h\"",
        "{\"command\":\"psql \\\"host=h password=@\\\"\"}",
        "{\"command\":\"curl -H \\\"X-Password: @\\\" h\"}",
        "The password is @",
        "The password is @, and that is all.",
        "the root password was `@`",
        "set the password to @",
        "| password | @ |",
        "|Password|@|",
        "| user | bob | **DB password** | `@` |",
    ];
    assert_redacted(&lines, &made_up_password(), "password");
    assert_redacted(&lines, &["hunter", "2"].concat(), "password");
    assert_redacted(&["docker run -e POSTGRES_PASSWORD=@ postgres"], &["sword", "fish"].concat(), "password");
    assert_unchanged(&[
        "connect(host=host, user=user1, password=pw_from_env)",
        "    return Client(user=user, password=password2, host=host1)",
        "fmt.Printf(\"user=%s password=%s\", user, password)",
        "print(f\"user={user} password={password}\")",
        "user: string, password: string, age: number",
        "Username: required, Password: required",
        "test result: pass=1234 fail=12",
        "12 tests pass: 11 were quick",
        "the callback we pass to libgit2 (C ABI)",
        "the result set pass `evaluate=True` to give",
        "The password is hashed with bcrypt.",
        "The password is SHA256 of the salt.",
        "The password is base64 encoded.",
        "The password is 12-characters long.",
        "The password was changed in v1.2.3.",
        "Change the password to something longer.",
        "if password is None:",
        "set the token to expire after 24h",
        "| password | string | yes |",
        "| password | VARCHAR(255) | bcrypt |",
        "| `password` | varchar2 |",
        "| token | uint256 |",
    ]);
}

#[test]
fn a_password_after_a_setter_is_redacted() {
    let lines = [
        "#define DB_PASSWORD \"@\"",
        "#  define WIFI_PASS   \"@\"",
        "ENV DB_PASSWORD @",
        "setx DB_PASSWORD @",
        "set -gx DB_PASSWORD @",
        "redis-cli config set requirepass @",
        "  - name: DB_PASSWORD\n    value: @\n  - name: B\n    value: b",
        "CREATE USER a IDENTIFIED BY '@';",
        "ALTER USER 'a' IDENTIFIED WITH mysql_native_password BY '@';",
        "ALTER ROLE a WITH PASSWORD '@';",
        "SET PASSWORD FOR a = PASSWORD('@');",
        "password: !!str @",
        "config.setPassword(\"@\");",
        "    .password(\"@\")",
    ];
    assert_redacted(&lines, &made_up_password(), "password");
    assert_redacted(&["#define API_KEY \"@\"", "aws configure set aws_secret_access_key @"], &key(&[], 40), "key");
    assert_redacted(&["npm config set //r/:_authToken @"], &key(&[], 36), "token");
    assert_unchanged(&[
        "#define MAX_PASS 100000u",
        "#define AUTH_TOKEN \"X-Auth-Token\"",
        "#define PASSWORD_PROMPT \"Password: \"",
        "ENV PASSWORD_FILE /run/secrets/pw",
        "set password policy for every user",
        "git config user.password",
        "- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef:",
        "  - name: password\n    type: string\n    in: query",
        "CREATE USER app IDENTIFIED BY '${APP_PASSWORD}';",
        "the column identified by 'user_id2' is dropped",
        "user.setPassword(encoder.encode(password1));",
        "builder.withToken(tokens.getToken2());",
        "field :password, :string, redact: true",
    ]);
}

#[test]
fn a_password_on_a_known_command_line_is_redacted() {
    let lines = [
        "mysql -uroot -p@ shop < dump.sql",
        "docker exec db /usr/bin/mysqldump -u root -p'@' shop",
        "run(\"mysql -uroot -p@\")",
        "{\"command\":\"sshpass -p \\\"@\\\" ssh h\"}",
        "sshpass -p @ ssh h",
        "sshpass -p@ ssh h",
        "docker login -u me -p @ h",
        "docker login -u=me -p=@",
        "podman login --username me \\\n  --password @",
        "redis-cli -h h -a @ ping",
        "mongosh \"mongodb://h\" -u me -p @",
        "sqlcmd -S h -U sa -P @",
        "htpasswd -bc f u @",
        "htpasswd -nb u @",
        "vault login @",
        "echo @ | sudo -S apt update",
        "{\"command\":\"echo \\\"@\\\" | sudo -S ls\"}",
        "echo -n \"root:@\" | sudo chpasswd",
        "printf '@' | docker login -u me --password-stdin",
        "openssl rsa -in k -passin pass:@ -out l",
        "keytool -list -storepass @",
        "http -a bob:@ https://h",
        "curl -u user:@ https://h",
        "curl -sSu 'user:@' https://h",
        "curl --user=user:@ https://h",
        "wget --http-password=@ h",
        "smbclient //h/s -U bob%@",
        "unzip -P @ a.zip",
        "twine upload -u joe -p @ dist/*",
        "cqlsh -u joe -p @",
        "cypher-shell -u joe -p @ 'RETURN 1'",
        "rabbitmqctl add_user joe @",
        "rabbitmqctl change_password joe '@'",
        "nmcli dev wifi connect net password @",
        "aws secretsmanager create-secret --name a --secret-string @",
        "aws secretsmanager put-secret-value --secret-id a --secret-string '@'",
        "aws ssm put-parameter --name /db/password --type String --value @",
        "aws ssm put-parameter --name /db/a --type SecureString --value \"@\"",
        "ConvertTo-SecureString \"@\" -AsPlainText -Force",
        "ConvertTo-SecureString -String '@' -AsPlainText",
        "sudo -S <<< \"@\"",
        "sudo -S apt update <<< @",
        "chpasswd <<< 'root:@'",
    ];
    assert_redacted(&lines, &made_up_password(), "password");
    assert_redacted(&["mysql -uroot -p@ shop", "sshpass -p @ ssh h && ls"], &["Dragon", "&609x"].concat(), "password");
    let drawn = [
        "cargo login @",
        "echo @ | gh auth login --with-token",
        "echo @ | docker login --password-stdin",
        "rclone config create n s3 access_key_id a secret_access_key @",
        "aws secretsmanager create-secret --secret-string @",
    ];
    assert_redacted(&drawn, &key(&[], 36), "password");
    let object = format!("{{\"a\":\"{}\"}}", made_up_password());
    assert_redacted(&["aws secretsmanager create-secret --secret-string '@'"], &object, "password");
    let value = made_up_password();
    let line = format!("keytool -storepass {value} -alias a -keypass {value}");
    assert_eq!(redact(&line), line.replace(&value, "[redacted:password]"), "each of several");
    assert_unchanged(&[
        "mysql -h 127.0.0.1 -P 3306 -u root -p shop",
        "mysql -u root -p\"$MYSQL_PASSWORD\" shop",
        "sshpass -e ssh host",
        "sshpass -p \"$PASS\" ssh host",
        "docker run -p 8080:80 -e PASSWORD nginx",
        "docker login -u \"$USER\" --password-stdin",
        "echo \"$TOKEN\" | docker login h -u me --password-stdin",
        "curl -u username:password https://h",
        "curl -u \"$USER:$TOKEN\" https://h",
        "openssl rsa -passin env:KEY_PASS",
        "openssl rsa -passin file:pass.txt",
        "vault login -method=userpass username=ada",
        "htpasswd -c .htpasswd ada",
        "mongosh --port 27017 -u admin -p",
        "use `sqlcmd -P` to give it",
        "Set it with `docker login -p` or pipe it in.",
        "they speak http - a protocol",
        "echo done | sudo tee /etc/a",
        "echo -nsudo -S",
        "echo -chpasswd",
        "aws ssm put-parameter --name /app/color2 --type String --value green22",
        "aws ssm get-parameter --name /db/password --with-decryption",
        "rabbitmqctl list_users --formatter json2",
        "nmcli connection show net2",
        "ConvertTo-SecureString $password -AsPlainText",
        "run cargo login and paste the token of crates.io/me2",
        "cargo login --registry my-registry-2",
        "cat token.txt | gh auth login --with-token",
        "sudo -S <<< \"$PASSWORD\"",
        "twine check dist/* -p",
    ]);
}

#[test]
fn a_secret_url_is_redacted() {
    let check = |line: &str, value: &str, kind: &str| assert_redacted(&[line], value, kind);
    check("git clone https://@@github.com/a/b", &key(&[], 38), "url-password");
    check("https://hooks.zapier.com/hooks/catch/@/", &["1234567", "/a1b2c3d"].concat(), "zapier-webhook");
    check("https://maker.ifttt.com/trigger/a/with/key/@", &key(&[], 22), "ifttt-key");
    check("https://chat.example.org/hooks/@", &key(&[], 26).to_lowercase(), "mattermost-webhook");
    let id = ["6ba7b810-9dad-11d1", "-80b4-00c04fd430c8"].concat();
    check("https://a.webhook.office.com/webhookb2/@", &id, "teams-webhook");
    let long = format!("{id}@{id}/IncomingWebhook/{}", key(&[], 32));
    check("https://outlook.office.com/webhook/@", &long, "teams-webhook");
    check("Authorization: SSWS @", &key(&["0", "0"], 40), "okta-token");
    assert_unchanged(&[
        "https://user@example.com/a",
        "git+https://github.com/a/b@4f9a1c2b3d4e5f60718293a4b5c6d7e8f9a0b1c2",
        "https://github.com/pre-commit/pre-commit-hooks",
        ".git/hooks/prepare-commit-message",
    ]);
}
