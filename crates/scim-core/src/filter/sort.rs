//! Sorting (RFC 7644, 3.4.2.3).

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::filter::fold::Fold;
use crate::schema::attribute::Type;
use crate::schema::place::{AttributeRef, Place};
use crate::schema::resource_type::ResourceType;
use crate::value::{is_primary, parse_date_time};

/// The attribute by which a query sorts.
#[derive(Debug, Clone, Copy)]
pub struct Sort<'s> {
    place: AttributeRef<'s>,
}

/// The value by which a resource is sorted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum SortKey {
    /// "false" before "true".
    Boolean(bool),
    /// A number, or an instant in milliseconds since 1970.
    Number(f64),
    /// "case-insensitive Unicode alphabetic sort order with no specific locale implied", or
    /// case-sensitive where the attribute is case-exact.
    Text(String),
    /// "if there is no data for the specified "sortBy" value, they are sorted via the "sortOrder"
    /// parameter, i.e., they are ordered last if ascending and first if descending."
    Absent,
}

impl<'s> Sort<'s> {
    /// Sorts by an attribute; `None` if no schema defines it, so that the default order applies.
    pub fn new(sort_by: &str, resource_type: &'s ResourceType) -> Option<Self> {
        match resource_type.resolve(sort_by)? {
            Place::Attribute(place) if !place.is_hidden() => Some(Self { place }),
            Place::Attribute(_) | Place::Extension(_) => None,
        }
    }

    /// The key of a resource, in the form of [`into_view`](ResourceType::into_view).
    pub fn key(&self, view: &Map<String, Value>) -> SortKey {
        let kind = self.place.compared_leaf().kind;
        match (kind, self.value(view)) {
            (_, Some(Value::Bool(value))) => SortKey::Boolean(*value),
            (_, Some(Value::Number(number))) => {
                number.as_f64().map_or(SortKey::Absent, SortKey::Number)
            }
            (Type::DateTime, Some(Value::String(text))) => {
                parse_date_time(text).map_or(SortKey::Absent, SortKey::of_instant)
            }
            (_, Some(Value::String(text))) => {
                SortKey::Text(Fold::of(&self.place).apply(text).into_owned())
            }
            (_, Some(Value::Null | Value::Array(_) | Value::Object(_)) | None) => SortKey::Absent,
        }
    }

    /// "if it's a multi-valued attribute, resources are sorted by the value of the primary
    /// attribute (see Section 2.4 of \[RFC7643\]), if any, or else the first value in the list, if
    /// any."
    fn value<'v>(&self, view: &'v Map<String, Value>) -> Option<&'v Value> {
        let element = match self.place.value(view)? {
            Value::Array(items) => {
                items.iter().find(|item| is_primary(item)).or_else(|| items.first())?
            }
            value => value,
        };
        match (element, self.place.compared()) {
            (Value::Object(object), Some(sub)) => object.get(&sub.name),
            (element, _) => Some(element),
        }
    }
}

impl SortKey {
    fn of_instant(instant: OffsetDateTime) -> Self {
        Self::Number((instant.unix_timestamp_nanos() / 1_000_000) as f64)
    }

    /// The order of two keys if the query sorts in ascending order.
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(one), Self::Boolean(other)) => one.cmp(other),
            (Self::Number(one), Self::Number(other)) => one.total_cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            (one, other) => one.rank().cmp(&other.rank()),
        }
    }

    /// The order of keys of different types.
    fn rank(&self) -> u8 {
        match self {
            Self::Boolean(_) => 0,
            Self::Number(_) => 1,
            Self::Text(_) => 2,
            Self::Absent => 3,
        }
    }
}
