//! Holaspirit. The tests of the operator's tool show that its key can be displayed again
//! (`crates/scimctl/tests/operator/tokens.rs`).

use serde_json::json;

use super::person;
use crate::support::customer::Customer;
use crate::support::handles::user_path;

const OWN: &str = "urn:ietf:params:scim:schemas:extension:holaspirit:2.0:User";

#[tokio::test]
async fn it_is_served_at_a_path_of_its_own() {
    let base = [("address.base_url", "https://app.example.com/api/scim/2.0")];
    let customer = Customer::with("holaspirit", &base).await;
    let bearer = format!("Bearer {}", customer.token.reveal());
    for path in
        ["/api/scim/2.0/Users", "/api/scim/2.0/ServiceProviderConfig", "/api/scim/2.0//Groups"]
    {
        assert_eq!(customer.raw(path, &[("authorization", &bearer)]).await.status, 200, "{path}");
    }
    let user = customer.create(person("a")).await;
    let location = format!("https://app.example.com/api/scim/2.0{}", user_path(&user));
    assert_eq!(user["meta"]["location"], location);
    let missing = customer.raw("/api/scim/2.0/Nothing", &[("authorization", &bearer)]).await;
    missing.is_error(404, None);
    assert!(missing.body["detail"].as_str().unwrap().contains("/api/scim/2.0"), "{}", missing.body);
}

#[tokio::test]
async fn its_preset_alone_serves_the_path_that_its_product_documents() {
    let customer = Customer::new("holaspirit").await;
    let bearer = format!("Bearer {}", customer.token.reveal());
    for path in ["/api/scim/2.0/Users", "/scim/v2/Users"] {
        assert_eq!(customer.raw(path, &[("authorization", &bearer)]).await.status, 200, "{path}");
    }
    let user = customer.create(person("a")).await;
    let location = format!("https://scim.example.com/api/scim/2.0{}", user_path(&user));
    assert_eq!(user["meta"]["location"], location, "at the host of the deployment");
    let missing = customer.raw("/api/scim/2.0/Nothing", &[("authorization", &bearer)]).await;
    missing.is_error(404, None);
    assert!(missing.body["detail"].as_str().unwrap().contains("/api/scim/2.0"), "{}", missing.body);
    // Elsewhere the path means nothing.
    let other = Customer::new("default").await;
    let bearer = format!("Bearer {}", other.token.reveal());
    other.raw("/api/scim/2.0/Users", &[("authorization", &bearer)]).await.is_error(404, None);
}

#[tokio::test]
async fn a_user_without_a_free_licence_is_created_inactive() {
    let customer = Customer::with("holaspirit", &[("seats.limit", "1")]).await;
    assert_eq!(customer.create(person("a")).await["active"], true);
    let waiting = customer.create(person("b")).await;
    assert_eq!(waiting["active"], false);
    let refused = customer.activate(&waiting, true).await;
    refused.is_error(403, None);
    assert!(refused.body["detail"].as_str().unwrap().contains("seat"), "{}", refused.body);
    assert_eq!(customer.total().await, 2);
}

#[tokio::test]
async fn the_product_may_promote_later() {
    let mut customer = Customer::with("holaspirit", &[("seats.limit", "1")]).await;
    let first = customer.create(person("a")).await;
    let waiting = customer.create(person("b")).await;
    assert_eq!(customer.activate(&first, false).await.body["active"], false);
    assert_eq!(customer.activate(&waiting, true).await.body["active"], true);
    // One more licence.
    customer
        .change(&crate::support::customer::profile("holaspirit", &[("seats.limit", "2")]))
        .await;
    assert_eq!(customer.activate(&first, true).await.body["active"], true);
}

#[tokio::test]
async fn a_user_is_erased_or_suspended_but_never_deleted_softly() {
    let customer = Customer::new("holaspirit").await;
    let user = customer.create(person("erased")).await;
    assert_eq!(customer.activate(&user, false).await.body["active"], false);
    assert_eq!(customer.get(&user).await.body["active"], false, "suspended, and there");
    assert_eq!(customer.delete(&user).await.status, 204);
    customer.delete(&user).await.is_error(404, None);
    assert_eq!(
        (customer.stored(&user).await, customer.rows_with("erased@example.com").await),
        (None, 0)
    );
    let again = customer.create(person("erased")).await;
    assert_ne!(again["id"], user["id"], "a new person");
}

#[tokio::test]
async fn what_it_keeps_is_kept_and_everything_else_is_ignored_silently() {
    let customer = Customer::new("holaspirit").await;
    let mut body = person("a");
    body["preferredLanguage"] = json!("fr");
    body["timezone"] = json!("Europe/Paris");
    body["title"] = json!("Dr");
    body["shoeSize"] = json!(43);
    body["phoneNumbers"] = json!([
        { "type": "mobile", "value": "1" }, { "type": "work", "value": "2", "primary": true },
    ]);
    body["addresses"] =
        json!([{ "type": "work", "country": "FR" }, { "type": "home", "country": "BE" }]);
    body[OWN] = json!({ "privilege": "Member", "other": 1 });
    let user = customer.create(body).await;
    assert_eq!(
        (&user["preferredLanguage"], &user["timezone"]),
        (&json!("fr"), &json!("Europe/Paris"))
    );
    assert_eq!(user["phoneNumbers"], json!([{ "type": "work", "value": "2" }]));
    assert_eq!(user["addresses"], json!([{ "type": "work", "country": "FR" }]));
    assert_eq!(user[OWN], json!({ "privilege": "member" }));
    assert_eq!((user.get("title"), user.get("shoeSize")), (None, None));
    for (path, value) in [
        ("title", json!("x")),
        ("shoeSize", json!(1)),
        ("phoneNumbers[type eq \"mobile\"].value", json!("3")),
    ] {
        let patched = customer.set(&user, path, value).await;
        assert_eq!((patched.status.as_u16(), &patched.body), (200, &user), "{path}");
    }
    let patched = customer.set(&user, "phoneNumbers[type eq \"work\"].value", json!("4")).await;
    assert_eq!(patched.body["phoneNumbers"], json!([{ "type": "work", "value": "4" }]));
    let schemas = customer.send("GET", "/Schemas", None).await.body.to_string();
    assert!(
        schemas.contains("privilege") && !schemas.contains("nickName"),
        "discovery shows what is kept"
    );
}

