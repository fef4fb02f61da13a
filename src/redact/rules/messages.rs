//! What sends messages: chats, mail, telephones, and the hooks that anybody may post to. Refuses ids of senders.

use super::super::checksum::{crc62, is_number};
use super::super::form::Class::{Alnum, Base64, Digit, Dotted, Hex, Lower, Padded, Url, Word};
use super::super::form::Piece::{Any, Run, Text};
use super::super::form::{UUID, from, of};
use super::super::may_follow;
use super::{Left, Need, Place, Rule, after, find, key};

pub(super) const RULES: &[Rule] = &[
    key(
        "slack-token",
        &["xoxa", "xoxb", "xoxc", "xoxd", "xoxe", "xoxo", "xoxp", "xoxr", "xoxs"],
        &[Text("-"), from(Url, 10)],
    )
    .needs(Need::Digits),
    key("slack-token", &["xoxe.xox"], &[Any(&["b-", "p-"]), from(Url, 10)]).needs(Need::Digits),
    key("slack-token", &["xapp-"], &[of(Digit, 1), from(Url, 9)]).needs(Need::Variety),
    after(
        "slack-webhook",
        &["slack.com/"],
        &[
            Any(&["services/", "workflows/", "triggers/"]),
            from(Word, 8),
            Text("/"),
            from(Word, 8),
            Text("/"),
            from(Alnum, 16),
        ],
    ),
    after("discord-webhook", &["m/api/webhooks/"], &[from(Digit, 15), Text("/"), from(Url, 40)]),
    after(
        "teams-webhook",
        &[".office.com/webhookb2/", ".office.com/webhook/"],
        &[from(Url, 36), Text("@"), from(Url, 36), Text("/IncomingWebhook/"), from(Alnum, 20)],
    ),
    after("teams-webhook", &[".office.com/webhookb2/", ".office.com/webhook/"], &[from(Url, 36)]),
    after("zapier-webhook", &["zapier.com/hooks/catch/"], &[from(Digit, 4), Text("/"), from(Alnum, 5)]),
    after("ifttt-key", &["/with/key/"], &[from(Url, 20)]),
    after("mattermost-webhook", &["/hooks/"], &[of(Lower, 26)]).needs(Need::Digits),
    after("feishu-webhook", &["/open-apis/bot/v2/hook/"], UUID),
    key(
        "discord-token",
        &["MD", "MT", "MJ", "MZ", "MT", "Mj", "Mz", "ND", "NT", "Nj", "Nz", "OD", "OT"],
        &[Run(Url, 20, 28), Text("."), of(Url, 6), Text("."), Run(Url, 27, 45)],
    )
    .left(Left::Base64)
    .only(|token| token.split(|byte| *byte == b'.').next().is_some_and(is_number)),
    find("telegram-token", &[":AA"], telegram),
    key("twilio-key", &["SK"], &[of(Hex, 32)]),
    key("sendgrid-key", &["SG."], &[Run(Url, 16, 32), Text("."), from(Url, 32)]),
    key("mailgun-key", &["key-"], &[of(Hex, 32)]),
    find("mailchimp-key", &["-us"], mailchimp),
    key("mandrill-key", &["md-"], &[of(Url, 22)]).left(Left::Base64).needs(Need::Digits),
    key("brevo-key", &["xkeysib-", "xsmtpsib-"], &[of(Hex, 64), Text("-"), from(Alnum, 12)]),
    key("resend-key", &["re_"], &[of(Alnum, 8), Text("_"), from(Alnum, 20)]).left(Left::Base64),
    key("mailersend-key", &["mlsn."], &[of(Hex, 64)]),
    key("intercom-token", &["dG9rO"], &[from(Padded, 50)]),
    // Its last part is a CRC-32 of the others.
    key("matrix-token", &["syt_"], &[from(Base64, 2), Text("_"), of(Alnum, 20), Text("_"), of(Alnum, 6)])
        .holds(|token| token.len() > 7 && crc62(&token[..token.len() - 7]) == token[token.len() - 6..]),
    key("pubnub-key", &["sec-c-"], &[from(Base64, 40)]),
    key("onesignal-key", &["os_v2_app_", "os_v2_org_"], &[from(Lower, 90)]),
    find("firebase-key", &[":APA91b"], firebase),
    key("facebook-token", &["EAAC", "EAAB", "EAAG", "EAAM", "EAAJ", "EAAL", "EAAD"], &[from(Alnum, 80)])
        .left(Left::Base64),
    key("instagram-token", &["IGQV", "IGAA"], &[from(Url, 100)]).left(Left::Base64),
    key("twitter-token", &["AAAAAAAAAAAAAAAAAAAAA"], &[Run(Alnum, 5, 40), Text("%"), from(Alnum, 20)])
        .left(Left::Base64),
    key("twitch-token", &["oauth:"], &[of(Lower, 30)]),
    key("linkedin-secret", &["WPL_AP1."], &[from(Dotted, 16)]),
];

/// The bot's number, and what follows the colon.
fn telegram(place: &Place) -> Option<(usize, usize)> {
    let left = &place.text[place.done..place.start];
    let before = place.before(11, |byte| Digit.has(byte));
    let left = &left[..left.len() - before];
    // As in an address of the interface, `/bot` and the token.
    let is_word = may_follow(left, Left::Word) || left.ends_with(b"bot");
    let behind = Url.run(&place.text[place.after..], 40);
    ((8..=10).contains(&before) && is_word && (32..=34).contains(&behind))
        .then_some((place.start - before, place.after + behind))
}

/// 32 hexadecimal digits before, the number of a data centre behind.
fn mailchimp(place: &Place) -> Option<(usize, usize)> {
    let before = place.before(33, |byte| Hex.has(byte));
    let behind = Digit.run(&place.text[place.after..], 3);
    (before == 32 && (1..=2).contains(&behind)).then_some((place.start - before, place.after + behind))
}

/// An instance's id and the token of it.
fn firebase(place: &Place) -> Option<(usize, usize)> {
    let before = place.before(40, |byte| Url.has(byte));
    let behind = Url.run(&place.text[place.after..], usize::MAX);
    (before >= 7 && behind >= 100).then_some((place.start - before, place.after + behind))
}
