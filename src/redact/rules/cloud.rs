//! Clouds: what signs requests to them and opens their stores. Refuses identifiers that open nothing by themselves, but
//! for the ids of access keys, which lead to one.

use super::super::form::Class::{Alnum, Base64, Dotted, Hex, Padded, Upper, Url};
use super::super::form::Piece::{Any, Run, Text};
use super::super::form::{UUID, from, of};
use super::{Left, Need, Place, Rule, after, find, key};

pub(super) const RULES: &[Rule] = &[
    // Base 32, so 0, 1, 8 and 9 are in none; a rule that let a key with them stand would gain nothing.
    key("aws-key", &["AKIA", "ASIA", "ABIA", "ACCA"], &[of(Upper, 16)]).needs(Need::Variety),
    key("aws-bedrock-key", &["ABSK"], &[from(Padded, 100)]),
    key("aws-bedrock-key", &["bedrock-api-key-"], &[from(Padded, 60)]),
    key("aws-session-token", &["IQoJb3JpZ2lu", "FwoGZXIvYXdz", "FQoGZXIvYXdz"], &[from(Padded, 100)])
        .left(Left::Base64),
    key("aws-marketplace-key", &["amzn.mws."], UUID),
    after("signed-url", &["X-Amz-Signature="], &[of(Hex, 64)]),
    after("signed-url", &["X-Amz-Security-Token="], &[from(Url, 40)]),
    after("signed-url", &["X-Goog-Signature="], &[from(Hex, 64)]),
    find("signed-url", &["?sig=", "&sig=", ";sig="], shared_access),
    key("google-key", &["AIza"], &[from(Url, 35)]),
    key("google-oauth-secret", &["GOCSPX-"], &[from(Url, 20)]),
    key("google-oauth-token", &["ya29."], &[from(Dotted, 20)]),
    key("google-refresh-token", &["1//0"], &[from(Url, 30)]),
    find("azure-client-secret", &["Q~"], client_secret),
    find("azure-devops-token", &["AZDO"], devops),
    find("azure-key", &["JQQJ9"], identifiable),
    find(
        "azure-key",
        &["+ASt", "+ABa", "+ASb", "+AEh", "+ARm", "+ACR", "ACDb", "AIoT", "AzCa", "AzFu", "AzSe"],
        identifiable,
    ),
    key("alibaba-key", &["LTAI"], &[Run(Alnum, 12, 24)]),
    key("tencent-key", &["AKID"], &[Run(Alnum, 32, 40)]),
    key("yandex-key", &["AQVN"], &[from(Url, 35)]),
    key("yandex-token", &["y0_"], &[from(Url, 50)]),
    key("backblaze-key", &["K00"], &[of(Base64, 28)]).needs(Need::Digits),
    key("digitalocean-token", &["dop_v1_", "doo_v1_", "dor_v1_"], &[of(Hex, 64)]),
    key("cloudflare-key", &["cfk_", "cfut_", "cfat_"], &[from(Alnum, 40)]),
    key("cloudflare-origin-key", &["v1.0-"], &[of(Hex, 24), Text("-"), from(Hex, 140)]),
    key("heroku-key", &["HRKU-"], &[from(Url, 36)]),
    key("fly-token", &["fo1_"], &[from(Url, 40)]),
    key("fly-token", &["fm1r_", "fm1a_", "fm2_"], &[from(Padded, 60)]),
    key("netlify-token", &["nfp_", "nfc_", "nfo_", "nfu_"], &[from(Alnum, 36)]),
    key("vercel-token", &["vcp_", "vci_", "vca_", "vcr_", "vck_"], &[from(Alnum, 24)]).needs(Need::Digits),
    key("render-key", &["rnd_"], &[from(Alnum, 28)]),
    key("supabase-key", &["sbp_"], &[of(Hex, 40)]),
    key("supabase-key", &["sbp_oauth_"], &[of(Hex, 40)]),
    key("supabase-key", &["sb_secret_"], &[from(Url, 22)]),
    key("neon-key", &["napi_"], &[from(Alnum, 40)]),
    key("aiven-password", &["AVNS_"], &[from(Url, 18)]),
    key("mongodb-secret", &["mdb_sa_sk_"], &[from(Url, 40)]),
    key("planetscale-token", &["pscale_"], &[Any(&["tkn_", "pw_", "oauth_"]), from(Dotted, 32)]),
    key("confluent-secret", &["cflt"], &[Run(Base64, 60, 64)]),
    key("databricks-token", &["dapi"], &[of(Hex, 32)]),
    key("tailscale-key", &["tskey-"], &[from(Url, 20)]),
];

/// A shared access signature.
fn shared_access(place: &Place) -> Option<(usize, usize)> {
    let signature = &place.text[place.after..];
    let length = signature.iter().take(128).take_while(|byte| Padded.has(**byte) || **byte == b'%').count();
    // 256 bits in base64, where `/` and `=` may be escaped.
    (43..100).contains(&length).then_some((place.after, place.after + length))
}

/// Three characters, a digit, `Q~`, and the rest.
fn client_secret(place: &Place) -> Option<(usize, usize)> {
    let has = |byte: &u8| Dotted.has(*byte) || *byte == b'~';
    let left = &place.text[place.done..place.start];
    let before = place.before(5, |byte| has(&byte));
    let behind = place.text[place.after..].iter().take(40).take_while(|byte| has(byte)).count();
    let fits = before == 4 && left.last().is_some_and(u8::is_ascii_digit) && (31..=34).contains(&behind);
    fits.then(|| (place.start - 4, place.after + behind))
}

/// 84 characters, of which four in the middle are known.
fn devops(place: &Place) -> Option<(usize, usize)> {
    let (from, to) = around(place, Alnum);
    (place.start - from == 76 && to - from == 84).then_some((from, to))
}

/// Keys that carry the mark of their service at a place that is known: 52 or 84 characters, or 32, 33, 39 or 64 bytes in
/// base64.
fn identifiable(place: &Place) -> Option<(usize, usize)> {
    let (from, to) = around(place, Padded);
    let key = &place.text[from..to];
    let fits = match (place.start - from, key.len()) {
        (42, 52) | (52, 84) => true,
        (33, 44) => key.ends_with(b"="),
        (44, 56) | (76, 88) => key.ends_with(b"=="),
        _ => false,
    };
    fits.then_some((from, to))
}

/// The run of an alphabet that a beginning lies in. Looks no further than the longest such key.
fn around(place: &Place, class: super::super::form::Class) -> (usize, usize) {
    let before = place.before(100, |byte| class.has(byte));
    let behind = class.run(&place.text[place.after..], 100);
    (place.start - before, place.after + behind)
}
