//! One change of one resource: from the state in which it was read to the state that it should
//! have.

use scim_core::resource::Attributes;
use scim_core::{Member, Resource, ResourceId};

use super::audit::Audit;
use super::collection::{Collection, Kind};
use super::departure::SoftDeletion;
use super::guards::Guards;
use super::names::Names;
use super::stage::{Stage, Standing, activity, is_active};
use super::stored::Stored;

/// The names of other resources that a write may take.
#[derive(Debug, Clone, Copy, Default)]
pub struct Takeover {
    /// The resource may take the name of a deleted user who can still be restored.
    pub name: bool,
    /// It may become a further owner of an externalId. Where externalIds are unique, it may take
    /// one from a deleted user instead.
    pub external_id: bool,
}

/// A resource to be written.
#[derive(Debug, Clone, Copy)]
pub struct ResourceWrite<'a> {
    /// The resource as it should be.
    pub resource: &'a Resource,
    /// The names in its attributes.
    pub names: &'a Names,
    /// The names of other resources that it may take.
    pub takeover: Takeover,
    /// When it expires while it is visible, in seconds since 1970.
    pub expires: Option<i64>,
}

impl<'a> ResourceWrite<'a> {
    /// A write of a resource that does not expire and does not take the names of others.
    pub fn new(resource: &'a Resource, names: &'a Names) -> Self {
        Self { resource, names, takeover: Takeover::default(), expires: None }
    }
}

/// A change of one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberChange {
    /// It becomes a member; without a type it is a user.
    Add(Member),
    /// It is named as a member, although no resource of this tenant has, had or will have that id.
    AddUnknown(Member),
    /// It stops being a member.
    Remove(ResourceId),
}

impl MemberChange {
    /// The id of the member.
    pub fn member(&self) -> &ResourceId {
        match self {
            Self::Add(member) | Self::AddUnknown(member) => &member.value,
            Self::Remove(id) => id,
        }
    }
}

/// The part of a group that must be as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Its own row.
    Row,
    /// Its members too.
    RowAndMembers,
}

/// The state that a resource should have.
#[derive(Debug)]
pub enum Target<'a> {
    /// Visible to the identity provider.
    Live(ResourceWrite<'a>),
    /// A user who can be restored with these attributes until `expires`, in seconds since 1970.
    Deleted {
        /// What is kept of the user.
        attributes: Attributes,
        /// When the rows may be removed.
        expires: i64,
    },
    /// Removed, with all rows that lead to it.
    Gone,
}

/// One change of one resource.
#[derive(Debug)]
pub struct Transition<'a> {
    /// The type and the tenant of the resource.
    pub collection: &'a Collection,
    /// The resource as it was read; `None` for a new one.
    pub from: Option<&'a Stored>,
    /// The state that it should have.
    pub to: Target<'a>,
    /// Changes of a group's members that are written in the same transaction.
    pub members: &'a [MemberChange],
    /// Members of a new group whose rows were written before
    /// ([`crate::store::Store::prepare_members`]).
    pub prepared: &'a [MemberChange],
    /// The part of a group that must be as it was read.
    pub expect: Expect,
    /// The actor, the request and the time.
    pub audit: &'a Audit,
    /// The limits that the change must respect.
    pub guards: Guards,
}

impl<'a> Transition<'a> {
    /// A change without changes of members. Of a group, it expects only that its row is unchanged.
    pub fn new(
        collection: &'a Collection,
        from: Option<&'a Stored>,
        to: Target<'a>,
        audit: &'a Audit,
        guards: Guards,
    ) -> Self {
        let (members, prepared, expect) = (&[][..], &[][..], Expect::Row);
        Self { collection, from, to, members, prepared, expect, audit, guards }
    }

    /// The id of the resource; `None` if it exists neither before nor after.
    pub(in crate::store) fn id(&self) -> Option<&ResourceId> {
        match &self.to {
            Target::Live(write) => Some(&write.resource.id),
            Target::Deleted { .. } | Target::Gone => self.from.map(|from| &from.resource.id),
        }
    }

    /// The resource as it was read, if it was visible then.
    fn visible_before(&self) -> Option<&'a Stored> {
        self.from.filter(|from| from.state == Stage::Live)
    }

    /// The changes in the numbers of visible and of active resources.
    pub(in crate::store) fn count_change(&self) -> (i64, i64) {
        let before = self.visible_before().map_or((0, 0), |from| (1, activity(&from.resource)));
        let after = match &self.to {
            Target::Live(write) => (1, activity(write.resource)),
            Target::Deleted { .. } | Target::Gone => (0, 0),
        };
        (after.0 - before.0, after.1 - before.1)
    }

    /// The standing of a user before a change that ends it; `None` if it stays, or was not known
    /// before.
    pub(in crate::store) fn standing_left(&self) -> Option<Standing> {
        let before = self.from.filter(|_| self.collection.kind == Kind::User)?.standing();
        let after = match &self.to {
            Target::Live(write) => Some(Standing {
                state: Stage::Live,
                expires: write.expires,
                active: is_active(&write.resource.attributes),
            }),
            Target::Deleted { attributes, expires } => Some(Standing {
                state: Stage::Deleted,
                expires: Some(*expires),
                active: is_active(attributes),
            }),
            Target::Gone => None,
        };
        Some(before).filter(|before| after.map(Standing::word) != Some(before.word()))
    }

    /// The soft deletion of a user that the change is, if it is one.
    pub fn soft_deletion(&self) -> Option<SoftDeletion> {
        match (&self.to, self.from) {
            (Target::Deleted { expires, .. }, Some(from)) => {
                Some(SoftDeletion { version: from.row_version + 1, expires: *expires })
            }
            _ => None,
        }
    }

    /// The group that the change removes.
    pub(in crate::store) fn group_removed(&self) -> Option<&'a Resource> {
        let is_removed = self.collection.kind == Kind::Group && matches!(self.to, Target::Gone);
        self.from.filter(|_| is_removed).map(|from| &from.resource)
    }

    /// The version after the change; `None` for a resource that the identity provider never saw.
    pub(in crate::store) fn version(&self) -> Option<u64> {
        match &self.to {
            Target::Live(write) => Some(write.resource.meta.version.0),
            Target::Deleted { .. } | Target::Gone => {
                self.visible_before().map(|from| from.resource.meta.version.next().0)
            }
        }
    }
}
