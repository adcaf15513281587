//! Required attributes: who must have them, and what is said about those without a value.

use serde_json::{Map, Value};

use crate::error::Error;
use crate::patch::path::elements;
use crate::resource::attributes::Attributes;
use crate::schema::attribute::{Attribute, Schema};
use crate::schema::resource_type::ResourceType;

impl ResourceType {
    /// "If an attribute is ... required": "the attribute MUST have a value" (RFC 7643, 7), in the
    /// resource, in its extensions and in complex values. What has none is named, with what to map
    /// to it.
    pub(crate) fn check_required(&self, attributes: &Attributes) -> Result<(), Error> {
        refuse_missing(&self.missing(attributes)).map_err(Error::invalid_value)
    }

    /// As [`ResourceType::check_required`], without what only this service provider requires.
    pub(crate) fn check_standard(&self, attributes: &Attributes) -> Result<(), Error> {
        let mut missing = self.missing(attributes);
        missing.retain(|missing| missing.advice.is_none());
        refuse_missing(&missing).map_err(Error::invalid_value)
    }

    /// That a resource which replaces another has all that is required; who is inactive need not
    /// have what only this service provider requires, so that nobody stays who should go.
    ///
    /// # Errors
    /// `invalidValue` with what to map.
    pub fn check_replacement(&self, attributes: &Attributes) -> Result<(), Error> {
        refuse_missing(&self.still_missing(attributes)).map_err(Error::invalid_value)
    }

    /// As [`ResourceType::check_replacement`], of a change from `old` to `new`: what was required
    /// of late must not keep anybody from being changed, but who becomes active must have it. The
    /// error is the sentence.
    pub(crate) fn check_change(&self, old: &Attributes, new: &Attributes) -> Result<(), String> {
        let mut missing = self.still_missing(new);
        let activates = is_inactive(old) && !is_inactive(new);
        if !activates && !missing.is_empty() {
            let before = self.missing(old);
            missing.retain(|missing| !before.contains(missing));
        }
        refuse_missing(&missing)
    }

    fn still_missing(&self, attributes: &Attributes) -> Vec<Missing> {
        let mut missing = self.missing(attributes);
        missing.retain(|missing| missing.advice.is_none() || !is_inactive(attributes));
        missing
    }

    fn missing(&self, attributes: &Attributes) -> Vec<Missing> {
        let mut missing = Vec::new();
        required(&self.schema.attributes, &attributes.0, "", &mut missing);
        for Schema { id, attributes: definitions, .. } in &self.extensions {
            match attributes.0.get(id).and_then(Value::as_object) {
                Some(object) => required(definitions, object, &format!("{id}:"), &mut missing),
                None if self.required_extensions.contains(id) => {
                    let mut inside = Vec::new();
                    required(definitions, &Map::new(), &format!("{id}:"), &mut inside);
                    if inside.is_empty() {
                        inside.push(Missing { path: id.clone(), advice: None });
                    }
                    // That the extension must be there, no RFC says.
                    missing.extend(inside.into_iter().map(|Missing { path, advice }| Missing {
                        advice: Some(advised(&path, advice.as_deref())),
                        path,
                    }));
                }
                None => {}
            }
        }
        missing
    }
}

fn is_inactive(attributes: &Attributes) -> bool {
    attributes.get("active") == Some(&Value::Bool(false))
}

/// A required attribute without a value; with advice if only this service provider requires it.
#[derive(Debug, PartialEq)]
struct Missing {
    path: String,
    advice: Option<String>,
}

fn required(
    definitions: &[Attribute],
    object: &Map<String, Value>,
    prefix: &str,
    missing: &mut Vec<Missing>,
) {
    for definition in definitions {
        let path = format!("{prefix}{}", definition.name);
        let values = elements(object.get(&definition.name));
        let inner = definition.sub_attributes.iter().any(|sub| sub.required);
        if definition.required && values.is_empty() && inner {
            required(&definition.sub_attributes, &Map::new(), &format!("{path}."), missing);
        } else if definition.required && !values.iter().any(|value| is_assigned(definition, value))
        {
            missing.push(Missing { path, advice: definition.advice.clone() });
        } else if inner {
            for element in values.iter().filter_map(Value::as_object) {
                required(&definition.sub_attributes, element, &format!("{path}."), missing);
            }
        }
    }
}

/// Whether a value says something: blanks do not, nor does an address of which only the type is
/// known.
fn is_assigned(definition: &Attribute, value: &Value) -> bool {
    let significant = match definition.sub_attribute("value").filter(|sub| !sub.is_read_only()) {
        Some(sub) => value.get(&sub.name),
        None => Some(value),
    };
    significant.is_some_and(|value| value.as_str().is_none_or(|text| !text.trim().is_empty()))
}

fn refuse_missing(missing: &[Missing]) -> Result<(), String> {
    let mut paths: Vec<&str> = missing.iter().map(|missing| missing.path.as_str()).collect();
    paths.dedup();
    let (are, have) = match paths.len() {
        0 => return Ok(()),
        1 => ("is", "has"),
        _ => ("are", "have"),
    };
    let mut advice: Vec<String> =
        missing.iter().map(|Missing { path, advice }| advised(path, advice.as_deref())).collect();
    advice.dedup();
    Err(format!("{} {are} required and {have} no value. {}", paths.join(" and "), advice.join(" ")))
}

/// What to do about an attribute without a value.
fn advised(path: &str, advice: Option<&str>) -> String {
    let usual = || format!("In the identity provider's attribute mapping, map a value to {path}.");
    advice.map_or_else(usual, str::to_owned)
}
