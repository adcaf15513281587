//! Moves, and operators who work at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use scim_lambda::auth::shared_records::RecordState;
use scim_lambda::auth::token::PlainToken;
use scim_lambda::operator::Operator;
use scim_lambda::operator::token_list::TokenState;
use scim_lambda::store::{SecretNumber, TenantRow};

use super::stack::{GET, PUT, Stack, issue};
use crate::support::connectors::{Between, Fault};
use crate::support::tokens::change_secret;

const FIRST: SecretNumber = SecretNumber::FIRST;

pub async fn a_moved_tenant_keeps_its_tokens(stack: &Stack) {
    let (row, first) = stack.tenant_with_token("acme").await;
    let (other, others) = stack.tenant_with_token("other").await;
    let operator = stack.operator().await;
    let second = stack.issue(&row).await;
    operator.revoke_token(&row, first.key_id().as_str()).await.unwrap();
    let before = operator.tokens(&row).await.unwrap();
    for number in [FIRST.next(), FIRST.next().next()] {
        let moved = operator.move_tokens(&row).await.unwrap();
        assert_eq!(moved.to, stack.secrets.shared_name(number));
        assert_eq!(stack.secret_of(&row).await, Some(number), "to a greater number each time");
        assert_eq!(operator.tokens(&row).await.unwrap(), before);
        assert!(stack.accepts(&row, &second).await && !stack.accepts(&row, &first).await);
    }
    for number in [FIRST, FIRST.next()] {
        assert_eq!(stack.shared(number).await.records.record(row.code()), RecordState::Missing);
    }
    assert!(stack.accepts(&other, &others).await);
    assert_eq!(stack.secret_of(&other).await, Some(FIRST), "only this tenant moved");
    let without = stack.tenant("without").await;
    operator.move_tokens(&without).await.unwrap_err();
}

/// The revocation reads the old secret, and writes it when the tenant has moved already.
pub async fn a_revocation_during_a_move_is_not_lost(stack: &Stack) {
    let (row, token) = stack.tenant_with_token("acme").await;
    let kept = stack.issue(&row).await;
    let (late, mover) = (Between::default(), Between::default());
    late.set(|operation, _| (operation == PUT).then_some(Fault::Slow(400)));
    // The old record stays, so that nothing else stops the late write.
    let name = stack.secrets.shared_name(FIRST);
    mover.set(move |operation, body| {
        let clears = operation == PUT && body["SecretId"] == name.as_str();
        clears.then_some(Fault::Refuse(400, "LimitExceededException"))
    });
    let reader = stack.operator_behind(late.clone()).await;
    let mover = stack.operator_behind(mover).await;
    let (revoked, moved) =
        tokio::join!(reader.revoke_token(&row, token.key_id().as_str()), async {
            while late.count(PUT) == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            mover.move_tokens(&row).await
        },);
    revoked.unwrap();
    moved.unwrap();
    let RecordState::Good(old) = stack.shared(FIRST).await.records.record(row.code()) else {
        panic!("the old record was removed");
    };
    assert!(old.token(token.key_id()).is_none(), "the write to the old secret was made");
    assert_eq!(stack.secret_of(&row).await, Some(FIRST.next()));
    assert!(!stack.accepts(&row, &token).await, "and it was repeated in the new one");
    assert!(stack.accepts(&row, &kept).await);
}

/// The move has read the old secret, and has not written the new one.
pub async fn a_revocation_after_a_move_has_begun_is_not_lost(stack: &Stack) {
    const CREATE: &str = "CreateSecret";
    let (row, token) = stack.tenant_with_token("acme").await;
    let kept = stack.issue(&row).await;
    let slow = Between::default();
    slow.set(|operation, _| (operation == CREATE).then_some(Fault::Slow(400)));
    let (mover, operator) = (stack.operator_behind(slow.clone()).await, stack.operator().await);
    let (moved, revoked) = tokio::join!(mover.move_tokens(&row), async {
        while slow.count(CREATE) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        operator.revoke_token(&row, token.key_id().as_str()).await
    });
    moved.unwrap();
    revoked.unwrap();
    assert!(stack.secret_of(&row).await > Some(FIRST));
    assert!(!stack.accepts(&row, &token).await && stack.accepts(&row, &kept).await);
}

pub async fn a_move_that_was_interrupted_is_completed_by_the_next_change(stack: &Stack) {
    let (row, first) = stack.tenant_with_token("acme").await;
    assert!(stack.store.begin_move(row.code(), FIRST).await.unwrap());
    assert!(stack.accepts(&row, &first).await, "in the meantime its tokens are valid");
    let second = stack.issue(&row).await;
    let now = stack.store.tenant(row.code()).await.unwrap().unwrap();
    assert_eq!((now.secret, now.moving), (Some(FIRST.next()), false));
    assert!(stack.accepts(&row, &first).await && stack.accepts(&row, &second).await);
}

