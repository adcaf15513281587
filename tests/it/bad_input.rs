//! Bad input: each a SCIM error with the right status and scimType, and nothing is written.

use serde_json::json;

use crate::support::World;
use crate::support::handles::Row;

const JSON: Option<&str> = Some("application/scim+json");

/// A request that must fail.
struct Case {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    body: &'static str,
    status: u16,
    scim_type: Option<&'static str>,
}

/// `"name": METHOD "path" r"body" => status "scimType";`, the body and the scimType where there is
/// one. `{user}` and `{group}` stand for the ids of an existing user and an existing group.
macro_rules! cases {
    ($($name:literal: $method:ident $path:literal $($body:literal)?
       => $status:literal $($scim_type:literal)?;)*) => {
        &[$(Case {
            name: $name,
            method: stringify!($method),
            path: $path,
            body: concat!($($body)?),
            status: $status,
            scim_type: [$(Some($scim_type),)? None][0],
        }),*]
    };
}

const CASES: &[Case] = cases! {
    // The body as JSON
    "an empty body": POST "/Users" => 400 "invalidSyntax";
    "a body that ends too early": POST "/Users" r"{" => 400 "invalidSyntax";
    "an array in place of an object": POST "/Users" r"[]" => 400 "invalidSyntax";
    "a string in place of an object": POST "/Users" r#""a""# => 400 "invalidSyntax";
    "text after the object": POST "/Users" r#"{"userName":"a"} x"# => 400 "invalidSyntax";
    "a name that comes twice": POST "/Users"
        r#"{"userName":"a","userName":"b"}"# => 400 "invalidSyntax";
    "a name that comes twice in another case": POST "/Users"
        r#"{"userName":"a","USERNAME":"b"}"# => 400 "invalidSyntax";
    "a sub-attribute that comes twice in another case": POST "/Users"
        r#"{"userName":"a","name":{"givenName":"x","givenname":"y"}}"# => 400 "invalidSyntax";
    "a zero character in a name": POST "/Users" r#"{"userName":"a\u0000b"}"# => 400 "invalidSyntax";
    "half of a surrogate pair": POST "/Users" r#"{"userName":"\ud800"}"# => 400 "invalidSyntax";
    // Wrong types and missing values
    "a user without userName": POST "/Users" r"{}" => 400 "invalidValue";
    "an empty userName": POST "/Users" r#"{"userName":""}"# => 400 "invalidValue";
    "a userName of null": POST "/Users" r#"{"userName":null}"# => 400 "invalidValue";
    "a number as userName": POST "/Users" r#"{"userName":5}"# => 400 "invalidValue";
    "several values of userName": POST "/Users" r#"{"userName":["a","b"]}"# => 400 "invalidValue";
    "a control character in userName": POST "/Users" r#"{"userName":"a\tb"}"# => 400 "invalidValue";
    "an invisible character in userName": POST "/Users"
        r#"{"userName":"a\u200bb"}"# => 400 "invalidValue";
    "a word as active": POST "/Users"
        r#"{"userName":"a","active":"perhaps"}"# => 400 "invalidValue";
    "a number as active": POST "/Users" r#"{"userName":"a","active":1}"# => 400 "invalidValue";
    "a string in place of a complex attribute": POST "/Users"
        r#"{"userName":"a","name":"Barbara"}"# => 400 "invalidValue";
    "an object in place of a string": POST "/Users"
        r#"{"userName":"a","name":{"givenName":{}}}"# => 400 "invalidValue";
    "a number as the value of an e-mail": POST "/Users"
        r#"{"userName":"a","emails":[{"value":1}]}"# => 400 "invalidValue";
    "two primary e-mails": POST "/Users"
        r#"{"userName":"a","emails":[{"value":"a","primary":true},{"value":"b","primary":true}]}"#
        => 400 "invalidValue";
    "a certificate that is not base64": POST "/Users"
        r#"{"userName":"a","x509Certificates":[{"value":"*"}]}"# => 400 "invalidValue";
    "a string in place of an extension": POST "/Users"
        r#"{"userName":"a","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":"x"}"#
        => 400 "invalidValue";
    // Content type, method, path
    "PUT of a collection": PUT "/Users" r"{}" => 405;
    "PATCH of a collection": PATCH "/Users" r"{}" => 405;
    "DELETE of a collection": DELETE "/Users" => 405;
    "HEAD of a collection": HEAD "/Users" => 405;
    "POST to a resource": POST "/Users/{user}" r"{}" => 405;
    "POST to the schemas": POST "/Schemas" r"{}" => 405;
    "PUT of the service provider configuration": PUT "/ServiceProviderConfig" r"{}" => 405;
    "a method that does not exist": BREW "/Users" => 405;
    "an endpoint that does not exist": GET "/Nobody" => 404;
    "a path below a user": GET "/Users/{user}/name" => 404;
    "an id of one digit": GET "/Users/0" => 404;
    "an id of thirty digits": GET "/Users/010101001010101011001010101011" => 404;
    "a space as id": GET "/Users/%20" => 404;
    "an encoded slash in an id": GET "/Users/a%2Fb" => 404;
    "a schema that does not exist": GET "/Schemas/urn:nobody" => 404;
    "a resource type that does not exist": GET "/ResourceTypes/Nobody" => 404;
    "a group that does not exist": GET "/Groups/1" => 404;
    "PUT of an unknown user": PUT "/Users/00000000-0000-8000-8000-000000000000"
        r#"{"userName":"a"}"# => 404;
    "PATCH of an unknown user": PATCH "/Users/00000000-0000-8000-8000-000000000000"
        r#"{"Operations":[]}"# => 404;
    "DELETE of an unknown user": DELETE "/Users/00000000-0000-8000-8000-000000000000" => 404;
    // Replace
    "PUT without userName": PUT "/Users/{user}" r"{}" => 400 "invalidValue";
    "PUT of an array": PUT "/Users/{user}" r"[]" => 400 "invalidSyntax";
    "PUT of a userName that is taken": PUT "/Users/{user}"
        r#"{"userName":"taken@example.com"}"# => 409 "uniqueness";
    "POST of a userName that is taken in another case": POST "/Users"
        r#"{"userName":"TAKEN@example.com"}"# => 409 "uniqueness";
    // Groups
    "a group without displayName": POST "/Groups" r"{}" => 400 "invalidValue";
    "an empty displayName": POST "/Groups" r#"{"displayName":""}"# => 400 "invalidValue";
    "a displayName that is taken in another case": POST "/Groups"
        r#"{"displayName":"STAFF"}"# => 409 "uniqueness";
    "a member without value": POST "/Groups"
        r#"{"displayName":"a","members":[{"display":"nobody"}]}"# => 400 "invalidValue";
    "a new group with an unknown member": POST "/Groups"
        r#"{"displayName":"a","members":[{"value":"nobody"}]}"# => 400 "invalidValue";
    "a member id with a reserved character": POST "/Groups"
        r#"{"displayName":"a","members":[{"value":"a#b"}]}"# => 400 "invalidValue";
    "PUT of a group with an unknown member": PUT "/Groups/{group}"
        r#"{"displayName":"a","members":[{"value":"nobody"}]}"# => 400 "invalidValue";
    "PUT of a displayName that is taken": PUT "/Groups/{group}"
        r#"{"displayName":"Other"}"# => 409 "uniqueness";
    "PUT of a user's id as a group": PUT "/Groups/{user}" r#"{"displayName":"a"}"# => 404;
    "DELETE of a user's id as a group": DELETE "/Groups/{user}" => 404;
    "DELETE of a group's id as a user": DELETE "/Users/{group}" => 404;
    "a group as a member of itself": PATCH "/Groups/{group}"
        r#"{"Operations":[{"op":"add","path":"members","value":[{"value":"{group}"}]}]}"#
        => 400 "invalidValue";
    "an unknown member beside a known one": PATCH "/Groups/{group}"
        r#"{"Operations":[{"op":"add","path":"members",
            "value":[{"value":"{user}"},{"value":"nobody"}]}]}"#
        => 400 "invalidValue";
    "replacing a sub-attribute of a member": PATCH "/Groups/{group}"
        r#"{"Operations":[{"op":"replace","value":"a",
            "path":"members[value eq \"{user}\"].display"}]}"#
        => 400 "mutability";
    "adding a member to an unknown group": PATCH "/Groups/nobody"
        r#"{"Operations":[{"op":"add","path":"members","value":[{"value":"{user}"}]}]}"# => 404;
    // PATCH
    "a PATCH without operations": PATCH "/Users/{user}" r"{}" => 400 "invalidSyntax";
    "operations that are an object": PATCH "/Users/{user}"
        r#"{"Operations":{}}"# => 400 "invalidSyntax";
    "an operation that is a number": PATCH "/Users/{user}"
        r#"{"Operations":[1]}"# => 400 "invalidSyntax";
    "an operation without op": PATCH "/Users/{user}"
        r#"{"Operations":[{"path":"title","value":"a"}]}"# => 400 "invalidSyntax";
    "an unknown op": PATCH "/Users/{user}"
        r#"{"Operations":[{"op":"move","path":"title","value":"a"}]}"# => 400 "invalidSyntax";
    "remove without a path": PATCH "/Users/{user}"
        r#"{"Operations":[{"op":"remove"}]}"# => 400 "noTarget";
    "add without a value": PATCH "/Users/{user}"
        r#"{"Operations":[{"op":"add","path":"title"}]}"# => 400 "invalidValue";
    "add of a string without a path": PATCH "/Users/{user}"
        r#"{"Operations":[{"op":"add","value":"a"}]}"# => 400 "invalidValue";
    "a number as path": PATCH "/Users/{user}"
        r#"{"Operations":[{"op":"add","path":5,"value":"a"}]}"# => 400 "invalidPath";
    "a number as title": PATCH "/Users/{user}"
        r#"{"Operations":[{"op":"add","path":"title","value":5}]}"# => 400 "invalidValue";
    "a path whose bracket stays open": PATCH "/Users/{user}"
        r#"{"Operations":[{"op":"add","path":"emails[","value":"a"}]}"# => 400 "invalidPath";
    "a value filter on a single-valued attribute": PATCH "/Users/{user}"
        r#"{"Operations":[{"op":"add","path":"title[a eq 1]","value":"a"}]}"# => 400 "invalidPath";
    "a value filter without an operator": PATCH "/Users/{user}"
        r#"{"Operations":[{"op":"add","path":"emails[type]","value":"a"}]}"# => 400 "invalidFilter";
    "replacing the id": PATCH "/Users/{user}"
        r#"{"Operations":[{"op":"replace","path":"id","value":"a"}]}"# => 400 "mutability";
    "replacing meta": PATCH "/Users/{user}"
        r#"{"Operations":[{"op":"replace","path":"meta.created","value":"a"}]}"#
        => 400 "mutability";
    "removing userName": PATCH "/Users/{user}"
        r#"{"Operations":[{"op":"remove","path":"userName"}]}"# => 400 "mutability";
    "replacing userName by one that is taken": PATCH "/Users/{user}"
        r#"{"Operations":[{"op":"replace","path":"userName","value":"taken@example.com"}]}"#
        => 409 "uniqueness";
    // Queries
    "a filter without an operator": GET "/Users?filter=userName" => 400 "invalidFilter";
    "a filter with an unknown operator": GET "/Users?filter=userName%20is%20%22a%22"
        => 400 "invalidFilter";
    "a filter whose string stays open": GET "/Users?filter=userName%20eq%20%22a"
        => 400 "invalidFilter";
    "a filter whose parenthesis stays open": GET "/Users?filter=(userName%20eq%20%22a%22"
        => 400 "invalidFilter";
    "an order of booleans": GET "/Users?filter=active%20gt%20true" => 400 "invalidFilter";
    "two filters": GET "/Users?filter=userName%20eq%20%22a%22&filter=title%20pr"
        => 400 "invalidFilter";
    "a filter of groups without an operator": GET "/Groups?filter=displayName"
        => 400 "invalidFilter";
    "a startIndex that is a word": GET "/Users?startIndex=one" => 400 "invalidValue";
    "a count that is a fraction": GET "/Users?count=1.5" => 400 "invalidValue";
};

