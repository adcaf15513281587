//! Whether a schema that a service provider wrote can be served.

use std::collections::BTreeSet;

use crate::schema::attribute::{Attribute, Schema, Type};

/// Checks the rules for attributes that every schema must follow. The error is a sentence.
pub(super) fn check_schema(schema: &Schema) -> Result<(), String> {
    let id = &schema.id;
    check_nesting(schema)?;
    let lists = schema.attributes.iter().map(|attribute| &attribute.sub_attributes);
    for list in std::iter::once(&schema.attributes).chain(lists) {
        check_duplicates(list, id)?;
    }
    let mut all = schema
        .attributes
        .iter()
        .flat_map(|attribute| std::iter::once(attribute).chain(&attribute.sub_attributes));
    if let Some(attribute) = all.clone().find(|attribute| !is_attribute_name(&attribute.name)) {
        return Err(format!(
            "{:?} in {id} is not an attribute name; use a letter, then letters, digits, - and _",
            attribute.name
        ));
    }
    match all.find(|attribute| attribute.closed && !can_be_closed(attribute)) {
        Some(attribute) => Err(format!(
            "{} in {id} is closed, so it must be a string with canonicalValues",
            attribute.name
        )),
        None => Ok(()),
    }
}

/// "A complex attribute MUST NOT contain sub-attributes that have sub-attributes" (RFC 7643,
/// 2.3.8).
fn check_nesting(schema: &Schema) -> Result<(), String> {
    let mut subs = schema.attributes.iter().flat_map(|attribute| &attribute.sub_attributes);
    match subs.find(|sub| sub.kind == Type::Complex) {
        Some(sub) => {
            Err(format!("the sub-attribute {} in {} must not be complex", sub.name, schema.id))
        }
        None => Ok(()),
    }
}

fn check_duplicates(attributes: &[Attribute], id: &str) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    let mut is_new = |attribute: &Attribute| seen.insert(attribute.name.to_ascii_lowercase());
    match attributes.iter().find(|attribute| !is_new(attribute)) {
        Some(duplicate) => Err(format!("{} is defined twice in {id}", duplicate.name)),
        None => Ok(()),
    }
}

/// "ATTRNAME = ALPHA *(nameChar)" (RFC 7643, 2.1), and `$ref`.
fn is_attribute_name(name: &str) -> bool {
    let rest = name.strip_prefix(|first: char| first.is_ascii_alphabetic() || first == '$');
    rest.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_$".contains(&b)))
}

fn can_be_closed(attribute: &Attribute) -> bool {
    matches!(attribute.kind, Type::String | Type::Reference)
        && !attribute.canonical_values.is_empty()
}
