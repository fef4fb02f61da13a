//! Registry of all secret rules, by family.
//!
//! Invariants: every rule has an anchor literal, since rules that guess would redact ordinary code; no rule is copied
//! from another tool.

mod cloud;
mod code;
mod delivery;
mod keys;
mod messages;
mod models;
mod payment;
mod services;

use super::rule::Rule;

/// Returns the rules of all families.
///
/// Among rules that share an anchor the first match wins, so special rules precede general ones.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    let families = [
        code::CODE_RULES,
        cloud::CLOUD_RULES,
        delivery::DELIVERY_RULES,
        models::MODELS_RULES,
        payment::PAYMENT_RULES,
        messages::MESSAGES_RULES,
        services::SERVICES_RULES,
    ];
    families
        .into_iter()
        .flatten()
        .chain(keys::PRIVATE_KEY_RULES)
        .chain(super::kubernetes::KUBERNETES_RULES)
        .chain(super::fixed_syntax::FIXED_SYNTAX_RULES)
        .chain(super::command::COMMAND_RULES)
        .chain(super::named::NAMED_VALUE_RULES)
        .chain(super::tables::TABLE_RULES)
}

#[cfg(test)]
mod tests {
    use super::super::checksum::tests::{base58_check, bech32};
    use super::super::pattern::{ByteClass, KeyPiece};
    use super::super::rule::Matcher;
    use super::super::{find, redact};
    use super::*;

    /// Returns a run of an alphabet that mixes lower case, digits and capitals.
    fn run(class: ByteClass, length: usize, shift: usize) -> String {
        let mixed = b"a7Kb3Xc9Qd1Ze5Rf8Wg2Uh4Vj6Tk0YmLnPpSqNrMsDtFuGvHwJxByCzAE";
        let letters: Vec<u8> = mixed.iter().copied().filter(|byte| class.has(*byte)).collect();
        (0..length).map(|at| char::from(letters[(at * 7 + shift) % letters.len()])).collect()
    }

    /// Returns a key that the rule must find; `None` if the rule requires more than its format.
    fn sample(rule: &Rule, start: &str) -> Option<String> {
        let (Matcher::Whole(pieces) | Matcher::AfterAnchor(pieces)) = rule.matcher else { return None };
        let mut key = start.to_string();
        for (shift, piece) in pieces.iter().enumerate() {
            match piece {
                KeyPiece::Text(text) => key.push_str(text),
                KeyPiece::OneOf(texts) => key.push_str(texts[0]),
                KeyPiece::Run(class, least, most) => key.push_str(&run(*class, (*least).max(16).min(*most), shift * 5)),
            }
        }
        match rule.kind {
            "nostr-key" => Some(bech32("nsec", &"qpzry9x8".repeat(8)[..52])),
            // The version bytes, and 74 bytes of payload.
            "wallet-key" if start == "xprv" => Some(base58_check(&[&[0x04, 0x88, 0xad, 0xe4][..], &[7; 74]].concat())),
            "wallet-key" => None,
            "discord-token" if start != "MT" => None,
            // The bot's number in base64.
            "discord-token" => {
                Some(key.replacen(key.split('.').next()?, &["MTIzNDU2Nzg5", "MDEyMzQ1Njc4"].concat(), 1))
            }
            "jwt" => Some(key.replacen(key.split('.').next()?, &["eyJhbGci", "OiJkaXIifQ"].concat(), 1)),
            _ => Some(key),
        }
    }

    #[test]
    fn every_rule_finds_its_own_sample() {
        let mut kinds = std::collections::BTreeSet::new();
        for rule in all() {
            for start in rule.anchors {
                kinds.insert(rule.kind);
                let Some(key) = sample(rule, start) else { continue };
                let places = [("", ""), ("\"", "\";"), ("{\"a\":\"b\\n", "\\n\"}"), ("a=", " b"), ("(", ")")];
                for (left, right) in places {
                    let text = format!("{left}{key}{right}");
                    let found = find(&text);
                    assert_eq!(found.len(), 1, "{} in {text}: {found:?}", rule.kind);
                    assert_eq!(found[0].end, left.len() + key.len(), "{} in {text}: {found:?}", rule.kind);
                    assert_eq!(redact(&redact(&text)), redact(&text), "{text}");
                }
            }
        }
        assert!(kinds.len() > 130, "{} kinds", kinds.len());
    }

    #[test]
    fn a_run_of_one_letter_is_no_key() {
        for rule in all() {
            let Matcher::Whole(pieces) = rule.matcher else { continue };
            let alike = |piece: &KeyPiece| match piece {
                KeyPiece::Text(text) => (*text).to_string(),
                KeyPiece::OneOf(texts) => texts[0].to_string(),
                KeyPiece::Run(class, least, _) => if class.has(b'X') { "X" } else { "a" }.repeat(*least),
            };
            let text = rule.anchors[0].to_string() + &pieces.iter().map(alike).collect::<String>();
            let is_own = find(&text).iter().any(|found| found.kind == rule.kind && found.start == 0);
            // With literals between the runs, the text may still be varied enough.
            assert!(!is_own || pieces.len() > 1, "{} in {text}", rule.kind);
        }
    }
}
