//! Versions of a secret: who may replace which.

use scim_lambda::auth::records::TenantRecord;
use scim_lambda::auth::secrets_manager::SecretsError;
use scim_lambda::auth::shared_records::SharedRecords;
use scim_lambda::auth::shared_secrets::SharedSecret;
use scim_lambda::auth::token::PlainToken;
use scim_lambda::operator::tokens::Lifetime;
use scim_lambda::store::{SecretNumber, TenantCode};

use super::stack::Stack;
use crate::support::connectors::Fault;
use crate::support::tokens::change_secret;

const FIRST: SecretNumber = SecretNumber::FIRST;

/// Records with one more tenant than these, and its code.
fn with_one_more(records: &SharedRecords) -> (SharedRecords, TenantCode) {
    let (mut records, code) = (records.clone(), TenantCode::generate().unwrap());
    let mut record = TenantRecord::default();
    record.add(&PlainToken::generate(&code).unwrap(), Some(1_900_000_000));
    records.set(&code, &record).unwrap();
    (records, code)
}

pub async fn a_secret_is_replaced_only_as_it_was_read(stack: &Stack) {
    let missing = stack.shared(FIRST).await;
    assert!(missing.version().is_none());
    let (one, first) = with_one_more(&missing.records);
    stack.secrets.put_shared(FIRST, &missing, 0, &one).await.unwrap();
    let stale = stack.shared(FIRST).await;
    let (two, second) = with_one_more(&stale.records);
    stack.secrets.put_shared(FIRST, &stale, 0, &two).await.unwrap();
    for (seen, attempt) in [(&stale, 0), (&stale, 1), (&SharedSecret::default(), 0)] {
        let (late, _) = with_one_more(&seen.records);
        let late = stack.secrets.put_shared(FIRST, seen, attempt, &late).await;
        assert!(matches!(late, Err(SecretsError::Changed)), "{late:?}");
    }
    let now = stack.shared(FIRST).await.records;
    assert_eq!(
        [&first, &second].map(|code| now.text(code)),
        [&first, &second].map(|c| two.text(c))
    );
    assert_eq!(now.to_text().unwrap(), two.to_text().unwrap(), "a late writer undoes nothing");
}

pub async fn a_writer_that_comes_second_uses_up_no_version(stack: &Stack) {
    change_secret(&stack.secrets, FIRST, |_| {}).await;
    let seen = stack.shared(FIRST).await;
    let before = stack.versions(FIRST).await;
    let writers = [with_one_more(&seen.records).0, with_one_more(&seen.records).0];
    let written = [
        stack.secrets.put_shared(FIRST, &seen, 0, &writers[0]).await,
        stack.secrets.put_shared(FIRST, &seen, 0, &writers[1]).await,
    ];
    assert!(matches!(written, [Ok(()), Err(SecretsError::Changed)]), "{written:?}");
    assert_eq!(stack.versions(FIRST).await - before, 1);
}

pub async fn a_writer_that_was_interrupted_blocks_nobody(stack: &Stack) {
    let (row, _) = stack.tenant_with_token("acme").await;
    stack.between.set(|operation, _| {
        (operation == "UpdateSecretVersionStage")
            .then_some(Fault::Refuse(400, "AccessDeniedException"))
    });
    let operator = stack.operator().await;
    operator.issue_token(&row, Lifetime::Profile, None).await.unwrap_err();
    stack.between.clear();
    let token = stack.issue(&row).await;
    assert!(stack.accepts(&row, &token).await);
}

pub async fn the_version_before_the_current_one_is_kept(stack: &Stack) {
    let name = stack.secrets.shared_name(FIRST);
    let mut texts = Vec::new();
    for _ in 0..3 {
        change_secret(&stack.secrets, FIRST, |records| *records = with_one_more(records).0).await;
        texts.push(stack.shared(FIRST).await.records.to_text().unwrap());
    }
    let described = stack.client.describe_secret().secret_id(&name).send().await.unwrap();
    assert_eq!(described.description(), Some("SCIM token digests of tenants"));
    for (stage, text) in [("AWSCURRENT", &texts[2]), ("AWSPREVIOUS", &texts[1])] {
        let get = stack.client.get_secret_value().secret_id(&name).version_stage(stage);
        assert_eq!(get.send().await.unwrap().secret_string(), Some(text.as_str()), "{stage}");
    }
    assert_eq!(stack.versions(FIRST).await, 3, "all versions of a day count");
    let again = stack.client.create_secret().name(&name).secret_string("x").send().await;
    let again = again.unwrap_err();
    assert!(again.as_service_error().is_some_and(|error| error.is_resource_exists_exception()));
    let delete = stack.client.delete_secret().secret_id(&name).force_delete_without_recovery(true);
    delete.send().await.unwrap();
    assert!(stack.shared(FIRST).await.version().is_none());
}
