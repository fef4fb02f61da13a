//! Parses times as session logs write them, to the second.
//!
//! Invariant: independent of the machine's clock and time zone.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Larger numbers are milliseconds; as seconds they would be thousands of years ahead.
const MAX_SECONDS: i64 = 100_000_000_000;

/// Parses an instant as Unix seconds: `2025-11-24T22:49:31Z`, `2025-11-24 22:49 UTC`, other offsets, or a number of
/// seconds or milliseconds since 1970.
///
/// Named zones other than UTC are rejected, because most names are ambiguous.
pub fn instant(text: &str) -> Option<i64> {
    let text = text.trim();
    if !text.is_empty() && text.len() <= 13 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        // Shorter numbers are years and the like.
        return match number {
            1_000_000_000..=MAX_SECONDS => Some(number),
            _ if number > MAX_SECONDS => Some(number / 1000),
            _ => None,
        };
    }
    text.parse::<Timestamp>().ok().map(Timestamp::as_second).or_else(|| parse_written(text))
}

/// Parses an instant as people write it: a date, a time that may lack seconds, and a zone.
fn parse_written(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked("2025-11-24".len())?;
    let rest = rest.strip_prefix(['T', ' '])?.trim_start();
    let end = rest.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.')).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(end);
    let is_clock = matches!(clock.len(), 5 | 8..) && clock.as_bytes()[2] == b':';
    let offset =
        parse_offset(zone).filter(|_| is_clock && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))?;
    Some(civil(&format!("{date} {clock}"))? - offset)
}

/// Parses a zone as seconds from UTC: `UTC`, `GMT`, `Z`, `+0900`, `+09:00`, `+09`, `UTC+9`, with or without brackets.
fn parse_offset(zone: &str) -> Option<i64> {
    let zone = zone.trim();
    let zone = zone.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(zone);
    let named = ["UTC", "GMT"].iter().find_map(|name| zone.strip_prefix(name));
    let number = match (named, zone) {
        (Some(""), _) | (None, "Z" | "z") => return Some(0),
        (Some(number), _) | (None, number) => number,
    };
    let (sign, digits) = match number.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match (digits.split_once(':'), digits.len()) {
        (Some((hours, minutes)), _) if minutes.len() == 2 => (hours, minutes),
        (None, 4) => digits.split_at_checked(2)?,
        (None, 2) => (digits, "0"),
        (None, 1) if named.is_some() => (digits, "0"),
        _ => return None,
    };
    let whole = |text: &str, most: i64| {
        let is_whole = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|number| is_whole && *number <= most)
    };
    Some(sign * (whole(hours, 14)? * 3600 + whole(minutes, 59)? * 60))
}

/// Parses a local time as seconds since 1970 on that clock: `20251124-174931`, `20251124-1749`, `20251124`,
/// `2025-11-24`, `2025-11-24 17:49`.
///
/// Text after it is ignored.
pub fn civil(text: &str) -> Option<i64> {
    let digits: Vec<&str> = text.trim().split(|c: char| !c.is_ascii_digit()).take(6).collect();
    let (year, month, day, clock) = match digits[..] {
        [date, ref clock @ ..] if date.len() == 8 => (&date[..4], &date[4..6], &date[6..], clock),
        [year, month, day, ref clock @ ..] if year.len() == 4 => (year, month, day, clock),
        _ => return None,
    };
    let (hour, minute, second) = match clock {
        [together, ..] if matches!(together.len(), 4 | 6) => {
            (&together[..2], &together[2..4], together.get(4..).unwrap_or_default())
        }
        [hour, minute, second, ..] if second.len() == 2 => (*hour, *minute, *second),
        [hour, minute, ..] if minute.len() == 2 => (*hour, *minute, ""),
        _ => ("0", "0", "0"),
    };
    let number = |text: &str| text.parse::<i8>().ok();
    let second = if second.is_empty() { 0 } else { number(second)? };
    let year = year.parse().ok()?;
    let date = DateTime::new(year, number(month)?, number(day)?, number(hour)?, number(minute)?, second, 0).ok()?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn instants_are_told_from_other_numbers() {
        let check = |text: &str, expect: Option<i64>| assert_eq!(instant(text), expect, "{text:?}");
        check("2025-11-24T22:49:31Z", Some(1_764_024_571));
        check(" 2025-11-24T17:49:31-05:00 ", Some(1_764_024_571));
        check("1764024571", Some(1_764_024_571));
        check("1764024571512", Some(1_764_024_571));
        for text in [
            "2025-11-24 22:49:31 UTC",
            "2025-11-24 22:49:31Z",
            "2025-11-24 22:49:31 (UTC)",
            "2025-11-24T22:49:31.250 GMT",
            "2025-11-25 07:49:31 +0900",
            "2025-11-25 07:49:31 UTC+9",
            "2025-11-24 17:49:31 -05:00",
            "2025-11-25 04:19:31+05:30",
        ] {
            check(text, Some(1_764_024_571));
        }
        check("2025-11-24 22:49 UTC", Some(1_764_024_540));
        for text in [
            "2025-11-24 22:49 EST",
            "2025-11-24 22:49 CET",
            "2025-11-24 22:49 JST",
            "2025-11-24 22:49",
            "2025-11-24 UTC",
            "2025-11-24 22:49 +9",
            "2025-11-24 22:49 +2500",
            "2025-11-24 22:49 UTC and more",
            "2025-13-24 22:49 UTC",
        ] {
            check(text, None);
        }
        check("2025", None);
        check("", None);
        check("2025-11-24T22:49:31", None);
        check("99999999999999999999", None);
    }

    #[test]
    fn a_time_without_a_zone_is_read_as_local() {
        let check = |text: &str, expect: Option<i64>| assert_eq!(civil(text), expect, "{text:?}");
        check("20251124-174931", Some(1_764_024_571 - 5 * 3600));
        check("20251124-1749", Some(1_764_024_571 - 31 - 5 * 3600));
        check("2025-11-24", Some(1_763_942_400));
        check("20251124", Some(1_763_942_400));
        check("2025-11-24-some-words", Some(1_763_942_400));
        check("2025-11-24 17:49", Some(1_764_024_571 - 31 - 5 * 3600));
        check("20251324-174931", None);
        check("20251124-994931", None);
        check("6f1d0c1e-0000", None);
        check("session", None);
    }

    proptest! {
        #[test]
        fn no_text_panics(
            text in ".{0,30}",
            digits in "[0-9:T -]{0,24}",
            zoned in "2025-11-24[ T][0-9:.]{0,9}[ (]?(UTC|GMT|Z)?[-+0-9:é)]{0,7}",
        ) {
            for text in [&text, &digits, &zoned] {
                let _ = (instant(text), civil(text));
            }
        }
    }
}
