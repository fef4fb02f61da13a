//! Everything else that people sign in to. Refuses keys that are meant to be public.

use super::super::form::Class::{Alnum, Digit, Dotted, Hex, Url};
use super::super::form::Piece::{Run, Text};
use super::super::form::{UUID, from, of};
use super::{Rule, after, key};

pub(super) const RULES: &[Rule] = &[
    key("airtable-token", &["pat"], &[of(Alnum, 14), Text("."), of(Hex, 64)]),
    key("notion-token", &["secret_"], &[of(Alnum, 43)]),
    key("notion-token", &["ntn_"], &[from(Alnum, 40)]),
    key("linear-key", &["lin_api_", "lin_oauth_"], &[from(Alnum, 32)]),
    key("clickup-token", &["pk_"], &[Run(Digit, 4, 12), Text("_"), of(Alnum, 32)]),
    key("figma-token", &["figd_", "figu_", "figo_"], &[from(Url, 36)]),
    key("dropbox-token", &["sl."], &[from(Url, 100)]),
    key("dropbox-token", &["sl.u."], &[from(Url, 100)]),
    key("hubspot-token", &["pat-na1-", "pat-na2-", "pat-eu1-", "pat-ap1-"], UUID),
    key("typeform-token", &["tfp_"], &[from(Dotted, 40)]),
    key("salesforce-token", &["00D"], &[Run(Alnum, 12, 15), Text("!"), from(Dotted, 80)]),
    key("mapbox-token", &["sk.eyJ", "tk.eyJ"], &[from(Url, 20), Text("."), from(Url, 16)]),
    key("frameio-token", &["fio-u-"], &[from(Url, 60)]),
    key(
        "bitwarden-secret",
        &["0."],
        &[
            of(Hex, 8),
            Text("-"),
            of(Hex, 4),
            Text("-"),
            of(Hex, 4),
            Text("-"),
            of(Hex, 4),
            Text("-"),
            of(Hex, 12),
            Text("."),
            of(Alnum, 30),
        ],
    ),
    key("adafruit-key", &["aio_"], &[of(Alnum, 28)]),
    key("scalingo-token", &["tk-us-"], &[from(Url, 40)]),
    after("okta-token", &["SSWS "], &[Text("00"), from(Url, 38)]),
    key("zuplo-key", &["zpka_"], &[of(Hex, 32), Text("_"), of(Hex, 8)]),
];
