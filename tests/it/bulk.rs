//! Bulk requests: RFC 7644, 3.7.

use serde_json::{Value, json};

use crate::support::{Answer, BASE_URL, World};

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

async fn bulk(world: &World, operations: Value) -> Vec<Value> {
    let answer =
        world.send("POST", "/Bulk", json!({ "schemas": [BULK], "Operations": operations })).await;
    results(&answer)
}

fn results(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        answer.body["schemas"],
        json!(["urn:ietf:params:scim:api:messages:2.0:BulkResponse"])
    );
    answer.body["Operations"].as_array().unwrap().clone()
}

fn statuses(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["status"].as_str().unwrap()).collect()
}

fn user(bulk_id: &str) -> Value {
    json!({ "method": "POST", "path": "/Users", "bulkId": bulk_id, "data": { "userName": format!("{bulk_id}@example.com") } })
}

fn group(bulk_id: &str, members: &[&str]) -> Value {
    let members: Vec<Value> =
        members.iter().map(|id| json!({ "value": format!("bulkId:{id}") })).collect();
    json!({ "method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": { "displayName": bulk_id, "members": members } })
}

fn id(result: &Value) -> &str {
    result["location"].as_str().unwrap().rsplit('/').next().unwrap()
}

#[tokio::test]
async fn each_operation_acts_like_a_request_of_its_own() {
    let world = World::new().await;
    let old = world.user(json!({ "userName": "old@example.com" })).await;
    let path = old.path();
    let done = bulk(
        &world,
        json!([
            user("alice"),
            { "method": "PUT", "path": path, "version": "W/\"1\"", "data": { "userName": "new@example.com" } },
            { "method": "patch", "path": path, "version": "W/\"2\"",
              "data": { "Operations": [{ "op": "add", "path": "title", "value": "Dr" }] } },
            { "method": "PATCH", "path": path, "version": "W/\"1\"", "data": { "Operations": [] } },
            { "method": "POST", "path": "/Users", "bulkId": "taken", "data": { "userName": "ALICE@example.com" } },
            { "method": "DELETE", "path": "/Users/nobody" },
            { "method": "DELETE", "path": path },
        ]),
    )
    .await;
    assert_eq!(statuses(&done), ["201", "200", "200", "412", "409", "404", "204"]);
    assert_eq!(
        done[0],
        json!({
            "method": "POST", "bulkId": "alice", "status": "201", "version": "W/\"1\"",
            "location": format!("{BASE_URL}/Users/{}", id(&done[0])),
        })
    );
    assert_eq!(
        done[2],
        json!({ "method": "PATCH", "status": "200", "version": "W/\"3\"", "location": format!("{BASE_URL}{path}") })
    );
    assert_eq!(done[4]["response"]["scimType"], "uniqueness");
    assert_eq!((done[4].get("location"), &done[4]["bulkId"]), (None, &json!("taken")));
    for (failed, status) in [(3, "412"), (5, "404")] {
        assert_eq!(done[failed]["response"]["status"], status);
        assert!(done[failed]["response"]["detail"].as_str().unwrap().len() > 10);
        assert!(done[failed]["location"].as_str().unwrap().starts_with(BASE_URL));
    }
    assert_eq!(old.read().await.status, 404);
}

