//! What one PATCH operation does to the attributes of a resource (RFC 7644, 3.5.2.1 to 3.5.2.3).

use serde_json::{Map, Value};

use crate::error::Error;
use crate::filter::ast::Filter;
use crate::patch::path::{AttributeRef, Place};
use crate::patch::request::{Change, Operation};
use crate::resource::admit;
use crate::resource::repeats;
use crate::schema::attribute::{Attribute, Type};
use crate::schema::resource_type::Dialect;

type Object = Map<String, Value>;

/// Applies `change` to `attributes`; on an error they are half changed and must be thrown away.
pub(crate) fn apply(
    attributes: &mut Object,
    change: &Change<'_>,
    dialect: Dialect,
) -> Result<(), Error> {
    let at = match change.path.place {
        Place::Extension(extension) => {
            attributes.shift_remove(&extension.id);
            return Ok(());
        }
        Place::Attribute(at) => at,
    };
    let home = match at.extension {
        None => &mut *attributes,
        Some(extension) => admit::open(attributes, &extension.id),
    };
    let name = &at.attribute.name;
    let before = home.get_mut(name).map(Value::take);
    let target = Target { at, filter: change.path.filter.as_ref(), dialect };
    match target.changed(before, change)? {
        Some(after) => home.insert(name.clone(), after),
        None => home.shift_remove(name),
    };
    if let Some(extension) = at.extension
        && home.is_empty()
    {
        attributes.shift_remove(&extension.id);
    }
    Ok(())
}

/// How many comparisons of short values `change` takes: the values it looks at, times those in its
/// filter or value.
pub(crate) fn cost(attributes: &Object, change: &Change<'_>) -> usize {
    let Place::Attribute(at) = change.path.place else { return 1 };
    let value = at.home(attributes).and_then(|home| home.get(&at.attribute.name));
    let elements = value.and_then(Value::as_array).map_or(1, Vec::len);
    // A long text takes as long as many short ones.
    let values = elements.max(value.map_or(0, text_bytes) / 256);
    let named = change.value.as_ref().and_then(Value::as_array).map_or(1, Vec::len);
    let compared = change.path.filter.as_ref().map_or(named, Filter::comparisons);
    values.saturating_mul(compared.max(1))
}

/// Bytes of all texts in a value.
fn text_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(text_bytes).sum(),
        Value::Object(object) => object.values().map(text_bytes).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

struct Target<'a, 's> {
    at: AttributeRef<'s>,
    filter: Option<&'a Filter<'s>>,
    dialect: Dialect,
}

impl Target<'_, '_> {
    /// The attribute's value after the change; `None` is "no value".
    fn changed(&self, before: Option<Value>, change: &Change<'_>) -> Result<Option<Value>, Error> {
        let attribute = self.at.attribute;
        let removes = change.removes();
        self.check_no_value(change)?;
        if removes && attribute.name == "active" && !self.dialect.strict {
            // A clumsy message must neither let a leaver back in nor lock somebody out.
            return Ok(before);
        }
        // What only this service provider requires is asked for when all operations are done.
        if removes
            && attribute.required
            && attribute.advice.is_none()
            && self.at.sub.is_none()
            && self.filter.is_none()
        {
            return Err(Error::mutability(format!(
                "{} is required and cannot be removed.",
                attribute.name
            )));
        }
        match (attribute.multi_valued, removes, &change.value) {
            (false, true, _) => Ok(self.remove_single(before)),
            (false, false, Some(value)) => self.set_single(before, value.clone()),
            (false, false, None) => Ok(before),
            (true, true, value) => self.remove_elements(elements(before), value.as_ref()),
            (true, false, Some(value)) => {
                self.set_elements(elements(before), value.clone(), change.operation)
            }
            (true, false, None) => Ok(before),
        }
    }

    /// In the strict dialect also what stands for "no value" must be of the attribute's type: `""`
    /// is no array.
    fn check_no_value(&self, change: &Change<'_>) -> Result<(), Error> {
        let Some(value) = change.value.as_ref().filter(|value| is_no_value(value)) else {
            return Ok(());
        };
        if !self.dialect.strict || change.operation == Operation::Remove {
            return Ok(());
        }
        match (self.at.sub, self.filter) {
            (None, Some(_)) => {
                admit::admit(&single(self.at.attribute), value.clone(), self.dialect)?
            }
            (sub, _) => {
                admit::admit(sub.unwrap_or(self.at.attribute), value.clone(), self.dialect)?
            }
        };
        Ok(())
    }

