//! What a resource shows beyond its own row: the members of a group, the groups of a user.

use std::collections::BTreeMap;

use scim_core::members::{MEMBERS, Member};
use scim_core::{Error, Projection, Resource, ResourceId};

use super::shown::{
    GROUPS, groups_bytes, members_bytes, set_groups, set_members, too_large, too_many_groups,
};
use crate::budget;
use crate::directory::context::{Call, Directory, GroupName};
use crate::directory::limits::{MAX_ANSWER_BYTES, MAX_GROUPS_SHOWN, MAX_MEMBERS_SHOWN};
use crate::directory::price::Price;
use crate::store::{Kind, price_of_members};
use crate::tenant::ServedType;

/// A group with more members than this is read and shown in several steps.
pub(in crate::directory) const LARGE: usize = 1_000;

/// What an answer shows of a resource.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The attributes.
    pub projection: &'a Projection<'a>,
    /// Maximum number of members of a group. If the group has more, none are read.
    pub members: usize,
}

/// A resource with everything that its view shows.
#[derive(Debug)]
pub struct Expanded {
    /// The resource. Its members and groups are among its attributes.
    pub resource: Resource,
    /// Whether the answer must not show the resource: something that the view shows does not fit,
    /// or the profile wants no content.
    pub cut: bool,
}

impl Expanded {
    /// A resource that has nothing beyond its row, such as a user who is in no group.
    pub(in crate::directory) fn alone(resource: Resource) -> Self {
        Self { resource, cut: false }
    }

    /// The resource, if nothing was left out.
    ///
    /// # Errors
    /// `tooMany` if the members were left out.
    pub fn require_members(self) -> Result<Self, Error> {
        if self.cut { Err(too_large(&self.resource.id)) } else { Ok(self) }
    }
}

/// What was read beyond the row of a resource.
#[derive(Debug)]
pub(in crate::directory) enum Beyond {
    Nothing,
    Members(Vec<Member>),
    /// More members than the view allows.
    TooManyMembers,
    Groups(Vec<ResourceId>),
}

impl Beyond {
    pub(in crate::directory) fn groups(&self) -> &[ResourceId] {
        match self {
            Self::Groups(groups) => groups,
            Self::Nothing | Self::Members(_) | Self::TooManyMembers => &[],
        }
    }

    /// Adds what was read to the attributes of the resource. `names` has the names of its groups.
    ///
    /// # Errors
    /// `tooMany` if the client asked for groups that do not fit in an answer.
    pub(in crate::directory) fn complete(
        self,
        call: Call<'_>,
        mut resource: Resource,
        names: &BTreeMap<ResourceId, GroupName>,
        projection: &Projection<'_>,
    ) -> Result<Expanded, Error> {
        let cut = match self {
            Self::Nothing => false,
            Self::TooManyMembers => true,
            Self::Members(members) if members_bytes(call, &members) > MAX_ANSWER_BYTES => true,
            Self::Members(members) => {
                set_members(call, &mut resource, &members);
                false
            }
            Self::Groups(groups) if groups_bytes(call, &groups, names) > MAX_ANSWER_BYTES => {
                if projection.is_explicit() {
                    return Err(too_many_groups());
                }
                false
            }
            Self::Groups(groups) => {
                set_groups(call, &mut resource, &groups, names);
                false
            }
        };
        Ok(Expanded { resource, cut })
    }
}

impl Directory {
    /// Reads what the view shows of a resource beyond its row.
    pub(in crate::directory) async fn beyond(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &ResourceId,
        count: usize,
        view: View<'_>,
    ) -> Result<Beyond, Error> {
        let shows = |name: &str| view.projection.shows(&resource_type.definition, name);
        match resource_type.kind {
            Kind::Group if shows(MEMBERS) && count > view.members => Ok(Beyond::TooManyMembers),
            Kind::Group if shows(MEMBERS) => {
                self.members(call, id, count).await.map(Beyond::Members)
            }
            Kind::User if shows(GROUPS) => match self.memberships(call, id).await? {
                Some(groups) => Ok(Beyond::Groups(groups)),
                None if view.projection.is_explicit() => Err(too_many_groups()),
                // The client did not ask for groups, so the user is shown without them.
                None => Ok(Beyond::Nothing),
            },
            Kind::Group | Kind::User | Kind::Other(_) => Ok(Beyond::Nothing),
        }
    }

    /// The members of a group that has about `count` of them.
    pub(in crate::directory) async fn members(
        &self,
        call: Call<'_>,
        group: &ResourceId,
        count: usize,
    ) -> Result<Vec<Member>, Error> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let key = call.tenant.key();
        let members = async { Ok(self.store.members(&key, group, count).await?) };
        let (mut members, gone) = tokio::try_join!(members, self.gone(call))?;
        members.retain(|member| !gone.contains(&member.value));
        if members.len() > LARGE {
            // Reading many members takes CPU time, and so does the work that follows.
            tokio::task::yield_now().await;
        }
        Ok(members)
    }

    /// The groups that a resource is a direct member of, whether they still exist or not; `None` if
    /// there are more than 1,000.
    pub(in crate::directory) async fn memberships(
        &self,
        call: Call<'_>,
        member: &ResourceId,
    ) -> Result<Option<Vec<ResourceId>>, Error> {
        let groups =
            self.store.memberships(&call.tenant.key(), member, MAX_GROUPS_SHOWN + 1).await?;
        Ok(Some(groups).filter(|groups| groups.len() <= MAX_GROUPS_SHOWN))
    }
}

/// The price of reading what is shown beyond the row of a resource.
pub(in crate::directory) fn price(
    resource_type: &ServedType,
    count: usize,
    projection: &Projection<'_>,
) -> Price {
    match resource_type.kind {
        Kind::Group
            if projection.shows(&resource_type.definition, MEMBERS)
                && count > MAX_MEMBERS_SHOWN =>
        {
            Price::FREE
        }
        Kind::Group if projection.shows(&resource_type.definition, MEMBERS) => {
            price_of_members(count).into()
        }
        Kind::User if projection.shows(&resource_type.definition, GROUPS) => price_of_groups(),
        Kind::Group | Kind::User | Kind::Other(_) => Price::FREE,
    }
}

/// The price of reading which groups a user is in, without their names.
pub(in crate::directory) fn price_of_groups() -> Price {
    Price::new(2, budget::units_of_small_rows(MAX_GROUPS_SHOWN + 1))
}
