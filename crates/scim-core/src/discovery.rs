//! The three discovery documents (RFC 7643, 5 to 7; RFC 7644, 4), made from what the service
//! provider can do.

use serde_json::{Value, json};

use crate::bulk;
use crate::message::MAX_BODY_BYTES;
use crate::query::{CURSOR_SECONDS, DEFAULT_COUNT, MAX_COUNT};
use crate::resource_type::ResourceType;
use crate::schema::Schema;

const SERVICE_PROVIDER_CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// "The service provider's configuration" (RFC 7643, 5).
pub fn service_provider_config(base_url: &str) -> Value {
    json!({
        "schemas": [SERVICE_PROVIDER_CONFIG],
        "patch": { "supported": true },
        "bulk": { "supported": true, "maxOperations": bulk::MAX_OPERATIONS, "maxPayloadSize": MAX_BODY_BYTES },
        "filter": { "supported": true, "maxResults": MAX_COUNT },
        "changePassword": { "supported": false },
        "sort": { "supported": true },
        "etag": { "supported": true },
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": DEFAULT_COUNT,
            "maxPageSize": MAX_COUNT,
            "cursorTimeout": CURSOR_SECONDS,
        },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "A token minted by the operator, sent as Authorization: Bearer.",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{base_url}/ServiceProviderConfig"),
        },
    })
}

/// One resource type (RFC 7643, 6).
pub fn resource_type(resource_type: &ResourceType, base_url: &str) -> Value {
    let extensions = resource_type.extensions.iter();
    json!({
        "schemas": [RESOURCE_TYPE],
        "id": resource_type.name,
        "name": resource_type.name,
        "description": resource_type.description,
        "endpoint": resource_type.endpoint,
        "schema": resource_type.schema.id,
        "schemaExtensions":
            extensions.map(|schema| json!({
                "schema": schema.id, "required": resource_type.required_extensions.contains(&schema.id),
            })).collect::<Vec<_>>(),
        "meta": {
            "resourceType": "ResourceType",
            "location": format!("{base_url}/ResourceTypes/{}", resource_type.name),
        },
    })
}

/// One schema (RFC 7643, 7).
pub fn schema(schema: &Schema, base_url: &str) -> Value {
    let mut document = json!({ "schemas": [SCHEMA] });
    // The RFC knows no word for values that are not only suggested.
    let mut open = schema.clone();
    open.attributes.iter_mut().for_each(|attribute| {
        attribute.closed = false;
        attribute.sub_attributes.iter_mut().for_each(|sub| sub.closed = false);
    });
    if let (Value::Object(document), Ok(Value::Object(body))) = (&mut document, serde_json::to_value(open)) {
        document.extend(body);
        document.insert(
            "meta".into(),
            json!({ "resourceType": "Schema", "location": format!("{base_url}/Schemas/{}", schema.id) }),
        );
    }
    document
}

/// The schemas of the discovery resources themselves, so that a client can look up every URI it
/// meets.
///
/// # Errors
/// Never, while the schema files of this crate are well formed; a test holds it.
pub fn own_schemas() -> Result<Vec<Schema>, serde_json::Error> {
    [
        include_str!("schemas/service_provider_config.json"),
        include_str!("schemas/resource_type.json"),
        include_str!("schemas/schema.json"),
    ]
    .into_iter()
    .map(serde_json::from_str)
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource_type::ResourceType;

    #[test]
    fn that_values_are_closed_is_stored_and_not_told() {
        let mut user = ResourceType::user().unwrap().schema;
        user.attributes[0].closed = true;
        assert!(serde_json::to_string(&user).unwrap().contains("\"closed\":true"));
        assert!(!schema(&user, "").to_string().contains("closed"));
    }
}
