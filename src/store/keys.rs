//! The keys of the table, each made in one place. No text of a client enters a key: it is hashed
//! with the tenant's salt, and the attribute itself is compared again after the read.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use scim_core::members::MemberType;
use scim_core::{Error, ResourceId};
use sha2::Sha256;

/// A sort key before that of every resource, whose ids are letters, digits, `-` and `_`.
pub(super) const FIRST: &str = "-";
/// A sort key behind all of them.
pub(super) const LAST: &str = "~";

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

    pub(super) fn own(&self) -> String {
        format!("{self}#T")
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

    /// The partition of the tenant's own row, and of what is unfinished.
    pub(super) fn own(&self) -> String {
        self.code.own()
    }

    pub(super) fn external_ids(&self) -> String {
        format!("{}#X", self.code)
    }

    pub(super) fn emails(&self) -> String {
        format!("{}#E", self.code)
    }

    /// Values that an attribute of a resource type has once only.
    pub(super) fn unique_values(&self) -> String {
        format!("{}#Q", self.code)
    }

    /// The members of a group.
    pub(super) fn members(&self, group: &ResourceId) -> String {
        format!("{}#M#{group}", self.code)
    }

    /// The groups that a resource is a member of.
    pub(super) fn memberships(&self, member: &ResourceId) -> String {
        format!("{}#R#{member}", self.code)
    }

    pub(super) fn counters(&self) -> String {
        format!("{}#C", self.code)
    }

    /// Who expires when, while visible.
    pub(super) fn due(&self) -> String {
        format!("{}#D", self.code)
    }

    pub(super) fn log(&self) -> String {
        format!("{}#L", self.code)
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
}

/// Which resource type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Soft-deleted, with e-mail pointers.
    User,
    /// With members.
    Group,
    /// One that the operator defined, by its name of letters and digits.
    Other(String),
}

impl From<MemberType> for Kind {
    fn from(member: MemberType) -> Self {
        match member {
            MemberType::User => Self::User,
            MemberType::Group => Self::Group,
        }
    }
}

impl Kind {
    /// The kind of a resource type by its name.
    pub fn of(resource_type: &str) -> Self {
        match resource_type {
            "User" => Self::User,
            "Group" => Self::Group,
            other => Self::Other(other.to_owned()),
        }
    }

    fn mark(&self) -> String {
        match self {
            Self::User => "U".into(),
            Self::Group => "G".into(),
            Self::Other(name) => format!("Z#{name}"),
        }
    }
}

/// The resources of one type of one tenant: the door to their rows.
#[derive(Debug, Clone)]
pub struct Collection {
    /// Whose.
    pub tenant: TenantKey,
    /// Of which type.
    pub kind: Kind,
}

impl Collection {
    /// The partition of the resources, their claims and the heads of groups.
    pub(super) fn rows(&self) -> String {
        format!("{}#{}", self.tenant.code, self.kind.mark())
    }

    /// What the sort keys of this type's counters begin with.
    pub(super) fn counters(&self) -> String {
        format!("{}#", self.kind.mark())
    }

    /// The sort key of a resource's row: its id, if this service made it. An id that came from
    /// elsewhere follows 48 bits that are made of it, so that all keys are spread evenly, which the
    /// counters rely on: the ids of a product may all begin alike. Lists are in the order of these
    /// keys.
    pub fn key(&self, id: &ResourceId) -> String {
        match is_made(id.as_str()) {
            true => id.to_string(),
            false => format!("{}~{id}", self.bits("id", id.as_str())),
        }
    }

    /// The first 48 bits of the id of resources that were created under this name.
    pub(super) fn name_prefix(&self, form: &str) -> String {
        self.bits("name", form)
    }

    fn bits(&self, what: &str, value: &str) -> String {
        let digest = self.tenant.digest(&self.label(what), value);
        format!("{}-{}", digest.get(..8).unwrap_or_default(), digest.get(8..12).unwrap_or_default())
    }

    /// The claim of a name; where names are not unique, each owner has its own.
    pub(super) fn claim(&self, form: &str, shared_by: Option<&ResourceId>) -> String {
        let claim = format!("{}!{}", self.name_prefix(form), self.hash("claim", form));
        match shared_by {
            None => claim,
            Some(owner) => format!("{claim}#{owner}"),
        }
    }

    pub(super) fn external_id(&self, external_id: &str) -> String {
        self.hash("externalId", external_id)
    }

    pub(super) fn unique_value(&self, attribute: &str, form: &str) -> String {
        self.hash("unique", &format!("{attribute}\0{form}"))
    }

    pub(super) fn email(&self, form: &str, owner: &ResourceId) -> String {
        format!("{}{owner}", self.email_prefix(form))
    }

