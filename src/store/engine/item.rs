//! Rows as DynamoDB returns and takes them.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use super::error::StoreError;
use super::format::{KNOWN_FORMAT, WRITTEN_FORMAT};

/// The partition key.
pub(crate) const PARTITION: &str = "p";
/// The sort key.
pub(crate) const SORT: &str = "s";
/// When the row expires, in seconds since 1970: the table's TTL attribute.
pub(crate) const EXPIRES: &str = "x";

/// The key of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// The partition key.
    pub(crate) p: String,
    /// The sort key.
    pub(crate) s: String,
}

impl Key {
    pub(crate) fn new(p: impl Into<String>, s: impl Into<String>) -> Self {
        Self { p: p.into(), s: s.into() }
    }

    /// The key as the SDK takes it.
    pub(crate) fn into_map(self) -> HashMap<String, AttributeValue> {
        HashMap::from([(PARTITION.to_owned(), text(self.p)), (SORT.to_owned(), text(self.s))])
    }
}

/// The kind of the row: a letter that tells consumers of the table's stream what the row is, since
/// all keys begin with a tenant's code.
pub(crate) const KIND: &str = "k";
/// The version of the row's format.
pub(crate) const FORMAT: &str = "f";

/// A row as DynamoDB returns it.
#[derive(Debug, Clone)]
pub(crate) struct Item(pub(crate) HashMap<String, AttributeValue>);

impl Item {
    /// A row that DynamoDB returned.
    ///
    /// # Errors
    /// [`StoreError::NewerFormat`] for a row that only a newer release can read.
    pub(crate) fn read(row: HashMap<String, AttributeValue>) -> Result<Self, StoreError> {
        let row = Self(row);
        match row.number(FORMAT) {
            Some(format) if format > KNOWN_FORMAT => {
                let kind = row.text(KIND).unwrap_or_default().to_owned();
                Err(StoreError::NewerFormat { kind, format })
            }
            _ => Ok(row),
        }
    }

    /// The row's key.
    pub(crate) fn key(&self) -> Result<Key, StoreError> {
        Ok(Key::new(self.need(PARTITION)?, self.s()))
    }

    /// The row's sort key.
    pub(crate) fn s(&self) -> &str {
        self.text(SORT).unwrap_or_default()
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
    }

    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(|value| value.as_n().ok()).and_then(|n| n.parse().ok())
    }

    /// The strings in a list; empty if the row has no such list.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let list = self.0.get(name).and_then(|value| value.as_l().ok());
        list.into_iter().flatten().filter_map(|value| value.as_s().ok().cloned()).collect()
    }

    /// A string that every such row has.
    pub(crate) fn need(&self, name: &str) -> Result<&str, StoreError> {
        self.text(name)
            .ok_or_else(|| StoreError::broken(format!("a row lacks its attribute {name}")))
    }

    /// Removes a string from the row and returns it.
    pub(crate) fn take_text(&mut self, name: &str) -> Result<String, StoreError> {
        match self.0.remove(name) {
            Some(AttributeValue::S(text)) => Ok(text),
            _ => Err(StoreError::broken(format!("a row lacks its attribute {name}"))),
        }
    }

    /// A number that every such row has.
    pub(crate) fn need_number(&self, name: &str) -> Result<i64, StoreError> {
        self.number(name)
            .ok_or_else(|| StoreError::broken(format!("a row lacks its number {name}")))
    }

    /// Whether a flag is set.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.0.get(name) == Some(&AttributeValue::Bool(true))
    }

    /// Whether the row has expired. DynamoDB may not have removed it yet.
    pub(crate) fn is_expired(&self, now: i64) -> bool {
        self.number(EXPIRES).is_some_and(|expiry| expiry <= now)
    }
}

/// A row to write, attribute by attribute.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) key: Key,
    /// The attributes without those of the key.
    pub(crate) attributes: HashMap<String, AttributeValue>,
}

impl Row {
    /// A row of this kind, in the format of this release.
    pub(crate) fn new(kind: &str, key: Key) -> Self {
        Self { key, attributes: HashMap::new() }.text(KIND, kind).number(FORMAT, WRITTEN_FORMAT)
    }

    /// The row as the SDK takes it.
    pub(crate) fn into_map(self) -> HashMap<String, AttributeValue> {
        let mut map = self.attributes;
        map.extend(self.key.into_map());
        map
    }

    pub(crate) fn text(mut self, name: &str, value: &str) -> Self {
        self.attributes.insert(name.to_owned(), AttributeValue::S(value.to_owned()));
        self
    }

    pub(crate) fn text_if(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    pub(crate) fn number(mut self, name: &str, value: i64) -> Self {
        self.attributes.insert(name.to_owned(), AttributeValue::N(value.to_string()));
        self
    }

    pub(crate) fn bytes(mut self, name: &str, value: &[u8]) -> Self {
        self.attributes.insert(name.to_owned(), AttributeValue::B(Blob::new(value)));
        self
    }

    pub(crate) fn flag(mut self, name: &str, value: bool) -> Self {
        self.attributes.insert(name.to_owned(), AttributeValue::Bool(value));
        self
    }

    pub(crate) fn number_if(self, name: &str, value: Option<i64>) -> Self {
        match value {
            Some(value) => self.number(name, value),
            None => self,
        }
    }

    pub(crate) fn values(mut self, name: &str, values: Vec<AttributeValue>) -> Self {
        self.attributes.insert(name.to_owned(), AttributeValue::L(values));
        self
    }

    pub(crate) fn texts(mut self, name: &str, values: impl IntoIterator<Item = String>) -> Self {
        self.attributes.insert(
            name.to_owned(),
            AttributeValue::L(values.into_iter().map(AttributeValue::S).collect()),
        );
        self
    }
}

/// A string as an expression's value.
pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number as an expression's value.
pub(crate) fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A flag as an expression's value.
pub(crate) fn flag(value: bool) -> AttributeValue {
    AttributeValue::Bool(value)
}

/// A version as an expression's value.
pub(crate) fn version(version: u64) -> AttributeValue {
    number(signed(version))
}

/// A version as a row's number.
pub(crate) fn signed(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}
