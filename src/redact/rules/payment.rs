//! Rules for payment and commerce services.
//!
//! Test-mode keys are covered as well, because they open an account's test data.

use super::super::pattern::ByteClass::{Alnum, Base64, Digit, Hex, Lower, Padded, Url, Word};
use super::super::pattern::KeyPiece::{OneOf, Run, Text};
use super::super::pattern::{UUID, at_least, exactly};
use super::super::rule::{LeftBoundary, MinVariety, Rule, key};

/// Rules for payment services.
pub(super) const PAYMENT_RULES: &[Rule] = &[
    key("stripe-key", &["sk_live_", "sk_test_", "rk_live_", "rk_test_"], &[at_least(Alnum, 16)]),
    key("webhook-secret", &["whsec_"], &[at_least(Base64, 24)]),
    key("adyen-key", &["AQE"], &[at_least(Padded, 80)]).left(LeftBoundary::Base64),
    key("square-secret", &["sq0csp-"], &[exactly(Url, 43)]),
    key("square-token", &["sq0atp-"], &[exactly(Url, 22)]),
    key("square-token", &["EAAA"], &[exactly(Url, 60)]).left(LeftBoundary::Base64),
    key(
        "braintree-token",
        &["access_token$"],
        &[OneOf(&["production$", "sandbox$"]), exactly(Lower, 16), Text("$"), exactly(Hex, 32)],
    ),
    key("shopify-token", &["shpat_", "shpca_", "shppa_", "shpss_", "shptka_"], &[exactly(Hex, 32)]),
    key("plaid-token", &["access-sandbox-", "access-development-", "access-production-"], UUID),
    key("razorpay-key", &["rzp_live_", "rzp_test_"], &[exactly(Alnum, 14)]),
    key("flutterwave-key", &["FLWSECK-", "FLWSECK_TEST-"], &[at_least(Alnum, 12)]),
    key("xendit-key", &["xnd_production_", "xnd_development_"], &[at_least(Alnum, 32)]),
    key("midtrans-key", &["Mid-server-"], &[at_least(Url, 20)]).left(LeftBoundary::Any),
    key("lob-key", &["live_"], &[exactly(Hex, 35)]),
    key("mollie-key", &["live_"], &[exactly(Alnum, 30)]).variety(MinVariety::Digits),
    key("gocardless-token", &["live_"], &[exactly(Url, 40)]).variety(MinVariety::Digits),
    key("easypost-key", &["EZAK", "EZTK"], &[exactly(Alnum, 54)]),
    key("shippo-token", &["shippo_live_", "shippo_test_"], &[exactly(Hex, 40)]),
    key("duffel-token", &["duffel_live_", "duffel_test_"], &[at_least(Url, 40)]),
    key("paddle-key", &["pdl_live_apikey_", "pdl_sdbx_apikey_"], &[at_least(Word, 40)]),
    key("polar-token", &["polar_"], &[OneOf(&["oat_", "pat_", "whs_", "at_"]), at_least(Alnum, 32)]),
    key(
        "mercadopago-token",
        &["APP_USR-"],
        &[at_least(Digit, 10), Text("-"), exactly(Digit, 6), Text("-"), exactly(Hex, 32)],
    )
    .variety(MinVariety::Variety),
    key("cal-key", &["cal_live_"], &[at_least(Hex, 32)]),
    key("lightspeed-token", &["lsxs_pt_"], &[Run(Alnum, 32, 64)]),
];
