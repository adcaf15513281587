//! The resources of one type of one tenant, and the keys of their rows, each made in one place.

use scim_core::members::MemberType;
use scim_core::{Error, ResourceId};

use super::tenant_key::TenantKey;

/// A resource type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Users are soft-deleted, and can be found by their e-mail addresses.
    User,
    /// Groups have members.
    Group,
    /// A type that the operator defined, by its name of letters and digits.
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

    /// The letters of the kind in keys, and in the rows of the log.
    pub(in crate::store) fn mark(&self) -> String {
        match self {
            Self::User => "U".into(),
            Self::Group => "G".into(),
            Self::Other(name) => format!("Z#{name}"),
        }
    }

    /// The kind of these letters; `None` if they stand for no kind.
    pub(in crate::store) fn of_mark(mark: &str) -> Option<Self> {
        match mark {
            "U" => Some(Self::User),
            "G" => Some(Self::Group),
            _ => mark.strip_prefix("Z#").map(|name| Self::Other(name.to_owned())),
        }
    }
}

/// The resources of one type of one tenant. It gives access to their rows.
#[derive(Debug, Clone)]
pub struct Collection {
    /// The tenant.
    pub tenant: TenantKey,
    /// The resource type.
    pub kind: Kind,
}

impl Collection {
    /// The partition of the resources, their claims and the heads of groups.
    pub(in crate::store) fn partition(&self) -> String {
        format!("{}#{}", self.tenant.code(), self.kind.mark())
    }

    /// The prefix of the sort keys of this type's counters.
    pub(in crate::store) fn counters(&self) -> String {
        format!("{}#", self.kind.mark())
    }

    /// The sort key of a resource's row: the id as keys have it. Lists are in the order of these
    /// keys.
    pub fn key(&self, id: &ResourceId) -> String {
        self.tenant.id_key(id)
    }

    /// A position in a list after a group and its heads.
    pub fn behind(&self, group: &ResourceId) -> String {
        behind(&self.key(group))
    }

    /// The first 48 bits of the id of resources that were created under this name.
    pub(in crate::store) fn name_prefix(&self, form: &str) -> String {
        self.bits("name", form)
    }

    /// 48 bits of a value's hash.
    fn bits(&self, label: &str, value: &str) -> String {
        let digest = self.tenant.digest(&self.label(label), value);
        format!("{}-{}", digest.get(..8).unwrap_or_default(), digest.get(8..12).unwrap_or_default())
    }

    /// The sort key of the claim of a name. Where names are not unique, each owner has a claim.
    pub(in crate::store) fn claim(&self, form: &str, shared_by: Option<&ResourceId>) -> String {
        let claim = format!("{}!{}", self.name_prefix(form), self.hash("claim", form));
        match shared_by {
            None => claim,
            Some(owner) => format!("{claim}#{}", self.key(owner)),
        }
    }

    /// The sort key of an externalId's first owner, which is also the prefix of the sort keys of
    /// further owners.
    pub(in crate::store) fn external_id(&self, external_id: &str) -> String {
        self.hash("externalId", external_id)
    }

    /// The sort key of a further unique value.
    pub(in crate::store) fn unique_value(&self, attribute: &str, form: &str) -> String {
        self.hash("unique", &format!("{attribute}\0{form}"))
    }

    /// The sort key of an e-mail pointer.
    pub(in crate::store) fn email(&self, form: &str, owner: &ResourceId) -> String {
        format!("{}{}", self.email_prefix(form), self.key(owner))
    }

    /// The prefix of the sort keys of all pointers of an e-mail address.
    pub(in crate::store) fn email_prefix(&self, form: &str) -> String {
        format!("{}#", self.hash("email", form))
    }

    fn hash(&self, label: &str, value: &str) -> String {
        self.tenant.hash(&self.label(label), value)
    }

    /// A label that sets this type's hashes apart from those of other types.
    fn label(&self, label: &str) -> String {
        format!("{}:{label}", self.kind.mark())
    }

    /// A new id for the resource of this name: a UUID of version 8 that begins with the name's 48
    /// bits, so that one query finds the claim and the resource. The other 74 bits are random;
    /// without a name, all bits are random.
    ///
    /// # Errors
    /// 500 if the operating system cannot provide random bytes.
    pub fn new_id(&self, name: Option<&str>) -> Result<ResourceId, Error> {
        let no_random = || Error::internal("No id could be generated; try again.");
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

/// A text that sorts after a resource and, if it is a group, after its heads.
pub(crate) fn behind(key: &str) -> String {
    format!("{key}!g")
}

/// What the form of a sort key tells about a row in a collection's partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyForm<'k> {
    /// A name and its owner.
    Claim,
    Resource,
    /// One sixteenth of a group's membership, by the group's key.
    Head(&'k str),
}

impl<'k> KeyForm<'k> {
    /// The form of this sort key.
    pub(crate) fn of(s: &'k str) -> Self {
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
        assert_eq!(KeyForm::of(&claim), KeyForm::Claim);
        assert_eq!(KeyForm::of(&users().claim("bjensen", Some(&id))), KeyForm::Claim);
        assert_eq!(KeyForm::of(id.as_str()), KeyForm::Resource);
        let head = format!("{id}!0");
        assert!(id.as_str() < head.as_str());
        assert_eq!(KeyForm::of(&head), KeyForm::Head(id.as_str()));
    }

    #[test]
    fn an_id_from_elsewhere_is_kept_under_a_short_key_that_is_spread() {
        let own = users().new_id(Some("bjensen")).unwrap();
        assert_eq!(users().key(&own), own.to_string());
        let mut begins = std::collections::BTreeSet::new();
        for number in 0..100 {
            for id in [
                format!("01906b2f-{number:04}-7000-8000-000000000000"),
                format!("{number}"),
                format!("{number:0>128}"),
            ] {
                let key = users().key(&id.parse().unwrap());
                assert_eq!((key.len(), KeyForm::of(&key)), (34, KeyForm::Resource));
                begins.insert(key[..4].to_owned());
            }
        }
        assert!(begins.len() > 280, "{begins:?}");
    }

    #[test]
    fn types_share_no_key() {
        let groups = Collection { kind: Kind::Group, ..users() };
        assert_ne!(groups.name_prefix("staff"), users().name_prefix("staff"));
        assert_ne!(groups.external_id("1"), users().external_id("1"));
        assert_ne!(groups.partition(), users().partition());
    }
}
