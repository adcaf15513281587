//! The record of a tenant in the secret that it shares with others: the digests of its tokens.
//!
//! Two tokens can be valid at once while the identity provider switches from one to the other. A
//! revoked token has no digest. What is not secret about a token is in the table.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::token::{KeyId, PlainToken, TokenDigest};

/// Maximum size of a record, with a signing key of 32 bytes. A secret of 48 KiB then holds at least
/// 32 tenants.
pub const MAX_RECORD_BYTES: usize = 1_536;
/// How many tokens a record holds at most, so that it stays within [`MAX_RECORD_BYTES`].
pub const MAX_TOKENS: usize = 15;

/// The tokens of one tenant.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TenantRecord {
    /// By their key ids.
    tokens: BTreeMap<String, TokenRecord>,
    /// What this release does not use, such as a signing key. It is kept when the record changes.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// One token, without the token.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenRecord {
    digest: TokenDigest,
    /// The time from which it is refused, in seconds since 1970; absent for a token without expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl fmt::Debug for TenantRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.tokens.keys()).finish()
    }
}

impl fmt::Debug for TokenRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRecord").field("expires", &self.expires).finish_non_exhaustive()
    }
}

impl TenantRecord {
    /// The tokens by their key ids.
    pub fn tokens(&self) -> &BTreeMap<String, TokenRecord> {
        &self.tokens
    }

    /// The record of a key id.
    pub fn token(&self, key_id: &KeyId) -> Option<&TokenRecord> {
        self.tokens.get(key_id.as_str())
    }

    /// Adds a token.
    pub fn add(&mut self, token: &PlainToken, expires: Option<i64>) {
        let record = TokenRecord::of(token, expires);
        self.tokens.insert(token.key_id().as_str().to_owned(), record);
    }

    /// Removes a token, which is then refused. Returns whether there was one of this key id.
    pub fn remove(&mut self, key_id: &str) -> bool {
        self.tokens.remove(key_id).is_some()
    }

    /// Lets all tokens expire at this time, unless they expire earlier.
    pub fn expire(&mut self, until: i64) {
        self.tokens.values_mut().for_each(|token| token.expire(until));
    }

    /// Lets one token expire at this time, unless it expires earlier.
    pub fn expire_token(&mut self, key_id: &str, until: i64) {
        if let Some(token) = self.tokens.get_mut(key_id) {
            token.expire(until);
        }
    }

    /// Removes the tokens for whose key ids this is false.
    pub fn retain(&mut self, mut is_kept: impl FnMut(&str) -> bool) {
        self.tokens.retain(|key_id, _| is_kept(key_id));
    }

    /// Removes the tokens that have expired.
    pub fn remove_expired(&mut self, now: i64) {
        self.tokens.retain(|_, token| !token.is_expired(now));
    }

    /// Whether the token is valid at `now`, in seconds since 1970.
    pub fn admits(&self, token: &PlainToken, now: i64) -> bool {
        self.token(token.key_id()).is_some_and(|record| record.admits(token, now))
    }
}

impl TokenRecord {
    fn of(token: &PlainToken, expires: Option<i64>) -> Self {
        Self { digest: token.digest(), expires, rest: Map::new() }
    }

    fn expire(&mut self, until: i64) {
        self.expires = Some(self.expires.map_or(until, |expires| expires.min(until)));
    }

    /// Whether the token is valid at `now`, by its digest and expiry.
    fn admits(&self, token: &PlainToken, now: i64) -> bool {
        self.digest.matches(&token.digest()) && !self.is_expired(now)
    }

    /// Whether the token's time is over.
    pub fn is_expired(&self, now: i64) -> bool {
        self.expires.is_some_and(|expiry| expiry <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_record_with_a_signing_key_fits() {
        let tenant = "abcd1234".parse().unwrap();
        let mut record = TenantRecord::default();
        while record.tokens.len() < MAX_TOKENS {
            record.add(&PlainToken::generate(&tenant).unwrap(), Some(9_999_999_999));
        }
        record.rest.insert("signing_key".into(), "x".repeat(43).into());
        let written = serde_json::json!({ "abcd1234": record }).to_string();
        assert!(written.len() <= MAX_RECORD_BYTES, "{}", written.len());
    }

    #[test]
    fn what_a_release_does_not_know_is_kept() {
        let token = PlainToken::generate(&"abcd1234".parse().unwrap()).unwrap();
        let mut record: TenantRecord = serde_json::from_value(serde_json::json!({
            "tokens": { "aaaa": { "digest": token.digest(), "scope": "read" } },
            "signing_key": "k",
        }))
        .unwrap();
        record.add(&token, None);
        record.expire(7);
        let written = serde_json::to_value(&record).unwrap();
        assert_eq!(
            (&written["signing_key"], &written["tokens"]["aaaa"]["scope"]),
            (&"k".into(), &"read".into())
        );
        assert_eq!(written["tokens"]["aaaa"]["expires"], 7);
        assert!(!format!("{record:?}").contains("signing_key"));
    }
}
