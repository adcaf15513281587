//! The letter of the RFCs, under the strict profile; and that the tolerant one understands the
//! same.

use scim_lambda::auth::token::PlainToken;
use serde_json::{Value, json};

use crate::support::customer::Customer;
use crate::support::handles::id;
use crate::support::{Answer, ENTERPRISE, GROUP, USER, World};

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";

/// A resource of each type under a profile, by their paths.
struct Parties {
    world: World,
    token: PlainToken,
    user: String,
    group: String,
}

impl Parties {
    async fn of(profile: &str) -> Self {
        let world = World::new().await;
        let (_, token) = world.tenant("party", profile).await;
        let create = async |endpoint: &str, body: Value| {
            let made = world.send_as(&token, "POST", endpoint, body).await;
            assert_eq!(made.status, 201, "{}", made.body);
            format!("{endpoint}/{}", id(&made.body))
        };
        let user = create(
            "/Users",
            user(json!({ "title": "Dr", "emails": [{ "value": "a@example.com" }] })),
        )
        .await;
        let group = create("/Groups", json!({ "schemas": [GROUP], "displayName": "Staff" })).await;
        Self { world, token, user, group }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        self.world.send_as(&self.token, method, path, body).await
    }

    async fn patch(&self, path: &str, operation: Value) -> Answer {
        self.send("PATCH", path, json!({ "schemas": [PATCH], "Operations": [operation] })).await
    }

    /// The answers to the same attribute in a POST, a PUT, and PATCH by path and by value.
    async fn each_way(&self, path: &str, attribute: &str, value: &Value) -> Vec<Answer> {
        let whole = |name: &str| {
            if path == self.user {
                user(json!({ "userName": name, attribute: value }))
            } else {
                json!({ "schemas": [GROUP], "displayName": name, attribute: value })
            }
        };
        let endpoint = path.rsplit_once('/').unwrap().0;
        let mut answers = vec![
            self.send("POST", endpoint, whole("new@example.com")).await,
            self.send("PUT", path, whole("a@example.com")).await,
        ];
        for op in ["add", "replace"] {
            answers.push(
                self.patch(path, json!({ "op": op, "path": attribute, "value": value })).await,
            );
            answers
                .push(self.patch(path, json!({ "op": op, "value": { attribute: value } })).await);
        }
        answers
    }
}

fn user(more: Value) -> Value {
    let mut user = json!({ "schemas": [USER, ENTERPRISE], "userName": "a@example.com" });
    user.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    user
}

#[tokio::test]
async fn strict_refuses_a_value_of_another_type_and_changes_nothing() {
    let strict = Parties::of("strict").await;
    let before = strict.send("GET", &strict.user, Value::Null).await.body;
    for (attribute, value) in [
        ("emails", json!("b@example.com")),
        ("emails", json!({ "value": "b@example.com" })),
        ("emails", json!(["b@example.com"])),
        ("emails", json!("")),
        ("displayName", json!(["A"])),
        ("displayName", json!([{ "value": "A" }])),
        ("name", json!("Ann B")),
        ("name", json!([{ "givenName": "Ann" }])),
        ("active", json!("true")),
        ("active", json!("")),
        (MANAGER, json!("42")),
        (MANAGER, json!([{ "value": "42" }])),
    ] {
        for (way, answer) in
            strict.each_way(&strict.user, attribute, &value).await.iter().enumerate()
        {
            assert_eq!(answer.status, 400, "{attribute} {value}, way {way}: {}", answer.body);
            answer.is_error(400, Some("invalidValue"));
        }
    }
    let id = strict.user.rsplit('/').next().unwrap();
    for value in [json!(id), json!({ "value": id }), json!([id]), json!("")] {
        for (way, answer) in
            strict.each_way(&strict.group, "members", &value).await.iter().enumerate()
        {
            assert_eq!(answer.status, 400, "members {value}, way {way}: {}", answer.body);
            answer.is_error(400, Some("invalidValue"));
        }
    }
    for (method, path, body) in [
        ("POST", "/Users", user(json!({ "displayName": [] }))),
        ("PUT", strict.user.as_str(), user(json!({ "displayName": [] }))),
    ] {
        strict.send(method, path, body).await.is_error(400, Some("invalidValue"));
    }
    let empty = json!({ "op": "replace", "path": "displayName", "value": [] });
    strict.patch(&strict.user, empty).await.is_error(400, Some("invalidValue"));
    let one = json!({ "op": "add", "path": "emails[type eq \"work\"]", "value": [{ "value": "b@example.com" }] });
    strict.patch(&strict.user, one).await.is_error(400, Some("invalidValue"));
    assert_eq!(strict.send("GET", &strict.user, Value::Null).await.body, before);
    assert_eq!(strict.send("GET", &strict.group, Value::Null).await.body["members"], json!([]));
    // Values of the right types pass in every request, and "no value" of any attribute is null.
    for (attribute, value) in [
        ("emails", json!([{ "value": "b@example.com" }])),
        ("emails", json!([])),
        ("displayName", json!("A")),
        ("name", json!({ "givenName": "Ann" })),
        ("active", json!(true)),
        (MANAGER, json!({ "value": "42" })),
    ] {
        for answer in strict.each_way(&strict.user, attribute, &value).await {
            assert!(
                matches!(answer.status.as_u16(), 200 | 201 | 409),
                "{attribute} {value}: {}",
                answer.body
            );
        }
    }
    for attribute in ["emails", "displayName", "name", MANAGER] {
        let nothing = json!({ "op": "replace", "path": attribute, "value": null });
        assert_eq!(strict.patch(&strict.user, nothing).await.status, 200, "{attribute}");
    }
}

