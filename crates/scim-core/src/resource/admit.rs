//! Admits values: every value that enters a resource, by POST, PUT or PATCH and in whatever form
//! the client wrote it, is checked here against the definition of its attribute and gets the names
//! and types of the schema.

use serde_json::{Map, Value};

use crate::canonical::MAX_NAME_BYTES;
use crate::error::Error;
use crate::resource::member::MEMBERS;
use crate::resource::repeats;
use crate::schema::attribute::{Attribute, Type};
use crate::schema::dialect::Dialect;
use crate::schema::near_miss;
use crate::schema::place::AttributeRef;
use crate::value::{is_primary, object_in, object_of, parse_date_time};

/// The longest string value, in bytes.
pub const MAX_STRING_BYTES: usize = 4_096;
/// The maximum number of values of a multi-valued attribute, except the members of a group.
pub const MAX_ELEMENTS: usize = 200;
/// The longest externalId, in bytes.
pub const MAX_EXTERNAL_ID_BYTES: usize = 512;
/// The longest binary value, in bytes of base64.
const MAX_BINARY_BYTES: usize = 32 * 1_024;

/// Admits `value` and puts it at `place`, for a message that asserts a whole resource. Returns
/// whether it did so: read-only attributes and "no value" are ignored.
pub(crate) fn admit_into(
    attributes: &mut Map<String, Value>,
    place: AttributeRef<'_>,
    value: Value,
    dialect: Dialect,
) -> Result<bool, Error> {
    if place.attribute.is_read_only() {
        return Ok(false);
    }
    let value = match place.sub {
        None => value,
        Some(sub) => object_of(&sub.name, value),
    };
    let Some(value) = admit(place.attribute, value, dialect)? else { return Ok(false) };
    let home = match place.extension {
        None => attributes,
        Some(extension) => object_in(attributes, &extension.id),
    };
    match (home.get_mut(&place.attribute.name), value) {
        (Some(Value::Object(old)), Value::Object(new)) => old.extend(new),
        (_, value) => {
            home.insert(place.attribute.name.clone(), value);
        }
    }
    Ok(true)
}

/// The object with the attributes of an extension; `None` for "no value".
pub(crate) fn extension_object(
    value: Value,
    urn: &str,
) -> Result<Option<Map<String, Value>>, Error> {
    match value {
        Value::Object(object) => Ok(Some(object)),
        Value::Null => Ok(None),
        _ => Err(Error::invalid_value(format!("{urn} must be an object with its attributes."))
            .because("wrong-type")
            .at(urn)),
    }
}

/// Checks `value` against the definition and gives it its canonical form. `None` is "no value":
/// "Unassigned attributes, the null value, or an empty array ... SHALL be considered to be
/// equivalent in "state"" (RFC 7643, 2.5), and identity providers send `""` for it.
pub(crate) fn admit(
    attribute: &Attribute,
    value: Value,
    dialect: Dialect,
) -> Result<Option<Value>, Error> {
    if value.is_null() {
        return Ok(None);
    }
    if !attribute.multi_valued {
        return admit_single(attribute, value, dialect);
    }
    let items = match value {
        Value::Array(items) => items,
        // "Multi-valued attributes contain a list of elements using the JSON array format" (RFC
        // 7643, 2.4).
        _ if dialect.strict => return Err(wrong(attribute, "must be an array of its values")),
        value => vec![value],
    };
    if items.len() > MAX_ELEMENTS && attribute.name != MEMBERS {
        let problem = format!("must not have more than {MAX_ELEMENTS} values");
        return Err(wrong(attribute, &problem).because("too-many-values"));
    }
    let mut admitted = Vec::with_capacity(items.len());
    for item in items {
        admitted.extend(admit_one(attribute, item, dialect)?);
    }
    let admitted = repeats::without_repeats(attribute, admitted);
    if admitted.iter().filter(|item| is_primary(item)).count() > 1 {
        return Err(wrong(attribute, TWO_PRIMARIES).because("two-primaries"));
    }
    Ok((!admitted.is_empty()).then_some(Value::Array(admitted)))
}

/// Admits the value of an attribute that is not multi-valued. Some clients wrap it in an array.
fn admit_single(
    attribute: &Attribute,
    value: Value,
    dialect: Dialect,
) -> Result<Option<Value>, Error> {
    match value {
        Value::Array(items) if dialect.strict || items.len() > 1 => {
            Err(wrong(attribute, "must be one value, not a list"))
        }
        Value::Array(mut items) => match items.pop() {
            Some(only) => admit_one(attribute, only, dialect),
            None => Ok(None),
        },
        value => admit_one(attribute, value, dialect),
    }
}

/// Admits the value of an attribute, or one of the values of a multi-valued attribute.
fn admit_one(
    attribute: &Attribute,
    value: Value,
    dialect: Dialect,
) -> Result<Option<Value>, Error> {
    match (attribute.kind, value) {
        (_, Value::Null) => Ok(None),
        (Type::Complex, value) => admit_complex(attribute, value, dialect),
        (kind, Value::String(text)) if text.is_empty() && (kind.is_text() || !dialect.strict) => {
            Ok(None)
        }
        (_, Value::String(text)) if text.len() > max_bytes(attribute) => {
            let problem = format!("is longer than {} bytes", max_bytes(attribute));
            Err(wrong(attribute, &problem).because("too-long"))
        }
        (_, value) => admit_simple(attribute, value, dialect).map(Some),
    }
}

