//! Policies of a profile that interact, with each other or with a change of the profile.

use std::sync::Arc;

use scim_lambda::tenant::Profile;
use serde_json::{Value, json};

use crate::support::customer::{Customer, profile};
use crate::support::handles::user_path;
use crate::support::{ENTERPRISE, USER, World};

#[tokio::test]
async fn a_unique_external_id_has_one_visible_owner() {
    for deleted in ["restore", "new"] {
        let settings = [("attributes.unique_external_id", "true"), ("create.deleted", deleted)];
        let customer = Customer::with("default", &settings).await;
        let gone = customer.create(json!({ "userName": "gone", "externalId": "1" })).await;
        customer
            .post(json!({ "userName": "x", "externalId": "1" }))
            .await
            .is_error(409, Some("uniqueness"));
        assert_eq!(customer.delete(&gone).await.status, 204);
        let one = customer.create(json!({ "userName": "one" })).await;
        let two = customer.create(json!({ "userName": "two" })).await;
        assert_eq!(
            customer.set(&one, "externalId", json!("1")).await.status,
            200,
            "from who is gone"
        );
        customer.set(&two, "externalId", json!("1")).await.is_error(409, Some("uniqueness"));
        customer
            .post(json!({ "userName": "y", "externalId": "1" }))
            .await
            .is_error(409, Some("uniqueness"));
        customer.restore(&gone).await.unwrap();
        assert_eq!(customer.get(&gone).await.body.get("externalId"), None, "another user has it");
        assert_eq!(customer.find("externalId eq \"1\"").await.len(), 1);
    }
    let shared = Customer::new("default").await;
    shared.create(json!({ "userName": "a", "externalId": "1" })).await;
    shared.create(json!({ "userName": "b", "externalId": "1" })).await;
    assert_eq!(shared.find("externalId eq \"1\"").await.len(), 2, "by default it is not unique");
}

#[tokio::test]
async fn a_user_without_a_newly_required_attribute_can_still_be_deactivated() {
    let mut customer = Customer::new("default").await;
    let one = customer.create(json!({ "userName": "a" })).await;
    let two = customer.create(json!({ "userName": "b" })).await;
    customer.change(&profile("default", &[("attributes.required", "[\"emails\"]")])).await;
    customer.post(json!({ "userName": "c" })).await.is_error(400, Some("invalidValue"));
    assert_eq!(customer.activate(&one, false).await.body["active"], false);
    customer
        .put(&two, json!({ "userName": "b", "active": true }))
        .await
        .is_error(400, Some("invalidValue"));
    assert_eq!(
        customer.put(&two, json!({ "userName": "b", "active": false })).await.body["active"],
        false
    );
    customer.put(&two, json!({ "active": false })).await.is_error(400, Some("invalidValue"));
    // A request that does not mention active leaves it as it is.
    let kept = customer.put(&two, json!({ "userName": "b", "title": "Dr" })).await;
    assert_eq!((kept.status.as_u16(), &kept.body["active"]), (200, &json!(false)));
    customer
        .put(&two, json!({ "userName": "b", "active": true }))
        .await
        .is_error(400, Some("invalidValue"));
    let whole =
        customer.create(json!({ "userName": "d", "emails": [{ "value": "d@example.com" }] })).await;
    customer
        .patch(&whole, json!([{ "op": "remove", "path": "emails" }]))
        .await
        .is_error(400, Some("mutability"));
}

#[tokio::test]
async fn an_error_names_the_required_attribute_and_what_to_map() {
    let department = format!("{ENTERPRISE}:department");
    let level = json!([{ "name": "level", "type": "string", "required": true }]);
    for (setting, idp, value, advice) in [
        (
            "attributes.required",
            "entra",
            json!([department]),
            format!("In Entra ID, map department to {department}."),
        ),
        (
            "attributes.required",
            "other",
            json!([department]),
            format!("mapping, map a value to {department}."),
        ),
        (
            "attributes.required",
            "okta",
            json!(["emails.value"]),
            "In Okta, map user.email to emails.value.".into(),
        ),
        ("attributes.overlay", "entra", level, "mapping, map a value to level.".into()),
    ] {
        let mut customer = Customer::new("default").await;
        let user = customer.create(json!({ "userName": "before" })).await;
        customer
            .change(&profile("default", &[("dialect.idp", idp), (setting, &value.to_string())]))
            .await;
        let refused = customer.post(json!({ "userName": "a" })).await;
        refused.is_error(400, Some("invalidValue"));
        assert!(refused.body["detail"].as_str().unwrap().ends_with(&advice), "{}", refused.body);
        assert_eq!(
            customer.put(&user, json!({ "userName": "a", "active": false })).await.status,
            200,
            "{advice}"
        );
    }
}

