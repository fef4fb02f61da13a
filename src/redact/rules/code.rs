//! Rules for code hosts, package registries and editors.
//!
//! Covers only formats that the vendor documents.

use super::super::checksum::{ends_with_crc62, is_json_object};
use super::super::pattern::ByteClass::{Alnum, Digit, Dotted, Hex, Lower, Padded, Url, Word};
use super::super::pattern::KeyPiece::{Run, Text};
use super::super::pattern::{UUID, at_least, exactly};
use super::super::rule::{LeftBoundary, Rule, key};

/// Longest header or payload of a JSON web token, in bytes.
const MAX_JWT_PART: usize = 1 << 16;

/// Rules for code hosts, registries and editors.
pub(super) const CODE_RULES: &[Rule] = &[
    key("github-token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], &[at_least(Alnum, 36)]).proven_by(ends_with_crc62),
    // The application's id and a JSON web token.
    key("github-token", &["ghs_"], &[Run(Digit, 1, 20), Text("_"), at_least(Dotted, 60)]),
    key("github-token", &["github_pat_"], &[at_least(Word, 22)]),
    key(
        "gitlab-token",
        &[
            "glpat-", "gloas-", "gldt-", "glrt-", "glrtr-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "glwt-",
            "glsoat-", "glffct-",
        ],
        &[at_least(Dotted, 20)],
    ),
    key("gitlab-runner-token", &["GR1348941"], &[at_least(Url, 20)]),
    key("bitbucket-password", &["ATBB"], &[at_least(Alnum, 32)]),
    key("atlassian-token", &["ATATT3", "ATCTT3", "ATSTT3"], &[at_least(Padded, 60)]),
    key("trello-token", &["ATTA"], &[at_least(Hex, 64)]),
    key("sourcegraph-token", &["sgp_"], &[exactly(Hex, 40)]),
    key("sourcegraph-token", &["sgp_"], &[exactly(Hex, 16), Text("_"), exactly(Hex, 40)]),
    key("sourcegraph-token", &["sgp_local_"], &[exactly(Hex, 40)]),
    key(
        "jetbrains-token",
        &["perm:", "perm-"],
        &[at_least(Padded, 4), Text("."), at_least(Padded, 4), Text("."), at_least(Alnum, 20)],
    ),
    key("open-vsx-token", &["ovsxat_"], UUID),
    key("npm-token", &["npm_"], &[at_least(Alnum, 36)]).proven_by(ends_with_crc62),
    // A macaroon of version 2, whose first bytes are fixed.
    key("pypi-token", &["pypi-AgE"], &[at_least(Url, 48)]),
    key("rubygems-key", &["rubygems_"], &[exactly(Hex, 48)]),
    key("crates-io-token", &["cio"], &[exactly(Alnum, 32)]),
    key("nuget-key", &["oy2"], &[exactly(Lower, 43)]),
    key("docker-token", &["dckr_pat_", "dckr_oat_"], &[at_least(Url, 27)]),
    key("clojars-token", &["CLOJARS_"], &[exactly(Hex, 60)]),
    key("artifactory-key", &["AKCp"], &[at_least(Alnum, 60)]),
    key("artifactory-token", &["cmVmdGtu"], &[at_least(Alnum, 50)]),
    key("thunderstore-token", &["tss_"], &[at_least(Alnum, 32)]),
    key("deno-token", &["ddp_", "ddo_"], &[exactly(Alnum, 36)]),
    key("val-town-token", &["vtwn_"], &[at_least(Alnum, 24)]),
    key("wakatime-key", &["waka_"], UUID),
    key("postman-key", &["PMAK-"], &[exactly(Hex, 24), Text("-"), exactly(Hex, 34)]),
    key("readme-key", &["rdme_"], &[at_least(Lower, 60)]),
    key("sonarqube-token", &["sqp_", "squ_", "sqa_"], &[exactly(Hex, 40)]),
    key("teamcity-token", &["eyJ0eXAiOiAiVENWMiJ9."], &[at_least(Url, 20), Text("."), at_least(Padded, 20)]),
    key(
        "jwt",
        &["eyJ"],
        &[Run(Url, 8, MAX_JWT_PART), Text(".eyJ"), Run(Url, 8, MAX_JWT_PART), Text("."), at_least(Url, 8)],
    )
    .left(LeftBoundary::Base64),
    // The payload is not readable JSON: encrypted (four more parts follow), or non-standard.
    key("jwt", &["eyJ"], &[Run(Url, 8, MAX_JWT_PART), Text("."), at_least(Dotted, 32)])
        .left(LeftBoundary::Base64)
        .must_satisfy(has_json_header),
];

/// Returns whether the first part of a JSON web token decodes to a JSON object.
fn has_json_header(token: &[u8]) -> bool {
    token.split(|byte| *byte == b'.').next().is_some_and(is_json_object)
}