#[tokio::test]
async fn references_work_forward_backward_and_in_circles() {
    let world = World::new().await;
    let done = bulk(
        &world,
        json!([
            group("outer", &["inner", "alice"]),
            group("inner", &["bob", "outer"]),
            user("alice"),
            { "method": "POST", "path": "/Users", "bulkId": "bob", "data": { "userName": "bob",
              "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "manager": { "value": "bulkId:alice" } } } },
            { "method": "PATCH", "path": "/Groups/bulkId:outer", "data": { "Operations": [
                { "op": "remove", "path": "members[value eq \"bulkId:alice\"]" },
                { "op": "add", "path": "members", "value": [{ "value": "bulkId:bob" }] } ] } },
        ]),
    )
    .await;
    assert_eq!(statuses(&done), ["201", "201", "201", "201", "200"], "{done:?}");
    let members = async |result: &Value| {
        let group = world.send("GET", &format!("/Groups/{}", id(result)), None).await;
        let mut ids: Vec<String> = group.body["members"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m["value"].as_str().unwrap().to_owned())
            .collect();
        ids.sort();
        assert_eq!(group.header("etag"), group.body["meta"]["version"]);
        ids
    };
    let sorted = |mut ids: Vec<&str>| {
        ids.sort_unstable();
        ids.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(members(&done[0]).await, sorted(vec![id(&done[1]), id(&done[3])]));
    assert_eq!(members(&done[1]).await, sorted(vec![id(&done[0]), id(&done[3])]));
    let bob = world.send("GET", &format!("/Users/{}", id(&done[3])), None).await.body;
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    assert_eq!(bob[enterprise]["manager"]["value"], id(&done[2]));
}

#[tokio::test]
async fn an_unresolved_reference_fails_only_its_operation() {
    let world = World::new().await;
    world.create(json!({ "userName": "taken@example.com" })).await;
    let rows = world.rows_of_directories().await.len();
    // A circle of which one part fails; a reference to what failed; an unknown one; the same bulkId
    // twice.
    let mut broken = group("b", &["a"]);
    broken["data"]["displayName"] = Value::Null;
    let done = bulk(
        &world,
        json!([
            group("a", &["b"]),
            broken,
            user("taken"),
            group("c", &["taken"]),
            group("d", &["x"])
        ]),
    )
    .await;
    assert_eq!(statuses(&done), ["409", "400", "409", "409", "409"], "{done:?}");
    assert!(
        done.iter()
            .all(|result| result.get("location").is_none()
                && result["response"]["detail"].is_string())
    );
    let log = world.rows_of("#L").await;
    assert_eq!(world.search("/Groups", "displayName pr").await.len(), 0);
    assert_eq!(
        world.rows_of_directories().await.len() - log,
        rows - 1 + world.rows_of("#C").await - 1,
        "only counters and log"
    );
    // An operation that refers to one that cannot be attempted does not begin.
    let staff = world.make_group("Staff", &[]).await;
    let both = json!([
        { "op": "replace", "path": "displayName", "value": "Other" },
        { "op": "add", "path": "members", "value": [{ "value": "bulkId:never" }] },
    ]);
    let done = bulk(
        &world,
        json!([
            { "method": "PATCH", "path": staff, "data": { "Operations": both } },
            { "method": "POST", "path": "/Users", "bulkId": "never" },
        ]),
    )
    .await;
    assert_eq!(statuses(&done), ["409", "400"]);
    assert_eq!(world.send("GET", &staff, None).await.body["displayName"], "Staff");
    let done = bulk(&world, json!([user("twice"), user("twice"), user("once")])).await;
    assert_eq!(statuses(&done), ["201", "400", "201"]);
}

#[tokio::test]
async fn fail_on_errors_ends_the_job() {
    let world = World::new().await;
    let wrong = json!({ "method": "POST", "path": "/Users", "bulkId": "w", "data": {} });
    for (fail_on_errors, processed) in
        [(json!(1), 2), (json!(2), 4), (json!(9), 5), (Value::Null, 5)]
    {
        let name = |n: u32| user(&format!("u{n}.{fail_on_errors}"));
        let body = json!({
            "schemas": [BULK], "failOnErrors": fail_on_errors,
            "Operations": [name(0), wrong, name(1), wrong, name(2)],
        });
        let done = results(&world.send("POST", "/Bulk", body).await);
        assert_eq!(
            statuses(&done),
            ["201", "400", "201", "400", "201"][..processed],
            "{fail_on_errors}"
        );
    }
}

#[tokio::test]
async fn limits_are_announced_and_enforced() {
    let world = World::new().await;
    let config = world.send("GET", "/ServiceProviderConfig", None).await.body;
    assert_eq!(config["bulk"]["supported"], true);
    let most = usize::try_from(config["bulk"]["maxOperations"].as_u64().unwrap()).unwrap();
    let most_bytes = usize::try_from(config["bulk"]["maxPayloadSize"].as_u64().unwrap()).unwrap();
    let delete = json!({ "method": "DELETE", "path": "/Users/nobody" });
    let done = bulk(&world, vec![delete.clone(); most].into()).await;
    assert_eq!(done.len(), most);
    let over = json!({ "Operations": vec![delete; most + 1] });
    let answer = world.send("POST", "/Bulk", over).await;
    answer.is_error(413, None);
    assert!(answer.body["detail"].as_str().unwrap().contains(&format!("maxOperations ({most})")));
    let answer =
        world.send("POST", "/Bulk", json!({ "Operations": [], "x": "x".repeat(most_bytes) })).await;
    answer.is_error(413, None);
    assert!(answer.body["detail"].as_str().unwrap().contains(&most_bytes.to_string()));
}

#[tokio::test]
async fn broken_requests_are_400_and_broken_operations_fail_alone() {
    let world = World::new().await;
    for body in [
        json!({}),
        json!({ "Operations": {} }),
        json!({ "Operations": [], "failOnErrors": "1" }),
        json!({ "Operations": [], "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"] }),
    ] {
        world.send("POST", "/Bulk", body).await.is_error(400, Some("invalidSyntax"));
    }
    assert_eq!(results(&world.send("POST", "/Bulk", json!({ "Operations": [] })).await).len(), 0);
    world.send("GET", "/Bulk", None).await.is_error(405, None);
    let done = bulk(
        &world,
        json!([
            1,
            { "method": "GET", "path": "/Users" },
            { "method": "POST", "path": "/Users", "data": { "userName": "a" } },
            { "method": "POST", "path": "/Users", "bulkId": "a" },
            { "method": "DELETE" },
            { "method": "PUT", "path": "/Users/nobody" },
            { "method": "PATCH", "path": "/Users/nobody", "data": [] },
            { "method": "POST", "path": "/Bulk", "bulkId": "b", "data": { "Operations": [] } },
            { "method": "POST", "path": "/Users/.search", "bulkId": "c", "data": {} },
            { "method": "POST", "path": "/Nobody", "bulkId": "d", "data": {} },
            { "method": "DELETE", "path": "/Users" },
            { "method": "DELETE", "path": "/Users/a b" },
        ]),
    )
    .await;
    assert_eq!(
        statuses(&done),
        ["400", "400", "400", "400", "400", "400", "400", "400", "400", "404", "405", "400"],
        "{done:?}"
    );
}
