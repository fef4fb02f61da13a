//! Classifies authors as humans, bots or AI agents, by name and address. A first name alone is not enough, since people
//! are called Claude and Devin too.

/// Words in the names of agents.
const AGENTS: &[&str] =
    &["aider", "amp", "claude", "codex", "copilot", "cursor", "devin", "gemini", "jules", "openhands"];
/// Addresses that agents write into commits and trailers, whatever their name.
const AGENT_ADDRESSES: &[&str] = &[
    "aider@aider.chat",
    "amp@ampcode.com",
    "codex@openai.com",
    "cursoragent@cursor.com",
    "noreply@aider.chat",
    "noreply@anthropic.com",
    "openhands@all-hands.dev",
];
/// GitHub logins of agents.
const AGENT_LOGINS: &[&str] = &["copilot"];
/// The names of bots, with words joined by hyphens.
const BOTS: &[&str] = &[
    "bors",
    "bot",
    "dependabot",
    "github-action",
    "github-actions",
    "greenkeeper",
    "mergify",
    "pre-commit-ci",
    "renovate",
    "robot",
    "semantic-release",
];

/// Returns `human`, `bot` or `agent`.
pub(super) fn kind_of(name: &str, email: &str) -> &'static str {
    let (name, email) = (name.to_lowercase(), email.to_lowercase());
    let (local, host) = email.split_once('@').unwrap_or((&email, ""));
    // GitHub writes `number+login@users.noreply.github.com`.
    let login = local.split_once('+').map_or(local, |(_, login)| login);
    let is_app = name.contains("[bot]") || login.contains("[bot]");
    let is_automation = is_app || login == "noreply" || contains_name(&name, &["agent", "bot"]);
    if AGENT_ADDRESSES.contains(&email.as_str())
        || host == "users.noreply.github.com" && AGENT_LOGINS.contains(&login)
        || is_automation && (contains_name(&name, AGENTS) || is_app && contains_name(login, AGENTS))
    {
        "agent"
    } else if is_app || contains_name(&name, BOTS) {
        "bot"
    } else {
        "human"
    }
}

/// Returns whether a text contains one of some names as whole words.
fn contains_name(text: &str, names: &[&str]) -> bool {
    let words: Vec<&str> =
        text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let spelled = format!("-{}-", words.join("-"));
    names.iter().any(|name| spelled.contains(&format!("-{name}-")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, email: &str, expect: &str) {
        assert_eq!(kind_of(name, email), expect, "{name} <{email}>");
    }

    #[test]
    fn people_are_people_whatever_they_are_called() {
        check("Ada Lovelace", "ada@example.org", "human");
        check("Claude Monet", "claude@example.org", "human");
        check("Claude Martin", "1234+cmartin@users.noreply.github.com", "human");
        check("Devin Smith", "devin@users.noreply.github.com", "human");
        check("Jane Roe", "jane@anthropic.com", "human");
        check("Jane Roe (aider)", "jane@example.org", "human");
        check("Sam Osborsen", "sam@example.org", "human");
        check("Ann Abbot", "ann@example.org", "human");
        check("", "", "human");
    }

    #[test]
    fn bots_are_known_by_what_they_are_called() {
        check("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com", "bot");
        check("dependabot-preview[bot]", "27856297+dependabot-preview[bot]@users.noreply.github.com", "bot");
        check("renovate[bot]", "29139614+renovate[bot]@users.noreply.github.com", "bot");
        check("Renovate Bot", "renovate@whitesourcesoftware.com", "bot");
        check("GitHub Actions", "actions@github.com", "bot");
        check("github-actions", "41898282+github-actions[bot]@users.noreply.github.com", "bot");
        check("semantic-release-bot", "semantic-release-bot@martynus.net", "bot");
        check("Kubernetes Prow Robot", "k8s-ci-robot@users.noreply.github.com", "bot");
        check("Release Bot", "ci@example.org", "bot");
        check("bors", "bors@rust-lang.org", "bot");
    }

    #[test]
    fn agents_are_known_by_their_addresses_or_by_saying_so() {
        check("Claude", "noreply@anthropic.com", "agent");
        check("Claude Opus 4.6 (1M context)", "noreply@anthropic.com", "agent");
        check("claude[bot]", "209825114+claude[bot]@users.noreply.github.com", "agent");
        check("Copilot", "175728472+Copilot@users.noreply.github.com", "agent");
        check("copilot-swe-agent[bot]", "198982749+Copilot@users.noreply.github.com", "agent");
        check("Cursor", "cursoragent@cursor.com", "agent");
        check("Cursor Agent", "agent@example.org", "agent");
        check("Codex", "codex@openai.com", "agent");
        check("Devin AI", "158243242+devin-ai-integration[bot]@users.noreply.github.com", "agent");
        check("google-labs-jules[bot]", "161369871+google-labs-jules[bot]@users.noreply.github.com", "agent");
        check("gemini-code-assist[bot]", "176961590+gemini-code-assist[bot]@users.noreply.github.com", "agent");
        check("aider (gpt-4o)", "noreply@aider.chat", "agent");
    }
}
