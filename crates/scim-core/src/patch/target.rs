//! The part of an attribute that an operation addresses.

use serde_json::Value;

use crate::error::Error;
use crate::filter::ast::Filter;
use crate::patch::merge::{merge, single};
use crate::schema::dialect::Dialect;
use crate::schema::place::AttributeRef;
use crate::value::object_of;

/// The path of an operation, once it is known to be an attribute.
pub(super) struct Target<'a, 's> {
    pub(super) place: AttributeRef<'s>,
    pub(super) filter: Option<&'a Filter<'s>>,
    pub(super) dialect: Dialect,
}

impl Target<'_, '_> {
    /// Whether the path is an attribute without a sub-attribute or filter.
    pub(super) fn is_whole(&self) -> bool {
        self.place.sub.is_none() && self.filter.is_none()
    }

    /// Whether the filter selects an element. Without a filter, all are selected.
    pub(super) fn selects(&self, element: &Value) -> bool {
        match (self.filter, element.as_object()) {
            (None, _) => true,
            (Some(filter), Some(element)) => filter.matches(element),
            (Some(_), None) => false,
        }
    }

    /// The value of the attribute that the value of the operation stands for.
    pub(super) fn value_of_attribute(&self, value: Value) -> Value {
        match self.place.sub {
            None => value,
            Some(sub) => object_of(&sub.name, value),
        }
    }

    /// An element after the value of the operation was merged into it.
    pub(super) fn element(
        &self,
        before: Option<Value>,
        value: Value,
    ) -> Result<Option<Value>, Error> {
        let value = match value {
            Value::Array(mut items)
                if self.place.sub.is_none() && items.len() == 1 && !self.dialect.strict =>
            {
                items.pop().unwrap_or_default()
            }
            value => self.value_of_attribute(value),
        };
        merge(before, &single(self.place.attribute), value, self.dialect)
    }
}
