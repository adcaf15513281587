//! The keys of the table, each made in one place. No text of a client enters a key: it is hashed
//! with the tenant's salt, and the attribute itself is compared again after the read.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use scim_core::{Error, ResourceId};
use sha2::Sha256;

/// A tenant's code: eight characters `[a-z0-9]`, generated, never chosen.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TenantCode(String);

impl TenantCode {
    /// Length of every code.
    pub const LENGTH: usize = 8;

    /// A new code, from 36^8 possible ones.
    ///
    /// # Errors
    /// If the operating system has no randomness to give.
    pub fn generate() -> Result<Self, getrandom::Error> {
        crate::random::text(b"abcdefghijklmnopqrstuvwxyz0123456789", Self::LENGTH).map(Self)
    }

    /// The code as it stands in keys, tokens and names of secrets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantCode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let fits = text.len() == Self::LENGTH && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if fits { Ok(Self(text.to_owned())) } else { Err(()) }
    }
}

impl fmt::Display for TenantCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The door to one tenant's rows. Only a stored tenant's row makes one
/// ([`super::tenants::TenantRow::key`]), so no query can be built that forgets the tenant.
#[derive(Clone)]
pub struct TenantKey {
    code: TenantCode,
    salt: [u8; 32],
}

impl fmt::Debug for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantKey({})", self.code)
    }
}

impl TenantKey {
    pub(super) fn new(code: TenantCode, salt: [u8; 32]) -> Self {
        Self { code, salt }
    }

    /// Whose rows these are.
    pub fn code(&self) -> &TenantCode {
        &self.code
    }

    pub(super) fn users(&self) -> String {
        format!("{}#U", self.code)
    }

    pub(super) fn external_ids(&self) -> String {
        format!("{}#X", self.code)
    }

    pub(super) fn emails(&self) -> String {
        format!("{}#E", self.code)
    }

    pub(super) fn counters(&self) -> String {
        format!("{}#C", self.code)
    }

    pub(super) fn log(&self) -> String {
        format!("{}#L", self.code)
    }

    /// The first 48 bits of the id of users who were created under this name.
    pub(super) fn name_prefix(&self, canonical: &str) -> String {
        let digest = self.digest("name", canonical);
        format!("{}-{}", digest.get(..8).unwrap_or_default(), digest.get(8..12).unwrap_or_default())
    }

    pub(super) fn user_name_claim(&self, canonical: &str) -> String {
        format!("{}!{}", self.name_prefix(canonical), self.hash("userName", canonical))
    }

    pub(super) fn external_id(&self, external_id: &str) -> String {
        self.hash("externalId", external_id)
    }

    pub(super) fn email(&self, canonical: &str, owner: &ResourceId) -> String {
        format!("{}#{owner}", self.hash("email", canonical))
    }

    pub(super) fn email_prefix(&self, canonical: &str) -> String {
        format!("{}#", self.hash("email", canonical))
    }

    /// 64 bits that stand for a value in the audit log, comparable inside the tenant only.
    pub(super) fn log_digest(&self, value: &str) -> String {
        self.digest("log", value).get(..16).unwrap_or_default().to_owned()
    }

    /// 128 bits in hex that only this service can make for this tenant and text.
    pub fn seal(&self, text: &str) -> String {
        self.hash("seal", text)
    }

    /// 128 bits in hex.
    fn hash(&self, kind: &str, value: &str) -> String {
        self.digest(kind, value).get(..32).unwrap_or_default().to_owned()
    }

    fn digest(&self, kind: &str, value: &str) -> String {
        use fmt::Write;
        let mut hex = String::with_capacity(64);
        // HMAC takes keys of any length, so this cannot fail.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.salt) {
            mac.update(kind.as_bytes());
            mac.update(&[0]);
            mac.update(value.as_bytes());
            for byte in mac.finalize().into_bytes() {
                let _ = write!(hex, "{byte:02x}");
            }
        }
        hex
    }

    /// A new id for the user called `canonical`: a UUID of version 8 that begins with the name's
    /// 48 bits, so that one query finds the claim and the user; the other 74 bits are random.
    ///
    /// # Errors
    /// 500 if the operating system has no randomness to give.
    pub fn new_user_id(&self, canonical: &str) -> Result<ResourceId, Error> {
        let no_random = || Error::internal("No id could be made; try again.");
        let random = crate::random::bytes::<10>().map_err(|_| no_random())?;
        let [a, b, c, d, rest @ ..] = random;
        let tail: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
        let id =
            format!("{}-8{:01x}{b:02x}-{:02x}{d:02x}-{tail}", self.name_prefix(canonical), a & 0xf, (c & 0x3f) | 0x80);
        id.parse().map_err(|()| no_random())
    }
}

/// Whether a sort key of the users' partition is a userName claim, not a user.
pub(super) fn is_claim(s: &str) -> bool {
    s.contains('!')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> TenantKey {
        TenantKey::new("abcd1234".parse().unwrap(), [7; 32])
    }

    #[test]
    fn an_id_is_a_uuid_of_version_8_that_begins_with_its_names_prefix() {
        let id = key().new_user_id("bjensen").unwrap();
        let parsed = uuid::Uuid::parse_str(id.as_str()).unwrap();
        assert_eq!((parsed.get_version_num(), parsed.get_variant()), (8, uuid::Variant::RFC4122));
        assert!(id.as_str().starts_with(&format!("{}-8", key().name_prefix("bjensen"))));
        assert_ne!(id, key().new_user_id("bjensen").unwrap());
    }

    #[test]
    fn a_claim_sorts_before_the_users_it_may_belong_to() {
        let id = key().new_user_id("bjensen").unwrap();
        assert!(key().user_name_claim("bjensen").as_str() < id.as_str());
    }

    #[test]
    fn a_tenants_code_is_generated_not_typed() {
        for wrong in ["", "abcd123", "abcd12345", "ABCD1234", "abcd#123", "abcd 123"] {
            assert!(wrong.parse::<TenantCode>().is_err(), "{wrong}");
        }
        let code = TenantCode::generate().unwrap();
        assert_eq!(code.as_str().parse(), Ok(code.clone()));
    }
}
