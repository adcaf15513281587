//! When a token was last accepted, to the hour.

use std::time::Duration;

use scim_lambda::auth::token::PlainToken;
use serde_json::json;

use crate::support::World;
use crate::support::connectors::Fault;

const HOUR: i64 = 3_600;

/// A token that the table lists, minted as an operator does it.
async fn listed(world: &World) -> PlainToken {
    let operator = world.operator();
    let lifetime = scim_lambda::operator::tokens::Lifetime::Unlimited;
    operator.issue_token(&world.tenant, lifetime, None).await.unwrap().token
}

async fn seen(world: &World, token: &PlainToken) -> Option<i64> {
    let tokens = world.store.tokens(&world.tenant.key(), world.clock.seconds()).await.unwrap();
    let row = tokens.into_iter().find(|row| row.key_id == token.key_id().as_str());
    row.and_then(|row| row.seen)
}

/// Sends a request that takes several calls.
async fn post(world: &World, token: &PlainToken, name: &str) {
    let answer = world.send_as(token, "POST", "/Groups", json!({ "displayName": name })).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    for _ in 0..3 {
        assert_eq!(world.send_as(token, "GET", "/Groups", None).await.status, 200);
    }
}

#[tokio::test]
async fn each_hour_is_written_once() {
    let world = World::new().await;
    let token = listed(&world).await;
    assert_eq!(seen(&world, &token).await, None);
    let writes = || world.between.count("TransactWriteItems");
    let hour = world.clock.seconds() / HOUR * HOUR;
    let mut before = writes();
    post(&world, &token, "a").await;
    assert_eq!((writes() - before, seen(&world, &token).await), (2, Some(hour)));
    before = writes();
    post(&world, &token, "b").await;
    assert_eq!(writes() - before, 1, "only the group");
    world.clock.advance(HOUR);
    before = writes();
    post(&world, &token, "c").await;
    assert_eq!((writes() - before, seen(&world, &token).await), (2, Some(hour + HOUR)));
}

#[tokio::test]
async fn it_is_not_the_requests_own_work_and_does_not_delay_it() {
    let world = World::new().await;
    let token = listed(&world).await;
    world.between.set(|_, body| body.to_string().contains(":seen").then_some(Fault::Hang));
    let began = std::time::Instant::now();
    post(&world, &token, "0").await;
    let answer = world.send_as(&token, "GET", "/ServiceProviderConfig", None).await;
    assert_eq!((answer.status.as_u16(), answer.tally.calls), (200, 0));
    post(&world, &token, "a").await;
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(seen(&world, &token).await, None);
    // A later request tries it again.
    world.between.clear();
    world.clock.advance(10);
    post(&world, &token, "b").await;
    assert!(seen(&world, &token).await.is_some());
}

#[tokio::test]
async fn a_failure_does_not_fail_the_request() {
    let world = World::new().await;
    let token = listed(&world).await;
    world.between.set(|_, body| {
        let refused = Fault::Refuse(400, "ValidationException");
        body.to_string().contains(":seen").then_some(refused)
    });
    post(&world, &token, "a").await;
    world.between.clear();
    world.clock.advance(10);
    post(&world, &token, "b").await;
    assert!(seen(&world, &token).await.is_some());
}

#[tokio::test]
async fn a_refused_token_is_not_seen() {
    let world = World::new().await;
    let token = listed(&world).await;
    world.operator().revoke_token(&world.tenant, token.key_id().as_str()).await.unwrap();
    world.clock.advance(61);
    assert_eq!(world.send_as(&token, "GET", "/Users", None).await.status, 401);
    assert_eq!(seen(&world, &token).await, None);
}
