//! What the tests of tokens do: issue, revoke, rotate and forge them.

use scim_lambda::auth::records::TenantRecord;
use scim_lambda::auth::token::PlainToken;
use scim_lambda::store::SecretNumber;

use crate::support::connectors::Fault;
use crate::support::tokens::{change_record, change_secret};
use crate::support::{Answer, DAY, World};

pub const GET: &str = "GetSecretValue";

pub async fn get(world: &World, token: &PlainToken) -> Answer {
    world.send_as(token, "GET", "/ServiceProviderConfig", None).await
}

pub fn down(world: &World) {
    world.between.set(|operation, _| {
        (operation == GET).then_some(Fault::Refuse(500, "InternalServiceError"))
    });
}

/// Changes the record of the world's tenant, in the first secret.
pub async fn change(world: &World, by: impl FnOnce(&mut TenantRecord)) {
    change_record(&world.secrets, SecretNumber::FIRST, world.tenant.code(), by).await;
}

/// Adds another token.
pub async fn issue(world: &World) -> PlainToken {
    let token = PlainToken::generate(world.tenant.code()).unwrap();
    change(world, |record| record.add(&token, None)).await;
    token
}

pub async fn revoke(world: &World, token: &PlainToken) {
    change(world, |record| assert!(record.remove(token.key_id().as_str()))).await;
}

/// A token of the tenant that was never issued.
pub fn forged(world: &World) -> PlainToken {
    PlainToken::generate(world.tenant.code()).unwrap()
}

/// Sends forged tokens until one is no longer looked up, and returns how many were.
pub async fn exhaust(world: &World) -> usize {
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

/// Rotates the tenant's token: the new one is valid at once, and the earlier ones for seven more
/// days.
pub async fn rotate(world: &World) -> PlainToken {
    let (new, now) = (forged(world), world.clock.seconds());
    let overlap = now + 7 * DAY;
    change(world, |record| {
        record.expire(overlap);
        record.add(&new, Some(now + 365 * DAY));
    })
    .await;
    new
}

/// Moves the world's tenant to the second secret, where `token` is minted. The old record stays, or
/// is removed.
pub async fn move_with(world: &World, token: &PlainToken, is_removed: bool) {
    let code = world.tenant.code();
    change_record(&world.secrets, SecretNumber::FIRST.next(), code, |record| {
        record.add(&world.token, None);
        record.add(token, None);
    })
    .await;
    assert!(world.store.begin_move(code, SecretNumber::FIRST).await.unwrap());
    assert!(
        world
            .store
            .end_move(code, Some(SecretNumber::FIRST), SecretNumber::FIRST.next(), None)
            .await
            .unwrap()
    );
    if is_removed {
        change_secret(&world.secrets, SecretNumber::FIRST, |records| records.remove(code)).await;
    }
}
