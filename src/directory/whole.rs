//! What a resource shows beyond its own row: the members of a group, the groups of a user.

use std::collections::{BTreeMap, BTreeSet};

use scim_core::members::{MEMBERS, Member, MemberType};
use scim_core::{Error, ErrorKind, Projection, Resource, ResourceId};
use serde_json::{Map, Value, json};

use super::context::GroupName;
use super::life::Event;
use super::limits::{MAX_ANSWER_BYTES, MAX_GROUPS_SHOWN, MAX_MEMBERS_SHOWN};
use super::size::sent_text_bytes;
use super::{Call, Directory};
use crate::budget;
use crate::store::{Kind, price_of_members};
use crate::tenant::{ServedType, unanswered};

/// What a member takes in an answer as it is sent, beside its value, `display` and `$ref`.
const MEMBER_BYTES: usize = 80;
/// Members of a group that is read and shown in more than one step.
const LARGE: usize = 1_000;
/// The read-only attribute of a user.
pub(super) const GROUPS: &str = "groups";

/// What an answer shall show of a resource.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The attributes.
    pub projection: &'a Projection<'a>,
    /// Most members of a group; where there are more, none are read.
    pub members: usize,
}

/// A resource with all that was wanted of it.
#[derive(Debug)]
pub struct Expanded {
    /// The resource; members and groups stand among its attributes.
    pub resource: Resource,
    /// Whether the members were wanted and are more than was wanted: then they are left out.
    pub cut: bool,
}

impl Expanded {
    /// A resource of which there is nothing beyond its row, such as a user who is in no group.
    pub(super) fn alone(resource: Resource) -> Self {
        Self { resource, cut: false }
    }

    /// # Errors
    /// `tooMany` if the members were left out.
    pub fn require_members(self) -> Result<Self, Error> {
        if self.cut { Err(too_large(&self.resource.id)) } else { Ok(self) }
    }
}

/// What was read beyond the row of a resource.
#[derive(Debug)]
pub(super) enum Beyond {
    Nothing,
    Members(Vec<Member>),
    /// More members than were wanted.
    TooManyMembers,
    Groups(Vec<ResourceId>),
}

impl Beyond {
    pub(super) fn groups(&self) -> &[ResourceId] {
        match self {
            Self::Groups(groups) => groups,
            Self::Nothing | Self::Members(_) | Self::TooManyMembers => &[],
        }
    }

    /// The resource with what was read; the groups' names are among `names`.
    pub(super) fn complete(
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
    /// The resource with this id, with all that is wanted of it.
    ///
    /// # Errors
    /// 404 if there is none, it was deleted, or the text is no id of ours.
    pub async fn retrieve(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &str,
        view: View<'_>,
    ) -> Result<Expanded, Error> {
        let stored = self.visible(call, resource_type, id, Event::Change).await?;
        self.complete(call, resource_type, stored.resource, stored.members, view).await
    }

    /// A resource that was read, with all that is wanted of it: the members of a group, which has
    /// about `count`, too. They are read after its version: a write that is based on both is
    /// refused if they are newer.
    pub(super) async fn complete(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        resource: Resource,
        count: usize,
        view: View<'_>,
    ) -> Result<Expanded, Error> {
        let beyond = self.beyond(call, resource_type, &resource.id, count, view).await?;
        let names = self.group_names(call, &beyond.groups().iter().cloned().collect()).await?;
        let shown = beyond.complete(call, resource, &names, view.projection)?;
        if count > LARGE {
            // Many members take CPU time, and the deadline is looked at before they are written.
            tokio::task::yield_now().await;
        }
        Ok(shown)
    }

    /// Whether what is shown of a resource may have changed without a new version: a group shows
    /// nobody who is gone, though their membership may be there still. One call, unless it was
    /// asked before.
    ///
    /// # Errors
    /// 503.
    pub async fn may_have_changed(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        projection: &Projection<'_>,
    ) -> Result<bool, Error> {
        match resource_type.kind == Kind::Group
            && projection.shows(&resource_type.definition, MEMBERS)
        {
            true => Ok(!self.gone(call).await?.is_empty()),
            false => Ok(false),
        }
    }

    /// As [`Directory::retrieve`], of a resource that was just written.
    pub(super) async fn retrieve_written(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        id: &str,
        view: View<'_>,
    ) -> Result<Expanded, Error> {
        let stored = self.visible(call, resource_type, id, Event::Change).await?;
        self.complete_written(call, resource_type, stored.resource, stored.members, view).await
    }

    /// As [`Directory::complete`], of a resource that was just written: what cannot be shown of it
    /// is left out.
    pub(super) async fn complete_written(
        &self,
        call: Call<'_>,
        resource_type: &ServedType,
        resource: Resource,
        count: usize,
        view: View<'_>,
    ) -> Result<Expanded, Error> {
        match self.complete(call, resource_type, resource.clone(), count, view).await {
            Err(error) if error.kind == ErrorKind::TooMany => Ok(Expanded { resource, cut: true }),
            completed => completed,
        }
    }

    /// What is wanted of a resource beyond its row.
    pub(super) async fn beyond(
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
                // Nobody asked for them, so they must not keep the user from being read.
                None => Ok(Beyond::Nothing),
            },
            Kind::Group | Kind::User | Kind::Other(_) => Ok(Beyond::Nothing),
        }
    }

    /// The members of a group that has about `count`.
    pub(super) async fn members(
        &self,
        call: Call<'_>,
        group: &ResourceId,
        count: usize,
    ) -> Result<Vec<Member>, Error> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let key = call.tenant.key();
        let members = async { self.store.members(&key, group, count).await.map_err(unanswered) };
        let (mut members, gone) = tokio::try_join!(members, self.gone(call))?;
        members.retain(|member| !gone.contains(&member.value));
        if members.len() > LARGE {
            // To read many takes CPU time, and so does what comes next.
            tokio::task::yield_now().await;
        }
        Ok(members)
    }

    /// The groups that somebody is a member of itself, be they there or not; `None` if they are
    /// more than 1,000.
    pub(super) async fn memberships(
        &self,
        call: Call<'_>,
        member: &ResourceId,
    ) -> Result<Option<Vec<ResourceId>>, Error> {
        let groups = self
            .store
            .memberships(&call.tenant.key(), member, MAX_GROUPS_SHOWN + 1)
            .await
            .map_err(unanswered)?;
        Ok(Some(groups).filter(|groups| groups.len() <= MAX_GROUPS_SHOWN))
    }
}