/// Media types that are refused with 415.
const MEDIA_TYPES: &[(&str, &str)] = &[
    ("a form", "application/x-www-form-urlencoded"),
    ("plain text", "text/plain"),
    ("a charset other than UTF-8", "application/scim+json; charset=utf-16"),
];

/// The table's rows, in an order that does not change.
async fn snapshot(world: &World) -> Vec<String> {
    let describe =
        |row: Row| format!("{:?}", row.0.into_iter().collect::<std::collections::BTreeMap<_, _>>());
    let mut rows: Vec<_> = world.rows_of_directories().await.into_iter().map(describe).collect();
    rows.sort();
    rows
}

#[tokio::test]
async fn bad_input_is_a_scim_error_and_writes_nothing() {
    let world = World::new().await;
    world.create(json!({ "userName": "taken@example.com" })).await;
    let user = world.user(json!({ "userName": "a@example.com" })).await;
    world.group("Other", &[]).await;
    let group = world.group("Staff", &[user.id().to_owned()]).await;
    let before = snapshot(&world).await;
    let fill = |text: &str| text.replace("{user}", user.id()).replace("{group}", group.id());
    for Case { name, method, path, body, status, scim_type } in CASES {
        let has_body = ["POST", "PUT", "PATCH"].contains(method);
        let content_type = if has_body { JSON } else { None };
        let answer = world.send_text(method, &fill(path), content_type, fill(body)).await;
        assert_eq!(answer.status, *status, "{name}: {}", answer.body);
        assert_eq!(answer.body["scimType"].as_str(), *scim_type, "{name}: {}", answer.body);
        assert_eq!(answer.headers.contains_key("allow"), *status == 405, "{name}");
        answer.is_error(*status, *scim_type);
    }
    for (name, media_type) in MEDIA_TYPES {
        let body = r#"{"userName":"a"}"#;
        let answer = world.send_text("POST", "/Users", Some(media_type), body).await;
        assert_eq!(answer.status, 415, "{name}: {}", answer.body);
        answer.is_error(415, None);
    }
    assert_eq!(snapshot(&world).await, before);
}

