//! Formats and parses points in time, in UTC.

use std::time::{SystemTime, UNIX_EPOCH};

/// Formats Unix seconds as a UTC day, `2026-11-23`.
pub fn day(seconds: i64) -> String {
    gix::date::Time::new(seconds, 0).format(gix::date::time::format::SHORT).unwrap_or_else(|_| seconds.to_string())
}

/// Formats Unix seconds as a UTC date, `2026-11-23T18:05:00Z`.
pub fn iso_date(seconds: i64) -> String {
    iso_strict(gix::date::Time::new(seconds, 0)).unwrap_or_else(|| seconds.to_string())
}

/// Formats a time as `git log --date=iso-strict` does: `2026-11-23T18:05:00+01:00`, in UTC `2026-11-23T17:05:00Z`.
pub(super) fn iso_strict(time: gix::date::Time) -> Option<String> {
    let date = time.format(gix::date::time::format::ISO8601_STRICT).ok()?;
    // gix writes UTC with an offset, but git with `Z`.
    Some(match date.strip_suffix("+00:00") {
        Some(utc) => format!("{utc}Z"),
        None => date,
    })
}

/// Formats Unix seconds as a UTC time to the minute, `2026-11-23 18:05`.
pub fn minute(seconds: i64) -> String {
    let format = gix::date::time::CustomFormat::new("%Y-%m-%d %H:%M");
    gix::date::Time::new(seconds, 0).format(format).unwrap_or_else(|_| seconds.to_string())
}

/// Parses a day such as `2026-11-23`, and returns its beginning in UTC, in Unix seconds.
pub fn parse_day(text: &str) -> Option<i64> {
    let parts: Vec<&str> = text.split('-').collect();
    let is_day =
        parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let time = is_day.then(|| gix::date::parse(&format!("{text} 00:00:00 +0000"), None).ok()).flatten()?;
    Some(time.seconds)
}

/// Returns the current time, in Unix seconds.
pub fn unix_now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64)
}
