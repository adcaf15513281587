//! The values that no two resources of a type may share, in the form in which they are compared.

use serde_json::Value;

use crate::canonical;
use crate::error::Error;
use crate::resource::attributes::Attributes;
use crate::schema::attribute::Attribute;
use crate::schema::resource_type::ResourceType;

/// The value of a unique attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueValue {
    /// The attribute path.
    pub attribute: String,
    /// The value in the form in which it is compared.
    pub form: String,
}

impl ResourceType {
    /// The form in which the names of resources are compared (see
    /// [`ResourceType::name_attribute`]).
    ///
    /// # Errors
    /// `invalidValue` for a userName that cannot be compared safely.
    pub fn canonical_name(&self, name: &str) -> Result<String, Error> {
        match self.name_attribute() {
            Some(attribute) if attribute.name == "userName" => canonical::user_name(name),
            Some(attribute) => Ok(compared(attribute, name)),
            None => Ok(name.to_owned()),
        }
    }

    /// The values that no other resource of this type may have, without the name.
    pub fn unique_values(&self, attributes: &Attributes) -> Vec<UniqueValue> {
        let values = self.unique_attributes().filter_map(|place| {
            let form = match place.values(&attributes.0).next()? {
                Value::String(text) => compared(place.attribute, text),
                other => other.to_string(),
            };
            Some(UniqueValue { attribute: place.path(), form })
        });
        values.collect()
    }
}

fn compared(attribute: &Attribute, text: &str) -> String {
    if attribute.case_exact { text.to_owned() } else { text.to_lowercase() }
}