#[tokio::test]
async fn odd_but_harmless_input_is_accepted() {
    let world = World::new().await;
    for (name, content_type, body) in [
        ("no schemas", JSON, r#"{"userName":"@@"}"#),
        ("null schemas", Some("application/json"), r#"{"userName":"@@","schemas":null}"#),
        (
            "an old schema, and names in another case",
            Some("application/json;charset=UTF-8"),
            r#"{"USERNAME":"@@","schemas":["urn:scim:schemas:core:1.0"]}"#,
        ),
        (
            "one e-mail without an array, and no content type",
            None,
            r#"{"userName":"@@","emails":{"value":"a@example.com"}}"#,
        ),
        (
            "an extension's attribute by its full name",
            JSON,
            r#"{"userName":"@@",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":"x"}"#,
        ),
        (
            "empty values",
            JSON,
            r#"{"userName":"@@","emails":[],"phoneNumbers":null,"title":"","name":{}}"#,
        ),
        ("a boolean as a word", JSON, r#"{"userName":"@@","active":"TRUE","id":"","meta":{}}"#),
        (
            "a bare manager, and the extension in another case",
            JSON,
            r#"{"userName":"@@","urn:ietf:params:scim:schemas:extension:enterprise:2.0:user":
                {"Manager":"26118915"}}"#,
        ),
    ] {
        let body = body.replace("@@", name);
        let answer = world.send_text("POST", "/Users", content_type, body).await;
        assert_eq!(answer.status, 201, "{name}: {}", answer.body);
    }
    for path in [
        "/Users/",
        "//Users",
        "/Users?",
        "/Users?&",
        "/users?aadOptscim062020&filter=userName+eq+user1",
        "/Users?filter=",
    ] {
        assert_eq!(world.send_text("GET", path, Some("text/html"), "").await.status, 200, "{path}");
    }
}