    fn remove_single(&self, before: Option<Value>) -> Option<Value> {
        let sub = self.at.sub?;
        let mut before = before?;
        before.as_object_mut()?.shift_remove(&sub.name);
        (!is_empty(&before)).then_some(before)
    }

    /// "If the target location specifies a complex attribute, a set of sub-attributes SHALL be
    /// specified in the "value" parameter that replaces any existing values or adds where an
    /// attribute did not previously exist."
    fn set_single(&self, before: Option<Value>, value: Value) -> Result<Option<Value>, Error> {
        let value = match self.at.sub {
            None => value,
            Some(sub) => Value::Object(Map::from_iter([(sub.name.clone(), value)])),
        };
        merge(before, self.at.attribute, value, self.dialect)
    }

    fn remove_elements(
        &self,
        mut elements: Vec<Value>,
        value: Option<&Value>,
    ) -> Result<Option<Value>, Error> {
        let named = match (self.at.sub, self.filter, value) {
            // {"op":"remove","path":"members","value":[{"value":"2819c223"}]} removes these only.
            (None, None, Some(value)) if !is_no_value(value) => {
                let named = admit::admit(self.at.attribute, value.clone(), self.dialect)?;
                Some(self::elements(named))
            }
            _ => None,
        };
        elements.retain_mut(|element| match (&named, self.selects(element), self.at.sub) {
            (Some(named), _, _) => !named.iter().any(|named| same_element(named, element)),
            (None, false, _) => true,
            (None, true, None) => false,
            (None, true, Some(sub)) => {
                if let Some(object) = element.as_object_mut() {
                    object.shift_remove(&sub.name);
                }
                !is_empty(element)
            }
        });
        Ok(list(self.at.attribute, elements))
    }

    fn set_elements(
        &self,
        mut elements: Vec<Value>,
        value: Value,
        operation: Operation,
    ) -> Result<Option<Value>, Error> {
        let attribute = self.at.attribute;
        let mut touched = Vec::new();
        if self.filter.is_none() && self.at.sub.is_none() {
            let new = self::elements(admit::admit(attribute, value, self.dialect)?);
            if operation == Operation::Replace {
                return Ok(list(attribute, new));
            }
            let known = repeats::positions(attribute, &elements);
            for element in new {
                let known = known.get(&repeats::key(attribute, &element)).copied();
                match known.and_then(|at| Some((at, elements.get_mut(at)?))) {
                    Some((at, old)) => {
                        repeats::lay_over(old, element);
                        touched.push(at);
                    }
                    None => {
                        touched.push(elements.len());
                        elements.push(element);
                    }
                }
            }
        } else {
            for (index, element) in elements.iter_mut().enumerate() {
                if !self.selects(element) {
                    continue;
                }
                let base = match (self.at.sub, operation) {
                    (None, Operation::Replace) => None,
                    _ => Some(element.take()),
                };
                *element = self.element(base, value.clone())?.unwrap_or(Value::Null);
                touched.push(index);
            }
            if touched.is_empty() {
                // Entra patches emails[type eq "work"].value of a user without a work e-mail.
                let template = self.filter.and_then(Filter::template);
                // What the filter says becomes a value, so it must be a legal one.
                let template = match template {
                    Some(template) => {
                        admit::admit(&single(attribute), Value::Object(template), self.dialect)?
                    }
                    None => None,
                };
                let strict = !self.dialect.replace_creates && operation == Operation::Replace;
                if self.filter.is_some() && (template.is_none() || strict) {
                    return Err(Error::no_target(format!(
                        "No value of {} passes the filter.",
                        attribute.name
                    )));
                }
                touched.push(elements.len());
                elements.extend(self.element(template, value)?);
            }
        }
        if elements.len() > admit::MAX_ELEMENTS {
            return Err(Error::invalid_value(format!(
                "{} takes at most {} values.",
                attribute.name,
                admit::MAX_ELEMENTS
            )));
        }
        one_primary(attribute, &mut elements, &touched)?;
        elements.retain(|element| !is_empty(element));
        Ok(list(attribute, elements))
    }

