//! What one row's change says, before it is put into an envelope.

use serde_json::{Map, Value, json};

use super::difference::Difference;
use super::event_type::EventType;
use crate::store::{EXPIRY, OPERATOR, Operation, Trace};

/// The one who made a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Actor {
    /// An identity provider, by the key id of its token.
    Token { id: String },
    /// The operator.
    Operator,
    /// No one: a retention has ended.
    Expiry,
}

impl Actor {
    /// The actor that a row names.
    fn named(name: String) -> Self {
        match name.as_str() {
            OPERATOR => Self::Operator,
            EXPIRY => Self::Expiry,
            _ => Self::Token { id: name },
        }
    }
}

impl From<Actor> for Value {
    fn from(actor: Actor) -> Self {
        match actor {
            Actor::Token { id } => json!({ "kind": "token", "id": id }),
            Actor::Operator => json!({ "kind": "operator" }),
            Actor::Expiry => json!({ "kind": "expiry" }),
        }
    }
}

/// What an event is about.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct EventSubject {
    /// The type of the resource, or `Member`, `Tenant`, `Seats`, `Brake`, `Resync`, `Record`.
    pub(super) subject_type: String,
    /// What orders the events of the subject: they are about the same thing.
    pub(super) id: String,
    /// Further ids that make up the subject.
    pub(super) parts: Map<String, Value>,
    /// Its names, which are personal data.
    pub(super) names: Map<String, Value>,
}

impl EventSubject {
    /// A subject without names.
    pub(super) fn new(subject_type: &str, id: impl Into<String>) -> Self {
        Self { subject_type: subject_type.to_owned(), id: id.into(), ..Self::default() }
    }
}

/// The content of an event.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data {
    /// A resource.
    Personal(Value),
    /// Numbers, times and ids.
    Plain(Value),
}

/// What one row's change says.
#[derive(Debug, Clone)]
pub(super) struct EventDraft {
    pub(super) event_type: EventType,
    pub(super) subject: EventSubject,
    pub(super) actor: Option<Actor>,
    pub(super) request: Option<String>,
    pub(super) cause: Option<&'static str>,
    /// The operation that wrote the row, for the event of RFC 9967.
    pub(super) operation: Option<Operation>,
    pub(super) version: Option<u64>,
    pub(super) previous_version: Option<u64>,
    pub(super) difference: Difference,
    /// Members that only this type of event has, such as `until`. They are not personal data.
    pub(super) extra: Map<String, Value>,
    pub(super) data: Option<Data>,
    /// The operator's names for the tenant and the customer, if the row itself tells them.
    pub(super) tenant_names: Option<(String, Option<String>)>,
    /// The bytes of the documents in the row's images, or [`super::envelope::UNKNOWN_WEIGHT`].
    pub(super) weight: usize,
}

impl EventDraft {
    /// An event that tells no more than its type and its subject.
    pub(super) fn new(event_type: EventType, subject: EventSubject) -> Self {
        Self {
            event_type,
            subject,
            actor: None,
            request: None,
            cause: None,
            operation: None,
            version: None,
            previous_version: None,
            difference: Difference::default(),
            extra: Map::new(),
            data: None,
            tenant_names: None,
            weight: 0,
        }
    }

    /// With the actor and the request that the new row names.
    pub(super) fn with_trace(self, trace: Trace) -> Self {
        let Trace { operation, actor, request, .. } = trace;
        Self { actor: actor.map(Actor::named), request, operation, ..self }
    }

    pub(super) fn by(self, actor: Actor) -> Self {
        Self { actor: Some(actor), ..self }
    }

    pub(super) fn caused_by(self, cause: &'static str) -> Self {
        Self { cause: Some(cause), ..self }
    }

    pub(super) fn data(self, data: Data) -> Self {
        Self { data: Some(data), ..self }
    }

    /// With a member that only this type of event has.
    pub(super) fn extra(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(name.to_owned(), value.into());
        self
    }
}

/// The word for the request that made a change.
pub(super) fn verb(operation: Option<Operation>) -> Option<&'static str> {
    Some(match operation? {
        Operation::Create | Operation::Link | Operation::Restore => "post",
        Operation::Replace => "put",
        Operation::Patch => "patch",
        Operation::Delete => "delete",
        Operation::Import => "import",
        Operation::Expire => "retention",
        Operation::Brake
        | Operation::Lift
        | Operation::Resync
        | Operation::Enable
        | Operation::Disable
        | Operation::Profile
        | Operation::Export
        | Operation::Mint
        | Operation::Reveal
        | Operation::Revoke
        | Operation::Rotate
        | Operation::Move => return None,
    })
}
