//! The form in which an event is sent.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::difference::Difference;
use super::draft::{Data, Draft, Subject};
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

/// Bytes of a row's documents up to which an event is small enough for certain: the rest of it is
/// names, which have limits of their own.
const LIGHT: usize = MAX_EVENT_BYTES / 2;

/// The event of a change, as it is sent. If it would be too large, it is sent without its data, or
/// even without previous values and names, and says so.
pub(super) fn sealed(
    draft: Draft,
    change: &RowChange,
    tenant: Option<&Tenant>,
    settings: &EventSettings,
) -> Value {
    let (weight, ids) = (draft.weight, subject(&draft.subject, false));
    let mut event = members(draft, change, tenant, settings);
    if weight > LIGHT && size(&event) > MAX_EVENT_BYTES {
        event.shift_remove("data");
        event.insert("truncated".into(), true.into());
        if size(&event) > MAX_EVENT_BYTES {
            event.shift_remove("previous");
            event.insert("subject".into(), ids.into());
        }
    }
    Value::Object(event)
}

/// The members of an event. Those that only some types have come last.
fn members(
    draft: Draft,
    change: &RowChange,
    tenant: Option<&Tenant>,
    settings: &EventSettings,
) -> Map<String, Value> {
    let full = settings.body == EventBody::Full;
    let idp = tenant.and_then(|tenant| tenant.profile.dialect.idp.as_deref());
    let security_event = draft.event_type.security_event(draft.operation, settings.body);
    let subject = subject(&draft.subject, full);
    let Draft { event_type, actor, request, cause, version, previous_version, .. } = draft;
    let Difference { changed, previous } = draft.difference;
    let mut event = Map::with_capacity(24);
    let mut add = |name: &str, value: Value| drop(event.insert(name.to_owned(), value));
    add("id", id(change).into());
    add("type", event_type.as_str().into());
    add("spec", SPEC.into());
    add("time", date(change.time).into());
    add("seq", format!("{:0>SEQUENCE_DIGITS$}", change.sequence_number).into());
    add("epoch", settings.epoch.into());
    add("tenant", tenant_of(change, tenant, full).into());
    add("connection", json!({ "idp": idp, "region": settings.region }));
    add("actor", actor.map(Value::from).into());
    add("request", request.into());
    add("cause", cause.into());
    add("subject", subject.into());
    add("version", version.into());
    add("previousVersion", previous_version.into());
    add("changed", changed.into());
    if full {
        add("previous", previous.into());
    }
    event.extend(draft.own);
    event.extend(sent(draft.data, full).map(|data| ("data".to_owned(), data)));
    event.extend(security_event.map(|urn| ("scim".to_owned(), urn.into())));
    event
}

/// The data that may be sent.
fn sent(data: Option<Data>, full: bool) -> Option<Value> {
    match data? {
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
fn size(event: &Map<String, Value>) -> usize {
    serde_json::to_vec(event).map_or(usize::MAX, |bytes| bytes.len())
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
