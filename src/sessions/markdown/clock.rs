//! The times of headings in session logs: `### HH:MM` in local time, converted to Unix seconds.
//!
//! The time zone is never guessed. It follows from the log's id, which is local, and its start, which is in UTC.

use super::super::time;

/// Seconds in a minute.
const MINUTE: i64 = 60;
/// Seconds in a day.
const DAY: i64 = 24 * 60 * MINUTE;

/// Time zone offsets are multiples of this many seconds.
const ZONE_STEP: i64 = 15 * MINUTE;

/// The most seconds between writing the id and the start.
const MAX_START_DELAY: i64 = 2 * MINUTE;

/// The largest offset from UTC, in seconds.
const MAX_OFFSET: i64 = 14 * 60 * MINUTE;

/// A hand-written time that goes back at least this far belongs to the next day; a smaller step back is a heading that
/// was added late.
const NEXT_DAY_GAP: i64 = 6 * 60 * MINUTE;

/// How many headings are searched for the start of an update; no log has more after its last update.
const MAX_SEARCHED_HEADINGS: usize = 200;

/// The placeholder for an unknown time.
pub(in crate::sessions) const UNKNOWN_TIME: &str = "--:--";

/// A heading with a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sessions) struct TimedHeading<'a> {
    /// Local midnight of its day, if it gives one.
    pub day: Option<i64>,
    /// Seconds since local midnight.
    pub seconds: i64,
    /// Whether the time has seconds.
    pub in_seconds: bool,
    /// The text after the time.
    pub title: &'a str,
    /// Whether the time is in brackets, as before a prompt.
    pub bracketed: bool,
}

/// Parses a heading with a time: `18:00 - Title`, `2025-06-01 18:00 - Title`, `~18:00`, `18:00-19:00 — Title`,
/// `[01:25:09] User`, `2:30 PM: Title`, `Title (14:38 - 15:36)`.
pub(in crate::sessions) fn timed_heading(text: &str) -> Option<TimedHeading<'_>> {
    let bracketed = text.starts_with('[');
    let start = text.trim_start_matches(['~', '≈', '[', ' ']);
    let (day, start) = leading_day(start).map_or((None, start), |(day, rest)| (Some(day), rest));
    if let Some((seconds, rest)) = leading_clock(start) {
        let in_seconds = start[..start.len() - rest.len()].matches(':').count() > 1;
        let mut rest = rest.trim_start_matches([']', ' ', '\t']);
        // A range counts by its start; its end is the start of the next heading.
        let end = rest.trim_start_matches(['-', '–', '—', ' ', '~', '→']);
        if end.len() < rest.len()
            && let Some((_, after)) = leading_clock(end)
        {
            rest = after;
        }
        let title = rest.trim_start_matches([']', '-', '–', '—', ':', '|', ' ', '\t']).trim_end();
        return Some(TimedHeading { day, seconds, in_seconds, title, bracketed });
    }
    let (title, range) = text.strip_suffix(')')?.rsplit_once('(')?;
    let (seconds, rest) = leading_clock(range.trim_start_matches(['~', ' ']))?;
    let end = rest.trim_start_matches(['-', '–', '—', ' ', '~', '→']);
    (end.len() < rest.len() && leading_clock(end).is_some()).then_some(TimedHeading {
        day: None,
        seconds,
        in_seconds: false,
        title: title.trim(),
        bracketed: false,
    })
}

/// Parses a leading date that is followed by a time. Returns its midnight and the rest.
fn leading_day(text: &str) -> Option<(i64, &str)> {
    let (date, rest) = text.split_at_checked("2025-06-01".len())?;
    let is_date = date
        .bytes()
        .enumerate()
        .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() });
    let rest = rest.strip_prefix([' ', 'T'])?.trim_start();
    (is_date && leading_clock(rest).is_some()).then_some((time::civil(date)?, rest))
}

/// Parses a leading clock time. Returns seconds since midnight, and the rest.
pub(super) fn leading_clock(text: &str) -> Option<(i64, &str)> {
    let hours = text.bytes().take_while(u8::is_ascii_digit).count();
    let mut hour: i64 = text[..hours].parse().ok().filter(|_| hours <= 2)?;
    let (minute, mut rest) = leading_sixtieth(&text[hours..])?;
    let mut seconds = minute * MINUTE;
    if let Some((second, after)) = leading_sixtieth(rest) {
        seconds += second;
        rest = after;
    }
    let half = rest.trim_start().get(..2).unwrap_or_default();
    if (half.eq_ignore_ascii_case("am") || half.eq_ignore_ascii_case("pm")) && (1..=12).contains(&hour) {
        hour = hour % 12 + if half.eq_ignore_ascii_case("pm") { 12 } else { 0 };
        rest = &rest.trim_start()[2..];
    }
    (hour < 24 && !rest.starts_with(|c: char| c.is_alphanumeric())).then_some((hour * 60 * MINUTE + seconds, rest))
}

