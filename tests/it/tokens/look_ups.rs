//! Unknown key ids are looked up in Secrets Manager, within a budget.

use super::helpers::{GET, exhaust, forged, get, issue, rotate};
use crate::support::World;
use crate::support::connectors::Fault;

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
async fn an_unknown_key_id_is_503_until_it_is_looked_up() {
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
    assert_eq!(get(&world, &third).await.status, 200, "one look-up serves every token");
}

#[tokio::test]
async fn an_unknown_token_stays_401_without_another_look_up() {
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
async fn a_flood_of_bad_tokens_costs_one_look_up_a_second_and_delays_nobody() {
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
async fn a_good_token_does_not_wait_for_the_look_up_of_a_bad_one() {
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
/// clock advances a tenth of a second for each millisecond of sleep.
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_requests_share_one_look_up() {
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
