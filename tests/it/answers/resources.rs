//! Answers about users and groups.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::handles::{Handle, set};
use crate::support::snapshots::shown;
use crate::support::{ENTERPRISE, GROUP, USER, World};

/// A user with a value for every kind of attribute.
async fn barbara(world: &World) -> Handle<'_> {
    let user = json!({
        "schemas": [USER, ENTERPRISE], "externalId": "701984", "userName": "bjensen@example.com",
        "name": { "givenName": "Barbara", "familyName": "Jensen" },
        "emails": [{ "value": "bjensen@example.com", "type": "work", "primary": true }],
        ENTERPRISE: { "department": "Sales", "manager": { "value": "26118915" } },
    });
    world.user(user).await
}

#[tokio::test]
async fn a_post_returns_the_whole_user() {
    let world = World::new().await;
    let user = json!({ "schemas": [USER], "userName": "bjensen@example.com", "active": "True" });
    let answer = world.send("POST", "/Users", user).await;
    assert_snapshot!(shown(&answer), @r#"
    201 Created
    content-type: application/scim+json
    location: https://scim.example.com/scim/v2/Users/<id 1>
    content-location: https://scim.example.com/scim/v2/Users/<id 1>
    etag: W/"1"

    {
      "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
      "id": "<id 1>",
      "userName": "bjensen@example.com",
      "active": true,
      "meta": {
        "resourceType": "User",
        "created": "2027-01-15T08:00:00Z",
        "lastModified": "2027-01-15T08:00:00Z",
        "location": "https://scim.example.com/scim/v2/Users/<id 1>",
        "version": "W/\"1\""
      }
    }
    "#);
}

#[tokio::test]
async fn a_user_is_read_with_all_its_attributes() {
    let world = World::new().await;
    let answer = barbara(&world).await.read().await;
    assert_snapshot!(shown(&answer), @r#"
    200 OK
    content-type: application/scim+json
    location: https://scim.example.com/scim/v2/Users/<id 1>
    content-location: https://scim.example.com/scim/v2/Users/<id 1>
    etag: W/"1"

    {
      "schemas": [
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
      ],
      "id": "<id 1>",
      "externalId": "701984",
      "userName": "bjensen@example.com",
      "name": {"givenName":"Barbara","familyName":"Jensen"},
      "emails": [{"value":"bjensen@example.com","type":"work","primary":true}],
      "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
        "department": "Sales",
        "manager": {"value":"26118915"}
      },
      "active": true,
      "meta": {
        "resourceType": "User",
        "created": "2027-01-15T08:00:00Z",
        "lastModified": "2027-01-15T08:00:00Z",
        "location": "https://scim.example.com/scim/v2/Users/<id 1>",
        "version": "W/\"1\""
      }
    }
    "#);
}

#[tokio::test]
async fn a_group_shows_its_members() {
    let world = World::new().await;
    let user = barbara(&world).await;
    let answer = world.group("Tour Guides", &[user.id().to_owned()]).await.read().await;
    assert_snapshot!(shown(&answer), @r#"
    200 OK
    content-type: application/scim+json
    location: https://scim.example.com/scim/v2/Groups/<id 1>
    content-location: https://scim.example.com/scim/v2/Groups/<id 1>
    etag: W/"1"

    {
      "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
      "id": "<id 1>",
      "displayName": "Tour Guides",
      "members": [
        {
          "value": "<id 2>",
          "type": "User",
          "$ref": "https://scim.example.com/scim/v2/Users/<id 2>"
        }
      ],
      "meta": {
        "resourceType": "Group",
        "created": "2027-01-15T08:00:00Z",
        "lastModified": "2027-01-15T08:00:00Z",
        "location": "https://scim.example.com/scim/v2/Groups/<id 1>",
        "version": "W/\"1\""
      }
    }
    "#);
}

#[tokio::test]
async fn a_list_has_total_results() {
    let world = World::new().await;
    world.user(json!({ "userName": "a@example.com" })).await;
    let path = "/Users?attributes=userName&startIndex=1&count=10";
    assert_snapshot!(shown(&world.send("GET", path, None).await), @r#"
    200 OK
    content-type: application/scim+json

    {
      "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
      "totalResults": 1,
      "startIndex": 1,
      "itemsPerPage": 1,
      "Resources": [
        {
          "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
          "id": "<id 1>",
          "userName": "a@example.com"
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn a_patch_is_answered_with_the_new_version() {
    let world = World::new().await;
    let user = barbara(&world).await;
    world.clock.advance(60);
    let path = format!("{}?attributes=title,meta", user.path());
    let answer = world.send("PATCH", &path, set("title", "Tour Guide")).await;
    assert_snapshot!(shown(&answer), @r#"
    200 OK
    content-type: application/scim+json
    location: https://scim.example.com/scim/v2/Users/<id 1>
    content-location: https://scim.example.com/scim/v2/Users/<id 1>
    etag: W/"2"

    {
      "schemas": [
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
      ],
      "id": "<id 1>",
      "title": "Tour Guide",
      "meta": {
        "resourceType": "User",
        "created": "2027-01-15T08:00:00Z",
        "lastModified": "2027-01-15T08:01:00Z",
        "location": "https://scim.example.com/scim/v2/Users/<id 1>",
        "version": "W/\"2\""
      }
    }
    "#);
}

#[tokio::test]
async fn an_error_says_what_is_wrong() {
    let world = World::new().await;
    barbara(&world).await;
    let taken = json!({ "schemas": [USER], "userName": "BJensen@example.com" });
    assert_snapshot!(shown(&world.send("POST", "/Users", taken).await), @r#"
    409 Conflict
    content-type: application/scim+json

    {
      "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
      "status": "409",
      "scimType": "uniqueness",
      "detail": "userName belongs to another User of this tenant. Look that one up by a filter and update it."
    }
    "#);
    assert_snapshot!(shown(&world.send("GET", "/Users?filter=userName", None).await), @r#"
    400 Bad Request
    content-type: application/scim+json

    {
      "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
      "status": "400",
      "scimType": "invalidFilter",
      "detail": "The filter is missing an operator; use eq, ne, co, sw, ew, gt, ge, lt, le or pr."
    }
    "#);
    assert_snapshot!(shown(&world.send("PUT", "/Users", json!({})).await), @r#"
    405 Method Not Allowed
    content-type: application/scim+json
    allow: GET, POST

    {
      "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
      "status": "405",
      "detail": "This endpoint supports only GET, POST."
    }
    "#);
}

#[tokio::test]
async fn a_bulk_answer_has_one_result_for_each_operation() {
    let world = World::new().await;
    let user = |name: &str| json!({ "schemas": [USER], "userName": name });
    let members = json!([{ "value": "bulkId:a" }]);
    let group = json!({ "schemas": [GROUP], "displayName": "Staff", "members": members });
    let answer = world.send("POST", "/Bulk", json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            { "method": "POST", "path": "/Users", "bulkId": "a", "data": user("a@example.com") },
            { "method": "POST", "path": "/Groups", "bulkId": "g", "data": group },
            { "method": "POST", "path": "/Users", "bulkId": "b", "data": user("A@example.com") },
            { "method": "DELETE", "path": "/Users/bulkId:a" },
        ],
    }));
    assert_snapshot!(shown(&answer.await), @r#"
    200 OK
    content-type: application/scim+json

    {
      "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"],
      "Operations": [
        {
          "method": "POST",
          "location": "https://scim.example.com/scim/v2/Users/<id 1>",
          "bulkId": "a",
          "version": "W/\"1\"",
          "status": "201"
        },
        {
          "method": "POST",
          "location": "https://scim.example.com/scim/v2/Groups/<id 2>",
          "bulkId": "g",
          "version": "W/\"1\"",
          "status": "201"
        },
        {
          "method": "POST",
          "bulkId": "b",
          "status": "409",
          "response": {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": "409",
            "scimType": "uniqueness",
            "detail": "userName belongs to another User of this tenant. Look that one up by a filter and update it."
          }
        },
        {
          "method": "DELETE",
          "location": "https://scim.example.com/scim/v2/Users/<id 1>",
          "status": "204"
        }
      ]
    }
    "#);
}
