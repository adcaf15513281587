//! The discovery documents.

use insta::assert_snapshot;

use crate::support::snapshots::shown;
use crate::support::{GROUP, World};

#[tokio::test]
async fn the_service_provider_config_is_complete() {
    let world = World::new().await;
    assert_snapshot!(shown(&world.send("GET", "/ServiceProviderConfig", None).await), @r#"
    200 OK
    content-type: application/scim+json
    content-location: https://scim.example.com/scim/v2/ServiceProviderConfig

    {
      "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
      "patch": {"supported":true},
      "bulk": {"supported":true,"maxOperations":100,"maxPayloadSize":1048576},
      "filter": {"supported":true,"maxResults":200},
      "changePassword": {"supported":false},
      "sort": {"supported":true},
      "etag": {"supported":true},
      "pagination": {
        "cursor": true,
        "index": true,
        "defaultPaginationMethod": "index",
        "defaultPageSize": 100,
        "maxPageSize": 200,
        "cursorTimeout": 3600
      },
      "authenticationSchemes": [
        {
          "type": "oauthbearertoken",
          "name": "Bearer token",
          "description": "A token minted by the operator, sent as Authorization: Bearer.",
          "specUri": "https://www.rfc-editor.org/info/rfc6750"
        }
      ],
      "meta": {
        "resourceType": "ServiceProviderConfig",
        "location": "https://scim.example.com/scim/v2/ServiceProviderConfig"
      }
    }
    "#);
}

#[tokio::test]
async fn a_resource_type_names_its_schemas() {
    let world = World::new().await;
    assert_snapshot!(shown(&world.send("GET", "/ResourceTypes/User", None).await), @r#"
    200 OK
    content-type: application/scim+json
    content-location: https://scim.example.com/scim/v2/ResourceTypes/User

    {
      "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
      "id": "User",
      "name": "User",
      "description": "User Account",
      "endpoint": "/Users",
      "schema": "urn:ietf:params:scim:schemas:core:2.0:User",
      "schemaExtensions": [
        {
          "schema": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
          "required": false
        }
      ],
      "meta": {
        "resourceType": "ResourceType",
        "location": "https://scim.example.com/scim/v2/ResourceTypes/User"
      }
    }
    "#);
}

#[tokio::test]
async fn a_schema_describes_each_attribute() {
    let world = World::new().await;
    assert_snapshot!(shown(&world.send("GET", &format!("/Schemas/{GROUP}"), None).await), @r#"
    200 OK
    content-type: application/scim+json
    content-location: https://scim.example.com/scim/v2/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group

    {
      "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
      "id": "urn:ietf:params:scim:schemas:core:2.0:Group",
      "name": "Group",
      "description": "Group",
      "attributes": [
        {
          "name": "displayName",
          "type": "string",
          "multiValued": false,
          "description": "A human-readable name for the Group. REQUIRED.",
          "required": true,
          "caseExact": false,
          "mutability": "readWrite",
          "returned": "default",
          "uniqueness": "server"
        },
        {
          "name": "members",
          "type": "complex",
          "subAttributes": [
            {
              "name": "value",
              "type": "string",
              "multiValued": false,
              "description": "Identifier of the member of this Group.",
              "required": false,
              "caseExact": false,
              "mutability": "immutable",
              "returned": "default",
              "uniqueness": "none"
            },
            {
              "name": "$ref",
              "type": "reference",
              "multiValued": false,
              "description": "The URI corresponding to a SCIM resource that is a member of this Group.",
              "required": false,
              "caseExact": true,
              "mutability": "immutable",
              "returned": "default",
              "uniqueness": "none",
              "referenceTypes": ["User","Group"]
            },
            {
              "name": "type",
              "type": "string",
              "multiValued": false,
              "description": "A label indicating the type of resource, e.g., 'User' or 'Group'.",
              "required": false,
              "canonicalValues": ["User","Group"],
              "caseExact": false,
              "mutability": "immutable",
              "returned": "default",
              "uniqueness": "none"
            },
            {
              "name": "display",
              "type": "string",
              "multiValued": false,
              "description": "A human-readable name of the member, primarily used for display purposes.",
              "required": false,
              "caseExact": false,
              "mutability": "immutable",
              "returned": "default",
              "uniqueness": "none"
            }
          ],
          "multiValued": true,
          "description": "A list of members of the Group.",
          "required": false,
          "caseExact": false,
          "mutability": "readWrite",
          "returned": "default",
          "uniqueness": "none"
        }
      ],
      "meta": {
        "resourceType": "Schema",
        "location": "https://scim.example.com/scim/v2/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group"
      }
    }
    "#);
}
