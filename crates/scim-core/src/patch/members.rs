//! The members of a group (RFC 7643, 4.2): read from messages, and changed by PATCH without knowing
//! the others where the operations allow it, so that a group of any size takes one more member at
//! the same cost.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind};
use crate::filter::ast::Filter;
use crate::patch::path::{AttributeRef, Place};
use crate::patch::request::{Change, Operation};
use crate::resource::admit;
use crate::resource::attributes::{Attributes, ResourceId};
use crate::schema::resource_type::Dialect;

/// The attribute's name.
pub const MEMBERS: &str = "members";
/// Longest `display` that is kept, in bytes; a longer one is left out.
pub const MAX_DISPLAY_BYTES: usize = 256;

/// Most comparisons that the operations of a request may cause: members times the comparisons in
/// paths, summed up. It takes some hundredths of a second.
pub const MAX_WORK: usize = 200_000;
/// What it takes to show a member to a filter, in comparisons.
const SHOWING: usize = 4;

/// "Members of the group": "values are the "id" of a SCIM resource" (RFC 7643, 4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// "Identifier of the member of this Group."
    pub value: ResourceId,
    /// "A label indicating the type of resource", if the client says.
    pub kind: Option<MemberType>,
    /// "A human-readable name, primarily used for display purposes" (RFC 7643, 2.4), as the client
    /// wrote it.
    pub display: Option<String>,
}

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the RFC's")]
pub enum MemberType {
    User,
    Group,
}

impl MemberType {
    /// The type's name on the wire.
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

