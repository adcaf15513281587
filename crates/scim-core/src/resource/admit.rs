//! The write gate: every value that enters a resource, by POST, PUT or PATCH and in whatever form
//! the client wrote it, passes here as (attribute, value) and leaves with canonical names and
//! types.

use serde_json::{Map, Value};

use crate::error::Error;
use crate::patch::path::AttributeRef;
use crate::resource::repeats;
use crate::schema::attribute::{Attribute, Type};
use crate::schema::near_miss;
use crate::schema::resource_type::{Dialect, refuse_unknown};

/// Longest string value, in bytes.
pub const MAX_STRING_BYTES: usize = 4_096;
/// Most values of a multi-valued attribute of a user.
pub const MAX_ELEMENTS: usize = 200;
/// Longest externalId, in bytes.
pub const MAX_EXTERNAL_ID_BYTES: usize = 512;

/// Puts `value` at `place`, where a message asserts a whole resource. Read-only places and "no
/// value" are left out: then it is false.
pub(crate) fn assert(
    attributes: &mut Map<String, Value>,
    place: AttributeRef<'_>,
    value: Value,
    dialect: Dialect,
) -> Result<bool, Error> {
    if place.attribute.is_read_only() {
        return Ok(false);
    }
    let (value, attribute) = match place.sub {
        None => (value, place.attribute),
        Some(sub) => (Value::Object(Map::from_iter([(sub.name.clone(), value)])), place.attribute),
    };
    let Some(value) = admit(attribute, value, dialect)? else { return Ok(false) };
    let home = match place.extension {
        None => attributes,
        Some(extension) => open(attributes, &extension.id),
    };
    match (home.get_mut(&attribute.name), value) {
        (Some(Value::Object(old)), Value::Object(new)) => old.extend(new),
        (_, value) => {
            home.insert(attribute.name.clone(), value);
        }
    }
    Ok(true)
}

/// The object called `name` in `root`, made if it is not there.
pub(crate) fn open<'v>(root: &'v mut Map<String, Value>, name: &str) -> &'v mut Map<String, Value> {
    let slot = root.entry(name.to_owned()).or_insert_with(|| Value::Object(Map::new()));
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    match slot {
        Value::Object(object) => object,
        _ => unreachable!("made an object above"),
    }
}

/// The object of a schema extension; `None` for "no value".
pub(crate) fn object(value: Value, urn: &str) -> Result<Option<Map<String, Value>>, Error> {
    match value {
        Value::Object(object) => Ok(Some(object)),
        Value::Null => Ok(None),
        _ => Err(Error::invalid_value(format!("{urn} must be an object of its attributes."))),
    }
}

/// Checks `value` against the definition and gives it its canonical form; `None` is "no value":
/// "Unassigned attributes, the null value, or an empty array ... SHALL be considered to be
/// equivalent in "state"" (RFC 7643, 2.5), and IdPs send `""` for it.
pub(crate) fn admit(
    attribute: &Attribute,
    value: Value,
    dialect: Dialect,
) -> Result<Option<Value>, Error> {
    let items = match (attribute.multi_valued, value) {
        (_, Value::Null) => return Ok(None),
        (false, Value::Array(_)) if dialect.strict => {
            return Err(wrong(attribute, "takes one value, not a list"));
        }
        (false, Value::Array(mut items)) => {
            // Some clients wrap the one manager in an array.
            return match (items.pop(), items.is_empty()) {
                (None, _) => Ok(None),
                (Some(only), true) => admit_one(attribute, only, dialect),
                (Some(_), false) => Err(wrong(attribute, "takes one value, not a list of them")),
            };
        }
        (false, value) => return admit_one(attribute, value, dialect),
        (true, Value::Array(items)) => items,
        // "Multi-valued attributes contain a list of elements using the JSON array format" (RFC
        // 7643, 2.4).
        (true, _) if dialect.strict => {
            return Err(wrong(attribute, "must be an array of its values"));
        }
        (true, value) => vec![value],
    };
    if items.len() > MAX_ELEMENTS && attribute.name != "members" {
        return Err(wrong(attribute, &format!("takes at most {MAX_ELEMENTS} values")));
    }
    let mut admitted = Vec::with_capacity(items.len());
    for item in items {
        admitted.extend(admit_one(attribute, item, dialect)?);
    }
    let admitted = repeats::left_out(attribute, admitted);
    if admitted.iter().filter(|item| is_primary(item)).count() > 1 {
        return Err(wrong(attribute, "has more than one value with primary true; mark one"));
    }
    Ok((!admitted.is_empty()).then_some(Value::Array(admitted)))
}

/// Whether an element says `primary: true`.
pub(crate) fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

