//! The tenant itself: its connection begins, is switched off and on, gets another profile, or ends.

use serde_json::{Map, Value, json};

use super::difference::Difference;
use super::draft::{Actor, Data, EventDraft, EventSubject};
use super::envelope::{UNKNOWN_WEIGHT, date};
use super::event_type::EventType;
use crate::store::{BeforeAfter, TenantCode, TenantRow};
use crate::tenant::Profile;

/// The event of a change of the tenant's row, if it concerns the product.
pub(super) fn event(code: &TenantCode, change: &BeforeAfter<TenantRow>) -> Option<EventDraft> {
    let (before, after) = (change.before.as_ref(), change.after.as_ref());
    let row = after.or(before)?;
    let version = |row: Option<&TenantRow>| row.map(|row| row.profile_version);
    let draft = EventDraft {
        version: version(after),
        previous_version: version(before),
        tenant_names: Some((row.name.clone(), row.customer.clone())),
        weight: UNKNOWN_WEIGHT,
        ..EventDraft::new(event_type(before, after)?, EventSubject::new("Tenant", code.as_str()))
    };
    let draft = match draft.event_type {
        EventType::ConnectionActivated => draft,
        _ => draft.by(Actor::Operator),
    };
    let difference = match (before, after) {
        (Some(before), Some(after)) => difference(before, after),
        (None, _) | (_, None) => Difference::default(),
    };
    let data = after.map(facts);
    Some(EventDraft { difference, data, ..draft })
}

fn event_type(before: Option<&TenantRow>, after: Option<&TenantRow>) -> Option<EventType> {
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => (before, after),
        (None, Some(_)) => return Some(EventType::ConnectionCreated),
        (Some(_), None) => return Some(EventType::ConnectionDeleted),
        (None, None) => return None,
    };
    match (before.enabled, after.enabled) {
        (true, false) => Some(EventType::ConnectionDisabled),
        (false, true) => Some(EventType::ConnectionEnabled),
        _ if before.profile_version != after.profile_version => {
            Some(EventType::ConnectionProfileChanged)
        }
        _ if before.connected.is_none() && after.connected.is_some() => {
            Some(EventType::ConnectionActivated)
        }
        _ => None,
    }
}

/// What differs between two states of the row: the switch, or settings by their paths.
fn difference(before: &TenantRow, after: &TenantRow) -> Difference {
    if before.enabled == after.enabled {
        return settings(&before.profile, &after.profile);
    }
    let previous = Map::from_iter([("enabled".to_owned(), Value::Bool(before.enabled))]);
    Difference { changed: vec!["enabled".to_owned()], previous }
}

fn facts(row: &TenantRow) -> Data {
    let preset = Profile::read(&row.profile).map(|profile| profile.preset).ok();
    Data::Plain(json!({
        "enabled": row.enabled,
        "createdAt": date(row.created),
        "connectedAt": row.connected.and_then(date),
        "preset": preset,
    }))
}

/// The settings that differ between two profiles, by their paths.
fn settings(before: &str, after: &str) -> Difference {
    let flat = |profile: &str| {
        let mut all = Map::new();
        let profile = Profile::read(profile).ok().and_then(|read| serde_json::to_value(read).ok());
        if let Some(profile) = profile {
            flatten("", profile, &mut all);
        }
        all
    };
    let (before, after) = (flat(before), flat(after));
    let mut changed: Vec<String> = before.keys().chain(after.keys()).cloned().collect();
    changed.sort_unstable();
    changed.dedup();
    changed.retain(|path| before.get(path) != after.get(path));
    let old = |path: &String| (path.clone(), before.get(path).cloned().unwrap_or_default());
    let previous = changed.iter().map(old).collect();
    Difference { changed, previous }
}

/// The values of a profile, each under its path.
fn flatten(path: &str, value: Value, all: &mut Map<String, Value>) {
    match value {
        Value::Object(section) => {
            for (name, value) in section {
                let path = if path.is_empty() { name } else { format!("{path}.{name}") };
                flatten(&path, value, all);
            }
        }
        value => {
            all.insert(path.to_owned(), value);
        }
    }
}
