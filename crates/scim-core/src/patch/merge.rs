//! Merging the value of an operation into the value of an attribute.

use serde_json::Value;

use crate::error::Error;
use crate::resource::admit::admit;
use crate::schema::attribute::{Attribute, Type};
use crate::schema::dialect::Dialect;
use crate::value::{is_empty, is_no_value};

/// Admits `value` and replaces `before` with it. A complex value is merged sub-attribute by
/// sub-attribute, and a sub-attribute with "no value" is removed.
pub(super) fn merge(
    before: Option<Value>,
    attribute: &Attribute,
    value: Value,
    dialect: Dialect,
) -> Result<Option<Value>, Error> {
    let removed = removed(attribute, &value);
    let admitted = admit(attribute, value, dialect)?;
    let mut after = match (before, admitted) {
        (Some(Value::Object(mut old)), Some(Value::Object(new))) => {
            if new.contains_key("value") && new.get("value") != old.get("value") {
                // The reference of the old value is wrong for the new one.
                old.shift_remove("$ref");
            }
            old.extend(new);
            Some(Value::Object(old))
        }
        (before, None) => before,
        (_, admitted) => admitted,
    };
    if let Some(object) = after.as_mut().and_then(Value::as_object_mut) {
        for name in removed {
            object.shift_remove(name);
        }
    }
    Ok(after.filter(|value| !is_empty(value)))
}

/// The sub-attributes to which a complex value assigns "no value".
fn removed<'a>(attribute: &'a Attribute, value: &Value) -> Vec<&'a str> {
    let object = value.as_object().filter(|_| attribute.kind == Type::Complex);
    let empty = object.into_iter().flatten().filter(|(_, value)| is_no_value(value));
    let subs = empty.filter_map(|(name, _)| attribute.sub_attribute(name));
    subs.map(|sub| sub.name.as_str()).collect()
}

/// The definition of one value of a multi-valued attribute.
pub(super) fn single(attribute: &Attribute) -> Attribute {
    Attribute { multi_valued: false, ..attribute.clone() }
}
