//! An employee and a group as an identity provider sends them, in a metered world.

use std::collections::BTreeMap;

use scim_local::meter::Written;
use serde_json::{Value, json};

use crate::support::{ENTERPRISE, World};

/// A user with the attributes that identity providers map by default, and a second address.
pub fn employee(name: &str) -> Value {
    json!({
        "userName": format!("{name}.nakamura-okafor@contoso-industries.com"),
        "externalId": format!("{name}-8d2a-4f8e-bf98-7363c4aed4ef"),
        "displayName": "Bartholomew Nakamura-Okafor",
        "name": {
            "givenName": "Bartholomew", "familyName": "Nakamura-Okafor",
            "formatted": "Bartholomew Nakamura-Okafor",
        },
        "title": "Director of Operations",
        "preferredLanguage": "en-US",
        "emails": [
            { "value": format!("{name}.nakamura-okafor@contoso-industries.com"), "type": "work", "primary": true },
            { "value": format!("{name}.nakamura@contoso-group.com"), "type": "other" },
        ],
        "phoneNumbers": [{ "value": "+1-425-555-0142", "type": "work" }],
        "active": true,
        (ENTERPRISE): {
            "employeeNumber": "702984", "department": "Customer Success", "costCenter": "4130",
            "manager": { "value": "26118915-6090-4610-87e4-49d8ca9f808d" },
        },
    })
}

/// What was written since the last call, by the kind of partition key: `U` for `t#U`.
pub fn written(world: &World) -> BTreeMap<String, Vec<Written>> {
    let mut kinds: BTreeMap<String, Vec<Written>> = BTreeMap::new();
    for (partition, written) in world.meter.take_written() {
        let kind = partition.split('#').nth(1).expect("a tenant's partition").to_owned();
        kinds.entry(kind).or_default().push(written);
    }
    kinds
}