/// Parses a colon and exactly two digits below 60.
fn leading_sixtieth(text: &str) -> Option<(i64, &str)> {
    let rest = text.strip_prefix(':')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let number = rest[..digits].parse().ok().filter(|number| digits == 2 && *number < 60)?;
    Some((number, &rest[2..]))
}

/// Tracks local time through the headings of a log. Its times are seconds since 1970 on the local clock.
#[derive(Debug, Default)]
pub(super) struct LogClock {
    /// The offset of local time from UTC, if known.
    offset: Option<i64>,
    /// The start, in Unix seconds.
    started: Option<i64>,
    /// The times of the headings so far.
    past: Vec<i64>,
    /// The last time that was written by a program.
    exact: Option<i64>,
}

impl LogClock {
    /// Starts at the log's start, in the time zone that its id implies.
    pub(super) fn new(id: &str, started: Option<i64>) -> Self {
        let offset = time::civil(id).and_then(|local| zone_offset(local, started?));
        let begin = match (started, offset) {
            (Some(started), Some(offset)) => Some(started + offset),
            _ => None,
        };
        LogClock { offset, started, past: begin.into_iter().collect(), exact: begin }
    }

    /// Returns the Unix seconds of a heading; `None` while the time zone is unknown.
    pub(super) fn instant_of(&mut self, timed: &TimedHeading<'_>) -> Option<i64> {
        let title = timed.title.to_ascii_lowercase();
        if self.offset.is_none() && title.starts_with("session start") {
            self.set_zone_from_start(timed.seconds);
        }
        let offset = self.offset?;
        let last = *self.past.last()?;
        let since = title.split_once("covering since ").map(|(_, since)| since);
        let is_exact = since.is_some()
            || ["session start", "session end", "note"].iter().any(|program| title.starts_with(program));
        let local = if let Some(day) = timed.day {
            day + timed.seconds
        } else if is_exact {
            let base = since
                .and_then(leading_clock)
                .and_then(|(since, _)| {
                    self.past
                        .iter()
                        .rev()
                        .take(MAX_SEARCHED_HEADINGS)
                        .find(|past| minute_of_day(**past) == since / MINUTE)
                })
                .or(self.exact.as_ref())
                .map_or(last, |base| base - base.rem_euclid(MINUTE));
            base + (timed.seconds - base.rem_euclid(DAY)).rem_euclid(DAY)
        } else {
            let same = last - last.rem_euclid(DAY) + timed.seconds;
            // Just after midnight, a late evening time is that of a heading added late.
            match same - last {
                back if back < -NEXT_DAY_GAP => same + DAY,
                ahead if ahead > DAY - NEXT_DAY_GAP => same - DAY,
                _ => same,
            }
        };
        // Most headings have no seconds; one in the minute of the start is taken as the start itself.
        let local = match self.past.first() {
            Some(begin) if !timed.in_seconds && local < *begin && *begin < local + MINUTE => *begin,
            _ => local,
        };
        self.past.push(local);
        if is_exact {
            self.exact = Some(local);
        }
        Some(local - offset)
    }

    /// Derives the time zone from the heading that records the start.
    fn set_zone_from_start(&mut self, seconds: i64) {
        let Some(started) = self.started else { return };
        let day = started - started.rem_euclid(DAY);
        let near = [-DAY, 0, DAY].map(|days| day + days + seconds).into_iter();
        let local = near.min_by_key(|local| (local - started).abs()).expect("there are three candidates");
        self.offset = zone_offset(local, started - started.rem_euclid(MINUTE));
        self.past.extend(self.offset.map(|offset| started + offset));
        self.exact = self.past.last().copied();
    }
}

/// Returns the minute of the day.
fn minute_of_day(local: i64) -> i64 {
    local.rem_euclid(DAY) / MINUTE
}

