//! The form in which an event is sent.

use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::draft::{Actor, Data, Draft, Subject};
use super::event_type::EventType;
use crate::settings::{EventBody, EventSettings};
use crate::store::RowChange;
use crate::tenant::Tenant;

/// The largest event, in bytes of JSON: EventBridge bills one of up to 64 KB once. What EventBridge
/// puts around it needs the rest.
pub const MAX_EVENT_BYTES: usize = 63 * 1_024;
/// The version of the form.
const SPEC: u32 = 1;
/// The digits of a sequence number, so that numbers compare as text.
const SEQUENCE_DIGITS: usize = 40;

/// An event as it is sent. The members that only some types have come last.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    id: String,
    r#type: EventType,
    spec: u32,
    time: Option<String>,
    seq: String,
    epoch: u32,
    tenant: Option<Value>,
    connection: Value,
    actor: Option<&'a Actor>,
    request: Option<&'a str>,
    cause: Option<&'a str>,
    subject: Map<String, Value>,
    version: Option<u64>,
    previous_version: Option<u64>,
    changed: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<&'a Map<String, Value>>,
    #[serde(flatten)]
    own: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncated: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scim: Option<String>,
}

/// The event of a change, as it is sent. If it would be too large, it is sent without its data, or
/// even without previous values and names, and says so.
pub(super) fn sealed(
    draft: &Draft,
    change: &RowChange,
    tenant: Option<&Tenant>,
    settings: &EventSettings,
) -> Value {
    let mut envelope = Envelope::new(draft, change, tenant, settings);
    if size(&envelope) > MAX_EVENT_BYTES {
        (envelope.data, envelope.truncated) = (None, Some(true));
    }
    if size(&envelope) > MAX_EVENT_BYTES {
        envelope.previous = None;
        envelope.subject = subject(&draft.subject, false);
    }
    serde_json::to_value(envelope).unwrap_or_default()
}

impl<'a> Envelope<'a> {
    fn new(
        draft: &'a Draft,
        change: &RowChange,
        tenant: Option<&Tenant>,
        settings: &EventSettings,
    ) -> Self {
        let full = settings.body == EventBody::Full;
        let idp = tenant.and_then(|tenant| tenant.profile.dialect.idp.as_deref());
        Self {
            id: id(change),
            r#type: draft.event_type,
            spec: SPEC,
            time: date(change.time),
            seq: format!("{:0>SEQUENCE_DIGITS$}", change.sequence_number),
            epoch: settings.epoch,
            tenant: tenant_of(change, tenant, full),
            connection: json!({ "idp": idp, "region": settings.region }),
            actor: draft.actor.as_ref(),
            request: draft.request.as_deref(),
            cause: draft.cause,
            subject: subject(&draft.subject, full),
            version: draft.version,
            previous_version: draft.previous_version,
            changed: &draft.difference.changed,
            previous: full.then_some(&draft.difference.previous),
            own: &draft.own,
            data: data(draft, full),
            truncated: None,
            scim: draft.event_type.security_event(draft.operation, settings.body),
        }
    }
}

/// The data that may be sent.
fn data(draft: &Draft, full: bool) -> Option<&Value> {
    match draft.data.as_ref()? {
        Data::Personal(value) => Some(value).filter(|_| full),
        Data::Plain(value) => Some(value),
    }
}

/// The tenant's code and the operator's names for it; no names if the tenant is gone.
fn tenant_of(change: &RowChange, tenant: Option<&Tenant>, full: bool) -> Option<Value> {
    let code = change.tenant.as_ref()?;
    let (name, customer) = (tenant.map(Tenant::name), tenant.and_then(Tenant::customer));
    Some(if full {
        json!({ "code": code.as_str(), "name": name, "customer": customer })
    } else {
        json!({ "code": code.as_str(), "customer": customer })
    })
}

fn subject(subject: &Subject, full: bool) -> Map<String, Value> {
    let Subject { subject_type, id, parts, names } = subject;
    let mut members = Map::new();
    members.insert("type".into(), subject_type.as_str().into());
    members.insert("id".into(), id.as_str().into());
    members.extend(parts.clone());
    if full {
        members.extend(names.clone());
    }
    members
}

/// The bytes of an event as JSON.
fn size(envelope: &Envelope<'_>) -> usize {
    serde_json::to_vec(envelope).map_or(usize::MAX, |bytes| bytes.len())
}

/// An id in the form of a UUID of version 7. It depends on the record alone, so that a record that
/// is read twice gives the same id.
fn id(change: &RowChange) -> String {
    let (p, s) = &change.key;
    let digest = Sha256::digest(format!("{p}\0{s}\0{}", change.sequence_number));
    let mut random = [0; 10];
    random.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    let milliseconds = u64::try_from(change.time).unwrap_or_default().saturating_mul(1_000);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid().to_string()
}

/// A time in seconds since 1970 as RFC 3339 has it.
pub(super) fn date(seconds: i64) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(&Rfc3339).ok()
}
