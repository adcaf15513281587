//! What users, groups and resources of other types have in common, and the events of the latter
//! two.

use serde_json::{Map, Value};

use super::difference::View;
use super::draft::{Data, Draft, Subject, verb};
use super::event_type::EventType;
use crate::store::{Change, Kind, ResourceImage, Stored};

/// When a record was made, and by whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// In seconds since 1970.
    pub(super) time: i64,
    /// Whether DynamoDB removed the row because its TTL had passed.
    pub(super) by_ttl: bool,
}

/// The types of events of a kind of resource.
struct Types {
    created: EventType,
    updated: EventType,
    deleted: EventType,
    snapshot: EventType,
}

const OF_GROUPS: Types = Types {
    created: EventType::GroupCreated,
    updated: EventType::GroupUpdated,
    deleted: EventType::GroupDeleted,
    snapshot: EventType::GroupSnapshot,
};

const OF_OTHERS: Types = Types {
    created: EventType::ResourceCreated,
    updated: EventType::ResourceUpdated,
    deleted: EventType::ResourceDeleted,
    snapshot: EventType::ResourceSnapshot,
};

/// The event of a change of the row of a group, or of a resource of another type, if it concerns
/// the product.
pub(super) fn event(view: View<'_>, change: &Change<ResourceImage>) -> Option<Draft> {
    let is_group = view.resource_type.kind == Kind::Group;
    let types = if is_group { OF_GROUPS } else { OF_OTHERS };
    let (before, Some(after)) = (change.before.as_ref(), change.after.as_ref()) else {
        return change.before.as_ref().map(|before| Draft {
            previous_version: Some(before.version),
            cause: Some("delete"),
            ..Draft::new(types.deleted, subject(view, &before.stored))
        });
    };
    if is_touched(before, after) {
        return Some(draft(view, types.snapshot, before, after).caused_by("resync"));
    }
    let event_type = match before {
        None => types.created,
        // The row is as it was for the product: it tells that the group was once in a group.
        Some(before) if before.version == after.version => return None,
        Some(_) => types.updated,
    };
    let cause = verb(after.trace.operation);
    Some(Draft { cause, ..draft(view, event_type, before, after) })
}

/// Whether the change is the touch of a resync.
pub(super) fn is_touched(before: Option<&ResourceImage>, after: &ResourceImage) -> bool {
    let touched =
        |before: &ResourceImage| before.version == after.version && before.resync != after.resync;
    after.resync.is_some() && before.is_some_and(touched)
}

/// An event that shows a resource, and what changed in it. A snapshot names the resync instead of
/// an actor.
pub(super) fn draft(
    view: View<'_>,
    event_type: EventType,
    before: Option<&ResourceImage>,
    after: &ResourceImage,
) -> Draft {
    let shown = view.show(&after.stored);
    let draft = Draft::new(event_type, subject(view, &after.stored));
    let draft = Draft { version: Some(after.version), ..draft };
    if is_touched(before, after) {
        return draft.own("resync", after.resync.clone()).data(personal(shown));
    }
    let difference = before.map(|before| view.difference(&before.stored, &after.stored, &shown));
    Draft {
        previous_version: before.map(|before| before.version),
        difference: difference.unwrap_or_default(),
        ..draft.traced(&after.trace).data(personal(shown))
    }
}

fn personal(shown: Map<String, Value>) -> Data {
    Data::Personal(Value::Object(shown))
}

/// A resource as the subject of an event, with its names.
pub(super) fn subject(view: View<'_>, stored: &Stored) -> Subject {
    let definition = &view.resource_type.definition;
    let attributes = &stored.resource.attributes;
    let mut subject = Subject::new(&definition.name, stored.resource.id.as_str());
    let name = definition.name_attribute().map(|attribute| attribute.name.as_str());
    for name in ["externalId"].into_iter().chain(name) {
        if let Some(value) = attributes.text(name) {
            subject.names.insert(name.to_owned(), value.into());
        }
    }
    subject
}
