//! Required attributes, and what to tell a client about those without a value.

use serde_json::{Map, Value};

use crate::error::Error;
use crate::resource::attributes::Attributes;
use crate::schema::attribute::{Attribute, Schema};
use crate::schema::resource_type::ResourceType;
use crate::value::elements;

impl ResourceType {
    /// "If an attribute is ... required": "the attribute MUST have a value" (RFC 7643, 7), in the
    /// resource, in its extensions and in complex values. The error names the attributes and says
    /// what to map to them.
    pub(crate) fn check_required(&self, attributes: &Attributes) -> Result<(), Error> {
        refuse(&self.missing(attributes))
    }

    /// Like [`ResourceType::check_required`], for the attributes that the RFCs require. Those that
    /// only this service provider requires are not checked.
    pub(crate) fn check_standard(&self, attributes: &Attributes) -> Result<(), Error> {
        let mut missing = self.missing(attributes);
        missing.retain(|missing| missing.advice.is_none());
        refuse(&missing)
    }

    /// Checks a resource that replaces another one. An inactive resource does not need the
    /// attributes that only this service provider requires, so that a missing one cannot keep a
    /// user active who should be deactivated.
    ///
    /// # Errors
    /// `invalidValue` with what to map.
    pub fn check_replacement(&self, attributes: &Attributes) -> Result<(), Error> {
        refuse(&self.still_missing(attributes))
    }

    /// Like [`ResourceType::check_replacement`], for a change from `old` to `new`. A value that was
    /// missing before is ignored, because the attribute may have become required only recently; but
    /// a resource that becomes active must have all of them.
    pub(crate) fn check_change(&self, old: &Attributes, new: &Attributes) -> Result<(), Error> {
        let mut missing = self.still_missing(new);
        let activates = is_inactive(old) && !is_inactive(new);
        if !activates && !missing.is_empty() {
            let before = self.missing(old);
            missing.retain(|missing| !before.contains(missing));
        }
        refuse(&missing)
    }

    fn still_missing(&self, attributes: &Attributes) -> Vec<Missing> {
        let mut missing = self.missing(attributes);
        missing.retain(|missing| missing.advice.is_none() || !is_inactive(attributes));
        missing
    }

    fn missing(&self, attributes: &Attributes) -> Vec<Missing> {
        let mut missing = Vec::new();
        find_missing(&self.schema.attributes, &attributes.0, "", &mut missing);
        for extension in &self.extensions {
            let prefix = format!("{}:", extension.id);
            match attributes.0.get(&extension.id).and_then(Value::as_object) {
                Some(object) => find_missing(&extension.attributes, object, &prefix, &mut missing),
                None if self.required_extensions.contains(&extension.id) => {
                    missing.extend(missing_extension(extension, &prefix));
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

/// A required attribute without a value. It has advice if only this service provider requires it.
#[derive(Debug, PartialEq)]
struct Missing {
    path: String,
    advice: Option<String>,
}

impl Missing {
    /// What to do about it.
    fn advice(&self) -> String {
        let path = &self.path;
        let usual =
            || format!("In the identity provider's attribute mapping, map a value to {path}.");
        self.advice.clone().unwrap_or_else(usual)
    }
}

/// What is missing if a required extension is absent. No RFC requires the extension itself, so each
/// of these attributes has advice.
fn missing_extension(extension: &Schema, prefix: &str) -> Vec<Missing> {
    let mut missing = Vec::new();
    find_missing(&extension.attributes, &Map::new(), prefix, &mut missing);
    if missing.is_empty() {
        missing.push(Missing { path: extension.id.clone(), advice: None });
    }
    for attribute in &mut missing {
        attribute.advice = Some(attribute.advice());
    }
    missing
}

fn find_missing(
    definitions: &[Attribute],
    object: &Map<String, Value>,
    prefix: &str,
    missing: &mut Vec<Missing>,
) {
    for definition in definitions {
        let path = format!("{prefix}{}", definition.name);
        let values = elements(object.get(&definition.name));
        let requires_sub = definition.sub_attributes.iter().any(|sub| sub.required);
        if definition.required && values.is_empty() && requires_sub {
            find_missing(&definition.sub_attributes, &Map::new(), &format!("{path}."), missing);
        } else if definition.required && !values.iter().any(|value| is_assigned(definition, value))
        {
            missing.push(Missing { path, advice: definition.advice.clone() });
        } else if requires_sub {
            for element in values.iter().filter_map(Value::as_object) {
                find_missing(&definition.sub_attributes, element, &format!("{path}."), missing);
            }
        }
    }
}

/// Whether a value is not just spaces. An element that could have a `value`, such as an e-mail
/// address, counts only if it has one.
fn is_assigned(definition: &Attribute, value: &Value) -> bool {
    let significant = match definition.sub_attribute("value").filter(|sub| !sub.is_read_only()) {
        Some(sub) => value.get(&sub.name),
        None => Some(value),
    };
    significant.is_some_and(|value| value.as_str().is_none_or(|text| !text.trim().is_empty()))
}

/// An error for the missing attributes, if there are any.
/// # Errors
/// `invalidValue` that is about the first of them.
fn refuse(missing: &[Missing]) -> Result<(), Error> {
    let mut paths: Vec<&str> = missing.iter().map(|missing| missing.path.as_str()).collect();
    paths.dedup();
    let (are, have) = match paths.len() {
        0 => return Ok(()),
        1 => ("is", "has"),
        _ => ("are", "have"),
    };
    let mut advice: Vec<String> = missing.iter().map(Missing::advice).collect();
    advice.dedup();
    let (all, first) = (paths.join(" and "), paths.first().copied().unwrap_or_default());
    let detail = format!("{all} {are} required and {have} no value. {}", advice.join(" "));
    Err(Error::invalid_value(detail).because("missing-attribute").at(first))
}
