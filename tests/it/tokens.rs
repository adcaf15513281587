//! Bearer tokens: who is let in, and what happens when nobody can tell.

use bytes::Bytes;
use http::Request;
use scim_core::Additions;
use scim_lambda::auth::records::TokenRecord;
use scim_lambda::auth::token::PlainToken;
use scim_lambda::tenant::Tenants;

use crate::support::connectors::Fault;
use crate::support::{Answer, World};

const GET: &str = "GetSecretValue";

async fn get(world: &World, token: &PlainToken) -> Answer {
    world.send_as(token, "GET", "/ServiceProviderConfig", None).await
}

fn down(world: &World) {
    world.between.set(|operation, _| {
        (operation == GET).then_some(Fault::Refuse(500, "InternalServiceError"))
    });
}

/// Changes the records in the tenant's secret.
async fn change(world: &World, by: impl FnOnce(&mut Vec<TokenRecord>)) {
    let code = world.tenant.code();
    let current = world.secrets.current(code).await.unwrap();
    let mut records = current.records.clone();
    by(&mut records);
    world.secrets.put(code, "acme", &current, &records).await.unwrap();
}

/// Adds a token beside the others.
async fn issue(world: &World) -> PlainToken {
    let token = PlainToken::generate(world.tenant.code()).unwrap();
    change(world, |records| records.push(TokenRecord::of(&token, world.clock.seconds(), None)))
        .await;
    token
}

async fn revoke(world: &World, token: &PlainToken) {
    change(world, |records| {
        records.iter_mut().filter(|r| r.is(token.key_id())).for_each(|r| r.revoked = true)
    })
    .await;
}

