//! What a tenant's secret holds: a JSON list of token records. Two tokens can be valid at once
//! while the identity provider switches from one to the other.

use serde::{Deserialize, Serialize};

use super::token::{KeyId, PlainToken, TokenDigest};

/// One token of a tenant, without the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// The token's key id.
    pub kid: String,
    /// The token's digest with its algorithm ([`TokenDigest::to_text`]).
    pub digest: String,
    /// When it was minted, in seconds since 1970.
    pub created: i64,
    /// The time from which it is refused, in seconds since 1970; absent for a token without expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
    /// Whether it was revoked: it is refused even if it has not expired.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revoked: bool,
}

impl TokenRecord {
    /// The record of a new token.
    pub fn of(token: &PlainToken, now: i64, expires: Option<i64>) -> Self {
        Self {
            kid: token.key_id().as_str().to_owned(),
            digest: token.digest().to_text(),
            created: now,
            expires,
            revoked: false,
        }
    }

    /// Whether this is the record of a key id.
    pub fn is(&self, key_id: &KeyId) -> bool {
        self.kid == key_id.as_str()
    }

    /// Whether the token is valid at `now`, by its digest, expiry and revocation.
    pub fn admits(&self, token: &PlainToken, now: i64) -> bool {
        let same =
            TokenDigest::parse(&self.digest).is_some_and(|digest| digest.matches(&token.digest()));
        same && !self.revoked && !self.is_expired(now)
    }

    /// Whether the token's time is over.
    pub fn is_expired(&self, now: i64) -> bool {
        self.expires.is_some_and(|expiry| expiry <= now)
    }
}
