//! What users, groups and resources of other types have in common, and the events of the latter
//! two.

use serde_json::{Map, Value};

use super::difference::ResourceView;
use super::draft::{Data, EventDraft, EventSubject, verb};
use super::event_type::EventType;
use crate::store::{BeforeAfter, Kind, ResourceImage, Stored};

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
pub(super) fn event(
    view: ResourceView<'_>,
    change: BeforeAfter<ResourceImage>,
) -> Option<EventDraft> {
    let is_group = view.resource_type.kind == Kind::Group;
    let types = if is_group { OF_GROUPS } else { OF_OTHERS };
    let BeforeAfter { before, after } = change;
    let Some(after) = after else { return before.map(|before| deleted(view, &types, &before)) };
    if is_touched(before.as_ref(), &after) {
        return Some(draft(view, types.snapshot, before, after).caused_by("resync"));
    }
    let event_type = match &before {
        None => types.created,
        // The row is as it was for the product: it tells that the group was once in a group.
        Some(before) if before.version == after.version => return None,
        Some(_) => types.updated,
    };
    let cause = verb(after.trace.operation);
    Some(EventDraft { cause, ..draft(view, event_type, before, after) })
}

/// The event of a row that is gone.
fn deleted(view: ResourceView<'_>, types: &Types, before: &ResourceImage) -> EventDraft {
    let draft = EventDraft::new(types.deleted, subject(view, &before.stored)).caused_by("delete");
    EventDraft { previous_version: Some(before.version), ..draft }
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
    view: ResourceView<'_>,
    event_type: EventType,
    before: Option<ResourceImage>,
    after: ResourceImage,
) -> EventDraft {
    let is_touched = is_touched(before.as_ref(), &after);
    let weight = after.stored.bytes() + before.as_ref().map_or(0, |before| before.stored.bytes());
    let draft = EventDraft::new(event_type, subject(view, &after.stored));
    let draft = EventDraft { version: Some(after.version), weight, ..draft };
    let ResourceImage { stored, trace, resync, .. } = after;
    if is_touched {
        return draft.extra("resync", resync).data(personal(view.show(stored.resource)));
    }
    let draft = draft.with_trace(trace);
    let Some(before) = before else { return draft.data(personal(view.show(stored.resource))) };
    let changed = before.stored.resource.attributes.changed(&stored.resource.attributes);
    let shown = view.show(stored.resource);
    EventDraft {
        previous_version: Some(before.version),
        difference: view.difference(changed, before.stored.resource, &shown),
        ..draft.data(personal(shown))
    }
}

fn personal(shown: Map<String, Value>) -> Data {
    Data::Personal(Value::Object(shown))
}

/// A resource as the subject of an event, with its names.
pub(super) fn subject(view: ResourceView<'_>, stored: &Stored) -> EventSubject {
    let definition = &view.resource_type.definition;
    let attributes = &stored.resource.attributes;
    let mut subject = EventSubject::new(&definition.name, stored.resource.id.as_str());
    let name = definition.name_attribute().map(|attribute| attribute.name.as_str());
    for name in ["externalId"].into_iter().chain(name) {
        if let Some(value) = attributes.text(name) {
            subject.names.insert(name.to_owned(), value.into());
        }
    }
    subject
}
