//! A tenant's code, and the key that gives access to its rows. No text from a client becomes part
//! of a key: it is hashed with the tenant's salt, and the attribute itself is compared again after
//! the read.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use scim_core::{ResourceId, canonical};
use sha2::Sha256;

/// A tenant's code: eight characters `[a-z0-9]`. It is always generated, never chosen.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TenantCode(String);

impl TenantCode {
    /// Length of every code.
    pub const LENGTH: usize = 8;

    /// A new code, from 36^8 possible ones.
    ///
    /// # Errors
    /// If the operating system cannot provide random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        crate::random::text(b"abcdefghijklmnopqrstuvwxyz0123456789", Self::LENGTH).map(Self)
    }

    /// The code as it appears in keys, tokens and names of secrets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition of the tenant's own row.
    pub(in crate::store) fn own(&self) -> String {
        format!("{self}#T")
    }

    /// The partition of the audit log.
    pub(in crate::store) fn log(&self) -> String {
        format!("{self}#L")
    }
}

impl FromStr for TenantCode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let fits = text.len() == Self::LENGTH
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if fits { Ok(Self(text.to_owned())) } else { Err(()) }
    }
}

impl fmt::Display for TenantCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Gives access to one tenant's rows. It can only be made from a stored tenant's row
/// ([`crate::store::TenantRow::key`]), so no query can forget the tenant.
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
    pub(in crate::store) fn new(code: TenantCode, salt: [u8; 32]) -> Self {
        Self { code, salt }
    }

    /// The tenant whose rows these are.
    pub fn code(&self) -> &TenantCode {
        &self.code
    }

    /// The partition of the tenant's own row, and of unfinished work.
    pub(in crate::store) fn own(&self) -> String {
        self.code.own()
    }

    /// The partition of the externalIds of resources of all types.
    pub(in crate::store) fn external_ids(&self) -> String {
        format!("{}#X", self.code)
    }

    /// The partition of e-mail addresses.
    pub(in crate::store) fn emails(&self) -> String {
        format!("{}#E", self.code)
    }

    /// The partition of values that only one resource of a type may have.
    pub(in crate::store) fn unique_values(&self) -> String {
        format!("{}#Q", self.code)
    }

    /// The partition of a group's members.
    pub(in crate::store) fn members(&self, group: &ResourceId) -> String {
        format!("{}#M#{}", self.code, self.id_key(group))
    }

    /// The partition of the groups that a resource is a member of.
    pub(in crate::store) fn memberships(&self, member: &ResourceId) -> String {
        format!("{}#R#{}", self.code, self.id_key(member))
    }

    /// The partition of the memberships that ended because users were deleted.
    pub(in crate::store) fn past(&self) -> String {
        format!("{}#P", self.code)
    }

    /// The partition of the counters, seats and brake.
    pub(in crate::store) fn counters(&self) -> String {
        format!("{}#C", self.code)
    }

    /// The partition of the times at which visible users expire.
    pub(in crate::store) fn due(&self) -> String {
        format!("{}#D", self.code)
    }

    /// The partition of the resyncs.
    pub(in crate::store) fn resyncs(&self) -> String {
        format!("{}#Y", self.code)
    }

    /// The partition of the refusals.
    pub(in crate::store) fn refusals(&self) -> String {
        format!("{}#F", self.code)
    }

    /// What refusals have in place of a person's or a group's name: 128 bits in hex behind `~`,
    /// comparable inside the tenant only. Names that a directory would take for one have one mark.
    pub fn mark(&self, name: &str) -> String {
        let compared = canonical::user_name(name).unwrap_or_else(|_| name.trim().to_lowercase());
        format!("~{}", self.hash("refusal", &compared))
    }

    /// An id as keys have it, in lower case: the id itself if this service made it, and 128 bits of
    /// its hash if it came from elsewhere. The ids of a product may be of any length and all begin
    /// alike, and the counters rely on keys that are spread evenly.
    pub(in crate::store) fn id_key(&self, id: &ResourceId) -> String {
        let id = id.folded();
        if is_made(&id) {
            return id;
        }
        let hash = self.hash("id", &id);
        let part = |range: Range<usize>| hash.get(range).unwrap_or_default();
        format!("{}-{}~{}", part(0..8), part(8..12), part(12..32))
    }

    /// 64 bits that stand for a value in the audit log, comparable inside the tenant only.
    pub(in crate::store) fn log_digest(&self, value: &str) -> String {
        self.digest("log", value).get(..16).unwrap_or_default().to_owned()
    }

    /// 128 bits in hex that only this service can compute for this tenant and text.
    pub fn seal(&self, text: &str) -> String {
        self.hash("seal", text)
    }

    /// 128 bits in hex.
    pub(super) fn hash(&self, kind: &str, value: &str) -> String {
        self.digest(kind, value).get(..32).unwrap_or_default().to_owned()
    }

    /// 256 bits in hex.
    pub(super) fn digest(&self, kind: &str, value: &str) -> String {
        use fmt::Write;
        let mut hex = String::with_capacity(64);
        // HMAC accepts keys of any length, so this cannot fail.
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
}

/// Whether an id has the form of those that [`super::collection::Collection::new_id`] makes.
pub(crate) fn is_made(id: &str) -> bool {
    let form = |(place, byte): (usize, u8)| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        14 => byte == b'8',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
    };
    id.len() == 36 && id.bytes().enumerate().all(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenants_code_is_generated_not_typed() {
        for wrong in ["", "abcd123", "abcd12345", "ABCD1234", "abcd#123", "abcd 123"] {
            assert!(wrong.parse::<TenantCode>().is_err(), "{wrong}");
        }
        let code = TenantCode::generate().unwrap();
        assert_eq!(code.as_str().parse(), Ok(code.clone()));
    }
}
