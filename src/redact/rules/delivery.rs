//! What builds, ships and watches software. Refuses public ids of the same services.

use super::super::checksum::ends_with_crc_hex;
use super::super::form::Class::{Alnum, Digit, Dotted, Hex, Lower, Padded, Upper, Url};
use super::super::form::Piece::{Any, Run, Text};
use super::super::form::{UUID, from, of};
use super::{Left, Need, Place, Rule, find, key};

pub(super) const RULES: &[Rule] = &[
    key("circleci-token", &["CCIPAT_", "CCIPRJ_"], &[from(Alnum, 16), Text("_"), of(Hex, 40)]),
    key("buildkite-token", &["bkua_"], &[of(Hex, 40)]),
    find("terraform-token", &[".atlasv1."], terraform),
    key("pulumi-token", &["pul-"], &[of(Hex, 40)]),
    key("vault-token", &["hvs.", "hvb.", "hvr."], &[from(Url, 24)]),
    key("doppler-token", &["dp."], &[Any(&["pt.", "ct.", "sa.", "st.", "scim.", "audit."]), from(Dotted, 40)]),
    key("infracost-key", &["ico-"], &[of(Alnum, 32)]).left(Left::Base64),
    key("octopus-key", &["API-"], &[Run(Upper, 26, 36)]).needs(Need::Digits),
    key("prefect-key", &["pnu_", "pnb_"], &[of(Alnum, 36)]),
    key("dbt-token", &["dbtc_", "dbtu_"], &[from(Url, 40)]),
    key("harness-token", &["pat."], &[of(Url, 22), Text("."), of(Hex, 24), Text("."), of(Alnum, 20)]),
    key("grafana-token", &["glsa_"], &[of(Alnum, 32), Text("_"), of(Hex, 8)]).holds(ends_with_crc_hex),
    key("grafana-cloud-token", &["glc_"], &[from(Padded, 32)]),
    key("grafana-key", &["eyJrIjoi"], &[from(Padded, 60)]),
    key("honeycomb-key", &["hcaik_", "hcbik_", "hcamk_"], &[from(Alnum, 32)]),
    key("dynatrace-token", &["dt0"], &[of(Lower, 3), Text("."), of(Upper, 24), Text("."), of(Upper, 64)]),
    key("new-relic-key", &["NRAK-", "NRRA-"], &[from(Upper, 27)]),
    key("new-relic-key", &["NRII-", "NRAA-"], &[from(Url, 27)]),
    key("new-relic-key", &["NRJS-"], &[of(Hex, 19)]),
    find("new-relic-license", &["FFFFNRAL"], license),
    key("sentry-token", &["sntrys_", "sntryu_", "sntrya_", "sntryi_"], &[from(Padded, 40)]),
    key("axiom-token", &["xaat-", "xapt-"], UUID),
    key("launchdarkly-key", &["sdk-", "api-"], UUID),
    key("statsig-key", &["secret-"], &[from(Alnum, 40)]),
    key("posthog-key", &["phx_"], &[from(Alnum, 40)]),
    key("inngest-key", &["signkey-"], &[Any(&["prod-", "test-", "branch-"]), of(Hex, 64)]),
    key("trigger-key", &["tr_prod_", "tr_dev_", "tr_stg_"], &[from(Alnum, 20)]),
    key("onepassword-token", &["ops_eyJ"], &[from(Padded, 100)]),
    key(
        "onepassword-key",
        &["A3-"],
        &[
            of(Upper, 6),
            Text("-"),
            of(Upper, 6),
            Text("-"),
            of(Upper, 5),
            Text("-"),
            of(Upper, 5),
            Text("-"),
            of(Upper, 5),
            Text("-"),
            of(Upper, 5),
        ],
    ),
    key("stytch-secret", &["secret-live-", "secret-test-"], &[from(Padded, 36)]),
    key("defined-networking-key", &["dnkey-"], &[from(Url, 50)]),
    key("contentful-token", &["CFPAT-"], &[of(Url, 43)]),
    key("apify-token", &["apify_api_"], &[from(Alnum, 30)]),
    key("checkly-key", &["cu_"], &[of(Hex, 32)]).left(Left::Base64),
    key("ngrok-key", &["ak_"], &[Run(Alnum, 27, 27), Text("_"), Run(Alnum, 20, 24)]),
    key("asana-token", &["1/", "2/"], &[Run(Digit, 15, 17), Any(&[":", "/"]), from(Hex, 32)]).needs(Need::Variety),
];

/// Fourteen characters before, sixty or more behind.
fn terraform(place: &Place) -> Option<(usize, usize)> {
    let before = place.before(15, |byte| Alnum.has(byte));
    let behind = Padded.run(&place.text[place.after..], 100);
    (before == 14 && (60..=72).contains(&behind)).then_some((place.start - before, place.after + behind))
}

/// Forty characters, the last eight of which are known.
fn license(place: &Place) -> Option<(usize, usize)> {
    let before = place.before(33, |byte| Lower.has(byte));
    (before == 32).then_some((place.start - before, place.after))
}