#[tokio::test]
async fn a_shorter_closed_list_does_not_block_changes_of_users() {
    let role = |values: Value| {
        let role = json!([{ "name": "role", "type": "string", "canonicalValues": values, "closed": true }]);
        profile("default", &[("attributes.overlay", &role.to_string())])
    };
    let mut customer = Customer::new("default").await;
    customer.change(&role(json!(["a", "b"]))).await;
    let one = customer.create(json!({ "userName": "one", "role": "b" })).await;
    let two = customer.create(json!({ "userName": "two", "role": "b" })).await;
    customer.change(&role(json!(["a"]))).await;
    customer
        .post(json!({ "userName": "new", "role": "b" }))
        .await
        .is_error(400, Some("invalidValue"));
    let put = customer.put(&one, json!({ "userName": "one", "role": "b", "active": false })).await;
    assert_eq!(
        (put.status.as_u16(), &put.body["active"], &put.body["role"]),
        (200, &json!(false), &json!("b"))
    );
    let both = json!([{ "op": "replace", "value": { "active": false, "role": "b" } }]);
    assert_eq!(customer.patch(&two, both).await.body["active"], false);
    assert_eq!(customer.set(&two, "role", json!("A")).await.body["role"], "a");
    let refused = customer.set(&two, "role", json!("b")).await;
    refused.is_error(400, Some("invalidValue"));
    assert_eq!(refused.body["detail"], "role must be one of: a.");
}

