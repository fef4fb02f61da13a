//! Rules for cloud providers: request signing keys and storage credentials.
//!
//! Identifiers that grant nothing by themselves are not covered, except access key ids, which lead to a secret.

use super::super::pattern::ByteClass::{Alnum, Base64, Dotted, Hex, Padded, Upper, Url};
use super::super::pattern::KeyPiece::{OneOf, Run, Text};
use super::super::pattern::{UUID, at_least, exactly};
use super::super::rule::{AnchorMatch, LeftBoundary, MinVariety, Rule, after, find, key};

/// Rules for cloud providers.
pub(super) const CLOUD_RULES: &[Rule] = &[
    // Base 32 has no 0, 1, 8 and 9, but excluding them would gain nothing.
    key("aws-key", &["AKIA", "ASIA", "ABIA", "ACCA"], &[exactly(Upper, 16)]).variety(MinVariety::Variety),
    key("aws-bedrock-key", &["ABSK"], &[at_least(Padded, 100)]),
    key("aws-bedrock-key", &["bedrock-api-key-"], &[at_least(Padded, 60)]),
    key("aws-session-token", &["IQoJb3JpZ2lu", "FwoGZXIvYXdz", "FQoGZXIvYXdz"], &[at_least(Padded, 100)])
        .left(LeftBoundary::Base64),
    key("aws-marketplace-key", &["amzn.mws."], UUID),
    after("signed-url", &["X-Amz-Signature="], &[exactly(Hex, 64)]),
    after("signed-url", &["X-Amz-Security-Token="], &[at_least(Url, 40)]),
    after("signed-url", &["X-Goog-Signature="], &[at_least(Hex, 64)]),
    find("signed-url", &["?sig=", "&sig=", ";sig="], azure_sas_signature),
    key("google-key", &["AIza"], &[at_least(Url, 35)]),
    key("google-oauth-secret", &["GOCSPX-"], &[at_least(Url, 20)]),
    key("google-oauth-token", &["ya29."], &[at_least(Dotted, 20)]),
    key("google-refresh-token", &["1//0"], &[at_least(Url, 30)]),
    find("azure-client-secret", &["Q~"], azure_client_secret),
    find("azure-devops-token", &["AZDO"], azure_devops_token),
    find("azure-key", &["JQQJ9"], azure_signed_key),
    find(
        "azure-key",
        &["+ASt", "+ABa", "+ASb", "+AEh", "+ARm", "+ACR", "ACDb", "AIoT", "AzCa", "AzFu", "AzSe"],
        azure_signed_key,
    ),
    key("alibaba-key", &["LTAI"], &[Run(Alnum, 12, 24)]),
    key("tencent-key", &["AKID"], &[Run(Alnum, 32, 40)]),
    key("yandex-key", &["AQVN"], &[at_least(Url, 35)]),
    key("yandex-token", &["y0_"], &[at_least(Url, 50)]),
    key("backblaze-key", &["K00"], &[exactly(Base64, 28)]).variety(MinVariety::Digits),
    key("digitalocean-token", &["dop_v1_", "doo_v1_", "dor_v1_"], &[exactly(Hex, 64)]),
    key("cloudflare-key", &["cfk_", "cfut_", "cfat_"], &[at_least(Alnum, 40)]),
    key("cloudflare-origin-key", &["v1.0-"], &[exactly(Hex, 24), Text("-"), at_least(Hex, 140)]),
    key("heroku-key", &["HRKU-"], &[at_least(Url, 36)]),
    key("fly-token", &["fo1_"], &[at_least(Url, 40)]),
    key("fly-token", &["fm1r_", "fm1a_", "fm2_"], &[at_least(Padded, 60)]),
    key("netlify-token", &["nfp_", "nfc_", "nfo_", "nfu_"], &[at_least(Alnum, 36)]),
    key("vercel-token", &["vcp_", "vci_", "vca_", "vcr_", "vck_"], &[at_least(Alnum, 24)]).variety(MinVariety::Digits),
    key("render-key", &["rnd_"], &[at_least(Alnum, 28)]),
    key("supabase-key", &["sbp_"], &[exactly(Hex, 40)]),
    key("supabase-key", &["sbp_oauth_"], &[exactly(Hex, 40)]),
    key("supabase-key", &["sb_secret_"], &[at_least(Url, 22)]),
    key("neon-key", &["napi_"], &[at_least(Alnum, 40)]),
    key("aiven-password", &["AVNS_"], &[at_least(Url, 18)]),
    key("mongodb-secret", &["mdb_sa_sk_"], &[at_least(Url, 40)]),
    key("planetscale-token", &["pscale_"], &[OneOf(&["tkn_", "pw_", "oauth_"]), at_least(Dotted, 32)]),
    key("confluent-secret", &["cflt"], &[Run(Base64, 60, 64)]),
    key("databricks-token", &["dapi"], &[exactly(Hex, 32)]),
    key("tailscale-key", &["tskey-"], &[at_least(Url, 20)]),
];

/// Matches an Azure shared access signature.
fn azure_sas_signature(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let signature = &anchor.text[anchor.end..];
    let length = signature.iter().take(128).take_while(|byte| Padded.has(**byte) || **byte == b'%').count();
    // 256 bits in base64; `/` and `=` may be percent-encoded.
    (43..100).contains(&length).then_some((anchor.end, anchor.end + length))
}

/// Matches an Azure client secret: three characters, a digit, `Q~` and the rest.
fn azure_client_secret(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let has = |byte: &u8| Dotted.has(*byte) || *byte == b'~';
    let left = &anchor.text[anchor.scanned..anchor.start];
    let before = anchor.before(5, |byte| has(&byte));
    let behind = anchor.text[anchor.end..].iter().take(40).take_while(|byte| has(byte)).count();
    let fits = before == 4 && left.last().is_some_and(u8::is_ascii_digit) && (31..=34).contains(&behind);
    fits.then(|| (anchor.start - 4, anchor.end + behind))
}

/// Matches an Azure DevOps token: 84 characters with a fixed signature at offset 76.
fn azure_devops_token(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let (from, to) = run_around(anchor, Alnum);
    (anchor.start - from == 76 && to - from == 84).then_some((from, to))
}

/// Matches Azure keys with a service signature at a fixed offset: 52 or 84 characters, or 32, 33, 39 or 64 bytes in
/// base64.
fn azure_signed_key(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let (from, to) = run_around(anchor, Padded);
    let key = &anchor.text[from..to];
    let fits = match (anchor.start - from, key.len()) {
        (42, 52) | (52, 84) => true,
        (33, 44) => key.ends_with(b"="),
        (44, 56) | (76, 88) => key.ends_with(b"=="),
        _ => false,
    };
    fits.then_some((from, to))
}

/// Returns the run of a byte class around the anchor, at most as far as the longest such key reaches.
fn run_around(anchor: &AnchorMatch, class: super::super::pattern::ByteClass) -> (usize, usize) {
    let before = anchor.before(100, |byte| class.has(byte));
    let behind = class.run(&anchor.text[anchor.end..], 100);
    (anchor.start - before, anchor.end + behind)
}
