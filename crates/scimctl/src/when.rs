//! Times as an operator types them, and as the tool shows them.

use anyhow::bail;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime};

/// A time that was typed, in seconds since 1970: how long ago, such as `90m`, `24h`, `7d` or `2w`,
/// or a date, or a date with a time, which is in UTC unless it says otherwise.
///
/// # Errors
/// With what can be typed.
pub(crate) fn parse(text: &str, now: i64) -> anyhow::Result<i64> {
    let text = text.trim();
    if let Some(seconds) = ago(text) {
        return Ok(now.saturating_sub(seconds));
    }
    let whole = text.replacen(' ', "T", 1);
    if let Ok(at) = OffsetDateTime::parse(&whole, &Rfc3339) {
        return Ok(at.unix_timestamp());
    }
    for form in [
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]"),
        format_description!("[year]-[month]-[day]T[hour]:[minute]"),
    ] {
        if let Ok(at) = PrimitiveDateTime::parse(whole.trim_end_matches('Z'), form) {
            return Ok(at.assume_utc().unix_timestamp());
        }
    }
    match Date::parse(text, format_description!("[year]-[month]-[day]")) {
        Ok(day) => Ok(day.midnight().assume_utc().unix_timestamp()),
        Err(_) => bail!(
            "{text} is not a time; write how long ago, such as 24h or 7d, or a date, such as \
             2026-11-30 or 2026-11-30T03:00Z"
        ),
    }
}

fn ago(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let seconds = match unit.to_ascii_lowercase() {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        'w' => 7 * 24 * 60 * 60,
        _ => return None,
    };
    let count: i64 = text.strip_suffix(unit)?.trim().parse().ok()?;
    (count >= 0).then(|| count.saturating_mul(seconds))
}

/// How long ago a time was, in the largest unit that fits.
pub(crate) fn since(seconds: i64, now: i64) -> String {
    let ago = (now - seconds).max(0);
    let (count, unit) = match ago {
        0..60 => return "just now".to_owned(),
        60..3_600 => (ago / 60, "minute"),
        3_600..86_400 => (ago / 3_600, "hour"),
        _ => (ago / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural} ago")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_their_usual_forms() {
        let now = 1_796_000_000;
        for (text, at) in [
            ("90m", now - 5_400),
            ("24h", now - 86_400),
            ("7d", now - 604_800),
            ("2026-11-30", 1_795_996_800),
            ("2026-11-30T03:00Z", 1_796_007_600),
            ("2026-11-30 03:00", 1_796_007_600),
            ("2026-11-30T03:00:00Z", 1_796_007_600),
            ("2026-11-30T03:00:00+01:00", 1_796_004_000),
        ] {
            assert_eq!(parse(text, now).unwrap(), at, "{text}");
        }
        for odd in ["", "yesterday", "-3h", "h", "2026-13-01"] {
            assert!(parse(odd, now).is_err(), "{odd}");
        }
    }

    #[test]
    fn the_largest_unit_that_fits_is_shown() {
        let shown = [0, 60, 7_199, 10_800, 172_800].map(|ago| since(1_000_000 - ago, 1_000_000));
        assert_eq!(shown, ["just now", "1 minute ago", "1 hour ago", "3 hours ago", "2 days ago"]);
    }
}
