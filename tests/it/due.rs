//! Users who are due for erasure: hidden at once, erased by the requests that follow.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::connectors::Fault;
use crate::support::customer::Customer;
use crate::support::handles::group_path;
use crate::support::{DAY, encode};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_due_at_once_are_hidden_and_do_not_block_the_tenant() {
    let customer =
        Customer::with("default", &[("deprovision.on_inactive", "suspend_with_expiry")]).await;
    let mut leavers = Vec::new();
    for n in 0..60 {
        leavers.push(customer.create(json!({ "userName": format!("leaver{n}") })).await);
    }
    let stays = customer.create(json!({ "userName": "stays" })).await;
    let members: Vec<Value> =
        leavers.iter().chain([&stays]).map(|user| json!({ "value": user["id"] })).collect();
    let group = customer
        .send("POST", "/Groups", json!({ "displayName": "All", "members": members }))
        .await
        .body;
    for leaver in &leavers {
        assert_eq!(customer.activate(leaver, false).await.status, 200);
    }
    let token = customer.token.clone();
    customer.world.clock.advance(90 * DAY);
    let group = group_path(&group);
    let filter =
        format!("/Users?filter={}", encode(&format!("groups.value eq \"{}\"", &group[8..])));
    let mut left = usize::MAX;
    for (path, total) in [
        ("/Users?count=200", Some(1)),
        (group.as_str(), None),
        (filter.as_str(), Some(1)),
        ("/Users?count=0", Some(1)),
        ("/Users?filter=userName%20sw%20%22leaver%22", Some(0)),
        ("/ServiceProviderConfig", None),
        ("/Users?startIndex=1&count=5", Some(1)),
    ] {
        let answer = customer.world.send_as(&token, "GET", path, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert!(answer.tally.calls < 120, "{path}: {:?}", answer.tally);
        match total {
            Some(total) => assert_eq!(answer.body["totalResults"], total, "{path}"),
            None if path == group => {
                assert_eq!(answer.body["members"].as_array().unwrap().len(), 1)
            }
            None => {}
        }
        let due = customer.world.rows_of("#D").await;
        assert!(due < left || due == 0, "each request erases some: {due}");
        left = due;
    }
    assert_eq!(left, 0);
    let logged = customer.log().await.iter().filter(|operation| *operation == "expire").count();
    assert_eq!(logged, 2 * 60, "each leaves the group, and is erased");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_total_is_not_too_low_while_another_request_erases() {
    let customer =
        Customer::with("default", &[("deprovision.on_inactive", "suspend_with_expiry")]).await;
    for n in 0..6 {
        customer.create(json!({ "userName": format!("stays{n}") })).await;
    }
    for n in 0..25 {
        let leaver = customer.create(json!({ "userName": format!("leaver{n}") })).await;
        assert_eq!(customer.activate(&leaver, false).await.status, 200);
    }
    let (world, token) = (customer.world.clone(), customer.token.clone());
    world.clock.advance(90 * DAY);
    // The counters of the first request are read when the second has erased some of those that it
    // subtracts.
    let counters = format!("{}#C", customer.row.code());
    world.between.set(move |called, body| {
        let hit =
            called == "Query" && body["ExpressionAttributeValues"][":p"]["S"] == counters.as_str();
        hit.then_some(Fault::Slow(600))
    });
    let first = tokio::spawn({
        let (world, token) = (world.clone(), token.clone());
        async move { world.send_as(&token, "GET", "/Users?count=2", None).await }
    });
    while world.rows_of("#D").await > 15 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(world.send_as(&token, "GET", "/ServiceProviderConfig", None).await.status, 200);
    let total = first.await.unwrap().body["totalResults"].as_u64().unwrap();
    assert!((6..=16).contains(&total), "{total}");
    world.between.clear();
    assert_eq!(world.send_as(&token, "GET", "/Users?count=2", None).await.body["totalResults"], 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_to_tidy_up_does_not_block_the_tenant() {
    let customer =
        Customer::with("default", &[("deprovision.on_inactive", "suspend_with_expiry")]).await;
    let user = customer.create(json!({ "userName": "leaver" })).await;
    customer.activate(&user, false).await;
    customer.world.clock.advance(90 * DAY - 10);
    assert_eq!(customer.total().await, 1);
    customer.world.clock.advance(10);
    customer
        .world
        .between
        .set(|called, _| (called == "TransactWriteItems").then_some(Fault::Refuse(500, "Down")));
    assert_eq!(customer.send("GET", "/ServiceProviderConfig", None).await.status, 200);
    assert_eq!(customer.total().await, 0);
    customer.get(&user).await.is_error(404, None);
    customer.world.between.clear();
    assert_eq!(customer.total().await, 0);
    assert_eq!(customer.world.rows_of("#D").await, 0);
}
