//! The sort keys of the log, which are in the order of time.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::{Timestamp, Uuid};

/// Bits of the counter in a row's key.
const COUNTER_BITS: u8 = 42;
/// Orders the rows of one millisecond. It begins with a random half of its range, so that two
/// processes seldom have the same numbers.
static COUNTER: LazyLock<AtomicU64> = LazyLock::new(|| {
    let random = crate::random::bytes().map_or(0, u64::from_be_bytes);
    AtomicU64::new(random >> (65 - COUNTER_BITS))
});

/// A UUID of version 7 at this time, in milliseconds since 1970.
pub(crate) fn unique_id(milliseconds: i64) -> Uuid {
    let milliseconds = u64::try_from(milliseconds).unwrap_or_default();
    let nanoseconds = u32::try_from(milliseconds % 1_000).unwrap_or_default() * 1_000_000;
    let counter = COUNTER.fetch_add(1, Ordering::Relaxed) & ((1 << COUNTER_BITS) - 1);
    Uuid::new_v7(Timestamp::from_unix_time(
        milliseconds / 1_000,
        nanoseconds,
        counter.into(),
        COUNTER_BITS,
    ))
}

/// A sort key before those of all rows from this time on, and after those of all rows before it.
pub(crate) fn bound(milliseconds: i64) -> String {
    let milliseconds = u64::try_from(milliseconds).unwrap_or_default().min((1 << 48) - 1);
    format!("{:08x}-{:04x}", milliseconds >> 16, milliseconds & 0xffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_time_and_within_a_millisecond_in_the_order_they_are_made() {
        let ids: Vec<String> = [5, 5, 5, 6, 1_790_000_000_123, 1_790_000_000_123]
            .map(|milliseconds| unique_id(milliseconds).to_string())
            .to_vec();
        let mut sorted = ids.clone();
        sorted.sort();
        assert_eq!(ids, sorted);
        assert!(bound(5) < ids[0] && ids[2] < bound(6) && bound(6) < ids[3]);
        let last = Uuid::try_parse(&ids[5]).unwrap().get_timestamp().unwrap().to_unix();
        assert_eq!(last, (1_790_000_000, 123_000_000));
        assert!(bound(i64::MAX) > ids[5] && bound(-1) < ids[0]);
    }
}
