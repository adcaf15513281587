//! PATCH operations on the members of a group. Where the operations allow it, they are applied
//! without reading the other members, so that adding a member costs the same in a group of any
//! size.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind};
use crate::filter::ast::Filter;
use crate::patch::change::{Change, Operation};
use crate::resource::admit::admit;
use crate::resource::identity::ResourceId;
use crate::resource::member::{MEMBERS, Member};
use crate::schema::dialect::Dialect;
use crate::schema::place::{AttributeRef, Place};

/// The maximum number of comparisons that the operations of a request may make: for each, the
/// number of members times the number of comparisons in its path. They take a few hundredths of a
/// second.
pub const MAX_WORK: usize = 200_000;
/// The work of preparing a member for a filter, expressed in comparisons.
const WORK_TO_SHOW: usize = 4;

/// The operations of a PATCH request that concern members, in order.
#[derive(Debug, Clone, Default)]
pub struct MembersPatch<'s> {
    steps: Vec<Step<'s>>,
    dialect: Dialect,
}

/// One operation.
#[derive(Debug, Clone)]
enum Step<'s> {
    Add(Vec<Member>),
    Remove(Vec<ResourceId>),
    RemoveWhere(Filter<'s>),
    ReplaceWhere(Filter<'s>, Vec<Member>),
    Set(Vec<Member>),
}

/// The members that are added, and `None` for those that are removed. All others stay as they are.
pub type Delta = BTreeMap<ResourceId, Option<Member>>;

/// Members by id.
type Members = BTreeMap<ResourceId, Member>;

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

    /// What the operations do; `None` if that depends on the present members.
    pub fn delta(&self) -> Option<Delta> {
        let mut delta = Delta::new();
        for step in &self.steps {
            match step {
                Step::Add(members) => {
                    delta.extend(
                        members.iter().map(|member| (member.value.clone(), Some(member.clone()))),
                    );
                }
                Step::Remove(ids) => delta.extend(ids.iter().map(|id| (id.clone(), None))),
                Step::RemoveWhere(_) | Step::ReplaceWhere(..) | Step::Set(_) => return None,
            }
        }
        Some(delta)
    }

    /// The members after all operations. `element` returns a member as filters see it.
    ///
    /// # Errors
    /// `noTarget` in the strict dialect if the filter of a `replace` matches no member; 413 for
    /// more work than [`MAX_WORK`].
    pub fn apply(
        &self,
        members: Vec<Member>,
        element: impl Fn(&Member) -> Map<String, Value>,
    ) -> Result<Vec<Member>, Error> {
        let mut members: Members = members.into_iter().map(with_id).collect();
        let mut work = 0_usize;
        for step in &self.steps {
            work = work.saturating_add(step.work(members.len()));
            if work > MAX_WORK {
                return Err(Error::new(
                    ErrorKind::PayloadTooLarge,
                    "The operations would compare too many members; name members by value, as in \
                    members[value eq \"2819c223\"], or send the operations in several requests.",
                )
                .because("too-many-operations")
                .at("members"));
            }
            step.apply(&mut members, &element, self.dialect)?;
        }
        Ok(members.into_values().collect())
    }
}

impl Step<'_> {
    /// The number of comparisons that the step makes in a group with this number of members.
    fn work(&self, members: usize) -> usize {
        let filtered =
            |filter: &Filter<'_>| members.saturating_mul(WORK_TO_SHOW + filter.comparisons());
        match self {
            Self::Add(listed) | Self::Set(listed) => listed.len(),
            Self::Remove(ids) => ids.len(),
            Self::RemoveWhere(filter) => filtered(filter),
            Self::ReplaceWhere(filter, listed) => filtered(filter).saturating_add(listed.len()),
        }
    }

    fn apply(
        &self,
        members: &mut Members,
        element: &impl Fn(&Member) -> Map<String, Value>,
        dialect: Dialect,
    ) -> Result<(), Error> {
        match self {
            Self::Add(listed) => {
                for (id, member) in listed.iter().cloned().map(with_id) {
                    members.entry(id).or_insert(member);
                }
            }
            Self::Remove(ids) => {
                for id in ids {
                    members.remove(id);
                }
            }
            Self::RemoveWhere(filter) => {
                members.retain(|_, member| !filter.matches(&element(member)))
            }
            Self::ReplaceWhere(filter, listed) => {
                let before = members.len();
                members.retain(|_, member| !filter.matches(&element(member)));
                if members.len() == before && dialect.strict {
                    return Err(no_match());
                }
                members.extend(listed.iter().cloned().map(with_id));
            }
            Self::Set(listed) => {
                let mut before = std::mem::take(members);
                // A member that stays keeps its present `type` and `display`.
                members.extend(listed.iter().cloned().map(with_id).map(|(id, new)| {
                    let member = before.remove(&id).unwrap_or(new);
                    (id, member)
                }));
            }
        }
        Ok(())
    }
}

