//! Secrets and records that are damaged.

use scim_lambda::auth::secrets_manager::SecretsError;
use scim_lambda::auth::shared_records::RecordState;
use scim_lambda::auth::token::PlainToken;
use scim_lambda::clock::Clock;
use scim_lambda::operator::OperatorError;
use scim_lambda::operator::token_list::TokenState;
use scim_lambda::operator::tokens::Lifetime;
use scim_lambda::store::{SecretNumber, TokenRow};

use super::stack::{PUT, Stack};
use crate::support::connectors::Fault;
use crate::support::tokens::{change_record, change_secret};

const FIRST: SecretNumber = SecretNumber::FIRST;

pub async fn a_secret_marked_for_deletion_is_restored(stack: &Stack) {
    let (row, token) = stack.tenant_with_token("acme").await;
    let key_id = token.key_id().as_str();
    let mut number = FIRST;
    for round in 0..5 {
        let name = stack.secrets.shared_name(number);
        let delete = stack.client.delete_secret().secret_id(&name).recovery_window_in_days(7);
        delete.send().await.unwrap();
        let read = stack.secrets.shared(number).await;
        assert!(
            matches!(&read, Err(SecretsError::Deleted(deleted)) if *deleted == name),
            "{read:?}"
        );
        let operator = stack.operator().await;
        match round {
            0 => assert_eq!(operator.tokens(&row).await.unwrap()[0].state, TokenState::Good),
            1 => drop(operator.issue_token(&row, Lifetime::Days(1), None).await.unwrap()),
            2 => drop(operator.rotate_tokens(&row, Some(1), None).await.unwrap()),
            3 => operator.revoke_token(&row, key_id).await.unwrap(),
            _ => drop(operator.move_tokens(&row).await.unwrap()),
        }
        assert_eq!(operator.restored_secrets(), [name], "{round}");
        number = stack.secret_of(&row).await.unwrap();
        assert_eq!(stack.accepts(&row, &token).await, round < 3, "{round}");
    }
    assert_eq!(number, FIRST.next());
}

pub async fn a_broken_record_spoils_one_tenant(stack: &Stack) {
    let (broken, token) = stack.tenant_with_token("broken").await;
    let (sound, kept) = stack.tenant_with_token("sound").await;
    let (before, operator) = (stack.shared(FIRST).await.records, stack.operator().await);
    let bad = r#"{ "tokens" : [ 1.50 ]}"#;
    let text = before.to_text().unwrap().replace(before.text(broken.code()).unwrap(), bad);
    stack.overwrite(FIRST, &text).await;
    let error = operator.tokens(&broken).await.unwrap_err();
    assert!(matches!(error, OperatorError::BadRecord { .. }), "{error}");
    let error = operator.issue_token(&broken, Lifetime::Profile, None).await.unwrap_err();
    assert!(matches!(error, OperatorError::BadRecord { .. }), "{error}");
    let second = stack.issue(&sound).await;
    let new = stack.tenant_with_token("new").await;
    for (row, token) in [(&sound, &kept), (&sound, &second), (&new.0, &new.1)] {
        assert!(stack.accepts(row, token).await);
    }
    let now = stack.shared(FIRST).await.records;
    assert_eq!(now.text(broken.code()), Some(bad), "it is written back byte for byte");
    // The operator repairs it.
    let RecordState::Good(record) = before.record(broken.code()) else { panic!("it was good") };
    change_secret(&stack.secrets, FIRST, |records| {
        records.set(broken.code(), &record).unwrap();
    })
    .await;
    assert!(stack.accepts(&broken, &token).await);
    let listed = operator.tokens(&broken).await.unwrap();
    assert_eq!(listed.len(), 1, "the token that could not be minted is not listed: {listed:?}");
}

pub async fn a_missing_record_is_replaced_only_on_request(stack: &Stack) {
    let (row, old) = stack.tenant_with_token("acme").await;
    change_secret(&stack.secrets, FIRST, |records| records.remove(row.code())).await;
    let operator = stack.operator().await;
    let refused = [
        operator.issue_token(&row, Lifetime::Profile, None).await.map(drop),
        operator.rotate_tokens(&row, Some(1), None).await.map(drop),
        operator.revoke_token(&row, old.key_id().as_str()).await,
        operator.tokens(&row).await.map(drop),
    ];
    for refused in refused {
        assert!(matches!(refused, Err(OperatorError::MissingRecord { .. })), "{refused:?}");
    }
    let new = operator.rotate_tokens(&row, Some(0), None).await.unwrap().token.token;
    assert!(stack.accepts(&row, &new).await && !stack.accepts(&row, &old).await);
    let states: Vec<_> =
        operator.tokens(&row).await.unwrap().into_iter().map(|token| token.state).collect();
    assert_eq!(states, [TokenState::Revoked, TokenState::Good]);
}

