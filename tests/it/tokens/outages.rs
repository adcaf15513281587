//! How tokens are judged while Secrets Manager is down.

use scim_lambda::auth::token::PlainToken;
use scim_lambda::store::SecretNumber;

use super::helpers::{GET, down, get, issue};
use crate::support::World;
use crate::support::connectors::Fault;
use crate::support::log::Log;

#[tokio::test]
async fn no_answer_is_401_while_secrets_manager_is_down() {
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
async fn a_verified_token_works_for_five_minutes_while_secrets_manager_is_down() {
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
async fn a_token_stays_verified_when_another_one_refreshes_the_records() {
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
async fn every_failure_of_secrets_manager_is_503() {
    let faults = [
        Fault::Refuse(400, "ThrottlingException"),
        Fault::Refuse(400, "AccessDeniedException"),
        Fault::Refuse(400, "DecryptionFailure"),
        Fault::Refuse(400, "ResourceNotFoundException"),
        Fault::Refuse(500, "InternalServiceError"),
        Fault::Garbage,
        Fault::BreakBefore,
    ];
    for fault in faults {
        let world = World::new().await;
        let told = fault.clone();
        world.between.set(move |operation, _| (operation == GET).then(|| told.clone()));
        let log = Log::begin();
        let answer = get(&world, &world.token).await;
        assert_eq!(answer.status, 503, "{fault:?}: {}", answer.body);
        let [line] = &log.lines("token store")[..] else { panic!("one line says why") };
        // What passes by itself is a warning.
        let passes = !matches!(
            fault,
            Fault::Refuse(
                _,
                "AccessDeniedException" | "DecryptionFailure" | "ResourceNotFoundException"
            )
        );
        assert_eq!(line["level"], if passes { "WARN" } else { "ERROR" }, "{fault:?}");
    }
}

#[tokio::test]
async fn a_secrets_manager_that_never_answers_is_503() {
    let world = World::new().await;
    world.between.set(|operation, _| (operation == GET).then_some(Fault::Hang));
    get(&world, &world.token).await.is_error(503, None);
}

#[tokio::test]
async fn a_malformed_secret_is_503() {
    let world = World::new().await;
    let client = aws_sdk_secretsmanager::Client::new(&world.local.sdk_config());
    let name = world.secrets.shared_name(SecretNumber::FIRST);
    for garbage in ["", "{}", "not json", "[{\"kid\":1}]", "{\"format\":2,\"tenants\":{}}"] {
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
