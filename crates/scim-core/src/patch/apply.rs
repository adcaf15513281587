//! What one operation does to the attributes of a resource (RFC 7644, 3.5.2.1 to 3.5.2.3).

use serde_json::{Map, Value};

use crate::error::Error;
use crate::patch::change::{Change, Operation};
use crate::patch::elements;
use crate::patch::merge::{merge, single};
use crate::patch::target::Target;
use crate::resource::admit::admit;
use crate::schema::dialect::Dialect;
use crate::schema::place::{AttributeRef, Place};
use crate::value::{into_elements, is_empty, is_no_value, object_in};

type Object = Map<String, Value>;

/// Applies `change`. After an error the attributes are in an undefined state: discard them.
pub(super) fn apply(
    attributes: &mut Object,
    change: &Change<'_>,
    dialect: Dialect,
) -> Result<(), Error> {
    match change.path.place {
        Place::Extension(extension) => {
            attributes.shift_remove(&extension.id);
            Ok(())
        }
        Place::Attribute(place) => apply_to(attributes, place, change, dialect),
    }
}

fn apply_to(
    attributes: &mut Object,
    place: AttributeRef<'_>,
    change: &Change<'_>,
    dialect: Dialect,
) -> Result<(), Error> {
    let home = match place.extension {
        None => &mut *attributes,
        Some(extension) => object_in(attributes, &extension.id),
    };
    let name = &place.attribute.name;
    let before = home.get_mut(name).map(Value::take);
    let target = Target { place, filter: change.path.filter.as_ref(), dialect };
    match changed(&target, before, change)? {
        Some(after) => home.insert(name.clone(), after),
        None => home.shift_remove(name),
    };
    if let Some(extension) = place.extension
        && home.is_empty()
    {
        attributes.shift_remove(&extension.id);
    }
    Ok(())
}

/// The value of the attribute after the change; `None` is "no value".
fn changed(
    target: &Target<'_, '_>,
    before: Option<Value>,
    change: &Change<'_>,
) -> Result<Option<Value>, Error> {
    let attribute = target.place.attribute;
    let removes = change.removes();
    check_no_value(target, change)?;
    if removes && attribute.name == "active" && !target.dialect.strict {
        // A careless message must neither let a former user in nor lock a current user out.
        return Ok(before);
    }
    // Attributes that only this service provider requires are checked after all operations.
    if removes && attribute.required && attribute.advice.is_none() && target.is_whole() {
        return Err(Error::mutability(format!(
            "{} is required and cannot be removed.",
            attribute.name
        ))
        .because("missing-attribute")
        .at(&attribute.name));
    }
    match (attribute.multi_valued, removes, &change.value) {
        (false, true, _) => Ok(remove_single(target, before)),
        (false, false, Some(value)) => set_single(target, before, value.clone()),
        (true, true, value) => elements::remove(target, into_elements(before), value.as_ref()),
        (true, false, Some(value)) => {
            elements::set(target, into_elements(before), value.clone(), change.operation)
        }
        (_, false, None) => Ok(before),
    }
}

/// In the strict dialect, even a "no value" must have the type of the attribute: `""` is not an
/// array.
fn check_no_value(target: &Target<'_, '_>, change: &Change<'_>) -> Result<(), Error> {
    let Some(value) = change.value.as_ref().filter(|value| is_no_value(value)) else {
        return Ok(());
    };
    if !target.dialect.strict || change.operation == Operation::Remove {
        return Ok(());
    }
    let definition = match (target.place.sub, target.filter) {
        (None, Some(_)) => &single(target.place.attribute),
        (sub, _) => sub.unwrap_or(target.place.attribute),
    };
    admit(definition, value.clone(), target.dialect)?;
    Ok(())
}

fn remove_single(target: &Target<'_, '_>, before: Option<Value>) -> Option<Value> {
    let sub = target.place.sub?;
    let mut before = before?;
    before.as_object_mut()?.shift_remove(&sub.name);
    (!is_empty(&before)).then_some(before)
}

/// "If the target location specifies a complex attribute, a set of sub-attributes SHALL be
/// specified in the "value" parameter that replaces any existing values or adds where an attribute
/// did not previously exist."
fn set_single(
    target: &Target<'_, '_>,
    before: Option<Value>,
    value: Value,
) -> Result<Option<Value>, Error> {
    merge(before, target.place.attribute, target.value_of_attribute(value), target.dialect)
}
