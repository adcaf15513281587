//! The function wakes up and its connections are gone: no client notices.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use scim_lambda::Service;
use scim_lambda::store::{self, Store};
use scim_lambda::{sdk, settings::Settings};
use scim_local::{STACK, TABLE, dummy_account};
use serde_json::json;

use crate::support::thaw::{Stale, Wire};
use crate::support::{BASE_URL, World};

/// A service that reaches DynamoDB over real connections, as the function does.
async fn wired(world: &World) -> (Wire, Service) {
    let wire = Wire::before(world.local.connector()).await;
    let sdk = dummy_account().into_builder().endpoint_url(wire.url());
    let sdk = sdk.http_client(sdk::http_client()).retry_config(sdk::retry()).build();
    let table = Store::new(
        aws_sdk_dynamodb::Client::from_conf(store::timeouts((&sdk).into()).build()),
        TABLE,
    );
    let mut settings = Settings::new(TABLE, STACK);
    settings.base_url = Some(BASE_URL.into());
    let service =
        Service::new(table, world.secrets.clone(), &settings, world.clock.clock()).unwrap();
    (wire, service)
}

async fn status(world: &World, service: &Service, method: &str, path: &str, body: &str) -> u16 {
    let request = Request::builder()
        .method(method)
        .uri(format!("/scim/v2{path}"))
        .header("authorization", format!("Bearer {}", world.token.reveal()))
        .body(body.to_owned().into())
        .unwrap();
    let answered = tokio::time::timeout(Duration::from_secs(20), Box::pin(service.call(request)));
    answered.await.expect("it is answered").status().as_u16()
}

#[tokio::test]
async fn connections_that_broke_while_the_function_was_frozen_do_not_fail_requests() {
    let world = World::new().await;
    let (wire, service) = wired(&world).await;
    for (round, stale) in [Stale::Reset, Stale::BlackHole].into_iter().enumerate() {
        let user = json!({ "userName": format!("{round}@example.com") }).to_string();
        assert_eq!(status(&world, &service, "POST", "/Users", &user).await, 201);
        let before = wire.opened();
        wire.thaw(stale);
        assert_eq!(status(&world, &service, "GET", "/Users?count=1", "").await, 200, "{stale:?}");
        assert!(wire.opened() > before, "{stale:?}: a connection of its own answered");
        wire.thaw(stale);
        let user = json!({ "userName": format!("{round}.more@example.com") }).to_string();
        assert_eq!(
            status(&world, &service, "POST", "/Users", &user).await,
            201,
            "{stale:?}: and wrote once"
        );
    }
    assert_eq!(world.send("GET", "/Users", None).await.body["totalResults"], 4);
}

#[tokio::test]
async fn many_connections_that_broke_at_once_do_not_fail_requests() {
    let world = Arc::new(World::new().await);
    let (wire, service) = wired(&world).await;
    let service = Arc::new(service);
    for stale in [Stale::Reset, Stale::BlackHole] {
        let requests = (0..16).map(|_| {
            let (world, service) = (world.clone(), service.clone());
            tokio::spawn(async move { status(&world, &service, "GET", "/Users?count=1", "").await })
        });
        for request in requests.collect::<Vec<_>>() {
            assert_eq!(request.await.unwrap(), 200);
        }
        assert!(wire.opened() > 4, "{} connections", wire.opened());
        wire.thaw(stale);
        assert_eq!(status(&world, &service, "GET", "/Users?count=1", "").await, 200, "{stale:?}");
    }
}
