//! The types of events.

use crate::settings::EventBody;
use crate::store::Operation;

/// The type of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventType {
    /// The identity provider created a user.
    UserProvisioned,
    /// The operator imported an existing user of the product, who is not provisioned yet.
    UserImported,
    /// The identity provider provisioned an imported user.
    UserLinked,
    /// Attributes of a user changed.
    UserUpdated,
    /// The userName of a user changed, and perhaps other attributes.
    UserRenamed,
    /// A user became inactive.
    UserSuspended,
    /// A user became active.
    UserReactivated,
    /// A user was deleted.
    UserDeleted,
    /// A deleted user came back, with the same id.
    UserRestored,
    /// The retention of a user ended.
    UserPurged,
    /// The operator removed an imported user.
    UserReleased,
    /// A resync shows a user.
    UserSnapshot,
    /// A group was created.
    GroupCreated,
    /// Attributes of a group changed.
    GroupUpdated,
    /// A group was deleted.
    GroupDeleted,
    /// A resync shows a group.
    GroupSnapshot,
    /// A group has one member more.
    MemberAdded,
    /// A group has one member less.
    MemberRemoved,
    /// A resync shows a member of a group.
    MemberSnapshot,
    /// A resource of another type was created.
    ResourceCreated,
    /// Attributes of such a resource changed.
    ResourceUpdated,
    /// Such a resource was deleted.
    ResourceDeleted,
    /// A resync shows such a resource.
    ResourceSnapshot,
    /// The operator created the tenant.
    ConnectionCreated,
    /// The identity provider sent its first request.
    ConnectionActivated,
    /// The operator switched SCIM off.
    ConnectionDisabled,
    /// The operator switched SCIM on again.
    ConnectionEnabled,
    /// The operator changed the tenant's profile.
    ConnectionProfileChanged,
    /// The operator deleted the tenant.
    ConnectionDeleted,
    /// All seats are taken.
    SeatsExhausted,
    /// A seat is free again.
    SeatsFreed,
    /// Too many users were deactivated, and the brake refuses more.
    BrakeTripped,
    /// The operator lifted the brake.
    BrakeLifted,
    /// A resync has begun.
    ResyncStarted,
    /// A resync has touched everything in its scope.
    ResyncFinished,
    /// A record of the stream could not be read.
    RecordUnshaped,
}

/// The event of RFC 9967 that says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SecurityEvent {
    /// It has no values.
    Plain(&'static str),
    /// It has the values, or as a notice only the names of what changed.
    Full(&'static str),
    /// The same for a PUT or a PATCH, as the request was.
    Change,
}

use SecurityEvent::{Change, Full, Plain};

/// All types in the order of `docs/EVENTS.md`, each with its name in `type`.
const TABLE: [(EventType, &str, Option<SecurityEvent>); 36] = [
    (EventType::UserProvisioned, "user.provisioned", Some(Full("prov:create"))),
    (EventType::UserImported, "user.imported", None),
    (EventType::UserLinked, "user.linked", Some(Plain("feed:add"))),
    (EventType::UserUpdated, "user.updated", Some(Change)),
    (EventType::UserRenamed, "user.renamed", Some(Change)),
    (EventType::UserSuspended, "user.suspended", Some(Plain("prov:deactivate"))),
    (EventType::UserReactivated, "user.reactivated", Some(Plain("prov:activate"))),
    (EventType::UserDeleted, "user.deleted", Some(Plain("prov:delete"))),
    (EventType::UserRestored, "user.restored", Some(Full("prov:create"))),
    (EventType::UserPurged, "user.purged", Some(Plain("feed:remove"))),
    (EventType::UserReleased, "user.released", Some(Plain("feed:remove"))),
    (EventType::UserSnapshot, "user.snapshot", None),
    (EventType::GroupCreated, "group.created", Some(Full("prov:create"))),
    (EventType::GroupUpdated, "group.updated", Some(Change)),
    (EventType::GroupDeleted, "group.deleted", Some(Plain("prov:delete"))),
    (EventType::GroupSnapshot, "group.snapshot", None),
    (EventType::MemberAdded, "group.member_added", Some(Full("prov:patch"))),
    (EventType::MemberRemoved, "group.member_removed", Some(Full("prov:patch"))),
    (EventType::MemberSnapshot, "group.member_snapshot", None),
    (EventType::ResourceCreated, "resource.created", Some(Full("prov:create"))),
    (EventType::ResourceUpdated, "resource.updated", Some(Change)),
    (EventType::ResourceDeleted, "resource.deleted", Some(Plain("prov:delete"))),
    (EventType::ResourceSnapshot, "resource.snapshot", None),
    (EventType::ConnectionCreated, "connection.created", None),
    (EventType::ConnectionActivated, "connection.activated", None),
    (EventType::ConnectionDisabled, "connection.disabled", None),
    (EventType::ConnectionEnabled, "connection.enabled", None),
    (EventType::ConnectionProfileChanged, "connection.profile_changed", None),
    (EventType::ConnectionDeleted, "connection.deleted", None),
    (EventType::SeatsExhausted, "seats.exhausted", None),
    (EventType::SeatsFreed, "seats.freed", None),
    (EventType::BrakeTripped, "brake.tripped", None),
    (EventType::BrakeLifted, "brake.lifted", None),
    (EventType::ResyncStarted, "resync.started", None),
    (EventType::ResyncFinished, "resync.finished", None),
    (EventType::RecordUnshaped, "record.unshaped", None),
];

impl EventType {
    /// All of them, in the order of `docs/EVENTS.md`.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(event_type, ..)| *event_type)
    }

    fn row(self) -> Option<&'static (Self, &'static str, Option<SecurityEvent>)> {
        TABLE.iter().find(|(event_type, ..)| *event_type == self)
    }

    /// The name in `type`.
    pub fn as_str(self) -> &'static str {
        self.row().map_or("", |(_, name, _)| name)
    }

    /// The URN of the event of RFC 9967 that says the same, where there is one.
    pub fn security_event(self, operation: Option<Operation>, body: EventBody) -> Option<String> {
        let of_change =
            if operation == Some(Operation::Replace) { "prov:put" } else { "prov:patch" };
        let form = if body == EventBody::Full { "full" } else { "notice" };
        let name = match self.row()?.2? {
            Plain(name) => name.to_owned(),
            Full(name) => format!("{name}:{form}"),
            Change => format!("{of_change}:{form}"),
        };
        Some(format!("urn:ietf:params:scim:event:{name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_one_name() {
        let mut names: Vec<&str> = EventType::all().map(EventType::as_str).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.len());
        assert_eq!(TABLE.len(), EventType::RecordUnshaped as usize + 1);
    }
}