    fn read(element: &Value) -> Result<Self, Error> {
        let text = |name: &str| element.get(name).and_then(Value::as_str);
        // Ids of ours are in lower case.
        let value = text("value").and_then(|value| value.to_lowercase().parse().ok());
        let value = value.ok_or_else(|| {
            Error::invalid_value(
                "Each of members needs the id of a user or group of this tenant as its value.",
            )
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

/// Takes the members out of what a client asserts; each once, the last mention wins.
///
/// # Errors
/// `invalidValue` for a member whose `value` cannot be an id.
pub fn take(attributes: &mut Attributes) -> Result<Vec<Member>, Error> {
    let named = attributes.0.shift_remove(MEMBERS);
    let mut members = BTreeMap::new();
    for element in named.as_ref().and_then(Value::as_array).into_iter().flatten() {
        let member = Member::read(element)?;
        members.insert(member.value.clone(), member);
    }
    Ok(members.into_values().collect())
}

/// The operations of a PATCH request that concern members, in order.
#[derive(Debug, Clone, Default)]
pub struct MembersPatch<'s> {
    steps: Vec<Step<'s>>,
    dialect: Dialect,
}

#[derive(Debug, Clone)]
enum Step<'s> {
    Add(Vec<Member>),
    /// Ids in lower case.
    Remove(Vec<String>),
    RemoveWhere(Filter<'s>),
    ReplaceWhere(Filter<'s>, Vec<Member>),
    Set(Vec<Member>),
}

/// What becomes of the members that are named; nothing happens to others.
pub type Delta = BTreeMap<ResourceId, Option<Member>>;

impl<'s> MembersPatch<'s> {
    pub(crate) fn new(changes: Vec<Change<'s>>, dialect: Dialect) -> Result<Self, Error> {
        let mut steps = Vec::with_capacity(changes.len());
        for change in changes {
            steps.extend(step(change, dialect)?);
        }
        Ok(Self { steps, dialect })
    }

    /// Whether no operation concerns members.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// What the operations do whoever is a member now: the member to be, or `None` for who leaves.
    /// `None` if that depends on the members there are.
    pub fn delta(&self) -> Option<Delta> {
        let mut delta = Delta::new();
        for step in &self.steps {
            match step {
                Step::Add(members) => {
                    delta.extend(
                        members.iter().map(|member| (member.value.clone(), Some(member.clone()))),
                    );
                }
                Step::Remove(ids) => {
                    delta.extend(ids.iter().filter_map(|id| Some((id.parse().ok()?, None))))
                }
                Step::RemoveWhere(_) | Step::ReplaceWhere(..) | Step::Set(_) => return None,
            }
        }
        Some(delta)
    }

    /// The members after all operations. `element` shows a member as filters see it.
    ///
    /// # Errors
    /// `noTarget` in the strict dialect if a replace finds nobody by its filter; 413 over
    /// [`MAX_WORK`].
    pub fn apply(
        &self,
        members: Vec<Member>,
        element: impl Fn(&Member) -> Map<String, Value>,
    ) -> Result<Vec<Member>, Error> {
        let mut members: BTreeMap<_, _> =
            members.into_iter().map(|member| (member.value.as_str().to_owned(), member)).collect();
        let keyed = |named: &[Member]| -> Vec<_> {
            named.iter().map(|member| (member.value.as_str().to_owned(), member.clone())).collect()
        };
        let mut work = 0_usize;
        for step in &self.steps {
            work = work.saturating_add(step.cost(members.len()));
            if work > MAX_WORK {
                return Err(Error::new(
                    ErrorKind::PayloadTooLarge,
                    "The operations would compare too many members; name members by value, as in \
                    members[value eq \"2819c223\"], or send the operations in several requests.",
                ));
            }
            match step {
                Step::Add(named) => {
                    for (id, member) in keyed(named) {
                        members.entry(id).or_insert(member);
                    }
                }
                Step::Remove(ids) => ids.iter().for_each(|id| drop(members.remove(id))),
                Step::RemoveWhere(filter) => {
                    members.retain(|_, member| !filter.matches(&element(member)))
                }
                Step::ReplaceWhere(filter, named) => {
                    let before = members.len();
                    members.retain(|_, member| !filter.matches(&element(member)));
                    if members.len() == before && self.dialect.strict {
                        return Err(Error::no_target("No value of members passes the filter."));
                    }
                    members.extend(keyed(named));
                }
                Step::Set(named) => {
                    let mut before = std::mem::take(&mut members);
                    // Who stays is as before.
                    members.extend(keyed(named).into_iter().map(|(id, new)| {
                        let member = before.remove(&id).unwrap_or(new);
                        (id, member)
                    }));
                }
            }
        }
        Ok(members.into_values().collect())
    }
}

impl Step<'_> {
    /// How many comparisons the step takes in a group with this number of members.
    fn cost(&self, members: usize) -> usize {
        let filtered = |filter: &Filter<'_>| members.saturating_mul(SHOWING + filter.comparisons());
        match self {
            Self::Add(named) | Self::Set(named) => named.len(),
            Self::Remove(ids) => ids.len(),
            Self::RemoveWhere(filter) => filtered(filter),
            Self::ReplaceWhere(filter, named) => filtered(filter).saturating_add(named.len()),
        }
    }
}

/// One operation on members; `None` if it asks for nothing.
fn step<'s>(change: Change<'s>, dialect: Dialect) -> Result<Option<Step<'s>>, Error> {
    let Change { operation, path, value } = change;
    let Place::Attribute(at) = path.place else { return Ok(None) };
    if at.sub.is_some_and(|sub| sub.name != "value") || (at.sub.is_some() && path.filter.is_some())
    {
        return Err(Error::mutability(format!(
            "{} is immutable; remove the member and add another instead.",
            at.wire()
        )));
    }
    let Some(filter) = path.filter else {
        return Ok(match (operation, value) {
            (Operation::Remove, None | Some(Value::Null)) => Some(Step::Set(Vec::new())),
            // An empty list of people to remove is not a wish to remove everybody.
            (Operation::Remove, Some(value)) => {
                let values = elements(at, value, dialect)?.into_iter();
                let ids = values
                    .filter_map(|element| Some(element.get("value")?.as_str()?.to_lowercase()));
                Some(Step::Remove(ids.collect()))
            }
            (Operation::Add, value) => {
                Some(Step::Add(named(at, value.unwrap_or_default(), dialect)?))
            }
            (Operation::Replace, value) => {
                Some(Step::Set(named(at, value.unwrap_or_default(), dialect)?))
            }
        });
    };
    match operation {
        Operation::Remove => Ok(Some(match filter.one_of("value") {
            Some(ids) => Step::Remove(ids),
            None => Step::RemoveWhere(filter),
        })),
        Operation::Add | Operation::Replace => {
            let mut element = filter.template().unwrap_or_default();
            match value {
                Some(Value::Object(object)) => element.extend(object),
                Some(Value::Array(items)) => {
                    items.into_iter().filter_map(as_object).for_each(|o| element.extend(o))
                }
                _ => {}
            }
            let named = named(at, Value::Array(vec![Value::Object(element)]), dialect)?;
            Ok(Some(match operation {
                Operation::Add => Step::Add(named),
                _ => Step::ReplaceWhere(filter, named),
            }))
        }
    }
}

fn named(at: AttributeRef<'_>, value: Value, dialect: Dialect) -> Result<Vec<Member>, Error> {
    elements(at, value, dialect)?.iter().map(Member::read).collect()
}

/// The values of members that a message names: a list, one object, an id, or `{"members": ...}`.
fn elements(at: AttributeRef<'_>, value: Value, dialect: Dialect) -> Result<Vec<Value>, Error> {
    let value = match value {
        Value::Object(mut object) if object.len() == 1 && object.contains_key(MEMBERS) => {
            object.shift_remove(MEMBERS).unwrap_or_default()
        }
        value => value,
    };
    Ok(match admit::admit(at.attribute, value, dialect)? {
        Some(Value::Array(elements)) => elements,
        _ => Vec::new(),
    })
}

fn as_object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}
