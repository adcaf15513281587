//! The `ClientRequestToken`s of transactions: a transaction that is sent twice runs once.
//!
//! The engine remembers tokens too, but walks through all of them at each write and keeps whole
//! answers. So it never sees a token; this record takes the same time however many there are, and
//! little memory.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::digest::Digest;

/// How long DynamoDB remembers a token.
const WINDOW: Duration = Duration::from_secs(10 * 60);
/// How many tokens are remembered at most, some 150 bytes each.
const MAX_TOKENS: usize = 10_000;

/// The tokens of the latest transactions that succeeded or are running.
#[derive(Debug)]
pub(super) struct Tokens {
    state: Mutex<State>,
    /// A call has ended.
    ended: Condvar,
    window: Duration,
    max: usize,
}

#[derive(Debug, Default)]
struct State {
    calls: HashMap<String, Call>,
    /// The calls that succeeded, the oldest one first.
    succeeded: VecDeque<(Instant, String)>,
}

#[derive(Debug)]
struct Call {
    items: Digest,
    is_running: bool,
}

/// What a token says about a call.
#[derive(Debug)]
pub(super) enum Claim<'t> {
    /// The call is to run.
    Ours(Running<'t>),
    /// It succeeded before.
    Replay,
    /// The token belongs to a call with other items.
    Mismatch,
}

/// A call that runs. Unless it ends with success, its token is free again.
#[derive(Debug)]
pub(super) struct Running<'t> {
    tokens: &'t Tokens,
    token: &'t str,
    has_succeeded: bool,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { state: Mutex::default(), ended: Condvar::new(), window: WINDOW, max: MAX_TOKENS }
    }
}

impl Tokens {
    /// Claims a token for a call. Waits while another call with this token and these items runs.
    pub(super) fn claim<'t>(&'t self, token: &'t str, items: Digest) -> Claim<'t> {
        let mut state = self.state();
        loop {
            state.evict(self.window, self.max);
            match state.calls.get(token) {
                Some(call) if call.items != items => return Claim::Mismatch,
                Some(Call { is_running: false, .. }) => return Claim::Replay,
                Some(_) => {
                    state = self.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                None => break,
            }
        }
        state.calls.insert(token.to_owned(), Call { items, is_running: true });
        Claim::Ours(Running { tokens: self, token, has_succeeded: false })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Forgets the oldest calls, those that are too old and those that are too many.
    fn evict(&mut self, window: Duration, max: usize) {
        while let Some((at, token)) = self.succeeded.front() {
            if self.succeeded.len() < max && at.elapsed() < window {
                break;
            }
            self.calls.remove(token);
            self.succeeded.pop_front();
        }
    }
}

impl Running<'_> {
    /// Remembers that the call succeeded.
    pub(super) fn succeed(mut self) {
        self.has_succeeded = true;
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut state = self.tokens.state();
        if !self.has_succeeded {
            state.calls.remove(self.token);
        } else if let Some(call) = state.calls.get_mut(self.token) {
            call.is_running = false;
            state.succeeded.push_back((Instant::now(), self.token.to_owned()));
        }
        drop(state);
        self.tokens.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, clippy::unwrap_used)]

    use super::*;

    fn items(text: &str) -> Digest {
        serde_json::from_str(text).unwrap()
    }

    fn run(tokens: &Tokens, token: &str, items: Digest) {
        let Claim::Ours(running) = tokens.claim(token, items) else { panic!("{token} is taken") };
        running.succeed();
    }

    fn kept(tokens: &Tokens) -> (usize, usize) {
        let state = tokens.state();
        (state.calls.len(), state.succeeded.len())
    }

    #[test]
    fn a_call_that_succeeded_is_replayed_and_other_items_are_refused() {
        let tokens = Tokens::default();
        run(&tokens, "a", items("[1]"));
        assert!(matches!(tokens.claim("a", items("[1]")), Claim::Replay));
        assert!(matches!(tokens.claim("a", items("[2]")), Claim::Mismatch));
        run(&tokens, "b", items("[1]"));
    }

    #[test]
    fn a_call_that_failed_is_not_remembered() {
        let tokens = Tokens::default();
        drop(tokens.claim("a", items("[1]")));
        assert!(tokens.state().calls.is_empty());
        run(&tokens, "a", items("[2]"));
    }

    #[test]
    fn tokens_are_forgotten_after_the_window() {
        let tokens = Tokens { window: Duration::ZERO, ..Tokens::default() };
        run(&tokens, "a", items("[1]"));
        run(&tokens, "a", items("[2]"));
        assert_eq!(kept(&tokens), (1, 1));
    }

    #[test]
    fn the_oldest_token_makes_room() {
        let tokens = Tokens { max: 3, ..Tokens::default() };
        for token in ["a", "b", "c", "d"] {
            run(&tokens, token, items("[]"));
        }
        assert_eq!(kept(&tokens), (3, 3));
        assert!(matches!(tokens.claim("d", items("[]")), Claim::Replay));
        run(&tokens, "a", items("[]"));
    }

    #[test]
    fn a_second_call_waits_for_the_first_and_does_not_run() {
        let tokens = Tokens::default();
        let Claim::Ours(first) = tokens.claim("a", items("[]")) else { panic!("free") };
        std::thread::scope(|scope| {
            let second = scope.spawn(|| matches!(tokens.claim("a", items("[]")), Claim::Replay));
            assert!(matches!(tokens.claim("a", items("[1]")), Claim::Mismatch));
            first.succeed();
            assert!(second.join().unwrap());
        });
    }

    #[test]
    fn a_second_call_runs_after_the_first_has_failed() {
        let tokens = Tokens::default();
        let Claim::Ours(first) = tokens.claim("a", items("[]")) else { panic!("free") };
        std::thread::scope(|scope| {
            let second = scope.spawn(|| matches!(tokens.claim("a", items("[]")), Claim::Ours(_)));
            drop(first);
            assert!(second.join().unwrap());
        });
    }
}
