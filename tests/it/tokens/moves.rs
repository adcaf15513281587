//! Tokens of tenants that share a secret, and of tenants that move to another one.

use scim_lambda::auth::token::PlainToken;
use scim_lambda::operator::tokens::Lifetime;
use scim_lambda::store::{SecretNumber, TenantRow};

use serde_json::json;

use super::helpers::{GET, down, exhaust, forged, get, issue, move_with};
use crate::support::World;
use crate::support::connectors::Fault;
use crate::support::log::Log;
use crate::support::tokens::{change_record, change_secret};

const FIRST: SecretNumber = SecretNumber::FIRST;
const SECOND: SecretNumber = FIRST.next();
const READ: &str = "Query";

#[tokio::test]
async fn one_read_serves_all_tenants_of_a_secret_for_a_minute() {
    let world = World::new().await;
    let mut tenants = Vec::new();
    for number in 0..30 {
        tenants.push(world.tenant(&format!("tenant-{number}"), "default").await.1);
    }
    let before = world.between.count(GET);
    for minute in 1..=3 {
        for token in &tenants {
            assert_eq!(get(&world, token).await.status, 200);
            world.clock.advance(1);
        }
        for token in &tenants {
            assert_eq!(get(&world, token).await.status, 200);
        }
        assert_eq!(world.between.count(GET) - before, minute);
        world.clock.advance(30);
    }
}

#[tokio::test]
async fn a_flood_for_one_tenant_does_not_take_the_budget_of_another() {
    let world = World::new().await;
    let (row, token) = world.tenant("globex", "default").await;
    assert_eq!(get(&world, &world.token).await.status, 200);
    assert_eq!(exhaust(&world).await, 10);
    assert_eq!(get(&world, &token).await.status, 200);
    let new = PlainToken::generate(row.code()).unwrap();
    change_record(&world.secrets, FIRST, row.code(), |record| record.add(&new, None)).await;
    assert_eq!(get(&world, &new).await.status, 200);
}

#[tokio::test]
async fn a_token_minted_during_a_move_is_valid_at_once() {
    for is_removed in [false, true] {
        for is_known in [false, true] {
            let world = World::new().await;
            let (_, other) = world.tenant("globex", "default").await;
            // The instance may have read the second secret for another tenant.
            change_secret(&world.secrets, SECOND, |_| {}).await;
            if is_known {
                let (initech, _) = world.tenant("initech", "default").await;
                move_tenant(&world, &initech).await;
            }
            assert_eq!(get(&world, &world.token).await.status, 200);
            let token = forged(&world);
            move_with(&world, &token, is_removed).await;
            assert_eq!(get(&world, &token).await.status, 200, "{is_removed} {is_known}");
            assert_eq!(get(&world, &world.token).await.status, 200);
            assert_eq!(get(&world, &other).await.status, 200);
        }
    }
}

/// Moves another tenant to the second secret, and lets the instance read it there.
async fn move_tenant(world: &World, row: &TenantRow) {
    let token = PlainToken::generate(row.code()).unwrap();
    change_record(&world.secrets, SECOND, row.code(), |record| record.add(&token, None)).await;
    assert!(world.store.begin_move(row.code(), FIRST).await.unwrap());
    assert!(world.store.end_move(row.code(), Some(FIRST), SECOND, None).await.unwrap());
    assert_eq!(get(world, &token).await.status, 200);
}

#[tokio::test]
async fn a_token_revoked_by_a_move_is_refused_within_a_minute() {
    for is_removed in [false, true] {
        let world = World::new().await;
        let (globex, _) = world.tenant("globex", "default").await;
        let (revoked, new) = (issue(&world).await, forged(&world));
        // The row and the secret are read just before the move.
        assert_eq!(get(&world, &revoked).await.status, 200);
        move_with(&world, &new, is_removed).await;
        world.clock.advance_milliseconds(50_000);
        // The old secret is read again, for another tenant, and may still hold the digest.
        let before = world.between.count(GET);
        let invented = PlainToken::generate(globex.code()).unwrap();
        get(&world, &invented).await.is_error(401, None);
        assert_eq!(world.between.count(GET) - before, 1);
        world.clock.advance_milliseconds(9_999);
        // The row is believed, unless the record has left the secret.
        let believed = if is_removed { 401 } else { 200 };
        assert_eq!(get(&world, &revoked).await.status, believed, "{is_removed}");
        world.clock.advance_milliseconds(1);
        get(&world, &revoked).await.is_error(401, None);
        assert_eq!(get(&world, &new).await.status, 200);
        assert_eq!(get(&world, &world.token).await.status, 200);
    }
}