/// The first answer after the token was minted is that from before.
pub async fn a_late_answer_of_secrets_manager_loses_no_revocation(stack: &Stack) {
    let (row, token) = stack.tenant_with_token("acme").await;
    let new = stack.issue(&row).await;
    let record = stack.shared(FIRST).await.records;
    change_secret(&stack.secrets, FIRST, |records| {
        let RecordState::Good(mut late) = record.record(row.code()) else { panic!("no record") };
        assert!(late.remove(new.key_id().as_str()));
        records.set(row.code(), &late).unwrap();
    })
    .await;
    let operator = stack.operator().await;
    let (revoked, ()) = tokio::join!(operator.revoke_token(&row, new.key_id().as_str()), async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        change_secret(&stack.secrets, FIRST, |records| *records = record).await;
    });
    revoked.unwrap();
    assert!(stack.accepts(&row, &token).await && !stack.accepts(&row, &new).await);
}

pub async fn an_interrupted_mint_leaves_no_valid_token(stack: &Stack) {
    let (row, token) = stack.tenant_with_token("acme").await;
    stack.between.set(|operation, _| {
        (operation == PUT).then_some(Fault::Refuse(400, "AccessDeniedException"))
    });
    let operator = stack.operator().await;
    operator.issue_token(&row, Lifetime::Profile, Some("lost")).await.unwrap_err();
    stack.between.clear();
    let listed = operator.tokens(&row).await.unwrap();
    let states: Vec<_> = listed.iter().map(|token| (token.label.as_deref(), token.state)).collect();
    assert_eq!(states, [(None, TokenState::Good), (Some("lost"), TokenState::Revoked)]);
    assert!(stack.accepts(&row, &token).await);
}

/// The first mint has stored the digest, and stops before the tenant's row names the secret.
pub async fn an_interrupted_first_mint_that_was_revoked_stays_so(stack: &Stack) {
    let row = stack.tenant("acme").await;
    let token = PlainToken::generate(row.code()).unwrap();
    let key_id = token.key_id().as_str();
    let listed = TokenRow {
        key_id: key_id.to_owned(),
        created: Clock::system().milliseconds(),
        expires: None,
        label: None,
        revoked: None,
        seen: None,
    };
    assert!(stack.store.add_token(&row.key(), &listed, None).await.unwrap());
    assert!(stack.store.begin_secret(None).await.unwrap());
    change_record(&stack.secrets, FIRST, row.code(), |record| record.add(&token, None)).await;
    stack.operator().await.revoke_token(&row, key_id).await.unwrap();
    let next = stack.issue(&row).await;
    assert_eq!(stack.secret_of(&row).await, Some(FIRST));
    assert!(stack.accepts(&row, &next).await && !stack.accepts(&row, &token).await);
}

pub async fn tokens_that_an_earlier_version_revives_are_shown_and_ended(stack: &Stack) {
    let (row, revoked) = stack.tenant_with_token("acme").await;
    let (leaked, operator) = (stack.issue(&row).await, stack.operator().await);
    let earlier = stack.shared(FIRST).await.records;
    operator.revoke_token(&row, revoked.key_id().as_str()).await.unwrap();
    operator.rotate_tokens(&row, Some(0), None).await.unwrap();
    change_secret(&stack.secrets, FIRST, |records| *records = earlier).await;
    let kept = stack.issue(&row).await;
    assert!(stack.accepts(&row, &leaked).await && stack.accepts(&row, &revoked).await);
    let states = async || {
        let listed = operator.tokens(&row).await.unwrap();
        listed.into_iter().map(|token| token.state).collect::<Vec<_>>()
    };
    use TokenState::{Expired, Good, Revived, Revoked};
    assert_eq!(states().await, [Revived, Revived, Revoked, Good]);
    let mut ended = operator.reconcile_tokens(&row).await.unwrap();
    let mut expected = [&revoked, &leaked].map(|token| token.key_id().as_str());
    ended.sort();
    expected.sort();
    assert_eq!(ended, expected);
    assert_eq!(states().await, [Revoked, Expired, Revoked, Good]);
    assert!(!stack.accepts(&row, &leaked).await && !stack.accepts(&row, &revoked).await);
    assert!(stack.accepts(&row, &kept).await);
    assert!(operator.reconcile_tokens(&row).await.unwrap().is_empty());
}
