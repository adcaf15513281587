//! The pauses between the tries of a call.

use std::time::Duration;

/// How long a call that DynamoDB did not carry out is tried again before the client is asked to
/// come back.
pub(crate) const RETRY_FOR: Duration = Duration::from_secs(4);

/// The pauses between the tries, drawn evenly between `min` and an upper bound, which doubles from
/// `first` to `max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pauses {
    min: Duration,
    first: Duration,
    max: Duration,
}

/// Another transaction holds a row, but only for milliseconds.
pub(crate) const CONFLICT: Pauses = Pauses {
    min: Duration::ZERO,
    first: Duration::from_millis(10),
    max: Duration::from_millis(320),
};
/// A partition has used up its units and gets new ones each second. Retrying earlier would only use
/// up more of them.
pub(crate) const THROTTLE: Pauses = Pauses {
    min: Duration::from_millis(100),
    first: Duration::from_millis(200),
    max: Duration::from_secs(2),
};

impl Pauses {
    /// The pause after a try; the first try has the number 1.
    pub(crate) fn after(self, attempt: u32) -> Duration {
        let doubled = self.first.saturating_mul(1 << attempt.saturating_sub(1).min(16));
        self.min + jitter(doubled.min(self.max).saturating_sub(self.min))
    }
}

/// A pause drawn evenly from zero to `max`.
pub(crate) fn jitter(max: Duration) -> Duration {
    let random = crate::random::bytes::<4>().map(u32::from_le_bytes).unwrap_or(u32::MAX / 2);
    max.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttles_are_waited_out_for_a_tenth_of_a_second_to_two() {
        for attempt in 1..40 {
            let pause = THROTTLE.after(attempt);
            assert!(
                pause >= Duration::from_millis(100) && pause <= Duration::from_secs(2),
                "{attempt}: {pause:?}"
            );
            assert!(CONFLICT.after(attempt) <= Duration::from_millis(320));
        }
    }
}
