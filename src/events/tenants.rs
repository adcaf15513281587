//! The tenant itself: its connection begins, is switched off and on, gets another profile, or ends.

use serde_json::{Map, Value, json};

use super::difference::Difference;
use super::draft::{Actor, Data, Draft, Subject};
use super::envelope::date;
use super::event_type::EventType;
use crate::store::{Change, TenantCode, TenantRow};
use crate::tenant::Profile;

/// The event of a change of the tenant's row, if it concerns the product.
pub(super) fn event(code: &TenantCode, change: &Change<TenantRow>) -> Option<Draft> {
    let named = |event_type| Draft::new(event_type, Subject::new("Tenant", code.as_str()));
    let (before, after) = match (&change.before, &change.after) {
        (Some(before), Some(after)) => (before, after),
        (None, Some(after)) => {
            let created = named(EventType::ConnectionCreated).by(Actor::Operator);
            return Some(Draft {
                version: Some(after.profile_version),
                ..created.data(facts(after))
            });
        }
        (Some(before), None) => {
            let deleted = named(EventType::ConnectionDeleted).by(Actor::Operator);
            return Some(Draft { previous_version: Some(before.profile_version), ..deleted });
        }
        (None, None) => return None,
    };
    let draft = match (before.enabled, after.enabled) {
        (true, false) => enabled(named(EventType::ConnectionDisabled), true),
        (false, true) => enabled(named(EventType::ConnectionEnabled), false),
        _ if before.profile_version != after.profile_version => Draft {
            difference: settings(&before.profile, &after.profile),
            ..named(EventType::ConnectionProfileChanged).by(Actor::Operator)
        },
        _ if before.connected.is_none() && after.connected.is_some() => {
            named(EventType::ConnectionActivated)
        }
        _ => return None,
    };
    let (version, previous) = (after.profile_version, before.profile_version);
    Some(Draft {
        version: Some(version),
        previous_version: Some(previous),
        ..draft.data(facts(after))
    })
}

/// An event about the operator's switch, which was `before`.
fn enabled(draft: Draft, before: bool) -> Draft {
    let previous = Map::from_iter([("enabled".to_owned(), Value::Bool(before))]);
    let difference = Difference { changed: vec!["enabled".to_owned()], previous };
    Draft { difference, ..draft.by(Actor::Operator) }
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
        flatten("", profile.unwrap_or_default(), &mut all);
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
