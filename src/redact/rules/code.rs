//! Where code and packages live: hosts, registries, editors. Refuses what their documentation does not give a form for.

use super::super::checksum::{ends_with_crc62, is_json_object};
use super::super::form::Class::{Alnum, Digit, Dotted, Hex, Lower, Padded, Url, Word};
use super::super::form::Piece::{Run, Text};
use super::super::form::{UUID, from, of};
use super::{Left, Rule, key};

/// Longest header or payload of a web token.
const LONG: usize = 1 << 16;

pub(super) const RULES: &[Rule] = &[
    key("github-token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], &[from(Alnum, 36)]).holds(ends_with_crc62),
    // The application's number, and a web token.
    key("github-token", &["ghs_"], &[Run(Digit, 1, 20), Text("_"), from(Dotted, 60)]),
    key("github-token", &["github_pat_"], &[from(Word, 22)]),
    key(
        "gitlab-token",
        &[
            "glpat-", "gloas-", "gldt-", "glrt-", "glrtr-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "glwt-",
            "glsoat-", "glffct-",
        ],
        &[from(Dotted, 20)],
    ),
    key("gitlab-runner-token", &["GR1348941"], &[from(Url, 20)]),
    key("bitbucket-password", &["ATBB"], &[from(Alnum, 32)]),
    key("atlassian-token", &["ATATT3", "ATCTT3", "ATSTT3"], &[from(Padded, 60)]),
    key("trello-token", &["ATTA"], &[from(Hex, 64)]),
    key("sourcegraph-token", &["sgp_"], &[of(Hex, 40)]),
    key("sourcegraph-token", &["sgp_"], &[of(Hex, 16), Text("_"), of(Hex, 40)]),
    key("sourcegraph-token", &["sgp_local_"], &[of(Hex, 40)]),
    key(
        "jetbrains-token",
        &["perm:", "perm-"],
        &[from(Padded, 4), Text("."), from(Padded, 4), Text("."), from(Alnum, 20)],
    ),
    key("open-vsx-token", &["ovsxat_"], UUID),
    key("npm-token", &["npm_"], &[from(Alnum, 36)]).holds(ends_with_crc62),
    // A macaroon of the second version, so that the first bytes are known.
    key("pypi-token", &["pypi-AgE"], &[from(Url, 48)]),
    key("rubygems-key", &["rubygems_"], &[of(Hex, 48)]),
    key("crates-io-token", &["cio"], &[of(Alnum, 32)]),
    key("nuget-key", &["oy2"], &[of(Lower, 43)]),
    key("docker-token", &["dckr_pat_", "dckr_oat_"], &[from(Url, 27)]),
    key("clojars-token", &["CLOJARS_"], &[of(Hex, 60)]),
    key("artifactory-key", &["AKCp"], &[from(Alnum, 60)]),
    key("artifactory-token", &["cmVmdGtu"], &[from(Alnum, 50)]),
    key("thunderstore-token", &["tss_"], &[from(Alnum, 32)]),
    key("deno-token", &["ddp_", "ddo_"], &[of(Alnum, 36)]),
    key("val-town-token", &["vtwn_"], &[from(Alnum, 24)]),
    key("wakatime-key", &["waka_"], UUID),
    key("postman-key", &["PMAK-"], &[of(Hex, 24), Text("-"), of(Hex, 34)]),
    key("readme-key", &["rdme_"], &[from(Lower, 60)]),
    key("sonarqube-token", &["sqp_", "squ_", "sqa_"], &[of(Hex, 40)]),
    key("teamcity-token", &["eyJ0eXAiOiAiVENWMiJ9."], &[from(Url, 20), Text("."), from(Padded, 20)]),
    key("jwt", &["eyJ"], &[Run(Url, 8, LONG), Text(".eyJ"), Run(Url, 8, LONG), Text("."), from(Url, 8)])
        .left(Left::Base64),
    // What follows is no object that can be read: it is encrypted, then in four parts, or odd.
    key("jwt", &["eyJ"], &[Run(Url, 8, LONG), Text("."), from(Dotted, 32)]).left(Left::Base64).only(has_json_header),
];

/// Whether the first part of a web token is a JSON object.
fn has_json_header(token: &[u8]) -> bool {
    token.split(|byte| *byte == b'.').next().is_some_and(is_json_object)
}
