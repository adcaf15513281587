//! The three discovery documents (RFC 7643, 5 to 7; RFC 7644, 4), made from what the service
//! provider can do.

use serde_json::{Value, json};

use crate::message::bulk;
use crate::message::list::MAX_BODY_BYTES;
use crate::message::query::{CURSOR_SECONDS, DEFAULT_COUNT, MAX_COUNT};
use crate::schema::attribute::{Attribute, Mutability, Schema};
use crate::schema::resource_type::ResourceType;

const SERVICE_PROVIDER_CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// What `/ServiceProviderConfig` says of a service provider beside what all of them can do here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announced {
    /// Whether a token is also good without the word Bearer.
    pub bare_token: bool,
    /// Whether `pagination` is there, which some clients do not know and refuse.
    pub pagination: bool,
    /// Whether entity tags are said to be supported; some clients send conditions then that they
    /// cannot keep.
    pub etag: bool,
}

/// "The service provider's configuration" (RFC 7643, 5).
pub fn service_provider_config(base_url: &str, announced: Announced) -> Value {
    let mut document = whole_config(base_url, announced);
    if !announced.pagination
        && let Some(members) = document.as_object_mut()
    {
        members.shift_remove("pagination");
    }
    document
}

fn whole_config(base_url: &str, announced: Announced) -> Value {
    let sent = if announced.bare_token { ", or alone, without the word Bearer" } else { "" };
    json!({
        "schemas": [SERVICE_PROVIDER_CONFIG],
        "patch": { "supported": true },
        "bulk": { "supported": true, "maxOperations": bulk::MAX_OPERATIONS, "maxPayloadSize": MAX_BODY_BYTES },
        "filter": { "supported": true, "maxResults": MAX_COUNT },
        "changePassword": { "supported": false },
        "sort": { "supported": true },
        "etag": { "supported": announced.etag },
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
            "description": format!("A token minted by the operator, sent as Authorization: \
                Bearer{sent}."),
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
    let mut told = schema.clone();
    for attribute in &mut told.attributes {
        let derived = attribute.derived;
        let tell = |definition: &mut Attribute| {
            // The RFC knows no word for values that are not only suggested.
            definition.closed = false;
            if derived {
                definition.mutability = Mutability::ReadOnly;
            }
        };
        tell(attribute);
        attribute.sub_attributes.iter_mut().for_each(tell);
    }
    if let (Value::Object(document), Ok(Value::Object(body))) =
        (&mut document, serde_json::to_value(told))
    {
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
    fn that_values_are_closed_is_stored_and_not_told() {
        let mut user = ResourceType::user().unwrap().schema;
        user.attributes[0].closed = true;
        assert!(serde_json::to_string(&user).unwrap().contains("\"closed\":true"));
        assert!(!schema(&user, "").to_string().contains("closed"));
    }
}
