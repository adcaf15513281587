//! The secrets of a data directory.

use aws_sdk_secretsmanager::Client;
use scim_lambda::auth::secrets_manager::Secrets;
use scim_lambda::auth::token::PlainToken;
use scim_lambda::store::{SecretNumber, TenantCode};
use scim_local::Local;
use scim_local::engine::Engine;
use scim_local::secrets::Vault;

use crate::support::tokens::change_record;

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
