//! When the row of a tenant is read again before a token is accepted or refused.

use scim_lambda::auth::token::PlainToken;
use scim_lambda::store::SecretNumber;

use super::helpers::{GET, down, forged, get, issue, move_with, revoke};
use crate::support::World;
use crate::support::connectors::Fault;
use crate::support::log::Log;
use crate::support::tokens::change_secret;

const FIRST: SecretNumber = SecretNumber::FIRST;
const QUERY: &str = "Query";

#[tokio::test]
async fn a_token_minted_by_a_move_is_valid_after_one_failed_read_of_the_row() {
    let world = World::new().await;
    assert_eq!(get(&world, &world.token).await.status, 200);
    let token = forged(&world);
    move_with(&world, &token, false).await;
    world.between.set(|operation, _| {
        (operation == QUERY).then_some(Fault::Refuse(400, "AccessDeniedException"))
    });
    get(&world, &token).await.is_error(503, None);
    world.between.clear();
    assert_eq!(get(&world, &token).await.status, 200);
}

#[tokio::test]
async fn a_token_revoked_before_a_move_is_refused_within_a_minute() {
    let world = World::new().await;
    let (globex, other) = world.tenant("globex", "default").await;
    let revoked = issue(&world).await;
    // Another tenant reads the secret, so that its copy is a second older than the row.
    assert_eq!(get(&world, &other).await.status, 200);
    world.clock.advance(1);
    revoke(&world, &revoked).await;
    world.clock.advance(1);
    assert_eq!(get(&world, &revoked).await.status, 200, "the row is read after the revocation");
    world.clock.advance(1);
    move_with(&world, &forged(&world), true).await;
    world.clock.advance_milliseconds(57_999);
    let invented = PlainToken::generate(globex.code()).unwrap();
    get(&world, &invented).await.is_error(401, None);
    world.clock.advance_milliseconds(1);
    get(&world, &revoked).await.is_error(401, None);
    assert_eq!(get(&world, &world.token).await.status, 200);
}

#[tokio::test]
async fn an_ordinary_move_logs_no_error() {
    let world = World::new().await;
    assert_eq!(get(&world, &world.token).await.status, 200);
    let log = Log::begin();
    let token = forged(&world);
    move_with(&world, &token, true).await;
    assert_eq!(get(&world, &token).await.status, 200);
    assert_eq!(get(&world, &world.token).await.status, 200);
    world.clock.advance(60);
    assert_eq!(get(&world, &world.token).await.status, 200);
    assert_eq!(log.errors(), Vec::<serde_json::Value>::new());
}

#[tokio::test]
async fn a_missing_record_rests_for_two_seconds_after_a_slow_look_up() {
    let world = World::new().await;
    change_secret(&world.secrets, FIRST, |records| records.remove(world.tenant.code())).await;
    let clock = world.clock.clone();
    world.between.set(move |operation, _| {
        if operation == GET {
            clock.advance_milliseconds(2_500);
        }
        None
    });
    let before = world.between.count(GET);
    for (wait, look_ups) in [(0, 1), (1_999, 1), (1, 2)] {
        world.clock.advance_milliseconds(wait);
        get(&world, &world.token).await.is_error(503, None);
        assert_eq!(world.between.count(GET) - before, look_ups, "{wait}");
    }
}

#[tokio::test]
async fn an_outage_reads_the_row_before_a_token_is_accepted_by_an_old_record() {
    let world = World::new().await;
    let revoked = issue(&world).await;
    assert_eq!(get(&world, &revoked).await.status, 200);
    down(&world);
    world.clock.advance(61);
    assert_eq!(get(&world, &revoked).await.status, 200);
    world.between.clear();
    move_with(&world, &forged(&world), false).await;
    down(&world);
    get(&world, &revoked).await.is_error(503, None);
}
