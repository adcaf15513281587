//! Bearer tokens: their form, and the only way from a token to its digest.
//!
//! `scim_<tenant>_<key id>_<secret>_<checksum>`: a prefix that secret scanners find, the tenant's
//! code (8), the key's id (4), 256 bits from the operating system (43 characters), and a CRC-32 (6)
//! that detects a mistyped token without a lookup.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::random;
use crate::store::TenantCode;

const PREFIX: &str = "scim_";
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const KEY_ID_ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const KEY_ID_LENGTH: usize = 4;
/// 62^43 is more than 2^256.
const SECRET_LENGTH: usize = 43;
const CHECKSUM_LENGTH: usize = 6;
const LENGTH: usize =
    PREFIX.len() + TenantCode::LENGTH + 1 + KEY_ID_LENGTH + 1 + SECRET_LENGTH + 1 + CHECKSUM_LENGTH;

/// The name of one of a tenant's tokens: four characters `[a-z0-9]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    /// A new id.
    ///
    /// # Errors
    /// If the operating system cannot provide random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        random::text(KEY_ID_ALPHABET, KEY_ID_LENGTH).map(Self)
    }

    /// The id as tokens, records and the log write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for KeyId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let fits =
            text.len() == KEY_ID_LENGTH && text.bytes().all(|b| KEY_ID_ALPHABET.contains(&b));
        if fits { Ok(Self(text.to_owned())) } else { Err(()) }
    }
}

/// A token as a client sends it. It cannot be printed accidentally.
#[derive(Clone, PartialEq, Eq)]
pub struct PlainToken {
    text: String,
    tenant: TenantCode,
    key_id: KeyId,
}

impl fmt::Debug for PlainToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlainToken({}, {})", self.tenant, self.key_id.0)
    }
}

impl PlainToken {
    /// A new token of a tenant.
    ///
    /// # Errors
    /// If the operating system cannot provide random bytes.
    pub fn generate(tenant: &TenantCode) -> Result<Self, getrandom::Error> {
        let key_id = KeyId::generate()?;
        let secret = random::text(ALPHABET, SECRET_LENGTH)?;
        let body = format!("{PREFIX}{tenant}_{}_{secret}", key_id.as_str());
        let text = format!("{body}_{}", checksum(&body));
        Ok(Self { text, tenant: tenant.clone(), key_id })
    }

    /// Reads a token; `None` if it does not have the form of this service's tokens.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != LENGTH || !text.is_ascii() {
            return None;
        }
        let (body, sum) = text.rsplit_once('_')?;
        let mut parts = body.strip_prefix(PREFIX)?.split('_');
        let (tenant, key_id, secret) = (parts.next()?, parts.next()?, parts.next()?);
        let fits = parts.next().is_none()
            && secret.len() == SECRET_LENGTH
            && secret.bytes().all(|b| b.is_ascii_alphanumeric())
            && sum == checksum(body);
        if !fits {
            return None;
        }
        Some(Self {
            text: text.to_owned(),
            tenant: tenant.parse().ok()?,
            key_id: key_id.parse().ok()?,
        })
    }

    /// The text, for the one time that it is shown to the operator.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The tenant that it claims to belong to. This proves nothing.
    pub fn tenant(&self) -> &TenantCode {
        &self.tenant
    }

    /// The key id that it claims to have.
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// What is stored instead of the token. SHA-256 suffices: the input has 256 evenly random bits,
    /// and a slow hash on every request would be a denial of service.
    pub fn digest(&self) -> TokenDigest {
        TokenDigest(Sha256::digest(self.text.as_bytes()).into())
    }
}

/// The SHA-256 digest of a token. Comparing two takes the same time wherever they differ.
#[derive(Debug, Clone)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    const ALGORITHM: &str = "sha256:";

    /// The form in which the digest is stored: the algorithm, then the digest in Base64 for URLs.
    pub fn to_text(&self) -> String {
        format!("{}{}", Self::ALGORITHM, URL_SAFE_NO_PAD.encode(self.0))
    }

    /// Reads the stored form.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(Self::ALGORITHM)?).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// Whether the two are equal, in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl PartialEq for TokenDigest {
    fn eq(&self, other: &Self) -> bool {
        self.matches(other)
    }
}

impl Serialize for TokenDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de> Deserialize<'de> for TokenDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a digest of a known algorithm"))
    }
}

fn checksum(body: &str) -> String {
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut text = [b'0'; CHECKSUM_LENGTH];
    for digit in text.iter_mut().rev() {
        *digit = ALPHABET.get(rest as usize % ALPHABET.len()).copied().unwrap_or(b'0');
        rest /= 62;
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> PlainToken {
        PlainToken::generate(&"abcd1234".parse().unwrap()).unwrap()
    }

    #[test]
    fn a_token_reads_back_and_is_shown_only_by_reveal() {
        let token = token();
        assert_eq!(PlainToken::parse(token.reveal()), Some(token.clone()));
        assert!(!format!("{token:?}").contains(&token.reveal()[20..60]));
        assert_eq!(token.reveal().len(), 69);
    }

    #[test]
    fn the_checksum_catches_any_one_changed_character() {
        let token = token();
        for index in 0..token.reveal().len() {
            let mut bytes = token.reveal().as_bytes().to_vec();
            bytes[index] = if bytes[index] == b'x' { b'y' } else { b'x' };
            assert_eq!(PlainToken::parse(std::str::from_utf8(&bytes).unwrap()), None, "{index}");
        }
    }

    #[test]
    fn digests_keep_their_algorithm_and_compare() {
        let digest = token().digest();
        let stored = TokenDigest::parse(&digest.to_text()).unwrap();
        assert!(stored.matches(&digest) && !stored.matches(&token().digest()));
        assert!(TokenDigest::parse("sha256:00").is_none() && TokenDigest::parse("").is_none());
    }
}
