//! What a resource shows beyond its own row: the members of a group, the groups of a user.

use std::borrow::Cow;
use std::collections::BTreeSet;

use scim_core::members::{MEMBERS, Member, MemberType};
use scim_core::{Error, ErrorKind, Filter, Interest, Projection, Resource, ResourceId};
use serde_json::{Map, Value, json};

use super::life::Event;
use super::{Call, Directory};
use crate::store::{Kind, Listed, MAX_PAGE_BYTES, Stored};
use crate::tenant::{Type, unanswered};

/// Most members that one answer shows: as many as fit what Lambda may return.
pub const MOST_MEMBERS: usize = 15_000;
/// About what a member takes in an answer, beside its `display`.
const MEMBER_BYTES: usize = 200;
/// Most groups of one user that are shown.
const MOST_GROUPS: usize = 1_000;
/// The read-only attribute of a user.
pub(super) const GROUPS: &str = "groups";

/// What an answer shall show of a resource.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The attributes.
    pub projection: &'a Projection<'a>,
    /// Most members of a group; where there are more, none are read.
    pub members: usize,
}

/// A resource with all that was wanted of it.
#[derive(Debug)]
pub struct Shown {
    /// The resource; members and groups stand among its attributes.
    pub resource: Resource,
    /// Whether the members were wanted and are more than was wanted: then they are left out.
    pub cut: bool,
}

impl Shown {
    /// # Errors
    /// `tooMany` if the members were left out.
    pub fn whole(self) -> Result<Self, Error> {
        if self.cut { Err(too_large(&self.resource.id)) } else { Ok(self) }
    }
}

impl Directory {
    /// The resource with this id, with all that is wanted of it.
    ///
    /// # Errors
    /// 404 if there is none, it was deleted, or the text is no id of ours.
    pub async fn retrieve(&self, call: Call<'_>, of: &Type, id: &str, wanted: Wanted<'_>) -> Result<Shown, Error> {
        let stored = self.visible(call, of, id, Event::Change).await?;
        self.complete(call, of, stored.resource, stored.members, wanted).await
    }

    /// A resource that was read, with all that is wanted of it: the members of a group, which has about
    /// `count`, too. They are read after its version: a write that is based on both is refused if they are
    /// newer.
    pub(super) async fn complete(
        &self,
        call: Call<'_>,
        of: &Type,
        mut resource: Resource,
        count: usize,
        wanted: Wanted<'_>,
    ) -> Result<Shown, Error> {
        let mut cut = false;
        if of.kind == Kind::Group && wanted.projection.shows(&of.resource, MEMBERS) {
            cut = count > wanted.members;
            if !cut {
                let members = match count {
                    0 => Vec::new(),
                    count => self.members(call, &resource.id, count).await?,
                };
                cut = set_members(call, &mut resource, members);
            }
        } else if of.kind == Kind::User && wanted.projection.shows(&of.resource, GROUPS) {
            match self.groups_of(call, &resource.id).await? {
                Some(groups) => set_groups(call, &mut resource, &groups),
                None if wanted.projection.is_explicit() => return Err(too_many_groups()),
                // Nobody asked for them, so they must not keep the user from being read.
                None => {}
            }
        }
        Ok(Shown { resource, cut })
    }

