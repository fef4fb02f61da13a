//! Tests that the generated reference pages in docs are up to date.

use expect_test::expect_file;
use patina::commands;

#[test]
fn reference_pages_are_up_to_date() {
    expect_file!["../../docs/commands.md"].assert_eq(&commands::commands_page());
    expect_file!["../../docs/configuration.md"].assert_eq(&commands::configuration_page());
}
