//! How members and groups look in an answer, and approximately how large they are.

use std::collections::{BTreeMap, BTreeSet};

use scim_core::members::{MEMBERS, Member, MemberType};
use scim_core::{Error, ErrorKind, Resource, ResourceId};
use serde_json::{Map, Value, json};

use crate::directory::context::{Call, GroupName};
use crate::directory::limits::{MAX_ANSWER_BYTES, MAX_GROUPS_SHOWN, MAX_MEMBERS_SHOWN};
use crate::directory::size::sent_text_bytes;

/// The bytes that a member or a group takes in an answer as it is sent, in addition to its value,
/// `display` and `$ref`.
const ELEMENT_BYTES: usize = 80;

/// The read-only attribute of a user that lists its groups.
pub(in crate::directory) const GROUPS: &str = "groups";

/// Sets the groups of a user to those groups that exist.
pub(in crate::directory) fn set_groups(
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

/// Sets the members of a group. An empty list is set too, because authentik adds users only to a
/// group whose answer has the attribute.
pub(in crate::directory) fn set_members(call: Call<'_>, group: &mut Resource, members: &[Member]) {
    let shown: Vec<Value> =
        members.iter().map(|member| Value::Object(element(call, member))).collect();
    group.attributes.set(MEMBERS, shown.into());
}

/// Approximately how many bytes these members take in an answer as it is sent.
pub(in crate::directory) fn members_bytes(call: Call<'_>, members: &[Member]) -> usize {
    let bytes = |member: &Member| element_bytes(call, &member.value, member.display.as_deref());
    members.iter().map(bytes).sum()
}

/// Approximately how many bytes these groups take in an answer as it is sent.
pub(in crate::directory) fn groups_bytes(
    call: Call<'_>,
    groups: &[ResourceId],
    names: &BTreeMap<ResourceId, GroupName>,
) -> usize {
    let bytes =
        |id: &ResourceId| element_bytes(call, id, names.get(id).and_then(|name| name.0.as_deref()));
    groups.iter().map(bytes).sum()
}

fn element_bytes(call: Call<'_>, id: &ResourceId, display: Option<&str>) -> usize {
    let display = display.map_or(0, sent_text_bytes);
    ELEMENT_BYTES + 2 * id.as_str().len() + call.base_url.len() + display
}

/// A member as clients and filters see it.
pub(in crate::directory) fn element(call: Call<'_>, member: &Member) -> Map<String, Value> {
    let mut element = member.element();
    let endpoint = match member.kind {
        None => return element,
        Some(MemberType::Group) => "Groups",
        Some(MemberType::User) => "Users",
    };
    element.insert("$ref".into(), format!("{}/{endpoint}/{}", call.base_url, member.value).into());
    element
}

pub(in crate::directory) fn too_many_groups() -> Error {
    Error::new(
        ErrorKind::TooMany,
        format!(
            "The user is in more than {MAX_GROUPS_SHOWN} groups. Ask /Groups for those with \
            members.value eq the user's id."
        ),
    )
}

/// 400 for a group whose members do not fit in an answer.
pub(in crate::directory) fn too_large(group: &ResourceId) -> Error {
    Error::new(
        ErrorKind::TooMany,
        format!(
            "The group {group} has more members than fit in an answer ({MAX_MEMBERS_SHOWN}, or \
            {MAX_ANSWER_BYTES} bytes). Add excludedAttributes=members, and ask for one member by \
            the filter: id eq \"{group}\" and members.value eq the member's id."
        ),
    )
}

/// 400 for a filter that asks for all members of such a group.
pub(in crate::directory) fn too_large_to_judge(group: &ResourceId) -> Error {
    Error::new(
        ErrorKind::TooMany,
        format!(
            "The filter has to look at all members of the group {group}, which are more than \
            {MAX_MEMBERS_SHOWN}. Ask for one member by members.value eq, or join the filter by \
            and with displayName eq."
        ),
    )
}