pub async fn a_record_that_a_move_left_behind_is_not_used(stack: &Stack) {
    let (row, first) = stack.tenant_with_token("acme").await;
    let second = stack.issue(&row).await;
    // The move stops after it has written the record to the next secret.
    let record = stack.shared(FIRST).await.records.record(row.code());
    let RecordState::Good(record) = record else { panic!("{record:?}") };
    assert!(stack.store.begin_secret(Some(FIRST)).await.unwrap());
    change_secret(&stack.secrets, FIRST.next(), |records| {
        records.set(row.code(), &record).unwrap();
    })
    .await;
    let operator = stack.operator().await;
    operator.revoke_token(&row, first.key_id().as_str()).await.unwrap();
    assert_eq!(stack.secret_of(&row).await, Some(FIRST));
    operator.move_tokens(&row).await.unwrap();
    let third = FIRST.next().next();
    assert_eq!(stack.secret_of(&row).await, Some(third), "an instance may have read the second");
    assert!(stack.accepts(&row, &second).await && !stack.accepts(&row, &first).await);
}

/// Four operators mint and revoke tokens of two tenants, and a fifth moves one of them.
pub async fn operators_who_work_at_once_lose_nothing(stack: &Stack) {
    let rows = [stack.tenant("one").await, stack.tenant("two").await];
    let done = Arc::new(AtomicBool::new(false));
    let workers = (0..4).map(|worker| {
        let row = rows[worker % 2].clone();
        async move {
            let operator = stack.operator().await;
            let (mut kept, mut revoked) = (Vec::new(), Vec::new());
            for round in 0..5 {
                let token = issue(&operator, &row).await;
                if round % 2 == 0 {
                    kept.push(token);
                } else {
                    operator.revoke_token(&row, token.key_id().as_str()).await.unwrap();
                    revoked.push(token);
                }
            }
            (row, kept, revoked)
        }
    });
    let mover = async {
        let operator = stack.operator().await;
        while stack.secret_of(&rows[0]).await.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for _ in 0..3 {
            if !done.load(Ordering::SeqCst) {
                operator.move_tokens(&rows[0]).await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    };
    let work = async {
        let results = futures_util::future::join_all(workers).await;
        done.store(true, Ordering::SeqCst);
        results
    };
    let (results, ()) = tokio::join!(work, mover);
    for (row, kept, revoked) in &results {
        let listed = stack.operator().await.tokens(row).await.unwrap();
        for (tokens, state) in [(kept, TokenState::Good), (revoked, TokenState::Revoked)] {
            for token in tokens {
                assert_eq!(stack.accepts(row, token).await, state == TokenState::Good);
                let key_id = token.key_id().as_str();
                let found = listed.iter().find(|listed| listed.key_id == key_id).unwrap();
                assert_eq!(found.state, state);
            }
        }
        assert_eq!(listed.len(), 10, "{listed:?}");
    }
}

/// The row names the old secret when it is read. The record has left that one when it is read.
pub async fn a_token_issued_while_the_tenant_moves_away_is_good(stack: &Stack) {
    let (row, first) = stack.tenant_with_token("acme").await;
    let slow = Between::default();
    slow.once(GET, Fault::Slow(400));
    let (operator, mover) = (stack.operator_behind(slow.clone()).await, stack.operator().await);
    let (second, moved) = tokio::join!(issue(&operator, &row), async {
        while slow.count(GET) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        mover.move_tokens(&row).await
    });
    moved.unwrap();
    let listed = mover.tokens(&row).await.unwrap();
    assert!(listed.len() == 2 && listed.iter().all(|token| token.state == TokenState::Good));
    assert!(stack.accepts(&row, &first).await && stack.accepts(&row, &second).await);
}

/// Carries out `first`, and issues a token once its record is changed and before it looks at the
/// kept tokens.
async fn issue_during<T>(
    stack: &Stack,
    row: &TenantRow,
    first: impl AsyncFnOnce(&Operator) -> T,
) -> (T, PlainToken) {
    let (slow, kept) = (Between::default(), format!("kept/{}", row.code()));
    slow.set(move |operation, body| {
        let reads_kept = operation == GET && body["SecretId"].as_str()?.ends_with(&kept);
        reads_kept.then_some(Fault::Slow(400))
    });
    let operator = stack.operator_behind(slow.clone()).await;
    tokio::join!(first(&operator), async {
        while slow.count("UpdateSecretVersionStage") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stack.issue(row).await
    })
}

pub async fn a_rotation_leaves_a_token_issued_at_once_alone(stack: &Stack) {
    let (row, _) = stack.tenant_with_token("acme").await;
    let (rotated, token) = issue_during(stack, &row, async |operator: &Operator| {
        operator.rotate_tokens(&row, Some(1), None).await
    })
    .await;
    let rotation = rotated.unwrap();
    let rows = stack.store.tokens(&row.key(), 0).await.unwrap();
    for listed in &rows {
        let is_new = [&rotation.token.token, &token]
            .iter()
            .any(|token| token.key_id().as_str() == listed.key_id);
        assert_eq!(listed.expires == Some(rotation.others_expire), !is_new, "{rows:?}");
    }
}

pub async fn two_mints_at_once_keep_both_tokens(stack: &Stack) {
    let row = stack.tenant_with_kept_tokens("acme").await;
    stack.issue(&row).await;
    let (first, second) =
        issue_during(stack, &row, async |operator: &Operator| issue(operator, &row).await).await;
    let operator = stack.operator().await;
    for token in [&first, &second] {
        let shown = operator.reveal_token(&row, Some(token.key_id().as_str())).await.unwrap();
        assert!(shown.token == *token);
    }
}