#[tokio::test]
async fn a_token_that_waits_for_the_old_secret_too_long_is_judged_by_the_new_one() {
    let world = World::new().await;
    let (_, other) = world.tenant("globex", "default").await;
    let (revoked, new) = (issue(&world).await, forged(&world));
    world.clock.advance_milliseconds(500);
    assert_eq!(get(&world, &other).await.status, 200, "the old secret is read at 0.5 s");
    world.clock.advance_milliseconds(500);
    assert_eq!(get(&world, &revoked).await.status, 200, "and the row at 1.0 s");
    world.clock.advance_milliseconds(200);
    move_with(&world, &new, false).await;
    world.clock.advance_milliseconds(59_700);
    // At 60.9 s the row is fresh and the secret is not. It is read until 61.4 s.
    let clock = world.clock.clone();
    world.between.set(move |operation, _| {
        if operation == GET {
            clock.advance_milliseconds(500);
        }
        None
    });
    get(&world, &revoked).await.is_error(401, None);
}

#[tokio::test]
async fn a_missing_secret_or_record_is_503_and_is_looked_up_every_two_seconds() {
    let world = World::new().await;
    let unused = issue(&world).await;
    assert_eq!(get(&world, &world.token).await.status, 200);
    change_secret(&world.secrets, FIRST, |records| records.remove(world.tenant.code())).await;
    world.clock.advance(60);
    let before = world.between.count(GET);
    for _ in 0..10 {
        get(&world, &unused).await.is_error(503, None);
        get(&world, &forged(&world)).await.is_error(503, None);
        assert_eq!(get(&world, &world.token).await.status, 200, "it was verified before");
    }
    assert_eq!(world.between.count(GET) - before, 1);
    world.clock.advance(2);
    let log = Log::begin();
    get(&world, &unused).await.is_error(503, None);
    let [line] = &log.lines("token store")[..] else { panic!("one line says why") };
    let code = world.tenant.code().as_str();
    assert_eq!(
        (&line["tenant"], &line["secret"]),
        (&json!(code), &json!(world.secrets.shared_name(FIRST)))
    );
    assert_eq!(world.between.count(GET) - before, 2);
    world.clock.advance(300);
    get(&world, &world.token).await.is_error(503, None);

    let world = World::new().await;
    let client = aws_sdk_secretsmanager::Client::new(&world.local.sdk_config());
    let delete = client.delete_secret().secret_id(world.secrets.shared_name(FIRST));
    delete.force_delete_without_recovery(true).send().await.unwrap();
    let log = Log::begin();
    get(&world, &world.token).await.is_error(503, None);
    get(&world, &forged(&world)).await.is_error(503, None);
    let [line] = &log.lines("token store")[..] else { panic!("one line says why") };
    let name = world.secrets.shared_name(FIRST);
    assert_eq!(line["error"], format!("the secret {name} does not exist"));
    assert_eq!(line["level"], "ERROR");
}

#[tokio::test]
async fn a_secret_marked_for_deletion_is_503_until_the_operator_looks_at_it() {
    let world = World::new().await;
    let client = aws_sdk_secretsmanager::Client::new(&world.local.sdk_config());
    let delete = client.delete_secret().secret_id(world.secrets.shared_name(FIRST));
    delete.send().await.unwrap();
    let log = Log::begin();
    get(&world, &world.token).await.is_error(503, None);
    let [line] = &log.lines("token store")[..] else { panic!("one line says why") };
    let name = world.secrets.shared_name(FIRST);
    assert_eq!(line["error"], format!("the secret {name} is marked for deletion"));
    assert_eq!(
        (&line["level"], &line["cure"]),
        (&json!("ERROR"), &json!("scimctl token list restores it"))
    );
    world.operator().tokens(&world.tenant).await.unwrap();
    world.clock.advance(2);
    assert_eq!(get(&world, &world.token).await.status, 200);
}

