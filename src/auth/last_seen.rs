//! When each token was last accepted, to the hour. An instance notes an hour of a token once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::token::KeyId;
use crate::store::TenantCode;
use crate::tenant::cache::Cache;

/// Maximum number of tokens that are remembered.
const MAX_TOKENS: usize = 10_000;
/// An hour, in seconds.
const HOUR: i64 = 60 * 60;
/// How many requests in a row may begin the update of an hour. A client whose requests all end
/// before it would otherwise begin one with each of them.
const TRIES_IN_A_ROW: u32 = 3;
/// After how many seconds the next request tries again.
const REST: i64 = 10;

type Token = (TenantCode, KeyId);

/// The hours that were noted.
#[derive(Debug)]
pub(super) struct LastSeen(Mutex<Cache<Token, Noted>>);

/// What is known of a token's hour.
#[derive(Debug, Clone, Copy)]
struct Noted {
    hour: i64,
    is_stored: bool,
    tries: u32,
    tried: i64,
}

impl LastSeen {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Cache::with_capacity(MAX_TOKENS)))
    }

    /// The hour that is to be stored now for a token that was accepted, in seconds since 1970;
    /// `None` if it is stored.
    pub(super) fn due(&self, token: &Token, now: i64) -> Option<i64> {
        let hour = now - now.rem_euclid(HOUR);
        let mut noted = self.locked();
        let known = noted.get(token).filter(|known| known.hour >= hour).copied();
        let known = known.unwrap_or(Noted { hour, is_stored: false, tries: 0, tried: now });
        let rests = known.tries >= TRIES_IN_A_ROW && (now - known.tried).abs() < REST;
        if known.is_stored || rests {
            return None;
        }
        noted.insert(token.clone(), Noted { tries: known.tries + 1, tried: now, ..known });
        Some(hour)
    }

    /// Remembers that an hour is stored.
    pub(super) fn store(&self, token: Token, hour: i64) {
        let noted = Noted { hour, is_stored: true, tries: 0, tried: hour };
        self.locked().insert(token, noted);
    }

    fn locked(&self) -> MutexGuard<'_, Cache<Token, Noted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_stored_once_and_tried_a_few_times_in_a_row() {
        let seen = LastSeen::new();
        let token = ("abcd1234".parse().unwrap(), "k1k1".parse().unwrap());
        let due = |now| seen.due(&token, now);
        assert_eq!(
            [7_201, 7_202, 7_203, 7_204].map(due),
            [Some(7_200), Some(7_200), Some(7_200), None]
        );
        assert_eq!(due(7_213), Some(7_200), "after a rest");
        seen.store(token.clone(), 7_200);
        assert_eq!([7_300, 10_799, 10_800].map(due), [None, None, Some(10_800)]);
    }
}
