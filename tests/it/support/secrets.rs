//! Secrets to plant: credentials in their documented forms and usual places, generated from a seed when a test runs.
//! None of them is real.

use std::fs;
use std::path::Path;

use super::Random;

/// A secret, and a text that contains it.
#[derive(Debug, Clone)]
pub struct Planted {
    /// The kind of secret.
    pub kind: &'static str,
    /// The secret, which must not be found anywhere.
    pub secret: String,
    /// The text that is planted; some have several lines.
    pub line: String,
}

const DIGITS: &str = "0123456789";
const HEX: &str = "0123456789abcdef";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const URL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// All printable ASCII characters except those that end a word or a quoted string.
const TYPED: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&()*+,-./:;<=>?@[]^_{|}~";
/// The same without characters that XML and connection strings escape.
const TYPED_IN_XML: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%()*+,-./:=?@[]^_{|}~";

/// Forms of keys: a kind, and a sequence of parts, each a literal, or an alphabet and a length. Literals that begin a
/// key are split in two, so that secret scanners find none in this file.
type Form = (&'static str, &'static [Part]);

enum Part {
    Is(&'static str),
    Of(&'static str, usize),
    /// A number of random printable characters, escaped as between double quotes.
    Quoted(usize),
}
use Part::{Is, Of, Quoted};

const KEYS: &[Form] = &[
    ("aws-key", &[Is("AK"), Is("IA"), Of(BASE32, 16)]),
    ("aws-session-key", &[Is("AS"), Is("IA"), Of(BASE32, 16)]),
    ("google-key", &[Is("AI"), Is("za"), Of(URL, 35)]),
    ("google-oauth-secret", &[Is("GOC"), Is("SPX-"), Of(URL, 28)]),
    ("google-oauth-token", &[Is("ya"), Is("29."), Of(URL, 90)]),
    ("azure-client-secret", &[Of(ALNUM, 3), Is("8Q"), Is("~"), Of(ALNUM, 34)]),
    ("alibaba-key", &[Is("LT"), Is("AI"), Of(ALNUM, 20)]),
    ("github-classic", &[Is("gh"), Is("p_"), Of(ALNUM, 36)]),
    ("github-oauth", &[Is("gh"), Is("o_"), Of(ALNUM, 36)]),
    ("github-fine", &[Is("github"), Is("_pat_"), Of(ALNUM, 22), Is("_"), Of(ALNUM, 59)]),
    ("gitlab-token", &[Is("glp"), Is("at-"), Of(URL, 20)]),
    ("gitlab-deploy-token", &[Is("gld"), Is("t-"), Of(URL, 20)]),
    ("gitlab-runner-token", &[Is("glr"), Is("t-"), Of(URL, 20)]),
    ("bitbucket-password", &[Is("AT"), Is("BB"), Of(ALNUM, 32)]),
    ("atlassian-token", &[Is("ATA"), Is("TT3xFfGF0"), Of(URL, 170), Is("="), Of(HEX, 8)]),
    ("npm-token", &[Is("np"), Is("m_"), Of(ALNUM, 36)]),
    ("pypi-token", &[Is("py"), Is("pi-AgEIcHlwaS5vcmc"), Of(URL, 150)]),
    ("rubygems-key", &[Is("ruby"), Is("gems_"), Of(HEX, 48)]),
    ("crates-io-token", &[Is("ci"), Is("o"), Of(ALNUM, 32)]),
    ("nuget-key", &[Is("oy"), Is("2"), Of(LOWER, 43)]),
    ("docker-token", &[Is("dckr"), Is("_pat_"), Of(URL, 27)]),
    ("clojars-token", &[Is("CLO"), Is("JARS_"), Of(HEX, 60)]),
    ("artifactory-key", &[Is("AK"), Is("Cp"), Of(ALNUM, 69)]),
    ("sourcegraph-token", &[Is("sg"), Is("p_"), Of(HEX, 40)]),
    ("sonarqube-token", &[Is("sq"), Is("p_"), Of(HEX, 40)]),
    ("postman-key", &[Is("PM"), Is("AK-"), Of(HEX, 24), Is("-"), Of(HEX, 34)]),
    ("circleci-token", &[Is("CCI"), Is("PAT_"), Of(ALNUM, 22), Is("_"), Of(HEX, 40)]),
    ("buildkite-token", &[Is("bk"), Is("ua_"), Of(HEX, 40)]),
    ("terraform-token", &[Of(ALNUM, 14), Is(".atla"), Is("sv1."), Of(URL, 67)]),
    ("pulumi-token", &[Is("pu"), Is("l-"), Of(HEX, 40)]),
    ("vault-token", &[Is("hv"), Is("s."), Of(URL, 95)]),
    ("doppler-token", &[Is("dp."), Is("pt."), Of(ALNUM, 43)]),
    ("databricks-token", &[Is("da"), Is("pi"), Of(HEX, 32)]),
    ("digitalocean-token", &[Is("do"), Is("p_v1_"), Of(HEX, 64)]),
    ("cloudflare-token", &[Is("cf"), Is("ut_"), Of(ALNUM, 40), Of(HEX, 8)]),
    ("heroku-key", &[Is("HR"), Is("KU-AA"), Of(ALNUM, 58)]),
    ("fly-token", &[Is("fo"), Is("1_"), Of(URL, 43)]),
    ("netlify-token", &[Is("nf"), Is("p_"), Of(ALNUM, 36)]),
    ("supabase-key", &[Is("sb"), Is("p_"), Of(HEX, 40)]),
    ("planetscale-password", &[Is("pscale"), Is("_pw_"), Of(URL, 43)]),
    ("aiven-password", &[Is("AV"), Is("NS_"), Of(URL, 19)]),
    ("tailscale-key", &[Is("tsk"), Is("ey-auth-"), Of(ALNUM, 16), Is("CNTRL-"), Of(ALNUM, 32)]),
    ("grafana-token", &[Is("gl"), Is("sa_"), Of(ALNUM, 32), Is("_"), Of(HEX, 8)]),
    ("new-relic-key", &[Is("NR"), Is("AK-"), Of(UPPER, 27)]),
    ("dynatrace-token", &[Is("dt0"), Is("c01."), Of(BASE32, 24), Is("."), Of(BASE32, 64)]),
    ("sentry-token", &[Is("sntr"), Is("yu_"), Of(HEX, 64)]),
    (
        "launchdarkly-key",
        &[
            Is("sd"),
            Is("k-"),
            Of(HEX, 8),
            Is("-"),
            Of(HEX, 4),
            Is("-"),
            Of(HEX, 4),
            Is("-"),
            Of(HEX, 4),
            Is("-"),
            Of(HEX, 12),
        ],
    ),
    (
        "onepassword-key",
        &[
            Is("A"),
            Is("3-"),
            Of(UPPER, 6),
            Is("-"),
            Of(UPPER, 6),
            Is("-"),
            Of(UPPER, 5),
            Is("-"),
            Of(UPPER, 5),
            Is("-"),
            Of(UPPER, 5),
            Is("-"),
            Of(UPPER, 5),
        ],
    ),
    ("anthropic-key", &[Is("sk-"), Is("ant-api03-"), Of(URL, 93), Is("AA")]),
    ("openai-key", &[Is("sk-"), Is("proj-"), Of(URL, 74), Is("T3Blbk"), Is("FJ"), Of(URL, 74)]),
    ("openai-old-key", &[Is("sk"), Is("-"), Of(ALNUM, 48)]),
    ("huggingface-token", &[Is("h"), Is("f_"), Of(ALNUM, 34)]),
    ("replicate-token", &[Is("r"), Is("8_"), Of(ALNUM, 37)]),
    ("groq-key", &[Is("gs"), Is("k_"), Of(ALNUM, 52)]),
    ("perplexity-key", &[Is("pp"), Is("lx-"), Of(ALNUM, 48)]),
    ("langsmith-key", &[Is("lsv2"), Is("_pt_"), Of(HEX, 32), Is("_"), Of(HEX, 10)]),
    ("stripe-key", &[Is("sk"), Is("_live_"), Of(ALNUM, 24)]),
    ("stripe-restricted-key", &[Is("rk"), Is("_test_"), Of(ALNUM, 99)]),
    ("square-token", &[Is("sq0"), Is("atp-"), Of(URL, 22)]),
    ("shopify-token", &[Is("shp"), Is("at_"), Of(HEX, 32)]),
    (
        "plaid-token",
        &[
            Is("access-"),
            Is("production-"),
            Of(HEX, 8),
            Is("-"),
            Of(HEX, 4),
            Is("-"),
            Of(HEX, 4),
            Is("-"),
            Of(HEX, 4),
            Is("-"),
            Of(HEX, 12),
        ],
    ),
    ("braintree-token", &[Is("access_"), Is("token$production$"), Of(LOWER, 16), Is("$"), Of(HEX, 32)]),
    ("easypost-key", &[Is("EZ"), Is("AK"), Of(ALNUM, 54)]),
    ("slack-bot", &[Is("xo"), Is("xb-"), Of(DIGITS, 12), Is("-"), Of(DIGITS, 12), Is("-"), Of(ALNUM, 24)]),
    ("slack-app", &[Is("xa"), Is("pp-1-A"), Of(UPPER, 10), Is("-"), Of(DIGITS, 13), Is("-"), Of(HEX, 64)]),
    ("telegram-token", &[Is("6"), Of(DIGITS, 9), Is(":A"), Is("A"), Of(URL, 33)]),
    ("twilio-key", &[Is("S"), Is("K"), Of(HEX, 32)]),
    ("sendgrid-key", &[Is("S"), Is("G."), Of(URL, 22), Is("."), Of(URL, 43)]),
    ("mailgun-key", &[Is("ke"), Is("y-"), Of(HEX, 32)]),
    ("mailchimp-key", &[Of(HEX, 32), Is("-u"), Is("s14")]),
    ("brevo-key", &[Is("xkey"), Is("sib-"), Of(HEX, 64), Is("-"), Of(ALNUM, 16)]),
    ("airtable-token", &[Is("pa"), Is("t"), Of(ALNUM, 14), Is("."), Of(HEX, 64)]),
    ("notion-token", &[Is("nt"), Is("n_"), Of(ALNUM, 46)]),
    ("linear-key", &[Is("lin"), Is("_api_"), Of(ALNUM, 40)]),
    ("adafruit-key", &[Is("ai"), Is("o_"), Of(ALNUM, 28)]),
    ("scalingo-token", &[Is("tk"), Is("-us-"), Of(ALNUM, 48)]),
    ("figma-token", &[Is("fi"), Is("gd_"), Of(URL, 40)]),
    (
        "hubspot-token",
        &[
            Is("pat-"),
            Is("na1-"),
            Of(HEX, 8),
            Is("-"),
            Of(HEX, 4),
            Is("-"),
            Of(HEX, 4),
            Is("-"),
            Of(HEX, 4),
            Is("-"),
            Of(HEX, 12),
        ],
    ),
    ("jwt", &[Is("ey"), Is("JhbGciOiJIUzI1NiJ9."), Is("ey"), Is("J"), Of(URL, 60), Is("."), Of(URL, 43)]),
];

/// Lines that contain a key without a name; `@` is the key.
const BARE: &[&str] = &[
    "let client = Client::new(\"@\");",
    "Signs in with @ for now, will be changed.",
    "    headers.insert(\"X-Custom\", '@')",
    "{\"note\": \"first line\\n@\\nlast\"}",
    "curl https://api.example.org/v1/items?k=@",
    "* `@` (expires in May)",
];

/// Lines that name a value as a secret; `@` is the value, whose alphabet and length follow.
const NAMED: &[(&str, &str, Part)] = &[
    ("env-password", "DB_PASSWORD=@", Of(TYPED, 14)),
    ("env-export", "export API_TOKEN=@", Of(ALNUM, 24)),
    ("env-quoted", "SECRET_KEY=\"@\"", Of(ALNUM, 32)),
    ("dockerfile", "ENV ADMIN_PASSWORD=@", Of(TYPED, 12)),
    ("compose", "      - POSTGRES_PASSWORD=@", Of(TYPED, 13)),
    ("yaml-password", "  password: @", Of(TYPED, 14)),
    ("yaml-quoted", "  client_secret: '@'", Of(ALNUM, 40)),
    ("yaml-list", "  - name: DB_PASSWORD\n    value: \"@\"", Quoted(16)),
    ("json-password", "{\"user\": \"ada\", \"password\": \"@\"}", Quoted(13)),
    ("json-key", "{\"apiKey\":\"@\"}", Of(HEX, 32)),
    ("json-escaped", "\"body\": \"{\\\"access_token\\\": \\\"@\\\"}\"", Of(ALNUM, 40)),
    ("toml", "api_key = \"@\"", Of(HEX, 40)),
    ("ini", "password = @", Of(TYPED, 15)),
    ("properties", "spring.datasource.password=@", Of(TYPED, 14)),
    ("rust", "const API_SECRET: &str = \"@\";", Of(BASE64, 40)),
    ("python", "    auth_token = '@'", Of(URL, 43)),
    ("python-call", "connect(host='db', password='@', port=5)", Of(TYPED, 12)),
    ("javascript", "const accessToken = `@`;", Of(ALNUM, 36)),
    ("go", "\tprivateKey := \"@\"", Of(HEX, 64)),
    ("java", "private static final String PASSWORD = \"@\";", Quoted(12)),
    ("csharp", "var secret = @\"@\";", Of(ALNUM, 32)),
    ("ruby", "config[:secret_key_base] = '@'", Of(HEX, 64)),
    ("php", "define('DB_PASSWORD', '@');", Of(TYPED, 14)),
    ("map", "settings[\"api_token\"] = \"@\"", Of(ALNUM, 28)),
    ("aws-secret", "aws_secret_access_key = @", Of(BASE64, 40)),
    ("flag", "deploy --password @ --host db", Of(ALNUM, 12)),
    ("flag-equals", "deploy --token=@", Of(ALNUM, 30)),
    ("shell-default", "PASS=${DB_PASSWORD:-@}", Of(ALNUM, 12)),
    ("xml", "<password>@</password>", Of(TYPED_IN_XML, 12)),
    ("xml-attribute", "<add key=\"ClientSecret\" value=\"@\" />", Of(ALNUM, 32)),
    ("ado", "\"Server=db;Database=a;User Id=ada;Password=@;\"", Of(TYPED_IN_XML, 12)),
    ("jdbc", "jdbc:postgresql://db/a?user=ada&password=@&ssl=true", Of(ALNUM, 12)),
    ("jdbc-oracle", "jdbc:oracle:thin:ada/@@db:1521/a", Of(ALNUM, 12)),
    (
        "azure-connection",
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=@==;EndpointSuffix=b",
        Of(BASE64, 86),
    ),
    ("url", "postgres://ada:@@db:5432/a", Of(ALNUM, 12)),
    ("url-redis", "redis://:@@cache:6379/0", Of(ALNUM, 20)),
    ("url-git", "git clone https://ada:@@git.example.org/a.git", Of(ALNUM, 20)),
    ("bearer", "Authorization: Bearer @", Of(URL, 40)),
    ("token-header", "curl -H \"Authorization: token @\" https://a", Of(HEX, 40)),
    ("api-header", "-H 'X-Api-Key: @'", Of(ALNUM, 32)),
    ("private-token", "PRIVATE-TOKEN: @", Of(URL, 20)),
    ("cookie", "Cookie: theme=dark; session=@; a=b", Of(ALNUM, 32)),
    ("set-cookie", "Set-Cookie: sid=@; Path=/; HttpOnly", Of(HEX, 40)),
    ("netrc", "machine git.example.org login ada password @", Of(TYPED, 12)),
    ("netrc-lines", "machine git.example.org\n  login ada\n  password @", Of(TYPED, 12)),
    ("pgpass", "db.example.org:5432:app:ada:@", Of(ALNUM, 12)),
    ("npmrc", "//registry.example.org/:_authToken=@", Of(HEX, 36)),
    ("curl-user", "curl -u ada:@ https://a", Of(ALNUM, 12)),
    ("markdown", "**Password:** `@`", Of(TYPED, 12)),
    ("signed-url", "https://b.example.org/a?X-Amz-Signature=@&x=1", Of(HEX, 64)),
    ("shared-access", "https://a.example.org/b?sv=2022-11-02&sig=@%3D", Of(ALNUM, 43)),
    ("slack-webhook", "https://hooks.slack.com/services/T01ABCDEF/B01ABCDEF/@", Of(ALNUM, 24)),
    ("discord-webhook", "https://discord.com/api/webhooks/123456789012345678/@", Of(URL, 68)),
    ("kubernetes-text", "kind: Secret\nmetadata:\n  name: a\nstringData:\n  anything: @\n", Of(TYPED, 14)),
    ("kubernetes-data", "apiVersion: v1\nkind: Secret\ndata:\n  tls: @\n", Of(BASE64, 64)),
    ("kubernetes-json", "{\"kind\":\"Secret\",\"data\":{\"tls\":\"@\"},\"metadata\":{\"name\":\"a\"}}", Of(BASE64, 64)),
    // A private key in base64, recognisable by its encoded header.
    ("kubeconfig", "    client-key-data: LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1J@", Of(BASE64, 1600)),
    ("long-token", "ID_TOKEN=@", Of(URL, 900)),
    ("connection", "psql \"host=db user=ada password=@\"", Of(ALNUM, 12)),
    ("container", "docker run --env MYSQL_ROOT_PASSWORD=@ mysql", Of(ALNUM, 12)),
    ("literal", "kubectl create secret generic a --from-literal=password=@", Of(ALNUM, 12)),
    ("define", "#define DB_PASSWORD \"@\"", Of(ALNUM, 14)),
    ("dockerfile-blank", "ENV DB_PASSWORD @", Of(ALNUM, 12)),
    ("yaml-list-bare", "  - name: DB_PASSWORD\n    value: @", Of(TYPED, 14)),
    ("sql-user", "CREATE USER ada IDENTIFIED BY '@';", Of(TYPED, 12)),
    ("sql-role", "ALTER ROLE ada WITH PASSWORD '@';", Of(ALNUM, 12)),
    ("setter", "config.setPassword(\"@\");", Of(TYPED, 12)),
    ("short-key", "api_key: \"@\"", Of(HEX, 12)),
    ("short-header", "curl -H \"X-Api-Key: @\" https://a", Of(LOWER, 14)),
    ("mysql", "mysql -uroot -p@ shop", Of(ALNUM, 12)),
    ("sshpass", "sshpass -p '@' ssh db", Of(TYPED, 12)),
    ("docker-login", "docker login -u ada -p @", Of(ALNUM, 12)),
    ("redis", "redis-cli -h cache -a @ ping", Of(ALNUM, 16)),
    ("mongo", "mongosh -u ada -p @", Of(ALNUM, 12)),
    ("htpasswd", "htpasswd -bc users ada @", Of(ALNUM, 12)),
    ("sudo", "echo @ | sudo -S apt update", Of(ALNUM, 12)),
    ("chpasswd", "echo \"root:@\" | chpasswd", Of(ALNUM, 12)),
    ("openssl", "openssl rsa -in k -passin pass:@", Of(ALNUM, 12)),
    ("keytool", "keytool -list -storepass @", Of(ALNUM, 12)),
    ("httpie", "http -a ada:@ https://a", Of(ALNUM, 12)),
    ("aws-configure", "aws configure set aws_secret_access_key @", Of(BASE64, 40)),
    ("url-token", "git clone https://@@git.example.org/a.git", Of(ALNUM, 38)),
    ("zapier-webhook", "https://hooks.zapier.com/hooks/catch/1234567/@/", Of(LOWER, 12)),
    ("mattermost-webhook", "https://chat.example.org/hooks/@", Of(LOWER, 26)),
    ("okta-token", "Authorization: SSWS 00@", Of(URL, 40)),
    ("sentence", "The password of the printer: the password is @.", Of(ALNUM, 12)),
    ("table", "| password | @ |", Of(ALNUM, 12)),
    ("wireguard", "PrivateKey = @=", Of(BASE64, 43)),
    ("spaced-name", "Secret Access Key: @", Of(BASE64, 40)),
    ("spaced-name-bold", "- **API Key:** @", Of(ALNUM, 32)),
    ("spaced-name-json", "{\"API Key\": \"@\"}", Of(HEX, 32)),
    ("sentence-token", "For now the token is @.", Of(ALNUM, 40)),
    ("sentence-set", "Then set API_KEY to @", Of(ALNUM, 32)),
    ("sentence-for", "the password for staging is @", Of(ALNUM, 12)),
    ("sentence-quoted", "The database password is `@`", Of(ALNUM, 12)),
    ("sentence-arrow", "password -> @", Of(ALNUM, 12)),
    ("flag-mark", "psql --password Kestrel&@ -h db", Of(ALNUM, 12)),
    ("twine", "twine upload -u ada -p @ dist/*", Of(ALNUM, 12)),
    ("rabbitmq", "rabbitmqctl add_user ada @", Of(ALNUM, 12)),
    ("secretsmanager", "aws secretsmanager create-secret --name a --secret-string @", Of(ALNUM, 16)),
    ("parameter", "aws ssm put-parameter --name /db/password --value @", Of(ALNUM, 16)),
    ("secure-string", "ConvertTo-SecureString \"@\" -AsPlainText -Force", Of(ALNUM, 12)),
    ("cargo-login", "cargo login @", Of(ALNUM, 35)),
    ("with-token", "echo @ | gh auth login --with-token", Of(ALNUM, 40)),
    ("here-string", "sudo -S apt update <<< \"@\"", Of(ALNUM, 12)),
    ("otherwise", "const key = process.env.API_KEY || \"@\";", Of(ALNUM, 32)),
    ("access-token", "AZURE_DEVOPS_PAT=@", Of(LOWER, 52)),
    ("basic-setting", "BASIC_AUTH=ada:@", Of(ALNUM, 12)),
    ("basic-call", "requests.get(u, auth=(\"ada\", \"@\"))", Of(ALNUM, 12)),
    ("bearer-joined", "headers[\"A\"] = \"Bearer \" + \"@\"", Of(ALNUM, 40)),
    ("terraform", "variable \"db_password\" { default = \"@\" }", Of(ALNUM, 12)),
    ("inserted", "INSERT INTO users (name, password) VALUES ('ada', '@');", Of(ALNUM, 12)),
    ("table-aws", "|  SecretAccessKey |  @ |", Of(BASE64, 40)),
];

/// Headers of private keys, split so that this file contains none.
const ARMOURS: &[(&str, &str)] = &[
    ("rsa-key", "RSA PRIVATE"),
    ("pkcs8-key", "PRIVATE"),
    ("encrypted-key", "ENCRYPTED PRIVATE"),
    ("ec-key", "EC PRIVATE"),
    ("openssh-key", "OPENSSH PRIVATE"),
];

/// The number of values in the large Kubernetes secret.
const LARGE: usize = 300;

/// The number of secrets generated per form.
const EACH: usize = 3;

/// Generates over 500 secrets of over 160 kinds; the same for the same seed.
pub fn secrets(seed: u64) -> Vec<Planted> {
    let random = &mut Random::new(seed);
    let mut all = Vec::new();
    for (kind, parts) in KEYS {
        for _ in 0..EACH {
            let secret: String = parts.iter().map(|part| part.drawn(random)).collect();
            let line = random.pick(BARE).replacen('@', &secret, 1);
            all.push(Planted { kind, secret, line });
        }
    }
    for (kind, form, value) in NAMED {
        for _ in 0..EACH {
            let secret = value.drawn(random);
            // If there are two, the last one is part of the form itself.
            let marks: Vec<usize> = form.match_indices('@').map(|(at, _)| at).collect();
            let at = if *kind == "csharp" { marks[1] } else { marks[0] };
            let line = format!("{}{secret}{}", &form[..at], &form[at + 1..]);
            all.push(Planted { kind, secret, line });
        }
    }
    for (kind, armour) in ARMOURS {
        let lines: Vec<String> = (0..6).map(|_| Of(BASE64, 64).drawn(random)).collect();
        let line = format!("-----BEGIN {armour} KEY-----\n{}\n-----END {armour} KEY-----", lines.join("\n"));
        all.extend(lines.into_iter().map(|secret| Planted { kind, secret, line: line.clone() }));
    }
    let values: Vec<String> = (0..LARGE).map(|_| Of(BASE64, 64).drawn(random)).collect();
    let data: String = values.iter().enumerate().map(|(n, value)| format!("  a{n}: {value}\n")).collect();
    let line = format!("apiVersion: v1\ndata:\n{data}kind: Secret\n");
    let some = [0, LARGE / 2, LARGE - 1].map(|at| values[at].clone());
    all.extend(some.map(|secret| Planted { kind: "kubernetes-large", secret, line: line.clone() }));
    all
}

/// Returns which of the secrets any file of a folder contains, and the file.
pub fn held(folder: &Path, planted: &[Planted]) -> Vec<String> {
    let mut held = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path).unwrap_or_default();
            held.extend(standing(&bytes, planted).into_iter().map(|what| format!("{}: {what}", path.display())));
        }
    }
    held
}

