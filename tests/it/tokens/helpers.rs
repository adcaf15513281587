//! What the tests of tokens do: issue, revoke, rotate and forge them.

use scim_lambda::auth::records::TokenRecord;
use scim_lambda::auth::token::PlainToken;

use crate::support::connectors::Fault;
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

/// Changes the records in the tenant's secret.
pub async fn change(world: &World, by: impl FnOnce(&mut Vec<TokenRecord>)) {
    let code = world.tenant.code();
    let current = world.secrets.current(code).await.unwrap();
    let mut records = current.records.clone();
    by(&mut records);
    world.secrets.put(code, "acme", &current, &records).await.unwrap();
}

/// Adds another token.
pub async fn issue(world: &World) -> PlainToken {
    let token = PlainToken::generate(world.tenant.code()).unwrap();
    change(world, |records| records.push(TokenRecord::of(&token, world.clock.seconds(), None)))
        .await;
    token
}

pub async fn revoke(world: &World, token: &PlainToken) {
    change(world, |records| {
        records.iter_mut().filter(|r| r.is(token.key_id())).for_each(|r| r.revoked = true)
    })
    .await;
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
    change(world, |records| {
        records
            .iter_mut()
            .for_each(|record| record.expires = record.expires.map(|expiry| expiry.min(overlap)));
        records.push(TokenRecord::of(&new, now, Some(now + 365 * DAY)));
    })
    .await;
    new
}
