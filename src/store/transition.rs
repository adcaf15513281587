//! One change of one resource: from the state in which it was read to the state that it shall have.

use scim_core::resource::Attributes;
use scim_core::{Resource, ResourceId};

use super::StoreError;
use super::keys::Collection;
use super::log::{Audit, Guards};
use super::members::{Expect, MemberChange};
use super::resources::{Names, State, Stored, activity};
use super::transaction::{Condition, Values, number, text, version};

/// Whose names a write may take.
#[derive(Debug, Clone, Copy, Default)]
pub struct Takeover {
    /// Take the name of a deleted user that can still be restored.
    pub name: bool,
    /// Be a further owner of the externalId. Where it is unique, take it from a deleted user.
    pub external_id: bool,
}

/// A resource to be written.
#[derive(Debug, Clone, Copy)]
pub struct ResourceWrite<'a> {
    /// As it shall be.
    pub resource: &'a Resource,
    /// The names in its attributes.
    pub names: &'a Names,
    /// Whose names it may take.
    pub takeover: Takeover,
    /// When it expires while it is visible, in seconds since 1970.
    pub expires: Option<i64>,
}

/// What a resource shall become.
#[derive(Debug)]
pub enum Target<'a> {
    /// Visible to the identity provider.
    Live(ResourceWrite<'a>),
    /// Known to the product, not to the identity provider yet.
    Unmanaged(ResourceWrite<'a>),
    /// A user who can be restored with these attributes until `expires`, in seconds since 1970.
    Deleted {
        /// What is kept of the user.
        attributes: Attributes,
        /// When the rows may go.
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
    /// What it shall become.
    pub to: Target<'a>,
    /// Changes of a group's members that are written in the same transaction.
    pub members: &'a [MemberChange],
    /// Members of a new group whose rows were written before ([`super::Store::prepare_members`]).
    pub prepared: &'a [MemberChange],
    /// What of a group must be as it was read.
    pub expect: Expect,
    /// Who changes it, and when.
    pub audit: &'a Audit,
    /// The limits that the change must keep.
    pub guards: Guards,
}

impl<'a> Transition<'a> {
    /// A change without changes of members, which expects nothing of a group but its row.
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

    /// The id of the resource; `None` if there is none before and none after.
    pub(super) fn id(&self) -> Option<&ResourceId> {
        match &self.to {
            Target::Live(write) | Target::Unmanaged(write) => Some(&write.resource.id),
            Target::Deleted { .. } | Target::Gone => self.from.map(|from| &from.resource.id),
        }
    }

    /// The resource as it was read, if the identity provider saw it.
    fn seen(&self) -> Option<&'a Stored> {
        self.from.filter(|from| from.state == State::Live)
    }

    /// How many live and active resources there are more.
    pub(super) fn counted(&self) -> (i64, i64) {
        let before = self.seen().map_or((0, 0), |from| (1, activity(&from.resource)));
        let after = match &self.to {
            Target::Live(write) => (1, activity(write.resource)),
            Target::Unmanaged(_) | Target::Deleted { .. } | Target::Gone => (0, 0),
        };
        (after.0 - before.0, after.1 - before.1)
    }

    /// The version that the identity provider sees or would see; `None` where it saw none.
    pub(super) fn version(&self) -> Option<u64> {
        match &self.to {
            Target::Live(write) | Target::Unmanaged(write) => Some(write.resource.meta.version.0),
            Target::Deleted { .. } | Target::Gone => {
                self.seen().map(|from| from.resource.meta.version.next().0)
            }
        }
    }

    /// The condition on the resource's row: what it is read as decides, and what it becomes.
    ///
    /// A user whose time has come goes by another condition, on its due row
    /// ([`super::Store::expire`]).
    ///
    /// # Errors
    /// [`StoreError::Broken`] for a change that there is not.
    pub(super) fn condition(&self) -> Result<Condition, StoreError> {
        let now = self.audit.now;
        match (self.from.map(|from| (from.state, from)), &self.to) {
            (None, Target::Live(_) | Target::Unmanaged(_)) => Ok(unheld(now)),
            (Some((State::Live, from)), Target::Live(_)) => Ok(unchanged(from, now)),
            (Some((State::Live, from)), Target::Deleted { .. } | Target::Gone) => Ok(as_seen(from)),
            (Some((State::Deleted, from)), Target::Live(_)) => Ok(absent_or_as_seen(from)),
            (Some((State::Unmanaged, from)), Target::Live(_) | Target::Gone) => Ok(unmanaged(from)),
            (None, Target::Deleted { .. } | Target::Gone)
            | (Some((State::Live | State::Deleted | State::Unmanaged, _)), Target::Unmanaged(_))
            | (Some((State::Deleted | State::Unmanaged, _)), Target::Deleted { .. })
            | (Some((State::Deleted, _)), Target::Gone) => Err(impossible()),
        }
    }
}

/// A change that there is not.
pub(super) fn impossible() -> StoreError {
    StoreError::broken("a resource cannot change in this way")
}

/// No resource has the row: there is none, or it has expired.
pub(super) fn unheld(now: i64) -> Condition {
    Condition("attribute_not_exists(p) OR x <= :now", vec![(":now", number(now))])
}

/// The resource is as it was read and its time has not come. The whole row is put: a first
/// membership that came meanwhile must not be written over.
fn unchanged(from: &Stored, now: i64) -> Condition {
    let expression = if from.grouped {
        "v = :seen AND st = :live AND (attribute_not_exists(x) OR x > :now)"
    } else {
        "v = :seen AND st = :live AND (attribute_not_exists(x) OR x > :now) AND \
            attribute_not_exists(g)"
    };
    let mut values = seen(from);
    values.extend([(":live", text("live")), (":now", number(now))]);
    Condition(expression, values)
}

/// The resource is as it was read, and in no group unless it was in one then.
fn as_seen(from: &Stored) -> Condition {
    let expression = if from.grouped {
        "v = :seen AND st = :live"
    } else {
        "v = :seen AND st = :live AND attribute_not_exists(g)"
    };
    let mut values = seen(from);
    values.push((":live", text("live")));
    Condition(expression, values)
}

/// The deleted user is as it was read, or TTL has removed the row.
fn absent_or_as_seen(from: &Stored) -> Condition {
    Condition("attribute_not_exists(p) OR v = :seen", seen(from))
}

/// The imported user is as it was read, and not provisioned.
fn unmanaged(from: &Stored) -> Condition {
    let mut values = seen(from);
    values.push((":unmanaged", text("unmanaged")));
    Condition("v = :seen AND st = :unmanaged", values)
}

fn seen(from: &Stored) -> Values {
    vec![(":seen", version(from.row_version))]
}
