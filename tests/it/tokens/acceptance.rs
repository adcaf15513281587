//! Which bearer tokens are accepted.

use bytes::Bytes;
use http::Request;
use scim_core::Additions;
use scim_lambda::auth::shared_records::RecordState;
use scim_lambda::auth::token::PlainToken;
use scim_lambda::operator::token_list::RevealedToken;
use scim_lambda::operator::tokens::NewToken;
use scim_lambda::store::SecretNumber;
use scim_lambda::tenant::Tenants;
use serde_json::json;

use super::helpers::{GET, get, issue, revoke};
use crate::support::tokens::change_secret;
use crate::support::{DAY, World};

#[tokio::test]
async fn every_path_is_401_without_a_good_token() {
    let world = World::new().await;
    let before = world.between.count(GET);
    let good = format!("Bearer {}", world.token.reveal());
    let other = PlainToken::generate(world.tenant.code()).unwrap();
    let wrong = [
        vec![],
        vec![""],
        vec!["Bearer"],
        vec!["Bearer "],
        vec!["Basic dXNlcjpwYXNz"],
        vec!["non-token"],
        vec![world.token.reveal()],
        vec![&good, &good],
        vec!["Bearer scim_x"],
        vec!["Bearer \u{e4}"],
    ];
    let paths = [
        "/scim/v2/Users",
        "/scim/v2/Users/1",
        "/scim/v2/Groups",
        "/scim/v2/ServiceProviderConfig",
        "/scim/v2/ResourceTypes",
        "/scim/v2/Schemas",
        "/",
        "/scim/v2",
        "/scim/v2/../Users",
        "/scim/v2/%2e%2e/Users",
        "/scim/v2/Users%2F1",
        "//scim/v2/Users",
        "/scim/v2/Users;a",
        "/scim/v2/users/",
        "/nothing",
    ];
    let other = format!("Bearer {}", other.reveal());
    for path in paths {
        for headers in wrong.iter().chain([&vec![other.as_str()]]) {
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
                let mut request = Request::builder().method(method).uri(path);
                for header in headers {
                    request = request.header("authorization", header.as_bytes());
                }
                let answer = world.raw(request.body(Bytes::new()).unwrap()).await;
                answer.is_error(401, None);
                assert!(answer.header("www-authenticate").starts_with("Bearer"));
            }
        }
    }
    assert!(
        world.between.count(GET) - before <= 2,
        "the secret was read once for the tenant's token, and once for all others"
    );
}

#[tokio::test]
async fn tokens_of_unknown_tenants_cost_no_secrets_manager_call() {
    let world = World::new().await;
    let before = world.between.count(GET);
    let unknown = PlainToken::generate(&"zzzzzzzz".parse().unwrap()).unwrap();
    for _ in 0..5 {
        get(&world, &unknown).await.is_error(401, None);
    }
    assert_eq!(world.between.count(GET), before);
}

#[tokio::test]
async fn a_flood_of_unknown_tenants_does_not_evict_a_good_one() {
    let world = World::new().await;
    let tenants =
        Tenants::remembering(20, world.store.clone(), world.clock.clock(), &Additions::default());
    let reads = || world.between.count("Query");
    let before = reads();
    for flood in 0..500 {
        let code = scim_lambda::store::TenantCode::generate().unwrap();
        assert!(tenants.get(&code).await.unwrap().is_none());
        assert!(tenants.get(&code).await.unwrap().is_none(), "it is remembered");
        assert!(tenants.get(world.tenant.code()).await.unwrap().is_some());
        assert_eq!(reads() - before, 2 + flood);
    }
}

#[tokio::test]
async fn records_are_cached_for_a_minute() {
    let world = World::new().await;
    let before = world.between.count(GET);
    for _ in 0..3 {
        assert_eq!(get(&world, &world.token).await.status, 200);
        world.clock.advance(20);
    }
    assert_eq!(world.between.count(GET) - before, 1);
    world.clock.advance(1);
    assert_eq!(get(&world, &world.token).await.status, 200);
    assert_eq!(world.between.count(GET) - before, 2);
}

#[tokio::test]
async fn a_revoked_token_is_refused_within_a_minute() {
    let world = World::new().await;
    assert_eq!(get(&world, &world.token).await.status, 200);
    revoke(&world, &world.token).await;
    world.clock.advance(60);
    get(&world, &world.token).await.is_error(401, None);
}

#[tokio::test]
async fn a_revoked_tokens_last_200_is_before_the_minute_is_over() {
    let world = World::new().await;
    // The records are read at odd parts of a second, by this token and by forged
    // ones.
    for odd in [1, 499, 500, 998, 999] {
        let token = issue(&world).await;
        world.clock.advance_milliseconds(60_000 + odd);
        assert_eq!(get(&world, &token).await.status, 200);
        world.clock.advance_milliseconds(20_000 + odd);
        get(&world, &PlainToken::generate(world.tenant.code()).unwrap()).await.is_error(401, None);
        revoke(&world, &token).await;
        world.clock.advance_milliseconds(59_999);
        assert_eq!(get(&world, &token).await.status, 200, "the records are believed, {odd}");
        world.clock.advance_milliseconds(1);
        get(&world, &token).await.is_error(401, None);
    }
}

#[tokio::test]
async fn two_tokens_live_at_once_and_a_new_one_works_at_once() {
    let world = World::new().await;
    assert_eq!(get(&world, &world.token).await.status, 200);
    let second = issue(&world).await;
    assert_eq!(get(&world, &second).await.status, 200);
    assert_eq!(get(&world, &world.token).await.status, 200);
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let world = World::new().await;
    world.clock.advance(365 * DAY - 1);
    assert_eq!(get(&world, &world.token).await.status, 200);
    world.clock.advance(1);
    get(&world, &world.token).await.is_error(401, None);
}

#[tokio::test]
async fn a_token_with_another_secret_under_a_known_key_id_is_refused() {
    let world = World::new().await;
    let other = PlainToken::generate(world.tenant.code()).unwrap();
    let key_id = world.token.key_id().as_str();
    change_secret(&world.secrets, SecretNumber::FIRST, |records| {
        let digest = other.digest().to_text();
        let record = json!({ "tokens": { key_id: { "digest": digest } } });
        records.set(world.tenant.code(), &serde_json::from_value(record).unwrap()).unwrap();
    })
    .await;
    get(&world, &world.token).await.is_error(401, None);
}

#[tokio::test]
async fn debug_output_never_shows_a_token() {
    let world = World::new().await;
    let secret = &world.token.reveal()[20..60];
    let digest = world.token.digest().to_text();
    get(&world, &world.token).await;
    let records = world.secrets.shared(SecretNumber::FIRST).await.unwrap().records;
    let RecordState::Good(record) = records.record(world.tenant.code()) else {
        panic!("the tenant has a record")
    };
    let (token, key_id) = (world.token.clone(), world.token.key_id().as_str().to_owned());
    let shown = RevealedToken { key_id, token: token.clone() };
    for text in [
        format!("{:?}", world.service),
        format!("{:?} {records:?} {record:?}", world.secrets),
        format!("{:?}", record.token(token.key_id()).unwrap()),
        format!("{token:?} {shown:?}"),
        format!("{:?}", NewToken { token: token.clone(), expires: None, kept: true }),
        format!("{:?}", world.tenant.key()),
    ] {
        assert!(!text.contains(secret) && !text.contains(&digest), "{text}");
    }
}
