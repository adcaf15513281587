//! Settings as documents: laid over each other, and told from what no setting takes.

use serde_json::{Value, json};

use super::{Profile, ProfileError};

/// Lays settings over a document that has all of them.
pub(super) fn lay_over(document: &mut Value, over: Value, path: &str) -> Result<(), ProfileError> {
    match (document, over) {
        (Value::Object(document), Value::Object(over)) => {
            for (name, value) in over {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let Some(slot) = document.get_mut(&name) else {
                    return Err(ProfileError(format!(
                        "there is no setting {path}; docs/PROFILES.md lists them"
                    )));
                };
                lay_over(slot, value, &path)?;
            }
            Ok(())
        }
        (Value::Object(_), _) if path.is_empty() => Err(ProfileError(
            "settings are a JSON object, such as {\"seats\": {\"limit\": 10}}".into(),
        )),
        (Value::Object(document), _) => {
            let names: Vec<String> = document.keys().map(|name| format!("{path}.{name}")).collect();
            Err(ProfileError(format!("{path} is no setting, but has some: {}", names.join(", "))))
        }
        (_, Value::Object(_)) => {
            Err(ProfileError(format!("{path} is one setting, and takes no object")))
        }
        (slot, value) => {
            *slot = value;
            Ok(())
        }
    }
}

/// A document of one setting: the JSON text of its value, or a plain word.
pub(super) fn nested(path: &str, value: &str) -> Value {
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    path.rsplit('.').fold(value, |inner, name| json!({ name: inner }))
}

/// Which of the settings laid over a valid document it is that takes no such value, and what it
/// takes.
pub(super) fn culprit(valid: &Value, over: &Value, error: &serde_json::Error) -> ProfileError {
    let wrong = settings(over).into_iter().find_map(|(path, value)| {
        let why = refusal(valid, &path, &value)?;
        Some(format!("{path} {}", expected(valid, &path, &why)))
    });
    ProfileError(wrong.unwrap_or_else(|| error.to_string()))
}

/// Why a setting takes no such value, in the words of the parser.
fn refusal(valid: &Value, path: &str, value: &Value) -> Option<String> {
    let mut alone = valid.clone();
    lay_over(&mut alone, nested(path, &value.to_string()), "").ok()?;
    serde_json::from_value::<Profile>(alone).err().map(|error| error.to_string())
}

/// What a setting takes, as its refusals of other values tell.
fn expected(valid: &Value, path: &str, why: &str) -> String {
    let refusal_of = |value: Value| refusal(valid, path, &value).unwrap_or_default();
    let (word, list) = (refusal_of(json!("?")), refusal_of(json!(["?"])));
    let or_null = if refusal_of(Value::Null).is_empty() { ", or null" } else { "" };
    if let Some(words) = words(&word) {
        return format!("must be one of: {words}");
    }
    if word.contains("expected a boolean") {
        return "must be true or false".into();
    }
    if word.contains("expected u32") {
        return format!("must be a whole number{or_null}");
    }
    if !word.contains("expected a sequence") {
        return format!("must be a text{or_null}");
    }
    match (words(&list), list.is_empty()) {
        (Some(words), _) => format!("must be a list of some of: {words}; such as [\"a\", \"b\"]"),
        (None, true) => "must be a list such as [\"a\", \"b\"]".into(),
        (None, false) => {
            let lacks = why
                .strip_prefix("missing field ")
                .map(|field| format!("one lacks {}", field.replace('`', "")));
            let other = words(why).map(|words| format!("a word in one is none of: {words}"));
            let said = lacks.or(other).map(|said| format!("; {said}")).unwrap_or_default();
            format!("must be a list of objects in the form of RFC 7643, section 7{said}")
        }
    }
}

/// The words that are taken, if others are refused.
fn words(why: &str) -> Option<String> {
    let (_, expected) = why.split_once("unknown variant")?.1.split_once("expected")?;
    Some(expected.split('`').skip(1).step_by(2).collect::<Vec<_>>().join(", "))
}

/// The settings of a document by their paths.
pub fn settings(document: &Value) -> Vec<(String, Value)> {
    let mut flat = Vec::new();
    for (name, value) in document.as_object().into_iter().flatten() {
        match value {
            Value::Object(_) => {
                flat.extend(
                    settings(value)
                        .into_iter()
                        .map(|(inner, value)| (format!("{name}.{inner}"), value)),
                );
            }
            value => flat.push((name.clone(), value.clone())),
        }
    }
    flat
}