#[tokio::test]
async fn write_only_values_are_never_shown() {
    let overlay = json!([{ "name": "wo", "type": "string", "mutability": "writeOnly" }, { "name": "card",
        "type": "complex", "subAttributes": [
            { "name": "pin", "type": "string", "mutability": "writeOnly", "returned": "always" },
            { "name": "number", "type": "integer" },
        ] }]);
    let customer = Customer::with("default", &[("attributes.overlay", &overlay.to_string())]).await;
    let body = json!({ "userName": "a", "wo": "secret", "card": { "pin": "secret", "number": 1 } });
    let user = customer.create(body).await;
    assert_eq!((user.get("wo"), &user["card"]), (None, &json!({ "number": 1 })));
    let asked = format!("{}?attributes=wo,card.pin", user_path(&user));
    for answer in
        [customer.send("GET", &asked, None).await, customer.set(&user, "wo", json!("secret")).await]
    {
        assert!(
            answer.status == 200 && !answer.body.to_string().contains("secret"),
            "{}",
            answer.body
        );
    }
    assert!(customer.find("wo eq \"secret\"").await.is_empty());
    let schema = customer.send("GET", &format!("/Schemas/{USER}"), None).await.body;
    let wo = schema["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|attribute| attribute["name"] == "wo")
        .unwrap();
    assert_eq!((&wo["mutability"], &wo["returned"]), (&json!("writeOnly"), &json!("never")));
}

#[tokio::test]
async fn an_error_about_a_sub_attribute_names_its_attribute() {
    let overlay = json!([{ "name": "badge", "type": "complex", "subAttributes": [
        { "name": "level", "type": "string", "canonicalValues": ["gold", "silver"], "closed": true },
        { "name": "n", "type": "integer" },
    ] }]);
    let customer = Customer::with("default", &[("attributes.overlay", &overlay.to_string())]).await;
    for (badge, said) in [
        (json!({ "level": "tin" }), "badge.level must be one of: gold, silver."),
        (json!({ "n": "x" }), "badge.n must be a 64-bit integer."),
    ] {
        let refused = customer.post(json!({ "userName": "a", "badge": badge })).await;
        assert_eq!((refused.status.as_u16(), &refused.body["detail"]), (400, &json!(said)));
    }
}

#[tokio::test]
async fn discovery_shows_derived_addresses_and_bare_tokens() {
    for (preset, mutability, alone) in
        [("zulip", "readOnly", true), ("default", "readWrite", false)]
    {
        let customer = Customer::new(preset).await;
        let schema = customer.send("GET", &format!("/Schemas/{USER}"), None).await.body;
        let emails = schema["attributes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|a| a["name"] == "emails")
            .unwrap();
        assert_eq!(
            (&emails["mutability"], &emails["subAttributes"][0]["mutability"]),
            (&json!(mutability), &json!(mutability))
        );
        let config = customer.send("GET", "/ServiceProviderConfig", None).await.body;
        let scheme = config["authenticationSchemes"][0]["description"].as_str().unwrap();
        assert_eq!(scheme.contains("alone"), alone, "{scheme}");
    }
    let zulip = Customer::new("zulip").await;
    let name = json!({ "givenName": "B", "familyName": "J" });
    let body = json!({ "userName": "a@example.com", "name": name, "emails": [{ "value": "b@example.com" }] });
    let user = zulip.create(body.clone()).await;
    for answer in [
        zulip.put(&user, body).await,
        zulip.set(&user, "emails[type eq \"work\"].value", json!("c@example.com")).await,
        zulip.set(&user, "emails", json!([{ "value": "d@example.com" }])).await,
    ] {
        assert_eq!(
            (answer.status.as_u16(), &answer.body["emails"][0]["value"]),
            (200, &json!("a@example.com"))
        );
    }
}

#[tokio::test]
async fn a_deactivation_succeeds_after_the_profile_has_changed() {
    let mut customer = Customer::new("default").await;
    let user = customer
        .create(json!({ "userName": "a@example.com", "emails": [{ "value": "b@example.com" }] }))
        .await;
    let settings = [("operations.update", "off"), ("attributes.email", "from_user_name")];
    customer.change(&profile("default", &settings)).await;
    let deactivated = customer.activate(&user, false).await;
    assert_eq!((deactivated.status.as_u16(), &deactivated.body["active"]), (200, &json!(false)));
    customer.set(&user, "title", json!("Dr")).await.is_error(403, None);
}

#[tokio::test]
async fn a_bad_token_reveals_nothing_about_the_tenant() {
    let world = Arc::new(World::new().await);
    let mut answers = Vec::new();
    for (preset, settings) in [
        ("default", &[][..]),
        ("zulip", &[]),
        ("default", &[("address.host", "acme.example.com")]),
        ("default", &[("groups.enabled", "false")]),
    ] {
        let customer = Customer::of(&world, preset, settings).await;
        // A token of the right form, of this tenant, that was never issued.
        let forged = scim_lambda::auth::token::PlainToken::generate(customer.row.code()).unwrap();
        for header in [forged.reveal().to_owned(), format!("Bearer {}", forged.reveal())] {
            let answer = customer.raw("/scim/v2/Users", &[("authorization", &header)]).await;
            answer.is_error(401, None);
            answers.push(answer.body.to_string());
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn the_filter_of_a_path_cannot_add_a_value_outside_a_closed_list() {
    let overlay = json!([{ "name": "badges", "type": "complex", "multiValued": true, "subAttributes": [
        { "name": "value", "type": "string" },
        { "name": "type", "type": "string", "canonicalValues": ["gold", "silver"], "closed": true },
    ] }]);
    let customer = Customer::with("default", &[("attributes.overlay", &overlay.to_string())]).await;
    let user = customer.create(json!({ "userName": "a" })).await;
    let refused = customer.set(&user, "badges[type eq \"tin\"].value", json!("1")).await;
    refused.is_error(400, Some("invalidValue"));
    assert!(refused.body["detail"].as_str().unwrap().contains("gold, silver"), "{}", refused.body);
    let set = customer.set(&user, "badges[type eq \"Gold\"].value", json!("1")).await;
    assert_eq!(set.body["badges"], json!([{ "type": "gold", "value": "1" }]));
}

#[tokio::test]
async fn a_user_shows_no_groups_where_groups_are_off() {
    let mut customer = Customer::new("default").await;
    let user = customer.create(json!({ "userName": "a" })).await;
    let group = json!({ "displayName": "G", "members": [{ "value": user["id"] }] });
    assert_eq!(customer.send("POST", "/Groups", group).await.status, 201);
    let path = format!("{}?attributes=groups", user_path(&user));
    assert_eq!(customer.send("GET", &path, None).await.body["groups"].as_array().unwrap().len(), 1);
    customer.change(&profile("default", &[("groups.enabled", "false")])).await;
    assert_eq!(customer.send("GET", &path, None).await.body.get("groups"), None);
}

#[test]
fn attributes_that_the_service_relies_on_cannot_be_overlaid() {
    let refused = |path: &str, value: Value| {
        Profile::default().with(path, &value.to_string()).unwrap_err().to_string()
    };
    for name in ["active", "userName", "emails", "groups", "password", "id"] {
        let why = refused("attributes.overlay", json!([{ "name": name, "type": "string" }]));
        assert!(why.contains(name), "{why}");
    }
    let closed =
        json!([{ "name": "level", "type": "integer", "canonicalValues": ["1"], "closed": true }]);
    assert!(refused("attributes.overlay", closed).contains("must be a string"));
    for id in ["userName", "urn:ietf:params:scim:schemas:core:2.0:User"] {
        let why =
            refused("attributes.extensions", json!([{ "id": id, "name": "X", "attributes": [] }]));
        assert!(why.contains("URN of your own"), "{why}");
    }
    assert!(refused("dialect.idp", json!("nonsense")).contains("nonsense"));
    let some =
        Profile::preset("holaspirit", None).unwrap().with("attributes.required", "[\"addresses\"]");
    assert!(some.unwrap_err().to_string().contains("some values only"));
}

#[tokio::test]
async fn a_failed_circle_in_a_bulk_request_keeps_the_users_that_existed() {
    let hoxhunt = Customer::new("hoxhunt").await;
    let report = hoxhunt.import(&[json!({ "userName": "imported", "title": "Dr" })]).await;
    let leaver = hoxhunt.create(json!({ "userName": "leaver", "externalId": "l" })).await;
    assert_eq!(hoxhunt.send("DELETE", &user_path(&leaver), None).await.status, 204);
    hoxhunt.create(json!({ "userName": "taken" })).await;
    let post = |bulk_id: &str, name: &str, manager: &str| {
        let manager = json!({ "manager": { "value": format!("bulkId:{manager}") } });
        let data = json!({ "userName": name, "externalId": &name[..1], ENTERPRISE: manager });
        json!({ "method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data })
    };
    for (name, id) in [
        ("imported", report.lines[0].id.as_ref().map(|id| id.as_str())),
        ("leaver", leaver["id"].as_str()),
        ("new", None),
        ("new", None),
    ] {
        let operations = json!([post("2", "taken", "1"), post("1", name, "2")]);
        let answer = hoxhunt.send("POST", "/Bulk", json!({ "Operations": operations })).await;
        let results = answer.body["Operations"].as_array().unwrap();
        let statuses: Vec<_> =
            results.iter().map(|result| result["status"].as_str().unwrap()).collect();
        assert_eq!(statuses, ["409", "409"], "{name}: {}", answer.body);
        let found = hoxhunt.find(&format!("userName eq \"{name}\"")).await;
        assert_eq!(found.first().and_then(|user| user["id"].as_str()), id, "{name}");
    }
    assert_eq!(hoxhunt.total().await, 3);
    // Here the profile refuses deletions, and the brake counts deactivations.
    let settings = [("deprovision.on_delete", "refuse"), ("brake.deactivations", "1")];
    let strict = Customer::with("default", &settings).await;
    strict.create(json!({ "userName": "taken" })).await;
    for _ in 0..3 {
        let operations = json!([post("2", "taken", "1"), post("1", "new", "2")]);
        let answer = strict.send("POST", "/Bulk", json!({ "Operations": operations })).await;
        assert_eq!(answer.body["Operations"][1]["status"], "409");
        assert_eq!(strict.total().await, 1, "{}", answer.body);
    }
}
