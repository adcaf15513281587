//! The Identity Hub.

use std::sync::Arc;

use serde_json::json;

use super::person;
use crate::support::World;
use crate::support::customer::Customer;
use crate::support::handles::group_path;
use crate::support::tokens::first_token;

#[tokio::test]
async fn a_connection_becomes_connected_with_the_first_successful_request() {
    let world = Arc::new(World::new().await);
    let hub = Customer::of(&world, "identity-hub", &[]).await;
    // A connection that was not used yet.
    let mut fresh = scim_lambda::store::TenantRow::generate("fresh", "identity-hub", 1).unwrap();
    fresh.enabled = false;
    assert!(world.store.create_tenant(&fresh, None, None).await.unwrap());
    let token = first_token(&world.store, &world.secrets, fresh.code(), None).await;
    let state = async || {
        let row = world.store.tenant(fresh.code()).await.unwrap().unwrap();
        (row.enabled, row.connected.is_some())
    };
    let ask = async || world.send_as(&token, "GET", "/Users", None).await;
    ask().await.is_error(403, None);
    assert_eq!(state().await, (false, false), "a refused request does not count as a connection");
    world.store.enable(fresh.code(), true, None).await.unwrap();
    world.clock.advance(61);
    assert_eq!(state().await, (true, false), "active");
    assert_eq!(ask().await.status, 200);
    assert_eq!(state().await, (true, true), "connected");
    let again = ask().await;
    assert_eq!(
        (again.status.as_u16(), again.tally.write_units),
        (200, 0.0),
        "that is written once"
    );
    assert_eq!(hub.total().await, 0);
}

#[tokio::test]
async fn several_connections_of_one_customer_see_only_their_own_users() {
    let world = Arc::new(World::new().await);
    let one = Customer::of(&world, "identity-hub", &[]).await;
    let two = Customer::of(&world, "identity-hub", &[]).await;
    let (a, b) = (one.create(person("same")).await, two.create(person("same")).await);
    assert_ne!(a["id"], b["id"], "the same person may exist in two");
    assert_eq!((one.total().await, two.total().await), (1, 1));
    two.get(&a).await.is_error(404, None);
    two.delete(&a).await.is_error(404, None);
    assert_eq!(one.delete(&a).await.status, 204);
    assert_eq!(two.get(&b).await.body, b);
    let group = json!({ "displayName": "G", "members": [{ "value": a["id"] }] });
    two.send("POST", "/Groups", group).await.is_error(400, Some("invalidValue"));
}

#[tokio::test]
async fn it_links_only_by_external_id() {
    let hub = Customer::new("identity-hub").await;
    let people = [
        json!({ "userName": "a", "externalId": "a", "title": "Dr" }),
        json!({ "userName": "b@example.com", "verifiedEmails": ["b@example.com"] }),
    ];
    let report = hub.import(&people).await;
    assert!(report.is_clean(), "{report:?}");
    let linked = hub.create(person("a")).await;
    assert_eq!(
        (&linked["id"], &linked["title"]),
        (&json!(report.lines[0].id.as_ref().unwrap().as_str()), &json!("Dr"))
    );
    hub.post(person("b")).await.is_error(409, Some("uniqueness"));
}

#[tokio::test]
async fn users_and_groups_support_all_operations() {
    let hub = Customer::new("identity-hub").await;
    let user = hub.create(person("a")).await;
    let group = json!({ "displayName": "Staff", "members": [{ "value": user["id"] }] });
    let group = hub.send("POST", "/Groups", group).await;
    assert_eq!((group.status.as_u16(), &group.body["members"][0]["value"]), (201, &user["id"]));
    let mut attribute = person("b");
    attribute["nickName"] = json!("Babs");
    assert_eq!(hub.create(attribute).await["nickName"], "Babs", "stored, since it is in a schema");
    let bulk = json!({ "Operations": [{ "method": "POST", "path": "/Users", "bulkId": "1", "data": person("c") }] });
    assert_eq!(hub.send("POST", "/Bulk", bulk).await.body["Operations"][0]["status"], "201");
    assert_eq!(hub.send("GET", "/ResourceTypes", None).await.body["totalResults"], 2);
    assert_eq!(hub.total().await, 3);
}

#[tokio::test]
async fn a_patch_of_a_group_is_204_for_entra_and_has_a_body_for_nextcloud() {
    let world = Arc::new(World::new().await);
    for (settings, status) in [(&[][..], 200), (&[("dialect.group_patch", "no_content")][..], 204)]
    {
        let hub = Customer::of(&world, "identity-hub", settings).await;
        let user = hub.create(person("a")).await;
        let group = hub.send("POST", "/Groups", json!({ "displayName": "G" })).await.body;
        let path = group_path(&group);
        let add = json!({ "Operations": [{ "op": "add", "path": "members", "value": [{ "value": user["id"] }] }] });
        assert_eq!(hub.send("PATCH", &path, add.clone()).await.status, status);
        let asked = hub.send("PATCH", &format!("{path}?attributes=displayName"), add).await;
        assert_eq!((asked.status.as_u16(), &asked.body["displayName"]), (200, &json!("G")));
        let got = hub.send("GET", &path, None).await.body;
        assert_eq!(got["members"][0]["value"], user["id"]);
    }
}