/// Returns the offset of local time from UTC; `None` if the two times cannot be the same moment.
pub(in crate::sessions) fn zone_offset(local: i64, started: i64) -> Option<i64> {
    let ahead = local.saturating_sub(started);
    let rounded = ahead.saturating_add(ZONE_STEP / 2).div_euclid(ZONE_STEP) * ZONE_STEP;
    ((ahead - rounded).abs() <= MAX_START_DELAY && rounded.abs() <= MAX_OFFSET).then_some(rounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_in_every_form() {
        let check = |text: &str, hour: i64, minute: i64, title: &str| {
            let timed = timed_heading(text).unwrap_or_else(|| panic!("{text:?}"));
            assert_eq!((timed.seconds / 60, timed.title), (hour * 60 + minute, title), "{text:?}");
        };
        check("18:00 - A thing [main@abc1234]", 18, 0, "A thing [main@abc1234]");
        check("~9:05 - A thing", 9, 5, "A thing");
        check("07:10-12:45 - A thing", 7, 10, "A thing");
        check("07:10–12:45 — A thing", 7, 10, "A thing");
        check("11:30 — A thing", 11, 30, "A thing");
        check("[01:25:09] User", 1, 25, "User");
        check("2:30 PM: A thing", 14, 30, "A thing");
        check("12:05 am - A thing", 0, 5, "A thing");
        check("17:00", 17, 0, "");
        check("2025-06-01 18:00 - A thing", 18, 0, "A thing");
        check("2025-06-01T18:00", 18, 0, "");
        check("First part (14:38 - 15:36)", 14, 38, "First part");
        for text in [
            "A thing",
            "25:00 - x",
            "12:60 - x",
            "1:2 - x",
            "2025 - x",
            "2025-06-01 - x",
            "2025-13-01 18:00",
            "3:1 majority",
            "Ratio (3:15)",
            "é",
        ] {
            assert_eq!(timed_heading(text), None, "{text:?}");
        }
    }

    /// Returns the local times of headings after a start at 22:30, as days, hours and minutes.
    fn local_times(headings: &[&str]) -> Vec<(i64, i64, i64)> {
        let begin = time::civil("20250601-000000").expect("a date");
        let mut clock = LogClock::new("20250601-223000", Some(begin + 26 * 3600 + 30 * 60 + 2));
        let times = headings.iter().map(|text| {
            let at = clock.instant_of(&timed_heading(text).expect("a time")).expect("a zone") - 4 * 3600 - begin;
            (at / DAY, at % DAY / 3600, at % 3600 / 60)
        });
        times.collect()
    }

    #[test]
    fn a_time_past_midnight_is_the_next_days() {
        assert_eq!(
            local_times(&["22:30 - Session Start", "23:50 - A", "00:10 - B", "00:05 - C", "23:55 - D"]),
            [(0, 22, 30), (0, 23, 50), (1, 0, 10), (1, 0, 5), (0, 23, 55)]
        );
    }

    #[test]
    fn a_time_that_names_its_day_is_of_that_day() {
        let headings = ["22:30 - Session Start", "2025-06-04 08:00 - A", "09:00 - B", "2025-06-03 10:00 - C"];
        assert_eq!(local_times(&headings), [(0, 22, 30), (3, 8, 0), (3, 9, 0), (2, 10, 0)]);
    }

    #[test]
    fn program_headings_continue_from_the_previous_one() {
        let update = "22:20 - Update (covering since 22:30)";
        assert_eq!(
            local_times(&["22:30 - Session Start", update, "22:19 - Note [a@b]"]),
            [(0, 22, 30), (1, 22, 20), (2, 22, 19)]
        );
        assert_eq!(
            local_times(&["22:30 - Session Start", "22:50 - A", "22:45 - Update (covering since 22:30)"])[2],
            (0, 22, 45)
        );
    }

    #[test]
    fn the_start_gives_the_zone_if_the_id_does_not() {
        let started = time::civil("20250602-023041");
        let mut clock = LogClock::new("a-name", started);
        let first = clock.instant_of(&timed_heading("22:30 - Session Start").expect("a time"));
        assert_eq!(first, started);
        assert_eq!(
            clock.instant_of(&timed_heading("22:40 - A").expect("a time")),
            started.map(|started| started - 41 + 600)
        );
        assert_eq!(LogClock::new("a-name", started).instant_of(&timed_heading("22:30 - A").expect("a time")), None);
        assert_eq!(zone_offset(0, 20 * 3600), None);
        assert_eq!(zone_offset(0, 7 * MINUTE), None);
    }
}