    /// A resource with as much as a filter needs to judge it; copied only if that is more than its row.
    pub(super) async fn judgeable<'r>(
        &self,
        call: Call<'_>,
        of: &Type,
        listed: &'r Listed,
        filter: &Filter<'_>,
    ) -> Result<Cow<'r, Resource>, Error> {
        let resource = &listed.resource;
        let mut whole = Cow::Borrowed(resource);
        match of.kind {
            Kind::Group => {
                let members = match filter.interest(MEMBERS) {
                    Interest::None => return Ok(whole),
                    Interest::Values(ids) => {
                        let ids: BTreeSet<ResourceId> = ids.iter().filter_map(|id| id.parse().ok()).collect();
                        let key = call.tenant.key();
                        self.store.members_among(&key, &resource.id, &ids).await.map_err(unanswered)?
                    }
                    Interest::All if listed.members > MOST_MEMBERS => return Err(too_large_to_judge(&resource.id)),
                    Interest::All => self.members(call, &resource.id, listed.members).await?,
                };
                if set_members(call, whole.to_mut(), members) {
                    return Err(too_large_to_judge(&resource.id));
                }
            }
            Kind::User => {
                let user = &resource.id;
                let groups = match filter.interest(GROUPS) {
                    Interest::None => return Ok(whole),
                    Interest::Values(ids) => {
                        let ids = ids.iter().filter_map(|id| id.parse().ok()).collect();
                        let ids = self.store.memberships_among(&call.tenant.key(), user, &ids).await;
                        self.groups(call, ids.map_err(unanswered)?).await?
                    }
                    Interest::All => self.groups_of(call, user).await?.ok_or_else(too_many_groups)?,
                };
                set_groups(call, whole.to_mut(), &groups);
            }
            Kind::Other(_) => {}
        }
        Ok(whole)
    }

    /// The members of a group that has about `count`.
    pub(super) async fn members(&self, call: Call<'_>, group: &ResourceId, count: usize) -> Result<Vec<Member>, Error> {
        self.store.members(&call.tenant.key(), group, count).await.map_err(unanswered)
    }

    /// The groups that somebody is a member of itself; `None` if they are more than 1,000.
    pub(super) async fn groups_of(&self, call: Call<'_>, member: &ResourceId) -> Result<Option<Vec<Stored>>, Error> {
        let ids = self.store.memberships(&call.tenant.key(), member, MOST_GROUPS + 1).await.map_err(unanswered)?;
        if ids.len() > MOST_GROUPS {
            return Ok(None);
        }
        self.groups(call, ids).await.map(Some)
    }

    /// Those of these groups that are there: one that is gone may have left rows behind.
    async fn groups(&self, call: Call<'_>, ids: Vec<ResourceId>) -> Result<Vec<Stored>, Error> {
        let at = call.collection(&Kind::Group);
        self.store.resources(&at, ids, self.clock.seconds()).await.map_err(unanswered)
    }
}

fn set_groups(call: Call<'_>, user: &mut Resource, groups: &[Stored]) {
    let shown = groups.iter().map(|group| {
        json!({
            "value": group.resource.id.as_str(),
            "$ref": format!("{}/Groups/{}", call.base_url, group.resource.id),
            "display": group.resource.attributes.text("displayName"),
            "type": "direct",
        })
    });
    let shown: Vec<Value> = shown.collect();
    if !shown.is_empty() {
        user.attributes.set(GROUPS, shown.into());
    }
}

fn too_many_groups() -> Error {
    Error::new(
        ErrorKind::TooMany,
        format!(
            "The user is in more than {MOST_GROUPS} groups; ask /Groups for those with members.value eq the user's id."
        ),
    )
}

/// Puts members among the attributes, an empty list too: authentik adds people to a group only where it sees the
/// attribute. Whether they are too large for an answer and left out.
pub(super) fn set_members(call: Call<'_>, group: &mut Resource, members: Vec<Member>) -> bool {
    let bytes: usize = members.iter().map(|member| MEMBER_BYTES + member.display.as_ref().map_or(0, String::len)).sum();
    if bytes > MAX_PAGE_BYTES {
        return true;
    }
    let shown: Vec<Value> = members.iter().map(|member| Value::Object(element(call, member))).collect();
    group.attributes.set(MEMBERS, shown.into());
    false
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
            "The group {group} has more than {MOST_MEMBERS} members, which fit no answer; add \
             excludedAttributes=members, and ask for one member by the filter: id eq \"{group}\" and members.value eq \
             the member's id."
        ),
    )
}

/// 400 for a filter that asks for all members of such a group.
fn too_large_to_judge(group: &ResourceId) -> Error {
    Error::new(
        ErrorKind::TooMany,
        format!(
            "The filter has to look at all members of the group {group}, which are more than {MOST_MEMBERS}; ask for \
             one member by members.value eq, or join the filter by and with displayName eq."
        ),
    )
}
