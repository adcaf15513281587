//! Attributes whose values must come from a closed list.

use serde_json::{Map, Value};

use crate::error::Error;
use crate::resource::attributes::Attributes;
use crate::schema::place::AttributeRef;
use crate::schema::resource_type::ResourceType;

impl ResourceType {
    /// Refuses values outside a closed list, except those that the resource already has: shortening
    /// a list must not prevent users from being deactivated.
    ///
    /// # Errors
    /// `invalidValue`, which lists the allowed values.
    pub(crate) fn check_closed(&self, old: &Attributes, new: &Attributes) -> Result<(), Error> {
        for whole in self.attributes() {
            let subs = whole.attribute.sub_attributes.iter().map(Some);
            for sub in std::iter::once(None).chain(subs) {
                let place = AttributeRef { sub, ..whole };
                if place.leaf().closed {
                    check_values(place, &old.0, &new.0)?;
                }
            }
        }
        Ok(())
    }
}

fn check_values(
    place: AttributeRef<'_>,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
) -> Result<(), Error> {
    let definition = place.leaf();
    let texts = |root| place.values(root).filter_map(Value::as_str);
    let is_legal = |text: &str| {
        let listed =
            definition.canonical_values.iter().any(|value| definition.is_same(value, text));
        listed || texts(old).any(|value| definition.is_same(value, text))
    };
    if texts(new).all(is_legal) {
        return Ok(());
    }
    Err(Error::invalid_value(format!(
        "{} must be one of: {}.",
        place.path(),
        definition.canonical_values.join(", ")
    ))
    .because("value-not-allowed")
    .at(place.path()))
}
