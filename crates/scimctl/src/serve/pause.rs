//! Pauses between tries, which grow.

use std::time::Duration;

/// The first pause, before it is shortened at random.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause: a developer who starts their endpoint waits for the next try.
const LONGEST: Duration = Duration::from_secs(10);

/// The next pause. Each is about twice as long as the one before.
#[derive(Debug)]
pub(super) struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Pause {
    /// The pause before the next try: up to a quarter less than its full length, so that several
    /// servers that wait for one endpoint do not return at once.
    pub(super) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST);
        // The last bytes of a UUID are random.
        let [.., random] = *uuid::Uuid::now_v7().as_bytes();
        pause - pause / 4 * u32::from(random) / 255
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_one_second_to_ten() {
        let mut pause = Pause::default();
        let pauses: Vec<_> = (0..9).map(|_| pause.next().as_millis()).collect();
        for (pause, full) in pauses.iter().zip([1, 2, 4, 8, 10, 10, 10, 10, 10]) {
            assert!((full * 750..=full * 1_000).contains(pause), "{pauses:?}");
        }
    }
}
