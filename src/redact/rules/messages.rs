//! Rules for messaging services and incoming webhooks.
//!
//! Sender ids are not covered.

use super::super::checksum::{crc62, is_number};
use super::super::pattern::ByteClass::{Alnum, Base64, Digit, Dotted, Hex, Lower, Padded, Url, Word};
use super::super::pattern::KeyPiece::{OneOf, Run, Text};
use super::super::pattern::{UUID, at_least, exactly};
use super::super::rule::{AnchorMatch, LeftBoundary, MinVariety, Rule, after, find, key};

/// Rules for messaging services and webhooks.
pub(super) const MESSAGES_RULES: &[Rule] = &[
    key(
        "slack-token",
        &["xoxa", "xoxb", "xoxc", "xoxd", "xoxe", "xoxo", "xoxp", "xoxr", "xoxs"],
        &[Text("-"), at_least(Url, 10)],
    )
    .variety(MinVariety::Digits),
    key("slack-token", &["xoxe.xox"], &[OneOf(&["b-", "p-"]), at_least(Url, 10)]).variety(MinVariety::Digits),
    key("slack-token", &["xapp-"], &[exactly(Digit, 1), at_least(Url, 9)]).variety(MinVariety::Variety),
    after(
        "slack-webhook",
        &["slack.com/"],
        &[
            OneOf(&["services/", "workflows/", "triggers/"]),
            at_least(Word, 8),
            Text("/"),
            at_least(Word, 8),
            Text("/"),
            at_least(Alnum, 16),
        ],
    ),
    after("discord-webhook", &["m/api/webhooks/"], &[at_least(Digit, 15), Text("/"), at_least(Url, 40)]),
    after(
        "teams-webhook",
        &[".office.com/webhookb2/", ".office.com/webhook/"],
        &[at_least(Url, 36), Text("@"), at_least(Url, 36), Text("/IncomingWebhook/"), at_least(Alnum, 20)],
    ),
    after("teams-webhook", &[".office.com/webhookb2/", ".office.com/webhook/"], &[at_least(Url, 36)]),
    after("zapier-webhook", &["zapier.com/hooks/catch/"], &[at_least(Digit, 4), Text("/"), at_least(Alnum, 5)]),
    after("ifttt-key", &["/with/key/"], &[at_least(Url, 20)]),
    after("mattermost-webhook", &["/hooks/"], &[exactly(Lower, 26)]).variety(MinVariety::Digits),
    after("feishu-webhook", &["/open-apis/bot/v2/hook/"], UUID),
    key(
        "discord-token",
        &["MD", "MT", "MJ", "MZ", "MT", "Mj", "Mz", "ND", "NT", "Nj", "Nz", "OD", "OT"],
        &[Run(Url, 20, 28), Text("."), exactly(Url, 6), Text("."), Run(Url, 27, 45)],
    )
    .left(LeftBoundary::Base64)
    .must_satisfy(|token| token.split(|byte| *byte == b'.').next().is_some_and(is_number)),
    find("telegram-token", &[":AA"], telegram_token),
    key("twilio-key", &["SK"], &[exactly(Hex, 32)]),
    key("sendgrid-key", &["SG."], &[Run(Url, 16, 32), Text("."), at_least(Url, 32)]),
    key("mailgun-key", &["key-"], &[exactly(Hex, 32)]),
    find("mailchimp-key", &["-us"], mailchimp_key),
    key("mandrill-key", &["md-"], &[exactly(Url, 22)]).left(LeftBoundary::Base64).variety(MinVariety::Digits),
    key("brevo-key", &["xkeysib-", "xsmtpsib-"], &[exactly(Hex, 64), Text("-"), at_least(Alnum, 12)]),
    key("resend-key", &["re_"], &[exactly(Alnum, 8), Text("_"), at_least(Alnum, 20)]).left(LeftBoundary::Base64),
    key("mailersend-key", &["mlsn."], &[exactly(Hex, 64)]),
    key("intercom-token", &["dG9rO"], &[at_least(Padded, 50)]),
    // The last part is a CRC-32 of the others.
    key("matrix-token", &["syt_"], &[at_least(Base64, 2), Text("_"), exactly(Alnum, 20), Text("_"), exactly(Alnum, 6)])
        .proven_by(|token| token.len() > 7 && crc62(&token[..token.len() - 7]) == token[token.len() - 6..]),
    key("pubnub-key", &["sec-c-"], &[at_least(Base64, 40)]),
    key("onesignal-key", &["os_v2_app_", "os_v2_org_"], &[at_least(Lower, 90)]),
    find("firebase-key", &[":APA91b"], firebase_token),
    key("facebook-token", &["EAAC", "EAAB", "EAAG", "EAAM", "EAAJ", "EAAL", "EAAD"], &[at_least(Alnum, 80)])
        .left(LeftBoundary::Base64),
    key("instagram-token", &["IGQV", "IGAA"], &[at_least(Url, 100)]).left(LeftBoundary::Base64),
    key("twitter-token", &["AAAAAAAAAAAAAAAAAAAAA"], &[Run(Alnum, 5, 40), Text("%"), at_least(Alnum, 20)])
        .left(LeftBoundary::Base64),
    key("twitch-token", &["oauth:"], &[exactly(Lower, 30)]),
    key("linkedin-secret", &["WPL_AP1."], &[at_least(Dotted, 16)]),
];

/// Matches a Telegram bot token: the bot's number before the anchor, the token after it.
fn telegram_token(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let left = &anchor.text[anchor.scanned..anchor.start];
    let before = anchor.before(11, |byte| Digit.has(byte));
    let left = &left[..left.len() - before];
    // API URLs have `/bot` right before the token.
    let is_word = LeftBoundary::Word.allows(left) || left.ends_with(b"bot");
    let behind = Url.run(&anchor.text[anchor.end..], 40);
    ((8..=10).contains(&before) && is_word && (32..=34).contains(&behind))
        .then_some((anchor.start - before, anchor.end + behind))
}

/// Matches a Mailchimp key: 32 hexadecimal digits before the anchor, the data centre's number after it.
fn mailchimp_key(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let before = anchor.before(33, |byte| Hex.has(byte));
    let behind = Digit.run(&anchor.text[anchor.end..], 3);
    (before == 32 && (1..=2).contains(&behind)).then_some((anchor.start - before, anchor.end + behind))
}

/// Matches a Firebase registration token: the instance id before the anchor, the token after it.
fn firebase_token(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let before = anchor.before(40, |byte| Url.has(byte));
    let behind = Url.run(&anchor.text[anchor.end..], usize::MAX);
    (before >= 7 && behind >= 100).then_some((anchor.start - before, anchor.end + behind))
}
