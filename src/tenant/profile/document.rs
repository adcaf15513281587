//! Settings as JSON documents: built from paths, merged, and listed by path.

use serde_json::{Map, Value, json};

use super::error::ProfileError;
use super::table::Setting;

/// Merges settings into a document that has all of them.
pub(super) fn lay_over(document: &mut Value, settings: Value) -> Result<(), ProfileError> {
    match (document, settings) {
        (Value::Object(document), Value::Object(settings)) => lay_section(document, settings, ""),
        _ => Err(ProfileError::new(
            "settings must be a JSON object, such as {\"seats\": {\"limit\": 10}}",
        )),
    }
}

/// Merges settings into a section. Their paths begin with the section's name and a dot.
fn lay_section(
    section: &mut Map<String, Value>,
    settings: Map<String, Value>,
    prefix: &str,
) -> Result<(), ProfileError> {
    for (name, value) in settings {
        let path = format!("{prefix}{name}");
        let Some(slot) = section.get_mut(&name) else {
            return Err(ProfileError(format!(
                "{path} is not a setting; docs/PROFILES.md lists all of them"
            )));
        };
        match (slot, value) {
            (Value::Object(inner), Value::Object(settings)) => {
                lay_section(inner, settings, &format!("{path}."))?;
            }
            (Value::Object(inner), _) => return Err(is_section(&path, inner)),
            (_, Value::Object(_)) => return Err(is_setting(&path)),
            (slot, value) => {
                Setting::find(&path).map_or(Ok(()), |setting| setting.check(&value))?;
                *slot = value;
            }
        }
    }
    Ok(())
}

fn is_section(path: &str, section: &Map<String, Value>) -> ProfileError {
    let names: Vec<String> = section.keys().map(|name| format!("{path}.{name}")).collect();
    let names = names.join(", ");
    ProfileError(format!("{path} is a section, not a setting; it contains: {names}"))
}

fn is_setting(path: &str) -> ProfileError {
    ProfileError(format!("{path} is a setting, not a section; give it a value, not an object"))
}

/// A document of one setting: the JSON text of its value, or a plain word.
pub(super) fn nested(path: &str, value: &str) -> Value {
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    path.rsplit('.').fold(value, |inner, name| json!({ name: inner }))
}

/// The settings of a document by their paths.
pub fn settings(document: &Value) -> Vec<(String, Value)> {
    let mut flat = Vec::new();
    for (name, value) in document.as_object().into_iter().flatten() {
        if value.is_object() {
            let inner = settings(value).into_iter();
            flat.extend(inner.map(|(path, value)| (format!("{name}.{path}"), value)));
        } else {
            flat.push((name.clone(), value.clone()));
        }
    }
    flat
}