#[tokio::test]
async fn without_a_good_token_every_path_is_401() {
    let world = World::new().await;
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
        world.between.count(GET) <= 1 + 1,
        "the secret was read once for all of them, and once to make it"
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
async fn a_flood_of_unknown_tenants_has_no_good_tenant_read_again() {
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
    // The records are read at odd parts of a second, by this token and by others that nobody
    // minted.
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

/// A token of the tenant that nobody minted.
fn forged(world: &World) -> PlainToken {
    PlainToken::generate(world.tenant.code()).unwrap()
}

/// Asks with forged tokens until one is not looked up any more; how many were.
async fn exhaust(world: &World) -> usize {
    for looked_up in 0..100 {
        let answer = get(world, &forged(world)).await;
        if answer.status == 503 {
            assert_eq!(answer.header("retry-after"), "1");
            return looked_up;
        }
        answer.is_error(401, None);
    }
    panic!("a hundred unknown key ids were looked up at once");
}

#[tokio::test]
async fn unknown_key_ids_are_looked_up_ten_at_once_and_one_a_second() {
    let world = World::new().await;
    assert_eq!(get(&world, &world.token).await.status, 200);
    let before = world.between.count(GET);
    assert_eq!(exhaust(&world).await, 10);
    assert_eq!(world.between.count(GET) - before, 10);
    world.clock.advance_milliseconds(999);
    assert_eq!(exhaust(&world).await, 0);
    world.clock.advance_milliseconds(1);
    assert_eq!(exhaust(&world).await, 1);
    world.clock.advance(3);
    assert_eq!(exhaust(&world).await, 3);
    assert_eq!(
        get(&world, &world.token).await.status,
        200,
        "a token that is known needs no budget"
    );
}

#[tokio::test]
async fn an_unknown_key_id_is_503_until_it_was_looked_up() {
    let world = World::new().await;
    assert_eq!(get(&world, &world.token).await.status, 200);
    exhaust(&world).await;
    let second = issue(&world).await;
    for _ in 0..3 {
        let answer = get(&world, &second).await;
        answer.is_error(503, None);
        assert_eq!(answer.header("retry-after"), "1");
    }
    world.clock.advance(1);
    assert_eq!(get(&world, &second).await.status, 200);
    exhaust(&world).await;
    let third = issue(&world).await;
    world.clock.advance(1);
    get(&world, &forged(&world)).await.is_error(401, None);
    assert_eq!(get(&world, &third).await.status, 200, "a look for anybody is one for all");
}

#[tokio::test]
async fn a_token_that_was_looked_up_in_vain_is_401_without_another_look() {
    let world = World::new().await;
    assert_eq!(get(&world, &world.token).await.status, 200);
    let (before, bad) = (world.between.count(GET), [(); 3].map(|()| forged(&world)));
    for _ in 0..20 {
        for token in &bad {
            get(&world, token).await.is_error(401, None);
        }
        world.clock.advance_milliseconds(499);
    }
    assert_eq!(world.between.count(GET) - before, 3);
    world.clock.advance(1);
    for token in &bad {
        get(&world, token).await.is_error(401, None);
    }
    assert_eq!(world.between.count(GET) - before, 4, "one look tells of all that came before");
}

#[tokio::test]
async fn a_flood_of_bad_tokens_costs_one_look_a_second_and_nobody_else_anything() {
    let world = World::new().await;
    assert_eq!(get(&world, &world.token).await.status, 200);
    let before = world.between.count(GET);
    for _ in 0..1_000 {
        world.clock.advance_milliseconds(100);
        let answer = get(&world, &forged(&world)).await;
        assert!(answer.status == 401 || answer.status == 503, "{}", answer.body);
        assert_eq!(get(&world, &world.token).await.status, 200);
    }
    assert!(world.between.count(GET) - before <= 10 + 100, "{}", world.between.count(GET) - before);
}

#[tokio::test]
async fn a_good_token_does_not_wait_for_the_look_of_a_bad_one() {
    let world = World::new().await;
    assert_eq!(get(&world, &world.token).await.status, 200);
    world.between.set(|operation, _| (operation == GET).then_some(Fault::Hang));
    let bad = forged(&world);
    tokio::select! {
        biased;
        answer = get(&world, &bad) => panic!("Secrets Manager hangs, and yet: {}", answer.body),
        answer = get(&world, &world.token) => assert_eq!(answer.status, 200),
    }
}

/// Rotates the tenant's token: the new one is good at once, and those before it for seven days
/// more.
async fn rotate(world: &World) -> PlainToken {
    let (new, now) = (forged(world), world.clock.seconds());
    let overlap = now + 7 * crate::support::DAY;
    change(world, |records| {
        records
            .iter_mut()
            .for_each(|record| record.expires = record.expires.map(|expiry| expiry.min(overlap)));
        records.push(TokenRecord::of(&new, now, Some(now + 365 * crate::support::DAY)));
    })
    .await;
    new
}

#[tokio::test]
async fn four_rotations_three_seconds_apart_refuse_nobody() {
    let world = World::new().await;
    let mut tokens = vec![world.token.clone()];
    for tick in 0..150 {
        if tick % 30 == 15 && tokens.len() < 5 {
            tokens.push(rotate(&world).await);
        }
        for token in tokens.iter().rev() {
            let answer = get(&world, token).await;
            assert_eq!(
                answer.status,
                200,
                "token {} at {tick}: {}",
                token.key_id().as_str(),
                answer.body
            );
        }
        world.clock.advance_milliseconds(100);
    }
    assert_eq!(tokens.len(), 5);
}

/// Eight clients send with the newest token while it is rotated, and others send forged ones. The
/// clock goes as fast as a thousandth of a second takes to sleep.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotations_under_load_and_a_flood_are_never_401() {
    let world = std::sync::Arc::new(World::new().await);
    world.between.set(|operation, _| (operation == GET).then_some(Fault::Slow(2)));
    let (newest, told) = tokio::sync::watch::channel(Some(world.token.clone()));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (world, told) = (world.clone(), told.clone());
            tokio::spawn(async move {
                let mut statuses = std::collections::BTreeMap::new();
                while let Some(token) = { told.borrow().clone() } {
                    *statuses.entry(get(&world, &token).await.status.as_u16()).or_insert(0) += 1;
                    // The engine answers at once: without this the clients would leave no thread to
                    // the clock.
                    tokio::task::yield_now().await;
                }
                statuses
            })
        })
        .collect();
    let flood = tokio::spawn({
        let (world, told) = (world.clone(), told.clone());
        async move {
            while told.borrow().is_some() {
                get(&world, &forged(&world)).await;
                tokio::task::yield_now().await;
            }
        }
    });
    for _ in 0..4 {
        for _ in 0..30 {
            world.clock.advance_milliseconds(100);
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        newest.send_replace(Some(rotate(&world).await));
    }
    for _ in 0..30 {
        world.clock.advance_milliseconds(100);
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    newest.send_replace(None);
    flood.await.unwrap();
    for client in clients {
        let statuses = client.await.unwrap();
        assert!(statuses.keys().all(|status| [200, 503].contains(status)), "{statuses:?}");
        assert!(statuses[&200] > 10, "{statuses:?}");
    }
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let world = World::new().await;
    world.clock.advance(365 * crate::support::DAY - 1);
    assert_eq!(get(&world, &world.token).await.status, 200);
    world.clock.advance(1);
    get(&world, &world.token).await.is_error(401, None);
}

#[tokio::test]
async fn a_token_with_another_secret_under_a_known_key_id_is_refused() {
    let world = World::new().await;
    let other = PlainToken::generate(world.tenant.code()).unwrap();
    change(&world, |records| records[0].digest = other.digest().to_text()).await;
    get(&world, &world.token).await.is_error(401, None);
}

#[tokio::test]
async fn while_secrets_manager_is_down_nobody_hears_401() {
    let world = World::new().await;
    down(&world);
    let answer = get(&world, &world.token).await;
    answer.is_error(503, None);
    assert_eq!(answer.header("retry-after"), "1");
    get(&world, &PlainToken::generate(world.tenant.code()).unwrap()).await.is_error(503, None);
    world.between.clear();
    world.clock.advance(2);
    assert_eq!(get(&world, &world.token).await.status, 200);
}

#[tokio::test]
async fn a_verified_token_goes_on_for_five_minutes_while_secrets_manager_is_down() {
    let world = World::new().await;
    let unused = issue(&world).await;
    assert_eq!(get(&world, &world.token).await.status, 200);
    down(&world);
    world.clock.advance(61);
    for _ in 0..4 {
        assert_eq!(get(&world, &world.token).await.status, 200);
        get(&world, &unused).await.is_error(503, None);
        world.clock.advance(59);
    }
    world.clock.advance(4);
    get(&world, &world.token).await.is_error(503, None);
    world.between.clear();
    world.clock.advance(2);
    assert_eq!(get(&world, &world.token).await.status, 200);
}

#[tokio::test]
async fn a_verified_token_stays_so_when_another_one_makes_the_records_fresh() {
    let world = World::new().await;
    let second = issue(&world).await;
    assert_eq!(get(&world, &world.token).await.status, 200);
    world.clock.advance(61);
    assert_eq!(get(&world, &second).await.status, 200);
    down(&world);
    world.clock.advance(61);
    assert_eq!(get(&world, &world.token).await.status, 200);
}

#[tokio::test]
async fn a_new_token_that_cannot_be_looked_up_is_503_not_401() {
    let world = World::new().await;
    assert_eq!(get(&world, &world.token).await.status, 200);
    let second = issue(&world).await;
    world.clock.advance(11);
    down(&world);
    get(&world, &second).await.is_error(503, None);
    get(&world, &second).await.is_error(503, None);
    assert_eq!(get(&world, &world.token).await.status, 200);
}

#[tokio::test]
async fn every_failure_of_secrets_manager_is_503_but_not_found() {
    let faults = [
        Fault::Refuse(400, "ThrottlingException"),
        Fault::Refuse(400, "AccessDeniedException"),
        Fault::Refuse(400, "DecryptionFailure"),
        Fault::Refuse(500, "InternalServiceError"),
        Fault::Garbage,
        Fault::BreakBefore,
    ];
    for fault in faults {
        let world = World::new().await;
        let told = fault.clone();
        world.between.set(move |operation, _| (operation == GET).then(|| told.clone()));
        let answer = get(&world, &world.token).await;
        assert_eq!(answer.status, 503, "{fault:?}: {}", answer.body);
    }
    let world = World::new().await;
    world.between.set(|operation, _| {
        (operation == GET).then_some(Fault::Refuse(400, "ResourceNotFoundException"))
    });
    get(&world, &world.token).await.is_error(401, None);
}

#[tokio::test]
async fn a_secrets_manager_that_never_answers_is_503() {
    let world = World::new().await;
    world.between.set(|operation, _| (operation == GET).then_some(Fault::Hang));
    get(&world, &world.token).await.is_error(503, None);
}

#[tokio::test]
async fn a_secret_that_is_no_list_of_records_is_503() {
    let world = World::new().await;
    let client = aws_sdk_secretsmanager::Client::new(&world.local.sdk_config());
    let name = world.secrets.name(world.tenant.code());
    for garbage in ["", "{}", "not json", "[{\"kid\":1}]"] {
        client
            .put_secret_value()
            .secret_id(&name)
            .secret_string(format!("{garbage} "))
            .send()
            .await
            .unwrap();
        get(&world, &world.token).await.is_error(503, None);
        world.clock.advance(3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_look_is_in_flight_however_many_ask() {
    let world = std::sync::Arc::new(World::new().await);
    let before = world.between.count(GET);
    world.between.set(|operation, _| (operation == GET).then_some(Fault::Slow(20)));
    let askers: Vec<_> = (0..32)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move { get(&world, &world.token).await.status })
        })
        .collect();
    for asker in askers {
        assert_eq!(asker.await.unwrap(), 200);
    }
    assert_eq!(world.between.count(GET) - before, 1);
}

#[tokio::test]
async fn nothing_printable_shows_a_token() {
    let world = World::new().await;
    let secret = &world.token.reveal()[20..60];
    get(&world, &world.token).await;
    for text in [
        format!("{:?}", world.service),
        format!("{:?}", world.token),
        format!("{:?}", world.tenant.key()),
    ] {
        assert!(!text.contains(secret));
    }
}
