//! What one row's change says, before it is put into an envelope.

use serde::Serialize;
use serde_json::{Map, Value};

use super::difference::Difference;
use super::event_type::EventType;
use crate::store::{Operation, Trace};

/// The actor in rows that the operator wrote.
const OPERATOR: &str = "operator";
/// The actor in rows of users who have expired.
const EXPIRY: &str = "expiry";

/// The one who made a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Actor {
    /// An identity provider, by the key id of its token.
    Token { id: String },
    /// The operator.
    Operator,
    /// The time: a retention has ended.
    Expiry,
}

impl Actor {
    /// The actor that a row names.
    fn named(name: &str) -> Self {
        match name {
            OPERATOR => Self::Operator,
            EXPIRY => Self::Expiry,
            id => Self::Token { id: id.to_owned() },
        }
    }
}

/// What an event is about.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Subject {
    /// The type of the resource, or `Member`, `Tenant`, `Seats`, `Brake`, `Resync`, `Record`.
    pub(super) subject_type: String,
    /// What orders the events of the subject: they are about the same thing.
    pub(super) id: String,
    /// Further ids that make up the subject.
    pub(super) parts: Map<String, Value>,
    /// Its names, which are personal data.
    pub(super) names: Map<String, Value>,
}

impl Subject {
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
pub(super) struct Draft {
    pub(super) event_type: EventType,
    pub(super) subject: Subject,
    pub(super) actor: Option<Actor>,
    pub(super) request: Option<String>,
    pub(super) cause: Option<&'static str>,
    /// The operation that wrote the row, for the event of RFC 9967.
    pub(super) operation: Option<Operation>,
    pub(super) version: Option<u64>,
    pub(super) previous_version: Option<u64>,
    pub(super) difference: Difference,
    /// Members that only this type of event has, such as `until`. They are not personal data.
    pub(super) own: Map<String, Value>,
    pub(super) data: Option<Data>,
}

impl Draft {
    /// An event that tells no more than its type and its subject.
    pub(super) fn new(event_type: EventType, subject: Subject) -> Self {
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
            own: Map::new(),
            data: None,
        }
    }

    /// With the actor and the request that the new row names.
    pub(super) fn traced(self, trace: &Trace) -> Self {
        let Trace { operation, actor, request, .. } = trace;
        let actor = actor.as_deref().map(Actor::named);
        Self { actor, request: request.clone(), operation: *operation, ..self }
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
    pub(super) fn own(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.own.insert(name.to_owned(), value.into());
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
        Operation::Brake | Operation::Lift | Operation::Resync => return None,
    })
}
