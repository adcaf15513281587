//! Immutable attributes, which a change must leave as they are.

use serde_json::{Map, Value};

use crate::error::Error;
use crate::resource::attributes::Attributes;
use crate::schema::attribute::{Attribute, Mutability, Schema};
use crate::schema::resource_type::ResourceType;
use crate::value::elements;

/// How a client changes a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// By PUT, with a whole resource. A client cannot send attributes that it cannot see or must
    /// not change, so these keep their values.
    Replace,
    /// By PATCH, with operations.
    Patch,
}

impl ResourceType {
    /// Checks a change from `old` to `new`. For [`Update::Replace`], immutable and write-only
    /// attributes that `new` does not mention get their old values back.
    ///
    /// # Errors
    /// * `mutability`: "If one or more values are already set for the attribute, the input value(s)
    ///   MUST match, or HTTP status code 400 SHOULD be returned with a "scimType" error code of
    ///   "mutability"." (RFC 7644, 3.5.1)
    /// * `invalidValue` for a value outside a closed list that the resource did not have before.
    pub fn check_immutable(
        &self,
        old: &Attributes,
        new: &mut Attributes,
        update: Update,
    ) -> Result<(), Error> {
        self.check_closed(old, new)?;
        check_attributes(&self.schema.attributes, &old.0, &mut new.0, update)?;
        for Schema { id, attributes, .. } in &self.extensions {
            let Some(before) = old.0.get(id).and_then(Value::as_object) else { continue };
            let mut after = new.0.get(id).and_then(Value::as_object).cloned().unwrap_or_default();
            check_attributes(attributes, before, &mut after, update)?;
            if !after.is_empty() {
                new.0.insert(id.clone(), Value::Object(after));
            }
        }
        Ok(())
    }
}

fn check_attributes(
    definitions: &[Attribute],
    old: &Map<String, Value>,
    new: &mut Map<String, Value>,
    update: Update,
) -> Result<(), Error> {
    for definition in definitions {
        let name = &definition.name;
        let Some(before) = old.get(name) else { continue };
        match (definition.mutability, new.get(name)) {
            (Mutability::Immutable, Some(after)) if after == before => {}
            (Mutability::Immutable | Mutability::WriteOnly, None) if update == Update::Replace => {
                new.insert(name.clone(), before.clone());
            }
            (Mutability::Immutable, _) => return Err(immutable(name)),
            (_, Some(after)) => check_sub_attributes(definition, before, after)?,
            (_, None) => {}
        }
    }
    Ok(())
}

/// Checks the immutable sub-attributes of each value that stays. A value stays if it is the only
/// one of its attribute, or if there is still an element with the same `value`.
fn check_sub_attributes(
    definition: &Attribute,
    before: &Value,
    after: &Value,
) -> Result<(), Error> {
    let fixed: Vec<&Attribute> = definition
        .sub_attributes
        .iter()
        .filter(|sub| sub.mutability == Mutability::Immutable)
        .collect();
    if fixed.is_empty() {
        return Ok(());
    }
    for old in elements(Some(before)) {
        let is_same = |new: &&Value| {
            !definition.multi_valued
                || new.get("value").is_some_and(|value| Some(value) == old.get("value"))
        };
        let changed = |new: &Value| {
            let differs = |sub: &Attribute| {
                old.get(&sub.name).is_some_and(|value| Some(value) != new.get(&sub.name))
            };
            fixed.iter().find(|sub| differs(sub))
        };
        let same: Vec<&Value> = elements(Some(after)).iter().filter(is_same).collect();
        // If several elements have the same `value`, one unchanged element is enough.
        if same.iter().all(|new| changed(new).is_some())
            && let Some(sub) = same.first().and_then(|new| changed(new))
        {
            return Err(immutable(&format!("{}.{}", definition.name, sub.name)));
        }
    }
    Ok(())
}

fn immutable(name: &str) -> Error {
    Error::mutability(format!(
        "{name} is immutable: it has a value, which cannot be changed; remove it from the mapping."
    ))
    .at(name)
}
