//! The attributes that a record gives.

use scim_core::patch::Path;
use scim_core::resource::Update;
use scim_core::schema::Place;
use scim_core::{Attributes, Dialect, Error, PatchRequest, ResourceType};
use serde_json::{Map, Value, json};

/// Whether the tenant keeps the attribute that a name or a path stands for.
pub(super) fn is_kept(resource_type: &ResourceType, name: &str) -> bool {
    if name.contains('[') {
        // An invalid path is reported with each record.
        !matches!(Path::parse(name, resource_type, Dialect::TOLERANT), Ok(None))
    } else {
        resource_type.resolve(name).is_some()
    }
}

/// The attributes that a record gives. A path into an attribute with several values, such as
/// `phoneNumbers[type eq "work"].value`, makes one value together with the others that have its
/// filter.
pub(super) fn attributes(
    resource_type: &ResourceType,
    mut user: Map<String, Value>,
    dialect: Dialect,
) -> Result<Attributes, Error> {
    user.retain(|name, _| is_kept(resource_type, name));
    let (paths, plain): (Map<_, _>, Map<_, _>) =
        user.into_iter().partition(|(name, _)| is_path(resource_type, name));
    let plain = resource_type.parse(plain, dialect)?.attributes;
    let add =
        paths.into_iter().map(|(path, value)| json!({ "op": "add", "path": path, "value": value }));
    let add = Map::from_iter([("Operations".to_owned(), add.collect())]);
    let mut whole =
        PatchRequest::parse(&add, resource_type, dialect)?.apply(resource_type, &plain)?;
    resource_type.check_immutable(&Attributes::default(), &mut whole, Update::Replace)?;
    Ok(whole)
}

/// Whether a name is a path into an attribute with several values.
fn is_path(resource_type: &ResourceType, name: &str) -> bool {
    match resource_type.resolve(name) {
        Some(Place::Attribute(place)) => {
            place.sub.is_some() && place.attribute.multi_valued && !place.attribute.is_read_only()
        }
        Some(_) => false,
        None => true,
    }
}