fn with_id(member: Member) -> (ResourceId, Member) {
    (member.value.clone(), member)
}

fn no_match() -> Error {
    Error::no_target("No value of members matches the filter.").at("members")
}

/// The step of one operation; `None` if it changes nothing.
fn step<'s>(change: Change<'s>, dialect: Dialect) -> Result<Option<Step<'s>>, Error> {
    let Change { operation, path, value } = change;
    let Place::Attribute(place) = path.place else { return Ok(None) };
    let is_value = place.sub.is_some_and(|sub| sub.name == "value") && path.filter.is_none();
    if place.sub.is_some() && !is_value {
        return Err(Error::mutability(format!(
            "{} is immutable; remove the member and add another one instead.",
            place.path()
        ))
        .at(place.path()));
    }
    let step = match path.filter {
        None => step_of_list(operation, place, value, dialect)?,
        Some(filter) => step_of_filter(operation, place, filter, value, dialect)?,
    };
    Ok(Some(step))
}

/// The step of an operation that lists members.
fn step_of_list<'s>(
    operation: Operation,
    place: AttributeRef<'s>,
    value: Option<Value>,
    dialect: Dialect,
) -> Result<Step<'s>, Error> {
    match (operation, value) {
        (Operation::Remove, None | Some(Value::Null)) => Ok(Step::Set(Vec::new())),
        // An empty list of members to remove does not mean all members.
        (Operation::Remove, Some(value)) => {
            let elements = elements(place, value, dialect)?.into_iter();
            let ids = elements.filter_map(|element| element.get("value")?.as_str()?.parse().ok());
            Ok(Step::Remove(ids.collect()))
        }
        (Operation::Add, value) => {
            Ok(Step::Add(read_members(place, value.unwrap_or_default(), dialect)?))
        }
        (Operation::Replace, value) => {
            Ok(Step::Set(read_members(place, value.unwrap_or_default(), dialect)?))
        }
    }
}

/// The step of an operation whose path is `members[filter]`.
fn step_of_filter<'s>(
    operation: Operation,
    place: AttributeRef<'s>,
    filter: Filter<'s>,
    value: Option<Value>,
    dialect: Dialect,
) -> Result<Step<'s>, Error> {
    let member = || {
        let mut element = filter.template().unwrap_or_default();
        let objects = match &value {
            Some(Value::Array(items)) => items.as_slice(),
            value => value.as_slice(),
        };
        element.extend(objects.iter().filter_map(Value::as_object).flatten().map(owned));
        read_members(place, Value::Array(vec![Value::Object(element)]), dialect)
    };
    match operation {
        Operation::Remove => Ok(match filter.one_of("value") {
            Some(ids) => Step::Remove(ids.iter().filter_map(|id| id.parse().ok()).collect()),
            None => Step::RemoveWhere(filter),
        }),
        Operation::Add => Ok(Step::Add(member()?)),
        Operation::Replace => {
            let member = member()?;
            Ok(Step::ReplaceWhere(filter, member))
        }
    }
}

fn owned((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

fn read_members(
    place: AttributeRef<'_>,
    value: Value,
    dialect: Dialect,
) -> Result<Vec<Member>, Error> {
    elements(place, value, dialect)?.iter().map(Member::read).collect()
}

/// The elements that a value lists: an array, one object, an id, or `{"members": ...}`.
fn elements(place: AttributeRef<'_>, value: Value, dialect: Dialect) -> Result<Vec<Value>, Error> {
    let value = match value {
        Value::Object(mut object) if object.len() == 1 && object.contains_key(MEMBERS) => {
            object.shift_remove(MEMBERS).unwrap_or_default()
        }
        value => value,
    };
    Ok(match admit(place.attribute, value, dialect)? {
        Some(Value::Array(elements)) => elements,
        Some(_) | None => Vec::new(),
    })
}
