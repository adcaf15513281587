//! What the adapter for Secrets Manager promises, on any implementation.

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use scim_lambda::auth::records::TokenRecord;
use scim_lambda::auth::secrets_manager::{Secrets, SecretsError, StoredRecords};
use scim_lambda::auth::token::PlainToken;
use scim_lambda::store::TenantCode;
use scim_local::Local;
use scim_local::engine::Engine;
use scim_local::secrets::Vault;

/// Create, put, rotate, AWSCURRENT, not found, garbage.
pub async fn contract(sdk: &SdkConfig) {
    let client = Client::new(sdk);
    let secrets = Secrets::new(client.clone(), "contract");
    let tenant = TenantCode::generate().unwrap();
    let record = || TokenRecord::of(&PlainToken::generate(&tenant).unwrap(), 1_800_000_000, None);
    assert_eq!(
        secrets.records(&tenant).await.unwrap(),
        [],
        "a tenant without secret has no tokens"
    );

    let mut records = vec![record()];
    let put = async |records: &[TokenRecord]| {
        let current = secrets.current(&tenant).await.unwrap();
        secrets.put(&tenant, "acme", &current, records).await.unwrap();
    };
    put(&records).await;
    assert_eq!(secrets.records(&tenant).await.unwrap(), records);
    let stale = secrets.current(&tenant).await.unwrap();
    records.push(record());
    put(&records).await;
    assert_eq!(secrets.records(&tenant).await.unwrap(), records, "two tokens live at once");
    for seen in [&stale, &StoredRecords::default()] {
        let late = secrets.put(&tenant, "acme", seen, &[record()]).await;
        assert!(matches!(late, Err(SecretsError::Changed)), "{late:?}");
        assert_eq!(
            secrets.records(&tenant).await.unwrap(),
            records,
            "a late writer undoes nothing"
        );
    }
    records.remove(0);
    put(&records).await;
    assert_eq!(secrets.records(&tenant).await.unwrap(), records, "the newest version is current");

    let name = secrets.name(&tenant);
    let described = client.describe_secret().secret_id(&name).send().await.unwrap();
    assert_eq!(described.description(), Some("SCIM token digests of tenant acme"));
    let stages = described.version_ids_to_stages().unwrap();
    let current = stages
        .iter()
        .filter(|(_, stages)| stages.iter().any(|stage| stage == "AWSCURRENT"))
        .count();
    assert_eq!(current, 1);
    let previous = client
        .get_secret_value()
        .secret_id(&name)
        .version_stage("AWSPREVIOUS")
        .send()
        .await
        .unwrap();
    assert_ne!(
        previous.secret_string(),
        client.get_secret_value().secret_id(&name).send().await.unwrap().secret_string()
    );

    let again = client.create_secret().name(&name).secret_string("x").send().await.unwrap_err();
    assert!(
        again.as_service_error().is_some_and(|error| error.is_resource_exists_exception()),
        "{again:?}"
    );
    let other = TenantCode::generate().unwrap();
    client
        .create_secret()
        .name(secrets.name(&other))
        .secret_string("garbage")
        .send()
        .await
        .unwrap();
    assert!(matches!(secrets.records(&other).await, Err(SecretsError::Malformed(_))));
    let listed = client.list_secrets().send().await.unwrap();
    assert!(listed.secret_list().iter().any(|secret| secret.name() == Some(name.as_str())));
    client
        .delete_secret()
        .secret_id(&name)
        .force_delete_without_recovery(true)
        .send()
        .await
        .unwrap();
    assert_eq!(secrets.records(&tenant).await.unwrap(), []);
}

#[tokio::test]
async fn the_local_secrets_satisfy_the_contract() {
    let local = Local { engine: Engine::memory().unwrap(), secrets: Vault::memory() };
    contract(&local.sdk_config()).await;
}

#[tokio::test]
async fn local_secrets_outlive_the_process_and_only_their_owner_can_read_them() {
    let directory = std::env::temp_dir().join(format!("scim-secrets-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("secrets.json");
    let open = || Local { engine: Engine::memory().unwrap(), secrets: Vault::open(&file).unwrap() };
    let tenant = TenantCode::generate().unwrap();
    let record = TokenRecord::of(&PlainToken::generate(&tenant).unwrap(), 0, None);
    let secrets = |local: &Local| Secrets::new(Client::new(&local.sdk_config()), "contract");
    secrets(&open())
        .put(&tenant, "acme", &StoredRecords::default(), std::slice::from_ref(&record))
        .await
        .unwrap();
    assert_eq!(secrets(&open()).records(&tenant).await.unwrap(), [record]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    std::fs::remove_dir_all(directory).unwrap();
}
