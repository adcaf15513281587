//! The three discovery documents (RFC 7643, 5 to 7; RFC 7644, 4).

use serde_json::{Map, Value, json};

use crate::message::bulk;
use crate::message::query::{CURSOR_TIMEOUT, DEFAULT_COUNT, MAX_BODY_BYTES, MAX_COUNT};
use crate::schema::attribute::{Attribute, Mutability, Schema};
use crate::schema::resource_type::ResourceType;

const SERVICE_PROVIDER_CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// What `/ServiceProviderConfig` says about a service provider. Everything else in the document is
/// the same for all service providers that use this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Features {
    /// Whether a token is also accepted without the word Bearer.
    pub bare_token: bool,
    /// Whether the document has `pagination`. Some clients do not know it and refuse the document.
    pub pagination: bool,
    /// Whether the document says that entity tags are supported. Some clients then send
    /// preconditions that they cannot satisfy.
    pub etag: bool,
}

/// "The service provider's configuration" (RFC 7643, 5).
pub fn service_provider_config(base_url: &str, features: Features) -> Value {
    let mut document = json!({
        "schemas": [SERVICE_PROVIDER_CONFIG],
        "patch": { "supported": true },
        "bulk": {
            "supported": true,
            "maxOperations": bulk::MAX_OPERATIONS,
            "maxPayloadSize": MAX_BODY_BYTES,
        },
        "filter": { "supported": true, "maxResults": MAX_COUNT },
        "changePassword": { "supported": false },
        "sort": { "supported": true },
        "etag": { "supported": features.etag },
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": DEFAULT_COUNT,
            "maxPageSize": MAX_COUNT,
            "cursorTimeout": CURSOR_TIMEOUT.as_secs(),
        },
        "authenticationSchemes": [bearer_token(features.bare_token)],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{base_url}/ServiceProviderConfig"),
        },
    });
    if !features.pagination
        && let Some(members) = document.as_object_mut()
    {
        members.shift_remove("pagination");
    }
    document
}

fn bearer_token(may_be_bare: bool) -> Value {
    let alternative = if may_be_bare { ", or alone, without the word Bearer" } else { "" };
    json!({
        "type": "oauthbearertoken",
        "name": "Bearer token",
        "description": format!(
            "A token minted by the operator, sent as Authorization: Bearer{alternative}."
        ),
        "specUri": "https://www.rfc-editor.org/info/rfc6750",
    })
}

/// The document of one resource type (RFC 7643, 6).
pub fn resource_type(resource_type: &ResourceType, base_url: &str) -> Value {
    let required = &resource_type.required_extensions;
    let extensions = resource_type
        .extensions
        .iter()
        .map(|schema| json!({ "schema": schema.id, "required": required.contains(&schema.id) }));
    json!({
        "schemas": [RESOURCE_TYPE],
        "id": resource_type.name,
        "name": resource_type.name,
        "description": resource_type.description,
        "endpoint": resource_type.endpoint,
        "schema": resource_type.schema.id,
        "schemaExtensions": extensions.collect::<Vec<_>>(),
        "meta": {
            "resourceType": "ResourceType",
            "location": format!("{base_url}/ResourceTypes/{}", resource_type.name),
        },
    })
}

/// The document of one schema (RFC 7643, 7).
pub fn schema(schema: &Schema, base_url: &str) -> Value {
    let mut document = Map::from_iter([("schemas".to_owned(), json!([SCHEMA]))]);
    let mut published = schema.clone();
    for attribute in &mut published.attributes {
        let derived = attribute.derived;
        publish(attribute, derived);
        attribute.sub_attributes.iter_mut().for_each(|sub| publish(sub, derived));
    }
    if let Ok(Value::Object(body)) = serde_json::to_value(published) {
        document.extend(body);
        let location = format!("{base_url}/Schemas/{}", schema.id);
        document
            .insert("meta".to_owned(), json!({ "resourceType": "Schema", "location": location }));
    }
    Value::Object(document)
}

/// Reduces a definition to what discovery shows of it.
fn publish(definition: &mut Attribute, is_derived: bool) {
    // RFC 7643 cannot express that only the canonical values are accepted.
    definition.closed = false;
    if is_derived {
        definition.mutability = Mutability::ReadOnly;
    }
}

/// The schemas of the discovery documents themselves, so that a client can look up every URI that
/// it encounters.
///
/// # Errors
/// Never, as long as the schema files of this crate are well formed, which tests ensure.
pub fn discovery_schemas() -> Result<Vec<Schema>, serde_json::Error> {
    [
        include_str!("../schema/definitions/service_provider_config.json"),
        include_str!("../schema/definitions/resource_type.json"),
        include_str!("../schema/definitions/schema.json"),
    ]
    .into_iter()
    .map(serde_json::from_str)
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::resource_type::ResourceType;

    #[test]
    fn a_closed_list_is_stored_but_not_published() {
        let mut user = ResourceType::user().unwrap().schema;
        user.attributes[0].closed = true;
        assert!(serde_json::to_string(&user).unwrap().contains("\"closed\":true"));
        assert!(!schema(&user, "").to_string().contains("closed"));
    }
}
