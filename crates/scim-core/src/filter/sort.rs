//! Sorting (RFC 7644, 3.4.2.3).

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::filter::ast::Fold;
use crate::patch::path::{AttributeRef, Place};
use crate::resource::admit::{is_primary, parse_date_time};
use crate::schema::attribute::Type;
use crate::schema::resource_type::ResourceType;

/// The order that a query asks for.
#[derive(Debug, Clone, Copy)]
pub struct Sort<'s> {
    at: AttributeRef<'s>,
}

/// Where a resource stands in the order: the value it is sorted by, if it has one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum SortKey {
    /// "false" before "true".
    Boolean(bool),
    /// Numbers by size, instants in milliseconds since 1970.
    Number(f64),
    /// "case-insensitive Unicode alphabetic sort order with no specific locale implied", or
    /// case-sensitive where the attribute is case-exact.
    Text(String),
    /// "if there is no data for the specified "sortBy" value, they are sorted via the "sortOrder"
    /// parameter, i.e., they are ordered last if ascending and first if descending."
    Absent,
}

impl<'s> Sort<'s> {
    /// The order by an attribute; `None` if no schema defines it, which leaves the default order.
    pub fn new(sort_by: &str, resource_type: &'s ResourceType) -> Option<Self> {
        match resource_type.resolve(sort_by)? {
            Place::Attribute(at) if !at.is_hidden() => Some(Self { at }),
            _ => None,
        }
    }

    /// The key of a resource, seen whole: "if it's a multi-valued attribute, resources are sorted
    /// by the value of the primary attribute (see Section 2.4 of \[RFC7643\]), if any, or else the
    /// first value in the list, if any."
    pub fn key(&self, view: &Map<String, Value>) -> SortKey {
        let value = self.at.home(view).and_then(|home| home.get(&self.at.attribute.name));
        let element = match value {
            Some(Value::Array(items)) => {
                items.iter().find(|item| is_primary(item)).or_else(|| items.first())
            }
            value => value,
        };
        let leaf = self.at.compared();
        let value = match (element, leaf) {
            (Some(Value::Object(object)), Some(sub)) => object.get(&sub.name),
            (element, _) => element,
        };
        let leaf = leaf.unwrap_or(self.at.attribute);
        let user_name = self.at.extension.is_none() && leaf.name == "userName";
        let rule = match (user_name, leaf.case_exact) {
            (true, _) => Fold::UserName,
            (false, true) => Fold::Exact,
            (false, false) => Fold::IgnoreCase,
        };
        match (leaf.kind, value) {
            (_, Some(Value::Bool(b))) => SortKey::Boolean(*b),
            (_, Some(Value::Number(n))) => n.as_f64().map_or(SortKey::Absent, SortKey::Number),
            (Type::DateTime, Some(Value::String(text))) => parse_date_time(text)
                .map_or(SortKey::Absent, |at| {
                    SortKey::Number((at.unix_timestamp_nanos() / 1_000_000) as f64)
                }),
            (_, Some(Value::String(text))) => SortKey::Text(rule.of(text).into_owned()),
            _ => SortKey::Absent,
        }
    }
}

/// How two keys stand to each other in an ascending or a descending order.
pub fn compare(a: &SortKey, b: &SortKey, descending: bool) -> Ordering {
    let ascending = match (a, b) {
        (SortKey::Boolean(a), SortKey::Boolean(b)) => a.cmp(b),
        (SortKey::Number(a), SortKey::Number(b)) => a.total_cmp(b),
        (SortKey::Text(a), SortKey::Text(b)) => a.cmp(b),
        (a, b) => rank(a).cmp(&rank(b)),
    };
    if descending { ascending.reverse() } else { ascending }
}

fn rank(key: &SortKey) -> u8 {
    match key {
        SortKey::Boolean(_) => 0,
        SortKey::Number(_) => 1,
        SortKey::Text(_) => 2,
        SortKey::Absent => 3,
    }
}
