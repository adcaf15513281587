//! Times in the form in which rows store them: milliseconds since 1970.

use time::OffsetDateTime;

use super::error::StoreError;

/// A time in the form in which a row stores it.
pub(crate) fn milliseconds(time: OffsetDateTime) -> i64 {
    i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

/// A time from milliseconds since 1970.
pub(crate) fn instant(milliseconds: i64) -> Result<OffsetDateTime, StoreError> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000)
        .map_err(|_| StoreError::broken("a row's time is out of range"))
}
