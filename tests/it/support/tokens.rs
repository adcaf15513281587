//! Tokens of tenants, written past the operator: a test then decides when each of them changes.

use scim_lambda::auth::records::TenantRecord;
use scim_lambda::auth::secrets_manager::Secrets;
use scim_lambda::auth::shared_records::{RecordState, SharedRecords};
use scim_lambda::auth::token::PlainToken;
use scim_lambda::store::{SecretNumber, Store, TenantCode};

/// Changes the records of a secret.
pub async fn change_secret(
    secrets: &Secrets,
    number: SecretNumber,
    by: impl FnOnce(&mut SharedRecords),
) {
    let seen = secrets.shared(number).await.unwrap();
    let mut records = seen.records.clone();
    by(&mut records);
    secrets.put_shared(number, &seen, 0, &records).await.unwrap();
}

/// Changes a tenant's record in a secret; it begins as an empty one.
pub async fn change_record(
    secrets: &Secrets,
    number: SecretNumber,
    tenant: &TenantCode,
    by: impl FnOnce(&mut TenantRecord),
) {
    change_secret(secrets, number, |records| {
        let mut record = match records.record(tenant) {
            RecordState::Good(record) => record,
            RecordState::Missing => TenantRecord::default(),
            RecordState::Malformed => panic!("the record of {tenant} is malformed"),
        };
        by(&mut record);
        records.set(tenant, &record).unwrap();
    })
    .await;
}

/// A new token of a tenant without tokens, in the first secret.
pub async fn first_token(
    store: &Store,
    secrets: &Secrets,
    tenant: &TenantCode,
    expires: Option<i64>,
) -> PlainToken {
    let (token, number) = (PlainToken::generate(tenant).unwrap(), SecretNumber::FIRST);
    change_record(secrets, number, tenant, |record| record.add(&token, expires)).await;
    assert!(
        store.end_move(tenant, None, number, None).await.unwrap(),
        "{tenant} has a secret already"
    );
    token
}
