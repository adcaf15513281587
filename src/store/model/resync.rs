//! A resync: rows are touched, so that the stream tells the product what they hold.

use scim_core::ResourceId;
use serde::{Deserialize, Serialize};

/// What a resync covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ResyncScope {
    /// Everything that the tenant has.
    All,
    /// These users and their memberships.
    Users(#[serde(with = "ids")] Vec<ResourceId>),
    /// These groups and their members.
    Groups(#[serde(with = "ids")] Vec<ResourceId>),
    /// Users and groups that changed at this time or later, in seconds since 1970, and the members
    /// of groups whose members changed since.
    Since(i64),
}

/// How many rows a resync has touched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ResyncCounts {
    /// Users in any state.
    pub users: u64,
    /// Groups.
    pub groups: u64,
    /// Memberships.
    pub members: u64,
    /// Resources of other types.
    pub resources: u64,
}

/// A resync as its row holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resync {
    /// Its id.
    pub id: String,
    /// What it covers.
    pub scope: ResyncScope,
    /// When it began, in seconds since 1970.
    pub begun: i64,
    /// What it has touched so far.
    pub counts: ResyncCounts,
    /// Where it continues after an interruption, in the form of the room that walks.
    pub position: Option<String>,
    /// When what it has touched was last stored, in seconds since 1970.
    pub saved: i64,
    /// When it finished, in seconds since 1970.
    pub finished: Option<i64>,
}

/// Ids as a list of strings.
mod ids {
    use scim_core::ResourceId;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(super) fn serialize<S: Serializer>(ids: &[ResourceId], to: S) -> Result<S::Ok, S::Error> {
        ids.iter().map(ResourceId::as_str).collect::<Vec<_>>().serialize(to)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(
        from: D,
    ) -> Result<Vec<ResourceId>, D::Error> {
        let ids = Vec::<String>::deserialize(from)?.into_iter();
        let ids = ids.map(|id| id.parse().map_err(|()| D::Error::custom("not an id")));
        ids.collect()
    }
}
