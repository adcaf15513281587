//! Reads all JSON text in this crate: one object within limits, in which no name appears twice.
//!
//! serde_json keeps the last of two equal names, and it treats `userName` and `USERNAME` as two
//! attributes. "Attribute names are case insensitive" (RFC 7643, 2.1), so the code that checks a
//! message and the code that reads it could see different values. [`parse`] therefore refuses
//! duplicate names, ignoring case, at any depth.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::Error;

/// The deepest nesting of objects and arrays.
pub const MAX_DEPTH: usize = 32;
/// The maximum number of members of one object.
pub const MAX_MEMBERS: usize = 1_000;
/// The maximum number of values in a message. An object counts as five, because it needs as much
/// memory.
pub const MAX_VALUES: usize = 200_000;
/// What an object counts for in addition to the one that every value counts for.
const EXTRA_OF_AN_OBJECT: usize = 4;

/// Reads a JSON object from a request body.
///
/// # Errors
/// `invalidSyntax` if the text is not one JSON object in UTF-8, if a name appears twice in an
/// object (ignoring ASCII case), if a string contains U+0000, or if the text exceeds a limit of
/// this module.
pub fn parse(text: &[u8]) -> Result<Map<String, Value>, Error> {
    let mut left = MAX_VALUES;
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value =
        BoundedValue { depth: 0, left: &mut left }.deserialize(&mut reader).map_err(explain)?;
    reader.end().map_err(explain)?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Error::invalid_syntax("The body must be a JSON object; send { ... }.")),
    }
}

fn explain(error: serde_json::Error) -> Error {
    // serde_json quotes input only in type errors, and these cannot happen when any type will do.
    Error::invalid_syntax(format!("The body is not acceptable JSON: {error}."))
        .because("malformed-json")
}

struct BoundedValue<'a> {
    depth: usize,
    left: &'a mut usize,
}

impl BoundedValue<'_> {
    /// Counts `values` against [`MAX_VALUES`].
    fn count<E: serde::de::Error>(&mut self, values: usize) -> Result<(), E> {
        let left = self.left.checked_sub(values);
        *self.left = left.ok_or_else(|| {
            E::custom(format_args!("more than {MAX_VALUES} values (an object counts as five)"))
        })?;
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for BoundedValue<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(mut self, reader: D) -> Result<Value, D::Error> {
        self.count(1)?;
        if self.depth > MAX_DEPTH {
            return Err(D::Error::custom(format_args!("nested deeper than {MAX_DEPTH}")));
        }
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for BoundedValue<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<Value, E> {
        Number::from_f64(v).map(Value::Number).ok_or_else(|| E::custom("a number is out of range"))
    }

    fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<Value, E> {
        self.visit_string(v.to_owned())
    }

    fn visit_string<E: serde::de::Error>(self, v: String) -> Result<Value, E> {
        if v.contains('\0') {
            return Err(E::custom("a string contains the character U+0000"));
        }
        Ok(Value::String(v))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) =
            seq.next_element_seed(BoundedValue { depth: self.depth + 1, left: self.left })?
        {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Value, A::Error> {
        self.count(EXTRA_OF_AN_OBJECT)?;
        let mut object = Map::new();
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if object.len() == MAX_MEMBERS {
                return Err(A::Error::custom(format_args!(
                    "an object has more than {MAX_MEMBERS} members"
                )));
            }
            if !seen.insert(name.to_ascii_lowercase()) {
                return Err(A::Error::custom("a name appears twice in one object, ignoring case"));
            }
            let value =
                map.next_value_seed(BoundedValue { depth: self.depth + 1, left: self.left })?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

/// The member of `object` called `name`, ignoring ASCII case.
pub fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| {
        object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_repeated(element: &str, count: usize) -> Result<Map<String, Value>, Error> {
        parse(format!("{{\"members\":[{}]}}", vec![element; count].join(",")).as_bytes())
    }

    #[test]
    fn an_object_counts_as_five_values() {
        let member = r#"{"value":"2819c223-7f76-453a-919d-413861904646","type":"User"}"#;
        assert!(parse_repeated(member, 16_000).is_ok(), "a megabyte of members");
        assert!(parse_repeated(r#"{"a":1}"#, 33_000).is_ok());
        let refused = parse_repeated(r#"{"a":1}"#, 34_000).unwrap_err();
        assert!(refused.detail.contains("more than 200000 values"), "{}", refused.detail);
        assert!(parse_repeated("1", 199_000).is_ok());
        assert!(parse_repeated("1", 200_000).is_err());
    }
}
