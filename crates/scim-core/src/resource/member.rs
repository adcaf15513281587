//! A member of a group (RFC 7643, 4.2).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::error::Error;
use crate::resource::attributes::Attributes;
use crate::resource::identity::ResourceId;

/// The name of the attribute.
pub const MEMBERS: &str = "members";
/// The longest `display` that is kept, in bytes. A longer one is ignored.
pub const MAX_DISPLAY_BYTES: usize = 256;

/// "Members of the group": "values are the "id" of a SCIM resource" (RFC 7643, 4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// "Identifier of the member of this Group."
    pub value: ResourceId,
    /// "A label indicating the type of resource", if the client sent one.
    pub kind: Option<MemberType>,
    /// "A human-readable name, primarily used for display purposes" (RFC 7643, 2.4), as the client
    /// wrote it.
    pub display: Option<String>,
}

/// The type of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the RFC's")]
pub enum MemberType {
    User,
    Group,
}

impl MemberType {
    /// The name of the type as messages write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }
}

impl Member {
    /// The member as a value of `members`, without `$ref`.
    pub fn element(&self) -> Map<String, Value> {
        let mut element = Map::new();
        element.insert("value".into(), self.value.as_str().into());
        element.extend(self.kind.map(|kind| ("type".to_owned(), kind.as_str().into())));
        element.extend(
            self.display.as_ref().map(|display| ("display".to_owned(), display.as_str().into())),
        );
        element
    }

    pub(crate) fn read(element: &Value) -> Result<Self, Error> {
        let text = |name: &str| element.get(name).and_then(Value::as_str);
        let value = text("value").and_then(|value| value.parse().ok());
        let value = value.ok_or_else(|| {
            Error::invalid_value(
                "Each value of members must have the id of an existing user or group as its value.",
            )
            .because("unknown-resource")
            .at("members.value")
        })?;
        let kind = match text("type").map(str::to_ascii_lowercase).as_deref() {
            Some("user") => Some(MemberType::User),
            Some("group") => Some(MemberType::Group),
            _ => None,
        };
        let display =
            text("display").filter(|display| display.len() <= MAX_DISPLAY_BYTES).map(str::to_owned);
        Ok(Self { value, kind, display })
    }
}

/// Takes the members out of what a client asserts. A member that is listed twice is returned once,
/// as it was listed last.
///
/// # Errors
/// `invalidValue` for a member whose `value` cannot be an id.
pub fn take(attributes: &mut Attributes) -> Result<Vec<Member>, Error> {
    let listed = attributes.0.shift_remove(MEMBERS);
    let mut members = BTreeMap::new();
    for element in listed.as_ref().and_then(Value::as_array).into_iter().flatten() {
        let member = Member::read(element)?;
        members.insert(member.value.clone(), member);
    }
    Ok(members.into_values().collect())
}