fn admit_one(
    attribute: &Attribute,
    value: Value,
    dialect: Dialect,
) -> Result<Option<Value>, Error> {
    match (attribute.kind, value) {
        (_, Value::Null) => Ok(None),
        (Type::Complex, Value::Object(object)) => admit_object(attribute, object, dialect),
        (Type::Complex, Value::String(text)) if !dialect.strict => {
            match attribute.sub_attribute("value") {
                // "manager": "42" and "members": ["42"] mean the value sub-attribute.
                Some(value) => Ok(admit_sub(attribute, value, Value::String(text), dialect)?
                    .map(|text| Value::Object(Map::from_iter([(value.name.clone(), text)])))),
                None => Err(wrong(attribute, "must be an object of its sub-attributes")),
            }
        }
        (Type::Complex, _) => Err(wrong(attribute, "must be an object of its sub-attributes")),
        (kind, Value::String(text)) if text.is_empty() && (kind.is_text() || !dialect.strict) => {
            Ok(None)
        }
        (_, Value::String(text)) if text.len() > limit(attribute) => {
            Err(wrong(attribute, &format!("is longer than {} bytes", limit(attribute))))
        }
        (Type::String | Type::Reference, Value::String(text)) if attribute.closed => {
            // Whether it is one of them is asked when it is known what the resource has already.
            let listed =
                attribute.canonical_values.iter().find(|value| attribute.is_same(value, &text));
            Ok(Some(Value::String(listed.cloned().unwrap_or(text))))
        }
        (Type::String | Type::Reference, Value::String(text)) => Ok(Some(Value::String(text))),
        (Type::String | Type::Reference, _) => Err(wrong(attribute, "must be a string")),
        (Type::Boolean, Value::Bool(b)) => Ok(Some(Value::Bool(b))),
        (Type::Boolean, Value::String(text)) => match text.to_ascii_lowercase().as_str() {
            "true" if !dialect.strict => Ok(Some(true.into())),
            "false" if !dialect.strict => Ok(Some(false.into())),
            _ => Err(wrong(attribute, "must be true or false")),
        },
        (Type::Boolean, _) => Err(wrong(attribute, "must be true or false")),
        (Type::Integer, Value::Number(n)) if n.is_i64() => Ok(Some(Value::Number(n))),
        (Type::Integer, _) => Err(wrong(attribute, "must be an integer of 64 bits")),
        (Type::Decimal, Value::Number(n)) => Ok(Some(Value::Number(n))),
        (Type::Decimal, _) => Err(wrong(attribute, "must be a number")),
        (Type::DateTime, Value::String(text)) => match parse_date_time(&text) {
            Some(_) => Ok(Some(Value::String(text))),
            None => Err(wrong(attribute, "must be a date and time such as 2011-05-13T04:42:34Z")),
        },
        (Type::DateTime, _) => Err(wrong(attribute, "must be a date and time in a string")),
        (Type::Binary, Value::String(text)) if is_base64(&text) => Ok(Some(Value::String(text))),
        (Type::Binary, _) => Err(wrong(attribute, "must be a string in base64")),
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
                refuse_unknown(dialect, &name, || near_miss::nearest(&name, known))?;
            }
        }
    }
    Ok((!admitted.is_empty()).then_some(Value::Object(admitted)))
}

/// As [`admit`]; an error names the attribute too.
fn admit_sub(
    attribute: &Attribute,
    sub: &Attribute,
    value: Value,
    dialect: Dialect,
) -> Result<Option<Value>, Error> {
    admit(sub, value, dialect)
        .map_err(|error| Error::new(error.kind, format!("{}.{}", attribute.name, error.detail)))
}

/// An instant as RFC 7643 section 2.3.5 writes it; a missing zone is taken as UTC.
pub(crate) fn parse_date_time(text: &str) -> Option<time::OffsetDateTime> {
    use time::format_description::well_known::{Iso8601, Rfc3339};
    time::OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| {
        time::PrimitiveDateTime::parse(text, &Iso8601::DEFAULT)
            .ok()
            .map(time::PrimitiveDateTime::assume_utc)
    })
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len() - body.len() <= 2
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/-_\r\n".contains(&b))
}

fn limit(attribute: &Attribute) -> usize {
    match (attribute.kind, attribute.name.as_str()) {
        (Type::Binary, _) => 32 * 1_024,
        (_, "externalId") => MAX_EXTERNAL_ID_BYTES,
        (_, "userName") => crate::canonical::MAX_NAME_BYTES,
        _ => MAX_STRING_BYTES,
    }
}

fn wrong(attribute: &Attribute, how: &str) -> Error {
    Error::invalid_value(format!("{} {how}.", attribute.name))
}