/// The length from which a substring of a password is unlikely to occur by chance.
const PART: usize = 7;

/// Returns which of the secrets occur in bytes, whole or, as in a full text index, in lower-case parts.
pub fn standing(bytes: &[u8], planted: &[Planted]) -> Vec<String> {
    // A full text index stores lower-case words separately; the longest part of a secret is one of them.
    let small = bytes.to_ascii_lowercase();
    let text = String::from_utf8_lossy(&small);
    let stands = |one: &&Planted| {
        let secret = one.secret.to_ascii_lowercase();
        let longest =
            secret.split(|c: char| !c.is_ascii_alphanumeric()).max_by_key(|part| part.len()).unwrap_or_default();
        // If the secret has punctuation, a part other than the longest may be left.
        let is_typed = secret.bytes().any(|byte| byte.is_ascii_punctuation() && !b"-_.+/=~$".contains(&byte));
        let has_part =
            is_typed && secret.as_bytes().windows(PART).any(|part| text.contains(&*String::from_utf8_lossy(part)));
        text.contains(&secret) || (longest.len() >= 10 && text.contains(longest)) || has_part
    };
    planted.iter().filter(stands).map(|one| format!("{} {}", one.kind, one.secret)).collect()
}

impl Part {
    /// Generates the part: the literal, or random characters that are never all letters or all digits. If punctuation
    /// is allowed, the text begins with a letter or digit, as many forms require, and does not end like a line of code.
    fn drawn(&self, random: &mut Random) -> String {
        let (alphabet, length) = match self {
            Is(literal) => return literal.to_string(),
            Of(alphabet, length) => (alphabet.to_string(), *length),
            Quoted(length) => (TYPED.to_string() + "\"'`\\", *length),
        };
        let letters = alphabet.as_bytes();
        loop {
            let drawn: String = (0..length).map(|_| char::from(*random.pick(letters))).collect();
            // A short one may happen to look like a word, and could not be distinguished from one.
            let is_sort = |sort: fn(&u8) -> bool| letters.iter().any(sort) && length >= 8;
            let lacks = |sort: fn(&u8) -> bool| is_sort(sort) && !drawn.as_bytes().iter().any(sort);
            let begins = !alphabet.contains('!') || drawn.starts_with(|first: char| first.is_ascii_alphanumeric());
            let ends = !drawn.ends_with([',', ';', '(', '[', '{', ':']);
            if begins && ends && !lacks(u8::is_ascii_digit) && !lacks(u8::is_ascii_lowercase) {
                return match self {
                    Quoted(_) => drawn.replace('\\', "\\\\").replace('"', "\\\""),
                    _ => drawn,
                };
            }
        }
    }
}
