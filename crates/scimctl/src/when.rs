//! Times as an operator types them, and as the tool shows them.

use anyhow::{anyhow, ensure};
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime, Time};

use crate::output::counted;

const FORMS: &str = "write a time such as 2026-11-30T08:00:00Z or, in UTC, 2026-11-30 08:00, a day \
    such as 2026-11-30 (UTC), or how long ago it was: 90m, 24h, 7d";

/// A time in the past, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) i64);

impl Moment {
    /// The same in milliseconds.
    pub(crate) fn milliseconds(self) -> i64 {
        self.0.saturating_mul(1_000)
    }
}

/// Reads a time that is past at `now`.
///
/// # Errors
/// With the forms that it can have.
fn parse_at(text: &str, now: OffsetDateTime) -> anyhow::Result<Moment> {
    let moment = parse_any_at(text, now)?;
    ensure!(moment.0 <= now.unix_timestamp(), "it is in the future; {FORMS}");
    Ok(moment)
}

/// Reads a time, which may be in the future: the clock of whoever wrote it may have been faster.
///
/// # Errors
/// With the forms that it can have.
pub(crate) fn parse_any(text: &str) -> anyhow::Result<Moment> {
    parse_any_at(text, OffsetDateTime::now_utc())
}

fn parse_any_at(text: &str, now: OffsetDateTime) -> anyhow::Result<Moment> {
    let time = if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        time.unix_timestamp()
    } else if let Some(time) = utc(text) {
        time.unix_timestamp()
    } else {
        let ago = ago(text).ok_or_else(|| anyhow!(FORMS))?;
        now.unix_timestamp().saturating_sub(ago)
    };
    ensure!(time >= 0, "it is too long ago; {FORMS}");
    Ok(Moment(time))
}

/// Reads a time that is past.
///
/// # Errors
/// With the forms that it can have.
pub(crate) fn parse(text: &str) -> anyhow::Result<Moment> {
    parse_at(text, OffsetDateTime::now_utc())
}

/// A time in UTC: a day, which begins at midnight, or a day and a time, with or without seconds.
fn utc(text: &str) -> Option<OffsetDateTime> {
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, text)) => (date, time(text)?),
        None => (text, Time::MIDNIGHT),
    };
    Some(day(date)?.with_time(time).assume_utc())
}

/// A time of day as `08:00` or `08:00:30`.
fn time(text: &str) -> Option<Time> {
    let parts: Vec<u8> = text.split(':').map(two_digits).collect::<Option<_>>()?;
    match parts.as_slice() {
        [hour, minute] => Time::from_hms(*hour, *minute, 0).ok(),
        [hour, minute, second] => Time::from_hms(*hour, *minute, *second).ok(),
        _ => None,
    }
}

fn two_digits(text: &str) -> Option<u8> {
    let fits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| fits)
}

/// A day as `2026-11-30`.
fn day(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-');
    let year = parts.next().filter(|year| year.len() == 4)?;
    let (month, day) = (parts.next()?, parts.next()?);
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if ![year, month, day].into_iter().all(is_digits) {
        return None;
    }
    let month: u8 = month.parse().ok()?;
    Date::from_calendar_date(year.parse().ok()?, month.try_into().ok()?, day.parse().ok()?).ok()
}

/// Seconds in a text such as `90m`.
fn ago(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        'w' => 7 * 24 * 60 * 60,
        _ => return None,
    };
    let number = text.get(..text.len() - 1)?;
    let is_digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse::<i64>().ok().filter(|_| is_digits)?.checked_mul(unit)
}

/// How long ago something was last seen in an hour that began at `hour`.
pub(crate) fn seen(hour: i64, now: i64) -> String {
    let ago = (now - hour).max(0);
    let (count, unit) = match ago {
        0..3_600 => return "within the hour".to_owned(),
        3_600..86_400 => (ago / 3_600, "hour"),
        _ => (ago / 86_400, "day"),
    };
    format!("{} ago", counted(count.unsigned_abs(), unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_an_instant_a_day_or_a_span() {
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        for (text, seconds) in [
            ("2027-01-15T08:00:00Z", 1_800_000_000),
            ("2027-01-15T09:00:00+01:00", 1_800_000_000),
            ("2027-01-15T07:59:59.5Z", 1_799_999_999),
            ("2027-01-15", 1_800_000_000 - 8 * 3_600),
            ("2027-01-15T08:00", 1_800_000_000),
            ("2027-01-15 07:59:30", 1_800_000_000 - 30),
            ("90m", 1_800_000_000 - 5_400),
            ("24h", 1_800_000_000 - 86_400),
            ("7d", 1_800_000_000 - 7 * 86_400),
            ("2w", 1_800_000_000 - 14 * 86_400),
            ("0m", 1_800_000_000),
        ] {
            assert_eq!(parse_at(text, now).unwrap(), Moment(seconds), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "7",
            "d",
            "-1d",
            "+1d",
            "1.5h",
            "7 d",
            "2027-1-1x",
            "2027-02-30",
            "27-01-15",
            "2027-01-15 8:00",
            "2027-01-15 08",
            "2027-01-15 24:00",
            "2027-01-15  08:00",
            "99999999999999999999d",
            "9223372036854775807d",
            "µm",
        ] {
            let said = parse_at(text, now).unwrap_err().to_string();
            assert!(said.starts_with("write a time such as"), "{text}: {said}");
        }
        for (text, why) in [
            ("2027-01-15T08:00:01Z", "in the future"),
            ("2027-01-16", "in the future"),
            ("1969-12-31", "too long ago"),
            ("99999d", "too long ago"),
        ] {
            let said = parse_at(text, now).unwrap_err().to_string();
            assert!(said.contains(why) && said.contains("90m"), "{text}: {said}");
        }
    }

    #[test]
    fn what_is_known_to_the_hour_is_shown_in_hours_or_days() {
        let shown = [0, 3_599, 7_199, 10_800, 172_800].map(|ago| seen(1_000_000 - ago, 1_000_000));
        let expected =
            ["within the hour", "within the hour", "1 hour ago", "3 hours ago", "2 days ago"];
        assert_eq!(shown, expected);
    }
}