#[tokio::test]
async fn the_tolerant_profile_understands_what_strict_refuses() {
    let tolerant = Parties::of("default").await;
    for (attribute, value) in [
        ("emails", json!("b@example.com")),
        ("emails", json!({ "value": "b@example.com" })),
        ("displayName", json!(["A"])),
        ("active", json!("true")),
        (MANAGER, json!("42")),
        (MANAGER, json!([{ "value": "42" }])),
    ] {
        for answer in tolerant.each_way(&tolerant.user, attribute, &value).await {
            assert!(
                matches!(answer.status.as_u16(), 200 | 201 | 409),
                "{attribute} {value}: {}",
                answer.body
            );
        }
    }
    let id = tolerant.user.rsplit('/').next().unwrap();
    let joined = tolerant
        .send("PUT", &tolerant.group, json!({ "displayName": "Staff", "members": id }))
        .await;
    assert_eq!(joined.body["members"][0]["value"], id);
}

#[tokio::test]
async fn strict_refuses_missing_and_wrong_schemas() {
    let strict = Parties::of("strict").await;
    let without = |schemas: Option<Value>, body: Value| {
        let mut body = body;
        match schemas {
            Some(schemas) => body["schemas"] = schemas,
            None => drop(body.as_object_mut().unwrap().remove("schemas")),
        }
        body
    };
    let operations =
        json!({ "Operations": [{ "op": "replace", "path": "title", "value": "Prof" }] });
    for schemas in [
        None,
        Some(Value::Null),
        Some(json!([])),
        Some(json!(USER)),
        Some(json!(["urn:scim:schemas:core:1.0"])),
        Some(json!([USER, GROUP])),
        Some(json!([ENTERPRISE])),
        Some(json!([PATCH, USER])),
    ] {
        let body = without(schemas.clone(), user(json!({})));
        strict.send("POST", "/Users", body.clone()).await.is_error(400, Some("invalidSyntax"));
        let put = strict.send("PUT", &strict.user, body).await;
        put.is_error(400, Some("invalidSyntax"));
        assert!(put.body["detail"].as_str().unwrap().contains(USER), "{}", put.body);
        let group = without(schemas.clone(), json!({ "displayName": "Crew" }));
        strict.send("POST", "/Groups", group).await.is_error(400, Some("invalidSyntax"));
    }
    for schemas in [None, Some(json!([])), Some(json!([USER])), Some(json!(["urn:x:PatchOp"]))] {
        let patch = strict.send("PATCH", &strict.user, without(schemas, operations.clone())).await;
        patch.is_error(400, Some("invalidSyntax"));
        assert!(patch.body["detail"].as_str().unwrap().contains(PATCH), "{}", patch.body);
    }
    assert_eq!(strict.send("GET", &strict.user, Value::Null).await.body["title"], "Dr");
    // In any order, ignoring case, and an extension need not be named.
    for schemas in [json!([USER]), json!([ENTERPRISE, USER]), json!([USER.to_uppercase()])] {
        let body = without(Some(schemas), user(json!({ ENTERPRISE: { "department": "d" } })));
        assert_eq!(strict.send("PUT", &strict.user, body).await.status, 200);
    }
    // The tolerant profile takes what identity providers send.
    let tolerant = Parties::of("default").await;
    let legacy = without(Some(json!(["urn:scim:schemas:core:1.0"])), user(json!({})));
    assert_eq!(tolerant.send("PUT", &tolerant.user, legacy).await.status, 200);
    assert_eq!(tolerant.send("PATCH", &tolerant.user, operations).await.body["title"], "Prof");
}