    pub(super) fn email_prefix(&self, form: &str) -> String {
        format!("{}#", self.hash("email", form))
    }

    fn hash(&self, what: &str, value: &str) -> String {
        self.tenant.hash(&self.label(what), value)
    }

    /// What sets this type's hashes apart from those of others.
    fn label(&self, what: &str) -> String {
        format!("{}:{what}", self.kind.mark())
    }

    /// A new id for the resource of this name: a UUID of version 8 that begins with the name's 48
    /// bits, so that one query finds the claim and the resource; the other 74 bits are random, as
    /// are all where there is no name.
    ///
    /// # Errors
    /// 500 if the operating system has no randomness to give.
    pub fn new_id(&self, name: Option<&str>) -> Result<ResourceId, Error> {
        let no_random = || Error::internal("No id could be made; try again.");
        let random = crate::random::bytes::<16>().map_err(|_| no_random())?;
        let id = uuid::Uuid::new_v8(random).to_string();
        let (_, tail) = id.split_at_checked(13).ok_or_else(no_random)?;
        match name {
            None => id.parse(),
            Some(name) => format!("{}{tail}", self.name_prefix(name)).parse(),
        }
        .map_err(|()| no_random())
    }
}

/// Whether an id has the form of those that [`Collection::new_id`] makes.
fn is_made(id: &str) -> bool {
    let form = |(place, byte): (usize, u8)| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        14 => byte == b'8',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
    };
    id.len() == 36 && id.bytes().enumerate().all(form)
}

/// The id in the sort key of a resource's row.
pub(super) fn id_in(key: &str) -> &str {
    key.split_once('~').map_or(key, |(_, id)| id)
}

/// What a sort key in a collection's partition stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'k> {
    /// A name and its owner.
    Claim,
    Resource,
    /// One sixteenth of a group's membership, by the group's id.
    Head(&'k str),
}

impl<'k> Place<'k> {
    pub(super) fn of(s: &'k str) -> Self {
        match s.split_once('!') {
            None => Self::Resource,
            Some((id, shard)) if shard.len() == 1 => Self::Head(id),
            Some(_) => Self::Claim,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users() -> Collection {
        Collection {
            tenant: TenantKey::new("abcd1234".parse().unwrap(), [7; 32]),
            kind: Kind::User,
        }
    }

    #[test]
    fn an_id_is_a_uuid_of_version_8_that_begins_with_its_names_prefix() {
        for name in [Some("bjensen"), None] {
            let id = users().new_id(name).unwrap();
            let parsed = uuid::Uuid::parse_str(id.as_str()).unwrap();
            assert_eq!(
                (parsed.get_version_num(), parsed.get_variant()),
                (8, uuid::Variant::RFC4122)
            );
            let begins = id.as_str().starts_with(&format!("{}-8", users().name_prefix("bjensen")));
            assert_eq!(begins, name.is_some());
            assert_ne!(id, users().new_id(name).unwrap());
        }
    }

    #[test]
    fn a_claim_sorts_before_the_resources_it_may_belong_to_and_a_head_behind_its_group() {
        let id = users().new_id(Some("bjensen")).unwrap();
        let claim = users().claim("bjensen", None);
        assert!(claim.as_str() < id.as_str());
        assert_eq!(Place::of(&claim), Place::Claim);
        assert_eq!(Place::of(&users().claim("bjensen", Some(&id))), Place::Claim);
        assert_eq!(Place::of(id.as_str()), Place::Resource);
        let head = format!("{id}!0");
        assert!(id.as_str() < head.as_str());
        assert_eq!(Place::of(&head), Place::Head(id.as_str()));
    }

    #[test]
    fn an_id_from_elsewhere_is_kept_under_a_key_that_is_spread() {
        let own = users().new_id(Some("bjensen")).unwrap();
        assert_eq!((users().key(&own), id_in(own.as_str())), (own.to_string(), own.as_str()));
        let mut begins = std::collections::BTreeSet::new();
        for number in 0..100 {
            let id: ResourceId =
                format!("01906b2f-{number:04}-7000-8000-000000000000").parse().unwrap();
            let key = users().key(&id);
            assert_eq!((id_in(&key), Place::of(&key)), (id.as_str(), Place::Resource));
            begins.insert(key[..4].to_owned());
        }
        assert!(begins.len() > 90, "{begins:?}");
    }

    #[test]
    fn types_share_no_key() {
        let groups = Collection { kind: Kind::Group, ..users() };
        assert_ne!(groups.name_prefix("staff"), users().name_prefix("staff"));
        assert_ne!(groups.external_id("1"), users().external_id("1"));
        assert_ne!(groups.rows(), users().rows());
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
