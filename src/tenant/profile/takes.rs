//! The values that a setting accepts.

use std::fmt;

use scim_core::Schema;
use scim_core::schema::registry::Overlay;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The values that a setting accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// True or false.
    Boolean,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list in which each element is one of these words.
    Words(&'static [&'static str]),
    /// A whole number from the first to the second, inclusive.
    Number(u32, u32),
    /// Any text.
    Text,
    /// A list of the paths of attributes.
    Paths,
    /// A list of attributes, each with the schema that it is added to.
    Attributes,
    /// A list of schemas.
    Schemas,
}

impl Takes {
    /// Why it does not accept a value: what the value must be instead, as the text after the words
    /// "must be".
    pub(super) fn refusal(self, value: &Value) -> Option<String> {
        let fault = match self {
            Self::Attributes => fault_in_list::<Overlay>(value),
            Self::Schemas => fault_in_list::<Schema>(value),
            _ => (!self.is_taken(value)).then(String::new),
        };
        fault.map(|fault| format!("{self}{fault}"))
    }

    fn is_taken(self, value: &Value) -> bool {
        let is_one_of = |words: &[&str], value: &Value| {
            value.as_str().is_some_and(|value| words.contains(&value))
        };
        let is_list_of = |is_item: &dyn Fn(&Value) -> bool| {
            value.as_array().is_some_and(|items| items.iter().all(is_item))
        };
        match self {
            Self::Boolean => value.is_boolean(),
            Self::Word(words) => is_one_of(words, value),
            Self::Words(words) => is_list_of(&|item| is_one_of(words, item)),
            Self::Number(least, most) => {
                let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
                number.is_some_and(|number| (least..=most).contains(&number))
            }
            Self::Text => value.is_string(),
            Self::Paths => is_list_of(&Value::is_string),
            Self::Attributes | Self::Schemas => true,
        }
    }
}

/// What is wrong with a list of definitions, if anything is.
fn fault_in_list<D: DeserializeOwned>(value: &Value) -> Option<String> {
    let Some(items) = value.as_array() else { return Some(String::new()) };
    items.iter().enumerate().find_map(|(index, item)| {
        let error = serde_json::from_value::<D>(item.clone()).err()?;
        Some(format!("; number {} is not: {error}", index + 1))
    })
}

impl fmt::Display for Takes {
    /// Completes the sentence "it must be ...".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("true or false"),
            Self::Word(words) => write!(f, "one of: {}", words.join(", ")),
            Self::Words(words) => write!(f, "a list of any of: {}", words.join(", ")),
            Self::Number(0, u32::MAX) => f.write_str("a whole number"),
            Self::Number(least, most) => write!(f, "a whole number from {least} to {most}"),
            Self::Text => f.write_str("text"),
            Self::Paths => f.write_str("a list of paths such as [\"emails\", \"name.givenName\"]"),
            Self::Attributes => {
                f.write_str("a list of attributes in the form of RFC 7643, section 7")
            }
            Self::Schemas => f.write_str("a list of schemas in the form of RFC 7643, section 7"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_refusal_says_what_is_taken() {
        for (takes, value, said) in [
            (Takes::Boolean, json!("perhaps"), "true or false"),
            (Takes::Word(&["on", "off"]), json!("aus"), "one of: on, off"),
            (Takes::Words(&["a", "b"]), json!("a"), "a list of any of: a, b"),
            (Takes::Words(&["a", "b"]), json!(["a", "c"]), "a list of any of: a, b"),
            (Takes::Number(0, u32::MAX), json!(-1), "a whole number"),
            (Takes::Number(0, u32::MAX), json!(1.5), "a whole number"),
            (Takes::Number(1, 100), json!(101), "a whole number from 1 to 100"),
            (Takes::Text, json!(7), "text"),
            (
                Takes::Attributes,
                json!([{ "name": "a", "type": "string" }, { "name": "b" }]),
                "a list of attributes in the form of RFC 7643, section 7; number 2 is not: \
                missing field `type`",
            ),
            (Takes::Schemas, json!({}), "a list of schemas in the form of RFC 7643, section 7"),
        ] {
            assert_eq!(takes.refusal(&value).as_deref(), Some(said), "{value}");
        }
        for (takes, value) in [
            (Takes::Boolean, json!(true)),
            (Takes::Word(&["on", "off"]), json!("off")),
            (Takes::Words(&["a", "b"]), json!(["b", "a"])),
            (Takes::Words(&["a", "b"]), json!([])),
            (Takes::Number(1, 100), json!(100)),
            (Takes::Text, json!("")),
            (Takes::Paths, json!(["emails"])),
            (Takes::Attributes, json!([{ "name": "a", "type": "string" }])),
        ] {
            assert_eq!(takes.refusal(&value), None, "{value}");
        }
    }
}