#[tokio::test]
async fn strict_refuses_to_add_null_or_an_empty_string() {
    let strict = Parties::of("strict").await;
    let group = &strict.group;
    for (path, attribute) in [
        (&strict.user, "title"),
        (&strict.user, "emails"),
        (&strict.user, MANAGER),
        (group, "members"),
    ] {
        for void in [Value::Null, json!("")] {
            for operation in [
                json!({ "op": "add", "path": attribute, "value": void }),
                json!({ "op": "add", "value": { attribute: void } }),
            ] {
                let refused = strict.patch(path, operation.clone()).await;
                assert_eq!(refused.status, 400, "{operation}");
                refused.is_error(400, Some("invalidValue"));
            }
        }
    }
    let within =
        json!({ "op": "add", "path": "name", "value": { "givenName": null, "familyName": "B" } });
    strict.patch(&strict.user, within).await.is_error(400, Some("invalidValue"));
    let urn = json!({ "op": "add", "path": ENTERPRISE, "value": null });
    strict.patch(&strict.user, urn).await.is_error(400, Some("invalidValue"));
    assert_eq!(strict.send("GET", &strict.user, Value::Null).await.body["title"], "Dr");
    // Entra removes values this way, and the tolerant profile allows it.
    let tolerant = Parties::of("default").await;
    for (attribute, void) in [("title", Value::Null), ("emails", json!(""))] {
        let gone = tolerant
            .patch(&tolerant.user, json!({ "op": "Add", "path": attribute, "value": void }))
            .await;
        assert_eq!((gone.status.as_u16(), gone.body.get(attribute)), (200, None));
    }
}

#[tokio::test]
async fn an_empty_list_adds_and_removes_nothing_under_any_profile() {
    for profile in ["default", "strict"] {
        let party = Parties::of(profile).await;
        let full = user(json!({
            "title": "Dr", "name": { "givenName": "Ann", "familyName": "B" },
            "emails": [{ "value": "w@example.com", "type": "work" }, { "value": "h@example.com", "type": "home" }],
            ENTERPRISE: { "department": "Sales", "manager": { "value": "42" } },
        }));
        let before = party.send("PUT", &party.user, full).await.body;
        let id = party.user.rsplit('/').next().unwrap();
        let staff =
            json!({ "schemas": [GROUP], "displayName": "Staff", "members": [{ "value": id }] });
        let group = party.send("PUT", &party.group, staff).await.body;
        assert_eq!(
            (&before["emails"][1]["type"], &group["members"][0]["value"]),
            (&json!("home"), &json!(id))
        );
        let paths =
            ["title", "emails", "emails.value", "name", "name.givenName", MANAGER, ENTERPRISE];
        for path in
            paths.into_iter().chain(["emails[type eq \"work\"]", "emails[type eq \"work\"].value"])
        {
            let answer =
                party.patch(&party.user, json!({ "op": "add", "path": path, "value": [] })).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.body),
                (200, &before),
                "{profile}: add {path}"
            );
        }
        for path in paths {
            let answer = party
                .patch(&party.user, json!({ "op": "remove", "path": path, "value": [] }))
                .await;
            assert_eq!(
                (answer.status.as_u16(), &answer.body),
                (200, &before),
                "{profile}: remove {path}"
            );
        }
        let without_path = json!({ "op": "add", "value": {
            "title": [], "emails": [], "name": { "givenName": [] }, ENTERPRISE: { "department": [] },
        } });
        assert_eq!(party.patch(&party.user, without_path).await.body, before, "{profile}");
        for operation in [
            json!({ "op": "add", "path": "members", "value": [] }),
            json!({ "op": "add", "value": { "members": [] } }),
            json!({ "op": "remove", "path": "members", "value": [] }),
        ] {
            let answer = party.patch(&party.group, operation.clone()).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.body),
                (200, &group),
                "{profile}: {operation}"
            );
        }
        // The member that the path names goes, and a replacement by nothing removes all.
        let by_filter = json!({ "op": "remove", "path": "emails[type eq \"work\"]", "value": [] });
        assert_eq!(
            party.patch(&party.user, by_filter).await.body["emails"].as_array().unwrap().len(),
            1
        );
        let by_nothing = json!({ "op": "replace", "path": "emails", "value": [] });
        assert_eq!(party.patch(&party.user, by_nothing).await.body.get("emails"), None);
    }
}

#[tokio::test]
async fn an_import_file_is_read_tolerantly_under_strict() {
    let customer = Customer::new("strict").await;
    let report = customer
        .import(&[json!({ "userName": "a", "emails": "a@example.com", "active": "true" })])
        .await;
    assert!(report.is_clean(), "{report:?}");
}
