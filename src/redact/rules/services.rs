//! Rules for all other services.
//!
//! Keys that are meant to be public are not covered.

use super::super::pattern::ByteClass::{Alnum, Digit, Dotted, Hex, Url};
use super::super::pattern::KeyPiece::{Run, Text};
use super::super::pattern::{UUID, at_least, exactly};
use super::super::rule::{Rule, after, key};

/// Rules for other services.
pub(super) const SERVICES_RULES: &[Rule] = &[
    key("airtable-token", &["pat"], &[exactly(Alnum, 14), Text("."), exactly(Hex, 64)]),
    key("notion-token", &["secret_"], &[exactly(Alnum, 43)]),
    key("notion-token", &["ntn_"], &[at_least(Alnum, 40)]),
    key("linear-key", &["lin_api_", "lin_oauth_"], &[at_least(Alnum, 32)]),
    key("clickup-token", &["pk_"], &[Run(Digit, 4, 12), Text("_"), exactly(Alnum, 32)]),
    key("figma-token", &["figd_", "figu_", "figo_"], &[at_least(Url, 36)]),
    key("dropbox-token", &["sl."], &[at_least(Url, 100)]),
    key("dropbox-token", &["sl.u."], &[at_least(Url, 100)]),
    key("hubspot-token", &["pat-na1-", "pat-na2-", "pat-eu1-", "pat-ap1-"], UUID),
    key("typeform-token", &["tfp_"], &[at_least(Dotted, 40)]),
    key("salesforce-token", &["00D"], &[Run(Alnum, 12, 15), Text("!"), at_least(Dotted, 80)]),
    key("mapbox-token", &["sk.eyJ", "tk.eyJ"], &[at_least(Url, 20), Text("."), at_least(Url, 16)]),
    key("frameio-token", &["fio-u-"], &[at_least(Url, 60)]),
    key(
        "bitwarden-secret",
        &["0."],
        &[
            exactly(Hex, 8),
            Text("-"),
            exactly(Hex, 4),
            Text("-"),
            exactly(Hex, 4),
            Text("-"),
            exactly(Hex, 4),
            Text("-"),
            exactly(Hex, 12),
            Text("."),
            exactly(Alnum, 30),
        ],
    ),
    key("adafruit-key", &["aio_"], &[exactly(Alnum, 28)]),
    key("scalingo-token", &["tk-us-"], &[at_least(Url, 40)]),
    after("okta-token", &["SSWS "], &[Text("00"), at_least(Url, 38)]),
    key("zuplo-key", &["zpka_"], &[exactly(Hex, 32), Text("_"), exactly(Hex, 8)]),
];
