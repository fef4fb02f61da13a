//! The table of known secrets. Refusal: no rule without a strict beginning, as a rule that guesses eats ordinary code.

/// One kind of secret.
pub(super) struct Rule {
    /// The kind of secret, as it is shown.
    pub name: &'static str,
    /// How the secret begins: literals, or classes small enough to be searched for as literals.
    pub starts: &'static str,
    pub left: Left,
    /// The whole form, matched where a start is. Only the group `secret` is replaced, or everything without one.
    pub form: &'static str,
}

/// What may stand to the left of a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// Anything.
    Any,
    /// No letter, digit or underscore: the secret is a word of its own.
    Word,
    /// Not even a hyphen: inside of base64 a start is an accident.
    Base64,
}

/// More specific starts come first. A form may scan only what it consumes or what no other start can lie in: that is
/// what keeps the whole linear.
pub(super) const RULES: &[Rule] = &[
    Rule { name: "aws-key", starts: "AKIA|ASIA", left: Left::Word, form: r"(?:AKIA|ASIA)[A-Z0-9]{16}(?-u:\b)" },
    Rule {
        name: "github-token",
        starts: "gh[pousr]_|github_pat_",
        left: Left::Word,
        form: r"(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})",
    },
    Rule { name: "gitlab-token", starts: "glpat-", left: Left::Word, form: r"glpat-[A-Za-z0-9_.-]{20,}" },
    Rule {
        name: "slack-token",
        starts: "xox[abeoprs]|xapp-",
        left: Left::Word,
        form: r"(?:xox[abeoprs](?:\.[a-z]{4})?|xapp)-[0-9][A-Za-z0-9-]{9,}",
    },
    Rule {
        name: "stripe-key",
        starts: "[sr]k_live_|[sr]k_test_",
        left: Left::Word,
        form: r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,}",
    },
    Rule { name: "google-key", starts: "AIza", left: Left::Word, form: r"AIza[A-Za-z0-9_-]{35,}" },
    Rule { name: "anthropic-key", starts: "sk-ant-", left: Left::Word, form: r"sk-ant-[A-Za-z0-9_-]{20,}" },
    Rule {
        name: "openai-key",
        starts: "sk-",
        left: Left::Word,
        form: r"sk-(?:(?:proj|svcacct|admin|None|or-v1)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{20,})",
    },
    Rule { name: "npm-token", starts: "npm_", left: Left::Word, form: r"npm_[A-Za-z0-9]{36,}" },
    Rule { name: "pypi-token", starts: "pypi-", left: Left::Word, form: r"pypi-[A-Za-z0-9_-]{50,}" },
    Rule {
        name: "sendgrid-key",
        starts: r"SG\.",
        left: Left::Word,
        form: r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,}",
    },
    Rule { name: "twilio-key", starts: "SK[0-9a-f]", left: Left::Word, form: r"SK[0-9a-f]{32}(?-u:\b)" },
    Rule { name: "huggingface-token", starts: "hf_", left: Left::Word, form: r"hf_[A-Za-z0-9]{30,}" },
    Rule { name: "digitalocean-token", starts: "do[opr]_v1_", left: Left::Word, form: r"do[opr]_v1_[a-f0-9]{64}" },
    Rule {
        name: "jwt",
        starts: "eyJ",
        left: Left::Base64,
        form: r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
    },
    Rule {
        // With its end: anything that key files hold. Without: long lines of base64 and the rest of the last one.
        name: "private-key",
        starts: "-----BEGIN ",
        left: Left::Any,
        form: concat!(
            r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:",
            r#"(?:[A-Za-z0-9+/=\s\\"',:.]|-[A-Za-z0-9+/=\s\\"',:.])*"#,
            r"-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----",
            r#"|(?:(?:[\s"',+#*>|\\]|\\[nr]|(?:Proc-Type|DEK-Info|Version|Comment):[^\n\\]*)*[A-Za-z0-9+/]{20,}={0,2})+"#,
            r#"(?:(?:[\s"',+#*>|\\]|\\[nr])*[A-Za-z0-9+/]{1,19}={0,2})?)"#,
        ),
    },
    Rule {
        // The user and the host stay; a placeholder such as {password}, $PASSWORD or %s is no secret.
        name: "url-password",
        starts: "://",
        left: Left::Any,
        form: concat!(
            r#"://(?:\[redacted:[a-z-]+\]|[^\s:/?#@\[\]"'<>`])*:"#,
            r#"(?:(?:\{[^{}\s/@]*\}|\$\{?[A-Za-z0-9_]+\}?|%[sdv]|\*+|\[redacted:[a-z-]+\])@|"#,
            r#"(?P<secret>[^\s/"'<>`]+)@)"#,
        ),
    },
    Rule {
        name: "authorization",
        starts: "Authorization|authorization|AUTHORIZATION",
        left: Left::Any,
        form: concat!(
            r#"(?i:authorization)["'\\]{0,2}[ \t]{0,8}[:=,]{1,2}[ \t]{0,8}["'\\]{0,2}(?i:bearer|basic|token)[ \t]{1,8}"#,
            // Prose has no such word: a digit, a capital, or padding must be in it.
            r"(?P<secret>[a-z._~+/-]{0,200}[A-Z0-9=][A-Za-z0-9._~+/=-]{7,}",
            r"|[a-z._~+/-]{7,200}[A-Z0-9=][A-Za-z0-9._~+/=-]*)",
        ),
    },
];
