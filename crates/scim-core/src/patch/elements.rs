//! What an operation does to the elements of a multi-valued attribute.

use serde_json::Value;

use crate::error::Error;
use crate::filter::ast::Filter;
use crate::patch::change::Operation;
use crate::patch::merge::single;
use crate::patch::target::Target;
use crate::resource::admit::{MAX_ELEMENTS, admit};
use crate::resource::repeats;
use crate::schema::attribute::Attribute;
use crate::value::{into_elements, is_empty, is_no_value, is_primary};

/// The elements without those that the operation removes; `None` if none are left.
pub(super) fn remove(
    target: &Target<'_, '_>,
    mut elements: Vec<Value>,
    value: Option<&Value>,
) -> Result<Option<Value>, Error> {
    let attribute = target.place.attribute;
    match value.filter(|value| target.is_whole() && !is_no_value(value)) {
        // {"op":"remove","path":"members","value":[{"value":"2819c223"}]} removes only these.
        Some(value) => {
            let listed = into_elements(admit(attribute, value.clone(), target.dialect)?);
            elements.retain(|element| !listed.iter().any(|listed| is_same(listed, element)));
        }
        None => elements.retain_mut(|element| !target.selects(element) || strip(target, element)),
    }
    Ok(list(attribute, elements))
}

/// Removes the target's sub-attribute of an element; returns whether anything is left of the
/// element.
fn strip(target: &Target<'_, '_>, element: &mut Value) -> bool {
    let Some(sub) = target.place.sub else { return false };
    if let Some(object) = element.as_object_mut() {
        object.shift_remove(&sub.name);
    }
    !is_empty(element)
}

/// The elements after an `add` or `replace`.
pub(super) fn set(
    target: &Target<'_, '_>,
    mut elements: Vec<Value>,
    value: Value,
    operation: Operation,
) -> Result<Option<Value>, Error> {
    let attribute = target.place.attribute;
    let changed = if target.is_whole() {
        let new = into_elements(admit(attribute, value, target.dialect)?);
        if operation == Operation::Replace {
            return Ok(list(attribute, new));
        }
        add(attribute, &mut elements, new)
    } else {
        let changed = set_selected(target, &mut elements, &value, operation)?;
        if changed.is_empty() { create(target, &mut elements, value, operation)? } else { changed }
    };
    if elements.len() > MAX_ELEMENTS {
        return Err(Error::invalid_value(format!(
            "{} must not have more than {MAX_ELEMENTS} values.",
            attribute.name
        ))
        .because("too-many-values")
        .at(&attribute.name));
    }
    keep_one_primary(attribute, &mut elements, &changed)?;
    elements.retain(|element| !is_empty(element));
    Ok(list(attribute, elements))
}

/// Adds new elements, or merges them into those that they repeat. Returns the positions of all
/// elements that changed.
fn add(attribute: &Attribute, elements: &mut Vec<Value>, new: Vec<Value>) -> Vec<usize> {
    let mut changed = Vec::with_capacity(new.len());
    let known = repeats::positions(attribute, elements);
    for element in new {
        let position = known.get(&repeats::key(attribute, &element)).copied();
        match position.and_then(|position| Some((position, elements.get_mut(position)?))) {
            Some((position, old)) => {
                repeats::lay_over(old, element);
                changed.push(position);
            }
            None => {
                changed.push(elements.len());
                elements.push(element);
            }
        }
    }
    changed
}

/// Sets the elements that the filter selects, or all of them. Returns their positions.
fn set_selected(
    target: &Target<'_, '_>,
    elements: &mut [Value],
    value: &Value,
    operation: Operation,
) -> Result<Vec<usize>, Error> {
    let mut changed = Vec::new();
    for (position, element) in elements.iter_mut().enumerate() {
        if !target.selects(element) {
            continue;
        }
        let before = match (target.place.sub, operation) {
            (None, Operation::Replace) => None,
            _ => Some(element.take()),
        };
        *element = target.element(before, value.clone())?.unwrap_or(Value::Null);
        changed.push(position);
    }
    Ok(changed)
}

/// Adds the element that the filter does not find, with the values that the filter implies. Entra
/// ID patches `emails[type eq "work"].value` of a user who does not have a work e-mail. Returns the
/// position of the element.
fn create(
    target: &Target<'_, '_>,
    elements: &mut Vec<Value>,
    value: Value,
    operation: Operation,
) -> Result<Vec<usize>, Error> {
    let attribute = target.place.attribute;
    // The values in the filter are stored, so they must be legal.
    let template = match target.filter.and_then(Filter::template) {
        Some(template) => admit(&single(attribute), Value::Object(template), target.dialect)?,
        None => None,
    };
    let may_create = target.dialect.replace_creates || operation != Operation::Replace;
    if target.filter.is_some() && (template.is_none() || !may_create) {
        return Err(Error::no_target(format!(
            "No value of {} matches the filter.",
            attribute.name
        ))
        .at(&attribute.name));
    }
    let position = elements.len();
    elements.extend(target.element(template, value)?);
    Ok(vec![position])
}

/// "The primary attribute value "true" MUST appear no more than once": when an element becomes
/// primary, the others lose the flag.
fn keep_one_primary(
    attribute: &Attribute,
    elements: &mut [Value],
    changed: &[usize],
) -> Result<(), Error> {
    let is_changed = |position: usize| changed.contains(&position);
    let all = elements.iter().enumerate();
    let new =
        all.filter(|(position, element)| is_changed(*position) && is_primary(element)).count();
    if new > 1 {
        return Err(Error::invalid_value(format!(
            "{} has more than one value with primary true; mark only one.",
            attribute.name
        ))
        .because("two-primaries")
        .at(&attribute.name));
    }
    if new == 1 {
        let others = elements.iter_mut().enumerate().filter(|(position, _)| !is_changed(*position));
        for (_, element) in others.filter(|(_, element)| is_primary(element)) {
            if let Some(object) = element.as_object_mut() {
                object.insert("primary".to_owned(), Value::Bool(false));
            }
        }
    }
    Ok(())
}

/// Whether an element that a client lists stands for `element`. It does if both have the same
/// `value` or, if one of them lacks a `value`, if they are equal.
fn is_same(listed: &Value, element: &Value) -> bool {
    match (listed.get("value"), element.get("value")) {
        (Some(listed), Some(value)) => listed == value,
        _ => listed == element,
    }
}

fn list(attribute: &Attribute, elements: Vec<Value>) -> Option<Value> {
    (!elements.is_empty()).then(|| Value::Array(repeats::without_repeats(attribute, elements)))
}
