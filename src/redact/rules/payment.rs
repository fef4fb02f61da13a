//! What moves money and goods. Keys of test modes count too: they open an account's test data.

use super::super::form::Class::{Alnum, Base64, Digit, Hex, Lower, Padded, Url, Word};
use super::super::form::Piece::{Any, Run, Text};
use super::super::form::{UUID, from, of};
use super::{Left, Need, Rule, key};

pub(super) const RULES: &[Rule] = &[
    key("stripe-key", &["sk_live_", "sk_test_", "rk_live_", "rk_test_"], &[from(Alnum, 16)]),
    key("webhook-secret", &["whsec_"], &[from(Base64, 24)]),
    key("adyen-key", &["AQE"], &[from(Padded, 80)]).left(Left::Base64),
    key("square-secret", &["sq0csp-"], &[of(Url, 43)]),
    key("square-token", &["sq0atp-"], &[of(Url, 22)]),
    key("square-token", &["EAAA"], &[of(Url, 60)]).left(Left::Base64),
    key(
        "braintree-token",
        &["access_token$"],
        &[Any(&["production$", "sandbox$"]), of(Lower, 16), Text("$"), of(Hex, 32)],
    ),
    key("shopify-token", &["shpat_", "shpca_", "shppa_", "shpss_", "shptka_"], &[of(Hex, 32)]),
    key("plaid-token", &["access-sandbox-", "access-development-", "access-production-"], UUID),
    key("razorpay-key", &["rzp_live_", "rzp_test_"], &[of(Alnum, 14)]),
    key("flutterwave-key", &["FLWSECK-", "FLWSECK_TEST-"], &[from(Alnum, 12)]),
    key("xendit-key", &["xnd_production_", "xnd_development_"], &[from(Alnum, 32)]),
    key("midtrans-key", &["Mid-server-"], &[from(Url, 20)]).left(Left::Any),
    key("lob-key", &["live_"], &[of(Hex, 35)]),
    key("mollie-key", &["live_"], &[of(Alnum, 30)]).needs(Need::Digits),
    key("gocardless-token", &["live_"], &[of(Url, 40)]).needs(Need::Digits),
    key("easypost-key", &["EZAK", "EZTK"], &[of(Alnum, 54)]),
    key("shippo-token", &["shippo_live_", "shippo_test_"], &[of(Hex, 40)]),
    key("duffel-token", &["duffel_live_", "duffel_test_"], &[from(Url, 40)]),
    key("paddle-key", &["pdl_live_apikey_", "pdl_sdbx_apikey_"], &[from(Word, 40)]),
    key("polar-token", &["polar_"], &[Any(&["oat_", "pat_", "whs_", "at_"]), from(Alnum, 32)]),
    key("mercadopago-token", &["APP_USR-"], &[from(Digit, 10), Text("-"), of(Digit, 6), Text("-"), of(Hex, 32)])
        .needs(Need::Variety),
    key("cal-key", &["cal_live_"], &[from(Hex, 32)]),
    key("lightspeed-token", &["lsxs_pt_"], &[Run(Alnum, 32, 64)]),
];
