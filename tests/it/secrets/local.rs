//! The secrets of a data directory.

use aws_sdk_secretsmanager::Client;
use scim_lambda::auth::secrets_manager::Secrets;
use scim_lambda::auth::token::PlainToken;
use scim_lambda::operator::room::MAX_VERSIONS;
use scim_lambda::operator::tokens::Lifetime;
use scim_lambda::store::{SecretNumber, TenantCode};
use scim_local::Local;
use scim_local::engine::Engine;
use scim_local::secrets::Vault;

use crate::support::World;
use crate::support::tokens::{change_record, change_secret};

#[tokio::test]
async fn local_secrets_outlive_the_process_and_only_their_owner_can_read_them() {
    let directory = std::env::temp_dir().join(format!("scim-secrets-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("secrets.json");
    let open = || Local { engine: Engine::memory().unwrap(), secrets: Vault::open(&file).unwrap() };
    let (tenant, number) = (TenantCode::generate().unwrap(), SecretNumber::FIRST);
    let token = PlainToken::generate(&tenant).unwrap();
    let secrets = |local: &Local| Secrets::new(Client::new(&local.sdk_config()), "contract");
    change_record(&secrets(&open()), number, &tenant, |record| record.add(&token, None)).await;
    let read = secrets(&open()).shared(number).await.unwrap();
    assert!(read.records.text(&tenant).unwrap().contains(&token.digest().to_text()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn a_secret_takes_changes_again_a_day_after_it_took_too_many() {
    let (world, first) = (World::new().await, SecretNumber::FIRST);
    let (busy, _) = world.tenant("busy", "default").await;
    let (quiet, _) = world.tenant("quiet", "default").await;
    for _ in 0..MAX_VERSIONS {
        change_secret(&world.secrets, first, |_| {}).await;
    }
    let operator = world.operator();
    let mut numbers = Vec::new();
    for row in [&busy, &quiet] {
        operator.issue_token(row, Lifetime::Profile, None).await.unwrap();
        numbers.push(world.store.tenant(row.code()).await.unwrap().unwrap().secret);
        world.clock.advance(24 * 60 * 60);
    }
    assert_eq!(numbers, [Some(first.next()), Some(first)]);
}
