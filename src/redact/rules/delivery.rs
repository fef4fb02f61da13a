//! Rules for build, deployment, monitoring and feature-flag services.
//!
//! Public ids of the same services are not covered.

use super::super::checksum::ends_with_crc_hex;
use super::super::pattern::ByteClass::{Alnum, Digit, Dotted, Hex, Lower, Padded, Upper, Url};
use super::super::pattern::KeyPiece::{OneOf, Run, Text};
use super::super::pattern::{UUID, at_least, exactly};
use super::super::rule::{AnchorMatch, LeftBoundary, MinVariety, Rule, find, key};

/// Rules for build, deployment and monitoring services.
pub(super) const DELIVERY_RULES: &[Rule] = &[
    key("circleci-token", &["CCIPAT_", "CCIPRJ_"], &[at_least(Alnum, 16), Text("_"), exactly(Hex, 40)]),
    key("buildkite-token", &["bkua_"], &[exactly(Hex, 40)]),
    find("terraform-token", &[".atlasv1."], terraform_token),
    key("pulumi-token", &["pul-"], &[exactly(Hex, 40)]),
    key("vault-token", &["hvs.", "hvb.", "hvr."], &[at_least(Url, 24)]),
    key("doppler-token", &["dp."], &[OneOf(&["pt.", "ct.", "sa.", "st.", "scim.", "audit."]), at_least(Dotted, 40)]),
    key("infracost-key", &["ico-"], &[exactly(Alnum, 32)]).left(LeftBoundary::Base64),
    key("octopus-key", &["API-"], &[Run(Upper, 26, 36)]).variety(MinVariety::Digits),
    key("prefect-key", &["pnu_", "pnb_"], &[exactly(Alnum, 36)]),
    key("dbt-token", &["dbtc_", "dbtu_"], &[at_least(Url, 40)]),
    key("harness-token", &["pat."], &[exactly(Url, 22), Text("."), exactly(Hex, 24), Text("."), exactly(Alnum, 20)]),
    key("grafana-token", &["glsa_"], &[exactly(Alnum, 32), Text("_"), exactly(Hex, 8)]).proven_by(ends_with_crc_hex),
    key("grafana-cloud-token", &["glc_"], &[at_least(Padded, 32)]),
    key("grafana-key", &["eyJrIjoi"], &[at_least(Padded, 60)]),
    key("honeycomb-key", &["hcaik_", "hcbik_", "hcamk_"], &[at_least(Alnum, 32)]),
    key(
        "dynatrace-token",
        &["dt0"],
        &[exactly(Lower, 3), Text("."), exactly(Upper, 24), Text("."), exactly(Upper, 64)],
    ),
    key("new-relic-key", &["NRAK-", "NRRA-"], &[at_least(Upper, 27)]),
    key("new-relic-key", &["NRII-", "NRAA-"], &[at_least(Url, 27)]),
    key("new-relic-key", &["NRJS-"], &[exactly(Hex, 19)]),
    find("new-relic-license", &["FFFFNRAL"], new_relic_license),
    key("sentry-token", &["sntrys_", "sntryu_", "sntrya_", "sntryi_"], &[at_least(Padded, 40)]),
    key("axiom-token", &["xaat-", "xapt-"], UUID),
    key("launchdarkly-key", &["sdk-", "api-"], UUID),
    key("statsig-key", &["secret-"], &[at_least(Alnum, 40)]),
    key("posthog-key", &["phx_"], &[at_least(Alnum, 40)]),
    key("inngest-key", &["signkey-"], &[OneOf(&["prod-", "test-", "branch-"]), exactly(Hex, 64)]),
    key("trigger-key", &["tr_prod_", "tr_dev_", "tr_stg_"], &[at_least(Alnum, 20)]),
    key("onepassword-token", &["ops_eyJ"], &[at_least(Padded, 100)]),
    key(
        "onepassword-key",
        &["A3-"],
        &[
            exactly(Upper, 6),
            Text("-"),
            exactly(Upper, 6),
            Text("-"),
            exactly(Upper, 5),
            Text("-"),
            exactly(Upper, 5),
            Text("-"),
            exactly(Upper, 5),
            Text("-"),
            exactly(Upper, 5),
        ],
    ),
    key("stytch-secret", &["secret-live-", "secret-test-"], &[at_least(Padded, 36)]),
    key("defined-networking-key", &["dnkey-"], &[at_least(Url, 50)]),
    key("contentful-token", &["CFPAT-"], &[exactly(Url, 43)]),
    key("apify-token", &["apify_api_"], &[at_least(Alnum, 30)]),
    key("checkly-key", &["cu_"], &[exactly(Hex, 32)]).left(LeftBoundary::Base64),
    key("ngrok-key", &["ak_"], &[Run(Alnum, 27, 27), Text("_"), Run(Alnum, 20, 24)]),
    key("asana-token", &["1/", "2/"], &[Run(Digit, 15, 17), OneOf(&[":", "/"]), at_least(Hex, 32)])
        .variety(MinVariety::Variety),
];

/// Matches a Terraform token: 14 characters before the anchor, 60 to 72 after it.
fn terraform_token(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let before = anchor.before(15, |byte| Alnum.has(byte));
    let behind = Padded.run(&anchor.text[anchor.end..], 100);
    (before == 14 && (60..=72).contains(&behind)).then_some((anchor.start - before, anchor.end + behind))
}

/// Matches a New Relic license: 40 characters that end in the anchor.
fn new_relic_license(anchor: &AnchorMatch) -> Option<(usize, usize)> {
    let before = anchor.before(33, |byte| Lower.has(byte));
    (before == 32).then_some((anchor.start - before, anchor.end))
}