    /// `base` with the operation's value laid over it.
    fn element(&self, base: Option<Value>, value: Value) -> Result<Option<Value>, Error> {
        let value = match (self.at.sub, value) {
            (Some(sub), value) => Value::Object(Map::from_iter([(sub.name.clone(), value)])),
            (None, Value::Array(mut items)) if items.len() == 1 && !self.dialect.strict => {
                items.pop().unwrap_or_default()
            }
            (None, value) => value,
        };
        merge(base, &single(self.at.attribute), value, self.dialect)
    }

    fn selects(&self, element: &Value) -> bool {
        match (self.filter, element.as_object()) {
            (None, _) => true,
            (Some(filter), Some(element)) => filter.matches(element),
            (Some(_), None) => false,
        }
    }
}

/// A checked value laid over what was there: sub-attribute by sub-attribute if it is complex, where
/// "no value" removes one.
fn merge(
    before: Option<Value>,
    attribute: &Attribute,
    value: Value,
    dialect: Dialect,
) -> Result<Option<Value>, Error> {
    let gone: Vec<&str> = match (&value, attribute.kind) {
        (Value::Object(object), Type::Complex) => {
            let empty = object.iter().filter(|(_, value)| is_no_value(value));
            empty
                .filter_map(|(name, _)| attribute.sub_attribute(name))
                .map(|sub| sub.name.as_str())
                .collect()
        }
        _ => Vec::new(),
    };
    let admitted = admit::admit(attribute, value, dialect)?;
    let mut after = match (before, admitted) {
        (Some(Value::Object(mut old)), Some(Value::Object(new))) => {
            if new.contains_key("value") && new.get("value") != old.get("value") {
                // What belonged to the old value says nothing of the new one.
                old.shift_remove("$ref");
            }
            old.extend(new);
            Some(Value::Object(old))
        }
        (before, None) => before,
        (_, admitted) => admitted,
    };
    if let Some(object) = after.as_mut().and_then(Value::as_object_mut) {
        for name in gone {
            object.shift_remove(name);
        }
    }
    Ok(after.filter(|value| !is_empty(value)))
}

/// "The primary attribute value "true" MUST appear no more than once": a value that becomes primary
/// takes it from the others.
fn one_primary(
    attribute: &Attribute,
    elements: &mut [Value],
    touched: &[usize],
) -> Result<(), Error> {
    let is_touched = |index: usize| touched.contains(&index);
    let new = elements
        .iter()
        .enumerate()
        .filter(|(index, e)| is_touched(*index) && admit::is_primary(e))
        .count();
    if new > 1 {
        return Err(Error::invalid_value(format!(
            "{} has more than one value with primary true.",
            attribute.name
        )));
    }
    if new == 1 {
        for (_, element) in elements.iter_mut().enumerate().filter(|(index, _)| !is_touched(*index))
        {
            if admit::is_primary(element)
                && let Some(object) = element.as_object_mut()
            {
                object.insert("primary".to_owned(), Value::Bool(false));
            }
        }
    }
    Ok(())
}

/// Whether a value that a client names stands for an element: by its `value`, else by all it says.
fn same_element(named: &Value, element: &Value) -> bool {
    match (named.get("value"), element.get("value")) {
        (Some(named), Some(value)) => named == value,
        _ => named == element,
    }
}

fn elements(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(items)) => items,
        Some(value) => vec![value],
        None => Vec::new(),
    }
}

fn list(attribute: &Attribute, elements: Vec<Value>) -> Option<Value> {
    (!elements.is_empty()).then(|| Value::Array(repeats::left_out(attribute, elements)))
}

/// The definition of one of the values.
fn single(attribute: &Attribute) -> Attribute {
    Attribute { multi_valued: false, ..attribute.clone() }
}

/// null, `""`, `[]`.
pub(crate) fn is_no_value(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn is_empty(value: &Value) -> bool {
    is_no_value(value) || value.as_object().is_some_and(Map::is_empty)
}