/// The most calls and read units that it takes to read what is wanted beyond the row of a resource.
pub(super) fn price(
    resource_type: &ServedType,
    count: usize,
    projection: &Projection<'_>,
) -> (usize, usize) {
    match resource_type.kind {
        Kind::Group
            if projection.shows(&resource_type.definition, MEMBERS)
                && count > MAX_MEMBERS_SHOWN =>
        {
            (0, 0)
        }
        Kind::Group if projection.shows(&resource_type.definition, MEMBERS) => {
            price_of_members(count)
        }
        Kind::User if projection.shows(&resource_type.definition, GROUPS) => price_of_groups(),
        Kind::Group | Kind::User | Kind::Other(_) => (0, 0),
    }
}

/// The most calls and read units that it takes to read which groups a user is in, without their
/// names.
pub(super) fn price_of_groups() -> (usize, usize) {
    (2, budget::units_of_small_rows(MAX_GROUPS_SHOWN + 1))
}

/// Puts among the attributes of a user those of its groups that are there.
pub(super) fn set_groups(
    call: Call<'_>,
    user: &mut Resource,
    groups: &[ResourceId],
    names: &BTreeMap<ResourceId, GroupName>,
) {
    let mut shown = BTreeSet::new();
    let there =
        groups.iter().filter(|id| shown.insert(*id)).filter_map(|id| Some((id, names.get(id)?)));
    let shown = there.map(|(id, GroupName(display))| {
        json!({
            "value": id.as_str(),
            "$ref": format!("{}/Groups/{id}", call.base_url),
            "display": display,
            "type": "direct",
        })
    });
    let shown: Vec<Value> = shown.collect();
    if !shown.is_empty() {
        user.attributes.set(GROUPS, shown.into());
    }
}

pub(super) fn too_many_groups() -> Error {
    Error::new(
        ErrorKind::TooMany,
        format!(
            "The user is in more than {MAX_GROUPS_SHOWN} groups; ask /Groups for those with \
            members.value eq the user's id."
        ),
    )
}

/// Puts members among the attributes, an empty list too: authentik adds people to a group only
/// where it sees the attribute.
pub(super) fn set_members(call: Call<'_>, group: &mut Resource, members: &[Member]) {
    let shown: Vec<Value> =
        members.iter().map(|member| Value::Object(element(call, member))).collect();
    group.attributes.set(MEMBERS, shown.into());
}

/// About the bytes that members take in an answer as it is sent.
pub(super) fn members_bytes(call: Call<'_>, members: &[Member]) -> usize {
    let bytes = |member: &Member| {
        let display = member.display.as_deref().map_or(0, sent_text_bytes);
        MEMBER_BYTES + 2 * member.value.as_str().len() + call.base_url.len() + display
    };
    members.iter().map(bytes).sum()
}

/// About the bytes that groups take in an answer as it is sent.
fn groups_bytes(
    call: Call<'_>,
    groups: &[ResourceId],
    names: &BTreeMap<ResourceId, GroupName>,
) -> usize {
    let bytes = |id: &ResourceId| {
        let display = names.get(id).and_then(|name| name.0.as_deref()).map_or(0, sent_text_bytes);
        MEMBER_BYTES + 2 * id.as_str().len() + call.base_url.len() + display
    };
    groups.iter().map(bytes).sum()
}

/// A member as clients and filters see it.
pub(super) fn element(call: Call<'_>, member: &Member) -> Map<String, Value> {
    let mut element = member.element();
    let endpoint = match member.kind {
        None => return element,
        Some(MemberType::Group) => "Groups",
        Some(MemberType::User) => "Users",
    };
    element.insert("$ref".into(), format!("{}/{endpoint}/{}", call.base_url, member.value).into());
    element
}

/// 400 for a group whose members fit no answer.
fn too_large(group: &ResourceId) -> Error {
    Error::new(
        ErrorKind::TooMany,
        format!(
            "The group {group} has more members than fit an answer ({MAX_MEMBERS_SHOWN}, or \
            {MAX_ANSWER_BYTES} bytes); add excludedAttributes=members, and ask for one member by \
            the filter: id eq \"{group}\" and members.value eq the member's id."
        ),
    )
}

/// 400 for a filter that asks for all members of such a group.
pub(super) fn too_large_to_judge(group: &ResourceId) -> Error {
    Error::new(
        ErrorKind::TooMany,
        format!(
            "The filter has to look at all members of the group {group}, which are more than \
            {MAX_MEMBERS_SHOWN}; ask for one member by members.value eq, or join the filter by \
            and with displayName eq."
        ),
    )
}

/// 400 for a filter that compares too much of one resource.
pub(super) fn too_large_to_compare(resource: &ResourceId) -> Error {
    Error::new(
        ErrorKind::TooMany,
        format!(
            "The filter compares more values of the resource {resource} than a request may; \
            compare fewer values, or join the filter by and with one that leaves this resource \
            out."
        ),
    )
}