#[tokio::test]
async fn a_bad_record_spoils_one_tenant_only() {
    let world = World::new().await;
    let unused = issue(&world).await;
    let (row, token) = world.tenant("globex", "default").await;
    assert_eq!(get(&world, &world.token).await.status, 200);
    let sound = world.secrets.shared(FIRST).await.unwrap();
    let text = sound.records.to_text().unwrap();
    let bad = text.replace(sound.records.text(world.tenant.code()).unwrap(), "{\"tokens\":7}");
    let client = aws_sdk_secretsmanager::Client::new(&world.local.sdk_config());
    let put = async |text: &str| {
        let put = client.put_secret_value().secret_id(world.secrets.shared_name(FIRST));
        put.secret_string(text).send().await.unwrap();
    };
    put(&bad).await;
    world.clock.advance(60);
    for _ in 0..4 {
        get(&world, &unused).await.is_error(503, None);
        assert_eq!(get(&world, &world.token).await.status, 200, "it was verified before");
        assert_eq!(get(&world, &token).await.status, 200);
        get(&world, &PlainToken::generate(row.code()).unwrap()).await.is_error(401, None);
        world.clock.advance(59);
    }
    world.clock.advance(4);
    get(&world, &world.token).await.is_error(503, None);
    assert_eq!(get(&world, &token).await.status, 200);
    put(&text).await;
    world.clock.advance(2);
    assert_eq!(get(&world, &world.token).await.status, 200);
}

#[tokio::test]
async fn a_tenant_without_a_token_is_401_without_a_look_up_within_its_budget() {
    let world = World::new().await;
    let row = TenantRow::generate("globex", "default", world.clock.seconds()).unwrap();
    assert!(world.store.create_tenant(&row, None, None).await.unwrap());
    let before = (world.between.count(GET), world.between.count(READ));
    for _ in 0..10 {
        get(&world, &PlainToken::generate(row.code()).unwrap()).await.is_error(401, None);
    }
    get(&world, &PlainToken::generate(row.code()).unwrap()).await.is_error(503, None);
    let reads = world.between.count(READ) - before.1;
    assert!(world.between.count(GET) == before.0 && reads <= 10, "{reads}");
    world.clock.advance(1);
    let first = world.operator().issue_token(&row, Lifetime::Profile, None).await.unwrap().token;
    assert_eq!(get(&world, &first).await.status, 200, "the first token is valid at once");
}

#[tokio::test]
async fn a_flood_reads_the_row_of_the_tenant_once_for_each_look_up() {
    let world = World::new().await;
    assert_eq!(get(&world, &world.token).await.status, 200);
    let before = (world.between.count(GET), world.between.count(READ));
    for _ in 0..1_000 {
        world.clock.advance_milliseconds(100);
        get(&world, &forged(&world)).await;
    }
    let look_ups = world.between.count(GET) - before.0;
    let reads = world.between.count(READ) - before.1;
    assert!(look_ups <= 10 + 100 && reads <= look_ups + 2, "{look_ups} {reads}");
}

#[tokio::test]
async fn an_outage_after_a_move_is_503_for_unverified_tokens_only() {
    let world = World::new().await;
    let new = forged(&world);
    move_with(&world, &new, true).await;
    assert_eq!(get(&world, &new).await.status, 200);
    down(&world);
    world.clock.advance(61);
    assert_eq!(get(&world, &new).await.status, 200);
    get(&world, &world.token).await.is_error(503, None);
    world.between.once(GET, Fault::Refuse(400, "AccessDeniedException"));
    world.clock.advance(2);
    get(&world, &world.token).await.is_error(503, None);
}