#[tokio::test]
async fn privilege_is_data_of_the_product_and_does_not_move_the_account() {
    let customer = Customer::new("holaspirit").await;
    let mut body = person("a");
    body[OWN] = json!({ "privilege": "inactive" });
    let user = customer.create(body).await;
    assert_eq!((&user["active"], &user[OWN]["privilege"]), (&json!(true), &json!("inactive")));
    assert_eq!(
        customer.find(&format!("{OWN}:privilege eq \"inactive\"")).await,
        std::slice::from_ref(&user)
    );
    let patched = customer.set(&user, &format!("{OWN}:privilege"), json!("member")).await;
    assert_eq!(patched.body[OWN]["privilege"], "member");
    let refused = customer.set(&user, &format!("{OWN}:privilege"), json!("king")).await;
    refused.is_error(400, Some("invalidValue"));
    assert!(
        refused.body["detail"].as_str().unwrap().contains("member, inactive"),
        "{}",
        refused.body
    );
}

#[tokio::test]
async fn active_counts_on_update_only_as_boolean_or_string() {
    let customer = Customer::new("holaspirit").await;
    let mut body = person("a");
    body["active"] = json!(false);
    let user = customer.create(body.clone()).await;
    assert_eq!(user["active"], true, "ignored on create");
    assert_eq!(customer.set(&user, "active", json!("False")).await.body["active"], false);
    assert_eq!(customer.set(&user, "active", json!(true)).await.body["active"], true);
    assert_eq!(customer.put(&user, body).await.body["active"], false);
}

#[tokio::test]
async fn a_missing_e_mail_is_an_error_that_names_it_and_what_to_map() {
    let customer = Customer::new("holaspirit").await;
    let mut plain = person("a");
    plain.as_object_mut().unwrap().remove("emails");
    let refused = customer.post(plain.clone()).await;
    refused.is_error(400, Some("invalidValue"));
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("emails is required") && detail.contains("attribute mapping"),
        "{detail}"
    );
    let user = customer.create(person("a")).await;
    customer
        .patch(&user, json!([{ "op": "remove", "path": "emails" }]))
        .await
        .is_error(400, Some("mutability"));
    // An address with only a type does not count as an address.
    let empty = json!([{ "type": "work" }]);
    let work = "emails[type eq \"work\"].value";
    let mut untold = plain.clone();
    untold["emails"] = empty.clone();
    for refused in [customer.post(untold.clone()).await, customer.put(&user, untold).await] {
        refused.is_error(400, Some("invalidValue"));
        assert!(
            refused.body["detail"].as_str().unwrap().starts_with("emails is required"),
            "{}",
            refused.body
        );
    }
    for blank in [empty, json!([{ "type": "work", "value": " " }])] {
        customer.set(&user, "emails", blank).await.is_error(400, Some("invalidValue"));
    }
    for operation in [
        json!({ "op": "replace", "path": work, "value": "" }),
        json!({ "op": "remove", "path": work }),
        json!({ "op": "remove", "path": "emails[type eq \"work\"]" }),
        json!({ "op": "replace", "path": "emails", "value": [] }),
    ] {
        let refused = customer
            .patch(&user, json!([operation, { "op": "add", "path": "timezone", "value": "x" }]))
            .await;
        refused.is_error(400, Some("mutability"));
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(
            detail.starts_with("emails is required") && detail.contains("attribute mapping"),
            "{detail}"
        );
    }
    assert_eq!(customer.get(&user).await.body, user);
    // A user who leaves may lose the address, and returns only with one.
    let leaves = json!([{ "op": "replace", "path": "active", "value": false }, { "op": "remove", "path": work }]);
    assert_eq!(customer.patch(&user, leaves).await.body["active"], false);
    customer.activate(&user, true).await.is_error(400, Some("invalidValue"));
    let comes = json!([{ "op": "replace", "value": { "active": true, work: "a@example.com" } }]);
    assert_eq!(customer.patch(&user, comes).await.body["active"], true);
    // The identity provider's own word for it.
    for (idp, word) in [
        ("entra", "In Entra ID, map mail to emails."),
        ("okta", "In Okta, map user.email to emails."),
    ] {
        let customer = Customer::of(&customer.world, "holaspirit", &[("dialect.idp", idp)]).await;
        let detail = customer.post(plain.clone()).await.body["detail"].clone();
        assert!(detail.as_str().unwrap().ends_with(word), "{detail}");
    }
}
