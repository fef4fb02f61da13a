//! Times as session logs write them, to seconds. Refuses the clock and the machine's own zone: what is written is all
//! that is known.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// What is larger is milliseconds: as seconds it would lie thousands of years ahead.
const MAX_SECONDS: i64 = 100_000_000_000;

/// Unix seconds of an instant: `2025-11-24T22:49:31Z`, another offset, seconds or milliseconds since 1970.
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
    text.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

/// Seconds since 1970 on a clock of unknown zone: `20251124-174931`, `20251124-1749`, `20251124`, `2025-11-24`,
/// `2025-11-24 17:49`; what follows it is not looked at.
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
        check("2025", None);
        check("", None);
        check("2025-11-24T22:49:31", None);
        check("99999999999999999999", None);
    }

    #[test]
    fn a_clock_without_a_zone_is_read_as_it_stands() {
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
        fn no_text_panics(text in ".{0,30}", digits in "[0-9:T -]{0,24}") {
            for text in [&text, &digits] {
                let _ = (instant(text), civil(text));
            }
        }
    }
}