fn admit_simple(attribute: &Attribute, value: Value, dialect: Dialect) -> Result<Value, Error> {
    match (attribute.kind, value) {
        (Type::String | Type::Reference, Value::String(text)) => {
            Ok(Value::String(spelled_as_listed(attribute, text)))
        }
        (Type::Boolean, Value::Bool(value)) => Ok(Value::Bool(value)),
        (Type::Boolean, Value::String(text))
            if !dialect.strict && text.eq_ignore_ascii_case("true") =>
        {
            Ok(Value::Bool(true))
        }
        (Type::Boolean, Value::String(text))
            if !dialect.strict && text.eq_ignore_ascii_case("false") =>
        {
            Ok(Value::Bool(false))
        }
        (Type::Integer, Value::Number(number)) if number.is_i64() => Ok(Value::Number(number)),
        (Type::Decimal, Value::Number(number)) => Ok(Value::Number(number)),
        (Type::DateTime, Value::String(text)) if parse_date_time(&text).is_some() => {
            Ok(Value::String(text))
        }
        (Type::Binary, Value::String(text)) if is_base64(&text) => Ok(Value::String(text)),
        (kind, _) => Err(wrong(attribute, expectation(kind))),
    }
}

fn expectation(kind: Type) -> &'static str {
    match kind {
        Type::String | Type::Reference => "must be a string",
        Type::Boolean => "must be true or false",
        Type::Integer => "must be a 64-bit integer",
        Type::Decimal => "must be a number",
        Type::DateTime => "must be a date and time in a string, such as 2011-05-13T04:42:34Z",
        Type::Binary => "must be a base64 string",
        Type::Complex => "must be an object with its sub-attributes",
    }
}

/// A value in the spelling of a closed list. Whether the list contains it at all is checked later,
/// when it is known which values the resource already has.
fn spelled_as_listed(attribute: &Attribute, text: String) -> String {
    let mut listed = attribute.canonical_values.iter().filter(|_| attribute.closed);
    listed.find(|value| attribute.is_same(value, &text)).cloned().unwrap_or(text)
}

fn admit_complex(
    attribute: &Attribute,
    value: Value,
    dialect: Dialect,
) -> Result<Option<Value>, Error> {
    match (value, attribute.sub_attribute("value")) {
        (Value::Object(object), _) => admit_object(attribute, object, dialect),
        // "manager": "42" and "members": ["42"] mean the sub-attribute `value`.
        (Value::String(text), Some(sub)) if !dialect.strict => {
            let value = admit_sub(attribute, sub, Value::String(text), dialect)?;
            Ok(value.map(|value| object_of(&sub.name, value)))
        }
        _ => Err(wrong(attribute, expectation(Type::Complex))),
    }
}

fn admit_object(
    attribute: &Attribute,
    object: Map<String, Value>,
    dialect: Dialect,
) -> Result<Option<Value>, Error> {
    let mut admitted = Map::with_capacity(object.len());
    for (name, value) in object {
        match attribute.sub_attribute(&name) {
            Some(sub) if sub.is_read_only() => {}
            Some(sub) => {
                if let Some(value) = admit_sub(attribute, sub, value, dialect)? {
                    admitted.insert(sub.name.clone(), value);
                }
            }
            None => {
                let known = attribute.sub_attributes.iter().map(|sub| sub.name.as_str());
                dialect.check_unknown(&name, || near_miss::nearest(&name, known))?;
            }
        }
    }
    Ok((!admitted.is_empty()).then_some(Value::Object(admitted)))
}

/// Like [`admit`], with the name of the attribute in the error.
fn admit_sub(
    attribute: &Attribute,
    sub: &Attribute,
    value: Value,
    dialect: Dialect,
) -> Result<Option<Value>, Error> {
    admit(sub, value, dialect).map_err(|error| Error {
        detail: format!("{}.{}", attribute.name, error.detail),
        attribute: error.attribute.as_ref().map(|sub| format!("{}.{sub}", attribute.name)),
        ..error
    })
}

/// What is wrong with a list that marks two of its values.
const TWO_PRIMARIES: &str = "has more than one value with primary true; mark only one";

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len() - body.len() <= 2
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/-_\r\n".contains(&b))
}

fn max_bytes(attribute: &Attribute) -> usize {
    match (attribute.kind, attribute.name.as_str()) {
        (Type::Binary, _) => MAX_BINARY_BYTES,
        (_, "externalId") => MAX_EXTERNAL_ID_BYTES,
        (_, "userName") => MAX_NAME_BYTES,
        _ => MAX_STRING_BYTES,
    }
}

fn wrong(attribute: &Attribute, problem: &str) -> Error {
    Error::invalid_value(format!("{} {problem}.", attribute.name))
        .because("wrong-type")
        .at(&attribute.name)
}
