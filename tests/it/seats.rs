//! Seats: the number of active users never exceeds the limit, however many come at once.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use scim_lambda::store::Bounds;
use serde_json::json;

use crate::support::World;
use crate::support::connectors::Between;
use crate::support::customer::{Customer, profile};

/// How many active users there are, by the filter, by the counters and by the seats.
async fn active(customer: &Customer) -> usize {
    let found = customer.send("GET", "/Users?filter=active%20eq%20true&count=1", None).await;
    let found = usize::try_from(found.body["totalResults"].as_u64().unwrap()).unwrap();
    let store = &customer.world.store;
    let counted = store.active(&customer.users()).await.unwrap();
    let seats = store.seats(&customer.users().tenant).await.unwrap().unwrap();
    assert_eq!((counted, seats.used), (found as i64, found as i64));
    found
}

/// 256 creators make 1,024 users, except the `first` ones, under a limit of 1,000 seats, and send
/// again what is answered with 503.
async fn a_thousand_seats(world: World, when_full: &str, first: usize) -> Customer {
    let world = Arc::new(world);
    let customer =
        Customer::of(&world, "default", &[("seats.limit", "1000"), ("seats.when_full", when_full)])
            .await;
    let user = |n: usize| json!({ "userName": format!("u{n}") });
    for n in 0..first {
        customer.create(user(n)).await;
    }
    let tasks = (first..first + 256).map(|creator| {
        let customer = customer.clone();
        tokio::spawn(async move {
            for n in (creator..1_024).step_by(256) {
                // An attempt that ended in 503 may have stored the user, who then exists.
                while customer.post(user(n)).await.status == 503 {}
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(active(&customer).await, 1_000);
    customer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_a_thousand_seats_are_taken_by_256_creators() {
    let customer = a_thousand_seats(World::new().await, "create_inactive", 0).await;
    assert_eq!(customer.total().await, 1_024, "the others are there, inactive");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_a_thousand_seats_are_taken_where_transactions_conflict() {
    // All of them compete for one row, which takes time, so the last 256 are enough.
    let customer =
        a_thousand_seats(World::with(Between::conflicts_of(1)).await, "refuse", 768).await;
    assert!(
        customer.world.between.cancelled.load(Ordering::SeqCst) > 0,
        "the connector did cancel"
    );
    assert_eq!(customer.total().await, 1_000, "the others are refused");
    customer.post(json!({ "userName": "one.more" })).await.is_error(403, None);
}

#[tokio::test]
async fn a_user_who_becomes_inactive_or_leaves_frees_a_seat() {
    let customer = Customer::with("default", &[("seats.limit", "2")]).await;
    let [a, b] = ["a", "b"].map(|name| json!({ "userName": name }));
    let (a, b) = (customer.create(a).await, customer.create(b).await);
    let c = json!({ "userName": "c" });
    customer.post(c.clone()).await.is_error(403, None);
    assert_eq!(customer.total().await, 2, "nothing is half done");
    let mut inactive = c.clone();
    inactive["active"] = json!(false);
    let c = customer.create(inactive).await;
    assert_eq!(active(&customer).await, 2, "an inactive user does not take a seat");
    assert_eq!(customer.activate(&a, false).await.status, 200);
    assert_eq!(customer.activate(&c, true).await.body["active"], true);
    let refused = customer.activate(&a, true).await;
    refused.is_error(403, None);
    assert!(
        refused.body["detail"].as_str().unwrap().contains("Deactivate a user"),
        "{}",
        refused.body
    );
    assert_eq!(customer.delete(&b).await.status, 204);
    assert_eq!(customer.activate(&a, true).await.body["active"], true);
    // A deleted user needs a seat to return.
    customer.post(json!({ "userName": "b" })).await.is_error(403, None);
    customer.activate(&a, false).await;
    assert_eq!(customer.create(json!({ "userName": "b" })).await["id"], b["id"]);
    assert_eq!(active(&customer).await, 2);
}

#[tokio::test]
async fn a_limit_lowered_below_use_blocks_activations_until_use_is_below_it() {
    let mut customer = Customer::with("default", &[("seats.limit", "4")]).await;
    let mut users = Vec::new();
    for n in 0..4 {
        users.push(customer.create(json!({ "userName": format!("u{n}") })).await);
    }
    customer.change(&profile("default", &[("seats.limit", "2")])).await;
    assert_eq!(active(&customer).await, 4, "nobody is thrown out");
    customer.post(json!({ "userName": "new" })).await.is_error(403, None);
    for (index, left) in [(0, 3), (1, 2)] {
        assert_eq!(customer.activate(&users[index], false).await.status, 200);
        assert_eq!(active(&customer).await, left);
        customer.activate(&users[0], true).await.is_error(403, None);
    }
    assert_eq!(customer.activate(&users[2], false).await.status, 200);
    assert_eq!(customer.activate(&users[0], true).await.status, 200, "the debt is repaid");
    assert_eq!(active(&customer).await, 2);
}

#[tokio::test]
async fn a_limit_counts_users_already_active_and_can_be_removed() {
    let mut customer = Customer::new("default").await;
    let user = customer.create(json!({ "userName": "a" })).await;
    customer.create(json!({ "userName": "b" })).await;
    customer.change(&profile("default", &[("seats.limit", "2")])).await;
    customer.post(json!({ "userName": "c" })).await.is_error(403, None);
    customer.change(&profile("default", &[])).await;
    customer.create(json!({ "userName": "c" })).await;
    customer.activate(&user, false).await;
    customer.change(&profile("default", &[("seats.limit", "2")])).await;
    assert_eq!(
        active(&customer).await,
        2,
        "users who changed while there was no limit are counted again"
    );
    customer.activate(&user, true).await.is_error(403, None);
}

#[tokio::test]
async fn a_seat_adds_two_write_units_to_the_users_transaction() {
    let limited = Customer::with("default", &[("seats.limit", "9")]).await;
    assert_eq!(limited.total().await, 0);
    let made = limited.post(json!({ "userName": "a@example.com", "externalId": "1" })).await;
    assert_eq!((made.tally.calls, made.tally.write_units), (1, 12.0));
    let flipped = limited.activate(&made.body, false).await;
    assert_eq!((flipped.tally.calls, flipped.tally.write_units), (2, 8.0));
    let renamed = limited.set(&made.body, "title", json!("Dr")).await;
    assert_eq!((renamed.tally.calls, renamed.tally.write_units), (2, 4.0));
}

#[tokio::test]
async fn a_recount_keeps_the_newest_limit() {
    let mut customer = Customer::new("default").await;
    customer.create(json!({ "userName": "a" })).await;
    customer.change(&profile("default", &[("seats.limit", "100")])).await;
    customer.change(&profile("default", &[("seats.limit", "2")])).await;
    // The operator who sets the first limit counts a minute later.
    customer.world.store.count_seats(&customer.users()).await.unwrap();
    let seats = customer.world.store.seats(&customer.users().tenant).await.unwrap().unwrap();
    assert_eq!((seats.used, seats.limit), (1, 2));
    let stale = customer.row.clone();
    customer.change(&profile("default", &[("seats.limit", "3")])).await;
    let bounds = Bounds { seats: Some(9), ..Bounds::default() };
    assert!(!customer.world.store.set_profile(&stale, "default", bounds, None).await.unwrap());
    let seats = customer.world.store.seats(&customer.users().tenant).await.unwrap().unwrap();
    assert_eq!(seats.limit, 3, "a profile that was not stored does not change the limit");
}
